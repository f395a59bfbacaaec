/* SPDX-License-Identifier: Apache-2.0
 * The consumer on the embedded broker: what arrives, where reading begins, what moves it. */
#include "kafka_rig.h"

#include "kafka/internal.h"

#include <pthread.h>
#include <unistd.h>

static void records_arrive_as_sent(void **state) {
  (void)state;
  struct rig_reports reports = {0};
  struct cl_producer *p = rig_producer(&reports, false, NULL);
  struct cl_batch *b = cl_batch_get(pool);
  struct cl_record *rec = rig_record(b, "whole", "key", "value");
  rec->timestamp = 1234567890123;
  struct cl_header headers[] = {{.name = rig_str("h"), .d.bytes = rig_str("one")},
                                {.name = rig_str("h"), .d.bytes = {"t\0w", 3}},
                                {.name = rig_str("empty"), .d.bytes = {"", 0}},
                                {.name = rig_str("null")}};
  rec->headers = headers;
  rec->n_headers = 4;
  must(cl_producer_send(p, rec, &err));
  must(cl_producer_send(p, rig_record(b, "whole", NULL, NULL), &err));
  must(cl_producer_send(p, rig_record(b, "whole", "", ""), &err));
  must(cl_producer_flush(p, 10000, &err));
  assert_int_equal(reports.failed, 0);
  cl_producer_close(p, 1000);
  cl_batch_unref(b);

  struct rig_task t;
  int64_t before = cl_wall_ms() - 60000;
  rig_consumer(&t, "whole", "whole");
  b = rig_read(&t, 3, 15000);
  assert_int_equal(b->n, 3);
  rec = &b->records[0];
  assert_int_equal(rec->key.bytes.len, 3);
  assert_memory_equal(rec->key.bytes.p, "key", 3);
  assert_memory_equal(rec->value.bytes.p, "value", 5);
  assert_string_equal(rec->topic.p, "whole");
  assert_ptr_equal(rec->topic.p, rec->orig_topic.p);
  assert_int_equal(rec->partition, 0);
  assert_int_equal(rec->orig_partition, 0);
  assert_int_equal(rec->timestamp, 1234567890123);
  assert_int_equal(rec->timestamp_type, 1);
  assert_int_equal(rec->slot, t.ids[0]);
  assert_int_equal(rec->n_headers, 4);
  assert_string_equal(rec->headers[0].name.p, "h");
  assert_memory_equal(rec->headers[1].d.bytes.p, "t\0w", 3);
  assert_int_equal(rec->headers[1].d.bytes.len, 3);
  assert_non_null(rec->headers[2].d.bytes.p);
  assert_int_equal(rec->headers[2].d.bytes.len, 0);
  assert_null(rec->headers[3].d.bytes.p);
  rec = &b->records[1]; /* null is not empty */
  assert_null(rec->key.bytes.p);
  assert_null(rec->value.bytes.p);
  assert_int_equal(rec->n_headers, 0);
  assert_true(rec->timestamp > before);
  rec = &b->records[2];
  assert_non_null(rec->key.bytes.p);
  assert_non_null(rec->value.bytes.p);
  assert_int_equal(rec->key.bytes.len + rec->value.bytes.len, 0);
  assert_int_equal(rec->offset, 2);
  cl_batch_unref(b);
  cl_consumer_close(t.c);
  assert_int_equal(t.assigned, 1);
  assert_int_equal(t.revoked, 1);
}

static void polls_respect_max(void **state) {
  (void)state;
  rig_fill("many", 0, 1500);
  struct rig_task t;
  rig_consumer(&t, "many", "many");
  struct cl_batch *b = rig_read(&t, 1, 15000);
  while (b->n < 100)
    must(cl_consumer_poll(t.c, b, 7, 1000, &err));
  assert_in_range(b->n, 100, 106);
  rig_expect(&t, (int)b->n, 1000); /* another batch goes on where this one ends */
  for (uint32_t i = 0; i < b->n; i++)
    assert_int_equal(rig_value(b, i), i);
  cl_batch_unref(b);
  b = cl_batch_get(pool);
  while (b->n < b->cap && cl_batch_add(b)) {
  }
  must(cl_consumer_poll(t.c, b, 500, 1000, &err)); /* no room: nothing is read */
  assert_int_equal(b->n, b->cap);
  cl_batch_unref(b);
  cl_consumer_close(t.c);
}

