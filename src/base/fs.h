/* SPDX-License-Identifier: Apache-2.0
 * Small files read whole and replaced whole. Any thread, no state. */
#pragma once

#include "base/err.h"

#include <stddef.h>

/* Reads at most max bytes (more is CL_EINVAL); *out is malloc'd with a NUL after *len
 * bytes. A missing file is CL_ENOTFOUND, everything else CL_EIO. */
int cl_fs_read(const char *path, size_t max, char **out, size_t *len, struct cl_err *err);

/* Replaces path so that a crash at any moment leaves the old or the new content:
 * temp file in the same folder, fsync, rename, fsync of the folder. Keeps the mode of
 * an existing file; a new one gets this mode, less the umask. */
int cl_fs_replace(const char *path, const void *data, size_t len, unsigned mode, struct cl_err *err);

/* Whether cl_fs_replace can work: makes the temp file in the folder of path and takes it away. */
int cl_fs_can_replace(const char *path, struct cl_err *err);
