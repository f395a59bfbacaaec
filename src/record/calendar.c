/* SPDX-License-Identifier: Apache-2.0
 * The hybrid calendar of java.util.GregorianCalendar. Both calendars are counted in years
 * that start in March, so that the leap day is the last of its year. Any thread. */
#include "record/calendar.h"

enum {
  GREGORIAN_MARCH_0 = 719468, /* days from 0000-03-01 to 1970-01-01 */
  JULIAN_MARCH_0 = 719470,
  DAYS_400 = 146097,
  DAYS_4 = 1461
};

/* A month of any size as one of its year, counted from March = 0; *year follows. */
static int64_t march_month(int64_t *year, int64_t month) {
  int64_t m = month - 3;
  *year += cl_floor_div(m, 12);
  return cl_floor_mod(m, 12);
}

static int64_t day_of_march_year(int64_t m) { return (153 * m + 2) / 5; }

int64_t cl_days_of_gregorian(int64_t year, int64_t month, int64_t day) {
  int64_t m = march_month(&year, month), era = cl_floor_div(year, 400), yoe = year - era * 400;
  return era * DAYS_400 + yoe * 365 + yoe / 4 - yoe / 100 + day_of_march_year(m) + day - 1 -
         GREGORIAN_MARCH_0;
}

int64_t cl_days_of_julian(int64_t year, int64_t month, int64_t day) {
  int64_t m = march_month(&year, month);
  return year * 365 + cl_floor_div(year, 4) + day_of_march_year(m) + day - 1 - JULIAN_MARCH_0;
}

int64_t cl_days_of(int64_t year, int64_t month, int64_t day) {
  int64_t julian = cl_days_of_julian(year, month, day);
  if (year < CL_CUTOVER_YEAR)
    return julian;
  int64_t gregorian = cl_days_of_gregorian(year, month, day);
  /* Only a date that the new calendar puts before its own beginning is one of the old. */
  return gregorian >= CL_CUTOVER_DAYS ? gregorian : julian;
}

static void from_march(int64_t year, int64_t doy, int64_t *out_year, int *month, int *day) {
  int64_t m = (5 * doy + 2) / 153;
  *day = (int)(doy - day_of_march_year(m) + 1);
  *month = (int)(m < 10 ? m + 3 : m - 9);
  *out_year = year + (m >= 10);
}

void cl_date_of_days(int64_t days, int64_t *year, int *month, int *day) {
  if (days >= CL_CUTOVER_DAYS) {
    int64_t z = days + GREGORIAN_MARCH_0, era = cl_floor_div(z, DAYS_400), doe = z - era * DAYS_400;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    from_march(yoe + era * 400, doe - (365 * yoe + yoe / 4 - yoe / 100), year, month, day);
  } else {
    int64_t z = days + JULIAN_MARCH_0, era = cl_floor_div(z, DAYS_4), doe = z - era * DAYS_4;
    int64_t yoe = (doe - doe / 1460) / 365;
    from_march(yoe + era * 4, doe - 365 * yoe, year, month, day);
  }
}

/* Day 0, 1970-01-01, was a Thursday (5). */
static int64_t day_of_week(int64_t days) { return cl_floor_mod(days + 4, 7) + 1; }

int64_t cl_weekday_on_or_before(int64_t days, int64_t day) {
  return days - cl_floor_mod(day_of_week(days) - day, 7);
}

/* Weeks since the one that holds `first`, from 1. */
static int week_since(int64_t first, int64_t days) {
  return (int)((days - cl_weekday_on_or_before(first, 1)) / 7 + 1);
}

/* Java's getWeekYear asks whether the week reaches into the next year. Before 1584 it gets
 * there by setting YEAR to the next astronomical year while the era stays, so that years BC
 * ask another year than the next; what it answers is kept. */
static int64_t week_year(const struct cl_calendar_day *d, int64_t jan1) {
  if (d->year > CL_CUTOVER_YEAR + 1)
    return d->year + (d->month != 1 && d->week_of_year == 1);
  int64_t length = cl_days_of(d->year + 1, 1, 1) - jan1;
  if (d->day_of_year < length - 6)
    return d->year;
  int64_t next = cl_days_of(d->year <= 0 ? -d->year : d->year + 1, 1, 1);
  int64_t before_sunday = cl_weekday_on_or_before(next + 6, 1) - next;
  if (before_sunday == 0)
    before_sunday = 7;
  return d->year + (length - d->day_of_year + 1 <= 7 - before_sunday);
}

void cl_calendar_day(int64_t days, struct cl_calendar_day *out) {
  cl_date_of_days(days, &out->year, &out->month, &out->day);
  int64_t jan1 = cl_days_of(out->year, 1, 1), month1 = cl_days_of(out->year, out->month, 1);
  out->day_of_year = (int)(days - jan1) + 1;
  out->day_of_week = (int)day_of_week(days);
  out->day_of_week_in_month = (int)(days - month1) / 7 + 1;
  out->week_of_month = week_since(month1, days);
  out->week_of_year = week_since(jan1, days);
  if (out->week_of_year >= 52 || out->year == CL_CUTOVER_YEAR) { /* ten days short, it ends in week 51 */
    int64_t next = cl_days_of(out->year + 1, 1, 1), sunday = cl_weekday_on_or_before(next, 1);
    if (sunday != next && days >= sunday)
      out->week_of_year = 1;
  }
  out->week_year = week_year(out, jan1);
}
