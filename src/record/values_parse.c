/* SPDX-License-Identifier: Apache-2.0
 * Values.parseString: tokens, arrays and maps. Whatever turns out not to be an array or a map is
 * read again as a plain token, which fails inside another one: so nothing is read more than a few
 * times. Recursion is bounded. Thread: the task's. */
#include "record/values.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "record/batch.h"
#include "record/calendar.h"
#include "record/java_char.h"
#include "record/space_impl.h"
#include "record/value.h"
#include "record/values_impl.h"

enum { NOT_PARSED = 1 };

/* A value with the hash that equal keys share. An item without schema is Java's null. */
struct item {
  struct cl_val val;
  const struct cl_schema *schema;
  uint64_t hash;
};

struct parser {
  struct cl_batch *b;
  struct cl_err *err;
  const char *text;
  uint32_t len, at; /* at: behind the last token */
  uint32_t token;   /* start of the token that was looked at, which ends at `at` */
  bool looked;      /* there is one */
  uint32_t depth;
  struct item *item; /* finished members of the open containers */
  uint32_t n, cap;
  struct cl_buf quoted;
};

struct keyed { /* entries whose keys are compared */
  const struct cl_space *space;
  const struct item *e;
};

static int no_memory(struct parser *p) {
  return cl_err_set(p->err, CL_ENOMEM, "no memory for a value of %u bytes", p->len);
}

/* ------------------------------------------------------------------- tokens */

static bool is_delimiter(char c) { return c && strchr(":,{}[]\"", c) != NULL; }

/* Moves behind the next token: a delimiter, or what is before the next one. */
static uint32_t scan(struct parser *p) {
  uint32_t start = p->at;
  bool escaped = false;
  while (p->at < p->len) {
    char c = p->text[p->at];
    if (is_delimiter(c) && !escaped) {
      p->at += p->at == start;
      break;
    }
    escaped = c == '\\' && !escaped;
    p->at++;
  }
  return start;
}

static bool has_next(const struct parser *p) { return p->looked || p->at < p->len; }
static uint32_t mark(const struct parser *p) { return p->looked ? p->token : p->at; }

static void rewind_to(struct parser *p, uint32_t at) {
  p->at = at;
  p->looked = false;
}

static struct cl_str next(struct parser *p) {
  uint32_t start = p->looked ? p->token : scan(p);
  p->looked = false;
  return (struct cl_str){p->text + start, p->at - start};
}

/* The next token that is not blank, or the last one, without its blanks. */
static struct cl_str look(struct parser *p) {
  if (!p->looked)
    p->token = scan(p);
  p->looked = true;
  struct cl_str s;
  while ((s = cl_values_trim(p->text + p->token, p->at - p->token)).len == 0 && p->at < p->len)
    p->token = scan(p);
  return s;
}

static bool consume(struct parser *p, char delimiter) {
  if (!has_next(p))
    return false;
  struct cl_str s = look(p);
  if (s.len != 1 || *s.p != delimiter)
    return false;
  p->looked = false;
  return true;
}

/* The kind of the literal that comes next, which is the whole rest at the top; or CL_MISSING. */
static enum cl_kind consume_word(struct parser *p, bool embedded) {
  uint32_t start = mark(p);
  struct cl_str s = look(p);
  enum cl_kind kind = CL_MISSING;
  if (s.len == 4 && memcmp(s.p, "null", 4) == 0)
    kind = CL_NULL;
  else if (s.len == 4 && memcmp(s.p, "true", 4) == 0)
    kind = CL_TRUE;
  else if (s.len == 5 && memcmp(s.p, "false", 5) == 0)
    kind = CL_FALSE;
  if (kind != CL_MISSING && (embedded || p->at == p->len))
    p->looked = false;
  else
    rewind_to(p, start), kind = CL_MISSING;
  return kind;
}

/* ------------------------------------------------------------- keys, hashes */

/* Containers by their hash alone: comparing maps takes the square of their size. */
static bool same_key(const void *arg, uint32_t i, uint32_t j) {
  const struct keyed *k = arg;
  const struct cl_val *a = &k->e[2 * i].val, *b = &k->e[2 * j].val;
  return (a->kind >= CL_ARRAY && b->kind >= CL_ARRAY) || cl_value_equal(k->space, a, b);
}

