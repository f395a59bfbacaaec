/* SPDX-License-Identifier: Apache-2.0
 *
 * How Java hashes and compares map keys: it shows wherever a HashMap is written out (java_map.h).
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

/* The sign of compareTo of two texts, of two values; 0 also for values that Java does not compare,
 * while those of different classes go by the names of these: so a HashMap sorts keys of one hash. */
int cl_java_string_compare(struct cl_str a, struct cl_str b);
int cl_java_compare(const struct cl_val *a, const struct cl_val *b);
