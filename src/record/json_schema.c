/* SPDX-License-Identifier: Apache-2.0
 * JSON schemas of JsonConverter's envelope, both ways, with Apache's errors.
 * Thread: the task's. */
#include <stdarg.h>
#include <string.h>

#include "base/arena.h"
#include "record/json_typed.h"
#include "record/space.h"
#include "record/value.h"

/* By enum cl_type. */
static const char *const json_names[] = {"",        "int8",   "int16", "int32", "int64", "float", "double",
                                         "boolean", "string", "bytes", "array", "map",   "struct"};

int cl_json_data_error(struct cl_err *err, const char *class, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  cl_err_vset(err, CL_EDATA, fmt, ap);
  va_end(ap);
  err->class = class ? class : CL_JAVA_DATA;
  return CL_EDATA;
}

static int no_memory(struct cl_err *err) { return cl_err_set(err, CL_ENOMEM, "no memory for a schema"); }

bool cl_json_words_init(struct cl_json_words *w, struct cl_space *s) {
  const struct {
    uint32_t *sym;
    const char *text;
  } rows[] = {{&w->type, "type"},
              {&w->items, "items"},
              {&w->keys, "keys"},
              {&w->values, "values"},
              {&w->fields, "fields"},
              {&w->field, "field"},
              {&w->optional, "optional"},
              {&w->name, "name"},
              {&w->version, "version"},
              {&w->doc, "doc"},
              {&w->parameters, "parameters"},
              {&w->dflt, "default"},
              {&w->schema, "schema"},
              {&w->payload, "payload"}};
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    *rows[i].sym = cl_space_sym_keep(s, rows[i].text, (uint32_t)strlen(rows[i].text));
    if (!*rows[i].sym)
      return false;
  }
  return true;
}

/* -------------------------------------------------------------- reading */

/* JsonNode.get: NULL when json is no object or lacks the key. */
static const struct cl_val *get(const struct cl_json_typed *t, const struct cl_val *json, uint32_t key) {
  if (json->kind != CL_OBJECT)
    return NULL;
  uint32_t i = cl_value_find(t->b->space, json->obj, key);
  return i < json->obj->n ? &json->obj->e[i].val : NULL;
}

static struct cl_str text_of(const struct cl_val *v) {
  if (!v || v->kind != CL_STRING)
    return (struct cl_str){0};
  return (struct cl_str){v->len ? v->s : "", v->len};
}

static enum cl_type type_by_name(struct cl_str name) {
  for (int i = CL_TYPE_INT8; i <= CL_TYPE_STRUCT; i++)
    if (name.len == strlen(json_names[i]) && memcmp(name.p, json_names[i], name.len) == 0)
      return (enum cl_type)i;
  return 0;
}

static int read_schema(struct cl_json_typed *t, const struct cl_val *json, uint32_t depth,
                       const struct cl_schema **out);

/* One field: its name and schema, in Apache's order of checks. */
static int read_field(struct cl_json_typed *t, const struct cl_val *json, uint32_t depth,
                      struct cl_field *out) {
  out->name = text_of(get(t, json, t->words->field));
  if (!out->name.p)
    return cl_json_data_error(t->err, NULL, "Struct schema's field name not specified properly");
  if (read_schema(t, json, depth + 1, &out->schema) != 0)
    return t->err->code;
  if (out->name.len == 0)
    return cl_json_data_error(t->err, CL_JAVA_SCHEMA_BUILDER, "fieldName cannot be null.");
  out->sym = cl_space_sym(t->b->space, out->name.p, out->name.len);
  return out->sym ? 0 : no_memory(t->err);
}

/* Apart, since its room is not that of the schemas around. */
__attribute__((noinline)) static int refuse_repeated(struct cl_json_typed *t, const struct cl_field *fields,
                                                     uint32_t n) {
  uint64_t mark = cl_space_next_mark(t->b->space);
  for (uint32_t i = 0; i < n; i++) {
    struct cl_sym *info = cl_space_sym_info(t->b->space, fields[i].sym);
    if (info->mark == mark)
      return cl_json_data_error(t->err, CL_JAVA_SCHEMA_BUILDER,
                                "Cannot create field because of field name duplication %s",
                                CL_SHOWN(fields[i].name.p, fields[i].name.len));
    info->mark = mark;
  }
  return 0;
}

static int read_fields(struct cl_json_typed *t, const struct cl_val *json, uint32_t depth,
                       struct cl_schema *out) {
  const struct cl_val *list = get(t, json, t->words->fields);
  if (!list || list->kind != CL_ARRAY)
    return cl_json_data_error(t->err, NULL, "Struct schema's \"fields\" argument is not an array.");
  uint32_t n = list->arr->n, done = 0;
  struct cl_field *fields = cl_arena_zalloc(t->b->arena, n * sizeof(*fields));
  if (!fields)
    return no_memory(t->err);
  out->n_fields = n;
  out->fields = fields;
  int rc = 0;
  for (; rc == 0 && done < n; done += rc == 0)
    rc = read_field(t, &list->arr->v[done], depth, &fields[done]);
  /* A name repeated among the good fields was found first. */
  int repeated = refuse_repeated(t, fields, done);
  return repeated ? repeated : rc;
}

