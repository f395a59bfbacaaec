/* SPDX-License-Identifier: Apache-2.0
 * Source tasks on the embedded broker: the order of calls, what is committed, what fails. */
#include "task_rig.h"

#include <sys/stat.h>

/* --------------------------------------------------------- offsets, topics */

static void wait_stored(int p, int n) {
  int64_t deadline = cl_now_ms() + LONG_MS;
  while (stored(p) != n) {
    if (cl_now_ms() >= deadline)
      job_fail(&job, "the offset of {p = %d} is %d, not %d", p, stored(p), n);
    usleep(5000);
  }
}

/* ------------------------------------------------------------ order of calls */

static void calls_come_in_order(void **state) {
  (void)state;
  plugin("plugin",
         SEND "local n = 0\n"
              "return { api = 1, kind = 'source',\n"
              "start = function(ctx) say(ctx, 'start %d of %d', ctx.task.id, ctx.task.max) end,\n"
              "poll = function(ctx)\n"
              "  if n == 3 then ctx:sleep(60000) say(ctx, 'awake %s', ctx:stopping()) return end\n"
              "  n = n + 1 say(ctx, 'poll') send(ctx, 'ordered', 1, n - 1)\n"
              "end,\n"
              "commit_record = function(ctx, record, at)\n"
              "  say(ctx, 'record %s %d@%d %s', at.topic, at.partition, at.offset, record.topic) end,\n"
              "commit = function(ctx) say(ctx, 'commit') end,\n"
              "stop = function(ctx) say(ctx, 'stop') end }\n");
  job_start(&job);
  wait_said(&job, "poll", 3);
  usleep(300000); /* the reports arrive while poll sleeps */
  assert_int_equal(stored(1), -1);
  int64_t from = cl_now_ms();
  job_stop(&job);
  assert_true(cl_now_ms() - from < 3000); /* not when the sleep ends */
  in_order(&job, "start 0 of 1", "= RUNNING", "poll", "poll", "poll", "awake true", "commit", "stop", NULL);
  journal_is(&job, "record", "start 0 of 1\n= RUNNING\npoll\npoll\npoll\nawake true\ncommit\nstop\n");
  in_order(&job, "record ordered 0@0 ordered", "record ordered 0@1", "record ordered 0@2", NULL);
  assert_int_equal(said(&job, "record"), 3);
  assert_int_equal(stored(1), 2);
  topic_is("ordered", 0, 3);
}

static void next_task_goes_on_from_the_offset(void **state) {
  (void)state;
  plugin("plugin", SEND "local n = 0\n"
                        "return { api = 1, kind = 'source',\n"
                        "start = function(ctx) n = (ctx:offset { p = 1 } or { n = -1 }).n + 1 end,\n"
                        "poll = function(ctx)\n"
                        "  send(ctx, 'resumed', 1, n) say(ctx, 'sent') n = n + 1\n"
                        "  if n % 10 == 0 then ctx:sleep(60000) end\n"
                        "end }\n");
  for (int i = 1; i <= 3; i++) {
    job_start(&job);
    wait_said(&job, "sent", i * 10);
    job_stop(&job);
    assert_int_equal(stored(1), i * 10 - 1);
  }
  topic_is("resumed", 0, 30);
}

/* ---------------------------------------------------------------- committing */

static void commits_after_the_interval(void **state) {
  (void)state;
  plugin("plugin", SEND "local n = 0\n"
                        "return { api = 1, kind = 'source',\n"
                        "poll = function(ctx)\n"
                        "  n = n + 1\n"
                        "  if n == 1 then send(ctx, 'interval', 1, 0) return end\n"
                        "  if n == 2 then ctx:sleep(1000) say(ctx, 'slept') return end\n"
                        "  ctx:sleep(20)\n"
                        "end,\n"
                        "commit = function(ctx) say(ctx, 'commit') end }\n");
  job.conf.offset_flush_interval_ms = 100;
  job_start(&job);
  wait_stored(1, 0);
  assert_int_equal(said(&job, "slept"), 0); /* stored while poll sleeps, told after it */
  assert_int_equal(said(&job, "commit"), 0);
  wait_said(&job, "commit", 4); /* also without anything new */
  in_order(&job, "= RUNNING", "slept", "commit", NULL);
  job_stop(&job);
}

