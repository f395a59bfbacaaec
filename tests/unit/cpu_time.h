/* SPDX-License-Identifier: Apache-2.0
 *
 * What a thread worked, for bounds of effort: unlike a clock on the wall it does not run while
 * the machine is busy with something else. Thread: the caller's, which is measured.
 */
#pragma once

#include <stdint.h>
#include <time.h>

static inline int64_t cpu_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
