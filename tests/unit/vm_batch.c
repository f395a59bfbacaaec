/* SPDX-License-Identifier: Apache-2.0
 * What Lua does to whole batches. */
#include "record_rig.h"

static void the_emitted_record_keeps_its_headers(void **state) {
  (void)state;
  struct rig r = rig_open();
  struct cl_record *rec = cl_batch_add(r.b);
  cl_ffi_header_add(r.b, rec, "a", 1);
  assert_int_equal(cl_ffi_batch_keep_emitted(r.b), 0);
  struct cl_record *emitted = r.b->emitted;
  cl_ffi_header_add(r.b, rec, "b", 1);
  cl_ffi_header_add(r.b, emitted, "c", 1);
  assert_memory_equal(rec->headers[1].name.p, "b", 1);
  assert_int_equal(cl_ffi_header_remove(rec, "a", 1), 1);
  cl_ffi_header_add(r.b, rec, "d", 1);
  assert_int_equal(rec->n_headers, 2);
  assert_memory_equal(rec->headers[1].name.p, "d", 1);
  assert_memory_equal(emitted->headers[0].name.p, "a", 1);
  assert_memory_equal(emitted->headers[1].name.p, "c", 1);
  rig_close(&r);
}

static void what_is_full_says_so(void **state) {
  (void)state;
  struct cl_arena_budget budget = {.max = 64 << 10};
  struct cl_space *space = cl_space_new(NULL);
  struct cl_batch_pool *pool = cl_batch_pool_new(space, &budget, 4);
  struct cl_batch *b = cl_batch_get(pool);
  struct cl_record *rec = cl_batch_add(b);
  struct cl_str out;
  while (cl_arena_alloc(b->arena, 1024))
    ;
  while (cl_arena_alloc(b->arena, 8))
    ;
  cl_err_set(cl_ffi_err(), CL_EDATA, "another");
  assert_int_equal(cl_ffi_put_str(b, &out, "a", 1), CL_ENOMEM);
  assert_int_equal(cl_ffi_error_code(), CL_ENOMEM);
  cl_err_set(cl_ffi_err(), CL_EDATA, "another");
  assert_null(cl_ffi_headers(b, rec, 1));
  assert_int_equal(cl_ffi_error_code(), CL_ENOMEM);
  assert_int_equal(rec->n_headers, 0);
  cl_err_set(cl_ffi_err(), CL_EDATA, "another");
  rec->state = CL_RECORD_DROPPED;
  assert_int_equal(cl_ffi_batch_live(b), CL_ENOMEM);
  assert_int_equal(cl_ffi_error_code(), CL_ENOMEM);
  cl_batch_unref(b);
  cl_batch_pool_free(pool);
  cl_space_free(space);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_emitted_record_keeps_its_headers),
      cmocka_unit_test(what_is_full_says_so),
  };
  return cmocka_run_group_tests_name("vm_batch", tests, NULL, NULL);
}
