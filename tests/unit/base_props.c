/* SPDX-License-Identifier: Apache-2.0
 * Properties text as java.util.Properties.load reads it. */
#include "base/props.h"

#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Parses text and compares with the compact JSON of the config. */
static void parses_n(const char *text, size_t len, const char *expected) {
  struct cl_err err = CL_ERR_INIT;
  json_t *config = NULL;
  char *exact = malloc(len + 1); /* no NUL behind: the sanitizer sees an overread */
  memcpy(exact, text, len);
  exact = realloc(exact, len ? len : 1);
  int rc = cl_props_parse(exact, len, "w.conf", &config, &err);
  if (rc != 0)
    fail_msg("%s: %s", text, err.msg);
  char *json = cl_json_text(config);
  assert_string_equal(json, expected);
  free(json);
  json_decref(config);
  free(exact);
}

static void parses(const char *text, const char *expected) { parses_n(text, strlen(text), expected); }

static void fails_n(const char *text, size_t len, const char *message) {
  struct cl_err err = CL_ERR_INIT;
  json_t *config = NULL;
  assert_int_equal(cl_props_parse(text, len, "w.conf", &config, &err), CL_EINVAL);
  assert_string_equal(err.msg, message);
  assert_null(config);
}

static void fails(const char *text, const char *message) { fails_n(text, strlen(text), message); }

static void separators(void **state) {
  (void)state;
  parses("a=1\nb:2\nc 3\nd\t4\ne\f5\n", "{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\",\"d\":\"4\",\"e\":\"5\"}");
  parses("a = 1\nb\t:\t2\nc   3\n", "{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"}");
  parses("a==1\nb=:2\nc : = 3\nd = = 4", "{\"a\":\"=1\",\"b\":\":2\",\"c\":\"= 3\",\"d\":\"= 4\"}");
  parses("a\\=b=c\nd\\:e:f\ng\\ h i\\ j", "{\"a=b\":\"c\",\"d:e\":\"f\",\"g h\":\"i j\"}");
  parses("key\nkey2=\nkey3:\n=v\n", "{\"key\":\"\",\"key2\":\"\",\"key3\":\"\",\"\":\"v\"}");
}

static void blanks_and_comments(void **state) {
  (void)state;
  parses("", "{}");
  parses("\n\r\n  \t\f\n# a=1\n!b=2\n  # c=3 \\\nd=4", "{\"d\":\"4\"}");
  parses("  a = trailing  \n", "{\"a\":\"trailing  \"}");
  parses("a=1#no comment\nb=!x", "{\"a\":\"1#no comment\",\"b\":\"!x\"}");
  parses("a=1\rb=2\r\nc=3\n\rd=4", "{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\",\"d\":\"4\"}");
}

static void continuations(void **state) {
  (void)state;
  parses("a=x,\\\n   y,\\\r\n\tz\nb=2", "{\"a\":\"x,y,z\",\"b\":\"2\"}");
  parses("a=x\\\\\nb=2", "{\"a\":\"x\\\\\",\"b\":\"2\"}");
  parses("a=x\\\\\\\n  y", "{\"a\":\"x\\\\y\"}");
  parses("a=x\\\n\nb=2", "{\"a\":\"x\",\"b\":\"2\"}");
  parses("a=x\\\n# not a comment\nb=2", "{\"a\":\"x# not a comment\",\"b\":\"2\"}");
  parses("a=x\\", "{\"a\":\"x\"}");
  parses("a=x\\\n", "{\"a\":\"x\"}");
  parses("\\\n# a comment: nothing came before\nb=2", "{\"b\":\"2\"}");
  parses("a\\\n b=1", "{\"ab\":\"1\"}");
  parses("\\", "{\"\":\"\"}");
  parses("x=1\n\\\n", "{\"x\":\"1\",\"\":\"\"}");
  parses("x=1\n\\\r", "{\"x\":\"1\",\"\":\"\"}");
  parses("x=1\n\\\r\n", "{\"x\":\"1\"}");
  parses("x=1\n\\\n ", "{\"x\":\"1\"}");
  parses("x=1\n\\\n\\", "{\"x\":\"1\",\"\":\"\"}");
}

