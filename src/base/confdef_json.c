/* SPDX-License-Identifier: Apache-2.0
 * Config rows out of a plugin's manifest. Any thread. May include libc, jansson and base only. */
#include "base/confdef_value.h"

#include "base/arena.h"
#include "base/buf.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct owned_def { /* what from_json hands out, with the memory of its texts */
  struct cl_conf_def def;
  struct cl_arena *arena;
};

/* One row being read, for its errors. */
struct row_reader {
  const json_t *json;
  struct cl_arena *arena;
  const char *where;
  size_t number; /* from 1, as Lua counts */
  struct cl_err *err;
};

static int wrong(struct row_reader *r, const char *key, const char *what) {
  const char *name = cl_json_str(r->json, "name");
  return cl_conf_error(r->err, "%s: config row %zu (%s): %s%s%s%s", r->where, r->number,
                       name ? name : "no name", key ? "\"" : "", key ? key : "", key ? "\" " : "", what);
}

static int no_memory(struct row_reader *r) {
  return cl_err_set(r->err, CL_ENOMEM, "%s: out of memory", r->where);
}

/* JSON null and an absent key are one thing: Lua cannot tell them apart. */
static const json_t *field(struct row_reader *r, const char *key) {
  const json_t *v = json_object_get(r->json, key);
  return json_is_null(v) ? NULL : v;
}

/* An empty Lua table may arrive as an object. */
static bool is_list(const json_t *v) {
  return json_is_array(v) || (json_is_object(v) && json_object_size(v) == 0);
}

static int read_string(struct row_reader *r, const char *key, const char **out) {
  const json_t *v = field(r, key);
  if (!v)
    return 0;
  if (!json_is_string(v))
    return wrong(r, key, "must be a string");
  *out = cl_arena_copy(r->arena, json_string_value(v), json_string_length(v));
  return *out ? 0 : no_memory(r);
}

static int read_bool(struct row_reader *r, const char *key, bool *out) {
  const json_t *v = field(r, key);
  if (v && !json_is_boolean(v))
    return wrong(r, key, "must be true or false");
  *out = json_is_true(v);
  return 0;
}

static int read_number(struct row_reader *r, const char *key, double *out) {
  const json_t *v = field(r, key);
  if (v && !json_is_number(v))
    return wrong(r, key, "must be a number");
  if (v)
    *out = json_number_value(v);
  return 0;
}

static int read_strings(struct row_reader *r, const char *key, const char *const **out) {
  const json_t *v = field(r, key);
  if (!v)
    return 0;
  if (!is_list(v))
    return wrong(r, key, "must be a list of strings");
  size_t n = json_array_size(v);
  const char **list = cl_arena_zalloc(r->arena, (n + 1) * sizeof(*list));
  if (!list)
    return no_memory(r);
  for (size_t i = 0; i < n; i++) {
    const json_t *item = json_array_get(v, i);
    if (!json_is_string(item))
      return wrong(r, key, "must be a list of strings");
    list[i] = cl_arena_copy(r->arena, json_string_value(item), json_string_length(item));
    if (!list[i])
      return no_memory(r);
  }
  *out = list;
  return 0;
}

struct word {
  const char *text;
  int value;
};

static int read_word(struct row_reader *r, const char *key, const struct word *words, size_t n, int *out) {
  const json_t *v = field(r, key);
  if (!v)
    return 0;
  char what[160] = "must be one of:";
  for (size_t i = 0; i < n; i++) {
    if (json_is_string(v) && strcmp(json_string_value(v), words[i].text) == 0) {
      *out = words[i].value;
      return 0;
    }
    size_t at = strlen(what);
    snprintf(what + at, sizeof(what) - at, "%s %s", i > 0 ? "," : "", words[i].text);
  }
  return wrong(r, key, what);
}

