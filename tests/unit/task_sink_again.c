/* SPDX-License-Identifier: Apache-2.0
 * Sink tasks on the embedded broker: the same batch again after a retriable error, reading
 * again after a failed flush or ctx:rewind, partitions a plugin pauses, batches it keeps. */
#include "task_rig.h"

#define FLUSH                                                                                                \
  "local function positions(ctx, offsets) local t = {} for i, o in ipairs(offsets) do t[i] = o.topic .. "    \
  "'=' .. o.offset end "                                                                                     \
  "table.sort(t) say(ctx, 'flush %s', table.concat(t, ' ')) end\n"

/* How many lines hold a record of one partition, that is offsets from..to once each in this
 * order from the n-th occurrence of `start` on. */
static void records_follow(const char *start, int from, int to) {
  char *text = journal_text(&job), line[32];
  const char *at = find_line(text, start);
  for (int i = from; i <= to; i++) {
    snprintf(line, sizeof(line), "%d@", i);
    at = at ? strchr(at, '\n') + 1 : NULL;
    while (at && *at && !(*at >= '0' && *at <= '9'))
      at = strchr(at, '\n') + 1;
    if (!at || strncmp(at, line, strlen(line)) != 0)
      job_fail(&job, "after \"%s\": %s is not next", start, line);
  }
  free(text);
}

/* -------------------------------------------------------------- the same batch */

/* Refuses three times; `wait` is what it asks for each time. */
#define REFUSING(wait)                                                                                       \
  TAKE FLUSH                                                                                                 \
      "local refused = 0\n"                                                                                  \
      "return { api = 1, kind = 'sink', flush = positions,\n"                                                \
      "put = function(ctx, batch)\n"                                                                         \
      "  if #batch > 0 and refused < 3 then\n"                                                               \
      "    refused = refused + 1 say(ctx, 'refused %d at %d', #batch, connect.time.monotonic()) " wait "\n"  \
      "    connect.retriable('not now')\n"                                                                   \
      "  end\n"                                                                                              \
      "  take(ctx, batch) end,\n"                                                                            \
      "close = function(ctx) say(ctx, 'close') end, stop = function(ctx) say(ctx, 'stop') end }\n"

#define CONVERTER                                                                                            \
  "local codec, config = require 'connect.codec'\n"                                                          \
  "return { api = 1, kind = 'converter', config = { { name = 'journal', type = 'string' } },\n"              \
  "configure = function(c) config = c end,\n"                                                                \
  "decode = function(datum) say({ config = config }, 'decode') codec.string_decode(datum) end,\n"            \
  "encode = function() end }\n"

/* Milliseconds between the first two lines that begin with start and end in a time. */
static int64_t pause_between(const char *start) {
  char *text = journal_text(&job);
  const char *first = find_line(text, start), *second = find_line(strchr(first, '\n') + 1, start);
  int64_t ms = strtoll(strstr(second, " at ") + 4, NULL, 10) - strtoll(strstr(first, " at ") + 4, NULL, 10);
  free(text);
  return ms;
}

static void same_batch_after_the_time_asked_for(void **state) {
  (void)state;
  plugin("counting", CONVERTER);
  plugin("plugin", REFUSING("ctx:timeout(150)"));
  rig_fill("again", 0, 5);
  job_topics(&job, "again", NULL);
  job.value = "counting";
  job_start(&job);
  wait_said(&job, "refused", 1);
  rig_fill("again", 5, 5); /* behind it; everything is paused */
  wait_said(&job, "9@9", 1);
  job_stop(&job);
  assert_int_equal(said(&job, "refused"), 3);
  assert_int_equal(said(&job, "decode"), 10); /* converted once */
  assert_in_range(pause_between("refused"), 140, 1500);
  in_order(&job, "refused", "refused", "refused", "0@0", "4@4", "5@5", "9@9", "flush again=10", "close",
           "stop", NULL);
  assert_int_equal(said(&job, "= FAILED"), 0);
  records_follow("refused", 0, 9);
  assert_int_equal(group_offset("again"), 10);
}