/* Map.put of all: the entries (key, value, key, value, ...) from base on, each key once, at its first
 * place with its last value. */
static int put_all(struct parser *p, uint32_t base) {
  uint32_t n = (p->n - base) / 2, kept = 0;
  if (n == 0)
    return 0;
  struct item *e = p->item + base;
  struct keyed k = {p->b->space, e};
  const uint32_t *place = cl_value_distinct(
      p->b->space, &(struct cl_keys){n, 2 * sizeof(*e) / sizeof(e->hash), &e->hash, same_key, &k});
  if (!place)
    return no_memory(p);
  for (uint32_t i = 0; i < n; i++) {
    e[2 * place[i] + 1] = e[2 * i + 1];
    if (place[i] == kept)
      e[2 * kept++] = e[2 * i];
  }
  p->n = base + 2 * kept;
  return 0;
}

/* ------------------------------------------------------- schemas of elements */

struct merger {
  const struct cl_schema *common;
  bool differ; /* there is none any more */
};

static bool is_number_type(const struct cl_schema *s) { return s->type <= CL_TYPE_FLOAT64; }

static void merge(struct merger *m, const struct cl_schema *latest) {
  if (!latest || m->differ)
    return;
  if (!m->common || m->common->type == latest->type) {
    m->common = latest;
  } else if (is_number_type(m->common) && is_number_type(latest)) {
    if (latest->type > m->common->type)
      m->common = latest;
  } else {
    m->common = NULL;
    m->differ = true;
  }
}

/* A number as the Date, Time or Timestamp that its encoding stands for. */
static int number_to_date(const struct cl_schema *to, struct cl_val *v) {
  if (v->kind != CL_INT)
    return NOT_PARSED;
  if (to->logical == CL_LOGICAL_TIME && (v->i < 0 || v->i > CL_DAY_MS))
    return NOT_PARSED;
  *v = to->logical == CL_LOGICAL_DATE   ? (struct cl_val){.kind = CL_DATE, .i = v->i * CL_DAY_MS}
       : to->logical == CL_LOGICAL_TIME ? (struct cl_val){.kind = CL_TIME, .i = v->i}
                                        : (struct cl_val){.kind = CL_TIMESTAMP, .i = v->i};
  return 0;
}

/* Values.convertTo, for what can meet in one container. NOT_PARSED = it cannot be converted. */
static int align(struct parser *p, const struct cl_schema *to, struct item *item) {
  struct cl_val *v = &item->val;
  bool is_date = v->kind >= CL_DATE && v->kind <= CL_TIMESTAMP;
  if (v->kind == CL_NULL)
    return NOT_PARSED;
  if (!is_number_type(to))
    return 0; /* of the same type already */
  if (to->logical != CL_LOGICAL_NONE && is_date) {
    v->kind = to->logical == CL_LOGICAL_DATE   ? CL_DATE
              : to->logical == CL_LOGICAL_TIME ? CL_TIME
                                               : CL_TIMESTAMP;
    return 0; /* a java.util.Date stays what it is */
  }
  if (is_date)
    return NOT_PARSED;
  if (to->logical != CL_LOGICAL_NONE) {
    int rc = number_to_date(to, v);
    item->hash = cl_value_hash(p->b->space, v);
    return rc;
  }
  if (to->type == CL_TYPE_FLOAT32 && v->kind == CL_INT)
    *v = (struct cl_val){.kind = CL_FLOAT32, .f = (double)(float)(double)v->i};
  else if (to->type == CL_TYPE_FLOAT64)
    *v = (struct cl_val){.kind = CL_FLOAT64, .f = v->kind == CL_INT ? (double)v->i : v->f};
  else if (v->kind == CL_INT)
    v->aux = (uint16_t)(8 << (to->type - CL_TYPE_INT8));
  item->hash = cl_value_hash(p->b->space, v);
  return 0;
}

