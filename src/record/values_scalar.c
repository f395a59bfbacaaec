/* SPDX-License-Identifier: Apache-2.0
 * Numbers and dates of Values.parseString. Thread: the task's. */
#include "record/values_impl.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "record/batch.h"
#include "record/calendar.h"
#include "record/java.h"
#include "record/java_char.h"
#include "record/java_date.h"
#include "record/num.h"
#include "record/space.h"

static int no_memory(struct cl_err *err) { return cl_err_set(err, CL_ENOMEM, "no memory for a value"); }

/* ------------------------------------------------------------------ numbers */

/* A number's text as it is read, and as ASCII digits without '+'. */
struct literal {
  const char *p, *end;
  char *out;
  size_t n;
  int64_t scale; /* digits behind the point, less the exponent */
};

static bool copy_char(struct literal *l, char c) {
  if (l->p == l->end || *l->p != c)
    return false;
  l->p++;
  if (c != '+')
    l->out[l->n++] = c;
  return true;
}

/* Copies digits of any script; how many. */
static size_t copy_digits(struct literal *l) {
  size_t n = 0;
  while (l->p < l->end) {
    const char *next = l->p;
    int digit = cl_java_digit(cl_java_next(&next, l->end));
    if (digit < 0)
      break;
    l->out[l->n++] = (char)('0' + digit);
    l->p = next;
    n++;
  }
  return n;
}

enum { EXPONENT_DIGITS = 10 }; /* BigDecimal's, zeros in front of more not counted */

/* The exponent behind its 'e'; false = BigDecimal refuses it. */
static bool copy_exponent(struct literal *l) {
  l->out[l->n++] = 'e';
  l->p++;
  bool negative = copy_char(l, '-');
  if (!negative)
    copy_char(l, '+');
  size_t start = l->n;
  if (!copy_digits(l))
    return false;
  size_t zeros = 0, digits = l->n - start;
  while (digits - zeros > EXPONENT_DIGITS && l->out[start + zeros] == '0')
    zeros++;
  if (digits - zeros > EXPONENT_DIGITS)
    return false;
  int64_t exponent = 0;
  for (size_t i = start + zeros; i < l->n; i++)
    exponent = exponent * 10 + (l->out[i] - '0');
  memmove(l->out + start, l->out + start + zeros, digits - zeros);
  l->n -= zeros;
  exponent = negative ? -exponent : exponent;
  l->scale -= exponent;
  return exponent >= INT32_MIN && exponent <= INT32_MAX;
}

/* The grammar of BigDecimal(String). out has room for the token; false = no number. */
static bool read_literal(struct literal *l) {
  if (!copy_char(l, '-'))
    copy_char(l, '+');
  size_t digits = copy_digits(l);
  if (copy_char(l, '.'))
    l->scale = (int64_t)copy_digits(l);
  if (!digits && !l->scale)
    return false;
  if (l->p < l->end && (*l->p == 'e' || *l->p == 'E') && !copy_exponent(l))
    return false;
  return l->p == l->end && l->scale >= INT32_MIN && l->scale <= INT32_MAX;
}

/* The value as int64, when it is whole and fits. */
static bool whole(const struct cl_decimal *dec, int64_t *out) {
  const char *p = dec->digits.p;
  int64_t n = dec->digits.len, scale = dec->scale;
  bool negative = *p == '-';
  p += negative;
  n -= negative;
  if (n == 1 && *p == '0') {
    *out = 0;
    return true;
  }
  while (n > 1 && scale > 0 && p[n - 1] == '0') {
    n--;
    scale--;
  }
  if (scale > 0 || n - scale > 19)
    return false;
  uint64_t m = 0; /* up to 19 digits fit */
  for (int64_t i = 0; i < n - scale; i++)
    m = m * 10 + (uint64_t)(i < n ? p[i] - '0' : 0);
  if (m > (uint64_t)INT64_MAX + negative)
    return false;
  *out = (int64_t)(negative ? 0 - m : m);
  return true;
}

static const struct cl_schema *decimal_schema(struct cl_space *space, int32_t scale) {
  char text[CL_NUM_TEXT];
  uint32_t n = (uint32_t)cl_num_print_int(scale, text);
  const struct cl_param param = {{"scale", 5}, {text, n}};
  const char *name = "org.apache.kafka.connect.data.Decimal";
  return cl_space_intern(space, &(struct cl_schema){.type = CL_TYPE_BYTES,
                                                    .has_version = 1,
                                                    .version = 1,
                                                    .name = {name, (uint32_t)strlen(name)},
                                                    .n_params = 1,
                                                    .params = &param});
}

static enum cl_type narrowest(int64_t i, uint16_t *width) {
  *width = i == (int8_t)i ? 8 : i == (int16_t)i ? 16 : i == (int32_t)i ? 32 : 64;
  return *width == 8    ? CL_TYPE_INT8
         : *width == 16 ? CL_TYPE_INT16
         : *width == 32 ? CL_TYPE_INT32
                        : CL_TYPE_INT64;
}

