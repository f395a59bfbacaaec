/* SPDX-License-Identifier: Apache-2.0
 * Definitions applied to whole configs: parse mode, validate mode, look-up. Any thread.
 * May include libc, jansson and base only. */
#include "base/confdef_value.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_MAX = 128 }; /* longer keys have no nearest one */

static int missing(const struct cl_conf_row *row, struct cl_err *err) {
  return cl_conf_error(err, "Missing required configuration \"%s\" which has no default value.", row->name);
}

/* Type only. given is the config's entry: NULL = absent, JSON null = null. */
static int parse_entry(const struct cl_conf_row *row, const json_t *given, struct cl_conf_value *out,
                       struct cl_err *err) {
  *out = (struct cl_conf_value){.is_null = true};
  if (!given && row->required)
    return missing(row, err);
  if (given && !json_is_null(given) && !json_is_string(given))
    return cl_conf_error(err, "Expected the value of configuration %s to be a string", row->name);
  return cl_conf_value_parse(row, given ? json_string_value(given) : row->dflt, out, err);
}

/* A default that is null was meant: Apache's rows with one have validators that let null
 * pass, and ours need not say so. */
static bool is_checked(const struct cl_conf_row *row, bool given) {
  return given || row->required || row->dflt;
}

int cl_conf_parse_one(const struct cl_conf_row *row, const char *text, struct cl_conf_value *out,
                      struct cl_err *err) {
  *out = (struct cl_conf_value){.is_null = true};
  if (!text && row->required)
    return missing(row, err);
  int rc = cl_conf_value_parse(row, text ? text : row->dflt, out, err);
  if (rc == 0 && is_checked(row, text != NULL))
    rc = cl_conf_value_check(row, out, err);
  if (rc != 0)
    cl_conf_value_free(out);
  return rc;
}

static int put_parsed(const struct cl_conf_row *row, const json_t *in, json_t *out, struct cl_err *err) {
  struct cl_conf_value v;
  const json_t *given = json_object_get(in, row->name);
  int rc = parse_entry(row, given, &v, err);
  if (rc == 0 && is_checked(row, given != NULL))
    rc = cl_conf_value_check(row, &v, err);
  if (rc == 0 && json_object_set_new(out, row->name, cl_conf_value_json(row, &v)) != 0)
    rc = cl_err_set(err, CL_ENOMEM, "out of memory");
  cl_conf_value_free(&v);
  return rc;
}

int cl_conf_parse(const struct cl_conf_def *def, const json_t *in, json_t **out, struct cl_err *err) {
  *out = NULL;
  json_t *parsed = json_object();
  int rc = 0;
  for (size_t i = 0; i < def->n && rc == 0; i++)
    rc = put_parsed(&def->rows[i], in, parsed, err);
  if (rc == 0 && json_object_update_missing(parsed, (json_t *)in) != 0)
    rc = cl_err_set(err, CL_ENOMEM, "out of memory");
  if (rc != 0)
    json_decref(parsed);
  else
    *out = parsed;
  return rc;
}

/* A message may have been cut inside a character, which JSON would refuse. */
static void add_error(json_t *errors, const struct cl_err *err) {
  size_t n = strlen(err->msg);
  while (n > 0 && !cl_utf8_valid(err->msg, n))
    n--;
  json_array_append_new(errors, json_stringn(err->msg, n));
}

static json_t *strings_json(const char *const *list) {
  json_t *out = json_array();
  for (; list && *list; list++)
    json_array_append_new(out, json_string(*list));
  return out;
}

static json_t *text_json(char *text) {
  json_t *json = text ? json_string(text) : json_null();
  free(text);
  return json;
}

