/* SPDX-License-Identifier: Apache-2.0
 * The producer of a source task. Thread: the task's, cl_producer_abandon any.
 * May include record, base, librdkafka. */
#define CL_COMPONENT "kafka.producer"
#include "kafka/producer.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "kafka/internal.h"

enum {
  TOPICS_MAX = 10000, /* topics one task may write to: each costs memory in librdkafka */
  FLUSH_SLICE_MS = 200
};

struct topic { /* handle of a topic written to before */
  struct cl_str name;
  rd_kafka_topic_t *rkt;
};

struct cl_producer {
  struct cl_client client;
  struct cl_producer_events events;
  void *arg;
  struct cl_embedded *embedded;
  void *topics; /* tree of struct topic, by name */
  size_t n_topics;
  struct topic *last;
  uint64_t waiting;   /* sent, not reported yet */
  uint64_t delivered; /* reports seen */
};

/* ----------------------------------------------------------------- topics */

static int by_name(const void *left, const void *right) {
  const struct topic *a = left, *b = right;
  if (a->name.len != b->name.len)
    return a->name.len < b->name.len ? -1 : 1;
  return memcmp(a->name.p, b->name.p, a->name.len);
}

static void topic_free(void *node) {
  struct topic *t = node;
  if (t->rkt)
    rd_kafka_topic_destroy(t->rkt);
  free((char *)t->name.p);
  free(t);
}

static int topic_add(struct cl_producer *p, struct cl_str name, struct topic **out, struct cl_err *err) {
  if (p->n_topics >= TOPICS_MAX)
    return cl_err_set(err, CL_EUNSUPPORTED,
                      "Topic %.*s would be number %d: a task writes to at most %d topics", (int)name.len,
                      name.p, TOPICS_MAX + 1, TOPICS_MAX);
  struct topic *t = calloc(1, sizeof(*t));
  int rc = t && (t->name.p = strndup(name.p, name.len)) ? CL_OK : cl_err_set(err, CL_ENOMEM, "out of memory");
  if (rc)
    goto out;
  t->name.len = name.len;
  if (strlen(t->name.p) != name.len)
    rc = cl_err_set(err, CL_EDATA, "Invalid topic name %s: it contains a NUL", t->name.p);
  if (!rc && p->embedded)
    rc = cl_embedded_topic(p->embedded, t->name.p, err);
  if (!rc && p->events.topic)
    rc = p->events.topic(p->arg, t->name.p, err);
  if (!rc && !(t->rkt = rd_kafka_topic_new(p->client.rk, t->name.p, NULL)))
    rc = cl_client_fail(err, rd_kafka_last_error(), "Invalid topic %s", t->name.p);
  if (!rc && !tsearch(t, &p->topics, by_name))
    rc = cl_err_set(err, CL_ENOMEM, "out of memory");
out:
  if (rc) {
    if (t)
      topic_free(t);
    return rc;
  }
  p->n_topics++;
  *out = t;
  return CL_OK;
}

static int topic_find(struct cl_producer *p, struct cl_str name, rd_kafka_topic_t **out, struct cl_err *err) {
  struct topic wanted = {.name = name};
  if (!p->last || by_name(p->last, &wanted)) {
    struct topic **node = tfind(&wanted, &p->topics, by_name);
    if (node)
      p->last = *node;
    else if (topic_add(p, name, &p->last, err))
      return err->code;
  }
  *out = p->last->rkt;
  return CL_OK;
}

