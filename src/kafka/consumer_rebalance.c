/* SPDX-License-Identifier: Apache-2.0
 * Partitions given and taken, pause, seek, commit. Thread: the task's; the callbacks of
 * an abandoned consumer run on the abandoning thread and touch librdkafka only. */
#define CL_COMPONENT "kafka.consumer"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "kafka/internal.h"
#include "record/batch.h"

enum {
  POSITION_MS = 60000, /* longest search for the positions of new partitions */
  QUERY_MS = 2000,     /* one question of that search */
  AGAIN_MS = 200,      /* between two: an error may come at once */
  SEEK_MS = 5000,
  WOKEN_MS = 3000 /* what is left of a wait for a commit when the task is asked to stop */
};

static rd_kafka_topic_partition_t *list_add(rd_kafka_topic_partition_list_t *list, const struct cl_slot *s) {
  return rd_kafka_topic_partition_list_add(list, s->topic.p, s->partition);
}

static bool interrupted(struct cl_consumer *c) {
  return atomic_load(&c->woken) || atomic_load(&c->client.abandoned);
}

/* An answer may be good as a whole and bad for a partition. */
static rd_kafka_resp_err_t first_error(rd_kafka_resp_err_t code,
                                       const rd_kafka_topic_partition_list_t *list) {
  for (int i = 0; !code && list && i < list->cnt; i++)
    code = list->elems[i].err;
  return code;
}

/* -------------------------------------------------------- start positions */

/* Whether the search goes on after an answer that told too little: logs why, waits a moment. */
static bool ask_again(struct cl_consumer *c, const char *what, rd_kafka_resp_err_t code,
                      const rd_kafka_topic_partition_list_t *list, bool said, int64_t deadline) {
  int i = 0;
  while (i < list->cnt && !list->elems[i].err)
    i++;
  if (!said && (code || i == list->cnt))
    CL_LOG(CL_WARN, "no %s yet: %s; asking again", what, rd_kafka_err2str(code));
  else if (!said)
    CL_LOG(CL_WARN, "no %s of %s-%d yet: %s; asking again", what, list->elems[i].topic,
           (int)list->elems[i].partition, rd_kafka_err2str(list->elems[i].err));
  int64_t until = cl_now_ms() + AGAIN_MS;
  while (cl_now_ms() < until && !interrupted(c))
    usleep(10000);
  return cl_now_ms() < deadline && !interrupted(c);
}

/* Asks until there is an answer: the broker may be away for a while. */
static bool ask_committed(struct cl_consumer *c, rd_kafka_topic_partition_list_t *list, int64_t deadline) {
  for (bool said = false;; said = true) {
    rd_kafka_resp_err_t code = rd_kafka_committed(c->client.rk, list, QUERY_MS);
    if (!first_error(code, list))
      return true;
    if (!ask_again(c, "committed offsets", code, list, said, deadline))
      return false;
  }
}

/* Where auto.offset.reset puts the partitions without a commit (offset of each: the reset point). */
static bool ask_reset_points(struct cl_consumer *c, rd_kafka_topic_partition_list_t *list, int64_t deadline) {
  for (bool said = false;; said = true) {
    for (int i = 0; i < list->cnt; i++)
      list->elems[i].offset = c->reset == CL_RESET_EARLIEST ? RD_KAFKA_OFFSET_BEGINNING : RD_KAFKA_OFFSET_END;
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(c->client.rk, list, QUERY_MS);
    if (!first_error(code, list))
      return true;
    if (!ask_again(c, "partition bounds", code, list, said, deadline))
      return false;
  }
}

/* Sets slots[].start, or -1 where it stays unknown; then librdkafka finds the position:
 * *committed tells whether the group's offsets were read. */
