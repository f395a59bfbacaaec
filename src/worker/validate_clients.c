/* SPDX-License-Identifier: Apache-2.0
 *
 * The settings of a connector's own converters, and of its Kafka clients. Their errors count
 * once a key, and those of converters name the key without its prefix: Apache's way.
 * Any thread, no state. May include floors 5-0.
 */
#include "worker/validation.h"

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

static void one_converter(struct cl_validation *v, const char *key, const char *role, bool header) {
  const char *given = cl_json_str(v->config, key);
  if (!given || cl_validation_has_errors(v, key))
    return;
  struct cl_found_class found = cl_validation_class(v->worker, CL_PLUGIN_CONVERTER, header, given);
  if (!found.plugin)
    return;
  char prefix[64];
  snprintf(prefix, sizeof(prefix), "%s.", key);
  json_t *settings = cl_worker_strip(v->config, prefix);
  json_object_set_new(settings, "converter.type", json_string(role));
  json_t *values = cl_conf_validate(found.plugin->def, settings), *value;
  size_t i;
  json_array_foreach (values, i, value)
    put_prefixed(v, prefix, &found.plugin->def->rows[i], json_incref(value));
  json_decref(values);
  json_decref(settings);
}

void cl_validation_converters(struct cl_validation *v) {
  one_converter(v, "header.converter", "header", true);
  one_converter(v, "key.converter", "key", false);
  one_converter(v, "value.converter", "value", false);
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

static void list_overrides(struct cl_validation *v, const char *prefix) {
  const char *key;
  json_t *value;
  json_object_foreach ((json_t *)v->config, key, value) {
    if (strncmp(key, prefix, strlen(prefix)) == 0 && !cl_validation_find(v, key))
      cl_validation_put(v, key, NULL,
                        json_pack("{s:s,s:O,s:[],s:[],s:b}", "name", key, "value", value,
                                  "recommended_values", "errors", "visible", true),
                        NULL);
  }
}

/* The clients' own settings have no definitions here: librdkafka and its table of Java names decide. */
void cl_validation_clients(struct cl_validation *v) {
  bool sink = v->plugin->kind == CL_PLUGIN_SINK;
  const char *prefix = sink ? "consumer.override." : "producer.override.",
             *name = cl_json_str(v->config, "name");
  struct cl_err err = CL_ERR_INIT;
  json_t *client = NULL;
  list_overrides(v, prefix);
  if (cl_worker_client_conf(v->worker->conf, sink ? CL_CLIENT_CONSUMER : CL_CLIENT_PRODUCER, name ? name : "",
                            0, v->config, &client, &err) != 0) {
    const char *key = blamed(v->config, prefix, err.msg);
    cl_validation_error(v, key ? key : "connector.class", "%s", err.msg);
  }
  json_decref(client);
}
