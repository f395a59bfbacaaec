/* SPDX-License-Identifier: Apache-2.0
 *
 * A connector's tasks: their configs, start and stop. Thread: the herder's, but for
 * on_status, which task threads call. May include floors 5-0.
 */
#define CL_COMPONENT "herder"
#include "worker/instance.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/secrets.h"
#include "task/connector.h"
#include "worker/chain.h"
#include "worker/providers.h"

#include <stdlib.h>
#include <string.h>

struct cl_instance *cl_instance_new(const char *name, struct cl_plugin *plugin, json_t *config,
                                    pthread_mutex_t *lock) {
  struct cl_instance *c = calloc(1, sizeof(*c));
  if (c) {
    c->name = strdup(name);
    c->task_configs = json_array();
    c->topics = json_object();
    c->secrets = cl_secrets_new(true);
  }
  if (!c || !c->name || !c->task_configs || !c->topics || !c->secrets) {
    if (c) {
      cl_secrets_unref(c->secrets);
      free(c->name);
      json_decref(c->task_configs);
      json_decref(c->topics);
    }
    free(c);
    return NULL;
  }
  c->plugin = plugin;
  c->config = config;
  c->lock = lock;
  c->target = CL_RUNNING;
  c->state = CL_UNASSIGNED;
  return c;
}

static void clear_runs(struct cl_instance *c) {
  for (size_t i = 0; i < c->n_runs; i++) {
    free(c->runs[i].trace);
    free(c->runs[i].last_error);
    free(c->runs[i].client_id);
    cl_stats_unref(c->runs[i].stats);
    cl_task_parts_clear(&c->runs[i].parts);
    cl_task_parts_clear(&c->runs[i].running);
    free(c->runs[i].rejection);
  }
  free(c->runs);
  c->runs = NULL;
  c->n_runs = 0;
}

void cl_instance_free(struct cl_instance *c) {
  if (!c)
    return;
  pthread_mutex_lock(c->lock);
  c->generation++; /* what a task that was given up still reports is late from now on */
  clear_runs(c);
  pthread_mutex_unlock(c->lock);
  cl_plugin_unref(c->plugin);
  json_decref(c->config);
  json_decref(c->open);
  json_decref(c->resolved);
  json_decref(c->task_configs);
  json_decref(c->applied);
  json_decref(c->topics);
  cl_secrets_unref(c->secrets);
  free(c->trace);
  if (c->abandoned_some)
    return; /* a stuck task may still look here, a few hundred bytes stay until the end */
  free(c->name);
  free(c);
}

struct cl_secrets *cl_instance_hold(const struct cl_instance *c) {
  return cl_secrets_hold(c->secrets);
}

static _Atomic int64_t connectors_up, connectors_failed, tasks_up, tasks_failed;

void cl_instance_startups(struct cl_seen_startups *connectors, struct cl_seen_startups *tasks) {
  *connectors = (struct cl_seen_startups){connectors_up, connectors_failed};
  *tasks = (struct cl_seen_startups){tasks_up, tasks_failed};
}

void cl_instance_set_state(struct cl_instance *c, enum cl_state state, char *trace) {
  connectors_up += state == CL_RUNNING;
  connectors_failed += state == CL_FAILED;
  pthread_mutex_lock(c->lock);
  c->state = state;
  free(c->trace);
  c->trace = trace;
  pthread_mutex_unlock(c->lock);
}

/* ---------------------------------------------------------------- task configs */

/* Apache names a connector's task class after it; tools show it. */
static json_t *task_class(const struct cl_plugin *p) {
  size_t n = strlen(p->class);
  const char *suffix = "Connector";
  if (n > strlen(suffix) && strcmp(p->class + n - strlen(suffix), suffix) == 0)
    n -= strlen(suffix);
  return json_sprintf("%.*sTask", (int)n, p->class);
}

int cl_instance_resolve(const struct cl_worker *w, struct cl_instance *c, struct cl_err *err) {
  json_t *resolved = NULL;
  if (cl_providers_resolve(w->conf->providers, c->config, &resolved, err) != 0)
    return err->code;
  json_decref(c->resolved);
  c->resolved = resolved;
  pthread_mutex_lock(c->lock);
  cl_restart_policy_of(resolved, &c->policy);
  pthread_mutex_unlock(c->lock);
  return 0;
}

