/* SPDX-License-Identifier: Apache-2.0
 * Secrets are hidden whole, in part and in what was cut. */
#include "base/err.h"
#include "base/secrets.h"
#include "base/url_secrets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *hidden(const char *text) {
  static char out[256];
  char *copy = cl_secrets_hidden(text);
  assert_non_null(copy);
  snprintf(out, sizeof(out), "%s", copy);
  free(copy);
  return out;
}

static void test_whole(void **state) {
  (void)state;
  assert_string_equal(hidden("nothing is known"), "nothing is known");
  cl_secrets_add("s3cr3t");
  cl_secrets_add("s3cr3t-and-more");
  assert_string_equal(hidden("s3cr3t"), "[hidden]");
  assert_string_equal(hidden("a s3cr3ts3cr3t b"), "a [hidden][hidden] b");
  assert_string_equal(hidden("http://u:s3cr3t-and-more@h/"), "http://u:[hidden]@h/");
  assert_string_equal(hidden("s3cr3"), "s3cr3");
}

static void test_what_hides_nothing(void **state) {
  (void)state;
  static const char *const texts[] = {"", "abc", "true", "false", "8083", "19092"};
  for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
    cl_secrets_add(texts[i]);
    assert_string_equal(hidden(texts[i]), texts[i]);
  }
  cl_secrets_add("190921");
  assert_string_equal(hidden("190921"), "[hidden]");
}

/* Files end with a newline and values are used trimmed; keys are printed line by line, or as JSON. */
static void test_blanks_and_lines(void **state) {
  (void)state;
  cl_secrets_add(" \tfrom_a_mounted_file\n");
  assert_string_equal(hidden("<from_a_mounted_file>"), "<[hidden]>");
  cl_secrets_add("yes\n");
  assert_string_equal(hidden("yes"), "yes");
  cl_secrets_add(
      "-----BEGIN KEY-----\r\nMIIEvQIBADANBgkqhkiG9w0B\r\n  AQEFAASCBKcwggSjAgEA\nQw==\n-----END KEY-----\n");
  assert_string_equal(hidden("1: MIIEvQIBADANBgkqhkiG9w0B"), "1: [hidden]");
  assert_string_equal(hidden("\\nAQEFAASCBKcwggSjAgEA\\n"), "\\n[hidden]\\n");
  assert_string_equal(hidden("no -----BEGIN KEY-----"), "no -----BEGIN KEY-----");
}

/* Every length of buffer: nothing beyond it is written, and no part of the secret stays. */
static void test_small_buffers(void **state) {
  (void)state;
  static const char text[] = "key s3cr3t-and-more end s3cr3t";
  for (size_t cap = 1; cap <= sizeof(text); cap++) {
    char *buffer = malloc(cap);
    snprintf(buffer, cap, "%s", text);
    cl_secrets_hide(buffer, cap);
    assert_true(strlen(buffer) < cap);
    assert_null(strstr(buffer, "s3cr"));
    free(buffer);
  }
}

/* A password that is a word of them would be told by hiding it there. */
static void test_classes(void **state) {
  (void)state;
  struct cl_secrets *own = cl_secrets_new(true);
  cl_secrets_hold(own);
  cl_secrets_add("connect");
  cl_secrets_add("org.apache.kafka");
  cl_secrets_add("DataException: no");
  assert_string_equal(hidden(CL_JAVA_DATA ": connect"), CL_JAVA_DATA ": [hidden]");
  assert_string_equal(hidden("Caused by: " CL_JAVA_CONFIG), "Caused by: " CL_JAVA_CONFIG);
  assert_string_equal(hidden("org.apache.kafka.connect.Other"), "[hidden].[hidden].Other");
  assert_string_equal(hidden("x" CL_JAVA_CONNECT), "x[hidden].[hidden].errors.ConnectException");
  assert_string_equal(hidden(CL_JAVA_DATA ": no"),
                      "[hidden].[hidden].errors.[hidden]"); /* more than a part */
  struct cl_err err;
  cl_err_set(&err, CL_EDATA, "is connected");
  char *trace = cl_err_trace(&err);
  assert_string_equal(trace, CL_JAVA_DATA ": is [hidden]ed");
  free(trace);
  cl_secrets_hold(NULL);
  cl_secrets_unref(own);
}

static void test_errors(void **state) {
  (void)state;
  struct cl_err err;
  cl_err_set(&err, CL_EIO, "cannot log in as u:%s", "s3cr3t");
  assert_string_equal(err.msg, "cannot log in as u:[hidden]");
  cl_err_prefix(&err, "%s: ", "s3cr3t-and-more");
  assert_string_equal(err.msg, "[hidden]: cannot log in as u:[hidden]");
}