/* 600 KB each: 7 of them reach 4 MiB. Two topics, since the broker keeps 4 MB of each. */
static void polls_gather_few_large_records(void **state) {
  (void)state;
  enum { SIZE = 600000, EACH = 6 };
  struct rig_reports reports = {0};
  struct cl_producer *p = rig_producer(&reports, false, NULL);
  struct cl_batch *b = cl_batch_get(pool);
  char *text = calloc(1, SIZE + 1);
  memset(text, 'x', SIZE);
  for (int i = 0; i < 2 * EACH; i++)
    must(cl_producer_send(p, rig_record(b, i % 2 ? "large-a" : "large-b", NULL, text), &err));
  must(cl_producer_flush(p, 10000, &err));
  cl_producer_close(p, 1000);
  cl_batch_unref(b);
  free(text);

  struct rig_task t = {.move_to = -1};
  struct cl_consumer_conf conf = rig_conf(&t);
  json_t *client = rig_client("large"), *topics = json_pack("[s, s]", "large-a", "large-b");
  conf.client = client;
  conf.topics = topics;
  must(cl_consumer_open(&conf, &t.c, &err));
  b = rig_read(&t, 1, 15000);
  cl_batch_unref(b);
  usleep(1500000); /* the others are fetched meanwhile */
  b = cl_batch_get(pool);
  must(cl_consumer_poll(t.c, b, 500, 1000, &err));
  assert_in_range(b->n, 4, 7);
  cl_batch_unref(b);
  b = rig_read(&t, 4, 15000); /* the next poll goes on */
  assert_int_equal(b->n, 4);
  cl_batch_unref(b);
  cl_consumer_close(t.c);
  json_decref(client);
  json_decref(topics);
}

static void commits_are_resumed_from(void **state) {
  (void)state;
  rig_fill("resume", 0, 30);
  struct rig_task t;
  rig_consumer(&t, "resume", "resume");
  rig_expect(&t, 0, 30);
  assert_int_equal(t.starts[0], 0);
  struct cl_commit commit = {t.ids[0], 10};
  must(cl_consumer_commit(t.c, &commit, 1, 77, &err));
  struct cl_batch *b = cl_batch_get(pool);
  for (int i = 0; i < 100 && !t.committed; i++)
    must(cl_consumer_poll(t.c, b, 100, 100, &err));
  cl_batch_unref(b);
  assert_int_equal(t.committed, 1);
  assert_int_equal(t.commit_failed, 0);
  assert_int_equal(t.last_seq, 77);
  cl_consumer_close(t.c);

  rig_consumer(&t, "resume", "resume");
  rig_expect(&t, 10, 20);
  assert_int_equal(t.starts[0], 10);
  commit.offset = 25;
  must(cl_consumer_commit_sync(t.c, &commit, 1, 60000, &err));
  must(cl_consumer_commit_sync(t.c, &commit, 0, 60000, &err));
  cl_consumer_close(t.c);

  rig_consumer(&t, "resume", "resume");
  t.move_to = 5; /* the task knows better */
  rig_expect(&t, 5, 25);
  assert_int_equal(t.starts[0], 25);
  cl_consumer_close(t.c);
}

static void latest_starts_at_the_end(void **state) {
  (void)state;
  rig_fill("late", 0, 5);
  struct rig_task t = {.move_to = -1};
  struct cl_consumer_conf conf = rig_conf(&t);
  json_t *client = rig_client("late"), *topics = json_pack("[s]", "late");
  json_object_set_new(client, "auto.offset.reset", json_string("latest"));
  conf.client = client;
  conf.topics = topics;
  must(cl_consumer_open(&conf, &t.c, &err));
  struct cl_batch *b = cl_batch_get(pool);
  for (int i = 0; i < 100 && !t.assigned; i++)
    must(cl_consumer_poll(t.c, b, 10, 100, &err));
  assert_int_equal(t.starts[0], 5);
  assert_int_equal(b->n, 0);
  cl_batch_unref(b);
  rig_fill("late", 5, 3);
  rig_expect(&t, 5, 3);
  cl_consumer_close(t.c);
  json_decref(client);
  json_decref(topics);
}

