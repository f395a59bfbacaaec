/* SPDX-License-Identifier: Apache-2.0
 * What herder.c, standalone.c and snapshot.c share. */
#pragma once

#include "base/queue.h"
#include "worker/instance.h"
#include "worker/herder.h"

struct cl_herder {
  const struct cl_worker *worker;
  struct cl_queue *inbox;
  pthread_t thread;
  pthread_mutex_t lock; /* guards the id, the list and what cl_instance says */
  char *worker_id;      /* host:port */
  struct cl_instance *list; /* in order of creation */
};

/* @locks the caller holds h->lock, or is the herder thread. */
struct cl_instance *cl_herder_find(struct cl_herder *h, const char *name);

/* standalone.c: carries out one command. @thread herder */
void cl_standalone_run(struct cl_herder *h, struct cl_command *cmd, struct cl_reply *reply);
/* Stops every task of every connector. @thread herder, at its end */
void cl_standalone_stop_all(struct cl_herder *h);

/* snapshot.c: JSON of a connector. @locks the caller holds h->lock. */
json_t *cl_snapshot_info(const struct cl_instance *c);
json_t *cl_snapshot_status(const struct cl_herder *h, const struct cl_instance *c);
