/* SPDX-License-Identifier: Apache-2.0
 *
 * One connector as the herder knows it. All fields are changed by the herder thread
 * alone and, where readers see them (config, states, task list), under the herder's lock;
 * task threads change `state` and `trace` of their run, and add topics, under the same lock.
 */
#pragma once

#include "task/task.h"
#include "worker/restart.h"
#include "worker/seen.h"
#include "worker/worker.h"

#include <pthread.h>

struct cl_watch {      /* what the watchdog has said of a call */
  int64_t since;       /* of the call */
  int64_t next, pause; /* when it says it again, and how long it waited */
};

struct cl_run {         /* one task */
  struct cl_task *task; /* NULL once joined or given up */
  enum cl_state state;
  struct cl_restart restart;
  int64_t ran_since; /* RUNNING since, monotonic; 0 = it is not */
  bool built;        /* plugin, converters and transforms could be set up: until then it has no version */
  char *trace;
  char *last_error; /* the latest trace, which stays when the task is restarted */
  int64_t last_error_ms;
  struct cl_stats *stats;       /* of its latest start */
  char *client_id;              /* of its Kafka client */
  bool ran;                     /* it came as far as RUNNING or PAUSED since that */
  struct cl_watch watch;        /* the watchdog's alone, under the lock */
  struct cl_task_parts parts;   /* what it is to run; the herder's alone */
  struct cl_task_parts running; /* what it runs: as parts, but for what it could not take over */
  int64_t restarted_us; /* it was stopped for another generation of its connector; 0 = it runs again */
  char *rejection;      /* why it could not take over the last generation that was offered */
  int64_t rejection_ms;
};

struct cl_instance {
  struct cl_instance *next;
  char *name;
  json_t *config;   /* as stored; immutable */
  json_t *open;     /* cl_mask_open_keys of it; NULL = it could not be validated */
  json_t *resolved; /* its variables replaced by the latest cl_instance_resolve; herder only */
  struct cl_plugin *plugin;
  enum cl_state target; /* CL_RUNNING, CL_PAUSED, CL_STOPPED */
  enum cl_state state;
  char *trace;                     /* why FAILED */
  json_t *task_configs;            /* array of configs, GET tasks shows them; immutable */
  json_t *topics;                  /* those used so far, as keys */
  json_t *applied;                 /* the config that task_configs were made from; NULL = none yet */
  struct cl_restart_policy policy; /* of the latest resolved config */
  struct cl_restart restart;       /* of the connector itself */
  void (*failed)(void *arg);       /* @thread task: a run has failed and the policy may start it again */
  void *failed_arg;
  struct cl_run *runs;
  size_t n_runs;
  uint64_t generation;        /* of the tasks: late reports of older ones are ignored */
  bool abandoned_some;        /* a stuck task still points here: never freed */
  struct cl_secrets *secrets; /* what it and its tasks have learnt, also of configs it had before */
  pthread_mutex_t *lock;      /* the herder's */
};

/* Made unpublished; takes plugin's reference and config's. NULL = no memory. */
struct cl_instance *cl_instance_new(const char *name, struct cl_plugin *plugin, json_t *config,
                                    pthread_mutex_t *lock);
void cl_instance_free(struct cl_instance *c); /* all tasks stopped */

/* What this thread learns until cl_secrets_hold(what this answers) is the connector's. */
struct cl_secrets *cl_instance_hold(const struct cl_instance *c);

/* Asks the config providers anew: before anything of what follows. */
int cl_instance_resolve(const struct cl_worker *w, struct cl_instance *c, struct cl_err *err);

/* What the connector side decides: the list of task configs (control thread). Too many
 * tasks, or a throwing `tasks`, is an error. *out: new reference. */
int cl_instance_task_configs(const struct cl_worker *w, const struct cl_instance *c, json_t **out,
                             struct cl_err *err);

/* Starts one task per task config; a task that cannot start is FAILED with a trace. */
void cl_instance_start_tasks(const struct cl_worker *w, struct cl_instance *c);
struct cl_stop { /* one task to be stopped */
  struct cl_instance *c;
  size_t run;
};
/* Stops these tasks side by side: all are asked first, and one graceful timeout holds for all
 * of them together. */
void cl_instance_stop_runs(const struct cl_worker *w, struct cl_stop *stops, size_t n);
void cl_instance_stop_tasks(const struct cl_worker *w, struct cl_instance *c); /* all of one connector */
void cl_instance_start_task(const struct cl_worker *w, struct cl_instance *c, int which);

/* What a task could not take over, and why. @locks takes the herder's. */
void cl_instance_rejected(struct cl_instance *c, size_t run, const struct cl_plugin *plugin, const char *why);

/* Its tasks report their topics anew. @locks takes the herder's. */
void cl_instance_forget_topics(struct cl_instance *c);

/* How many connectors and tasks came up, and how many failed before they did, in this process. */
void cl_instance_startups(struct cl_seen_startups *connectors, struct cl_seen_startups *tasks);

/* Takes trace (malloc'd, or NULL). @locks takes the herder's. */
void cl_instance_set_state(struct cl_instance *c, enum cl_state state, char *trace);
