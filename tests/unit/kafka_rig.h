/* SPDX-License-Identifier: Apache-2.0
 * What the suites of floor 3a share: an embedded broker, batches, and short ways to send
 * and to read. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "kafka/consumer.h"
#include "kafka/producer.h"
#include "record/batch.h"
#include "record/space.h"

#define must(call)                                                                                           \
  do {                                                                                                       \
    err = (struct cl_err)CL_ERR_INIT;                                                                        \
    if ((call) != CL_OK)                                                                                     \
      fail_msg("%s: %d %s", #call, err.code, err.msg);                                                       \
  } while (0)

static struct cl_err err;
static struct cl_embedded *broker;
static struct cl_space *space;
static struct cl_batch_pool *pool;

static inline int rig_up(void **state) {
  (void)state;
  if (cl_embedded_start(&broker, &err)) {
    fprintf(stderr, "%s\n", err.msg);
    return -1;
  }
  space = cl_space_new(NULL);
  pool = cl_batch_pool_new(space, NULL, 2000);
  return space && pool ? 0 : -1;
}

static inline int rig_down(void **state) {
  (void)state;
  cl_batch_pool_free(pool);
  cl_space_free(space);
  cl_embedded_stop(broker);
  return 0;
}

static inline json_t *rig_client(const char *group) {
  json_t *client = json_pack("{s:s, s:s}", "bootstrap.servers", cl_embedded_bootstrap(broker), "client.id",
                             "test");
  if (group) {
    json_object_set_new(client, "group.id", json_string(group));
    json_object_set_new(client, "auto.offset.reset", json_string("earliest"));
  } else {
    json_object_set_new(client, "linger.ms", json_string("0"));
  }
  return client;
}

/* ---------------------------------------------------------------- producer */

struct rig_reports {
  int n, failed;
  int32_t partition; /* of the last one */
  int64_t offset;
  char text[512];
};

static inline void rig_delivered(void *arg, struct cl_record *rec, int code, const char *text,
                                 int32_t partition, int64_t offset) {
  struct rig_reports *r = arg;
  r->n++;
  r->failed += code != 0;
  r->partition = partition;
  r->offset = offset;
  snprintf(r->text, sizeof(r->text), "%s", text);
  rec->acked = 1;
}

/* settings: pairs of key and value, NULL at the end; on_broker: partitions as the broker makes them. */
static inline struct cl_producer *rig_producer(struct rig_reports *reports, int on_broker, ...) {
  json_t *client = rig_client(NULL);
  va_list ap;
  va_start(ap, on_broker);
  for (const char *key; (key = va_arg(ap, const char *));)
    json_object_set_new(client, key, json_string(va_arg(ap, const char *)));
  va_end(ap);
  struct cl_producer_conf conf = {.client = client,
                                  .embedded = on_broker ? NULL : broker,
                                  .events = {.delivered = rig_delivered},
                                  .arg = reports};
  struct cl_producer *p = NULL;
  must(cl_producer_open(&conf, &p, &err));
  json_decref(client);
  return p;
}

static inline struct cl_str rig_str(const char *text) {
  return (struct cl_str){.p = text, .len = text ? (uint32_t)strlen(text) : 0};
}

static inline struct cl_record *rig_record(struct cl_batch *b, const char *topic, const char *key,
                                           const char *value) {
  struct cl_record *rec = cl_batch_add(b);
  assert_non_null(rec);
  rec->topic = rig_str(topic);
  rec->key.bytes = rig_str(key);
  rec->value.bytes = rig_str(value);
  return rec;
}

/* Sends values "0" to "n-1", or from first on, and waits for their reports. */
static inline void rig_fill(const char *topic, int first, int n) {
  struct rig_reports reports = {0};
  struct cl_producer *p = rig_producer(&reports, false, NULL);
  struct cl_batch *b = cl_batch_get(pool);
  char *texts = malloc((size_t)n * 12);
  for (int i = 0; i < n; i++) {
    snprintf(texts + i * 12, 12, "%d", first + i);
    must(cl_producer_send(p, rig_record(b, topic, NULL, texts + i * 12), &err));
  }
  must(cl_producer_flush(p, 10000, &err));
  assert_int_equal(reports.n, n);
  assert_int_equal(reports.failed, 0);
  cl_producer_close(p, 1000);
  cl_batch_unref(b);
  free(texts);
}

