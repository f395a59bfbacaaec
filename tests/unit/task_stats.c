/* SPDX-License-Identifier: Apache-2.0
 * What tasks count, proved by known amounts on the embedded broker. */
#include "task_rig.h"

static struct cl_stats *stats;

static void counted(void) {
  stats = cl_stats_new(30000, cl_now_ms());
  job.conf.stats = stats;
}

static void forget(void) {
  cl_stats_unref(stats);
  stats = NULL;
}

static struct cl_meter_view view(enum cl_meter_id id) {
  struct cl_meter_view v;
  cl_stats_meter_view(stats, id, cl_now_ms(), &v);
  return v;
}

static void wait_stat(enum cl_stat id, int64_t value) {
  int64_t deadline = cl_now_ms() + LONG_MS;
  while (cl_stats_get(stats, id) != value) {
    if (cl_now_ms() >= deadline)
      job_fail(&job, "stat %d is %lld, not %lld", (int)id, (long long)cl_stats_get(stats, id),
               (long long)value);
    usleep(5000);
  }
}

static void wait_sum(enum cl_meter_id id, int64_t sum) {
  int64_t deadline = cl_now_ms() + LONG_MS;
  while (view(id).sum != sum) {
    if (cl_now_ms() >= deadline)
      job_fail(&job, "meter %d is %lld, not %lld", (int)id, (long long)view(id).sum, (long long)sum);
    usleep(5000);
  }
}

static void source_counts(void **state) {
  (void)state;
  counted();
  plugin("plugin", SEND "local n = 0\n"
                        "return { api = 1, kind = 'source', poll = function(ctx)\n"
                        "  if n == 7 then ctx:sleep(60000) return end\n"
                        "  ctx:sleep(30)\n"
                        "  for _ = 1, n == 0 and 5 or 2 do send(ctx, 'counted', 1, n) n = n + 1 end\n"
                        "end }\n");
  job_start(&job);
  wait_sum(CL_METER_SENT, 7);
  wait_stat(CL_STAT_ACTIVE, 0);
  struct cl_meter_view read = view(CL_METER_READ), call = view(CL_METER_CALL);
  assert_int_equal(read.count, 2);
  assert_int_equal(read.sum, 7);
  assert_int_equal(read.max, 5);
  assert_int_equal(call.count, 2); /* the poll that hands nothing over says nothing */
  assert_true(call.avg >= 30000 && call.max >= 30000);
  assert_int_equal(view(CL_METER_ACTIVE).max >= 2, 1);
  assert_true(cl_stats_get(stats, CL_STAT_LUA_BYTES) > 100000);
  assert_in_range(cl_stats_get(stats, CL_STAT_CONNECTIONS), 1, 3);
  assert_true(cl_stats_get(stats, CL_STAT_BYTES_OUT) > 0);
  assert_true(cl_stats_get(stats, CL_STAT_BYTES_IN) > 0);
  assert_int_equal(view(CL_METER_COMMIT).count, 0);
  int64_t since;
  assert_int_equal(cl_stats_call(stats, &since), CL_VERB_NONE); /* it sleeps in our hands */
  job_stop(&job);
  assert_int_equal(view(CL_METER_COMMIT).count, 1);
  assert_int_equal(view(CL_METER_COMMIT_OK).sum, 1);
  assert_int_equal(cl_stats_get(stats, CL_STAT_CONNECTIONS), 0);
  forget();
}

static void bytes_of_a_client(void **state) {
  (void)state;
  counted();
  plugin("plugin",
         "local done\n"
         "return { api = 1, kind = 'source', poll = function(ctx)\n"
         "  if not done then ctx:emit { topic = 'wide', value = ('x'):rep(500000) } done = true end\n"
         "  ctx:sleep(60000) end }\n");
  job_start(&job);
  wait_said(&job, "= RUNNING", 1);
  wait_stat(CL_STAT_ACTIVE, 0);
  job_stop(&job);
  assert_in_range(cl_stats_get(stats, CL_STAT_BYTES_OUT), 500000, 510000);
  assert_in_range(cl_stats_get(stats, CL_STAT_BYTES_IN), 1, 10000);
  forget();
}

static void failed_commits_count(void **state) {
  (void)state;
  counted();
  char file[160];
  plugin("plugin", SEND "local done\n"
                        "return { api = 1, kind = 'source', poll = function(ctx)\n"
                        "  if not done then send(ctx, 'nowhere', 1, 0) done = true end\n"
                        "  ctx:sleep(60000) end }\n");
  snprintf(file, sizeof(file), "%s/missing/offsets", folder);
  cl_offsets_close(offsets);
  must(cl_offsets_open(file, &offsets, &err)); /* its folder is missing: writing fails */
  job.conf.offsets = offsets;
  job_start(&job);
  wait_said(&job, "= RUNNING", 1);
  usleep(100000);
  wait_stat(CL_STAT_ACTIVE, 0);
  job_stop(&job);
  assert_int_equal(view(CL_METER_COMMIT_OK).count, 1);
  assert_int_equal(view(CL_METER_COMMIT_OK).sum, 0);
  assert_int_equal(view(CL_METER_COMMIT).count, 0);
  forget();
}

