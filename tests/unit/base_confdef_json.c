/* SPDX-License-Identifier: Apache-2.0
 * Config rows out of a plugin's manifest. */
#include "base/confdef.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *parse(const char *text) {
  struct cl_err err = CL_ERR_INIT;
  json_t *json = NULL;
  if (cl_json_parse(text, strlen(text), &json, &err) != 0)
    fail_msg("%s: %s", text, err.msg);
  return json;
}

/* Reads one row and shows what an absent key gives. */
static void row_gives(const char *row, const char *value) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_conf_def *def = NULL;
  json_t *rows = json_array(), *none = json_object(), *out = NULL;
  json_array_append_new(rows, parse(row));
  if (cl_conf_def_from_json(rows, "p.lua", &def, &err) != 0)
    fail_msg("%s: %s", row, err.msg);
  json_decref(rows); /* the definition owns its texts */
  assert_int_equal(def->n, 1);
  assert_int_equal(cl_conf_parse(def, none, &out, &err), 0);
  char *text = cl_json_text(json_object_get(out, def->rows[0].name));
  assert_string_equal(text, value);
  free(text);
  json_decref(out);
  json_decref(none);
  cl_conf_def_free(def);
}

static void refused(const char *rows, const char *message) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_conf_def *def = NULL;
  json_t *json = parse(rows);
  assert_int_equal(cl_conf_def_from_json(json, "p.lua", &def, &err), CL_EINVAL);
  assert_string_equal(err.msg, message);
  assert_string_equal(err.class, CL_JAVA_CONFIG);
  assert_null(def);
  json_decref(json);
}

static void defaults(void **state) {
  (void)state;
  row_gives("{\"name\":\"k\",\"type\":\"string\"}", "null");
  row_gives("{\"name\":\"k\",\"type\":\"string\",\"default\":\"x\"}", "\"x\"");
  row_gives("{\"name\":\"k\",\"type\":\"string\",\"default\":null,\"non_empty\":false}", "null");
  row_gives("{\"name\":\"k\",\"type\":\"int\",\"default\":1000,\"min\":1}", "1000");
  row_gives("{\"name\":\"k\",\"type\":\"long\",\"default\":1000.0}", "1000");
  row_gives("{\"name\":\"k\",\"type\":\"double\",\"default\":0.25}", "0.25");
  row_gives("{\"name\":\"k\",\"type\":\"double\",\"default\":2}", "2.0");
  row_gives("{\"name\":\"k\",\"type\":\"boolean\",\"default\":false}", "false");
  row_gives("{\"name\":\"k\",\"type\":\"list\",\"default\":[\"a\",\"b\"]}", "[\"a\",\"b\"]");
  row_gives("{\"name\":\"k\",\"type\":\"list\",\"default\":{}}", "[]");
  row_gives("{\"name\":\"k\",\"type\":\"list\",\"default\":\"a,b\",\"values\":[\"a\",\"b\"]}",
            "[\"a\",\"b\"]");
  row_gives("{\"name\":\"k\",\"type\":\"string\",\"values\":[\"a\",\"b\"]}", "null");
  row_gives("{\"name\":\"k\",\"type\":\"int\",\"min\":1}", "null");
}

static void whole_row(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  struct cl_conf_def *def = NULL;
  json_t *rows = parse(
      "[{\"name\":\"topic\",\"type\":\"string\",\"required\":true,\"non_empty\":true,\"doc\":\"Where to.\","
      "\"importance\":\"high\",\"group\":\"G\",\"order\":2,\"width\":\"long\",\"display_name\":\"Topic\","
      "\"dependents\":[\"n\"],\"recommended\":[\"a\",\"b\"]},"
      "{\"name\":\"n\",\"type\":\"int\",\"max\":9}]");
  assert_int_equal(cl_conf_def_from_json(rows, "p.lua", &def, &err), 0);
  json_t *d = cl_conf_describe(&def->rows[0]);
  char *text = cl_json_text(d);
  assert_string_equal(
      text, "{\"name\":\"topic\",\"type\":\"STRING\",\"required\":true,\"default_value\":null,"
            "\"importance\":\"HIGH\",\"documentation\":\"Where to.\",\"group\":\"G\","
            "\"order_in_group\":2,\"width\":\"LONG\",\"display_name\":\"Topic\",\"dependents\":[\"n\"]}");
  free(text);
  json_decref(d);
  assert_int_equal(def->rows[0].check, CL_CHECK_NON_EMPTY);
  assert_string_equal(def->rows[0].recommended[1], "b");
  assert_null(def->rows[0].recommended[2]);
  assert_int_equal(def->rows[1].importance, CL_CONF_MEDIUM);
  struct cl_conf_value v;
  assert_int_equal(cl_conf_parse_one(&def->rows[1], "10", &v, &err), CL_EINVAL);
  assert_string_equal(err.msg, "Invalid value 10 for configuration n: Value must be no more than 9");
  assert_int_equal(cl_conf_parse_one(&def->rows[1], "-10", &v, &err), 0);
  cl_conf_def_free(def);
  json_decref(rows);
  rows = json_object(); /* an empty Lua table */
  assert_int_equal(cl_conf_def_from_json(rows, "p.lua", &def, &err), 0);
  assert_int_equal(def->n, 0);
  cl_conf_def_free(def);
  json_decref(rows);
  cl_conf_def_free(NULL);
}

