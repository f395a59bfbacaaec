/* SPDX-License-Identifier: Apache-2.0
 * Regular expressions. The only file that includes pcre2.h. May include libc, PCRE2 and base. */
#include "base/regex.h"

#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* Patterns are clients', and some run on a REST thread: one that needs long matches nothing. */
enum { MATCH_STEPS = 100000 };

struct cl_regex {
  pcre2_code *code;
  pcre2_match_data *match;
  pcre2_match_context *limits;
};

int cl_regex_compile(const char *pattern, struct cl_regex **out, struct cl_err *err) {
  int why;
  PCRE2_SIZE at;
  *out = NULL;
  pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                                   PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED, &why, &at, NULL);
  if (!code) {
    char text[160];
    pcre2_get_error_message(why, (PCRE2_UCHAR *)text, sizeof(text));
    return cl_err_set(err, CL_EINVAL, "Invalid regex: %s near index %zu", text, (size_t)at);
  }
  struct cl_regex *r = calloc(1, sizeof(*r));
  if (!r) {
    pcre2_code_free(code);
    return cl_err_set(err, CL_ENOMEM, "no memory for a regex");
  }
  *r = (struct cl_regex){code, pcre2_match_data_create_from_pattern(code, NULL),
                         pcre2_match_context_create(NULL)};
  if (!r->match || !r->limits) {
    cl_regex_free(r);
    return cl_err_set(err, CL_ENOMEM, "no memory for a regex");
  }
  pcre2_set_match_limit(r->limits, MATCH_STEPS);
  *out = r;
  return 0;
}

bool cl_regex_matches(struct cl_regex *r, const char *text, size_t len) {
  return pcre2_match(r->code, (PCRE2_SPTR)text, len, 0, 0, r->match, r->limits) >= 0;
}

void cl_regex_free(struct cl_regex *r) {
  if (!r)
    return;
  pcre2_match_context_free(r->limits);
  pcre2_match_data_free(r->match);
  pcre2_code_free(r->code);
  free(r);
}
