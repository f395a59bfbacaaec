/* SPDX-License-Identifier: Apache-2.0
 * Values read under a schema: JsonConverter.convertToConnect. The parsed tree is turned
 * into the typed one in place. Thread: the task's. */
#include "record/json_typed.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "record/base64.h"
#include "record/build.h"
#include "record/calendar.h"
#include "record/java.h"
#include "record/num.h"
#include "record/space.h"
#include "record/value.h"

static int no_memory(struct cl_json_typed *t) {
  return cl_err_set(t->err, CL_ENOMEM, "no memory for a value");
}

const char *cl_json_node_name(const struct cl_val *v) {
  switch ((enum cl_kind)v->kind) {
  case CL_MISSING: return "MISSING";
  case CL_NULL: return "NULL";
  case CL_FALSE:
  case CL_TRUE: return "BOOLEAN";
  case CL_STRING: return "STRING";
  case CL_ARRAY: return "ARRAY";
  case CL_OBJECT: return "OBJECT";
  default: return "NUMBER";
  }
}

static bool is_number(const struct cl_val *v) {
  return v->kind == CL_INT || v->kind == CL_BIGINT || v->kind == CL_NUMTEXT;
}

int64_t cl_json_low64(const struct cl_val *v) {
  if (v->kind == CL_INT)
    return v->i;
  return is_number(v) ? cl_num_low64(v->s, v->len) : 0;
}

static void set_int(struct cl_val *v, uint16_t width, int64_t i) {
  *v = (struct cl_val){.kind = CL_INT, .aux = width, .i = i};
}

static void set_double(struct cl_json_typed *t, struct cl_val *v) {
  if (v->kind == CL_NUMTEXT && v->flags & CL_VAL_CANON && !t->read_doubles)
    return; /* its text is what a double would print */
  double d = v->kind == CL_INT ? (double)v->i : is_number(v) ? cl_num_double(v->s, v->len) : 0;
  *v = (struct cl_val){.kind = CL_FLOAT64, .f = d};
}

static void set_float(struct cl_val *v) {
  float f = v->kind == CL_INT ? (float)v->i : is_number(v) ? cl_num_float(v->s, v->len) : 0;
  *v = (struct cl_val){.kind = CL_FLOAT32, .f = (double)f};
}

/* Null where the schema does not allow it: the struct around it refuses. */
static void set_null(struct cl_json_typed *t, const struct cl_schema *schema, struct cl_val *v) {
  *v = (struct cl_val){.kind = CL_NULL};
  t->bad_null |= !schema->optional;
}

/* Base64 text to bytes. False = not base64; *rc tells of memory. */
static bool decode_text(struct cl_json_typed *t, const struct cl_val *v, struct cl_str *out, int *rc) {
  unsigned char *bytes = cl_arena_alloc(t->b->arena, v->len / 4 * 3 + 1);
  size_t n;
  if (!bytes) {
    *rc = no_memory(t);
    return true;
  }
  if (!cl_base64_decode(v->s, v->len, bytes, &n))
    return false;
  *out = (struct cl_str){(const char *)bytes, (uint32_t)n};
  return true;
}

static int read_bytes(struct cl_json_typed *t, const struct cl_schema *schema, struct cl_val *v) {
  struct cl_str bytes = {0};
  int rc = 0;
  if (v->kind != CL_STRING) {
    set_null(t, schema, v);
    return 0;
  }
  if (!decode_text(t, v, &bytes, &rc))
    return cl_json_data_error(t->err, NULL, "Invalid bytes field");
  *v = (struct cl_val){.kind = CL_BYTES, .len = bytes.len, .s = bytes.p};
  return rc;
}

/* ------------------------------------------------------------ containers */

/* Any node can be iterated: objects give their values, scalars nothing. */
static int read_array(struct cl_json_typed *t, const struct cl_schema *schema, struct cl_val *v) {
  struct cl_arr *arr;
  if (v->kind == CL_ARRAY) {
    arr = v->arr;
  } else {
    uint32_t n = v->kind == CL_OBJECT ? v->obj->n : 0;
    arr = cl_arena_alloc(t->b->arena, sizeof(*arr) + n * sizeof(*arr->v));
    if (!arr)
      return no_memory(t);
    *arr = (struct cl_arr){.n = n, .cap = n, .v = (struct cl_val *)(arr + 1)};
    for (uint32_t i = 0; i < n; i++)
      arr->v[i] = v->obj->e[i].val;
    *v = (struct cl_val){.kind = CL_ARRAY, .arr = arr};
  }
  int rc = 0;
  for (uint32_t i = 0; rc == 0 && i < arr->n; i++)
    rc = cl_json_read_typed(t, schema->value, &arr->v[i]);
  return rc;
}

