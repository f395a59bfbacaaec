/* SPDX-License-Identifier: Apache-2.0
 * The producer on the embedded broker. */
#include "kafka_rig.h"

static void reports_come(void **state) {
  (void)state;
  struct rig_reports reports = {0};
  struct cl_producer *p = rig_producer(&reports, false, NULL);
  struct cl_batch *b = cl_batch_get(pool);
  struct cl_record *rec = rig_record(b, "reports", "k", "v");
  must(cl_producer_send(p, rec, &err));
  int n = 0;
  for (int i = 0; i < 100 && !n; i++)
    n = cl_producer_poll(p, 100);
  assert_int_equal(n, 1);
  assert_int_equal(rec->acked, 1);
  assert_int_equal(reports.offset, 0);
  assert_int_equal(cl_producer_poll(p, 0), 0);
  cl_producer_close(p, 1000);
  cl_batch_unref(b);
}

static void a_full_queue_is_told(void **state) {
  (void)state;
  struct rig_reports reports = {0};
  struct cl_producer *p = rig_producer(&reports, false, "queue.buffering.max.messages", "3", "linger.ms",
                                       "200", NULL);
  struct cl_batch *b = cl_batch_get(pool);
  for (int i = 0; i < 3; i++)
    must(cl_producer_send(p, rig_record(b, "full", NULL, "v"), &err));
  struct cl_record *fourth = rig_record(b, "full", NULL, "v");
  assert_int_equal(cl_producer_send(p, fourth, &err), CL_EAGAIN);
  assert_true(err.retriable);
  int rc;
  while ((rc = cl_producer_send(p, fourth, &err)) == CL_EAGAIN)
    cl_producer_poll(p, 100);
  assert_int_equal(rc, CL_OK);
  must(cl_producer_flush(p, 10000, &err));
  assert_int_equal(reports.n, 4);
  assert_int_equal(reports.failed, 0);
  cl_producer_close(p, 1000);
  cl_batch_unref(b);
}

static void too_large_names_the_setting(void **state) {
  (void)state;
  struct rig_reports reports = {0};
  struct cl_producer *p = rig_producer(&reports, false, "message.max.bytes", "1000", NULL);
  struct cl_batch *b = cl_batch_get(pool);
  struct cl_record *rec = rig_record(b, "large", NULL, NULL);
  rec->value.bytes = (struct cl_str){cl_arena_zalloc(b->arena, 5000), 5000};
  assert_int_equal(cl_producer_send(p, rec, &err), CL_EKAFKA);
  assert_non_null(strstr(err.msg, "large"));
  assert_non_null(strstr(err.msg, "5000"));
  assert_non_null(strstr(err.msg, "max.request.size"));
  assert_false(err.retriable);
  cl_producer_close(p, 1000);
  cl_batch_unref(b);
}

static void negative_timestamps_are_refused(void **state) {
  (void)state;
  struct rig_reports reports = {0};
  struct cl_producer *p = rig_producer(&reports, false, NULL);
  struct cl_batch *b = cl_batch_get(pool);
  struct cl_record *rec = rig_record(b, "times", NULL, "v");
  rec->timestamp = -2;
  assert_int_equal(cl_producer_send(p, rec, &err), CL_EDATA);
  assert_string_equal(err.msg, "Invalid record timestamp -2");
  assert_string_equal(err.class, "org.apache.kafka.common.InvalidRecordException");
  rec->timestamp = -1;
  must(cl_producer_send(p, rec, &err));
  must(cl_producer_flush(p, 10000, &err));
  cl_producer_close(p, 1000);
  cl_batch_unref(b);
}

struct asked { /* what the event was told, and how it answers */
  int n, answer;
  char topic[32];
};

static int on_topic(void *arg, const char *topic, struct cl_err *e) {
  struct asked *asked = arg;
  asked->n++;
  snprintf(asked->topic, sizeof(asked->topic), "%s", topic);
  return asked->answer ? cl_err_set(e, asked->answer, "not yet") : 0;
}

static void ignore_report(void *arg, struct cl_record *rec, int code, const char *text, int32_t partition,
                          int64_t offset) {
  (void)arg, (void)rec, (void)code, (void)text, (void)partition, (void)offset;
}

/* A topic is asked about until it is there, and never again. */
static void new_topics_are_asked_about(void **state) {
  (void)state;
  struct asked asked = {.answer = CL_EAGAIN};
  json_t *client = rig_client(NULL);
  struct cl_producer_conf conf = {.client = client,
                                  .embedded = broker,
                                  .events = {.topic = on_topic, .delivered = ignore_report},
                                  .arg = &asked};
  struct cl_producer *p = NULL;
  struct cl_batch *b = cl_batch_get(pool);
  must(cl_producer_open(&conf, &p, &err));
  for (int i = 1; i <= 2; i++) {
    assert_int_equal(cl_producer_send(p, rig_record(b, "asked", NULL, "v"), &err), CL_EAGAIN);
    assert_string_equal(err.msg, "not yet");
    assert_int_equal(asked.n, i);
  }
  asked.answer = 0;
  for (int i = 0; i < 3; i++)
    must(cl_producer_send(p, rig_record(b, "asked", NULL, "v"), &err));
  assert_int_equal(asked.n, 3);
  assert_string_equal(asked.topic, "asked");
  must(cl_producer_send(p, rig_record(b, "other", NULL, "v"), &err));
  must(cl_producer_send(p, rig_record(b, "asked", NULL, "v"), &err));
  assert_int_equal(asked.n, 4);
  assert_string_equal(asked.topic, "other");
  must(cl_producer_flush(p, 10000, &err));
  cl_producer_close(p, 1000);
  cl_batch_unref(b);
  json_decref(client);
}

