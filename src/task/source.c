/* SPDX-License-Identifier: Apache-2.0
 *
 * A source task: poll, send, acknowledge, commit. The order of calls is Apache's
 * (WorkerSourceTask); offsets are committed only for the contiguous acknowledged prefix
 * of each source partition.
 * Thread: the task's. May include floors 4-0.
 */
#define CL_COMPONENT "source"
#include "task/policy.h"

#include "base/clock.h"
#include "base/log.h"
#include "kafka/producer.h"
#include "task/source_refused.h"
#include "task/source_topics.h"

#include <stdlib.h>
#include <string.h>

enum { RETRY_MS = 100, SERVE_SLICE_MS = 20 };

/* What Apache wraps the errors of Java's producer in: those of one record come to its callback. */
static const char SEND_CALLBACK[] = "Unrecoverable exception from producer send callback";

struct told { /* waits for the plugin's commit_record */
  struct cl_record *rec;
  bool delivered;
  int32_t partition;
  int64_t offset;
};

struct source {
  struct cl_task *t;
  struct cl_policy policy;
  struct cl_source_topics topics;
  struct cl_ack *ack;
  json_t *uncommitted; /* partition JSON -> offset JSON, safe but not yet stored */
  int64_t next_commit;
  bool pause_cut;         /* a sleep has ended early because of the present pause */
  bool commit_verb_due;   /* a commit succeeded inside a sleep: tell the plugin afterwards */
  struct cl_err produce;  /* first delivery failure; code 0 = none */
  struct cl_batch *batch; /* being sent */
  uint32_t sent;          /* records of it handed over */
  int64_t written;        /* acknowledged, not yet counted */
  struct cl_err failed;   /* ends the task once the batch is sent; code 0 = nothing does */
  bool tell_records;      /* the plugin has commit_record */
  struct told *told;      /* queue for it; send_record sees to its room */
  size_t told_n, told_cap;
  struct cl_source_refused refused;
};

/* ----------------------------------------------------------- acknowledgements */

/* Makes room for all that waits for its report, and one more. */
static int reserve_told(struct source *s, struct cl_err *err) {
  size_t need = s->told_n + cl_ack_waiting(s->ack) + 1, cap = s->told_cap ? s->told_cap : 256;
  if (need <= s->told_cap)
    return 0;
  while (cap < need)
    cap *= 2;
  struct told *p = realloc(s->told, cap * sizeof(*p));
  if (!p)
    return cl_err_set(err, CL_ENOMEM, "no memory to note what the plugin is to be told of its records");
  s->told = p;
  s->told_cap = cap;
  return 0;
}

static void tell_later(struct source *s, struct told what) {
  CL_REQUIRE(s->told_n < s->told_cap);
  cl_batch_ref(what.rec->batch);
  s->told[s->told_n++] = what;
}

static void on_delivered(void *arg, struct cl_record *rec, int code, const char *text, int32_t partition,
                         int64_t offset) {
  struct source *s = arg;
  if (code != 0 && code != CL_ESTOPPED && s->t->conf.errors.tolerate &&
      cl_source_refused_add(&s->refused, rec, code, text))
    return;
  if (code != 0) {
    /* Not acknowledged: its offset, and all after it in its partition, stay uncommitted. */
    if (s->produce.code == 0) {
      cl_err_set(&s->produce, CL_EKAFKA, "record for topic %.*s: %s", (int)rec->topic.len, rec->topic.p,
                 text);
      s->produce.within = SEND_CALLBACK;
    }
    return;
  }
  s->written++;
  cl_task_saw_topic(s->t, rec->topic);
  if (s->tell_records)
    tell_later(s, (struct told){rec, true, partition, offset});
  cl_ack_done(s->ack, rec);
}

static void tell_plugin_record(struct source *s, const struct told *t) {
  struct cl_err err;
  if (cl_vm_commit_record(s->t->vm, t->rec, t->partition, t->offset, t->delivered, &err) != 0)
    CL_LOG(CL_ERROR, "commit_record failed: %s", err.msg);
}

