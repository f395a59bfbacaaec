/* SPDX-License-Identifier: Apache-2.0
 *
 * A growing byte buffer with a ceiling. The first failure (memory or ceiling)
 * sticks in `failed`, so that a writer checks once at its end.
 * Owner: whoever declared it; cl_buf_free releases. One thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct cl_buf {
  char *p; /* NUL-terminated whenever non-NULL */
  size_t len, cap;
  size_t max; /* ceiling in bytes; 0 = 64 MiB */
  bool failed;
};

/* Makes room for n more bytes; false (and failed) when it cannot. */
bool cl_buf_reserve(struct cl_buf *b, size_t n);
void cl_buf_add(struct cl_buf *b, const void *p, size_t n);
void cl_buf_str(struct cl_buf *b, const char *s);
void cl_buf_char(struct cl_buf *b, char c);
void cl_buf_fmt(struct cl_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Hands the text over (malloc'd, "" when empty) and leaves the buffer empty; NULL when failed. */
char *cl_buf_take(struct cl_buf *b);
void cl_buf_free(struct cl_buf *b);
