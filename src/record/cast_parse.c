/* SPDX-License-Identifier: Apache-2.0
 * Numbers in text, by the grammars of Java's parse functions. Any thread. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/cast.h"
#include "record/java_char.h"
#include "record/num.h"

enum { EXPONENT_MAX = 1 << 30, SHORT_TEXT = 128 };

bool cl_cast_parse_int(struct cl_str s, int width, int64_t *out) {
  const char *p = s.p, *end = s.p + s.len;
  bool minus = s.len && *p == '-';
  if (s.len && (*p == '-' || *p == '+'))
    p++;
  if (p == end)
    return false;
  uint64_t max = (UINT64_C(1) << (width - 1)) - !minus, value = 0;
  while (p < end) {
    int digit = cl_java_digit(cl_java_next(&p, end));
    if (digit < 0 || value > (max - (uint64_t)digit) / 10)
      return false;
    value = value * 10 + (uint64_t)digit;
  }
  *out = (int64_t)(minus ? 0 - value : value);
  return true;
}

/* ------------------------------------------------------- Double.parseDouble */

struct literal { /* what is left of a text once blanks, sign and suffix are gone */
  const char *p, *end;
  bool minus;
};

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

static const char *skip(const char *p, const char *end, bool (*is)(char)) {
  while (p < end && is(*p))
    p++;
  return p;
}

/* An exponent's sign and digits at p; NULL = there are none. Saturates. */
static const char *exponent_at(const char *p, const char *end, int64_t *out) {
  bool minus = p < end && *p == '-';
  if (p < end && (*p == '-' || *p == '+'))
    p++;
  const char *digits = p;
  int64_t value = 0;
  for (; p < end && is_digit(*p); p++)
    if (value < EXPONENT_MAX)
      value = value * 10 + (*p - '0');
  *out = minus ? -value : value;
  return p > digits ? p : NULL;
}

static bool at_end(const char *p, const char *end) {
  return p == end || (p + 1 == end && memchr("fFdD", *p, 4));
}

static bool all_zero(const char *p, const char *end) {
  for (; p < end; p++)
    if (*p != '0' && *p != '.')
      return false;
  return true;
}

/* digits[.digits][e[+-]digits][fFdD]; *end of the number proper, *zero when it is 0. */
static bool decimal(const struct literal *l, const char **end, bool *zero) {
  const char *p = skip(l->p, l->end, is_digit);
  size_t digits = (size_t)(p - l->p);
  int64_t exponent;
  if (p < l->end && *p == '.') {
    const char *fraction = ++p;
    p = skip(p, l->end, is_digit);
    digits += (size_t)(p - fraction);
  }
  *zero = all_zero(l->p, p);
  if (digits && p < l->end && (*p == 'e' || *p == 'E'))
    p = exponent_at(p + 1, l->end, &exponent);
  *end = p;
  return digits && p && at_end(p, l->end);
}

/* 0xh.hp[+-]d as strtod reads it in any locale: without the point. */
static char *hexadecimal(struct cl_arena *a, const struct literal *l) {
  const char *p = l->p + 2, *whole = p;
  p = skip(p, l->end, is_hex);
  size_t n_whole = (size_t)(p - whole), n_fraction = 0;
  const char *fraction = p;
  if (p < l->end && *p == '.') {
    fraction = ++p;
    p = skip(p, l->end, is_hex);
    n_fraction = (size_t)(p - fraction);
  }
  int64_t exponent;
  if (n_whole + n_fraction == 0 || p == l->end || (*p != 'p' && *p != 'P'))
    return NULL;
  p = exponent_at(p + 1, l->end, &exponent);
  if (!p || !at_end(p, l->end))
    return NULL;
  size_t size = n_whole + n_fraction + 40;
  char *text = cl_arena_alloc(a, size);
  if (!text)
    return NULL;
  int n = snprintf(text, size, "0x%.*s%.*sp", (int)n_whole, whole, (int)n_fraction, fraction);
  snprintf(text + n, size - (size_t)n, "%lld", (long long)(exponent - 4 * (int64_t)n_fraction));
  return text;
}

