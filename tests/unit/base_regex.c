/* SPDX-License-Identifier: Apache-2.0
 * Regexes: whole texts, characters instead of bytes, errors. */
#include "cpu_time.h"

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
  int64_t start = cpu_ms();
  for (int i = 0; i < 50; i++) /* PCRE2's own limit is 100 times as many steps */
    assert_false(matches("(a+)+b", text));
  assert_true(cpu_ms() - start < 20000);
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
  assert_true(matches("a{2}{3}", "aa")); /* the second one repeats nothing */
  assert_true(matches("{2}a?{1}", ""));
  assert_true(matches("[a&&]", "a"));
  assert_true(matches("[&&a]", "a"));
  assert_true(matches("[a-d&&b-e&&[^c]]+", "bd"));
  assert_true(matches("(?x) a b # c\n [d e]", "abd"));
  assert_true(matches("\\ud83d\\ude00", "\xF0\x9F\x98\x80"));
  assert_false(matches("\\ud83d", "\xF0\x9F\x98\x80"));
}

/* Numbers take further digits only while there are such groups; without its group nothing matches. */
static void back_references(void **state) {
  (void)state;
  assert_false(matches("\\101?a", "a"));
  assert_false(matches("\\1(a)", "a"));
  assert_true(matches("(?:\\1b|(a))+", "aab"));
  assert_true(matches("(?i)(a)\\1", "aA"));
  assert_true(matches("(a)\\Q1\\E", "a1"));
}

static void unicode(void **state) {
  (void)state;
  assert_false(matches("\\w", "\xC3\xBC"));
  assert_true(matches("(?U)\\w\\p{Alpha}(?-U)\\w", "\xC3\xBC\xC3\xBCu"));
  assert_false(matches("(?:(?U)a)\\w", "a\xC3\xBC")); /* the flag ends with its group */
  assert_true(matches("(?U:\\d)\\d", "\xD9\xA3"
                                     "3"));
  assert_true(matches("\\p{InGreek}\\p{IsGreek}\\p{sc=Grek}\\p{block=Greek and Coptic}",
                      "\xCE\xB1\xCE\xB1\xCE\xB1\xCE\xB1"));
  assert_true(matches("\\p{InBasicLatin}\\p{InBASIC_LATIN}\\p{blk=basic latin}", "abc"));
  assert_true(matches("(?i)\\p{Lu}\\p{Lower}\\p{javaUpperCase}", "aAa"));
  assert_true(matches("\\p{Punct}\\P{Punct}[\\P{Lu}&&\\p{L}]", "!aa"));
  assert_false(matches("(?i)\xC3\xBC", "\xC3\x9C")); /* ASCII only, without (?u) */
  assert_true(matches("(?iu)\xC3\xBC[i-k]", "\xC3\x9C\xC4\xB0"));
  assert_true(matches("\\b\xC3\xBC\xCC\x81\\b", "\xC3\xBC\xCC\x81")); /* a mark on a letter */
  assert_false(matches("a\\b\xCC\x81", "a\xCC\x81"));
}

static void line_ends(void **state) {
  (void)state;
  assert_true(matches("a$(?s:.*)", "a\r\n"));
  assert_true(matches("a$(?s:.*)", "a\xE2\x80\xA8"));
  assert_false(matches("(?d)a$(?s:.*)", "a\r\n"));
  assert_true(matches("(?d)a.", "a\r"));
  assert_true(matches("(?m)a$\\s+^b", "a\r\nb"));
  assert_false(matches("(?m)^", "")); /* not at the end of the text */
  assert_false(matches("\\R{2}", "\r\n"));
  assert_true(matches("\\R\\n", "\r\n"));
}

static void lookbehinds(void **state) {
  (void)state;
  assert_true(matches("a+(?<=a+)b", "aab"));
  assert_true(matches("a*(?<=aa?|b{2,3})b", "aab"));
  assert_false(matches("a*(?<=b{2,3})b", "aab"));
  assert_true(matches(".*(?<!x.{0,3})b", "xaaaab"));
  assert_false(matches(".*(?<!x.{0,3})b", "xaaab"));
  assert_true(matches(".*(?<!(x)y?)(b)\\2", "aabb")); /* the numbers of groups go on */
  assert_true(matches("..(?<=(a)b)\\1", "aba"));
  assert_true(matches(".*(?<=^a.*(?<=x\\w?)b)c", "a..x1bc"));
  assert_false(matches("(?i)X(?<=(?-i)x+)y", "Xy"));
  assert_true(matches("\xC3\xBC+(?<=\xC3\xBC{2,3})b", "\xC3\xBC\xC3\xBC"
                                                      "b"));
  assert_false(matches("aab(?<=a+b+)", "aab")); /* Java's reckoning overflows: behind the last start */
  char text[4096];
  memset(text, 'a', sizeof(text));
  text[sizeof(text) - 1] = '\0';
  int64_t start = cpu_ms();
  assert_false(matches("(?:a(?<!c.*))*b", text));
  assert_true(cpu_ms() - start < 20000);
}

