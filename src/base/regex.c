/* SPDX-License-Identifier: Apache-2.0
 * Regular expressions. The only file that includes pcre2.h. May include libc, PCRE2 and base. */
#include "base/regex.h"

#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
  MATCH_STEPS = 1000000, /* some run on a REST thread: tens of milliseconds at most */
  MATCH_HEAP_KB = 16384,
  TEXT_MAX = 16 << 20,
  GROUP_NAME_MAX = 128
};

struct cl_regex {
  pcre2_code *code;
  pcre2_match_data *match;
  pcre2_match_context *limits;
  uint32_t groups;
  struct cl_buf out;
};

static int no_memory(struct cl_err *err) { return cl_err_set(err, CL_ENOMEM, "no memory for a regex"); }

static int compile(const char *pattern, pcre2_code **code, struct cl_err *err) {
  int why, rc;
  PCRE2_SIZE at;
  struct cl_buf text = {0};
  pcre2_compile_context *context = pcre2_compile_context_create(NULL);
  if (!context)
    return no_memory(err);
  /* Of Java's line breaks; the translation has spelled out the others where it can. */
  pcre2_set_newline(context, PCRE2_NEWLINE_ANYCRLF);
  rc = cl_regex_translate(pattern, &text, err);
  if (rc == 0) {
    /* PCRE2 10.42 takes the letter of a lookahead and the one behind it for two: (?=a)b?a fails on "a". */
    const uint32_t options = PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_START_OPTIMIZE;
    *code = pcre2_compile((PCRE2_SPTR)text.p, text.len, options, &why, &at, context);
    if (!*code) {
      char message[160];
      pcre2_get_error_message(why, (PCRE2_UCHAR *)message, sizeof(message));
      rc = cl_err_set(err, CL_EINVAL, "Invalid regex: %s near index %zu", message, (size_t)at);
    }
  }
  cl_buf_free(&text);
  pcre2_compile_context_free(context);
  return rc;
}

int cl_regex_compile(const char *pattern, struct cl_regex **out, struct cl_err *err) {
  *out = NULL;
  struct cl_regex *r = calloc(1, sizeof(*r));
  if (!r)
    return no_memory(err);
  int rc = compile(pattern, &r->code, err);
  if (rc == 0) {
    r->match = pcre2_match_data_create_from_pattern(r->code, NULL);
    r->limits = pcre2_match_context_create(NULL);
    r->out.max = TEXT_MAX;
    pcre2_pattern_info(r->code, PCRE2_INFO_CAPTURECOUNT, &r->groups);
    if (!r->match || !r->limits)
      rc = no_memory(err);
  }
  if (rc != 0) {
    cl_regex_free(r);
    return rc;
  }
  pcre2_set_match_limit(r->limits, MATCH_STEPS);
  pcre2_set_heap_limit(r->limits, MATCH_HEAP_KB);
  *out = r;
  return 0;
}

static int run(struct cl_regex *r, const char *text, size_t len, uint32_t options, struct cl_err *err) {
  int rc = pcre2_match(r->code, (PCRE2_SPTR)(text ? text : ""), len, 0, options, r->match, r->limits);
  if (rc >= 0)
    return 1;
  if (rc == PCRE2_ERROR_NOMATCH)
    return 0;
  char message[160];
  pcre2_get_error_message(rc, (PCRE2_UCHAR *)message, sizeof(message));
  return cl_err_set(err, CL_EDATA, "the regex cannot be matched with a text of %zu bytes: %s", len, message);
}

int cl_regex_match(struct cl_regex *r, const char *text, size_t len, struct cl_err *err) {
  return run(r, text, len, PCRE2_ANCHORED | PCRE2_ENDANCHORED, err);
}

bool cl_regex_matches(struct cl_regex *r, const char *text, size_t len) {
  struct cl_err slow;
  return cl_regex_match(r, text, len, &slow) == 1;
}

/* ----------------------------------------------------------------- replacement */

