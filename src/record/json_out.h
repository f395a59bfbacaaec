/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing JSON, for the codec: compact, escaped as Jackson escapes. Thread: the task's.
 */
#pragma once

#include "connect_lua/abi_c.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "record/json_scan.h"
#include "record/num.h"
#include "record/space.h"

struct cl_json_out {
  struct cl_buf *buf;
  struct cl_batch *b;
  struct cl_err *err;
  bool java_order; /* objects in Java HashMap order; arrays of pairs always are */
};

/* memcpy of a few bytes without a call: most of what JSON is made of is shorter than 32. */
static inline void cl_json_out_copy(char *to, const char *from, size_t n) {
  if (n > 32) {
    memcpy(to, from, n);
  } else if (n >= 16) {
    uint64_t part[4];
    memcpy(&part[0], from, 16);
    memcpy(&part[2], from + n - 16, 16);
    memcpy(to, &part[0], 16);
    memcpy(to + n - 16, &part[2], 16);
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

void cl_json_out_sym(struct cl_json_out *o, const struct cl_sym *key); /* with its colon */

enum { CL_JSON_SIMPLE = 32 }; /* more than a simple value takes, but for its text */

/* Writes a value at w that is copied or counted out: words, integers, plain texts. NULL = it is none of
 * these. There is room for CL_JSON_SIMPLE bytes and the text. */
static inline char *cl_json_out_simple(char *w, const struct cl_val *v) {
  switch ((enum cl_kind)v->kind) {
  case CL_STRING:
    if (!(v->flags & CL_VAL_CLEAN) && !cl_json_all_plain(v->s, v->len))
      return NULL;
    *w++ = '"';
    cl_json_out_copy(w, v->s, v->len);
    w[v->len] = '"';
    return w + v->len + 1;
  case CL_INT: return w + cl_num_print_int(v->i, w);
  case CL_NUMTEXT:
    if (!(v->flags & CL_VAL_CANON))
      return NULL;
    cl_json_out_copy(w, v->s, v->len);
    return w + v->len;
  case CL_FALSE: memcpy(w, "false", 5); return w + 5;
  case CL_TRUE: memcpy(w, "true", 4); return w + 4;
  case CL_MISSING:
  case CL_NULL: memcpy(w, "null", 4); return w + 4;
  default: return NULL;
  }
}

/* A container's member: its comma, its key (NULL = none) with a colon, and its value if that is simple.
 * False = the value is still to be written. */
static inline bool cl_json_out_member(struct cl_json_out *o, bool comma, const struct cl_sym *key,
                                      const struct cl_val *v) {
  struct cl_buf *b = o->buf;
  size_t head = key ? key->len + 3 : 0, text = v->kind == CL_STRING || v->kind == CL_NUMTEXT ? v->len : 0;
  if (b->cap - b->len <= head + text + CL_JSON_SIMPLE || (key && !key->clean)) {
    if (comma)
      cl_json_out_char(o, ',');
    if (key)
      cl_json_out_sym(o, key);
    return false;
  }
  char *w = b->p + b->len;
  *w = ',';
  w += comma;
  if (key)
    cl_json_out_copy(w, key->text - 1, head);
  w += head;
  char *end = cl_json_out_simple(w, v);
  b->len = (size_t)((end ? end : w) - b->p);
  return end != NULL;
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
