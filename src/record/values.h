/* SPDX-License-Identifier: Apache-2.0
 *
 * Connect's Values: text to a value with the schema it seems to have, and back, as
 * SimpleHeaderConverter does it. Neither keeps types: "12" comes back as int8.
 * The time zone is UTC. Thread: the task's.
 */
#pragma once

#include "connect_lua/abi_c.h"

#include "base/err.h"

enum { CL_VALUES_DEPTH = 1000 }; /* nested arrays and maps; Java goes on until its stack ends */

/* Values.parseString: out->val and out->schema; the text "null" is no value and no schema. What cannot
 * be read as anything else is a string. Texts are lent from `text`, which is valid UTF-8 and outlives
 * the batch. Fails for lack of memory, or with Java's StackOverflowError for deep nesting. */
int cl_values_parse(struct cl_batch *b, struct cl_str text, struct cl_datum *out, struct cl_err *err);
/* Values.convertToString; out->p NULL = null. A string's own text is lent. */
int cl_values_text(struct cl_batch *b, const struct cl_val *v, struct cl_str *out, struct cl_err *err);

/* SimpleHeaderConverter: bytes -> val, schema and back. */
int cl_header_decode(struct cl_batch *b, struct cl_datum *d, struct cl_err *err);
int cl_header_encode(struct cl_batch *b, struct cl_datum *d, struct cl_err *err);
