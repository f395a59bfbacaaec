/* SPDX-License-Identifier: Apache-2.0
 * Arena of chunks. May include libc only. */
#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

enum { CHUNK_MIN = 16 << 10, CHUNK_KEEP = 1 << 20 };

struct chunk {
  struct chunk *next;
  size_t size; /* of data */
  max_align_t data[];
};

struct cl_arena {
  struct chunk *head; /* the one being filled; older ones follow */
  char *at, *end;
  size_t held;
  size_t next_size;
  struct cl_arena_budget *budget;
};

bool cl_arena_charge(struct cl_arena_budget *budget, size_t size) {
  if (!budget)
    return true;
  if (size > budget->max - budget->used)
    return false;
  budget->used += size;
  return true;
}

void cl_arena_return(struct cl_arena_budget *budget, size_t size) {
  if (budget)
    budget->used -= size;
}

struct cl_arena *cl_arena_new(struct cl_arena_budget *budget) {
  struct cl_arena *a = calloc(1, sizeof(*a));
  if (a) {
    a->budget = budget;
    a->next_size = CHUNK_MIN;
  }
  return a;
}

static void drop_chunk(struct cl_arena *a, struct chunk *c) {
  a->held -= c->size;
  cl_arena_return(a->budget, c->size);
  ASAN_UNPOISON_MEMORY_REGION(c->data, c->size);
  free(c);
}

static int add_chunk(struct cl_arena *a, size_t need) {
  size_t size = a->next_size < need ? need : a->next_size;
  if (!cl_arena_charge(a->budget, size)) {
    size = need; /* near the ceiling: take just what is asked */
    if (!cl_arena_charge(a->budget, size))
      return -1;
  }
  struct chunk *c = malloc(sizeof(*c) + size);
  if (!c) {
    cl_arena_return(a->budget, size);
    return -1;
  }
  c->size = size;
  c->next = a->head;
  a->head = c;
  a->held += size;
  a->at = (char *)c->data;
  a->end = a->at + size;
  ASAN_POISON_MEMORY_REGION(c->data, size);
  if (a->next_size < CHUNK_KEEP)
    a->next_size *= 2;
  return 0;
}

void *cl_arena_alloc(struct cl_arena *a, size_t size) {
  if (size > SIZE_MAX / 2)
    return NULL;
  size_t rounded = (size + 7) & ~(size_t)7;
  if (rounded == 0)
    rounded = 8;
  if ((size_t)(a->end - a->at) < rounded && add_chunk(a, rounded) != 0)
    return NULL;
  void *p = a->at;
  a->at += rounded;
  ASAN_UNPOISON_MEMORY_REGION(p, size);
  return p;
}

void *cl_arena_zalloc(struct cl_arena *a, size_t size) {
  void *p = cl_arena_alloc(a, size);
  if (p)
    memset(p, 0, size);
  return p;
}

char *cl_arena_copy(struct cl_arena *a, const void *p, size_t n) {
  char *out = cl_arena_alloc(a, n + 1);
  if (out) {
    if (n)
      memcpy(out, p, n);
    out[n] = '\0';
  }
  return out;
}

void cl_arena_reset(struct cl_arena *a) {
  struct chunk *keep = NULL;
  while (a->head) {
    struct chunk *c = a->head;
    a->head = c->next;
    if (c->size <= CHUNK_KEEP && (!keep || c->size > keep->size)) {
      if (keep)
        drop_chunk(a, keep);
      keep = c;
    } else {
      drop_chunk(a, c);
    }
  }
  a->head = keep;
  a->at = a->end = NULL;
  if (keep) {
    keep->next = NULL;
    a->at = (char *)keep->data;
    a->end = a->at + keep->size;
    ASAN_POISON_MEMORY_REGION(keep->data, keep->size);
  }
}

size_t cl_arena_used(const struct cl_arena *a) { return a->held; }

void cl_arena_free(struct cl_arena *a) {
  if (!a)
    return;
  while (a->head) {
    struct chunk *c = a->head;
    a->head = c->next;
    drop_chunk(a, c);
  }
  free(a);
}
