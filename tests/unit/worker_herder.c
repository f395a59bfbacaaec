/* SPDX-License-Identifier: Apache-2.0
 * The herder: what each command does to connectors and their tasks, and what it answers.
 * Many callers at once, and its end: worker_herder_load.c. */
#include "worker_rig.h"

#include "base/clock.h"
#include "task/task.h"

extern const void *const worker_herder_keeps[];
const void *const worker_herder_keeps[] = {(const void *)cl_ffi_writer_open};

/* A line `start id` and `stop id` for each task in the file of config.journal. */
static const char plain_lua[] =
    "local connect = require 'connect'\n"
    "local function say(ctx, what)\n"
    "  local out = connect.file.writer { path = ctx.config.journal }\n"
    "  out:line(what .. ' ' .. ctx.task.id) out:close()\n"
    "end\n"
    "return { api = 1, kind = 'source', version = '1.2',\n"
    "config = { { name = 'journal', type = 'string' }, { name = 'count', type = 'int', default = 1 },\n"
    "  { name = 'mode', type = 'string', default = '' } },\n"
    "validate = function(config)\n"
    "  if config.mode == 'refused' then return { mode = { 'one wrong', 'two wrong' }, journal = 'three "
    "wrong' } end\n"
    "  if config.mode == 'broken' then error('validate broke') end end,\n"
    "tasks = function(config, max)\n"
    "  if config.mode == 'throw' then error('no such server') end\n"
    "  if config.mode == 'nonsense' then return 7 end\n"
    "  if config.mode == 'nested' then return { { a = { 1 } } } end\n"
    "  local list = {}\n"
    "  for i = 1, config.mode == 'many' and max + 1 or tonumber(config.count or 1) do\n"
    "    list[i] = { mode = config.mode, journal = config.journal, part = i } end\n"
    "  return list\n"
    "end,\n"
    "start = function(ctx) say(ctx, 'start') if ctx.config.mode == 'unstartable' then error('cannot start') "
    "end end,\n"
    "poll = function(ctx) ctx:sleep(20) if ctx.config.mode == 'second' and ctx.task.id == 1 then error('poll "
    "broke') end end,\n"
    "stop = function(ctx) say(ctx, 'stop') end }\n";

/* Compiled: cannot be interrupted. */
static const char stuck_lua[] =
    "return { api = 1, kind = 'source', poll = function() local x = 0 while true do x = x + 1 end end }\n";

static struct rig *rig;
static char journal[128];

/* -------------------------------------------------------------------- looking */

static int count(const char *line) {
  char text[65536] = "";
  FILE *f = fopen(journal, "r");
  if (f) {
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
  }
  int n = 0;
  for (const char *at = text; (at = strstr(at, line)); at += strlen(line))
    n++;
  return n;
}

static void is(struct cl_reply reply, int status, const char *message) {
  if (reply.status != status || (message && !strstr(cl_json_str(reply.body, "message"), message)))
    fail_msg("not %d: %d %s", status, reply.status, reply.body ? cl_json_str(reply.body, "message") : "");
  cl_reply_clear(&reply);
}

static const char *text_of(struct cl_reply reply) {
  static char text[16384];
  char *json = cl_json_text(reply.body);
  snprintf(text, sizeof text, "%s", json ? json : "");
  free(json);
  cl_reply_clear(&reply);
  return text;
}

static const char *look(enum cl_query_kind kind, const char *name) {
  return text_of(rig_ask(rig, (struct cl_query){.kind = kind, .name = name}));
}

/* "RUNNING: RUNNING FAILED": the states of the connector and its tasks. */
static const char *states(const char *name) {
  static char text[512];
  struct cl_reply reply = rig_ask(rig, (struct cl_query){.kind = CL_GET_STATUS, .name = name});
  int n = snprintf(text, sizeof text, "%s:", cl_json_str(json_object_get(reply.body, "connector"), "state"));
  size_t i;
  json_t *task;
  json_array_foreach (json_object_get(reply.body, "tasks"), i, task) {
    assert_int_equal(json_integer_value(json_object_get(task, "id")), i);
    n += snprintf(text + n, sizeof text - (size_t)n, " %s", cl_json_str(task, "state"));
  }
  cl_reply_clear(&reply);
  return text;
}