/* ---------------------------------------------------------------- consumer */

struct rig_task { /* what the events leave behind */
  struct cl_consumer *c;
  int assigned, revoked, lost, committed, commit_failed;
  uint64_t last_seq;
  uint32_t ids[64];
  size_t n;
  int64_t starts[64];
  int64_t move_to; /* where the next assignment shall begin; -1 = leave it */
  bool pause, refuse;
};

static inline int rig_assigned(void *arg, const uint32_t *ids, size_t n, struct cl_err *e) {
  struct rig_task *t = arg;
  uint32_t total;
  struct cl_slot *slots = cl_consumer_slots(t->c, &total);
  t->assigned++;
  t->n = n;
  for (size_t i = 0; i < n; i++) {
    assert_true(slots[ids[i]].assigned);
    t->ids[i] = ids[i];
    t->starts[i] = slots[ids[i]].start;
    if (t->move_to >= 0)
      slots[ids[i]].start = t->move_to;
    if (t->pause)
      must(cl_consumer_pause(t->c, ids[i], &err));
  }
  return t->refuse ? cl_err_set(e, CL_ELUA, "open failed") : CL_OK;
}

static inline int rig_revoked(void *arg, const uint32_t *ids, size_t n, bool lost, struct cl_err *e) {
  (void)ids;
  (void)e;
  struct rig_task *t = arg;
  t->revoked++;
  t->lost += lost;
  assert_int_equal(n, t->n);
  return CL_OK;
}

static inline void rig_committed(void *arg, uint64_t seq, int code, const char *text) {
  (void)text;
  struct rig_task *t = arg;
  t->committed++;
  t->commit_failed += code != 0;
  t->last_seq = seq;
}

static inline struct cl_consumer_conf rig_conf(struct rig_task *t) {
  return (struct cl_consumer_conf){.tasks = 1,
                                   .metadata_max_age_ms = 300000,
                                   .embedded = broker,
                                   .events = {rig_assigned, rig_revoked, rig_committed},
                                   .arg = t};
}

static inline void rig_consumer(struct rig_task *t, const char *group, const char *topic) {
  struct cl_consumer_conf conf = rig_conf(t);
  json_t *client = rig_client(group), *topics = json_pack("[s]", topic);
  conf.client = client;
  conf.topics = topics;
  *t = (struct rig_task){.move_to = -1};
  must(cl_consumer_open(&conf, &t->c, &err));
  json_decref(client);
  json_decref(topics);
}

/* Polls until n records are in the batch, or until nothing came for timeout_ms. */
static inline struct cl_batch *rig_read(struct rig_task *t, uint32_t n, int64_t timeout_ms) {
  struct cl_batch *b = cl_batch_get(pool);
  int64_t deadline = cl_now_ms() + timeout_ms;
  while (b->n < n && cl_now_ms() < deadline)
    must(cl_consumer_poll(t->c, b, n - b->n, 100, &err));
  return b;
}

static inline int rig_value(const struct cl_batch *b, uint32_t i) {
  char text[16] = "";
  assert_true(i < b->n && b->records[i].value.bytes.len < sizeof(text));
  memcpy(text, b->records[i].value.bytes.p, b->records[i].value.bytes.len);
  return (int)strtol(text, NULL, 10);
}

/* Reads n records whose values are first, first + 1, ... and forgets them. */
static inline void rig_expect(struct rig_task *t, int first, uint32_t n) {
  struct cl_batch *b = rig_read(t, n, 15000);
  assert_int_equal(b->n, n);
  for (uint32_t i = 0; i < n; i++) {
    assert_int_equal(rig_value(b, i), first + (int)i);
    assert_int_equal(b->records[i].offset, first + (int)i);
  }
  cl_batch_unref(b);
}
