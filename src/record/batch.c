/* SPDX-License-Identifier: Apache-2.0
 * Batches and their pool. Thread: the task's. */
#include "record/batch.h"

#include <stdlib.h>
#include <string.h>

#include "record/space.h"

enum {
  FREE_MAX = 8, /* empty batches kept for reuse; a burst's others are given back */
  HOLDS_MIN = 64
};

struct hold {
  void *message;
  void (*release)(void *message);
};

struct batch { /* what cl_batch.owner points at */
  struct cl_batch pub;
  struct cl_batch_pool *pool;
  struct batch *next, *prev; /* in the list of free or of live batches */
  uint32_t generation;
  struct hold *holds;
  size_t n_holds, cap_holds;
};

struct cl_batch_pool {
  struct cl_space *space;
  struct cl_arena_budget *budget;
  uint32_t cap, n_live, n_free;
  struct batch *live, *free;
  uint16_t last_epoch;
  uint16_t epochs[CL_EPOCHS];
};

struct cl_batch_pool *cl_batch_pool_new(struct cl_space *space, struct cl_arena_budget *budget,
                                        uint32_t cap) {
  struct cl_batch_pool *pool = calloc(1, sizeof(*pool));
  if (pool) {
    pool->space = space;
    pool->budget = budget;
    pool->cap = cap;
  }
  return pool;
}

static void batch_free(struct batch *b) {
  if (!b)
    return;
  cl_arena_free(b->pub.arena);
  free(b->pub.records);
  free(b->holds);
  free(b);
}

uint32_t cl_batch_pool_live(const struct cl_batch_pool *pool) { return pool->n_live; }

/* The next epoch whose slot is free. With more live batches than slots the oldest one
 * loses its slot: views into it raise as stale, which is the safe side. */
static uint16_t next_epoch(struct cl_batch_pool *pool) {
  uint16_t e = pool->last_epoch;
  for (int tries = 0; tries <= CL_EPOCHS; tries++) {
    e = (uint16_t)(e == UINT16_MAX ? 1 : e + 1);
    if (!pool->epochs[e % CL_EPOCHS])
      break;
  }
  pool->last_epoch = e;
  pool->epochs[e % CL_EPOCHS] = e;
  return e;
}

static struct batch *batch_new(struct cl_batch_pool *pool) {
  struct batch *b = calloc(1, sizeof(*b));
  if (!b)
    return NULL;
  b->pool = pool;
  b->pub.cap = pool->cap;
  b->pub.space = pool->space;
  b->pub.owner = b;
  b->pub.epochs = pool->epochs;
  b->pub.arena = cl_arena_new(pool->budget);
  /* Not of the budget: most of it is never touched when polls are small, and a task waits for reports by what
   * its batches hold. */
  b->pub.records = malloc((pool->cap ? pool->cap : 1) * sizeof(*b->pub.records));
  if (!b->pub.arena || !b->pub.records) {
    batch_free(b);
    return NULL;
  }
  return b;
}

struct cl_batch *cl_batch_get(struct cl_batch_pool *pool) {
  struct batch *b = pool->free;
  if (b) {
    pool->free = b->next;
    pool->n_free--;
  } else {
    b = batch_new(pool);
    if (!b)
      return NULL;
  }
  b->prev = NULL;
  b->next = pool->live;
  if (pool->live)
    pool->live->prev = b;
  pool->live = b;
  pool->n_live++;
  b->generation = cl_space_batch_begin(pool->space);
  b->pub.refs = 1;
  b->pub.epoch = next_epoch(pool);
  return &b->pub;
}

void cl_batch_ref(struct cl_batch *pub) {
  CL_REQUIRE(pub->refs > 0 && pub->refs < UINT32_MAX);
  pub->refs++;
}

static void batch_reset(struct batch *b) {
  for (size_t i = 0; i < b->n_holds; i++)
    b->holds[i].release(b->holds[i].message);
  b->n_holds = 0;
  cl_arena_reset(b->pub.arena);
  if (b->pool->epochs[b->pub.epoch % CL_EPOCHS] == b->pub.epoch)
    b->pool->epochs[b->pub.epoch % CL_EPOCHS] = 0;
  cl_space_batch_end(b->pool->space, b->generation);
  b->pub.n = 0;
  b->pub.epoch = 0;
  b->pub.stage = CL_BATCH_RAW;
  b->pub.emitted = NULL;
  b->pub.live = NULL;
  b->pub.failures = b->pub.last_failure = NULL;
  b->pub.offset_name = (struct cl_str){0};
}

void cl_batch_pool_free(struct cl_batch_pool *pool) {
  if (!pool)
    return;
  while (pool->live) {
    struct batch *b = pool->live;
    pool->live = b->next;
    batch_reset(b);
    batch_free(b);
  }
  while (pool->free) {
    struct batch *b = pool->free;
    pool->free = b->next;
    batch_free(b);
  }
  free(pool);
}

void cl_batch_unref(struct cl_batch *pub) {
  struct batch *b = pub->owner;
  struct cl_batch_pool *pool = b->pool;
  CL_REQUIRE(pub->refs > 0);
  if (--pub->refs)
    return;
  batch_reset(b);
  if (b->prev)
    b->prev->next = b->next;
  else
    pool->live = b->next;
  if (b->next)
    b->next->prev = b->prev;
  pool->n_live--;
  if (pool->n_free >= FREE_MAX) {
    batch_free(b);
    return;
  }
  b->prev = NULL;
  b->next = pool->free;
  pool->free = b;
  pool->n_free++;
}

struct cl_record *cl_batch_add(struct cl_batch *pub) {
  if (pub->n >= pub->cap)
    return NULL;
  struct cl_record *rec = &pub->records[pub->n++];
  *rec = (struct cl_record){.partition = -1, .timestamp = INT64_MIN, .batch = pub};
  return rec;
}

void cl_batch_drop_last(struct cl_batch *pub) {
  CL_REQUIRE(pub->n > 0);
  pub->n--;
}

int cl_batch_hold(struct cl_batch *pub, void *message, void (*release)(void *message)) {
  struct batch *b = pub->owner;
  if (b->n_holds == b->cap_holds) {
    size_t cap = b->cap_holds ? b->cap_holds * 2 : HOLDS_MIN;
    struct hold *holds = realloc(b->holds, cap * sizeof(*holds));
    if (!holds)
      return CL_ENOMEM;
    b->holds = holds;
    b->cap_holds = cap;
  }
  b->holds[b->n_holds++] = (struct hold){message, release};
  return 0;
}
