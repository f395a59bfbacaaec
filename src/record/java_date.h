/* SPDX-License-Identifier: Apache-2.0
 *
 * java.text.SimpleDateFormat, locale en_US, time zone UTC, as JDK 17 has it: formats without
 * allocating and parses leniently. Differs from Java in two points: of the time zone names
 * it reads those in java_zone.c, each with its offset of today, and a name that was read does
 * not become the format's own zone (in Java the next record would see it).
 * Owner: whoever made it. One thread at a time.
 */
#pragma once

#include "connect_lua/abi_c.h"

#include <stddef.h>

#include "base/err.h"

/* now_ms: two-digit years fall into the 80 years before and the 20 after it. CL_EINVAL with
 * class IllegalArgumentException and Java's text for a pattern that is none. */
int cl_date_format_new(const char *pattern, size_t len, int64_t now_ms, struct cl_date_format **out,
                       struct cl_err *err);
void cl_date_format_free(struct cl_date_format *f); /* NULL is allowed */

/* Bytes that cl_date_format_write may write. */
size_t cl_date_format_max(const struct cl_date_format *f);
size_t cl_date_format_write(const struct cl_date_format *f, int64_t ms, char *out);

/* DateFormat.parse: a prefix of the text is enough. 0, CL_EDATA (it does not match; err has
 * Java's text) or CL_ENOMEM. */
int cl_date_format_parse(const struct cl_date_format *f, const char *s, size_t len, int64_t *ms,
                         struct cl_err *err);
