/* SPDX-License-Identifier: Apache-2.0
 * JSON out: texts, numbers, and values without schema. Open containers live in a bounded
 * array, so deep values cost no recursion. Thread: the task's. */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "record/base64.h"
#include "record/codec.h"
#include "record/java.h"
#include "record/java_map.h"
#include "record/json_in.h"
#include "record/json_out.h"
#include "record/num.h"
#include "record/space_impl.h"
#include "record/value.h"

/* ---------------------------------------------------------------- texts */

static void unicode_escape(struct cl_json_out *o, uint32_t unit) {
  static const char hex[] = "0123456789ABCDEF";
  char text[6] = {'\\', 'u', hex[unit >> 12], hex[unit >> 8 & 15], hex[unit >> 4 & 15], hex[unit & 15]};
  cl_json_out_add(o, text, 6);
}

/* Writes the escape of what p starts with; answers its bytes, or 0 when it needs none. */
static size_t escape(struct cl_json_out *o, const unsigned char *p, size_t left) {
  static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
  if (p[0] >= 0xF0 && left >= 4) {
    uint32_t c = ((p[0] & 7u) << 18 | (p[1] & 63u) << 12 | (p[2] & 63u) << 6 | (p[3] & 63u)) - 0x10000;
    unicode_escape(o, 0xD800 | (c >> 10 & 0x3FF));
    unicode_escape(o, 0xDC00 | (c & 0x3FF));
    return 4;
  }
  if (p[0] == 0xED && left >= 3 && p[1] >= 0xA0) {
    unicode_escape(o, 0xD000 | (p[1] & 63u) << 6 | (p[2] & 63u));
    return 3;
  }
  const char *at = p[0] && p[0] < 0x80 ? strchr(from, p[0]) : NULL;
  if (at)
    cl_json_out_add(o, (const char[]){'\\', to[at - from]}, 2);
  else if (p[0] < 0x20)
    unicode_escape(o, p[0]);
  else
    return 0;
  return 1;
}

void cl_json_out_text(struct cl_json_out *o, const char *text, size_t n) {
  const unsigned char *p = (const unsigned char *)text;
  cl_json_out_char(o, '"');
  if (cl_json_all_plain(text, n)) {
    cl_json_out_add(o, text, n);
    cl_json_out_char(o, '"');
    return;
  }
  size_t from = 0;
  for (size_t i = 0; i < n;) {
    unsigned char c = p[i];
    if (c >= 0x20 && c != '"' && c != '\\' && c != 0xED && c < 0xF0) {
      i++;
      continue;
    }
    cl_json_out_add(o, text + from, i - from);
    from = i;
    size_t used = escape(o, p + i, n - i);
    from += used;
    i += used ? used : 1;
  }
  cl_json_out_add(o, text + from, n - from);
  cl_json_out_char(o, '"');
}

void cl_json_write_text(struct cl_buf *out, const char *p, size_t len) {
  struct cl_json_out o = {.buf = out};
  cl_json_out_text(&o, p, len);
  cl_buf_add(out, "", 0);
}

void cl_json_out_sym(struct cl_json_out *o, const struct cl_sym *key) {
  if (key->clean) {
    cl_json_out_add(o, key->text - 1, key->len + 3);
  } else {
    cl_json_out_text(o, key->text, key->len);
    cl_json_out_char(o, ':');
  }
}

void cl_json_out_key(struct cl_json_out *o, uint32_t sym) {
  cl_json_out_sym(o, cl_space_sym_at(o->b->space, sym));
}

void cl_json_out_base64(struct cl_json_out *o, const void *p, size_t n) {
  size_t len = cl_base64_length(n);
  cl_json_out_char(o, '"');
  if (cl_buf_reserve(o->buf, len)) {
    cl_base64_encode(p, n, o->buf->p + o->buf->len);
    o->buf->len += len;
  }
  cl_json_out_char(o, '"');
}

/* -------------------------------------------------------------- numbers */

void cl_json_out_int(struct cl_json_out *o, int64_t i) {
  char text[CL_NUM_TEXT];
  cl_json_out_add(o, text, cl_num_print_int(i, text));
}

/* JSON has no word for these: Jackson puts them in quotes. */
static void quoted_unless_finite(struct cl_json_out *o, bool finite, const char *text, size_t n) {
  if (!finite)
    cl_json_out_char(o, '"');
  cl_json_out_add(o, text, n);
  if (!finite)
    cl_json_out_char(o, '"');
}

void cl_json_out_double(struct cl_json_out *o, double d) {
  char text[CL_NUM_TEXT];
  size_t n = cl_num_print_double(d, text);
  quoted_unless_finite(o, isfinite(d), text, n);
}

