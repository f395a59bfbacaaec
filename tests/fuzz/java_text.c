/* SPDX-License-Identifier: Apache-2.0
 * libFuzzer: any pattern and text through date formats, casts of strings, masks and regular
 * expressions. Input: pattern, NUL, text. What a format prints fits where it said it would. */
#include <stdlib.h>
#include <string.h>

#include "base/regex.h"
#include "base/utf8.h"
#include "record/batch.h"
#include "record/cast.h"
#include "record/java_date.h"
#include "record/space.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct cl_arena_budget budget = {.max = 64 << 20};

static void dates(struct cl_str pattern, struct cl_str text) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_date_format *f;
  if (cl_date_format_new(pattern.p, pattern.len, INT64_C(1700000000000), &f, &err) != 0)
    return;
  int64_t ms = -1;
  (void)cl_date_format_parse(f, text.p, text.len, &ms, &err);
  size_t max = cl_date_format_max(f);
  char *out = malloc(max ? max : 1);
  size_t n = cl_date_format_write(f, ms, out);
  CL_REQUIRE(n <= max && cl_utf8_valid(out, n));
  free(out);
  cl_date_format_free(f);
}

static void casts(struct cl_batch *b, struct cl_str text) {
  for (int type = CL_TYPE_INT8; type <= CL_TYPE_STRING; type++) {
    struct cl_err err = CL_ERR_INIT;
    struct cl_val v = {.kind = CL_STRING, .len = text.len, .s = text.p};
    int rc = cl_cast(b, &v, NULL, (enum cl_type)type, &err);
    CL_REQUIRE(rc == 0 || err.msg[0]);
    struct cl_val d = {.kind = CL_FLOAT64, .f = 1};
    (void)cl_mask(b, &d, &text, &err);
    d = (struct cl_val){.kind = CL_BIGINT, .s = "1", .len = 1};
    (void)cl_mask(b, &d, &text, &err);
  }
}

static void regexes(const char *pattern, struct cl_str text) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_regex *r;
  const struct cl_buf *out;
  if (cl_regex_compile(pattern, &r, &err) != 0)
    return;
  (void)cl_regex_match(r, text.p, text.len, &err);
  (void)cl_regex_replace_first(r, text.p, text.len, text.p, text.len, &out, &err);
  cl_regex_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const uint8_t *nul = memchr(data, 0, size);
  size_t n = nul ? (size_t)(nul - data) : size, rest = nul ? size - n - 1 : 0;
  if (!cl_utf8_valid((const char *)data, n) || (rest && !cl_utf8_valid((const char *)nul + 1, rest)))
    return 0;
  char *pattern = malloc(n + 1), *text = malloc(rest ? rest : 1); /* each ends where its memory ends */
  memcpy(pattern, data, n);
  pattern[n] = '\0';
  if (rest)
    memcpy(text, nul + 1, rest);
  struct cl_space *s = cl_space_new(&budget);
  struct cl_batch_pool *pool = cl_batch_pool_new(s, &budget, 1);
  struct cl_batch *b = cl_batch_get(pool);
  struct cl_str t = {text, (uint32_t)rest};
  dates((struct cl_str){pattern, (uint32_t)n}, t);
  casts(b, t);
  regexes(pattern, t);
  cl_batch_unref(b);
  cl_batch_pool_free(pool);
  cl_space_free(s);
  free(pattern);
  free(text);
  CL_REQUIRE(budget.used == 0);
  return 0;
}
