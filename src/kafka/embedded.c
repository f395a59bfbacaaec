/* SPDX-License-Identifier: Apache-2.0
 * The embedded broker on librdkafka's mock cluster. Thread: any; one lock.
 * May include base and librdkafka. */
#include "kafka/embedded.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "kafka/internal.h"

struct cl_embedded {
  struct cl_client host; /* a handle that only hosts the cluster's thread */
  rd_kafka_mock_cluster_t *cluster;
  char *bootstrap;
  pthread_mutex_t lock;
  json_t *topics; /* names made so far: {name: true} */
};

int cl_embedded_start(struct cl_embedded **out, struct cl_err *err) {
  struct cl_embedded *e = calloc(1, sizeof(*e));
  if (!e)
    return cl_err_set(err, CL_ENOMEM, "out of memory");
  pthread_mutex_init(&e->lock, NULL);
  e->topics = json_object();
  json_t *client = json_pack("{s:s, s:s}", "client.id", "embedded-broker", "log_level", "4");
  rd_kafka_conf_t *conf = NULL;
  int rc = cl_client_settings(client, NULL, &conf, err);
  json_decref(client);
  if (!rc)
    rc = cl_client_open(&e->host, e, RD_KAFKA_PRODUCER, conf, NULL, err);
  if (rc)
    goto out;
  e->cluster = rd_kafka_mock_cluster_new(e->host.rk, 1);
  if (!e->cluster) {
    rc = cl_err_set(err, CL_EKAFKA, "Failed to start the embedded broker");
    goto out;
  }
  e->bootstrap = strdup(rd_kafka_mock_cluster_bootstraps(e->cluster));
  if (!e->bootstrap || !e->topics)
    rc = cl_err_set(err, CL_ENOMEM, "out of memory");
out:
  if (rc)
    cl_embedded_stop(e);
  else
    *out = e;
  return rc;
}

const char *cl_embedded_bootstrap(const struct cl_embedded *e) { return e->bootstrap; }

int cl_embedded_topic(struct cl_embedded *e, const char *topic, struct cl_err *err) {
  int rc = CL_OK;
  pthread_mutex_lock(&e->lock);
  if (!json_object_get(e->topics, topic)) {
    rd_kafka_resp_err_t code = rd_kafka_mock_topic_create(e->cluster, topic, 1, 1);
    if (code && code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
      rc = cl_client_fail(err, code, "Failed to make topic %s on the embedded broker", topic);
    else if (json_object_set_new(e->topics, topic, json_true()))
      rc = cl_err_set(err, CL_EINVAL, "Invalid topic name for the embedded broker: %s", topic);
  }
  pthread_mutex_unlock(&e->lock);
  return rc;
}

void cl_embedded_stop(struct cl_embedded *e) {
  if (!e)
    return;
  if (e->cluster)
    rd_kafka_mock_cluster_destroy(e->cluster);
  cl_client_close(&e->host);
  free(e->bootstrap);
  json_decref(e->topics);
  pthread_mutex_destroy(&e->lock);
  free(e);
}
