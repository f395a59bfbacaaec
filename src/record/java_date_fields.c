/* SPDX-License-Identifier: Apache-2.0
 * Which fields count, and the day and time they name. Any thread, no state. */
#include "record/java_date_fields.h"

#include "record/calendar.h"

enum { EPOCH_YEAR = 1970 };

enum basis { BY_DAY, BY_WEEK_OF_MONTH, BY_DOW_IN_MONTH, BY_DAY_OF_YEAR, BY_WEEK_OF_YEAR };

static int32_t wrap(int64_t i) { return (int32_t)(uint32_t)(uint64_t)i; }

static uint32_t later(uint32_t a, uint32_t b) { return a > b ? a : b; }

static uint32_t both(uint32_t a, uint32_t b) { return a && b ? later(a, b) : 0; }

/* The group of fields that says the day: the one completed last. */
static enum basis basis_of(const struct cl_date_fields *f) {
  const uint32_t *s = f->stamp;
  uint32_t dow = s[CL_DATE_DAY_OF_WEEK], day = s[CL_DATE_DAY], doy = s[CL_DATE_DAY_OF_YEAR];
  uint32_t wom = both(s[CL_DATE_WEEK_OF_MONTH], dow), dowim = both(s[CL_DATE_DOW_IN_MONTH], dow),
           woy = both(s[CL_DATE_WEEK_OF_YEAR], dow);
  uint32_t best = later(later(later(day, wom), later(dowim, doy)), woy);
  if (!best) { /* no group is complete: parts of one will do */
    wom = s[CL_DATE_WEEK_OF_MONTH];
    dowim = later(s[CL_DATE_DOW_IN_MONTH], dow);
    woy = s[CL_DATE_WEEK_OF_YEAR];
    best = later(later(wom, dowim), woy);
    if (!best)
      return BY_DAY;
  }
  if (best == day)
    return BY_DAY;
  bool by_month = (best == wom && s[CL_DATE_WEEK_OF_MONTH] >= s[CL_DATE_WEEK_OF_YEAR]) ||
                  (best == dowim && s[CL_DATE_DOW_IN_MONTH] >= s[CL_DATE_WEEK_OF_YEAR]);
  if (!by_month)
    return best == doy ? BY_DAY_OF_YEAR : BY_WEEK_OF_YEAR;
  if (wom == dowim)
    return s[CL_DATE_WEEK_OF_MONTH] >= s[CL_DATE_DOW_IN_MONTH] ? BY_WEEK_OF_MONTH : BY_DOW_IN_MONTH;
  return best == wom ? BY_WEEK_OF_MONTH : BY_DOW_IN_MONTH;
}

static int32_t value_or(const struct cl_date_fields *f, enum cl_date_field field, int32_t dflt) {
  return f->stamp[field] ? f->value[field] : dflt;
}

/* Any number may have been read as the day of the week; Java counts from 0 in an int. */
static int64_t weekday(int64_t days, int32_t dow) {
  return cl_weekday_on_or_before(days, (int64_t)wrap((int64_t)dow - 1) + 1);
}

/* The Sunday that begins the first week of what begins at day `first`, moved to the day of
 * the week that was read. */
static int64_t in_first_week(const struct cl_date_fields *f, int64_t first) {
  int64_t sunday = cl_weekday_on_or_before(first, 1);
  if (!f->stamp[CL_DATE_DAY_OF_WEEK])
    return sunday;
  return weekday(sunday + 6, f->value[CL_DATE_DAY_OF_WEEK]);
}

typedef int64_t days_fn(int64_t year, int64_t month, int64_t day);

/* Days by one of the two calendars. */
static int64_t days_by(const struct cl_date_fields *f, enum basis basis, int32_t year, days_fn *days) {
  int64_t month = cl_floor_mod(f->value[CL_DATE_MONTH], 12) + 1, first;
  if (basis == BY_DAY_OF_YEAR)
    return days(year, 1, 1) + f->value[CL_DATE_DAY_OF_YEAR] - 1;
  if (basis == BY_WEEK_OF_YEAR)
    return in_first_week(f, days(year, 1, 1)) + 7 * ((int64_t)f->value[CL_DATE_WEEK_OF_YEAR] - 1);
  year = wrap(year + cl_floor_div(f->value[CL_DATE_MONTH], 12));
  first = days(year, month, 1);
  if (basis == BY_DAY)
    return first + value_or(f, CL_DATE_DAY, 1) - 1;
  if (basis == BY_WEEK_OF_MONTH)
    return in_first_week(f, first) + wrap(7 * ((int64_t)f->value[CL_DATE_WEEK_OF_MONTH] - 1));
  int32_t nth = value_or(f, CL_DATE_DOW_IN_MONTH, 1), dow = value_or(f, CL_DATE_DAY_OF_WEEK, 1);
  if (nth >= 0)
    return weekday(first + wrap(7 * (int64_t)nth) - 1, dow);
  int64_t length = days(year, month + 1, 1) - first;
  return weekday(first + wrap(length + 7 * ((int64_t)nth + 1)) - 1, dow);
}