static void sink_counts(void **state) {
  (void)state;
  counted();
  plugin("plugin", TAKE "return { api = 1, kind = 'sink', put = function(ctx, batch)\n"
                        "  take(ctx, batch)\n"
                        "  if #batch > 0 then ctx:sleep(40) end end }\n");
  rig_fill("measured", 0, 5);
  job_topics(&job, "measured", NULL);
  job_start(&job);
  wait_sum(CL_METER_SENT, 5);
  wait_stat(CL_STAT_ACTIVE, 5); /* nothing is committed yet */
  assert_int_equal(view(CL_METER_READ).sum, 5);
  assert_int_equal(cl_stats_get(stats, CL_STAT_PARTITIONS), 1);
  wait_stat(CL_STAT_LAG, 0);
  assert_int_equal(cl_stats_get(stats, CL_STAT_LAG_MAX), 0);
  assert_true(view(CL_METER_CALL).max >= 40000);
  assert_in_range(cl_stats_get(stats, CL_STAT_CONNECTIONS), 1, 4);
  assert_true(cl_stats_get(stats, CL_STAT_BYTES_IN) > 0);
  job_stop(&job);
  assert_int_equal(view(CL_METER_COMMIT_OK).sum, 1);
  assert_int_equal(cl_stats_get(stats, CL_STAT_CONNECTIONS), 0);
  forget();
}

static void commits_of_a_sink_count(void **state) {
  (void)state;
  counted();
  plugin("plugin", TAKE "return { api = 1, kind = 'sink', put = take }\n");
  rig_fill("committed", 0, 4);
  job_topics(&job, "committed", NULL);
  job.conf.offset_flush_interval_ms = 300;
  job_start(&job);
  wait_said(&job, "3@3", 1);
  wait_stat(CL_STAT_ACTIVE, 0);
  wait_stat(CL_STAT_COMMIT_SEQ, 3); /* also without anything new */
  job_stop(&job);
  assert_true(view(CL_METER_COMMIT).count >= 3);
  assert_int_equal(view(CL_METER_COMMIT_OK).sum, view(CL_METER_COMMIT_OK).count);
  forget();
}

/* Put keeps nothing: what is behind it lags. */
static void lag_is_what_put_has_not_taken(void **state) {
  (void)state;
  counted();
  plugin("plugin", TAKE "local n = 0\n"
                        "return { api = 1, kind = 'sink', put = function(ctx, batch)\n"
                        "  take(ctx, batch) n = n + #batch\n"
                        "  if n == 4 then ctx:pause('behind', 0) end end }\n");
  rig_fill("behind", 0, 10);
  job_topics(&job, "behind", NULL);
  job.conf.max_poll_records = 1; /* a larger batch may come in any parts */
  job_start(&job);
  wait_said(&job, "3@3", 1);
  wait_stat(CL_STAT_LAG, 6);
  assert_int_equal(cl_stats_get(stats, CL_STAT_LAG_MAX), 6);
  job_stop(&job);
  forget();
}

static void the_running_call_shows(void **state) {
  (void)state;
  int64_t since, from = cl_now_ms();
  counted();
  plugin("plugin", "return { api = 1, kind = 'sink',\n"
                   "start = function(ctx) say(ctx, 'start')\n"
                   "  local gate = connect.file.reader { path = ctx.config.gate }\n"
                   "  while not gate:line() do end end,\n"
                   "put = function() end }\n");
  char gate[160];
  snprintf(gate, sizeof(gate), "%s.gate", job.journal);
  json_object_set_new(job.config, "gate", json_string(gate));
  job_topics(&job, "shown", NULL);
  job_start(&job);
  wait_said(&job, "start", 1);
  assert_int_equal(cl_stats_call(stats, &since), CL_VERB_START);
  assert_in_range(since, from, cl_now_ms());
  FILE *f = fopen(gate, "w");
  fputs("open\n", f);
  fclose(f);
  wait_said(&job, "= RUNNING", 1);
  job_stop(&job);
  assert_int_equal(cl_stats_call(stats, &since), CL_VERB_NONE);
  unlink(gate);
  forget();
}

int main(void) {
#define task_test(name) cmocka_unit_test_setup_teardown(name, test_up, test_down)
  const struct CMUnitTest tests[] = {
      task_test(source_counts),           task_test(bytes_of_a_client),
      task_test(failed_commits_count),    task_test(sink_counts),
      task_test(commits_of_a_sink_count), task_test(lag_is_what_put_has_not_taken),
      task_test(the_running_call_shows),
  };
  return cmocka_run_group_tests(tests, suite_up, suite_down);
}
