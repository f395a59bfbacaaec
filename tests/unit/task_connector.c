/* SPDX-License-Identifier: Apache-2.0
 * The framework's rows and the checks of connector configs. */
#include "task/connector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct cl_conf_row plugin_rows[] = {
    {.name = "file", .type = CL_CONF_STRING, .required = true, .order = -1},
    {.name = "batch.size",
     .type = CL_CONF_INT,
     .dflt = "2000",
     .check = CL_CHECK_RANGE,
     .min = 1,
     .max = 1e9,
     .order = -1},
};
static struct cl_conf_def plugin_def = {.rows = plugin_rows, .n = 2};

static const struct cl_plugin sink = {.kind = CL_PLUGIN_SINK, .version = (char *)"1.0", .def = &plugin_def};
static const struct cl_plugin source = {
    .kind = CL_PLUGIN_SOURCE, .version = (char *)"1.0", .def = &plugin_def};

/* A config that is fine, then key, value, ..., NULL on top. */
static json_t *config_of(const struct cl_plugin *plugin, va_list ap) {
  json_t *config = json_pack("{s:s,s:s,s:s}", "name", "c", "connector.class", "X", "file", "f");
  if (plugin == &sink)
    json_object_set_new(config, "topics", json_string("a, b"));
  for (const char *key; (key = va_arg(ap, const char *));)
    json_object_set_new(config, key, json_string(va_arg(ap, const char *)));
  return config;
}

/* The messages, each of which names a key that is set. */
static json_t *errors_of(const struct cl_plugin *plugin, ...) {
  va_list ap;
  va_start(ap, plugin);
  json_t *config = config_of(plugin, ap), *errors = NULL, *messages = json_array(), *item;
  va_end(ap);
  size_t i;
  assert_int_equal(cl_connector_refusals(config, plugin, &errors), 0);
  json_array_foreach (errors, i, item) {
    assert_non_null(json_object_get(config, cl_json_str(item, "key")));
    json_array_append(messages, json_object_get(item, "message"));
  }
  json_decref(config);
  json_decref(errors);
  return messages;
}

static void fine(json_t *errors) {
  if (json_array_size(errors) > 0)
    fail_msg("%s", json_string_value(json_array_get(errors, 0)));
  json_decref(errors);
}

static void only(json_t *errors, size_t times, const char *text) {
  for (size_t i = 0; i < json_array_size(errors); i++)
    assert_string_equal(json_string_value(json_array_get(errors, i)), text);
  assert_int_equal(json_array_size(errors), times);
  json_decref(errors);
}

static void good_configs(void **state) {
  (void)state;
  fine(errors_of(&sink, NULL));
  fine(errors_of(&source, NULL));
  fine(errors_of(&sink, "topics", "-", "topics.regex", "a.*", NULL));
  fine(errors_of(&source, "exactly.once.support", "REQUESTED", "transaction.boundary", "interval",
                 "config.action.reload", "none", "transforms", "", NULL));
  fine(errors_of(&source, CL_CONNECTOR_LETTERS, "lost", CL_CONNECTOR_LETTERS_REPLICATION, "1", NULL));
  fine(errors_of(&sink, "header.converter", "org.apache.kafka.connect.json.JsonConverter", "transforms", "t",
                 "predicates", "p", "connect.lua.jit", "off", NULL));
  fine(errors_of(&sink, "topic.creation.default.partitions", "1", NULL));
}