static const struct word types[] = {
    {"string", CL_CONF_STRING}, {"int", CL_CONF_INT},       {"long", CL_CONF_LONG},
    {"short", CL_CONF_SHORT},   {"double", CL_CONF_DOUBLE}, {"boolean", CL_CONF_BOOLEAN},
    {"list", CL_CONF_LIST},     {"class", CL_CONF_CLASS},   {"password", CL_CONF_PASSWORD},
};
static const struct word importances[] = {
    {"high", CL_CONF_HIGH}, {"medium", CL_CONF_MEDIUM}, {"low", CL_CONF_LOW}};
static const struct word widths[] = {{"none", CL_CONF_W_NONE},
                                     {"short", CL_CONF_W_SHORT},
                                     {"medium", CL_CONF_W_MEDIUM},
                                     {"long", CL_CONF_W_LONG}};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int check_keys(struct row_reader *r) {
  static const char *const known[] = {"name",       "type",         "default", "required", "importance",
                                      "min",        "max",          "values",  "doc",      "regex",
                                      "non_empty",  "recommended",  "group",   "order",    "width",
                                      "dependents", "display_name", "unique",  "non_null", "ignore_case"};
  const char *key;
  json_t *v;
  json_object_foreach ((json_t *)r->json, key, v) {
    bool found = false;
    for (size_t i = 0; i < COUNT(known) && !found; i++)
      found = strcmp(known[i], key) == 0;
    if (!found)
      return wrong(r, key, "is not a key of a config row");
  }
  return 0;
}

/* A list's default in the comma form in which configs hold lists. */
static int join_default(struct row_reader *r, const json_t *v, struct cl_buf *text) {
  for (size_t i = 0; i < json_array_size(v); i++) {
    const char *item = json_string_value(json_array_get(v, i));
    if (!item)
      return wrong(r, "default", "must be a list of strings");
    if (strchr(item, ','))
      return wrong(r, "default", "has an element with a comma in it, which a list cannot hold");
    cl_buf_fmt(text, "%s%s", i > 0 ? "," : "", item);
  }
  return 0;
}

static int read_default(struct row_reader *r, struct cl_conf_row *row) {
  const json_t *v = field(r, "default");
  struct cl_buf text = {0};
  char number[CL_CONF_DOUBLE_TEXT];
  int rc = 0;
  if (!v)
    return 0;
  if (json_is_string(v)) {
    cl_buf_add(&text, json_string_value(v), json_string_length(v));
  } else if (json_is_boolean(v)) {
    cl_buf_str(&text, json_is_true(v) ? "true" : "false");
  } else if (json_is_integer(v)) {
    cl_buf_fmt(&text, "%lld", (long long)json_integer_value(v));
  } else if (json_is_real(v)) {
    double d = json_real_value(v); /* every number of Lua's is a double: 1000.0 is an int's default */
    cl_conf_double_text(d, number);
    if (row->type != CL_CONF_DOUBLE && d == floor(d) && fabs(d) < 1e15)
      snprintf(number, sizeof(number), "%.0f", d);
    cl_buf_str(&text, number);
  } else if (is_list(v) && row->type == CL_CONF_LIST) {
    rc = join_default(r, v, &text);
  } else {
    rc = wrong(r, "default", "does not fit the row's type");
  }
  if (rc == 0) {
    row->dflt = text.failed ? NULL : cl_arena_copy(r->arena, text.p ? text.p : "", text.len);
    rc = row->dflt ? 0 : no_memory(r);
  }
  cl_buf_free(&text);
  return rc;
}

/* The flags of a row that say which validator it has. */
struct check_flags {
  bool range, non_empty, regex, unique, non_null, ignore_case;
};

static int read_check_flags(struct row_reader *r, struct cl_conf_row *row, struct check_flags *f) {
  *f = (struct check_flags){.range = field(r, "min") || field(r, "max")};
  row->min = -HUGE_VAL;
  row->max = HUGE_VAL;
  if (read_number(r, "min", &row->min) != 0 || read_number(r, "max", &row->max) != 0 ||
      read_strings(r, "values", &row->values) != 0 || read_bool(r, "non_empty", &f->non_empty) != 0 ||
      read_bool(r, "regex", &f->regex) != 0 || read_bool(r, "unique", &f->unique) != 0 ||
      read_bool(r, "non_null", &f->non_null) != 0 || read_bool(r, "ignore_case", &f->ignore_case) != 0)
    return r->err->code;
  return 0;
}