/* carry: days that the time of day runs over. */
static int64_t day_of(const struct cl_date_fields *f, int32_t year, int64_t carry) {
  enum basis basis = basis_of(f);
  int64_t julian = carry + days_by(f, basis, year, cl_days_of_julian);
  if (year < CL_CUTOVER_YEAR)
    return julian;
  int64_t gregorian = carry + days_by(f, basis, year, cl_days_of_gregorian);
  if (year == CL_CUTOVER_YEAR && (basis == BY_DAY_OF_YEAR || basis == BY_WEEK_OF_YEAR))
    return julian; /* counted from a Julian January */
  return gregorian >= CL_CUTOVER_DAYS ? gregorian : julian;
}

static int32_t year_of(const struct cl_date_fields *f) {
  int32_t year = value_or(f, CL_DATE_YEAR, EPOCH_YEAR);
  return f->stamp[CL_DATE_ERA] && f->value[CL_DATE_ERA] == 0 ? wrap(1 - (int64_t)year) : year;
}

static int64_t time_of_day(const struct cl_date_fields *f) {
  uint32_t full = f->stamp[CL_DATE_HOUR_OF_DAY], half = both(f->stamp[CL_DATE_HOUR], f->stamp[CL_DATE_AM_PM]);
  uint32_t best = later(full, half);
  if (!best)
    best = later(f->stamp[CL_DATE_HOUR], f->stamp[CL_DATE_AM_PM]);
  int64_t t = f->value[CL_DATE_HOUR_OF_DAY];
  if (best != full)
    t = (int64_t)f->value[CL_DATE_HOUR] + 12 * f->value[CL_DATE_AM_PM];
  t = t * 60 + f->value[CL_DATE_MINUTE];
  t = t * 60 + f->value[CL_DATE_SECOND];
  return t * 1000 + f->value[CL_DATE_MS];
}

/* Java keeps days as milliseconds in between, which wrap around in far years. */
static int64_t through_ms(int64_t days) {
  return cl_floor_div((int64_t)((uint64_t)days * CL_DAY_MS), CL_DAY_MS);
}

/* A day given by week year, week and day of the week is turned into year, month and day. */
static void resolve_week_date(struct cl_date_fields *f, int64_t carry) {
  int32_t week = value_or(f, CL_DATE_WEEK_OF_YEAR, 1), dow = value_or(f, CL_DATE_DAY_OF_WEEK, 1);
  if (dow > 7) { /* numbers read by `u` beyond Sunday */
    dow--;
    week = wrap((int64_t)week + dow / 7);
    dow = dow % 7 + 1;
    dow = dow == 7 ? 1 : dow + 1;
  } else if (dow < 1) {
    int64_t weeks = (7 - (int64_t)dow) / 7;
    week = wrap(week - weeks);
    dow = wrap(dow + 7 * weeks);
    dow = dow == 7 ? 1 : dow + 1;
  }
  int64_t year;
  int month, day;
  cl_date_of_days(through_ms(day_of(f, year_of(f), carry)), &year, &month, &day);
  struct cl_date_fields first = {.last = 0};
  cl_date_fields_set(&first, CL_DATE_ERA, year > 0); /* the era of what the other fields say */
  cl_date_fields_set(&first, CL_DATE_YEAR, f->value[CL_DATE_WEEK_YEAR]);
  cl_date_fields_set(&first, CL_DATE_WEEK_OF_YEAR, 1);
  cl_date_fields_set(&first, CL_DATE_DAY_OF_WEEK, 1);
  int64_t days = through_ms(day_of(&first, year_of(&first), 0));
  days = through_ms(days + wrap(dow - 1 + 7 * ((int64_t)week - 1)));
  cl_date_of_days(days, &year, &month, &day);
  cl_date_fields_set(f, CL_DATE_ERA, year > 0);
  cl_date_fields_set(f, CL_DATE_YEAR, wrap(year > 0 ? year : 1 - year));
  cl_date_fields_set(f, CL_DATE_MONTH, month - 1);
  cl_date_fields_set(f, CL_DATE_DAY, day);
}

void cl_date_fields_add_years(struct cl_date_fields *f, int32_t years) {
  f->value[CL_DATE_YEAR] = wrap((int64_t)f->value[CL_DATE_YEAR] + years);
  f->value[CL_DATE_WEEK_YEAR] = wrap((int64_t)f->value[CL_DATE_WEEK_YEAR] + years);
}

int64_t cl_date_fields_ms(const struct cl_date_fields *read) {
  struct cl_date_fields f = *read;
  int64_t time = time_of_day(&f), carry = cl_floor_div(time, CL_DAY_MS);
  if (f.stamp[CL_DATE_WEEK_YEAR] > f.stamp[CL_DATE_YEAR])
    resolve_week_date(&f, carry);
  uint64_t days = (uint64_t)day_of(&f, year_of(&f), carry);
  return (int64_t)(days * CL_DAY_MS + (uint64_t)cl_floor_mod(time, CL_DAY_MS) -
                   (uint64_t)(int64_t)f.value[CL_DATE_ZONE]);
}
