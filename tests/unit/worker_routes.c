/* SPDX-License-Identifier: Apache-2.0
 * What stands behind REST's routes in the herder: PATCH, tasks, topics, health, plugins. */
#include "worker_rig.h"

#include "base/clock.h"

/* Emits one record to its topic per poll. */
static const char plain_lua[] =
    "return {api=1, kind='source', config={{name='topic', type='string', required=true}},"
    " poll=function(ctx) ctx:emit{topic=ctx.config.topic, value='x'} ctx:sleep(20) end}\n";
static const char checks_lua[] =
    "return {api=1, kind='source', poll=function() end, validate=function() return {x='no'} end}\n";
/* Two loops of connector code on the control thread, each until its deadline. */
static const char stuck_lua[] =
    "return {api=1, kind='source', poll=function() end, tasks=function() while true do end end}\n";

static json_t *plain(const char *topic) {
  return config_of("connector.class", "plain", "topic", topic, "value.converter", "StringConverter", NULL);
}

static void expect(struct cl_reply reply, int status, const char *message) {
  if (reply.status != status)
    fail_msg("%d %s", reply.status, cl_json_str(reply.body, "message"));
  if (message)
    assert_string_equal(cl_json_str(reply.body, "message"), message);
  cl_reply_clear(&reply);
}

/* The answer's text, in a buffer that the next call uses again. */
static const char *text_of(struct cl_reply reply) {
  static char text[65536]; /* the list of built-in files alone has ten thousand */
  char *json = cl_json_text(reply.body);
  snprintf(text, sizeof text, "%s", json);
  free(json);
  cl_reply_clear(&reply);
  return text;
}

static void wait_for(struct rig *r, struct cl_query q, const char *wanted) {
  int64_t until = cl_now_ms() + 15000;
  while (strstr(text_of(rig_ask(r, q)), wanted) == NULL) {
    if (cl_now_ms() > until)
      fail_msg("no %s in %s", wanted, text_of(rig_ask(r, q)));
    usleep(20000);
  }
}

static void unknown(void **state) {
  struct rig *r = *state;
  expect(rig_run(r, CL_CMD_PATCH_CONFIG, "none", config_of("a", "b", NULL)), 404, "Connector none not found");
  expect(rig_run(r, CL_CMD_RESTART_TASK, "none", NULL), 404, "Unknown connector: none");
  expect(rig_run(r, CL_CMD_STOP, "none", NULL), 404, "Unknown connector none");
  expect(rig_run(r, CL_CMD_RESET_TOPICS, "none", NULL), 202, NULL);
  expect(rig_ask(r, (struct cl_query){.kind = CL_GET_TASK_STATUS, .name = "none", .task = -3}), 404,
         "No status found for task none--3");
  assert_string_equal(text_of(rig_ask(r, (struct cl_query){.kind = CL_GET_TOPICS, .name = "none"})),
                      "{\"none\":{\"topics\":[]}}");
  expect(rig_run(r, CL_CMD_PUT_TASKS, "none", NULL), 500,
         "Kafka Connect in standalone mode does not support externally setting task configurations.");
  expect(rig_run(r, CL_CMD_FENCE, "none", NULL), 500,
         "Kafka Connect in standalone mode does not support exactly-once source connectors.");
}

static void patch(void **state) {
  struct rig *r = *state;
  json_t *config = plain("t1");
  json_object_set_new(config, "extra", json_string("1"));
  expect(rig_run(r, CL_CMD_PUT_CONFIG, "p", config), 201, NULL);
  expect(rig_run(r, CL_CMD_PATCH_CONFIG, "p", config_of("extra", NULL, "never", NULL, "more", "2", NULL)),
         200, NULL);
  assert_string_equal(text_of(rig_ask(r, (struct cl_query){.kind = CL_GET_CONFIG, .name = "p"})),
                      "{\"connector.class\":\"plain\",\"topic\":\"t1\",\"value.converter\":"
                      "\"StringConverter\",\"name\":\"p\",\"more\":\"2\"}");
  expect(rig_run(r, CL_CMD_PATCH_CONFIG, "p", config_of("topic", NULL, NULL)), 400, NULL);
  expect(rig_run(r, CL_CMD_PATCH_CONFIG, "p", config_of("name", "other", NULL)), 400, NULL);
  expect(rig_run(r, CL_CMD_PATCH_CONFIG, "p", json_object()), 200, NULL);
  assert_non_null(
      strstr(text_of(rig_ask(r, (struct cl_query){.kind = CL_GET_CONFIG, .name = "p"})), "\"topic\":\"t1\""));
  expect(rig_run(r, CL_CMD_DELETE, "p", NULL), 204, NULL);
}