struct keyed { /* a map whose keys are compared */
  const struct cl_space *space;
  const struct cl_map *map;
};

/* Java compares byte arrays by their address, so no two of them are equal. */
static bool has_bytes(const struct cl_val *v) {
  if (v->kind == CL_ARRAY)
    for (uint32_t i = 0; i < v->arr->n; i++)
      if (has_bytes(&v->arr->v[i]))
        return true;
  return v->kind == CL_BYTES;
}

/* Containers by their hash alone: comparing maps takes the square of their size. */
static bool same_key(const void *arg, uint32_t i, uint32_t j) {
  const struct keyed *k = arg;
  const struct cl_val *a = &k->map->e[i].key, *b = &k->map->e[j].key;
  return (a->kind >= CL_ARRAY && b->kind >= CL_ARRAY) || cl_value_equal(k->space, a, b);
}

/* HashMap.put of all entries in turn. */
static __attribute__((noinline)) int put_all(struct cl_json_typed *t, struct cl_map *map) {
  struct keyed k = {t->b->space, map};
  uint32_t kept = 0;
  uint64_t *hash = cl_arena_alloc(t->b->arena, map->n * sizeof(*hash));
  if (!hash)
    return no_memory(t);
  for (uint32_t i = 0; i < map->n; i++) {
    hash[i] = cl_value_hash(t->b->space, &map->e[i].key);
    if (has_bytes(&map->e[i].key)) /* a key of its own */
      hash[i] = cl_value_mix(hash[i], i);
  }
  const uint32_t *place = cl_value_distinct(t->b->space, &(struct cl_keys){map->n, 1, hash, same_key, &k});
  if (!place)
    return no_memory(t);
  for (uint32_t i = 0; i < map->n; i++) {
    map->e[place[i]].val = map->e[i].val;
    if (place[i] == kept)
      map->e[kept++].key = map->e[i].key;
  }
  map->n = kept;
  map->java_cap = 16;
  return 0;
}

static int read_pairs(struct cl_json_typed *t, const struct cl_schema *schema, struct cl_val *v) {
  if (v->kind != CL_ARRAY)
    return cl_json_data_error(
        t->err, NULL, "Maps with non-string fields should be encoded as JSON array of tuples, but found %s",
        cl_json_node_name(v));
  const struct cl_arr *arr = v->arr;
  struct cl_map *map = cl_arena_alloc(t->b->arena, sizeof(*map) + arr->n * sizeof(*map->e));
  if (!map)
    return no_memory(t);
  *map = (struct cl_map){.cap = arr->n, .e = (struct cl_map_entry *)(map + 1)};
  for (uint32_t i = 0; i < arr->n; i++) {
    const struct cl_val *pair = &arr->v[i];
    if (pair->kind != CL_ARRAY)
      return cl_json_data_error(t->err, NULL, "Found invalid map entry instead of array tuple: %s",
                                cl_json_node_name(pair));
    if (pair->arr->n != 2)
      return cl_json_data_error(t->err, NULL, "Found invalid map entry, expected length 2 but found :%u",
                                pair->arr->n);
    struct cl_map_entry e = {pair->arr->v[0], pair->arr->v[1]};
    bool read_doubles = t->read_doubles;
    t->read_doubles = true;
    int rc = cl_json_read_typed(t, schema->key, &e.key);
    t->read_doubles = read_doubles;
    if (rc != 0 || (rc = cl_json_read_typed(t, schema->value, &e.val)) != 0)
      return rc;
    map->e[map->n++] = e;
  }
  if (put_all(t, map) != 0)
    return t->err->code;
  *v = (struct cl_val){.kind = CL_MAP, .map = map};
  return 0;
}

static int read_map(struct cl_json_typed *t, const struct cl_schema *schema, struct cl_val *v) {
  if (schema->key->type != CL_TYPE_STRING)
    return read_pairs(t, schema, v);
  if (v->kind != CL_OBJECT)
    return cl_json_data_error(t->err, NULL,
                              "Maps with string fields should be encoded as JSON objects, but found %s",
                              cl_json_node_name(v));
  int rc = 0;
  for (uint32_t i = 0; rc == 0 && i < v->obj->n; i++)
    rc = cl_json_read_typed(t, schema->value, &v->obj->e[i].val);
  return rc;
}

