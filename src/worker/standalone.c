/* SPDX-License-Identifier: Apache-2.0
 *
 * What the commands do in standalone mode: create, change, delete, pause, resume, stop
 * and restart connectors, restart tasks. Status codes and texts are Apache's StandaloneHerder's.
 * Thread: the herder's. May include floors 5-0.
 */
#define CL_COMPONENT "herder"
#include "worker/internal.h"

#include "base/log.h"
#include "base/secrets.h"
#include "task/connector.h"
#include "worker/admit.h"
#include "worker/chain.h"
#include "worker/connector_offsets.h"
#include "worker/mask.h"

#include <stdlib.h>
#include <string.h>

struct cl_instance *cl_herder_find(struct cl_herder *h, const char *name) {
  for (struct cl_instance *c = h->list; c; c = c->next) {
    if (strcmp(c->name, name) == 0)
      return c;
  }
  return NULL;
}

/* ------------------------------------------------------------- connector and tasks */

static void fail_connector(struct cl_instance *c, const struct cl_err *err) {
  CL_LOG(CL_ERROR, "connector %s failed: %s", c->name, err->msg);
  cl_instance_set_state(c, CL_FAILED, cl_err_trace(err));
  pthread_mutex_lock(c->lock);
  cl_restart_failed(&c->restart, &c->policy, 0);
  pthread_mutex_unlock(c->lock);
}

void cl_standalone_replace_tasks(struct cl_herder *h, struct cl_instance *c, json_t *configs) {
  cl_instance_stop_tasks(h->worker, c);
  pthread_mutex_lock(&h->lock);
  json_decref(c->task_configs);
  c->task_configs = configs;
  json_decref(c->applied);
  c->applied = json_incref(c->config);
  pthread_mutex_unlock(&h->lock);
  cl_instance_start_tasks(h->worker, c);
}

/* Nothing may change that could not be remembered: false = replied. */
static bool remember(struct cl_herder *h, const char *name, const json_t *config, enum cl_state target,
                     struct cl_reply *reply) {
  struct cl_err err = CL_ERR_INIT;
  if (cl_connectors_put(h->worker->connectors, name, config, cl_state_name(target), &err) == 0)
    return true;
  cl_reply_error(reply, 500, "Connector %s cannot be remembered, so nothing was changed: %s", name, err.msg);
  return false;
}

/* Only of a connector that was remembered, when plugins were taken away since. */
static int check_class(const struct cl_instance *c, struct cl_err *err) {
  const char *class = cl_json_str(c->config, "connector.class");
  if (c->plugin)
    return 0;
  return cl_err_set(err, CL_EINVAL,
                    "Failed to find any class that implements Connector and which name matches %s; "
                    "`connect-lua plugins` tells what there is, and which files are not used and why",
                    class ? class : "null");
}

/* Starts the connector side and, when the task configs or the config behind them have
 * changed, the tasks. Only for a connector whose target is RUNNING. */
static int update_held(struct cl_herder *h, struct cl_instance *c, struct cl_err *err) {
  json_t *configs = NULL;
  if (check_class(c, err) != 0 || cl_instance_resolve(h->worker, c, err) != 0 ||
      cl_chain_check(h->worker->plugins, c->resolved, err) != 0 ||
      cl_connector_start_check(c->resolved, c->plugin, h->worker->conf->topic_creation, err) != 0 ||
      cl_instance_task_configs(h->worker, c, &configs, err) != 0) {
    fail_connector(c, err);
    return err->code;
  }
  cl_instance_set_state(c, CL_RUNNING, NULL);
  c->restart = (struct cl_restart){0};
  if (json_equal(configs, c->task_configs) && json_equal(c->applied, c->config)) {
    json_decref(configs);
    return 0;
  }
  cl_standalone_replace_tasks(h, c, configs);
  return 0;
}

/* What is learnt on the way is the connector's. */
static int update_tasks(struct cl_herder *h, struct cl_instance *c, struct cl_err *err) {
  struct cl_secrets *before = cl_instance_hold(c);
  int rc = update_held(h, c, err);
  cl_secrets_hold(before);
  return rc;
}

void cl_standalone_start_again(struct cl_herder *h, struct cl_instance *c) {
  struct cl_err err;
  (void)update_tasks(h, c, &err); /* its state tells */
}

static void pause_tasks(struct cl_instance *c, bool pause) {
  for (size_t i = 0; i < c->n_runs; i++) {
    if (c->runs[i].task)
      cl_task_pause(c->runs[i].task, pause);
  }
}

