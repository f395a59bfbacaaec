/* SPDX-License-Identifier: Apache-2.0
 * Flatten: structs and objects without structs and objects inside. Recursion is bounded: by CL_SCHEMA_NESTED
 * and CL_COPY_DEPTH. Thread: the task's. */
#include "record/build.h"

#include "base/arena.h"
#include "record/codec.h"
#include "record/java.h"
#include "record/space.h"
#include "record/value.h"

#include <string.h>

#define BUILDER "org.apache.kafka.connect.errors.SchemaBuilderException"

static int no_memory(void) { return cl_err_set(cl_ffi_err(), CL_ENOMEM, "no memory left in the batch"); }

/* The name of the field we are at: the names around it, delimited. */
struct name {
  struct cl_arena *arena;
  struct cl_str delimiter;
  char *p;
  size_t len, cap;
};

static bool reserve(struct name *name, size_t len) {
  if (len <= name->cap)
    return true;
  size_t cap = len < 64 ? 128 : len * 2;
  char *p = cap <= UINT32_MAX ? cl_arena_alloc(name->arena, cap) : NULL;
  if (!p)
    return false;
  if (name->len)
    memcpy(p, name->p, name->len);
  name->p = p;
  name->cap = cap;
  return true;
}

/* One step down; the caller puts the old len back. An empty prefix gets no delimiter. */
static bool enter(struct name *name, struct cl_str step) {
  size_t between = name->len ? name->delimiter.len : 0;
  if (!reserve(name, name->len + between + step.len))
    return false;
  if (between)
    memcpy(name->p + name->len, name->delimiter.p, between);
  if (step.len)
    memcpy(name->p + name->len + between, step.p, step.len);
  name->len += between + step.len;
  return true;
}

/* ------------------------------------------------------------------- schemas */

struct flat_schema {
  struct cl_space *space;
  struct name name;
  struct cl_field *fields;
  uint32_t n, cap;
  uint64_t mark; /* of the names there are already */
};

__attribute__((noinline)) static int refuse_type(const struct flat_schema *f, const struct cl_schema *s) {
  return cl_err_set(cl_ffi_err(), CL_EDATA,
                    "Flatten transformation does not support %s for record with schemas (for field %s).",
                    cl_type_name((enum cl_type)s->type), CL_SHOWN(f->name.p, f->name.len));
}

__attribute__((noinline)) static int refuse_name(const char *what, const struct name *name) {
  cl_err_set(cl_ffi_err(), CL_EDATA, "%s%s", what, CL_SHOWN(name->p, name->len));
  cl_ffi_err()->class = BUILDER;
  return CL_EDATA;
}

/* What SchemaBuilder.field checks. */
static int check_name(const struct flat_schema *f) {
  const struct name *name = &f->name;
  if (name->len == 0)
    return refuse_name("fieldName cannot be null.", name);
  uint32_t id = cl_space_sym(f->space, name->p, (uint32_t)name->len);
  if (!id)
    return no_memory();
  struct cl_sym *sym = cl_space_sym_info(f->space, id);
  if (sym->mark == f->mark)
    return refuse_name("Cannot create field because of field name duplication ", name);
  sym->mark = f->mark;
  return 0;
}

static int add_leaf(struct flat_schema *f, const struct cl_schema *from, bool optional,
                    const struct cl_val *def) {
  struct cl_schema leaf = *from;
  leaf.optional = optional;
  leaf.def = def ? *def : (struct cl_val){.kind = CL_MISSING};
  int rc = check_name(f);
  if (rc != 0)
    return rc;
  if (f->n == f->cap) {
    uint32_t cap = f->cap ? f->cap * 2 : 16;
    struct cl_field *fields = cl_arena_alloc(f->name.arena, cap * sizeof(*fields));
    if (!fields)
      return no_memory();
    if (f->n)
      memcpy(fields, f->fields, f->n * sizeof(*fields));
    f->fields = fields;
    f->cap = cap;
  }
  struct cl_field *field = &f->fields[f->n];
  *field = (struct cl_field){
      .name = {cl_arena_copy(f->name.arena, f->name.p, f->name.len), (uint32_t)f->name.len},
      .schema = cl_space_intern(f->space, &leaf)};
  if (!field->name.p || !field->schema)
    return no_memory();
  f->n++;
  return 0;
}

