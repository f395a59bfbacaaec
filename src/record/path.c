/* SPDX-License-Identifier: Apache-2.0
 * ExtractField: what lies at the end of a path of field names. Thread: the task's. */
#include "record/build.h"

#include "base/arena.h"
#include "record/codec.h"
#include "record/space.h"
#include "record/value.h"

#include <string.h>

static int no_memory(void) { return cl_err_set(cl_ffi_err(), CL_ENOMEM, "no memory left in the batch"); }

struct cl_path *cl_ffi_path_new(struct cl_space *space, const struct cl_schema *from, uint32_t n) {
  uint16_t life;
  struct cl_arena *a = cl_space_arena(space, from && from->life != 0, &life);
  struct cl_path *path = a ? cl_arena_zalloc(a, sizeof(*path) + (size_t)n * sizeof(*path->step)) : NULL;
  if (!path) {
    no_memory();
    return NULL;
  }
  path->n = n;
  path->life = life;
  if (from) {
    path->from = from->uid;
    path->leaf = cl_space_schema_now(space, from);
    if (!path->leaf) {
      no_memory();
      return NULL;
    }
  }
  return path;
}

/* The schema of a struct's field; NULL = there is none. */
static const struct cl_schema *schema_of_field(const struct cl_schema *s, struct cl_str name) {
  for (uint32_t i = 0; s->type == CL_TYPE_STRUCT && i < s->n_fields; i++)
    if (s->fields[i].name.len == name.len && memcmp(s->fields[i].name.p, name.p, name.len) == 0)
      return s->fields[i].schema;
  return NULL;
}

int cl_ffi_path_set(struct cl_space *space, struct cl_path *path, uint32_t i, const char *name,
                    uint32_t len) {
  CL_REQUIRE(i < path->n);
  struct cl_str step = {cl_arena_copy(cl_space_arena_of(space, (uint16_t)path->life), name, len), len};
  if (!step.p)
    return no_memory();
  if (path->from && !(path->leaf = schema_of_field(path->leaf, step)))
    return cl_err_set(cl_ffi_err(), CL_EDATA, "%s is not a valid field name", CL_SHOWN(name, len));
  path->step[i] = step;
  return 0;
}

static const struct cl_val null_value = {.kind = CL_NULL};

/* Struct.get, or getWithoutDefault. */
static const struct cl_val *struct_field(struct cl_struct *st, struct cl_str name, bool with_default,
                                         bool *shared) {
  const struct cl_val *v = cl_ffi_struct_find(st, name.p, name.len);
  if (!v)
    return &null_value;
  if (!with_default || !cl_value_is_null(v))
    return v;
  *shared = true;
  return &st->schema->fields[v - st->v].schema->def;
}

static const struct cl_val *map_field(const struct cl_map *map, struct cl_str name) {
  for (uint32_t i = 0; i < map->n; i++) {
    const struct cl_val *key = &map->e[i].key;
    if (key->kind == CL_STRING && key->len == name.len && memcmp(key->s, name.p, name.len) == 0)
      return &map->e[i].val;
  }
  return &null_value;
}

/* The field of a value that is not null; NULL = it has none, being neither struct nor map. */
static const struct cl_val *field_of(struct cl_batch *b, const struct cl_val *v, struct cl_str name,
                                     bool with_default, bool *shared) {
  if (v->kind == CL_STRUCT)
    return struct_field(v->st, name, with_default, shared);
  if (v->kind == CL_MAP)
    return map_field(v->map, name);
  if (v->kind != CL_OBJECT)
    return NULL;
  const struct cl_val *found = cl_ffi_obj_find(b->space, v->obj, name.p, name.len);
  return found ? found : &null_value;
}

int cl_ffi_extract(struct cl_batch *batch, struct cl_datum *d, const struct cl_path *path, int replace_null) {
  if ((d->schema ? d->schema->uid : 0) != path->from)
    return cl_err_set(cl_ffi_err(), CL_EDATA, "this path is for values of another schema");
  const struct cl_val *v = &d->val;
  bool shared = false; /* part of a default, which is everybody's */
  for (uint32_t i = 0; i < path->n && !cl_value_is_null(v); i++) {
    const struct cl_val *next = field_of(batch, v, path->step[i], i + 1 < path->n || replace_null, &shared);
    if (!next)
      return cl_err_set(cl_ffi_err(), CL_EDATA, "Only %s for [nested field access], found: %s",
                        d->schema ? "Struct objects supported" : "Map objects supported in absence of schema",
                        cl_value_class(v));
    v = next;
  }
  struct cl_val out = cl_value_is_null(v) ? null_value : *v;
  if (shared && !cl_value_clone(batch->arena, v, &out, NULL))
    return no_memory();
  d->val = out;
  d->schema = path->leaf;
  if (out.kind == CL_MISSING)
    d->val.kind = CL_NULL;
  return 0;
}
