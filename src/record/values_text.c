/* SPDX-License-Identifier: Apache-2.0
 * Values.convertToString. Open containers live in a bounded array. Thread: the task's. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "record/base64.h"
#include "record/batch.h"
#include "record/calendar.h"
#include "record/json_out.h"
#include "record/num.h"
#include "record/space.h"
#include "record/value.h"
#include "record/values.h"

struct frame {
  const struct cl_val *v;
  uint32_t i, n;         /* maps take two steps an entry: key, value */
  const uint32_t *order; /* of a HashMap; NULL = as they are */
};

static void add(struct cl_json_out *o, const char *s) { cl_json_out_add(o, s, strlen(s)); }

/* In quotes, with a backslash before quotes and backslashes; nothing else is escaped. */
static void add_quoted(struct cl_json_out *o, const char *s, size_t len) {
  size_t from = 0;
  cl_json_out_char(o, '"');
  for (size_t i = 0; i < len; i++) {
    if (s[i] != '"' && s[i] != '\\')
      continue;
    cl_json_out_add(o, s + from, i - from);
    cl_json_out_char(o, '\\');
    from = i;
  }
  if (len)
    cl_json_out_add(o, s + from, len - from);
  cl_json_out_char(o, '"');
}

/* The value chooses the format, whatever its type was: a time of day before 1970-01-02, a date at
 * midnight, both otherwise. */
static void add_date(struct cl_json_out *o, int64_t ms) {
  char text[64];
  int64_t days = cl_floor_div(ms, CL_DAY_MS), rest = cl_floor_mod(ms, CL_DAY_MS), year;
  int month, day, n = 0;
  if (ms >= CL_DAY_MS) {
    cl_date_of_days(days, &year, &month, &day);
    n = snprintf(text, sizeof(text), rest ? "%04lld-%02d-%02dT" : "%04lld-%02d-%02d", (long long)year, month,
                 day);
  }
  if (ms < CL_DAY_MS || rest)
    snprintf(text + n, sizeof(text) - (size_t)n, "%02d:%02d:%02d.%03dZ", (int)(rest / 3600000),
             (int)(rest / 60000 % 60), (int)(rest / 1000 % 60), (int)(rest % 1000));
  add(o, text);
}

static void add_bytes(struct cl_json_out *o, const struct cl_val *v, bool nested) {
  if (nested) {
    cl_json_out_base64(o, v->s, v->len);
    return;
  }
  size_t n = cl_base64_length(v->len);
  if (cl_buf_reserve(o->buf, n)) {
    cl_base64_encode(v->s, v->len, o->buf->p + o->buf->len);
    o->buf->len += n;
  }
}

static int scalar(struct cl_json_out *o, const struct cl_val *v, bool nested) {
  switch ((enum cl_kind)v->kind) {
  case CL_STRING: add_quoted(o, v->s, v->len); return 0; /* always nested: see cl_values_text */
  case CL_BYTES: add_bytes(o, v, nested); return 0;
  case CL_DATE:
  case CL_TIME:
  case CL_TIMESTAMP: add_date(o, v->i); return 0;
  default: return cl_json_out_plain(o, v);
  }
}

static int enter(struct cl_json_out *o, struct frame *f, const struct cl_val *v) {
  bool failed = false;
  *f = (struct frame){.v = v};
  if (v->kind == CL_ARRAY) {
    f->n = v->arr->n;
  } else if (v->kind == CL_STRUCT) {
    f->n = v->st->n;
  } else {
    f->n = 2 * (v->kind == CL_OBJECT ? v->obj->n : v->map->n);
    f->order = cl_json_out_order(o, v, true, &failed);
  }
  cl_json_out_char(o, v->kind == CL_ARRAY ? '[' : '{');
  return failed ? cl_err_set(o->err, CL_ENOMEM, "no memory to order %u keys", f->n / 2) : 0;
}

/* A struct's field, read with its default. */
static const struct cl_val *field(struct cl_json_out *o, const struct cl_struct *st, uint32_t i) {
  const struct cl_field *f = &st->schema->fields[i];
  add_quoted(o, f->name.p, f->name.len);
  cl_json_out_char(o, ':');
  bool use_default = cl_value_is_null(&st->v[i]) && !cl_value_is_null(&f->schema->def);
  return use_default ? &f->schema->def : &st->v[i];
}

/* What comes next in f; a key of an object goes through *key. NULL = closed. */
static const struct cl_val *step(struct cl_json_out *o, struct frame *f, struct cl_val *key) {
  const struct cl_val *v = f->v;
  uint32_t at = f->i++;
  if (at == f->n) {
    cl_json_out_char(o, v->kind == CL_ARRAY ? ']' : '}');
    return NULL;
  }
  bool is_map = v->kind == CL_OBJECT || v->kind == CL_MAP, is_value = is_map && at % 2;
  if (at)
    cl_json_out_char(o, is_value ? ':' : ',');
  if (v->kind == CL_ARRAY)
    return &v->arr->v[at];
  if (v->kind == CL_STRUCT)
    return field(o, v->st, at);
  at = f->order ? f->order[at / 2] : at / 2;
  if (v->kind == CL_MAP)
    return is_value ? &v->map->e[at].val : &v->map->e[at].key;
  if (is_value)
    return &v->obj->e[at].val;
  struct cl_str text = cl_space_sym_text(o->b->space, v->obj->e[at].sym);
  *key = (struct cl_val){.kind = CL_STRING, .len = text.len, .s = text.p};
  return key;
}

static int write(struct cl_json_out *o, const struct cl_val *v) {
  struct frame frame[CL_VALUES_DEPTH];
  struct cl_val key;
  uint32_t depth = 0;
  int rc;
  do {
    if (v->kind < CL_ARRAY)
      rc = scalar(o, v, depth > 0);
    else if (depth < CL_VALUES_DEPTH)
      rc = enter(o, &frame[depth++], v);
    else
      rc = cl_err_set(o->err, CL_EDATA, "a value nested deeper than %d", CL_VALUES_DEPTH);
    while (rc == 0 && depth && !(v = step(o, &frame[depth - 1], &key)))
      depth--;
  } while (rc == 0 && depth);
  return rc;
}

int cl_values_text(struct cl_batch *b, const struct cl_val *v, struct cl_str *out, struct cl_err *err) {
  if (cl_value_is_null(v)) {
    *out = (struct cl_str){0};
    return 0;
  }
  if (v->kind == CL_STRING) {
    *out = (struct cl_str){v->len ? v->s : "", v->len};
    return 0;
  }
  struct cl_buf *buf = cl_space_text(b->space);
  struct cl_json_out o = {.buf = buf, .b = b, .err = err};
  int rc = write(&o, v);
  if (rc == 0)
    rc = cl_json_out_end(&o);
  if (rc != 0)
    return rc;
  *out = (struct cl_str){cl_arena_copy(b->arena, buf->p, buf->len), (uint32_t)buf->len};
  return out->p ? 0 : cl_err_set(err, CL_ENOMEM, "no memory for a text of %zu bytes", buf->len);
}