static void reply_info(struct cl_herder *h, const struct cl_instance *c, int status, struct cl_reply *reply) {
  pthread_mutex_lock(&h->lock);
  reply->body = cl_snapshot_info(h, c);
  pthread_mutex_unlock(&h->lock);
  reply->status = status;
  if (status == 201)
    reply->location = strdup(c->name);
}

static void reply_started(struct cl_herder *h, const struct cl_instance *c, int rc, const struct cl_err *err,
                          int status, struct cl_reply *reply) {
  if (status == 201 && (rc == CL_ELUA || rc == CL_ETIMEOUT)) /* tasks() went wrong */
    cl_reply_error(reply, 500, "%s (connector %s was created and is FAILED)", err->msg, c->name);
  else if (rc != 0)
    cl_reply_error(reply, 500, "%s", err->msg);
  else
    reply_info(h, c, status, reply);
}

/* -------------------------------------------------------------- create and change */

static void publish(struct cl_herder *h, struct cl_instance *c) {
  c->failed = cl_herder_wake;
  c->failed_arg = h;
  pthread_mutex_lock(&h->lock);
  struct cl_instance **at = &h->list;
  while (*at)
    at = &(*at)->next;
  *at = c;
  pthread_mutex_unlock(&h->lock);
}

static void create(struct cl_herder *h, const char *name, struct cl_admitted *a, enum cl_state target,
                   bool given, struct cl_reply *reply) {
  struct cl_err err = CL_ERR_INIT;
  if (!given && !remember(h, name, a->config, target, reply))
    return;
  struct cl_instance *c = cl_instance_new(name, a->plugin, a->config, &h->lock);
  if (!c) {
    cl_reply_error(reply, 500, "no memory for connector %s", name);
    return;
  }
  c->open = a->open;
  *a = (struct cl_admitted){0}; /* the instance has them now */
  c->target = target;
  c->state = target;
  publish(h, c);
  CL_LOG(CL_INFO, "created connector %s (%s)", c->name, c->plugin->class);
  int rc = target == CL_RUNNING ? update_tasks(h, c, &err) : 0;
  reply_started(h, c, rc, &err, 201, reply);
}

static void run_create(struct cl_herder *h, struct cl_command *cmd, struct cl_reply *reply) {
  struct cl_admitted a = {0};
  enum cl_state target;
  char *name = NULL;
  if (cl_admit_target(cmd->initial_state, &target, reply) == 0 &&
      cl_admit_name(cmd->name, cmd->config, &name, reply) == 0 &&
      cl_admit_new_name(h->worker, name, reply) == 0 &&
      cl_admit_config(h->worker, name, cmd->config, &a, reply) == 0) {
    if (cl_herder_find(h, name))
      cl_reply_error(reply, 409, "Connector %s already exists", name);
    else
      create(h, name, &a, target, cmd->given, reply);
  }
  cl_admitted_clear(&a);
  free(name);
}

static void change(struct cl_herder *h, struct cl_instance *c, struct cl_admitted *a,
                   struct cl_reply *reply) {
  struct cl_err err = CL_ERR_INIT;
  if (!remember(h, c->name, a->config, c->target, reply))
    return;
  pthread_mutex_lock(&h->lock);
  struct cl_plugin *old_plugin = c->plugin;
  json_t *old_config = c->config, *old_open = c->open;
  c->plugin = a->plugin;
  c->config = a->config;
  c->open = a->open;
  a->plugin = old_plugin;
  a->config = old_config;
  a->open = old_open;
  pthread_mutex_unlock(&h->lock);
  CL_LOG(CL_INFO, "changed the config of connector %s", c->name);
  int rc = c->target == CL_RUNNING ? update_tasks(h, c, &err) : 0;
  reply_started(h, c, rc, &err, 200, reply);
}

static void run_put_config(struct cl_herder *h, struct cl_command *cmd, struct cl_reply *reply) {
  struct cl_admitted a = {0};
  struct cl_instance *c = cl_herder_find(h, cmd->name);
  json_t *config = c ? cl_mask_unchanged(h->worker, c->open, c->config, cmd->config)
                     : json_incref(cmd->config);
  if ((c || cl_admit_new_name(h->worker, cmd->name, reply) == 0) &&
      cl_admit_change(h->worker, cmd->name, cmd->config, config, &a, reply) == 0) {
    if (c)
      change(h, c, &a, reply);
    else
      create(h, cmd->name, &a, CL_RUNNING, false, reply);
  }
  cl_admitted_clear(&a);
  json_decref(config);
}

