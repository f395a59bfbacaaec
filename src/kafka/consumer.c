/* SPDX-License-Identifier: Apache-2.0
 * The consumer: opening, polling records into a batch, closing. Thread: the task's,
 * cl_consumer_wake, cl_consumer_abandon and cl_consumer_leave any. May include record, base, librdkafka. */
#define CL_COMPONENT "kafka.consumer"
#include "kafka/consumer.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "kafka/internal.h"
#include "record/batch.h"

enum {
  SLICE_MS = 1000,         /* longest single wait: topics are refreshed in between */
  POLL_MAX_BYTES = 4 << 20 /* one poll gathers no further: decoded, records are several times as large */
};

#define JAVA_INVALID_RECORD "org.apache.kafka.common.InvalidRecordException"

void cl_consumer_remember(struct cl_consumer *c, const struct cl_err *err) {
  if (!c->failed.code)
    c->failed = *err;
}

/* ------------------------------------------------------------------ slots */

static bool slot_is(const struct cl_slot *s, const char *topic, size_t len, int32_t partition) {
  return s->partition == partition && s->topic.len == len && !memcmp(s->topic.p, topic, len);
}

int cl_consumer_slot(struct cl_consumer *c, const char *topic, int32_t partition, uint32_t *slot) {
  size_t len = strlen(topic);
  for (uint32_t i = 0; i < c->n_slots; i++)
    if (slot_is(&c->slots[i], topic, len, partition)) {
      *slot = i;
      return CL_OK;
    }
  if (c->n_slots == c->cap_slots) {
    uint32_t cap = c->cap_slots ? c->cap_slots * 2 : 8;
    struct cl_slot *slots = realloc(c->slots, cap * sizeof(*slots));
    if (slots)
      c->slots = slots;
    struct cl_partition *parts = realloc(c->parts, cap * sizeof(*parts));
    if (parts)
      c->parts = parts;
    uint32_t *going = realloc(c->going, cap * sizeof(*going));
    if (going)
      c->going = going;
    if (!slots || !parts || !going)
      return CL_ENOMEM;
    c->cap_slots = cap;
  }
  char *name = strdup(topic); /* records borrow it: stays where it is until close */
  if (!name)
    return CL_ENOMEM;
  c->slots[c->n_slots] = (struct cl_slot){
      .topic = {name, (uint32_t)len}, .partition = partition, .start = -1, .current = -1, .committed = -1};
  c->parts[c->n_slots] = (struct cl_partition){.next = -1};
  *slot = c->n_slots++;
  return CL_OK;
}

/* The slot a message belongs to; records come in runs of one partition. */
static int slot_of(struct cl_consumer *c, const rd_kafka_message_t *m, uint32_t *slot) {
  if (m->rkt != c->last_rkt || m->partition != c->last_partition) {
    int rc = cl_consumer_slot(c, rd_kafka_topic_name(m->rkt), m->partition, &c->last_slot);
    if (rc)
      return rc;
    c->last_rkt = m->rkt;
    c->last_partition = m->partition;
  }
  *slot = c->last_slot;
  return CL_OK;
}

struct cl_slot *cl_consumer_slots(struct cl_consumer *c, uint32_t *n) {
  *n = c->n_slots;
  return c->slots;
}

/* ---------------------------------------------------------------- opening */

static enum cl_reset reset_of(const json_t *client) {
  const char *text = cl_json_str(client, "auto.offset.reset");
  if (!text || !strcmp(text, "latest") || !strcmp(text, "largest") || !strcmp(text, "end"))
    return CL_RESET_LATEST; /* librdkafka's default too */
  if (!strcmp(text, "earliest") || !strcmp(text, "smallest") || !strcmp(text, "beginning"))
    return CL_RESET_EARLIEST;
  return CL_RESET_NONE;
}