static void wrong_shapes(void **state) {
  (void)state;
  refused("\"x\"", "p.lua: config must be a list of rows");
  refused("{\"name\":\"k\"}", "p.lua: config must be a list of rows");
  refused("[7]", "p.lua: config row 1 (no name): must be a table of named fields");
  refused("[{\"type\":\"int\"}]", "p.lua: config row 1 (no name): \"name\" is missing");
  refused("[{\"name\":5,\"type\":\"int\"}]", "p.lua: config row 1 (no name): \"name\" must be a string");
  refused("[{\"name\":\"a\",\"type\":\"int\"},{\"name\":\"k\"}]",
          "p.lua: config row 2 (k): \"type\" is missing");
  refused("[{\"name\":\"k\",\"type\":\"integer\"}]",
          "p.lua: config row 1 (k): \"type\" must be one of: string, int, long, short, double, boolean, "
          "list, class, password");
  refused("[{\"name\":\"k\",\"type\":\"int\",\"defualt\":1}]",
          "p.lua: config row 1 (k): \"defualt\" is not a key of a config row");
  refused("[{\"name\":\"k\",\"type\":\"int\",\"min\":\"1\"}]",
          "p.lua: config row 1 (k): \"min\" must be a number");
  refused("[{\"name\":\"k\",\"type\":\"int\",\"required\":1}]",
          "p.lua: config row 1 (k): \"required\" must be true or false");
  refused("[{\"name\":\"k\",\"type\":\"string\",\"values\":\"a\"}]",
          "p.lua: config row 1 (k): \"values\" must be a list of strings");
  refused("[{\"name\":\"k\",\"type\":\"string\",\"values\":[\"a\",1]}]",
          "p.lua: config row 1 (k): \"values\" must be a list of strings");
  refused("[{\"name\":\"k\",\"type\":\"int\",\"importance\":\"HIGH\"}]",
          "p.lua: config row 1 (k): \"importance\" must be one of: high, medium, low");
  refused("[{\"name\":\"k\",\"type\":\"int\",\"order\":1.5}]",
          "p.lua: config row 1 (k): \"order\" must be a whole number");
  refused("[{\"name\":\"k\",\"type\":\"int\",\"default\":[1]}]",
          "p.lua: config row 1 (k): \"default\" does not fit the row's type");
  refused("[{\"name\":\"k\",\"type\":\"list\",\"default\":[\"a,b\"]}]",
          "p.lua: config row 1 (k): \"default\" has an element with a comma in it, which a list cannot hold");
}

static void contradictions(void **state) {
  (void)state;
  refused("[{\"name\":\"k\",\"type\":\"int\",\"required\":true,\"default\":1}]",
          "p.lua: config row 1 (k): \"required\" and a default contradict each other");
  refused("[{\"name\":\"k\",\"type\":\"string\",\"min\":1}]",
          "p.lua: config row 1 (k): \"min\" is for numbers only");
  refused("[{\"name\":\"k\",\"type\":\"int\",\"min\":2,\"max\":1}]",
          "p.lua: config row 1 (k): \"min\" is greater than max");
  refused("[{\"name\":\"k\",\"type\":\"int\",\"values\":[\"1\"]}]",
          "p.lua: config row 1 (k): \"values\" is for strings and lists only");
  refused("[{\"name\":\"k\",\"type\":\"string\",\"values\":[]}]",
          "p.lua: config row 1 (k): \"values\" is empty: nothing would be allowed");
  refused("[{\"name\":\"k\",\"type\":\"int\",\"non_empty\":true}]",
          "p.lua: config row 1 (k): \"non_empty\" is for strings, lists and passwords only");
  refused("[{\"name\":\"k\",\"type\":\"list\",\"regex\":true}]",
          "p.lua: config row 1 (k): \"regex\" is for strings only");
  refused(
      "[{\"name\":\"k\",\"type\":\"string\",\"regex\":true,\"non_null\":true}]",
      "p.lua: config row 1 (k): has more than one of min/max, values, non_null, non_empty, regex and unique");
  refused("[{\"name\":\"k\",\"type\":\"string\",\"unique\":true}]",
          "p.lua: config row 1 (k): \"unique\" is for lists only");
  refused("[{\"name\":\"k\",\"type\":\"string\",\"ignore_case\":true}]",
          "p.lua: config row 1 (k): \"ignore_case\" is for rows with values only");
  refused("[{\"name\":\"k\",\"type\":\"int\",\"default\":0,\"min\":1}]",
          "p.lua: config row 1 (k): default: Invalid value 0 for configuration k: Value must be at least 1");
  refused(
      "[{\"name\":\"k\",\"type\":\"int\",\"default\":1.5}]",
      "p.lua: config row 1 (k): default: Invalid value 1.5 for configuration k: Not a number of type INT");
  refused("[{\"name\":\"k\",\"type\":\"int\"},{\"name\":\"k\",\"type\":\"int\"}]",
          "p.lua: config row 2 (k): Configuration k is defined twice.");
  refused("[{\"name\":\"k\",\"type\":\"int\",\"dependents\":[\"z\"]}]",
          "p.lua: config row 1 (k): \"dependents\" names z, which is not defined");
}

