/* SPDX-License-Identifier: Apache-2.0
 * What POST and PUT are refused for before a connector exists. What validation finds:
 * worker_validate.c. */
#include "worker_rig.h"

#include "worker/admit.h"

static struct rig *rig;

static int open_worker(void **state) {
  (void)state;
  rig = rig_open(
      "", "plain.lua",
      "return { api = 1, kind = 'source', config = { { name = 'file', type = 'string', required = true } },\n"
      "poll = function() end }\n",
      NULL);
  return 0;
}

static int close_worker(void **state) {
  (void)state;
  rig_close(rig);
  return 0;
}

static void is(struct cl_reply *reply, int status, const char *message) {
  assert_int_equal(reply->status, status);
  assert_int_equal(json_integer_value(json_object_get(reply->body, "error_code")), status);
  if (!strstr(cl_json_str(reply->body, "message"), message))
    fail_msg("\"%s\" is not in \"%s\"", message, cl_json_str(reply->body, "message"));
  cl_reply_clear(reply);
}

/* Takes config. */
static void refused(const char *name, json_t *config, int status, const char *message) {
  struct cl_admitted a = {0};
  struct cl_reply reply = {0};
  assert_int_not_equal(cl_admit_config(rig->worker, name, config, &a, &reply), 0);
  assert_null(a.plugin);
  assert_null(a.config);
  is(&reply, status, message);
  json_decref(config);
}

static void target(void **state) {
  (void)state;
  static const struct {
    const char *text;
    enum cl_state state;
  } good[] = {{NULL, CL_RUNNING},
              {"RUNNING", CL_RUNNING},
              {"running", CL_RUNNING},
              {"Paused", CL_PAUSED},
              {"STOPPED", CL_STOPPED}};
  struct cl_reply reply = {0};
  enum cl_state found;
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    assert_int_equal(cl_admit_target(good[i].text, &found, &reply), 0);
    assert_int_equal(found, good[i].state);
  }
  static const char *const bad[] = {"", "FAILED", "UNASSIGNED", " RUNNING", "RUNNINGS"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_int_not_equal(cl_admit_target(bad[i], &found, &reply), 0);
    is(&reply, 400, bad[i]);
  }
}

static void name(void **state) {
  (void)state;
  struct cl_reply reply = {0};
  char *out = NULL;
  json_t *config = config_of("name", "a b", NULL), *nameless = config_of("x", "y", NULL);
  assert_int_equal(cl_admit_name(" \t a b\n", config, &out, &reply), 0);
  assert_string_equal(out, "a b");
  free(out);
  assert_int_equal(cl_admit_name("z", nameless, &out, &reply), 0);
  assert_string_equal(out, "z");
  free(out);
  assert_int_not_equal(cl_admit_name("b", config, &out, &reply), 0);
  free(out);
  is(&reply, 400, "Connector name configuration (a b) doesn't match connector name in the URL (b)");
  assert_int_not_equal(cl_admit_name(NULL, config, &out, &reply), 0);
  free(out);
  is(&reply, 400, "Connector name configuration (a b) doesn't match connector name in the URL ()");
  json_decref(config);
  json_decref(nameless);
}

static void class(void **state) {
  (void)state;
  refused("x", config_of("a", "b", "c", NULL, NULL), 400,
          "Connector config {a, c, name} contains no connector type");
  refused("x", config_of("connector.class", "Nobody", NULL), 400,
          "Failed to find any class that implements Connector and which name matches Nobody, available "
          "connectors are: PluginDesc{");
  refused("x", config_of("connector.class", "JsonConverter", NULL), 400, "Failed to find any class");
  static const char *const good[] = {"plain", "FileStreamSource", "FileStreamSinkConnector",
                                     "org.apache.kafka.connect.file.FileStreamSourceConnector"};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    struct cl_reply reply = {0};
    json_t *config = config_of("connector.class", good[i], NULL);
    assert_non_null(cl_admit_class(rig->worker, config, &reply));
    json_decref(config);
  }
}

static void config(void **state) {
  (void)state;
  struct cl_admitted a = {0};
  struct cl_reply reply = {0};
  json_t *given = config_of("connector.class", "plain", "file", "f", NULL);
  assert_int_equal(cl_admit_config(rig->worker, "x", given, &a, &reply), 0);
  char *text = cl_json_text(a.config);
  assert_string_equal(text, "{\"connector.class\":\"plain\",\"file\":\"f\",\"name\":\"x\"}");
  assert_string_equal(a.plugin->class, "plain");
  assert_null(json_object_get(given, "name")); /* the caller's is left alone */
  free(text);
  cl_admitted_clear(&a);
  cl_admitted_clear(&a);
  json_decref(given);
  refused("x", config_of("connector.class", "plain", "file", "f", "name", "y", NULL), 400,
          "Connector name configuration (y) doesn't match connector name in the URL (x)");
  refused("x", config_of("connector.class", "plain", NULL), 400,
          "Connector configuration is invalid and contains the following 1 error(s):\n"
          "Missing required configuration \"file\" which has no default value.\n"
          "You can also find the above list of errors at the endpoint "
          "`/connector-plugins/{connectorType}/config/validate`");
  refused("", config_of("connector.class", "plain", "file", "f", NULL), 400,
          "Invalid value  for configuration name: ");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(target),
      cmocka_unit_test(name),
      cmocka_unit_test(class),
      cmocka_unit_test(config),
  };
  return cmocka_run_group_tests(tests, open_worker, close_worker);
}
