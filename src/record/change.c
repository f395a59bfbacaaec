/* SPDX-License-Identifier: Apache-2.0
 * Cast's and MaskField's work on the fields of structs and objects. Thread: the task's. */
#include "record/build.h"
#include "record/cast.h"
#include "record/codec.h"
#include "record/space.h"

static int no_memory(void) {
  return cl_err_set(cl_ffi_err(), CL_ENOMEM, "no memory for what a transform does");
}

struct cl_changes *cl_ffi_changes_new(struct cl_space *space, uint32_t n, int brief, const char *replacement,
                                      uint32_t len) {
  uint16_t life;
  struct cl_arena *a = cl_space_arena(space, brief != 0, &life);
  struct cl_changes *c = a ? cl_arena_zalloc(a, sizeof(*c) + (size_t)n * sizeof(*c->change)) : NULL;
  if (c && replacement)
    c->replacement = (struct cl_str){cl_arena_copy(a, replacement, len), len};
  if (!c || (replacement && !c->replacement.p)) {
    no_memory();
    return NULL;
  }
  c->n = n;
  c->life = life;
  return c;
}

int cl_ffi_changes_name(struct cl_space *space, struct cl_changes *changes, uint32_t i, const char *name,
                        uint32_t len) {
  changes->change[i].name = (struct cl_str){
      cl_arena_copy(cl_space_arena_of(space, (uint16_t)changes->life), name, len), len};
  return changes->change[i].name.p ? 0 : no_memory();
}

static int change(struct cl_batch *b, const struct cl_changes *all, const struct cl_change *one,
                  struct cl_val *v) {
  if (one->type)
    return cl_cast(b, v, one->from, (enum cl_type)one->type, cl_ffi_err());
  return cl_mask(b, v, all->replacement.p ? &all->replacement : NULL, cl_ffi_err());
}

int cl_ffi_change_struct(struct cl_batch *batch, const struct cl_shape *shape,
                         const struct cl_changes *changes, const struct cl_struct *from,
                         struct cl_struct **out) {
  struct cl_struct *st = cl_ffi_struct_new(batch, shape->to);
  const struct cl_change *next = changes->change, *end = next + changes->n;
  if (!st)
    return CL_ENOMEM;
  for (uint32_t i = 0; i < shape->n; i++) {
    int rc = cl_shape_field(batch, shape, i, from, &st->v[i]);
    if (rc == 0 && next < end && next->at == i)
      rc = change(batch, changes, next++, &st->v[i]);
    if (rc != 0)
      return rc;
  }
  *out = st;
  return 0;
}

int cl_ffi_change_object(struct cl_batch *batch, const struct cl_changes *changes, struct cl_obj *obj) {
  for (uint32_t i = 0; i < changes->n; i++) {
    const struct cl_change *one = &changes->change[i];
    struct cl_val *v = cl_ffi_obj_put(batch, obj, one->name.p, one->name.len);
    if (!v)
      return no_memory();
    if (v->kind == CL_MISSING)
      v->kind = CL_NULL;
    int rc = change(batch, changes, one, v);
    if (rc != 0)
      return rc;
  }
  return 0;
}