static void find_starts(struct cl_consumer *c, const uint32_t *ids, int n, bool *committed) {
  int64_t deadline = cl_now_ms() + POSITION_MS;
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(n);
  rd_kafka_topic_partition_list_t *fresh = rd_kafka_topic_partition_list_new(n);
  for (int i = 0; i < n; i++) {
    c->slots[ids[i]].start = -1;
    list_add(list, &c->slots[ids[i]]);
  }
  *committed = ask_committed(c, list, deadline);
  for (int i = 0; *committed && i < n; i++) {
    if (list->elems[i].offset >= 0)
      c->slots[ids[i]].start = list->elems[i].offset;
    else if (c->reset != CL_RESET_NONE)
      list_add(fresh, &c->slots[ids[i]]);
  }
  if (fresh->cnt && ask_reset_points(c, fresh, deadline))
    for (int i = 0, at = 0; i < n && at < fresh->cnt; i++)
      if (c->slots[ids[i]].start < 0)
        c->slots[ids[i]].start = fresh->elems[at++].offset;
  rd_kafka_topic_partition_list_destroy(fresh);
  rd_kafka_topic_partition_list_destroy(list);
}

/* ------------------------------------------------------------ given, taken */

static int pause_now(struct cl_consumer *c, uint32_t slot, bool pause, struct cl_err *err) {
  if (c->parts[slot].paused == pause)
    return CL_OK;
  /* A fresh list each time: one that has been through another client aborts in 2.0.2. */
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
  list_add(list, &c->slots[slot]);
  rd_kafka_resp_err_t code = pause ? rd_kafka_pause_partitions(c->client.rk, list)
                                   : rd_kafka_resume_partitions(c->client.rk, list);
  if (!code)
    code = list->elems[0].err;
  rd_kafka_topic_partition_list_destroy(list);
  if (code)
    return cl_client_fail(err, code, "Failed to %s %s-%d", pause ? "pause" : "resume", c->slots[slot].topic.p,
                          (int)c->slots[slot].partition);
  c->parts[slot].paused = pause;
  return CL_OK;
}

/* Reading begins at slots[].start. An offset known by now is given as it is, so that what the
 * task was told and what is read cannot differ. */
static void assign_slots(struct cl_consumer *c, const uint32_t *ids, int n, bool committed) {
  struct cl_err err = CL_ERR_INIT;
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(n);
  for (int i = 0; i < n; i++) {
    const struct cl_slot *s = &c->slots[ids[i]];
    c->parts[ids[i]].next = s->start;
    list_add(list, s)->offset = s->start >= 0 ? s->start
                                : committed   ? RD_KAFKA_OFFSET_INVALID /* auto.offset.reset decides */
                                              : RD_KAFKA_OFFSET_STORED;
  }
  rd_kafka_resp_err_t code = rd_kafka_assign(c->client.rk, list);
  rd_kafka_topic_partition_list_destroy(list);
  if (code) {
    cl_client_fail(&err, code, "Failed to assign %d partitions", n);
    cl_consumer_remember(c, &err);
    return;
  }
  for (int i = 0; i < n; i++) /* librdkafka keeps a pause across assignments; Java does not */
    if (pause_now(c, ids[i], c->parts[ids[i]].pause, &err))
      cl_consumer_remember(c, &err);
}

void cl_consumer_given(struct cl_consumer *c, const rd_kafka_topic_partition_list_t *given) {
  struct cl_err err = CL_ERR_INIT;
  int n = given->cnt;
  uint32_t *ids = malloc(((size_t)n + 1) * sizeof(*ids));
  int rc = ids ? CL_OK : CL_ENOMEM;
  for (int i = 0; !rc && i < n; i++)
    rc = cl_consumer_slot(c, given->elems[i].topic, given->elems[i].partition, &ids[i]);
  if (rc) {
    cl_err_set(&err, CL_ENOMEM, "out of memory for %d partitions", n);
    cl_consumer_remember(c, &err);
    rd_kafka_assign(c->client.rk, NULL);
    free(ids);
    return;
  }
  c->last_rkt = NULL; /* handles of before may be gone and their addresses in use again */
  bool committed = true;
  if (n)
    find_starts(c, ids, n, &committed);
  for (int i = 0; i < n; i++) {
    c->slots[ids[i]].assigned = true;
    c->parts[ids[i]].pause = false;
  }
  c->assigning = true;
  if (c->events.assigned && c->events.assigned(c->arg, ids, (size_t)n, &err))
    cl_consumer_remember(c, &err); /* still assigned: closing revokes it in order */
  c->assigning = false;
  if (!atomic_load(&c->client.abandoned))
    assign_slots(c, ids, n, committed);
  free(ids);
}

