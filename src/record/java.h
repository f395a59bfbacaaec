/* SPDX-License-Identifier: Apache-2.0
 *
 * How Java hashes and orders map keys: it shows wherever a HashMap is written out.
 * Any thread.
 */
#pragma once

#include "connect_lua/abi_c.h"

#include <stddef.h>

struct cl_space;

/* String.hashCode over the UTF-16 units of UTF-8 text. */
int32_t cl_java_string_hash(const char *p, size_t len);
/* UTF-16 units of UTF-8 text. */
size_t cl_java_string_length(const char *p, size_t len);

/* Object.hashCode of a value; 0 for kinds whose hash Java takes from an address or that
 * never are keys in practice (bytes, structs). */
int32_t cl_java_hash(const struct cl_space *s, const struct cl_val *v);

/* Capacity of a java.util.HashMap made with this one and then given n keys. */
static inline uint32_t cl_java_grown(uint32_t cap, uint32_t n) {
  while ((uint64_t)n * 4 > (uint64_t)cap * 3 && cap < UINT32_C(1) << 30)
    cap *= 2;
  return cap;
}
/* The same, made with the default capacity. */
static inline uint32_t cl_java_cap(uint32_t n) { return cl_java_grown(16, n); }

/* Writes into order[0..n) the indices of a HashMap's entries in its iteration order.
 * hash(arg, i) is the hash of entry i; link has room for cap + n numbers. */
void cl_java_order(uint32_t n, uint32_t cap, int32_t (*hash)(const void *arg, uint32_t i), const void *arg,
                   uint32_t *order, uint32_t *link);
