/* SPDX-License-Identifier: Apache-2.0
 * Offsets of source connectors by the herder: what Apache's rules refuse, what the plugin has to
 * say, what is stored; and connectors that are remembered. Sinks: spec/04-integration. */
#include "worker_rig.h"

#include "base/clock.h"
#include "task/task.h"

extern const void *const worker_offsets_keeps[];
const void *const worker_offsets_keeps[] = {(const void *)cl_ffi_writer_open};

static const char plain_lua[] =
    "local connect = require 'connect'\n"
    "return { api = 1, kind = 'source', poll = function(ctx) ctx:sleep(1000) end,\n"
    "config = { { name = 'say', type = 'string', default = '' } },\n"
    "alter_offsets = function(config, offsets)\n"
    "  if config.say == 'false' then return false end\n"
    "  if config.say == 'broken' then error('oh no') end\n"
    "  local seen = {}\n"
    "  for _, item in ipairs(offsets) do\n"
    "    seen[#seen + 1] = tostring(item.partition and item.partition.p) .. '=' .. tostring(item.offset and "
    "item.offset.n)\n"
    "  end\n"
    "  if config.say == 'refuse' then connect.fatal('refused: %s', table.concat(seen, ' ')) end\n"
    "  return true\n"
    "end }\n";
static const char bare_lua[] =
    "return { api = 1, kind = 'source', poll = function(ctx) ctx:sleep(1000) end }\n";
static const char sink_lua[] = "return { api = 1, kind = 'sink', put = function() end }\n";
static const char stuck_lua[] =
    "return { api = 1, kind = 'source', poll = function() local x = 0 while true do x = x + 1 end end }\n";

static struct rig *rig;

#define ALTERED "The offsets for this connector have been altered successfully"
#define RESET "The offsets for this connector have been reset successfully"

static void is(struct cl_reply reply, int status, const char *message) {
  const char *text = reply.body ? cl_json_str(reply.body, "message") : NULL;
  if (reply.status != status || (message && strcmp(text ? text : "", message) != 0))
    fail_msg("not %d %s: %d %s", status, message ? message : "", reply.status, text ? text : "");
  cl_reply_clear(&reply);
}

static struct cl_reply run(enum cl_command_kind kind, const char *name) {
  return rig_run(rig, kind, name, NULL);
}

static struct cl_reply patch(const char *name, const char *offsets) {
  json_t *list = json_loads(offsets, 0, NULL);
  assert_non_null(list);
  return rig_run(rig, CL_CMD_ALTER_OFFSETS, name, list);
}

/* A stopped connector whose plugin's answer depends on say. */
static void stopped(const char *name, const char *class, const char *say) {
  is(rig_run(rig, CL_CMD_PUT_CONFIG, name, config_of("connector.class", class, "say", say, NULL)), 201, NULL);
  is(run(CL_CMD_STOP, name), 204, NULL);
}

static void holds(const char *name, const char *expected) {
  struct cl_reply reply = rig_ask(rig, (struct cl_query){.kind = CL_GET_OFFSETS, .name = name});
  char *text = cl_json_text(reply.body);
  assert_int_equal(reply.status, 200);
  assert_string_equal(text, expected);
  free(text);
  cl_reply_clear(&reply);
}

/* ------------------------------------------------------------------------ rules */

static void only_when_stopped(void **state) {
  (void)state;
  const char *text =
      "Connectors must be in the STOPPED state before their offsets can be modified. This can be "
      "done for the specified connector by issuing a 'PUT' request to the '/connectors/a/stop' "
      "endpoint";
  const char *one = "[{\"partition\":{\"p\":1},\"offset\":{\"n\":1}}]";
  is(patch("a", one), 404, "Connector a not found");
  is(run(CL_CMD_RESET_OFFSETS, "a"), 404, "Connector a not found");
  is(rig_ask(rig, (struct cl_query){.kind = CL_GET_OFFSETS, .name = "a"}), 404, "Connector a not found");
  is(rig_run(rig, CL_CMD_PUT_CONFIG, "a", config_of("connector.class", "plain", NULL)), 201, NULL);
  is(patch("a", one), 400, text);
  is(run(CL_CMD_PAUSE, "a"), 202, NULL);
  is(run(CL_CMD_RESET_OFFSETS, "a"), 400, text);
  holds("a", "{\"offsets\":[]}");
  is(run(CL_CMD_STOP, "a"), 204, NULL);
  is(patch("a", one), 200, ALTERED);
  holds("a", "{\"offsets\":[{\"partition\":{\"p\":1},\"offset\":{\"n\":1}}]}");
  is(run(CL_CMD_RESET_OFFSETS, "a"), 200, RESET);
  holds("a", "{\"offsets\":[]}");
  is(run(CL_CMD_DELETE, "a"), 204, NULL);
}

static void values(void **state) {
  (void)state;
  stopped("v", "plain", "");
  is(patch("v", "[{\"partition\":{\"p\":1},\"offset\":{\"n\":{\"a\":1}}}]"), 500,
     "Offsets may only contain primitive types as values, but field n contains MAP");
  is(patch("v", "[{\"partition\":{\"p\":[1]},\"offset\":null}]"), 500,
     "Offsets may only contain primitive types as values, but field p contains ARRAY");
  holds("v", "{\"offsets\":[]}");
  /* keys in Java's order, 64 bits, the later of equal partitions, decimals as written */
  is(patch("v",
           "[{\"partition\":{\"table\":\"t\",\"p\":1,\"database\":\"d\"},\"offset\":{\"n\":1}},"
           "{\"partition\":{\"database\":\"d\",\"table\":\"t\",\"p\":1},\"offset\":{\"n\":9007199254740993,"
           "\"t\":0.1,\"z\":null}},"
           "{\"partition\":null,\"offset\":{\"n\":2}}]"),
     200, ALTERED);
  holds("v", "{\"offsets\":[{\"partition\":{\"p\":1,\"database\":\"d\",\"table\":\"t\"},"
             "\"offset\":{\"n\":9007199254740993,\"t\":0.10000000000000001,\"z\":null}}]}");
  is(patch("v", "[{\"partition\":{\"database\":\"d\",\"table\":\"t\",\"p\":1},\"offset\":null}]"), 200,
     ALTERED);
  holds("v", "{\"offsets\":[]}");
  is(run(CL_CMD_DELETE, "v"), 204, NULL);
}

