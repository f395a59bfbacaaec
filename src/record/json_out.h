/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing JSON, for the codec: compact, escaped as Jackson escapes. Thread: the task's.
 */
#pragma once

#include "connect_lua/abi_c.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"

struct cl_json_out {
  struct cl_buf *buf;
  struct cl_batch *b;
  struct cl_err *err;
  bool java_order; /* objects in Java HashMap order; arrays of pairs always are */
};

/* memcpy of a few bytes without a call: most of what JSON is made of is shorter than 16. */
static inline void cl_json_out_copy(char *to, const char *from, size_t n) {
  if (n > 16) {
    memcpy(to, from, n);
  } else if (n >= 8) {
    uint64_t head, tail;
    memcpy(&head, from, 8);
    memcpy(&tail, from + n - 8, 8);
    memcpy(to, &head, 8);
    memcpy(to + n - 8, &tail, 8);
  } else if (n >= 4) {
    uint32_t head, tail;
    memcpy(&head, from, 4);
    memcpy(&tail, from + n - 4, 4);
    memcpy(to, &head, 4);
    memcpy(to + n - 4, &tail, 4);
  } else if (n) {
    to[0] = from[0];
    to[n / 2] = from[n / 2];
    to[n - 1] = from[n - 1];
  }
}

/* Appends without a call while there is room; the final NUL is cl_json_out_end's. */
static inline void cl_json_out_add(struct cl_json_out *o, const void *p, size_t n) {
  struct cl_buf *b = o->buf;
  if (b->cap > b->len + n) {
    cl_json_out_copy(b->p + b->len, p, n);
    b->len += n;
  } else {
    cl_buf_add(b, p, n);
  }
}

static inline void cl_json_out_char(struct cl_json_out *o, char c) {
  struct cl_buf *b = o->buf;
  if (b->cap > b->len + 1)
    b->p[b->len++] = c;
  else
    cl_buf_add(b, &c, 1);
}

void cl_json_out_key(struct cl_json_out *o, uint32_t sym); /* with its colon */
void cl_json_out_text(struct cl_json_out *o, const char *p, size_t n);
void cl_json_out_base64(struct cl_json_out *o, const void *p, size_t n);
void cl_json_out_int(struct cl_json_out *o, int64_t i);
void cl_json_out_double(struct cl_json_out *o, double d);
void cl_json_out_float(struct cl_json_out *o, float f);

/* What Java's text forms have in common: booleans, numbers and null. 1 = v is none of these. */
int cl_json_out_plain(struct cl_json_out *o, const struct cl_val *v);
/* A value without schema. */
int cl_json_out_value(struct cl_json_out *o, const struct cl_val *v);
/* The order in which a map's entries are written, Java's or as they are (NULL, also for
 * lack of memory, which sets *failed). */
const uint32_t *cl_json_out_order(struct cl_json_out *o, const struct cl_val *v, bool java, bool *failed);
/* Closes the text; CL_ENOMEM when the buffer's ceiling or memory was reached. */
int cl_json_out_end(struct cl_json_out *o);
