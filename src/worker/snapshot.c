/* SPDX-License-Identifier: Apache-2.0
 *
 * What readers see: answers to REST's GETs, made under the herder's lock, which nobody
 * holds for longer than that. Any thread. May include floors 5-0.
 */
#include "worker/internal.h"

#include "worker/connector_offsets.h"
#include "worker/mask.h"
#include "worker/plugin_info.h"

#include <string.h>

static const char *type_name(const struct cl_instance *c) {
  return c->plugin ? cl_plugin_kind_name(c->plugin->kind) : "unknown";
}

static json_t *config_of(const struct cl_herder *h, const struct cl_instance *c) {
  return cl_mask_config(h->worker, c->open, c->config);
}

json_t *cl_snapshot_info(const struct cl_herder *h, const struct cl_instance *c) {
  json_t *tasks = json_array();
  for (size_t i = 0; i < json_array_size(c->task_configs); i++)
    json_array_append_new(tasks, json_pack("{s:s,s:i}", "connector", c->name, "task", (int)i));
  return json_pack("{s:s,s:o,s:o,s:s}", "name", c->name, "config", config_of(h, c), "tasks", tasks, "type",
                   type_name(c));
}

static json_t *unit_status(const struct cl_herder *h, const struct cl_instance *c, enum cl_state state,
                           const char *trace, bool version) {
  json_t *out = json_pack("{s:s,s:s?,s:s?}", "state", cl_state_name(state), "worker_id", h->worker_id,
                          "version", version && c->plugin ? c->plugin->version : NULL);
  if (trace)
    json_object_set_new(out, "trace", cl_json_lenient(trace));
  return out;
}

static json_t *task_status(const struct cl_herder *h, const struct cl_instance *c, size_t i) {
  json_t *task = json_pack("{s:i}", "id", (int)i);
  json_t *rest = unit_status(h, c, c->runs[i].state, c->runs[i].trace, c->runs[i].built);
  json_object_update(task, rest);
  json_decref(rest);
  return task;
}

json_t *cl_snapshot_status(const struct cl_herder *h, const struct cl_instance *c) {
  json_t *tasks = json_array();
  for (size_t i = 0; i < c->n_runs; i++)
    json_array_append_new(tasks, task_status(h, c, i));
  return json_pack("{s:s,s:o,s:o,s:s}", "name", c->name, "connector",
                   unit_status(h, c, c->state, c->trace, c->state != CL_FAILED), "tasks", tasks, "type",
                   type_name(c));
}

static json_t *tasks_of(const struct cl_herder *h, const struct cl_instance *c) {
  json_t *out = json_array(), *config;
  size_t i;
  json_array_foreach (c->task_configs, i, config) {
    json_array_append_new(out,
                          json_pack("{s:{s:s,s:i},s:o}", "id", "connector", c->name, "task", (int)i, "config",
                                    cl_mask_task_config(h->worker, c->open, c->config, config)));
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
      json_object_set_new(item, "info", cl_snapshot_info(h, c));
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
    out->body = cl_snapshot_info(h, c);
  else if (q->kind == CL_GET_CONFIG)
    out->body = config_of(h, c);
  else if (q->kind == CL_GET_STATUS)
    out->body = cl_snapshot_status(h, c);
  else
    out->body = tasks_of(h, c);
}

static void one_task(struct cl_herder *h, const struct cl_query *q, struct cl_reply *out) {
  const struct cl_instance *c = cl_herder_find(h, q->name);
  if (c && q->task >= 0 && (size_t)q->task < c->n_runs)
    out->body = task_status(h, c, (size_t)q->task);
  else
    cl_reply_error(out, 404, "No status found for task %s-%d", q->name, q->task);
}

/* An unknown connector has none, which is no error: Apache's. */
static void topics_of(struct cl_herder *h, const struct cl_query *q, struct cl_reply *out) {
  const struct cl_instance *c = cl_herder_find(h, q->name);
  json_t *topics = json_array(), *value;
  const char *topic;
  if (c) {
    json_object_foreach (c->topics, topic, value)
      json_array_append_new(topics, json_string(topic));
  }
  out->body = json_pack("{s:{s:o}}", q->name, "topics", topics);
}

/* Clients decide by `version` what they may ask for: it is the level of Connect's API. */
static json_t *server_info(const struct cl_herder *h) {
  return json_pack("{s:s,s:s,s:s?}", "version", CL_CONNECT_API, "commit",
                   "connect-lua-" CL_VERSION "-" CL_COMMIT, "kafka_cluster_id",
                   cl_cluster_id(h->worker->cluster));
}

static void query_connectors(struct cl_herder *h, const struct cl_query *q, struct cl_reply *out) {
  pthread_mutex_lock(&h->lock);
  switch (q->kind) {
  case CL_GET_CONNECTORS: out->body = all_connectors(h, q); break;
  case CL_GET_TASK_CALLS: out->body = cl_seen_tasks_json(h); break;
  case CL_GET_TASK_STATUS: one_task(h, q, out); break;
  case CL_GET_TOPICS: topics_of(h, q, out); break;
  default: one_connector(h, q, out); break;
  }
  pthread_mutex_unlock(&h->lock);
}

static void query_plugins(struct cl_herder *h, const struct cl_query *q, struct cl_reply *out) {
  struct cl_worker view = cl_herder_view(h);
  switch (q->kind) {
  case CL_GET_PLUGINS: out->body = cl_plugins_list(view.plugins, q->connectors_only); break;
  case CL_GET_PLUGIN_CONFIG: cl_plugin_info_config(&view, q, out); break;
  default: out->body = cl_plugin_info_files(view.plugins); break;
  }
  cl_plugins_unref(view.plugins);
}

void cl_herder_query(struct cl_herder *h, const struct cl_query *q, struct cl_reply *out) {
  const struct cl_worker *w = h->worker;
  *out = (struct cl_reply){.status = 200};
  switch (q->kind) {
  case CL_GET_ROOT: out->body = server_info(h); break;
  case CL_GET_HEALTH: cl_health_query(h, out); break;
  case CL_GET_PLUGINS:
  case CL_GET_PLUGIN_CONFIG:
  case CL_GET_PLUGIN_FILES: query_plugins(h, q, out); break;
  case CL_GET_VALIDATION: cl_plugin_info_validate(h, q->name, q->config, false, out); break;
  case CL_GET_OFFSETS: cl_connector_offsets_query(h, q->name, out); break;
  case CL_GET_TOPICS:
    if (w->conf->topic_tracking)
      query_connectors(h, q, out);
    else
      cl_reply_error(out, 403, "Topic tracking is disabled.");
    break;
  default: query_connectors(h, q, out); break;
  }
}