/* Task configs are stored and shown: where the connector's config has a variable they have it, too. */
static void restore_variables(const struct cl_instance *c, json_t *task_config) {
  const char *key;
  json_t *value;
  json_object_foreach (c->config, key, value) {
    if (json_is_string(value) && json_object_get(task_config, key) &&
        cl_providers_variable(json_string_value(value)))
      json_object_set(task_config, key, value);
  }
}

static json_t *one_task_config(const struct cl_instance *c, const json_t *from) {
  json_t *out = json_object();
  json_object_set_new(out, "task.class", task_class(c->plugin));
  json_object_update(out, (json_t *)from);
  /* The framework hands these on whatever the plugin chose to copy. */
  static const char *const always[] = {"topics", "topics.regex"};
  for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++) {
    json_t *v = json_object_get(c->resolved, always[i]);
    if (v && c->plugin->kind == CL_PLUGIN_SINK)
      json_object_set(out, always[i], v);
  }
  restore_variables(c, out);
  return out;
}

static int tasks_max(const struct cl_instance *c) {
  const char *text = cl_json_str(c->resolved, "tasks.max");
  return text ? (int)strtol(text, NULL, 10) : 1; /* validated: an integer of at least 1 */
}

static bool enforces_tasks_max(const struct cl_instance *c) {
  const struct cl_conf_row *row = cl_conf_find(cl_connector_def(false), "tasks.max.enforce");
  struct cl_conf_value v = {0};
  struct cl_err ignored; /* validated */
  bool yes = cl_conf_parse_one(row, cl_json_str(c->resolved, row->name), &v, &ignored) != 0 || v.i;
  cl_conf_value_free(&v);
  return yes;
}

static int call_tasks(const struct cl_worker *w, const struct cl_instance *c, json_t **out,
                      struct cl_err *err) {
  json_t *args = json_pack("[O,i]", c->resolved, tasks_max(c));
  json_t *list = NULL;
  int rc = args ? cl_control_call(w->control, c->plugin, "tasks", args, &list, err)
                : cl_err_set(err, CL_ENOMEM, "no memory");
  json_decref(args);
  if (rc == 0 && !json_is_array(list) && !(json_is_object(list) && json_object_size(list) == 0)) {
    json_decref(list);
    return cl_err_set(err, CL_ELUA, "tasks of %s must return a list of task configs", c->plugin->class);
  }
  *out = list;
  return rc;
}

int cl_instance_task_configs(const struct cl_worker *w, const struct cl_instance *c, json_t **out,
                             struct cl_err *err) {
  json_t *list = NULL, *result = json_array(), *item, *config;
  size_t i;
  int rc = 0;
  if (!json_object_get(c->plugin->verbs, "tasks"))
    list = json_pack("[O]", c->resolved);
  else
    rc = call_tasks(w, c, &list, err);
  if (rc != 0)
    goto out;
  size_t n = json_array_size(list);
  if (n > (size_t)tasks_max(c) && !enforces_tasks_max(c)) {
    CL_LOG(
        CL_WARN,
        "The connector %s has generated %zu tasks, which is greater than %d, the maximum number of tasks it "
        "is configured to create. They all run, since tasks.max.enforce is false",
        c->name, n, tasks_max(c));
  } else if (n > (size_t)tasks_max(c)) {
    rc = cl_err_set(err, CL_EIO,
                    "The connector %s has generated %zu tasks, which is greater than %d, the maximum number "
                    "of tasks it is "
                    "configured to create. This behaviour should be considered a bug and is disallowed.",
                    c->name, n, tasks_max(c));
    goto out;
  }
  json_array_foreach (list, i, item) {
    if (cl_json_to_config(item, &config, err) != 0) {
      rc = cl_err_prefix(err, "task config %zu of %s: ", i, c->plugin->class);
      goto out;
    }
    json_array_append_new(result, one_task_config(c, config));
    json_decref(config);
  }
  *out = json_incref(result);
out:
  json_decref(list);
  json_decref(result);
  return rc;
}