static void tasks_and_topics(void **state) {
  struct rig *r = *state;
  const struct cl_query status = {.kind = CL_GET_TASK_STATUS, .name = "s"},
                        topics = {.kind = CL_GET_TOPICS, .name = "s"};
  expect(rig_run(r, CL_CMD_PUT_CONFIG, "s", plain("one")), 201, NULL);
  wait_for(r, status, "{\"id\":0,\"state\":\"RUNNING\",\"worker_id\":\"here:1\"");
  wait_for(r, topics, "{\"s\":{\"topics\":[\"one\"]}}");
  expect(rig_run(r, CL_CMD_PATCH_CONFIG, "s", config_of("topic", "two", NULL)), 200, NULL);
  wait_for(r, topics, "[\"one\",\"two\"]");
  expect(rig_run(r, CL_CMD_RESET_TOPICS, "s", NULL), 202, NULL);
  wait_for(r, topics, "[\"two\"]"); /* told of again by the running task */
  expect(rig_run(r, CL_CMD_RESTART_TASK, "s", NULL), 204, NULL);
  wait_for(r, status, "RUNNING");
  expect(rig_run(r, CL_CMD_STOP, "s", NULL), 204, NULL);
  expect(rig_run(r, CL_CMD_RESTART_TASK, "s", NULL), 404, "Task s-0 not found");
  expect(rig_ask(r, status), 404, "No status found for task s-0");
  expect(rig_run(r, CL_CMD_DELETE, "s", NULL), 204, NULL);
  assert_string_equal(text_of(rig_ask(r, topics)), "{\"s\":{\"topics\":[]}}");
}

/* What only the start finds: 500, and the connector exists, FAILED. */
static void failed_start(void **state) {
  struct rig *r = *state;
  const char *text = "Missing required configuration \"topic.creation.default.replication.factor\" which has "
                     "no default value.";
  json_t *config = plain("t");
  json_object_set_new(config, "topic.creation.groups", json_string("g"));
  expect(rig_run(r, CL_CMD_PUT_CONFIG, "f", config), 500, text);
  assert_non_null(strstr(text_of(rig_ask(r, (struct cl_query){.kind = CL_GET_STATUS, .name = "f"})),
                         "\"state\":\"FAILED\",\"worker_id\":\"here:1\",\"version\":null,"
                         "\"trace\":\"org.apache.kafka.common.config.ConfigException: Missing required"));
  expect(rig_run(r, CL_CMD_RESTART, "f", NULL), 500, text);
  expect(rig_run(r, CL_CMD_DELETE, "f", NULL), 204, NULL);
}

static void plugins(void **state) {
  struct rig *r = *state;
  const char *text = text_of(
      rig_ask(r, (struct cl_query){.kind = CL_GET_PLUGIN_CONFIG, .name = "FileStreamSink"}));
  assert_non_null(
      strstr(text, "[{\"name\":\"file\",\"type\":\"STRING\",\"required\":false,\"default_value\":null"));
  assert_non_null(strstr(text, "{\"name\":\"topics\""));
  assert_non_null(strstr(text, "{\"name\":\"connector.plugin.version\",\"type\":\"STRING\",\"required\":"
                               "false,\"default_value\":\"4.2.0\""));
  assert_string_equal(
      text_of(rig_ask(r, (struct cl_query){.kind = CL_GET_PLUGIN_CONFIG, .name = "SimpleHeaderConverter"})),
      "[]");
  assert_null(strstr(
      text_of(rig_ask(
          r, (struct cl_query){.kind = CL_GET_PLUGIN_CONFIG, .name = "JsonConverter", .version = "4.2.0"})),
      "topics"));
  expect(rig_ask(r, (struct cl_query){.kind = CL_GET_PLUGIN_CONFIG, .name = "Nope"}), 404,
         "Unknown plugin Nope.");
  expect(
      rig_ask(r, (struct cl_query){.kind = CL_GET_PLUGIN_CONFIG, .name = "StringConverter", .version = "1"}),
      400,
      "Plugin org.apache.kafka.connect.storage.StringConverter not found that matches the version range "
      "[1,1], available versions: [4.2.0]");
  text = text_of(rig_ask(r, (struct cl_query){.kind = CL_GET_PLUGIN_FILES}));
  assert_non_null(strstr(text, "/bad.lua\",\"state\":\"rejected\",\"reason\":\""));
  assert_non_null(strstr(text, "/plain.lua\",\"state\":\"accepted\",\"class\":\"plain\",\"type\":\"source\","
                               "\"version\":\"undefined\""));
}

