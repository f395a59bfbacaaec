/* SPDX-License-Identifier: Apache-2.0
 *
 * A sink task: poll, convert, put, redeliver, in Apache's order (WorkerSinkTask).
 * Thread: the task's. May include floors 4-0.
 */
#define CL_COMPONENT "sink"
#include "task/sink.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

enum { COMMITTING_MS = 50, LETTERS_MS = 100 };

/* ------------------------------------------------------------- what Lua asks */

static int op_sleep(void *arg, int64_t ms) {
  struct cl_sink *s = arg;
  int64_t until = cl_now_ms() + ms;
  for (int64_t left = ms; left > 0 && !cl_task_stopping(s->t); left = until - cl_now_ms())
    cl_task_wait(s->t, left, cl_task_paused(s->t));
  return cl_task_stopping(s->t);
}

static bool op_stopping(void *arg) { return cl_task_stopping(((struct cl_sink *)arg)->t); }

/* In start nothing is assigned yet: kept until the partition comes. */
static int op_rewind(void *arg, const char *topic, int32_t partition, int64_t offset, struct cl_err *err) {
  struct cl_sink *s = arg;
  uint32_t known;
  cl_consumer_slots(s->t->consumer, &known);
  if (known > 0 && !cl_sink_find_slot(s, topic, partition))
    return cl_err_set(err, CL_EINVAL, "cannot rewind %s-%d: it is not assigned to this task", topic,
                      partition);
  if (offset < 0)
    return cl_err_set(err, CL_EINVAL, "cannot rewind %s-%d to %lld", topic, partition, (long long)offset);
  for (size_t i = 0; i < s->n_rewinds; i++) {
    if (s->rewinds[i].partition == partition && strcmp(s->rewinds[i].topic, topic) == 0) {
      s->rewinds[i].offset = offset;
      return 0;
    }
  }
  struct rewind *p = realloc(s->rewinds, (s->n_rewinds + 1) * sizeof(*p));
  char *copy = strdup(topic);
  if (p)
    s->rewinds = p;
  if (!p || !copy) {
    free(copy);
    return cl_err_set(err, CL_ENOMEM, "no memory to rewind %s-%d", topic, partition);
  }
  p[s->n_rewinds++] = (struct rewind){copy, partition, offset};
  return 0;
}

static int op_pause(void *arg, const char *topic, int32_t partition, bool pause, struct cl_err *err) {
  struct cl_sink *s = arg;
  struct cl_slot *slot = cl_sink_find_slot(s, topic, partition);
  if (!slot)
    return cl_err_set(err, CL_EINVAL, "cannot %s %s-%d: it is not assigned to this task",
                      pause ? "pause" : "resume", topic, partition);
  slot->paused_by_task = pause;
  s->repause = true;
  return 0;
}

static json_t *op_assignment(void *arg) {
  struct cl_sink *s = arg;
  uint32_t n;
  struct cl_slot *slots = cl_consumer_slots(s->t->consumer, &n);
  json_t *out = json_array();
  for (uint32_t i = 0; i < n; i++) {
    if (slots[i].assigned)
      json_array_append_new(out, json_pack("{s:s%,s:i}", "topic", slots[i].topic.p,
                                           (size_t)slots[i].topic.len, "partition", (int)slots[i].partition));
  }
  return out;
}

static void op_timeout(void *arg, int64_t ms) { ((struct cl_sink *)arg)->timeout_ms = ms; }
static void op_request_commit(void *arg) { ((struct cl_sink *)arg)->commit_requested = true; }

static int op_retry(void *arg, uint32_t attempt, int64_t since) {
  return cl_policy_retry(&((struct cl_sink *)arg)->policy, attempt, since, op_sleep, arg);
}

/* Apache's errant record reporter, also in that a report comes before the refusal to tolerate. When it
 * fails the task does, even if put goes on: the record would be lost. */
static int op_reject(void *arg, const struct cl_failure *failure, struct cl_err *err) {
  struct cl_sink *s = arg;
  int rc = cl_policy_report(&s->policy, &(struct cl_case){.failure = failure}, err);
  if (rc == 0 && s->t->conf.errors.tolerate)
    return 0;
  if (rc == 0)
    cl_err_set(err, CL_ELUA, CL_TOLERANCE_EXCEEDED ": %s",
               failure->message ? failure->message : "record rejected");
  s->rejected = *err;
  return err->code;
}

static const struct cl_vm_ops sink_ops = {
    .sleep = op_sleep,
    .retry = op_retry,
    .reject = op_reject,
    .stopping = op_stopping,
    .rewind = op_rewind,
    .pause = op_pause,
    .assignment = op_assignment,
    .timeout = op_timeout,
    .request_commit = op_request_commit,
};

/* --------------------------------------------------------------------- the loop */

