/* SPDX-License-Identifier: Apache-2.0
 * Source tasks whose records fail or are dropped on their way: what is sent before, what is
 * told and committed, which records commit_record is called with. */
#include "task_rig.h"

static void unconvertible_record_is_named(void **state) {
  (void)state;
  plugin("plugin", "return { api = 1, kind = 'source',\n"
                   "poll = function(ctx) ctx:emit { topic = 'odd', value = { a = 1 }, "
                   "source_partition = { file = 'f' }, source_offset = { at = 7 } } end }\n");
  job.value = BYTES_CONVERTER;
  job_start(&job);
  job_failed(&job,
             NOT_TOLERATED
             "org.apache.kafka.connect.errors.DataException: Error converting message value for topic "
             "'odd' from source partition {\"file\":\"f\"} at source offset {\"at\":7} (" BYTES_CONVERTER
             "): ",
             NULL);
  job_stop(&job);
}

/* Drops 1, refuses 3 and what does not look like a number. */
#define CHANGE                                                                                               \
  "return { api = 1, kind = 'transform', apply = function(r)\n"                                              \
  "  if r.value == '1' then return nil end\n"                                                                \
  "  if r.value == '3' then connect.data_error 'three is refused' end\n"                                     \
  "  r.topic = 'changed'\n"                                                                                  \
  "  return r\n"                                                                                             \
  "end }\n"

#define POLL_ONCE(last)                                                                                      \
  SEND "local polled\n"                                                                                      \
       "return { api = 1, kind = 'source',\n"                                                                \
       "poll = function(ctx)\n"                                                                              \
       "  if polled then say(ctx, 'polled again') ctx:sleep(60000) return end\n"                             \
       "  polled = true\n"                                                                                   \
       "  for n = 0, 4 do send(ctx, 'emitted', n % 2, n) end\n" last "end,\n"                                \
       "commit_record = function(ctx, record, at)\n"                                                         \
       "  say(ctx, 'record %s of %s: %s', record.value, record.topic,\n"                                     \
       "    at and ('%s %d@%d'):format(at.topic, at.partition, at.offset) or 'dropped') end,\n"              \
       "commit = function(ctx) say(ctx, 'commit') end,\n"                                                    \
       "stop = function(ctx) say(ctx, 'stop') end }\n"

/* Those before it are sent, acknowledged and committed; then the task fails. */
static void records_before_a_failing_one_are_sent(void **state) {
  (void)state;
  const char *const polls[] = {POLL_ONCE(""), POLL_ONCE("connect.retriable 'the line is bad'\n")};
  plugin("change", CHANGE);
  for (int i = 0; i < 2; i++) {
    plugin("plugin", polls[i]);
    job.transform = "change";
    job_start(&job);
    job_failed(&job,
               NOT_TOLERATED
               "org.apache.kafka.connect.errors.DataException: Error transforming record for topic "
               "'emitted' from source partition {\"p\":1} at source offset {\"n\":3} (transform "
               "'change', change): three is refused",
               NULL);
    job_stop(&job);
    in_order(&job, "= RUNNING", "record 1 of emitted: dropped", "commit", "stop", "= FAILED", NULL);
    char line[64];
    snprintf(line, sizeof(line), "record 0 of emitted: changed 0@%d", 2 * i);
    assert_int_equal(said(&job, line), 1);
    snprintf(line, sizeof(line), "record 2 of emitted: changed 0@%d", 2 * i + 1);
    assert_int_equal(said(&job, line), 1);
    assert_int_equal(said(&job, "record"), 3);
    assert_int_equal(said(&job, "polled again"), 0);
    assert_int_equal(stored(0), 2);
    assert_int_equal(stored(1), -1);
    unlink(job.journal);
  }
}

/* Told at once, not with the acknowledged ones. */
static void dropped_records_are_told(void **state) {
  (void)state;
  plugin("change", "return { api = 1, kind = 'transform', apply = function(r)\n"
                   "  if tonumber(r.value) % 2 == 1 then return nil end\n"
                   "  r.value = r.value .. '0'\n"
                   "  return r\n"
                   "end }\n");
  plugin("plugin", POLL_ONCE(""));
  job.transform = "change";
  job_start(&job);
  wait_said(&job, "polled again", 1);
  in_order(&job, "record 1 of emitted: dropped", "record 3 of emitted: dropped", "polled again", NULL);
  usleep(100000);
  job_stop(&job);
  in_order(&job, "record 0 of emitted: emitted 0@0", "record 2 of emitted: emitted 0@1",
           "record 4 of emitted: emitted 0@2", NULL);
  assert_int_equal(said(&job, "record"), 5);
  assert_int_equal(stored(0), 4);
}

/* More deliveries at once than the first room for them holds. */
static void many_deliveries_are_told(void **state) {
  (void)state;
  plugin("plugin", SEND "local n = 0\n"
                        "return { api = 1, kind = 'source',\n"
                        "poll = function(ctx)\n"
                        "  if n == 3000 then ctx:sleep(20) return end\n"
                        "  for _ = 1, 1000 do send(ctx, 'many', 1, n) n = n + 1 end\n"
                        "end,\n"
                        "commit_record = function(ctx, record) say(ctx, 'record %s', record.value) end }\n");
  job_start(&job);
  wait_said(&job, "record", 3000);
  job_stop(&job);
  assert_int_equal(said(&job, "record"), 3000);
  assert_int_equal(stored(1), 2999);
}

#define task_test(f) cmocka_unit_test_setup_teardown(f, test_up, test_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      task_test(unconvertible_record_is_named),
      task_test(records_before_a_failing_one_are_sent),
      task_test(dropped_records_are_told),
      task_test(many_deliveries_are_told),
  };
  return cmocka_run_group_tests(tests, suite_up, suite_down);
}