static int read_map_parts(struct cl_json_typed *t, const struct cl_val *json, uint32_t depth,
                          struct cl_schema *out) {
  const struct cl_val *key = get(t, json, t->words->keys);
  if (!key)
    return cl_json_data_error(t->err, NULL, "Map schema did not specify the key type");
  const struct cl_val *value = get(t, json, t->words->values);
  if (!value)
    return cl_json_data_error(t->err, NULL, "Map schema did not specify the value type");
  /* Both are read before the builder refuses a null one. */
  int rc = read_schema(t, key, depth + 1, &out->key);
  if (rc == 0)
    rc = read_schema(t, value, depth + 1, &out->value);
  if (rc == 0 && !out->key)
    rc = cl_json_data_error(t->err, CL_JAVA_SCHEMA_BUILDER, "keySchema cannot be null.");
  if (rc == 0 && !out->value)
    rc = cl_json_data_error(t->err, CL_JAVA_SCHEMA_BUILDER, "valueSchema cannot be null.");
  return rc;
}

static int read_parts(struct cl_json_typed *t, const struct cl_val *json, uint32_t depth,
                      struct cl_schema *out) {
  if (out->type == CL_TYPE_STRUCT)
    return read_fields(t, json, depth, out);
  if (out->type == CL_TYPE_MAP)
    return read_map_parts(t, json, depth, out);
  if (out->type != CL_TYPE_ARRAY)
    return 0;
  const struct cl_val *items = get(t, json, t->words->items);
  if (!items || items->kind == CL_NULL)
    return cl_json_data_error(t->err, NULL, "Array schema did not specify the element type");
  return read_schema(t, items, depth + 1, &out->value);
}

static int read_params(struct cl_json_typed *t, const struct cl_val *json, struct cl_schema *out) {
  const struct cl_val *map = get(t, json, t->words->parameters);
  if (!map || map->kind != CL_OBJECT)
    return 0;
  struct cl_param *params = cl_arena_alloc(t->b->arena, map->obj->n * sizeof(*params));
  if (!params)
    return no_memory(t->err);
  for (uint32_t i = 0; i < map->obj->n; i++) {
    const struct cl_entry *e = &map->obj->e[i];
    params[i] = (struct cl_param){cl_space_sym_text(t->b->space, e->sym), text_of(&e->val)};
    if (!params[i].value.p)
      return cl_json_data_error(t->err, NULL, "Schema parameters must have string values.");
  }
  out->n_params = map->obj->n;
  out->params = params;
  return 0;
}

static int read_default(struct cl_json_typed *t, const struct cl_val *json, struct cl_schema *out) {
  const struct cl_val *dflt = get(t, json, t->words->dflt);
  if (!dflt)
    return 0;
  struct cl_val v = *dflt;
  /* The builder so far: what it becomes without a default. */
  const struct cl_schema *builder = cl_space_intern(t->b->space, out);
  if (!builder)
    return no_memory(t->err);
  t->bad_null = false;
  t->read_doubles = true;
  int rc = cl_json_read_typed(t, builder, &v);
  t->read_doubles = false;
  if (rc != 0)
    return rc;
  /* The null may be gone again: a map's key came twice. */
  bool bad_null = t->bad_null && cl_json_check_nulls(t, builder, &v, "value") != 0;
  t->bad_null = false;
  if (bad_null || v.kind == CL_STRUCT) { /* a struct never has the schema that holds it as default */
    cl_json_data_error(t->err, CL_JAVA_SCHEMA_BUILDER, "Invalid default value");
    return CL_EDATA;
  }
  if (!cl_value_is_null(&v))
    out->def = v;
  return 0;
}

/* Apart, since its room is not the recursion's. */
__attribute__((noinline)) static int unknown_type(struct cl_json_typed *t, struct cl_str type) {
  return cl_json_data_error(t->err, NULL, "Unknown schema type: %s", CL_SHOWN(type.p, type.len));
}

static int read_schema(struct cl_json_typed *t, const struct cl_val *json, uint32_t depth,
                       const struct cl_schema **out) {
  *out = NULL;
  if (json->kind == CL_NULL)
    return 0;
  if (depth > CL_SCHEMA_DEPTH)
    return cl_json_data_error(t->err, NULL, "Schemas nested deeper than %d are not supported",
                              CL_SCHEMA_DEPTH);
  struct cl_str type = text_of(get(t, json, t->words->type));
  if (!type.p)
    return cl_json_data_error(t->err, NULL, "Schema must contain 'type' field");
  struct cl_schema s = {.type = (uint8_t)type_by_name(type)};
  if (!s.type)
    return unknown_type(t, type);
  int rc = read_parts(t, json, depth, &s);
  if (rc != 0)
    return rc;
  const struct cl_val *optional = get(t, json, t->words->optional),
                      *version = get(t, json, t->words->version);
  s.optional = optional && optional->kind == CL_TRUE;
  s.name = text_of(get(t, json, t->words->name));
  s.doc = text_of(get(t, json, t->words->doc));
  if (version && (version->kind == CL_INT || version->kind == CL_BIGINT)) {
    s.has_version = 1;
    s.version = (int32_t)(uint32_t)cl_json_low64(version);
  }
  rc = read_params(t, json, &s);
  if (rc == 0)
    rc = read_default(t, json, &s);
  if (rc == 0 && !(*out = cl_space_intern(t->b->space, &s)))
    rc = no_memory(t->err);
  return rc;
}