/* ------------------------------------------------------------------- start, stop */

/* A start has succeeded, or failed before it had. @locks held */
static void count_startup(struct cl_run *run, enum cl_state state) {
  if (run->ran)
    return;
  run->ran = state == CL_RUNNING || state == CL_PAUSED;
  tasks_up += run->ran;
  tasks_failed += state == CL_FAILED;
}

/* It runs again after it was stopped for another generation. @locks held */
static void count_reload(struct cl_run *run) {
  if (run->restarted_us == 0)
    return;
  int64_t took = cl_now_us() - run->restarted_us;
  run->restarted_us = 0;
  cl_stats_meter(run->stats, CL_METER_RELOAD, took, cl_now_ms());
  cl_stats_set(run->stats, CL_STAT_RELOAD_US, took);
}

/* @locks held */
static void keep_error(struct cl_run *run, const char *trace) {
  char *copy = strdup(trace);
  if (!copy)
    return;
  free(run->last_error);
  run->last_error = copy;
  run->last_error_ms = cl_wall_ms();
}

static void on_status(void *arg, int task, uint64_t generation, enum cl_state state, const char *trace) {
  struct cl_instance *c = arg;
  bool tell = false;
  pthread_mutex_lock(c->lock);
  if (generation == c->generation && (size_t)task < c->n_runs) {
    struct cl_run *run = &c->runs[task];
    if (state == CL_FAILED && run->state != CL_FAILED)
      cl_restart_failed(&run->restart, &c->policy, run->ran_since);
    run->state = state;
    run->ran_since = state != CL_RUNNING ? 0 : run->ran_since ? run->ran_since : cl_now_ms();
    tell = state == CL_FAILED && run->restart.due > 0;
    run->built = run->built || state != CL_FAILED;
    free(run->trace);
    run->trace = trace ? strdup(trace) : NULL;
    if (trace)
      keep_error(run, trace);
    count_startup(run, state);
    if (state == CL_RUNNING)
      count_reload(run);
  }
  pthread_mutex_unlock(c->lock);
  if (tell)
    c->failed(c->failed_arg);
}

void cl_instance_rejected(struct cl_instance *c, size_t run, const struct cl_plugin *plugin,
                          const char *why) {
  char *text = NULL;
  if (asprintf(&text, "generation %llu of %s: %s", (unsigned long long)plugin->generation, plugin->file,
               why) < 0)
    return;
  pthread_mutex_lock(c->lock);
  if (run < c->n_runs) {
    char *old = c->runs[run].rejection;
    c->runs[run].rejection = text;
    c->runs[run].rejection_ms = cl_wall_ms();
    text = old;
  }
  pthread_mutex_unlock(c->lock);
  free(text);
}

static void on_renewed(void *arg, int task, uint64_t generation, const struct cl_task_parts *now,
                       const struct cl_plugin *rejected, const struct cl_err *err) {
  struct cl_instance *c = arg;
  struct cl_task_parts old = {0};
  pthread_mutex_lock(c->lock);
  bool ours = generation == c->generation && (size_t)task < c->n_runs;
  if (ours && now) {
    old = c->runs[task].running;
    c->runs[task].running = cl_task_parts_copy(now);
  }
  pthread_mutex_unlock(c->lock);
  cl_task_parts_clear(&old);
  if (ours && rejected)
    cl_instance_rejected(c, (size_t)task, rejected, err->msg);
}

/* Topics are few; a connector that names ever new ones is not followed for ever. */
enum { TOPICS_MAX = 100000 };

static void on_topic(void *arg, uint64_t generation, const char *topic, size_t len) {
  struct cl_instance *c = arg;
  char *name = strndup(topic, len);
  pthread_mutex_lock(c->lock);
  if (name && generation == c->generation && json_object_size(c->topics) < TOPICS_MAX)
    json_object_set_new(c->topics, name, json_true());
  pthread_mutex_unlock(c->lock);
  free(name);
}