static void seeks(void **state) {
  (void)state;
  rig_fill("seek", 0, 50);
  struct rig_task t;
  rig_consumer(&t, "seek", "seek");
  rig_expect(&t, 0, 20); /* more is fetched already and must not be seen */
  must(cl_consumer_seek(t.c, t.ids[0], 3, &err));
  rig_expect(&t, 3, 10);
  must(cl_consumer_seek(t.c, t.ids[0], 45, &err));
  rig_expect(&t, 45, 5);
  assert_int_equal(cl_consumer_seek(t.c, t.ids[0], -1, &err), CL_EINVAL);
  assert_int_equal(cl_consumer_seek(t.c, 99, 1, &err), CL_ENOTFOUND);
  cl_consumer_close(t.c);
}

static void pauses(void **state) {
  (void)state;
  rig_fill("pause", 0, 50);
  struct rig_task t;
  rig_consumer(&t, "pause", "pause");
  rig_expect(&t, 0, 10);
  must(cl_consumer_pause(t.c, t.ids[0], &err));
  must(cl_consumer_pause(t.c, t.ids[0], &err));
  struct cl_batch *b = rig_read(&t, 1, 500);
  assert_int_equal(b->n, 0);
  cl_batch_unref(b);
  must(cl_consumer_resume(t.c, t.ids[0], &err));
  must(cl_consumer_resume(t.c, t.ids[0], &err));
  rig_expect(&t, 10, 10);
  must(cl_consumer_pause(t.c, t.ids[0], &err));
  must(cl_consumer_seek(t.c, t.ids[0], 2, &err)); /* a rewind while paused */
  b = rig_read(&t, 1, 300);
  assert_int_equal(b->n, 0);
  cl_batch_unref(b);
  must(cl_consumer_resume(t.c, t.ids[0], &err));
  rig_expect(&t, 2, 48);
  cl_consumer_close(t.c);
}

static void can_begin_paused(void **state) {
  (void)state;
  rig_fill("asleep", 0, 5);
  struct rig_task t;
  rig_consumer(&t, "asleep", "asleep");
  t.pause = true;
  struct cl_batch *b = rig_read(&t, 1, 1500);
  assert_int_equal(t.assigned, 1);
  assert_int_equal(b->n, 0);
  cl_batch_unref(b);
  must(cl_consumer_resume(t.c, t.ids[0], &err));
  rig_expect(&t, 0, 5);
  cl_consumer_close(t.c);
}

static void *wake_soon(void *c) {
  usleep(300000);
  cl_consumer_wake(c);
  return NULL;
}

static void waking_ends_a_poll(void **state) {
  (void)state;
  struct rig_task t;
  rig_consumer(&t, "wake", "wake");
  struct cl_batch *b = cl_batch_get(pool);
  while (!t.assigned)
    must(cl_consumer_poll(t.c, b, 10, 100, &err));
  pthread_t thread;
  int64_t start = cl_now_ms();
  assert_int_equal(pthread_create(&thread, NULL, wake_soon, t.c), 0);
  must(cl_consumer_poll(t.c, b, 10, 30000, &err));
  assert_in_range(cl_now_ms() - start, 250, 5000);
  pthread_join(thread, NULL);
  cl_consumer_wake(t.c); /* before the poll: ends that one, and no later one */
  start = cl_now_ms();
  must(cl_consumer_poll(t.c, b, 10, 30000, &err));
  assert_true(cl_now_ms() - start < 5000);
  start = cl_now_ms();
  must(cl_consumer_poll(t.c, b, 10, 500, &err));
  assert_in_range(cl_now_ms() - start, 400, 5000);
  cl_batch_unref(b);
  cl_consumer_close(t.c);
}

