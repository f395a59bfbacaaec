/* SPDX-License-Identifier: Apache-2.0
 *
 * Offsets of connectors: what is checked first, the plugin's say, and sources whole.
 * Threads: see the header. May include floors 5-0.
 */
#define CL_COMPONENT "herder"
#include "worker/connector_offsets.h"

#include "base/log.h"
#include "task/task.h"
#include "vm/source_key.h"

#include <stdlib.h>
#include <string.h>

static void no_memory(struct cl_reply *reply) { cl_reply_error(reply, 500, "Out of memory"); }

/* Not Apache's: see kafka/admin.h. */
static void refuse_embedded(const char *name, struct cl_reply *reply) {
  cl_reply_error(
      reply, 500,
      "The offsets of sink connector %s are its consumer group's, which the embedded broker cannot "
      "tell or change; a real Kafka can",
      name);
}

/* ---------------------------------------------------------------------- reading */

void cl_connector_offsets_query(struct cl_herder *h, const char *name, struct cl_reply *out) {
  struct cl_err err = CL_ERR_INIT;
  json_t *list = NULL;
  pthread_mutex_lock(&h->lock);
  const struct cl_instance *c = cl_herder_find(h, name);
  bool sink = c && c->plugin && c->plugin->kind == CL_PLUGIN_SINK;
  pthread_mutex_unlock(&h->lock);
  if (!c)
    cl_reply_error(out, 404, "Connector %s not found", name);
  else if (sink && h->worker->embedded)
    refuse_embedded(name, out);
  else if (sink)
    out->status = 0;
  else if (cl_offsets_list(h->worker->offsets, name, &list, &err) != 0)
    cl_reply_error(out, 500, "Failed to retrieve offsets for source connector %s: %s", name, err.msg);
  else if (!(out->body = json_pack("{s:o}", "offsets", list)))
    no_memory(out);
}

/* ------------------------------------------------------------ the plugin's say */

/* What Lua gets: {partition=, offset=} of a source, {topic=, partition=, offset=} of a sink; null is absent.
 */
static json_t *for_plugin(const json_t *offsets, bool sink) {
  json_t *out = json_array(), *item;
  size_t i;
  json_array_foreach ((json_t *)offsets, i, item) {
    json_t *partition = json_object_get(item, "partition"), *offset = json_object_get(item, "offset");
    json_t *to = json_object();
    if (sink) {
      json_object_set(to, "topic", json_object_get(partition, "kafka_topic"));
      json_object_set(to, "partition", json_object_get(partition, "kafka_partition"));
      json_object_set(to, "offset", json_object_get(offset, "kafka_offset"));
    } else {
      json_object_set(to, "partition", json_is_null(partition) ? NULL : partition);
      json_object_set(to, "offset", json_is_null(offset) ? NULL : offset);
    }
    json_array_append_new(out, to);
  }
  return out;
}

int cl_connector_offsets_ask(const struct cl_worker *w, const char *name, const struct cl_plugin *plugin,
                             const json_t *resolved, const json_t *offsets, bool *confirmed,
                             struct cl_reply *reply) {
  bool sink = plugin->kind == CL_PLUGIN_SINK;
  struct cl_err err = CL_ERR_INIT;
  json_t *answer = NULL;
  *confirmed = false;
  if (!json_object_get(plugin->verbs, "alter_offsets"))
    return 0;
  json_t *args = json_pack("[O, o]", resolved, for_plugin(offsets, sink));
  int rc = args ? cl_control_call(w->control, plugin, "alter_offsets", args, &answer, &err)
                : cl_err_set(&err, CL_ENOMEM, "out of memory");
  json_decref(args);
  const char *refused = cl_json_str(answer, "refused");
  if (rc != 0)
    cl_reply_error(reply, 500, "Failed to modify offsets for %s connector %s: %s", sink ? "sink" : "source",
                   name, err.msg);
  else if (refused)
    cl_reply_error(reply, 500, "%s", refused);
  else
    *confirmed = json_is_true(json_object_get(answer, "done"));
  rc = rc != 0 || refused ? -1 : 0;
  json_decref(answer);
  return rc;
}