/* The config as it is shown with the patch over it; a null takes the key away. */
static void run_patch_config(struct cl_herder *h, struct cl_instance *c, const struct cl_command *cmd,
                             struct cl_reply *reply) {
  struct cl_admitted a = {0};
  json_t *now = cl_mask_config(h->worker, c->open, c->config), *sent = json_copy(now), *value;
  const char *key;
  json_object_foreach (cmd->config, key, value) {
    if (json_is_null(value))
      json_object_del(sent, key);
    else
      json_object_set(sent, key, value);
  }
  json_t *config = cl_mask_unchanged(h->worker, c->open, c->config, sent);
  if (cl_admit_change(h->worker, c->name, sent, config, &a, reply) == 0)
    change(h, c, &a, reply);
  cl_admitted_clear(&a);
  json_decref(config);
  json_decref(sent);
  json_decref(now);
}

/* One that was valid once, and may be no more: then it is there and FAILED, to be mended or deleted. */
static void restore(struct cl_herder *h, const char *name, json_t *config, enum cl_state target) {
  struct cl_admitted a = {0};
  struct cl_reply reply = {0};
  bool valid = cl_admit_config(h->worker, name, config, &a, &reply) == 0;
  if (!valid) {
    const char *class = cl_json_str(config, "connector.class");
    a.plugin = class ? cl_plugins_find(h->worker->plugins, CL_PLUGIN_SINK, class) : NULL;
    if (a.plugin)
      cl_plugin_ref(a.plugin);
    a.config = json_incref(config);
    struct cl_instance *c = cl_instance_new(name, a.plugin, a.config, &h->lock);
    if (c) {
      a = (struct cl_admitted){0};
      c->target = target;
      struct cl_err err = CL_ERR_INIT;
      cl_err_set(&err, CL_EINVAL, "%s", cl_json_str(reply.body, "message"));
      publish(h, c);
      fail_connector(c, &err);
    } else {
      CL_LOG(CL_ERROR, "connector %s: no memory to bring it back; it stays remembered", name);
    }
  } else {
    create(h, name, &a, target, true, &reply);
  }
  cl_admitted_clear(&a);
  cl_reply_clear(&reply);
}

static void run_restore(struct cl_herder *h, struct cl_reply *reply) {
  size_t i;
  json_t *item;
  enum cl_state target;
  json_array_foreach ((json_t *)cl_connectors_list(h->worker->connectors), i, item) {
    const char *name = cl_json_str(item, "name");
    cl_log_context(name);
    if (cl_herder_find(h, name))
      CL_LOG(CL_WARN, "connector %s is the command line's; what %s remembers of it is not used", name,
             h->worker->conf->connectors_file);
    else if (cl_admit_target(cl_json_str(item, "initial_state"), &target, reply) == 0)
      restore(h, name, json_object_get(item, "config"), target);
  }
  reply->status = 204;
}

/* ------------------------------------------------------------ commands on one that exists */

static void run_delete(struct cl_herder *h, struct cl_instance *c, struct cl_reply *reply) {
  struct cl_err err = CL_ERR_INIT;
  if (cl_connectors_remove(h->worker->connectors, c->name, &err) != 0) {
    cl_reply_error(reply, 500, "Connector %s cannot be forgotten, so nothing was changed: %s", c->name,
                   err.msg);
    return;
  }
  cl_instance_stop_tasks(h->worker, c);
  pthread_mutex_lock(&h->lock);
  struct cl_instance **at = &h->list;
  while (*at != c)
    at = &(*at)->next;
  *at = c->next;
  pthread_mutex_unlock(&h->lock);
  CL_LOG(CL_INFO, "deleted connector %s", c->name);
  cl_instance_free(c);
  reply->status = 204;
}

static void run_pause(struct cl_herder *h, struct cl_instance *c, struct cl_reply *reply) {
  if (!remember(h, c->name, c->config, CL_PAUSED, reply))
    return;
  c->target = CL_PAUSED;
  if (c->state != CL_FAILED)
    cl_instance_set_state(c, CL_PAUSED, NULL);
  pause_tasks(c, true);
  reply->status = 202;
}

