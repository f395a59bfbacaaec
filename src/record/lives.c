/* SPDX-License-Identifier: Apache-2.0
 * Generations of a space: a short queue, each freed when no batch can hold anything of it.
 * Thread: the task's. */
#include "record/codec.h"
#include "record/space_impl.h"

enum { /* a batch that begins beyond one of these opens the next generation */
       SYMS_FULL = 4096,
       SCHEMAS_FULL = 1000,
       BYTES_FULL = 4 << 20
};

/* Permanent bytes that may be made after the first batch began: by data, and by plugins while nothing is
 * worked on. */
enum { FIRST_MAX = 512 << 10, LATE_MAX = 1 << 20 };

struct cl_lives *cl_ffi_lives(struct cl_space *space) {
  return &space->lives;
}

uint16_t cl_space_newest(const struct cl_space *s) { return s->lives.newest; }

uint16_t cl_space_set_lasting(struct cl_space *s, uint16_t lasting) {
  uint16_t was = s->lives.lasting;
  s->lives.lasting = lasting;
  return was;
}

size_t cl_space_used(const struct cl_space *s) {
  size_t used = cl_arena_used(s->arena);
  for (size_t i = 0; i < CL_GENERATIONS; i++)
    used += s->gen[i].arena ? cl_arena_used(s->gen[i].arena) : 0;
  return used;
}

struct cl_generation *cl_space_generation(struct cl_space *s) {
  struct cl_generation *g = &s->gen[s->newest % CL_GENERATIONS];
  if (!g->arena)
    g->arena = cl_arena_new(s->budget);
  return g->arena ? g : NULL;
}

/* What a task has few of stays: then it never meets another generation. */
static bool has_permanent_room(const struct cl_space *s) {
  if (!s->begun || s->lives.lasting > 1)
    return true;
  size_t late = cl_arena_used(s->arena) - s->before_batches;
  return late < (s->lives.lasting ? LATE_MAX : FIRST_MAX);
}

struct cl_arena *cl_space_arena(struct cl_space *s, bool brief, uint16_t *life) {
  if (!brief && has_permanent_room(s)) {
    *life = 0;
    return s->arena;
  }
  struct cl_generation *g = cl_space_generation(s);
  *life = s->lives.newest;
  return g ? g->arena : NULL;
}

struct cl_arena *cl_space_arena_of(struct cl_space *s, uint16_t life) {
  return life ? s->gen[(life - 1) % CL_GENERATIONS].arena : s->arena;
}

/* A life says its slot, and is 16 bits: the top of an address (connect.host.address). */
static uint16_t life_of(uint32_t generation) {
  enum { LIVES = UINT16_MAX / CL_GENERATIONS * CL_GENERATIONS };
  return (uint16_t)(generation % LIVES + 1);
}

void cl_space_open(struct cl_space *s) {
  s->lives.newest = life_of(s->newest);
  s->lives.alive[s->newest % CL_GENERATIONS] = s->lives.newest;
}

/* Oldest first: a batch may hold things of its generation and of all later ones. */
static void free_idle(struct cl_space *s) {
  while (s->oldest != s->newest && !s->gen[s->oldest % CL_GENERATIONS].batches) {
    struct cl_generation *g = &s->gen[s->oldest % CL_GENERATIONS];
    cl_arena_free(g->arena);
    *g = (struct cl_generation){0};
    s->lives.alive[s->oldest++ % CL_GENERATIONS] = 0;
  }
}

static bool is_full(const struct cl_generation *g) {
  return g->table.n > SYMS_FULL || g->schemas.n > SCHEMAS_FULL ||
         (g->arena && cl_arena_used(g->arena) > BYTES_FULL);
}

uint32_t cl_space_batch_begin(struct cl_space *s) {
  if (!s->begun) {
    s->begun = true;
    s->before_batches = cl_arena_used(s->arena);
  }
  s->lives.lasting = 0;
  if (is_full(&s->gen[s->newest % CL_GENERATIONS]) && s->newest - s->oldest < CL_GENERATIONS - 1) {
    s->newest++;
    cl_space_open(s);
    free_idle(s);
  }
  s->gen[s->newest % CL_GENERATIONS].batches++;
  return s->newest;
}

void cl_space_batch_end(struct cl_space *s, uint32_t generation) {
  s->gen[generation % CL_GENERATIONS].batches--;
  free_idle(s);
}