static void what_is_not_built_is_refused(void **state) {
  (void)state;
  only(errors_of(&source, "exactly.once.support", " Required ", NULL), 1,
       "This worker does not have exactly-once source support enabled.");
  only(errors_of(&source, "transaction.boundary", "CONNECTOR", NULL), 1,
       "The connector does not support connector-defined transaction boundaries with the given "
       "configuration.");
  only(errors_of(&sink, CL_CONNECTOR_LETTERS, "lost", NULL), 1,
       "Invalid value lost for configuration connect.lua.errors.deadletterqueue.topic.name: a sink has "
       "errors.deadletterqueue.topic.name");
  only(
      errors_of(&source, CL_CONNECTOR_LETTERS_REPLICATION, "many", NULL), 1,
      "Invalid value many for configuration connect.lua.errors.deadletterqueue.topic.replication.factor: Not "
      "a number of type SHORT");
  only(errors_of(&source, "connect.lua.jit", "maybe", NULL), 1,
       "Invalid value maybe for configuration connect.lua.jit: String must be one of: on, off");
  only(errors_of(&sink, "connect.lua.restart.max.attempts", "-2", NULL), 1,
       "Invalid value -2 for configuration connect.lua.restart.max.attempts: Value must be at least -1");
  only(errors_of(&sink, "connect.lua.restart.attempts", "5", NULL), 1,
       "Unknown configuration connect.lua.restart.attempts: README names the keys that begin with "
       "connect.lua.");
}

/* Validation passes over it; the connector is made and fails when it starts, unless the worker lets no
 * connector make topics. */
static void topic_creation(void **state) {
  (void)state;
  static const char *const partitions = "topic.creation.default.partitions",
                           *const replicas = "topic.creation.default.replication.factor";
  struct cl_err err = CL_ERR_INIT;
  fine(errors_of(&source, partitions, "3", replicas, "1", NULL));
  fine(errors_of(&source, partitions, "0", NULL));
  json_t *config = json_pack("{s:s}", partitions, "3");
  assert_int_equal(cl_connector_start_check(config, &source, true, &err), CL_EINVAL);
  assert_string_equal(err.msg,
                      "Missing required configuration \"topic.creation.default.replication.factor\" which "
                      "has no default value.");
  assert_string_equal(err.class, CL_JAVA_CONFIG);
  assert_int_equal(cl_connector_start_check(config, &source, false, &err), 0);
  assert_int_equal(cl_connector_start_check(config, &sink, true, &err), 0);
  json_object_set_new(config, replicas, json_string("1"));
  assert_int_equal(cl_connector_start_check(config, &source, true, &err), 0);
  assert_true(cl_connector_creates_topics(config, &source, true));
  assert_false(cl_connector_creates_topics(config, &source, false));
  assert_false(cl_connector_creates_topics(config, &sink, true));
  json_object_clear(config);
  assert_int_equal(cl_connector_start_check(config, &source, true, &err), 0);
  assert_false(cl_connector_creates_topics(config, &source, true));
  json_decref(config);
}

static void rows_are_apaches(void **state) {
  (void)state;
  const struct cl_conf_def *sinks = cl_connector_def(true), *sources = cl_connector_def(false);
  assert_int_equal(sinks->n, 24);
  assert_int_equal(sources->n, 24);
  for (size_t i = 0; i < 19; i++) /* what both have comes first */
    assert_string_equal(sinks->rows[i].name, sources->rows[i].name);
  const struct cl_conf_row *row = cl_conf_find(sinks, "errors.deadletterqueue.topic.replication.factor");
  assert_int_equal(row->type, CL_CONF_SHORT);
  assert_string_equal(row->group, "Error Handling");
  assert_int_equal(row->order, 7);
  assert_string_equal(row->display, "Dead Letter Queue Topic Replication Factor");
  assert_null(cl_conf_find(sources, "topics"));
  assert_null(cl_conf_find(sinks, "exactly.once.support"));
}

static void message(void **state) {
  (void)state;
  json_t *errors = json_pack("[s,s]", "one", "two");
  char *text = cl_connector_invalid_message(errors);
  assert_string_equal(
      text,
      "Connector configuration is invalid and contains the following 2 error(s):\none\ntwo\nYou can also "
      "find the above list of errors at the endpoint "
      "`/connector-plugins/{connectorType}/config/validate`");
  free(text);
  json_decref(errors);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(good_configs),   cmocka_unit_test(what_is_not_built_is_refused),
      cmocka_unit_test(topic_creation), cmocka_unit_test(rows_are_apaches),
      cmocka_unit_test(message),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
