/* SPDX-License-Identifier: Apache-2.0
 * libFuzzer: any bytes through the JSON parser and back, and through JsonConverter's
 * envelope. What was written must be read again as the same text. */
#include <stdlib.h>
#include <string.h>

#include "record/batch.h"
#include "record/codec.h"
#include "record/space.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct cl_arena_budget budget = {.max = 64 << 20};

static void round_trip(struct cl_batch *b, const char *p, size_t n) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_buf first = {0}, second = {0};
  struct cl_val v;
  if (cl_json_read(b, p, n, &v, &err) == 0 && cl_json_write(b, &v, false, &first, &err) == 0) {
    CL_REQUIRE(cl_json_read(b, first.p, first.len, &v, &err) == 0);
    CL_REQUIRE(cl_json_write(b, &v, false, &second, &err) == 0);
    CL_REQUIRE(first.len == second.len && memcmp(first.p, second.p, first.len) == 0);
    struct cl_str text;
    (void)cl_text_of(b, &v, &text, &err);
  }
  cl_buf_free(&first);
  cl_buf_free(&second);
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
    struct cl_datum again = {.bytes = d.bytes};
    CL_REQUIRE(cl_json_decode(j, b, &again, &err) == 0);
    CL_REQUIRE(again.schema == d.schema);
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
  cl_batch_pool_free(pool, false);
  cl_space_free(s);
  free(exact);
  CL_REQUIRE(budget.used == 0);
  return 0;
}
