/* SPDX-License-Identifier: Apache-2.0
 * jansson with our errors, for the control plane. Any thread. May include libc, jansson and base only. */
#include "base/json.h"

#include "base/buf.h"
#include "base/utf8.h"

#include <stdint.h>
#include <stdlib.h>

static int parse_error(const char *text, size_t pos, const json_error_t *why, struct cl_err *err) {
  size_t line = 1, column = 0;
  for (size_t i = 0; i < pos; i++) {
    if (text[i] == '\n') {
      line++;
      column = 0;
    } else if (((unsigned char)text[i] & 0xC0) != 0x80) {
      column++; /* characters, not bytes */
    }
  }
  return cl_err_set(err, CL_EINVAL, "line %zu, column %zu: %s", line, column,
                    why->text[0] ? why->text : "out of memory");
}

static int parse(const char *text, size_t len, size_t flags, json_t **out, struct cl_err *err) {
  json_error_t why = {.text = ""};
  cl_utf8_skip_bom(&text, &len);
  *out = json_loadb(text, len, JSON_DECODE_ANY | flags, &why);
  if (*out)
    return 0;
  size_t pos = why.position > 0 ? (size_t)why.position : 0;
  return parse_error(text, pos < len ? pos : len, &why, err);
}

int cl_json_parse(const char *text, size_t len, json_t **out, struct cl_err *err) {
  return parse(text, len, 0, out, err);
}

int cl_json_parse_data(const char *text, size_t len, json_t **out, struct cl_err *err) {
  return parse(text, len, JSON_ALLOW_NUL, out, err);
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static size_t digits(const char *p, size_t n) {
  size_t i = 0;
  while (i < n && is_digit(p[i]))
    i++;
  return i;
}

/* True when all n bytes are one number of JSON's grammar. */
static bool is_number(const char *p, size_t n) {
  size_t i = n > 0 && p[0] == '-';
  size_t whole = digits(p + i, n - i);
  if (whole == 0 || (whole > 1 && p[i] == '0'))
    return false;
  i += whole;
  if (i < n && p[i] == '.') {
    size_t fraction = digits(p + i + 1, n - i - 1);
    if (fraction == 0)
      return false;
    i += 1 + fraction;
  }
  if (i < n && (p[i] == 'e' || p[i] == 'E')) {
    i++;
    if (i < n && (p[i] == '+' || p[i] == '-'))
      i++;
    size_t exponent = digits(p + i, n - i);
    if (exponent == 0)
      return false;
    i += exponent;
  }
  return i == n;
}

static size_t string_length(const char *p, size_t n) {
  for (size_t i = 1; i < n; i++) {
    if (p[i] == '\\')
      i++;
    else if (p[i] == '"')
      return i + 1;
  }
  return n;
}

/* The run of characters of which numbers and the literals are made. */
static size_t word_length(const char *p, size_t n) {
  size_t i = 0;
  while (i < n && (is_digit(p[i]) || (p[i] >= 'a' && p[i] <= 'z') || (p[i] >= 'A' && p[i] <= 'Z') ||
                   p[i] == '+' || p[i] == '-' || p[i] == '.' || p[i] == '_'))
    i++;
  return i;
}

/* A number before a colon stands where a key should: quoting it would make it a good one. */
static bool before_colon(const char *p, size_t n) {
  size_t i = 0;
  while (i < n && is_blank(p[i]))
    i++;
  return i < n && p[i] == ':';
}

/* Copies text with its numbers quoted until out holds stop bytes; answers how far in text
 * that is, so that a place in the copy can be found again in the original. */
static size_t quote_numbers(const char *text, size_t len, size_t stop, struct cl_buf *out) {
  size_t i = 0;
  while (i < len && out->len < stop && !out->failed) {
    size_t word = word_length(text + i, len - i);
    if (word > 0) {
      bool quote = is_number(text + i, word) && !before_colon(text + i + word, len - i - word);
      if (quote)
        cl_buf_char(out, '"');
      cl_buf_add(out, text + i, word);
      if (quote)
        cl_buf_char(out, '"');
      i += word;
      continue;
    }
    size_t n = text[i] == '"' ? string_length(text + i, len - i) : 1;
    if (n > stop - out->len)
      n = stop - out->len;
    cl_buf_add(out, text + i, n);
    i += n;
  }
  return i;
}

int cl_json_parse_texts(const char *text, size_t len, json_t **out, struct cl_err *err) {
  struct cl_buf quoted = {0};
  json_error_t why = {.text = ""};
  int rc = 0;
  *out = NULL;
  cl_utf8_skip_bom(&text, &len);
  quote_numbers(text, len, SIZE_MAX, &quoted);
  if (quoted.failed) {
    rc = cl_err_set(err, CL_EINVAL, "JSON text of %zu bytes is too large", len);
    goto out;
  }
  *out = json_loadb(quoted.p ? quoted.p : "", quoted.len, JSON_DECODE_ANY, &why);
  if (!*out) {
    quoted.len = 0;
    size_t pos = quote_numbers(text, len, why.position > 0 ? (size_t)why.position : 0, &quoted);
    rc = parse_error(text, pos, &why, err);
  }
out:
  cl_buf_free(&quoted);
  return rc;
}

static json_t *config_text(const json_t *value) {
  switch (json_typeof(value)) {
  case JSON_STRING:
  case JSON_NULL: return json_deep_copy(value);
  case JSON_TRUE: return json_string("true");
  case JSON_FALSE: return json_string("false");
  default: {
    char *text = cl_json_text(value);
    json_t *string = text ? json_string(text) : NULL;
    free(text);
    return string;
  }
  }
}

int cl_json_to_config(const json_t *in, json_t **out, struct cl_err *err) {
  *out = NULL;
  if (!json_is_object(in))
    return cl_err_set(err, CL_EINVAL, "expected a JSON object");
  json_t *config = json_object();
  const char *key;
  json_t *value;
  json_object_foreach ((json_t *)in, key, value) {
    if (json_is_object(value) || json_is_array(value)) {
      json_decref(config);
      return cl_err_set(err, CL_EINVAL,
                        "the value of \"%s\" must be a string, a number, a boolean or null, not an %s", key,
                        json_is_object(value) ? "object" : "array");
    }
    if (json_object_set_new(config, key, config_text(value)) != 0) {
      json_decref(config);
      return cl_err_set(err, CL_ENOMEM, "out of memory");
    }
  }
  *out = config;
  return 0;
}

char *cl_json_text(const json_t *json) { return json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY); }

const char *cl_json_str(const json_t *obj, const char *key) {
  return json_string_value(json_object_get(obj, key));
}

json_t *cl_json_lenient(const char *text) {
  if (!text)
    return json_null();
  json_t *out = json_string(text);
  if (out)
    return out;
  size_t n = strlen(text);
  char *clean = malloc(cl_utf8_repair_max(n));
  if (clean)
    out = json_stringn_nocheck(clean, cl_utf8_repair(text, n, clean));
  free(clean);
  return out;
}

bool cl_json_has_text(const json_t *list, const char *text) {
  json_t *item;
  size_t i;
  json_array_foreach (list, i, item) {
    if (strcmp(json_string_value(item), text) == 0)
      return true;
  }
  return false;
}