/* Apart, since its room is not the recursion's. */
__attribute__((noinline)) static int check_nulls(struct cl_json_typed *t, const struct cl_field *f,
                                                 struct cl_val *v) {
  char location[256];
  snprintf(location, sizeof(location), "field: \"%s\"", CL_SHOWN(f->name.p, f->name.len));
  return cl_json_check_nulls(t, f->schema, v, location);
}

static int read_struct(struct cl_json_typed *t, const struct cl_schema *schema, struct cl_val *v) {
  if (v->kind != CL_OBJECT)
    return cl_json_data_error(t->err, NULL, "Structs should be encoded as JSON objects, but found %s",
                              cl_json_node_name(v));
  struct cl_obj *obj = v->obj;
  struct cl_struct *st = cl_arena_alloc(t->b->arena, sizeof(*st) + schema->n_fields * sizeof(*st->v));
  if (!st)
    return no_memory(t);
  *st = (struct cl_struct){.schema = schema, .n = schema->n_fields, .v = (struct cl_val *)(st + 1)};
  uint32_t at = 0; /* payloads mostly come in the order of the fields */
  for (uint32_t i = 0; i < st->n; i++) {
    const struct cl_field *f = &schema->fields[i];
    if (at >= obj->n || obj->e[at].sym != f->sym)
      at = cl_value_find(t->b->space, obj, f->sym);
    st->v[i] = at < obj->n ? obj->e[at].val : (struct cl_val){.kind = CL_NULL};
    at = at < obj->n ? at + 1 : 0;
    if (cl_json_read_typed(t, f->schema, &st->v[i]) != 0)
      return t->err->code;
    if (t->bad_null) {
      t->bad_null = false;
      if (check_nulls(t, f, &st->v[i]) != 0)
        return t->err->code;
    }
  }
  *v = (struct cl_val){.kind = CL_STRUCT, .st = st};
  return 0;
}

/* --------------------------------------------------------- logical types */

static int read_decimal(struct cl_json_typed *t, const struct cl_schema *schema, struct cl_val *v) {
  struct cl_decimal *dec = cl_arena_alloc(t->b->arena, sizeof(*dec));
  if (!dec)
    return no_memory(t);
  if (v->kind == CL_INT) {
    char text[CL_NUM_TEXT];
    if (!cl_num_decimal(t->b->arena, text, cl_num_print_int(v->i, text), dec))
      return no_memory(t);
  } else if (is_number(v)) {
    if (!cl_num_decimal(t->b->arena, v->s, v->len, dec))
      return no_memory(t);
  } else if (v->kind == CL_STRING) {
    struct cl_str bytes = {0}, scale = {0};
    int rc = 0;
    for (uint32_t i = 0; i < schema->n_params; i++)
      if (schema->params[i].name.len == 5 && memcmp(schema->params[i].name.p, "scale", 5) == 0)
        scale = schema->params[i].value;
    if (!decode_text(t, v, &bytes, &rc) || (rc == 0 && bytes.len == 0) ||
        !cl_num_parse_int32(scale, &dec->scale))
      return cl_json_data_error(t->err, NULL, "Invalid bytes for Decimal field");
    if (rc != 0)
      return rc;
    if (bytes.len > CL_DECIMAL_BYTES)
      return cl_json_data_error(t->err, NULL, "Decimals of more than %d bytes are not supported",
                                CL_DECIMAL_BYTES);
    dec->digits = cl_num_from_bytes(t->b->arena, (const unsigned char *)bytes.p, bytes.len);
    if (!dec->digits.p)
      return no_memory(t);
  } else {
    return cl_json_data_error(
        t->err, NULL,
        "Invalid type for Decimal, underlying representation should be numeric or bytes but was %s",
        cl_json_node_name(v));
  }
  *v = (struct cl_val){.kind = CL_DECIMAL, .dec = dec};
  return 0;
}

