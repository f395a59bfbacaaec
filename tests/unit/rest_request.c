/* SPDX-License-Identifier: Apache-2.0
 * Requests without sockets: targets, media types, and what a request becomes. */
#include "rest/routes.h"

#include "rest_fake.h"

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct cl_herder herder = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- targets ---- */

static void parse(struct cl_request *r, const char *target) {
  struct cl_err err = CL_ERR_INIT;
  *r = (struct cl_request){.method = "GET", .target = target};
  if (cl_request_parse(r, &err) < 0)
    fail_msg("%s: %s", target, err.msg);
}

static void assert_segments(const char *target, size_t n, const char *const *texts) {
  struct cl_request r;
  parse(&r, target);
  assert_false(r.no_path);
  assert_int_equal(r.n_segments, n);
  for (size_t i = 0; i < n; i++)
    assert_string_equal(r.segments[i].text, texts[i]);
  cl_request_clear(&r);
}
#define SEGMENTS(target, ...)                                                                                \
  do {                                                                                                       \
    const char *const texts[] = {__VA_ARGS__};                                                               \
    assert_segments(target, sizeof texts / sizeof texts[0], texts);                                          \
  } while (0)

static void test_paths(void **state) {
  (void)state;
  assert_segments("/", 0, NULL);
  assert_segments("", 0, NULL);
  assert_segments("/;x=1", 0, NULL);
  assert_segments("http://host:1", 0, NULL);
  assert_segments("/?a/b", 0, NULL);
  SEGMENTS("/connectors", "connectors");
  SEGMENTS("/connectors/", "connectors");
  SEGMENTS("/connectors/a%20b/config?x=/y", "connectors", "a b", "config");
  SEGMENTS("/connectors/a%2Fb%25%5c", "connectors", "a/b%\\");
  SEGMENTS("/connectors/a+b", "connectors", "a+b");
  SEGMENTS("/connectors;v=1/a;x=1;y/status;z", "connectors", "a", "status");
  SEGMENTS("/c/a%3Bb", "c", "a;b");
  SEGMENTS("/c/%C3%A9\xe2\x82\xac", "c", "\xc3\xa9\xe2\x82\xac");
  SEGMENTS("/c/a#f/g", "c", "a");
  SEGMENTS("http://host:1/c/a", "c", "a");
  SEGMENTS("HTTPS://host/c", "c");
  SEGMENTS("/../.", "..", ".");
}

static void test_targets_without_a_path(void **state) {
  (void)state;
  static const char *const targets[] = {"*", "host:443", "connectors", "/1/2/3/4/5/6/7/8/9"};
  for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
    struct cl_request r;
    parse(&r, targets[i]);
    assert_true(r.no_path);
    cl_request_clear(&r);
  }
}

static void test_bad_targets(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"/c/%zz", "Invalid escape at character 4 of the request target"},
      {"/c/%", "Invalid escape at character 4 of the request target"},
      {"/c/ab%4", "Invalid escape at character 6 of the request target"},
      {"/%e9/x", "The request target is not UTF-8 from character 2 on"},
      {"/c/\xff", "The request target is not UTF-8 from character 4 on"},
      {"/c/a%00b", "Control character at character 5 of the request target"},
      {"/c/a%1F", "Control character at character 5 of the request target"},
      {"/c/a\x01", "Control character at character 5 of the request target"},
      {"//connectors", "Empty path segment at character 2 of the request target"},
      {"/c//x", "Empty path segment at character 4 of the request target"},
      {"/c/;a=1/x", "Empty path segment at character 4 of the request target"},
      {"/c?a=%g0", "Invalid escape at character 6 of the request target"},
      {"/c?%C3=1", "The request target is not UTF-8 from character 4 on"},
      {"/?1&2&3&4&5&6&7&8&9&0&1&2&3&4&5&6&7&8&9&0&1&2&3&4&5&6&7&8&9&0&1&2&3",
       "More than 32 query parameters"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct cl_err err = CL_ERR_INIT;
    struct cl_request r = {.method = "GET", .target = cases[i][0]};
    assert_int_equal(cl_request_parse(&r, &err), CL_EINVAL);
    assert_string_equal(err.msg, cases[i][1]);
    cl_request_clear(&r);
  }
}