void cl_instance_forget_topics(struct cl_instance *c) {
  pthread_mutex_lock(c->lock);
  json_object_clear(c->topics);
  pthread_mutex_unlock(c->lock);
  for (size_t i = 0; i < c->n_runs; i++) {
    if (c->runs[i].task)
      cl_task_forget_topics(c->runs[i].task);
  }
}

struct parts {              /* what a task config resolves to; all references are ours */
  struct cl_task_parts run; /* but for its plugins outside of the chain, which are the worker's */
  json_t *client, *topics;
  char *topics_regex;
  struct cl_task_errors errors;
  json_t *topic_creation, *topic_admin;
};

static void drop_parts(struct parts *p) {
  json_decref(p->run.plugin.config);
  json_decref(p->run.key.config);
  json_decref(p->run.value.config);
  json_decref(p->run.header.config);
  cl_chain_unref(p->run.transforms);
  json_decref(p->client);
  json_decref(p->topics);
  free(p->topics_regex);
  free((char *)p->errors.letters);
  json_decref((json_t *)p->errors.letters_producer);
  json_decref((json_t *)p->errors.letters_admin);
  json_decref(p->topic_creation);
  json_decref(p->topic_admin);
}

static int resolve_topics(const json_t *config, struct parts *p, struct cl_err *err) {
  struct cl_conf_value v = {0};
  const struct cl_conf_row *row = cl_conf_find(cl_connector_def(true), "topics");
  const char *regex = cl_json_str(config, "topics.regex");
  if (regex && regex[0]) {
    p->topics_regex = strdup(regex);
    return p->topics_regex ? 0 : cl_err_set(err, CL_ENOMEM, "no memory for topics.regex");
  }
  int rc = cl_conf_parse_one(row, cl_json_str(config, "topics"), &v, err);
  p->topics = json_incref(v.list);
  cl_conf_value_free(&v);
  return rc;
}

/* Apache's name for a client of the dead letter queue, unless the user has named all clients of the kind. */
static void name_client(json_t *client, const char *usual, const char *letters, const char *connector,
                        int id) {
  char name[512];
  const char *now = cl_json_str(client, "client.id");
  snprintf(name, sizeof(name), "%s-%s-%d", usual, connector, id);
  if (now && strcmp(now, name) != 0)
    return;
  snprintf(name, sizeof(name), "%s-%s-%d", letters, connector, id);
  json_object_set_new(client, "client.id", json_string(name));
}

static int resolve_errors(const struct cl_worker *w, const struct cl_instance *c, int id, struct parts *p,
                          struct cl_err *err) {
  struct cl_task_errors *e = &p->errors;
  json_t *producer = NULL, *admin = NULL;
  if (cl_connector_errors(c->resolved, c->plugin->kind == CL_PLUGIN_SINK, e, err) != 0)
    return err->code;
  if (!e->letters)
    return 0;
  int rc = cl_worker_client_conf(w->conf, CL_CLIENT_PRODUCER, c->name, id, c->resolved, &producer, err);
  if (rc == 0)
    rc = cl_worker_client_conf(w->conf, CL_CLIENT_ADMIN, c->name, id, c->resolved, &admin, err);
  e->letters_producer = producer;
  e->letters_admin = admin;
  if (rc == 0) {
    name_client(producer, "connector-producer", "connector-dlq-producer", c->name, id);
    name_client(admin, "connector-adminclient", "connector-dlq-adminclient", c->name, id);
  }
  return rc;
}

static int resolve_topic_creation(const struct cl_worker *w, const struct cl_instance *c, int id,
                                  struct parts *p, struct cl_err *err) {
  if (!cl_connector_creates_topics(c->resolved, c->plugin, w->conf->topic_creation))
    return 0;
  if (w->embedded) {
    CL_LOG(CL_INFO, "%s: the embedded broker's topics have one partition, whatever topic.creation.* says",
           c->name);
    return 0;
  }
  p->topic_creation = json_incref(c->resolved);
  return cl_worker_client_conf(w->conf, CL_CLIENT_ADMIN, c->name, id, c->resolved, &p->topic_admin, err);
}

