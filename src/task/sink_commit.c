/* SPDX-License-Identifier: Apache-2.0
 *
 * Which sink offsets are committed, and partitions coming and going: preCommit (the
 * plugin's flush) decides, then the group is told. Order of calls as in WorkerSinkTask.
 * Thread: the task's, the callbacks inside cl_consumer_poll. May include floors 4-0.
 */
#define CL_COMPONENT "sink"
#include "task/sink.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

enum {
  REBALANCE_COMMIT_MS = 60000, /* as long as Java's clients wait */
  REBALANCE_LETTERS_MS = 2000  /* all of the group waits with the task, and who comes next writes them, too */
};

static struct cl_slot *slots_of(struct cl_sink *s, uint32_t *n) {
  return cl_consumer_slots(s->t->consumer, n);
}

uint32_t *cl_sink_assignment(struct cl_sink *s, size_t *n) {
  uint32_t all;
  struct cl_slot *slots = slots_of(s, &all);
  uint32_t *out = calloc(all + 1, sizeof(*out));
  *n = 0;
  for (uint32_t i = 0; out && i < all; i++) {
    if (slots[i].assigned)
      out[(*n)++] = i;
  }
  return out;
}

static json_t *partition_json(const struct cl_slot *slot) {
  return json_pack("{s:s%,s:i}", "topic", slot->topic.p, (size_t)slot->topic.len, "partition",
                   (int)slot->partition);
}

static json_t *partitions_json(struct cl_sink *s, const uint32_t *which, size_t n) {
  uint32_t all;
  struct cl_slot *slots = slots_of(s, &all);
  json_t *out = json_array();
  for (size_t i = 0; i < n; i++)
    json_array_append_new(out, partition_json(&slots[which[i]]));
  return out;
}

/* ------------------------------------------------------------------ preCommit */

static json_t *current_json(struct cl_sink *s, const uint32_t *which, size_t n) {
  uint32_t all;
  struct cl_slot *slots = slots_of(s, &all);
  json_t *out = json_array();
  for (size_t i = 0; i < n; i++) {
    const struct cl_slot *slot = &slots[which[i]];
    if (slot->current < 0)
      continue;
    json_t *item = partition_json(slot);
    json_object_set_new(item, "offset", json_integer(slot->current));
    json_array_append_new(out, item);
  }
  return out;
}

static bool slot_is(const struct cl_slot *slot, const char *topic, json_int_t partition) {
  return slot->partition == partition && slot->topic.len == strlen(topic) &&
         memcmp(slot->topic.p, topic, slot->topic.len) == 0;
}

struct cl_slot *cl_sink_find_slot(struct cl_sink *s, const char *topic, int32_t partition) {
  uint32_t n;
  struct cl_slot *slots = slots_of(s, &n);
  for (uint32_t i = 0; i < n; i++) {
    if (slots[i].assigned && slot_is(&slots[i], topic, partition))
      return &slots[i];
  }
  return NULL;
}

/* What lies beyond a rewind that is still to be applied is not safe. */
static int64_t bound_by_rewind(const struct cl_sink *s, const struct cl_slot *slot, int64_t offset) {
  for (size_t i = 0; i < s->n_rewinds; i++) {
    const struct rewind *r = &s->rewinds[i];
    if (r->offset < offset && slot_is(slot, r->topic, r->partition))
      return r->offset;
  }
  return offset;
}

/* Nor is what lies behind a record whose dead letter Kafka has not acknowledged. */
static int64_t safe_offset(const struct cl_sink *s, uint32_t which, const struct cl_slot *slot,
                           int64_t offset) {
  offset = bound_by_rewind(s, slot, offset);
  return s->policy.letters ? cl_letters_bound(s->policy.letters, which, offset) : offset;
}

/* Takes one offset the plugin returned, if it is one it was asked for and not beyond what
 * put accepted; anything else is ignored with a log line, as in Apache. */