/* -1 = not a number; 0 = *special is it; 1 = decimal, [l->p, *end); 2 = hexadecimal, *hex. */
static int classify(struct cl_arena *a, struct cl_str s, struct literal *l, double *special, const char **end,
                    char **hex) {
  const char *p = s.p, *stop = s.p + s.len;
  bool zero;
  while (p < stop && (unsigned char)*p <= ' ')
    p++;
  while (stop > p && (unsigned char)stop[-1] <= ' ')
    stop--;
  l->minus = p < stop && *p == '-';
  if (p < stop && (*p == '-' || *p == '+'))
    p++;
  l->p = p;
  l->end = stop;
  size_t n = (size_t)(stop - p);
  if ((n == 3 && memcmp(p, "NaN", 3) == 0) || (n == 8 && memcmp(p, "Infinity", 8) == 0)) {
    *special = n == 3 ? (double)NAN : l->minus ? -(double)INFINITY : (double)INFINITY;
    return 0;
  }
  if (n > 1 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X'))
    return (*hex = hexadecimal(a, l)) ? 2 : -1;
  if (!decimal(l, end, &zero))
    return -1;
  *special = l->minus ? -0.0 : 0.0;
  return zero ? 0 : 1;
}

bool cl_cast_parse_double(struct cl_arena *a, struct cl_str s, double *out) {
  struct literal l;
  const char *end;
  char *hex;
  int what = classify(a, s, &l, out, &end, &hex);
  if (what > 0) {
    double d = what == 1 ? cl_num_double(l.p, (size_t)(end - l.p)) : strtod(hex, NULL);
    *out = l.minus ? -d : d;
  }
  return what >= 0;
}

bool cl_cast_parse_float(struct cl_arena *a, struct cl_str s, float *out) {
  struct literal l;
  const char *end;
  char *hex;
  double special;
  int what = classify(a, s, &l, &special, &end, &hex);
  if (what == 0)
    *out = (float)special;
  if (what > 0) {
    float f = what == 1 ? cl_num_float(l.p, (size_t)(end - l.p)) : strtof(hex, NULL);
    *out = l.minus ? -f : f;
  }
  return what >= 0;
}

/* ---------------------------------------------------------------- BigDecimal */

/* Copies digits of any script as ASCII. */
static char *copy_digits(const char **p, const char *end, char *w) {
  while (*p < end) {
    const char *next = *p;
    int digit = cl_java_digit(cl_java_next(&next, end));
    if (digit < 0)
      break;
    *w++ = (char)('0' + digit);
    *p = next;
  }
  return w;
}

/* The exponent behind e; its digits without leading zeros are at most ten and make an int. */
static char *copy_exponent(const char **p, const char *end, char *w) {
  *w++ = 'e';
  bool minus = *p < end && **p == '-';
  if (*p < end && (**p == '-' || **p == '+'))
    *w++ = *(*p)++;
  char *digits = w;
  w = copy_digits(p, end, w);
  if (w == digits)
    return NULL;
  char *first = digits;
  while (first < w - 1 && *first == '0')
    first++;
  if (w - first > 10)
    return NULL;
  int64_t value = 0;
  for (; first < w; first++)
    value = value * 10 + (*first - '0');
  return value > (int64_t)INT_MAX + minus ? NULL : w;
}

struct cl_str cl_cast_decimal_text(struct cl_arena *a, struct cl_str s, bool integer) {
  const struct cl_str none = {0};
  const char *p = s.p, *end = s.p + s.len;
  char *text = cl_arena_alloc(a, (size_t)s.len + 1), *w = text;
  if (!text)
    return none;
  if (p < end && (*p == '-' || *p == '+')) {
    if (*p == '-')
      *w++ = '-';
    p++;
  }
  char *digits = w;
  w = copy_digits(&p, end, w);
  size_t n = (size_t)(w - digits);
  int64_t fraction = 0;
  if (!integer && p < end && *p == '.') {
    *w++ = *p++;
    char *start = w;
    w = copy_digits(&p, end, w);
    fraction = w - start;
  }
  if (n + (size_t)fraction == 0)
    return none;
  if (!integer && p < end && (*p == 'e' || *p == 'E')) {
    p++;
    w = copy_exponent(&p, end, w);
  }
  if (!w || p < end)
    return none;
  struct cl_decimal d; /* knows whether the scale is an int */
  if (!cl_num_decimal(a, text, (size_t)(w - text), &d))
    return none;
  return (struct cl_str){text, (uint32_t)(w - text)};
}
