/* SPDX-License-Identifier: Apache-2.0
 *
 * A task: one thread, one Lua state, one Kafka client; its state machine and stop ladder.
 * Thread: the herder makes, steers and frees tasks; everything else happens on the task's
 * own thread. Status changes are reported by conf.status on the task's thread.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"
#include "base/stats.h"
#include "kafka/budget.h"
#include "kafka/embedded.h"
#include "store/offsets.h"
#include "task/parts.h"

#include <stdint.h>

enum cl_state { CL_UNASSIGNED, CL_RUNNING, CL_PAUSED, CL_FAILED, CL_RESTARTING, CL_STOPPED };
const char *cl_state_name(enum cl_state s);

struct cl_task_errors {     /* a connector's errors.* */
  bool tolerate;            /* errors.tolerance=all */
  int64_t retry_timeout_ms; /* -1 = for ever */
  int64_t retry_delay_max_ms;
  bool log, log_messages;
  const char *letters; /* topic of the dead letter queue; NULL = none, and the rest is nothing */
  int letters_replication;
  bool letters_headers;
  const json_t *letters_producer, *letters_admin; /* librdkafka keys */
};

/* Everything a task needs; the task takes its own references and copies. */
struct cl_task_conf {
  const char *connector;
  int id, count, max;            /* this task, tasks of the connector, tasks.max */
  const json_t *config, *grants; /* the connector's config as given; connect.lua.grants, or NULL */
  struct cl_task_parts parts;
  const json_t *client;     /* librdkafka keys of its consumer or producer */
  const json_t *topics;     /* sink: array, or NULL */
  const char *topics_regex; /* sink */
  struct cl_task_errors errors;
  const json_t *topic_creation; /* source: the connector's config when it wants its topics made, or NULL */
  const json_t *topic_admin;    /* librdkafka keys for that */
  const char *home;
  int64_t offset_flush_interval_ms, offset_flush_timeout_ms;
  int64_t final_wait_ms; /* longest wait for Kafka while ending, all in all; below the stop deadline */
  int64_t metadata_max_age_ms;
  uint32_t max_poll_records;
  size_t memory_max; /* Lua state, and again for arenas */
  bool jit;
  bool paused; /* target state at birth */
  struct cl_offsets *offsets;
  struct cl_embedded *embedded;
  struct cl_budget *budget;
  struct cl_stats *stats; /* where it counts; NULL = nobody looks */
  /* @thread task. UNASSIGNED once its plugins are set up, before `start`; then the states it
   * goes through. trace is NULL unless FAILED. */
  void (*status)(void *arg, int task, uint64_t generation, enum cl_state state, const char *trace);
  /* @thread task. A topic that the task uses for the first time; NULL = nobody wants to know. */
  void (*topic)(void *arg, uint64_t generation, const char *topic, size_t len);
  /* @thread task. now: what it runs from now on; or NULL: this generation of a plugin could not be taken
   * over. NULL = nobody wants to know. */
  void (*renewed)(void *arg, int task, uint64_t generation, const struct cl_task_parts *now,
                  const struct cl_plugin *rejected, const struct cl_err *err);
  void *arg;
  uint64_t generation; /* handed back, so that late reports of old tasks are known */
};

struct cl_task;

int cl_task_start(const struct cl_task_conf *conf, struct cl_task **out, struct cl_err *err);
void cl_task_pause(struct cl_task *t, bool pause);

/* What it is to run from its next batch on, in place of what it has had by cl_task_conf or by this function;
 * of a plugin that cannot be set up in its state it goes on with what it runs. parts: of as many stages as
 * before; the connector another one only if that has the verb `reload`. False = no memory. */
bool cl_task_renew(struct cl_task *t, const struct cl_task_parts *parts);

/* conf.topic is told of every topic anew. */
void cl_task_forget_topics(struct cl_task *t);

/* The stop ladder: ask them all; join waits for them together until deadline_ms (monotonic),
 * interrupts those still running, waits a moment more and gives up the rest. */
void cl_task_ask_stop(struct cl_task *t);
/* Answers how many were given up: counted, their Kafka clients closed from outside, their
 * memory left alone. The others are freed and their entries set to NULL. */
size_t cl_task_join(struct cl_task **tasks, size_t n, int64_t deadline_ms);
int cl_task_abandoned_total(void); /* while one lives the process must end by _exit */
/* Whether one of this connector's, by name, still runs. @thread any */
bool cl_task_abandoned_of(const char *connector);
