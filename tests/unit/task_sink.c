/* SPDX-License-Identifier: Apache-2.0
 * Sink tasks on the embedded broker: the order of calls, what flush decides, what is
 * committed, what fails. Redelivery, rewinds and pauses: task_sink_again.c. */
#include "task_rig.h"

#define VERBS                                                                                                \
  "local function list(parts) local t = {} for i, p in ipairs(parts) do "                                    \
  "t[i] = p.topic .. '-' .. p.partition .. (p.offset and '=' .. p.offset or '') end "                        \
  "table.sort(t) return table.concat(t, ' ') end\n"                                                          \
  "local M = { api = 1, kind = 'sink',\n"                                                                    \
  "start = function(ctx) say(ctx, 'start') end,\n"                                                           \
  "open = function(ctx, parts) say(ctx, 'open %s', list(parts)) end,\n"                                      \
  "put = function(ctx, batch) if #batch == 0 then say(ctx, 'empty') end take(ctx, batch) end,\n"             \
  "flush = function(ctx, offsets) say(ctx, 'flush %s', list(offsets)) end,\n"                                \
  "close = function(ctx, parts) say(ctx, 'close %s', list(parts)) end,\n"                                    \
  "stop = function(ctx) say(ctx, 'stop') end }\n"

static void calls_come_in_order(void **state) {
  (void)state;
  plugin("plugin", TAKE VERBS "return M\n");
  rig_fill("calls", 0, 3);
  job_topics(&job, "calls", NULL);
  job_start(&job);
  wait_said(&job, "2@2", 1);
  assert_int_equal(group_offset("calls"), 0);
  int64_t from = cl_now_ms();
  job_stop(&job);
  assert_true(cl_now_ms() - from < 3000); /* not at the end of the poll's wait */
  journal_is(&job, "empty",
             "start\n= RUNNING\nopen calls-0\n0@0\n1@1\n2@2\nflush calls-0=3\nclose calls-0\nstop\n");
  assert_int_equal(group_offset("calls"), 3);

  rig_fill("calls", 3, 2); /* the next task goes on where this one ended */
  job_start(&job);
  wait_said(&job, "4@4", 1);
  job_stop(&job);
  assert_int_equal(said(&job, "2@2"), 1);
  assert_int_equal(group_offset("calls"), 5);
}

/* stop is called after the last commit: it is made when stop still runs. */
static void last_commit_comes_before_stop(void **state) {
  (void)state;
  char gate[160];
  plugin("plugin", TAKE VERBS "M.stop = function(ctx) say(ctx, 'stop')\n"
                              "  local gate = connect.file.reader { path = ctx.config.journal .. '.gate' }\n"
                              "  while not gate:line() do end end\n"
                              "return M\n");
  snprintf(gate, sizeof(gate), "%s.gate", job.journal);
  rig_fill("before-stop", 0, 4);
  job_topics(&job, "before-stop", NULL);
  job_start(&job);
  wait_said(&job, "3@3", 1);
  cl_task_ask_stop(job.task);
  wait_said(&job, "stop", 1);
  assert_int_equal(group_offset("before-stop"), 4);
  FILE *f = fopen(gate, "w");
  fputs("open\n", f);
  fclose(f);
  job_stop(&job);
}

static void puts_empty_batches(void **state) {
  (void)state;
  plugin("plugin",
         TAKE VERBS "M.start = function(ctx) say(ctx, 'start') ctx:timeout(20) end\n"
                    "M.put = function(ctx, batch) say(ctx, 'empty %d', #batch) ctx:timeout(20) end\n"
                    "return M\n");
  job_topics(&job, "nothing", NULL);
  job_start(&job);
  wait_said(&job, "empty 0", 10);
  job_stop(&job);
  in_order(&job, "start", "= RUNNING", "open nothing-0", "empty 0", "flush nothing-0=0", "close nothing-0",
           "stop", NULL);
  assert_int_equal(group_offset("nothing"), 0);
}