/* Each flag only where it means something. */
static int check_flag_types(struct row_reader *r, const struct cl_conf_row *row,
                            const struct check_flags *f) {
  bool is_number = row->type == CL_CONF_INT || row->type == CL_CONF_SHORT || row->type == CL_CONF_LONG ||
                   row->type == CL_CONF_DOUBLE;
  bool is_text = row->type == CL_CONF_STRING || row->type == CL_CONF_CLASS,
       is_list = row->type == CL_CONF_LIST;
  if (f->range && !is_number)
    return wrong(r, field(r, "min") ? "min" : "max", "is for numbers only");
  if (row->min > row->max)
    return wrong(r, "min", "is greater than max");
  if (row->values && !is_text && !is_list)
    return wrong(r, "values", "is for strings and lists only");
  if (row->values && !row->values[0])
    return wrong(r, "values", "is empty: nothing would be allowed");
  if (f->non_empty && !is_text && !is_list && row->type != CL_CONF_PASSWORD)
    return wrong(r, "non_empty", "is for strings, lists and passwords only");
  if (f->regex && row->type != CL_CONF_STRING)
    return wrong(r, "regex", "is for strings only");
  if (f->unique && !is_list)
    return wrong(r, "unique", "is for lists only");
  if (f->ignore_case && !row->values)
    return wrong(r, "ignore_case", "is for rows with values only");
  return 0;
}

/* min/max, values, regex, non_null, and non_empty with or without regex or unique: one of them. */
static int read_check(struct row_reader *r, struct cl_conf_row *row) {
  struct check_flags f;
  if (read_check_flags(r, row, &f) != 0)
    return r->err->code;
  bool filled = f.non_empty || f.unique || f.regex;
  if (f.range + (row->values != NULL) + f.non_null + filled > 1 || (f.unique && f.regex))
    return wrong(r, NULL, "has more than one of min/max, values, non_null, non_empty, regex and unique");
  if (check_flag_types(r, row, &f) != 0)
    return r->err->code;
  row->check = f.range       ? CL_CHECK_RANGE
               : row->values ? (f.ignore_case ? CL_CHECK_ONE_OF_ICASE : CL_CHECK_ONE_OF)
               : f.non_null  ? CL_CHECK_NON_NULL
               : f.unique    ? (f.non_empty ? CL_CHECK_FULL_LIST : CL_CHECK_VALID_LIST)
               : f.regex     ? (f.non_empty ? CL_CHECK_NON_EMPTY_REGEX : CL_CHECK_REGEX)
               : f.non_empty ? CL_CHECK_NON_EMPTY
                             : CL_CHECK_NONE;
  return 0;
}

static int read_looks(struct row_reader *r, struct cl_conf_row *row) {
  int importance = CL_CONF_MEDIUM, width = CL_CONF_W_NONE;
  double order = -1;
  int rc = read_word(r, "importance", importances, COUNT(importances), &importance);
  if (rc == 0)
    rc = read_word(r, "width", widths, COUNT(widths), &width);
  if (rc == 0)
    rc = read_number(r, "order", &order);
  if (rc == 0 && (order != floor(order) || order < -1 || order > INT32_MAX))
    rc = wrong(r, "order", "must be a whole number");
  if (rc == 0)
    rc = read_string(r, "doc", &row->doc);
  if (rc == 0)
    rc = read_string(r, "group", &row->group);
  if (rc == 0)
    rc = read_string(r, "display_name", &row->display);
  if (rc == 0)
    rc = read_strings(r, "dependents", &row->dependents);
  if (rc == 0)
    rc = read_strings(r, "recommended", &row->recommended);
  if (rc != 0)
    return rc;
  row->importance = (enum cl_conf_importance)importance;
  row->width = (enum cl_conf_width)width;
  row->order = (int)order;
  return 0;
}