static void failed_commit_is_tried_again(void **state) {
  (void)state;
  char path[128], file[160];
  plugin("plugin", SEND "local n = 0\n"
                        "return { api = 1, kind = 'source',\n"
                        "poll = function(ctx) n = n + 1 if n < 4 then send(ctx, 'stubborn', 1, n) end\n"
                        "  ctx:sleep(50) say(ctx, 'poll') end,\n"
                        "commit = function(ctx) say(ctx, 'commit') end }\n");
  snprintf(path, sizeof(path), "%s/store", folder);
  snprintf(file, sizeof(file), "%s/offsets", path);
  cl_offsets_close(offsets);
  must(cl_offsets_open(file, &offsets, &err)); /* its folder is missing: writing fails */
  job.conf.offsets = offsets;
  job.conf.offset_flush_interval_ms = 300;
  job_start(&job);
  wait_said(&job, "poll", 16);
  assert_int_equal(said(&job, "commit"), 0);
  assert_int_equal(access(file, F_OK), -1);
  assert_int_equal(mkdir(path, 0700), 0);
  wait_said(&job, "commit", 1);
  assert_int_equal(access(file, F_OK), 0);
  assert_int_equal(stored(1), 3);
  job_stop(&job);
  assert_int_equal(said(&job, "= FAILED"), 0);
}

#define SEND_FAILED                                                                                          \
  "org.apache.kafka.connect.errors.ConnectException: Unrecoverable exception from producer send callback\n"  \
  "Caused by: "

/* Two partitions; a record of the second fails after it was handed over. */
static void prefix_before_a_failed_delivery(void **state) {
  (void)state;
  plugin("plugin", SEND "return { api = 1, kind = 'source',\n"
                        "poll = function(ctx)\n"
                        "  send(ctx, 'prefix', 1, 0) send(ctx, 'prefix', 2, 1) send(ctx, 'prefix', 1, 2)\n"
                        "  send(ctx, 'nonesuch', 2, 3, 77)\n" /* has one partition, as is found out later */
                        "  send(ctx, 'prefix', 2, 4) send(ctx, 'prefix', 1, 5)\n"
                        "  ctx:sleep(50) say(ctx, 'poll')\n"
                        "end,\n"
                        "commit = function(ctx) say(ctx, 'commit') end,\n"
                        "stop = function(ctx) say(ctx, 'stop') end }\n");
  job_start(&job);
  job_failed(&job, SEND_FAILED, "opic nonesuch", "Unknown partition", NULL);
  /* When the client knows better at once, what comes after the record is not sent. */
  bool sent = strstr(job.trace, "record for topic nonesuch: ");
  job_stop(&job);
  assert_int_equal(stored(1), sent ? 5 : 2);
  assert_int_equal(stored(2), 1); /* 4 was delivered, but 3 was not */
  in_order(&job, "= RUNNING", "commit", "stop", "= FAILED", NULL);
}

static void too_large_for_the_client(void **state) {
  (void)state;
  plugin("plugin", SEND "return { api = 1, kind = 'source',\n"
                        "poll = function(ctx)\n"
                        "  for n = 0, 4 do send(ctx, 'large', 1, n) end\n"
                        "  send(ctx, 'large', 1, ('x'):rep(5000)) send(ctx, 'large', 1, 6)\n"
                        "end,\n"
                        "stop = function(ctx) say(ctx, 'stop') end }\n");
  job_set(&job, "message.max.bytes", "2000");
  job_start(&job);
  job_failed(&job,
             SEND_FAILED
             "org.apache.kafka.common.errors.RecordTooLargeException: Topic large: the record is 5000 bytes",
             "max.request.size", NULL);
  job_stop(&job);
  assert_int_equal(stored(1), 4);
  topic_is("large", 0, 5);
  in_order(&job, "= RUNNING", "stop", "= FAILED", NULL);
}

static void verbs_that_only_listen_may_throw(void **state) {
  (void)state;
  plugin("plugin",
         SEND "local n = 0\n"
              "return { api = 1, kind = 'source',\n"
              "poll = function(ctx) n = n + 1 if n < 4 then send(ctx, 'throwing', 1, n) end ctx:sleep(20)\n"
              "  say(ctx, 'poll') end,\n"
              "commit_record = function(ctx) say(ctx, 'record') error('r') end,\n"
              "commit = function(ctx) say(ctx, 'commit') error('c') end,\n"
              "stop = function(ctx) say(ctx, 'stop') error('s') end }\n");
  job.conf.offset_flush_interval_ms = 30;
  job_start(&job);
  wait_said(&job, "record", 3);
  wait_said(&job, "commit", 3);
  wait_stored(1, 3);
  job_stop(&job);
  assert_int_equal(said(&job, "stop"), 1);
  assert_int_equal(said(&job, "= FAILED"), 0);
}