static void tell_plugin_records(struct source *s) {
  for (size_t i = 0; i < s->told_n; i++) {
    struct told t = s->told[i]; /* a copy: ctx:sleep in commit_record serves reports, which are queued, too */
    tell_plugin_record(s, &t);
    cl_batch_unref(t.rec->batch);
  }
  s->told_n = 0;
}

/* Ends the task at its next turn. */
static void note_failure(struct source *s, const struct cl_err *err) {
  if (s->produce.code == 0)
    s->produce = *err;
}

/* -------------------------------------------------------------------- offsets */

static int keep_offset(void *arg, struct cl_str partition, struct cl_str offset) {
  struct source *s = arg;
  /* Compact JSON has no NUL, so that a C string key holds it. */
  char *key = strndup(partition.p, partition.len);
  int rc = key ? json_object_set_new(s->uncommitted, key, json_stringn(offset.p, offset.len)) : CL_ENOMEM;
  free(key);
  return rc;
}

static int store_offsets(struct source *s, struct cl_err *err) {
  size_t n = json_object_size(s->uncommitted), i = 0;
  struct cl_offset_pair *pairs = calloc(n, sizeof(*pairs));
  if (!pairs)
    return cl_err_set(err, CL_ENOMEM, "no memory to commit %zu offsets", n);
  const char *key;
  json_t *value;
  json_object_foreach (s->uncommitted, key, value) {
    pairs[i++] = (struct cl_offset_pair){key, strlen(key), json_string_value(value),
                                         json_string_length(value)};
  }
  int rc = cl_offsets_put(s->t->conf.offsets, s->t->conf.connector, pairs, n, err);
  free(pairs);
  return rc;
}

/* Stores what is safe. A failure keeps it for the next attempt. */
static bool commit_offsets(struct source *s) {
  struct cl_err err;
  if (atomic_load(&s->t->abandoned))
    return false;
  int64_t began = cl_now_us();
  cl_ack_take(s->ack, keep_offset, s);
  bool ok = json_object_size(s->uncommitted) == 0 || store_offsets(s, &err) == 0;
  cl_task_count_commit(s->t, began, ok);
  if (ok && json_object_size(s->uncommitted) == 0)
    return true;
  if (!ok) {
    CL_LOG(CL_ERROR, "offsets could not be committed, they are kept for the next attempt: %s", err.msg);
    return false;
  }
  CL_LOG(CL_DEBUG, "committed the offsets of %zu source partitions", json_object_size(s->uncommitted));
  json_object_clear(s->uncommitted);
  return true;
}

static void tell_plugin_commit(struct source *s) {
  struct cl_err err;
  s->commit_verb_due = false;
  if (cl_vm_has(s->t->vm, "commit") && cl_vm_commit(s->t->vm, &err) != 0)
    CL_LOG(CL_ERROR, "commit failed: %s", err.msg);
}

static void commit_if_due(struct source *s) {
  int64_t now = cl_now_ms();
  if (now < s->next_commit)
    return;
  s->next_commit = now + s->t->conf.offset_flush_interval_ms;
  if (commit_offsets(s))
    s->commit_verb_due = true;
}

/* What was acknowledged since the last time. */
static void count_written(struct source *s) {
  if (s->written == 0)
    return;
  cl_stats_meter(s->t->conf.stats, CL_METER_SENT, s->written, cl_now_ms());
  s->written = 0;
  cl_task_count_active(s->t, (int64_t)cl_ack_waiting(s->ack));
}

/* ---------------------------------------------------------------- failed records */

static void letter_delivered(void *arg, struct cl_record *origin) {
  cl_ack_done(((struct source *)arg)->ack, origin);
}

static bool letters_full(const struct source *s) {
  return s->policy.letters && cl_letters_full(s->policy.letters);
}

