/* SPDX-License-Identifier: Apache-2.0
 * libFuzzer: any bytes as a header's value, its text, and that read again; the character sets.
 * What was read is written, by the header converter and (schemas off) as JSON. */
#include <stdlib.h>
#include <string.h>

#include "record/batch.h"
#include "record/charset.h"
#include "record/codec.h"
#include "record/space.h"
#include "record/value.h"
#include "record/values.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct cl_arena_budget budget = {.max = 64 << 20};

/* Three rounds: types change on the way (1.0 is written "1"), and strings in containers gain
 * backslashes in each. */
static void round_trips(struct cl_batch *b, struct cl_str text) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_datum d = {.bytes = text};
  for (int round = 0; round < 3 && d.bytes.p && d.bytes.len < 1 << 20; round++) {
    CL_REQUIRE(cl_header_decode(b, &d, &err) == 0);
    CL_REQUIRE((d.schema == NULL) == cl_value_is_null(&d.val));
    CL_REQUIRE(cl_header_encode(b, &d, &err) == 0);
    CL_REQUIRE((d.bytes.p == NULL) == cl_value_is_null(&d.val));
  }
}

/* A scalar's text is read as the same scalar. */
static void scalar_stays(struct cl_batch *b, struct cl_str text) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_datum once = {.bytes = text}, again;
  CL_REQUIRE(cl_header_decode(b, &once, &err) == 0);
  if (once.val.kind == CL_INT || once.val.kind == CL_DECIMAL || once.val.kind == CL_TRUE) {
    CL_REQUIRE(cl_header_encode(b, &once, &err) == 0);
    again = (struct cl_datum){.bytes = once.bytes};
    CL_REQUIRE(cl_header_decode(b, &again, &err) == 0);
    CL_REQUIRE(again.schema == once.schema && cl_value_equal(b->space, &again.val, &once.val));
  }
}

static void as_json(struct cl_space *s, struct cl_batch *b, struct cl_str text, bool schemas) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_json_conf conf = {.schemas_enable = schemas, .schemas_cache_size = 10, .is_key = true};
  struct cl_json *j = cl_json_new(s, &conf, &err);
  struct cl_datum d = {.bytes = text};
  struct cl_val v;
  CL_REQUIRE(j && cl_header_decode(b, &d, &err) == 0);
  if (cl_json_encode(j, b, &d, &err) == 0 && d.bytes.p)
    CL_REQUIRE(cl_json_read(b, d.bytes.p, d.bytes.len, &v, &err) == 0);
  cl_json_free(j);
}

static void charsets(struct cl_batch *b, struct cl_str bytes) {
  static const char *const names[] = {"UTF-8",  "UTF-16", "UTF-16LE",   "US-ASCII",
                                      "latin1", "GBK",    "ISO-2022-JP"};
  struct cl_err err = CL_ERR_INIT;
  for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
    const struct cl_charset *cs = cl_charset_find(names[i], strlen(names[i]));
    struct cl_str text, again;
    if (!cs) /* what iconv knows is the system's */
      continue;
    CL_REQUIRE(cl_charset_decode(cs, b->arena, bytes, &text, &err) == 0);
    CL_REQUIRE(cl_charset_encode(cs, b->arena, text, &again, &err) == 0);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct cl_space *s = cl_space_new(&budget);
  struct cl_batch_pool *pool = cl_batch_pool_new(s, &budget, 1);
  struct cl_batch *b = cl_batch_get(pool);
  char *exact = malloc(size ? size : 1); /* ends where its memory ends */
  if (size)
    memcpy(exact, data, size);
  struct cl_str text = {exact, (uint32_t)size};
  round_trips(b, text);
  scalar_stays(b, text);
  as_json(s, b, text, true);
  as_json(s, b, text, false);
  charsets(b, text);
  cl_batch_unref(b);
  cl_batch_pool_free(pool);
  cl_space_free(s);
  free(exact);
  CL_REQUIRE(budget.used == 0);
  return 0;
}
