/* SPDX-License-Identifier: Apache-2.0
 * Topics that must exist. Thread: any. May include record, base, librdkafka. */
#define CL_COMPONENT "kafka.topic"
#include "kafka/topic.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "kafka/internal.h"

enum { SLICE_MS = 250 };

struct work {
  const struct cl_topic_wish *wish;
  struct cl_client client;
  int64_t deadline;
};

/* What is left, at most a slice; 0 or less = the time is over. */
static int slice(const struct work *w) {
  int64_t left = w->deadline - cl_now_ms();
  return (int)(left < SLICE_MS ? left : SLICE_MS);
}

static int is_stopping(const struct work *w, struct cl_err *err) {
  if (!w->wish->stopping || !w->wish->stopping(w->wish->arg))
    return CL_OK;
  return cl_err_set(err, CL_ESTOPPED, "asked to stop while looking for topic %s", w->wish->name);
}

/* All topics are asked for: asking for one that is not there would make it. */
static int look(struct work *w, bool *found, struct cl_err *err) {
  const struct rd_kafka_metadata *all = NULL;
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;
  for (int ms; !all && (ms = slice(w)) > 0;) {
    if (is_stopping(w, err))
      return err->code;
    code = rd_kafka_metadata(w->client.rk, 1, NULL, &all, ms);
    if (code && code != RD_KAFKA_RESP_ERR__TIMED_OUT && code != RD_KAFKA_RESP_ERR__TRANSPORT)
      break;
  }
  if (!all)
    return cl_client_fail(err, code, "cannot list the topics");
  for (int i = 0; i < all->topic_cnt; i++)
    *found |= strcmp(all->topics[i].topic, w->wish->name) == 0;
  rd_kafka_metadata_destroy(all);
  return CL_OK;
}

static int result(const struct cl_topic_wish *wish, rd_kafka_event_t *event, struct cl_err *err) {
  if (rd_kafka_event_error(event))
    return cl_client_fail(err, rd_kafka_event_error(event), "topic %s cannot be made", wish->name);
  size_t n = 0;
  const rd_kafka_topic_result_t **topics = rd_kafka_CreateTopics_result_topics(
      rd_kafka_event_CreateTopics_result(event), &n);
  for (size_t i = 0; i < n; i++) {
    rd_kafka_resp_err_t code = rd_kafka_topic_result_error(topics[i]);
    const char *text = rd_kafka_topic_result_error_string(topics[i]);
    if (code && code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
      return cl_client_fail(err, code, "topic %s cannot be made: %s", wish->name, text ? text : "");
  }
  return CL_OK;
}

static int create(struct work *w, struct cl_err *err) {
  const struct cl_topic_wish *wish = w->wish;
  char why[256];
  rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(wish->name, wish->partitions, wish->replication, why,
                                                     sizeof(why));
  if (!topic)
    return cl_err_set(err, CL_EINVAL, "topic %s cannot be made: %s", wish->name, why);
  rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(w->client.rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
  rd_kafka_queue_t *queue = rd_kafka_queue_new(w->client.rk);
  rd_kafka_event_t *event = NULL;
  int rc = CL_OK;
  rd_kafka_AdminOptions_set_request_timeout(options, cl_client_ms(w->deadline - cl_now_ms()), NULL, 0);
  rd_kafka_CreateTopics(w->client.rk, &topic, 1, options, queue);
  for (int ms; !rc && !event && (ms = slice(w)) > 0;) {
    rc = is_stopping(w, err);
    if (!rc)
      event = rd_kafka_queue_poll(queue, ms);
  }
  if (!rc)
    rc = event ? result(wish, event, err)
               : cl_client_fail(err, RD_KAFKA_RESP_ERR__TIMED_OUT, "topic %s cannot be made", wish->name);
  if (event)
    rd_kafka_event_destroy(event);
  rd_kafka_queue_destroy(queue);
  rd_kafka_AdminOptions_destroy(options);
  rd_kafka_NewTopic_destroy(topic);
  return rc;
}

int cl_topic_ensure(const json_t *client, const struct cl_topic_wish *wish, struct cl_err *err) {
  struct work w = {.wish = wish, .deadline = cl_now_ms() + wish->timeout_ms};
  rd_kafka_conf_t *conf = NULL;
  bool found = false;
  int rc = cl_client_settings(client, NULL, &conf, err);
  if (!rc)
    rc = cl_client_open(&w.client, NULL, RD_KAFKA_PRODUCER, conf, NULL, err);
  if (rc)
    return rc;
  rc = look(&w, &found, err);
  if (!rc && !found) {
    CL_LOG(CL_INFO, "topic %s does not exist: making it with %d partition and replication factor %d",
           wish->name, wish->partitions, wish->replication);
    rc = create(&w, err);
  }
  cl_client_close(&w.client);
  return rc;
}
