/* SPDX-License-Identifier: Apache-2.0
 * Java's toString of values: what StringConverter writes and FileStreamSink prints.
 * Open containers live in a bounded array. Thread: the task's. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "record/calendar.h"
#include "record/codec.h"
#include "record/java.h"
#include "record/json_in.h"
#include "record/json_out.h"
#include "record/num.h"
#include "record/space.h"
#include "record/value.h"

struct frame {
  const struct cl_val *v;
  uint32_t i, n;         /* maps take two steps an entry: key, value */
  const uint32_t *order; /* of a HashMap; NULL = as they are */
  bool written;          /* a struct's field came before */
};

static void add(struct cl_json_out *o, const char *s) { cl_json_out_add(o, s, strlen(s)); }

/* Date.toString in UTC: "Thu Jan 01 00:00:00 UTC 1970". */
static void add_date(struct cl_json_out *o, int64_t ms) {
  static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  int64_t day = cl_floor_div(ms, CL_DAY_MS), rest = cl_floor_mod(ms, CL_DAY_MS) / 1000, year;
  int month, of_month;
  cl_date_of_days(day, &year, &month, &of_month);
  char text[96];
  snprintf(text, sizeof(text), "%s %s %02d %02d:%02d:%02d UTC %lld", days[cl_floor_mod(day + 4, 7)],
           months[month - 1], of_month, (int)(rest / 3600), (int)(rest / 60 % 60), (int)(rest % 60),
           (long long)(year > 0 ? year : 1 - year));
  add(o, text);
}

static int add_decimal(struct cl_json_out *o, const struct cl_decimal *dec) {
  char *text = cl_arena_alloc(o->b->arena, dec->digits.len + CL_NUM_TEXT);
  if (!text)
    return cl_err_set(o->err, CL_ENOMEM, "no memory for a decimal");
  cl_json_out_add(o, text, cl_num_print_decimal(dec, text));
  return 0;
}

int cl_json_out_plain(struct cl_json_out *o, const struct cl_val *v) {
  char text[CL_NUM_TEXT];
  switch ((enum cl_kind)v->kind) {
  case CL_MISSING:
  case CL_NULL: add(o, "null"); return 0;
  case CL_FALSE: add(o, "false"); return 0;
  case CL_TRUE: add(o, "true"); return 0;
  case CL_INT: cl_json_out_int(o, v->i); return 0;
  case CL_FLOAT32: cl_json_out_add(o, text, cl_num_print_float((float)v->f, text)); return 0;
  case CL_FLOAT64: cl_json_out_add(o, text, cl_num_print_double(v->f, text)); return 0;
  case CL_NUMTEXT:
    if (v->flags & CL_VAL_CANON)
      cl_json_out_add(o, v->s, v->len);
    else
      cl_json_out_add(o, text, cl_num_print_double(cl_num_double(v->s, v->len), text));
    return 0;
  case CL_BIGINT: cl_json_out_add(o, v->s, v->len); return 0;
  case CL_DECIMAL: return add_decimal(o, v->dec);
  default: return 1;
  }
}

static int scalar(struct cl_json_out *o, const struct cl_val *v) {
  char text[CL_NUM_TEXT];
  switch ((enum cl_kind)v->kind) {
  case CL_STRING: cl_json_out_add(o, v->s, v->len); return 0;
  case CL_BYTES: /* Java prints the object's identity, which says nothing */
    snprintf(text, sizeof(text), "[B@%x", v->len);
    add(o, text);
    return 0;
  case CL_DATE:
  case CL_TIME:
  case CL_TIMESTAMP: add_date(o, v->i); return 0;
  default: return cl_json_out_plain(o, v);
  }
}

