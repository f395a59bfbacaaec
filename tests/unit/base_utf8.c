/* SPDX-License-Identifier: Apache-2.0
 * Malformed UTF-8 as new String(bytes, UTF_8) of JDK 17 shows it. */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BAD "\xEF\xBF\xBD"

static void check(const char *text, size_t n, const char *repaired) {
  char *in = malloc(n ? n : 1), *out = malloc(cl_utf8_repair_max(n) + 1);
  memcpy(in, text, n);
  size_t len = cl_utf8_repair(in, n, out);
  assert_true(len <= cl_utf8_repair_max(n));
  assert_int_equal(len, strlen(repaired));
  assert_memory_equal(out, repaired, len);
  assert_int_equal(cl_utf8_valid(in, n), len == n && memcmp(text, repaired, n) == 0);
  free(out);
  free(in);
}

#define CHECK(text, repaired) check(text, sizeof(text) - 1, repaired)
#define SAME(text) CHECK(text, text)

static void well_formed(void **state) {
  (void)state;
  SAME("");
  SAME("plain ASCII, longer than a machine word \x7F");
  SAME("12345678\xC2\x80");
  SAME("\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF");
  SAME(BAD);
}

static void malformed(void **state) {
  (void)state;
  CHECK("a\x80z", "a" BAD "z");
  CHECK("\xBF\xBF", BAD BAD);
  CHECK("\xC0\x80", BAD BAD);
  CHECK("\xC1\xBF", BAD BAD);
  CHECK("\xE0\x80\x80", BAD BAD BAD);
  CHECK("\xE0\x9F\xBF", BAD BAD BAD);
  CHECK("\xF0\x8F\xBF\xBF", BAD BAD BAD BAD);
  CHECK("\xF4\x90\x80\x80", BAD BAD BAD BAD);
  CHECK("\xF5\x80\x80\x80", BAD BAD BAD BAD);
  CHECK("\xF8\xFF", BAD BAD);
}

static void surrogates(void **state) {
  (void)state;
  CHECK("\xED\xA0\x80", BAD);
  CHECK("\xED\xBF\xBF", BAD);
  CHECK("\xED\xA0\x80\xED\xB0\x80", BAD BAD);
  CHECK("\xED\xA0", BAD);
  CHECK("\xED\xA0z", BAD "z");
}

static void cut_short(void **state) {
  (void)state;
  CHECK("\xC2", BAD);
  CHECK("\xC2z", BAD "z");
  CHECK("\xE2\x82", BAD);
  CHECK("\xE2\x82z", BAD "z");
  CHECK("\xE2\x82\xE2\x82\xAC", BAD "\xE2\x82\xAC");
  CHECK("\xF0\x9F\x98", BAD);
  CHECK("\xF0\x9F\x98z", BAD "z");
  CHECK("\xF0\x9F", BAD);
  CHECK("\xF0", BAD);
  CHECK("1234567\xF0\x9F\x98\x80\xF0\x9F\x98", "1234567\xF0\x9F\x98\x80" BAD);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(well_formed),
      cmocka_unit_test(malformed),
      cmocka_unit_test(surrogates),
      cmocka_unit_test(cut_short),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