void cl_json_out_float(struct cl_json_out *o, float f) {
  char text[CL_NUM_TEXT];
  size_t n = cl_num_print_float(f, text);
  quoted_unless_finite(o, isfinite(f), text, n);
}

static void number_text(struct cl_json_out *o, const struct cl_val *v) {
  if (v->flags & CL_VAL_CANON)
    cl_json_out_add(o, v->s, v->len);
  else
    cl_json_out_double(o, cl_num_double(v->s, v->len));
}

/* ----------------------------------------------------------- containers */

struct frame {
  const struct cl_val *v;
  uint32_t i, n;         /* steps done, steps in all; pairs take two steps an entry */
  const uint32_t *order; /* NULL = as they are */
  bool pairs;            /* a map with keys that are no strings: [[k,v],...] */
};

static int32_t entry_hash(const void *arg, uint32_t i) {
  const void *const *a = arg;
  const struct cl_space *s = a[0];
  const struct cl_val *v = a[1];
  if (v->kind == CL_OBJECT)
    return cl_space_sym_info(s, v->obj->e[i].sym)->java_hash;
  return cl_java_hash(s, &v->map->e[i].key);
}

static int compare_entries(const void *arg, uint32_t a, uint32_t b) {
  const void *const *at = arg;
  const struct cl_val *v = at[1];
  if (v->kind == CL_OBJECT)
    return cl_java_string_compare(cl_space_sym_text(at[0], v->obj->e[a].sym),
                                  cl_space_sym_text(at[0], v->obj->e[b].sym));
  return cl_java_compare(&v->map->e[a].key, &v->map->e[b].key);
}

const uint32_t *cl_json_out_order(struct cl_json_out *o, const struct cl_val *v, bool java, bool *failed) {
  uint32_t n = v->kind == CL_OBJECT ? v->obj->n : v->map->n;
  uint32_t cap = v->kind == CL_OBJECT ? v->obj->java_cap : v->map->java_cap;
  if (!java || n < 2 || (v->kind == CL_OBJECT ? v->obj->linked : v->map->linked))
    return NULL;
  if (cap == 0 || cap & (cap - 1) || cap > UINT32_C(1) << 30)
    cap = 16;
  uint32_t *order = cl_arena_alloc(o->b->arena, (n + cl_java_room(n, cap)) * sizeof(*order));
  struct cl_java_keys keys = {(const void *[]){o->b->space, v}, entry_hash, compare_entries};
  *failed = !order || cl_java_order(&keys, n, cap, order, order + n) != 0;
  return order;
}

static bool keys_are_strings(const struct cl_map *map) {
  for (uint32_t i = 0; i < map->n; i++)
    if (map->e[i].key.kind != CL_STRING)
      return false;
  return true;
}

static int enter(struct cl_json_out *o, struct frame *f, const struct cl_val *v) {
  bool failed = false;
  *f = (struct frame){.v = v};
  if (v->kind == CL_ARRAY) {
    f->n = v->arr->n;
  } else if (v->kind == CL_OBJECT) {
    f->n = v->obj->n;
    f->order = cl_json_out_order(o, v, o->java_order, &failed);
  } else {
    f->pairs = !keys_are_strings(v->map);
    f->n = f->pairs ? v->map->n * 2 : v->map->n;
    f->order = cl_json_out_order(o, v, o->java_order || f->pairs, &failed);
  }
  cl_json_out_char(o, v->kind == CL_ARRAY || f->pairs ? '[' : '{');
  return failed ? cl_err_set(o->err, CL_ENOMEM, "no memory to order %u keys", f->n) : 0;
}

/* The steps below write what they can of f and answer the first value that is still to be written,
 * its key and comma being out; NULL = closed. */

static const struct cl_val *object_step(struct cl_json_out *o, struct frame *f) {
  const struct cl_obj *obj = f->v->obj;
  while (f->i < f->n) {
    uint32_t at = f->i++;
    const struct cl_entry *e = &obj->e[f->order ? f->order[at] : at];
    if (!cl_json_out_member(o, at > 0, cl_space_sym_at(o->b->space, e->sym), &e->val))
      return &e->val;
  }
  cl_json_out_char(o, '}');
  return NULL;
}

static const struct cl_val *array_step(struct cl_json_out *o, struct frame *f) {
  const struct cl_arr *arr = f->v->arr;
  while (f->i < f->n) {
    uint32_t at = f->i++;
    if (!cl_json_out_member(o, at > 0, NULL, &arr->v[at]))
      return &arr->v[at];
  }
  cl_json_out_char(o, ']');
  return NULL;
}