static int illegal(struct cl_err *err, const char *why) {
  cl_err_set(err, CL_EDATA, "%s", why);
  err->class = CL_JAVA_ILLEGAL_ARGUMENT;
  return CL_EDATA;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_name(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/* ${name} at *p, which is behind "{"; *p moves behind "}". The group's number or negative. */
static int named_group(struct cl_regex *r, const char **p, const char *end, struct cl_err *err) {
  char name[GROUP_NAME_MAX];
  const char *start = *p;
  while (*p < end && is_name(**p))
    ++*p;
  size_t n = (size_t)(*p - start);
  if (n == 0)
    return illegal(err, "named capturing group has 0 length name");
  if (*p == end || **p != '}')
    return illegal(err, "named capturing group is missing trailing '}'");
  ++*p;
  size_t kept = n < sizeof(name) ? n : sizeof(name) - 1;
  memcpy(name, start, kept);
  name[kept] = '\0';
  int group = n == kept ? pcre2_substring_number_from_name(r->code, (PCRE2_SPTR)name) : -1;
  if (group > 0 && !is_digit(*start))
    return group;
  cl_err_set(err, CL_EDATA,
             is_digit(*start) ? "capturing group name {%s} starts with digit character"
                              : "No group with name {%s}",
             name);
  err->class = CL_JAVA_ILLEGAL_ARGUMENT;
  return CL_EDATA;
}

/* $12 at *p: the first digit always counts, more while there are so many groups. */
static int numbered_group(struct cl_regex *r, const char **p, const char *end, struct cl_err *err) {
  if (!is_digit(**p))
    return illegal(err, "Illegal group reference");
  uint32_t group = (uint32_t)(*(*p)++ - '0');
  while (*p < end && is_digit(**p) && group * 10 + (uint32_t)(**p - '0') <= r->groups)
    group = group * 10 + (uint32_t)(*(*p)++ - '0');
  if (group <= r->groups)
    return (int)group;
  cl_err_set(err, CL_EDATA, "No group %u", group);
  err->class = CL_JAVA_INDEX_BOUNDS;
  return CL_EDATA;
}

static int expand(struct cl_regex *r, const char *text, const char *p, const char *end, struct cl_err *err) {
  const PCRE2_SIZE *at = pcre2_get_ovector_pointer(r->match);
  while (p < end) {
    if (*p == '\\') {
      if (++p == end)
        return illegal(err, "character to be escaped is missing");
      cl_buf_char(&r->out, *p++);
    } else if (*p == '$') {
      if (++p == end)
        return illegal(err, "Illegal group reference: group index is missing");
      bool named = *p == '{';
      p += named;
      int group = named ? named_group(r, &p, end, err) : numbered_group(r, &p, end, err);
      if (group < 0)
        return group;
      if (at[2 * group] != PCRE2_UNSET)
        cl_buf_add(&r->out, text + at[2 * group], at[2 * group + 1] - at[2 * group]);
    } else {
      cl_buf_char(&r->out, *p++);
    }
  }
  return 0;
}

int cl_regex_replace_first(struct cl_regex *r, const char *text, size_t len, const char *replacement,
                           size_t replacement_len, const struct cl_buf **out, struct cl_err *err) {
  int rc = run(r, text, len, 0, err);
  if (rc <= 0)
    return rc;
  const PCRE2_SIZE *at = pcre2_get_ovector_pointer(r->match);
  if (at[0] > at[1])
    return cl_err_set(err, CL_EDATA, "the regex matches a text that ends before it begins");
  r->out.len = 0;
  r->out.failed = false;
  cl_buf_add(&r->out, text, at[0]);
  rc = expand(r, text, replacement, replacement + replacement_len, err);
  if (rc != 0)
    return rc;
  cl_buf_add(&r->out, text + at[1], len - at[1]);
  if (r->out.failed)
    return cl_err_set(err, CL_ENOMEM, "no memory for a replaced text");
  *out = &r->out;
  return 1;
}

void cl_regex_free(struct cl_regex *r) {
  if (!r)
    return;
  cl_buf_free(&r->out);
  pcre2_match_context_free(r->limits);
  pcre2_match_data_free(r->match);
  pcre2_code_free(r->code);
  free(r);
}
