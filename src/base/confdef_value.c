/* SPDX-License-Identifier: Apache-2.0
 * One config value: from text by its type, and back to text. Any thread. May include libc, jansson and base
 * only. */
#include "base/confdef_value.h"

#include "base/buf.h"
#include "base/secrets.h"
#include "base/text.h"
#include "base/url_secrets.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int cl_conf_error(struct cl_err *err, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  cl_err_vset(err, CL_EINVAL, fmt, ap);
  va_end(ap);
  err->class = CL_JAVA_CONFIG;
  return CL_EINVAL;
}

int cl_conf_invalid(struct cl_err *err, const struct cl_conf_row *row, const char *shown, const char *fmt,
                    ...) {
  va_list ap;
  va_start(ap, fmt);
  cl_err_vset(err, CL_EINVAL, fmt, ap);
  va_end(ap);
  if (row->type == CL_CONF_PASSWORD && shown)
    shown = "[hidden]";
  cl_err_prefix(err, "Invalid value %s for configuration %s: ", shown ? shown : "null", row->name);
  err->class = CL_JAVA_CONFIG;
  return CL_EINVAL;
}

void cl_conf_value_free(struct cl_conf_value *v) {
  free(v->s);
  json_decref(v->list);
  *v = (struct cl_conf_value){.is_null = true};
}

static bool parse_integer(const char *p, int64_t min, int64_t max, int64_t *out) {
  const char *digits = p + (*p == '+' || *p == '-');
  if (!*digits || digits[strspn(digits, "0123456789")])
    return false;
  errno = 0;
  *out = strtoll(p, NULL, 10);
  return errno == 0 && *out >= min && *out <= max;
}

/* Java's grammar of doubles, narrower than strtod's ("inf", "0x1") and wider ("1d"). */
static bool parse_double(char *p, double *out) {
  static const char *const dec = "0123456789", *const hex = "0123456789abcdefABCDEF";
  const char *q = p + (*p == '+' || *p == '-');
  if (strcmp(q, "NaN") == 0 || strcmp(q, "Infinity") == 0) {
    *out = strtod(p, NULL);
    return true;
  }
  bool is_hex = q[0] == '0' && (q[1] == 'x' || q[1] == 'X');
  const char *set = is_hex ? hex : dec;
  q += is_hex ? 2 : 0;
  size_t whole = strspn(q, set);
  q += whole;
  size_t fraction = *q == '.' ? strspn(q + 1, set) : 0;
  q += *q == '.' ? 1 + fraction : 0;
  if (whole + fraction == 0)
    return false;
  bool exponent = *q && strchr(is_hex ? "pP" : "eE", *q);
  if (exponent) {
    q++;
    q += *q == '+' || *q == '-';
    size_t n = strspn(q, dec);
    if (n == 0)
      return false;
    q += n;
  } else if (is_hex) {
    return false;
  }
  char *suffix = p + (q - p);
  if (*q && strchr("fFdD", *q))
    q++;
  if (*q)
    return false;
  *suffix = '\0';
  *out = strtod(p, NULL);
  return true;
}

/* Cut at commas, blanks around them dropped, empty elements kept; "" is the empty list. */
static json_t *parse_list(const char *p) {
  static const char *const blanks = " \t\n\v\f\r";
  json_t *list = json_array();
  while (list && *p) {
    size_t raw = strcspn(p, ","), n = raw;
    while (n > 0 && strchr(blanks, p[n - 1]))
      n--;
    if (json_array_append_new(list, json_stringn(p, n)) != 0) {
      json_decref(list);
      return NULL;
    }
    p += raw;
    if (!*p)
      break;
    p++;
    p += strspn(p, blanks);
    if (!*p)
      json_array_append_new(list, json_string(""));
  }
  return list;
}

static const char *const number_names[] = {
    [CL_CONF_INT] = "INT", [CL_CONF_SHORT] = "SHORT", [CL_CONF_LONG] = "LONG"};