/* Every step-th item from first on. */
static int align_all(struct parser *p, const struct cl_schema *to, uint32_t first, uint32_t step) {
  int rc = 0;
  for (uint32_t i = first; to && rc == 0 && i < p->n; i += step)
    rc = align(p, to, &p->item[i]);
  return rc;
}

/* --------------------------------------------------------------- containers */

static int push(struct parser *p, const struct item *item) {
  if (p->n == p->cap) {
    uint32_t cap = p->cap ? p->cap * 2 : 64;
    struct item *more = realloc(p->item, cap * sizeof(*more));
    if (!more)
      return no_memory(p);
    p->item = more;
    p->cap = cap;
  }
  p->item[p->n++] = *item;
  return 0;
}

static int finish(struct parser *p, const struct cl_schema *draft, const struct cl_val *v, uint64_t hash,
                  struct item *out) {
  *out = (struct item){.val = *v, .schema = cl_space_intern(p->b->space, draft), .hash = hash};
  return out->schema ? 0 : no_memory(p);
}

static int close_array(struct parser *p, uint32_t base, const struct merger *m, struct item *out) {
  int rc = align_all(p, m->common, base, 1);
  if (rc != 0)
    return rc;
  uint32_t n = p->n - base;
  struct cl_arr *arr = cl_arena_alloc(p->b->arena, sizeof(*arr) + n * sizeof(*arr->v));
  if (!arr)
    return no_memory(p);
  *arr = (struct cl_arr){.n = n, .cap = n, .v = (struct cl_val *)(arr + 1)};
  uint64_t hash = cl_value_mix(p->b->space->seed, CL_ARRAY);
  for (uint32_t i = 0; i < n; i++) {
    arr->v[i] = p->item[base + i].val;
    hash = cl_value_mix(hash, p->item[base + i].hash);
  }
  return finish(p, &(struct cl_schema){.type = CL_TYPE_ARRAY, .value = m->common},
                &(struct cl_val){.kind = CL_ARRAY, .arr = arr}, hash, out);
}

/* Entries with string keys alone are an object, as those of JSON are. */
static int make_object(struct parser *p, const struct item *e, uint32_t n, struct cl_val *out) {
  struct cl_obj *obj = cl_arena_alloc(p->b->arena, sizeof(*obj) + n * sizeof(*obj->e));
  if (!obj)
    return no_memory(p);
  *obj = (struct cl_obj){.n = n, .cap = n, .java_cap = 16, .linked = 1, .e = (struct cl_entry *)(obj + 1)};
  for (uint32_t i = 0; i < n; i++) {
    const struct cl_val *key = &e[2 * i].val;
    obj->e[i] = (struct cl_entry){.sym = cl_space_sym(p->b->space, key->s, key->len),
                                  .val = e[2 * i + 1].val};
    if (!obj->e[i].sym)
      return no_memory(p);
  }
  *out = (struct cl_val){.kind = CL_OBJECT, .obj = obj};
  return 0;
}

static int make_map(struct parser *p, const struct item *e, uint32_t n, struct cl_val *out) {
  struct cl_map *map = cl_arena_alloc(p->b->arena, sizeof(*map) + n * sizeof(*map->e));
  if (!map)
    return no_memory(p);
  *map = (struct cl_map){
      .n = n, .cap = n, .java_cap = 16, .linked = 1, .e = (struct cl_map_entry *)(map + 1)};
  for (uint32_t i = 0; i < n; i++)
    map->e[i] = (struct cl_map_entry){e[2 * i].val, e[2 * i + 1].val};
  *out = (struct cl_val){.kind = CL_MAP, .map = map};
  return 0;
}

static int close_map(struct parser *p, uint32_t base, const struct merger *keys, const struct merger *values,
                     struct item *out) {
  int rc = put_all(p, base);
  if (rc == 0)
    rc = align_all(p, keys->common, base, 2);
  if (rc == 0 && keys->common)
    rc = align_all(p, values->common, base + 1, 2);
  if (rc == 0 && keys->common)
    rc = put_all(p, base);
  if (rc != 0)
    return rc;
  uint32_t n = (p->n - base) / 2;
  const struct item *e = n ? p->item + base : NULL;
  bool strings = true;
  uint64_t hash = cl_value_mix(p->b->space->seed, CL_MAP);
  for (uint32_t i = 0; i < n; i++) {
    strings &= e[2 * i].val.kind == CL_STRING;
    hash += cl_value_mix(e[2 * i].hash, e[2 * i + 1].hash); /* in any order */
  }
  struct cl_val v;
  rc = strings ? make_object(p, e, n, &v) : make_map(p, e, n, &v);
  const struct cl_schema *key = keys->common;
  return rc ? rc
            : finish(
                  p,
                  &(struct cl_schema){.type = CL_TYPE_MAP, .key = key, .value = key ? values->common : NULL},
                  &v, hash, out);
}