static void what_the_plugin_says(void **state) {
  (void)state;
  const char *two = "[{\"partition\":{\"p\":1},\"offset\":{\"n\":5}},{\"partition\":null,\"offset\":null}]";
  stopped("none", "bare", "");
  is(patch("none", two), 200,
     "The Connect framework-managed offsets for this connector have been altered successfully. However, if "
     "this "
     "connector manages offsets externally, they will need to be manually altered in the system that the "
     "connector uses.");
  is(run(CL_CMD_RESET_OFFSETS, "none"), 200,
     "The Connect framework-managed offsets for this connector have been reset successfully. However, if "
     "this "
     "connector manages offsets externally, they will need to be manually reset in the system that the "
     "connector "
     "uses.");
  stopped("false", "plain", "false");
  is(run(CL_CMD_RESET_OFFSETS, "false"), 200,
     "The Connect framework-managed offsets for this connector have been reset successfully. However, if "
     "this "
     "connector manages offsets externally, they will need to be manually reset in the system that the "
     "connector "
     "uses.");
  stopped("refuse", "plain", "refuse");
  is(patch("refuse", two), 500, "refused: 1=5 nil=nil");
  is(run(CL_CMD_RESET_OFFSETS, "refuse"), 500, "refused: ");
  holds("refuse", "{\"offsets\":[]}");
  stopped("broken", "plain", "broken");
  struct cl_reply reply = patch("broken", two);
  assert_int_equal(reply.status, 500);
  const char *text = cl_json_str(reply.body, "message");
  assert_non_null(strstr(text, "Failed to modify offsets for source connector broken: "));
  assert_non_null(strstr(text, "plain.lua:6: oh no"));
  cl_reply_clear(&reply);
  holds("broken", "{\"offsets\":[]}");
  static const char *const names[] = {"none", "false", "refuse", "broken"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    is(run(CL_CMD_DELETE, names[i]), 204, NULL);
}

static void sinks_of_the_embedded_broker(void **state) {
  (void)state;
  const char *text =
      "The offsets of sink connector s are its consumer group's, which the embedded broker cannot "
      "tell or change; a real Kafka can";
  json_t *config = config_of("connector.class", "drain", "topics", "t", NULL);
  is(rig_run(rig, CL_CMD_PUT_CONFIG, "s", config), 201, NULL);
  is(rig_ask(rig, (struct cl_query){.kind = CL_GET_OFFSETS, .name = "s"}), 500, text);
  is(run(CL_CMD_STOP, "s"), 204, NULL);
  is(run(CL_CMD_RESET_OFFSETS, "s"), 500, text);
  is(patch("s", "[{\"partition\":{\"kafka_topic\":\"t\",\"kafka_partition\":0},\"offset\":null}]"), 500,
     text);
  is(run(CL_CMD_DELETE, "s"), 204, NULL);
}

static void zombies(void **state) {
  (void)state;
  is(rig_run(rig, CL_CMD_PUT_CONFIG, "z", config_of("connector.class", "stuck", NULL)), 201, NULL);
  struct cl_reply status;
  do { /* until it is in its loop */
    status = rig_ask(rig, (struct cl_query){.kind = CL_GET_TASK_STATUS, .name = "z"});
    bool running = strcmp(cl_json_str(status.body, "state"), "RUNNING") == 0;
    cl_reply_clear(&status);
    if (running)
      break;
  } while (usleep(1000) == 0);
  usleep(100000);
  is(run(CL_CMD_STOP, "z"), 204, NULL);
  assert_int_equal(cl_task_abandoned_total(), 1);
  const char *text =
      "Failed to modify offsets for source connector z because its tasks haven't stopped completely "
      "yet. This can be retried; if it doesn't eventually succeed, the worker may need to be "
      "restarted to get rid of the zombie tasks.";
  is(run(CL_CMD_RESET_OFFSETS, "z"), 500, text);
  is(run(CL_CMD_DELETE, "z"), 204, NULL); /* one of the same name is no safer */
  stopped("z", "plain", "");
  is(patch("z", "[{\"partition\":{\"p\":1},\"offset\":{\"n\":1}}]"), 500, text);
  stopped("y", "plain", "");
  is(patch("y", "[{\"partition\":{\"p\":1},\"offset\":{\"n\":1}}]"), 200, ALTERED);
}

/* ------------------------------------------------------------------------- suite */

static int open_all(void **state) {
  (void)state;
  rig = rig_open("task.shutdown.graceful.timeout.ms=500\n", "plain.lua", plain_lua, "stuck.lua", stuck_lua,
                 "drain.lua", sink_lua, "bare.lua", bare_lua, NULL);
  rig_start(rig);
  return 0;
}

static int close_all(void **state) {
  (void)state;
  rig_close(rig);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(only_when_stopped),
      cmocka_unit_test(values),
      cmocka_unit_test(what_the_plugin_says),
      cmocka_unit_test(sinks_of_the_embedded_broker),
  };
  const struct CMUnitTest stuck[] = {cmocka_unit_test(zombies)};
  return rig_run_apart(stuck, 1, open_all, &rig) + cmocka_run_group_tests(tests, open_all, close_all);
}