/* What value does a row with these flags refuse, and how? */
static void value_refused(const char *flags, const char *value, const char *message) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_conf_def *def = NULL;
  struct cl_conf_value v;
  char rows[300];
  snprintf(rows, sizeof(rows), "[{\"name\":\"k\",\"required\":true,%s}]", flags);
  json_t *json = parse(rows);
  assert_int_equal(cl_conf_def_from_json(json, "p.lua", &def, &err), 0);
  int rc = cl_conf_parse_one(def->rows, value, &v, &err);
  assert_int_equal(rc, message ? CL_EINVAL : 0);
  if (message)
    assert_string_equal(err.msg, message);
  cl_conf_value_free(&v);
  cl_conf_def_free(def);
  json_decref(json);
}

static void validators(void **state) {
  (void)state;
  static const char *const filled = "\"type\":\"list\",\"unique\":true,\"non_empty\":true",
                           *const unique = "\"type\":\"list\",\"unique\":true",
                           *const word =
                               "\"type\":\"string\",\"values\":[\"V1\",\"V2\"],\"ignore_case\":true",
                           *const regex = "\"type\":\"string\",\"regex\":true,\"non_empty\":true";
  value_refused(filled, "", "Configuration 'k' must not be empty. Valid values include: any non-empty value");
  value_refused(filled, ",", "Configuration 'k' values must not be duplicated.");
  value_refused(filled, "a,", "Configuration 'k' values must not be empty.");
  value_refused(filled, "a,b", NULL);
  value_refused(unique, "", NULL);
  value_refused(unique, "a,a", "Configuration 'k' values must not be duplicated.");
  value_refused("\"type\":\"list\",\"non_empty\":true", "",
                "Invalid value [] for configuration k: Empty list");
  value_refused("\"type\":\"list\",\"non_empty\":true", "a,a", NULL);
  value_refused(word, "v1", NULL);
  value_refused(word, "x",
                "Invalid value x for configuration k: String must be one of (case insensitive): V1, V2");
  value_refused(regex, "", "Invalid value  for configuration k: String must be non-empty");
  value_refused(regex, "a.*", NULL);
  value_refused("\"type\":\"string\",\"non_null\":true", "", NULL);
}

/* Validate mode also asks the validator about what is missing. */
static void missing_values(void **state) {
  (void)state;
  static const struct {
    const char *flags, *second;
  } cases[] = {
      {"\"type\":\"string\",\"regex\":true,\"non_empty\":true",
       "Invalid value null for configuration k: Invalid regex: null"},
      {"\"type\":\"string\",\"non_null\":true",
       "Invalid value null for configuration k: entry must be non null"},
      {"\"type\":\"string\",\"non_empty\":true", NULL},
      {"\"type\":\"list\",\"non_empty\":true", "Invalid value null for configuration k: Empty list"},
      {"\"type\":\"list\",\"unique\":true", "Configuration 'k' values must not be null."},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    struct cl_err err = CL_ERR_INIT;
    struct cl_conf_def *def = NULL;
    char rows[300];
    snprintf(rows, sizeof(rows), "[{\"name\":\"k\",\"required\":true,%s}]", cases[i].flags);
    json_t *json = parse(rows), *none = json_object();
    assert_int_equal(cl_conf_def_from_json(json, "p.lua", &def, &err), 0);
    json_t *values = cl_conf_validate(def, none),
           *errors = json_object_get(json_array_get(values, 0), "errors");
    assert_int_equal(json_array_size(errors), cases[i].second ? 2 : 1);
    assert_string_equal(json_string_value(json_array_get(errors, 0)),
                        "Missing required configuration \"k\" which has no default value.");
    if (cases[i].second)
      assert_string_equal(json_string_value(json_array_get(errors, 1)), cases[i].second);
    json_decref(values);
    json_decref(none);
    json_decref(json);
    cl_conf_def_free(def);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(defaults),       cmocka_unit_test(whole_row),  cmocka_unit_test(wrong_shapes),
      cmocka_unit_test(contradictions), cmocka_unit_test(validators), cmocka_unit_test(missing_values),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
