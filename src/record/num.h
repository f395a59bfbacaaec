/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers as Java reads and prints them, and exact decimals. Locale plays no part.
 * Any thread.
 */
#pragma once

#include "connect_lua/abi_c.h"

#include <stddef.h>

#include "base/arena.h"

enum { CL_NUM_TEXT = 40 }; /* room for any printed double, float or int64 */

/* A JSON number's text, correctly rounded; zero never has a sign (it was a BigDecimal). */
double cl_num_double(const char *s, size_t len);
float cl_num_float(const char *s, size_t len);
/* The low 64 bits of its integer part, as BigDecimal.longValue. */
int64_t cl_num_low64(const char *s, size_t len);

/* Double.toString, Float.toString; answer the length. */
size_t cl_num_print_double(double d, char out[CL_NUM_TEXT]);
size_t cl_num_print_float(float f, char out[CL_NUM_TEXT]);
size_t cl_num_print_int(int64_t i, char out[CL_NUM_TEXT]);
/* BigDecimal.toString of unscaled digits; out has room for digits.len + CL_NUM_TEXT. */
size_t cl_num_print_decimal(const struct cl_decimal *d, char *out);

/* Text -> exact decimal in the arena; false = no memory or a scale beyond int32. */
bool cl_num_decimal(struct cl_arena *a, const char *s, size_t len, struct cl_decimal *out);
/* Two's complement, big-endian <-> decimal digits; NULL p = no memory. n > 0. */
struct cl_str cl_num_from_bytes(struct cl_arena *a, const unsigned char *p, size_t n);
struct cl_str cl_num_to_bytes(struct cl_arena *a, struct cl_str digits);

/* Integer.parseInt. */
bool cl_num_parse_int32(struct cl_str s, int32_t *out);
