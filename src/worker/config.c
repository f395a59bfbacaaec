/* SPDX-License-Identifier: Apache-2.0
 *
 * Loading of the worker file: types and refusals.
 * Thread: main. May include floors 5-0.
 */
#define CL_COMPONENT "worker.config"
#include "worker/config_internal.h"
#include "worker/providers.h"

#include "base/props.h"
#include "base/text.h"
#include "vm/rights.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---------------------------------------------------------------------- refusals */

/* Keys that would open a door, lose data or change what people rely on if they were
 * passed over. Values in allowed (and blank ones, unless blank_too) mean nothing is asked. */
static const struct refusal {
  const char *key;
  const char *allowed[3];
  bool blank_too;
  const char *why;
} refusals[] = {
    {"config.storage.topic",
     {0},
     true,
     "distributed mode is not built yet; remove the key to run standalone"},
    {"offset.storage.topic",
     {0},
     true,
     "distributed mode is not built yet; remove the key to run standalone"},
    {"status.storage.topic",
     {0},
     true,
     "distributed mode is not built yet; remove the key to run standalone"},
    {"exactly.once.source.support",
     {"disabled"},
     false,
     "connect-lua does not support exactly-once sources yet; set it to disabled"},
};

static bool is_allowed(const struct refusal *r, const char *value) {
  char *text = strdup(value + strspn(value, " \t"));
  bool allowed = cl_is_blank(value) && !r->blank_too;
  for (size_t n = text ? strlen(text) : 0; n > 0 && isspace((unsigned char)text[n - 1]); n--)
    text[n - 1] = '\0';
  for (size_t i = 0; text && i < 3 && r->allowed[i]; i++)
    allowed = allowed || strcasecmp(text, r->allowed[i]) == 0;
  free(text);
  return allowed;
}

static int refuse_unbuilt(const json_t *raw, struct cl_err *err) {
  for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
    const char *value = cl_json_str(raw, refusals[i].key);
    if (value && !is_allowed(&refusals[i], value))
      return cl_conf_error(err, "Invalid value %.200s for configuration %s: %s", value, refusals[i].key,
                           refusals[i].why);
  }
  return 0;
}

/* ----------------------------------------------------------------------- loading */

static char *copy_text(const json_t *typed, const char *key) {
  const char *text = cl_json_str(typed, key);
  return cl_is_blank(text) ? NULL : strdup(text);
}

static int64_t number(const json_t *typed, const char *key) {
  return json_integer_value(json_object_get(typed, key));
}

static bool truth(const json_t *typed, const char *key) { return json_is_true(json_object_get(typed, key)); }

json_t *cl_worker_strip(const json_t *config, const char *prefix) {
  json_t *out = json_object();
  const char *key;
  json_t *value;
  json_object_foreach ((json_t *)config, key, value)
    if (cl_starts_with(key, prefix) && key[strlen(prefix)])
      json_object_set(out, key + strlen(prefix), value);
  return out;
}

static int parse_bootstrap(struct cl_worker_conf *c, const json_t *list, struct cl_err *err) {
  struct cl_buf text = {0};
  for (size_t i = 0; i < json_array_size(list); i++) {
    const char *item = json_string_value(json_array_get(list, i));
    if (*item)
      cl_buf_fmt(&text, "%s%s", text.len ? "," : "", item);
  }
  c->bootstrap_servers = cl_buf_take(&text);
  if (!c->bootstrap_servers)
    return cl_err_set(err, CL_ENOMEM, "out of memory");
  if (!*c->bootstrap_servers)
    return cl_conf_error(
        err, "Invalid value %s for configuration bootstrap.servers: name at least one host:port, or embedded",
        cl_json_str(c->raw, "bootstrap.servers"));
  c->embedded = strcmp(c->bootstrap_servers, "embedded") == 0;
  return 0;
}

