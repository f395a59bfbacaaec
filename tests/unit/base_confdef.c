/* SPDX-License-Identifier: Apache-2.0
 * ConfigDef: parsing, validators, validate mode, look-up. Texts are Apache's. */
#include "base/confdef.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ANY .min = -HUGE_VAL, .max = HUGE_VAL, .order = -1

static const char *const colours[] = {"red", "Blue", NULL};

static void value_is(const struct cl_conf_row *row, const char *text, const char *shown) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_conf_def def = {row, 1};
  json_t *in = text ? json_pack("{s:s}", row->name, text) : json_object(), *out = NULL;
  if (cl_conf_parse(&def, in, &out, &err) != 0)
    fail_msg("%s: %s", text ? text : "(absent)", err.msg);
  char *json = cl_json_text(json_object_get(out, row->name));
  assert_string_equal(json, shown);
  free(json);
  json_decref(out);
  json_decref(in);
}

static void value_fails(const struct cl_conf_row *row, const char *text, const char *message) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_conf_value v;
  assert_int_equal(cl_conf_parse_one(row, text, &v, &err), CL_EINVAL);
  assert_string_equal(err.msg, message);
  assert_string_equal(err.class, CL_JAVA_CONFIG);
  assert_true(v.is_null && !v.s && !v.list);
}

static void integers(void **state) {
  (void)state;
  const struct cl_conf_row i = {.name = "tasks.max", .type = CL_CONF_INT, .dflt = "1", ANY};
  value_is(&i, " +7\t", "7");
  value_is(&i, "-2147483648", "-2147483648");
  value_is(&i, "007", "7");
  value_is(&i, NULL, "1");
  value_fails(&i, "abc", "Invalid value abc for configuration tasks.max: Not a number of type INT");
  value_fails(&i, " 1x ", "Invalid value  1x  for configuration tasks.max: Not a number of type INT");
  const char *wrong[] = {"",      " ",  "+",   "1.0", "1e3",        "1_000",
                         "1 000", "1L", "0x1", "+-1", "2147483648", "-2147483649"};
  for (size_t n = 0; n < sizeof(wrong) / sizeof(wrong[0]); n++) {
    struct cl_err err = CL_ERR_INIT;
    struct cl_conf_value v;
    assert_int_equal(cl_conf_parse_one(&i, wrong[n], &v, &err), CL_EINVAL);
  }
  const struct cl_conf_row s = {.name = "s", .type = CL_CONF_SHORT, ANY};
  value_is(&s, "32767", "32767");
  value_is(&s, NULL, "null");
  value_fails(&s, "32768", "Invalid value 32768 for configuration s: Not a number of type SHORT");
  const struct cl_conf_row l = {.name = "l", .type = CL_CONF_LONG, ANY};
  value_is(&l, "9223372036854775807", "9223372036854775807");
  value_is(&l, "-9223372036854775808", "-9223372036854775808");
  value_fails(&l, "9223372036854775808",
              "Invalid value 9223372036854775808 for configuration l: Not a number of type LONG");
}

static void doubles(void **state) {
  (void)state;
  const struct cl_conf_row d = {.name = "d", .type = CL_CONF_DOUBLE, ANY};
  value_is(&d, "1e3", "1000.0");
  value_is(&d, " .5 ", "0.5");
  value_is(&d, "5.", "5.0");
  value_is(&d, "-1.5d", "-1.5");
  value_is(&d, "2F", "2.0");
  value_is(&d, "0x1.8p1", "3.0");
  value_is(&d, "NaN", "\"NaN\"");
  value_is(&d, "-Infinity", "\"-Infinity\"");
  value_is(&d, "1e999", "\"Infinity\"");
  const char *wrong[] = {"", "inf", "nan", "1e", "0x1", "1,5", "1dd", "0x", ".", "e5", "1 d", "--1"};
  for (size_t n = 0; n < sizeof(wrong) / sizeof(wrong[0]); n++) {
    struct cl_err err = CL_ERR_INIT;
    struct cl_conf_value v;
    assert_int_equal(cl_conf_parse_one(&d, wrong[n], &v, &err), CL_EINVAL);
    assert_non_null(strstr(err.msg, " for configuration d: Not a number of type DOUBLE"));
  }
}