static void same_batch_when_the_next_commit_is_due(void **state) {
  (void)state;
  plugin("plugin", REFUSING(""));
  rig_fill("unasked", 0, 5);
  job_topics(&job, "unasked", NULL);
  job.conf.offset_flush_interval_ms = 200;
  job_start(&job);
  wait_said(&job, "4@4", 1);
  wait_said(&job, "flush unasked=5", 1);
  job_stop(&job);
  in_order(&job, "refused", "refused", "flush unasked=0", "refused", "flush unasked=0", "0@0",
           "flush unasked=5", NULL);
  assert_in_range(pause_between("refused"), 100, 1500);
  records_follow("refused", 0, 4);
}

static void stopped_while_refusing(void **state) {
  (void)state;
  plugin("plugin", TAKE FLUSH
         "return { api = 1, kind = 'sink', flush = positions,\n"
         "put = function(ctx, batch) for _, r in batch:records() do\n"
         "  if r.value == '4' then say(ctx, 'refused') connect.retriable('never') end end take(ctx, batch) "
         "end,\n"
         "close = function(ctx) say(ctx, 'close') end, stop = function(ctx) say(ctx, 'stop') end }\n");
  rig_fill("never", 0, 4);
  job_topics(&job, "never", NULL);
  job_start(&job);
  wait_said(&job, "3@3", 1);
  rig_fill("never", 4, 2);
  wait_said(&job, "refused", 1);
  job_stop(&job);
  in_order(&job, "3@3", "refused", "flush never=4", "close", "stop", NULL);
  assert_int_equal(said(&job, "= FAILED"), 0);
  assert_int_equal(group_offset("never"), 4);
}

/* Paused and resumed from outside while a batch is refused. */
static void paused_while_refusing(void **state) {
  (void)state;
  plugin("plugin", REFUSING("ctx:timeout(100)"));
  rig_fill("both", 0, 3);
  job_topics(&job, "both", NULL);
  job_start(&job);
  wait_said(&job, "refused", 1);
  cl_task_pause(job.task, true);
  wait_said(&job, "= PAUSED", 1);
  wait_said(&job, "0@0", 1); /* put goes on trying; the first batch may hold less than all */
  rig_fill("both", 3, 3);
  usleep(200000);
  assert_int_equal(said(&job, "3@3"), 0);
  cl_task_pause(job.task, false);
  wait_said(&job, "5@5", 1);
  job_stop(&job);
  records_follow("refused", 0, 5);
}

/* The refused batch's partition is taken and given again: its records are read again. */
static void rebalanced_while_refusing(void **state) {
  (void)state;
  plugin(
      "plugin", TAKE FLUSH
      "local allow = false\n"
      "return { api = 1, kind = 'sink', flush = positions,\n"
      "open = function(ctx, parts) say(ctx, 'open %d', #parts) allow = #parts == 2 end,\n"
      "put = function(ctx, batch)\n"
      "  if #batch > 0 and not allow then say(ctx, 'refused') ctx:timeout(50) connect.retriable('no') end\n"
      "  take(ctx, batch) end,\n"
      "close = function(ctx) say(ctx, 'close') end }\n");
  rig_fill("move-a", 0, 3);
  job.conf.topics_regex = "move-.*";
  job.conf.metadata_max_age_ms = 100;
  job_start(&job);
  wait_said(&job, "refused", 2);
  rig_fill("move-b", 10, 2);
  wait_said(&job, "11@1", 1);
  wait_said(&job, "2@2", 1);
  job_stop(&job);
  in_order(&job, "refused", "flush move-a=0", "close", "open 2", "0@0", "1@1", "2@2",
           "flush move-a=3 move-b=2", NULL);
  assert_int_equal(said(&job, "0@0"), 1);
  assert_int_equal(group_offset("move-a"), 3);
}

/* ------------------------------------------------------------------ flush fails */

