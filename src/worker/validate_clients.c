/* SPDX-License-Identifier: Apache-2.0
 *
 * The settings of a connector's own converters, and of its Kafka clients. Their errors count
 * once a key, and those of converters name the key without its prefix: Apache's way.
 * Any thread, no state. May include floors 5-0.
 */
#include "worker/validation.h"

#include "base/text.h"
#include "task/connector.h"
#include "worker/config_internal.h"

#include <string.h>

static void put_prefixed(struct cl_validation *v, const char *prefix, const struct cl_conf_row *row,
                         json_t *value) {
  char key[512];
  snprintf(key, sizeof(key), "%s%s", prefix, row->name);
  json_t *definition = cl_conf_describe(row);
  size_t errors = json_array_size(json_object_get(value, "errors"));
  json_object_set_new(definition, "name", json_string(key));
  json_object_set_new(value, "name", json_string(key));
  cl_validation_put(v, key, definition, value, row->group);
  if (errors > 1)
    v->error_count -= errors - 1;
}

static int one_converter(struct cl_validation *v, const char *key, const char *role, bool header) {
  const char *given = cl_json_str(v->config, key);
  if (!given || cl_validation_has_errors(v, key))
    return 0;
  struct cl_found_class found = cl_class_find(v->worker->plugins, CL_PLUGIN_CONVERTER, header, given);
  if (!found.plugin)
    return 0;
  char prefix[64];
  snprintf(prefix, sizeof(prefix), "%s.", key);
  json_t *settings = cl_worker_strip(v->config, prefix);
  json_object_set_new(settings, "converter.type", json_string(role));
  json_t *values = cl_conf_validate(found.plugin->def, settings), *value;
  size_t i;
  json_array_foreach (values, i, value)
    put_prefixed(v, prefix, &found.plugin->def->rows[i], json_incref(value));
  int rc = cl_validation_check_later(v, found.plugin, prefix, settings, true);
  json_decref(values);
  json_decref(settings);
  return rc;
}

int cl_validation_converters(struct cl_validation *v) {
  int rc = one_converter(v, "header.converter", "header", true);
  if (rc == 0)
    rc = one_converter(v, "key.converter", "key", false);
  return rc == 0 ? one_converter(v, "value.converter", "value", false) : rc;
}

/* The override that a client's complaint is about, else the first of its kind. */
static const char *blamed(const json_t *config, const char *prefix, const char *message) {
  const char *key, *first = NULL;
  json_t *value;
  size_t n = strlen(prefix);
  json_object_foreach ((json_t *)config, key, value) {
    if (strncmp(key, prefix, n) != 0)
      continue;
    if (strstr(message, key + n))
      return key;
    first = first ? first : key;
  }
  return first;
}

/* An override as its client defines it; one that it does not know has no definition. */
static void put_override(struct cl_validation *v, enum cl_client_kind kind, const char *prefix,
                         const char *key, json_t *given) {
  const char *java = key + strlen(prefix);
  char doc[512];
  struct cl_conf_row row;
  if (!cl_client_def(kind, java, &row)) {
    cl_validation_put(v, key, NULL,
                      json_pack("{s:s,s:O,s:[],s:[],s:b}", "name", key, "value", given, "recommended_values",
                                "errors", "visible", true),
                      NULL);
    return;
  }
  cl_client_def_doc(kind, java, doc, sizeof(doc));
  row.doc = doc;
  struct cl_conf_def def = {&row, 1};
  json_t *settings = json_object();
  json_object_set(settings, java, given);
  json_t *values = cl_conf_validate(&def, settings);
  put_prefixed(v, prefix, &row, json_incref(json_array_get(values, 0)));
  json_decref(values);
  json_decref(settings);
}

/* Whether the worker's policy refuses one of the overrides: errors on those, in Apache's words. */
static bool forbidden(struct cl_validation *v, const char *prefix) {
  const struct cl_override_policy *policy = &v->worker->conf->override_policy;
  bool any = false;
  const char *key;
  json_t *value;
  json_object_foreach ((json_t *)v->config, key, value) {
    if (!cl_starts_with(key, prefix) || cl_override_policy_allows(policy, key + strlen(prefix)))
      continue;
    cl_validation_error(
        v, key, "The '%s' policy does not allow '%s' to be overridden in the connector configuration.",
        policy->name, key + strlen(prefix));
    any = true;
  }
  return any;
}

/* Only what is given is listed. Nulls have their error already. */
static void one_client(struct cl_validation *v, enum cl_client_kind kind, const char *prefix) {
  const char *key, *name = cl_json_str(v->config, "name");
  json_t *value, *client = NULL;
  json_object_foreach ((json_t *)v->config, key, value) {
    if (strncmp(key, prefix, strlen(prefix)) == 0 && !cl_validation_find(v, key))
      put_override(v, kind, prefix, key, value);
  }
  if (forbidden(v, prefix))
    return;
  struct cl_err err = CL_ERR_INIT;
  if (cl_worker_client_conf(v->worker->conf, kind, name ? name : "", 0, v->config, &client, &err) != 0) {
    const char *culprit = blamed(v->config, prefix, err.msg);
    if (!culprit || !cl_validation_has_errors(v, culprit))
      cl_validation_error(v, culprit ? culprit : "connector.class", "%s", err.msg);
  }
  json_decref(client);
}

/* The clients that this connector's tasks have: others' overrides are nobody's. */
void cl_validation_clients(struct cl_validation *v) {
  bool sink = v->plugin->kind == CL_PLUGIN_SINK;
  const char *dead_letters = cl_json_str(v->config, "errors.deadletterqueue.topic.name");
  bool reports = sink && dead_letters && dead_letters[strspn(dead_letters, " \t\r\n")];
  if (!sink || reports)
    one_client(v, CL_CLIENT_PRODUCER, "producer.override.");
  if (sink)
    one_client(v, CL_CLIENT_CONSUMER, "consumer.override.");
  if (reports || cl_connector_creates_topics(v->config, v->plugin, true))
    one_client(v, CL_CLIENT_ADMIN, "admin.override.");
}