/* ---------------------------------------------------------------- reports */

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque) {
  (void)rk;
  struct cl_client *client = opaque;
  struct cl_producer *p = client->owner;
  if (atomic_load(&client->abandoned))
    return;
  p->waiting--;
  p->delivered++;
  char text[512] = "";
  int code = CL_OK;
  if (!m->err)
    client->trouble[0] = '\0';
  if (m->err) {
    code = m->err == RD_KAFKA_RESP_ERR__PURGE_QUEUE || m->err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT
               ? CL_ESTOPPED
           : m->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ? CL_EDATA
                                                            : CL_EKAFKA;
    int n = snprintf(text, sizeof(text), "topic %s, partition %d, record of %zu bytes: %s (%s)",
                     rd_kafka_topic_name(m->rkt), (int)m->partition, m->len + m->key_len,
                     rd_kafka_err2str(m->err), rd_kafka_err2name(m->err));
    if (m->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE && n > 0 && (size_t)n < sizeof(text))
      snprintf(text + n, sizeof(text) - (size_t)n, "; the topic's max.message.bytes is smaller");
  }
  p->events.delivered(p->arg, m->_private, code, text, m->partition, m->offset);
}

/* ------------------------------------------------------------ open and send */

int cl_producer_open(const struct cl_producer_conf *conf, struct cl_producer **out, struct cl_err *err) {
  struct cl_producer *p = calloc(1, sizeof(*p));
  if (!p)
    return cl_err_set(err, CL_ENOMEM, "out of memory");
  p->events = conf->events;
  p->arg = conf->arg;
  p->embedded = conf->embedded;
  rd_kafka_conf_t *rk_conf = NULL;
  int rc = cl_client_settings(conf->client, conf->embedded, &rk_conf, err);
  if (!rc) {
    rd_kafka_conf_set_dr_msg_cb(rk_conf, on_delivery);
    rc = cl_client_open(&p->client, p, RD_KAFKA_PRODUCER, rk_conf, conf->stats, err);
  }
  if (rc)
    free(p);
  else
    *out = p;
  return rc;
}

static rd_kafka_headers_t *make_headers(const struct cl_record *rec) {
  rd_kafka_headers_t *headers = rd_kafka_headers_new(rec->n_headers);
  for (uint32_t i = 0; i < rec->n_headers; i++) {
    const struct cl_header *h = &rec->headers[i];
    rd_kafka_header_add(headers, h->name.p, (ssize_t)h->name.len, h->d.bytes.p, (ssize_t)h->d.bytes.len);
  }
  return headers;
}

static int refused(struct cl_producer *p, const struct cl_record *rec, rd_kafka_resp_err_t code,
                   struct cl_err *err) {
  int topic_len = (int)rec->topic.len;
  if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
    cl_err_set(err, CL_EAGAIN, "The producer's queue is full");
    err->retriable = true;
    return err->code;
  }
  if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
    cl_err_set(
        err, CL_EKAFKA,
        "Topic %.*s: the record is %zu bytes, which is larger than the producer setting max.request.size "
        "(message.max.bytes)",
        topic_len, rec->topic.p, (size_t)rec->key.bytes.len + rec->value.bytes.len);
    err->class = CL_JAVA_TOO_LARGE;
    return err->code;
  }
  if (code == RD_KAFKA_RESP_ERR__FATAL && cl_client_fatal(&p->client, err))
    return err->code;
  return cl_client_fail(err, code, "Topic %.*s, partition %d", topic_len, rec->topic.p, (int)rec->partition);
}

static int enqueue(struct cl_producer *p, rd_kafka_topic_t *rkt, struct cl_record *rec, struct cl_err *err) {
  rd_kafka_vu_t v[7];
  size_t n = 0;
  rd_kafka_headers_t *headers = NULL;
  v[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = rkt};
  v[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_PARTITION,
                           .u.i32 = rec->partition >= 0 ? rec->partition : RD_KAFKA_PARTITION_UA};
  v[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_VALUE,
                           .u.mem = {(void *)rec->value.bytes.p, rec->value.bytes.len}};
  v[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_KEY,
                           .u.mem = {(void *)rec->key.bytes.p, rec->key.bytes.len}};
  v[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = rec};
  if (rec->timestamp >= 0) /* librdkafka reads 0 as "now": a millisecond later is nearer to the truth */
    v[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = rec->timestamp ? rec->timestamp : 1};
  if (rec->n_headers) {
    headers = make_headers(rec);
    v[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers};
  }
  rd_kafka_error_t *error = rd_kafka_produceva(p->client.rk, v, n);
  if (!error)
    return CL_OK;
  rd_kafka_resp_err_t code = rd_kafka_error_code(error);
  rd_kafka_error_destroy(error);
  if (headers)
    rd_kafka_headers_destroy(headers); /* stays ours when refused */
  return refused(p, rec, code, err);
}

