/* SPDX-License-Identifier: Apache-2.0
 * What herder.c, standalone.c and snapshot.c share. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/queue.h"
#include "worker/instance.h"
#include "worker/herder.h"
#include "worker/reload.h"

struct cl_stage {
  char text[320];     /* "creating connector x"; "" = nothing yet */
  int64_t began_ms;   /* monotonic */
  int64_t began_wall; /* since the epoch */
  bool over;
};

/* Something has failed that may be started again: the herder looks when. @thread any */
void cl_herder_wake(void *herder);

struct cl_herder {
  const struct cl_worker *worker; /* = &own */
  struct cl_worker own;     /* the worker with the plugins of now, which the herder thread alone changes;
                             * others take them by cl_herder_view */
  struct cl_reload *reload; /* NULL = plugins stay as they were read */
  struct cl_queue *inbox, *groups; /* commands for the herder's thread, for the groups thread */
  pthread_t thread, groups_thread;
  atomic_bool groups_stop;  /* do not wait for brokers any more */
  pthread_mutex_t lock;     /* guards the id, the list and what cl_instance says */
  char *worker_id;          /* host:port */
  struct cl_instance *list; /* in order of creation */
  bool ready;               /* the command line's connectors are there */
  struct cl_stage stage;    /* what the herder thread does */
  pthread_t watchdog;
  pthread_cond_t watchdog_wake; /* with lock */
  bool watchdog_runs, watchdog_stop;
};

/* The worker with a reference to the plugins of now: to be given back by cl_plugins_unref(view.plugins).
 * @locks takes h->lock @thread any */
struct cl_worker cl_herder_view(struct cl_herder *h);
/* Hands the reply over and frees both. @thread whoever carried the command out */
void cl_herder_answer(struct cl_command *cmd, struct cl_reply *reply);

/* renew.c: from now on these are the plugins; takes them. @thread herder */
void cl_renew_publish(struct cl_herder *h, struct cl_plugins *plugins, const json_t *changes);

/* @locks the caller holds h->lock, or is the herder thread. */
struct cl_instance *cl_herder_find(struct cl_herder *h, const char *name);

/* standalone.c: carries out one command; false: the groups thread has to go on. @thread herder */
bool cl_standalone_run(struct cl_herder *h, struct cl_command *cmd, struct cl_reply *reply);
/* Stops the tasks there are and starts those of configs (taken; an empty list = none). @thread herder */
void cl_standalone_replace_tasks(struct cl_herder *h, struct cl_instance *c, json_t *configs);
/* Starts a failed connector, and its tasks if they have to change. @thread herder */
void cl_standalone_start_again(struct cl_herder *h, struct cl_instance *c);
/* Stops every task of every connector. @thread herder, at its end */
void cl_standalone_stop_all(struct cl_herder *h);

/* health.c: what the herder does from now on, and what GET /health makes of it. @locks take h->lock */
void cl_health_begin(struct cl_herder *h, const struct cl_command *cmd);
void cl_health_end(struct cl_herder *h);
void cl_health_query(struct cl_herder *h, struct cl_reply *out);

/* plugin_info.c: what is said of plugins. @thread any */
void cl_plugin_info_config(const struct cl_worker *w, const struct cl_query *q, struct cl_reply *out);
/* @locks takes h->lock. out->status stays 0 when the plugin's own code is needed, unless lua says that it may
 * run. */
void cl_plugin_info_validate(struct cl_herder *h, const char *plugin, const json_t *config, bool lua,
                             struct cl_reply *out);

/* watchdog.c. start answers an errno. */
int cl_watchdog_start(struct cl_herder *h);
void cl_watchdog_stop(struct cl_herder *h); /* @locks takes h->lock */
bool cl_watchdog_overdue(const struct cl_worker *w, const struct cl_stats *stats, int64_t now_ms);
/* The plugin that the running call is in, and its role; NULL: it cannot be told. @locks the caller holds
 * h->lock. */
const struct cl_plugin *cl_watchdog_plugin(const struct cl_run *run, char *role, size_t size);

/* seen.c: every task, the call it is in, its last error. @locks the caller holds h->lock. */
json_t *cl_seen_tasks_json(const struct cl_herder *h);

/* snapshot.c: JSON of a connector. @locks the caller holds h->lock. */
json_t *cl_snapshot_info(const struct cl_herder *h, const struct cl_instance *c);
json_t *cl_snapshot_status(const struct cl_herder *h, const struct cl_instance *c);