static bool has(const struct cl_val *def) { return def->kind != CL_MISSING && def->kind != CL_NULL; }

/* Defaults of structs are moved to their fields. */
static int add_fields(struct flat_schema *f, const struct cl_schema *s, bool optional,
                      const struct cl_struct *around) {
  int rc = 0;
  for (uint32_t i = 0; i < s->n_fields && rc == 0; i++) {
    const struct cl_schema *one = s->fields[i].schema;
    CL_REQUIRE(!around || i < around->n);
    const struct cl_val *def = has(&one->def)                 ? &one->def
                               : around && has(&around->v[i]) ? &around->v[i]
                                                              : NULL;
    size_t len = f->name.len;
    if (!enter(&f->name, s->fields[i].name))
      return no_memory();
    if (one->type == CL_TYPE_STRUCT)
      rc = add_fields(f, one, optional || one->optional, def && def->kind == CL_STRUCT ? def->st : NULL);
    else if (one->type == CL_TYPE_MAP)
      rc = refuse_type(f, one);
    else
      rc = add_leaf(f, one, optional || one->optional, def);
    f->name.len = len;
  }
  return rc;
}

struct cl_shape *cl_ffi_flat_shape(struct cl_batch *batch, const struct cl_schema *from,
                                   const char *delimiter, uint32_t len) {
  struct flat_schema f = {.space = batch->space,
                          .mark = cl_space_next_mark(batch->space),
                          .name = {.arena = batch->arena, .delimiter = {delimiter, len}}};
  if (add_fields(&f, from, from->optional, from->def.kind == CL_STRUCT ? from->def.st : NULL) != 0)
    return NULL;
  struct cl_schema to = *from;
  to.optional = 0;
  to.def = (struct cl_val){.kind = CL_MISSING};
  to.fields = f.fields;
  to.n_fields = f.n;
  const struct cl_schema *out = cl_space_intern(batch->space, &to);
  struct cl_shape *shape = out ? cl_ffi_shape_new(batch->space, from, out) : NULL;
  if (shape)
    shape->flat = 1;
  else
    no_memory();
  return shape;
}

/* ------------------------------------------------------------------- structs */

static uint32_t leaves_of(const struct cl_schema *s) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < s->n_fields; i++)
    n += s->fields[i].schema->type == CL_TYPE_STRUCT ? leaves_of(s->fields[i].schema) : 1;
  return n;
}

static int put_leaf(struct cl_batch *b, struct cl_struct *to, uint32_t at, const struct cl_val *v,
                    const struct cl_schema *s) {
  if (at >= to->n)
    return cl_err_set(cl_ffi_err(), CL_EDATA, "Mismatching schema.");
  const struct cl_field *field = &to->schema->fields[at];
  if (!cl_value_is_null(v)) {
    to->v[at] = *v;
    return 0;
  }
  if (has(&s->def)) /* a default is everybody's */
    return cl_value_clone(b->arena, &s->def, &to->v[at], NULL) ? 0 : no_memory();
  to->v[at] = (struct cl_val){.kind = CL_NULL};
  return cl_value_fits(&to->v[at], field->schema, &field->name, cl_ffi_err());
}

static int put_leaves(struct cl_batch *b, struct cl_struct *to, uint32_t *at, const struct cl_struct *from) {
  int rc = 0;
  for (uint32_t i = 0; i < from->n && rc == 0; i++) {
    const struct cl_schema *s = from->schema->fields[i].schema;
    const struct cl_val *v = &from->v[i];
    if (s->type != CL_TYPE_STRUCT)
      rc = put_leaf(b, to, (*at)++, v, s);
    else if (v->kind == CL_STRUCT)
      rc = put_leaves(b, to, at, v->st);
    else
      *at += leaves_of(s); /* a struct that is null leaves its fields unset */
  }
  return rc;
}