/* The task was paused or resumed from outside. */
static int follow_target_state(struct cl_sink *s, struct cl_err *err) {
  bool pause = cl_task_paused(s->t);
  if (pause == s->connector_paused)
    return 0;
  s->connector_paused = pause;
  if (pause)
    s->commit_requested = true;
  if (cl_sink_apply_pauses(s, err) != 0)
    return err->code;
  cl_task_report(s->t, pause ? CL_PAUSED : CL_RUNNING, NULL);
  return 0;
}

static int64_t poll_wait(struct cl_sink *s) {
  int64_t ms = s->next_commit - cl_now_ms(), measure = cl_sink_measure(s);
  if (measure < ms)
    ms = measure;
  if (s->committing)
    ms = COMMITTING_MS; /* the answer comes inside the poll, or not in time: both are seen after it */
  if (s->policy.letters && cl_letters_waiting(s->policy.letters) > 0 && ms > LETTERS_MS)
    ms = LETTERS_MS; /* one that fails is noticed */
  if (s->timeout_ms >= 0 && s->timeout_ms < ms)
    ms = s->timeout_ms;
  s->timeout_ms = -1;
  return ms < 0 ? 0 : ms;
}

/* put has accepted the batch: what it held counts as consumed. */
static void advance(struct cl_sink *s) {
  uint32_t n;
  struct cl_slot *slots = cl_consumer_slots(s->t->consumer, &n);
  for (uint32_t i = 0; i < s->batch->n; i++) {
    struct cl_record *rec = &s->batch->records[i];
    if (rec->slot == CL_SLOT_NONE)
      continue;
    struct cl_slot *slot = &slots[rec->slot];
    if (slot->committed < 0)
      slot->committed = rec->offset; /* where reading began was not known: a failed flush goes back here */
    if (slot->assigned && rec->offset >= slot->current)
      slot->current = rec->offset + 1;
  }
  cl_batch_unref(s->batch);
  s->batch = NULL;
}

/* Records that converters and transforms have let through count, whatever put makes of them. */
static void note_records(struct cl_sink *s) {
  int64_t live = 0;
  for (uint32_t i = 0; s->batch->stage == CL_BATCH_READY && i < s->batch->n; i++) {
    if (s->batch->records[i].state != CL_RECORD_LIVE)
      continue;
    cl_task_saw_topic(s->t, s->batch->records[i].orig_topic);
    live++;
  }
  if (!s->redelivering)
    cl_stats_meter(s->t->conf.stats, CL_METER_SENT, live, cl_now_ms());
  cl_task_count_memory(s->t);
}

/* What has failed is reported before put sees the others, and before it ends the task. */
static int convert(struct cl_sink *s, struct cl_err *err) {
  struct cl_err report;
  if (s->batch->stage == CL_BATCH_READY)
    return 0;
  int rc = cl_vm_convert(s->t->vm, s->batch, err);
  if (cl_policy_report_batch(&s->policy, s->batch, &report) != 0) {
    if (rc != 0)
      CL_LOG(CL_ERROR, "a failed record could not be reported: %s", report.msg);
    else
      *err = report;
    rc = err->code;
  }
  note_records(s);
  return rc;
}

static int put(struct cl_sink *s, struct cl_err *err) {
  int rc = cl_vm_put(s->t->vm, s->batch, err);
  if (s->rejected.code == 0)
    return rc;
  *err = s->rejected;
  return err->code;
}

static int deliver(struct cl_sink *s, struct cl_err *err) {
  int rc = convert(s, err);
  if (rc == CL_ESTOPPED && cl_task_stopping(s->t))
    return 0; /* while a record was tried again: the batch is read again */
  if (rc != 0)
    return rc;
  rc = put(s, err);
  if (rc == 0) {
    cl_task_count_call(s->t);
    s->moved = s->moved || s->batch->n > 0;
    advance(s);
    if (!s->redelivering)
      return 0;
    s->redelivering = false;
    return cl_sink_apply_pauses(s, err);
  }
  if (!err->retriable) {
    err->within = "Exiting WorkerSinkTask due to unrecoverable exception.";
    return err->code;
  }
  CL_LOG(CL_WARN, "put failed with a retriable error, the same %u records will be put again: %s", s->batch->n,
         err->msg);
  s->redelivering = true;
  return cl_sink_apply_pauses(s, err);
}

/* While redelivering everything is paused: the poll serves the group and commits only. */
static int poll_group(struct cl_sink *s, int64_t wait_ms, struct cl_err *err) {
  struct cl_batch *b = cl_batch_get(s->t->pool);
  if (!b)
    return cl_err_set(err, CL_ENOMEM, "no memory for a batch");
  int rc = cl_consumer_poll(s->t->consumer, b, s->t->conf.max_poll_records, wait_ms, err);
  if (rc == 0 && b->n > 0 && s->redelivering)
    rc = cl_err_set(err, CL_EKAFKA,
                    "records arrived from paused partitions; restart the task to read them again");
  if (rc == 0 && b->n > 0)
    cl_stats_meter(s->t->conf.stats, CL_METER_READ, b->n, cl_now_ms());
  if (rc == 0 && !s->redelivering)
    s->batch = b;
  else
    cl_batch_unref(b);
  return rc;
}