static void booleans_texts_lists(void **state) {
  (void)state;
  const struct cl_conf_row b = {.name = "b", .type = CL_CONF_BOOLEAN, ANY};
  value_is(&b, " TRUE", "true");
  value_is(&b, "False", "false");
  value_fails(&b, "yes", "Invalid value yes for configuration b: Expected value to be either true or false");
  const struct cl_conf_row s = {.name = "s", .type = CL_CONF_STRING, ANY};
  value_is(&s, " a b\x01", "\"a b\"");
  value_is(&s, "", "\"\"");
  value_is(&s, NULL, "null");
  const struct cl_conf_row l = {.name = "l", .type = CL_CONF_LIST, ANY};
  value_is(&l, " a ,\tb,,c , ", "[\"a\",\"b\",\"\",\"c\",\"\"]");
  value_is(&l, ",", "[\"\",\"\"]");
  value_is(&l, "a b", "[\"a b\"]");
  value_is(&l, "  ", "[]");
  const struct cl_conf_row p = {.name = "p", .type = CL_CONF_PASSWORD, .check = CL_CHECK_NON_EMPTY, ANY};
  value_is(&p, " secret ", "\"secret\"");
  value_fails(&p, " ", "Invalid value [hidden] for configuration p: String must be non-empty");
}

static void missing(void **state) {
  (void)state;
  const struct cl_conf_row r = {.name = "x", .type = CL_CONF_STRING, .required = true, ANY};
  value_fails(&r, NULL, "Missing required configuration \"x\" which has no default value.");
}

static void ranges_and_members(void **state) {
  (void)state;
  const struct cl_conf_row r = {
      .name = "k", .type = CL_CONF_INT, .check = CL_CHECK_RANGE, .min = 1, .max = 9};
  value_is(&r, "1", "1");
  value_is(&r, "9", "9");
  value_is(&r, NULL, "null");
  value_fails(&r, "0", "Invalid value 0 for configuration k: Value must be at least 1");
  value_fails(&r, " 10", "Invalid value 10 for configuration k: Value must be no more than 9");
  const struct cl_conf_row d = {
      .name = "d", .type = CL_CONF_DOUBLE, .check = CL_CHECK_RANGE, .min = 0, .max = HUGE_VAL};
  value_fails(&d, "-1e10", "Invalid value -1.0E10 for configuration d: Value must be at least 0.0");
  const struct cl_conf_row o = {
      .name = "c", .type = CL_CONF_STRING, .check = CL_CHECK_ONE_OF, .values = colours, ANY};
  value_is(&o, "Blue", "\"Blue\"");
  value_is(&o, NULL, "null");
  value_fails(&o, "blue", "Invalid value blue for configuration c: String must be one of: red, Blue");
  const struct cl_conf_row i = {
      .name = "c", .type = CL_CONF_STRING, .check = CL_CHECK_ONE_OF_ICASE, .values = colours, ANY};
  value_is(&i, "RED", "\"RED\"");
  value_fails(&i, "x",
              "Invalid value x for configuration c: String must be one of (case insensitive): RED, BLUE");
  const struct cl_conf_row l = {
      .name = "c", .type = CL_CONF_LIST, .check = CL_CHECK_ONE_OF, .values = colours, ANY};
  value_is(&l, "red,Blue", "[\"red\",\"Blue\"]");
  value_fails(&l, "red,green", "Invalid value green for configuration c: String must be one of: red, Blue");
}

