/* SPDX-License-Identifier: Apache-2.0
 * One short-lived thread that asks for the cluster id. May include floors 5-0. */
#define CL_COMPONENT "worker"
#include "worker/cluster.h"

#include "base/log.h"
#include "kafka/client.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { ASK_MS = 1000 };

struct cl_cluster {
  pthread_t thread;
  json_t *client;
  atomic_bool stop;
  _Atomic(char *) id;
};

static void *ask(void *arg) {
  struct cl_cluster *c = arg;
  struct cl_err err = CL_ERR_INIT;
  bool told = false;
  while (!atomic_load(&c->stop)) {
    char *id = NULL;
    if (cl_client_cluster_id(c->client, ASK_MS, &id, &err) == 0) {
      atomic_store(&c->id, id);
      CL_LOG(CL_INFO, "Kafka cluster ID: %s", id ? id : "(none)");
      break;
    }
    if (!told)
      CL_LOG(CL_WARN, "no broker has answered yet, asking again: %s", err.msg);
    told = true;
  }
  return NULL;
}

int cl_cluster_watch(const json_t *client, struct cl_cluster **out, struct cl_err *err) {
  struct cl_cluster *c = calloc(1, sizeof(*c));
  if (!c)
    return cl_err_set(err, CL_ENOMEM, "no memory to ask for the cluster id");
  c->client = json_incref((json_t *)client);
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
  atomic_store(&c->stop, true);
  pthread_join(c->thread, NULL);
  free(atomic_load(&c->id));
  json_decref(c->client);
  free(c);
}