static int read_row(struct row_reader *r, struct cl_conf_row *row) {
  if (!json_is_object(r->json))
    return wrong(r, NULL, "must be a table of named fields");
  int type = -1;
  int rc = check_keys(r);
  if (rc == 0)
    rc = read_string(r, "name", &row->name);
  if (rc == 0 && (!row->name || !*row->name))
    rc = wrong(r, "name", "is missing");
  if (rc == 0)
    rc = read_word(r, "type", types, COUNT(types), &type);
  if (rc == 0 && type < 0)
    rc = wrong(r, "type", "is missing");
  if (rc != 0)
    return rc;
  row->type = (enum cl_conf_type)type;
  rc = read_bool(r, "required", &row->required);
  if (rc == 0)
    rc = read_default(r, row);
  if (rc == 0 && row->required && row->dflt)
    rc = wrong(r, "required", "and a default contradict each other");
  if (rc == 0)
    rc = read_check(r, row);
  if (rc == 0)
    rc = read_looks(r, row);
  return rc;
}

/* What Apache checks when a key is defined: once only, and with a default that is valid. */
static int check_row(struct row_reader *r, const struct cl_conf_def *before, const struct cl_conf_row *row) {
  if (cl_conf_find(before, row->name)) {
    char twice[64 + 256];
    snprintf(twice, sizeof(twice), "Configuration %.256s is defined twice.", row->name);
    return wrong(r, NULL, twice);
  }
  struct cl_conf_value v = {.is_null = true};
  int rc = row->required ? 0 : cl_conf_parse_one(row, NULL, &v, r->err);
  if (rc != 0)
    cl_err_prefix(r->err, "%s: config row %zu (%s): default: ", r->where, r->number, row->name);
  cl_conf_value_free(&v);
  return rc;
}

static int check_dependents(struct row_reader *r, const struct cl_conf_def *def) {
  for (size_t i = 0; i < def->n; i++) {
    for (const char *const *d = def->rows[i].dependents; d && *d; d++) {
      if (!cl_conf_find(def, *d))
        return cl_conf_error(r->err, "%s: config row %zu (%s): \"dependents\" names %s, which is not defined",
                             r->where, i + 1, def->rows[i].name, *d);
    }
  }
  return 0;
}

int cl_conf_def_from_json(const json_t *rows, const char *where, struct cl_conf_def **out,
                          struct cl_err *err) {
  *out = NULL;
  if (!is_list(rows))
    return cl_conf_error(err, "%s: config must be a list of rows", where);
  size_t n = json_array_size(rows);
  int rc = 0;
  struct cl_arena *arena = cl_arena_new(NULL);
  struct owned_def *owned = arena ? cl_arena_zalloc(arena, sizeof(*owned)) : NULL;
  struct cl_conf_row *list = owned ? cl_arena_zalloc(arena, n * sizeof(*list)) : NULL;
  struct row_reader r = {.arena = arena, .where = where, .err = err};
  if (!list) {
    cl_arena_free(arena);
    return no_memory(&r);
  }
  owned->arena = arena;
  owned->def.rows = list;
  for (size_t i = 0; i < n && rc == 0; i++) {
    r.json = json_array_get(rows, i);
    r.number = i + 1;
    rc = read_row(&r, &list[i]);
    if (rc == 0)
      rc = check_row(&r, &owned->def, &list[i]);
    if (rc == 0)
      owned->def.n++;
  }
  if (rc == 0)
    rc = check_dependents(&r, &owned->def);
  if (rc != 0)
    cl_arena_free(arena);
  else
    *out = &owned->def;
  return rc;
}

void cl_conf_def_free(struct cl_conf_def *def) {
  if (def)
    cl_arena_free(((struct owned_def *)def)->arena);
}
