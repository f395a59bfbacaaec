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

static void java_syntax(void **state) {
  (void)state;
  assert_true(matches("[a-z&&[^b]]+", "acz"));
  assert_false(matches("[a-z&&[^b]]+", "abz"));
  assert_true(matches("[ab[cd]]+", "abcd"));
  assert_true(matches("[^ab[cd]]", "e"));
  assert_false(matches("[^ab[cd]]", "c"));
  assert_true(matches("\\p{Alpha}\\p{javaLowerCase}\\p{IsAlphabetic}\\P{Digit}", "A\xC3\xBC\xC3\xBC-"));
  assert_false(matches("\\p{Alpha}", "\xC3\xBC"));
  assert_true(matches("\\u0061\\0101\\x41\\Q.*\\E", "aAA.*"));
  assert_true(matches("(a)\\11", "aa1"));
  assert_true(matches("(?<x1>a+)-\\k<x1>", "aa-aa"));
  assert_true(matches("a{2}b*+c?+", "aab"));
  assert_false(matches(".", "\xE2\x80\xA8"));
  assert_true(matches("(?s).", "\xE2\x80\xA8"));
  assert_true(matches("(?=a)b?a", "a"));
  assert_true(matches("[]a]", "]"));
  static const char *const refused[] = {
      "(?R)",  "(?#x)", "(*ACCEPT)",      "\\K",          "\\N",  "\\y",     "a{",    "(?P<x>a)", "{2}", "[a",
      "[a[b]", "[a&&]", "[a[b&&&[^:[&&&", "\\p{InGreek}", "\\p{", "\\u00g0", "(?U)a", "\\",       "[a\\"};
  for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
    struct cl_err err = CL_ERR_INIT;
    struct cl_regex *r;
    if (cl_regex_compile(refused[i], &r, &err) != CL_EINVAL)
      fail_msg("%s", refused[i]);
    assert_non_null(strstr(err.msg, "Invalid regex: "));
  }
}

/* The new text, or the error with its class. */
static void replaces(const char *pattern, const char *text, const char *replacement, const char *expected,
                     const char *class) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_regex *r;
  const struct cl_buf *out;
  assert_int_equal(cl_regex_compile(pattern, &r, &err), 0);
  for (int i = 0; i < 2; i++) { /* the second time its buffer is used again */
    int rc = cl_regex_replace_first(r, text, strlen(text), replacement, strlen(replacement), &out, &err);
    assert_int_equal(rc, class ? CL_EDATA : expected ? 1 : 0);
    if (expected)
      assert_string_equal(class ? err.msg : out->p, expected);
    if (class)
      assert_string_equal(err.class, class);
  }
  cl_regex_free(r);
}

static void replacements(void **state) {
  (void)state;
  const char *iae = "java.lang.IllegalArgumentException";
  replaces("a|ab", "ab", "X", "Xb", NULL);
  replaces("(.*?)", "abc", "X", "Xabc", NULL);
  replaces("(.*)", "abc", "\\$1", "$1", NULL);
  replaces("(.*)-(\\d\\d\\d\\d\\d\\d\\d\\d)", "index-20160117", "$1", "index", NULL);
  replaces("(?<n>a)(b)?", "xaz", "<${n}$2$12>", "x<aa2>z", NULL);
  replaces("q", "abc", "X", NULL, NULL);
  replaces("(.*)", "abc", "$2", "No group 2", "java.lang.IndexOutOfBoundsException");
  replaces("a", "a", "$", "Illegal group reference: group index is missing", iae);
  replaces("a", "a", "$x", "Illegal group reference", iae);
  replaces("a", "a", "${n", "named capturing group is missing trailing '}'", iae);
  replaces("a", "a", "${}", "named capturing group has 0 length name", iae);
  replaces("a", "a", "${1}", "capturing group name {1} starts with digit character", iae);
  replaces("a", "a", "${m}", "No group with name {m}", iae);
  replaces("a", "a", "\\", "character to be escaped is missing", iae);
}

static void too_slow(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  struct cl_regex *r;
  const struct cl_buf *out;
  const char *text = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac";
  assert_int_equal(cl_regex_compile("(a+)+b", &r, &err), 0);
  assert_int_equal(cl_regex_match(r, text, strlen(text), &err), CL_EDATA);
  assert_non_null(strstr(err.msg, "match limit exceeded"));
  assert_int_equal(cl_regex_replace_first(r, text, strlen(text), "x", 1, &out, &err), CL_EDATA);
  cl_regex_free(r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(java_syntax), cmocka_unit_test(replacements), cmocka_unit_test(too_slow),
      cmocka_unit_test(whole_texts), cmocka_unit_test(characters),   cmocka_unit_test(endless_patterns),
      cmocka_unit_test(errors),
  };
  return cmocka_run_group_tests_name("base_regex", tests, NULL, NULL);
}
