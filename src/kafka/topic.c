/* SPDX-License-Identifier: Apache-2.0
 * Topics that must exist. Thread: any one at a time. May include record, base, librdkafka. */
#define CL_COMPONENT "kafka.topic"
#include "kafka/topic.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "kafka/internal.h"

enum {
  SLICE_MS = 250,      /* of a wait for an answer, between looks at `interrupted` */
  SLICE_MAX_MS = 2000, /* a broker that is far away has to be waited for longer */
  AGAIN_MS = 100       /* between attempts */
};

struct cl_topic_admin {
  struct cl_client client;
};

struct work {
  struct cl_client *client;
  rd_kafka_t *rk; /* its handle */
  const struct cl_topic_wish *wish;
  int64_t deadline;
};

int cl_topic_open(const json_t *client, struct cl_topic_admin **out, struct cl_err *err) {
  rd_kafka_conf_t *conf = NULL;
  struct cl_topic_admin *a = calloc(1, sizeof(*a));
  if (!a)
    return cl_err_set(err, CL_ENOMEM, "out of memory");
  int rc = cl_client_settings(client, NULL, &conf, err);
  if (!rc) { /* to ask for a topic must not make it */
    rd_kafka_conf_set(conf, "allow.auto.create.topics", "false", NULL, 0);
    rc = cl_client_open(&a->client, a, RD_KAFKA_PRODUCER, conf, NULL, err);
  }
  if (rc)
    free(a);
  else
    *out = a;
  return rc;
}

void cl_topic_close(struct cl_topic_admin *a) {
  if (!a)
    return;
  cl_client_close(&a->client);
  free(a);
}

/* ---------------------------------------------------------------- waiting */

/* What is left of the time, at most so much; 0 = it is over. */
static int left(const struct work *w, int most) {
  int64_t ms = w->deadline - cl_now_ms();
  return cl_client_ms(ms < most ? ms : most);
}

static int check_interrupted(const struct work *w, struct cl_err *err) {
  if (!w->wish->interrupted || !w->wish->interrupted(w->wish->arg))
    return CL_OK;
  return cl_err_set(err, CL_ESTOPPED, "interrupted while topic %s was looked up or made", w->wish->name);
}

static void pause_between(void) {
  struct timespec pause = {0, AGAIN_MS * 1000000L};
  nanosleep(&pause, NULL);
}

static bool is_forbidden(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
         code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
}

/* ---------------------------------------------------------------- looking */

/* Nothing but this topic is asked for: there may be very many. */
static rd_kafka_resp_err_t ask(rd_kafka_t *rk, rd_kafka_topic_t *topic, int ms) {
  const struct rd_kafka_metadata *answer = NULL;
  rd_kafka_resp_err_t code = rd_kafka_metadata(rk, 0, topic, &answer, ms);
  if (code)
    return code;
  code = answer->topic_cnt == 1 ? answer->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
  rd_kafka_metadata_destroy(answer);
  return code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE ? RD_KAFKA_RESP_ERR_NO_ERROR : code;
}

static int cannot_look(const struct work *w, rd_kafka_resp_err_t code, struct cl_err *err) {
  const char *name = w->wish->name;
  if (cl_client_retriable(code))
    return cl_client_fail(err, code, "Timed out while describing topics '%s'", name);
  if (is_forbidden(code))
    return cl_client_fail(err, code, "Not authorized to describe topic(s) '%s'", name);
  return cl_client_fail(err, code, "Error while attempting to describe topics '%s'", name);
}

