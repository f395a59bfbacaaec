/* SPDX-License-Identifier: Apache-2.0
 *
 * What connect-lua refuses in a connector's config, and what only the start of a connector finds.
 * Any thread, no state. May include base and vm/plugin.h.
 */
#include "task/connector.h"

#include "base/buf.h"
#include "task/topic_groups.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void refuse(json_t *errors, const char *key, const char *value, const char *why) {
  struct cl_buf text = {.max = 64 << 10};
  cl_buf_fmt(&text, "Invalid value %s for configuration %s: %s", value, key, why);
  json_t *message = text.failed ? json_sprintf("Invalid value for configuration %s: %s", key, why)
                                : cl_json_lenient(text.p);
  json_array_append_new(errors, json_pack("{s:s,s:o}", "key", key, "message", message));
  cl_buf_free(&text);
}

/* The value is of a checked row, whatever its case and the blanks round it. */
static bool asks_for(const struct cl_conf_def *def, const json_t *config, const char *key,
                     const char *value) {
  const struct cl_conf_row *row = cl_conf_find(def, key);
  struct cl_conf_value v = {.is_null = true};
  struct cl_err ignored;
  bool yes = row && cl_conf_parse_one(row, cl_json_str(config, key), &v, &ignored) == 0 && v.s &&
             strcasecmp(v.s, value) == 0;
  cl_conf_value_free(&v);
  return yes;
}

/* In the words of an Apache cluster without exactly-once sources. Its standalone workers pass over both;
 * the records would not be what was asked for. */
static void refuse_exactly_once(const struct cl_conf_def *def, const json_t *config, json_t *errors) {
  static const struct {
    const char *key, *value, *why;
  } asked[] = {
      {"exactly.once.support", "required", "This worker does not have exactly-once source support enabled."},
      {"transaction.boundary", "connector",
       "The connector does not support connector-defined transaction boundaries with the given "
       "configuration."},
  };
  for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++)
    if (asks_for(def, config, asked[i].key, asked[i].value))
      json_array_append_new(errors, json_pack("{s:s,s:s}", "key", asked[i].key, "message", asked[i].why));
}

static void refuse_source_letters(const json_t *config, const struct cl_plugin *plugin, json_t *errors) {
  const char *topic = cl_json_str(config, CL_CONNECTOR_LETTERS);
  if (topic && plugin->kind == CL_PLUGIN_SINK)
    refuse(errors, CL_CONNECTOR_LETTERS, topic, "a sink has errors.deadletterqueue.topic.name");
}

int cl_connector_refusals(const json_t *config, const struct cl_plugin *plugin, json_t **errors) {
  const struct cl_conf_def *def = cl_connector_def(plugin->kind == CL_PLUGIN_SINK);
  *errors = json_array();
  if (!*errors)
    return CL_ENOMEM;
  refuse_source_letters(config, plugin, *errors);
  refuse_exactly_once(def, config, *errors);
  cl_connector_own_errors(config, *errors);
  return 0;
}

bool cl_connector_creates_topics(const json_t *config, const struct cl_plugin *plugin, bool enabled) {
  return enabled && plugin->kind == CL_PLUGIN_SOURCE && cl_topic_groups_wanted(config);
}

int cl_connector_start_check(const json_t *config, const struct cl_plugin *plugin, bool topic_creation,
                             struct cl_err *err) {
  struct cl_topic_groups *groups = NULL;
  if (!cl_connector_creates_topics(config, plugin, topic_creation))
    return 0;
  int rc = cl_topic_groups_read(config, &groups, err);
  cl_topic_groups_free(groups);
  return rc;
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
