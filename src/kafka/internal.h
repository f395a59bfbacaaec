/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside src/kafka: what the consumer and the producer share of a librdkafka handle, and
 * the consumer's own state, which three files work on.
 * Thread: the task's, but for the atomics.
 */
#pragma once

#include "base/regex.h"
#include "base/stats.h"
#include "kafka/client.h"
#include "kafka/consumer.h"

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>

/* ------------------------------------------------------------- any client */

struct cl_client { /* the handle's opaque, for log and error callbacks */
  rd_kafka_t *rk;
  void *owner;              /* struct cl_consumer or cl_producer */
  atomic_bool abandoned;    /* calls of the stuck thread answer CL_ESTOPPED */
  _Atomic int64_t quiet_to; /* connection trouble is logged again from then on */
  int64_t refused_since;    /* by the thread that polls: when a login was refused; 0 = none was */
  char refusal[256];        /* why, once it has lasted; "" = it has not */
  struct cl_stats *stats;   /* where connections and bytes are counted; NULL = nowhere */
  char trouble[256];        /* what was wrong with a broker last; the thread's that polls */
};

/* Each key of client set; an error names key and value. embedded, may be NULL, is the broker
 * whatever bootstrap.servers says. */
int cl_client_settings(const json_t *client, const struct cl_embedded *embedded, rd_kafka_conf_t **out,
                       struct cl_err *err);
/* One setting of ours, unless client has it. */
int cl_client_default(rd_kafka_conf_t *conf, const json_t *client, const char *key, const char *value,
                      struct cl_err *err);
/* Makes the handle, with logging; takes conf. stats, may be NULL, is referred to until the handle is
 * closed. */
int cl_client_open(struct cl_client *c, void *owner, rd_kafka_type_t type, rd_kafka_conf_t *conf,
                   struct cl_stats *stats, struct cl_err *err);
void cl_client_close(struct cl_client *c); /* of one that is open or was not made */
/* err from a librdkafka code: `text: description`. */
int cl_client_fail(struct cl_err *err, rd_kafka_resp_err_t code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool cl_client_retriable(rd_kafka_resp_err_t code);
/* The fatal error of the handle, if there is one; 0 otherwise. */
int cl_client_fatal(struct cl_client *c, struct cl_err *err);
int cl_client_stopped(struct cl_err *err); /* CL_ESTOPPED for a call on an abandoned client */
int cl_client_ms(int64_t ms);              /* clamped to int, never negative */

/* --------------------------------------------------------------- consumer */

enum cl_reset { CL_RESET_EARLIEST, CL_RESET_LATEST, CL_RESET_NONE };

struct cl_partition { /* what the consumer knows of slots[i] beside cl_slot */
  int64_t next;       /* offset expected next; -1 = unknown */
  bool pause;         /* as the task wants it */
  bool paused;        /* as librdkafka was told */
};

struct cl_consumer {
  struct cl_client client;
  struct cl_consumer_events events;
  void *arg;
  rd_kafka_queue_t *queue;
  struct cl_budget *budget;
  size_t share;
  enum cl_reset reset;

  struct cl_slot *slots;
  struct cl_partition *parts; /* parallel to slots */
  uint32_t *going;            /* room for all slots' numbers: taking partitions away cannot fail */
  uint32_t n_slots, cap_slots;
  const rd_kafka_topic_t *last_rkt; /* slot of the record before */
  int32_t last_partition;
  uint32_t last_slot;

  /* What to read; topics and regex exclude each other. */
  rd_kafka_topic_partition_list_t *topics; /* subscribed to; embedded: NULL */
  rd_kafka_topic_partition_list_t *dealt;  /* embedded: assigned by hand */
  json_t *names;
  struct cl_regex *regex;
  int64_t metadata_max_age_ms, refresh_at;
  bool missing; /* a topic asked for by name does not exist yet */
  struct cl_embedded *embedded;
  int task, tasks;

  /* The running poll. */
  struct cl_batch *batch;
  uint32_t base;        /* records the batch held before */
  size_t bytes;         /* of the keys and values it has gathered */
  bool assigning;       /* inside events.assigned: seek and pause are only noted */
  struct cl_err failed; /* code != 0: what the running or next poll returns */
  atomic_bool woken;
  rd_kafka_queue_t *leaving; /* of one that is abandoned: its answers, until it has left the group */

  /* Waking the fetcher, see consumer_fetcher.c. */
  char *username, *password;
  size_t queue_messages, queue_bytes; /* what librdkafka's queue may hold; 0 = it wakes by itself */
  size_t taken_messages, taken_bytes; /* out of it, since the fetcher was woken last */
};

/* consumer.c */
void cl_consumer_remember(struct cl_consumer *c, const struct cl_err *err); /* the first one wins */
int cl_consumer_slot(struct cl_consumer *c, const char *topic, int32_t partition,
                     uint32_t *slot); /* finds or adds */

/* consumer_fetcher.c */
int cl_consumer_fetcher_settings(struct cl_consumer *c, const json_t *client, rd_kafka_conf_t *conf,
                                 struct cl_err *err);
void cl_consumer_fetcher_taken(struct cl_consumer *c, size_t bytes); /* one message left the queue */
void cl_consumer_fetcher_close(struct cl_consumer *c);

/* consumer_rebalance.c */
void cl_consumer_rebalance_cb(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list,
                              void *opaque);
void cl_consumer_given(struct cl_consumer *c, const rd_kafka_topic_partition_list_t *list);
void cl_consumer_taken(struct cl_consumer *c, bool lost);

/* consumer_topics.c */
int cl_consumer_topics_open(struct cl_consumer *c, const struct cl_consumer_conf *conf, struct cl_err *err);
void cl_consumer_topics_refresh(struct cl_consumer *c); /* when due */
void cl_consumer_topics_close(struct cl_consumer *c);
