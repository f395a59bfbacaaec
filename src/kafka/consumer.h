/* SPDX-License-Identifier: Apache-2.0
 *
 * One sink task's consumer: poll into a batch, rebalance, pause, seek, commit.
 * Thread: the task's, for every call but cl_consumer_abandon; all callbacks run there,
 * inside cl_consumer_poll or cl_consumer_close.
 */
#pragma once

#include "connect_lua/abi_c.h"

#include "base/err.h"
#include "base/json.h"
#include "base/stats.h"
#include "kafka/budget.h"
#include "kafka/embedded.h"

struct cl_consumer;

/* One topic partition this consumer has ever been assigned; a record's `slot` is the
 * index. The consumer sets topic, partition, assigned and start; the sink task keeps the
 * rest here so that there is one place to look. */
struct cl_slot {
  struct cl_str topic;
  int32_t partition;
  bool assigned;
  bool paused_by_task;
  bool paused;       /* what the client was told last; the sink task keeps it */
  int64_t start;     /* where reading began at the last assignment; -1 = unknown */
  int64_t current;   /* next offset after what put has accepted; -1 = none */
  int64_t committed; /* last committed; -1 = none */
};

struct cl_consumer_events {
  /* Partitions (slot numbers) were given, positions known, nothing fetched yet. The
   * callee may move slots[i].start: reading begins there. Non-zero fails the poll. */
  int (*assigned)(void *arg, const uint32_t *slots, size_t n, struct cl_err *err);
  /* They go away. lost: the group has moved on already, do not commit. Still readable. */
  int (*revoked)(void *arg, const uint32_t *slots, size_t n, bool lost, struct cl_err *err);
  /* Outcome of the asynchronous commit number seq. */
  void (*committed)(void *arg, uint64_t seq, int code, const char *text);
};

struct cl_consumer_conf {
  const json_t *client;         /* librdkafka keys (cl_client_conf), group.id and client.id among them */
  const json_t *topics;         /* array of names, or NULL */
  const char *topics_regex;     /* Java regex, whole names, or NULL */
  int task, tasks;              /* embedded broker: partitions are dealt over the tasks without a group */
  int64_t metadata_max_age_ms;  /* refresh of the topics a regex matches */
  struct cl_embedded *embedded; /* or NULL */
  struct cl_budget *budget;
  struct cl_stats *stats; /* where its connections and bytes are counted; or NULL */
  struct cl_consumer_events events;
  void *arg;
};

int cl_consumer_open(const struct cl_consumer_conf *conf, struct cl_consumer **out, struct cl_err *err);

/* Adds up to max records, or some 4 MiB of them, to batch, which borrows their bytes until it
 * is reset: waits up to timeout_ms for the first one, takes the others as they lie. Timestamps below -1 are
 * CL_EDATA ("Invalid record timestamp"). Records of partitions revoked meanwhile are not
 * among them. Broker trouble that librdkafka cures by itself is logged, not returned. */
int cl_consumer_poll(struct cl_consumer *c, struct cl_batch *batch, uint32_t max, int64_t timeout_ms,
                     struct cl_err *err);

struct cl_slot *cl_consumer_slots(struct cl_consumer *c, uint32_t *n); /* may move after a poll */

/* Records between slot.current, or where reading began, and the partition's end as the last fetch
 * told it; -1 = not known yet. Asks nobody. */
int64_t cl_consumer_lag(const struct cl_consumer *c, uint32_t slot);

int cl_consumer_pause(struct cl_consumer *c, uint32_t slot, struct cl_err *err);
int cl_consumer_resume(struct cl_consumer *c, uint32_t slot, struct cl_err *err);
int cl_consumer_seek(struct cl_consumer *c, uint32_t slot, int64_t offset, struct cl_err *err);

struct cl_commit {
  uint32_t slot;
  int64_t offset;
};
/* Asynchronous: the outcome comes to events.committed with seq. */
int cl_consumer_commit(struct cl_consumer *c, const struct cl_commit *commits, size_t n, uint64_t seq,
                       struct cl_err *err);
/* Waits up to timeout_ms for the broker's answer, and 3 s at most once cl_consumer_wake was called. */
int cl_consumer_commit_sync(struct cl_consumer *c, const struct cl_commit *commits, size_t n,
                            int64_t timeout_ms, struct cl_err *err);

/* Ends a waiting cl_consumer_poll early. @thread any. */
void cl_consumer_wake(struct cl_consumer *c);

/* Leaves the group (events.revoked is called for what is assigned) and frees. All batches
 * that borrowed its messages must have been released. */
void cl_consumer_close(struct cl_consumer *c);
/* A stuck task's consumer begins to leave its group from another thread, without a wait; events are no longer
 * called, and what the stuck thread may touch is leaked. Then cl_consumer_leave is called, again and again,
 * until it answers true: out of the group, or, with `last`, left in it until its session ends. @thread any,
 * one for both. */
void cl_consumer_abandon(struct cl_consumer *c);
bool cl_consumer_leave(struct cl_consumer *c, bool last);
