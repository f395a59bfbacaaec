/* SPDX-License-Identifier: Apache-2.0
 *
 * What one run of a task has done so far: counters, gauges, meters (totals and the last one or
 * two windows of time), and the call that it is in. Writers never wait and readers see what is
 * there: atomics without a lock, one update per batch and not per record.
 *
 * Thread: counters any; gauges, meters, states and calls the task's alone; reading any.
 * Owner: counted references; the task, its Kafka client and the connector's instance hold one each.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cl_stat {
  /* Apache's task-error-metrics; counters but for the time */
  CL_STAT_RECORD_FAILURES, /* operations on a record that failed, those that a retry cured too */
  CL_STAT_RECORD_ERRORS,   /* records that failed for good */
  CL_STAT_RECORDS_SKIPPED,
  CL_STAT_RETRIES,
  CL_STAT_ERRORS_LOGGED,
  CL_STAT_DLQ_REQUESTS,
  CL_STAT_DLQ_FAILURES,
  CL_STAT_LAST_ERROR_MS, /* gauge: since the epoch, 0 = none */

  /* counters */
  CL_STAT_COMMIT_SEQ,
  CL_STAT_OVERDUE_CALLS,    /* found by the watchdog */
  CL_STAT_RELOADS_REJECTED, /* the task went on with what it ran */
  CL_STAT_BYTES_OUT,        /* of its Kafka client */
  CL_STAT_BYTES_IN,

  /* gauges */
  CL_STAT_CONNECTIONS,
  CL_STAT_ACTIVE,  /* records read, and not yet written or committed */
  CL_STAT_LETTERS, /* dead letters that Kafka has not acknowledged */
  CL_STAT_PARTITIONS,
  CL_STAT_LAG, /* of all partitions; -1 = not known */
  CL_STAT_LAG_MAX,
  CL_STAT_LUA_BYTES,
  CL_STAT_ARENA_BYTES,
  CL_STAT_RELOAD_US, /* what the last reload took */
  CL_STATS
};

enum cl_meter_id {
  CL_METER_READ,        /* records of each batch that poll returned */
  CL_METER_SENT,        /* sink: handed to put; source: written to Kafka */
  CL_METER_CALL,        /* the plugin's poll or put, in microseconds */
  CL_METER_COMMIT,      /* offset commits, in microseconds */
  CL_METER_COMMIT_OK,   /* 1 or 0 for each */
  CL_METER_COMMIT_SKIP, /* a late answer */
  CL_METER_ACTIVE,      /* CL_STAT_ACTIVE over time */
  CL_METER_RELOAD,      /* plugins that took the place of older ones, in microseconds */
  CL_METERS
};

/* What a task's thread is doing in Lua. */
enum cl_verb {
  CL_VERB_NONE,
  CL_VERB_LOAD,
  CL_VERB_START,
  CL_VERB_POLL,
  CL_VERB_SEAL,
  CL_VERB_COMMIT,
  CL_VERB_COMMIT_RECORD,
  CL_VERB_CONVERT,
  CL_VERB_PUT,
  CL_VERB_FLUSH,
  CL_VERB_OPEN,
  CL_VERB_CLOSE,
  CL_VERB_STOP,
  CL_VERB_RELOAD,
  CL_VERBS
};
const char *cl_verb_name(enum cl_verb verb);

enum { CL_STATS_STATES = 8 }; /* room for enum cl_state of task/task.h */

struct cl_meter_sample {
  _Atomic int64_t start_ms, count, sum, max;
};
enum { CL_METER_SAMPLES = 2 };
struct cl_meter {
  _Atomic int64_t count, sum;
  _Atomic uint32_t seq; /* odd while being written */
  _Atomic uint32_t at;  /* the sample that grows */
  struct cl_meter_sample samples[CL_METER_SAMPLES];
};

struct cl_stats_named { /* a plugin's own */
  char name[64];
  bool gauge;
  _Atomic double value;
};
enum { CL_STATS_NAMED_MAX = 64 };

struct cl_stats {
  atomic_int refs;
  int64_t window_ms; /* of one sample */
  _Atomic int64_t n[CL_STATS];
  struct cl_meter meters[CL_METERS];
  int64_t born_ms;
  _Atomic int64_t state;                     /* since << 8 | state */
  _Atomic int64_t state_ms[CL_STATS_STATES]; /* in each, without the present one's time */
  _Atomic int64_t call;                      /* since (monotonic ms) << 8 | verb; 0 = none */
  _Atomic int32_t at;                        /* which of the task's plugins runs in it: CL_SLOT_* of abi.h */
  struct cl_stats_named *named;              /* room for all, made with the first */
  _Atomic size_t n_named;
};

/* Begins in state 0. NULL = no memory. */
struct cl_stats *cl_stats_new(int64_t window_ms, int64_t now_ms);
struct cl_stats *cl_stats_ref(struct cl_stats *s);
void cl_stats_unref(struct cl_stats *s); /* NULL does nothing */

static inline void cl_stats_add(struct cl_stats *s, enum cl_stat id, int64_t n) {
  atomic_fetch_add_explicit(&s->n[id], n, memory_order_relaxed);
}
static inline void cl_stats_set(struct cl_stats *s, enum cl_stat id, int64_t value) {
  atomic_store_explicit(&s->n[id], value, memory_order_relaxed);
}
static inline int64_t cl_stats_get(const struct cl_stats *s, enum cl_stat id) {
  return atomic_load_explicit(&s->n[id], memory_order_relaxed);
}

/* One more value of a meter. */
void cl_stats_meter(struct cl_stats *s, enum cl_meter_id id, int64_t value, int64_t now_ms);

/* The number of the metric of this name, made when it is new; -1: there are CL_STATS_NAMED_MAX, or no
 * memory. @thread task */
int cl_stats_named(struct cl_stats *s, const char *name, bool gauge);
void cl_stats_named_set(struct cl_stats *s, int metric, double value); /* @thread task */
void cl_stats_named_add(struct cl_stats *s, int metric, double n);     /* @thread task */
/* *n: how many there are now. They stay where they are. */
const struct cl_stats_named *cl_stats_named_all(const struct cl_stats *s, size_t *n);

/* As Kafka's: over the samples of the last two windows, the one that grows among them. Without a
 * value in them rate, avg and max are 0. */
struct cl_meter_view {
  int64_t count, sum; /* since the task began */
  int64_t recent;     /* count of the samples */
  double rate, avg;   /* rate: of the sum, per second */
  int64_t max;
};
void cl_stats_meter_view(const struct cl_stats *s, enum cl_meter_id id, int64_t now_ms,
                         struct cl_meter_view *out);

/* The task's state is another, below CL_STATS_STATES. */
void cl_stats_state(struct cl_stats *s, int state, int64_t now_ms);
/* The part of its life, 0 to 1, that it was in this state. */
double cl_stats_state_ratio(const struct cl_stats *s, int state, int64_t now_ms);

/* A call into Lua begins or ends; s may be NULL. */
void cl_stats_enter(struct cl_stats *s, enum cl_verb verb, int64_t now_ms);
void cl_stats_leave(struct cl_stats *s);
/* Which of the task's plugins runs from now on; s may be NULL. Compiled Lua code stores it by itself
 * (cl_ffi_at). */
static inline void cl_stats_at(struct cl_stats *s, int32_t slot) {
  if (s)
    atomic_store_explicit(&s->at, slot, memory_order_relaxed);
}
/* The call that is running and since when (monotonic); CL_VERB_NONE = none. */
enum cl_verb cl_stats_call(const struct cl_stats *s, int64_t *since_ms);