static void escapes(void **state) {
  (void)state;
  parses("a=\\t\\n\\r\\f\\q\\\\\\\"", "{\"a\":\"\\t\\n\\r\\fq\\\\\\\"\"}");
  parses("a=\\u00e9\\u20AC\\uD83D\\uDE00x", "{\"a\":\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80x\"}");
  parses("\\u0061=\\u003d\\u0020", "{\"a\":\"= \"}");
  parses("a=\\\\u00e9", "{\"a\":\"\\\\u00e9\"}");
  parses("a=\\u00\\\n  e9", "{\"a\":\"\xC3\xA9\"}");
  /* bytes are ISO-8859-1, whatever they were meant to be */
  parses("a=\xE9\xC3\xA9\x85", "{\"a\":\"\xC3\xA9\xC3\x83\xC2\xA9\xC2\x85\"}");
}

static void last_wins_in_first_place(void **state) {
  (void)state;
  parses("a=1\nb=2\na=3", "{\"a\":\"3\",\"b\":\"2\"}");
}

static void errors_name_the_line(void **state) {
  (void)state;
  fails("a=1\nb=\\u12x4", "w.conf:2: malformed \\uXXXX escape");
  fails("a=1\n\n# c\nb=\\u123", "w.conf:4: malformed \\uXXXX escape");
  fails("a=1\n\\u=2", "w.conf:2: malformed \\uXXXX escape");
  fails("a=x,\\\n  y,\\\n  \\uzzzz\n", "w.conf:3: malformed \\uXXXX escape");
  fails("a=\\uD83D", "w.conf:1: \\uXXXX escape is half of a surrogate pair");
  fails("a=\\uD83D\\u0041", "w.conf:1: \\uXXXX escape is half of a surrogate pair");
  fails("a=\\uDE00\\uD83D", "w.conf:1: \\uXXXX escape is half of a surrogate pair");
  fails("a=\\uD83D\\uDE", "w.conf:1: \\uXXXX escape is half of a surrogate pair");
  fails("a=\\u0000", "w.conf:1: NUL (\\u0000) cannot be part of a key or value");
  fails_n("a=1\r\nb=x\0y\n", 11, "w.conf:2: NUL byte");
  fails_n("a=1\nb=x\\\0y\n", 11, "w.conf:2: NUL byte");
  parses_n("#\0\na=1", 6, "{\"a\":\"1\"}");
}

static void files(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  json_t *config = NULL;
  char path[] = "/tmp/cl-props-XXXXXX";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, "name=x\nbad=\\u1\n", 15), 15);
  close(fd);
  char message[128];
  snprintf(message, sizeof(message), "%s:2: malformed \\uXXXX escape", path);
  assert_int_equal(cl_props_load(path, &config, &err), CL_EINVAL);
  assert_string_equal(err.msg, message);
  unlink(path);
  snprintf(message, sizeof(message), "cannot read %s: No such file or directory", path);
  assert_int_equal(cl_props_load(path, &config, &err), CL_EIO);
  assert_int_equal(err.code, CL_EIO);
  assert_string_equal(err.msg, message);
}

static void byte_order_mark(void **state) {
  (void)state;
  parses("\xEF\xBB\xBF"
         "a=1\n",
         "{\"a\":\"1\"}");
  parses("\xEF\xBB\xBF# a comment\nb=1", "{\"b\":\"1\"}");
  parses("\xEF\xBB\xBF", "{}");
  parses("a=\xEF\xBB\xBF", "{\"a\":\"\xC3\xAF\xC2\xBB\xC2\xBF\"}"); /* elsewhere three Latin-1 characters */
}

static void warns_of_repeated_keys(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  char name[] = "/tmp/cl-props-log-XXXXXX", text[4096] = "";
  int fd = mkstemp(name);
  assert_true(fd >= 0);
  assert_int_equal(cl_log_open(name, CL_WARN, false, &err), 0);
  parses("a=1\nb=secret\n\na=2\nc=\\\n 3\nb=other\na=3\n", "{\"a\":\"3\",\"b\":\"other\",\"c\":\"3\"}");
  cl_log_close();
  ssize_t n = read(fd, text, sizeof(text) - 1);
  assert_true(n > 0);
  assert_non_null(strstr(text, "w.conf:4: a was set on line 1 already"));
  assert_non_null(strstr(text, "w.conf:7: b was set on line 2 already"));
  assert_non_null(strstr(text, "w.conf:8: a was set on line 4 already"));
  assert_null(strstr(text, "secret"));
  assert_null(strstr(text, ": c was set"));
  close(fd);
  unlink(name);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(separators),
      cmocka_unit_test(blanks_and_comments),
      cmocka_unit_test(continuations),
      cmocka_unit_test(escapes),
      cmocka_unit_test(last_wins_in_first_place),
      cmocka_unit_test(errors_name_the_line),
      cmocka_unit_test(files),
      cmocka_unit_test(byte_order_mark),
      cmocka_unit_test(warns_of_repeated_keys),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
