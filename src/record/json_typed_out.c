/* SPDX-License-Identifier: Apache-2.0
 * Values written under a schema: JsonConverter.convertToJson. Thread: the task's. */
#include <string.h>

#include "base/arena.h"
#include "record/build.h"
#include "record/calendar.h"
#include "record/json_typed.h"
#include "record/num.h"
#include "record/space_impl.h"
#include "record/value.h"

static int wrong_class(struct cl_json_typed_out *t, const struct cl_schema *s, const struct cl_val *v) {
  if (s->type == CL_TYPE_BYTES)
    return cl_json_data_error(t->out.err, NULL, "Invalid type for bytes type: class %s", cl_value_class(v));
  return cl_json_data_error(t->out.err, NULL, "Invalid type for %s: class %s",
                            cl_type_name((enum cl_type)s->type), cl_value_class(v));
}

/* -------------------------------------------------------- logical types */

static int decimal_scale(struct cl_json_typed_out *t, const struct cl_schema *s, int32_t *out) {
  struct cl_str text = {0};
  if (!s->n_params)
    return cl_json_data_error(t->out.err, CL_JAVA_NULL_POINTER,
                              "Cannot invoke \"java.util.Map.get(Object)\" because the return value of "
                              "\"org.apache.kafka.connect.data.Schema.parameters()\" is null");
  for (uint32_t i = 0; i < s->n_params; i++)
    if (s->params[i].name.len == 5 && memcmp(s->params[i].name.p, "scale", 5) == 0)
      text = s->params[i].value;
  if (!text.p)
    return cl_json_data_error(t->out.err, NULL, "Invalid Decimal schema: scale parameter not found.");
  if (!cl_num_parse_int32(text, out))
    return cl_json_data_error(t->out.err, NULL, "Invalid scale parameter found in Decimal schema: ");
  return 0;
}

static int write_decimal(struct cl_json_typed_out *t, const struct cl_schema *s, const struct cl_val *v) {
  struct cl_json_out *o = &t->out;
  if (v->kind != CL_DECIMAL)
    return cl_json_data_error(o->err, NULL, "Invalid type for Decimal, expected BigDecimal but was class %s",
                              cl_value_class(v));
  if (t->decimal_numeric) {
    char *text = cl_arena_alloc(o->b->arena, v->dec->digits.len + CL_NUM_TEXT);
    if (!text)
      return cl_err_set(o->err, CL_ENOMEM, "no memory for a decimal");
    cl_json_out_add(o, text, cl_num_print_decimal(v->dec, text));
    return 0;
  }
  int32_t scale;
  if (decimal_scale(t, s, &scale) != 0)
    return o->err->code;
  if (scale != v->dec->scale)
    return cl_json_data_error(o->err, NULL,
                              "Decimal value has mismatching scale for given Decimal schema. Schema has "
                              "scale %d, value has scale %d.",
                              scale, v->dec->scale);
  if (v->dec->digits.len > CL_DECIMAL_BYTES * 5 / 2)
    return cl_json_data_error(o->err, NULL, "Decimals of more than %d bytes are not supported",
                              CL_DECIMAL_BYTES);
  struct cl_str bytes = cl_num_to_bytes(o->b->arena, v->dec->digits);
  if (!bytes.p)
    return cl_err_set(o->err, CL_ENOMEM, "no memory for a decimal");
  cl_json_out_base64(o, bytes.p, bytes.len);
  return 0;
}

static int write_date(struct cl_json_typed_out *t, const struct cl_schema *s, const struct cl_val *v) {
  static const char *const names[] = {"", "", "Date", "Time", "Timestamp"};
  struct cl_json_out *o = &t->out;
  if (v->kind != CL_DATE && v->kind != CL_TIME && v->kind != CL_TIMESTAMP)
    return cl_json_data_error(o->err, NULL, "Invalid type for %s, expected Date but was class %s",
                              names[s->logical], cl_value_class(v));
  int64_t ms = v->i;
  if (s->logical == CL_LOGICAL_DATE) {
    if (ms % CL_DAY_MS != 0)
      return cl_json_data_error(
          o->err, NULL, "Kafka Connect Date type should not have any time fields set to non-zero values.");
    ms = (int32_t)(uint32_t)(ms / CL_DAY_MS);
  } else if (s->logical == CL_LOGICAL_TIME && (ms < 0 || ms > CL_DAY_MS)) {
    return cl_json_data_error(
        o->err, NULL, "Kafka Connect Time type should not have any date fields set to non-zero values.");
  }
  cl_json_out_int(o, ms);
  return 0;
}

/* ----------------------------------------------------------- containers */

/* A value that is written as it is: of the very class of a type that has no more to it. */
static inline bool is_plain(const struct cl_schema *s, const struct cl_val *v) {
  return !s->logical && s->type < CL_TYPE_ARRAY && cl_value_has_type(v, s);
}

/* A struct's field or, without a key, an array's item. */
static int write_member(struct cl_json_typed_out *t, bool comma, const struct cl_sym *key,
                        const struct cl_schema *s, const struct cl_val *v) {
  if (s && is_plain(s, v))
    return cl_json_out_member(&t->out, comma, key, v) ? 0 : cl_json_out_value(&t->out, v);
  if (comma)
    cl_json_out_char(&t->out, ',');
  if (key)
    cl_json_out_sym(&t->out, key);
  return cl_json_write_typed(t, s, v);
}