/* Empty entries are Apache's too: they are passed over. */
static json_t *paths(const json_t *list) {
  json_t *out = json_array();
  for (size_t i = 0; i < json_array_size(list); i++)
    if (json_string_length(json_array_get(list, i)) > 0)
      json_array_append(out, json_array_get(list, i));
  return out;
}

static void fill(struct cl_worker_conf *c, const json_t *typed) {
  c->key_converter = copy_text(typed, "key.converter");
  c->value_converter = copy_text(typed, "value.converter");
  c->header_converter = copy_text(typed, "header.converter");
  c->key_converter_config = cl_worker_strip(c->raw, "key.converter.");
  c->value_converter_config = cl_worker_strip(c->raw, "value.converter.");
  c->header_converter_config = cl_worker_strip(c->raw, "header.converter.");
  c->task_shutdown_graceful_timeout_ms = number(typed, "task.shutdown.graceful.timeout.ms");
  c->offset_flush_interval_ms = number(typed, "offset.flush.interval.ms");
  c->offset_flush_timeout_ms = number(typed, "offset.flush.timeout.ms");
  c->metrics_window_ms = number(typed, "metrics.sample.window.ms");
  c->watchdog_ms = number(typed, "connect.lua.watchdog.ms");
  c->offset_file = copy_text(typed, "offset.storage.file.filename");
  c->connectors_file = copy_text(typed, "connect.lua.connectors.file");
  c->plugin_path = paths(json_object_get(typed, "plugin.path"));
  c->grants = json_incref(json_object_get(typed, "connect.lua.grants"));
  c->reload = truth(typed, "connect.lua.reload");
  c->topic_creation = truth(typed, "topic.creation.enable");
  c->topic_tracking = truth(typed, "topic.tracking.enable");
  c->topic_tracking_allow_reset = truth(typed, "topic.tracking.allow.reset");
  c->memory_max = (size_t)number(typed, "connect.lua.memory.max.bytes");
  c->consumer_buffer_bytes = (size_t)number(typed, "connect.lua.consumer.buffer.bytes");
  c->log_file = copy_text(typed, "connect.lua.log.file");
  cl_log_level_parse(cl_json_str(typed, "connect.lua.log.level"), &c->log_level);
  c->log_json = strcasecmp(cl_json_str(typed, "connect.lua.log.format"), "json") == 0;
}

static int check_texts(const struct cl_worker_conf *c, struct cl_err *err) {
  if (!c->key_converter || !c->value_converter || !c->header_converter)
    return cl_conf_error(err, "Invalid value  for configuration %s: Class  could not be found.",
                         !c->key_converter     ? "key.converter"
                         : !c->value_converter ? "value.converter"
                                               : "header.converter");
  if (!c->embedded && !c->offset_file)
    return cl_conf_error(
        err, "Missing required configuration \"offset.storage.file.filename\" which has no default value.");
  return 0;
}

/* Each kind of client once with the worker's settings, so that their faults show at the start. */
static int try_clients(const struct cl_worker_conf *c, struct cl_err *err) {
  static const char *const prefixes[] = {
      [CL_CLIENT_CONSUMER] = "consumer.", [CL_CLIENT_PRODUCER] = "producer.", [CL_CLIENT_ADMIN] = "admin."};
  for (int kind = CL_CLIENT_CONSUMER; kind <= CL_CLIENT_ADMIN; kind++) {
    json_t *client = NULL;
    int rc = cl_worker_client_conf(c, (enum cl_client_kind)kind, NULL, 0, NULL, &client, err);
    json_decref(client);
    if (rc)
      return cl_err_prefix(err, "settings under %s: ", prefixes[kind]);
  }
  return 0;
}

/* The worker file's own variables. What it says of plugins and providers is read as it stands. */
static int resolve(struct cl_worker_conf *c, struct cl_err *err) {
  json_t *resolved = NULL, *raw_path = json_object_get(c->raw, "plugin.path");
  int rc = cl_providers_new(c->raw, &c->providers, err);
  if (rc == 0)
    rc = cl_providers_resolve(c->providers, c->raw, &resolved, err);
  if (rc == 0 && raw_path)
    json_object_set(resolved, "plugin.path", raw_path);
  if (rc == 0) {
    json_decref(c->raw);
    c->raw = resolved;
  }
  return rc;
}