void cl_consumer_taken(struct cl_consumer *c, bool lost) {
  struct cl_err err = CL_ERR_INIT;
  uint32_t n = 0, *ids = c->going;
  for (uint32_t i = 0; i < c->n_slots; i++)
    if (c->slots[i].assigned)
      ids[n++] = i;
  /* Eager rebalancing takes everything, so all the running poll has gathered goes back;
   * it is read again from what is committed. */
  while (c->batch && c->batch->n > c->base)
    cl_batch_drop_last(c->batch);
  c->bytes = 0;
  if (n && c->events.revoked && c->events.revoked(c->arg, ids, n, lost, &err))
    cl_consumer_remember(c, &err);
  for (uint32_t i = 0; i < n && !atomic_load(&c->client.abandoned); i++) {
    if (c->parts[ids[i]].paused && pause_now(c, ids[i], false, &err))
      CL_LOG(CL_DEBUG, "%s", err.msg);
    c->parts[ids[i]] = (struct cl_partition){.next = -1};
    c->slots[ids[i]].assigned = false;
  }
  rd_kafka_assign(c->client.rk, NULL);
}

void cl_consumer_rebalance_cb(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list,
                              void *opaque) {
  struct cl_client *client = opaque;
  if (atomic_load(&client->abandoned)) {
    rd_kafka_assign(rk, NULL);
  } else if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    cl_consumer_given(client->owner, list);
  } else {
    if (code != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)
      CL_LOG(CL_WARN, "%s: rebalance failed: %s", rd_kafka_name(rk), rd_kafka_err2str(code));
    cl_consumer_taken(client->owner, rd_kafka_assignment_lost(rk));
  }
}

/* ------------------------------------------------------ pause, resume, seek */

static int check_slot(struct cl_consumer *c, uint32_t slot, struct cl_err *err) {
  if (atomic_load(&c->client.abandoned))
    return cl_client_stopped(err);
  if (slot >= c->n_slots || !c->slots[slot].assigned)
    return cl_err_set(err, CL_ENOTFOUND, "No current assignment for partition %s-%d",
                      slot < c->n_slots ? c->slots[slot].topic.p : "?",
                      slot < c->n_slots ? (int)c->slots[slot].partition : -1);
  return CL_OK;
}

static int set_pause(struct cl_consumer *c, uint32_t slot, bool pause, struct cl_err *err) {
  int rc = check_slot(c, slot, err);
  if (rc)
    return rc;
  c->parts[slot].pause = pause;
  return c->assigning ? CL_OK : pause_now(c, slot, pause, err);
}

int cl_consumer_pause(struct cl_consumer *c, uint32_t slot, struct cl_err *err) {
  return set_pause(c, slot, true, err);
}

int cl_consumer_resume(struct cl_consumer *c, uint32_t slot, struct cl_err *err) {
  return set_pause(c, slot, false, err);
}

