/* SPDX-License-Identifier: Apache-2.0
 * SimpleDateFormat's lenient parsing: fields are read one by one and remembered with the
 * order in which they came, for the calendar (java_date_fields.c) decides by it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/java_char.h"
#include "record/java_date_fields.h"
#include "record/java_date_impl.h"

enum { SHORT_TEXT = 128 };

struct text {
  const uint16_t *u;
  size_t n;
};

struct parser {
  struct text t;
  struct cl_date_fields fields;
  int32_t century_year;
  bool ambiguous;
};

/* -------------------------------------------------------------------- numbers */

struct digits {  /* 0.d1d2d3... * 10^point */
  char d[40];    /* more do not change an int */
  int n;         /* of d */
  int64_t count; /* of all, without leading zeros */
  bool any;
};

static void add_digit(struct digits *g, int digit) {
  g->any = true;
  if (digit == 0 && g->count == 0)
    return;
  g->count++;
  if (g->n < (int)sizeof(g->d) - 1)
    g->d[g->n++] = (char)('0' + digit);
}

static bool starts(struct text t, size_t at, const char *ascii) {
  size_t k = 0;
  while (ascii[k] && at + k < t.n && t.u[at + k] == (unsigned char)ascii[k])
    k++;
  return !ascii[k];
}

/* DecimalFormat takes "E-2" behind any number. False: what follows E is no long. */
static bool exponent(struct text t, size_t *at, int32_t *out) {
  size_t i = *at;
  bool minus = i < t.n && t.u[i] == '-';
  uint64_t value = 0;
  bool any = false, fits = true;
  for (i += minus; i < t.n; i++) {
    int d = cl_java_digit(t.u[i]);
    if (d < 0)
      break;
    any = true;
    if (value > (UINT64_MAX - (uint64_t)d) / 10)
      fits = false;
    else
      value = value * 10 + (uint64_t)d;
  }
  if (!any || !fits || value > (uint64_t)INT64_MAX + minus)
    return false;
  *at = i;
  *out = (int32_t)(uint32_t)(minus ? 0 - value : value);
  return true;
}

/* Number.intValue of the digits: a long loses its high bits, a double saturates. */
static int32_t int_value(const struct digits *g, int32_t point, bool minus) {
  int significant = g->n;
  while (significant && g->d[significant - 1] == '0')
    significant--;
  if (!significant)
    return 0;
  if (point >= significant && point <= 19) {
    uint64_t value = 0;
    bool fits = true;
    for (int i = 0; i < point; i++) {
      uint64_t d = i < g->n ? (uint64_t)(g->d[i] - '0') : 0;
      fits = fits && value <= (UINT64_MAX - d) / 10;
      value = value * 10 + d;
    }
    if (fits && value <= (uint64_t)INT64_MAX + minus)
      return (int32_t)(uint32_t)(minus ? 0 - value : value);
  }
  char text[64];
  snprintf(text, sizeof(text), "%.*se%d", significant, g->d,
           point < -1000 ? -1000 : (point > 1000 ? 1000 : point) - significant);
  double d = strtod(text, NULL);
  d = minus ? -d : d;
  return d >= INT32_MAX ? INT32_MAX : d <= INT32_MIN ? INT32_MIN : (int32_t)d;
}

/* DecimalFormat.parse of integers without grouping, within t; *at moves behind the number. */
static bool number(struct text t, size_t *at, int32_t *out) {
  size_t i = *at;
  if (starts(t, i, "NaN")) {
    *at = i + 3;
    *out = 0;
    return true;
  }
  bool minus = i < t.n && t.u[i] == '-';
  i += minus;
  if (i < t.n && t.u[i] == 0x221E) { /* infinity */
    *at = i + 1;
    *out = minus ? INT32_MIN : INT32_MAX;
    return true;
  }
  struct digits g = {.n = 0};
  int32_t exp10 = 0;
  for (; i < t.n; i++) {
    int d = cl_java_digit(t.u[i]);
    if (d < 0)
      break;
    add_digit(&g, d);
  }
  if (!g.any)
    return false;
  if (i < t.n && t.u[i] == 'E') {
    size_t behind = i + 1;
    if (exponent(t, &behind, &exp10))
      i = behind;
  }
  *at = i;
  *out = int_value(&g, (int32_t)(uint32_t)((uint64_t)g.count + (uint32_t)exp10), minus);
  return true;
}

/* ---------------------------------------------------------------------- names */

/* Length of name when t has it at `at`, in any case. */
static size_t named(struct text t, size_t at, const char *name, size_t len) {
  if (at > t.n || len > t.n - at)
    return 0;
  for (size_t k = 0; k < len; k++)
    if (cl_java_fold(t.u[at + k]) != cl_java_fold((unsigned char)name[k]))
      return 0;
  return len;
}