static int settings(struct cl_consumer *c, const struct cl_consumer_conf *want, rd_kafka_conf_t **out,
                    struct cl_err *err) {
  const json_t *client = want->client;
  rd_kafka_conf_t *conf = NULL;
  int rc = cl_client_settings(client, want->embedded, &conf, err);
  if (rc)
    return rc;
  char share[32];
  snprintf(share, sizeof(share), "%zu", c->share / 1024);
  if (c->budget)
    rc = cl_client_default(conf, client, "queued.max.messages.kbytes", share, err);
  if (!rc) /* the task commits what it has written, nothing else does */
    rc = cl_client_default(conf, client, "enable.auto.commit", "false", err);
  if (!rc) /* a topic that is made later must not fail the task; Java asks for its creation too */
    rc = cl_client_default(conf, client, "allow.auto.create.topics", "true", err);
  if (!rc) /* cooperative rebalancing is faulty in librdkafka 2.0.2 */
    rc = cl_client_default(conf, client, "partition.assignment.strategy", "range", err);
  if (!rc && want->embedded) /* the mock answers an empty fetch only after this time */
    rc = cl_client_default(conf, client, "fetch.wait.max.ms", "10", err);
  if (!rc)
    rc = cl_consumer_fetcher_settings(c, client, conf, err);
  const char *strategy = cl_json_str(client, "partition.assignment.strategy");
  if (!rc && strategy && strstr(strategy, "cooperative"))
    rc = cl_err_set(err, CL_EINVAL,
                    "Invalid value %s for partition.assignment.strategy: use range or roundrobin", strategy);
  if (rc) {
    rd_kafka_conf_destroy(conf);
    return rc;
  }
  rd_kafka_conf_set_rebalance_cb(conf, cl_consumer_rebalance_cb);
  *out = conf;
  return CL_OK;
}

int cl_consumer_open(const struct cl_consumer_conf *conf, struct cl_consumer **out, struct cl_err *err) {
  struct cl_consumer *c = calloc(1, sizeof(*c));
  if (!c)
    return cl_err_set(err, CL_ENOMEM, "out of memory");
  c->events = conf->events;
  c->arg = conf->arg;
  c->budget = conf->budget;
  c->share = c->budget ? cl_budget_take(c->budget) : 0;
  c->reset = reset_of(conf->client);
  rd_kafka_conf_t *rk_conf = NULL;
  int rc = settings(c, conf, &rk_conf, err);
  if (!rc)
    rc = cl_client_open(&c->client, c, RD_KAFKA_CONSUMER, rk_conf, conf->stats, err);
  if (rc)
    goto out;
  rd_kafka_poll_set_consumer(c->client.rk);
  c->queue = rd_kafka_queue_get_consumer(c->client.rk);
  if (!c->queue)
    rc = cl_err_set(err, CL_EINVAL, "a consumer needs group.id");
  if (!rc)
    rc = cl_consumer_topics_open(c, conf, err);
out:
  if (rc)
    cl_consumer_close(c);
  else
    *out = c;
  return rc;
}

/* ---------------------------------------------------------------- polling */

static void release_message(void *message) { rd_kafka_message_destroy(message); }

static struct cl_str borrow(const void *p, size_t len) {
  return (struct cl_str){.p = p, .len = (uint32_t)len};
}

static int fill_headers(struct cl_batch *batch, struct cl_record *rec, const rd_kafka_message_t *m) {
  rd_kafka_headers_t *headers = NULL;
  rd_kafka_resp_err_t code = rd_kafka_message_headers(m, &headers);
  if (code == RD_KAFKA_RESP_ERR__NOENT)
    return CL_OK;
  if (code)
    return CL_EDATA;
  size_t n = rd_kafka_header_cnt(headers);
  rec->headers = cl_arena_zalloc(batch->arena, n * sizeof(*rec->headers));
  if (!rec->headers)
    return CL_ENOMEM;
  for (size_t i = 0; i < n; i++) {
    const char *name = NULL;
    const void *value = NULL;
    size_t size = 0;
    rd_kafka_header_get_all(headers, i, &name, &value, &size);
    rec->headers[i].name = borrow(name, strlen(name));
    rec->headers[i].d.bytes = borrow(value, size);
  }
  rec->n_headers = rec->n_orig_headers = (uint32_t)n;
  rec->orig_headers = rec->headers;
  return CL_OK;
}

/* The embedded broker drops old data without a word and librdkafka jumps over the hole. */
static void watch_gap(struct cl_consumer *c, uint32_t slot, int64_t offset) {
  struct cl_partition *part = &c->parts[slot];
  if (c->embedded && part->next >= 0 && offset > part->next)
    CL_LOG(CL_WARN, "%s-%d: lost %lld records: the embedded broker keeps about 4 MB per partition",
           c->slots[slot].topic.p, (int)c->slots[slot].partition, (long long)(offset - part->next));
  part->next = offset + 1;
}

