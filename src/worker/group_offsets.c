/* SPDX-License-Identifier: Apache-2.0
 *
 * Offsets of sinks: those that their consumer groups have committed.
 * Thread: the groups thread, which may wait for brokers. May include floors 5-0.
 */
#define CL_COMPONENT "herder"
#include "worker/connector_offsets.h"

#include "base/log.h"
#include "kafka/admin.h"
#include "worker/providers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct sink {
  struct cl_plugin *plugin;
  json_t *resolved;
  char *group;
  struct cl_admin *admin;
};

static void sink_close(struct sink *s) {
  cl_admin_close(s->admin);
  free(s->group);
  json_decref(s->resolved);
  if (s->plugin)
    cl_plugin_unref(s->plugin);
}

/* Its plugin and config as they are now; false: it is gone. */
static bool look_up(struct cl_herder *h, const char *name, struct cl_plugin **plugin, json_t **config) {
  pthread_mutex_lock(&h->lock);
  const struct cl_instance *c = cl_herder_find(h, name);
  if (c && c->plugin && c->plugin->kind == CL_PLUGIN_SINK) {
    *plugin = c->plugin;
    cl_plugin_ref(c->plugin);
    *config = json_incref(c->config);
  }
  pthread_mutex_unlock(&h->lock);
  return *plugin != NULL;
}

static int sink_open(struct cl_herder *h, const char *name, json_t *config, struct sink *s,
                     struct cl_err *err) {
  const struct cl_worker *w = h->worker;
  json_t *consumer = NULL, *client = NULL;
  int rc = cl_providers_resolve(w->conf->providers, config, &s->resolved, err);
  if (rc == 0)
    rc = cl_worker_client_conf(w->conf, CL_CLIENT_CONSUMER, name, 0, s->resolved, &consumer, err);
  if (rc == 0)
    rc = cl_worker_client_conf(w->conf, CL_CLIENT_ADMIN, name, 0, s->resolved, &client, err);
  if (rc == 0) {
    s->group = strdup(cl_json_str(consumer, "group.id"));
    rc = s->group ? cl_admin_open(client, &h->groups_stop, &s->admin, err)
                  : cl_err_set(err, CL_ENOMEM, "out of memory");
  }
  json_decref(client);
  json_decref(consumer);
  return rc;
}

static void run_read(struct sink *s, const char *name, int rc, struct cl_err *err, struct cl_reply *reply) {
  json_t *list = NULL;
  if (rc == 0)
    rc = cl_admin_group_offsets(s->admin, s->group, &list, err);
  if (rc != 0) {
    cl_reply_error(reply, 500, "Failed to retrieve consumer group offsets for sink connector %s: %s", name,
                   err->msg);
    return;
  }
  reply->status = 200;
  reply->body = json_pack("{s:o}", "offsets", list);
}

/* ------------------------------------------------------- what a PATCH asks for */

/* As Java's parseLong takes what String.valueOf makes of it: numbers may be texts. */
static bool whole_number(const json_t *value, int64_t min, int64_t max, json_int_t *out) {
  if (json_is_integer(value)) {
    *out = json_integer_value(value);
  } else {
    const char *text = json_string_value(value);
    const char *digits = text ? text + (*text == '-' || *text == '+') : "";
    errno = 0;
    *out = strtoll(text ? text : "", NULL, 10);
    if (!*digits || digits[strspn(digits, "0123456789")] || errno != 0)
      return false;
  }
  return *out >= min && *out <= max;
}

/* A value as Java prints it in a message. */
static void not_whole(const char *what, const char *values, const json_t *value, struct cl_reply *reply) {
  char *text = json_is_string(value) ? strdup(json_string_value(value))
                                     : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
  cl_reply_error(
      reply, 400,
      "Failed to parse the following Kafka %s value in the provided offsets: '%s'. %s values for sink "
      "connectors need to be integers.",
      what, text ? text : "", values);
  free(text);
}

static json_t *parse_partition(const json_t *in, struct cl_reply *reply) {
  const json_t *topic = json_object_get(in, "kafka_topic"), *number = json_object_get(in, "kafka_partition");
  json_int_t n;
  if (!json_is_object(in))
    cl_reply_error(reply, 400, "The partition for a sink connector offset cannot be null or missing");
  else if (!topic || !number)
    cl_reply_error(reply, 400,
                   "The partition for a sink connector offset must contain the keys 'kafka_topic' and "
                   "'kafka_partition'");
  else if (!json_is_string(topic)) /* Apache makes texts of all but null */
    cl_reply_error(reply, 400, "Kafka topic names must be valid strings and may not be null");
  else if (json_is_null(number))
    cl_reply_error(reply, 400, "Kafka partitions must be valid numbers and may not be null");
  else if (!whole_number(number, INT32_MIN, INT32_MAX, &n))
    not_whole("partition", "Partition", number, reply);
  else
    return json_pack("{s:O, s:I}", "kafka_topic", topic, "kafka_partition", n);
  return NULL;
}