/* -------------------------------------------------------------------- errors */

static void retriable_error_keeps_what_was_emitted(void **state) {
  (void)state;
  plugin("plugin",
         SEND "local n = 0\n"
              "return { api = 1, kind = 'source',\n"
              "poll = function(ctx)\n"
              "  if n == 12 then ctx:sleep(60000) return end\n"
              "  if n % 2 == 1 then n = n + 1 say(ctx, 'nothing') connect.retriable('nothing yet') end\n"
              "  send(ctx, 'kept', 1, n) send(ctx, 'kept', 1, n + 1) n = n + 3\n"
              "  send(ctx, 'kept', 1, n - 1) say(ctx, 'emitted')\n"
              "  if n < 12 then connect.retriable('lost %s', 'touch') end\n"
              "end }\n");
  job_start(&job);
  wait_said(&job, "emitted", 3);
  wait_said(&job, "nothing", 3);
  job_stop(&job);
  /* 0 1 2 | 4 5 6 | 8 9 10, each once */
  struct rig_task t;
  rig_consumer(&t, "look", "kept");
  struct cl_batch *b = rig_read(&t, 9, LONG_MS);
  assert_int_equal(b->n, 9);
  for (int i = 0; i < 9; i++)
    assert_int_equal(rig_value(b, (uint32_t)i), i + i / 3);
  cl_batch_unref(b);
  cl_consumer_close(t.c);
  assert_int_equal(said(&job, "nothing"), 3);
  assert_int_equal(said(&job, "= FAILED"), 0);
  assert_int_equal(stored(1), 10);
}

/* Nothing was emitted: a breath between the polls. */
static void retriable_errors_do_not_spin(void **state) {
  (void)state;
  plugin("plugin",
         SEND "local n = 0\n"
              "return { api = 1, kind = 'source',\n"
              "poll = function(ctx) n = n + 1 say(ctx, 'again') connect.retriable('not yet') end }\n");
  job_start(&job);
  wait_said(&job, "again", 1);
  int64_t begun = cl_now_ms();
  int before = said(&job, "again");
  wait_said(&job, "again", before + 5);
  assert_in_range(cl_now_ms() - begun, 400, LONG_MS);
  job_stop(&job);
  assert_int_equal(said(&job, "= FAILED"), 0);
}

static void fatal_error_names_the_line(void **state) {
  (void)state;
  char where[128];
  plugin("plugin", SEND "local n = 0\n"
                        "return { api = 1, kind = 'source',\n"
                        "poll = function(ctx)\n"
                        "  n = n + 1 send(ctx, 'fatal', 1, n - 1)\n"
                        "  if n == 3 then error('it broke') end\n" /* line 6 */
                        "end,\n"
                        "commit = function(ctx) say(ctx, 'commit') end,\n"
                        "stop = function(ctx) say(ctx, 'stop') end }\n");
  job_start(&job);
  snprintf(where, sizeof(where), "%s/plugin.lua:6", folder);
  job_failed(&job, "org.apache.kafka.connect.errors.ConnectException: ", where, "it broke", "\tat ", NULL);
  job_stop(&job);
  journal_is(&job, NULL, "= RUNNING\ncommit\nstop\n= FAILED\n");
  assert_int_equal(stored(1), 1);
  topic_is("fatal", 0, 2); /* what the failing poll had emitted is dropped */
}

static void failing_start_is_stopped_not_polled(void **state) {
  (void)state;
  plugin("plugin", "return { api = 1, kind = 'source',\n"
                   "start = function(ctx) say(ctx, 'start') error('no such server') end,\n"
                   "poll = function(ctx) say(ctx, 'poll') end,\n"
                   "commit = function(ctx) say(ctx, 'commit') end,\n"
                   "stop = function(ctx) say(ctx, 'stop') end }\n");
  job_start(&job);
  job_failed(&job, "no such server", "plugin.lua:3", NULL);
  job_stop(&job);
  journal_is(&job, NULL, "start\nstop\n= FAILED\n");
}

static void poll_hands_over_by_emit_only(void **state) {
  (void)state;
  plugin("plugin", "return { api = 1, kind = 'source', poll = function(ctx) return {} end }\n");
  job_start(&job);
  job_failed(&job, "poll returned a table", NULL);
  job_stop(&job);
}

