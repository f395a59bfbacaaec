/* SPDX-License-Identifier: Apache-2.0
 * jansson with our errors; numbers kept as texts; configs out of objects. */
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef int parser(const char *, size_t, json_t **, struct cl_err *);

static void gives(parser *parse, const char *text, const char *expected) {
  struct cl_err err = CL_ERR_INIT;
  json_t *json = NULL;
  size_t len = strlen(text);
  char *exact = malloc(len ? len : 1); /* no NUL behind: the sanitizer sees an overread */
  memcpy(exact, text, len);
  if (parse(exact, len, &json, &err) != 0)
    fail_msg("%s: %s", text, err.msg);
  char *out = cl_json_text(json);
  assert_string_equal(out, expected);
  free(out);
  json_decref(json);
  free(exact);
}

static void refuses(parser *parse, const char *text, const char *message) {
  struct cl_err err = CL_ERR_INIT;
  json_t *json = NULL;
  size_t len = strlen(text);
  char *exact = malloc(len ? len : 1);
  memcpy(exact, text, len);
  assert_int_equal(parse(exact, len, &json, &err), CL_EINVAL);
  assert_null(json);
  assert_string_equal(err.msg, message);
  free(exact);
}

static void plain(void **state) {
  (void)state;
  gives(cl_json_parse, " {\"b\": [1, 2.5, true, null], \"a\": \"x\"} ",
        "{\"b\":[1,2.5,true,null],\"a\":\"x\"}");
  gives(cl_json_parse, "\"x\"", "\"x\"");
  gives(cl_json_parse, "{\"a\":1,\"a\":2}", "{\"a\":2}");
  refuses(cl_json_parse, "{\"a\":1} x", "line 1, column 9: end of file expected near 'x'");
  refuses(cl_json_parse, "{\n \"a\": tru\n}", "line 2, column 9: invalid token near 'tru'");
  refuses(cl_json_parse, "", "line 1, column 0: unexpected token near end of file");
  refuses(cl_json_parse, "{\"a\":\"x\\u0000y\"}",
          "line 1, column 15: \\u0000 is not allowed without JSON_ALLOW_NUL near '\"x\\u0000y\"'");
  refuses(cl_json_parse, "[\"\xFF\"]", "line 1, column 2: unable to decode byte 0xff near '\"'");
}

static void numbers_as_texts(void **state) {
  (void)state;
  gives(cl_json_parse_texts, "{\"a\":1.50,\"b\":[-0,1e5,1E+5,12345678901234567890123],\"c\":1e999}",
        "{\"a\":\"1.50\",\"b\":[\"-0\",\"1e5\",\"1E+5\",\"12345678901234567890123\"],\"c\":\"1e999\"}");
  gives(cl_json_parse_texts, "{\"1\":\"2 3\",\"x\":\"\\\"4\",\"t\":true,\"n\":null,\"f\":false}",
        "{\"1\":\"2 3\",\"x\":\"\\\"4\",\"t\":true,\"n\":null,\"f\":false}");
  gives(cl_json_parse_texts, "{\"back\\\\\":5}", "{\"back\\\\\":\"5\"}");
  gives(cl_json_parse_texts, "7", "\"7\"");
  gives(cl_json_parse_texts, "[1,\n2 ,\t3]", "[\"1\",\"2\",\"3\"]");
}

static void texts_keep_the_place(void **state) {
  (void)state;
  refuses(cl_json_parse_texts, "{\"a\":1,\"b\":22,\"c\":01}", "line 1, column 20: invalid token near '0'");
  refuses(cl_json_parse_texts, "[1,2,\n3,4,x]", "line 2, column 5: invalid token near 'x'");
  refuses(cl_json_parse_texts, "[1,2] 3", "line 1, column 7: end of file expected near '\"3\"'");
  refuses(cl_json_parse_texts, "{1:2}", "line 1, column 2: string or '}' expected near '1'");
  refuses(cl_json_parse_texts, "{1 : 2}", "line 1, column 2: string or '}' expected near '1'");
  const char *wrong[] = {"[1.]", "[.5]",     "[+1]", "[--1]", "[1e]",     "[0x1]", "[1_0]", "[1 2]",
                         "[-]",  "[1\"2\"]", "[\"a", "[\"\\", "{\"a\":1", "[NaN]", "[1,]",  "[a1]"};
  for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
    struct cl_err err = CL_ERR_INIT;
    json_t *json = NULL;
    assert_int_equal(cl_json_parse_texts(wrong[i], strlen(wrong[i]), &json, &err), CL_EINVAL);
    assert_memory_equal(err.msg, "line 1, column ", 15);
  }
}

static void configs(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  json_t *in = NULL, *out = NULL;
  const char *text = "{\"name\":\"x\",\"n\":1.50,\"t\":true,\"f\":false,\"z\":null}";
  assert_int_equal(cl_json_parse_texts(text, strlen(text), &in, &err), 0);
  assert_int_equal(cl_json_to_config(in, &out, &err), 0);
  char *json = cl_json_text(out);
  assert_string_equal(json, "{\"name\":\"x\",\"n\":\"1.50\",\"t\":\"true\",\"f\":\"false\",\"z\":null}");
  assert_string_equal(cl_json_str(out, "name"), "x");
  assert_null(cl_json_str(out, "z"));
  assert_null(cl_json_str(out, "nowhere"));
  free(json);
  json_decref(in);
  json_decref(out);
  in = json_pack("{s:i}", "n", 7);
  assert_int_equal(cl_json_to_config(in, &out, &err), 0);
  assert_string_equal(cl_json_str(out, "n"), "7");
  json_decref(in);
  json_decref(out);
  in = json_pack("{s:s, s:[i]}", "a", "1", "b", 2);
  assert_int_equal(cl_json_to_config(in, &out, &err), CL_EINVAL);
  assert_string_equal(err.msg,
                      "the value of \"b\" must be a string, a number, a boolean or null, not an array");
  json_decref(in);
  in = json_array();
  assert_int_equal(cl_json_to_config(in, &out, &err), CL_EINVAL);
  assert_string_equal(err.msg, "expected a JSON object");
  assert_null(out);
  json_decref(in);
}

static void byte_order_mark(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  json_t *out = NULL;
  const char text[] = "\xEF\xBB\xBF{\"n\":1.50}";
  assert_int_equal(cl_json_parse_texts(text, sizeof(text) - 1, &out, &err), 0);
  assert_string_equal(cl_json_str(out, "n"), "1.50");
  json_decref(out);
  assert_int_equal(cl_json_parse(text, sizeof(text) - 1, &out, &err), 0);
  json_decref(out);
  assert_int_equal(cl_json_parse_texts("\xEF\xBB\xBF", 3, &out, &err), CL_EINVAL);
  assert_int_equal(cl_json_parse_texts("\xEF\xBB\xBF\xEF\xBB\xBF{}", 8, &out, &err),
                   CL_EINVAL); /* one only */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(plain),   cmocka_unit_test(numbers_as_texts), cmocka_unit_test(texts_keep_the_place),
      cmocka_unit_test(configs), cmocka_unit_test(byte_order_mark),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