static void other_checks(void **state) {
  (void)state;
  const struct cl_conf_row e = {.name = "e", .type = CL_CONF_STRING, .check = CL_CHECK_NON_EMPTY, ANY};
  value_fails(&e, "", "Invalid value  for configuration e: String must be non-empty");
  const struct cl_conf_row n = {
      .name = "name", .type = CL_CONF_STRING, .check = CL_CHECK_NAME, .required = true, ANY};
  value_is(&n, "a\x01", "\"a\"");
  value_is(&n, "\xC3\xA9\xC2\xA0", "\"\xC3\xA9\xC2\xA0\"");
  value_fails(&n, "", "Invalid value  for configuration name: String may not be empty");
  value_fails(&n,
              "a\nb\x01\xC2\x85"
              "c",
              "Invalid value a\nb\x01\xC2\x85"
              "c for configuration name: String may not contain "
              "control sequences but had the following ASCII chars: 10, 1, 133");
  const struct cl_conf_row x = {.name = "x", .type = CL_CONF_STRING, .check = CL_CHECK_REGEX, ANY};
  value_is(&x, "a.*[0-9]+\\d", "\"a.*[0-9]+\\\\d\"");
  struct cl_err err = CL_ERR_INIT;
  struct cl_conf_value v;
  assert_int_equal(cl_conf_parse_one(&x, "a(b", &v, &err), CL_EINVAL);
  assert_memory_equal(err.msg, "Invalid value a(b for configuration x: Invalid regex: ", 54);
  const struct cl_conf_row u = {
      .name = "transforms", .type = CL_CONF_LIST, .check = CL_CHECK_UNIQUE_LIST, ANY};
  value_fails(&u, "t,t", "Invalid value [t, t] for configuration transforms: Duplicate alias provided.");
  const struct cl_conf_row t = {.name = "topics", .type = CL_CONF_LIST, .check = CL_CHECK_VALID_LIST, ANY};
  value_is(&t, "a,b", "[\"a\",\"b\"]");
  value_is(&t, "", "[]");
  value_fails(&t, "a,,b", "Configuration 'topics' values must not be empty.");
  value_fails(&t, "a,b,a", "Configuration 'topics' values must not be duplicated.");
}

static const struct cl_conf_row rows[] = {
    {.name = "name", .type = CL_CONF_STRING, .required = true, .check = CL_CHECK_NAME, ANY},
    {.name = "tasks.max",
     .type = CL_CONF_INT,
     .dflt = "1",
     .check = CL_CHECK_RANGE,
     .min = 1,
     .max = HUGE_VAL,
     .importance = CL_CONF_HIGH,
     .doc = "most tasks",
     .group = "Common",
     .order = 4,
     .width = CL_CONF_W_SHORT,
     .display = "Tasks max"},
    {.name = "topics", .type = CL_CONF_LIST, .dflt = "", ANY},
    {.name = "pass", .type = CL_CONF_PASSWORD, .dflt = "x", .importance = CL_CONF_LOW, ANY},
    {.name = "colour", .type = CL_CONF_STRING, .recommended = colours, ANY},
};
static const struct cl_conf_def def = {rows, sizeof(rows) / sizeof(rows[0])};

static void whole_config(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  json_t *in = json_pack("{s:s, s:s, s:s, s:n}", "zz", " kept ", "name", " n ", "topics", "a, b", "pass");
  json_t *out = NULL;
  assert_int_equal(cl_conf_parse(&def, in, &out, &err), 0);
  char *text = cl_json_text(out);
  assert_string_equal(
      text, "{\"name\":\"n\",\"tasks.max\":1,\"topics\":[\"a\",\"b\"],\"pass\":null,\"colour\":null,"
            "\"zz\":\" kept \"}");
  free(text);
  json_decref(out);
  json_object_set_new(in, "tasks.max", json_null());
  assert_int_equal(cl_conf_parse(&def, in, &out, &err), CL_EINVAL);
  assert_string_equal(err.msg, "Invalid value null for configuration tasks.max: Value must be non-null");
  assert_null(out);
  json_object_set_new(in, "tasks.max", json_string("0"));
  json_object_del(in, "name");
  assert_int_equal(cl_conf_parse(&def, in, &out, &err), CL_EINVAL);
  assert_string_equal(err.msg, "Missing required configuration \"name\" which has no default value.");
  json_decref(in);
}

