/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON parser, for the codec: one pass over bytes, values in the batch's arena,
 * strings borrowed from the input where they can be. As strict and as loose as Jackson
 * under JsonConverter. Never recurses. Thread: the task's.
 */
#pragma once

#include "connect_lua/abi_c.h"

#include <stddef.h>

#include "base/err.h"

/* Jackson's limits */
enum {
  CL_JSON_DEPTH = 1000,      /* for reading and writing */
  CL_JSON_STRING = 20000000, /* UTF-16 units of a string */
  CL_JSON_NAME = 50000       /* bytes of a key */
};

struct cl_json_in {
  struct cl_batch *b;
  const char *start, *p, *end;
  struct cl_err *err;
  bool narrow;     /* schemaless: integers beyond int64 keep their low 64 bits */
  bool saw_bigint; /* there was one */
};

/* Sets up in for len bytes: skips a byte order mark, turns UTF-16 and UTF-32 into UTF-8. */
int cl_json_in_begin(struct cl_json_in *in, struct cl_batch *b, const char *p, size_t len,
                     struct cl_err *err);
/* Skips white space; the next byte, or -1 at the end. */
int cl_json_in_peek(struct cl_json_in *in);
/* One value, and what may follow it at the top. Nothing at all is CL_MISSING. */
int cl_json_in_document(struct cl_json_in *in, struct cl_val *out);
/* One value inside a document, depth containers deep, belonging to key (0 = none). */
int cl_json_in_value(struct cl_json_in *in, uint32_t depth, uint32_t key, struct cl_val *out);
/* A key and its colon; previous = the key before it in the same object, or 0; owner = the
 * object's own key, or 0. */
int cl_json_in_key(struct cl_json_in *in, uint32_t owner, uint32_t previous, uint32_t *out);
/* "what at byte n"; answers CL_EDATA. */
int cl_json_in_fail(const struct cl_json_in *in, const char *what);

/* Text of another encoding as UTF-8 in the arena (lone surrogates as three bytes);
 * untouched when it is UTF-8 already. */
int cl_json_transcode(struct cl_batch *b, const char **p, size_t *len, struct cl_err *err);

/* One string from its opening quote (json_string.c). */
int cl_json_in_string(struct cl_json_in *in, struct cl_val *out);
/* One number (json_number.c). */
int cl_json_in_number(struct cl_json_in *in, struct cl_val *out);
