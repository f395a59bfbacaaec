/* SPDX-License-Identifier: Apache-2.0
 *
 * What the worker file and a connector's config say about Kafka clients and converters.
 * Any thread; the only state is the memory of warnings given. May include floors 5-0.
 */
#define CL_COMPONENT "worker.config"
#include "worker/classes.h"
#include "worker/config_internal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { WARNED_MAX = 256 }; /* remembered; REST may bring ever new sets of keys */

struct cl_worker_warned {
  pthread_mutex_t lock;
  json_t *texts; /* object, a warning's text to true */
};

struct cl_worker_warned *cl_worker_warned_new(void) {
  struct cl_worker_warned *w = calloc(1, sizeof(*w));
  json_t *texts = json_object();
  if (!w || !texts) {
    free(w);
    json_decref(texts);
    return NULL;
  }
  w->texts = texts;
  pthread_mutex_init(&w->lock, NULL);
  return w;
}

void cl_worker_warned_free(struct cl_worker_warned *w) {
  if (!w)
    return;
  pthread_mutex_destroy(&w->lock);
  json_decref(w->texts);
  free(w);
}

/* True the first time a text comes. */
static bool is_new(struct cl_worker_warned *w, const char *text) {
  pthread_mutex_lock(&w->lock);
  bool fresh = !json_object_get(w->texts, text);
  if (fresh && json_object_size(w->texts) < WARNED_MAX)
    json_object_set_new(w->texts, text, json_true());
  pthread_mutex_unlock(&w->lock);
  return fresh;
}

static const struct {
  const char *name, *prefix, *override;
} kinds[] = {
    [CL_CLIENT_CONSUMER] = {"consumer", "consumer.", "consumer.override."},
    [CL_CLIENT_PRODUCER] = {"producer", "producer.", "producer.override."},
    [CL_CLIENT_ADMIN] = {"admin", "admin.", "admin.override."},
};

static void warn_of_ignored(const struct cl_worker_conf *conf, enum cl_client_kind kind,
                            const json_t *ignored) {
  struct cl_buf text = {0};
  for (size_t i = 0; i < json_array_size(ignored); i++)
    cl_buf_fmt(&text, "%s%s", i ? ", " : "", json_string_value(json_array_get(ignored, i)));
  if (text.len > 0 && !text.failed) {
    cl_buf_fmt(&text, " (%s)", kinds[kind].name);
    if (!text.failed && is_new(conf->warned, text.p))
      CL_LOG(CL_WARN, "client settings without effect, librdkafka has no counterpart: %s", text.p);
  }
  cl_buf_free(&text);
}

static void warn_of_changed(const struct cl_worker_conf *conf, enum cl_client_kind kind,
                            const json_t *changed) {
  for (size_t i = 0; i < json_array_size(changed); i++) {
    struct cl_buf text = {0};
    cl_buf_fmt(&text, "%s setting %s", kinds[kind].name, json_string_value(json_array_get(changed, i)));
    if (!text.failed && is_new(conf->warned, text.p))
      CL_LOG(CL_WARN, "%s", text.p);
    cl_buf_free(&text);
  }
}

static void set(json_t *config, const char *key, const char *value) {
  json_object_set_new(config, key, json_string(value));
}

static void set_text(json_t *config, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void set_text(json_t *config, const char *key, const char *fmt, ...) {
  char text[512];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof(text), fmt, ap);
  va_end(ap);
  set(config, key, text);
}

/* Later settings win, and stand later: two names of one setting are applied in order. */
static void overlay(json_t *config, const json_t *over) {
  const char *key;
  json_t *value;
  json_object_foreach ((json_t *)over, key, value) {
    json_object_del(config, key);
    json_object_set(config, key, value);
  }
}

static void consumer_defaults(json_t *c, bool embedded, const char *connector, int task) {
  if (connector) {
    set_text(c, "group.id", "connect-%s", connector);
    set_text(c, "client.id", "connector-consumer-%s-%d", connector, task);
  }
  set(c, "enable.auto.commit", "false");
  set(c, "auto.offset.reset", "earliest");
  set(c, "isolation.level", "read_uncommitted"); /* Java's defaults where librdkafka's differ */
  set(c, "partition.assignment.strategy", "range");
  set(c, "allow.auto.create.topics", "true");
  set(c, "check.crcs", "true");
  if (embedded) {
    set(c, "session.timeout.ms", "3000"); /* less never gets through the mock's first join */
    set(c, "heartbeat.interval.ms", "500");
    set(c, "fetch.max.wait.ms", "10");
  }
}

