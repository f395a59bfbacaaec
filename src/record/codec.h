/* SPDX-License-Identifier: Apache-2.0
 *
 * The record JSON codec (JsonConverter), the string and bytes converters, and Java's
 * toString. Values are read into and written from the batch's arena in one pass.
 * Failures are CL_EDATA with Apache's class and message.
 * Thread: the task's. The cl_ffi_* twins are in codec_ffi.c.
 */
#pragma once

#include "connect_lua/abi_c.h"

#include "base/buf.h"
#include "base/err.h"

struct cl_json_conf {
  bool schemas_enable;            /* default true */
  int schemas_cache_size;         /* default 1000 */
  bool decimal_numeric;           /* decimal.format=NUMERIC; default BASE64 */
  bool replace_null_with_default; /* default true */
  bool is_key;                    /* schemaless objects are written in Java HashMap order */
  const char *schema_content;     /* schema.content, or NULL */
};

struct cl_json *cl_json_new(struct cl_space *space, const struct cl_json_conf *conf, struct cl_err *err);
void cl_json_free(struct cl_json *j);
/* bytes -> val, schema. */
int cl_json_decode(struct cl_json *j, struct cl_batch *b, struct cl_datum *d, struct cl_err *err);
/* val, schema -> bytes. */
int cl_json_encode(struct cl_json *j, struct cl_batch *b, struct cl_datum *d, struct cl_err *err);

/* Plain JSON text to a schemaless value: the parser alone (also fuzzed). What follows the
 * first value is ignored, as Connect does. */
int cl_json_read(struct cl_batch *b, const char *p, size_t len, struct cl_val *out, struct cl_err *err);
/* A schemaless value as compact JSON. java_order: objects in Java HashMap order. */
int cl_json_write(struct cl_batch *b, const struct cl_val *v, bool java_order, struct cl_buf *out,
                  struct cl_err *err);
/* UTF-8 text as a JSON string with its quotes. */
void cl_json_write_text(struct cl_buf *out, const char *p, size_t len);

/* StringConverter and ByteArrayConverter: bytes -> val, schema and back. */
struct cl_charset; /* record/charset.h */
int cl_string_decode(struct cl_batch *b, struct cl_datum *d, const struct cl_charset *cs, struct cl_err *err);
int cl_string_encode(struct cl_batch *b, struct cl_datum *d, const struct cl_charset *cs, struct cl_err *err);
int cl_bytes_decode(struct cl_batch *b, struct cl_datum *d, struct cl_err *err);
int cl_bytes_encode(struct cl_batch *b, struct cl_datum *d, struct cl_err *err);

/* BooleanConverter and those of numbers, by type: boolean, int16, int32, int64, float32, float64. */
int cl_primitive_decode(struct cl_batch *b, struct cl_datum *d, enum cl_type type, struct cl_err *err);
int cl_primitive_encode(struct cl_batch *b, struct cl_datum *d, enum cl_type type, struct cl_err *err);

/* Java's toString; a string's own text is lent, not copied. */
int cl_text_lend(struct cl_batch *b, const struct cl_val *v, struct cl_str *out,
                 struct cl_err *err); /* until the next text of this space */
int cl_text_of(struct cl_batch *b, const struct cl_val *v, struct cl_str *out, struct cl_err *err);

/* This thread's error slot, which cl_ffi_error reads: for cl_ffi_* functions elsewhere. */
struct cl_err *cl_ffi_err(void);
