/* SPDX-License-Identifier: Apache-2.0
 *
 * What can be seen of the worker at one moment, for metrics and for people: its connectors and tasks
 * with what they count.
 * @thread any; made under the herder's lock, read without it, since counters need none.
 */
#pragma once

#include "base/json.h"
#include "base/stats.h"

struct cl_herder;

struct cl_seen_task {
  int id;
  const char *state;                 /* lower case */
  struct cl_stats *stats;            /* a reference */
  char *client_id;                   /* of its Kafka client */
  double running_ratio, pause_ratio; /* parts of its life */
  bool overdue;                      /* its running call takes longer than the watchdog's time */
};
struct cl_seen_connector {
  char *name, *class, *version;
  const char *state, *type; /* "source", "sink" */
  bool sink;
  struct cl_seen_task *tasks;
  size_t n_tasks;
};
struct cl_seen_startups {
  int64_t succeeded, failed;
};
struct cl_seen {
  struct cl_seen_connector *connectors;
  size_t n;
  struct cl_seen_startups connector_startups, task_startups; /* since the worker began */
  int abandoned;                                             /* tasks that were given up and still run */
};
/* NULL = no memory. */
struct cl_seen *cl_herder_see(struct cl_herder *h);
void cl_seen_free(struct cl_seen *s);

/* A moment since the epoch as people and tools read it, 2026-01-31T23:59:59.999Z. New reference. */
json_t *cl_seen_time(int64_t wall_ms);
