/* SPDX-License-Identifier: Apache-2.0
 *
 * Days and dates of Java's GregorianCalendar as it is made by default: the Julian calendar
 * up to 1582-10-04, the Gregorian one from 1582-10-15, weeks that start on Sunday and a
 * first week that has at least one day (locale en_US).
 * Years are astronomical: 1 is AD 1, 0 is 1 BC, -1 is 2 BC (year of era y BC is 1 - y).
 * Days count from 1970-01-01. Any thread, no state.
 */
#pragma once

#include <stdint.h>

/* Lenient, as Java: month 13 is the next January, day 0 the last of the month before. The ten
 * days that never were (1582-10-05..14) count on from the Julian 4th, so they fall on 15..24. */
int64_t cl_days_of(int64_t year, int64_t month, int64_t day);
/* month 1..12, day 1..31. */
void cl_date_of_days(int64_t days, int64_t *year, int *month, int *day);

/* The same with the calendar chosen by the caller. */
int64_t cl_days_of_julian(int64_t year, int64_t month, int64_t day);
int64_t cl_days_of_gregorian(int64_t year, int64_t month, int64_t day);
enum { CL_DAY_MS = 86400000 };
enum { CL_CUTOVER_DAYS = -141427 /* 1582-10-15 */, CL_CUTOVER_YEAR = 1582 };

/* What the fields of a java.util.Calendar say about a day. */
struct cl_calendar_day {
  int64_t year;             /* astronomical */
  int64_t week_year;        /* getWeekYear */
  int month, day;           /* from 1 */
  int day_of_year;          /* from 1; 1582 has 355 */
  int day_of_week;          /* 1 = Sunday */
  int week_of_year;         /* 1 at the end of December when the week reaches into January */
  int week_of_month;        /* from 1 */
  int day_of_week_in_month; /* from 1 */
};
void cl_calendar_day(int64_t days, struct cl_calendar_day *out);

/* The last day on or before `days` that is this day of the week, 1 = Sunday. */
int64_t cl_weekday_on_or_before(int64_t days, int64_t day_of_week);

/* Floor division, for days of milliseconds and the like. */
static inline int64_t cl_floor_div(int64_t a, int64_t b) {
  return a / b - (a % b != 0 && (a % b < 0) != (b < 0));
}
static inline int64_t cl_floor_mod(int64_t a, int64_t b) {
  int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