/* origin: as in cl_case. */
static int report(struct source *s, const struct cl_failure *f, struct cl_record *origin,
                  struct cl_err *err) {
  struct cl_case c = {.failure = f,
                      .skipped = f->record->state == CL_RECORD_FAILED,
                      .origin = origin,
                      .partition = cl_ack_partition_text(s->ack, f->record->slot)};
  return cl_policy_report(&s->policy, &c, err);
}

static void refusal_reported(void *arg, struct cl_record *rec) { tell_later(arg, (struct told){.rec = rec}); }

/* The plugin hears of it afterwards, as of deliveries: here it may be inside a call. */
static int report_refused(struct source *s, struct cl_err *err) {
  return cl_source_refused_report(&s->refused, &s->policy, s->ack, s->tell_records ? refusal_reported : NULL,
                                  s, err);
}

/* A stage has passed over it. With a letter its offset counts as soon as that is acknowledged, and
 * until then nothing behind it does. 0, CL_EAGAIN = later, else the task fails. */
static int report_failed(struct source *s, struct cl_record *rec, struct cl_err *err) {
  struct cl_failure *f = rec->batch->failures;
  CL_REQUIRE(f && f->record == rec);
  if (letters_full(s))
    return CL_EAGAIN;
  struct cl_record *origin = s->policy.letters ? rec : NULL;
  if (origin && cl_ack_sent(s->ack, rec, err) != 0)
    return err->code;
  if (report(s, f, origin, err) != 0) {
    if (origin)
      cl_ack_unsend(s->ack, rec);
    return err->code;
  }
  rec->batch->failures = f->next;
  return 0;
}

/* What has ended the batch: it is behind its last record. Its offset is not to be committed. */
static int report_last(struct source *s, struct cl_batch *b, struct cl_err *err) {
  const struct cl_failure *f = b->failures;
  while (f && f->record < b->records + b->n)
    f = f->next;
  return f && f->record == b->records + b->n ? report(s, f, NULL, err) : 0;
}

/* Between two calls of Lua: reports, commits and the plugin's part in both. */
static void housekeeping(struct source *s, int64_t wait_ms) {
  struct cl_err err = CL_ERR_INIT;
  cl_producer_poll(s->t->producer, wait_ms);
  if (cl_producer_fatal(s->t->producer, &err) != 0) {
    err.within = SEND_CALLBACK;
    note_failure(s, &err);
  }
  count_written(s);
  if (cl_policy_poll(&s->policy, &err) != 0 || report_refused(s, &err) != 0)
    note_failure(s, &err);
  commit_if_due(s);
  if (s->told_n)
    tell_plugin_records(s);
  if (s->commit_verb_due)
    tell_plugin_commit(s);
  cl_source_topics_rest(&s->topics);
}

/* ------------------------------------------------------------- what Lua asks */

/* A pause ends one sleep early; a plugin that goes on in a loop of its own must not spin. */
static bool sleep_is_cut(struct source *s) {
  bool was = s->pause_cut;
  s->pause_cut = cl_task_paused(s->t);
  return s->pause_cut && !was;
}

static int op_sleep(void *arg, int64_t ms) {
  struct source *s = arg;
  struct cl_task *t = s->t;
  struct cl_err err = CL_ERR_INIT;
  int64_t until = cl_now_ms() + ms;
  for (int64_t left = ms; !cl_task_stopping(t); left = until - cl_now_ms()) {
    bool waiting = cl_ack_waiting(s->ack) > 0;
    cl_producer_poll(t->producer, 0);
    count_written(s);
    if (cl_policy_poll(&s->policy, &err) != 0 || report_refused(s, &err) != 0)
      note_failure(s, &err);
    commit_if_due(s);
    if (left <= 0 || sleep_is_cut(s))
      break; /* the loop parks a paused task */
    int64_t slice = waiting ? SERVE_SLICE_MS : s->next_commit - cl_now_ms();
    cl_task_wait(t, slice < left ? (slice < 1 ? 1 : slice) : left, s->pause_cut);
  }
  return cl_task_stopping(t);
}

