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

/* A config that is fine, then key, value, ..., NULL on top. A value "-" removes the key. */
static json_t *errors_of(const struct cl_plugin *plugin, ...) {
  json_t *config = json_pack("{s:s,s:s,s:s}", "name", "c", "connector.class", "X", "file", "f"),
         *errors = NULL;
  if (plugin == &sink)
    json_object_set_new(config, "topics", json_string("a, b"));
  va_list ap;
  va_start(ap, plugin);
  for (const char *key; (key = va_arg(ap, const char *));) {
    const char *value = va_arg(ap, const char *);
    if (value && strcmp(value, "-") == 0)
      json_object_del(config, key);
    else
      json_object_set_new(config, key, value ? json_string(value) : json_null());
  }
  va_end(ap);
  assert_int_equal(cl_connector_check(config, plugin, &errors), 0);
  json_decref(config);
  return errors;
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
  fine(errors_of(&source, "exactly.once.support", "REQUIRED", "config.action.reload", "none", "transforms",
                 "", NULL));
  fine(errors_of(&sink, "errors.tolerance", "none", "errors.retry.timeout", " 0 ", "errors.log.enable",
                 "False", "errors.deadletterqueue.topic.name", "",
                 "errors.deadletterqueue.topic.replication.factor", "3", NULL));
  fine(errors_of(&sink, "header.converter", "SimpleHeaderConverter", "connect.lua.jit", "off", NULL));
  fine(errors_of(&sink, "header.converter", "org.apache.kafka.connect.storage.SimpleHeaderConverter", NULL));
  fine(errors_of(&sink, "topic.creation.default.partitions", "1", "connector.plugin.version", "1.0", NULL));
}

static void framework_rows(void **state) {
  (void)state;
  json_t *errors = errors_of(&source, "tasks.max", "abc", NULL);
  assert_int_equal(json_array_size(errors), 2);
  assert_string_equal(json_string_value(json_array_get(errors, 0)),
                      "Invalid value abc for configuration tasks.max: Not a number of type INT");
  assert_string_equal(json_string_value(json_array_get(errors, 1)),
                      "Invalid value null for configuration tasks.max: Value must be non-null");
  json_decref(errors);
  only(errors_of(&source, "tasks.max", "0", NULL), 1,
       "Invalid value 0 for configuration tasks.max: Value must be at least 1");
  only(errors_of(&source, "name", "", NULL), 1,
       "Invalid value  for configuration name: String may not be empty");
  only(errors_of(&source, "errors.tolerance", "some", NULL), 1,
       "Invalid value some for configuration errors.tolerance: String must be one of: none, all");
  only(errors_of(&sink, "topics", "a,a", NULL), 1, "Configuration 'topics' values must not be duplicated.");
  only(errors_of(&source, "x", NULL, NULL), 1, "Null value can not be supplied as the configuration value.");
}

static void cross_checks_count_twice(void **state) {
  (void)state;
  only(errors_of(&sink, "topics", "-", NULL), 2, "Must configure one of topics or topics.regex");
  only(errors_of(&sink, "topics", " ", NULL), 2, "Must configure one of topics or topics.regex");
  only(errors_of(&sink, "topics.regex", "a", NULL), 2,
       "topics and topics.regex are mutually exclusive options, but both are set.");
  fine(errors_of(&source, NULL));
}

static void plugin_rows_are_checked(void **state) {
  (void)state;
  only(errors_of(&source, "file", "-", NULL), 1,
       "Missing required configuration \"file\" which has no default value.");
  only(errors_of(&source, "batch.size", "0", NULL), 1,
       "Invalid value 0 for configuration batch.size: Value must be at least 1");
}

static void what_is_not_built_is_refused(void **state) {
  (void)state;
  static const struct {
    const char *key, *value;
  } cases[] = {
      {"transforms", "t"},
      {"predicates", "p"},
      {"errors.retry.timeout", "-1"},
      {"errors.retry.delay.max.ms", "1"},
      {"errors.tolerance", "all"},
      {"errors.log.enable", "true"},
      {"errors.log.include.messages", "true"},
      {"errors.deadletterqueue.topic.name", "dlq"},
      {"errors.deadletterqueue.topic.replication.factor", "1"},
      {"errors.deadletterqueue.context.headers.enable", "true"},
      {"header.converter", "org.apache.kafka.connect.json.JsonConverter"},
      {"key.converter.plugin.version", "2"},
      {"connector.plugin.version", "[2,3)"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    json_t *errors = errors_of(&sink, cases[i].key, cases[i].value, NULL);
    char start[200];
    snprintf(start, sizeof(start), "Invalid value %s for configuration %s: connect-lua ", cases[i].value,
             cases[i].key);
    assert_int_equal(json_array_size(errors), 1);
    assert_memory_equal(json_string_value(json_array_get(errors, 0)), start, strlen(start));
    json_decref(errors);
  }
  only(errors_of(&source, "transforms", "t", NULL), 1,
       "Invalid value t for configuration transforms: connect-lua does not run transforms yet; remove the "
       "key");
  only(errors_of(&source, "topic.creation.default.partitions", "3", NULL), 1,
       "Invalid value 3 for configuration topic.creation.default.partitions: connect-lua does not create "
       "topics yet, the "
       "broker's settings decide; remove the key");
  only(errors_of(&source, "connect.lua.jit", "maybe", NULL), 1,
       "Invalid value maybe for configuration connect.lua.jit: String must be one of: on, off");
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
      cmocka_unit_test(good_configs),
      cmocka_unit_test(framework_rows),
      cmocka_unit_test(cross_checks_count_twice),
      cmocka_unit_test(plugin_rows_are_checked),
      cmocka_unit_test(what_is_not_built_is_refused),
      cmocka_unit_test(rows_are_apaches),
      cmocka_unit_test(message),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
