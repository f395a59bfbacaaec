/* SPDX-License-Identifier: Apache-2.0
 * librdkafka's fetcher does not sleep while its queue is being emptied. */
#include "kafka_rig.h"

enum { RECORDS = 40, SIZE = 20000 };

/* A queue of 1 KiB is full after each fetch, and a fetch brings one record or two: asleep for
 * a second each time, forty records would take twenty. */
static void a_small_queue_does_not_stall(void **state) {
  (void)state;
  char *text = malloc(SIZE + 1);
  memset(text, 'x', SIZE);
  text[SIZE] = '\0';
  struct rig_reports reports = {0};
  struct cl_producer *p = rig_producer(&reports, false, "batch.num.messages", "1", NULL);
  struct cl_batch *b = cl_batch_get(pool);
  for (int i = 0; i < RECORDS; i++)
    must(cl_producer_send(p, rig_record(b, "small", NULL, text), &err));
  must(cl_producer_flush(p, 10000, &err));
  cl_producer_close(p, 1000);
  cl_batch_unref(b);
  free(text);

  struct rig_task t = {.move_to = -1};
  struct cl_consumer_conf conf = rig_conf(&t);
  json_t *client = rig_client("small"), *topics = json_pack("[s]", "small");
  json_object_set_new(client, "queued.max.messages.kbytes", json_string("1"));
  json_object_set_new(client, "fetch.message.max.bytes", json_string("30000"));
  conf.client = client;
  conf.topics = topics;
  must(cl_consumer_open(&conf, &t.c, &err));
  json_decref(client);
  json_decref(topics);
  cl_batch_unref(rig_read(&t, 1, 15000));
  int64_t from = cl_now_ms();
  b = rig_read(&t, RECORDS - 1, 30000);
  assert_int_equal(b->n, RECORDS - 1);
  assert_in_range(cl_now_ms() - from, 0, 5000);
  cl_batch_unref(b);
  cl_consumer_close(t.c);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_small_queue_does_not_stall)};
  return cmocka_run_group_tests(tests, rig_up, rig_down);
}