static void client_settings_are_checked(void **state) {
  (void)state;
  plugin("plugin", "return { api = 1, kind = 'source', start = function(ctx) say(ctx, 'start') end,\n"
                   "poll = function() end, stop = function(ctx) say(ctx, 'stop') end }\n");
  job_set(&job, "linger.ms", "soon");
  job_start(&job);
  job_failed(&job, "soon", "linger.ms", NULL);
  job_stop(&job);
  journal_is(&job, NULL, "= FAILED\n");
}

/* ------------------------------------------------------------- pause, resume */

#define COUNTING                                                                                             \
  SEND "local n = 0\n"                                                                                       \
       "return { api = 1, kind = 'source',\n"                                                                \
       "start = function(ctx) say(ctx, 'start') end,\n"                                                      \
       "poll = function(ctx) ctx:sleep(10) send(ctx, ctx.config.topic, 1, n) n = n + 1 say(ctx, 'poll') "    \
       "end,\n"                                                                                              \
       "stop = function(ctx) say(ctx, 'stop') end }\n"

static void pauses_between_batches(void **state) {
  (void)state;
  plugin("plugin", COUNTING);
  json_object_set_new(job.config, "topic", json_string("pausing"));
  job.conf.offset_flush_interval_ms = 50;
  job_start(&job);
  wait_said(&job, "poll", 5);
  cl_task_pause(job.task, true);
  cl_task_pause(job.task, true);
  wait_said(&job, "= PAUSED", 1);
  int polls = said(&job, "poll");
  wait_stored(1, polls - 1); /* commits go on */
  usleep(200000);
  assert_int_equal(said(&job, "poll"), polls);
  cl_task_pause(job.task, false);
  wait_said(&job, "poll", polls + 5);
  in_order(&job, "start", "= RUNNING", "poll", "= PAUSED", "= RUNNING", "poll", NULL);
  assert_int_equal(said(&job, "start"), 1);
  cl_task_pause(job.task, true);
  wait_said(&job, "= PAUSED", 2);
  job_stop(&job);
  assert_int_equal(said(&job, "= RUNNING"), 2);
  assert_int_equal(said(&job, "stop"), 1);
  polls = said(&job, "poll");
  assert_int_equal(stored(1), polls - 1);
  topic_is("pausing", 0, (uint32_t)polls);
}

static void pause_ends_a_sleep(void **state) {
  (void)state;
  plugin("plugin", "return { api = 1, kind = 'source',\n"
                   "poll = function(ctx) say(ctx, 'poll') ctx:sleep(60000) end }\n");
  job_start(&job);
  wait_said(&job, "poll", 1);
  usleep(50000);
  cl_task_pause(job.task, true);
  wait_said(&job, "= PAUSED", 1);
  cl_task_pause(job.task, false);
  wait_said(&job, "poll", 2);
  job_stop(&job);
}

/* A plugin that waits in loops of its own is not parked, but must not spin either. */
static void pause_does_not_make_loops_spin(void **state) {
  (void)state;
  plugin("plugin",
         "return { api = 1, kind = 'source',\n"
         "start = function(ctx) for _ = 1, 10 do ctx:sleep(20) say(ctx, 'waited') end end,\n"
         "poll = function(ctx) while not ctx:stopping() do say(ctx, 'turn') ctx:sleep(20) end end }\n");
  job_start(&job);
  wait_said(&job, "waited", 1);
  cl_task_pause(job.task, true);
  int64_t from = cl_now_ms();
  wait_said(&job, "waited", 10);
  assert_in_range(cl_now_ms() - from, 100, 5000);
  cl_task_pause(job.task, false);
  wait_said(&job, "turn", 3);
  cl_task_pause(job.task, true);
  int turns = said(&job, "turn");
  usleep(400000);
  assert_in_range(said(&job, "turn"), turns + 2, turns + 25);
  job_stop(&job);
}

static void born_paused_waits_before_start(void **state) {
  (void)state;
  plugin("plugin", COUNTING);
  json_object_set_new(job.config, "topic", json_string("born"));
  job.conf.paused = true;
  job_start(&job);
  wait_said(&job, "= PAUSED", 1);
  usleep(100000);
  journal_is(&job, NULL, "= PAUSED\n");
  cl_task_pause(job.task, false);
  wait_said(&job, "poll", 1);
  in_order(&job, "= PAUSED", "start", "= RUNNING", "poll", NULL);
  job_stop(&job);
}