static void failed_flush_reads_again(void **state) {
  (void)state;
  plugin("plugin",
         TAKE FLUSH "local n = 0\n"
                    "return { api = 1, kind = 'sink', put = take, flush = function(ctx, offsets)\n"
                    "  n = n + 1 positions(ctx, offsets)\n"
                    "  if n == 2 then say(ctx, 'failing') error('lost the connection') end end }\n");
  rig_fill("flushing", 0, 3);
  job_topics(&job, "flushing", NULL);
  job.conf.offset_flush_interval_ms = 300;
  job_start(&job);
  wait_group_offset(&job, "flushing", 3);
  rig_fill("flushing", 3, 4);
  wait_said(&job, "failing", 1);
  wait_group_offset(&job, "flushing", 7);
  job_stop(&job);
  assert_int_equal(said(&job, "2@2"), 1); /* committed before */
  assert_int_equal(said(&job, "= FAILED"), 0);
  char *text = journal_text(&job);
  if (find_line(find_line(text, "failing"), "3@3")) /* else it failed before they came */
    records_follow("failing", 3, 6);
  free(text);
}

/* Apache puts the refused batch first and commits beyond the records flush has lost. */
static void failed_flush_drops_the_refused_batch(void **state) {
  (void)state;
  plugin("plugin", TAKE FLUSH
         "local failed = false\n"
         "return { api = 1, kind = 'sink', put = function(ctx, batch)\n"
         "  for _, r in batch:records() do if r.value == '3' and not failed then\n"
         "    say(ctx, 'refused') ctx:request_commit() ctx:timeout(50) connect.retriable('not now') end end\n"
         "  take(ctx, batch) end,\n"
         "flush = function(ctx, offsets)\n"
         "  positions(ctx, offsets)\n"
         "  if not failed and offsets[1].offset > 0 then failed = true say(ctx, 'failing') error('no') end "
         "end }\n");
  rig_fill("drop", 0, 3);
  job_topics(&job, "drop", NULL);
  job_start(&job);
  wait_said(&job, "2@2", 1);
  rig_fill("drop", 3, 3);
  wait_said(&job, "5@5", 1);
  job_stop(&job);
  in_order(&job, "2@2", "refused", "flush drop=3", "failing", "0@0", "5@5", "flush drop=6", NULL);
  records_follow("failing", 0, 5);
  assert_int_equal(said(&job, "3@3"), 1);
  assert_int_equal(group_offset("drop"), 6);
}

/* ----------------------------------------------------------------------- rewind */

static void rewinds_before_reading(void **state) {
  (void)state;
  rig_fill("jump", 0, 6);
  job_topics(&job, "jump", NULL);
  static const char *const verbs[] = {"open", "start"};
  for (int i = 0; i < 2; i++) {
    char text[1024];
    snprintf(text, sizeof(text),
             "%s return { api = 1, kind = 'sink', put = take, flush = positions,\n"
             "%s = function(ctx) ctx:rewind('jump', 0, %d) end }\n",
             TAKE FLUSH, verbs[i], 4 - i);
    plugin("plugin", text);
    unlink(job.journal);
    job_start(&job);
    wait_said(&job, "5@5", 1);
    job_stop(&job);
    assert_int_equal(said(&job, "2@2"), 0);
    records_follow("= RUNNING", 4 - i, 5);
    assert_int_equal(group_offset("jump"), 6);
  }
}

static void rewinds_inside_put(void **state) {
  (void)state;
  plugin(
      "plugin", TAKE FLUSH
      "local done = false\n"
      "return { api = 1, kind = 'sink', flush = positions, put = function(ctx, batch)\n"
      "  take(ctx, batch) for _, r in batch:records() do if r.value == '4' and not done then\n"
      "    done = true say(ctx, 'rewinding') ctx:rewind('back', 0, 2) ctx:request_commit() ctx:timeout(50)\n"
      "  end end end }\n");
  rig_fill("back", 0, 5);
  job_topics(&job, "back", NULL);
  job_start(&job);
  wait_said(&job, "4@4", 2);
  job_stop(&job);
  /* What goes back is not committed before it has come again. */
  in_order(&job, "4@4", "rewinding", "flush back=2", "2@2", "3@3", "4@4", "flush back=5", NULL);
  assert_int_equal(said(&job, "1@1"), 1);
  assert_int_equal(group_offset("back"), 5);
}

