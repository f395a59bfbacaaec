/* SPDX-License-Identifier: Apache-2.0
 * Which topics a consumer reads: names, or a regex matched against the cluster's topics
 * now and then; on the embedded broker also which partitions, dealt over the tasks by
 * hand. Thread: the task's. */
#define CL_COMPONENT "kafka.consumer"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "kafka/internal.h"

enum {
  SOON_MS = 5000,    /* between refreshes while something is missing */
  METADATA_MS = 1000 /* one question for the topics */
};

static bool is_internal(const char *topic) {
  return !strcmp(topic, "__consumer_offsets") || !strcmp(topic, "__transaction_state") ||
         !strcmp(topic, "__share_group_state");
}

static bool is_wanted(struct cl_consumer *c, const char *topic) {
  if (c->regex)
    return !is_internal(topic) && cl_regex_matches(c->regex, topic, strlen(topic));
  size_t i;
  json_t *name;
  json_array_foreach (c->names, i, name)
    if (!strcmp(json_string_value(name), topic))
      return true;
  return false;
}

static rd_kafka_resp_err_t subscribe(struct cl_consumer *c, rd_kafka_topic_partition_list_t *topics) {
  rd_kafka_resp_err_t code = topics->cnt ? rd_kafka_subscribe(c->client.rk, topics)
                                         : rd_kafka_unsubscribe(c->client.rk);
  if (code) {
    rd_kafka_topic_partition_list_destroy(topics);
    return code;
  }
  if (c->topics)
    rd_kafka_topic_partition_list_destroy(c->topics);
  c->topics = topics;
  return 0;
}

static int open_names(struct cl_consumer *c, struct cl_err *err) {
  size_t i;
  json_t *name;
  rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new((int)json_array_size(c->names));
  json_array_foreach (c->names, i, name) {
    if (c->embedded && cl_embedded_topic(c->embedded, json_string_value(name), err)) {
      rd_kafka_topic_partition_list_destroy(topics);
      return err->code;
    }
    rd_kafka_topic_partition_list_add(topics, json_string_value(name), RD_KAFKA_PARTITION_UA);
  }
  if (c->embedded) {
    rd_kafka_topic_partition_list_destroy(topics);
    return CL_OK;
  }
  rd_kafka_resp_err_t code = subscribe(c, topics);
  return code ? cl_client_fail(err, code, "Failed to subscribe") : CL_OK;
}

int cl_consumer_topics_open(struct cl_consumer *c, const struct cl_consumer_conf *conf, struct cl_err *err) {
  c->embedded = conf->embedded;
  c->task = conf->task;
  c->tasks = conf->tasks > 0 ? conf->tasks : 1;
  c->metadata_max_age_ms = conf->metadata_max_age_ms > 0 ? conf->metadata_max_age_ms : 300000;
  if (conf->topics_regex) {
    int rc = cl_regex_compile(conf->topics_regex, &c->regex, err);
    return rc ? cl_err_prefix(err, "Invalid value %s for configuration topics.regex: ", conf->topics_regex)
              : 0;
  }
  c->names = json_deep_copy(conf->topics);
  return c->names ? open_names(c, err)
                  : cl_err_set(err, CL_EINVAL, "a consumer needs topics or topics.regex");
}

void cl_consumer_topics_close(struct cl_consumer *c) {
  if (c->topics)
    rd_kafka_topic_partition_list_destroy(c->topics);
  if (c->dealt)
    rd_kafka_topic_partition_list_destroy(c->dealt);
  json_decref(c->names);
  cl_regex_free(c->regex);
}

/* ---------------------------------------------------------------- refresh */

static bool same_list(const rd_kafka_topic_partition_list_t *a, const rd_kafka_topic_partition_list_t *b) {
  if (!a || a->cnt != b->cnt)
    return !a && !b->cnt;
  for (int i = 0; i < a->cnt; i++)
    if (a->elems[i].partition != b->elems[i].partition || strcmp(a->elems[i].topic, b->elems[i].topic))
      return false;
  return true;
}

/* The wanted topics that exist, sorted; with partitions: one entry for each, else one for the topic. */
static rd_kafka_topic_partition_list_t *wanted(struct cl_consumer *c, const struct rd_kafka_metadata *md,
                                               bool partitions, int *n_topics) {
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);
  *n_topics = 0;
  for (int i = 0; i < md->topic_cnt; i++) {
    const struct rd_kafka_metadata_topic *t = &md->topics[i];
    if (!t->partition_cnt || !is_wanted(c, t->topic))
      continue;
    ++*n_topics;
    if (!partitions)
      rd_kafka_topic_partition_list_add(list, t->topic, RD_KAFKA_PARTITION_UA);
    for (int p = 0; partitions && p < t->partition_cnt; p++)
      rd_kafka_topic_partition_list_add(list, t->topic, t->partitions[p].id);
  }
  rd_kafka_topic_partition_list_sort(list, NULL, NULL);
  return list;
}

/* Embedded: this task's share, taken and given like a rebalance of a group would. */
static void deal(struct cl_consumer *c, const rd_kafka_topic_partition_list_t *all) {
  rd_kafka_topic_partition_list_t *mine = rd_kafka_topic_partition_list_new(8);
  for (int i = 0; i < all->cnt; i++)
    if (i % c->tasks == c->task)
      rd_kafka_topic_partition_list_add(mine, all->elems[i].topic, all->elems[i].partition);
  if (same_list(c->dealt, mine)) {
    rd_kafka_topic_partition_list_destroy(mine);
    return;
  }
  if (c->dealt) {
    cl_consumer_taken(c, false);
    rd_kafka_topic_partition_list_destroy(c->dealt);
  }
  c->dealt = mine;
  cl_consumer_given(c, mine);
}

static void take_metadata(struct cl_consumer *c, const struct rd_kafka_metadata *md) {
  int found = 0;
  rd_kafka_topic_partition_list_t *list = wanted(c, md, c->embedded != NULL, &found);
  c->missing = c->regex ? !found : found < (int)json_array_size(c->names);
  if (c->embedded) {
    deal(c, list);
  } else if (c->regex && !same_list(c->topics, list)) {
    rd_kafka_resp_err_t code = subscribe(c, list);
    if (!code)
      return;
    struct cl_err err = CL_ERR_INIT;
    cl_client_fail(&err, code, "Failed to subscribe");
    cl_consumer_remember(c, &err);
    return;
  }
  rd_kafka_topic_partition_list_destroy(list);
}

/* Names on a real broker need this only while one is missing: a full answer also makes
 * librdkafka look at its subscription again, minutes before it would by itself. */
void cl_consumer_topics_refresh(struct cl_consumer *c) {
  int64_t now = cl_now_ms();
  if (now < c->refresh_at)
    return;
  if (!c->regex && !c->embedded && !c->missing)
    return;
  if (c->names && c->dealt && !c->missing)
    return;
  const struct rd_kafka_metadata *md = NULL;
  rd_kafka_resp_err_t code = rd_kafka_metadata(c->client.rk, 1, NULL, &md, METADATA_MS);
  if (code) {
    CL_LOG(CL_DEBUG, "no list of topics: %s", rd_kafka_err2str(code));
    c->refresh_at = cl_now_ms() + 500;
    return;
  }
  take_metadata(c, md);
  rd_kafka_metadata_destroy(md);
  c->refresh_at = now + (c->missing && c->metadata_max_age_ms > SOON_MS ? SOON_MS : c->metadata_max_age_ms);
}