void cl_connector_offsets_done(bool reset, bool confirmed, struct cl_reply *reply) {
  const char *what = reset ? "reset" : "altered";
  json_t *text = confirmed ? json_sprintf("The offsets for this connector have been %s successfully", what)
                           : json_sprintf(
                                 "The Connect framework-managed offsets for this connector have been %s "
                                 "successfully. However, if this connector manages offsets externally, they "
                                 "will need to be manually %s in the system that the connector uses.",
                                 what, what);
  reply->status = 200;
  reply->body = json_pack("{s:o}", "message", text);
}

void cl_connector_offsets_busy(const char *name, bool reset, struct cl_reply *reply) {
  const char *what = reset ? "reset" : "alter";
  cl_reply_error(
      reply, 500,
      "Failed to %s consumer group offsets for connector %s either because its tasks haven't stopped "
      "completely yet or the connector was resumed before the request to %s its offsets could be "
      "successfully completed. If the connector is in a stopped state, this operation can be safely "
      "retried. If it doesn't eventually succeed, the Connect cluster may need to be restarted to get "
      "rid of the zombie sink tasks.",
      what, name, what);
}

bool cl_connector_offsets_add(json_t *list, json_t *index, json_t *partition, json_t *offset) {
  char *key = json_dumps(partition, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY);
  json_t *item = json_pack("{s:O, s:O}", "partition", partition, "offset", offset);
  const json_t *at = key ? json_object_get(index, key) : NULL;
  bool ok = key && item;
  if (ok && !at)
    ok = json_object_set_new(index, key, json_integer((json_int_t)json_array_size(list))) == 0;
  if (ok && at)
    ok = json_array_set(list, (size_t)json_integer_value(at), item) == 0;
  else if (ok)
    ok = json_array_append(list, item) == 0;
  json_decref(item);
  free(key);
  return ok;
}

/* ---------------------------------------------------------------------- sources */

static int check_flat(const json_t *map, struct cl_reply *reply) {
  const char *key;
  json_t *value;
  json_object_foreach ((json_t *)map, key, value) {
    if (!json_is_object(value) && !json_is_array(value))
      continue;
    cl_reply_error(reply, 500, "Offsets may only contain primitive types as values, but field %s contains %s",
                   key, json_is_object(value) ? "MAP" : "ARRAY");
    return -1;
  }
  return 0;
}

/* What a PATCH asks for, each partition once; NULL: replied. */
static json_t *asked_for(const json_t *body, struct cl_reply *reply) {
  json_t *list = json_array(), *index = json_object(), *item;
  size_t i;
  bool ok = list && index;
  json_array_foreach ((json_t *)body, i, item) {
    json_t *partition = json_object_get(item, "partition"), *offset = json_object_get(item, "offset");
    if (check_flat(partition, reply) != 0 || check_flat(offset, reply) != 0)
      break;
    ok = ok && cl_connector_offsets_add(list, index, partition, offset);
  }
  json_decref(index);
  if (!ok)
    no_memory(reply);
  if (reply->status == 0)
    return list;
  json_decref(list);
  return NULL;
}

/* What a DELETE means: no offset for every partition there is; NULL: replied. */
static json_t *all_reset(const struct cl_worker *w, const char *name, struct cl_reply *reply) {
  struct cl_err err = CL_ERR_INIT;
  json_t *list = NULL, *item;
  size_t i;
  if (cl_offsets_list(w->offsets, name, &list, &err) != 0) {
    cl_reply_error(reply, 500, "Failed to modify offsets for source connector %s: %s", name, err.msg);
    return NULL;
  }
  json_array_foreach (list, i, item)
    json_object_set_new(item, "offset", json_null());
  return list;
}

