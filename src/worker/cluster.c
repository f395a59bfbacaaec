/* SPDX-License-Identifier: Apache-2.0
 * One short-lived thread that asks for the cluster id. May include floors 5-0. */
#define CL_COMPONENT "worker"
#include "worker/cluster.h"

#include "base/log.h"
#include "kafka/client.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ASK_MS = 1000, FIRST_PAUSE_MS = 1000, LONGEST_PAUSE_MS = 30000 };

struct cl_cluster {
  pthread_t thread;
  json_t *client;
  pthread_mutex_t lock;
  pthread_cond_t stopped;
  bool stop; /* lock */
  _Atomic(char *) id;
};

/* Waits ms; true when the worker is to stop. */
static bool pause_for(struct cl_cluster *c, int64_t ms) {
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += ms / 1000;
  pthread_mutex_lock(&c->lock);
  while (!c->stop && ms > 0 && pthread_cond_timedwait(&c->stopped, &c->lock, &until) != ETIMEDOUT)
    ;
  bool stop = c->stop;
  pthread_mutex_unlock(&c->lock);
  return stop;
}

static void *ask(void *arg) {
  struct cl_cluster *c = arg;
  struct cl_err err = CL_ERR_INIT;
  for (int64_t pause = 0; !pause_for(c, pause);) {
    char *id = NULL;
    if (cl_client_cluster_id(c->client, ASK_MS, &id, &err) == 0) {
      atomic_store(&c->id, id);
      CL_LOG(CL_INFO, "Kafka cluster ID: %s", id ? id : "(none)");
      break;
    }
    if (pause == 0)
      CL_LOG(CL_WARN, "no broker has answered yet, asking again: %s", err.msg);
    pause = pause == 0 ? FIRST_PAUSE_MS : pause * 2 < LONGEST_PAUSE_MS ? pause * 2 : LONGEST_PAUSE_MS;
  }
  return NULL;
}

int cl_cluster_watch(const json_t *client, struct cl_cluster **out, struct cl_err *err) {
  struct cl_cluster *c = calloc(1, sizeof(*c));
  if (!c)
    return cl_err_set(err, CL_ENOMEM, "no memory to ask for the cluster id");
  c->client = json_incref((json_t *)client);
  pthread_mutex_init(&c->lock, NULL);
  pthread_condattr_t attr;
  pthread_condattr_init(&attr);
  pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
  pthread_cond_init(&c->stopped, &attr);
  pthread_condattr_destroy(&attr);
  int rc = pthread_create(&c->thread, NULL, ask, c);
  if (rc != 0) {
    json_decref(c->client);
    free(c);
    return cl_err_set(err, CL_EIO, "cannot start a thread: %s", strerror(rc));
  }
  *out = c;
  return 0;
}

const char *cl_cluster_id(const struct cl_cluster *c) { return c ? atomic_load(&c->id) : NULL; }

void cl_cluster_free(struct cl_cluster *c) {
  if (!c)
    return;
  pthread_mutex_lock(&c->lock);
  c->stop = true;
  pthread_cond_signal(&c->stopped);
  pthread_mutex_unlock(&c->lock);
  pthread_join(c->thread, NULL);
  pthread_cond_destroy(&c->stopped);
  pthread_mutex_destroy(&c->lock);
  free(atomic_load(&c->id));
  json_decref(c->client);
  free(c);
}