static int parse(struct parser *p, bool embedded, struct item *out);

static int parse_array(struct parser *p, struct item *out) {
  uint32_t base = p->n;
  struct merger m = {0};
  while (has_next(p)) {
    if (consume(p, ']'))
      return close_array(p, base, &m, out);
    if (consume(p, ','))
      return NOT_PARSED;
    struct item element;
    int rc = parse(p, true, &element);
    if (rc != 0 || (rc = push(p, &element)) != 0)
      return rc;
    merge(&m, element.schema);
    uint32_t at = mark(p);
    if (consume(p, ']'))
      rewind_to(p, at);
    else if (!consume(p, ','))
      return NOT_PARSED;
  }
  return NOT_PARSED;
}

static int parse_map(struct parser *p, struct item *out) {
  uint32_t base = p->n;
  struct merger keys = {0}, values = {0};
  while (has_next(p)) {
    if (consume(p, '}'))
      return close_map(p, base, &keys, &values, out);
    if (consume(p, ','))
      return NOT_PARSED;
    struct item key, value;
    int rc = parse(p, true, &key);
    if (rc == 0 && (!key.schema || !consume(p, ':')))
      rc = NOT_PARSED;
    if (rc != 0 || (rc = push(p, &key)) != 0 || (rc = parse(p, true, &value)) != 0 ||
        (rc = push(p, &value)) != 0)
      return rc;
    consume(p, ',');
    merge(&keys, key.schema);
    merge(&values, value.schema);
  }
  return NOT_PARSED;
}

/* The container that was just opened. */
static int parse_container(struct parser *p, char opening, struct item *out) {
  uint32_t base = p->n;
  if (p->depth == CL_VALUES_DEPTH) {
    cl_err_set(p->err, CL_EDATA, "arrays and maps nested deeper than %d", CL_VALUES_DEPTH);
    p->err->class = "java.lang.StackOverflowError";
    return CL_EDATA;
  }
  p->depth++;
  int rc = opening == '[' ? parse_array(p, out) : parse_map(p, out);
  p->depth--;
  p->n = base;
  return rc;
}

/* ------------------------------------------------------------------ scalars */

static int set_string(struct parser *p, const char *s, size_t len, struct item *out) {
  out->val = (struct cl_val){.kind = CL_STRING, .len = (uint32_t)len, .s = s};
  out->schema = cl_space_primitive(p->b->space, CL_TYPE_STRING, false);
  return out->schema ? 0 : no_memory(p);
}

/* The tokens up to the closing quote, which are one piece of the text unless blank ones are left out. */
static int parse_quoted(struct parser *p, struct item *out) {
  struct cl_str whole = {p->text + p->at, 0};
  bool pieces = false;
  p->quoted.len = 0;
  while (has_next(p) && !consume(p, '"')) {
    struct cl_str token = next(p);
    if (!pieces && token.p != whole.p + whole.len) {
      if (whole.len) {
        pieces = true;
        cl_buf_add(&p->quoted, whole.p, whole.len);
      } else {
        whole.p = token.p;
      }
    }
    if (pieces)
      cl_buf_add(&p->quoted, token.p, token.len);
    else
      whole.len += token.len;
  }
  if (p->quoted.failed)
    return no_memory(p);
  if (pieces && !(whole.p = cl_arena_copy(p->b->arena, p->quoted.p, p->quoted.len)))
    return no_memory(p);
  if (pieces)
    whole.len = (uint32_t)p->quoted.len;
  int rc = cl_values_temporal(p->b, whole.p, whole.len, &out->val, &out->schema, p->err);
  return rc == 1 ? 0 : rc ? rc : set_string(p, whole.p, whole.len, out);
}

