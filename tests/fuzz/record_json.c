/* SPDX-License-Identifier: Apache-2.0
 * libFuzzer: any bytes through the JSON parser and back, and through JsonConverter's
 * envelope. What the writer wrote must be read again as the same text. */
#include <stdlib.h>
#include <string.h>

#include "record/batch.h"
#include "record/codec.h"
#include "record/space.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct cl_arena_budget budget = {.max = 64 << 20};

/* Reads *text and replaces it by what is written of it; false when it is refused. */
static bool rewrite(struct cl_batch *b, struct cl_buf *text) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_buf out = {0};
  struct cl_val v;
  struct cl_str plain;
  bool ok = cl_json_read(b, text->p, text->len, &v, &err) == 0 &&
            cl_json_write(b, &v, false, &out, &err) == 0;
  if (ok)
    (void)cl_text_of(b, &v, &plain, &err);
  cl_buf_free(text);
  *text = out;
  return ok;
}

static void round_trip(struct cl_batch *b, const char *p, size_t n) {
  struct cl_buf text = {0};
  cl_buf_add(&text, p, n);
  /* Twice: as in Connect, -1e-999 becomes -0.0, which becomes 0.0. */
  if (rewrite(b, &text)) {
    CL_REQUIRE(rewrite(b, &text));
    char *before = malloc(text.len + 1);
    size_t len = text.len;
    memcpy(before, text.p, len);
    CL_REQUIRE(rewrite(b, &text));
    CL_REQUIRE(text.len == len && memcmp(before, text.p, len) == 0);
    free(before);
  }
  cl_buf_free(&text);
}

static void envelope(struct cl_space *s, struct cl_batch *b, const char *p, size_t n, bool numeric) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_json_conf conf = {.schemas_enable = true,
                              .schemas_cache_size = 1000,
                              .decimal_numeric = numeric,
                              .replace_null_with_default = true,
                              .is_key = true};
  struct cl_json *j = cl_json_new(s, &conf, &err);
  CL_REQUIRE(j);
  for (int round = 0; round < 2; round++) { /* the second time the schema is cached */
    struct cl_datum d = {.bytes = {p, (uint32_t)n}};
    if (cl_json_decode(j, b, &d, &err) != 0 || cl_json_encode(j, b, &d, &err) != 0 || !d.bytes.p)
      continue;
    /* Connect's own round trip is lossy (an infinite default comes back as 0), but what
     * it writes is JSON. */
    struct cl_val v;
    CL_REQUIRE(cl_json_read(b, d.bytes.p, d.bytes.len, &v, &err) == 0);
  }
  cl_json_free(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct cl_space *s = cl_space_new(&budget);
  struct cl_batch_pool *pool = cl_batch_pool_new(s, &budget, 1);
  struct cl_batch *b = cl_batch_get(pool);
  char *exact = malloc(size ? size : 1); /* ends where its memory ends */
  memcpy(exact, data, size);
  round_trip(b, exact, size);
  envelope(s, b, exact, size, false);
  envelope(s, b, exact, size, true);
  cl_batch_unref(b);
  cl_batch_pool_free(pool);
  cl_space_free(s);
  free(exact);
  CL_REQUIRE(budget.used == 0);
  return 0;
}