static void producer_defaults(json_t *c, const char *connector, int task) {
  if (connector)
    set_text(c, "client.id", "connector-producer-%s-%d", connector, task);
  set(c, "acks", "all");
  set(c, "enable.idempotence", "false");
  set(c, "max.in.flight.requests.per.connection", "1");
  set(c, "delivery.timeout.ms", "2147483647");
  set(c, "max.request.size", "1048576"); /* Java's defaults where librdkafka's differ */
  set(c, "buffer.memory", "33554432");
  set(c, "partitioner", "murmur2_random");
}

/* Admin clients inherit every unprefixed worker key that is a client's. */
static void admin_defaults(const struct cl_worker_conf *conf, json_t *c, const char *connector, int task) {
  const char *key;
  json_t *value;
  json_object_foreach (conf->raw, key, value) {
    bool own = cl_conf_find(cl_worker_def(), key) && strncmp(key, "ssl.", 4) != 0;
    if (!own && cl_client_key_fits(CL_CLIENT_ADMIN, key))
      json_object_set(c, key, value);
  }
  if (connector)
    set_text(c, "client.id", "connector-adminclient-%s-%d", connector, task);
}

/* The broker in memory speaks no TLS: what a real one needs is left out. */
static void drop_security(json_t *config) {
  static const char *const prefixes[] = {"ssl.", "sasl.", "security."};
  const char *key;
  json_t *value;
  void *next;
  json_object_foreach_safe(config, next, key,
                           value) for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes);
                                       i++) if (strncmp(key, prefixes[i], strlen(prefixes[i])) == 0) {
    json_object_del(config, key);
    break;
  }
}

static int check_policy(const struct cl_worker_conf *conf, enum cl_client_kind kind,
                        const json_t *connector_config, struct cl_err *err) {
  json_t *override = cl_worker_strip(connector_config, kinds[kind].override);
  int rc = cl_override_policy_check(&conf->override_policy, override, err);
  json_decref(override);
  return rc;
}

static json_t *merged(const struct cl_worker_conf *conf, enum cl_client_kind kind, const char *connector,
                      int task, const json_t *connector_config) {
  json_t *config = json_object();
  if (!conf->embedded)
    set(config, "bootstrap.servers", conf->bootstrap_servers);
  if (kind == CL_CLIENT_CONSUMER)
    consumer_defaults(config, conf->embedded, connector, task);
  else if (kind == CL_CLIENT_PRODUCER)
    producer_defaults(config, connector, task);
  else
    admin_defaults(conf, config, connector, task);
  json_t *worker = cl_worker_strip(conf->raw, kinds[kind].prefix);
  json_t *override = cl_worker_strip(connector_config, kinds[kind].override);
  /* The broker in memory wants short sessions: Java's own where that would contradict. */
  if (conf->embedded && (json_object_get(worker, "heartbeat.interval.ms") ||
                         json_object_get(override, "heartbeat.interval.ms")))
    json_object_del(config, "session.timeout.ms");
  overlay(config, worker);
  overlay(config, override);
  json_decref(worker);
  json_decref(override);
  if (conf->embedded)
    drop_security(config);
  return config;
}

/* The last word on max.poll.records. */
static const char *poll_records_text(const struct cl_worker_conf *conf, const json_t *connector_config) {
  const char *text = cl_json_str(connector_config, "consumer.override.max.poll.records");
  return text ? text : cl_json_str(conf->raw, "consumer.max.poll.records");
}

static int parse_poll_records(const char *text, int64_t *out, struct cl_err *err) {
  static const struct cl_conf_row row = {.name = "max.poll.records",
                                         .type = CL_CONF_INT,
                                         .dflt = "500",
                                         .check = CL_CHECK_RANGE,
                                         .min = 1,
                                         .max = INT32_MAX};
  struct cl_conf_value v = {0};
  int rc = cl_conf_parse_one(&row, text, &v, err);
  *out = rc == 0 ? v.i : 500;
  cl_conf_value_free(&v);
  return rc;
}

uint32_t cl_worker_max_poll_records(const struct cl_worker_conf *conf, const json_t *connector_config) {
  struct cl_err ignored; /* cl_worker_client_conf has refused bad ones */
  int64_t n;
  parse_poll_records(poll_records_text(conf, connector_config), &n, &ignored);
  return (uint32_t)n;
}