static json_t *validate_row(const struct cl_conf_row *row, const json_t *in) {
  struct cl_conf_value v;
  struct cl_err err = CL_ERR_INIT;
  json_t *errors = json_array();
  const json_t *given = json_object_get(in, row->name);
  if (parse_entry(row, given, &v, &err) != 0)
    add_error(errors, &err);
  /* Apache's validators see the null that a failed parse leaves behind, too. */
  if (is_checked(row, given != NULL) && cl_conf_value_check(row, &v, &err) != 0)
    add_error(errors, &err);
  json_t *out = json_object();
  json_object_set_new(out, "name", json_string(row->name));
  json_object_set_new(out, "value", text_json(cl_conf_value_text(row, &v)));
  json_object_set_new(out, "recommended_values", strings_json(row->recommended));
  json_object_set_new(out, "errors", errors);
  json_object_set_new(out, "visible", json_true());
  cl_conf_value_free(&v);
  return out;
}

json_t *cl_conf_validate(const struct cl_conf_def *def, const json_t *in) {
  json_t *out = json_array();
  for (size_t i = 0; i < def->n; i++)
    json_array_append_new(out, validate_row(&def->rows[i], in));
  return out;
}

json_t *cl_conf_describe(const struct cl_conf_row *row) {
  static const char *const types[] = {"BOOLEAN", "STRING", "INT",   "SHORT",   "LONG",
                                      "DOUBLE",  "LIST",   "CLASS", "PASSWORD"};
  static const char *const importances[] = {"HIGH", "MEDIUM", "LOW"};
  static const char *const widths[] = {"NONE", "SHORT", "MEDIUM", "LONG"};
  struct cl_conf_value dflt = {.is_null = true};
  struct cl_err ignored;
  if (!row->required)
    cl_conf_value_parse(row, row->dflt, &dflt, &ignored);
  json_t *out = json_object();
  json_object_set_new(out, "name", json_string(row->name));
  json_object_set_new(out, "type", json_string(types[row->type]));
  json_object_set_new(out, "required", json_boolean(row->required));
  json_object_set_new(out, "default_value", text_json(cl_conf_value_text(row, &dflt)));
  json_object_set_new(out, "importance", json_string(importances[row->importance]));
  json_object_set_new(out, "documentation", row->doc ? json_string(row->doc) : json_null());
  json_object_set_new(out, "group", row->group ? json_string(row->group) : json_null());
  json_object_set_new(out, "order_in_group", json_integer(row->order));
  json_object_set_new(out, "width", json_string(widths[row->width]));
  json_object_set_new(out, "display_name", json_string(row->display ? row->display : row->name));
  json_object_set_new(out, "dependents", strings_json(row->dependents));
  cl_conf_value_free(&dflt);
  return out;
}

const struct cl_conf_row *cl_conf_find(const struct cl_conf_def *def, const char *key) {
  for (size_t i = 0; i < def->n; i++)
    if (strcmp(def->rows[i].name, key) == 0)
      return &def->rows[i];
  return NULL;
}

static size_t min3(size_t a, size_t b, size_t c) { return a < b ? (a < c ? a : c) : (b < c ? b : c); }

/* Edit distance in which two swapped neighbours count once, as fingers do it. */
static size_t distance(const char *a, size_t la, const char *b, size_t lb) {
  size_t rows[3][KEY_MAX + 1];
  size_t *before = rows[0], *last = rows[1], *now = rows[2];
  for (size_t j = 0; j <= lb; j++)
    last[j] = j;
  for (size_t i = 1; i <= la; i++) {
    now[0] = i;
    for (size_t j = 1; j <= lb; j++) {
      now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < now[j])
        now[j] = before[j - 2] + 1;
    }
    size_t *free_row = before;
    before = last;
    last = now;
    now = free_row;
  }
  return last[lb];
}

const char *cl_conf_nearest(const struct cl_conf_def *def, const char *key) {
  size_t len = strlen(key);
  size_t best = len / 3 + 1;
  const char *found = NULL;
  for (size_t i = 0; i < def->n && len <= KEY_MAX; i++) {
    const char *name = def->rows[i].name;
    size_t n = strlen(name);
    size_t d = n <= KEY_MAX ? distance(key, len, name, n) : best;
    if (d < best) {
      best = d;
      found = name;
    }
  }
  return found;
}