static void test_query(void **state) {
  (void)state;
  struct cl_request r;
  parse(&r, "/c?a=1&a=2&b&&e=&d+%41=x+%2B%26=&f=TrUe&g=yes&h=%C3%A9#a=3");
  assert_int_equal(r.n_params, 8);
  assert_string_equal(cl_request_param(&r, "a"), "1");
  assert_string_equal(r.params[1].value, "2");
  assert_string_equal(cl_request_param(&r, "b"), "");
  assert_string_equal(cl_request_param(&r, "e"), "");
  assert_string_equal(cl_request_param(&r, "d A"), "x +&=");
  assert_string_equal(cl_request_param(&r, "h"), "\xc3\xa9");
  assert_null(cl_request_param(&r, "z"));
  assert_true(cl_request_flag(&r, "f", false));
  assert_false(cl_request_flag(&r, "g", true));
  assert_false(cl_request_flag(&r, "b", true));
  assert_true(cl_request_flag(&r, "z", true));
  assert_false(cl_request_flag(&r, "z", false));
  cl_request_clear(&r);
}

static void test_encode(void **state) {
  (void)state;
  static const char *const cases[][2] = {{"a b", "a%20b"},
                                         {"a/b;c?d#e%f", "a%2Fb%3Bc%3Fd%23e%25f"},
                                         {"\xc3\xa9", "%C3%A9"},
                                         {"-._~!$&'()*+,=:@", "-._~!$&'()*+,=:@"},
                                         {"", ""}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char *text = cl_request_encode(cases[i][0]);
    assert_string_equal(text, cases[i][1]);
    free(text);
  }
}

/* ---- media types ---- */

