/* SPDX-License-Identifier: Apache-2.0
 * The moment that metrics and GET /connect-lua/tasks show. Any thread. May include floors 5-0. */
#include "worker/seen.h"

#include "worker/internal.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *lower_name(enum cl_state state) {
  static const char *const names[] = {"unassigned", "running", "paused", "failed", "restarting", "stopped"};
  return names[state];
}

static bool see_connector(const struct cl_herder *h, struct cl_instance *c, struct cl_seen_connector *out) {
  int64_t now = cl_now_ms();
  out->name = strdup(c->name);
  const struct cl_plugin *plugin = c->plugin; /* NULL: remembered, and taken away since */
  out->class = strdup(plugin ? plugin->class : "unknown");
  out->version = strdup(plugin ? plugin->version : "unknown");
  out->state = lower_name(c->state);
  out->type = plugin ? cl_plugin_kind_name(plugin->kind) : "unknown";
  out->sink = plugin && plugin->kind == CL_PLUGIN_SINK;
  out->tasks = calloc(c->n_runs + 1, sizeof(*out->tasks));
  if (!out->name || !out->class || !out->version || !out->tasks)
    return false;
  for (size_t i = 0; i < c->n_runs; i++) {
    struct cl_run *run = &c->runs[i];
    if (!run->stats)
      continue; /* its start is coming */
    struct cl_seen_task *task = &out->tasks[out->n_tasks++];
    *task = (struct cl_seen_task){.id = (int)i,
                                  .state = lower_name(run->state),
                                  .stats = cl_stats_ref(run->stats),
                                  .client_id = strdup(run->client_id ? run->client_id : ""),
                                  .running_ratio = cl_stats_state_ratio(run->stats, CL_RUNNING, now),
                                  .pause_ratio = cl_stats_state_ratio(run->stats, CL_PAUSED, now),
                                  .overdue = cl_watchdog_overdue(h->worker, run->stats, now)};
    if (!task->client_id)
      return false;
  }
  return true;
}

struct cl_seen *cl_herder_see(struct cl_herder *h) {
  struct cl_seen *s = calloc(1, sizeof(*s));
  size_t n = 0;
  pthread_mutex_lock(&h->lock);
  for (const struct cl_instance *c = h->list; c; c = c->next)
    n++;
  if (s)
    s->connectors = calloc(n + 1, sizeof(*s->connectors));
  bool ok = s && s->connectors;
  for (struct cl_instance *c = h->list; ok && c; c = c->next)
    ok = see_connector(h, c, &s->connectors[s->n++]);
  pthread_mutex_unlock(&h->lock);
  if (!ok) {
    cl_seen_free(s);
    return NULL;
  }
  cl_instance_startups(&s->connector_startups, &s->task_startups);
  s->abandoned = cl_task_abandoned_total();
  return s;
}

void cl_seen_free(struct cl_seen *s) {
  for (size_t i = 0; s && i < s->n; i++) {
    struct cl_seen_connector *c = &s->connectors[i];
    for (size_t j = 0; j < c->n_tasks; j++) {
      cl_stats_unref(c->tasks[j].stats);
      free(c->tasks[j].client_id);
    }
    free(c->tasks);
    free(c->name);
    free(c->class);
    free(c->version);
  }
  if (s)
    free(s->connectors);
  free(s);
}

/* --------------------------------------------------- GET /connect-lua/tasks */

json_t *cl_seen_time(int64_t wall_ms) {
  char text[32];
  struct tm tm;
  time_t seconds = (time_t)(wall_ms / 1000);
  gmtime_r(&seconds, &tm);
  strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
  return json_sprintf("%s.%03dZ", text, (int)(wall_ms % 1000));
}

static json_t *call_json(const struct cl_worker *w, const struct cl_run *run, int64_t now) {
  const struct cl_stats *stats = run->stats;
  char role[256];
  int64_t since;
  enum cl_verb verb = stats ? cl_stats_call(stats, &since) : CL_VERB_NONE;
  if (verb == CL_VERB_NONE)
    return json_null();
  const struct cl_plugin *plugin = cl_watchdog_plugin(run, role, sizeof(role));
  return json_pack("{s:s,s:s,s:s?,s:I,s:b}", "verb", cl_verb_name(verb), "role", role, "class",
                   plugin ? plugin->class : NULL, "ms", (json_int_t)(now > since ? now - since : 0),
                   "overdue", cl_watchdog_overdue(w, stats, now));
}

/* Which generation of each plugin it runs. */
static json_t *plugins_json(const struct cl_task_parts *parts) {
  json_t *out = json_array();
  char role[256];
  for (size_t i = 0; i < cl_task_parts_slots(parts); i++) {
    const struct cl_plugin *p = *cl_task_parts_slot(parts, i).plugin;
    if (p)
      json_array_append_new(out, json_pack("{s:s,s:s,s:I}", "role",
                                           cl_task_parts_role(parts, i, role, sizeof(role)), "class",
                                           p->class, "generation", (json_int_t)p->generation));
  }
  return out;
}

static json_t *reload_json(const struct cl_run *run) {
  struct cl_meter_view view = {0};
  if (run->stats)
    cl_stats_meter_view(run->stats, CL_METER_RELOAD, cl_now_ms(), &view);
  json_t *rejection = run->rejection ? json_pack("{s:o,s:o}", "at", cl_seen_time(run->rejection_ms), "reason",
                                                 cl_json_lenient(run->rejection))
                                     : json_null();
  return json_pack("{s:I,s:f,s:I,s:o}", "count", (json_int_t)view.count, "last_pause_ms",
                   run->stats ? (double)cl_stats_get(run->stats, CL_STAT_RELOAD_US) / 1000 : 0.0, "rejected",
                   run->stats ? (json_int_t)cl_stats_get(run->stats, CL_STAT_RELOADS_REJECTED)
                              : (json_int_t)0,
                   "last_rejection", rejection);
}

static json_t *task_json(const struct cl_herder *h, const struct cl_instance *c, size_t i) {
  const struct cl_run *run = &c->runs[i];
  json_t *error = json_null();
  if (run->last_error)
    error = json_pack("{s:o,s:o}", "at", cl_seen_time(run->last_error_ms), "trace",
                      cl_json_lenient(run->last_error));
  return json_pack("{s:s,s:i,s:s,s:o,s:o,s:o,s:o}", "connector", c->name, "task", (int)i, "state",
                   cl_state_name(run->state), "call", call_json(h->worker, run, cl_now_ms()), "last_error",
                   error, "plugins", plugins_json(&run->running), "reloads", reload_json(run));
}

json_t *cl_seen_tasks_json(const struct cl_herder *h) {
  json_t *out = json_array();
  for (const struct cl_instance *c = h->list; c; c = c->next)
    for (size_t i = 0; i < c->n_runs; i++)
      json_array_append_new(out, task_json(h, c, i));
  return out;
}