int cl_values_number(struct cl_batch *b, const char *s, size_t len, struct cl_val *val,
                     const struct cl_schema **schema, struct cl_err *err) {
  char small[128];
  struct literal l = {.p = s, .end = s + len, .out = small};
  if (len > sizeof(small) && !(l.out = cl_arena_alloc(b->arena, len)))
    return no_memory(err);
  if (!read_literal(&l))
    return 0;
  struct cl_decimal dec;
  if (!cl_num_decimal(b->arena, l.out, l.n, &dec))
    return no_memory(err);
  int64_t i;
  float f;
  double d;
  if (whole(&dec, &i)) {
    uint16_t width;
    *schema = cl_space_primitive(b->space, narrowest(i, &width), false);
    *val = (struct cl_val){.kind = CL_INT, .aux = width, .i = i};
  } else if (dec.scale != 0 && isfinite(f = cl_num_float(l.out, l.n))) {
    *schema = cl_space_primitive(b->space, CL_TYPE_FLOAT32, false);
    *val = (struct cl_val){.kind = CL_FLOAT32, .f = (double)f};
  } else if (dec.scale != 0 && isfinite(d = cl_num_double(l.out, l.n))) {
    *schema = cl_space_primitive(b->space, CL_TYPE_FLOAT64, false);
    *val = (struct cl_val){.kind = CL_FLOAT64, .f = d};
  } else {
    struct cl_decimal *kept = cl_arena_alloc(b->arena, sizeof(*kept));
    if (!kept)
      return no_memory(err);
    *kept = dec;
    *schema = decimal_schema(b->space, dec.scale);
    *val = (struct cl_val){.kind = CL_DECIMAL, .dec = kept};
  }
  return *schema ? 1 : no_memory(err);
}

/* -------------------------------------------------------------------- dates */

/* By length in UTF-16 units, which decides alone. */
struct layout {
  size_t units;
  enum cl_kind kind;
  enum cl_type type;
  const char *name, *pattern, *shape; /* shape: where the usual text has digits ('d') */
};
static const struct layout layouts[] = {
    {10, CL_DATE, CL_TYPE_INT32, "org.apache.kafka.connect.data.Date", "yyyy-MM-dd", "dddd-dd-dd"},
    {13, CL_TIME, CL_TYPE_INT32, "org.apache.kafka.connect.data.Time", "HH:mm:ss.SSS'Z'", "dd:dd:dd.dddZ"},
    {24, CL_TIMESTAMP, CL_TYPE_INT64, "org.apache.kafka.connect.data.Timestamp",
     "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", "dddd-dd-ddTdd:dd:dd.dddZ"},
};

static bool has_shape(const char *s, const char *shape) {
  for (; *shape; s++, shape++)
    if (*shape == 'd' ? *s < '0' || *s > '9' : *s != *shape)
      return false;
  return true;
}

static int64_t number_at(const char *s, int n) {
  int64_t i = 0;
  while (n--)
    i = i * 10 + (*s++ - '0');
  return i;
}

/* The calendar is lenient, so any digits are a date. */
static int64_t date_ms(const char *s) {
  return cl_days_of(number_at(s, 4), number_at(s + 5, 2), number_at(s + 8, 2)) * INT64_C(86400000);
}
static int64_t time_ms(const char *s) {
  return ((number_at(s, 2) * 60 + number_at(s + 3, 2)) * 60 + number_at(s + 6, 2)) * 1000 +
         number_at(s + 9, 3);
}

/* Texts of another shape: whatever SimpleDateFormat makes of them. */
static int unusual(const struct layout *l, const char *s, size_t len, int64_t *ms, struct cl_err *err) {
  struct cl_date_format *f;
  struct cl_err ignored = CL_ERR_INIT;
  int rc = cl_date_format_new(l->pattern, strlen(l->pattern), 0, &f, err);
  if (rc != 0)
    return rc;
  rc = cl_date_format_parse(f, s, len, ms, &ignored);
  cl_date_format_free(f);
  if (rc == CL_ENOMEM)
    return no_memory(err);
  return rc == 0;
}

int cl_values_temporal(struct cl_batch *b, const char *s, size_t len, struct cl_val *val,
                       const struct cl_schema **schema, struct cl_err *err) {
  char text[CL_VALUES_TEMPORAL];
  size_t n = 0, units = 0;
  if (len < 10 || len > sizeof(text))
    return 0;
  for (size_t i = 0; i < len; i++) { /* escaped colons lose their backslash */
    if (s[i] == '\\' && i + 1 < len && s[i + 1] == ':')
      i++;
    text[n++] = s[i];
  }
  units = cl_java_string_length(text, n);
  const struct layout *l = layouts, *end = layouts + sizeof(layouts) / sizeof(*layouts);
  while (l < end && l->units != units)
    l++;
  if (l == end)
    return 0;
  int64_t ms;
  if (n == units && has_shape(text, l->shape)) {
    ms = (l->kind == CL_TIME ? 0 : date_ms(text)) +
         (l->kind == CL_DATE ? 0 : time_ms(text + (l->kind == CL_TIMESTAMP ? 11 : 0)));
  } else {
    int rc = unusual(l, text, n, &ms, err);
    if (rc <= 0)
      return rc;
  }
  *schema = cl_space_intern(b->space, &(struct cl_schema){.type = (uint8_t)l->type,
                                                          .has_version = 1,
                                                          .version = 1,
                                                          .name = {l->name, (uint32_t)strlen(l->name)}});
  *val = (struct cl_val){.kind = (uint8_t)l->kind, .i = ms};
  return *schema ? 1 : no_memory(err);
}