/* The index of the full or three-letter name at `at`; -1 = none. */
static int one_of(struct text t, size_t at, const char *const *names, int n, size_t *len) {
  for (int full = 1; full >= 0; full--)
    for (int i = 0; i < n; i++)
      if ((*len = named(t, at, names[i], full ? strlen(names[i]) : 3)) > 0)
        return i;
  return -1;
}

static bool set_name(struct parser *p, size_t *at, enum cl_date_field field, const char *const *names, int n,
                     int base) {
  size_t len;
  int i = one_of(p->t, *at, names, n, &len);
  if (i < 0)
    return false;
  cl_date_fields_set(&p->fields, field, i + base);
  *at += len;
  return true;
}

static bool set_pair(struct parser *p, size_t *at, enum cl_date_field field, const char *const pair[4]) {
  for (int i = 0; i < 4; i++) { /* longer names first */
    size_t len = named(p->t, *at, pair[i], strlen(pair[i]));
    if (len) {
      cl_date_fields_set(&p->fields, field, i % 2);
      *at += len;
      return true;
    }
  }
  return false;
}

/* ---------------------------------------------------------------------- zones */

static void set_zone(struct parser *p, int32_t minutes) {
  cl_date_fields_set(&p->fields, CL_DATE_ZONE, minutes * 60000);
}

static int ascii_digit(struct text t, size_t at) {
  return at < t.n && t.u[at] >= '0' && t.u[at] <= '9' ? t.u[at] - '0' : -1;
}

/* hh[:]mm behind the sign. count: letters of an X pattern, 0 for z and Z. */
static bool numeric_zone(struct parser *p, size_t *at, int sign, uint32_t count, bool colon) {
  size_t i = *at;
  int hours = ascii_digit(p->t, i), next = ascii_digit(p->t, i + 1), minutes = 0;
  if (hours < 0 || i + 1 >= p->t.n)
    return false;
  i++;
  if (next >= 0) {
    hours = hours * 10 + next;
    i++;
  } else if (count > 0 || !colon) {
    return false; /* one digit only in GMT+h:mm */
  }
  if (hours > 23)
    return false;
  if (count != 1) {
    if (colon && (i >= p->t.n || p->t.u[i++] != ':'))
      return false;
    int tens = ascii_digit(p->t, i), ones = ascii_digit(p->t, i + 1);
    minutes = tens * 10 + ones;
    if (tens < 0 || ones < 0 || minutes > 59)
      return false;
    i += 2;
  }
  set_zone(p, sign * (hours * 60 + minutes));
  *at = i;
  return true;
}

static int sign_at(struct text t, size_t at) {
  return at >= t.n ? 0 : t.u[at] == '+' ? 1 : t.u[at] == '-' ? -1 : 0;
}

/* z and Z. start: before the blanks that were skipped; Java looks for GMT there. */
static bool zone(struct parser *p, size_t start, size_t *at) {
  struct text t = p->t;
  int sign = sign_at(t, *at);
  if (sign) {
    ++*at;
    return numeric_zone(p, at, sign, 0, false);
  }
  if ((t.u[*at] == 'G' || t.u[*at] == 'g') && named(t, start, "GMT", 3)) {
    *at = start + 3;
    sign = sign_at(t, *at);
    if (!sign) {
      set_zone(p, 0);
      return true;
    }
    ++*at;
    return numeric_zone(p, at, sign, 0, true);
  }
  int32_t minutes;
  size_t len = cl_date_zone(t.u + *at, t.n - *at, &minutes);
  if (!len)
    return false;
  if (minutes || !p->fields.stamp[CL_DATE_ZONE]) /* the name UTC does not change an offset read before */
    set_zone(p, minutes);
  *at += len;
  return true;
}

static bool iso_zone(struct parser *p, size_t *at, uint32_t count) {
  if (p->t.u[*at] == 'Z') {
    ++*at;
    set_zone(p, 0);
    return true;
  }
  int sign = sign_at(p->t, *at);
  ++*at;
  return sign && numeric_zone(p, at, sign, count, count == 3);
}

/* --------------------------------------------------------------------- fields */

/* Two digits and no more mean a year of the window. */
static int32_t window(struct parser *p, const struct cl_date_item *it, size_t from, size_t to, int32_t year) {
  if (it->count > 2 || to - from != 2 || cl_java_digit(p->t.u[from]) < 0 ||
      cl_java_digit(p->t.u[from + 1]) < 0)
    return year;
  int32_t turn = p->century_year % 100;
  p->ambiguous = year == turn;
  return year + p->century_year / 100 * 100 + (year < turn ? 100 : 0);
}

