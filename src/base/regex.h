/* SPDX-License-Identifier: Apache-2.0
 *
 * Regular expressions of Java's users (topics.regex, checks of config rows), compiled the
 * same way everywhere: UTF-8, and they match whole texts.
 * Owner: whoever compiled it. One thread at a time.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"

struct cl_regex;

/* CL_EINVAL: "Invalid regex: why near index n". */
int cl_regex_compile(const char *pattern, struct cl_regex **out, struct cl_err *err);
/* Whether the whole text matches; false when finding out takes too long. */
bool cl_regex_matches(struct cl_regex *r, const char *text, size_t len);
void cl_regex_free(struct cl_regex *r); /* NULL is allowed */
