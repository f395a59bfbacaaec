/* SPDX-License-Identifier: Apache-2.0
 * The bounded queue between threads. */
#include "base/queue.h"

#include "base/clock.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static void order_and_ceiling(void **state) {
  (void)state;
  int items[5];
  struct cl_queue *q = cl_queue_new(3);
  for (int round = 0; round < 4; round++) { /* the ring wraps */
    for (int i = 0; i < 3; i++)
      assert_true(cl_queue_push(q, &items[i], 0));
    assert_false(cl_queue_push(q, &items[3], 0));
    assert_int_equal(cl_queue_len(q), 3);
    assert_ptr_equal(cl_queue_pop(q, 0), &items[0]);
    assert_true(cl_queue_push(q, &items[4], -1));
    assert_ptr_equal(cl_queue_pop(q, -1), &items[1]);
    assert_ptr_equal(cl_queue_pop(q, 10), &items[2]);
    assert_ptr_equal(cl_queue_pop(q, 0), &items[4]);
    assert_null(cl_queue_pop(q, 0));
  }
  cl_queue_free(q);
}

static void timeouts(void **state) {
  (void)state;
  int item;
  struct cl_queue *q = cl_queue_new(1);
  int64_t start = cl_now_ms();
  assert_null(cl_queue_pop(q, 30));
  assert_true(cl_now_ms() - start >= 29);
  assert_true(cl_queue_push(q, &item, 30));
  start = cl_now_ms();
  assert_false(cl_queue_push(q, &item, 30));
  assert_true(cl_now_ms() - start >= 29);
  assert_ptr_equal(cl_queue_pop(q, 0), &item);
  cl_queue_free(q);
}

static void closing(void **state) {
  (void)state;
  int item;
  struct cl_queue *q = cl_queue_new(2);
  assert_true(cl_queue_push(q, &item, 0));
  cl_queue_close(q);
  assert_false(cl_queue_push(q, &item, -1));
  assert_ptr_equal(cl_queue_pop(q, -1), &item);
  assert_null(cl_queue_pop(q, -1));
  cl_queue_free(q);
  cl_queue_free(NULL);
}

static void *pop_for_ever(void *q) { return cl_queue_pop(q, -1); }

static int some_item;
static void *push_for_ever(void *q) { return cl_queue_push(q, &some_item, -1) ? q : NULL; }

static void close_wakes_waiters(void **state) {
  (void)state;
  pthread_t reader, writer;
  void *popped = &some_item, *pushed = &some_item;
  struct cl_queue *empty = cl_queue_new(1), *full = cl_queue_new(1);
  assert_true(cl_queue_push(full, &some_item, 0));
  pthread_create(&reader, NULL, pop_for_ever, empty);
  pthread_create(&writer, NULL, push_for_ever, full);
  usleep(20000);
  cl_queue_close(empty);
  cl_queue_close(full);
  pthread_join(reader, &popped);
  pthread_join(writer, &pushed);
  assert_null(popped);
  assert_null(pushed);
  assert_non_null(cl_queue_pop(full, 0));
  cl_queue_free(full);
  cl_queue_free(empty);
}

enum { WRITERS = 3, EACH = 2000 };
struct writer {
  struct cl_queue *q;
  int values[EACH];
};

static void *write_all(void *arg) {
  struct writer *w = arg;
  for (int i = 0; i < EACH; i++) {
    w->values[i] = i;
    if (!cl_queue_push(w->q, &w->values[i], -1))
      return NULL;
  }
  return w;
}

/* Nothing is lost, and each writer's items stay in order. */
static void many_writers(void **state) {
  (void)state;
  static struct writer writers[WRITERS];
  pthread_t threads[WRITERS];
  int next[WRITERS] = {0};
  struct cl_queue *q = cl_queue_new(7);
  for (int i = 0; i < WRITERS; i++) {
    writers[i].q = q;
    pthread_create(&threads[i], NULL, write_all, &writers[i]);
  }
  for (int n = 0; n < WRITERS * EACH; n++) {
    int *item = cl_queue_pop(q, 10000);
    assert_non_null(item);
    for (int i = 0; i < WRITERS; i++)
      if (item >= writers[i].values && item < writers[i].values + EACH)
        assert_int_equal(*item, next[i]++);
  }
  for (int i = 0; i < WRITERS; i++) {
    pthread_join(threads[i], NULL);
    assert_int_equal(next[i], EACH);
  }
  assert_int_equal(cl_queue_len(q), 0);
  cl_queue_free(q);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(order_and_ceiling),   cmocka_unit_test(timeouts),     cmocka_unit_test(closing),
      cmocka_unit_test(close_wakes_waiters), cmocka_unit_test(many_writers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
