/* SPDX-License-Identifier: Apache-2.0
 *
 * Values as Connect's Cast and TimestampConverter convert and MaskField replaces them. Failures are CL_EDATA
 * with Apache's class and message; texts are made in the batch's arena. Thread: the task's. change.c does it
 * to fields.
 */
#pragma once

#include "connect_lua/abi_c.h"

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

/* *v becomes a value of type (int8..int64, float32, float64, boolean, string); null stays null.
 * from NULL = schemaless: the type follows from the value. */
int cl_cast(struct cl_batch *b, struct cl_val *v, const struct cl_schema *from, enum cl_type type,
            struct cl_err *err);

/* *v becomes its type's empty value, or the replacement read as one; null stays null. */
int cl_mask(struct cl_batch *b, struct cl_val *v, const struct cl_str *replacement, struct cl_err *err);

/* *v becomes how's form of the moment that it is, by its schema from or, where that is NULL, its class; null
 * stays null. */
int cl_moment(struct cl_batch *b, struct cl_val *v, const struct cl_schema *from,
              const struct cl_changes *how, struct cl_err *err);

/* Byte.parseByte .. Long.parseLong of valid UTF-8: any Unicode digits, no blanks. width is 8..64. */
bool cl_cast_parse_int(struct cl_str s, int width, int64_t *out);
/* Double.parseDouble, Float.parseFloat. False: no number, or no memory. */
bool cl_cast_parse_double(struct cl_arena *a, struct cl_str s, double *out);
bool cl_cast_parse_float(struct cl_arena *a, struct cl_str s, float *out);

/* What new BigDecimal(s) takes, rewritten in ASCII as cl_num_* read it; p NULL = it throws
 * NumberFormatException (or no memory). integer: what new BigInteger(s) takes. */
struct cl_str cl_cast_decimal_text(struct cl_arena *a, struct cl_str s, bool integer);

/* Values.dateFormatFor: a time, a date or both, as the value alone decides. */
enum { CL_DATE_TEXT = 40 };
size_t cl_cast_print_date(int64_t ms, char out[CL_DATE_TEXT]);
