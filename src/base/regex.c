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
  BEHIND_STEPS = 10000, /* of one start of a lookbehind */
  BEHIND_END = 255,     /* the callout at its end */
  TEXT_MAX = 16 << 20,
  GROUP_NAME_MAX = 128
};

/* A compiled lookbehind of variable length. */
struct behind {
  pcre2_code *code;
  pcre2_match_data *match;
  pcre2_match_context *limits;
  int min, max;
  bool negated;
};

struct cl_regex {
  pcre2_code *code;
  pcre2_match_data *match;
  pcre2_match_context *limits;
  uint32_t groups;
  struct cl_buf out;
  struct behind *behind; /* by the number of the callout that asks for it */
  int behinds;
  size_t steps; /* what the lookbehinds of one match may still cost, in starts tried */
};

/* One match under way: the whole pattern's or a lookbehind's. */
struct attempt {
  struct cl_regex *regex;
  size_t end; /* where a lookbehind has to end */
};

static int no_memory(struct cl_err *err) { return cl_err_set(err, CL_ENOMEM, "no memory for a regex"); }

/* --------------------------------------------------------------------- lookbehind */

static int called_out(pcre2_callout_block *at, void *data);

/* Java's first start for a match that ends after n bytes, in bytes; false when that is behind
 * its last one. It is i - max in 32 bits, where max may have overflowed before. */
static bool first_start(const struct behind *b, const unsigned char *text, size_t n, size_t *start) {
  int32_t i = 0, back = 0;
  for (size_t at = 0; at < n; at++)
    i += (text[at] & 0xC0) != 0x80;
  int32_t first = (int32_t)((uint32_t)i - (uint32_t)b->max);
  *start = 0;
  if (first > i - b->min || i < b->min)
    return false;
  if (first <= 0)
    return true;
  for (*start = n; back < i - first; back += (text[*start] & 0xC0) != 0x80)
    --*start;
  return true;
}

/* Whether some text that ends at the callout matches: 1, 0 or PCRE2's error. All starts are
 * tried, the pattern's end is a callout that insists on the place. */
static int looks_behind(struct cl_regex *r, struct behind *b, const pcre2_callout_block *at) {
  size_t start;
  if (r->steps <= at->current_position)
    return PCRE2_ERROR_MATCHLIMIT;
  r->steps -= at->current_position + 1;
  if (!first_start(b, at->subject, at->current_position, &start))
    return 0;
  struct attempt attempt = {r, at->current_position};
  pcre2_set_callout(b->limits, called_out, &attempt);
  int rc = pcre2_match(b->code, at->subject, at->subject_length, start, PCRE2_NO_UTF_CHECK, b->match,
                       b->limits);
  return rc >= 0 ? 1 : rc == PCRE2_ERROR_NOMATCH ? 0 : rc;
}

/* 0 = go on, 1 = no match this way, negative = give up. */
static int called_out(pcre2_callout_block *at, void *data) {
  struct attempt *attempt = data;
  if (at->callout_number == BEHIND_END)
    return at->current_position != attempt->end;
  struct behind *b = &attempt->regex->behind[at->callout_number];
  int found = looks_behind(attempt->regex, b, at);
  return found < 0 ? found : (found == 1) == b->negated;
}

/* -------------------------------------------------------------------- compilation */

/* PCRE2's own refusal: of what Java can do and it cannot. */
static int refused(struct cl_err *err, int why, const char *pattern) {
  char message[160];
  pcre2_get_error_message(why, (PCRE2_UCHAR *)message, sizeof(message));
  return cl_err_set(err, CL_EINVAL, "This pattern is not supported: %s\n%s", message, pattern);
}

static int compile(const char *pattern, const struct cl_buf *text, uint32_t more, pcre2_code **code,
                   struct cl_err *err) {
  int why;
  PCRE2_SIZE at;
  /* PCRE2 10.42 takes the letter of a lookahead and the one behind it for two: (?=a)b?a fails on "a". */
  const uint32_t options = PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_START_OPTIMIZE | more;
  *code = pcre2_compile((PCRE2_SPTR)text->p, text->len, options, &why, &at, NULL);
  return *code ? 0 : refused(err, why, pattern);
}

static int compile_behind(const char *pattern, const struct cl_regex_behind *from, struct behind *b,
                          struct cl_err *err) {
  struct cl_buf text = {0};
  cl_buf_fmt(&text, "(?:%s)(?C%d)", from->pattern.p, BEHIND_END);
  if (text.failed)
    return no_memory(err);
  b->min = from->min;
  b->max = from->max;
  b->negated = from->negated;
  int rc = compile(pattern, &text, PCRE2_NO_AUTO_POSSESS, &b->code, err);
  cl_buf_free(&text);
  if (rc != 0)
    return rc;
  b->match = pcre2_match_data_create_from_pattern(b->code, NULL);
  b->limits = pcre2_match_context_create(NULL);
  if (!b->match || !b->limits)
    return no_memory(err);
  pcre2_set_match_limit(b->limits, BEHIND_STEPS);
  pcre2_set_heap_limit(b->limits, MATCH_HEAP_KB);
  return 0;
}

static int compile_all(const char *pattern, struct cl_regex *r, struct cl_err *err) {
  struct cl_regex_java *java = calloc(1, sizeof(*java));
  if (!java)
    return no_memory(err);
  int rc = cl_regex_translate(pattern, java, err);
  if (rc == 0)
    rc = compile(pattern, &java->pattern, 0, &r->code, err);
  if (rc == 0 && java->behinds > 0 && !(r->behind = calloc((size_t)java->behinds, sizeof(*r->behind))))
    rc = no_memory(err);
  for (int i = 0; rc == 0 && i < java->behinds; i++) {
    r->behinds++;
    rc = compile_behind(pattern, &java->behind[i], &r->behind[i], err);
  }
  cl_regex_java_free(java);
  free(java);
  return rc;
}

int cl_regex_compile(const char *pattern, struct cl_regex **out, struct cl_err *err) {
  *out = NULL;
  struct cl_regex *r = calloc(1, sizeof(*r));
  if (!r)
    return no_memory(err);
  int rc = compile_all(pattern, r, err);
  if (rc == CL_EINVAL)
    cl_err_prefix(err, "Invalid regex: ");
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
  struct attempt attempt = {r, 0};
  r->steps = MATCH_STEPS;
  pcre2_set_callout(r->limits, called_out, &attempt);
  int rc = pcre2_match(r->code, (PCRE2_SPTR)(text ? text : ""), len, 0, options, r->match, r->limits);
  pcre2_set_callout(r->limits, NULL, NULL);
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
  for (int i = 0; i < r->behinds; i++) {
    pcre2_match_context_free(r->behind[i].limits);
    pcre2_match_data_free(r->behind[i].match);
    pcre2_code_free(r->behind[i].code);
  }
  free(r->behind);
  free(r);
}