static void run_resume(struct cl_herder *h, struct cl_instance *c, struct cl_reply *reply) {
  struct cl_err err;
  if (!remember(h, c->name, c->config, CL_RUNNING, reply))
    return;
  bool was_running = c->target == CL_RUNNING;
  c->target = CL_RUNNING;
  /* A failure shows in the status, as in Apache: the answer is 202 all the same. */
  if (!was_running && update_tasks(h, c, &err) == 0)
    pause_tasks(c, false);
  reply->status = 202;
}

static void run_stop(struct cl_herder *h, struct cl_instance *c, struct cl_reply *reply) {
  if (!remember(h, c->name, c->config, CL_STOPPED, reply))
    return;
  c->target = CL_STOPPED;
  cl_standalone_replace_tasks(h, c, json_array());
  cl_instance_set_state(c, CL_STOPPED, NULL);
  reply->status = 204;
}

/* ------------------------------------------------------------------------ restart */

static bool task_chosen(const struct cl_instance *c, size_t i, bool only_failed) {
  return !only_failed || c->runs[i].state == CL_FAILED;
}

/* The plan as the 202 answer shows it: what will restart says RESTARTING. */
static json_t *restart_plan(struct cl_herder *h, const struct cl_instance *c, const struct cl_command *cmd,
                            bool connector) {
  pthread_mutex_lock(&h->lock);
  json_t *plan = cl_snapshot_status(h, c);
  if (connector)
    json_object_set_new(json_object_get(plan, "connector"), "state", json_string("RESTARTING"));
  for (size_t i = 0; cmd->include_tasks && i < c->n_runs; i++) {
    if (task_chosen(c, i, cmd->only_failed))
      json_object_set_new(json_array_get(json_object_get(plan, "tasks"), i), "state",
                          json_string("RESTARTING"));
  }
  pthread_mutex_unlock(&h->lock);
  return plan;
}

/* All are asked to stop before any is waited for. False: no memory. */
static bool restart_tasks(struct cl_herder *h, struct cl_instance *c, bool only_failed) {
  struct cl_stop *chosen = calloc(c->n_runs + 1, sizeof(*chosen));
  size_t n = 0;
  if (!chosen)
    return false;
  pthread_mutex_lock(&h->lock);
  for (size_t i = 0; i < c->n_runs; i++) {
    if (!task_chosen(c, i, only_failed))
      continue;
    c->runs[i].restart = (struct cl_restart){0}; /* asked for by hand: counted anew */
    chosen[n++] = (struct cl_stop){c, i};
  }
  pthread_mutex_unlock(&h->lock);
  cl_instance_stop_runs(h->worker, chosen, n);
  for (size_t i = 0; i < n; i++)
    cl_instance_start_task(h->worker, c, (int)chosen[i].run);
  free(chosen);
  return true;
}

static void run_restart(struct cl_herder *h, struct cl_instance *c, const struct cl_command *cmd,
                        struct cl_reply *reply) {
  struct cl_err err = CL_ERR_INIT;
  bool plain = !cmd->include_tasks && !cmd->only_failed;
  bool connector = !cmd->only_failed || c->state == CL_FAILED;
  if (!plain) {
    reply->body = restart_plan(h, c, cmd, connector);
    reply->status = 202;
  } else {
    reply->status = 204;
  }
  if (c->target == CL_STOPPED)
    return;
  bool tasks_first = cmd->include_tasks && c->n_runs > 0;
  if (tasks_first && !restart_tasks(h, c, cmd->only_failed)) {
    cl_reply_clear(reply);
    cl_reply_error(reply, 500, "No memory to restart the tasks of connector %s", c->name);
    return;
  }
  if (connector && c->target == CL_RUNNING && update_tasks(h, c, &err) != 0 && plain)
    cl_reply_error(reply, 500, "%s", err.msg);
}

static void run_restart_task(struct cl_herder *h, struct cl_instance *c, int task, struct cl_reply *reply) {
  if (task < 0 || (size_t)task >= c->n_runs) {
    cl_reply_error(reply, 404, "Task %s-%d not found", c->name, task);
    return;
  }
  struct cl_stop stop = {c, (size_t)task};
  pthread_mutex_lock(&h->lock);
  c->runs[task].restart = (struct cl_restart){0};
  pthread_mutex_unlock(&h->lock);
  cl_instance_stop_runs(h->worker, &stop, 1);
  cl_instance_start_task(h->worker, c, task);
  if (c->runs[task].task)
    reply->status = 204;
  else
    cl_reply_error(reply, 500, "Failed to start task: %s-%d", c->name, task);
}

/* ----------------------------------------------------------------------- dispatch */