static int resolve_parts(const struct cl_worker *w, struct cl_instance *c, int id, const json_t *config,
                         struct parts *p, struct cl_err *err) {
  bool sink = c->plugin->kind == CL_PLUGIN_SINK;
  struct cl_task_parts *run = &p->run;
  run->plugin.plugin = c->plugin;
  if (cl_conf_parse(c->plugin->def, config, &run->plugin.config, err) != 0 ||
      cl_worker_converter(w->conf, w->plugins, c->resolved, "key", &run->key.plugin, &run->key.config, err) !=
          0 ||
      cl_worker_converter(w->conf, w->plugins, c->resolved, "value", &run->value.plugin, &run->value.config,
                          err) != 0 ||
      cl_worker_converter(w->conf, w->plugins, c->resolved, "header", &run->header.plugin,
                          &run->header.config, err) != 0 ||
      cl_chain_resolve(w->plugins, c->resolved, &run->transforms, err) != 0 ||
      cl_worker_client_conf(w->conf, sink ? CL_CLIENT_CONSUMER : CL_CLIENT_PRODUCER, c->name, id, c->resolved,
                            &p->client, err) != 0 ||
      resolve_errors(w, c, id, p, err) != 0 || resolve_topic_creation(w, c, id, p, err) != 0)
    return err->code;
  if (w->embedded)
    json_object_set_new(p->client, "bootstrap.servers", json_string(cl_embedded_bootstrap(w->embedded)));
  return sink ? resolve_topics(c->resolved, p, err) : 0;
}

/* How often a topics.regex is looked at again: Java's metadata.max.age.ms by its librdkafka name. */
static int64_t metadata_max_age(const json_t *client) {
  const char *text = cl_json_str(client, "topic.metadata.refresh.interval.ms");
  return text ? strtoll(text, NULL, 10) : 300000;
}

/* Ending takes a wait for Kafka and the plugin's own part, all before the stop deadline. */
static int64_t final_wait(const struct cl_worker_conf *wc) {
  int64_t most = wc->task_shutdown_graceful_timeout_ms * 3 / 5;
  return wc->offset_flush_timeout_ms < most ? wc->offset_flush_timeout_ms : most;
}

static void note_client(struct cl_instance *c, int id, const json_t *client) {
  const char *text = cl_json_str(client, "client.id");
  char *copy = text ? strdup(text) : NULL;
  pthread_mutex_lock(c->lock);
  free(c->runs[id].client_id);
  c->runs[id].client_id = copy;
  pthread_mutex_unlock(c->lock);
}

static void set_parts(struct cl_instance *c, int id, const struct cl_task_parts *parts) {
  struct cl_run *run = &c->runs[id];
  struct cl_task_parts old = run->parts, running = run->running;
  run->parts = cl_task_parts_copy(parts);
  pthread_mutex_lock(c->lock);
  run->running = cl_task_parts_copy(parts);
  pthread_mutex_unlock(c->lock);
  cl_task_parts_clear(&old);
  cl_task_parts_clear(&running);
}

static int start_one(const struct cl_worker *w, struct cl_instance *c, int id, struct cl_task **out,
                     struct cl_err *err) {
  const struct cl_worker_conf *wc = w->conf;
  struct parts p = {0};
  json_t *config = NULL;
  int rc = cl_instance_resolve(w, c, err);
  if (rc == 0)
    rc = cl_providers_resolve(wc->providers, json_array_get(c->task_configs, (size_t)id), &config, err);
  if (rc == 0)
    rc = resolve_parts(w, c, id, config, &p, err);
  if (rc == 0) {
    note_client(c, id, p.client);
    const char *jit = cl_json_str(c->resolved, CL_CONNECTOR_JIT);
    struct cl_task_conf conf = {
        .connector = c->name,
        .id = id,
        .count = (int)c->n_runs,
        .max = tasks_max(c),
        .config = c->resolved,
        .grants = wc->grants,
        .parts = p.run,
        .client = p.client,
        .topics = p.topics,
        .topics_regex = p.topics_regex,
        .errors = p.errors,
        .topic_creation = p.topic_creation,
        .topic_admin = p.topic_admin,
        .home = w->home,
        .offset_flush_interval_ms = wc->offset_flush_interval_ms,
        .offset_flush_timeout_ms = wc->offset_flush_timeout_ms,
        .final_wait_ms = final_wait(wc),
        .metadata_max_age_ms = metadata_max_age(p.client),
        .max_poll_records = cl_worker_max_poll_records(wc, c->resolved),
        .memory_max = wc->memory_max,
        .jit = !jit || strcmp(jit, "off") != 0,
        .paused = c->target == CL_PAUSED,
        .offsets = w->offsets,
        .embedded = w->embedded,
        .budget = w->budget,
        .stats = c->runs[id].stats,
        .status = on_status,
        .topic = wc->topic_tracking ? on_topic : NULL,
        .renewed = on_renewed,
        .arg = c,
        .generation = c->generation,
    };
    set_parts(c, id, &p.run);
    rc = cl_task_start(&conf, out, err);
  }
  drop_parts(&p);
  json_decref(config);
  return rc;
}