/* No broker: the answer never comes. */
static void waking_hurries_a_commit(void **state) {
  (void)state;
  struct rig_task t = {.move_to = -1};
  struct cl_consumer_conf conf = rig_conf(&t);
  json_t *client = rig_client("hurry"), *topics = json_pack("[s]", "hurry");
  json_object_set_new(client, "bootstrap.servers", json_string("127.0.0.1:1"));
  conf.client = client;
  conf.topics = topics;
  conf.embedded = NULL;
  must(cl_consumer_open(&conf, &t.c, &err));
  struct cl_commit commit = {.offset = 1};
  must(cl_consumer_slot(t.c, "hurry", 0, &commit.slot));
  pthread_t thread;
  int64_t start = cl_now_ms();
  assert_int_equal(pthread_create(&thread, NULL, wake_soon, t.c), 0);
  assert_int_equal(cl_consumer_commit_sync(t.c, &commit, 1, 30000, &err), CL_ETIMEOUT);
  assert_in_range(cl_now_ms() - start, 3000, 8000);
  pthread_join(thread, NULL);
  struct cl_batch *b = cl_batch_get(pool); /* the wake was not used up */
  start = cl_now_ms();
  must(cl_consumer_poll(t.c, b, 10, 30000, &err));
  assert_true(cl_now_ms() - start < 5000);
  cl_batch_unref(b);
  cl_consumer_close(t.c);
  json_decref(client);
  json_decref(topics);
}

static void a_refusing_open_fails_the_poll(void **state) {
  (void)state;
  struct rig_task t;
  rig_consumer(&t, "refuse", "refuse");
  t.refuse = true;
  struct cl_batch *b = cl_batch_get(pool);
  int rc = CL_OK;
  for (int i = 0; i < 100 && !rc; i++)
    rc = cl_consumer_poll(t.c, b, 10, 100, &err);
  assert_int_equal(rc, CL_ELUA);
  assert_string_equal(err.msg, "open failed");
  cl_batch_unref(b);
  cl_consumer_close(t.c);
  assert_int_equal(t.revoked, 1);
}

static void open_regex(struct rig_task *t, const char *group, const char *regex, int task, int tasks) {
  *t = (struct rig_task){.move_to = -1};
  struct cl_consumer_conf conf = rig_conf(t);
  json_t *client = rig_client(group);
  conf.client = client;
  conf.topics_regex = regex;
  conf.task = task;
  conf.tasks = tasks;
  conf.metadata_max_age_ms = 300;
  must(cl_consumer_open(&conf, &t->c, &err));
  json_decref(client);
}

static void regex_finds_new_topics(void **state) {
  (void)state;
  rig_fill("rx-a", 0, 2);
  rig_fill("xrx-a", 0, 2); /* only whole names match */
  struct rig_task t;
  open_regex(&t, "rx", "rx-[a-z]|other", 0, 1);
  rig_expect(&t, 0, 2);
  assert_int_equal(t.n, 1);
  rig_fill("rx-b", 0, 3);
  struct cl_batch *b = rig_read(&t, 5, 15000);
  assert_int_equal(b->n, 5); /* nothing was committed: rx-a comes again */
  cl_batch_unref(b);
  assert_int_equal(t.assigned, 2); /* all taken and given again, as a group would do */
  assert_int_equal(t.revoked, 1);
  assert_int_equal(t.n, 2);
  cl_consumer_close(t.c);
}

static void regex_errors_are_named(void **state) {
  (void)state;
  struct rig_task t = {0};
  struct cl_consumer_conf conf = rig_conf(&t);
  json_t *client = rig_client("bad");
  conf.client = client;
  conf.topics_regex = "a(";
  assert_int_equal(cl_consumer_open(&conf, &t.c, &err), CL_EINVAL);
  assert_non_null(strstr(err.msg, "topics.regex"));
  assert_non_null(strstr(err.msg, "a("));
  json_decref(client);
}