/* Without Lua unless the plugin has a say. */
static void validation(void **state) {
  struct rig *r = *state;
  json_t *config = config_of("connector.class", "checks", "name", "x", NULL);
  struct cl_query q = {.kind = CL_GET_VALIDATION, .name = "checks", .config = config};
  expect(rig_ask(r, q), 0, NULL);
  json_t *body = rig_run(r, CL_CMD_VALIDATE, "checks", json_incref(config)).body;
  assert_int_equal(json_integer_value(json_object_get(body, "error_count")), 1);
  json_decref(body);
  q.name = "Sink";
  expect(rig_ask(r, q), 400, "Included connector type checks does not match request type Sink");
  json_object_set_new(config, "connector.class", json_string("FileStreamSinkConnector"));
  expect(rig_ask(r, q), 200, NULL); /* the end of the name is enough */
  json_object_del(config, "connector.class");
  expect(rig_ask(r, q), 400, "Connector config {name} contains no connector type");
  json_decref(config);
}

static void tracking_flags(void **state) {
  (void)state;
  struct rig *r = rig_open("topic.tracking.enable=false\n", "plain.lua", plain_lua, NULL);
  rig_start(r);
  expect(rig_ask(r, (struct cl_query){.kind = CL_GET_TOPICS, .name = "s"}), 403,
         "Topic tracking is disabled.");
  expect(rig_run(r, CL_CMD_RESET_TOPICS, "s", NULL), 403, "Topic tracking is disabled.");
  rig_close(r);
  r = rig_open("topic.tracking.allow.reset=false\n", NULL);
  rig_start(r);
  expect(rig_ask(r, (struct cl_query){.kind = CL_GET_TOPICS, .name = "s"}), 200, NULL);
  expect(rig_run(r, CL_CMD_RESET_TOPICS, "s", NULL), 403, "Topic tracking reset is disabled.");
  rig_close(r);
}

static void forget(void *arg, struct cl_reply *reply) {
  (void)reply;
  *(bool *)arg = true;
}

/* Starting, ready, and one command that keeps the herder: reads answer all the while. */
static void health(void **state) {
  struct rig *r = *state;
  bool done = false;
  struct cl_err err = CL_ERR_INIT;
  const struct cl_query q = {.kind = CL_GET_HEALTH};
  struct cl_reply reply = rig_ask(r, q);
  assert_int_equal(reply.status, 503);
  assert_string_equal(text_of(reply),
                      "{\"status\":\"starting\",\"message\":\"Worker is still starting up.\"}");
  cl_herder_ready(r->herder);
  reply = rig_ask(r, q);
  assert_int_equal(reply.status, 200);
  assert_string_equal(text_of(reply), "{\"status\":\"healthy\",\"message\":\"Worker has completed startup "
                                      "and is ready to handle requests.\"}");
  struct cl_command *cmd = calloc(1, sizeof *cmd);
  *cmd = (struct cl_command){.kind = CL_CMD_PUT_CONFIG,
                             .name = strdup("k"),
                             .config = config_of("connector.class", "stuck", NULL),
                             .done = forget,
                             .arg = &done};
  assert_int_equal(cl_herder_submit(r->herder, cmd, &err), 0);
  usleep(300000);
  int64_t begun = cl_now_ms();
  for (int i = 0; i < 100; i++)
    expect(
        rig_ask(r, (struct cl_query){.kind = CL_GET_CONNECTORS, .expand_status = true, .expand_info = true}),
        200, NULL);
  expect(rig_ask(r, q), 200, NULL); /* 10 s are allowed */
  assert_in_range(cl_now_ms() - begun, 0, 1000);
  expect(rig_run(r, CL_CMD_DELETE, "k", NULL), 204, NULL); /* waits for its turn */
}

static int open_all(void **state) {
  struct rig *r = rig_open("", "plain.lua", plain_lua, "checks.lua", checks_lua, "stuck.lua", stuck_lua,
                           "bad.lua", "return 1 +\n", NULL);
  rig_start(r);
  *state = r;
  return 0;
}

static int close_all(void **state) {
  rig_close(*state);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(unknown),          cmocka_unit_test(patch),
      cmocka_unit_test(tasks_and_topics), cmocka_unit_test(failed_start),
      cmocka_unit_test(plugins),          cmocka_unit_test(validation),
      cmocka_unit_test(tracking_flags),   cmocka_unit_test_setup_teardown(health, open_all, close_all),
  };
  return cmocka_run_group_tests(tests, open_all, close_all);
}
