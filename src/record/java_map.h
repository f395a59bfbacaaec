/* SPDX-License-Identifier: Apache-2.0
 *
 * The order in which a java.util.HashMap gives its entries.
 * Any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The keys of a HashMap, counted in the order in which they were put into it. */
struct cl_java_keys {
  const void *arg;
  int32_t (*hash)(const void *arg, uint32_t i);
  /* compareTo of two keys with one hash; 0 = Java cannot compare them */
  int (*compare)(const void *arg, uint32_t a, uint32_t b);
};

/* Capacity of a HashMap made with this one and then given n keys, no bucket of which is crowded. */
static inline uint32_t cl_java_grown(uint32_t cap, uint32_t n) {
  while ((uint64_t)n * 4 > (uint64_t)cap * 3 && cap < UINT32_C(1) << 30)
    cap *= 2;
  return cap;
}

/* How many numbers of room cl_java_order needs. cap as there. */
static inline size_t cl_java_room(uint32_t n, uint32_t cap) { return 2 * (size_t)n + cl_java_grown(cap, n); }

/* Writes into order[0..n) the keys of a HashMap made with the capacity cap, a power of two, in its
 * iteration order. Answers 0, or CL_ENOMEM when there is none for crowded buckets. */
int cl_java_order(const struct cl_java_keys *keys, uint32_t n, uint32_t cap, uint32_t *order, uint32_t *room);
