/* SPDX-License-Identifier: Apache-2.0
 *
 * Regular expressions of Java's users (topics.regex, RegexRouter, checks of config rows),
 * translated where PCRE2 reads them differently (regex_java.c) and refused where it cannot
 * do the same. A pattern that takes too long on a text ends with an error.
 * Differences that remain: what a group that also matches nothing holds after {1,3}; \b knows ASCII letters
 * only, (?i) also folds beyond ASCII but does not widen \p{Lu}, and
 * `$` before a final line break takes \r and \n only.
 * Owner: whoever compiled it. One thread at a time.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct cl_regex;

/* CL_EINVAL: "Invalid regex: why near index n". */
int cl_regex_compile(const char *pattern, struct cl_regex **out, struct cl_err *err);
/* Whether the whole text matches; false when finding out takes too long. */
bool cl_regex_matches(struct cl_regex *r, const char *text, size_t len);
/* The same with a way to fail: 1, 0 or negative. */
int cl_regex_match(struct cl_regex *r, const char *text, size_t len, struct cl_err *err);
/* Matcher.replaceFirst: 1 and the new text in *out (the regex's own, valid until its next
 * use), 0 when nothing matches, or negative: CL_EDATA with Java's class and text when the
 * replacement refers to what is not there. */
int cl_regex_replace_first(struct cl_regex *r, const char *text, size_t len, const char *replacement,
                           size_t replacement_len, const struct cl_buf **out, struct cl_err *err);
void cl_regex_free(struct cl_regex *r); /* NULL is allowed */

/* regex_java.c: a pattern of java.util.regex as PCRE2 reads it; CL_EINVAL as compile. */
int cl_regex_translate(const char *pattern, struct cl_buf *out, struct cl_err *err);