static uint32_t murmur2(const char *key) {
  const uint32_t m = 0x5bd1e995;
  uint32_t len = (uint32_t)strlen(key), h = 0x9747b28c ^ len;
  const unsigned char *p = (const unsigned char *)key;
  for (; len >= 4; len -= 4, p += 4) {
    uint32_t k = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    k *= m;
    k ^= k >> 24;
    h = h * m ^ k * m;
  }
  if (len > 2)
    h ^= (uint32_t)p[2] << 16;
  if (len > 1)
    h ^= (uint32_t)p[1] << 8;
  if (len > 0)
    h = (h ^ p[0]) * m;
  h ^= h >> 13;
  h *= m;
  return h ^ h >> 15;
}

static void keys_choose_javas_partition(void **state) {
  (void)state;
  static const char *const keys[] = {"a", "ab", "abc", "abcd", "order-17", "customer/4711", "zzzzzzzzzzz"};
  struct rig_reports reports = {0};
  /* Not through our broker object: topics the mock makes by itself have four partitions. */
  struct cl_producer *p = rig_producer(&reports, true, "partitioner", "murmur2_random", NULL);
  for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
    struct cl_batch *b = cl_batch_get(pool);
    must(cl_producer_send(p, rig_record(b, "murmur", keys[i], "v"), &err));
    must(cl_producer_flush(p, 10000, &err));
    assert_int_equal(reports.failed, 0);
    assert_int_equal(reports.partition, (murmur2(keys[i]) & 0x7fffffff) % 4);
    cl_batch_unref(b);
  }
  struct cl_batch *b = cl_batch_get(pool);
  struct cl_record *rec = rig_record(b, "murmur", "a", "v");
  rec->partition = 2; /* an explicit one counts more than the key */
  must(cl_producer_send(p, rec, &err));
  must(cl_producer_flush(p, 10000, &err));
  assert_int_equal(reports.partition, 2);
  cl_producer_close(p, 1000);
  cl_batch_unref(b);
}

static void closing_reports_what_was_not_sent(void **state) {
  (void)state;
  struct rig_reports reports = {0};
  struct cl_producer *p = rig_producer(&reports, false, "linger.ms", "60000", NULL);
  struct cl_batch *b = cl_batch_get(pool);
  for (int i = 0; i < 10; i++)
    must(cl_producer_send(p, rig_record(b, "unsent", NULL, "v"), &err));
  cl_producer_close(p, 5000);
  assert_int_equal(reports.n, 10);
  assert_int_equal(reports.failed, 10);
  cl_batch_unref(b);
}

static void many_topics(void **state) {
  (void)state;
  struct rig_reports reports = {0};
  struct cl_producer *p = rig_producer(&reports, false, NULL);
  struct cl_batch *b = cl_batch_get(pool);
  for (int round = 0; round < 2; round++)
    for (int i = 0; i < 20; i++) {
      char name[24];
      snprintf(name, sizeof(name), "many-%d", i);
      must(cl_producer_send(p, rig_record(b, cl_arena_copy(b->arena, name, strlen(name)), NULL, "v"), &err));
    }
  must(cl_producer_flush(p, 10000, &err));
  assert_int_equal(reports.n, 40);
  assert_int_equal(reports.failed, 0);
  assert_int_equal(reports.offset, 1);
  cl_producer_close(p, 1000);
  cl_batch_unref(b);
}

static void an_unreachable_broker_times_out(void **state) {
  (void)state;
  struct rig_reports reports = {0};
  struct cl_producer *p = rig_producer(&reports, true, "bootstrap.servers", "127.0.0.1:1", "log_level", "0",
                                       NULL);
  struct cl_batch *b = cl_batch_get(pool);
  must(cl_producer_send(p, rig_record(b, "nowhere", NULL, "v"), &err));
  assert_int_equal(cl_producer_flush(p, 300, &err), CL_ETIMEOUT);
  assert_true(err.retriable);
  cl_producer_close(p, 5000);
  assert_int_equal(reports.n, 1);
  assert_int_equal(reports.failed, 1);
  cl_batch_unref(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reports_come),
      cmocka_unit_test(a_full_queue_is_told),
      cmocka_unit_test(too_large_names_the_setting),
      cmocka_unit_test(negative_timestamps_are_refused),
      cmocka_unit_test(new_topics_are_asked_about),
      cmocka_unit_test(keys_choose_javas_partition),
      cmocka_unit_test(closing_reports_what_was_not_sent),
      cmocka_unit_test(many_topics),
      cmocka_unit_test(an_unreachable_broker_times_out),
  };
  return cmocka_run_group_tests(tests, rig_up, rig_down);
}
