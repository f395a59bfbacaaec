/* SPDX-License-Identifier: Apache-2.0
 * MaskField: what hides a value. Thread: the task's. */
#include <string.h>

#include "record/cast.h"
#include "record/codec.h"
#include "record/num.h"
#include "record/value.h"

enum { HASH_MAP_CAP = 16 };

static int no_memory(struct cl_err *err) {
  return cl_err_set(err, CL_ENOMEM, "no memory for a masked value");
}

static int empty_container(struct cl_arena *a, struct cl_val *v, struct cl_err *err) {
  struct cl_val out = {.kind = v->kind};
  if (v->kind == CL_ARRAY) {
    out.arr = cl_arena_zalloc(a, sizeof(*out.arr));
  } else if (v->kind == CL_OBJECT) {
    out.obj = cl_arena_zalloc(a, sizeof(*out.obj));
    if (out.obj)
      out.obj->java_cap = HASH_MAP_CAP;
  } else {
    out.map = cl_arena_zalloc(a, sizeof(*out.map));
    if (out.map)
      out.map->java_cap = HASH_MAP_CAP;
  }
  if (!out.s)
    return no_memory(err);
  *v = out;
  return 0;
}

static int mask_empty(struct cl_arena *a, struct cl_val *v, struct cl_err *err) {
  switch ((enum cl_kind)v->kind) {
  case CL_FALSE:
  case CL_TRUE: *v = (struct cl_val){.kind = CL_FALSE}; return 0;
  case CL_INT:
  case CL_DATE:
  case CL_TIME:
  case CL_TIMESTAMP: v->i = 0; return 0;
  case CL_FLOAT32: v->f = 0; return 0;
  case CL_FLOAT64:
  case CL_NUMTEXT: *v = (struct cl_val){.kind = CL_FLOAT64}; return 0;
  case CL_BIGINT: *v = (struct cl_val){.kind = CL_BIGINT, .len = 1, .s = "0"}; return 0;
  case CL_STRING: *v = (struct cl_val){.kind = CL_STRING, .s = "", .flags = CL_VAL_CLEAN}; return 0;
  case CL_DECIMAL: {
    struct cl_decimal *zero = cl_arena_alloc(a, sizeof(*zero));
    if (!zero)
      return no_memory(err);
    *zero = (struct cl_decimal){.digits = {"0", 1}};
    v->dec = zero;
    return 0;
  }
  case CL_ARRAY:
  case CL_OBJECT:
  case CL_MAP: return empty_container(a, v, err);
  default: return cl_err_set(err, CL_EDATA, "Cannot mask value of type: class %s", cl_value_class(v));
  }
}

static int no_number(const struct cl_str *text, const char *a, struct cl_err *err) {
  return cl_err_set(err, CL_EDATA, "Unable to convert %s (class java.lang.String) to %snumber",
                    CL_SHOWN(text->p, text->len), a);
}

static int replace_number(struct cl_arena *a, struct cl_val *v, const struct cl_str *replacement,
                          struct cl_err *err) {
  bool big = v->kind == CL_BIGINT || v->kind == CL_DECIMAL;
  struct cl_str text = cl_cast_decimal_text(a, *replacement, v->kind == CL_BIGINT);
  if (!text.p)
    return no_number(replacement, big ? "" : "a ", err);
  struct cl_decimal *dec = big ? cl_arena_alloc(a, sizeof(*dec)) : NULL;
  if (big && (!dec || !cl_num_decimal(a, text.p, text.len, dec)))
    return no_memory(err);
  switch ((enum cl_kind)v->kind) {
  case CL_INT: {
    int64_t low = cl_num_low64(text.p, text.len);
    unsigned shift = 64u - v->aux;
    v->i = (int64_t)((uint64_t)low << shift) >> shift;
    return 0;
  }
  case CL_FLOAT32:
    v->f = (double)(float)cl_num_double(text.p, text.len);
    return 0; /* twice rounded, as there */
  case CL_BIGINT:
    *v = (struct cl_val){.kind = CL_BIGINT, .len = dec->digits.len, .s = dec->digits.p};
    return 0;
  case CL_DECIMAL: v->dec = dec; return 0;
  default: *v = (struct cl_val){.kind = CL_FLOAT64, .f = cl_num_double(text.p, text.len)}; return 0;
  }
}

int cl_mask(struct cl_batch *b, struct cl_val *v, const struct cl_str *replacement, struct cl_err *err) {
  if (cl_value_is_null(v))
    return 0;
  if (!replacement)
    return mask_empty(b->arena, v, err);
  switch ((enum cl_kind)v->kind) {
  case CL_INT:
  case CL_FLOAT32:
  case CL_FLOAT64:
  case CL_NUMTEXT:
  case CL_BIGINT:
  case CL_DECIMAL: return replace_number(b->arena, v, replacement, err);
  case CL_STRING: {
    char *text = cl_arena_copy(b->arena, replacement->p, replacement->len);
    if (!text)
      return no_memory(err);
    *v = (struct cl_val){.kind = CL_STRING, .len = replacement->len, .s = text};
    return 0;
  }
  default:
    return cl_err_set(err, CL_EDATA, "Cannot mask value of type class %s with custom replacement.",
                      cl_value_class(v));
  }
}
