/* SPDX-License-Identifier: Apache-2.0
 *
 * Plugins of the next moment take the place of those before: connectors and tasks are told which generation
 * they are to run. A plugin whose rows refuse a stored config is not taken over by that connector.
 * Thread: the herder's. May include floors 5-0.
 */
#define CL_COMPONENT "plugins"
#include "worker/internal.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/secrets.h"
#include "worker/chain.h"
#include "worker/providers.h"
#include "worker/validate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void log_changes(const json_t *changes) {
  size_t i;
  json_t *c;
  json_array_foreach (json_object_get(changes, "reloaded"), i, c)
    CL_LOG(CL_INFO, "%s %s: generation %lld of %s", cl_json_str(c, "type"), cl_json_str(c, "class"),
           (long long)json_integer_value(json_object_get(c, "generation")), cl_json_str(c, "file"));
  json_array_foreach (json_object_get(changes, "rejected"), i, c)
    CL_LOG(CL_ERROR, "plugin %s is not used as it is now, what ran before goes on: %s",
           cl_json_str(c, "file"), cl_json_str(c, "reason"));
  json_array_foreach (json_object_get(changes, "removed"), i, c)
    CL_LOG(CL_WARN, "%s is gone: %s goes on with generation %lld until the worker ends",
           cl_json_str(c, "file"), cl_json_str(c, "class"),
           (long long)json_integer_value(json_object_get(c, "generation")));
}

/* The plugin of this class when it has changed just now: what was offered before was taken, or will not be.
 */
static struct cl_plugin *next_of(const struct cl_herder *h, const struct cl_plugins *before,
                                 enum cl_plugin_kind kind, const char *class) {
  struct cl_plugin *now = cl_plugins_find(h->worker->plugins, kind, class);
  return now && now != cl_plugins_find(before, kind, class) ? now : NULL;
}

/* A task that runs, or will when it is resumed. */
static bool is_alive(const struct cl_instance *c, size_t run) {
  pthread_mutex_lock(c->lock);
  bool alive = c->runs[run].task && c->runs[run].state != CL_FAILED;
  pthread_mutex_unlock(c->lock);
  return alive;
}

static void reject(struct cl_instance *c, size_t run, const struct cl_plugin *plugin, const char *why) {
  CL_LOG(CL_ERROR, "%s-%zu does not take over generation %llu of %s, what ran before goes on: %s", c->name,
         run, (unsigned long long)plugin->generation, plugin->file, why);
  cl_stats_add(c->runs[run].stats, CL_STAT_RELOADS_REJECTED, 1);
  cl_instance_rejected(c, run, plugin, why);
}

/* --------------------------------------------------- converters, transforms, predicates */

struct candidate { /* for one slot; plugin NULL = it stays */
  struct cl_plugin *plugin;
  json_t *config;
  bool refused;
};

/* The settings that slot i has in the connector's config, typed by the rows of now. */
static int slot_config(const struct cl_worker *w, const struct cl_instance *c,
                       const struct cl_task_parts *parts, size_t i, const struct cl_plugin *now, json_t **out,
                       struct cl_err *err) {
  static const char *const roles[] = {
      [CL_SLOT_KEY] = "key", [CL_SLOT_VALUE] = "value", [CL_SLOT_HEADER] = "header"};
  struct cl_plugin *found;
  if (i < CL_SLOT_CHAIN)
    return cl_worker_converter(w->conf, w->plugins, c->resolved, roles[i], &found, out, err);
  const struct cl_chain_stage *stage = &parts->transforms->v[(i - CL_SLOT_CHAIN) / 2];
  bool predicate = (i - CL_SLOT_CHAIN) % 2 != 0;
  char *prefix = NULL;
  if (asprintf(&prefix, "%s.%s.", predicate ? "predicates" : "transforms",
               predicate ? stage->predicate_alias : stage->alias) < 0)
    return cl_err_set(err, CL_ENOMEM, "no memory");
  json_t *settings = cl_chain_settings(c->resolved, prefix);
  int rc = cl_conf_parse(now->def, settings, out, err);
  json_decref(settings);
  free(prefix);
  return rc;
}

static void find_candidates(struct cl_herder *h, const struct cl_plugins *before, struct cl_instance *c,
                            size_t run, struct candidate *v, size_t n) {
  const struct cl_task_parts *parts = &c->runs[run].parts;
  for (size_t i = CL_SLOT_CONNECTOR + 1; i < n; i++) {
    const struct cl_plugin *was = *cl_task_parts_slot(parts, i).plugin;
    struct cl_plugin *now = was ? next_of(h, before, was->kind, was->class) : NULL;
    struct cl_err err = CL_ERR_INIT;
    if (!now)
      continue;
    v[i].plugin = now;
    if (slot_config(h->worker, c, parts, i, now, &v[i].config, &err) == 0)
      continue;
    v[i].refused = true;
    reject(c, run, now, err.msg);
  }
}