static void born_paused_and_stopped_never_starts(void **state) {
  (void)state;
  plugin("plugin", COUNTING);
  job.conf.paused = true;
  job_start(&job);
  wait_said(&job, "= PAUSED", 1);
  job_stop(&job);
  journal_is(&job, NULL, "= PAUSED\n");
}

static void stopped_at_once(void **state) {
  (void)state;
  plugin("plugin", COUNTING);
  json_object_set_new(job.config, "topic", json_string("brief"));
  for (int i = 0; i < 5; i++) {
    job_start(&job);
    usleep((useconds_t)(i * 20000));
    job_stop(&job);
  }
  assert_int_equal(said(&job, "start"), said(&job, "stop"));
  assert_int_equal(said(&job, "= FAILED"), 0);
}

/* ---------------------------------------------------------------- backpressure */

static void full_queue_holds_poll_back(void **state) {
  (void)state;
  plugin("plugin", SEND "local n = 0\n"
                        "return { api = 1, kind = 'source',\n"
                        "poll = function(ctx)\n"
                        "  if n == 300 then say(ctx, 'done') ctx:sleep(60000) return end\n"
                        "  for _ = 1, 100 do send(ctx, 'full', 1, n) n = n + 1 end\n"
                        "end }\n");
  job_set(&job, "queue.buffering.max.messages", "3");
  job_set(&job, "linger.ms", "0");
  job_start(&job);
  wait_said(&job, "done", 1);
  job_stop(&job);
  topic_is("full", 0, 300);
  assert_int_equal(stored(1), 299);
}

/* Nobody acknowledges: memory stays below the ceiling, stop waits for the reports for as long as a
 * commit may take, and commits nothing. */
static void no_broker(void **state) {
  (void)state;
  plugin("plugin", SEND "local n, big = 0, ('x'):rep(40000)\n"
                        "return { api = 1, kind = 'source',\n"
                        "poll = function(ctx)\n"
                        "  n = n + 1 say(ctx, 'poll') ctx:emit { topic = 'nowhere', value = big, "
                        "source_partition = { p = 1 }, source_offset = { n = n } }\n"
                        "end,\n"
                        "stop = function(ctx) say(ctx, 'stop') end }\n");
  job_set(&job, "bootstrap.servers", "127.0.0.1:1");
  job.conf.embedded = NULL;
  job.conf.memory_max = 16 << 20;
  job.conf.offset_flush_timeout_ms = 300;
  job.conf.final_wait_ms = 300;
  job_start(&job);
  wait_said(&job, "poll", 20);
  usleep(1000000);
  int polls = said(&job, "poll");
  assert_true(polls < 400);
  usleep(300000);
  assert_in_range(said(&job, "poll"), polls, polls + 2);
  int64_t from = cl_now_ms();
  job_stop(&job);
  assert_in_range(cl_now_ms() - from, 250, 4000);
  assert_int_equal(said(&job, "stop"), 1);
  assert_int_equal(said(&job, "= FAILED"), 0);
  assert_int_equal(stored(1), -1);
}

int main(void) {
#define task_test(name) cmocka_unit_test_setup_teardown(name, test_up, test_down)
  const struct CMUnitTest tests[] = {
      task_test(calls_come_in_order),
      task_test(next_task_goes_on_from_the_offset),
      task_test(commits_after_the_interval),
      task_test(failed_commit_is_tried_again),
      task_test(prefix_before_a_failed_delivery),
      task_test(too_large_for_the_client),
      task_test(verbs_that_only_listen_may_throw),
      task_test(retriable_error_keeps_what_was_emitted),
      task_test(retriable_errors_do_not_spin),
      task_test(fatal_error_names_the_line),
      task_test(failing_start_is_stopped_not_polled),
      task_test(poll_hands_over_by_emit_only),
      task_test(client_settings_are_checked),
      task_test(pauses_between_batches),
      task_test(pause_ends_a_sleep),
      task_test(pause_does_not_make_loops_spin),
      task_test(born_paused_waits_before_start),
      task_test(born_paused_and_stopped_never_starts),
      task_test(stopped_at_once),
      task_test(full_queue_holds_poll_back),
      task_test(no_broker),
  };
  return cmocka_run_group_tests(tests, suite_up, suite_down);
}
