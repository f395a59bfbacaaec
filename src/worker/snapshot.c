/* SPDX-License-Identifier: Apache-2.0
 *
 * What readers see: answers to REST's GETs, made under the herder's lock, which nobody
 * holds for longer than that. Any thread. May include floors 5-0.
 */
#include "worker/internal.h"

#include <string.h>

#define CL_CONNECT_API "4.2.0"

static const char *type_name(const struct cl_instance *c) {
  return c->plugin ? cl_plugin_kind_name(c->plugin->kind) : "unknown";
}

json_t *cl_snapshot_info(const struct cl_instance *c) {
  json_t *tasks = json_array();
  for (size_t i = 0; i < json_array_size(c->task_configs); i++)
    json_array_append_new(tasks, json_pack("{s:s,s:i}", "connector", c->name, "task", (int)i));
  return json_pack("{s:s,s:O,s:o,s:s}", "name", c->name, "config", c->config, "tasks", tasks, "type", type_name(c));
}

static json_t *unit_status(const struct cl_herder *h, const struct cl_instance *c, enum cl_state state, const char *trace, bool version) {
  json_t *out = json_pack("{s:s,s:s?,s:s?}", "state", cl_state_name(state), "worker_id", h->worker_id, "version",
                          version ? c->plugin->version : NULL);
  if (trace)
    json_object_set_new(out, "trace", cl_json_lenient(trace));
  return out;
}

json_t *cl_snapshot_status(const struct cl_herder *h, const struct cl_instance *c) {
  json_t *tasks = json_array();
  for (size_t i = 0; i < c->n_runs; i++) {
    json_t *task = json_pack("{s:i}", "id", (int)i);
    json_t *rest = unit_status(h, c, c->runs[i].state, c->runs[i].trace, true);
    json_object_update(task, rest);
    json_decref(rest);
    json_array_append_new(tasks, task);
  }
  return json_pack("{s:s,s:o,s:o,s:s}", "name", c->name, "connector",
                   unit_status(h, c, c->state, c->trace, c->state != CL_FAILED), "tasks", tasks, "type", type_name(c));
}

static json_t *tasks_of(const struct cl_instance *c) {
  json_t *out = json_array(), *config;
  size_t i;
  json_array_foreach(c->task_configs, i, config) {
    json_array_append_new(out, json_pack("{s:{s:s,s:i},s:O}", "id", "connector", c->name, "task", (int)i, "config", config));
  }
  return out;
}

static json_t *all_connectors(const struct cl_herder *h, const struct cl_query *q) {
  bool expand = q->expand_info || q->expand_status;
  json_t *out = expand ? json_object() : json_array();
  for (const struct cl_instance *c = h->list; c; c = c->next) {
    if (!expand) {
      json_array_append_new(out, json_string(c->name));
      continue;
    }
    json_t *item = json_object();
    if (q->expand_status)
      json_object_set_new(item, "status", cl_snapshot_status(h, c));
    if (q->expand_info)
      json_object_set_new(item, "info", cl_snapshot_info(c));
    json_object_set_new(out, c->name, item);
  }
  return out;
}

static void one_connector(struct cl_herder *h, const struct cl_query *q, struct cl_reply *out) {
  const struct cl_instance *c = cl_herder_find(h, q->name);
  if (!c && q->kind == CL_GET_STATUS)
    cl_reply_error(out, 404, "No status found for connector %s", q->name);
  else if (!c)
    cl_reply_error(out, 404, "Connector %s not found", q->name);
  else if (q->kind == CL_GET_CONNECTOR)
    out->body = cl_snapshot_info(c);
  else if (q->kind == CL_GET_CONFIG)
    out->body = json_incref(c->config);
  else if (q->kind == CL_GET_STATUS)
    out->body = cl_snapshot_status(h, c);
  else
    out->body = tasks_of(c);
}

/* Clients decide by `version` what they may ask for: it is the level of Connect's API. */
static json_t *server_info(const struct cl_herder *h) {
  return json_pack("{s:s,s:s,s:s?}", "version", CL_CONNECT_API, "commit", "connect-lua-" CL_VERSION "-" CL_COMMIT,
                   "kafka_cluster_id", cl_cluster_id(h->worker->cluster));
}

void cl_herder_query(struct cl_herder *h, const struct cl_query *q, struct cl_reply *out) {
  *out = (struct cl_reply){.status = 200};
  switch (q->kind) {
  case CL_GET_ROOT:
    out->body = server_info(h);
    return;
  case CL_GET_PLUGINS: out->body = cl_plugins_list(h->worker->plugins, q->connectors_only); return;
  default: break;
  }
  pthread_mutex_lock(&h->lock);
  if (q->kind == CL_GET_CONNECTORS)
    out->body = all_connectors(h, q);
  else
    one_connector(h, q, out);
  pthread_mutex_unlock(&h->lock);
}