static int read_date(struct cl_json_typed *t, const struct cl_schema *schema, struct cl_val *v) {
  if (schema->logical == CL_LOGICAL_TIMESTAMP) {
    if (v->kind != CL_INT && v->kind != CL_BIGINT)
      return cl_json_data_error(
          t->err, NULL, "Invalid type for Timestamp, underlying representation should be integral but was %s",
          cl_json_node_name(v));
    *v = (struct cl_val){.kind = CL_TIMESTAMP, .i = cl_json_low64(v)};
    return 0;
  }
  bool is_date = schema->logical == CL_LOGICAL_DATE;
  if (v->kind != CL_INT || v->i < INT32_MIN || v->i > INT32_MAX)
    return cl_json_data_error(t->err, NULL,
                              "Invalid type for %s, underlying representation should be integer but was %s",
                              is_date ? "Date" : "Time", cl_json_node_name(v));
  if (!is_date && (v->i < 0 || v->i > CL_DAY_MS))
    return cl_json_data_error(
        t->err, NULL, "Time values must use number of milliseconds greater than 0 and less than 86400000");
  *v = (struct cl_val){.kind = is_date ? CL_DATE : CL_TIME, .i = is_date ? v->i * CL_DAY_MS : v->i};
  return 0;
}

/* ----------------------------------------------------------------- entry */

int cl_json_read_typed(struct cl_json_typed *t, const struct cl_schema *schema, struct cl_val *v) {
  if (v->kind == CL_NULL) {
    if (!cl_value_is_null(&schema->def) && t->null_to_default) {
      /* A container of its own: the schema's is everybody's. */
      return cl_value_clone(t->b->arena, &schema->def, v, NULL)
                 ? 0
                 : cl_err_set(t->err, CL_ENOMEM, "no memory left in the batch");
    }
    if (schema->optional)
      return 0;
    return cl_json_data_error(t->err, NULL, "Invalid null value for required %s field",
                              cl_type_name((enum cl_type)schema->type));
  }
  if (schema->logical)
    return schema->logical == CL_LOGICAL_DECIMAL ? read_decimal(t, schema, v) : read_date(t, schema, v);
  switch ((enum cl_type)schema->type) {
  case CL_TYPE_INT8: set_int(v, 8, (int8_t)(uint8_t)cl_json_low64(v)); return 0;
  case CL_TYPE_INT16: set_int(v, 16, (int16_t)(uint16_t)cl_json_low64(v)); return 0;
  case CL_TYPE_INT32: set_int(v, 32, (int32_t)(uint32_t)cl_json_low64(v)); return 0;
  case CL_TYPE_INT64: set_int(v, 64, cl_json_low64(v)); return 0;
  case CL_TYPE_FLOAT32: set_float(v); return 0;
  case CL_TYPE_FLOAT64: set_double(t, v); return 0;
  case CL_TYPE_BOOLEAN: *v = (struct cl_val){.kind = v->kind == CL_TRUE ? CL_TRUE : CL_FALSE}; return 0;
  case CL_TYPE_STRING:
    if (v->kind != CL_STRING)
      set_null(t, schema, v);
    return 0;
  case CL_TYPE_BYTES: return read_bytes(t, schema, v);
  case CL_TYPE_ARRAY: return read_array(t, schema, v);
  case CL_TYPE_MAP: return read_map(t, schema, v);
  case CL_TYPE_STRUCT: return read_struct(t, schema, v);
  }
  return cl_json_data_error(t->err, NULL, "Unknown schema type: %u", schema->type);
}

int cl_json_check_nulls(struct cl_json_typed *t, const struct cl_schema *schema, const struct cl_val *v,
                        const char *location) {
  char inner[512];
  int rc = 0;
  if (cl_value_is_null(v)) {
    if (schema->optional)
      return 0;
    return cl_json_data_error(t->err, NULL, "Invalid value: null used for required %s, schema type: %s",
                              location, cl_type_name((enum cl_type)schema->type));
  }
  if (v->kind == CL_ARRAY) {
    snprintf(inner, sizeof(inner), "element of array %s", location);
    for (uint32_t i = 0; rc == 0 && i < v->arr->n; i++)
      rc = cl_json_check_nulls(t, schema->value, &v->arr->v[i], inner);
  } else if (v->kind == CL_OBJECT) {
    snprintf(inner, sizeof(inner), "value of map %s", location);
    for (uint32_t i = 0; rc == 0 && i < v->obj->n; i++)
      rc = cl_json_check_nulls(t, schema->value, &v->obj->e[i].val, inner);
  } else if (v->kind == CL_MAP) {
    for (uint32_t i = 0; rc == 0 && i < v->map->n; i++) {
      snprintf(inner, sizeof(inner), "key of map %s", location);
      rc = cl_json_check_nulls(t, schema->key, &v->map->e[i].key, inner);
      snprintf(inner, sizeof(inner), "value of map %s", location);
      rc = rc ? rc : cl_json_check_nulls(t, schema->value, &v->map->e[i].val, inner);
    }
  }
  return rc; /* structs checked themselves when they were read */
}
