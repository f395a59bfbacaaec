/* SPDX-License-Identifier: Apache-2.0
 *
 * jansson with our errors: control plane only (configs, REST bodies, offsets).
 * Records never come here: src/record/json_*.c.
 * A byte order mark before the text is stepped over.
 * A *config* is everywhere a json_t object of string (or null) values in the order
 * they were written; whoever publishes one to another thread never changes it again.
 */
#pragma once

#include "base/err.h"

#include <jansson.h>
#include <stddef.h>

/* Parses the whole text; trailing text is an error. On failure CL_EINVAL with
 * "line L, column C: ...". *out is a new reference. */
int cl_json_parse(const char *text, size_t len, json_t **out, struct cl_err *err);

/* The same, and strings may hold NULs: read their lengths. */
int cl_json_parse_data(const char *text, size_t len, json_t **out, struct cl_err *err);

/* As cl_json_parse, but every bare number becomes a string of its source text (1.50 -> "1.50"),
 * because config values are texts. */
int cl_json_parse_texts(const char *text, size_t len, json_t **out, struct cl_err *err);

/* An object whose values are all strings, numbers, booleans or null becomes a config
 * (numbers as cl_json_parse_texts left them, booleans as true/false). Anything else:
 * CL_EINVAL that names the key. *out is a new reference. */
int cl_json_to_config(const json_t *in, json_t **out, struct cl_err *err);

/* Compact text, malloc'd; NULL = no memory. */
char *cl_json_text(const json_t *json);

/* The string under key, or NULL when absent or not a string. Borrowed. */
const char *cl_json_str(const json_t *obj, const char *key);

/* Whether an array of strings holds this one. */
bool cl_json_has_text(const json_t *list, const char *text);

/* A JSON string of any bytes: what is not UTF-8 becomes U+FFFD (error texts may hold what a
 * plugin threw). NULL text = JSON null. New reference. */
json_t *cl_json_lenient(const char *text);