static void wait_states(const char *name, const char *wanted) {
  int64_t until = cl_now_ms() + 15000;
  while (strcmp(states(name), wanted) != 0) {
    if (cl_now_ms() > until)
      fail_msg("%s is %s, not %s\n%s", name, states(name), wanted, look(CL_GET_STATUS, name));
    usleep(5000);
  }
}

static json_t *plain(const char *mode, const char *tasks) {
  return config_of("connector.class", "plain", "tasks.max", "3", "journal", journal, "mode", mode, "count",
                   tasks, NULL);
}

static struct cl_reply create(const char *name, json_t *config, const char *initial_state) {
  struct cl_command *cmd = calloc(1, sizeof *cmd);
  struct cl_reply reply = {0};
  *cmd = (struct cl_command){.kind = CL_CMD_CREATE,
                             .name = strdup(name),
                             .config = config,
                             .initial_state = initial_state ? strdup(initial_state) : NULL};
  cl_herder_call(rig->herder, cmd, &reply);
  return reply;
}

static struct cl_reply restart(const char *name, bool include_tasks, bool only_failed) {
  struct cl_command *cmd = calloc(1, sizeof *cmd);
  struct cl_reply reply = {0};
  *cmd = (struct cl_command){.kind = CL_CMD_RESTART,
                             .name = strdup(name),
                             .include_tasks = include_tasks,
                             .only_failed = only_failed};
  cl_herder_call(rig->herder, cmd, &reply);
  return reply;
}

static struct cl_reply run(enum cl_command_kind kind, const char *name) {
  return rig_run(rig, kind, name, NULL);
}

static struct cl_reply put(const char *name, json_t *config) {
  return rig_run(rig, CL_CMD_PUT_CONFIG, name, config);
}

/* -------------------------------------------------------------- create, delete */

static void create_and_delete(void **state) {
  (void)state;
  struct cl_reply reply = create(" c1 ", plain("", "2"), NULL);
  assert_int_equal(reply.status, 201);
  assert_string_equal(reply.location, "c1");
  char expected[512];
  snprintf(expected, sizeof expected,
           "{\"name\":\"c1\",\"config\":{\"connector.class\":\"plain\",\"tasks.max\":\"3\",\"journal\":\"%"
           "s\",\"mode\":\"\","
           "\"count\":\"2\",\"name\":\"c1\"},\"tasks\":[{\"connector\":\"c1\",\"task\":0},{\"connector\":"
           "\"c1\",\"task\":1}],"
           "\"type\":\"source\"}",
           journal);
  assert_string_equal(text_of(reply), expected);
  assert_string_equal(look(CL_GET_CONNECTOR, "c1"), expected);
  assert_string_equal(look(CL_GET_CONNECTORS, NULL), "[\"c1\"]");
  assert_non_null(
      strstr(look(CL_GET_TASKS, "c1"),
             "{\"id\":{\"connector\":\"c1\",\"task\":1},\"config\":{\"task.class\":\"plainTask\""));
  assert_non_null(strstr(look(CL_GET_TASKS, "c1"), "\"part\":\"2\""));
  wait_states("c1", "RUNNING: RUNNING RUNNING");
  assert_non_null(strstr(look(CL_GET_STATUS, "c1"),
                         "{\"state\":\"RUNNING\",\"worker_id\":\"here:1\",\"version\":\"1.2\"}"));
  is(create("c1", plain("", "1"), NULL), 409, "Connector c1 already exists");
  assert_int_equal(count("start 0"), 1);
  is(run(CL_CMD_DELETE, "c1"), 204, NULL);
  assert_int_equal(count("stop"), 2); /* both have ended when the answer comes */
  is(run(CL_CMD_DELETE, "c1"), 404, "Connector c1 not found");
  is(rig_ask(rig, (struct cl_query){.kind = CL_GET_STATUS, .name = "c1"}), 404,
     "No status found for connector c1");
  is(rig_ask(rig, (struct cl_query){.kind = CL_GET_CONFIG, .name = "c1"}), 404, "Connector c1 not found");
  assert_string_equal(look(CL_GET_CONNECTORS, NULL), "[]");
}