static void partitions_are_dealt(void **state) {
  (void)state;
  for (int i = 0; i < 5; i++) {
    char name[24];
    snprintf(name, sizeof(name), "deal-%d", i);
    must(cl_embedded_topic(broker, name, &err));
  }
  struct rig_task one, two;
  open_regex(&one, "deal", "deal-.*", 0, 2);
  open_regex(&two, "deal", "deal-.*", 1, 2);
  struct cl_batch *b = cl_batch_get(pool);
  for (int i = 0; i < 100 && (!one.assigned || !two.assigned); i++) {
    must(cl_consumer_poll(one.c, b, 10, 50, &err));
    must(cl_consumer_poll(two.c, b, 10, 50, &err));
  }
  assert_int_equal(one.n, 3);
  assert_int_equal(two.n, 2);
  uint32_t n;
  assert_string_equal(cl_consumer_slots(one.c, &n)[one.ids[2]].topic.p, "deal-4");
  assert_string_equal(cl_consumer_slots(two.c, &n)[two.ids[0]].topic.p, "deal-1");
  cl_batch_unref(b);
  cl_consumer_close(one.c);
  cl_consumer_close(two.c);
}

/* The mock keeps about 4 MB; what is read after the hole must be the newest, in order. */
static void old_data_may_be_gone(void **state) {
  (void)state;
  enum { SIZE = 200000, COUNT = 60 };
  struct rig_task t;
  struct rig_reports reports = {0};
  struct cl_producer *p = rig_producer(&reports, false, NULL);
  struct cl_batch *b = cl_batch_get(pool);
  char *big = cl_arena_zalloc(b->arena, SIZE);
  for (int i = 0; i < COUNT; i++) {
    struct cl_record *rec = rig_record(b, "gone", NULL, NULL);
    rec->value.bytes = (struct cl_str){big, SIZE};
    must(cl_producer_send(p, rec, &err));
    must(cl_producer_flush(p, 10000, &err));
  }
  cl_producer_close(p, 1000);
  cl_batch_unref(b);
  rig_consumer(&t, "gone", "gone");
  t.move_to = 0;
  b = rig_read(&t, COUNT, 3000);
  assert_in_range(b->n, 1, COUNT - 1);
  assert_int_equal(b->records[b->n - 1].offset, COUNT - 1);
  assert_int_equal(b->records[0].offset, COUNT - (int)b->n);
  cl_batch_unref(b);
  cl_consumer_close(t.c);
}

static void join(struct rig_task *t, const char *group, const char *topic) {
  *t = (struct rig_task){.move_to = -1};
  struct cl_consumer_conf conf = rig_conf(t);
  json_t *client = rig_client(group), *topics = json_pack("[s]", topic);
  json_object_set_new(client, "session.timeout.ms", json_string("3000"));
  json_object_set_new(client, "heartbeat.interval.ms", json_string("300"));
  conf.embedded = NULL; /* a broker like any other: a real group, topics with four partitions */
  conf.client = client;
  conf.topics = topics;
  must(cl_consumer_open(&conf, &t->c, &err));
  json_decref(client);
  json_decref(topics);
}

/* Reads the 20 records of its two partitions from the start, into a fresh batch. */
static void read_from_start(struct rig_task *t, struct cl_batch **b) {
  for (size_t i = 0; i < t->n; i++)
    must(cl_consumer_seek(t->c, t->ids[i], 0, &err));
  cl_batch_unref(*b);
  *b = rig_read(t, 20, 15000);
  assert_int_equal((*b)->n, 20);
}

