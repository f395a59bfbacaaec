/* SPDX-License-Identifier: Apache-2.0
 *
 * The checks a connector's config goes through before anything is started.
 * Any thread, no state. May include base and vm/plugin.h.
 */
#include "task/connector.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_blank(const char *text) { return !text || text[strspn(text, " \t\f\r\n")] == '\0'; }

static bool starts_with(const char *text, const char *prefix) {
  return strncmp(text, prefix, strlen(prefix)) == 0;
}

static void add(json_t *errors, const char *text) { json_array_append_new(errors, json_string(text)); }

static void refuse(json_t *errors, const char *key, const char *value, const char *why) {
  struct cl_buf text = {.max = 64 << 10};
  cl_buf_fmt(&text, "Invalid value %s for configuration %s: %s", value, key, why);
  json_array_append_new(errors, text.failed ? json_sprintf("Invalid value for configuration %s: %s", key, why)
                                            : json_string(text.p));
  cl_buf_free(&text);
}

/* Both keys get the message, so it counts twice, as in Apache. */
static const char *cross_error(const json_t *config) {
  bool topics = !is_blank(cl_json_str(config, "topics")),
       regex = !is_blank(cl_json_str(config, "topics.regex"));
  if (topics && regex)
    return "topics and topics.regex are mutually exclusive options, but both are set.";
  return topics || regex ? NULL : "Must configure one of topics or topics.regex";
}

/* Errors of each row in order; cross (or NULL) is added to topics and topics.regex. */
static int row_errors(const struct cl_conf_def *def, const json_t *config, const char *cross,
                      json_t *errors) {
  json_t *results = cl_conf_validate(def, config);
  if (!results)
    return CL_ENOMEM;
  for (size_t i = 0; i < json_array_size(results); i++) {
    const json_t *result = json_array_get(results, i);
    json_array_extend(errors, json_object_get(result, "errors"));
    if (cross && starts_with(cl_json_str(result, "name"), "topics"))
      add(errors, cross);
  }
  json_decref(results);
  return 0;
}

static void null_errors(const json_t *config, json_t *errors) {
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)config, key, value) if (json_is_null(value))
      add(errors, "Null value can not be supplied as the configuration value.");
}

/* True when key is set, well-formed, and not what its row has as default: something is asked for. */
static bool differs(const struct cl_conf_def *def, const json_t *config, const char *key) {
  const struct cl_conf_row *row = cl_conf_find(def, key);
  const char *text = cl_json_str(config, key);
  if (!row || !text)
    return false;
  struct cl_err ignored;
  struct cl_conf_value given = {0}, dflt = {0};
  bool yes = cl_conf_parse_one(row, text, &given, &ignored) == 0 &&
             cl_conf_parse_one(row, NULL, &dflt, &ignored) == 0;
  if (yes && given.list)
    yes = json_array_size(given.list) > 0;
  else if (yes && given.s)
    yes = strcmp(given.s, dflt.s ? dflt.s : "") != 0;
  else if (yes)
    yes = given.i != dflt.i;
  cl_conf_value_free(&given);
  cl_conf_value_free(&dflt);
  return yes;
}

static const struct {
  const char *key, *why;
} unbuilt[] = {
    {"transforms", "connect-lua does not run transforms yet; remove the key"},
    {"predicates", "connect-lua does not run predicates yet; remove the key"},
    {"errors.retry.timeout", "connect-lua does not retry failed records yet; remove the key"},
    {"errors.retry.delay.max.ms", "connect-lua does not retry failed records yet; remove the key"},
    {"errors.tolerance", "connect-lua does not skip failed records yet; remove the key"},
    {"errors.log.enable", "connect-lua does not log failed records yet; remove the key"},
    {"errors.log.include.messages", "connect-lua does not log failed records yet; remove the key"},
    {"errors.deadletterqueue.topic.name", "connect-lua has no dead letter queue yet; remove the key"},
    {"errors.deadletterqueue.topic.replication.factor",
     "connect-lua has no dead letter queue yet; remove the key"},
    {"errors.deadletterqueue.context.headers.enable",
     "connect-lua has no dead letter queue yet; remove the key"},
    {"key.converter.plugin.version", "connect-lua has one version of each plugin; remove the key"},
    {"value.converter.plugin.version", "connect-lua has one version of each plugin; remove the key"},
    {"header.converter.plugin.version", "connect-lua has one version of each plugin; remove the key"},
};