static void created_paused_or_stopped(void **state) {
  (void)state;
  is(create("c2", plain("", "2"), "paused"), 201, NULL);
  assert_string_equal(states("c2"), "PAUSED:");
  is(create("c3", plain("", "1"), "STOPPED"), 201, NULL);
  assert_string_equal(states("c3"), "STOPPED:");
  is(create("c4", plain("", "1"), "sleeping"), 400, "sleeping");
  is(create("c4", config_of("connector.class", "plain", "name", "other", NULL), NULL), 400,
     "Connector name configuration (other) doesn't match connector name in the URL (c4)");
  assert_string_equal(look(CL_GET_CONNECTORS, NULL), "[\"c2\",\"c3\"]");
  assert_int_equal(count("start"), 0);
  is(run(CL_CMD_RESUME, "c2"), 202, NULL);
  is(run(CL_CMD_RESUME, "c3"), 202, NULL);
  wait_states("c2", "RUNNING: RUNNING RUNNING");
  wait_states("c3", "RUNNING: RUNNING");
  is(run(CL_CMD_DELETE, "c2"), 204, NULL);
  is(run(CL_CMD_DELETE, "c3"), 204, NULL);
}

/* ----------------------------------------------------------------- put, restart */

static void put_changes_tasks_only_when_needed(void **state) {
  (void)state;
  struct cl_reply reply = put("p", plain("", "1"));
  assert_int_equal(reply.status, 201);
  assert_string_equal(reply.location, "p");
  cl_reply_clear(&reply);
  wait_states("p", "RUNNING: RUNNING");
  reply = put("p", plain("", "1"));
  assert_int_equal(reply.status, 200);
  assert_null(reply.location);
  cl_reply_clear(&reply);
  assert_int_equal(count("start"), 1);
  is(put("p", plain("", "3")), 200, NULL);
  assert_int_equal(count("stop 0"), 1);
  wait_states("p", "RUNNING: RUNNING RUNNING RUNNING");
  assert_int_equal(count("start"), 4);
  json_t *config = plain("", "3"); /* the same task configs, another connector config */
  json_object_set_new(config, "producer.override.linger.ms", json_string("3"));
  is(put("p", config), 200, NULL);
  wait_states("p", "RUNNING: RUNNING RUNNING RUNNING");
  assert_int_equal(count("start"), 7);
  is(put("p", plain("", "0")), 200, NULL);
  assert_string_equal(states("p"), "RUNNING:");
  is(put("p", config_of("connector.class", "nobody", NULL)), 400,
     "Failed to find any class that implements Connector");
  assert_string_equal(states("p"), "RUNNING:");
  is(run(CL_CMD_DELETE, "p"), 204, NULL);
}

static void put_waits_for_resume(void **state) {
  (void)state;
  is(put("q", plain("", "1")), 201, NULL);
  wait_states("q", "RUNNING: RUNNING");
  is(run(CL_CMD_PAUSE, "q"), 202, NULL);
  wait_states("q", "PAUSED: PAUSED");
  is(put("q", plain("", "2")), 200, NULL);
  assert_string_equal(states("q"), "PAUSED: PAUSED");
  assert_non_null(strstr(look(CL_GET_CONFIG, "q"), "\"count\":\"2\""));
  is(run(CL_CMD_RESUME, "q"), 202, NULL);
  wait_states("q", "RUNNING: RUNNING RUNNING");
  is(run(CL_CMD_STOP, "q"), 204, NULL);
  assert_string_equal(states("q"), "STOPPED:");
  assert_int_equal(count("start"), count("stop"));
  is(put("q", plain("", "3")), 200, NULL);
  assert_string_equal(states("q"), "STOPPED:");
  is(run(CL_CMD_PAUSE, "q"), 202, NULL);
  assert_string_equal(states("q"), "PAUSED:");
  is(run(CL_CMD_RESUME, "q"), 202, NULL);
  wait_states("q", "RUNNING: RUNNING RUNNING RUNNING");
  is(run(CL_CMD_DELETE, "q"), 204, NULL);
}