int cl_ffi_flat_struct(struct cl_batch *batch, const struct cl_shape *shape, struct cl_val *v) {
  if (cl_shape_refuse(shape, v->st) != 0)
    return CL_EDATA;
  if (!shape->flat)
    return cl_err_set(cl_ffi_err(), CL_EDATA, "this shape is none of flat structs");
  struct cl_struct *st = cl_ffi_struct_new(batch, shape->to);
  uint32_t at = 0;
  if (!st)
    return CL_ENOMEM;
  if (put_leaves(batch, st, &at, v->st) != 0)
    return cl_ffi_err()->code;
  *v = (struct cl_val){.kind = CL_STRUCT, .st = st};
  return 0;
}

/* ------------------------------------------------------------------- objects */

struct flat_object {
  struct cl_batch *batch;
  struct name name;
  struct cl_obj *to;
  uint32_t depth;
  bool in_key;
};

static int add_object(struct flat_object *f, struct cl_obj *obj);
static int add_map(struct flat_object *f, const struct cl_map *map);

/* Apart, since its room is not the recursion's. */
__attribute__((noinline)) static int refuse_struct(const struct flat_object *f, const struct cl_val *v) {
  return cl_err_set(cl_ffi_err(), CL_EDATA,
                    "Flatten transformation does not support class %s for record without schemas (for field "
                    "%s).",
                    cl_value_class(v), CL_SHOWN(f->name.p, f->name.len));
}

static int add_entry(struct flat_object *f, const struct cl_val *v) {
  switch ((enum cl_kind)v->kind) {
  case CL_OBJECT: return add_object(f, v->obj);
  case CL_MAP: return add_map(f, v->map);
  case CL_STRUCT: return refuse_struct(f, v);
  case CL_BIGINT:
  case CL_DECIMAL:
  case CL_DATE:
  case CL_TIME:
  case CL_TIMESTAMP:
    return cl_err_set(cl_ffi_err(), CL_EDATA,
                      "Flatten transformation was passed a value of type class %s which is not supported by "
                      "Connect's data API",
                      cl_value_class(v));
  default: break;
  }
  struct cl_val *at = cl_ffi_obj_put(f->batch, f->to, f->name.len ? f->name.p : "", (uint32_t)f->name.len);
  if (!at)
    return CL_ENOMEM;
  *at = *v;
  if (at->kind == CL_MISSING)
    at->kind = CL_NULL;
  return 0;
}

static int add_named(struct flat_object *f, struct cl_str key, const struct cl_val *v) {
  size_t len = f->name.len;
  if (f->depth == CL_COPY_DEPTH)
    return cl_err_set(cl_ffi_err(), CL_EDATA, "a value nested deeper than %d cannot be flattened",
                      CL_COPY_DEPTH);
  f->depth++;
  int rc = enter(&f->name, key) ? add_entry(f, v) : no_memory();
  f->depth--;
  f->name.len = len;
  return rc;
}

static int add_object(struct flat_object *f, struct cl_obj *obj) {
  int rc = f->in_key ? cl_obj_take_java_order(f->batch, obj) : 0;
  for (uint32_t i = 0; i < obj->n && rc == 0; i++)
    rc = add_named(f, cl_space_sym_text(f->batch->space, obj->e[i].sym), &obj->e[i].val);
  return rc;
}

static int add_map(struct flat_object *f, const struct cl_map *map) {
  int rc = 0;
  for (uint32_t i = 0; i < map->n && rc == 0; i++) {
    const struct cl_val *key = &map->e[i].key;
    if (key->kind != CL_STRING) {
      cl_err_set(cl_ffi_err(), CL_EDATA, "class %s cannot be cast to class java.lang.String",
                 cl_value_class(key));
      cl_ffi_err()->class = "java.lang.ClassCastException";
      return CL_EDATA;
    }
    rc = add_named(f, (struct cl_str){key->s, key->len}, &map->e[i].val);
  }
  return rc;
}

int cl_ffi_flat_object(struct cl_batch *batch, struct cl_val *v, const char *delimiter, uint32_t len,
                       int in_key) {
  struct flat_object f = {.batch = batch,
                          .name = {.arena = batch->arena, .delimiter = {delimiter, len}},
                          .to = cl_ffi_obj_new(batch, 16),
                          .in_key = in_key != 0};
  if (!f.to)
    return CL_ENOMEM;
  f.to->linked = 1;
  int rc = add_object(&f, v->obj);
  if (rc == 0)
    *v = (struct cl_val){.kind = CL_OBJECT, .obj = f.to};
  return rc;
}
