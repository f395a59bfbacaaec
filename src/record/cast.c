/* SPDX-License-Identifier: Apache-2.0
 * Cast: one value to another type. Thread: the task's. */
#include "record/cast.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "record/base64.h"
#include "record/build.h"
#include "record/calendar.h"
#include "record/codec.h"
#include "record/num.h"
#include "record/value.h"

enum { DAY_MS = 86400000, HOUR_MS = 3600000 };

#define SUPPORTED "supported types are [INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING, BYTES]"

/* ---------------------------------------------------------------------- what from */

static int unsupported(const char *type, struct cl_err *err) {
  return cl_err_set(err, CL_EDATA, "Cast transformation does not support casting from %s; " SUPPORTED, type);
}

/* The type that a value has without a schema is checked; logical values have none. */
static int check_source(const struct cl_val *v, const struct cl_schema *from, struct cl_err *err) {
  if (from)
    return from->type >= CL_TYPE_ARRAY ? unsupported(cl_type_name(from->type), err) : 0;
  switch ((enum cl_kind)v->kind) {
  case CL_BIGINT:
  case CL_DECIMAL:
  case CL_DATE:
  case CL_TIME:
  case CL_TIMESTAMP:
    return cl_err_set(err, CL_EDATA,
                      "Cast transformation was passed a value of type class %s which is not supported by "
                      "Connect's data API",
                      cl_value_class(v));
  case CL_ARRAY: return unsupported("ARRAY", err);
  case CL_OBJECT:
  case CL_MAP: return unsupported("MAP", err);
  case CL_STRUCT: return unsupported("STRUCT", err);
  default: return 0;
  }
}

static int out_of_range(const struct cl_val *v, struct cl_err *err) {
  return cl_err_set(err, CL_EDATA, "Value (%s) was out of range for requested data type",
                    CL_SHOWN(v->s, v->len));
}

static int unexpected(const struct cl_val *v, struct cl_err *err) {
  return cl_err_set(err, CL_EDATA, "Unexpected type in Cast transformation: class %s", cl_value_class(v));
}

/* A Date, Time or Timestamp becomes the number that stands for it. */
static int encode_logical(struct cl_val *v, const struct cl_schema *from, struct cl_err *err) {
  if (!from || v->kind < CL_DATE || v->kind > CL_TIMESTAMP)
    return 0;
  int64_t i = v->i;
  switch ((enum cl_logical)from->logical) {
  case CL_LOGICAL_DATE:
    if (cl_floor_mod(i, DAY_MS) != 0)
      return cl_err_set(err, CL_EDATA,
                        "Kafka Connect Date type should not have any time fields set to non-zero values.");
    *v = (struct cl_val){.kind = CL_INT, .aux = 32, .i = (int32_t)(i / DAY_MS)};
    return 0;
  case CL_LOGICAL_TIME:
    if (i < 0 || i > DAY_MS)
      return cl_err_set(err, CL_EDATA,
                        "Kafka Connect Time type should not have any date fields set to non-zero values.");
    *v = (struct cl_val){.kind = CL_INT, .aux = 32, .i = i};
    return 0;
  case CL_LOGICAL_TIMESTAMP: *v = (struct cl_val){.kind = CL_INT, .aux = 64, .i = i}; return 0;
  default: return 0;
  }
}

/* ------------------------------------------------------------------------- numbers */

/* Java's (long) and (int) of a double. */
static int64_t saturate(double d, bool wide) {
  if (isnan(d))
    return 0;
  double limit = wide ? 0x1p63 : 0x1p31;
  if (d >= limit)
    return wide ? INT64_MAX : INT32_MAX;
  if (d < -limit)
    return wide ? INT64_MIN : INT32_MIN;
  return (int64_t)d;
}

static int64_t narrow(int64_t i, int width) {
  switch (width) {
  case 8: return (int8_t)(uint8_t)(uint64_t)i;
  case 16: return (int16_t)(uint16_t)(uint64_t)i;
  case 32: return (int32_t)(uint32_t)(uint64_t)i;
  default: return i;
  }
}

/* Text of a decimal or big integer, as cl_num_* read it; p NULL = no memory. */
static struct cl_str number_text(struct cl_arena *a, const struct cl_val *v) {
  if (v->kind == CL_BIGINT)
    return (struct cl_str){v->s, v->len};
  char *text = cl_arena_alloc(a, v->dec->digits.len + CL_NUM_TEXT);
  return (struct cl_str){text, text ? (uint32_t)cl_num_print_decimal(v->dec, text) : 0};
}

static double double_of(const struct cl_val *v) {
  return v->kind == CL_NUMTEXT ? cl_num_double(v->s, v->len) : v->f;
}

static int no_memory(struct cl_err *err) { return cl_err_set(err, CL_ENOMEM, "no memory for a cast value"); }

static int to_int(struct cl_arena *a, struct cl_val *v, int width, struct cl_err *err) {
  int64_t i;
  switch ((enum cl_kind)v->kind) {
  case CL_FALSE: i = 0; break;
  case CL_TRUE: i = 1; break;
  case CL_INT: i = v->i; break;
  case CL_NUMTEXT:
  case CL_FLOAT32:
  case CL_FLOAT64: i = saturate(double_of(v), width == 64); break;
  case CL_BIGINT:
  case CL_DECIMAL: {
    struct cl_str text = number_text(a, v);
    if (!text.p)
      return no_memory(err);
    i = cl_num_low64(text.p, text.len);
    break;
  }
  case CL_STRING:
    if (!cl_cast_parse_int((struct cl_str){v->s, v->len}, width, &i))
      return out_of_range(v, err);
    break;
  default: return unexpected(v, err);
  }
  *v = (struct cl_val){.kind = CL_INT, .aux = (uint16_t)width, .i = narrow(i, width)};
  return 0;
}