/* What one slot of a file refuses counts for all: a batch goes through one generation of each plugin. */
static bool is_refused(const struct candidate *v, size_t n, const struct cl_plugin *plugin) {
  for (size_t i = 0; i < n; i++) {
    if (v[i].plugin && v[i].refused && strcmp(v[i].plugin->file, plugin->file) == 0)
      return true;
  }
  return false;
}

/* What the run is to have instead of what it has. connector: its next generation, or NULL = it stays. */
static void renew_run(struct cl_herder *h, const struct cl_plugins *before, struct cl_instance *c, size_t run,
                      struct cl_plugin *connector, json_t *connector_config) {
  struct cl_run *r = &c->runs[run];
  size_t n = cl_task_parts_slots(&r->parts);
  struct candidate *v = calloc(n, sizeof(*v));
  struct cl_task_parts next = {0};
  CL_REQUIRE(v && cl_task_parts_own(&r->parts, &next));
  bool changed = connector != NULL;
  find_candidates(h, before, c, run, v, n);
  if (connector)
    cl_task_slot_set(cl_task_parts_slot(&next, CL_SLOT_CONNECTOR), connector, connector_config);
  for (size_t i = 0; i < n; i++) {
    if (v[i].plugin && !is_refused(v, n, v[i].plugin)) {
      cl_task_slot_set(cl_task_parts_slot(&next, i), v[i].plugin, v[i].config);
      changed = true;
    }
    json_decref(v[i].config);
  }
  free(v);
  if (!changed || !cl_task_renew(r->task, &next)) {
    cl_task_parts_clear(&next);
    return;
  }
  cl_task_parts_clear(&r->parts);
  r->parts = next;
}

/* ---------------------------------------------------------------------- connectors */

static void set_plugin(struct cl_instance *c, struct cl_plugin *plugin) {
  cl_plugin_ref(plugin);
  pthread_mutex_lock(c->lock);
  struct cl_plugin *old = c->plugin;
  c->plugin = plugin;
  pthread_mutex_unlock(c->lock);
  cl_plugin_unref(old);
}

/* Without what is converters', transforms' and predicates': each of them has a say about its own. */
static json_t *own_config(const json_t *config) {
  static const char *const others[] = {"transforms", "predicates", "key.converter", "value.converter",
                                       "header.converter"};
  json_t *out = json_object(), *value;
  const char *key;
  json_object_foreach ((json_t *)config, key, value) {
    bool own = true;
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
      size_t n = strlen(others[i]);
      own = own && !(strncmp(key, others[i], n) == 0 && (key[n] == '\0' || key[n] == '.'));
    }
    if (own)
      json_object_set(out, key, value);
  }
  return out;
}

static char *joined(const json_t *errors) {
  struct cl_buf text = {0};
  size_t i;
  json_t *error;
  json_array_foreach ((json_t *)errors, i, error)
    cl_buf_fmt(&text, "%s%s", i ? " " : "", json_string_value(error));
  char *out = cl_buf_take(&text);
  cl_buf_free(&text);
  return out;
}

/* The stored config is as valid for this generation as for the last. *why: malloc'd, when it is not. */
static bool takes_config(struct cl_herder *h, const struct cl_instance *c, const struct cl_plugin *now,
                         char **why) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_validation v = {0};
  json_t *config = own_config(c->resolved);
  int rc = now->kind == c->plugin->kind
               ? cl_validate_config(h->worker, now, config, &v, &err)
               : cl_err_set(&err, CL_EINVAL, "it is a %s now", cl_plugin_kind_name(now->kind));
  if (rc == 0 && cl_validate_wants_plugin(&v))
    rc = cl_validate_plugin(&v, &err);
  bool ok = rc == 0 && v.error_count == 0;
  if (rc != 0) {
    *why = strdup(err.msg);
  } else if (!ok) {
    json_t *errors = cl_validate_errors(&v);
    *why = joined(errors);
    json_decref(errors);
  }
  cl_validate_clear(&v);
  json_decref(config);
  return ok;
}

static void reject_connector(struct cl_instance *c, struct cl_plugin *now, const char *why) {
  for (size_t i = 0; i < c->n_runs; i++)
    reject(c, i, now, why ? why : "no memory");
}

