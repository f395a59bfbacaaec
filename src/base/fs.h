/* SPDX-License-Identifier: Apache-2.0
 * Small files read whole and replaced whole. Any thread, no state. */
#pragma once

#include "base/err.h"

#include <stddef.h>

/* Reads at most max bytes (more is CL_EINVAL); *out is malloc'd with a NUL after *len
 * bytes. A missing file is CL_ENOTFOUND, everything else CL_EIO. */
int cl_fs_read(const char *path, size_t max, char **out, size_t *len, struct cl_err *err);

/* Replaces path so that a crash at any moment leaves the old or the new content:
 * temp file in the same folder, fsync, rename, fsync of the folder. A new file gets this
 * mode, less the umask; an existing one keeps its own, less what this one has not. */
int cl_fs_replace(const char *path, const void *data, size_t len, unsigned mode, struct cl_err *err);

/* Holds path for this process alone until it is unlocked or the process ends, however it ends; another's is
 * CL_ECONFLICT. The lock is on path.lock beside it, since each replacing gives the file another inode. Any
 * other error: path cannot be replaced. Takes away the temp files that crashes left. Nothing happens when
 * *lock is held already. */
struct cl_fs_lock;
int cl_fs_lock(const char *path, struct cl_fs_lock **lock, struct cl_err *err);
/* The same where it could not be had at first: only while there is no file, which another could have written.
 */
int cl_fs_lock_late(const char *path, struct cl_fs_lock **lock, struct cl_err *err);
void cl_fs_unlock(struct cl_fs_lock *lock); /* NULL allowed */
