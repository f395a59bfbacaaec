/* SPDX-License-Identifier: Apache-2.0
 *
 * The files a plugin is made of, as they were when it was read: every state that runs it loads these
 * texts, whatever has become of the files since.
 * Open sources read from the disk and keep what they have read, also that a file was not there; once closed
 * they are immutable and any thread reads them. Reference counted.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct cl_source_file {
  char *path;
  char *text; /* NULL = there was no such file, or none that can be read */
  size_t len;
  char hash[65]; /* SHA-256 of text, hex; "" without one */
};

struct cl_sources;

struct cl_sources *cl_sources_new(void); /* open; NULL = no memory */
struct cl_sources *cl_sources_ref(struct cl_sources *s);
void cl_sources_unref(struct cl_sources *s); /* NULL is allowed */
void cl_sources_close(struct cl_sources *s);

/* The text of the file at path: out of s when it has it, else from the disk (s NULL: always). *own is to be
 * freed by the caller, who may use *text until then and as long as s lives. CL_ENOTFOUND, CL_EIO: there is
 * none to be read; CL_EINVAL: it is too large, or they all are together. */
int cl_sources_read(struct cl_sources *s, const char *path, char **own, const char **text, size_t *len,
                    struct cl_err *err);

/* Whether the disk still holds just this. */
bool cl_sources_current(const struct cl_sources *s);

const struct cl_source_file *cl_sources_all(const struct cl_sources *s, size_t *n);
/* SHA-256 of what was read at path; "" when it was not. */
const char *cl_sources_hash(const struct cl_sources *s, const char *path);
