/* SPDX-License-Identifier: Apache-2.0
 *
 * Regular expressions of Java's users (topics.regex, RegexRouter, checks of config rows),
 * translated where PCRE2 reads them differently (regex_java.c) and refused where it cannot
 * do the same. A pattern that takes too long on a text ends with an error.
 * Differences that remain: \b{g}, (?c) and a lookbehind of
 * variable length with a capturing group are refused; what a group that also matches nothing
 * holds after {1,3}; a range under (?iu) takes in the cases of its rarer letters, too; Unicode is 14 instead
 * of 13; \b sees at most eight marks on a letter. Owner: whoever compiled it. One thread at a time.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct cl_regex;

/* CL_EINVAL: "Invalid regex: " and the text of Java's PatternSyntaxException, which has up to
 * three lines: "why near index n", the pattern, a mark below the place. */
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

/* regex_java.c: a pattern of java.util.regex as PCRE2 reads it. Lookbehinds of variable length
 * are callouts by their number, each with a pattern that has to end where the callout is. */
enum { CL_REGEX_BEHINDS = 64 };
struct cl_regex_behind {
  struct cl_buf pattern;
  int min, max; /* Java's reckoning of its texts' lengths in characters, overflows included */
  bool negated; /* nothing may match */
};
struct cl_regex_java {
  struct cl_buf pattern;
  int behinds;
  struct cl_regex_behind behind[CL_REGEX_BEHINDS];
};
/* CL_EINVAL with Java's text. *out starts zeroed; the caller frees it, also after an error. */
int cl_regex_translate(const char *pattern, struct cl_regex_java *out, struct cl_err *err);
void cl_regex_java_free(struct cl_regex_java *java);