static void refused_as_java_does(void **state) {
  (void)state;
  static const struct {
    const char *pattern, *why;
  } cases[] = {
      {"a(", "Unclosed group near index 2\na("},
      {"a)", "Unmatched closing ')' near index 0\na)\n^"},
      {"*a", "Dangling meta character '*' near index 0\n*a\n^"},
      {"a**", "Dangling meta character '*' near index 2\na**\n  ^"},
      {"[z-a]", "Illegal character range near index 3\n[z-a]\n   ^"},
      {"[a", "Unclosed character class near index 1\n[a\n ^"},
      {"[&&]", "Bad class syntax near index 2\n[&&]\n  ^"},
      {"{a}", "Illegal repetition near index 1\n{a}\n ^"},
      {"\ta{", "Illegal repetition near index 3\n\ta{"},
      {"a{2", "Unclosed counted closure near index 3\na{2"},
      {"a{3,1}", "Illegal repetition range near index 5\na{3,1}\n     ^"},
      {"\\y", "Illegal/unsupported escape sequence near index 1\n\\y\n ^"},
      {"\\x4", "Illegal hexadecimal escape sequence near index 3\n\\x4"},
      {"\\k<n>", "named capturing group <n> does not exist near index 4\n\\k<n>\n    ^"},
      {"(?<n>a)(?<n>b)",
       "Named capturing group <n> is already defined near index 11\n(?<n>a)(?<n>b)\n           ^"},
      {"(?<1>a)", "capturing group name does not start with a Latin letter near index 3\n(?<1>a)\n   ^"},
      {"(?<n", "named capturing group is missing trailing '>' near index 4\n(?<n"},
      {"(?z)", "Unknown inline modifier near index 2\n(?z)\n  ^"},
      {"(?@a)", "Unknown group type near index 2\n(?@a)\n  ^"},
      {"\\p{Foo}", "Unknown character property name {Foo} near index 6\n\\p{Foo}\n      ^"},
      {"\\p{sc=foo}",
       "Unknown Unicode property {name=<sc>, value=<foo>} near index 9\n\\p{sc=foo}\n         ^"},
      {"(?<=(?:ab)+)c",
       "Look-behind group does not have an obvious maximum length near index 10\n(?<=(?:ab)+)c\n          ^"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct cl_err err = CL_ERR_INIT;
    struct cl_regex *r;
    assert_int_equal(cl_regex_compile(cases[i].pattern, &r, &err), CL_EINVAL);
    assert_memory_equal(err.msg, "Invalid regex: ", 15);
    assert_string_equal(err.msg + 15, cases[i].why);
  }
}

/* What only PCRE2 knows, and what Java has and this does not. */
static void refused_at_all(void **state) {
  (void)state;
  static const char *const refused[] = {
      "(?R)",           "(?#x)", "(*ACCEPT)", "\\K",  "\\N",      "(?P<x>a)",    "(?|a)",
      "[a[b&&&[^:[&&&", "(?c)a", "\\",        "[a\\", "a\\b{g}b", "(?<=(a)?b)c", "(?<=a{1,2}(?<n>b))"};
  for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
    struct cl_err err = CL_ERR_INIT;
    struct cl_regex *r;
    if (cl_regex_compile(refused[i], &r, &err) != CL_EINVAL)
      fail_msg("%s", refused[i]);
    assert_non_null(strstr(err.msg, "Invalid regex: "));
  }
  char deep[1024];
  memset(deep, '(', sizeof(deep) - 1);
  deep[sizeof(deep) - 1] = '\0';
  struct cl_err err = CL_ERR_INIT;
  struct cl_regex *r;
  assert_int_equal(cl_regex_compile(deep, &r, &err), CL_EINVAL);
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
      cmocka_unit_test(java_syntax),    cmocka_unit_test(back_references),
      cmocka_unit_test(unicode),        cmocka_unit_test(line_ends),
      cmocka_unit_test(lookbehinds),    cmocka_unit_test(refused_as_java_does),
      cmocka_unit_test(refused_at_all), cmocka_unit_test(replacements),
      cmocka_unit_test(too_slow),       cmocka_unit_test(whole_texts),
      cmocka_unit_test(characters),     cmocka_unit_test(endless_patterns),
      cmocka_unit_test(errors),
  };
  return cmocka_run_group_tests_name("base_regex", tests, NULL, NULL);
}
