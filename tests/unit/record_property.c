/* SPDX-License-Identifier: Apache-2.0
 * Properties of the JSON codec over random input: a value with a schema comes back from its
 * envelope unchanged, and a JSON text from its value. CL_SEED=N has other input; a failing one is printed. */
#include "record_rig.h"

#include "record/build.h"
#include "record/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 300, DEPTH = 4, TEXT = 24, SEED = 1 };

/* ------------------------------------------------------------------- random */

static uint64_t seed;

static uint64_t next(void) { /* splitmix64 */
  uint64_t z = (seed += UINT64_C(0x9e3779b97f4a7c15));
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

static uint32_t below(uint32_t n) { return (uint32_t)(next() % n); }

/* Letters, escapes, controls, two, three and four bytes. */
static struct cl_str random_text(struct rig *r, uint32_t min) {
  static const char *const pieces[] = {"a",
                                       "b",
                                       "Z",
                                       "9",
                                       " ",
                                       "\"",
                                       "\\",
                                       "\n",
                                       "/",
                                       "\x01",
                                       "\xc3\xa9",
                                       "\xe2\x82\xac",
                                       "\xf0\x9f\x98\x80",
                                       "\x7f",
                                       "\t"};
  char text[TEXT * 4 + 1] = "";
  uint32_t n = min + below(TEXT - min);
  for (uint32_t i = 0; i < n; i++)
    strcat(text, pieces[below(sizeof(pieces) / sizeof(*pieces))]);
  return rig_bytes(r, text, strlen(text));
}

static double random_double(void) {
  double d;
  do {
    uint64_t bits = below(3) ? next() : (uint64_t)below(1000) << 44;
    memcpy(&d, &bits, sizeof(d));
  } while (d != d || d - d != 0); /* NaN and infinity are strings in JSON */
  return d == 0 ? 0 : d;          /* Connect reads through BigDecimal, which knows no -0.0 */
}

/* ------------------------------------------------------- schemas and values */

static const struct cl_schema *random_schema(struct rig *r, int depth, bool key);

static void random_attributes(struct rig *r, struct cl_schema *s) {
  s->optional = below(2) == 0;
  if (below(4) == 0)
    s->name = random_text(r, 1);
  if (below(4) == 0)
    s->doc = random_text(r, 0);
  if (below(4) == 0) {
    s->has_version = 1;
    s->version = (int32_t)next();
  }
}

static void random_logical(struct rig *r, struct cl_schema *s) {
  static const struct {
    enum cl_type type;
    const char *name;
  } kinds[] = {{CL_TYPE_BYTES, "Decimal"},
               {CL_TYPE_INT32, "Date"},
               {CL_TYPE_INT32, "Time"},
               {CL_TYPE_INT64, "Timestamp"}};
  uint32_t i = below(4);
  char name[64];
  snprintf(name, sizeof(name), "org.apache.kafka.connect.data.%s", kinds[i].name);
  s->type = (uint8_t)kinds[i].type;
  s->name = rig_bytes(r, name, strlen(name));
  if (i == 0) {
    struct cl_param *p = cl_arena_zalloc(r->b->arena, sizeof(*p));
    char scale[16];
    snprintf(scale, sizeof(scale), "%u", below(10));
    *p = (struct cl_param){rig_bytes(r, "scale", 5), rig_bytes(r, scale, strlen(scale))};
    s->params = p;
    s->n_params = 1;
  }
}

static void random_fields(struct rig *r, struct cl_schema *s, int depth) {
  uint32_t n = below(6);
  struct cl_field *fields = cl_arena_zalloc(r->b->arena, (n + 1) * sizeof(*fields));
  for (uint32_t i = 0; i < n; i++) {
    char name[16];
    snprintf(name, sizeof(name), "f%u", i);
    fields[i].name = rig_bytes(r, name, strlen(name));
    fields[i].schema = random_schema(r, depth + 1, false);
  }
  s->fields = fields;
  s->n_fields = n;
}

static const struct cl_schema *random_schema(struct rig *r, int depth, bool key) {
  struct cl_schema s = {0};
  random_attributes(r, &s);
  uint32_t pick = below(depth < DEPTH && !key ? 16 : 11);
  if (pick < 9) {
    s.type = (uint8_t)(CL_TYPE_INT8 + pick);
  } else if (pick < 11) {
    random_logical(r, &s);
  } else if (pick == 11) {
    s.type = CL_TYPE_ARRAY;
    s.value = random_schema(r, depth + 1, false);
  } else if (pick == 12) {
    s.type = CL_TYPE_MAP;
    s.key = below(2) ? cl_space_primitive(r->space, CL_TYPE_STRING, false) : random_schema(r, depth, true);
    s.value = random_schema(r, depth + 1, false);
  } else {
    s.type = CL_TYPE_STRUCT;
    random_fields(r, &s, depth);
  }
  const struct cl_schema *out = cl_space_intern(r->space, &s);
  assert_non_null(out);
  return out;
}

static void random_value(struct rig *r, const struct cl_schema *s, struct cl_val *out);

static void random_decimal(struct rig *r, const struct cl_schema *s, struct cl_val *out) {
  char digits[40];
  int n = snprintf(digits, sizeof(digits), "%s%u", below(2) ? "-" : "", 1 + below(999999));
  for (uint32_t more = below(20); more; more--)
    digits[n++] = (char)('0' + below(10));
  int32_t scale = s->params[0].value.p[0] - '0';
  assert_int_equal(cl_ffi_put_decimal(r->b, out, digits, (uint32_t)n, scale), 0);
}

static int64_t random_int(int width) { return (int64_t)(next() << (64 - width)) >> (64 - width); }

static void random_map(struct rig *r, const struct cl_schema *s, struct cl_val *out) {
  *out = (struct cl_val){.kind = CL_MAP, .map = cl_ffi_map_new(r->b)};
  for (uint32_t n = below(4); n; n--) {
    struct cl_val key;
    random_value(r, s->key, &key);
    bool known = cl_value_is_null(&key); /* JSON has no such key */
    for (uint32_t i = 0; i < out->map->n; i++)
      known = known || cl_value_equal(r->space, &out->map->e[i].key, &key);
    if (known)
      continue;
    struct cl_map_entry *e = cl_ffi_map_add(r->b, out->map);
    e->key = key;
    random_value(r, s->value, &e->val);
  }
}

static void random_container(struct rig *r, const struct cl_schema *s, struct cl_val *out) {
  if (s->type == CL_TYPE_MAP) {
    random_map(r, s, out);
  } else if (s->type == CL_TYPE_ARRAY) {
    uint32_t n = below(4);
    *out = (struct cl_val){.kind = CL_ARRAY, .arr = cl_ffi_arr_new(r->b, n)};
    for (uint32_t i = 0; i < n; i++)
      random_value(r, s->value, &out->arr->v[i]);
  } else {
    *out = (struct cl_val){.kind = CL_STRUCT, .st = cl_ffi_struct_new(r->b, s)};
    for (uint32_t i = 0; i < s->n_fields; i++)
      random_value(r, s->fields[i].schema, &out->st->v[i]);
  }
}

static void random_scalar(struct rig *r, const struct cl_schema *s, struct cl_val *out) {
  static const int widths[] = {
      [CL_TYPE_INT8] = 8, [CL_TYPE_INT16] = 16, [CL_TYPE_INT32] = 32, [CL_TYPE_INT64] = 64};
  struct cl_str text;
  switch ((enum cl_type)s->type) {
  case CL_TYPE_FLOAT32: {
    float f;
    do
      f = (float)random_double();
    while (f - f != 0 || f == 0);
    *out = (struct cl_val){.kind = CL_FLOAT32, .f = f};
    return;
  }
  case CL_TYPE_FLOAT64: *out = (struct cl_val){.kind = CL_FLOAT64, .f = random_double()}; return;
  case CL_TYPE_BOOLEAN: *out = (struct cl_val){.kind = below(2) ? CL_TRUE : CL_FALSE}; return;
  case CL_TYPE_STRING:
  case CL_TYPE_BYTES:
    text = random_text(r, 0);
    *out = (struct cl_val){
        .kind = s->type == CL_TYPE_STRING ? CL_STRING : CL_BYTES, .s = text.p, .len = text.len};
    return;
  default:
    *out = (struct cl_val){
        .kind = CL_INT, .aux = (uint16_t)widths[s->type], .i = random_int(widths[s->type])};
  }
}

static void random_value(struct rig *r, const struct cl_schema *s, struct cl_val *out) {
  if (s->optional && below(5) == 0)
    *out = (struct cl_val){.kind = CL_NULL};
  else if (s->logical == CL_LOGICAL_DECIMAL)
    random_decimal(r, s, out);
  else if (s->logical == CL_LOGICAL_DATE)
    *out = (struct cl_val){.kind = CL_DATE, .i = random_int(32) * 86400000};
  else if (s->logical == CL_LOGICAL_TIME)
    *out = (struct cl_val){.kind = CL_TIME, .i = below(86400001)};
  else if (s->logical == CL_LOGICAL_TIMESTAMP)
    *out = (struct cl_val){.kind = CL_TIMESTAMP, .i = random_int(64)};
  else if (s->type >= CL_TYPE_ARRAY)
    random_container(r, s, out);
  else
    random_scalar(r, s, out);
}

/* --------------------------------------------------------------- properties */

static bool same(struct rig *r, const struct cl_val *a, const struct cl_val *b);

static bool same_rows(struct rig *r, const struct cl_val *a, uint32_t na, const struct cl_val *b,
                      uint32_t nb) {
  for (uint32_t i = 0; i < na && na == nb; i++)
    if (!same(r, &a[i], &b[i]))
      return false;
  return na == nb;
}

/* Entry i of what stands for a map: an object when its keys are texts. */
static struct cl_map_entry entry(struct rig *r, const struct cl_val *v, uint32_t i) {
  if (v->kind == CL_MAP)
    return v->map->e[i];
  struct cl_str key = cl_space_sym_text(r->space, v->obj->e[i].sym);
  return (struct cl_map_entry){{.kind = CL_STRING, .s = key.p, .len = key.len}, v->obj->e[i].val};
}

static bool same_maps(struct rig *r, const struct cl_val *a, const struct cl_val *b) {
  uint32_t n = a->kind == CL_MAP ? a->map->n : a->obj->n;
  if (n != (b->kind == CL_MAP ? b->map->n : b->obj->n))
    return false;
  for (uint32_t i = 0; i < n; i++) {
    struct cl_map_entry x = entry(r, a, i), y = {0};
    uint32_t j = 0;
    for (; j < n; j++) {
      y = entry(r, b, j);
      if (same(r, &x.key, &y.key))
        break;
    }
    if (j == n || !same(r, &x.val, &y.val))
      return false;
  }
  return true;
}

static bool is_map(const struct cl_val *v) { return v->kind == CL_MAP || v->kind == CL_OBJECT; }

static bool same(struct rig *r, const struct cl_val *a, const struct cl_val *b) {
  if (is_map(a) && is_map(b))
    return same_maps(r, a, b);
  if (a->kind == CL_STRUCT && b->kind == CL_STRUCT)
    return a->st->schema == b->st->schema && same_rows(r, a->st->v, a->st->n, b->st->v, b->st->n);
  if (a->kind == CL_ARRAY && b->kind == CL_ARRAY)
    return same_rows(r, a->arr->v, a->arr->n, b->arr->v, b->arr->n);
  if (a->kind == CL_FLOAT64 && b->kind == CL_NUMTEXT) { /* a literal not read yet */
    char text[64];
    snprintf(text, sizeof(text), "%.*s", (int)b->len, b->s);
    return strtod(text, NULL) == a->f;
  }
  return cl_value_equal(r->space, a, b);
}

static void values_survive_their_envelope(void **state) {
  (void)state;
  for (int i = 0; i < ROUNDS; i++) {
    uint64_t start = seed;
    struct rig r = rig_open();
    struct cl_err err = CL_ERR_INIT;
    struct cl_json_conf conf = {.schemas_enable = true,
                                .schemas_cache_size = 10,
                                .decimal_numeric = below(2),
                                .replace_null_with_default = true};
    struct cl_json *json = cl_json_new(r.space, &conf, &err);
    struct cl_datum d = {.schema = random_schema(&r, 0, false)};
    random_value(&r, d.schema, &d.val);
    if (cl_json_encode(json, r.b, &d, &err) != 0)
      fail_msg("seed %llu: %s", (unsigned long long)start, err.msg);
    struct cl_datum back = {.bytes = d.bytes};
    if (cl_json_decode(json, r.b, &back, &err) != 0)
      fail_msg("seed %llu: %s in %.*s", (unsigned long long)start, err.msg, (int)d.bytes.len, d.bytes.p);
    if (back.schema != d.schema)
      fail_msg("seed %llu: another schema from %.*s", (unsigned long long)start, (int)d.bytes.len, d.bytes.p);
    if (!same(&r, &d.val, &back.val))
      fail_msg("seed %llu: another value from %.*s", (unsigned long long)start, (int)d.bytes.len, d.bytes.p);
    cl_json_free(json);
    rig_close(&r);
  }
}

static void append(struct cl_buf *b, struct rig *r, int depth) {
  struct cl_str text;
  switch (below(depth < DEPTH ? 8 : 6)) {
  case 0: cl_buf_fmt(b, "%lld", (long long)(int64_t)next()); return;
  case 1: cl_buf_fmt(b, "%u.%u", below(1000), 1 + below(9)); return;
  case 2: cl_buf_fmt(b, "null"); return;
  case 3: cl_buf_fmt(b, below(2) ? "true" : "false"); return;
  case 4: cl_buf_fmt(b, "-%u", 1 + below(1000)); return;
  case 5:
    text = random_text(r, 0);
    cl_json_write_text(b, text.p, text.len);
    return;
  case 6:
    cl_buf_char(b, '[');
    for (uint32_t i = 0, n = below(4); i < n; i++) {
      cl_buf_fmt(b, "%s", i ? "," : "");
      append(b, r, depth + 1);
    }
    cl_buf_char(b, ']');
    return;
  default:
    cl_buf_char(b, '{');
    for (uint32_t i = 0, n = below(5); i < n; i++) {
      cl_buf_fmt(b, "%s\"%c%u\":", i ? "," : "", (char)('a' + below(26)), i);
      append(b, r, depth + 1);
    }
    cl_buf_char(b, '}');
  }
}

static void texts_survive_their_value(void **state) {
  (void)state;
  for (int i = 0; i < ROUNDS; i++) {
    uint64_t start = seed;
    struct rig r = rig_open();
    struct cl_buf text = {0}, out = {0};
    struct cl_val v;
    struct cl_err err = CL_ERR_INIT;
    append(&text, &r, 0);
    if (cl_json_read(r.b, text.p, text.len, &v, &err) != 0 || cl_json_write(r.b, &v, false, &out, &err) != 0)
      fail_msg("seed %llu: %s in %s", (unsigned long long)start, err.msg, text.p);
    if (text.len != out.len || memcmp(text.p, out.p, out.len) != 0)
      fail_msg("seed %llu: %s became %s", (unsigned long long)start, text.p, out.p);
    cl_buf_free(&text);
    cl_buf_free(&out);
    rig_close(&r);
  }
}

int main(void) {
  const char *given = getenv("CL_SEED");
  seed = given ? strtoull(given, NULL, 10) : SEED;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_survive_their_envelope),
      cmocka_unit_test(texts_survive_their_value),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
