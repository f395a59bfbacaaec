/* SPDX-License-Identifier: Apache-2.0
 * Whether a value fits a schema, with the messages of Connect's API. Recursion is as deep as
 * the schema, which its makers bound. Thread: the task's. */
#include "record/build.h"
#include "record/codec.h"
#include "record/value.h"

#include <stdio.h>

const char *cl_type_name(enum cl_type type) {
  static const char *const names[] = {
      [CL_TYPE_INT8] = "INT8",       [CL_TYPE_INT16] = "INT16",     [CL_TYPE_INT32] = "INT32",
      [CL_TYPE_INT64] = "INT64",     [CL_TYPE_FLOAT32] = "FLOAT32", [CL_TYPE_FLOAT64] = "FLOAT64",
      [CL_TYPE_BOOLEAN] = "BOOLEAN", [CL_TYPE_STRING] = "STRING",   [CL_TYPE_BYTES] = "BYTES",
      [CL_TYPE_ARRAY] = "ARRAY",     [CL_TYPE_MAP] = "MAP",         [CL_TYPE_STRUCT] = "STRUCT",
  };
  return type >= CL_TYPE_INT8 && type <= CL_TYPE_STRUCT ? names[type] : "UNKNOWN";
}

/* Where in the value we are: "element of array value of map field: \"f\"". */
struct place {
  const struct place *up;
  const char *step;           /* "element of array ", NULL at the bottom */
  const struct cl_str *field; /* at the bottom, NULL = a bare value */
};

static void place_text(const struct place *at, char *out, size_t size) {
  size_t n = 0;
  for (; at->step; at = at->up) {
    int more = snprintf(out + n, size - n, "%s", at->step);
    if (more < 0 || (size_t)more >= size - n)
      return;
    n += (size_t)more;
  }
  if (at->field)
    snprintf(out + n, size - n, "field: \"%s\"", CL_SHOWN(at->field->p, at->field->len));
  else
    snprintf(out + n, size - n, "value");
}

static bool class_fits(const struct cl_val *v, const struct cl_schema *s) {
  switch ((enum cl_logical)s->logical) {
  case CL_LOGICAL_DECIMAL: return v->kind == CL_DECIMAL;
  case CL_LOGICAL_DATE:
  case CL_LOGICAL_TIME:
  case CL_LOGICAL_TIMESTAMP: return v->kind == CL_DATE || v->kind == CL_TIME || v->kind == CL_TIMESTAMP;
  default: return cl_value_has_type(v, s);
  }
}

/* Apart, since its room is not the recursion's. */
__attribute__((noinline)) static int refuse(const struct cl_val *v, const struct cl_schema *s,
                                            const struct place *at, struct cl_err *err) {
  char where[256];
  const char *type = cl_type_name((enum cl_type)s->type), *class = cl_value_class(v);
  place_text(at, where, sizeof(where));
  if (s->name.p)
    return cl_err_set(err, CL_EDATA, "Invalid Java object for schema \"%s\" with type %s: class %s for %s",
                      CL_SHOWN(s->name.p, s->name.len), type, class, where);
  return cl_err_set(err, CL_EDATA, "Invalid Java object for schema with type %s: class %s for %s", type,
                    class, where);
}

static int fits(const struct cl_val *v, const struct cl_schema *s, const struct place *at,
                struct cl_err *err);

static int part_fits(const struct cl_val *v, const struct cl_schema *s, const char *step,
                     const struct place *up, struct cl_err *err) {
  struct place at = {up, step, NULL};
  return fits(v, s, &at, err);
}

static int map_fits(const struct cl_val *v, const struct cl_schema *s, const struct place *at,
                    struct cl_err *err) {
  static const struct cl_val text = {.kind = CL_STRING, .s = ""}; /* keys of objects are strings */
  uint32_t n = v->kind == CL_OBJECT ? v->obj->n : v->map->n;
  for (uint32_t i = 0; i < n; i++) {
    const struct cl_val *key = v->kind == CL_OBJECT ? &text : &v->map->e[i].key,
                        *value = v->kind == CL_OBJECT ? &v->obj->e[i].val : &v->map->e[i].val;
    if (part_fits(key, s->key, "key of map ", at, err) != 0 ||
        part_fits(value, s->value, "value of map ", at, err) != 0)
      return err->code;
  }
  return 0;
}

static int fits(const struct cl_val *v, const struct cl_schema *s, const struct place *at,
                struct cl_err *err) {
  if (!s) {
    char where[256];
    place_text(at, where, sizeof(where));
    return cl_err_set(err, CL_EDATA, "No schema defined for %s", where);
  }
  if (cl_value_is_null(v)) {
    if (s->optional)
      return 0;
    char where[256];
    place_text(at, where, sizeof(where));
    return cl_err_set(err, CL_EDATA, "Invalid value: null used for required %s, schema type: %s", where,
                      cl_type_name((enum cl_type)s->type));
  }
  if (!class_fits(v, s))
    return refuse(v, s, at, err);
  if (v->kind == CL_STRUCT && v->st->schema != s)
    return cl_err_set(err, CL_EDATA, "Struct schemas do not match.");
  if (v->kind == CL_ARRAY) {
    for (uint32_t i = 0; i < v->arr->n; i++)
      if (part_fits(&v->arr->v[i], s->value, "element of array ", at, err) != 0)
        return err->code;
  }
  return v->kind == CL_MAP || v->kind == CL_OBJECT ? map_fits(v, s, at, err) : 0;
}

int cl_value_fits(const struct cl_val *v, const struct cl_schema *schema, const struct cl_str *field,
                  struct cl_err *err) {
  struct place at = {NULL, NULL, field};
  return fits(v, schema, &at, err);
}

int cl_value_is_of(const struct cl_val *v, const struct cl_schema *schema, const struct cl_str *field,
                   struct cl_err *err) {
  struct place at = {NULL, NULL, field};
  return cl_value_is_null(v) || cl_value_has_type(v, schema) || class_fits(v, schema)
             ? 0
             : refuse(v, schema, &at, err);
}

int cl_ffi_fits(const struct cl_val *v, const struct cl_schema *schema, const char *field, uint32_t len) {
  struct cl_str name = {field, len};
  return cl_value_fits(v, schema, field ? &name : NULL, cl_ffi_err());
}

int cl_schema_text(const struct cl_schema *s, char *out, size_t size) {
  return snprintf(out, size, "%s%s%s", CL_SHOWN(s->name.p, s->name.len), s->name.p ? ":" : "",
                  cl_type_name((enum cl_type)s->type));
}

int cl_ffi_header_fits(struct cl_batch *batch, const struct cl_datum *d) {
  char schema[200];
  if (!d->schema)
    return 0;
  cl_schema_text(d->schema, schema, sizeof(schema));
  if (cl_value_is_null(&d->val))
    return d->schema->optional
               ? 0
               : cl_err_set(cl_ffi_err(), CL_EDATA,
                            "A null value requires an optional schema but was Schema{%s}", schema);
  if (class_fits(&d->val, d->schema))
    return 0;
  struct cl_str text;
  struct cl_err err;
  if (cl_text_of(batch, &d->val, &text, &err) != 0)
    text = (struct cl_str){"?", 1};
  return cl_err_set(cl_ffi_err(), CL_EDATA, "The value %s is not compatible with the schema Schema{%s}",
                    CL_SHOWN(text.p, text.len), schema);
}
