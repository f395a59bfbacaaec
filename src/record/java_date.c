/* SPDX-License-Identifier: Apache-2.0
 * SimpleDateFormat: patterns and formatting. Parsing is in java_date_parse.c. */
#include "record/java_date.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "record/calendar.h"
#include "record/codec.h"
#include "record/java_char.h"
#include "record/java_date_impl.h"

enum {
  DAY_MS = 86400000,
  DIGITS_MAX = 309,       /* of a DecimalFormat: longer fields get no more zeros */
  FIELD_MAX = 32,         /* the longest name or number of a field */
  COUNT_MAX = 1 << 24,    /* letters in a row that Java packs; patterns are shorter */
  CENTURY_BACK_YEARS = 80 /* SimpleDateFormat's default */
};

const char *const cl_date_months[12] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
const char *const cl_date_days[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                     "Thursday", "Friday", "Saturday"};

/* -------------------------------------------------------------------- pattern */

static bool is_letter(uint32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static bool is_field(uint32_t c) { return memchr("GyMdkHmsSEDFwWahKzZYuXL", (int)c, 23) != NULL; }

/* Adds the character that s holds from its first to its last byte. */
static void add_literal(struct cl_date_format *f, const char *s, const char *end) {
  uint16_t units[4];
  size_t bytes = (size_t)(end - s), n = cl_java_units(s, bytes, units);
  for (size_t i = 0; i < n; i++) {
    struct cl_date_item *it = &f->items[f->n++];
    *it = (struct cl_date_item){.unit = units[i]};
    if (i == 0) {
      it->bytes = (uint8_t)bytes;
      memcpy(it->utf8, s, bytes);
    }
  }
  f->max += bytes;
}

static int illegal(struct cl_err *err, const char *fmt, uint32_t n) {
  cl_err_set(err, CL_EINVAL, fmt, n);
  err->class = CL_JAVA_ILLEGAL_ARGUMENT;
  return CL_EINVAL;
}

static int add_field(struct cl_date_format *f, char letter, uint32_t count, struct cl_err *err) {
  if (letter == 'X' && count >= 4)
    return illegal(err, "invalid ISO 8601 format: length=%u", count);
  f->items[f->n++] = (struct cl_date_item){.letter = letter, .count = count};
  f->max += FIELD_MAX + (count < DIGITS_MAX ? count : DIGITS_MAX);
  return 0;
}

static int compile(struct cl_date_format *f, const char *p, const char *end, struct cl_err *err) {
  bool quoted = false;
  while (p < end) {
    const char *at = p;
    uint32_t c = cl_java_next(&p, end);
    if (c == '\'' && p < end && *p == '\'') {
      add_literal(f, p, p + 1);
      p++;
    } else if (c == '\'') {
      quoted = !quoted;
    } else if (quoted || !is_letter(c)) {
      add_literal(f, at, p);
    } else {
      while (p < end && *p == *at && p - at < COUNT_MAX)
        p++;
      if (!is_field(c))
        return illegal(err, "Illegal pattern character '%c'", c);
      if (p < end && is_letter((unsigned char)*p) && !is_field((unsigned char)*p)) /* Java sees it first */
        return illegal(err, "Illegal pattern character '%c'", (unsigned char)*p);
      int rc = add_field(f, *at, (uint32_t)(p - at), err);
      if (rc != 0)
        return rc;
    }
  }
  return quoted ? illegal(err, "Unterminated quote", 0) : 0;
}

/* Where the window of two-digit years begins: now, 80 years ago. */
static void set_century(struct cl_date_format *f, int64_t now_ms) {
  int64_t days = cl_floor_div(now_ms, DAY_MS), year;
  int month, day;
  cl_date_of_days(days, &year, &month, &day);
  year -= CENTURY_BACK_YEARS;
  int64_t last = cl_days_of(year, month + 1, 1) - cl_days_of(year, month, 1);
  int64_t from = cl_days_of(year, month, day <= last ? day : last);
  f->century_ms = from * DAY_MS + (now_ms - days * DAY_MS);
  f->century_year = (int32_t)year;
}

int cl_date_format_new(const char *pattern, size_t len, int64_t now_ms, struct cl_date_format **out,
                       struct cl_err *err) {
  *out = NULL;
  struct cl_date_format *f = calloc(1, sizeof(*f) + len * sizeof(f->items[0]));
  if (f) {
    f->units = calloc(1, sizeof(*f->units));
    f->pattern = strndup(pattern, len);
  }
  int rc = 0;
  if (!f || !f->units || !f->pattern)
    rc = cl_err_set(err, CL_ENOMEM, "no memory for a date pattern");
  else
    rc = compile(f, pattern, pattern + len, err);
  if (rc != 0) {
    cl_date_format_free(f);
    return rc;
  }
  f->max += sizeof(f->items[0].utf8); /* literals are written whole */
  set_century(f, now_ms);
  *out = f;
  return 0;
}

void cl_date_format_free(struct cl_date_format *f) {
  if (!f)
    return;
  if (f->units)
    free(f->units->p);
  free(f->units);
  free(f->pattern);
  free(f);
}

size_t cl_date_format_max(const struct cl_date_format *f) { return f->max; }

/* ----------------------------------------------------------------- formatting */

static char *put_number(char *w, int64_t value, uint32_t width) {
  static const uint32_t limit[] = {0, 10, 100, 1000, 10000};
  if (width <= 4 && value >= 0 && value < limit[width]) { /* most of what dates are made of */
    uint32_t rest = (uint32_t)value;
    for (uint32_t i = width; i-- > 0; rest /= 10)
      w[i] = (char)('0' + rest % 10);
    return w + width;
  }
  char digits[24];
  size_t n = 0;
  uint64_t u = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  do {
    digits[n++] = (char)('0' + u % 10);
    u /= 10;
  } while (u);
  if (value < 0)
    *w++ = '-';
  for (size_t pad = width < DIGITS_MAX ? width : DIGITS_MAX; pad > n; pad--)
    *w++ = '0';
  while (n)
    *w++ = digits[--n];
  return w;
}

static char *put_text(char *w, const char *s, size_t max) {
  size_t n = strlen(s);
  n = n < max ? n : max;
  memcpy(w, s, n);
  return w + n;
}

struct moment {
  const struct cl_calendar_day *day;
  int64_t era_year;
  int32_t ms; /* of the day */
};

/* Two letters are the last two digits, with the sign of a week year BC. */
static char *put_year(char *w, int64_t year, uint32_t count) {
  if (count != 2)
    return put_number(w, year, count);
  if (year < 0)
    *w++ = '-';
  return put_number(w, (year < 0 ? -year : year) % 100, 2);
}

static char *put_hour(char *w, int hour, int zero, uint32_t count) {
  return put_number(w, hour ? hour : zero, count);
}

static char *put_field(char *w, const struct cl_date_item *it, const struct moment *m) {
  const struct cl_calendar_day *d = m->day;
  uint32_t n = it->count;
  bool full = n >= 4;
  int hour = m->ms / 3600000;
  switch (it->letter) {
  case 'G': return put_text(w, d->year > 0 ? "AD" : "BC", 2);
  case 'y': return put_year(w, m->era_year, n);
  case 'Y': return put_year(w, d->week_year, n);
  case 'M':
  case 'L':
    if (n >= 3)
      return put_text(w, cl_date_months[d->month - 1], full ? 16 : 3);
    return put_number(w, d->month, n);
  case 'd': return put_number(w, d->day, n);
  case 'D': return put_number(w, d->day_of_year, n);
  case 'F': return put_number(w, d->day_of_week_in_month, n);
  case 'w': return put_number(w, d->week_of_year, n);
  case 'W': return put_number(w, d->week_of_month, n);
  case 'E': return put_text(w, cl_date_days[d->day_of_week - 1], full ? 16 : 3);
  case 'u': return put_number(w, d->day_of_week == 1 ? 7 : d->day_of_week - 1, n);
  case 'a': return put_text(w, hour < 12 ? "AM" : "PM", 2);
  case 'H': return put_number(w, hour, n);
  case 'k': return put_hour(w, hour, 24, n);
  case 'K': return put_number(w, hour % 12, n);
  case 'h': return put_hour(w, hour % 12, 12, n);
  case 'm': return put_number(w, m->ms / 60000 % 60, n);
  case 's': return put_number(w, m->ms / 1000 % 60, n);
  case 'S': return put_number(w, m->ms % 1000, n);
  case 'z': return put_text(w, full ? "Coordinated Universal Time" : "UTC", 32);
  case 'Z': return put_text(w, "+0000", 5);
  default: return put_text(w, "Z", 1); /* X */
  }
}

/* Records come in the order of time: the last one's day is most often the next one's. */
static const struct cl_calendar_day *day_of(int64_t days) {
  static _Thread_local struct cl_calendar_day last;
  static _Thread_local int64_t last_days = INT64_MIN; /* no day */
  if (days != last_days) {
    cl_calendar_day(days, &last);
    last_days = days;
  }
  return &last;
}

size_t cl_date_format_write(const struct cl_date_format *f, int64_t ms, char *out) {
  int64_t days = cl_floor_div(ms, DAY_MS);
  struct moment m = {.day = day_of(days), .ms = (int32_t)(ms - days * DAY_MS)};
  m.era_year = m.day->year > 0 ? m.day->year : 1 - m.day->year;
  char *w = out;
  for (uint32_t i = 0; i < f->n; i++) {
    const struct cl_date_item *it = &f->items[i];
    if (it->letter) {
      w = put_field(w, it, &m);
    } else {
      memcpy(w, it->utf8, sizeof(it->utf8)); /* there is room for all four, see cl_date_format_new */
      w += it->bytes;
    }
  }
  return (size_t)(w - out);
}

/* ------------------------------------------------------------------------ FFI */

int cl_ffi_date_format(const struct cl_date_format *f, struct cl_batch *batch, int64_t ms,
                       struct cl_val *out) {
  char *text = cl_arena_alloc(batch->arena, f->max);
  if (!text)
    return cl_err_set(cl_ffi_err(), CL_ENOMEM, "no memory for a date of %zu bytes", f->max);
  *out = (struct cl_val){.kind = CL_STRING, .s = text};
  out->len = (uint32_t)cl_date_format_write(f, ms, text);
  return 0;
}

int cl_ffi_date_parse(const struct cl_date_format *f, const char *s, uint32_t len, int64_t *ms) {
  return cl_date_format_parse(f, s, len, ms, cl_ffi_err());
}