static int fill_record(struct cl_consumer *c, struct cl_record *rec, const rd_kafka_message_t *m,
                       uint32_t slot, struct cl_err *err) {
  rd_kafka_timestamp_type_t type;
  const struct cl_slot *s = &c->slots[slot];
  rec->key.bytes = borrow(m->key, m->key_len);
  rec->value.bytes = borrow(m->payload, m->len);
  rec->topic = rec->orig_topic = s->topic;
  rec->partition = rec->orig_partition = m->partition;
  rec->offset = m->offset;
  rec->slot = slot;
  rec->timestamp = rd_kafka_message_timestamp(m, &type);
  rec->timestamp_type = type == RD_KAFKA_TIMESTAMP_CREATE_TIME       ? 1
                        : type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME ? 2
                                                                     : 0;
  if (rec->timestamp == -1)
    rec->timestamp = INT64_MIN;
  else if (rec->timestamp < 0) {
    cl_err_set(err, CL_EDATA, "Invalid record timestamp %lld", (long long)rec->timestamp);
    err->class = JAVA_INVALID_RECORD;
    return err->code;
  }
  rec->orig_timestamp = rec->timestamp;
  int rc = fill_headers(c->batch, rec, m);
  if (rc == CL_EDATA)
    cl_err_set(err, rc, "%s-%d: malformed headers at offset %lld", s->topic.p, (int)m->partition,
               (long long)m->offset);
  else if (rc)
    cl_err_set(err, rc, "out of memory for the headers of a record");
  return rc;
}

/* Takes the message into the batch, which frees it. */
static int add_record(struct cl_consumer *c, rd_kafka_message_t *m, struct cl_err *err) {
  uint32_t slot;
  struct cl_record *rec = NULL;
  int rc = slot_of(c, m, &slot);
  if (rc || !(rec = cl_batch_add(c->batch)) || cl_batch_hold(c->batch, m, release_message)) {
    if (rec)
      cl_batch_drop_last(c->batch);
    rd_kafka_message_destroy(m);
    return cl_err_set(err, CL_ENOMEM, "out of memory for consumed records");
  }
  rc = fill_record(c, rec, m, slot, err);
  if (rc)
    cl_batch_drop_last(c->batch);
  else
    watch_gap(c, slot, m->offset);
  c->bytes += m->key_len + m->len;
  return rc;
}

/* What librdkafka cures by itself is logged; what would lose or stop records is returned. */
static int on_trouble(struct cl_consumer *c, const rd_kafka_message_t *m, struct cl_err *err) {
  const char *text = rd_kafka_message_errstr(m);
  const char *topic = m->rkt ? rd_kafka_topic_name(m->rkt) : "-";
  switch (m->err) {
  case RD_KAFKA_RESP_ERR__PARTITION_EOF: return CL_OK;
  case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
  case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
  case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    CL_LOG(CL_WARN, "topic %s does not exist (yet); waiting for it", topic);
    c->missing = true;
    return CL_OK;
  case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
    CL_LOG(CL_WARN,
           "%s: the group took this task's partitions away and gives them back now; raise "
           "consumer.override.max.poll.interval.ms or lower consumer.override.max.poll.records",
           text);
    return CL_OK;
  case RD_KAFKA_RESP_ERR__FATAL: return cl_client_fatal(&c->client, err);
  case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
  case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
  case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
  case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
  case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
  case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
  case RD_KAFKA_RESP_ERR__BAD_MSG:
  case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
  case RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED:
    return cl_client_fail(err, m->err, "%s-%d, offset %lld: %s", topic, (int)m->partition,
                          (long long)m->offset, text);
  default:
    CL_LOG(CL_WARN, "%s-%d: %s (%s)", topic, (int)m->partition, text, rd_kafka_err2name(m->err));
    return CL_OK;
  }
}

static void take_message(struct cl_consumer *c, rd_kafka_message_t *m) {
  struct cl_err err = CL_ERR_INIT;
  int rc;
  cl_consumer_fetcher_taken(c, m->len);
  if (m->err) {
    rc = on_trouble(c, m, &err);
    rd_kafka_message_destroy(m);
  } else {
    rc = add_record(c, m, &err);
  }
  if (rc)
    cl_consumer_remember(c, &err);
}

