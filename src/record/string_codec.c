/* SPDX-License-Identifier: Apache-2.0
 * StringConverter and ByteArrayConverter. Thread: the task's. */
#include <string.h>

#include "base/utf8.h"
#include "record/codec.h"
#include "record/space.h"
#include "record/value.h"

static int no_memory(struct cl_err *err) { return cl_err_set(err, CL_ENOMEM, "no memory for a record"); }

int cl_string_decode(struct cl_batch *b, struct cl_datum *d, struct cl_err *err) {
  d->schema = cl_space_primitive(b->space, CL_TYPE_STRING, true);
  if (!d->schema)
    return no_memory(err);
  if (!d->bytes.p) {
    d->val = (struct cl_val){.kind = CL_NULL};
    return 0;
  }
  d->val = (struct cl_val){.kind = CL_STRING, .len = d->bytes.len, .s = d->bytes.p};
  if (cl_utf8_valid(d->bytes.p, d->bytes.len))
    return 0;
  size_t max = cl_utf8_repair_max(d->bytes.len);
  char *text = max <= UINT32_MAX ? cl_arena_alloc(b->arena, max) : NULL;
  if (!text)
    return no_memory(err);
  d->val.len = (uint32_t)cl_utf8_repair(d->bytes.p, d->bytes.len, text);
  d->val.s = text;
  return 0;
}

/* A lone surrogate (three bytes from 0xED 0xA0 on) has no UTF-8: Java writes '?'. */
static int without_surrogates(struct cl_batch *b, struct cl_str *text, struct cl_err *err) {
  const char *at = text->len ? memchr(text->p, 0xED, text->len) : NULL;
  while (at && (size_t)(text->p + text->len - at) >= 3 && (unsigned char)at[1] < 0xA0)
    at = memchr(at + 1, 0xED, (size_t)(text->p + text->len - at - 1));
  if (!at)
    return 0;
  char *out = cl_arena_alloc(b->arena, text->len);
  if (!out)
    return no_memory(err);
  uint32_t n = 0;
  for (uint32_t i = 0; i < text->len; i++) {
    if ((unsigned char)text->p[i] == 0xED && text->len - i >= 3 && (unsigned char)text->p[i + 1] >= 0xA0) {
      out[n++] = '?';
      i += 2;
    } else {
      out[n++] = text->p[i];
    }
  }
  *text = (struct cl_str){out, n};
  return 0;
}

int cl_string_encode(struct cl_batch *b, struct cl_datum *d, struct cl_err *err) {
  d->bytes = (struct cl_str){0};
  if (cl_value_is_null(&d->val))
    return 0;
  int rc = cl_text_of(b, &d->val, &d->bytes, err);
  if (rc == 0 && !(d->val.kind == CL_STRING && d->val.flags & CL_VAL_CLEAN))
    rc = without_surrogates(b, &d->bytes, err);
  if (rc == 0 && !d->bytes.p)
    d->bytes.p = ""; /* empty, not absent */
  return rc;
}

int cl_bytes_decode(struct cl_batch *b, struct cl_datum *d, struct cl_err *err) {
  d->schema = cl_space_primitive(b->space, CL_TYPE_BYTES, true);
  if (!d->schema)
    return no_memory(err);
  if (d->bytes.p)
    d->val = (struct cl_val){.kind = CL_BYTES, .len = d->bytes.len, .s = d->bytes.p};
  else
    d->val = (struct cl_val){.kind = CL_NULL};
  return 0;
}

int cl_bytes_encode(struct cl_batch *b, struct cl_datum *d, struct cl_err *err) {
  static const char *const types[] = {"",        "INT8",   "INT16", "INT32", "INT64", "FLOAT32", "FLOAT64",
                                      "BOOLEAN", "STRING", "BYTES", "ARRAY", "MAP",   "STRUCT"};
  (void)b;
  d->bytes = (struct cl_str){0};
  if (d->schema && d->schema->type != CL_TYPE_BYTES) {
    cl_err_set(err, CL_EDATA, "Invalid schema type for ByteArrayConverter: %s", types[d->schema->type]);
    err->class = CL_JAVA_DATA;
    return CL_EDATA;
  }
  if (cl_value_is_null(&d->val))
    return 0;
  if (d->val.kind != CL_BYTES) {
    cl_err_set(err, CL_EDATA, "ByteArrayConverter is not compatible with objects of type class %s",
               cl_value_class(&d->val));
    err->class = CL_JAVA_DATA;
    return CL_EDATA;
  }
  d->bytes = (struct cl_str){d->val.len ? d->val.s : "", d->val.len};
  return 0;
}