static int to_float(struct cl_arena *a, struct cl_val *v, bool wide, struct cl_err *err) {
  double d;
  float f = 0;
  switch ((enum cl_kind)v->kind) {
  case CL_FALSE: d = 0; break;
  case CL_TRUE: d = 1; break;
  case CL_INT: d = wide ? (double)v->i : (double)(float)v->i; break;
  case CL_NUMTEXT:
  case CL_FLOAT32:
  case CL_FLOAT64: d = double_of(v); break;
  case CL_BIGINT:
  case CL_DECIMAL: {
    struct cl_str text = number_text(a, v);
    if (!text.p)
      return no_memory(err);
    d = wide ? cl_num_double(text.p, text.len) : (double)cl_num_float(text.p, text.len);
    break;
  }
  case CL_STRING: {
    struct cl_str text = {v->s, v->len};
    if (wide ? !cl_cast_parse_double(a, text, &d) : !cl_cast_parse_float(a, text, &f))
      return out_of_range(v, err);
    if (!wide)
      d = (double)f;
    break;
  }
  default: return unexpected(v, err);
  }
  *v = (struct cl_val){.kind = wide ? CL_FLOAT64 : CL_FLOAT32, .f = wide ? d : (double)(float)d};
  return 0;
}

static bool is_true_text(const struct cl_val *v) {
  static const char word[] = "true";
  if (v->len != 4)
    return false;
  for (int i = 0; i < 4; i++)
    if ((v->s[i] | 0x20) != word[i])
      return false;
  return true;
}

static int to_boolean(struct cl_arena *a, struct cl_val *v, struct cl_err *err) {
  bool yes;
  if (v->kind == CL_STRING) {
    yes = is_true_text(v);
  } else {
    int rc = to_int(a, v, 64, err);
    if (rc != 0)
      return rc;
    yes = v->i != 0;
  }
  *v = (struct cl_val){.kind = yes ? CL_TRUE : CL_FALSE};
  return 0;
}

/* -------------------------------------------------------------------------- string */

size_t cl_cast_print_date(int64_t ms, char out[CL_DATE_TEXT]) {
  int64_t days = cl_floor_div(ms, DAY_MS), year;
  int rest = (int)cl_floor_mod(ms, DAY_MS), month, day;
  char time[24];
  snprintf(time, sizeof(time), "%02d:%02d:%02d.%03dZ", rest / HOUR_MS, rest / 60000 % 60, rest / 1000 % 60,
           rest % 1000);
  if (ms < DAY_MS)
    return (size_t)snprintf(out, CL_DATE_TEXT, "%s", time);
  cl_date_of_days(days, &year, &month, &day);
  return (size_t)snprintf(out, CL_DATE_TEXT, "%04lld-%02d-%02d%s%s", (long long)year, month, day,
                          rest ? "T" : "", rest ? time : "");
}

static int to_string(struct cl_batch *b, struct cl_val *v, struct cl_err *err) {
  struct cl_str text;
  char *w;
  if (v->kind == CL_STRING)
    return 0;
  switch ((enum cl_kind)v->kind) {
  case CL_DATE:
  case CL_TIME:
  case CL_TIMESTAMP:
    w = cl_arena_alloc(b->arena, CL_DATE_TEXT);
    text = (struct cl_str){w, w ? (uint32_t)cl_cast_print_date(v->i, w) : 0};
    break;
  case CL_BYTES: {
    size_t size = ((size_t)v->len + 2) / 3 * 4;
    if (size > UINT32_MAX || !(w = cl_arena_alloc(b->arena, size)))
      return no_memory(err);
    cl_base64_encode(v->s, v->len, w);
    text = (struct cl_str){w, (uint32_t)size};
    break;
  }
  default: {
    int rc = cl_text_of(b, v, &text, err);
    if (rc != 0)
      return rc;
  }
  }
  if (!text.p)
    return no_memory(err);
  *v = (struct cl_val){.kind = CL_STRING, .len = text.len, .s = text.p};
  return 0;
}

/* ---------------------------------------------------------------------------- cast */

int cl_cast(struct cl_batch *b, struct cl_val *v, const struct cl_schema *from, enum cl_type type,
            struct cl_err *err) {
  if (cl_value_is_null(v))
    return 0;
  int rc = check_source(v, from, err);
  if (rc == 0 && type != CL_TYPE_STRING)
    rc = encode_logical(v, from, err);
  if (rc != 0)
    return rc;
  switch (type) {
  case CL_TYPE_INT8: return to_int(b->arena, v, 8, err);
  case CL_TYPE_INT16: return to_int(b->arena, v, 16, err);
  case CL_TYPE_INT32: return to_int(b->arena, v, 32, err);
  case CL_TYPE_INT64: return to_int(b->arena, v, 64, err);
  case CL_TYPE_FLOAT32: return to_float(b->arena, v, false, err);
  case CL_TYPE_FLOAT64: return to_float(b->arena, v, true, err);
  case CL_TYPE_BOOLEAN: return to_boolean(b->arena, v, err);
  case CL_TYPE_STRING: return to_string(b, v, err);
  default:
    return cl_err_set(err, CL_EDATA, "%s is not supported in the Cast transformation.", cl_type_name(type));
  }
}