static bool op_stopping(void *arg) { return cl_task_stopping(((struct source *)arg)->t); }

static int op_retry(void *arg, uint32_t attempt, int64_t since) {
  return cl_policy_retry(&((struct source *)arg)->policy, attempt, since, op_sleep, arg);
}

static int op_offset(void *arg, const json_t *partition, json_t **out, struct cl_err *err) {
  struct source *s = arg;
  return cl_offsets_get(s->t->conf.offsets, s->t->conf.connector, partition, out, err);
}

static int64_t op_partition(void *arg, const char *json, size_t len, struct cl_err *err) {
  return cl_ack_partition(((struct source *)arg)->ack, json, len, err);
}

static const struct cl_vm_ops source_ops = {
    .sleep = op_sleep,
    .stopping = op_stopping,
    .retry = op_retry,
    .offset = op_offset,
    .partition = op_partition,
};

/* ------------------------------------------------------------------- sending */

/* What keeps a topic from being made ends the task, but is no error of its producer's. */
static int on_new_topic(void *arg, const char *topic, struct cl_err *err) {
  struct source *s = arg;
  int rc = cl_source_topics_ensure(&s->topics, topic, err);
  if (rc == 0)
    return 0;
  if (rc != CL_EAGAIN)
    note_failure(s, err);
  return cl_err_set(err, CL_EAGAIN, "topic %s is not ready", topic);
}

/* 0 = handed over (or dropped), CL_EAGAIN = later, else the task fails. */
static int send_record(struct source *s, struct cl_record *rec, struct cl_err *err) {
  if (rec->state != CL_RECORD_LIVE) {
    int failed = rec->state == CL_RECORD_FAILED ? report_failed(s, rec, err) : 0;
    if (failed != 0)
      return failed;
    if (s->tell_records)
      tell_plugin_record(s, &(struct told){.rec = rec});
    return 0;
  }
  if (s->tell_records && reserve_told(s, err) != 0)
    return err->code;
  int rc = cl_ack_sent(s->ack, rec, err);
  if (rc != 0)
    return rc;
  rc = cl_producer_send(s->t->producer, rec, err);
  if (rc == 0)
    return 0;
  if (s->t->conf.errors.tolerate && strcmp(cl_err_java(err), CL_JAVA_TOO_LARGE) == 0 &&
      cl_source_refused_add(&s->refused, rec, CL_EDATA, err->msg))
    return 0;
  cl_ack_unsend(s->ack, rec);
  if (rc != CL_EAGAIN && err->retriable) {
    CL_LOG(CL_WARN, "record for topic %.*s could not be sent, trying again: %s", (int)rec->topic.len,
           rec->topic.p, err->msg);
    return CL_EAGAIN;
  }
  err->within = SEND_CALLBACK;
  return rc;
}

/* Sends on from where it stopped; leaves s->batch set when the client is full. */
static int send_batch(struct source *s, struct cl_err *err) {
  struct cl_batch *b = s->batch;
  while (s->sent < b->n) {
    int rc = send_record(s, &b->records[s->sent], err);
    if (rc == CL_EAGAIN) {
      housekeeping(s, RETRY_MS);
      return 0;
    }
    if (rc != 0)
      return rc;
    s->sent++;
  }
  s->batch = NULL;
  cl_batch_unref(b);
  cl_task_count_active(s->t, (int64_t)cl_ack_waiting(s->ack));
  return 0;
}

/* Waits while unacknowledged batches hold more than half of the task's arena budget. */
static bool memory_is_tight(struct source *s) {
  return s->t->budget.used > s->t->budget.max / 2 && cl_ack_waiting(s->ack) > 0;
}