int cl_producer_send(struct cl_producer *p, struct cl_record *rec, struct cl_err *err) {
  rd_kafka_topic_t *rkt = NULL;
  if (atomic_load(&p->client.abandoned))
    return cl_client_stopped(err);
  if (rec->timestamp < -1 && rec->timestamp != INT64_MIN) {
    cl_err_set(err, CL_EDATA, "Invalid record timestamp %lld", (long long)rec->timestamp);
    err->class = "org.apache.kafka.common.InvalidRecordException";
    return err->code;
  }
  int rc = topic_find(p, rec->topic, &rkt, err);
  if (!rc)
    rc = enqueue(p, rkt, rec, err);
  if (!rc)
    p->waiting++;
  return rc;
}

/* ---------------------------------------------------------- poll and close */

int cl_producer_poll(struct cl_producer *p, int64_t timeout_ms) {
  if (atomic_load(&p->client.abandoned))
    return 0;
  uint64_t before = p->delivered;
  int64_t deadline = cl_now_ms() + (timeout_ms > 0 ? timeout_ms : 0);
  do { /* log and error events end rd_kafka_poll too: they are not what is waited for */
    rd_kafka_poll(p->client.rk, cl_client_ms(deadline - cl_now_ms()));
    if (atomic_load(&p->client.abandoned))
      return 0;
  } while (p->delivered == before && cl_now_ms() < deadline);
  return (int)(p->delivered - before);
}

int cl_producer_fatal(struct cl_producer *p, struct cl_err *err) {
  return atomic_load(&p->client.abandoned) ? CL_OK : cl_client_fatal(&p->client, err);
}

int cl_producer_flush(struct cl_producer *p, int64_t timeout_ms, struct cl_err *err) {
  int64_t deadline = cl_now_ms() + (timeout_ms > 0 ? timeout_ms : 0);
  for (;;) {
    if (atomic_load(&p->client.abandoned))
      return cl_client_stopped(err);
    int64_t left = deadline - cl_now_ms();
    rd_kafka_flush(p->client.rk, cl_client_ms(left < FLUSH_SLICE_MS ? left : FLUSH_SLICE_MS));
    if (!p->waiting)
      return CL_OK;
    if (cl_now_ms() >= deadline)
      break;
  }
  cl_err_set(err, CL_ETIMEOUT, "%llu records were not acknowledged within %lld ms",
             (unsigned long long)p->waiting, (long long)timeout_ms);
  err->retriable = true;
  return err->code;
}

const char *cl_producer_trouble(const struct cl_producer *p) { return p->client.trouble; }

void cl_producer_close(struct cl_producer *p, int64_t timeout_ms) {
  if (atomic_load(&p->client.abandoned))
    return; /* leaked on purpose */
  int64_t deadline = cl_now_ms() + timeout_ms;
  rd_kafka_purge(p->client.rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  while (p->waiting && cl_now_ms() < deadline)
    cl_producer_poll(p, deadline - cl_now_ms());
  tdestroy(p->topics, topic_free);
  cl_client_close(&p->client); /* joins its threads: nothing reads the records' bytes any more */
  free(p);
}

/* The stuck thread may be anywhere in here, and librdkafka reads the bytes of its batches:
 * nothing is freed. What is queued goes; what is on the wire may still arrive. */
void cl_producer_abandon(struct cl_producer *p) {
  if (atomic_exchange(&p->client.abandoned, true))
    return;
  rd_kafka_purge(p->client.rk,
                 RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
}