/* A time has colons, which are tokens: this one with the next four, or it alone. */
static int parse_temporal(struct parser *p, struct cl_str token, struct item *out) {
  char text[CL_VALUES_TEMPORAL];
  uint32_t start = p->at;
  int rc = 0, tokens = 0;
  while (tokens < 4 && has_next(p)) {
    next(p);
    tokens++;
  }
  uint32_t rest = p->at - start;
  if (tokens == 4 && token.len + (size_t)rest <= sizeof(text)) {
    memcpy(text, token.p, token.len);
    memcpy(text + token.len, p->text + start, rest);
    rc = cl_values_temporal(p->b, text, token.len + rest, &out->val, &out->schema, p->err);
  }
  if (rc != 0)
    return rc;
  rewind_to(p, start);
  return cl_values_temporal(p->b, token.p, token.len, &out->val, &out->schema, p->err);
}

static int parse_token(struct parser *p, bool embedded, struct item *out) {
  struct cl_str token = next(p), trimmed = cl_values_trim(token.p, token.len);
  if (!trimmed.len)
    return set_string(p, token.p, token.len, out);
  const char *first = trimmed.p;
  bool digit = cl_java_digit(cl_java_next(&first, trimmed.p + trimmed.len)) >= 0;
  int rc = 0;
  if (digit)
    rc = parse_temporal(p, trimmed, out);
  if (rc == 0 && (digit || *trimmed.p == '+' || *trimmed.p == '-'))
    rc = cl_values_number(p->b, trimmed.p, trimmed.len, &out->val, &out->schema, p->err);
  if (rc != 0)
    return rc == 1 ? 0 : rc;
  return embedded ? NOT_PARSED : set_string(p, p->text, p->len, out);
}

static int parse_scalar(struct parser *p, bool embedded, struct item *out) {
  int rc = embedded && consume(p, '"') ? parse_quoted(p, out) : parse_token(p, embedded, out);
  out->hash = rc == 0 ? cl_value_hash(p->b->space, &out->val) : 0;
  return rc;
}

static int parse(struct parser *p, bool embedded, struct item *out) {
  *out = (struct item){.val = {.kind = CL_NULL}};
  if (!has_next(p))
    return 0;
  struct cl_str first = embedded ? look(p) : (struct cl_str){0};
  if (first.len == 1 && *first.p == '"')
    return parse_scalar(p, true, out);
  enum cl_kind word = consume_word(p, embedded);
  if (word != CL_MISSING) {
    out->val.kind = (uint8_t)word;
    out->hash = cl_value_hash(p->b->space, &out->val);
    out->schema = word == CL_NULL ? NULL : cl_space_primitive(p->b->space, CL_TYPE_BOOLEAN, false);
    return word == CL_NULL || out->schema ? 0 : no_memory(p);
  }
  uint32_t start = mark(p);
  if (consume(p, '[') || consume(p, '{')) {
    int rc = parse_container(p, p->text[p->at - 1], out);
    if (rc != NOT_PARSED)
      return rc;
    rewind_to(p, start);
  }
  return parse_scalar(p, embedded, out);
}

/* -------------------------------------------------------------------- entry */

/* Whether the text can be anything but itself. */
static bool is_plain(struct cl_str trimmed) {
  return !trimmed.len || ((unsigned char)*trimmed.p < 0x80 && !strchr("[{+-0123456789ntf", *trimmed.p));
}

int cl_values_parse(struct cl_batch *b, struct cl_str text, struct cl_datum *out, struct cl_err *err) {
  struct parser p = {.b = b, .err = err, .text = text.p, .len = text.len};
  struct item item;
  int rc = is_plain(cl_values_trim(text.p, text.len))
               ? set_string(&p, text.len ? text.p : "", text.len, &item)
               : parse(&p, false, &item);
  free(p.item);
  cl_buf_free(&p.quoted);
  if (rc != 0)
    return rc;
  out->val = item.val;
  out->schema = item.schema;
  return 0;
}