static void test_accept(void **state) {
  (void)state;
  static const struct {
    const char *accept;
    bool json;
    const char *best;
  } cases[] = {
      {NULL, true, "text/plain"},
      {"", true, "text/plain"},
      {" ", true, "text/plain"},
      {"*/*", true, "text/plain"},
      {"*", true, "text/plain"},
      {"application/json", true, "application/json"},
      {"Application/JSON; charset=utf-8", true, "Application/JSON"},
      {"application/*", true, "text/plain"},
      {"text/html", false, "text/html"},
      {"text/*", false, "text/plain"},
      {"application/jsonx", false, "application/jsonx"},
      {"text/html, application/json;q=0.1", true, "text/html"},
      {"text/html;q=0.1 ,application/json ; q=0.5", true, "application/json"},
      {"application/json;q=0", false, "text/plain"},
      {"application/json;q=0, */*", false, "text/plain"},
      {"application/json;q=0.5, */*;q=0", true, "application/json"},
      {"*/*;q=0", false, "text/plain"},
      {"application/json;q=nan", false, "text/plain"},
      {",,;;,", false, "text/plain"},
      {"text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", true, "text/html"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct cl_request r = {.accept = cases[i].accept};
    char best[96];
    if (cl_request_takes_json(&r) != cases[i].json)
      fail_msg("%s", cases[i].accept);
    cl_request_best_type(&r, best, sizeof best);
    assert_string_equal(best, cases[i].best);
  }
}

static void test_content_type(void **state) {
  (void)state;
  static const struct {
    const char *type;
    bool sends, json;
  } cases[] = {
      {NULL, false, false},
      {"", false, false},
      {"application/json", true, true},
      {"APPLICATION/Json", true, true},
      {"application/json; charset=utf-8", true, true},
      {" application/json ;x", true, true},
      {"text/plain", true, false},
      {"application/vnd.x+json", true, false},
      {"application/jso", true, false},
      {";", true, false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct cl_request r = {.content_type = cases[i].type};
    assert_int_equal(cl_request_sends_type(&r), cases[i].sends);
    assert_int_equal(cl_request_sends_json(&r), cases[i].json);
  }
}

/* ---- what a request becomes ---- */

static void dispatch(struct cl_exchange *x, struct cl_request *r) {
  struct cl_err err = CL_ERR_INIT;
  *x = (struct cl_exchange){.req = r, .herder = &herder};
  assert_int_equal(cl_request_parse(r, &err), 0);
  cl_routes_dispatch(x);
}

static struct cl_request with_body(const char *method, const char *target, const char *body) {
  return (struct cl_request){.method = method,
                             .target = target,
                             .content_type = "application/json",
                             .body = body,
                             .body_len = strlen(body)};
}

static void test_create_command(void **state) {
  (void)state;
  struct cl_exchange x;
  struct cl_request r = with_body(
      "POST", "/connectors",
      "{\"name\":\" a/b \",\"initial_state\":\"stopped\","
      "\"config\":{\"z\":1.50,\"y\":true,\"x\":null,\"w\":\"s\",\"v\":123456789012345678901234567890}}");
  dispatch(&x, &r);
  assert_non_null(x.cmd);
  assert_int_equal(x.cmd->kind, CL_CMD_CREATE);
  assert_string_equal(x.cmd->name, " a/b ");
  assert_string_equal(x.cmd->initial_state, "stopped");
  char *text = json_dumps(x.cmd->config, JSON_COMPACT);
  assert_string_equal(
      text,
      "{\"z\":\"1.50\",\"y\":\"true\",\"x\":null,\"w\":\"s\",\"v\":\"123456789012345678901234567890\"}");
  free(text);
  fake_command_free(x.cmd);
  cl_request_clear(&r);
}

static void test_create_defaults(void **state) {
  (void)state;
  static const char *const bodies[] = {"{\"config\":{}}",
                                       "{\"name\":null,\"initial_state\":null,\"config\":{}}"};
  for (int i = 0; i < 2; i++) {
    struct cl_exchange x;
    struct cl_request r = with_body("POST", "/connectors/", bodies[i]);
    dispatch(&x, &r);
    assert_non_null(x.cmd);
    assert_string_equal(x.cmd->name, "");
    assert_null(x.cmd->initial_state);
    fake_command_free(x.cmd);
    cl_request_clear(&r);
  }
}

static void test_bad_bodies(void **state) {
  (void)state;
  static const struct {
    const char *target, *body, *message;
  } cases[] = {
      {"/connectors", "", "The request body is empty, a JSON object is needed"},
      {"/connectors", " \r\n", "The request body is empty, a JSON object is needed"},
      {"/connectors", "null", "The request body is null, a JSON object is needed"},
      {"/connectors", "[]", "The request body is an array, a JSON object is needed"},
      {"/connectors", "7", "The request body is a single value, a JSON object is needed"},
      {"/connectors", "{}", "Field \"config\" is missing, an object of strings is needed"},
      {"/connectors", "{\"config\":null}", "Field \"config\" is missing, an object of strings is needed"},
      {"/connectors", "{\"config\":[]}", "Field \"config\" is an array, an object of strings is needed"},
      {"/connectors", "{\"config\":{},\"name\":{}}", "Field \"name\" is an object, a string is needed"},
      {"/connectors", "{\"config\":{},\"initial_state\":[]}",
       "Field \"initial_state\" is an array, a string is needed"},
      {"/connectors", "{\"config\":{},\"foo\":1}", "Unrecognized field \"foo\" "},
      {"/connectors", "{\"config\":{\"x\":{\"a\":1}}}", "Invalid connector config: the value of \"x\""},
      {"/connectors", "{\n\"config\":{},,}", "The request body is not valid JSON: line 2, column 13"},
      {"/connectors", "{\"config\":{}} x", "The request body is not valid JSON: line 1, column 15"},
      {"/connectors", "{\"config\":{\"a\":\"caf\xe9\"}}",
       "The request body is not valid JSON: line 1, column "},
      {"/connectors/c/config", "", "The request body is empty, a JSON object is needed"},
      {"/connectors/c/config", "[]", "The request body is an array, a JSON object is needed"},
      {"/connectors/c/config", "x", "The request body is not valid JSON: line 1, column 1"},
      {"/connectors/c/config", "{\"k\":[1]}", "Invalid connector config: the value of \"k\""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct cl_exchange x;
    struct cl_request r = with_body(cases[i].target[11] ? "PUT" : "POST", cases[i].target, cases[i].body);
    dispatch(&x, &r);
    assert_null(x.cmd);
    assert_int_equal(x.answer.reply.status, 400);
    const char *message = cl_json_str(x.answer.reply.body, "message");
    if (strncmp(message, cases[i].message, strlen(cases[i].message)) != 0)
      fail_msg("%s: %s", cases[i].body, message);
    cl_answer_clear(&x.answer);
    cl_request_clear(&r);
  }
}

static void test_escaped_fixed_segment(void **state) {
  (void)state;
  static const char *const targets[] = {"/%63onnectors", "/connectors/a/%73tatus"};
  for (int i = 0; i < 2; i++) {
    struct cl_exchange x;
    struct cl_request r = {.method = "GET", .target = targets[i], .body = ""};
    dispatch(&x, &r);
    assert_int_equal(x.answer.reply.status, 404);
    cl_answer_clear(&x.answer);
    cl_request_clear(&r);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_paths),
      cmocka_unit_test(test_targets_without_a_path),
      cmocka_unit_test(test_bad_targets),
      cmocka_unit_test(test_query),
      cmocka_unit_test(test_encode),
      cmocka_unit_test(test_accept),
      cmocka_unit_test(test_content_type),
      cmocka_unit_test(test_create_command),
      cmocka_unit_test(test_create_defaults),
      cmocka_unit_test(test_bad_bodies),
      cmocka_unit_test(test_escaped_fixed_segment),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