static void accept_offset(struct cl_sink *s, const json_t *item, const uint32_t *which, size_t n,
                          struct cl_commit *out, size_t *n_out) {
  uint32_t all;
  struct cl_slot *slots = slots_of(s, &all);
  const char *topic = cl_json_str(item, "topic");
  const json_t *partition_json = json_object_get(item, "partition"),
               *offset_json = json_object_get(item, "offset");
  if (!topic || !json_is_integer(partition_json) || !json_is_integer(offset_json)) {
    CL_LOG(CL_WARN,
           "flush returned an item that is not {topic, partition, offset} with whole numbers; ignored");
    return;
  }
  json_int_t partition = json_integer_value(partition_json), offset = json_integer_value(offset_json);
  for (size_t i = 0; i < n; i++) {
    const struct cl_slot *slot = &slots[which[i]];
    if (!slot_is(slot, topic, partition))
      continue;
    if (offset < 0 || offset > slot->current)
      CL_LOG(CL_WARN, "flush returned offset %lld for %s-%lld, but only %lld was delivered; ignored",
             (long long)offset, topic, (long long)partition, (long long)slot->current);
    else if ((offset = safe_offset(s, which[i], slot, offset)) != slot->committed)
      out[(*n_out)++] = (struct cl_commit){which[i], offset};
    return;
  }
  CL_LOG(CL_WARN, "flush returned an offset for %s-%lld, which is not among those it was asked for; ignored",
         topic, (long long)partition);
}

/* The plugin's flush, then what may be committed. *out is malloc'd. */
static int pre_commit(struct cl_sink *s, const uint32_t *which, size_t n, struct cl_commit **out,
                      size_t *n_out, struct cl_err *err) {
  json_t *offsets = current_json(s, which, n), *returned = NULL;
  *n_out = 0;
  *out = NULL;
  int rc = cl_vm_flush(s->t->vm, offsets, &returned, err);
  const json_t *list = returned ? returned : offsets;
  if (rc == 0 && !json_is_array(list) && json_object_size(list) > 0)
    rc = cl_err_set(err, CL_ELUA, "flush returned a table that is not a list of {topic, partition, offset}");
  if (rc == 0) {
    *out = calloc(json_array_size(list) + 1, sizeof(**out));
    size_t i;
    json_t *item;
    if (*out)
      json_array_foreach (list, i, item)
        accept_offset(s, item, which, n, *out, n_out);
    else
      rc = cl_err_set(err, CL_ENOMEM, "no memory to commit offsets");
  }
  json_decref(offsets);
  json_decref(returned);
  return rc;
}

/* ------------------------------------------------------------- positions move */

/* Records of a partition that goes away, or is read again, leave the batch that waits for
 * redelivery. They lose their slot too: their offsets must not move it any more. */
static void drop_from_batch(struct cl_sink *s, uint32_t slot) {
  for (uint32_t i = 0; s->batch && i < s->batch->n; i++) {
    if (s->batch->records[i].slot == slot) {
      s->batch->records[i].state = CL_RECORD_DROPPED;
      s->batch->records[i].slot = CL_SLOT_NONE;
    }
  }
}

/* A commit's answer that comes late says nothing about a position that has moved since. */
static void forget_inflight(struct cl_sink *s, uint32_t slot) {
  for (size_t i = 0; i < s->n_inflight; i++) {
    if (s->inflight[i].slot == slot)
      s->inflight[i].slot = CL_SLOT_NONE;
  }
}

/* The next record put of this partition is the one at offset. */
static int move_to(struct cl_sink *s, uint32_t which, int64_t offset, struct cl_err *err) {
  uint32_t all;
  struct cl_slot *slot = &slots_of(s, &all)[which];
  forget_inflight(s, which);
  drop_from_batch(s, which);
  slot->current = slot->committed = offset;
  return cl_consumer_seek(s->t->consumer, which, offset, err);
}

/* -------------------------------------------------------- asynchronous commits */

static void end_commit(struct cl_sink *s, bool ok) {
  s->committing = false;
  s->moved = true;
  cl_task_count_commit(s->t, s->commit_began_us, ok);
}

void cl_sink_committed(void *arg, uint64_t seq, int code, const char *text) {
  struct cl_sink *s = arg;
  if (s->closed || seq != s->commit_seq || !s->committing) {
    cl_stats_meter(s->t->conf.stats, CL_METER_COMMIT_SKIP, 1, cl_now_ms());
    return; /* a late answer: the consumer is closing, or a newer commit is under way */
  }
  end_commit(s, code == 0);
  if (code != 0) {
    CL_LOG(CL_ERROR, "commit of sink offsets failed, it is tried again at the next one: %s", text);
    return;
  }
  uint32_t all;
  struct cl_slot *slots = slots_of(s, &all);
  for (size_t i = 0; i < s->n_inflight; i++) {
    if (s->inflight[i].slot != CL_SLOT_NONE)
      slots[s->inflight[i].slot].committed = s->inflight[i].offset;
  }
  CL_LOG(CL_DEBUG, "committed the offsets of %zu partitions", s->n_inflight);
}