static const struct cl_val *map_step(struct cl_json_out *o, struct frame *f) {
  uint32_t at = f->i++;
  if (at == f->n) {
    cl_json_out_char(o, '}');
    return NULL;
  }
  const struct cl_map_entry *e = &f->v->map->e[f->order ? f->order[at] : at];
  if (at)
    cl_json_out_char(o, ',');
  cl_json_out_text(o, e->key.s, e->key.len);
  cl_json_out_char(o, ':');
  return &e->val;
}

static const struct cl_val *pairs_step(struct cl_json_out *o, struct frame *f) {
  uint32_t at = f->i++;
  if (at == f->n) {
    cl_json_out_add(o, "]]", at ? 2 : 1); /* the last pair too */
    return NULL;
  }
  const struct cl_map_entry *e = &f->v->map->e[f->order ? f->order[at / 2] : at / 2];
  const char *before = at == 0 ? "[" : at % 2 ? "," : "],[";
  cl_json_out_add(o, before, strlen(before));
  return at % 2 ? &e->val : &e->key;
}

static const struct cl_val *step(struct cl_json_out *o, struct frame *f) {
  if (f->pairs)
    return pairs_step(o, f);
  return f->v->kind == CL_OBJECT  ? object_step(o, f)
         : f->v->kind == CL_ARRAY ? array_step(o, f)
                                  : map_step(o, f);
}

static int data_error(struct cl_err *err, const char *fmt, const char *arg) {
  cl_err_set(err, CL_EDATA, fmt, arg);
  err->class = CL_JAVA_DATA;
  return CL_EDATA;
}

static int scalar(struct cl_json_out *o, const struct cl_val *v) {
  switch ((enum cl_kind)v->kind) {
  case CL_MISSING:
  case CL_NULL: cl_json_out_add(o, "null", 4); return 0;
  case CL_FALSE: cl_json_out_add(o, "false", 5); return 0;
  case CL_TRUE: cl_json_out_add(o, "true", 4); return 0;
  case CL_INT: cl_json_out_int(o, v->i); return 0;
  case CL_FLOAT32: cl_json_out_float(o, (float)v->f); return 0;
  case CL_FLOAT64: cl_json_out_double(o, v->f); return 0;
  case CL_NUMTEXT: number_text(o, v); return 0;
  case CL_BIGINT: cl_json_out_add(o, v->s, v->len); return 0;
  case CL_STRING:
    if (v->flags & CL_VAL_CLEAN) {
      cl_json_out_char(o, '"');
      cl_json_out_add(o, v->s, v->len);
      cl_json_out_char(o, '"');
    } else {
      cl_json_out_text(o, v->s, v->len);
    }
    return 0;
  case CL_BYTES: cl_json_out_base64(o, v->s, v->len); return 0;
  case CL_STRUCT: return data_error(o->err, "%s", "Mismatching schema.");
  default:
    return data_error(o->err, "Java class class %s does not have corresponding schema type.",
                      cl_value_class(v));
  }
}

int cl_json_out_value(struct cl_json_out *o, const struct cl_val *v) {
  if (v->kind != CL_ARRAY && v->kind != CL_OBJECT && v->kind != CL_MAP)
    return scalar(o, v);
  struct frame frame[CL_JSON_DEPTH];
  uint32_t depth = 0;
  int rc = 0;
  do {
    if (v->kind != CL_ARRAY && v->kind != CL_OBJECT && v->kind != CL_MAP)
      rc = scalar(o, v);
    else if (depth < CL_JSON_DEPTH)
      rc = enter(o, &frame[depth++], v);
    else
      rc = data_error(o->err, "%s", "Document nesting depth exceeds the maximum allowed (1000)");
    while (rc == 0 && depth && !(v = step(o, &frame[depth - 1])))
      depth--;
  } while (rc == 0 && depth);
  return rc;
}

int cl_json_out_end(struct cl_json_out *o) {
  if (!cl_buf_reserve(o->buf, 0))
    return cl_err_set(o->err, CL_ENOMEM, "a JSON text of more than %zu bytes, or no memory for it",
                      o->buf->len);
  o->buf->p[o->buf->len] = '\0';
  return 0;
}

int cl_json_write(struct cl_batch *b, const struct cl_val *v, bool java_order, struct cl_buf *out,
                  struct cl_err *err) {
  struct cl_json_out o = {.buf = out, .b = b, .err = err, .java_order = java_order};
  int rc = cl_json_out_value(&o, v);
  return rc ? rc : cl_json_out_end(&o);
}
