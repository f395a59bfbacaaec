/* SPDX-License-Identifier: Apache-2.0
 *
 * State of a sink task, shared by sink.c (poll, put, redelivery) and sink_commit.c
 * (preCommit, commits, partitions coming and going). Thread: the task's.
 */
#pragma once

#include "task/internal.h"

#include "kafka/consumer.h"
#include "task/policy.h"

#define CL_SLOT_NONE UINT32_MAX /* slot of a record whose partition went away */

struct rewind {
  char *topic;
  int32_t partition;
  int64_t offset;
};

struct cl_sink {
  struct cl_task *t;
  struct cl_batch *batch; /* put has not accepted it yet (redelivery), or NULL */
  struct cl_policy policy;
  struct cl_err rejected; /* why a record could not be rejected; code 0 = nothing */
  bool redelivering;      /* everything is paused until put accepts `batch` */
  bool connector_paused;
  bool repause; /* the plugin paused or resumed partitions: to be told */
  bool ending;  /* stopping or failed: waits for Kafka are short */
  bool closed;  /* partitions are closed already: ignore the group's last callback */

  int64_t timeout_ms; /* one-shot bound of the next poll, -1 = none */
  struct rewind *rewinds;
  size_t n_rewinds;

  bool commit_requested;
  int64_t next_commit;
  uint64_t commit_seq;     /* number of the last asynchronous commit */
  bool committing;         /* its answer is outstanding */
  int64_t commit_began_us; /* with its flush */
  int64_t commit_started;
  struct cl_commit *inflight; /* what it will have committed */
  size_t n_inflight;

  bool moved;         /* positions have, since they were measured */
  int64_t measure_at; /* not before */
  int64_t measure_pause_ms;
};

/* sink_measure.c: partitions, lag and what is not committed yet, for metrics, a second after it has
 * changed and then rarely. Answers how long a poll may wait for what is still to be measured. */
int64_t cl_sink_measure(struct cl_sink *s);

/* sink_commit.c */
int cl_sink_commit_if_due(struct cl_sink *s, struct cl_err *err);
/* preCommit, close, commitSync for these slots: revocation and stop. */
int cl_sink_close_slots(struct cl_sink *s, const uint32_t *slots, size_t n, struct cl_err *err);
int cl_sink_assigned(void *arg, const uint32_t *slots, size_t n, struct cl_err *err);
int cl_sink_revoked(void *arg, const uint32_t *slots, size_t n, bool lost, struct cl_err *err);
void cl_sink_committed(void *arg, uint64_t seq, int code, const char *text);
/* Applies what rewind asked for. */
int cl_sink_apply_rewinds(struct cl_sink *s, struct cl_err *err);
/* Tells the client which slots are to be paused now. */
int cl_sink_apply_pauses(struct cl_sink *s, struct cl_err *err);
/* The slot of a partition assigned now, or NULL. */
struct cl_slot *cl_sink_find_slot(struct cl_sink *s, const char *topic, int32_t partition);
/* Slot numbers of what is assigned; malloc'd, NULL = no memory. */
uint32_t *cl_sink_assignment(struct cl_sink *s, size_t *n);