static void commits_after_the_interval(void **state) {
  (void)state;
  plugin("plugin", TAKE VERBS "return M\n");
  rig_fill("timed", 0, 5);
  job_topics(&job, "timed", NULL);
  job.conf.offset_flush_interval_ms = 100;
  job_start(&job);
  wait_group_offset(&job, "timed", 5);
  rig_fill("timed", 5, 5);
  wait_group_offset(&job, "timed", 10);
  wait_said(&job, "flush timed-0=10", 3); /* also without anything new */
  job_stop(&job);
  in_order(&job, "flush timed-0=5", "9@9", "flush timed-0=10", "close timed-0", NULL);
}

static void commits_on_request(void **state) {
  (void)state;
  plugin("plugin", TAKE VERBS "M.put = function(ctx, batch) take(ctx, batch) "
                              "if #batch > 0 then ctx:request_commit() ctx:timeout(10) end end\n"
                              "return M\n");
  rig_fill("asked", 0, 5);
  job_topics(&job, "asked", NULL);
  job_start(&job);
  wait_group_offset(&job, "asked", 5);
  job_stop(&job);
}

/* flush waits for the stop, so that the commit after it is answered when the consumer is closed. */
static void stopped_with_a_commit_under_way(void **state) {
  (void)state;
  plugin("plugin", TAKE "return { api = 1, kind = 'sink', put = function(ctx, batch) take(ctx, batch)\n"
                        "  if #batch > 0 then ctx:request_commit() end end,\n"
                        "flush = function(ctx) say(ctx, 'flush') ctx:sleep(60000) end }\n");
  job_topics(&job, "underway", NULL);
  for (int i = 0; i < 3; i++) {
    rig_fill("underway", i, 1);
    int flushes = said(&job, "flush");
    job_start(&job);
    wait_said(&job, "flush", flushes + 1);
    job_stop(&job);
  }
  assert_int_equal(said(&job, "= FAILED"), 0);
  assert_int_equal(group_offset("underway"), 3);
}

static void no_flush_commits_what_was_put(void **state) {
  (void)state;
  plugin("plugin", TAKE "return { api = 1, kind = 'sink', put = take }\n");
  rig_fill("plain", 0, 5);
  job_topics(&job, "plain", NULL);
  job.conf.offset_flush_interval_ms = 100;
  job_start(&job);
  wait_group_offset(&job, "plain", 5);
  job_stop(&job);
}

/* ---------------------------------------------------------- what flush returns */

/* A run in which flush answers by this Lua; afterwards the group is at expected. */
static void flush_answers(const char *body, int64_t expected) {
  char text[2048];
  snprintf(text, sizeof(text),
           "%s M.flush = function(ctx, offsets)\n"
           "  local all = offsets[1].offset say(ctx, 'flush %%s', list(offsets)) %s\n"
           "end\n"
           "return M\n",
           TAKE VERBS, body);
  plugin("plugin", text);
  unlink(job.journal);
  job_start(&job);
  wait_said(&job, "9@9", 1);
  wait_said(&job, "flush answers-0=10", 2);
  job_stop(&job);
  assert_int_equal(said(&job, "= FAILED"), 0);
  int64_t found = group_offset("answers");
  if (found != expected)
    job_fail(&job, "\"%s\" led to %lld, not %lld", body, (long long)found, (long long)expected);
}

static void flush_decides(void **state) {
  (void)state;
  rig_fill("answers", 0, 10);
  job_topics(&job, "answers", NULL);
  job.conf.offset_flush_interval_ms = 50;
  flush_answers("return {}", 0);
  flush_answers("return { { topic = 'answers', partition = 0, offset = all + 1 } }", 0);
  flush_answers("return { { topic = 'answers', partition = 0, offset = -2 } }", 0);
  flush_answers("return { { topic = 'answers', partition = 1, offset = 1 }, { topic = 'other', partition = "
                "0, offset = 1 }, "
                "{ topic = 'answers', partition = 0, offset = math.min(all, 3) } }",
                3);
  flush_answers("return { { topic = 'answers', partition = 0 } }", 3);
  flush_answers("return { { topic = 'answers', partition = 0, offset = 'all' } }", 3);
  flush_answers("return { { topic = 'answers', partition = 0, offset = 4.5 } }", 3);
  flush_answers("return { { topic = 'answers', offset = 5 }, 7, 'eight' }", 3);
  flush_answers("return { { topic = 'answers', partition = 0, offset = 1 } }", 1); /* back is allowed */
  flush_answers("return { { topic = 'answers', partition = 0, offset = math.min(all, 6) } }", 6);
  flush_answers("return offsets", 10);
}