int cl_consumer_seek(struct cl_consumer *c, uint32_t slot, int64_t offset, struct cl_err *err) {
  int rc = check_slot(c, slot, err);
  if (rc)
    return rc;
  struct cl_slot *s = &c->slots[slot];
  if (offset < 0)
    return cl_err_set(err, CL_EINVAL, "Invalid offset %lld for partition %s-%d", (long long)offset,
                      s->topic.p, (int)s->partition);
  if (c->assigning) {
    s->start = offset;
    return CL_OK;
  }
  rd_kafka_topic_t *rkt = rd_kafka_topic_new(c->client.rk, s->topic.p, NULL);
  rd_kafka_resp_err_t code = rkt ? rd_kafka_seek(rkt, s->partition, offset, SEEK_MS) : rd_kafka_last_error();
  if (rkt)
    rd_kafka_topic_destroy(rkt);
  if (code)
    return cl_client_fail(err, code, "Failed to seek %s-%d to %lld", s->topic.p, (int)s->partition,
                          (long long)offset);
  c->parts[slot].next = offset;
  return CL_OK;
}

/* ---------------------------------------------------------------- commits */

static rd_kafka_topic_partition_list_t *commit_list(struct cl_consumer *c, const struct cl_commit *commits,
                                                    size_t n) {
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);
  for (size_t i = 0; i < n; i++) {
    CL_REQUIRE(commits[i].slot < c->n_slots);
    list_add(list, &c->slots[commits[i].slot])->offset = commits[i].offset;
  }
  return list;
}

static void on_commit(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list,
                      void *seq) {
  struct cl_client *client = rd_kafka_opaque(rk);
  struct cl_consumer *c = client->owner;
  if (atomic_load(&client->abandoned) || !c->events.committed)
    return;
  code = first_error(code, list);
  c->events.committed(c->arg, (uintptr_t)seq, code ? CL_EKAFKA : CL_OK, code ? rd_kafka_err2str(code) : "");
}

int cl_consumer_commit(struct cl_consumer *c, const struct cl_commit *commits, size_t n, uint64_t seq,
                       struct cl_err *err) {
  if (atomic_load(&c->client.abandoned))
    return cl_client_stopped(err);
  rd_kafka_topic_partition_list_t *list = commit_list(c, commits, n);
  rd_kafka_resp_err_t code = rd_kafka_commit_queue(c->client.rk, list, c->queue, on_commit,
                                                   (void *)(uintptr_t)seq);
  rd_kafka_topic_partition_list_destroy(list);
  return code ? cl_client_fail(err, code, "Failed to commit offsets") : CL_OK;
}

struct sync_commit {
  bool done;
  rd_kafka_resp_err_t code;
};

static void on_sync_commit(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list,
                           void *arg) {
  (void)rk;
  struct sync_commit *answer = arg;
  answer->code = first_error(code, list);
  answer->done = true;
}

int cl_consumer_commit_sync(struct cl_consumer *c, const struct cl_commit *commits, size_t n,
                            int64_t timeout_ms, struct cl_err *err) {
  if (atomic_load(&c->client.abandoned))
    return cl_client_stopped(err);
  if (!n)
    return CL_OK;
  struct sync_commit answer = {0};
  int64_t deadline = cl_now_ms() + timeout_ms;
  /* A queue of its own: the answer is waited for in slices, so that abandoning ends it. */
  rd_kafka_queue_t *queue = rd_kafka_queue_new(c->client.rk);
  rd_kafka_topic_partition_list_t *list = commit_list(c, commits, n);
  rd_kafka_resp_err_t code = rd_kafka_commit_queue(c->client.rk, list, queue, on_sync_commit, &answer);
  rd_kafka_topic_partition_list_destroy(list);
  bool hurried = false;
  while (!code && !answer.done && cl_now_ms() < deadline && !atomic_load(&c->client.abandoned)) {
    rd_kafka_queue_poll_callback(queue, 200);
    if (!hurried && atomic_load(&c->woken)) { /* left set: the poll to come is woken too */
      int64_t soon = cl_now_ms() + WOKEN_MS;
      deadline = soon < deadline ? soon : deadline;
      hurried = true;
    }
  }
  rd_kafka_queue_destroy(queue);
  if (!code)
    code = answer.done ? answer.code : RD_KAFKA_RESP_ERR__TIMED_OUT;
  return code ? cl_client_fail(err, code, "Failed to commit offsets") : CL_OK;
}