/* The next generation of a connector with tasks; *configs: those it wants (new reference). NULL: there is
 * none, or it cannot be. */
static struct cl_plugin *next_connector(struct cl_herder *h, const struct cl_plugins *before,
                                        struct cl_instance *c, json_t **configs) {
  const char *class = c->plugin ? c->plugin->class : cl_json_str(c->config, "connector.class");
  struct cl_plugin *now = class ? next_of(h, before, CL_PLUGIN_SINK, class) : NULL;
  struct cl_err err = CL_ERR_INIT;
  char *why = NULL;
  if (!now)
    return NULL;
  if (!c->plugin || !c->resolved || c->n_runs == 0) { /* nothing of it runs */
    set_plugin(c, now);
    return NULL;
  }
  struct cl_plugin *old = c->plugin;
  cl_plugin_ref(old);
  bool ok = takes_config(h, c, now, &why);
  if (ok) {
    set_plugin(c, now);
    if (cl_instance_task_configs(h->worker, c, configs, &err) != 0) {
      set_plugin(c, old);
      why = strdup(err.msg);
      ok = false;
    }
  }
  if (!ok)
    reject_connector(c, now, why);
  free(why);
  cl_plugin_unref(old);
  return ok ? now : NULL;
}

/* A task that is alive gets the connector in its own state; false = it has to be started anew. */
static bool carry_over(struct cl_herder *h, const struct cl_plugins *before, struct cl_instance *c,
                       size_t run, struct cl_plugin *now) {
  struct cl_err err = CL_ERR_INIT;
  json_t *config = NULL, *typed = NULL;
  struct cl_secrets *before_us = cl_instance_hold(c);
  bool ok = json_is_true(json_object_get(now->verbs, "reload")) &&
            cl_providers_resolve(h->worker->conf->providers, json_array_get(c->task_configs, run), &config,
                                 &err) == 0 &&
            cl_conf_parse(now->def, config, &typed, &err) == 0;
  if (ok)
    renew_run(h, before, c, run, now, typed);
  cl_secrets_hold(before_us);
  json_decref(typed);
  json_decref(config);
  return ok;
}

/* From the committed offsets, with everything that has changed. */
static void start_anew(struct cl_herder *h, struct cl_instance *c, const bool *chosen) {
  struct cl_stop *stops = calloc(c->n_runs + 1, sizeof(*stops));
  size_t n = 0;
  CL_REQUIRE(stops);
  int64_t began = cl_now_us();
  for (size_t i = 0; i < c->n_runs; i++) {
    if (chosen[i])
      stops[n++] = (struct cl_stop){c, i};
  }
  cl_instance_stop_runs(h->worker, stops, n);
  for (size_t i = 0; i < n; i++) {
    pthread_mutex_lock(c->lock);
    c->runs[stops[i].run].restarted_us = c->target == CL_RUNNING ? began : 0;
    pthread_mutex_unlock(c->lock);
    cl_instance_start_task(h->worker, c, (int)stops[i].run);
  }
  free(stops);
}

static void renew_instance(struct cl_herder *h, const struct cl_plugins *before, struct cl_instance *c) {
  json_t *configs = NULL;
  struct cl_plugin *connector = next_connector(h, before, c, &configs);
  bool other_tasks = connector && !json_equal(configs, c->task_configs);
  bool *anew = calloc(c->n_runs + 1, sizeof(*anew));
  bool any = false;
  CL_REQUIRE(anew);
  for (size_t i = 0; i < c->n_runs && !other_tasks; i++) {
    if (!is_alive(c, i))
      continue;
    anew[i] = connector && !carry_over(h, before, c, i, connector);
    any = any || anew[i];
    if (!connector)
      renew_run(h, before, c, i, NULL, NULL);
  }
  if (other_tasks)
    cl_standalone_replace_tasks(h, c, configs);
  else
    json_decref(configs);
  if (any)
    start_anew(h, c, anew);
  free(anew);
}

void cl_renew_publish(struct cl_herder *h, struct cl_plugins *plugins, const json_t *changes) {
  pthread_mutex_lock(&h->lock);
  struct cl_plugins *before = h->own.plugins;
  h->own.plugins = plugins;
  pthread_mutex_unlock(&h->lock);
  log_changes(changes);
  for (struct cl_instance *c = h->list; c; c = c->next) {
    cl_log_context(c->name);
    renew_instance(h, before, c);
  }
  cl_log_context(NULL);
  cl_plugins_unref(before);
}