static int look(const struct work *w, bool *found, struct cl_err *err) {
  rd_kafka_topic_t *topic = rd_kafka_topic_new(w->rk, w->wish->name, NULL);
  rd_kafka_resp_err_t code = topic ? RD_KAFKA_RESP_ERR__TIMED_OUT : rd_kafka_last_error();
  int rc = CL_OK, most = SLICE_MS;
  for (int ms; topic && !rc && cl_client_retriable(code) && (ms = left(w, most)) > 0;) {
    rc = check_interrupted(w, err);
    most = most * 2 < SLICE_MAX_MS ? most * 2 : SLICE_MAX_MS;
    if (!rc && cl_client_retriable(code = ask(w->rk, topic, ms))) {
      rd_kafka_poll(w->rk, 0);
      rc = cl_client_fatal(w->client, err);
      pause_between();
    }
  }
  if (topic)
    rd_kafka_topic_destroy(topic);
  *found = code == RD_KAFKA_RESP_ERR_NO_ERROR;
  if (rc || *found || code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
    return rc;
  return cannot_look(w, code, err);
}

/* ----------------------------------------------------------------- making */

static rd_kafka_NewTopic_t *describe(const struct cl_topic_wish *wish, struct cl_err *err) {
  char why[256];
  const char *key;
  json_t *value;
  rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(wish->name, wish->partitions, wish->replication, why,
                                                     sizeof(why));
  if (!topic) {
    cl_err_set(err, CL_EKAFKA, "Unable to create topic(s) '%s': %s", wish->name, why);
    return NULL;
  }
  json_object_foreach ((json_t *)wish->config, key, value) {
    rd_kafka_resp_err_t code = rd_kafka_NewTopic_set_config(topic, key, json_string_value(value));
    if (code) {
      cl_err_set(err, CL_EKAFKA, "Unable to create topic(s) '%s': setting %s: %s", wish->name, key,
                 rd_kafka_err2str(code));
      rd_kafka_NewTopic_destroy(topic);
      return NULL;
    }
  }
  return topic;
}

static rd_kafka_resp_err_t verdict(rd_kafka_event_t *event, char *text, size_t size) {
  rd_kafka_resp_err_t code = rd_kafka_event_error(event);
  const char *why = code ? rd_kafka_event_error_string(event) : NULL;
  size_t n = 0;
  const rd_kafka_CreateTopics_result_t *result = code ? NULL : rd_kafka_event_CreateTopics_result(event);
  const rd_kafka_topic_result_t **topics = result ? rd_kafka_CreateTopics_result_topics(result, &n) : NULL;
  if (n > 0) {
    code = rd_kafka_topic_result_error(topics[0]);
    why = rd_kafka_topic_result_error_string(topics[0]);
  }
  snprintf(text, size, "%s", code && why ? why : "");
  return code;
}

/* One request. Without an answer in time: CL_OK and *code says so. */
static int request(const struct work *w, rd_kafka_NewTopic_t *topic, rd_kafka_resp_err_t *code, char *text,
                   size_t size, struct cl_err *err) {
  rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(w->rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
  rd_kafka_queue_t *queue = rd_kafka_queue_new(w->rk);
  rd_kafka_event_t *event = NULL;
  int rc = CL_OK;
  *code = RD_KAFKA_RESP_ERR__TIMED_OUT;
  rd_kafka_AdminOptions_set_request_timeout(options, cl_client_ms(w->deadline - cl_now_ms()), NULL, 0);
  rd_kafka_CreateTopics(w->rk, &topic, 1, options, queue);
  for (int ms; !rc && !event && (ms = left(w, SLICE_MS)) > 0;) {
    rc = check_interrupted(w, err);
    if (!rc)
      event = rd_kafka_queue_poll(queue, ms);
  }
  if (event) {
    *code = verdict(event, text, size);
    rd_kafka_event_destroy(event);
  }
  rd_kafka_queue_destroy(queue);
  rd_kafka_AdminOptions_destroy(options);
  return rc;
}

/* What is an InvalidConfigurationException in Java. */
static bool is_misconfigured(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_INVALID_CONFIG || code == RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR ||
         code == RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION;
}

/* Final whatever it is, as in Apache. */
static int cannot_make(const struct work *w, rd_kafka_resp_err_t code, const char *text, struct cl_err *err) {
  const char *name = w->wish->name, *colon = *text ? ": " : "";
  if (is_forbidden(code) || code == RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION ||
      code == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE)
    cl_client_fail(
        err, code,
        "Task failed to create new topic %s. Ensure that the task is authorized to create topics or "
        "that the topic exists and restart the task",
        name);
  else if (cl_client_retriable(code))
    cl_client_fail(err, code, "Timed out while checking for or creating topic(s) '%s'", name);
  else if (is_misconfigured(code))
    cl_client_fail(err, code, "Unable to create topic(s) '%s'%s%s", name, colon, text);
  else
    cl_client_fail(err, code, "Error while attempting to create/find topic(s) '%s'%s%s", name, colon, text);
  err->retriable = false;
  return err->code;
}

static int make(const struct work *w, struct cl_err *err) {
  char text[512] = "";
  rd_kafka_NewTopic_t *topic = describe(w->wish, err);
  if (!topic)
    return err->code;
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;
  int rc = CL_OK;
  while (!rc && cl_client_retriable(code) && cl_now_ms() < w->deadline) {
    rc = request(w, topic, &code, text, sizeof(text), err);
    if (!rc && cl_client_retriable(code))
      pause_between();
  }
  rd_kafka_NewTopic_destroy(topic);
  if (rc || !code || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
    return rc;
  return cannot_make(w, code, text, err);
}

int cl_topic_ensure(struct cl_topic_admin *a, const struct cl_topic_wish *wish, struct cl_err *err) {
  struct work w = {&a->client, a->client.rk, wish, cl_now_ms() + wish->timeout_ms};
  bool found;
  int rc = look(&w, &found, err);
  if (rc || found)
    return rc;
  CL_LOG(CL_INFO, "topic %s does not exist: making it with %d partitions and replication factor %d",
         wish->name, wish->partitions, wish->replication);
  w.deadline = cl_now_ms() + wish->timeout_ms;
  return make(&w, err);
}