static int poll_plugin(struct source *s, struct cl_err *err) {
  struct cl_batch *b = cl_batch_get(s->t->pool);
  if (!b)
    return cl_err_set(err, CL_ENOMEM, "no memory for a batch");
  int rc = cl_vm_poll(s->t->vm, b, err);
  if (b->n > 0) { /* what a poll without records took says nothing, as in Apache */
    cl_stats_meter(s->t->conf.stats, CL_METER_READ, b->n, cl_now_ms());
    cl_task_count_call(s->t);
  }
  cl_task_count_memory(s->t);
  bool again = rc != 0 && err->retriable;
  if (again)
    CL_LOG(CL_WARN, "poll failed with a retriable error and will be called again: %s", err->msg);
  struct cl_err lost;
  if (rc != 0 && !again && report_last(s, b, &lost) != 0)
    CL_LOG(CL_ERROR, "a failed record could not be reported: %s", lost.msg);
  if (b->stage == CL_BATCH_READY && b->n > 0) {
    s->batch = b; /* with what came before the error: the plugin has moved on from it */
    s->sent = 0;
    if (rc != 0 && !again)
      s->failed = *err;
    return 0;
  }
  cl_batch_unref(b);
  if (again)
    op_sleep(s, RETRY_MS); /* Apache polls again at once; a short breath spares the processor */
  return again ? 0 : rc;
}

static bool delivery_failed(const struct source *s, struct cl_err *err) {
  if (s->produce.code != 0)
    *err = s->produce;
  return s->produce.code != 0;
}

/* Other plugins are to run. A connector is carried over when all it has emitted is acknowledged, so that what
 * it is told of its records is said to the generation that emitted them. False: not yet. */
static bool renew(struct source *s) {
  bool connector;
  if (!cl_task_renewal(s->t, &connector))
    return true;
  if (connector && (s->batch || cl_ack_waiting(s->ack) > 0))
    return false;
  cl_task_renew_now(s->t);
  s->tell_records = cl_vm_has(s->t->vm, "commit_record");
  return true;
}

static int one_turn(struct source *s, struct cl_err *err) {
  struct cl_task *t = s->t;
  if (cl_task_paused(t)) {
    cl_task_report(t, CL_PAUSED, NULL);
    while (cl_task_paused(t) && !cl_task_stopping(t)) {
      housekeeping(s, 0);
      (void)renew(s);
      cl_task_wait(t, cl_ack_waiting(s->ack) > 0 ? SERVE_SLICE_MS : RETRY_MS, true);
    }
    if (!cl_task_stopping(t))
      cl_task_report(t, CL_RUNNING, NULL);
    return 0;
  }
  housekeeping(s, 0);
  if (delivery_failed(s, err))
    return err->code;
  if (memory_is_tight(s)) {
    housekeeping(s, RETRY_MS);
    return 0;
  }
  if (!s->batch && !renew(s)) {
    housekeeping(s, SERVE_SLICE_MS);
    return 0;
  }
  if (!s->batch && poll_plugin(s, err) != 0)
    return err->code;
  if (delivery_failed(s, err)) /* while poll slept */
    return err->code;
  if (s->batch && send_batch(s, err) != 0)
    return err->code;
  if (s->batch || s->failed.code == 0)
    return 0;
  *err = s->failed;
  return err->code;
}

/* ------------------------------------------------------------- birth and end */