/* A batch that is refused and rewound is read again, not put again. */
static void rewinds_a_refused_batch(void **state) {
  (void)state;
  plugin("plugin",
         TAKE FLUSH "local done = false\n"
                    "return { api = 1, kind = 'sink', flush = positions, put = function(ctx, batch)\n"
                    "  for _, r in batch:records() do if r.value == '4' and not done then\n"
                    "    done = true say(ctx, 'rewinding') ctx:rewind('both-a', 0, 1) ctx:timeout(50)\n"
                    "    connect.retriable('again, from 1') end end\n"
                    "  take(ctx, batch) end }\n");
  rig_fill("both-a", 0, 4);
  job_topics(&job, "both-a", NULL);
  job_start(&job);
  wait_said(&job, "3@3", 1);
  rig_fill("both-a", 4, 2);
  wait_said(&job, "5@5", 1);
  job_stop(&job);
  records_follow("rewinding", 1, 5);
  assert_int_equal(group_offset("both-a"), 6);
}

static void rewinds_and_pauses_at_once(void **state) {
  (void)state;
  plugin(
      "plugin", TAKE FLUSH
      "local turns\n"
      "return { api = 1, kind = 'sink', flush = positions, put = function(ctx, batch)\n"
      "  take(ctx, batch) ctx:timeout(20)\n"
      "  if turns then turns = turns + 1 if turns == 5 then ctx:resume('rp', 0) say(ctx, 'resumed') end end\n"
      "  for _, r in batch:records() do if r.value == '4' and not turns then\n"
      "    turns = 0 ctx:rewind('rp', 0, 2) ctx:pause('rp', 0) end end end }\n");
  rig_fill("rp", 0, 5);
  job_topics(&job, "rp", NULL);
  job_start(&job);
  wait_said(&job, "4@4", 2);
  job_stop(&job);
  in_order(&job, "4@4", "resumed", "2@2", "3@3", "4@4", NULL);
  records_follow("resumed", 2, 4);
}

static void rewinds_only_what_is_assigned(void **state) {
  (void)state;
  plugin("plugin", TAKE "local function try(ctx, ...) say(ctx, '%s', select(2, pcall(...)).message) end\n"
                        "return { api = 1, kind = 'sink', put = function(ctx, batch)\n"
                        "  for _, name in ipairs { 'rewind', 'pause', 'resume' } do\n"
                        "    try(ctx, ctx[name], ctx, 'elsewhere', 3, 1) end\n"
                        "  try(ctx, ctx.rewind, ctx, 'mine', 0, -1)\n"
                        "  take(ctx, batch) end }\n");
  rig_fill("mine", 0, 1);
  job_topics(&job, "mine", NULL);
  job_start(&job);
  wait_said(&job, "0@0", 1);
  job_stop(&job);
  in_order(&job, "cannot rewind elsewhere-3: it is not assigned to this task",
           "cannot pause elsewhere-3: it is not assigned to this task",
           "cannot resume elsewhere-3: it is not assigned to this task", "cannot rewind mine-0 to -1", NULL);
  assert_int_equal(said(&job, "= FAILED"), 0);
}

/* ----------------------------------------------------------- the plugin's pauses */

static void plugin_pauses_a_partition(void **state) {
  (void)state;
  plugin("plugin", TAKE FLUSH
         "local turns = 0\n"
         "return { api = 1, kind = 'sink', flush = positions,\n"
         "open = function(ctx) ctx:pause('hold-b', 0)\n"
         "  for _, p in ipairs(ctx:assignment()) do say(ctx, 'mine %s-%d', p.topic, p.partition) end end,\n"
         "start = function(ctx) ctx:timeout(20) end,\n"
         "put = function(ctx, batch) take(ctx, batch) ctx:timeout(20)\n"
         "  for _, r in batch:records() do if r.value == '2' then turns = 1 end end\n"
         "  if turns > 0 then turns = turns + 1 end\n"
         "  if turns == 10 then say(ctx, 'resumed') ctx:resume('hold-b', 0) end end }\n");
  rig_fill("hold-a", 0, 3);
  rig_fill("hold-b", 10, 3);
  job_topics(&job, "hold-a", "hold-b");
  job_start(&job);
  wait_said(&job, "12@2", 1);
  job_stop(&job);
  in_order(&job, "mine hold-a-0", "2@2", "resumed", "10@0", "11@1", "12@2", "flush hold-a=3 hold-b=3", NULL);
  in_order(&job, "mine hold-b-0", "resumed", "10@0", NULL);
}

