/* SPDX-License-Identifier: Apache-2.0
 * JSON numbers: integers at once, others as their text, for a decimal keeps every digit
 * and most doubles leave as they came. Thread: the task's. */
#include <string.h>

#include "base/arena.h"
#include "record/json_in.h"
#include "record/num.h"

enum { DIGITS_MAX = 1000 }; /* Jackson's limit */

/* The parts of a number: [p, dot) digits, [dot, exp) point and fraction, [exp, end). */
struct parts {
  const char *p, *dot, *exp, *end;
  bool negative, zeros; /* zeros: leading ones were skipped */
};

static const char *skip_digits(const char *p, const char *end) {
  while (p < end && *p >= '0' && *p <= '9')
    p++;
  return p;
}

static int split(struct cl_json_in *in, struct parts *n) {
  const char *p = in->p, *end = in->end;
  *n = (struct parts){0};
  if (*p == '-') {
    n->negative = true;
    p++;
  }
  const char *first = p;
  while (end - p >= 2 && p[0] == '0' && p[1] >= '0' && p[1] <= '9')
    p++;
  n->zeros = p > first;
  n->p = p;
  p = n->dot = n->exp = n->end = skip_digits(p, end);
  in->p = p;
  if (p == n->p)
    return cl_json_in_fail(in, "a digit is missing");
  if (p < end && *p == '.') {
    n->exp = n->end = skip_digits(p + 1, end);
    in->p = n->end;
    if (n->exp == p + 1)
      return cl_json_in_fail(in, "a digit is missing after the point");
    p = n->exp;
  }
  if (p < end && (*p == 'e' || *p == 'E')) {
    p++;
    if (p < end && (*p == '+' || *p == '-'))
      p++;
    n->end = skip_digits(p, end);
    in->p = n->end;
    if (n->end == p)
      return cl_json_in_fail(in, "a digit is missing in the exponent");
  }
  if (n->end - n->p > DIGITS_MAX)
    return cl_json_in_fail(in, "number longer than 1000 characters");
  return 0;
}

/* Sign and digits as one text; a copy only when skipped zeros lie between them. */
static int text_of(struct cl_json_in *in, const struct parts *n, enum cl_kind kind, struct cl_val *out) {
  size_t len = (size_t)(n->end - n->p) + n->negative;
  const char *s = n->p - n->negative;
  if (n->negative && n->zeros) {
    char *copy = cl_arena_alloc(in->b->arena, len);
    if (!copy)
      return cl_err_set(in->err, CL_ENOMEM, "no memory for a number");
    copy[0] = '-';
    memcpy(copy + 1, n->p, len - 1);
    s = copy;
  }
  *out = (struct cl_val){.kind = (uint8_t)kind, .len = (uint32_t)len, .s = s};
  return 0;
}

static int integer(struct cl_json_in *in, const struct parts *n, struct cl_val *out) {
  uint64_t limit = (uint64_t)INT64_MAX + n->negative, i = 0;
  if (n->end - n->p <= 19) { /* 19 digits fit 64 bits without a sign */
    for (const char *p = n->p; p < n->end; p++)
      i = i * 10 + (uint64_t)(*p - '0');
    if (i <= limit) {
      *out = (struct cl_val){.kind = CL_INT, .aux = 64, .i = (int64_t)(n->negative ? 0 - i : i)};
      return 0;
    }
  }
  in->saw_bigint = true;
  int rc = text_of(in, n, CL_BIGINT, out);
  if (rc == 0 && in->narrow)
    *out = (struct cl_val){.kind = CL_INT, .aux = 64, .i = cl_num_low64(out->s, out->len)};
  return rc;
}

/* True when Double.toString gives this very text back: at most 15 digits, so no shorter
 * text means the same double, in the range that is printed without exponent. */
static bool is_canonical(const struct parts *n) {
  const char *f = n->dot + 1;
  ptrdiff_t whole = n->dot - n->p, fraction = n->exp - f;
  if (n->exp != n->end || whole > 7 || whole + fraction > 15 || (n->end[-1] == '0' && fraction > 1))
    return false;
  if (n->p[0] != '0')
    return true;
  if (fraction == 1)
    return *f != '0' || !n->negative; /* 0.0 but not -0.0, which reads as 0.0 */
  return f[0] != '0' || f[1] != '0' || (fraction > 2 && f[2] != '0');
}

/* The scale of the BigDecimal that Jackson makes must fit an int. */
static bool scale_fits(const struct parts *n) {
  if (n->end - n->exp <= 9)
    return true;
  const char *p = n->exp + 1;
  bool minus = *p == '-';
  if (*p == '-' || *p == '+')
    p++;
  while (p < n->end - 1 && *p == '0')
    p++;
  if (n->end - p > 10)
    return false;
  int64_t e = 0;
  for (; p < n->end; p++)
    e = e * 10 + (*p - '0');
  int64_t fraction = n->exp > n->dot ? n->exp - n->dot - 1 : 0;
  int64_t scale = fraction - (minus ? -e : e);
  return e <= INT32_MAX && scale >= INT32_MIN && scale <= INT32_MAX;
}

int cl_json_in_number(struct cl_json_in *in, struct cl_val *out) {
  struct parts n;
  int rc = split(in, &n);
  if (rc != 0)
    return rc;
  if (n.dot == n.end)
    return integer(in, &n, out);
  if (!scale_fits(&n))
    return cl_json_in_fail(in, "exponent beyond 32 bits");
  rc = text_of(in, &n, CL_NUMTEXT, out);
  if (rc == 0 && n.exp > n.dot && is_canonical(&n))
    out->flags = CL_VAL_CANON;
  return rc;
}
