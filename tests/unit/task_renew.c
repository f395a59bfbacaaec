/* SPDX-License-Identifier: Apache-2.0
 * A task that takes over other generations of its plugins: at once, in part, again and again. */
#include "task_rig.h"

#include "base/stats.h"

static struct cl_plugins *set;

/* The plugins as the files are now. */
static void look(void) {
  struct cl_plugins *next = NULL;
  json_t *paths = json_pack("[s]", folder);
  must(cl_plugins_rescan(control, CL_SOURCE_DIR, paths, set, NULL, &next, &err));
  json_decref(paths);
  cl_plugins_unref(set);
  set = next;
}

static void write_transform(const char *body, int version) {
  char text[1024];
  snprintf(text, sizeof(text),
           "local V = %d return { api = 1, kind = 'transform', apply = function(r, s) %s "
           "return r end }",
           version, body);
  plugin("change", text);
}

/* What the job's task is to run now. */
static struct cl_task_parts parts_now(struct job *j) {
  struct cl_task_parts p = {.plugin = {job_find(set, CL_PLUGIN_SINK, j->plugin), json_incref(j->config)},
                            .key = job_part(set, j, j->key, "key"),
                            .value = job_part(set, j, j->value, "value"),
                            .transforms = j->transform ? job_chain(set, j) : NULL};
  cl_plugin_ref(p.plugin.plugin);
  cl_plugin_ref(p.key.plugin);
  cl_plugin_ref(p.value.plugin);
  return p;
}

struct news {
  pthread_mutex_t lock;
  int taken, rejected;
  uint64_t transform; /* generation that runs */
  char why[2048];
};
static struct news news = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void on_renewed(void *arg, int task, uint64_t generation, const struct cl_task_parts *now,
                       const struct cl_plugin *rejected, const struct cl_err *why) {
  (void)arg, (void)task, (void)generation;
  pthread_mutex_lock(&news.lock);
  if (now) {
    news.taken++;
    news.transform = now->transforms ? now->transforms->v[0].transform->generation : 0;
  } else if (rejected) {
    news.rejected++;
    snprintf(news.why, sizeof(news.why), "%s", why->msg);
  }
  pthread_mutex_unlock(&news.lock);
}

static int taken(void) {
  pthread_mutex_lock(&news.lock);
  int n = news.taken;
  pthread_mutex_unlock(&news.lock);
  return n;
}

/* Hands the files of now over and waits until the task has looked. */
static void renew(void) {
  int before = taken();
  look();
  struct cl_task_parts parts = parts_now(&job);
  assert_true(cl_task_renew(job.task, &parts));
  cl_task_parts_clear(&parts);
  for (int64_t deadline = cl_now_ms() + LONG_MS; taken() == before; usleep(1000)) {
    if (cl_now_ms() > deadline)
      job_fail(&job, "the task has not looked");
  }
}

/* A sink whose plugin says each value, with a transform; started, with its topic. */
static void start(const char *topic, const char *sink) {
  plugin("plugin", sink);
  job_topics(&job, topic, NULL);
  job.transform = "change";
  job.conf.renewed = on_renewed;
  news = (struct news){.lock = PTHREAD_MUTEX_INITIALIZER};
  look();
  job_start_with(&job, set);
  wait_said(&job, "= RUNNING", 1);
}

#define SINK TAKE "return { api = 1, kind = 'sink', put = take "

static void test_transforms(void **state) {
  (void)state;
  write_transform("r.value = connect.text(r.value) .. V", 1);
  start("renew-transforms", SINK "}");
  send_value("renew-transforms", "a");
  wait_said(&job, "a1@0", 1);
  write_transform("r.value = connect.text(r.value) .. V", 2);
  renew();
  send_value("renew-transforms", "b");
  wait_said(&job, "b2@1", 1);
  plugin("change", "return { api = 1, kind = 'transform', configure = function() error 'not here' end, "
                   "apply = function(r) return r end }");
  renew(); /* refused in the task: what ran goes on */
  assert_int_equal(news.rejected, 1);
  assert_int_equal(news.transform, 2);
  assert_non_null(strstr(news.why, "change.lua:2: not here"));
  send_value("renew-transforms", "c");
  wait_said(&job, "c2@2", 1);
  write_transform("r.value = connect.text(r.value) .. V", 4);
  renew();
  assert_int_equal(news.transform, 4);
  send_value("renew-transforms", "d");
  wait_said(&job, "d4@3", 1);
  job_stop(&job);
  wait_group_offset(&job, "renew-transforms", 4);
}

/* A plugin with its version as V. */
static void write_plugin(const char *class, const char *text, int version) {
  char all[1024];
  snprintf(all, sizeof(all), "local V = %d %s", version, text);
  plugin(class, all);
}

