/* SPDX-License-Identifier: Apache-2.0
 * TimestampConverter: one form of a moment to another. Thread: the task's. */
#include "record/build.h"
#include "record/calendar.h"
#include "record/cast.h"
#include "record/codec.h"
#include "record/java_date.h"
#include "record/value.h"

/* ------------------------------------------------------------------------- units
 * As Java's TimeUnit: towards zero, and never over the edge. */

static int64_t times(int64_t x, int64_t scale) {
  int64_t limit = INT64_MAX / scale;
  return x > limit ? INT64_MAX : x < -limit ? INT64_MIN : x * scale;
}

/* Dividing takes as long as the rest, so the common unit, milliseconds, does not. */
static int64_t from_unix(int64_t x, int64_t unit) {
  return unit == 1 ? x : unit > 0 ? x / unit : times(x, -unit);
}

static int64_t to_unix(int64_t ms, int64_t unit) {
  return unit == 1 ? ms : unit > 0 ? times(ms, unit) : ms / -unit;
}

/* ----------------------------------------------------------------------- reading */

static bool is_date(const struct cl_val *v) {
  return v->kind == CL_DATE || v->kind == CL_TIME || v->kind == CL_TIMESTAMP;
}

static bool is_long(const struct cl_val *v) { return v->kind == CL_INT && v->aux == 64; }

static int read_text(const struct cl_val *v, const struct cl_changes *how, int64_t *ms, struct cl_err *err) {
  if (v->kind != CL_STRING)
    return cl_err_set(err, CL_EDATA, "Expected string timestamp to be a String, but found class %s",
                      cl_value_class(v));
  if (!how->format) {
    cl_err_set(
        err, CL_EDATA,
        "Cannot invoke \"java.text.SimpleDateFormat.parse(String)\" because \"config.format\" is null");
    err->class = "java.lang.NullPointerException";
    return CL_EDATA;
  }
  int rc = cl_date_format_parse(how->format, v->s, v->len, ms, err);
  if (rc != CL_EDATA)
    return rc;
  return cl_err_set(err, CL_EDATA, "Could not parse timestamp: value (%s) does not match pattern (%s)",
                    CL_SHOWN(v->s, v->len), CL_SHOWN(how->text.p, how->text.len));
}

/* The schema decides, even for what is null. */
static int read_by_schema(const struct cl_val *v, const struct cl_schema *s, const struct cl_changes *how,
                          int64_t *ms, struct cl_err *err) {
  static const char *const names[] = {
      [CL_LOGICAL_DATE] = "Date", [CL_LOGICAL_TIME] = "Time", [CL_LOGICAL_TIMESTAMP] = "Timestamp"};
  bool date = s->logical >= CL_LOGICAL_DATE, null = cl_value_is_null(v);
  if (!date && s->type != CL_TYPE_STRING && s->type != CL_TYPE_INT64) {
    char text[200];
    cl_schema_text(s, text, sizeof(text));
    cl_err_set(err, CL_EDATA, "Schema Schema{%s} does not correspond to a known timestamp type format", text);
    err->class = "org.apache.kafka.connect.errors.ConnectException";
    return CL_EDATA;
  }
  if (null)
    return 0;
  if (!date && s->type == CL_TYPE_STRING)
    return read_text(v, how, ms, err);
  if (date && !is_date(v))
    return cl_err_set(err, CL_EDATA, "Expected %s to be a java.util.Date, but found class %s",
                      names[s->logical], cl_value_class(v));
  if (!date && !is_long(v))
    return cl_err_set(err, CL_EDATA, "Expected Unix timestamp to be a Long, but found class %s",
                      cl_value_class(v));
  *ms = date ? v->i : from_unix(v->i, how->unit);
  return 0;
}

static int read_by_class(const struct cl_val *v, const struct cl_changes *how, int64_t *ms,
                         struct cl_err *err) {
  if (v->kind == CL_STRING)
    return read_text(v, how, ms, err);
  if (is_date(v))
    *ms = v->i;
  else if (is_long(v))
    *ms = from_unix(v->i, how->unit);
  else if (!cl_value_is_null(v))
    return cl_err_set(err, CL_EDATA, "TimestampConverter does not support class %s objects as timestamps",
                      cl_value_class(v));
  return 0;
}

/* ----------------------------------------------------------------------- writing */

int cl_moment(struct cl_batch *b, struct cl_val *v, const struct cl_schema *from,
              const struct cl_changes *how, struct cl_err *err) {
  int64_t ms = 0;
  int rc = from ? read_by_schema(v, from, how, &ms, err) : read_by_class(v, how, &ms, err);
  if (rc != 0 || cl_value_is_null(v))
    return rc;
  switch ((enum cl_moment)how->target) {
  case CL_MOMENT_STRING: CL_REQUIRE(how->format); return cl_ffi_date_format(how->format, b, ms, v);
  case CL_MOMENT_UNIX: *v = (struct cl_val){.kind = CL_INT, .aux = 64, .i = to_unix(ms, how->unit)}; break;
  case CL_MOMENT_DATE: /* the first day of all may begin before what a long holds: Java's goes round */
    *v = (struct cl_val){.kind = CL_DATE,
                         .i = (int64_t)((uint64_t)ms - (uint64_t)cl_floor_mod(ms, CL_DAY_MS))};
    break;
  case CL_MOMENT_TIME: *v = (struct cl_val){.kind = CL_TIME, .i = cl_floor_mod(ms, CL_DAY_MS)}; break;
  case CL_MOMENT_TIMESTAMP: *v = (struct cl_val){.kind = CL_TIMESTAMP, .i = ms}; break;
  }
  return 0;
}