int cl_worker_client_conf(const struct cl_worker_conf *conf, enum cl_client_kind kind, const char *connector,
                          int task, const json_t *connector_config, json_t **out, struct cl_err *err) {
  json_t *ignored = NULL, *changed = NULL;
  int64_t records;
  *out = NULL;
  if (check_policy(conf, kind, connector_config, err) != 0)
    return err->code;
  json_t *config = merged(conf, kind, connector, task, connector_config);
  int rc = 0;
  const char *transactional = cl_json_str(config, "transactional.id");
  if (kind == CL_CLIENT_CONSUMER)
    rc = parse_poll_records(poll_records_text(conf, connector_config), &records, err);
  if (rc == 0 && kind == CL_CLIENT_PRODUCER && transactional)
    rc = cl_err_set(err, CL_EINVAL,
                    "Invalid value %.200s for configuration transactional.id: connect-lua does not support "
                    "exactly-once sources yet; remove the key",
                    transactional);
  if (rc == 0)
    rc = cl_client_conf(kind, config, out, &ignored, &changed, err);
  if (rc == 0) {
    warn_of_ignored(conf, kind, ignored);
    warn_of_changed(conf, kind, changed);
  }
  json_decref(changed);
  json_decref(ignored);
  json_decref(config);
  return rc;
}

enum { KEY, VALUE, HEADER, N_ROLES };
static const struct cl_worker_role {
  const char *role, *key, *prefix;
} roles[N_ROLES] = {{"key", "key.converter", "key.converter."},
                    {"value", "value.converter", "value.converter."},
                    {"header", "header.converter", "header.converter."}};

static const char *worker_class(const struct cl_worker_conf *conf, size_t role) {
  return role == KEY ? conf->key_converter : role == VALUE ? conf->value_converter : conf->header_converter;
}

static json_t *worker_settings(const struct cl_worker_conf *conf, size_t role) {
  return role == KEY     ? conf->key_converter_config
         : role == VALUE ? conf->value_converter_config
                         : conf->header_converter_config;
}

/* Kafka's string serializers have names of their own for the encoding; StringConverter takes them. */
static bool is_serializers(const char *key) {
  static const char *const keys[] = {"key.serializer.encoding", "key.deserializer.encoding",
                                     "value.serializer.encoding", "value.deserializer.encoding"};
  for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
    if (strcmp(key, keys[i]) == 0)
      return true;
  return false;
}

/* Settings under a converter's prefix that it does not have, each once. */
static void warn_of_settings(const struct cl_worker_conf *conf, const struct cl_plugin *plugin,
                             const char *prefix, const json_t *settings) {
  const char *key;
  json_t *value;
  json_object_foreach ((json_t *)settings, key, value) {
    if (cl_conf_find(plugin->def, key) || strcmp(key, "converter.type") == 0 ||
        strcmp(key, "plugin.version") == 0 || is_serializers(key))
      continue;
    struct cl_buf text = {0};
    const char *near = cl_conf_nearest(plugin->def, key);
    cl_buf_fmt(&text, "unknown key %s%s: %s has no such setting", prefix, key, plugin->class);
    if (near)
      cl_buf_fmt(&text, "; did you mean %s%s?", prefix, near);
    if (!text.failed && is_new(conf->warned, text.p))
      CL_LOG(CL_WARN, "%s", text.p);
    cl_buf_free(&text);
  }
}

int cl_worker_converter(const struct cl_worker_conf *conf, const struct cl_plugins *plugins,
                        const json_t *connector_config, const char *role, struct cl_plugin **plugin,
                        json_t **typed, struct cl_err *err) {
  size_t i = 0;
  while (i < HEADER && strcmp(roles[i].role, role) != 0)
    i++;
  const char *class = cl_json_str(connector_config, roles[i].key);
  *typed = NULL;
  /* A connector's converter settings count only when it names the converter itself. */
  json_t *settings = class ? cl_worker_strip(connector_config, roles[i].prefix)
                           : json_copy(worker_settings(conf, i));
  json_object_set_new(settings, "converter.type", json_string(role)); /* implied by where it stands */
  if (!class)
    class = worker_class(conf, i);
  int rc = 0;
  *plugin = cl_class_find(plugins, CL_PLUGIN_CONVERTER, i == HEADER, class).plugin;
  if (!*plugin) {
    cl_class_refuse(plugins, CL_PLUGIN_CONVERTER, i == HEADER, roles[i].key, class, err);
    rc = err->code = CL_EINVAL;
  } else {
    warn_of_settings(conf, *plugin, roles[i].prefix, settings);
    rc = cl_conf_parse((*plugin)->def, settings, typed, err);
  }
  json_decref(settings);
  return rc;
}
