/* SPDX-License-Identifier: Apache-2.0
 * Bounded queue between threads: a ring under one mutex. May include libc and base only. */
#include "base/queue.h"

#include "base/err.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct cl_queue {
  pthread_mutex_t lock;
  pthread_cond_t not_empty, not_full;
  size_t ceiling, head, len;
  bool closed;
  void *ring[];
};

struct cl_queue *cl_queue_new(size_t ceiling) {
  CL_REQUIRE(ceiling > 0);
  struct cl_queue *q = calloc(1, sizeof(*q) + ceiling * sizeof(q->ring[0]));
  if (!q)
    return NULL;
  q->ceiling = ceiling;
  /* The wall clock may jump; a wait must not. */
  pthread_condattr_t attr;
  pthread_condattr_init(&attr);
  pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
  pthread_mutex_init(&q->lock, NULL);
  pthread_cond_init(&q->not_empty, &attr);
  pthread_cond_init(&q->not_full, &attr);
  pthread_condattr_destroy(&attr);
  return q;
}

static struct timespec deadline_after(int64_t ms) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  t.tv_sec += (time_t)(ms / 1000);
  t.tv_nsec += (long)(ms % 1000) * 1000000;
  if (t.tv_nsec >= 1000000000) {
    t.tv_sec++;
    t.tv_nsec -= 1000000000;
  }
  return t;
}

/* Sleeps until woken; false when the time is up. */
static bool wait_on(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t timeout_ms,
                    const struct timespec *deadline) {
  if (timeout_ms == 0)
    return false;
  if (timeout_ms < 0)
    return pthread_cond_wait(cond, lock) == 0;
  return pthread_cond_timedwait(cond, lock, deadline) != ETIMEDOUT;
}

bool cl_queue_push(struct cl_queue *q, void *item, int64_t timeout_ms) {
  CL_REQUIRE(item != NULL);
  struct timespec deadline = deadline_after(timeout_ms > 0 ? timeout_ms : 0);
  pthread_mutex_lock(&q->lock);
  while (q->len == q->ceiling && !q->closed && wait_on(&q->not_full, &q->lock, timeout_ms, &deadline))
    ;
  bool ok = q->len < q->ceiling && !q->closed;
  if (ok) {
    q->ring[(q->head + q->len) % q->ceiling] = item;
    q->len++;
    pthread_cond_signal(&q->not_empty);
  }
  pthread_mutex_unlock(&q->lock);
  return ok;
}

void *cl_queue_pop(struct cl_queue *q, int64_t timeout_ms) {
  struct timespec deadline = deadline_after(timeout_ms > 0 ? timeout_ms : 0);
  void *item = NULL;
  pthread_mutex_lock(&q->lock);
  while (q->len == 0 && !q->closed && wait_on(&q->not_empty, &q->lock, timeout_ms, &deadline))
    ;
  if (q->len > 0) {
    item = q->ring[q->head];
    q->head = (q->head + 1) % q->ceiling;
    q->len--;
    pthread_cond_signal(&q->not_full);
  }
  pthread_mutex_unlock(&q->lock);
  return item;
}

void cl_queue_close(struct cl_queue *q) {
  pthread_mutex_lock(&q->lock);
  q->closed = true;
  pthread_cond_broadcast(&q->not_empty);
  pthread_cond_broadcast(&q->not_full);
  pthread_mutex_unlock(&q->lock);
}

bool cl_queue_over(struct cl_queue *q) {
  pthread_mutex_lock(&q->lock);
  bool over = q->closed && q->len == 0;
  pthread_mutex_unlock(&q->lock);
  return over;
}

size_t cl_queue_len(struct cl_queue *q) {
  pthread_mutex_lock(&q->lock);
  size_t n = q->len;
  pthread_mutex_unlock(&q->lock);
  return n;
}

void cl_queue_free(struct cl_queue *q) {
  if (!q)
    return;
  CL_REQUIRE(q->len == 0);
  pthread_cond_destroy(&q->not_full);
  pthread_cond_destroy(&q->not_empty);
  pthread_mutex_destroy(&q->lock);
  free(q);
}
