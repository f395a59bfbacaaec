/* SPDX-License-Identifier: Apache-2.0
 * Shares of one byte budget. Thread: any; may include libc only. */
#include "kafka/budget.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/err.h"

enum { SHARE_MIN = 256 * 1024, SHARE_MAX = 64 * 1024 * 1024 };

struct cl_budget {
  pthread_mutex_t lock;
  size_t total, taken; /* taken may pass total by the smallest shares */
};

struct cl_budget *cl_budget_new(size_t bytes) {
  struct cl_budget *b = calloc(1, sizeof(*b));
  if (!b)
    return NULL;
  pthread_mutex_init(&b->lock, NULL);
  b->total = bytes;
  return b;
}

size_t cl_budget_take(struct cl_budget *b) {
  pthread_mutex_lock(&b->lock);
  size_t share = b->total > b->taken ? (b->total - b->taken) / 4 : 0;
  if (share > SHARE_MAX)
    share = SHARE_MAX;
  if (share < SHARE_MIN)
    share = SHARE_MIN;
  b->taken += share;
  pthread_mutex_unlock(&b->lock);
  return share;
}

void cl_budget_give(struct cl_budget *b, size_t bytes) {
  pthread_mutex_lock(&b->lock);
  CL_REQUIRE(bytes <= b->taken);
  b->taken -= bytes;
  pthread_mutex_unlock(&b->lock);
}

void cl_budget_free(struct cl_budget *b) {
  if (!b)
    return;
  pthread_mutex_destroy(&b->lock);
  free(b);
}