/* A map instead of a list would never commit anything: a failure, so reading goes back. */
static void flush_answers_no_list(void **state) {
  (void)state;
  plugin("plugin", TAKE VERBS "local n = 0\n"
                              "M.flush = function(ctx, offsets) if offsets[1].offset < 3 then return end\n"
                              "  n = n + 1 say(ctx, 'flush') if n == 1 then return { x = 3 } end\n"
                              "  if n == 2 then return 'all of it' end end\n"
                              "return M\n");
  rig_fill("no-list", 0, 3);
  job_topics(&job, "no-list", NULL);
  job.conf.offset_flush_interval_ms = 100;
  job_start(&job);
  wait_said(&job, "2@2", 3);
  wait_group_offset(&job, "no-list", 3);
  job_stop(&job);
}

static void flush_answers_for_some_partitions(void **state) {
  (void)state;
  plugin("plugin",
         TAKE VERBS "M.flush = function(ctx, offsets) say(ctx, 'flush %s', list(offsets))\n"
                    "  for _, o in ipairs(offsets) do if o.topic == 'some-b' then return { o } end end end\n"
                    "return M\n");
  rig_fill("some-a", 0, 3);
  rig_fill("some-b", 10, 4);
  job_topics(&job, "some-a", "some-b");
  job_start(&job);
  wait_said(&job, "2@2", 1);
  wait_said(&job, "13@3", 1);
  job_stop(&job);
  in_order(&job, "open some-a-0 some-b-0", "flush some-a-0=3 some-b-0=4", "close some-a-0 some-b-0", NULL);
  assert_int_equal(group_offset("some-a"), 0);
  assert_int_equal(group_offset("some-b"), 4);
}

/* ---------------------------------------------------------------------- errors */

#define PUT_FAILED                                                                                           \
  "org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSinkTask due to unrecoverable "           \
  "exception.\nCaused by: "

static void failing_put_commits_what_was_put_before(void **state) {
  (void)state;
  plugin("plugin",
         TAKE VERBS "M.put = function(ctx, batch)\n"
                    "  for _, r in batch:records() do if r.value == '7' then error('full disk') end end\n"
                    "  take(ctx, batch) end\n"
                    "return M\n");
  char where[128];
  rig_fill("fatal", 0, 10);
  job_topics(&job, "fatal", NULL);
  job.conf.max_poll_records = 2;
  job_start(&job);
  snprintf(where, sizeof(where), "%s/plugin.lua:", folder);
  job_failed(&job, PUT_FAILED "org.apache.kafka.connect.errors.ConnectException: ", where, "full disk",
             "\tat ", NULL);
  job_stop(&job);
  char *text = journal_text(&job);
  int64_t safe = find_line(text, "6@6") ? 7 : 6; /* as the batches fell */
  free(text);
  char flush[64];
  snprintf(flush, sizeof(flush), "flush fatal-0=%d", (int)safe);
  in_order(&job, "= RUNNING", "5@5", flush, "close fatal-0", "stop", "= FAILED", NULL);
  assert_int_equal(said(&job, "7@7"), 0);
  assert_int_equal(group_offset("fatal"), safe);
}

static void bad_data_in_put_fails_the_task(void **state) {
  (void)state;
  plugin("plugin", TAKE VERBS
         "M.put = function(ctx, batch) if #batch > 0 then connect.data_error('odd row %d', 3) end end\n"
         "return M\n");
  rig_fill("odd", 0, 1);
  job_topics(&job, "odd", NULL);
  job_start(&job);
  job_failed(&job, PUT_FAILED "org.apache.kafka.connect.errors.DataException: odd row 3", NULL);
  job_stop(&job);
  in_order(&job, "flush odd-0=0", "close odd-0", "stop", NULL);
  assert_int_equal(group_offset("odd"), 0);
}