static int open_source(struct source *s, struct cl_err *err) {
  struct cl_task *t = s->t;
  s->ack = cl_ack_new();
  s->uncommitted = json_object();
  if (!s->ack || !s->uncommitted)
    return cl_err_set(err, CL_ENOMEM, "no memory for a source task");
  if (cl_task_make_vm(t, &source_ops, s, err) != 0 || cl_policy_open(t, &s->policy, err) != 0 ||
      cl_source_topics_open(t, &s->topics, err) != 0)
    return err->code;
  if (s->policy.letters)
    cl_letters_on_delivered(s->policy.letters, letter_delivered, s);
  struct cl_producer_conf conf = {.client = t->conf.client,
                                  .embedded = t->conf.embedded,
                                  .stats = t->conf.stats,
                                  .events = {.topic = on_new_topic, .delivered = on_delivered},
                                  .arg = s};
  struct cl_producer *producer = NULL;
  if (cl_producer_open(&conf, &producer, err) != 0)
    return err->code;
  pthread_mutex_lock(&t->lock);
  t->producer = producer;
  pthread_mutex_unlock(&t->lock);
  s->tell_records = cl_vm_has(t->vm, "commit_record");
  s->next_commit = cl_now_ms() + t->conf.offset_flush_interval_ms;
  return 0;
}

/* Outstanding reports, the final commit, then the plugin's stop: Apache's order. A plugin
 * whose start has failed is stopped, but has nothing to commit. */
static void end_source(struct source *s, bool started, bool running) {
  struct cl_task *t = s->t;
  struct cl_err err;
  if (running) {
    if (cl_producer_flush(t->producer, cl_task_final_wait(t), &err) == CL_ETIMEOUT)
      CL_LOG(CL_WARN, "%s; their offsets are not committed", err.msg);
    count_written(s);
    if (report_refused(s, &err) != 0)
      CL_LOG(CL_ERROR, "a failed record could not be reported: %s", err.msg);
    if (s->policy.letters && cl_letters_flush(s->policy.letters, cl_task_final_wait(t), &err) != 0)
      CL_LOG(CL_ERROR, "%s; their offsets are not committed", err.msg);
    if (commit_offsets(s))
      s->commit_verb_due = true;
  }
  if (started && !atomic_load(&t->abandoned)) { /* a successor may run already */
    tell_plugin_records(s);
    if (s->commit_verb_due)
      tell_plugin_commit(s);
    if (cl_vm_stop(t->vm, &err) != 0)
      CL_LOG(CL_ERROR, "stop failed: %s", err.msg);
  }
}

static void close_source(struct source *s) {
  struct cl_task *t = s->t;
  pthread_mutex_lock(&t->lock);
  bool leak = atomic_load(&t->abandoned); /* librdkafka may still be sending from the batches */
  struct cl_producer *producer = t->producer;
  struct cl_vm *vm = t->vm;
  t->producer = NULL;
  t->vm = NULL;
  pthread_mutex_unlock(&t->lock);
  if (leak)
    return;
  if (producer)
    cl_producer_close(producer, 0); /* before the batches it may be sending from */
  for (size_t i = 0; i < s->told_n; i++)
    cl_batch_unref(s->told[i].rec->batch);
  free(s->told);
  if (s->batch)
    cl_batch_unref(s->batch);
  free(s->refused.v);
  cl_policy_close(&s->policy);
  cl_source_topics_close(&s->topics);
  cl_ack_free(s->ack);
  if (vm)
    cl_vm_free(vm);
  cl_batch_pool_free(t->pool);
  t->pool = NULL;
  json_decref(s->uncommitted);
}

int cl_source_run(struct cl_task *t, struct cl_err *err) {
  struct source s = {.t = t};
  bool started = false;
  int rc = open_source(&s, err);
  if (rc == 0 && cl_task_paused(t)) { /* a task born paused waits before its start */
    cl_task_report(t, CL_PAUSED, NULL);
    while (cl_task_paused(t) && !cl_task_stopping(t))
      cl_task_wait(t, 1000, true);
  }
  if (rc == 0 && !cl_task_stopping(t)) {
    rc = cl_vm_start(t->vm, err);
    started = true;
  }
  bool running = rc == 0 && started;
  if (running && !cl_task_stopping(t))
    cl_task_report(t, CL_RUNNING, NULL);
  while (rc == 0 && !cl_task_stopping(t))
    rc = one_turn(&s, err);
  end_source(&s, started, running);
  close_source(&s);
  return rc;
}
