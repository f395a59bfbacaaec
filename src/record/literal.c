/* SPDX-License-Identifier: Apache-2.0
 * InsertHeader: a text read once, for many records. Thread: the task's. */
#include "base/arena.h"
#include "record/codec.h"
#include "record/space.h"
#include "record/value.h"
#include "record/values.h"

static const struct cl_literal *read(struct cl_batch *b, struct cl_str text) {
  struct cl_datum d = {.val = {.kind = CL_NULL}};
  if (!(text.p = cl_arena_copy(b->arena, text.p, text.len)))
    goto no_memory;
  if (cl_values_parse(b, text, &d, cl_ffi_err()) != 0)
    return NULL;
  uint16_t life;
  struct cl_arena *arena = cl_space_arena(b->space, d.schema && d.schema->life, &life);
  struct cl_literal *out = arena ? cl_arena_zalloc(arena, sizeof(*out)) : NULL;
  if (!out || !cl_value_keep(b->space, arena, life, &d.val, &out->d.val))
    goto no_memory;
  if (out->d.val.kind == CL_MISSING)
    out->d.val.kind = CL_NULL;
  out->d.schema = d.schema;
  out->life = life;
  return out;
no_memory:
  cl_err_set(cl_ffi_err(), CL_ENOMEM, "no memory for a text of %u bytes", text.len);
  return NULL;
}

const struct cl_literal *cl_ffi_literal(struct cl_space *space, const char *s, uint32_t len) {
  struct cl_batch b = {.space = space, .arena = cl_arena_new(NULL)};
  if (!b.arena) {
    cl_err_set(cl_ffi_err(), CL_ENOMEM, "no memory for a text of %u bytes", len);
    return NULL;
  }
  const struct cl_literal *out = read(&b, (struct cl_str){s, len});
  cl_arena_free(b.arena);
  return out;
}