void cl_instance_start_task(const struct cl_worker *w, struct cl_instance *c, int which) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_task *task = NULL;
  on_status(c, which, c->generation, CL_UNASSIGNED, NULL);
  struct cl_stats *old = c->runs[which].stats, *stats = cl_stats_new(w->conf->metrics_window_ms, cl_now_ms());
  CL_REQUIRE(stats);
  pthread_mutex_lock(c->lock);
  c->runs[which].built = c->runs[which].ran = false;
  c->runs[which].stats = stats;
  pthread_mutex_unlock(c->lock);
  cl_stats_unref(old);
  struct cl_secrets *before = cl_instance_hold(c);
  if (start_one(w, c, which, &task, &err) != 0) {
    char *trace = cl_err_trace(&err);
    CL_LOG(CL_ERROR, "task %s-%d cannot start: %s", c->name, which, err.msg);
    on_status(c, which, c->generation, CL_FAILED, trace ? trace : err.msg);
    free(trace);
  }
  cl_secrets_hold(before);
  c->runs[which].task = task;
}

void cl_instance_start_tasks(const struct cl_worker *w, struct cl_instance *c) {
  size_t n = json_array_size(c->task_configs);
  struct cl_run *runs = calloc(n + 1, sizeof(*runs));
  CL_REQUIRE(runs);
  pthread_mutex_lock(c->lock);
  for (size_t i = 0; i < n && i < c->n_runs; i++) {
    runs[i].last_error = c->runs[i].last_error;
    runs[i].last_error_ms = c->runs[i].last_error_ms;
    c->runs[i].last_error = NULL;
  }
  clear_runs(c);
  c->runs = runs;
  c->n_runs = n;
  c->generation++;
  pthread_mutex_unlock(c->lock);
  for (size_t i = 0; i < n; i++)
    cl_instance_start_task(w, c, (int)i);
}

void cl_instance_stop_runs(const struct cl_worker *w, struct cl_stop *stops, size_t n) {
  struct cl_task **tasks = calloc(n + 1, sizeof(struct cl_task *));
  size_t n_tasks = 0;
  CL_REQUIRE(tasks);
  for (size_t i = 0; i < n; i++) {
    struct cl_run *run = &stops[i].c->runs[stops[i].run];
    if (!run->task)
      continue;
    cl_task_ask_stop(run->task);
    tasks[n_tasks++] = run->task;
  }
  cl_task_join(tasks, n_tasks, cl_now_ms() + w->conf->task_shutdown_graceful_timeout_ms);
  for (size_t i = 0, at = 0; i < n; i++) {
    struct cl_run *run = &stops[i].c->runs[stops[i].run];
    if (!run->task)
      continue;
    stops[i].c->abandoned_some |= tasks[at++] != NULL;
    run->task = NULL;
  }
  free(tasks);
}

void cl_instance_stop_tasks(const struct cl_worker *w, struct cl_instance *c) {
  struct cl_stop *stops = calloc(c->n_runs + 1, sizeof(*stops));
  CL_REQUIRE(stops);
  for (size_t i = 0; i < c->n_runs; i++)
    stops[i] = (struct cl_stop){c, i};
  cl_instance_stop_runs(w, stops, c->n_runs);
  free(stops);
}