/* flush failed: what it has not made safe is read again, a batch that put has refused after it.
 * (Apache puts that one first, and then counts what came before it as safe.) */
static int rewind_to_committed(struct cl_sink *s, const uint32_t *which, size_t n, struct cl_err *err) {
  uint32_t all;
  struct cl_slot *slots = slots_of(s, &all);
  for (size_t i = 0; i < n; i++) {
    const struct cl_slot *slot = &slots[which[i]];
    if (slot->committed >= 0 && slot->current != slot->committed &&
        move_to(s, which[i], slot->committed, err) != 0)
      return err->code;
  }
  return 0;
}

static int commit_async(struct cl_sink *s, struct cl_err *err) {
  struct cl_err flush_err;
  size_t n, n_commits;
  struct cl_commit *commits = NULL;
  uint32_t *which = cl_sink_assignment(s, &n);
  int rc = 0;
  if (!which || n == 0)
    goto out;
  s->commit_began_us = cl_now_us();
  cl_stats_set(s->t->conf.stats, CL_STAT_COMMIT_SEQ, (int64_t)++s->commit_seq);
  if (pre_commit(s, which, n, &commits, &n_commits, &flush_err) != 0) {
    CL_LOG(CL_ERROR, "flush failed, reading goes back to the last committed offsets: %s", flush_err.msg);
    end_commit(s, false);
    rc = rewind_to_committed(s, which, n, err);
    goto out;
  }
  if (n_commits == 0) {
    cl_task_count_commit(s->t, s->commit_began_us, true); /* counts, as in Apache */
    goto out;
  }
  free(s->inflight);
  s->inflight = commits;
  s->n_inflight = n_commits;
  commits = NULL;
  s->commit_started = cl_now_ms();
  s->committing = true;
  if (cl_consumer_commit(s->t->consumer, s->inflight, n_commits, s->commit_seq, &flush_err) != 0) {
    end_commit(s, false);
    CL_LOG(CL_ERROR, "commit of sink offsets failed, it is tried again at the next one: %s", flush_err.msg);
  }
out:
  free(commits);
  free(which);
  return rc;
}

int cl_sink_commit_if_due(struct cl_sink *s, struct cl_err *err) {
  int64_t now = cl_now_ms();
  if (s->committing && now - s->commit_started > s->t->conf.offset_flush_timeout_ms) {
    CL_LOG(CL_WARN, "commit of sink offsets got no answer for %lld ms; it counts as failed",
           (long long)(now - s->commit_started));
    end_commit(s, false);
  }
  if (s->committing || (!s->commit_requested && now < s->next_commit))
    return 0;
  s->commit_requested = false;
  s->next_commit = now + s->t->conf.offset_flush_interval_ms;
  return commit_async(s, err);
}

/* ------------------------------------------------- partitions coming and going */

/* Then it must not wait itself into being given up. */
static bool at_the_end(const struct cl_sink *s) { return s->ending || cl_task_stopping(s->t); }

/* Half of the time: letters that are stuck leave the commit its own. */
static void await_letters(struct cl_sink *s) {
  struct cl_err err;
  int64_t ms = at_the_end(s) ? cl_task_final_wait(s->t) / 2 : REBALANCE_LETTERS_MS;
  if (s->policy.letters && cl_letters_flush(s->policy.letters, ms, &err) != 0)
    CL_LOG(CL_ERROR, "%s; records from there on will be delivered again", err.msg);
}