static void pause_keeps_tasks(void **state) {
  (void)state;
  is(put("z", plain("", "2")), 201, NULL);
  wait_states("z", "RUNNING: RUNNING RUNNING");
  for (int i = 0; i < 3; i++) {
    is(run(CL_CMD_PAUSE, "z"), 202, NULL);
    is(run(CL_CMD_PAUSE, "z"), 202, NULL);
    wait_states("z", "PAUSED: PAUSED PAUSED");
    is(run(CL_CMD_RESUME, "z"), 202, NULL);
    is(run(CL_CMD_RESUME, "z"), 202, NULL);
    wait_states("z", "RUNNING: RUNNING RUNNING");
  }
  assert_int_equal(count("start"), 2);
  is(run(CL_CMD_PAUSE, "z"), 202, NULL);
  is(restart("z", true, false), 202, NULL); /* stays paused */
  wait_states("z", "PAUSED: PAUSED PAUSED");
  is(run(CL_CMD_DELETE, "z"), 204, NULL);
}

static void restarts(void **state) {
  (void)state;
  is(put("r", plain("second", "3")), 201, NULL); /* task 1 fails */
  wait_states("r", "RUNNING: RUNNING FAILED RUNNING");
  assert_non_null(
      strstr(look(CL_GET_STATUS, "r"), "\"trace\":\"org.apache.kafka.connect.errors.ConnectException: "));
  assert_non_null(strstr(look(CL_GET_STATUS, "r"), "plain.lua:22: poll broke"));
  is(restart("r", false, false), 204, NULL); /* the connector alone */
  assert_int_equal(count("start"), 3);
  struct cl_reply reply = restart("r", true, true);
  assert_int_equal(reply.status, 202);
  const char *plan = text_of(reply);
  assert_non_null(strstr(plan, "\"connector\":{\"state\":\"RUNNING\""));
  assert_non_null(strstr(plan, "{\"id\":0,\"state\":\"RUNNING\""));
  assert_non_null(strstr(plan, "{\"id\":1,\"state\":\"RESTARTING\""));
  wait_states("r", "RUNNING: RUNNING FAILED RUNNING");
  assert_int_equal(count("start 1"), 2);
  assert_int_equal(count("start"), 4);
  reply = restart("r", false, true); /* nothing of it has failed */
  assert_int_equal(reply.status, 202);
  assert_null(strstr(text_of(reply), "RESTARTING"));
  reply = restart("r", true, false);
  assert_int_equal(reply.status, 202);
  assert_non_null(strstr(text_of(reply), "\"connector\":{\"state\":\"RESTARTING\""));
  assert_int_equal(count("stop 0"), 1);
  wait_states("r", "RUNNING: RUNNING FAILED RUNNING");
  assert_int_equal(count("start"), 7);
  is(run(CL_CMD_RESTART_TASK, "r"), 204, NULL); /* task 0 */
  assert_int_equal(count("stop 0"), 2);
  wait_states("r", "RUNNING: RUNNING FAILED RUNNING");
  is(run(CL_CMD_STOP, "r"), 204, NULL);
  is(restart("r", true, false), 202, NULL);
  assert_string_equal(states("r"), "STOPPED:");
  is(restart("nobody", true, false), 404, "Unknown connector: nobody");
  is(run(CL_CMD_DELETE, "r"), 204, NULL);
}

/* ---------------------------------------------------------------------- failures */

static void failing_tasks_verb(void **state) {
  (void)state;
  is(put("t", plain("throw", "1")), 500,
     "plain.lua:13: no such server (connector t was created and is FAILED)");
  assert_string_equal(states("t"), "FAILED:");
  assert_non_null(strstr(look(CL_GET_STATUS, "t"), "no such server"));
  is(restart("t", false, false), 500, "no such server");
  is(put("t", plain("many", "1")), 500,
     "The connector t has generated 4 tasks, which is greater than 3, the maximum number of tasks it is "
     "configured to create. "
     "This behaviour should be considered a bug and is disallowed.");
  is(put("t", plain("nonsense", "1")), 500, "tasks of plain must return a list of task configs");
  is(put("t", plain("nested", "1")), 500, "task config 0 of plain: ");
  is(run(CL_CMD_PAUSE, "t"), 202, NULL);
  assert_string_equal(states("t"), "FAILED:");
  is(run(CL_CMD_RESUME, "t"), 202, NULL); /* tried again, and shown */
  assert_string_equal(states("t"), "FAILED:");
  is(put("t", plain("", "1")), 200, NULL);
  wait_states("t", "RUNNING: RUNNING");
  assert_null(strstr(look(CL_GET_STATUS, "t"), "trace"));
  is(put("t", plain("throw", "1")), 500, NULL); /* the old tasks go on */
  assert_string_equal(states("t"), "FAILED: RUNNING");
  assert_int_equal(count("stop"), 0);
  is(run(CL_CMD_DELETE, "t"), 204, NULL);
  assert_int_equal(count("stop"), 1);
  json_t *lax = plain("many", "1");
  json_object_set_new(lax, "tasks.max.enforce", json_string(" FALSE "));
  is(put("lax", lax), 201, NULL); /* as Apache: a warning, and all of them run */
  wait_states("lax", "RUNNING: RUNNING RUNNING RUNNING RUNNING");
  is(run(CL_CMD_DELETE, "lax"), 204, NULL);
}

