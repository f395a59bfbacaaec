/* SPDX-License-Identifier: Apache-2.0
 * What the record suites share: a space, a pool and one batch; inputs that end where
 * their memory ends, so that an overread shows. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "record/batch.h"
#include "record/codec.h"
#include "record/space.h"

struct rig {
  struct cl_space *space;
  struct cl_batch_pool *pool;
  struct cl_batch *b;
};

static inline struct rig rig_open(void) {
  struct rig r = {.space = cl_space_new(NULL)};
  r.pool = cl_batch_pool_new(r.space, NULL, 16);
  r.b = cl_batch_get(r.pool);
  assert_non_null(r.b);
  return r;
}

static inline void rig_close(struct rig *r) {
  cl_batch_unref(r->b);
  cl_batch_pool_free(r->pool);
  cl_space_free(r->space);
}

/* Bytes that the batch frees. */
static inline struct cl_str rig_bytes(struct rig *r, const char *p, size_t n) {
  char *copy = malloc(n ? n : 1);
  memcpy(copy, p, n);
  assert_int_equal(cl_batch_hold(r->b, copy, free), 0);
  return (struct cl_str){copy, (uint32_t)n};
}

static inline struct cl_str rig_text(struct rig *r, const char *s) { return rig_bytes(r, s, strlen(s)); }
