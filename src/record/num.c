/* SPDX-License-Identifier: Apache-2.0
 * Numbers as Java reads and prints them. strtod and printf are used without their
 * decimal point, which is the only thing a locale changes. Any thread. */
#include "record/num.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* -?digits[.digits][(e|E)[+-]digits], taken apart. */
struct literal {
  bool negative;
  const char *digits, *fraction;
  size_t n_digits, n_fraction;
  int64_t exponent; /* saturated far beyond any use */
};

static size_t count_digits(const char *p, const char *end) {
  size_t n = 0;
  while (p + n < end && p[n] >= '0' && p[n] <= '9')
    n++;
  return n;
}

static struct literal take_apart(const char *p, size_t len) {
  const char *end = p + len;
  struct literal lit = {0};
  if (p < end && *p == '-') {
    lit.negative = true;
    p++;
  }
  lit.digits = p;
  lit.n_digits = count_digits(p, end);
  p += lit.n_digits;
  if (p < end && *p == '.') {
    lit.fraction = ++p;
    lit.n_fraction = count_digits(p, end);
    p += lit.n_fraction;
  }
  if (p < end && (*p == 'e' || *p == 'E')) {
    bool minus = ++p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
      p++;
    for (; p < end; p++)
      if (lit.exponent < INT64_C(100000000000))
        lit.exponent = lit.exponent * 10 + (*p - '0');
    if (minus)
      lit.exponent = -lit.exponent;
  }
  return lit;
}

/* The literal without its point, "-12345e-2"; NULL = no memory. small is tried first. */
static char *pointless(const struct literal *lit, char *small, size_t size) {
  size_t need = lit->n_digits + lit->n_fraction + 32;
  char *text = need <= size ? small : malloc(need);
  if (!text)
    return NULL;
  char *w = text;
  if (lit->negative)
    *w++ = '-';
  memcpy(w, lit->digits, lit->n_digits);
  w += lit->n_digits;
  if (lit->n_fraction)
    memcpy(w, lit->fraction, lit->n_fraction);
  w += lit->n_fraction;
  snprintf(w, 24, "e%lld", (long long)lit->exponent - (long long)lit->n_fraction);
  return text;
}

/* Up to 19 digits as a number; false when there are more. */
static bool small_mantissa(const struct literal *lit, uint64_t *out) {
  if (lit->n_digits + lit->n_fraction > 19)
    return false;
  uint64_t m = 0;
  for (size_t i = 0; i < lit->n_digits; i++)
    m = m * 10 + (uint64_t)(lit->digits[i] - '0');
  for (size_t i = 0; i < lit->n_fraction; i++)
    m = m * 10 + (uint64_t)(lit->fraction[i] - '0');
  *out = m;
  return true;
}

static bool all_zero(const struct literal *lit) {
  bool zero = true;
  for (size_t i = 0; i < lit->n_digits; i++)
    zero = zero && lit->digits[i] == '0';
  for (size_t i = 0; i < lit->n_fraction; i++)
    zero = zero && lit->fraction[i] == '0';
  return zero;
}