static json_t *parse_offset(const json_t *in, struct cl_reply *reply) {
  const json_t *value = json_object_get(in, "kafka_offset");
  json_int_t n;
  if (!json_is_object(in))
    return json_null();
  if (!value)
    cl_reply_error(reply, 400,
                   "The offset for a sink connector should either be null or contain the key 'kafka_offset'");
  else if (!whole_number(value, INT64_MIN, INT64_MAX, &n))
    not_whole("offset", "Offset", value, reply);
  else
    return json_pack("{s:I}", "kafka_offset", n);
  return NULL;
}

/* Each partition once; NULL: replied. */
static json_t *asked_for(const json_t *body, struct cl_reply *reply) {
  json_t *list = json_array(), *index = json_object(), *item;
  size_t i;
  bool ok = true;
  json_array_foreach ((json_t *)body, i, item) {
    json_t *partition = parse_partition(json_object_get(item, "partition"), reply);
    json_t *offset = partition ? parse_offset(json_object_get(item, "offset"), reply) : NULL;
    ok = partition && offset && cl_connector_offsets_add(list, index, partition, offset);
    json_decref(offset);
    json_decref(partition);
    if (!ok)
      break;
  }
  json_decref(index);
  if (ok)
    return list;
  json_decref(list);
  if (reply->status == 0)
    cl_reply_error(reply, 500, "Out of memory");
  return NULL;
}

/* What a DELETE means: no offset for every partition there is; NULL: replied. */
static json_t *all_reset(const struct sink *s, const char *name, struct cl_reply *reply) {
  struct cl_err err = CL_ERR_INIT;
  json_t *list = NULL, *item;
  size_t i;
  if (cl_admin_group_offsets(s->admin, s->group, &list, &err) != 0) {
    cl_reply_error(reply, 500, "Failed to list offsets prior to resetting offsets for sink connector %s: %s",
                   name, err.msg);
    return NULL;
  }
  json_array_foreach (list, i, item)
    json_object_set_new(item, "offset", json_null());
  return list;
}

/* ---------------------------------------------------------------------- changing */

static const json_t *negative(const json_t *list) {
  size_t i;
  json_t *item;
  json_array_foreach ((json_t *)list, i, item) {
    const json_t *n = json_object_get(json_object_get(item, "offset"), "kafka_offset");
    if (n && json_integer_value(n) < 0)
      return n;
  }
  return NULL;
}

static int write_group(const struct sink *s, bool reset, const json_t *list, struct cl_err *err) {
  const json_t *bad = negative(list);
  if (bad) /* some of them mean things to librdkafka */
    return cl_err_set(err, CL_EINVAL, "Invalid negative offset %lld", (long long)json_integer_value(bad));
  return reset ? cl_admin_group_delete(s->admin, s->group, err)
               : cl_admin_group_alter(s->admin, s->group, list, err);
}

static void change(struct cl_herder *h, const struct sink *s, const struct cl_command *cmd, json_t *list,
                   struct cl_reply *reply) {
  bool reset = cmd->kind == CL_CMD_RESET_OFFSETS, confirmed;
  struct cl_err err = CL_ERR_INIT;
  if (cl_connector_offsets_ask(h->worker, cmd->name, s->plugin, s->resolved, list, &confirmed, reply) != 0)
    return;
  int rc = write_group(s, reset, list, &err);
  if (rc == CL_ECONFLICT)
    cl_connector_offsets_busy(cmd->name, reset, reply);
  else if (rc != 0)
    cl_reply_error(reply, 500,
                   reset ? "Failed to reset consumer group offsets for sink connector %s: %s"
                         : "Failed to alter consumer group offsets for connector %s: %s",
                   cmd->name, err.msg);
  else
    cl_connector_offsets_done(reset, confirmed, reply);
}

static void run_change(struct cl_herder *h, struct sink *s, const struct cl_command *cmd, int rc,
                       const struct cl_err *err, struct cl_reply *reply) {
  if (rc != 0) {
    cl_reply_error(reply, 500, "Failed to modify offsets for sink connector %s: %s", cmd->name, err->msg);
    return;
  }
  json_t *list = cmd->kind == CL_CMD_RESET_OFFSETS ? all_reset(s, cmd->name, reply)
                                                   : asked_for(cmd->config, reply);
  if (list)
    change(h, s, cmd, list, reply);
  json_decref(list);
}

void cl_group_offsets_run(struct cl_herder *h, const struct cl_command *cmd, struct cl_reply *reply) {
  struct cl_err err = CL_ERR_INIT;
  struct sink s = {0};
  json_t *config = NULL;
  cl_log_context(cmd->name);
  if (!look_up(h, cmd->name, &s.plugin, &config)) {
    cl_reply_error(reply, 404, "Connector %s not found", cmd->name);
  } else {
    int rc = sink_open(h, cmd->name, config, &s, &err);
    if (cmd->kind == CL_CMD_READ_OFFSETS)
      run_read(&s, cmd->name, rc, &err, reply);
    else
      run_change(h, &s, cmd, rc, &err, reply);
  }
  sink_close(&s);
  json_decref(config);
  cl_log_context(NULL);
}
