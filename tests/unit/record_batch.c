/* SPDX-License-Identifier: Apache-2.0
 * Batches: references, held messages, epochs, reuse. */
#include "record_rig.h"

static int released;
static void release(void *message) {
  free(message);
  released++;
}

static void last_reference_resets(void **state) {
  (void)state;
  struct rig r = rig_open();
  released = 0;
  for (int i = 0; i < 200; i++)
    assert_int_equal(cl_batch_hold(r.b, malloc(1), release), 0);
  struct cl_record *rec = cl_batch_add(r.b);
  assert_int_equal(rec->partition, -1);
  assert_int_equal(rec->timestamp, INT64_MIN);
  assert_ptr_equal(rec->batch, r.b);
  assert_int_equal(rec->key.val.kind, CL_MISSING);
  cl_batch_ref(r.b);
  cl_batch_unref(r.b);
  assert_int_equal(released, 0);
  assert_int_equal(r.b->n, 1);
  struct cl_batch *old = r.b;
  cl_batch_unref(r.b);
  assert_int_equal(released, 200);
  assert_int_equal(cl_batch_pool_live(r.pool), 0);
  r.b = cl_batch_get(r.pool);
  assert_ptr_equal(r.b, old); /* reused, empty */
  assert_int_equal(r.b->n, 0);
  assert_int_equal(r.b->refs, 1);
  rig_close(&r);
}

static void as_many_records_as_cap(void **state) {
  (void)state;
  struct rig r = rig_open();
  for (int i = 0; i < 16; i++)
    assert_non_null(cl_batch_add(r.b));
  assert_null(cl_batch_add(r.b));
  r.b->records[15].partition = 9;
  cl_batch_drop_last(r.b);
  assert_int_equal(cl_batch_add(r.b)->partition, -1);
  rig_close(&r);
}

static void epochs_tell_the_living(void **state) {
  (void)state;
  struct rig r = rig_open();
  const uint16_t *live = r.b->epochs;
  assert_int_equal(r.b->epoch, 1);
  assert_int_equal(live[1], 1);
  struct cl_batch *held = cl_batch_get(r.pool);
  uint16_t held_epoch = held->epoch;
  for (int i = 0; i < 70000; i++) { /* wraps round 16 bits */
    uint16_t before = r.b->epoch;
    cl_batch_unref(r.b);
    assert_int_equal(live[before % 256], 0);
    r.b = cl_batch_get(r.pool);
    assert_int_not_equal(r.b->epoch, 0);
    assert_int_not_equal(r.b->epoch, before);
    assert_int_equal(live[r.b->epoch % 256], r.b->epoch);
    assert_int_equal(live[held_epoch % 256], held_epoch); /* skipped while it lives */
  }
  cl_batch_unref(held);
  rig_close(&r);
}

static void more_batches_than_epochs(void **state) {
  (void)state;
  struct rig r = rig_open();
  struct cl_batch *b[600];
  for (int i = 0; i < 600; i++) {
    b[i] = cl_batch_get(r.pool);
    assert_non_null(b[i]);
    assert_int_equal(r.b->epochs[b[i]->epoch % 256], b[i]->epoch);
  }
  assert_int_equal(cl_batch_pool_live(r.pool), 601);
  for (int i = 0; i < 600; i += 2)
    cl_batch_unref(b[i]);
  for (int i = 1; i < 600; i += 2)
    cl_batch_unref(b[i]);
  for (int i = 0; i < 256; i++)
    assert_true(r.b->epochs[i] == 0 || r.b->epochs[i] == r.b->epoch);
  rig_close(&r);
}

static void a_pool_takes_its_batches_along(void **state) {
  (void)state;
  struct rig r = rig_open();
  released = 0;
  struct cl_batch *retained = cl_batch_get(r.pool);
  assert_int_equal(cl_batch_hold(retained, malloc(1), release), 0);
  rig_close(&r);
  assert_int_equal(released, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(last_reference_resets),          cmocka_unit_test(as_many_records_as_cap),
      cmocka_unit_test(epochs_tell_the_living),         cmocka_unit_test(more_batches_than_epochs),
      cmocka_unit_test(a_pool_takes_its_batches_along),
  };
  return cmocka_run_group_tests_name("record_batch", tests, NULL, NULL);
}
