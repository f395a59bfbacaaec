/* SPDX-License-Identifier: Apache-2.0
 * Shares of the consumers' byte budget. */
#include "kafka/budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

enum { KIB = 1024, MIB = 1024 * KIB };

static void shares_shrink(void **state) {
  (void)state;
  struct cl_budget *b = cl_budget_new(64 * MIB);
  assert_int_equal(cl_budget_take(b), 16 * MIB);
  assert_int_equal(cl_budget_take(b), 12 * MIB);
  size_t sum = 28 * MIB;
  for (int i = 0; i < 30; i++)
    sum += cl_budget_take(b);
  assert_in_range(sum, 60 * MIB, 64 * MIB + 30 * 256 * KIB);
  assert_int_equal(cl_budget_take(b), 256 * KIB); /* the smallest, whatever is left */
  cl_budget_free(b);
}

static void a_share_is_capped(void **state) {
  (void)state;
  struct cl_budget *b = cl_budget_new((size_t)4096 * MIB);
  assert_int_equal(cl_budget_take(b), 64 * MIB);
  cl_budget_free(b);
}

static void given_back(void **state) {
  (void)state;
  struct cl_budget *b = cl_budget_new(8 * MIB);
  size_t share = cl_budget_take(b);
  assert_int_equal(share, 2 * MIB);
  cl_budget_give(b, share);
  assert_int_equal(cl_budget_take(b), 2 * MIB);
  cl_budget_free(b);
  b = cl_budget_new(0);
  assert_int_equal(cl_budget_take(b), 256 * KIB);
  cl_budget_free(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(shares_shrink),
      cmocka_unit_test(a_share_is_capped),
      cmocka_unit_test(given_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
