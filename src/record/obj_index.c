/* SPDX-License-Identifier: Apache-2.0
 * Indexes of large objects, by the texts of their keys: a key that is data may be known by another symbol
 * later. Thread: the task's. */
#include "record/obj_index.h"

#include "base/arena.h"
#include "record/space_impl.h"

static bool has_text(const struct cl_sym *sym, struct cl_str key) {
  return sym->len == key.len && memcmp(sym->text, key.p, key.len) == 0;
}

uint32_t cl_obj_index_find(const struct cl_space *s, const struct cl_obj *obj, struct cl_str key) {
  const struct cl_obj_index *ix = obj->index;
  for (uint32_t i = cl_space_hash(s, key.p, key.len) & ix->mask; ix->slot[i]; i = (i + 1) & ix->mask) {
    uint32_t at = ix->slot[i] - 1;
    if (has_text(cl_space_sym_at(s, obj->e[at].sym), key))
      return at;
  }
  for (uint32_t at = ix->n; at < obj->n; at++)
    if (has_text(cl_space_sym_at(s, obj->e[at].sym), key))
      return at;
  return obj->n;
}

uint32_t cl_obj_index_find_sym(const struct cl_space *s, const struct cl_obj *obj, uint32_t sym) {
  return cl_obj_index_find(s, obj, cl_space_sym_text(s, sym));
}

void cl_obj_index_cover(struct cl_batch *b, struct cl_obj *obj) {
  struct cl_obj_index *ix = obj->index;
  if (!ix || ix->mask / 2 < obj->n) {
    uint32_t slots = 4 * CL_OBJ_INDEX_STEP;
    while (slots / 4 < obj->n && slots < UINT32_C(1) << 31)
      slots *= 2;
    ix = cl_arena_zalloc(b->arena, sizeof(*ix) + (size_t)slots * sizeof(*ix->slot));
    obj->index = ix;
    if (!ix)
      return;
    ix->mask = slots - 1;
  }
  for (; ix->n < obj->n; ix->n++) {
    uint32_t i = cl_space_sym_at(b->space, obj->e[ix->n].sym)->hash & ix->mask;
    while (ix->slot[i])
      i = (i + 1) & ix->mask;
    ix->slot[i] = ix->n + 1;
  }
}
