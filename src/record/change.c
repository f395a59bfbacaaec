/* SPDX-License-Identifier: Apache-2.0
 * The work of Cast, MaskField and TimestampConverter on values and on the fields of structs and objects.
 * Thread: the task's. */
#include "record/build.h"
#include "record/cast.h"
#include "record/codec.h"
#include "record/space.h"

static int no_memory(void) {
  return cl_err_set(cl_ffi_err(), CL_ENOMEM, "no memory for what a transform does");
}

struct cl_changes *cl_ffi_changes_new(struct cl_space *space, uint32_t n, int kind, int brief,
                                      const char *text, uint32_t len) {
  uint16_t life;
  struct cl_arena *a = cl_space_arena(space, brief != 0, &life);
  struct cl_changes *c = a ? cl_arena_zalloc(a, sizeof(*c) + (size_t)n * sizeof(*c->change)) : NULL;
  if (c && text)
    c->text = (struct cl_str){cl_arena_copy(a, text, len), len};
  if (!c || (text && !c->text.p)) {
    no_memory();
    return NULL;
  }
  c->n = n;
  c->life = life;
  c->kind = (uint8_t)kind;
  return c;
}

int cl_ffi_changes_name(struct cl_space *space, struct cl_changes *changes, uint32_t i, const char *name,
                        uint32_t len) {
  CL_REQUIRE(i < changes->n);
  changes->change[i].name = (struct cl_str){cl_arena_copy(cl_space_arena_of(space, changes->life), name, len),
                                            len};
  return changes->change[i].name.p ? 0 : no_memory();
}

static int change(struct cl_batch *b, const struct cl_changes *all, const struct cl_change *one,
                  struct cl_val *v) {
  switch ((enum cl_change_kind)all->kind) {
  case CL_CHANGE_CAST: return cl_cast(b, v, one->from, (enum cl_type)one->type, cl_ffi_err());
  case CL_CHANGE_MASK: return cl_mask(b, v, all->text.p ? &all->text : NULL, cl_ffi_err());
  case CL_CHANGE_MOMENT: break;
  }
  return cl_moment(b, v, one->from, all, cl_ffi_err());
}

static int no_shape(void) {
  return cl_err_set(cl_ffi_err(), CL_EDATA, "these changes are none of structs: they have no shape");
}

static int change_fields(struct cl_batch *batch, const struct cl_changes *changes,
                         const struct cl_struct *from, struct cl_struct **out) {
  const struct cl_shape *shape = changes->shape;
  struct cl_struct *st = cl_ffi_struct_new(batch, shape->to);
  const struct cl_change *next = changes->change, *end = next + changes->n;
  if (!st)
    return CL_ENOMEM;
  for (uint32_t i = 0; i < shape->n; i++) {
    const struct cl_field *f = &shape->to->fields[i];
    int rc = cl_shape_field(batch, shape, i, from, &st->v[i]);
    if (rc == 0 && next < end && next->at == i) {
      rc = change(batch, changes, next++, &st->v[i]);
      if (rc == 0)
        rc = cl_value_is_of(&st->v[i], f->schema, &f->name, cl_ffi_err());
    } else if (rc == 0 && shape->source[i].differs) {
      rc = cl_shape_field_fits(batch, f, &st->v[i]);
    }
    if (rc != 0)
      return rc;
  }
  *out = st;
  return 0;
}

int cl_ffi_change_struct(struct cl_batch *batch, const struct cl_changes *changes,
                         const struct cl_struct *from, struct cl_struct **out) {
  if (!changes->shape)
    return no_shape();
  return cl_shape_refuse(changes->shape, from) != 0 ? CL_EDATA : change_fields(batch, changes, from, out);
}

/* A default's struct has a schema of its own, which has no default. */
static bool is_default_of(const struct cl_struct *st, const struct cl_schema *s) {
  bool same = st->n == s->n_fields;
  for (uint32_t i = 0; same && i < s->n_fields; i++)
    same = st->schema->fields[i].schema == s->fields[i].schema;
  return same;
}

int cl_ffi_change_default(struct cl_batch *batch, const struct cl_changes *changes,
                          const struct cl_schema *from, struct cl_struct **out) {
  CL_REQUIRE(from->def.kind == CL_STRUCT);
  if (!changes->shape)
    return no_shape();
  if (from->uid != changes->shape->from || !is_default_of(from->def.st, from))
    return cl_err_set(cl_ffi_err(), CL_EDATA, "this shape is for structs of another schema");
  return change_fields(batch, changes, from->def.st, out);
}

int cl_ffi_change_object(struct cl_batch *batch, const struct cl_changes *changes, struct cl_obj *obj) {
  for (uint32_t i = 0; i < changes->n; i++) {
    const struct cl_change *one = &changes->change[i];
    if (!one->name.p)
      return cl_err_set(cl_ffi_err(), CL_EDATA, "this change is none of an object's field: it has no name");
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

int cl_ffi_change_whole(struct cl_batch *batch, const struct cl_changes *changes, struct cl_val *v,
                        const struct cl_schema *to) {
  struct cl_val out = *v;
  if (changes->n != 1)
    return cl_err_set(cl_ffi_err(), CL_EDATA, "one change of a whole value expected, not %u", changes->n);
  int rc = change(batch, changes, changes->change, &out);
  if (rc == 0 && to)
    rc = cl_value_is_of(&out, to, NULL, cl_ffi_err());
  if (rc == 0)
    *v = out;
  return rc;
}