/* What the plugin resumes while the connector is paused waits for the connector. */
static void connector_pause_wins(void **state) {
  (void)state;
  plugin("plugin",
         TAKE "local n = 0\n"
              "return { api = 1, kind = 'sink', start = function(ctx) ctx:timeout(20) end,\n"
              "open = function(ctx) ctx:pause('win', 0) end,\n"
              "put = function(ctx, batch) take(ctx, batch) n = n + 1 say(ctx, 'put %d', n) ctx:timeout(20)\n"
              "  if n == 20 then ctx:resume('win', 0) say(ctx, 'resumed') end end }\n");
  rig_fill("win", 0, 3);
  job_topics(&job, "win", NULL);
  job_start(&job);
  wait_said(&job, "put 3", 1);
  cl_task_pause(job.task, true);
  wait_said(&job, "resumed", 1);
  wait_said(&job, "put 25", 1);
  assert_int_equal(said(&job, "0@0"), 0);
  cl_task_pause(job.task, false);
  wait_said(&job, "2@2", 1);
  job_stop(&job);
  in_order(&job, "= PAUSED", "resumed", "= RUNNING", "0@0", NULL);
}

/* --------------------------------------------------------------- retained batches */

static void keeps_batches_across_puts(void **state) {
  (void)state;
  plugin("plugin", TAKE "local kept = {}\n"
                        "return { api = 1, kind = 'sink', start = function(ctx) ctx:timeout(20) end, put = "
                        "function(ctx, batch)\n"
                        "  ctx:timeout(20)\n"
                        "  if #batch > 0 then batch:retain() kept[#kept + 1] = batch say(ctx, 'kept') end\n"
                        "  local n = 0 for _, b in ipairs(kept) do n = n + #b end\n"
                        "  if n == 9 then for _, b in ipairs(kept) do take(ctx, b) b:release() end kept = {} "
                        "say(ctx, 'released')\n"
                        "  elseif n == 3 and #batch == 0 then say(ctx, 'waiting') end end }\n");
  rig_fill("keep", 0, 3);
  job_topics(&job, "keep", NULL);
  job.conf.max_poll_records = 4;
  job_start(&job);
  wait_said(&job, "waiting", 2);
  rig_fill("keep", 3, 6);
  wait_said(&job, "released", 1);
  int kept = said(&job, "kept");
  rig_fill("keep", 9, 2); /* kept when the task ends */
  wait_said(&job, "kept", kept + 1);
  job_stop(&job);
  records_follow("kept", 0, 8);
}

int main(void) {
#define task_test(name) cmocka_unit_test_setup_teardown(name, test_up, test_down)
  const struct CMUnitTest tests[] = {
      task_test(same_batch_after_the_time_asked_for),
      task_test(same_batch_when_the_next_commit_is_due),
      task_test(stopped_while_refusing),
      task_test(paused_while_refusing),
      task_test(rebalanced_while_refusing),
      task_test(failed_flush_reads_again),
      task_test(failed_flush_drops_the_refused_batch),
      task_test(rewinds_before_reading),
      task_test(rewinds_inside_put),
      task_test(rewinds_a_refused_batch),
      task_test(rewinds_and_pauses_at_once),
      task_test(rewinds_only_what_is_assigned),
      task_test(plugin_pauses_a_partition),
      task_test(connector_pause_wins),
      task_test(keeps_batches_across_puts),
  };
  return cmocka_run_group_tests(tests, suite_up, suite_down);
}