static void validate_mode(void **state) {
  (void)state;
  json_t *in = json_pack("{s:s, s:s, s:s}", "tasks.max", "abc", "pass", "secret", "topics", "a, b");
  json_t *out = cl_conf_validate(&def, in);
  char *text = cl_json_text(out);
  assert_string_equal(
      text,
      "[{\"name\":\"name\",\"value\":null,\"recommended_values\":[],\"errors\":[\"Missing required "
      "configuration "
      "\\\"name\\\" which has no default value.\"],\"visible\":true},"
      "{\"name\":\"tasks.max\",\"value\":null,\"recommended_values\":[],\"errors\":[\"Invalid value abc for "
      "configuration tasks.max: Not a number of type INT\",\"Invalid value null for configuration tasks.max: "
      "Value "
      "must be non-null\"],\"visible\":true},"
      "{\"name\":\"topics\",\"value\":\"a,b\",\"recommended_values\":[],\"errors\":[],\"visible\":true},"
      "{\"name\":\"pass\",\"value\":\"[hidden]\",\"recommended_values\":[],\"errors\":[],\"visible\":true},"
      "{\"name\":\"colour\",\"value\":null,\"recommended_values\":[\"red\",\"Blue\"],\"errors\":[],"
      "\"visible\":true}]");
  free(text);
  json_decref(out);
  /* a value that parses but does not pass is still shown; a message too long is cut between characters */
  char huge[4001];
  for (size_t i = 0; i + 2 < sizeof(huge); i += 2)
    memcpy(huge + i, "\xC3\xA9", 3);
  json_object_set_new(in, "name", json_sprintf("%s\x01%s", "x", huge));
  json_object_set_new(in, "tasks.max", json_string("0"));
  out = cl_conf_validate(&def, in);
  assert_int_equal(json_array_size(json_object_get(json_array_get(out, 0), "errors")), 1);
  assert_string_equal(cl_json_str(json_array_get(out, 1), "value"), "0");
  assert_int_equal(json_array_size(json_object_get(json_array_get(out, 1), "errors")), 1);
  json_decref(out);
  json_decref(in);
}

static void describes(const struct cl_conf_row *row, const char *expected) {
  json_t *json = cl_conf_describe(row);
  char *text = cl_json_text(json);
  assert_string_equal(text, expected);
  free(text);
  json_decref(json);
}

static void definitions(void **state) {
  (void)state;
  describes(&rows[1],
            "{\"name\":\"tasks.max\",\"type\":\"INT\",\"required\":false,\"default_value\":\"1\","
            "\"importance\":\"HIGH\",\"documentation\":\"most tasks\",\"group\":\"Common\","
            "\"order_in_group\":4,\"width\":\"SHORT\",\"display_name\":\"Tasks max\",\"dependents\":[]}");
  describes(&rows[0], "{\"name\":\"name\",\"type\":\"STRING\",\"required\":true,\"default_value\":null,"
                      "\"importance\":\"HIGH\",\"documentation\":null,\"group\":null,\"order_in_group\":-1,"
                      "\"width\":\"NONE\",\"display_name\":\"name\",\"dependents\":[]}");
  describes(&rows[3],
            "{\"name\":\"pass\",\"type\":\"PASSWORD\",\"required\":false,\"default_value\":\"[hidden]\","
            "\"importance\":\"LOW\",\"documentation\":null,\"group\":null,\"order_in_group\":-1,"
            "\"width\":\"NONE\",\"display_name\":\"pass\",\"dependents\":[]}");
}

static void look_up(void **state) {
  (void)state;
  assert_ptr_equal(cl_conf_find(&def, "topics"), &rows[2]);
  assert_null(cl_conf_find(&def, "topic"));
  assert_string_equal(cl_conf_nearest(&def, "topic"), "topics");
  assert_string_equal(cl_conf_nearest(&def, "task.max"), "tasks.max");
  assert_string_equal(cl_conf_nearest(&def, "nmae"), "name");
  assert_null(cl_conf_nearest(&def, "something.else"));
  assert_null(cl_conf_nearest(&def, ""));
  char longer[400];
  memset(longer, 'x', sizeof(longer) - 1);
  longer[sizeof(longer) - 1] = '\0';
  assert_null(cl_conf_nearest(&def, longer));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(integers),
      cmocka_unit_test(doubles),
      cmocka_unit_test(booleans_texts_lists),
      cmocka_unit_test(missing),
      cmocka_unit_test(ranges_and_members),
      cmocka_unit_test(other_checks),
      cmocka_unit_test(whole_config),
      cmocka_unit_test(validate_mode),
      cmocka_unit_test(definitions),
      cmocka_unit_test(look_up),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