int cl_consumer_poll(struct cl_consumer *c, struct cl_batch *batch, uint32_t max, int64_t timeout_ms,
                     struct cl_err *err) {
  if (atomic_load(&c->client.abandoned))
    return cl_client_stopped(err);
  int64_t deadline = cl_now_ms() + (timeout_ms > 0 ? timeout_ms : 0);
  c->batch = batch;
  c->base = batch->n;
  c->bytes = 0;
  if (max > batch->cap - batch->n)
    max = batch->cap - batch->n;
  while (!c->failed.code && batch->n - c->base < max && c->bytes < POLL_MAX_BYTES) {
    int64_t wait = 0;
    if (batch->n == c->base) {
      if (atomic_exchange(&c->woken, false))
        break;
      cl_consumer_topics_refresh(c);
      wait = deadline - cl_now_ms();
      if (wait > SLICE_MS)
        wait = SLICE_MS;
      if (c->failed.code)
        break;
    }
    /* One by one: the batch call is unsafe with rebalance, pause and seek in 2.0.2. */
    rd_kafka_message_t *m = rd_kafka_consumer_poll(c->client.rk, cl_client_ms(wait));
    if (atomic_load(&c->client.abandoned)) { /* while the callbacks ran: touch nothing more */
      if (m)
        rd_kafka_message_destroy(m);
      return cl_client_stopped(err);
    }
    if (m)
      take_message(c, m);
    else if (cl_client_fatal(&c->client, &c->failed))
      break;
    else if (batch->n > c->base || cl_now_ms() >= deadline)
      break;
  }
  c->batch = NULL;
  if (!c->failed.code)
    return CL_OK;
  *err = c->failed;
  c->failed.code = CL_OK;
  return err->code;
}

int64_t cl_consumer_lag(const struct cl_consumer *c, uint32_t which) {
  const struct cl_slot *slot = &c->slots[which];
  int64_t low, high, at = slot->current >= 0 ? slot->current : slot->start;
  if (at < 0 ||
      rd_kafka_get_watermark_offsets(c->client.rk, slot->topic.p, slot->partition, &low, &high) !=
          RD_KAFKA_RESP_ERR_NO_ERROR ||
      high < 0)
    return -1;
  return high > at ? high - at : 0;
}

void cl_consumer_wake(struct cl_consumer *c) {
  atomic_store(&c->woken, true);
  rd_kafka_queue_yield(c->queue);
}

/* ---------------------------------------------------------------- closing */

void cl_consumer_close(struct cl_consumer *c) {
  if (atomic_load(&c->client.abandoned))
    return; /* leaked on purpose: the thread that comes back late must not free it */
  if (c->client.rk && c->queue) {
    if (c->embedded)
      cl_consumer_taken(c, false);         /* no group, so librdkafka does not call */
    rd_kafka_consumer_close(c->client.rk); /* calls the rebalance callback */
  }
  if (c->queue)
    rd_kafka_queue_destroy(c->queue);
  cl_consumer_topics_close(c);
  cl_consumer_fetcher_close(c);
  cl_client_close(&c->client);
  if (c->budget)
    cl_budget_give(c->budget, c->share);
  for (uint32_t i = 0; i < c->n_slots; i++)
    free((char *)c->slots[i].topic.p);
  free(c->slots);
  free(c->parts);
  free(c->going);
  free(c);
}

/* The stuck thread may hold messages, or be inside any call, or inside a callback under
 * rd_kafka_consumer_poll: nothing is freed. Leaving the group is an operation queued to
 * librdkafka's own thread, which is safe beside all of these; its answers are sent to a
 * queue of ours, so the callbacks run here, see the flag and only give up the assignment. */
void cl_consumer_abandon(struct cl_consumer *c) {
  if (atomic_exchange(&c->client.abandoned, true))
    return;
  rd_kafka_queue_t *queue = rd_kafka_queue_new(c->client.rk);
  rd_kafka_error_t *error = rd_kafka_consumer_close_queue(c->client.rk, queue);
  if (error)
    rd_kafka_error_destroy(error); /* closed already */
  else
    c->leaving = queue;
}

bool cl_consumer_leave(struct cl_consumer *c, bool last) {
  if (!c->leaving)
    return true;
  /* Not the call for callbacks alone: it aborts on messages that were fetched already. */
  for (rd_kafka_message_t *m; (m = rd_kafka_consume_queue(c->leaving, 0));)
    rd_kafka_message_destroy(m);
  bool left = rd_kafka_consumer_closed(c->client.rk);
  if (!left && !last)
    return false;
  if (!left)
    CL_LOG(CL_WARN, "%s: did not leave its group in time", rd_kafka_name(c->client.rk));
  c->leaving = NULL;              /* the queue is leaked with the rest */
  rd_kafka_queue_yield(c->queue); /* a waiting poll returns and sees the flag */
  if (c->budget)
    cl_budget_give(c->budget, c->share);
  return true;
}