static int parse_trimmed(const struct cl_conf_row *row, const char *text, char *trimmed,
                         struct cl_conf_value *out, struct cl_err *err) {
  switch (row->type) {
  case CL_CONF_BOOLEAN:
    out->i = strcasecmp(trimmed, "true") == 0;
    if (out->i || strcasecmp(trimmed, "false") == 0)
      return 0;
    return cl_conf_invalid(err, row, text, "Expected value to be either true or false");
  case CL_CONF_INT:
  case CL_CONF_SHORT:
  case CL_CONF_LONG: {
    int64_t max = row->type == CL_CONF_INT ? INT32_MAX : row->type == CL_CONF_SHORT ? INT16_MAX : INT64_MAX;
    if (parse_integer(trimmed, -max - 1, max, &out->i))
      return 0;
    return cl_conf_invalid(err, row, text, "Not a number of type %s", number_names[row->type]);
  }
  case CL_CONF_DOUBLE:
    if (parse_double(trimmed, &out->d))
      return 0;
    return cl_conf_invalid(err, row, text, "Not a number of type DOUBLE");
  case CL_CONF_LIST:
    cl_url_secrets_add(trimmed);
    out->list = parse_list(trimmed);
    return out->list ? 0 : cl_conf_invalid(err, row, text, "Expected a comma separated list.");
  case CL_CONF_PASSWORD:
  case CL_CONF_STRING:
  case CL_CONF_CLASS:
    if (row->type == CL_CONF_PASSWORD)
      cl_secrets_add(trimmed);
    cl_url_secrets_add(trimmed);
    out->s = strdup(trimmed);
    return out->s ? 0 : cl_err_set(err, CL_ENOMEM, "out of memory");
  }
  return 0;
}

int cl_conf_value_parse(const struct cl_conf_row *row, const char *text, struct cl_conf_value *out,
                        struct cl_err *err) {
  *out = (struct cl_conf_value){.is_null = true};
  if (!text)
    return 0;
  char *trimmed = cl_trimmed(text);
  if (!trimmed)
    return cl_err_set(err, CL_ENOMEM, "out of memory");
  out->is_null = false;
  int rc = parse_trimmed(row, text, trimmed, out, err);
  if (rc != 0)
    cl_conf_value_free(out);
  free(trimmed);
  return rc;
}

void cl_conf_double_text(double d, char out[CL_CONF_DOUBLE_TEXT]) {
  const size_t size = CL_CONF_DOUBLE_TEXT;
  if (isnan(d) || isinf(d) || d == 0) {
    snprintf(out, size, "%s%s", signbit(d) && !isnan(d) ? "-" : "",
             isnan(d) ? "NaN"
             : d == 0 ? "0.0"
                      : "Infinity");
    return;
  }
  char sci[CL_CONF_DOUBLE_TEXT - 4]; /* the fewest digits that read back as d: "-d.ddde+XX" */
  for (int precision = 0; precision < 17; precision++) {
    snprintf(sci, sizeof(sci), "%.*e", precision, d);
    if (strtod(sci, NULL) == d)
      break;
  }
  char *e = strchr(sci, 'e');
  int exponent = (int)strtol(e + 1, NULL, 10);
  *e = '\0';
  const char *first = sci + (sci[0] == '-');
  int digits = (int)strlen(first) - (strchr(first, '.') != NULL);
  if (exponent >= -3 && exponent < 7) {
    int decimals = digits - 1 - exponent;
    snprintf(out, size, "%.*f", decimals < 1 ? 1 : decimals, d);
  } else {
    snprintf(out, size, "%s%sE%d", sci, digits == 1 ? ".0" : "", exponent);
  }
}

char *cl_conf_value_text(const struct cl_conf_row *row, const struct cl_conf_value *v) {
  struct cl_buf out = {0};
  char number[CL_CONF_DOUBLE_TEXT];
  if (v->is_null)
    return NULL;
  switch (row->type) {
  case CL_CONF_BOOLEAN: return strdup(v->i ? "true" : "false");
  case CL_CONF_INT:
  case CL_CONF_SHORT:
  case CL_CONF_LONG: snprintf(number, sizeof(number), "%lld", (long long)v->i); return strdup(number);
  case CL_CONF_DOUBLE: cl_conf_double_text(v->d, number); return strdup(number);
  case CL_CONF_LIST:
    for (size_t i = 0; i < json_array_size(v->list); i++) {
      cl_buf_str(&out, i > 0 ? "," : "");
      cl_buf_str(&out, json_string_value(json_array_get(v->list, i)));
    }
    return cl_buf_take(&out);
  case CL_CONF_STRING:
  case CL_CONF_CLASS: return strdup(v->s);
  case CL_CONF_PASSWORD: return strdup("[hidden]");
  }
  return NULL;
}

json_t *cl_conf_value_json(const struct cl_conf_row *row, const struct cl_conf_value *v) {
  char number[CL_CONF_DOUBLE_TEXT];
  if (v->is_null)
    return json_null();
  switch (row->type) {
  case CL_CONF_BOOLEAN: return json_boolean(v->i);
  case CL_CONF_INT:
  case CL_CONF_SHORT:
  case CL_CONF_LONG: return json_integer(v->i);
  case CL_CONF_DOUBLE:
    if (isfinite(v->d))
      return json_real(v->d);
    cl_conf_double_text(v->d, number); /* JSON has no such numbers */
    return json_string(number);
  case CL_CONF_LIST: return json_incref(v->list);
  case CL_CONF_STRING:
  case CL_CONF_CLASS:
  case CL_CONF_PASSWORD: return json_string(v->s);
  }
  return json_null();
}
