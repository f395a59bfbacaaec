/* SPDX-License-Identifier: Apache-2.0
 *
 * The fields of a date that is being read, and the instant that java.util.GregorianCalendar
 * (lenient, UTC, week starts on Sunday) makes of them: where they contradict each other the
 * latest ones win. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum cl_date_field {
  CL_DATE_ERA, /* 0 = BC */
  CL_DATE_YEAR,
  CL_DATE_WEEK_YEAR,
  CL_DATE_MONTH, /* 0 = January */
  CL_DATE_DAY,
  CL_DATE_DAY_OF_YEAR,
  CL_DATE_DAY_OF_WEEK, /* 1 = Sunday */
  CL_DATE_DOW_IN_MONTH,
  CL_DATE_WEEK_OF_YEAR,
  CL_DATE_WEEK_OF_MONTH,
  CL_DATE_AM_PM,
  CL_DATE_HOUR,
  CL_DATE_HOUR_OF_DAY,
  CL_DATE_MINUTE,
  CL_DATE_SECOND,
  CL_DATE_MS,
  CL_DATE_ZONE, /* ms ahead of UTC */
  CL_DATE_FIELDS
};

struct cl_date_fields { /* all zero = nothing read */
  int32_t value[CL_DATE_FIELDS];
  uint32_t stamp[CL_DATE_FIELDS]; /* 0 = not set; later ones are larger */
  uint32_t last;
};

static inline void cl_date_fields_set(struct cl_date_fields *f, enum cl_date_field field, int32_t value) {
  f->value[field] = value;
  f->stamp[field] = ++f->last;
}

/* For years of two digits: one century later. */
void cl_date_fields_add_years(struct cl_date_fields *f, int32_t years);

/* Milliseconds since the epoch; wraps around where Java does. */
int64_t cl_date_fields_ms(const struct cl_date_fields *f);
