/* SPDX-License-Identifier: Apache-2.0
 * base/stats.h: what meters make of values over time, as Kafka's sampled metrics do; the call that
 * is running; readers beside a writer. */
#include "base/stats.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

enum { WINDOW = 30000 };

static void expect(const struct cl_stats *s, int64_t now, int64_t count, int64_t sum, double rate, double avg,
                   int64_t max) {
  struct cl_meter_view v;
  cl_stats_meter_view(s, CL_METER_READ, now, &v);
  assert_int_equal(v.count, count);
  assert_int_equal(v.sum, sum);
  assert_float_equal(v.rate, rate, 1e-9);
  assert_float_equal(v.avg, avg, 1e-9);
  assert_int_equal(v.max, max);
}

static void meters_remember_two_windows(void **state) {
  (void)state;
  struct cl_stats *s = cl_stats_new(WINDOW, 1000);
  int64_t t = 1000000;
  expect(s, t, 0, 0, 0, 0, 0);
  cl_stats_meter(s, CL_METER_READ, 600, t);
  cl_stats_meter(s, CL_METER_READ, 0, t);
  expect(s, t, 2, 600, 600 / 30.0, 300, 600);         /* a window of nothing is taken to lie before */
  expect(s, t + 15000, 2, 600, 600 / 45.0, 300, 600); /* and the present one grows */
  expect(s, t + 30000, 2, 600, 600 / 30.0, 300, 600);
  cl_stats_meter(s, CL_METER_READ, 300, t + 30000); /* the second window */
  expect(s, t + 50000, 3, 900, 900 / 50.0, 300, 600);
  expect(s, t + 60000, 3, 900, 300 / 30.0, 300, 300); /* the first one is forgotten */
  expect(s, t + 89999, 3, 900, 300 / 59.999, 300, 300);
  expect(s, t + 90000, 3, 900, 0, 0, 0); /* all are: only totals stay */
  cl_stats_meter(s, CL_METER_READ, 7, t + 500000);
  expect(s, t + 500000, 4, 907, 7 / 30.0, 7, 7);
  cl_stats_unref(s);
}

static void a_negative_maximum(void **state) {
  (void)state;
  struct cl_stats *s = cl_stats_new(WINDOW, 1000);
  cl_stats_meter(s, CL_METER_READ, -5, 1);
  expect(s, 1, 1, -5, -5 / 30.0, -5, -5);
  cl_stats_unref(s);
}

static void counters_and_gauges(void **state) {
  (void)state;
  struct cl_stats *s = cl_stats_new(WINDOW, 1000);
  assert_int_equal(cl_stats_get(s, CL_STAT_LAG), -1);
  assert_int_equal(cl_stats_get(s, CL_STAT_RETRIES), 0);
  cl_stats_add(s, CL_STAT_RETRIES, 2);
  cl_stats_add(s, CL_STAT_RETRIES, 3);
  cl_stats_set(s, CL_STAT_LAG, 12);
  assert_int_equal(cl_stats_get(s, CL_STAT_RETRIES), 5);
  assert_int_equal(cl_stats_get(s, CL_STAT_LAG), 12);
  cl_stats_unref(s);
}

static void the_running_call(void **state) {
  (void)state;
  int64_t since;
  struct cl_stats *s = cl_stats_new(WINDOW, 1000);
  assert_int_equal(cl_stats_call(s, &since), CL_VERB_NONE);
  cl_stats_enter(s, CL_VERB_COMMIT_RECORD, INT64_C(123456789012));
  assert_int_equal(cl_stats_call(s, &since), CL_VERB_COMMIT_RECORD);
  assert_int_equal(since, INT64_C(123456789012));
  assert_string_equal(cl_verb_name(CL_VERB_COMMIT_RECORD), "commit_record");
  assert_string_equal(cl_verb_name(CL_VERB_STOP), "stop");
  cl_stats_leave(s);
  assert_int_equal(cl_stats_call(s, &since), CL_VERB_NONE);
  cl_stats_enter(NULL, CL_VERB_PUT, 1);
  cl_stats_leave(NULL);
  cl_stats_unref(s);
}

static void ratios_of_states(void **state) {
  (void)state;
  struct cl_stats *s = cl_stats_new(WINDOW, 1000);
  assert_float_equal(cl_stats_state_ratio(s, 0, 1000), 0, 0);
  cl_stats_state(s, 1, 1100);
  cl_stats_state(s, 2, 1400);
  cl_stats_state(s, 1, 1500);
  assert_float_equal(cl_stats_state_ratio(s, 0, 2000), 0.1, 1e-9);
  assert_float_equal(cl_stats_state_ratio(s, 1, 2000), 0.8, 1e-9);
  assert_float_equal(cl_stats_state_ratio(s, 2, 2000), 0.1, 1e-9);
  cl_stats_unref(s);
}

/* Every value is 3: whatever a reader finds between two of them, the mean is. */
enum { VALUES = 20000, BURST = 8 };
static void *write_threes(void *arg) {
  for (int i = 0; i < VALUES; i++) {
    cl_stats_meter(arg, CL_METER_CALL, 3, i / 10); /* windows come and go */
    if (i % BURST == 0)
      usleep(1);
  }
  return NULL;
}

static void readers_beside_a_writer(void **state) {
  (void)state;
  struct cl_stats *s = cl_stats_new(10, 0);
  pthread_t writer;
  struct cl_meter_view v = {0};
  assert_int_equal(pthread_create(&writer, NULL, write_threes, cl_stats_ref(s)), 0);
  while (v.count < VALUES) {
    cl_stats_meter_view(s, CL_METER_CALL, v.count / 10, &v);
    assert_int_equal(v.sum, 3 * v.count);
    if (v.max)
      assert_float_equal(v.avg, 3, 0);
  }
  pthread_join(writer, NULL);
  cl_stats_unref(s);
  cl_stats_unref(s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(meters_remember_two_windows),
      cmocka_unit_test(a_negative_maximum),
      cmocka_unit_test(counters_and_gauges),
      cmocka_unit_test(the_running_call),
      cmocka_unit_test(ratios_of_states),
      cmocka_unit_test(readers_beside_a_writer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