/* Each of them alone: the others keep their instances, and so what these have counted. */
static void test_predicates_and_converters(void **state) {
  (void)state;
  static const char conv[] = "return { api = 1, kind = 'converter', encode = function() end, "
                             "decode = function(datum) datum:set(datum:text() .. V) end }",
                    when[] = "return { api = 1, kind = 'predicate', "
                             "test = function(r) return connect.text(r.value):find(V, 1, true) ~= nil end }",
                    count[] =
                        "return { api = 1, kind = 'transform', configure = function() return { n = 0 } end, "
                        "apply = function(r, s) s.n = s.n + 1 r.value = connect.text(r.value) .. '+' .. s.n "
                        "return r end }";
  write_plugin("conv", conv, 1);
  write_plugin("when", when, 1);
  write_plugin("change", count, 1);
  job.value = "conv";
  job.predicate = "when";
  start("renew-others", SINK "}");
  send_value("renew-others", "a");
  wait_said(&job, "a1+1@0", 1);
  write_plugin("conv", conv, 2); /* the predicate looks for a 1 */
  renew();
  send_value("renew-others", "b");
  wait_said(&job, "b2@1", 1);
  write_plugin("when", when, 2);
  renew();
  send_value("renew-others", "c");
  wait_said(&job, "c2+2@2", 1);
  plugin("conv", "return { api = 1, kind = 'converter', encode = function() end, decode = function() end, "
                 "configure = function() error 'not here' end }");
  renew();
  assert_int_equal(news.rejected, 1);
  send_value("renew-others", "d");
  wait_said(&job, "d2+3@3", 1);
  job_stop(&job);
}

/* The sink's own state goes on; an old generation's functions are not called any more. */
static void test_connector(void **state) {
  (void)state;
  static const char generation[] = /* %d and %s: its number, what its reload does first */
      "local V = %d return { api = 1, kind = 'sink', start = function(ctx) ctx.n = 0 end, "
      "put = function(ctx, batch) for _ in batch:records() do ctx.n = ctx.n + 1 "
      "say(ctx, V .. ':' .. ctx.n) end end, stop = function(ctx) say(ctx, 'stop ' .. V) end, "
      "reload = function(ctx, old) %s ctx.n = old.n end }";
  char text[1024];
  write_transform("", 1);
  snprintf(text, sizeof(text), generation, 1, "");
  start("renew-connector", text);
  send_value("renew-connector", "a");
  wait_said(&job, "1:1", 1);
  snprintf(text, sizeof(text), generation, 2, "");
  plugin("plugin", text);
  renew();
  send_value("renew-connector", "b");
  wait_said(&job, "2:2", 1);
  snprintf(text, sizeof(text), generation, 3, "error 'no'");
  plugin("plugin", text);
  renew();
  assert_int_equal(news.rejected, 1);
  send_value("renew-connector", "c");
  wait_said(&job, "2:3", 1);
  job_stop(&job);
  assert_int_equal(said(&job, "stop 2"), 1);
  assert_int_equal(said(&job, "stop "), 1);
}

/* Each generation brings a schema, a regular expression, a module table and work for the compiler. */
static void test_a_thousand(void **state) {
  (void)state;
  static const char body[] = "s.n = s.n + 1 r.value = connect.text(r.value) .. V";
  char text[1024];
  int64_t lua[3] = {0}, arena[3] = {0};
  job.conf.stats = cl_stats_new(1000, cl_now_ms());
  for (int i = 1; i <= 1000; i++) {
    snprintf(
        text, sizeof(text),
        "local V = %d local regex = require 'connect.regex' local pad = ('x'):rep(20000) .. V "
        "return { api = 1, kind = 'transform', configure = function() return { n = 0, pad = pad, "
        "re = regex.new '[a-z]+', schema = connect.schema.struct { name = 's', fields = { { 'f', 'string' }, "
        "{ 'g' .. V %% 2, 'int64' } } } } end, apply = function(r, s) %s return r end }",
        i, body);
    plugin("change", text);
    if (i == 1) {
      start("renew-often", SINK "}");
      continue;
    }
    renew();
    assert_int_equal(news.rejected, 0);
    if (i % 100 == 0) {
      send_value("renew-often", "v");
      snprintf(text, sizeof(text), "v%d@", i);
      wait_said(&job, text, 1);
    }
    int at = i == 100 ? 0 : i == 550 ? 1 : i == 1000 ? 2 : -1;
    if (at >= 0) {
      lua[at] = cl_stats_get(job.conf.stats, CL_STAT_LUA_BYTES);
      arena[at] = cl_stats_get(job.conf.stats, CL_STAT_ARENA_BYTES);
    }
  }
  assert_true(lua[0] > 0);
  if (lua[2] > lua[0] + 100000 || arena[2] > arena[0] + 20000)
    job_fail(&job, "Lua %lld, %lld, %lld; records %lld, %lld, %lld", (long long)lua[0], (long long)lua[1],
             (long long)lua[2], (long long)arena[0], (long long)arena[1], (long long)arena[2]);
  job_stop(&job);
  cl_stats_unref(job.conf.stats);
  job.conf.stats = NULL;
}

static int down(void **state) {
  int rc = test_down(state);
  cl_plugins_unref(set);
  set = NULL;
  return rc;
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, test_up, down)
  const struct CMUnitTest tests[] = {TEST(test_transforms), TEST(test_predicates_and_converters),
                                     TEST(test_connector), TEST(test_a_thousand)};
  return cmocka_run_group_tests(tests, suite_up, suite_down);
}
