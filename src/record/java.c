/* SPDX-License-Identifier: Apache-2.0
 * Java's hashes and comparisons. Any thread. */
#include "record/java.h"

#include <math.h>
#include <string.h>

#include "record/java_char.h"
#include "record/space.h"
#include "record/value.h"

int32_t cl_java_string_hash(const char *text, size_t len) {
  const char *p = text, *end = text + len;
  uint32_t h = 0;
  while (p < end) {
    uint32_t c = cl_java_next(&p, end);
    if (c >= 0x10000) {
      h = 31 * h + (0xD800 + ((c - 0x10000) >> 10));
      c = 0xDC00 + ((c - 0x10000) & 0x3FF);
    }
    h = 31 * h + c;
  }
  return (int32_t)h;
}

int32_t cl_ffi_java_hash(const char *s, uint32_t len) { return cl_java_string_hash(s, len); }

size_t cl_java_string_length(const char *p, size_t len) {
  size_t n = 0;
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)p[i];
    n += ((c & 0xC0) != 0x80) + (c >= 0xF0);
  }
  return n;
}

static int32_t fold(uint64_t bits) { return (int32_t)(uint32_t)(bits ^ bits >> 32); }

static int32_t hash_double(double d) {
  uint64_t bits;
  memcpy(&bits, &d, sizeof(bits));
  return fold(d != d ? UINT64_C(0x7ff8000000000000) : bits);
}

static int32_t hash_float(float f) {
  uint32_t bits;
  memcpy(&bits, &f, sizeof(bits));
  return (int32_t)(f != f ? UINT32_C(0x7fc00000) : bits);
}

/* BigDecimal.hashCode: 31 times that of the unscaled BigInteger, which goes over its 32-bit words, and
 * the scale. 0 beyond 600 digits. */
static int32_t hash_decimal(const struct cl_decimal *dec) {
  uint32_t word[64], n = 0, h = 0; /* the least significant first */
  bool negative = dec->digits.len && dec->digits.p[0] == '-';
  if (dec->digits.len > 600)
    return 0;
  for (uint32_t i = negative; i < dec->digits.len; i++) {
    uint64_t carry = (uint64_t)(dec->digits.p[i] - '0');
    for (uint32_t w = 0; w < n; w++) {
      carry += (uint64_t)word[w] * 10;
      word[w] = (uint32_t)carry;
      carry >>= 32;
    }
    if (carry)
      word[n++] = (uint32_t)carry;
  }
  while (n)
    h = 31 * h + word[--n];
  return (int32_t)(31 * (negative ? 0 - h : h) + (uint32_t)dec->scale);
}

static int32_t hash_of(const struct cl_space *s, const struct cl_val *v, int left);

static int32_t hash_object(const struct cl_space *s, const struct cl_obj *obj, int left) {
  uint32_t h = 0;
  for (uint32_t i = 0; i < obj->n; i++)
    h += (uint32_t)(cl_space_sym_info(s, obj->e[i].sym)->java_hash ^ hash_of(s, &obj->e[i].val, left));
  return (int32_t)h;
}

/* left = how many containers may still be entered: plugins nest them as deep as they like. */
static int32_t hash_of(const struct cl_space *s, const struct cl_val *v, int left) {
  uint32_t h = 0;
  if (v->kind >= CL_ARRAY && left-- == 0)
    return 0;
  switch ((enum cl_kind)v->kind) {
  case CL_FALSE: return 1237;
  case CL_TRUE: return 1231;
  case CL_INT: return v->aux == 64 ? fold((uint64_t)v->i) : (int32_t)v->i;
  case CL_DATE:
  case CL_TIME:
  case CL_TIMESTAMP: return fold((uint64_t)v->i);
  case CL_FLOAT32: return hash_float((float)v->f);
  case CL_FLOAT64: return hash_double(v->f);
  case CL_STRING: return cl_java_string_hash(v->s, v->len);
  case CL_DECIMAL: return hash_decimal(v->dec);
  case CL_ARRAY:
    h = 1;
    for (uint32_t i = 0; i < v->arr->n; i++)
      h = 31 * h + (uint32_t)hash_of(s, &v->arr->v[i], left);
    return (int32_t)h;
  case CL_OBJECT: return hash_object(s, v->obj, left);
  case CL_MAP:
    for (uint32_t i = 0; i < v->map->n; i++)
      h += (uint32_t)(hash_of(s, &v->map->e[i].key, left) ^ hash_of(s, &v->map->e[i].val, left));
    return (int32_t)h;
  default: return 0;
  }
}

int32_t cl_java_hash(const struct cl_space *s, const struct cl_val *v) {
  return hash_of(s, v, CL_COPY_DEPTH);
}

/* String.compareTo as far as its sign goes: units of UTF-16, of which the first is enough where they differ.
 */
int cl_java_string_compare(struct cl_str a, struct cl_str b) {
  const char *p = a.p, *q = b.p, *p_end = a.p + a.len, *q_end = b.p + b.len;
  while (p < p_end && q < q_end) {
    uint32_t c = cl_java_next(&p, p_end), d = cl_java_next(&q, q_end);
    if (c == d)
      continue;
    if (c < 0x10000 && d >= 0x10000)
      d = 0xD800 + ((d - 0x10000) >> 10);
    else if (d < 0x10000 && c >= 0x10000)
      c = 0xD800 + ((c - 0x10000) >> 10);
    return c < d ? -1 : 1;
  }
  return (p < p_end) - (q < q_end);
}

/* Double.compareTo: -0.0 is less than 0.0, NaN the greatest. */
static int compare_doubles(double a, double b) {
  if (a < b || a > b)
    return a < b ? -1 : 1;
  if (a == b)
    return (signbit(b) != 0) - (signbit(a) != 0);
  return (a != a) - (b != b);
}

int cl_java_compare(const struct cl_val *a, const struct cl_val *b) {
  if (a->kind != b->kind || a->aux != b->aux)
    return strcmp(cl_value_class(a), cl_value_class(b));
  switch ((enum cl_kind)a->kind) {
  case CL_INT:
  case CL_DATE:
  case CL_TIME:
  case CL_TIMESTAMP: return (a->i > b->i) - (a->i < b->i);
  case CL_FLOAT32:
  case CL_FLOAT64: return compare_doubles(a->f, b->f);
  case CL_STRING: return cl_java_string_compare((struct cl_str){a->s, a->len}, (struct cl_str){b->s, b->len});
  default: return 0;
  }
}