static void a_group_shares_partitions(void **state) {
  (void)state;
  struct rig_reports reports = {0};
  struct cl_producer *p = rig_producer(&reports, true, NULL);
  struct cl_batch *sent = cl_batch_get(pool), *one_has = cl_batch_get(pool), *two_has = cl_batch_get(pool);
  for (int i = 0; i < 40; i++)
    rig_record(sent, "group", NULL, "v")->partition = i % 4;
  for (int i = 0; i < 40; i++)
    must(cl_producer_send(p, &sent->records[i], &err));
  must(cl_producer_flush(p, 10000, &err));
  assert_int_equal(reports.failed, 0);
  cl_producer_close(p, 1000);

  struct rig_task one, two;
  join(&one, "group", "group");
  join(&two, "group", "group");
  int64_t deadline = cl_now_ms() + 30000;
  while ((one.n != 2 || two.n != 2) && cl_now_ms() < deadline) { /* in one round or in two */
    must(cl_consumer_poll(one.c, one_has, 100, 20, &err));
    must(cl_consumer_poll(two.c, two_has, 100, 20, &err));
  }
  assert_int_equal(one.n, 2);
  assert_int_equal(two.n, 2);
  read_from_start(&one, &one_has);
  read_from_start(&two, &two_has);
  int before = one.revoked;
  struct cl_commit commits[] = {{two.ids[0], 10}, {two.ids[1], 7}};
  must(cl_consumer_commit_sync(two.c, commits, 2, 60000, &err));
  must(cl_consumer_pause(one.c, one.ids[0], &err)); /* forgotten by the rebalance */
  cl_batch_unref(two_has);
  cl_consumer_close(two.c);
  assert_int_equal(two.lost, 0);

  cl_batch_unref(one_has);
  one_has = cl_batch_get(pool);
  deadline = cl_now_ms() + 30000;
  while (one_has->n < 23 && cl_now_ms() < deadline)
    must(cl_consumer_poll(one.c, one_has, 100, 20, &err));
  assert_int_equal(one.n, 4);
  assert_int_equal(one.revoked, before + 1);
  assert_int_equal(one_has->n, 23); /* its own 20 again, uncommitted, and three of the other's */
  must(cl_consumer_poll(one.c, one_has, 100, 200, &err));
  assert_int_equal(one_has->n, 23);
  cl_batch_unref(one_has);
  cl_batch_unref(sent);
  cl_consumer_close(one.c);
}

static void shares_of_the_budget_come_back(void **state) {
  (void)state;
  struct cl_budget *budget = cl_budget_new(4 << 20);
  struct rig_task t = {.move_to = -1};
  struct cl_consumer_conf conf = rig_conf(&t);
  json_t *client = rig_client("budget"), *topics = json_pack("[s]", "budget");
  conf.client = client;
  conf.topics = topics;
  conf.budget = budget;
  must(cl_consumer_open(&conf, &t.c, &err));
  size_t less = cl_budget_take(budget);
  assert_int_equal(less, (3 << 20) / 4);
  cl_budget_give(budget, less);
  cl_consumer_close(t.c);
  assert_int_equal(cl_budget_take(budget), 1 << 20);
  json_object_set_new(client, "partition.assignment.strategy", json_string("cooperative-sticky"));
  assert_int_equal(cl_consumer_open(&conf, &t.c, &err), CL_EINVAL);
  assert_non_null(strstr(err.msg, "cooperative-sticky"));
  json_object_del(client, "partition.assignment.strategy");
  json_object_del(client, "group.id");
  assert_int_equal(cl_consumer_open(&conf, &t.c, &err), CL_EINVAL);
  assert_non_null(strstr(err.msg, "group.id"));
  json_decref(client);
  json_decref(topics);
  cl_budget_free(budget);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(records_arrive_as_sent),
      cmocka_unit_test(polls_respect_max),
      cmocka_unit_test(polls_gather_few_large_records),
      cmocka_unit_test(commits_are_resumed_from),
      cmocka_unit_test(latest_starts_at_the_end),
      cmocka_unit_test(seeks),
      cmocka_unit_test(pauses),
      cmocka_unit_test(can_begin_paused),
      cmocka_unit_test(waking_ends_a_poll),
      cmocka_unit_test(waking_hurries_a_commit),
      cmocka_unit_test(a_refusing_open_fails_the_poll),
      cmocka_unit_test(regex_finds_new_topics),
      cmocka_unit_test(regex_errors_are_named),
      cmocka_unit_test(partitions_are_dealt),
      cmocka_unit_test(old_data_may_be_gone),
      cmocka_unit_test(a_group_shares_partitions),
      cmocka_unit_test(shares_of_the_budget_come_back),
  };
  return cmocka_run_group_tests(tests, rig_up, rig_down);
}
