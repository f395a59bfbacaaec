/* SPDX-License-Identifier: Apache-2.0
 * Growing buffer with a ceiling. May include libc only. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEFAULT_MAX = 64 << 20 };

bool cl_buf_reserve(struct cl_buf *b, size_t n) {
  size_t max = b->max ? b->max : DEFAULT_MAX;
  if (b->failed || n > max - b->len) {
    b->failed = true;
    return false;
  }
  size_t need = b->len + n + 1;
  if (need <= b->cap)
    return true;
  size_t cap = b->cap ? b->cap : 64;
  while (cap < need)
    cap *= 2;
  char *p = realloc(b->p, cap);
  if (!p) {
    b->failed = true;
    return false;
  }
  b->p = p;
  b->cap = cap;
  return true;
}

void cl_buf_add(struct cl_buf *b, const void *p, size_t n) {
  if (!cl_buf_reserve(b, n))
    return;
  if (n)
    memcpy(b->p + b->len, p, n);
  b->len += n;
  b->p[b->len] = '\0';
}

void cl_buf_str(struct cl_buf *b, const char *s) { cl_buf_add(b, s, strlen(s)); }

void cl_buf_char(struct cl_buf *b, char c) { cl_buf_add(b, &c, 1); }

void cl_buf_fmt(struct cl_buf *b, const char *fmt, ...) {
  va_list ap, again;
  va_start(ap, fmt);
  va_copy(again, ap);
  int n = vsnprintf(NULL, 0, fmt, ap);
  va_end(ap);
  if (n >= 0 && cl_buf_reserve(b, (size_t)n)) {
    vsnprintf(b->p + b->len, (size_t)n + 1, fmt, again);
    b->len += (size_t)n;
  }
  va_end(again);
}

char *cl_buf_take(struct cl_buf *b) {
  char *p = NULL;
  if (!b->failed && cl_buf_reserve(b, 0)) {
    b->p[b->len] = '\0';
    p = b->p;
    *b = (struct cl_buf){.max = b->max};
  }
  return p;
}

void cl_buf_free(struct cl_buf *b) {
  free(b->p);
  *b = (struct cl_buf){.max = b->max};
}