static int write_array(struct cl_json_typed_out *t, const struct cl_schema *s, const struct cl_val *v) {
  int rc = 0;
  if (v->kind != CL_ARRAY)
    return wrong_class(t, s, v);
  cl_json_out_char(&t->out, '[');
  for (uint32_t i = 0; rc == 0 && i < v->arr->n; i++)
    rc = write_member(t, i > 0, NULL, s->value, &v->arr->v[i]);
  cl_json_out_char(&t->out, ']');
  return rc;
}

/* The key of a JSON object: its JSON node's asText, which a null key gives as "null". */
static int write_name(struct cl_json_typed_out *t, const struct cl_schema *s, const struct cl_val *key) {
  if (cl_value_is_null(key) && s->optional)
    cl_json_out_add(&t->out, "\"null\"", 6);
  else
    return cl_json_write_typed(t, s, key);
  return 0;
}

static int write_map_entry(struct cl_json_typed_out *t, const struct cl_schema *s, const struct cl_val *v,
                           uint32_t i, bool as_object) {
  struct cl_json_out *o = &t->out;
  int rc;
  if (v->kind == CL_OBJECT) {
    struct cl_str text = cl_space_sym_text(o->b->space, v->obj->e[i].sym);
    struct cl_val key = {.kind = CL_STRING, .len = text.len, .s = text.p};
    if (as_object && s->key->logical == CL_LOGICAL_NONE) {
      cl_json_out_key(o, v->obj->e[i].sym);
      return cl_json_write_typed(t, s->value, &v->obj->e[i].val);
    }
    rc = cl_json_write_typed(t, s->key, &key);
  } else {
    const struct cl_val *key = &v->map->e[i].key;
    rc = as_object ? write_name(t, s->key, key) : cl_json_write_typed(t, s->key, key);
  }
  if (rc != 0)
    return rc;
  cl_json_out_char(o, as_object ? ':' : ',');
  return cl_json_write_typed(t, s->value, v->kind == CL_OBJECT ? &v->obj->e[i].val : &v->map->e[i].val);
}

static int write_map(struct cl_json_typed_out *t, const struct cl_schema *s, const struct cl_val *v) {
  struct cl_json_out *o = &t->out;
  if (v->kind != CL_OBJECT && v->kind != CL_MAP)
    return wrong_class(t, s, v);
  if (!s->key)
    return cl_json_data_error(
        o->err, CL_JAVA_NULL_POINTER,
        "Cannot invoke \"org.apache.kafka.connect.data.Schema.type()\" because the return "
        "value of \"org.apache.kafka.connect.data.Schema.keySchema()\" is null");
  bool as_object = s->key->type == CL_TYPE_STRING, failed = false;
  uint32_t n = v->kind == CL_OBJECT ? v->obj->n : v->map->n;
  const uint32_t *order = cl_json_out_order(o, v, o->java_order || !as_object, &failed);
  if (failed)
    return cl_err_set(o->err, CL_ENOMEM, "no memory to order %u keys", n);
  cl_json_out_char(o, as_object ? '{' : '[');
  int rc = 0;
  for (uint32_t i = 0; rc == 0 && i < n; i++) {
    if (i)
      cl_json_out_char(o, ',');
    if (!as_object)
      cl_json_out_char(o, '[');
    rc = write_map_entry(t, s, v, order ? order[i] : i, as_object);
    if (!as_object)
      cl_json_out_char(o, ']');
  }
  cl_json_out_char(o, as_object ? '}' : ']');
  return rc;
}

static int write_struct(struct cl_json_typed_out *t, const struct cl_schema *s, const struct cl_val *v) {
  int rc = 0;
  if (v->kind != CL_STRUCT)
    return wrong_class(t, s, v);
  if (v->st->schema != s)
    return cl_json_data_error(t->out.err, NULL, "Mismatching schema.");
  cl_json_out_char(&t->out, '{');
  for (uint32_t i = 0; rc == 0 && i < s->n_fields; i++)
    rc = write_member(t, i > 0, cl_space_sym_at(t->out.b->space, s->fields[i].sym), s->fields[i].schema,
                      &v->st->v[i]);
  cl_json_out_char(&t->out, '}');
  return rc;
}

/* ---------------------------------------------------------------- entry */

static int write_null(struct cl_json_typed_out *t, const struct cl_schema *s) {
  if (!cl_value_is_null(&s->def) && t->null_to_default)
    return cl_json_write_typed(t, s, &s->def);
  if (!s->optional)
    return cl_json_data_error(
        t->out.err, NULL, "Conversion error: null value for field that is required and has no default value");
  cl_json_out_add(&t->out, "null", 4);
  return 0;
}

static int write_container(struct cl_json_typed_out *t, const struct cl_schema *s, const struct cl_val *v) {
  if (t->depth >= CL_SCHEMA_DEPTH)
    return cl_json_data_error(t->out.err, NULL, "Schemas nested deeper than %d are not supported",
                              CL_SCHEMA_DEPTH);
  t->depth++;
  int rc = s->type == CL_TYPE_STRUCT  ? write_struct(t, s, v)
           : s->type == CL_TYPE_ARRAY ? write_array(t, s, v)
                                      : write_map(t, s, v);
  t->depth--;
  return rc;
}

int cl_json_write_typed(struct cl_json_typed_out *t, const struct cl_schema *s, const struct cl_val *v) {
  if (!s)
    return cl_json_out_value(&t->out, v);
  if (cl_value_is_null(v))
    return write_null(t, s);
  if (s->logical)
    return s->logical == CL_LOGICAL_DECIMAL ? write_decimal(t, s, v) : write_date(t, s, v);
  if (s->type >= CL_TYPE_ARRAY)
    return write_container(t, s, v);
  return is_plain(s, v) ? cl_json_out_value(&t->out, v) : wrong_class(t, s, v);
}
