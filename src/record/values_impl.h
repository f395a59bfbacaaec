/* SPDX-License-Identifier: Apache-2.0
 *
 * The scalars of Values.parseString, for values_parse.c. Thread: the task's.
 */
#pragma once

#include "connect_lua/abi_c.h"

#include <stddef.h>

#include "base/err.h"

enum { CL_VALUES_TEMPORAL = 24 * 4 }; /* bytes of the longest date: 24 UTF-16 units, some with a backslash */

/* Both: 1 = read into val and schema, 0 = it is none, negative = cl_code. */

/* A token that is a number as BigDecimal(String) reads it, in the narrowest type it fits. */
int cl_values_number(struct cl_batch *b, const char *s, size_t len, struct cl_val *val,
                     const struct cl_schema **schema, struct cl_err *err);
/* A text whose length is that of a date, a time or both, and that starts with one. */
int cl_values_temporal(struct cl_batch *b, const char *s, size_t len, struct cl_val *val,
                       const struct cl_schema **schema, struct cl_err *err);

/* String.trim: what is not after the blank goes from both ends. */
static inline struct cl_str cl_values_trim(const char *s, size_t len) {
  while (len && (unsigned char)*s <= ' ') {
    s++;
    len--;
  }
  while (len && (unsigned char)s[len - 1] <= ' ')
    len--;
  return (struct cl_str){s, (uint32_t)len};
}