static bool set_number(struct parser *p, const struct cl_date_item *it, size_t from, size_t to,
                       int32_t value) {
  static const char letters[] = "yYMLdDFwWuHkKhmsS";
  static const enum cl_date_field fields[] = {CL_DATE_YEAR,
                                              CL_DATE_WEEK_YEAR,
                                              CL_DATE_MONTH,
                                              CL_DATE_MONTH,
                                              CL_DATE_DAY,
                                              CL_DATE_DAY_OF_YEAR,
                                              CL_DATE_DOW_IN_MONTH,
                                              CL_DATE_WEEK_OF_YEAR,
                                              CL_DATE_WEEK_OF_MONTH,
                                              CL_DATE_DAY_OF_WEEK,
                                              CL_DATE_HOUR_OF_DAY,
                                              CL_DATE_HOUR_OF_DAY,
                                              CL_DATE_HOUR,
                                              CL_DATE_HOUR,
                                              CL_DATE_MINUTE,
                                              CL_DATE_SECOND,
                                              CL_DATE_MS};
  switch (it->letter) {
  case 'y':
  case 'Y': value = window(p, it, from, to, value); break;
  case 'M':
  case 'L': value = (int32_t)((uint32_t)value - 1); break;
  case 'k': value = value == 24 ? 0 : value; break;
  case 'h': value = value == 12 ? 0 : value; break;
  case 'u': /* 1 = Monday; others are left to the calendar */
    value = value == 7 ? 1 : value >= 1 && value <= 6 ? value + 1 : value;
    break;
  default: break;
  }
  cl_date_fields_set(&p->fields, fields[strchr(letters, it->letter) - letters], value);
  return true;
}

static bool field(struct parser *p, const struct cl_date_item *it, bool obey_count, size_t *at) {
  static const char *const eras[4] = {"Before Christ", "Anno Domini", "BC", "AD"};
  static const char *const halves[4] = {"AM", "PM", "AM", "PM"};
  size_t start = *at, i = start;
  while (i < p->t.n && (p->t.u[i] == ' ' || p->t.u[i] == '\t'))
    i++;
  if (i == p->t.n)
    return false;
  switch (it->letter) {
  case 'G': return set_pair(p, at, CL_DATE_ERA, eras);
  case 'a': return set_pair(p, at, CL_DATE_AM_PM, halves);
  case 'E': return set_name(p, at, CL_DATE_DAY_OF_WEEK, cl_date_days, 7, 1);
  case 'z':
  case 'Z': *at = i; return zone(p, start, at);
  case 'X': *at = i; return iso_zone(p, at, it->count);
  case 'M':
  case 'L':
    if (it->count >= 3)
      return set_name(p, at, CL_DATE_MONTH, cl_date_months, 12, 0);
    break;
  default: break;
  }
  struct text t = p->t;
  if (obey_count) {
    if (it->count > t.n - start)
      return false;
    t.n = start + it->count; /* blanks in front count too */
  }
  int32_t value;
  *at = i;
  return i <= t.n && number(t, at, &value) && set_number(p, it, i, *at, value);
}

/* A field that is digits limits the one before it to its own letters. */
static bool is_digits(const struct cl_date_item *it) {
  switch (it->letter) {
  case 0:
  case 'G':
  case 'E':
  case 'a':
  case 'z':
  case 'Z':
  case 'X': return false;
  case 'M':
  case 'L': return it->count <= 2;
  default: return true;
  }
}

static bool parse(const struct cl_date_format *f, struct text t, int64_t *ms) {
  struct parser p = {.t = t, .century_year = f->century_year};
  size_t at = 0;
  for (uint32_t i = 0; i < f->n; i++) {
    const struct cl_date_item *it = &f->items[i];
    if (it->letter) {
      if (!field(&p, it, i + 1 < f->n && is_digits(it + 1), &at))
        return false;
    } else if (at >= t.n || t.u[at++] != it->unit) {
      return false;
    }
  }
  if (at == 0)
    return false;
  *ms = cl_date_fields_ms(&p.fields);
  if (p.ambiguous && *ms < f->century_ms) {
    cl_date_fields_add_years(&p.fields, 100);
    *ms = cl_date_fields_ms(&p.fields);
  }
  return true;
}

static bool units_room(struct cl_date_units *u, size_t n) {
  if (n <= u->cap)
    return true;
  uint16_t *p = realloc(u->p, n * sizeof(*p));
  if (!p)
    return false;
  *u = (struct cl_date_units){p, n};
  return true;
}

int cl_date_format_parse(const struct cl_date_format *f, const char *s, size_t len, int64_t *ms,
                         struct cl_err *err) {
  uint16_t few[SHORT_TEXT], *u = few;
  if (len > SHORT_TEXT) {
    if (!units_room(f->units, len))
      return cl_err_set(err, CL_ENOMEM, "no memory for a date text of %zu bytes", len);
    u = f->units->p;
  }
  struct text t = {u, cl_java_units(s, len, u)};
  if (parse(f, t, ms))
    return 0;
  cl_err_set(err, CL_EDATA, "Could not parse timestamp: value (%s) does not match pattern (%s)",
             CL_SHOWN(s, len), f->pattern);
  err->class = CL_JAVA_DATA;
  return CL_EDATA;
}
