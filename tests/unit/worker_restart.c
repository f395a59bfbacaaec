/* SPDX-License-Identifier: Apache-2.0
 * The restart policy: pauses, attempts, health. */
#include "worker/restart.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct cl_restart_policy policy_of(const char *attempts) {
  struct cl_restart_policy p;
  json_t *config = json_pack("{s:s,s:s,s:s,s:s}", "connect.lua.restart.max.attempts", attempts,
                             "connect.lua.restart.backoff.ms", "1000", "connect.lua.restart.backoff.max.ms",
                             "5000", "connect.lua.restart.reset.ms", "60000");
  cl_restart_policy_of(config, &p);
  json_decref(config);
  return p;
}

static void test_none_by_default(void **state) {
  (void)state;
  struct cl_restart_policy p;
  struct cl_restart r = {0};
  json_t *config = json_object();
  cl_restart_policy_of(config, &p);
  json_decref(config);
  cl_restart_failed(&r, &p, 0);
  assert_int_equal(r.due, 0);
}

/* Doubled up to the longest, each a fifth more or less. */
static void test_pauses(void **state) {
  (void)state;
  static const int64_t pauses[] = {1000, 2000, 4000, 5000, 5000};
  struct cl_restart_policy p = policy_of("-1");
  for (int round = 0; round < 100; round++) {
    struct cl_restart r = {0};
    for (size_t i = 0; i < sizeof(pauses) / sizeof(*pauses); i++) {
      int64_t before = cl_now_ms();
      cl_restart_failed(&r, &p, 0);
      int64_t after = cl_now_ms();
      assert_true(r.due >= before + pauses[i] * 4 / 5);
      assert_true(r.due <= after + pauses[i] * 6 / 5);
      assert_int_equal(r.attempts, i + 1);
    }
  }
}

static void test_given_up(void **state) {
  (void)state;
  struct cl_restart_policy p = policy_of("2");
  struct cl_restart r = {0};
  cl_restart_failed(&r, &p, 0);
  cl_restart_failed(&r, &p, 0);
  assert_true(r.due > 0);
  cl_restart_failed(&r, &p, 0);
  assert_int_equal(r.due, -1);
}

static void test_health_counts_anew(void **state) {
  (void)state;
  struct cl_restart_policy p = policy_of("1");
  struct cl_restart r = {0};
  cl_restart_failed(&r, &p, 0);
  cl_restart_failed(&r, &p, cl_now_ms() - 59000);
  assert_int_equal(r.due, -1);
  cl_restart_failed(&r, &p, cl_now_ms() - 61000);
  assert_true(r.due > 0);
  assert_int_equal(r.attempts, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_none_by_default),
      cmocka_unit_test(test_pauses),
      cmocka_unit_test(test_given_up),
      cmocka_unit_test(test_health_counts_anew),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
