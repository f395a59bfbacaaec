/* SPDX-License-Identifier: Apache-2.0
 *
 * JsonConverter's two halves that know schemas: JSON schemas, and values under them.
 * Recursion follows schemas, whose depth is capped. Thread: the task's.
 */
#pragma once

#include "connect_lua/abi_c.h"

#include "base/err.h"
#include "record/json_out.h"

enum {
  CL_SCHEMA_DEPTH = 200,      /* nested schemas; Java goes on until its stack ends */
  CL_DECIMAL_BYTES = 16 << 10 /* unscaled bytes of a decimal: conversion is quadratic */
};

#define CL_JAVA_SCHEMA_BUILDER "org.apache.kafka.connect.errors.SchemaBuilderException"
#define CL_JAVA_NULL_POINTER "java.lang.NullPointerException"

/* The words of a JSON schema as symbols. */
struct cl_json_words {
  uint32_t type, items, keys, values, fields, field, optional, name, version, doc, parameters, dflt;
  uint32_t schema, payload;
};
bool cl_json_words_init(struct cl_json_words *w, struct cl_space *s); /* false = no memory */

struct cl_json_typed {
  struct cl_batch *b;
  struct cl_err *err;
  const struct cl_json_words *words;
  bool null_to_default; /* replace.null.with.default */
  bool read_doubles;    /* no CL_NUMTEXT: defaults and map keys are compared */
  bool bad_null;        /* set when a null was read under a required schema */
};

/* Fills err: CL_EDATA, class NULL = DataException. */
int cl_json_data_error(struct cl_err *err, const char *class, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* JsonNode.longValue: low 64 bits of a number's integer part, 0 for anything else. */
int64_t cl_json_low64(const struct cl_val *v);
/* Jackson's word for a value's node: "ARRAY", "NUMBER" ... */
const char *cl_json_node_name(const struct cl_val *v);

/* A parsed JSON schema as Connect schema; *out = NULL for JSON null. */
int cl_json_read_schema(struct cl_json_typed *t, const struct cl_val *json, const struct cl_schema **out);
/* Turns the parsed JSON in v into the value schema describes. */
int cl_json_read_typed(struct cl_json_typed *t, const struct cl_schema *schema, struct cl_val *v);
/* ConnectSchema.validateValue as far as a value just read can fail it: nulls. location as
 * Apache words it, e.g. `field: "a"`. */
int cl_json_check_nulls(struct cl_json_typed *t, const struct cl_schema *schema, const struct cl_val *v,
                        const char *location);

struct cl_json_typed_out {
  struct cl_json_out out;
  bool decimal_numeric;
  bool null_to_default;
  uint32_t depth;
};
/* JSON of a schema (NULL = null), kept with the schema. */
int cl_json_write_schema(struct cl_json_typed_out *t, const struct cl_schema *schema);
/* A value under a schema; NULL = schemaless. */
int cl_json_write_typed(struct cl_json_typed_out *t, const struct cl_schema *schema, const struct cl_val *v);
