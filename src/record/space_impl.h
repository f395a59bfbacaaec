/* SPDX-License-Identifier: Apache-2.0
 * The inside of a cl_space, for this floor's files that handle symbols only. */
#pragma once

#include "record/space.h"

enum { CL_GENERATION_MAX = 1 << 24 }; /* bits of an index inside a symbol */

struct cl_sym_table {
  struct cl_sym *sym; /* [0] unused */
  uint32_t n, cap;
  uint32_t *slot; /* open addressing, 2 * cap slots of indices */
  uint32_t mask;
};

struct cl_schema_table {
  const struct cl_schema **slot; /* open addressing */
  uint32_t n, mask;
};

struct cl_generation {
  struct cl_sym_table table;
  struct cl_schema_table schemas;
  struct cl_arena *arena;
  uint32_t batches; /* alive and begun in this generation */
};

struct cl_space {
  struct cl_arena_budget *budget;
  struct cl_arena *arena;
  uint64_t seed;
  struct cl_sym_table table;
  struct cl_generation gen[CL_GENERATIONS];
  uint64_t last_mark;
  uint32_t oldest, newest; /* generations alive, counted for ever, index modulo */
  struct cl_lives lives;
  struct cl_schema_table schemas;
  uint64_t last_uid;
  bool begun;            /* there was a batch */
  size_t before_batches; /* permanent bytes then */
  const struct cl_schema *primitive[CL_TYPE_BYTES + 1][2];
  void *scratch;
  size_t scratch_size;
  struct cl_buf text;
};

/* cl_space_sym_info for those who ask for each member of each record. */
static inline struct cl_sym *cl_space_sym_at(const struct cl_space *s, uint32_t sym) {
  if (cl_space_sym_is_permanent(sym))
    return &s->table.sym[sym];
  return &s->gen[sym >> 24 & (CL_GENERATIONS - 1)].table.sym[sym & (CL_GENERATION_MAX - 1)];
}

/* The newest generation, with an arena; NULL = no memory. */
struct cl_generation *cl_space_generation(struct cl_space *s);
/* Makes s->newest a generation that lives. */
void cl_space_open(struct cl_space *s);