static int load(struct cl_worker_conf *c, json_t **typed, struct cl_err *err) {
  int rc = resolve(c, err);
  if (rc == 0)
    rc = cl_conf_parse(cl_worker_def(), c->raw, typed, err);
  if (rc == 0)
    rc = refuse_unbuilt(c->raw, err);
  if (rc == 0)
    rc = parse_bootstrap(c, json_object_get(*typed, "bootstrap.servers"), err);
  if (rc == 0)
    rc = cl_rest_conf_load(c->raw, *typed, &c->rest, err);
  if (rc == 0)
    rc = cl_override_policy_new(*typed, &c->override_policy, err);
  if (rc)
    return rc;
  fill(c, *typed);
  rc = check_texts(c, err);
  if (rc == 0 && (rc = cl_rights_check(c->grants, err)) != 0)
    cl_err_prefix(err, "Invalid value for configuration connect.lua.grants: ");
  return rc ? rc : try_clients(c, err);
}

int cl_worker_conf_make(const char *name, const json_t *raw, struct cl_worker_conf **out,
                        struct cl_err *err) {
  json_t *typed = NULL;
  *out = NULL;
  struct cl_worker_conf *c = calloc(1, sizeof(*c));
  if (c) {
    c->path = strdup(name);
    c->warned = cl_worker_warned_new();
    c->raw = json_copy((json_t *)raw);
  }
  if (!c || !c->path || !c->warned || !c->raw) {
    cl_worker_conf_free(c);
    return cl_err_set(err, CL_ENOMEM, "out of memory");
  }
  cl_worker_warn_of_keys(name, c->raw);
  int rc = load(c, &typed, err);
  json_decref(typed);
  if (rc)
    cl_worker_conf_free(c);
  else
    *out = c;
  return rc;
}

int cl_worker_conf_load(const char *path, struct cl_worker_conf **out, struct cl_err *err) {
  json_t *raw = NULL;
  *out = NULL;
  int rc = cl_props_load(path, &raw, err);
  if (rc == 0 && cl_worker_conf_make(path, raw, out, err) != 0) {
    const char *class = err->class;
    rc = cl_err_prefix(err, "%s: ", path);
    err->class = class;
  }
  json_decref(raw);
  return rc;
}

struct cl_worker_conf *cl_worker_conf_plain(void) {
  static const char text[] = "org.apache.kafka.connect.storage.StringConverter";
  struct cl_worker_conf *c = calloc(1, sizeof(*c));
  if (!c)
    return NULL;
  c->warned = cl_worker_warned_new();
  c->key_converter = strdup(text);
  c->value_converter = strdup(text);
  c->header_converter = strdup(CL_SIMPLE_HEADER_CONVERTER);
  c->key_converter_config = json_object();
  c->value_converter_config = json_object();
  c->header_converter_config = json_object();
  c->memory_max = 64 << 20;
  if (c->warned && c->key_converter && c->value_converter && c->header_converter)
    return c;
  cl_worker_conf_free(c);
  return NULL;
}

void cl_worker_conf_free(struct cl_worker_conf *c) {
  if (!c)
    return;
  cl_rest_conf_clear(&c->rest);
  cl_worker_warned_free(c->warned);
  json_decref(c->plugin_path);
  json_decref(c->grants);
  json_decref(c->header_converter_config);
  json_decref(c->value_converter_config);
  json_decref(c->key_converter_config);
  json_decref(c->raw);
  cl_providers_free(c->providers);
  cl_override_policy_clear(&c->override_policy);
  free(c->log_file);
  free(c->connectors_file);
  free(c->offset_file);
  free(c->header_converter);
  free(c->value_converter);
  free(c->key_converter);
  free(c->bootstrap_servers);
  free(c->path);
  free(c);
}
