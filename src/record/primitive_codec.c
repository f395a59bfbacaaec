/* SPDX-License-Identifier: Apache-2.0
 * BooleanConverter and the converters of numbers: big-endian bytes. Thread: the task's. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "record/batch.h"
#include "record/build.h"
#include "record/codec.h"
#include "record/num.h"
#include "record/space.h"
#include "record/value.h"

struct primitive {
  enum cl_type type;
  uint32_t size;
  const char *word;  /* as messages have it */
  const char *reads; /* whose message a wrong size gets */
};
static const struct primitive primitives[] = {
    {CL_TYPE_BOOLEAN, 1, "boolean", "BooleanDeserializer"}, {CL_TYPE_INT16, 2, "short", "ShortDeserializer"},
    {CL_TYPE_INT32, 4, "integer", "IntegerDeserializer"},   {CL_TYPE_INT64, 8, "long", "LongDeserializer"},
    {CL_TYPE_FLOAT32, 4, "float", "Deserializer"},          {CL_TYPE_FLOAT64, 8, "double", "Deserializer"},
};

static const struct primitive *primitive_of(enum cl_type type) {
  const struct primitive *p = primitives;
  while (p->type != type) {
    p++;
    CL_REQUIRE(p < primitives + sizeof(primitives) / sizeof(*primitives));
  }
  return p;
}

static int refuse(struct cl_err *err, const struct primitive *p, const char *cause) {
  cl_err_set(err, CL_EDATA, "Failed to deserialize %s: ", p->word);
  err->class = CL_JAVA_DATA;
  snprintf(err->trace, sizeof(err->trace),
           "Caused by: org.apache.kafka.common.errors.SerializationException: %s", cause);
  return CL_EDATA;
}

static int wrong_size(struct cl_err *err, const struct primitive *p) {
  char cause[96];
  snprintf(cause, sizeof(cause), "Size of data received by %s is not %u", p->reads, p->size);
  return refuse(err, p, cause);
}

static int wrong_bool(struct cl_err *err, const struct primitive *p, unsigned char c) {
  char cause[96];
  snprintf(cause, sizeof(cause), "Unexpected byte received by BooleanDeserializer: %d", (signed char)c);
  return refuse(err, p, cause);
}

/* A float as a double and back; a NaN keeps its bits, which arithmetic would change. */
static double float_of(uint32_t bits) {
  float f;
  double d;
  memcpy(&f, &bits, sizeof(f));
  if (!isnan(f))
    return (double)f;
  uint64_t wide = (uint64_t)(bits & 0x80000000u) << 32 | UINT64_C(0x7ff) << 52 |
                  (uint64_t)(bits & 0x7fffff) << 29;
  memcpy(&d, &wide, sizeof(d));
  return d;
}

static uint32_t bits_of_float(double d) {
  float f = (float)d;
  uint32_t bits;
  uint64_t wide;
  memcpy(&bits, &f, sizeof(bits));
  memcpy(&wide, &d, sizeof(wide));
  return isnan(d) ? (uint32_t)(wide >> 32 & 0x80000000u) | 0x7f800000u | (uint32_t)(wide >> 29 & 0x7fffff)
                  : bits;
}

int cl_primitive_decode(struct cl_batch *b, struct cl_datum *d, enum cl_type type, struct cl_err *err) {
  const struct primitive *p = primitive_of(type);
  d->schema = cl_space_primitive(b->space, type, true);
  if (!d->schema)
    return cl_err_set(err, CL_ENOMEM, "no memory for a record");
  d->val = (struct cl_val){.kind = CL_NULL};
  if (!d->bytes.p)
    return 0;
  if (d->bytes.len != p->size)
    return wrong_size(err, p);
  uint64_t bits = 0;
  for (uint32_t i = 0; i < p->size; i++)
    bits = bits << 8 | (unsigned char)d->bytes.p[i];
  uint32_t half = (uint32_t)bits;
  double x;
  switch (type) {
  case CL_TYPE_BOOLEAN:
    if (bits > 1)
      return wrong_bool(err, p, (unsigned char)bits);
    d->val.kind = bits ? CL_TRUE : CL_FALSE;
    return 0;
  case CL_TYPE_FLOAT32:
    d->val.kind = CL_FLOAT32;
    d->val.f = float_of(half);
    return 0;
  case CL_TYPE_FLOAT64:
    memcpy(&x, &bits, sizeof(x));
    d->val = (struct cl_val){.kind = CL_FLOAT64, .f = x};
    return 0;
  default: break;
  }
  int64_t i = type == CL_TYPE_INT16   ? (int16_t)(uint16_t)bits
              : type == CL_TYPE_INT32 ? (int32_t)half
                                      : (int64_t)bits;
  d->val = (struct cl_val){.kind = CL_INT, .aux = (uint16_t)(p->size * 8), .i = i};
  return 0;
}

/* The bits of a value of exactly the type. */
static bool bits_of(const struct primitive *p, const struct cl_val *v, uint64_t *bits) {
  double x = v->kind == CL_NUMTEXT ? cl_num_double(v->s, v->len) : v->f;
  switch (p->type) {
  case CL_TYPE_BOOLEAN: *bits = v->kind == CL_TRUE; return v->kind == CL_TRUE || v->kind == CL_FALSE;
  case CL_TYPE_FLOAT32: *bits = bits_of_float(v->f); return v->kind == CL_FLOAT32;
  case CL_TYPE_FLOAT64:
    memcpy(bits, &x, sizeof(*bits));
    if (isnan(x))
      *bits = UINT64_C(0x7ff8000000000000); /* Double.doubleToLongBits; floats keep theirs */
    return v->kind == CL_FLOAT64 || v->kind == CL_NUMTEXT;
  default: *bits = (uint64_t)v->i; return v->kind == CL_INT && v->aux == p->size * 8;
  }
}

int cl_primitive_encode(struct cl_batch *b, struct cl_datum *d, enum cl_type type, struct cl_err *err) {
  const struct primitive *p = primitive_of(type);
  uint64_t bits;
  d->bytes = (struct cl_str){0};
  if (type == CL_TYPE_BOOLEAN && d->schema && d->schema->type != CL_TYPE_BOOLEAN) {
    cl_err_set(err, CL_EDATA, "Invalid schema type for BooleanConverter: %s", cl_type_name(d->schema->type));
  } else if (cl_value_is_null(&d->val)) {
    return 0;
  } else if (bits_of(p, &d->val, &bits)) {
    char *bytes = cl_arena_alloc(b->arena, p->size);
    if (!bytes)
      return cl_err_set(err, CL_ENOMEM, "no memory for a record");
    for (uint32_t i = p->size; i-- > 0; bits >>= 8)
      bytes[i] = (char)bits;
    d->bytes = (struct cl_str){bytes, p->size};
    return 0;
  } else if (type == CL_TYPE_BOOLEAN) {
    cl_err_set(err, CL_EDATA, "BooleanConverter is not compatible with objects of type class %s",
               cl_value_class(&d->val));
  } else {
    cl_err_set(err, CL_EDATA, "Failed to serialize to %s (was class %s): ", p->word, cl_value_class(&d->val));
  }
  err->class = CL_JAVA_DATA;
  return CL_EDATA;
}
