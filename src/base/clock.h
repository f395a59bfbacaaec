/* SPDX-License-Identifier: Apache-2.0
 * Clocks in milliseconds and microseconds. Any thread. */
#pragma once

#include <stdint.h>
#include <time.h>

/* Monotonic: for deadlines and intervals. */
static inline int64_t cl_now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The same clock, for what is counted. */
static inline int64_t cl_now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Since the epoch: for record timestamps and what people read. */
static inline int64_t cl_wall_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