static void unconvertible_record_is_named(void **state) {
  (void)state;
  plugin("plugin", TAKE VERBS "return M\n");
  rig_fill("unreadable", 0, 3);
  send_value("unreadable", "{\"torn\":");
  job_topics(&job, "unreadable", NULL);
  job.value = JSON_CONVERTER;
  job.conf.max_poll_records = 1;
  job_start(&job);
  job_failed(&job,
             NOT_TOLERATED
             "org.apache.kafka.connect.errors.DataException: Error converting message value in topic "
             "'unreadable' partition 0 at offset 3 (org.apache.kafka.connect.json.JsonConverter), which "
             "looks like text: ",
             NULL);
  job_stop(&job);
  in_order(&job, "2@2", "flush unreadable-0=3", "close unreadable-0", "stop", "= FAILED", NULL);
  assert_int_equal(group_offset("unreadable"), 3);
}

static void failing_start_is_stopped(void **state) {
  (void)state;
  plugin("plugin",
         TAKE VERBS "M.start = function(ctx) say(ctx, 'start') error('no such server') end\nreturn M\n");
  job_topics(&job, "unstarted", NULL);
  job_start(&job);
  job_failed(&job, "no such server", NULL);
  job_stop(&job);
  journal_is(&job, NULL, "start\nstop\n= FAILED\n");
}

static void failing_open_is_closed(void **state) {
  (void)state;
  plugin("plugin",
         TAKE VERBS "M.open = function(ctx) say(ctx, 'open') error('no such table') end\nreturn M\n");
  rig_fill("unopened", 0, 3);
  job_topics(&job, "unopened", NULL);
  job_start(&job);
  job_failed(&job, "no such table", "plugin.lua", NULL);
  job_stop(&job);
  journal_is(&job, NULL, "start\n= RUNNING\nopen\nflush unopened-0=0\nclose unopened-0\nstop\n= FAILED\n");
}

static void failures_at_the_end_are_logged_only(void **state) {
  (void)state;
  plugin("plugin", TAKE VERBS "M.close = function(ctx) say(ctx, 'close') error('c') end\n"
                              "M.stop = function(ctx) say(ctx, 'stop') error('s') end\n"
                              "return M\n");
  rig_fill("ends", 0, 3);
  job_topics(&job, "ends", NULL);
  job_start(&job);
  wait_said(&job, "2@2", 1);
  job_stop(&job);
  journal_is(&job, "empty", "start\n= RUNNING\nopen ends-0\n0@0\n1@1\n2@2\nflush ends-0=3\nclose\nstop\n");
  assert_int_equal(group_offset("ends"), 3);
}

static void failing_flush_at_the_end_commits_nothing(void **state) {
  (void)state;
  plugin("plugin", TAKE VERBS "M.flush = function(ctx) say(ctx, 'flush') error('f') end\nreturn M\n");
  rig_fill("unflushed", 0, 3);
  job_topics(&job, "unflushed", NULL);
  job_start(&job);
  wait_said(&job, "2@2", 1);
  job_stop(&job);
  journal_is(&job, "empty",
             "start\n= RUNNING\nopen unflushed-0\n0@0\n1@1\n2@2\nflush\nclose unflushed-0\nstop\n");
  assert_int_equal(group_offset("unflushed"), 0);
}

/* -------------------------------------------------------------- pause, rebalance */

static void born_paused_waits_before_start(void **state) {
  (void)state;
  plugin("plugin", TAKE VERBS "return M\n");
  rig_fill("born", 0, 3);
  job_topics(&job, "born", NULL);
  job.conf.paused = true;
  job_start(&job);
  wait_said(&job, "= PAUSED", 1);
  usleep(200000);
  journal_is(&job, NULL, "= PAUSED\n");
  cl_task_pause(job.task, false);
  wait_said(&job, "2@2", 1);
  job_stop(&job);
  in_order(&job, "= PAUSED", "start", "= RUNNING", "open born-0", "2@2", "flush born-0=3", NULL);

  unlink(job.journal);
  job_start(&job);
  wait_said(&job, "= PAUSED", 1);
  job_stop(&job);
  journal_is(&job, NULL, "= PAUSED\n");
}

