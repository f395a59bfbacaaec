/* SPDX-License-Identifier: Apache-2.0
 * Regexes: whole texts, characters instead of bytes, errors. */
#include "base/clock.h"
#include "base/regex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool matches(const char *pattern, const char *text) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_regex *r;
  if (cl_regex_compile(pattern, &r, &err) != 0)
    fail_msg("%s", err.msg);
  bool yes = cl_regex_matches(r, text, strlen(text));
  cl_regex_free(r);
  return yes;
}

static void whole_texts(void **state) {
  (void)state;
  assert_true(matches("a|ab", "ab"));
  assert_false(matches("a", "ab"));
  assert_false(matches("b", "ab"));
  assert_true(matches("", ""));
  assert_true(matches("topic-[0-9]+", "topic-12"));
}

static void characters(void **state) {
  (void)state;
  assert_true(matches("gr.n", "gr\xC3\xBCn"));
  assert_true(matches("gr[\xC3\xBC]n", "gr\xC3\xBCn"));
  assert_false(matches("gr..n", "gr\xC3\xBCn"));
  assert_false(matches(".*", "\xFF")); /* no text at all */
}

static void endless_patterns(void **state) {
  (void)state;
  char text[64] = "";
  memset(text, 'a', 50);
  memcpy(text + 50, "bc", 3);
  int64_t start = cl_now_ms();
  for (int i = 0; i < 50; i++) /* PCRE2's own limit is 100 times as many steps */
    assert_false(matches("(a+)+b", text));
  assert_true(cl_now_ms() - start < 5000);
}

static void errors(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  struct cl_regex *r = (struct cl_regex *)1;
  assert_int_equal(cl_regex_compile("a(", &r, &err), CL_EINVAL);
  assert_null(r);
  assert_non_null(strstr(err.msg, "Invalid regex: "));
  assert_non_null(strstr(err.msg, "near index 2"));
  assert_int_equal(cl_regex_compile("\xFF", &r, &err), CL_EINVAL);
  cl_regex_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(whole_texts),
      cmocka_unit_test(characters),
      cmocka_unit_test(endless_patterns),
      cmocka_unit_test(errors),
  };
  return cmocka_run_group_tests_name("base_regex", tests, NULL, NULL);
}
