/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of SimpleDateFormat share. May be included by java_date*.c and java_zone.c only.
 */
#pragma once

#include "record/java_date.h"

struct cl_date_item {
  char letter;   /* of a field, or 0: literal */
  uint8_t bytes; /* literal: its UTF-8, all of it at the first unit of a surrogate pair */
  uint16_t unit; /* literal: the UTF-16 unit */
  uint32_t count;
  char utf8[4];
};

struct cl_date_units { /* working memory of parsing */
  uint16_t *p;
  size_t cap;
};

struct cl_date_format {
  char *pattern;
  size_t max;
  int64_t century_ms; /* where the hundred years of two-digit years begin */
  int32_t century_year;
  struct cl_date_units *units;
  uint32_t n;
  struct cl_date_item items[];
};

extern const char *const cl_date_months[12], *const cl_date_days[7];

/* Length of the time zone name that u[0..n) starts with, and its offset; 0 = none. */
size_t cl_date_zone(const uint16_t *u, size_t n, int32_t *offset_minutes);