static int enter(struct cl_json_out *o, struct frame *f, const struct cl_val *v) {
  bool failed = false;
  *f = (struct frame){.v = v};
  switch ((enum cl_kind)v->kind) {
  case CL_ARRAY:
    f->n = v->arr->n;
    add(o, "[");
    break;
  case CL_STRUCT:
    f->n = v->st->n;
    add(o, "Struct{");
    break;
  default:
    f->n = 2 * (v->kind == CL_OBJECT ? v->obj->n : v->map->n);
    /* Maps are HashMaps in Connect, so its order shows. */
    f->order = cl_json_out_order(o, v, true, &failed);
    add(o, "{");
  }
  return failed ? cl_err_set(o->err, CL_ENOMEM, "no memory to order %u keys", f->n / 2) : 0;
}

/* The next field of a struct that is set; unset and null ones are not printed. */
static const struct cl_val *struct_step(struct cl_json_out *o, struct frame *f) {
  const struct cl_struct *st = f->v->st;
  for (; f->i < f->n; f->i++) {
    if (cl_value_is_null(&st->v[f->i]))
      continue;
    const struct cl_str name = st->schema->fields[f->i].name;
    if (f->written)
      add(o, ",");
    f->written = true;
    cl_json_out_add(o, name.p, name.len);
    add(o, "=");
    return &st->v[f->i++];
  }
  add(o, "}");
  return NULL;
}

/* What comes next in f; a key of an object goes through *key. NULL = closed. */
static const struct cl_val *step(struct cl_json_out *o, struct frame *f, struct cl_val *key) {
  const struct cl_val *v = f->v;
  if (v->kind == CL_STRUCT)
    return struct_step(o, f);
  uint32_t at = f->i++;
  if (at == f->n) {
    add(o, v->kind == CL_ARRAY ? "]" : "}");
    return NULL;
  }
  if (v->kind == CL_ARRAY) {
    add(o, at ? ", " : "");
    return &v->arr->v[at];
  }
  bool is_key = at % 2 == 0;
  add(o, !is_key ? "=" : at ? ", " : "");
  at = f->order ? f->order[at / 2] : at / 2;
  if (v->kind == CL_MAP)
    return is_key ? &v->map->e[at].key : &v->map->e[at].val;
  if (!is_key)
    return &v->obj->e[at].val;
  struct cl_str text = cl_space_sym_text(o->b->space, v->obj->e[at].sym);
  *key = (struct cl_val){.kind = CL_STRING, .len = text.len, .s = text.p};
  return key;
}

static int write(struct cl_json_out *o, const struct cl_val *v) {
  struct frame frame[CL_JSON_DEPTH];
  struct cl_val key;
  uint32_t depth = 0;
  int rc;
  do {
    if (v->kind < CL_ARRAY)
      rc = scalar(o, v);
    else if (depth < CL_JSON_DEPTH)
      rc = enter(o, &frame[depth++], v);
    else
      rc = cl_err_set(o->err, CL_EDATA, "a value nested deeper than %d", CL_JSON_DEPTH);
    while (rc == 0 && depth && !(v = step(o, &frame[depth - 1], &key)))
      depth--;
  } while (rc == 0 && depth);
  return rc;
}

int cl_text_lend(struct cl_batch *b, const struct cl_val *v, struct cl_str *out, struct cl_err *err) {
  if (v->kind == CL_STRING) {
    *out = (struct cl_str){v->len ? v->s : "", v->len};
    return 0;
  }
  struct cl_buf *buf = cl_space_text(b->space);
  struct cl_json_out o = {.buf = buf, .b = b, .err = err};
  int rc = write(&o, v);
  if (rc == 0)
    rc = cl_json_out_end(&o);
  if (rc == 0)
    *out = (struct cl_str){buf->p, (uint32_t)buf->len};
  return rc;
}

int cl_text_of(struct cl_batch *b, const struct cl_val *v, struct cl_str *out, struct cl_err *err) {
  int rc = cl_text_lend(b, v, out, err);
  if (rc != 0 || v->kind == CL_STRING)
    return rc;
  const char *copy = cl_arena_copy(b->arena, out->p, out->len);
  if (!copy)
    return cl_err_set(err, CL_ENOMEM, "no memory for a text of %u bytes", out->len);
  out->p = copy;
  return 0;
}
