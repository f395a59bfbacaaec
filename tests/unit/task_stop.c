/* SPDX-License-Identifier: Apache-2.0
 * The stop ladder: ask, interrupt, abandon; and what else a plugin may do to its worker. What is
 * abandoned is leaked on purpose, so each test runs in a process of its own that ends by _exit;
 * this one starts no threads. */
#include "task_rig.h"

#include <sys/wait.h>

#define TICKING                                                                                              \
  "local n = 0\n"                                                                                            \
  "return { api = 1, kind = 'source', poll = function(ctx) n = n + 1 say(ctx, 'tick')\n"                     \
  "  ctx:emit { topic = 'ticks', value = 'x', source_partition = { p = 1 }, source_offset = { n = n } } "    \
  "ctx:sleep(10) end }\n"

static struct job other; /* a healthy task beside the one of the test */

static void other_goes_on(void) { wait_said(&other, "tick", said(&other, "tick") + 10); }

static void in_child(void (*body)(void)) {
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    alarm(60);
    setenv("CMOCKA_TEST_ABORT", "1", 1); /* a failure ends the child */
    if (suite_up(NULL) != 0 || test_up(NULL) != 0)
      _exit(1);
    job_init(&other, "other");
    plugin("other", TICKING);
    job_start(&other);
    wait_said(&other, "tick", 1);
    body();
    other_goes_on();
    job_stop(&other);
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    _exit(0);
  }
  int status = -1;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_int_equal(status, 0);
}

/* ------------------------------------------------------------------ interrupted */

static void interrupt(void) {
  static const char *const loops[] = {
      "poll = function(ctx) say(ctx, 'looping') while true do end end",
      "poll = function() end, start = function(ctx) say(ctx, 'looping') while true do end end",
      "poll = function(ctx) say(ctx, 'looping') while true do pcall(function() while true do end end) end "
      "end",
      "poll = function(ctx) say(ctx, 'looping') coroutine.wrap(function() while true do end end)() end",
  };
  for (size_t i = 0; i < sizeof(loops) / sizeof(*loops); i++) {
    char text[512];
    snprintf(text, sizeof(text),
             "return { api = 1, kind = 'source', %s,\nstop = function(ctx) say(ctx, 'stop') end }\n",
             loops[i]);
    plugin("plugin", text);
    unlink(job.journal);
    job.conf.jit = false;
    job_start(&job);
    wait_said(&job, "looping", 1);
    int64_t from = cl_now_ms();
    if (!job_join(&job, 200))
      job_fail(&job, "not interrupted: %s", loops[i]);
    assert_in_range(cl_now_ms() - from, 200, 5000);
    wait_said(&job, "stop", 1);
    assert_int_equal(said(&job, "= FAILED"), 0); /* it was asked to end */
    other_goes_on();
  }
  assert_int_equal(cl_task_abandoned_total(), 0);
}

static void interrupt_stop(void) {
  plugin("plugin",
         TAKE "return { api = 1, kind = 'sink', put = take, close = function(ctx) say(ctx, 'close') end,\n"
              "stop = function(ctx) say(ctx, 'stop') while true do end end }\n");
  rig_fill("stopping", 0, 3);
  job_topics(&job, "stopping", NULL);
  job.conf.jit = false;
  job_start(&job);
  wait_said(&job, "2@2", 1);
  assert_true(job_join(&job, 500));
  in_order(&job, "close", "stop", NULL);
  assert_int_equal(group_offset("stopping"), 3);
}

/* Two at once: the second is not waited for longer because of the first. */
static void share_the_deadline(void) {
  static struct job second;
  plugin("plugin", "return { api = 1, kind = 'source', poll = function(ctx) say(ctx, 'looping') while true "
                   "do end end }\n");
  plugin("second", "return { api = 1, kind = 'source', poll = function(ctx) say(ctx, 'looping') while true "
                   "do end end }\n");
  job_init(&second, "second");
  job.conf.jit = second.conf.jit = false;
  job_start(&job);
  job_start(&second);
  wait_said(&job, "looping", 1);
  wait_said(&second, "looping", 1);
  int64_t from = cl_now_ms();
  cl_task_ask_stop(job.task);
  cl_task_ask_stop(second.task);
  assert_true(cl_task_join(&job.task, 1, from + 1000) == 0);
  assert_true(cl_task_join(&second.task, 1, from + 1000) == 0);
  assert_in_range(cl_now_ms() - from, 1000, 4000);
}

/* --------------------------------------------------------------------- abandoned */

#define COMPILED "local x = 0 while true do x = x + 1 end"

static void log_has(const char *text) {
  char path[128], log[1 << 16];
  snprintf(path, sizeof(path), "%s/log", folder);
  FILE *f = fopen(path, "r");
  assert_non_null(f);
  log[fread(log, 1, sizeof(log) - 1, f)] = '\0';
  fclose(f);
  if (!strstr(log, text))
    job_fail(&job, "not in the log: %s", text);
}