int cl_sink_close_slots(struct cl_sink *s, const uint32_t *which, size_t n, struct cl_err *err) {
  struct cl_err flush_err;
  struct cl_commit *commits = NULL;
  size_t n_commits = 0;
  await_letters(s);
  int64_t began = cl_now_us();
  bool flushed = pre_commit(s, which, n, &commits, &n_commits, &flush_err) == 0;
  if (!flushed)
    CL_LOG(CL_WARN, "flush failed while closing partitions; nothing is committed for them: %s",
           flush_err.msg);
  json_t *parts = partitions_json(s, which, n);
  int rc = cl_vm_close(s->t->vm, parts, err);
  json_decref(parts);
  int64_t wait = at_the_end(s) ? cl_task_final_wait(s->t) : REBALANCE_COMMIT_MS;
  bool ok = n_commits == 0 ||
            cl_consumer_commit_sync(s->t->consumer, commits, n_commits, wait, &flush_err) == 0;
  cl_task_count_commit(s->t, began, ok && flushed);
  if (!ok)
    CL_LOG(CL_ERROR, "final commit of sink offsets failed, their records will be delivered again: %s",
           flush_err.msg);
  free(commits);
  return rc;
}

int cl_sink_assigned(void *arg, const uint32_t *which, size_t n, struct cl_err *err) {
  struct cl_sink *s = arg;
  uint32_t all;
  struct cl_slot *slots = slots_of(s, &all);
  for (size_t i = 0; i < n; i++) {
    struct cl_slot *slot = &slots[which[i]];
    slot->current = slot->committed = slot->start;
    slot->paused = slot->paused_by_task = false;
  }
  s->moved = true;
  if (n == 0 || s->closed)
    return 0;
  json_t *parts = partitions_json(s, which, n);
  int rc = cl_vm_open(s->t->vm, parts, err);
  json_decref(parts);
  /* Nothing is fetched yet: rewinds move where reading begins, pauses hold from the start. */
  if (rc == 0)
    rc = cl_sink_apply_rewinds(s, err);
  return rc != 0 ? rc : cl_sink_apply_pauses(s, err);
}

int cl_sink_revoked(void *arg, const uint32_t *which, size_t n, bool lost, struct cl_err *err) {
  struct cl_sink *s = arg;
  if (n == 0 || s->closed)
    return 0;
  int rc;
  if (lost) {
    CL_LOG(CL_WARN, "%zu partitions were lost to another member; their last records may be delivered twice",
           n);
    json_t *parts = partitions_json(s, which, n);
    rc = cl_vm_close(s->t->vm, parts, err);
    json_decref(parts);
  } else {
    rc = cl_sink_close_slots(s, which, n, err);
  }
  uint32_t all;
  struct cl_slot *slots = slots_of(s, &all);
  for (size_t i = 0; i < n; i++) {
    forget_inflight(s, which[i]);
    drop_from_batch(s, which[i]);
    if (s->policy.letters)
      cl_letters_past(s->policy.letters, which[i]);
    slots[which[i]].current = slots[which[i]].committed = -1;
  }
  s->moved = true;
  return rc;
}

int cl_sink_apply_rewinds(struct cl_sink *s, struct cl_err *err) {
  uint32_t all;
  struct cl_slot *slots = slots_of(s, &all);
  int rc = 0;
  if (all == 0)
    return 0; /* asked for in start: kept until partitions come */
  for (size_t i = 0; i < s->n_rewinds; i++) {
    struct rewind *r = &s->rewinds[i];
    const struct cl_slot *slot = cl_sink_find_slot(s, r->topic, r->partition);
    if (!slot)
      CL_LOG(CL_WARN, "%s-%d is not rewound: it is not assigned to this task", r->topic, (int)r->partition);
    else if (rc == 0)
      rc = move_to(s, (uint32_t)(slot - slots), r->offset, err);
    free(r->topic);
  }
  s->n_rewinds = 0;
  return rc;
}

int cl_sink_apply_pauses(struct cl_sink *s, struct cl_err *err) {
  uint32_t n;
  struct cl_slot *slots = slots_of(s, &n);
  s->repause = false;
  for (uint32_t i = 0; i < n; i++) {
    struct cl_slot *slot = &slots[i];
    if (!slot->assigned)
      continue;
    bool want = s->redelivering || s->connector_paused || slot->paused_by_task;
    if (want == slot->paused)
      continue;
    int rc = want ? cl_consumer_pause(s->t->consumer, i, err) : cl_consumer_resume(s->t->consumer, i, err);
    if (rc != 0)
      return rc;
    slot->paused = want;
  }
  return 0;
}