static void free_pairs(struct cl_offset_pair *pairs, size_t n) {
  for (size_t i = 0; pairs && i < n; i++) {
    free((char *)pairs[i].partition);
    free((char *)pairs[i].offset);
  }
  free(pairs);
}

/* Returns when they are on disk. */
static int write_source(const struct cl_worker *w, const char *name, const json_t *list, struct cl_err *err) {
  size_t n = json_array_size(list), i;
  struct cl_offset_pair *pairs = calloc(n + 1, sizeof(*pairs));
  json_t *item;
  int rc = pairs ? 0 : cl_err_set(err, CL_ENOMEM, "out of memory");
  json_array_foreach ((json_t *)list, i, item) {
    char *partition = NULL, *offset = cl_source_offset_text(json_object_get(item, "offset"));
    if (rc == 0)
      rc = cl_source_key_text(json_object_get(item, "partition"), false, &partition, err);
    if (rc == 0 && !offset)
      rc = cl_err_set(err, CL_ENOMEM, "out of memory");
    if (rc != 0) {
      free(offset);
      break;
    }
    pairs[i] = (struct cl_offset_pair){partition, strlen(partition), offset, strlen(offset)};
  }
  if (rc == 0 && n > 0)
    rc = cl_offsets_alter(w->offsets, name, pairs, n, err);
  free_pairs(pairs, n);
  return rc;
}

static void change_source(struct cl_herder *h, struct cl_instance *c, const struct cl_command *cmd,
                          struct cl_reply *reply) {
  bool reset = cmd->kind == CL_CMD_RESET_OFFSETS, confirmed = false;
  struct cl_err err = CL_ERR_INIT;
  json_t *list = reset ? all_reset(h->worker, c->name, reply) : asked_for(cmd->config, reply);
  if (!list)
    return;
  int rc = cl_instance_resolve(h->worker, c, &err);
  if (rc == 0 &&
      cl_connector_offsets_ask(h->worker, c->name, c->plugin, c->resolved, list, &confirmed, reply) == 0)
    rc = write_source(h->worker, c->name, list, &err);
  if (rc != 0)
    cl_reply_error(reply, 500, "Failed to modify offsets for source connector %s: %s", c->name, err.msg);
  else if (reply->status == 0)
    cl_connector_offsets_done(reset, confirmed, reply);
  json_decref(list);
}

/* ------------------------------------------------------------------------ checks */

/* True: nothing stands against it. */
static bool may_change(const struct cl_herder *h, const struct cl_instance *c, bool reset,
                       struct cl_reply *reply) {
  if (c->target != CL_STOPPED || c->n_runs != 0)
    cl_reply_error(
        reply, 400,
        "Connectors must be in the STOPPED state before their offsets can be modified. This can be "
        "done for the specified connector by issuing a 'PUT' request to the '/connectors/%s/stop' "
        "endpoint",
        c->name);
  else if (!c->plugin)
    cl_reply_error(reply, 500, "Failed to modify offsets for connector %s: its class is not there", c->name);
  else if (c->plugin->kind == CL_PLUGIN_SINK && h->worker->embedded)
    refuse_embedded(c->name, reply);
  else if (!cl_task_abandoned_of(c->name))
    return true;
  else if (c->plugin->kind == CL_PLUGIN_SINK)
    cl_connector_offsets_busy(c->name, reset, reply);
  else
    cl_reply_error(
        reply, 500,
        "Failed to modify offsets for source connector %s because its tasks haven't stopped completely "
        "yet. This can be retried; if it doesn't eventually succeed, the worker may need to be "
        "restarted to get rid of the zombie tasks.",
        c->name);
  return false;
}

bool cl_connector_offsets_change(struct cl_herder *h, struct cl_instance *c, const struct cl_command *cmd,
                                 struct cl_reply *reply) {
  if (!may_change(h, c, cmd->kind == CL_CMD_RESET_OFFSETS, reply))
    return true;
  if (c->plugin->kind == CL_PLUGIN_SINK)
    return false;
  change_source(h, c, cmd, reply);
  return true;
}