double cl_num_double(const char *s, size_t len) {
  static const double pow10[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  struct literal lit = take_apart(s, len);
  int64_t exp10 = lit.exponent - (int64_t)lit.n_fraction;
  uint64_t m;
  if (small_mantissa(&lit, &m) && m <= UINT64_C(1) << 53 && exp10 >= -22 && exp10 <= 22) {
    /* Both are exact doubles, so one operation rounds once. */
    double d = exp10 < 0 ? (double)m / pow10[-exp10] : (double)m * pow10[exp10];
    return lit.negative && m ? -d : d;
  }
  char small[128];
  char *text = pointless(&lit, small, sizeof(small));
  if (!text)
    return 0;
  double d = strtod(text, NULL);
  if (text != small)
    free(text);
  /* A zero mantissa has no sign; a tiny number rounded to zero keeps it. */
  return d == 0 && all_zero(&lit) ? 0.0 : d;
}

float cl_num_float(const char *s, size_t len) {
  struct literal lit = take_apart(s, len);
  uint64_t m;
  if (small_mantissa(&lit, &m) && m == 0)
    return 0;
  char small[128];
  char *text = pointless(&lit, small, sizeof(small));
  if (!text)
    return 0;
  float f = strtof(text, NULL);
  if (text != small)
    free(text);
  return f;
}

int64_t cl_num_low64(const char *s, size_t len) {
  struct literal lit = take_apart(s, len);
  /* The first `keep` digits are the integer part; missing ones are zeros. */
  int64_t keep = (int64_t)lit.n_digits + lit.exponent;
  int64_t total = (int64_t)(lit.n_digits + lit.n_fraction);
  if (keep - total >= 64)
    return 0; /* a multiple of 2^64 */
  uint64_t m = 0;
  for (int64_t i = 0; i < keep; i++) {
    char c = '0';
    if (i < (int64_t)lit.n_digits)
      c = lit.digits[i];
    else if (i < total)
      c = lit.fraction[i - (int64_t)lit.n_digits];
    m = m * 10 + (uint64_t)(c - '0');
  }
  return (int64_t)(lit.negative ? 0 - m : m);
}

/* ------------------------------------------------------------- printing */

size_t cl_num_print_int(int64_t i, char out[CL_NUM_TEXT]) {
  static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                              "25262728293031323334353637383940414243444546474849"
                              "50515253545556575859606162636465666768697071727374"
                              "75767778798081828384858687888990919293949596979899";
  char tmp[24], *end = tmp + sizeof(tmp), *p = end;
  uint64_t u = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
  for (; u >= 100; u /= 100)
    memcpy(p -= 2, pairs + u % 100 * 2, 2);
  if (u >= 10)
    memcpy(p -= 2, pairs + u * 2, 2);
  else
    *--p = (char)('0' + u);
  if (i < 0)
    *--p = '-';
  memcpy(out, p, (size_t)(end - p));
  return (size_t)(end - p);
}

/* Digits of d rounded to n places and its decimal exponent, d = 0.D1D2... * 10^(exp+1). */
static void digits_of(double d, int n, char *digits, int *exp10) {
  char text[64];
  snprintf(text, sizeof(text), "%.*e", n - 1, d);
  int k = 0;
  const char *p = text;
  for (; *p != 'e'; p++)
    if (*p >= '0' && *p <= '9') /* skips the point, however the locale writes it */
      digits[k++] = *p;
  digits[k] = '\0';
  *exp10 = (int)strtol(p + 1, NULL, 10);
}

/* The shortest digits that read back as the same number. Normal numbers have at least
 * `from` safe digits, so a shorter form shows as trailing zeros there; subnormal ones
 * start at Java's two. */
static void shortest(double d, bool is_float, char *digits, int *exp10) {
  bool tiny = d < (is_float ? 0x1p-126 : 0x1p-1022);
  int from = tiny ? 2 : is_float ? 6 : 15, to = is_float ? 9 : 17;
  for (int n = from; n <= to; n++) {
    digits_of(d, n, digits, exp10);
    char again[48];
    snprintf(again, sizeof(again), "%se%d", digits, *exp10 - (n - 1));
    if (is_float ? strtof(again, NULL) == (float)d : strtod(again, NULL) == d)
      break;
  }
  size_t len = strlen(digits);
  while (len > 1 && digits[len - 1] == '0')
    digits[--len] = '\0';
}

static size_t print(double d, bool is_float, char *out) {
  if (isnan(d))
    return memcpy(out, "NaN", 3), 3;
  size_t w = 0;
  if (signbit(d)) {
    out[w++] = '-';
    d = -d;
  }
  if (isinf(d))
    return memcpy(out + w, "Infinity", 8), w + 8;
  if (d == 0)
    return memcpy(out + w, "0.0", 3), w + 3;
  char digits[32];
  int exp10;
  shortest(d, is_float, digits, &exp10);
  int n = (int)strlen(digits), at = 0;
  if (exp10 >= -3 && exp10 < 7) {
    if (exp10 < 0) {
      out[w++] = '0';
    } else {
      for (int i = 0; i <= exp10; i++)
        out[w++] = at < n ? digits[at++] : '0';
    }
    out[w++] = '.';
    for (int i = -1; i > exp10; i--)
      out[w++] = '0';
  } else {
    out[w++] = digits[at++];
    out[w++] = '.';
  }
  if (at == n)
    out[w++] = '0';
  while (at < n)
    out[w++] = digits[at++];
  if (exp10 < -3 || exp10 >= 7) {
    out[w++] = 'E';
    w += cl_num_print_int(exp10, out + w);
  }
  return w;
}

size_t cl_num_print_double(double d, char out[CL_NUM_TEXT]) { return print(d, false, out); }

size_t cl_num_print_float(float f, char out[CL_NUM_TEXT]) { return print((double)f, true, out); }

bool cl_num_parse_int32(struct cl_str s, int32_t *out) {
  uint32_t i = s.len && (s.p[0] == '-' || s.p[0] == '+');
  bool negative = i && s.p[0] == '-';
  int64_t n = 0;
  if (i == s.len)
    return false;
  for (; i < s.len; i++) {
    if (s.p[i] < '0' || s.p[i] > '9')
      return false;
    n = n * 10 + (s.p[i] - '0');
    if (n > INT64_C(2147483648))
      return false;
  }
  n = negative ? -n : n;
  if (n > INT32_MAX)
    return false;
  *out = (int32_t)n;
  return true;
}

/* -------------------------------------------------------------- decimal */

bool cl_num_decimal(struct cl_arena *a, const char *s, size_t len, struct cl_decimal *out) {
  struct literal lit = take_apart(s, len);
  int64_t scale = (int64_t)lit.n_fraction - lit.exponent;
  char *text = cl_arena_alloc(a, lit.n_digits + lit.n_fraction + 2);
  if (!text || scale > INT32_MAX || scale < INT32_MIN)
    return false;
  char *w = text;
  if (lit.negative)
    *w++ = '-';
  char *first = w;
  memcpy(w, lit.digits, lit.n_digits);
  w += lit.n_digits;
  if (lit.n_fraction)
    memcpy(w, lit.fraction, lit.n_fraction);
  w += lit.n_fraction;
  char *keep = first;
  while (keep < w - 1 && *keep == '0')
    keep++;
  if (keep == w - 1 && *keep == '0') {
    text[0] = '0';
    w = text + 1;
  } else {
    memmove(first, keep, (size_t)(w - keep));
    w -= keep - first;
  }
  out->digits = (struct cl_str){text, (uint32_t)(w - text)};
  out->scale = (int32_t)scale;
  return true;
}

size_t cl_num_print_decimal(const struct cl_decimal *d, char *out) {
  const char *p = d->digits.p;
  int64_t n = d->digits.len, scale = d->scale;
  size_t w = 0;
  if (n && *p == '-') {
    out[w++] = *p++;
    n--;
  }
  int64_t adjusted = -scale + (n - 1);
  if (scale == 0) {
    memcpy(out + w, p, (size_t)n);
    return w + (size_t)n;
  }
  if (scale > 0 && adjusted >= -6) {
    int64_t pad = scale - n; /* zeros between the point and the first digit */
    if (pad >= 0) {
      out[w++] = '0';
      out[w++] = '.';
      for (int64_t i = 0; i < pad; i++)
        out[w++] = '0';
      memcpy(out + w, p, (size_t)n);
    } else {
      memcpy(out + w, p, (size_t)-pad);
      w += (size_t)-pad;
      out[w++] = '.';
      memcpy(out + w, p - pad, (size_t)scale);
      return w + (size_t)scale;
    }
    return w + (size_t)n;
  }
  out[w++] = *p++;
  if (n > 1) {
    out[w++] = '.';
    memcpy(out + w, p, (size_t)n - 1);
    w += (size_t)n - 1;
  }
  if (adjusted) {
    out[w++] = 'E';
    if (adjusted > 0)
      out[w++] = '+';
    w += cl_num_print_int(adjusted, out + w);
  }
  return w;
}