static bool is_simple_header_converter(const char *class) {
  static const char full[] = "org.apache.kafka.connect.storage.SimpleHeaderConverter";
  struct cl_conf_row row = {.name = "header.converter", .type = CL_CONF_CLASS};
  struct cl_conf_value v = {0};
  struct cl_err ignored;
  bool yes = cl_conf_parse_one(&row, class, &v, &ignored) == 0 &&
             (strcmp(v.s, full) == 0 || strcmp(v.s, "SimpleHeaderConverter") == 0 ||
              strcmp(v.s, "Simple") == 0);
  cl_conf_value_free(&v);
  return yes;
}

/* What Apache would do and connect-lua cannot yet: never passed over, that would lose data. */
static void refusals(const struct cl_plugin *plugin, const struct cl_conf_def *def, const json_t *config,
                     json_t *errors) {
  const char *key, *text;
  json_t *value;
  for (size_t i = 0; i < sizeof(unbuilt) / sizeof(*unbuilt); i++)
    if (differs(def, config, unbuilt[i].key))
      refuse(errors, unbuilt[i].key, cl_json_str(config, unbuilt[i].key), unbuilt[i].why);
  text = cl_json_str(config, "header.converter");
  if (text && !is_simple_header_converter(text))
    refuse(errors, "header.converter", text,
           "connect-lua carries headers as they are, converters for them are not built yet; remove the key");
  text = cl_json_str(config, "connector.plugin.version");
  if (!is_blank(text) && strcmp(text, plugin->version ? plugin->version : "") != 0)
    refuse(errors, "connector.plugin.version", text,
           "connect-lua has one version of each plugin; remove the key");
  text = cl_json_str(config, "connect.lua.jit");
  if (text && strcmp(text, "on") != 0 && strcmp(text, "off") != 0)
    refuse(errors, "connect.lua.jit", text, "String must be one of: on, off");
  json_object_foreach((json_t *)config, key, value) if (plugin->kind == CL_PLUGIN_SOURCE &&
                                                        json_is_string(value) &&
                                                        starts_with(key, "topic.creation."))
      refuse(errors, key, json_string_value(value),
             "connect-lua does not create topics yet, the broker's settings decide; remove the key");
}

int cl_connector_check(const json_t *config, const struct cl_plugin *plugin, json_t **errors) {
  bool sink = plugin->kind == CL_PLUGIN_SINK;
  const struct cl_conf_def *def = cl_connector_def(sink);
  *errors = json_array();
  if (!*errors || row_errors(def, config, sink ? cross_error(config) : NULL, *errors) != 0 ||
      (plugin->def && row_errors(plugin->def, config, NULL, *errors) != 0)) {
    json_decref(*errors);
    *errors = NULL;
    return CL_ENOMEM;
  }
  null_errors(config, *errors);
  refusals(plugin, def, config, *errors);
  return 0;
}

char *cl_connector_invalid_message(const json_t *errors) {
  struct cl_buf text = {0};
  cl_buf_fmt(&text, "Connector configuration is invalid and contains the following %zu error(s):",
             json_array_size(errors));
  for (size_t i = 0; i < json_array_size(errors); i++) {
    cl_buf_char(&text, '\n');
    cl_buf_str(&text, json_string_value(json_array_get(errors, i)));
  }
  cl_buf_str(&text, "\nYou can also find the above list of errors at the endpoint "
                    "`/connector-plugins/{connectorType}/config/validate`");
  return cl_buf_take(&text);
}
