/* SPDX-License-Identifier: Apache-2.0
 * Days and dates of java.util.GregorianCalendar; the expected numbers are JDK 17's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "record/calendar.h"

static void known_days(void **state) {
  (void)state;
  assert_int_equal(cl_days_of(1970, 1, 1), 0);
  assert_int_equal(cl_days_of(1, 1, 1), -719164);
  assert_int_equal(cl_days_of(0, 12, 31), -719165); /* 1 BC */
  assert_int_equal(cl_days_of(1582, 10, 4), -141428);
  assert_int_equal(cl_days_of(1582, 10, 15), CL_CUTOVER_DAYS);
  assert_int_equal(cl_days_of(1582, 10, 10), -141422); /* never was: counts on from the 4th */
  assert_int_equal(cl_days_of(2019, 13, 45), 18306);   /* 2020-02-14 */
  assert_int_equal(cl_days_of(2000, 3, 0), 11016);     /* 2000-02-29 */
  assert_int_equal(cl_days_of(1900, 2, 29), -25508);   /* 1900-03-01 */
  assert_int_equal(cl_days_of(1583, 1, -400), cl_days_of_julian(1583, 1, -400));
}

static void every_day_comes_back(void **state) {
  (void)state;
  int64_t last = INT64_MIN;
  for (int64_t d = -900000; d < 900000; d++) {
    int64_t year;
    int month, day;
    cl_date_of_days(d, &year, &month, &day);
    assert_true(cl_days_of(year, month, day) == d);
    int64_t order = year * 10000 + month * 100 + day;
    assert_true(order > last);
    last = order;
  }
}

static void week_fields(void **state) {
  (void)state;
  static const struct {
    int64_t days;
    int64_t year, week_year;
    int month, day, doy, dow, woy, wom, dowim;
  } rows[] = {
      {0, 1970, 1970, 1, 1, 1, 5, 1, 1, 1},           {14242, 2008, 2009, 12, 29, 364, 2, 1, 5, 5},
      {-141350, 1582, 1583, 12, 31, 355, 6, 1, 5, 5}, {-141427, 1582, 1582, 10, 15, 278, 6, 40, 1, 1},
      {-141428, 1582, 1582, 10, 4, 277, 5, 40, 1, 1},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    struct cl_calendar_day d;
    cl_calendar_day(rows[i].days, &d);
    assert_int_equal(d.year, rows[i].year);
    assert_int_equal(d.week_year, rows[i].week_year);
    assert_int_equal(d.month, rows[i].month);
    assert_int_equal(d.day, rows[i].day);
    assert_int_equal(d.day_of_year, rows[i].doy);
    assert_int_equal(d.day_of_week, rows[i].dow);
    assert_int_equal(d.week_of_year, rows[i].woy);
    assert_int_equal(d.week_of_month, rows[i].wom);
    assert_int_equal(d.day_of_week_in_month, rows[i].dowim);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(known_days),
      cmocka_unit_test(every_day_comes_back),
      cmocka_unit_test(week_fields),
  };
  return cmocka_run_group_tests_name("record_calendar", tests, NULL, NULL);
}