static void failing_validate_verb(void **state) {
  (void)state;
  is(put("v", plain("refused", "1")), 400,
     "Connector configuration is invalid and contains the following 3 error(s):\n");
  is(put("v", plain("refused", "1")), 400, "two wrong");
  is(put("v", plain("broken", "1")), 500, "validate broke");
  is(put("v", plain("", "few")), 400, "Invalid value few for configuration count: Not a number of type INT");
  assert_string_equal(look(CL_GET_CONNECTORS, NULL), "[]");
}

static void failing_start(void **state) {
  (void)state;
  is(put("u", plain("unstartable", "2")), 201, NULL);
  wait_states("u", "RUNNING: FAILED FAILED");
  assert_non_null(strstr(look(CL_GET_STATUS, "u"), "cannot start"));
  is(run(CL_CMD_RESTART_TASK, "u"), 204, NULL);
  wait_states("u", "RUNNING: FAILED FAILED");
  assert_int_equal(count("start 0"), 2);
  assert_int_equal(count("stop"), 3);
  is(run(CL_CMD_DELETE, "u"), 204, NULL);
}

/* A stuck task is abandoned, its connector deleted, others live on. */
static void stuck_task(void **state) {
  (void)state;
  is(put("ok", plain("", "1")), 201, NULL);
  is(put("stuck", config_of("connector.class", "stuck", NULL)), 201, NULL);
  wait_states("stuck", "RUNNING: RUNNING");
  int64_t from = cl_now_ms();
  is(restart("stuck", true, false), 202, NULL);
  assert_in_range(cl_now_ms() - from, 400, 5000);
  wait_states("stuck", "RUNNING: RUNNING");
  is(run(CL_CMD_DELETE, "stuck"), 204, NULL);
  is(rig_ask(rig, (struct cl_query){.kind = CL_GET_STATUS, .name = "stuck"}), 404, NULL);
  assert_string_equal(states("ok"), "RUNNING: RUNNING");
  is(restart("ok", true, false), 202, NULL);
  wait_states("ok", "RUNNING: RUNNING");
  is(run(CL_CMD_DELETE, "ok"), 204, NULL);
  assert_int_equal(cl_task_abandoned_total(), 2);
}

/* ------------------------------------------------------------------------ suite */

static int open_all(void **state) {
  (void)state;
  rig = rig_open("task.shutdown.graceful.timeout.ms=500\n", "plain.lua", plain_lua, "stuck.lua", stuck_lua,
                 NULL);
  snprintf(journal, sizeof journal, "%s/journal", rig->folder);
  rig_start(rig);
  return 0;
}

static int forget_journal(void **state) {
  (void)state;
  unlink(journal);
  return 0;
}

static int close_all(void **state) {
  forget_journal(state);
  rig_close(rig);
  return 0;
}

int main(void) {
#define herder_test(name) cmocka_unit_test_setup(name, forget_journal)
  const struct CMUnitTest tests[] = {
      herder_test(create_and_delete),
      herder_test(created_paused_or_stopped),
      herder_test(put_changes_tasks_only_when_needed),
      herder_test(put_waits_for_resume),
      herder_test(pause_keeps_tasks),
      herder_test(restarts),
      herder_test(failing_tasks_verb),
      herder_test(failing_validate_verb),
      herder_test(failing_start),
  };
  const struct CMUnitTest stuck[] = {herder_test(stuck_task)};
  return rig_run_apart(stuck, 1, open_all, &rig) + cmocka_run_group_tests(tests, open_all, close_all);
}
