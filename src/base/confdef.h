/* SPDX-License-Identifier: Apache-2.0
 *
 * Kafka's ConfigDef: rows that describe keys, and the one engine that parses,
 * validates and describes configs with them: worker files, connector configs, plugins.
 * Texts of errors are Apache's; a password's value is in none of them.
 * Any thread; a definition is immutable once built.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"

#include <stdint.h>

enum cl_conf_type {
  CL_CONF_BOOLEAN,
  CL_CONF_STRING,
  CL_CONF_INT,
  CL_CONF_SHORT,
  CL_CONF_LONG,
  CL_CONF_DOUBLE,
  CL_CONF_LIST,
  CL_CONF_CLASS,
  CL_CONF_PASSWORD
};
enum cl_conf_importance { CL_CONF_HIGH, CL_CONF_MEDIUM, CL_CONF_LOW };
enum cl_conf_width { CL_CONF_W_NONE, CL_CONF_W_SHORT, CL_CONF_W_MEDIUM, CL_CONF_W_LONG };

enum cl_conf_check {
  CL_CHECK_NONE,
  CL_CHECK_RANGE,        /* min, max as doubles; HUGE_VAL = open */
  CL_CHECK_ONE_OF,       /* values */
  CL_CHECK_ONE_OF_ICASE, /* values, any case */
  CL_CHECK_NON_NULL,
  CL_CHECK_NON_EMPTY, /* "String must be non-empty", of a list "Empty list" */
  CL_CHECK_NAME,      /* connector name: non-empty, no control characters */
  CL_CHECK_REGEX,     /* compiles (PCRE2 for Java syntax) */
  CL_CHECK_NON_EMPTY_REGEX,
  CL_CHECK_UNIQUE_LIST, /* non-null, no duplicates: "Duplicate alias provided." */
  CL_CHECK_VALID_LIST,  /* no empty and no repeated items (Kafka 4.2's ValidList) */
  CL_CHECK_FULL_LIST    /* the same, and at least one */
};

struct cl_conf_row {
  const char *name;
  enum cl_conf_type type;
  bool required;    /* no default exists */
  const char *dflt; /* default as text; NULL = default null (unless required) */
  enum cl_conf_check check;
  double min, max;
  const char *const *values; /* NULL-terminated */
  enum cl_conf_importance importance;
  const char *doc;
  const char *group; /* NULL = none */
  int order;         /* -1 = none */
  enum cl_conf_width width;
  const char *display;            /* NULL = name */
  const char *const *dependents;  /* NULL-terminated, or NULL */
  const char *const *recommended; /* NULL-terminated, or NULL */
};

struct cl_conf_def {
  const struct cl_conf_row *rows;
  size_t n;
};

/* A value parsed by its row. list is a JSON array of strings (new reference). */
struct cl_conf_value {
  bool is_null;
  int64_t i; /* BOOLEAN (0/1), INT, SHORT, LONG */
  double d;
  char *s; /* STRING, CLASS, PASSWORD (trimmed); malloc'd */
  json_t *list;
};
void cl_conf_value_free(struct cl_conf_value *v);

/* Parses and checks one text (NULL = absent: default or the missing error). A default that is
 * null is not checked. *out is empty after a failure. */
int cl_conf_parse_one(const struct cl_conf_row *row, const char *text, struct cl_conf_value *out,
                      struct cl_err *err);

/* Parse mode (worker start, connector start): every row, first error wins. *out is an
 * object {key: typed JSON}: booleans, integers, reals, strings, arrays, null; NaN and the
 * infinities are strings. Keys of in without a row follow, as they are. */
int cl_conf_parse(const struct cl_conf_def *def, const json_t *in, json_t **out, struct cl_err *err);

/* Validate mode (REST): array of {"name","value","recommended_values","errors","visible"},
 * one per row in order. */
json_t *cl_conf_validate(const struct cl_conf_def *def, const json_t *in);

/* One row as REST's definition object. */
json_t *cl_conf_describe(const struct cl_conf_row *row);

/* Rows out of a plugin's manifest (array of {name,type,default,...}); where names the file in
 * errors, which name row and key too. *out owns its texts: free it with cl_conf_def_free. */
int cl_conf_def_from_json(const json_t *rows, const char *where, struct cl_conf_def **out,
                          struct cl_err *err);
void cl_conf_def_free(struct cl_conf_def *def); /* only what from_json made */

const struct cl_conf_row *cl_conf_find(const struct cl_conf_def *def, const char *key);
/* The known key nearest to key (edit distance at most a third of its length), or NULL. */
const char *cl_conf_nearest(const struct cl_conf_def *def, const char *key);

/* An error of a configuration, with Apache's ConfigException as its class. Returns CL_EINVAL. */
int cl_conf_error(struct cl_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