/* Rewinds come before the commit, other than in Apache: what put asked to have again must not
 * be committed as taken. */
static int one_turn(struct cl_sink *s, struct cl_err *err) {
  if (cl_policy_poll(&s->policy, err) != 0 || follow_target_state(s, err) != 0 ||
      cl_sink_apply_rewinds(s, err) != 0 || cl_sink_commit_if_due(s, err) != 0)
    return err->code;
  if (s->repause && cl_sink_apply_pauses(s, err) != 0)
    return err->code;
  if (poll_group(s, poll_wait(s), err) != 0)
    return err->code;
  if (cl_task_stopping(s->t) && s->batch && s->batch->n == 0)
    return 0;
  bool connector;
  if (cl_task_renewal(s->t, &connector))
    cl_task_renew_now(s->t);
  return deliver(s, err);
}

/* -------------------------------------------------------------- birth and end */

static int open_sink(struct cl_sink *s, struct cl_err *err) {
  struct cl_task *t = s->t;
  if (cl_task_make_vm(t, &sink_ops, s, err) != 0)
    return err->code;
  if (cl_task_paused(t)) { /* a task born paused waits before it joins the group */
    cl_task_report(t, CL_PAUSED, NULL);
    while (cl_task_paused(t) && !cl_task_stopping(t))
      cl_task_wait(t, 1000, true);
  }
  if (cl_task_stopping(t))
    return 0;
  if (cl_policy_open(t, &s->policy, err) != 0)
    return err->code;
  struct cl_consumer_conf conf = {
      .client = t->conf.client,
      .topics = t->conf.topics,
      .topics_regex = t->conf.topics_regex,
      .task = t->conf.id,
      .tasks = t->conf.count,
      .metadata_max_age_ms = t->conf.metadata_max_age_ms,
      .embedded = t->conf.embedded,
      .budget = t->conf.budget,
      .stats = t->conf.stats,
      .events = {cl_sink_assigned, cl_sink_revoked, cl_sink_committed},
      .arg = s,
  };
  struct cl_consumer *consumer = NULL;
  if (cl_consumer_open(&conf, &consumer, err) != 0)
    return err->code;
  pthread_mutex_lock(&t->lock);
  t->consumer = consumer;
  pthread_mutex_unlock(&t->lock);
  s->next_commit = cl_now_ms() + t->conf.offset_flush_interval_ms;
  return 0;
}

/* preCommit, close and commitSync for all partitions, also after a failure; then stop. */
static void end_sink(struct cl_sink *s, bool started) {
  struct cl_task *t = s->t;
  struct cl_err err;
  if (s->batch) { /* not accepted by put: it will be read again */
    cl_batch_unref(s->batch);
    s->batch = NULL;
  }
  s->ending = true;
  if (t->consumer && started && !atomic_load(&t->abandoned)) {
    size_t n;
    uint32_t *slots = cl_sink_assignment(s, &n);
    if (!slots)
      CL_LOG(CL_ERROR, "no memory to close the partitions; nothing is committed for them");
    else if (n && cl_sink_close_slots(s, slots, n, &err) != 0)
      CL_LOG(CL_ERROR, "closing the partitions failed: %s", err.msg);
    free(slots);
  }
  s->closed = true;
  if (t->vm && started && !atomic_load(&t->abandoned) && cl_vm_stop(t->vm, &err) != 0)
    CL_LOG(CL_ERROR, "stop failed: %s", err.msg);
}

static void close_sink(struct cl_sink *s) {
  struct cl_task *t = s->t;
  pthread_mutex_lock(&t->lock);
  bool leak = atomic_load(&t->abandoned);
  struct cl_consumer *consumer = t->consumer;
  struct cl_vm *vm = t->vm;
  t->consumer = NULL;
  t->vm = NULL;
  pthread_mutex_unlock(&t->lock);
  if (leak)
    return;
  if (vm)
    cl_vm_free(vm); /* before the batches, which a plugin may have retained */
  cl_batch_pool_free(t->pool);
  t->pool = NULL;
  if (consumer)
    cl_consumer_close(consumer);
  cl_policy_close(&s->policy);
  for (size_t i = 0; i < s->n_rewinds; i++)
    free(s->rewinds[i].topic);
  free(s->rewinds);
  free(s->inflight);
}

int cl_sink_run(struct cl_task *t, struct cl_err *err) {
  struct cl_sink s = {.t = t, .timeout_ms = -1};
  bool started = false;
  int rc = open_sink(&s, err);
  if (rc == 0 && !cl_task_stopping(t)) {
    rc = cl_vm_start(t->vm, err);
    started = true;
  }
  if (rc == 0 && started && !cl_task_stopping(t))
    cl_task_report(t, CL_RUNNING, NULL);
  while (rc == 0 && !cl_task_stopping(t))
    rc = one_turn(&s, err);
  end_sink(&s, started);
  close_sink(&s);
  return rc;
}
