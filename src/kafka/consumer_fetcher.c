/* SPDX-License-Identifier: Apache-2.0
 * Keeps librdkafka's fetcher going. Once its queue is full (queued.min.messages, or
 * queued.max.messages.kbytes) the broker's thread looks at it again after a second, however
 * soon it is empty: a sink that is slower than the network gets one queue a second. Since
 * 2.2 fetch.queue.backoff.ms shortens that; before, the thread can only be woken.
 * Thread: the task's. May include base, librdkafka. */
#include <stdlib.h>
#include <string.h>

#include "kafka/internal.h"

#define BACKOFF "fetch.queue.backoff.ms"

/* A queued message costs about 300 bytes besides its own, which no budget counts; with a
 * fetcher that is awake in time this is as fast as librdkafka's 100000. */
#define QUEUE_MESSAGES "20000"

static char *conf_text(const rd_kafka_conf_t *conf, const char *key) {
  size_t size = 0;
  if (rd_kafka_conf_get(conf, key, NULL, &size) != RD_KAFKA_CONF_OK)
    return strdup("");
  char *text = calloc(1, size + 1);
  if (text)
    rd_kafka_conf_get(conf, key, text, &size);
  return text;
}

static size_t conf_number(const rd_kafka_conf_t *conf, const char *key) {
  char text[32] = "";
  size_t size = sizeof(text);
  rd_kafka_conf_get(conf, key, text, &size);
  return strtoul(text, NULL, 10);
}

int cl_consumer_fetcher_settings(struct cl_consumer *c, const json_t *client, rd_kafka_conf_t *conf,
                                 struct cl_err *err) {
  int rc = cl_client_default(conf, client, "queued.min.messages", QUEUE_MESSAGES, err);
  if (rc)
    return rc;
  if (json_object_get(client, BACKOFF) ||
      rd_kafka_conf_set(conf, BACKOFF, "2", NULL, 0) != RD_KAFKA_CONF_UNKNOWN)
    return CL_OK;
  c->queue_messages = conf_number(conf, "queued.min.messages");
  c->queue_bytes = conf_number(conf, "queued.max.messages.kbytes") * 1024;
  c->username = conf_text(conf, "sasl.username");
  c->password = conf_text(conf, "sasl.password");
  return c->username && c->password ? CL_OK : cl_err_set(err, CL_ENOMEM, "out of memory");
}

/* Each time a quarter of what the queue may hold was taken. There is no call that only wakes
 * the brokers' threads; setting the credentials they have already does, and nothing else. */
void cl_consumer_fetcher_taken(struct cl_consumer *c, size_t bytes) {
  c->taken_messages++;
  c->taken_bytes += bytes;
  if (!c->queue_messages ||
      (c->taken_messages < c->queue_messages / 4 && c->taken_bytes < c->queue_bytes / 4))
    return;
  c->taken_messages = c->taken_bytes = 0;
  rd_kafka_error_t *error = rd_kafka_sasl_set_credentials(c->client.rk, c->username, c->password);
  if (error)
    rd_kafka_error_destroy(error);
}

void cl_consumer_fetcher_close(struct cl_consumer *c) {
  free(c->username);
  free(c->password);
}