static void run_reset_topics(struct cl_herder *h, const char *name, struct cl_reply *reply) {
  struct cl_instance *c = cl_herder_find(h, name);
  if (!h->worker->conf->topic_tracking)
    cl_reply_error(reply, 403, "Topic tracking is disabled.");
  else if (!h->worker->conf->topic_tracking_allow_reset)
    cl_reply_error(reply, 403, "Topic tracking reset is disabled.");
  else
    reply->status = 202; /* for an unknown connector too, as in Apache */
  if (c && reply->status == 202)
    cl_instance_forget_topics(c);
}

static void unknown_connector(const struct cl_command *cmd, struct cl_reply *reply) {
  switch (cmd->kind) {
  case CL_CMD_DELETE:
  case CL_CMD_ALTER_OFFSETS:
  case CL_CMD_RESET_OFFSETS:
  case CL_CMD_PATCH_CONFIG: cl_reply_error(reply, 404, "Connector %s not found", cmd->name); break;
  case CL_CMD_RESTART:
  case CL_CMD_RESTART_TASK: cl_reply_error(reply, 404, "Unknown connector: %s", cmd->name); break;
  default: cl_reply_error(reply, 404, "Unknown connector %s", cmd->name); break;
  }
}

static bool run_on_existing(struct cl_herder *h, struct cl_command *cmd, struct cl_reply *reply) {
  struct cl_instance *c = cl_herder_find(h, cmd->name);
  if (!c) {
    unknown_connector(cmd, reply);
    return true;
  }
  switch (cmd->kind) {
  case CL_CMD_DELETE: run_delete(h, c, reply); break;
  case CL_CMD_PAUSE: run_pause(h, c, reply); break;
  case CL_CMD_RESUME: run_resume(h, c, reply); break;
  case CL_CMD_STOP: run_stop(h, c, reply); break;
  case CL_CMD_PATCH_CONFIG: run_patch_config(h, c, cmd, reply); break;
  case CL_CMD_RESTART_TASK: run_restart_task(h, c, cmd->task, reply); break;
  case CL_CMD_ALTER_OFFSETS:
  case CL_CMD_RESET_OFFSETS: return cl_connector_offsets_change(h, c, cmd, reply);
  default: run_restart(h, c, cmd, reply); break;
  }
  return true;
}

bool cl_standalone_run(struct cl_herder *h, struct cl_command *cmd, struct cl_reply *reply) {
  bool over = true;
  cl_log_context(cmd->name);
  switch (cmd->kind) {
  case CL_CMD_CREATE: run_create(h, cmd, reply); break;
  case CL_CMD_PUT_CONFIG: run_put_config(h, cmd, reply); break;
  case CL_CMD_RESET_TOPICS: run_reset_topics(h, cmd->name, reply); break;
  case CL_CMD_VALIDATE: cl_plugin_info_validate(h, cmd->name, cmd->config, true, reply); break;
  case CL_CMD_PUT_TASKS:
    cl_reply_error(
        reply, 500,
        "Kafka Connect in standalone mode does not support externally setting task configurations.");
    break;
  case CL_CMD_FENCE:
    cl_reply_error(reply, 500,
                   "Kafka Connect in standalone mode does not support exactly-once source connectors.");
    break;
  case CL_CMD_RESTORE: run_restore(h, reply); break;
  case CL_CMD_RELOAD:
    cl_reply_error(reply, 403, "Plugins are read once, when the worker starts: connect.lua.reload is false.");
    break;
  case CL_CMD_PUBLISH:
    cl_renew_publish(h, cl_plugins_ref(cmd->plugins), cmd->config);
    reply->status = 200;
    reply->body = json_incref(cmd->config);
    break;
  default: over = run_on_existing(h, cmd, reply); break;
  }
  cl_log_context(NULL);
  return over;
}

void cl_standalone_stop_all(struct cl_herder *h) {
  size_t n = 0, total = 0;
  for (struct cl_instance *c = h->list; c; c = c->next)
    total += c->n_runs;
  struct cl_stop *stops = calloc(total + 1, sizeof(*stops));
  for (struct cl_instance *c = h->list; c; c = c->next) {
    for (size_t i = 0; stops && i < c->n_runs; i++)
      stops[n++] = (struct cl_stop){c, i};
    if (!stops) /* slower, with less memory */
      cl_instance_stop_tasks(h->worker, c);
  }
  cl_instance_stop_runs(h->worker, stops, n);
  free(stops);
}