static void test_data_in_messages(void **state) {
  (void)state;
  struct cl_err err;
  char room[7];
  cl_err_set(&err, CL_EDATA, "Value (%s), named %s", CL_SHOWN("1\0002", 3), CL_SHOWN("\0", 1));
  assert_string_equal(err.msg, "Value (1\\02), named \\0");
  assert_string_equal(CL_SHOWN(NULL, 0), "");
  assert_string_equal(cl_err_show(room, sizeof(room), "abcdefgh", 8), "abcdef");
  assert_string_equal(cl_err_show(room, sizeof(room), "abcde\0", 6), "abcde"); /* never half an escape */
}

static void urls_hold(const char *text, const char *expected) {
  char found[256] = "";
  for (size_t at = 0, len; cl_url_secret(text, &at, &len); at += len)
    snprintf(found + strlen(found), sizeof(found) - strlen(found), "<%.*s>", (int)len, text + at);
  assert_string_equal(found, expected);
}

static void test_urls(void **state) {
  (void)state;
  static const char *const none[] = {"",
                                     "u:p@h",
                                     "://",
                                     "http://h:80/p@q:r",
                                     "http://u@h",
                                     "http://u:@h",
                                     "password=x",
                                     "http://h/?password=",
                                     "mail u:p@h http://h"};
  for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
    urls_hold(none[i], "");
  urls_hold("http://u:p@h", "<p>");
  urls_hold("http://:p:q@@h:80/u:x@y", "<p:q@>");
  urls_hold("a://u:p@h,b://u:q@h/ c://u:r@h", "<p><q><r>");
  urls_hold("mongodb://u:p@h1,h2:27017/db", "<p>");
  urls_hold("jdbc:a://h/db?user=u&Password=p%26&trustStorePassword=q;x", "<p%26><q>");
  urls_hold("jdbc:a://u:p@h;password=q", "<p><q>");
  cl_url_secrets_add("x://u:pass%2fw%6Frd%@h");
  assert_string_equal(hidden("pass%2fw%6Frd% pass/word%"), "[hidden] [hidden]");
}

/* Never more than CL_SECRETS_PASSING_MAX of what does not last; what was said to last stays. */
static void test_passing(void **state) {
  (void)state;
  char text[32];
  cl_secrets_add_passing("the first token");
  cl_secrets_add_passing("it lasts after all");
  cl_secrets_add("it lasts after all");
  for (int i = 0; i < CL_SECRETS_PASSING_MAX; i++) {
    assert_string_equal(hidden("the first token"), "[hidden]");
    snprintf(text, sizeof(text), "token number %d", i);
    cl_secrets_add_passing(text);
  }
  assert_string_equal(hidden("the first token"), "the first token"); /* the oldest makes room */
  assert_string_equal(hidden("it lasts after all, s3cr3t, token number 0"), "[hidden], [hidden], [hidden]");
}

static void test_holders(void **state) {
  (void)state;
  char text[32];
  struct cl_secrets *connector = cl_secrets_new(true), *request = cl_secrets_new(false);
  assert_null(cl_secrets_hold(connector));
  cl_secrets_add("held by both");
  cl_secrets_add("the connector's");
  assert_ptr_equal(cl_secrets_hold(request), connector);
  cl_secrets_add("held by both");
  for (int i = 0; i < 20000; i++) {
    snprintf(text, sizeof(text), "junk number %d", i);
    cl_secrets_add(text);
  }
  assert_string_equal(hidden("junk number 19999 by the connector's"), "[hidden] by [hidden]");
  assert_string_equal(hidden("held by both, s3cr3t"), "[hidden], [hidden]");
  cl_secrets_hold(NULL); /* others' texts are not the request's matter */
  assert_string_equal(hidden("junk number 0 by the connector's"), "junk number 0 by [hidden]");
  cl_secrets_unref(request);
  assert_string_equal(hidden("held by both, s3cr3t"), "[hidden], [hidden]");
  cl_secrets_ref(connector);
  cl_secrets_unref(connector);
  assert_string_equal(hidden("the connector's"), "[hidden]");
  cl_secrets_unref(connector);
  assert_string_equal(hidden("the connector's, held by both, s3cr3t"),
                      "the connector's, held by both, [hidden]");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_whole),
      cmocka_unit_test(test_what_hides_nothing),
      cmocka_unit_test(test_blanks_and_lines),
      cmocka_unit_test(test_small_buffers),
      cmocka_unit_test(test_errors),
      cmocka_unit_test(test_classes),
      cmocka_unit_test(test_data_in_messages),
      cmocka_unit_test(test_urls),
      cmocka_unit_test(test_passing),
      cmocka_unit_test(test_holders),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