int cl_json_read_schema(struct cl_json_typed *t, const struct cl_val *json, const struct cl_schema **out) {
  return read_schema(t, json, 1, out);
}

/* -------------------------------------------------------------- writing */

static void word(struct cl_json_out *o, const char *s) { cl_json_out_add(o, s, strlen(s)); }

static int write_body(struct cl_json_typed_out *t, const struct cl_schema *s);

/* {...} or null */
static int write_schema(struct cl_json_typed_out *t, const struct cl_schema *s) {
  if (!s) {
    word(&t->out, "null");
    return 0;
  }
  cl_json_out_char(&t->out, '{');
  int rc = write_body(t, s);
  cl_json_out_char(&t->out, '}');
  return rc;
}

static int write_parts(struct cl_json_typed_out *t, const struct cl_schema *s) {
  struct cl_json_out *o = &t->out;
  int rc = 0;
  if (s->type == CL_TYPE_ARRAY) {
    word(o, ",\"items\":");
    rc = write_schema(t, s->value);
  } else if (s->type == CL_TYPE_MAP) {
    word(o, ",\"keys\":");
    rc = write_schema(t, s->key);
    word(o, ",\"values\":");
    rc = rc ? rc : write_schema(t, s->value);
  } else if (s->type == CL_TYPE_STRUCT) {
    word(o, ",\"fields\":[");
    for (uint32_t i = 0; rc == 0 && i < s->n_fields; i++) {
      word(o, i ? ",{" : "{");
      rc = write_body(t, s->fields[i].schema);
      word(o, ",\"field\":");
      cl_json_out_text(o, s->fields[i].name.p, s->fields[i].name.len);
      cl_json_out_char(o, '}');
    }
    cl_json_out_char(o, ']');
  }
  return rc;
}

/* The members of a schema object, in Apache's order. */
static int write_body(struct cl_json_typed_out *t, const struct cl_schema *s) {
  struct cl_json_out *o = &t->out;
  if (++t->depth > CL_SCHEMA_DEPTH)
    return cl_json_data_error(o->err, NULL, "Schemas nested deeper than %d are not supported",
                              CL_SCHEMA_DEPTH);
  word(o, "\"type\":\"");
  word(o, json_names[s->type]);
  cl_json_out_char(o, '"');
  int rc = write_parts(t, s);
  word(o, s->optional ? ",\"optional\":true" : ",\"optional\":false");
  if (s->name.p) {
    word(o, ",\"name\":");
    cl_json_out_text(o, s->name.p, s->name.len);
  }
  if (s->has_version) {
    word(o, ",\"version\":");
    cl_json_out_int(o, s->version);
  }
  if (s->doc.p) {
    word(o, ",\"doc\":");
    cl_json_out_text(o, s->doc.p, s->doc.len);
  }
  if (s->n_params) {
    word(o, ",\"parameters\":");
    for (uint32_t i = 0; i < s->n_params; i++) {
      cl_json_out_char(o, i ? ',' : '{');
      cl_json_out_text(o, s->params[i].name.p, s->params[i].name.len);
      cl_json_out_char(o, ':');
      cl_json_out_text(o, s->params[i].value.p, s->params[i].value.len);
    }
    cl_json_out_char(o, '}');
  }
  if (rc == 0 && !cl_value_is_null(&s->def)) {
    /* In Java's order for keys and values alike: the text is kept for both. */
    bool java_order = o->java_order;
    o->java_order = true;
    word(o, ",\"default\":");
    rc = cl_json_write_typed(t, s, &s->def);
    o->java_order = java_order;
  }
  t->depth--;
  return rc;
}

int cl_json_write_schema(struct cl_json_typed_out *t, const struct cl_schema *schema) {
  struct cl_json_out *o = &t->out;
  if (!schema) {
    word(o, "null");
    return 0;
  }
  const struct cl_str *kept = &schema->json[t->decimal_numeric];
  if (kept->p) {
    cl_json_out_add(o, kept->p, kept->len);
    return 0;
  }
  size_t from = o->buf->len;
  uint32_t depth = t->depth;
  int rc = write_schema(t, schema);
  t->depth = depth;
  if (rc != 0 || o->buf->failed)
    return rc;
  /* The text is derived from the schema alone, so keeping it does not change the schema. */
  struct cl_str *keep = &((struct cl_schema *)schema)->json[t->decimal_numeric];
  size_t len = o->buf->len - from;
  keep->p = cl_arena_copy(cl_space_arena_of(o->b->space, schema->life), o->buf->p + from, len);
  keep->len = keep->p ? (uint32_t)len : 0;
  return 0;
}