static void abandon_source(void) {
  plugin(
      "plugin",
      "local n = 0\nreturn { api = 1, kind = 'source', poll = function(ctx)\n"
      "  ctx:emit { topic = 'stuck', value = 'x', source_partition = { p = 1 }, source_offset = { n = 1 } }\n"
      "  n = n + 1 if n == 2 then say(ctx, 'looping') " COMPILED " end end,\n"
      "stop = function(ctx) say(ctx, 'stop') end }\n");
  job_start(&job);
  wait_said(&job, "looping", 1);
  int64_t from = cl_now_ms();
  assert_false(job_join(&job, 300));
  assert_in_range(cl_now_ms() - from, 300, 5000);
  assert_int_equal(cl_task_abandoned_total(), 1);
  log_has("task plugin-0 did not stop in time and is given up: its thread (plugin plugin) has not ended");
  other_goes_on();
  /* A task takes its place. */
  plugin("plugin", TICKING);
  job_start(&job);
  wait_said(&job, "tick", 5);
  job_stop(&job);
  journal_is(&job, "tick", "= RUNNING\nlooping\n= RUNNING\n");
  assert_int_equal(cl_task_abandoned_total(), 1);
}

static void abandon_sink(void) {
  plugin("plugin", TAKE "return { api = 1, kind = 'sink', put = function(ctx, batch)\n"
                        "  take(ctx, batch) if #batch > 0 then " COMPILED " end end }\n");
  rig_fill("stuck-put", 0, 50);
  job_topics(&job, "stuck-put", NULL);
  job.conf.max_poll_records = 1; /* the others wait in the consumer's queue */
  job_start(&job);
  wait_said(&job, "0@0", 1);
  assert_false(job_join(&job, 300));
  assert_int_equal(cl_task_abandoned_total(), 1);
  assert_int_equal(group_offset("stuck-put"), 0);
  plugin("plugin", TAKE "return { api = 1, kind = 'sink', put = take }\n");
  job_start(&job);
  wait_said(&job, "49@49", 1);
  assert_int_equal(said(&job, "0@0"), 2);
  job_stop(&job);
  assert_int_equal(group_offset("stuck-put"), 50);
}

/* What a stuck thread does when it comes back has no effect. */
static void come_back(void) {
  plugin("plugin", "return { api = 1, kind = 'source', poll = function(ctx)\n"
                   "  say(ctx, 'looping') local x = 0 for i = 1, 2e9 do x = x + i end\n"
                   "  ctx:emit { topic = 'late', value = tostring(x), source_partition = { p = 1 }, "
                   "source_offset = { n = 1 } }\n"
                   "  say(ctx, 'back') end }\n");
  job_start(&job);
  wait_said(&job, "looping", 1);
  assert_false(job_join(&job, 100));
  assert_int_equal(cl_task_abandoned_total(), 1);
  for (int64_t deadline = cl_now_ms() + LONG_MS; cl_task_abandoned_total() > 0 && cl_now_ms() < deadline;)
    usleep(10000);
  assert_int_equal(cl_task_abandoned_total(), 0);
  journal_is(&job, NULL, "= RUNNING\nlooping\n");
  struct rig_task t;
  rig_consumer(&t, "look", "late");
  struct cl_batch *b = rig_read(&t, 1, 500);
  assert_int_equal(b->n, 0);
  json_t *partition = json_pack("{s:i}", "p", 1), *offset = NULL;
  must(cl_offsets_get(offsets, "plugin", partition, &offset, &err));
  assert_null(offset);
}

/* ------------------------------------------------------------- system calls, memory */

static void read_standard_input(void) {
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  dup2(ends[0], STDIN_FILENO);
  plugin("plugin", "local reader = connect.file.reader {}\n"
                   "return { api = 1, kind = 'source', poll = function(ctx)\n"
                   "  say(ctx, 'reading') local line = reader:line() if line then say(ctx, '<%s>', line) "
                   "else ctx:sleep(1000) end end }\n");
  job_start(&job);
  wait_said(&job, "reading", 1);
  assert_int_equal(write(ends[1], "one\n", 4), 4);
  wait_said(&job, "<one>", 1);
  usleep(300000);
  assert_true(job_join(&job, LONG_MS));
}

static void eat_memory(void) {
  plugin("plugin", "local t = {}\nreturn { api = 1, kind = 'source', poll = function(ctx)\n"
                   "  while true do t[#t + 1] = ('x'):rep(100000) .. #t end end,\n"
                   "stop = function(ctx) t = nil say(ctx, 'stop') end }\n");
  job_start(&job);
  job_failed(&job, "not enough memory", "connect.lua.memory.max.bytes", NULL);
  job_stop(&job);
  in_order(&job, "= RUNNING", "stop", "= FAILED", NULL);
}

#define child(name, body)                                                                                    \
  static void name(void **state) {                                                                           \
    (void)state;                                                                                             \
    in_child(body);                                                                                          \
  }

child(interpreted_loops_are_interrupted, interrupt) child(loop_in_stop_is_interrupted, interrupt_stop)
    child(tasks_share_the_deadline, share_the_deadline) child(compiled_source_is_abandoned, abandon_source)
        child(compiled_sink_is_abandoned, abandon_sink) child(abandoned_thread_comes_back, come_back)
            child(standard_input_does_not_hold_up, read_standard_input) child(memory_is_capped, eat_memory)

                int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(interpreted_loops_are_interrupted), cmocka_unit_test(loop_in_stop_is_interrupted),
      cmocka_unit_test(tasks_share_the_deadline),          cmocka_unit_test(compiled_source_is_abandoned),
      cmocka_unit_test(compiled_sink_is_abandoned),        cmocka_unit_test(abandoned_thread_comes_back),
      cmocka_unit_test(standard_input_does_not_hold_up),   cmocka_unit_test(memory_is_capped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