static void pause_holds_records_back(void **state) {
  (void)state;
  plugin("plugin", TAKE VERBS "return M\n");
  rig_fill("held", 0, 3);
  job_topics(&job, "held", NULL);
  job_start(&job);
  wait_said(&job, "2@2", 1);
  cl_task_pause(job.task, true);
  wait_said(&job, "= PAUSED", 1);
  wait_group_offset(&job, "held", 3); /* a commit is asked for */
  rig_fill("held", 3, 3);
  usleep(300000);
  assert_int_equal(said(&job, "3@3"), 0);
  cl_task_pause(job.task, false);
  wait_said(&job, "5@5", 1);
  job_stop(&job);
  in_order(&job, "= RUNNING", "2@2", "= PAUSED", "flush held-0=3", "= RUNNING", "3@3", "4@4", "5@5", NULL);
  assert_int_equal(said(&job, "open"), 1);
  assert_int_equal(said(&job, "start"), 1);
  assert_int_equal(group_offset("held"), 6);
}

/* A topic the regex matches appears: everything is given back and dealt anew. */
static void partitions_come_and_go(void **state) {
  (void)state;
  plugin("plugin", TAKE VERBS "return M\n");
  rig_fill("deal-a", 0, 3);
  job.conf.topics_regex = "deal-.*";
  job.conf.metadata_max_age_ms = 100;
  job_start(&job);
  wait_said(&job, "2@2", 1);
  rig_fill("deal-b", 10, 2);
  wait_said(&job, "11@1", 1);
  rig_fill("deal-a", 3, 1);
  wait_said(&job, "3@3", 1);
  job_stop(&job);
  in_order(&job, "open deal-a-0", "2@2", "flush deal-a-0=3", "close deal-a-0", "open deal-a-0 deal-b-0",
           "11@1", "3@3", "flush deal-a-0=4 deal-b-0=2", "close deal-a-0 deal-b-0", "stop", NULL);
  assert_int_equal(said(&job, "2@2"), 1);
  assert_int_equal(group_offset("deal-a"), 4);
  assert_int_equal(group_offset("deal-b"), 2);
}

static void failing_close_in_a_rebalance_fails_the_task(void **state) {
  (void)state;
  plugin("plugin",
         TAKE VERBS "M.close = function(ctx) say(ctx, 'close') error('stuck lock') end\nreturn M\n");
  rig_fill("lose-a", 0, 3);
  job.conf.topics_regex = "lose-.*";
  job.conf.metadata_max_age_ms = 100;
  job_start(&job);
  wait_said(&job, "2@2", 1);
  rig_fill("lose-b", 0, 1);
  job_failed(&job, "stuck lock", NULL);
  job_stop(&job);
  assert_int_equal(said(&job, "stop"), 1);
  assert_int_equal(group_offset("lose-a"), 3);
}

int main(void) {
#define task_test(name) cmocka_unit_test_setup_teardown(name, test_up, test_down)
  const struct CMUnitTest tests[] = {
      task_test(calls_come_in_order),
      task_test(last_commit_comes_before_stop),
      task_test(puts_empty_batches),
      task_test(commits_after_the_interval),
      task_test(commits_on_request),
      task_test(stopped_with_a_commit_under_way),
      task_test(no_flush_commits_what_was_put),
      task_test(flush_decides),
      task_test(flush_answers_no_list),
      task_test(flush_answers_for_some_partitions),
      task_test(failing_put_commits_what_was_put_before),
      task_test(bad_data_in_put_fails_the_task),
      task_test(unconvertible_record_is_named),
      task_test(failing_start_is_stopped),
      task_test(failing_open_is_closed),
      task_test(failures_at_the_end_are_logged_only),
      task_test(failing_flush_at_the_end_commits_nothing),
      task_test(born_paused_waits_before_start),
      task_test(pause_holds_records_back),
      task_test(partitions_come_and_go),
      task_test(failing_close_in_a_rebalance_fails_the_task),
  };
  return cmocka_run_group_tests(tests, suite_up, suite_down);
}
