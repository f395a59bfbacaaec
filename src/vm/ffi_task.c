/* SPDX-License-Identifier: Apache-2.0
 * The cl_ffi_* functions about the task and its batches; files are in reader.c and
 * writer.c, values and codecs in src/record. Thread: the task's. */
#include "vm/internal.h"

#include "base/clock.h"
#include "base/secrets.h"
#include "record/batch.h"
#include "record/codec.h"
#include "record/space.h"

#include <stdlib.h>
#include <string.h>

/* --------------------------------------------------------------------- task */

static void plugin_ends(struct cl_vm_task *t) {
  if (t->plugin_began_us)
    t->plugin_us = cl_now_us() - t->plugin_began_us;
  t->plugin_began_us = 0;
}

void cl_ffi_task_verb(struct cl_vm_task *t, enum cl_verb verb) {
  plugin_ends(t);
  t->verb = verb;
  cl_stats_at(t->stats, CL_SLOT_CONNECTOR);
  if (verb == CL_VERB_NONE)
    cl_stats_leave(t->stats);
  else
    cl_stats_enter(t->stats, verb, cl_now_ms());
}

_Static_assert(sizeof(_Atomic int32_t) == sizeof(int32_t), "Lua stores it");
int32_t *cl_ffi_at(void *task) {
  struct cl_vm_task *t = task;
  return t && t->stats ? (int32_t *)&t->stats->at : NULL;
}

void cl_ffi_phase(void *task, int plugin) {
  struct cl_vm_task *t = task;
  if (!t)
    return;
  plugin_ends(t);
  if (plugin)
    t->plugin_began_us = cl_now_us();
}

/* Who sleeps here is not stuck: it wakes when it is asked to stop. A task that is being set up has nothing to
 * serve yet. */
int cl_ffi_sleep(void *task, int64_t ms) {
  struct cl_vm_task *t = task;
  if (!t || !t->ops || !t->ops->sleep)
    return 0;
  if (t->verb == CL_VERB_LOAD)
    return cl_ffi_stopping(task);
  cl_stats_leave(t->stats);
  int stop = t->ops->sleep(t->opaque, ms);
  cl_stats_enter(t->stats, t->verb, cl_now_ms());
  return stop;
}

int cl_ffi_stopping(void *task) {
  const struct cl_vm_task *t = task;
  return t && t->ops && t->ops->stopping && t->ops->stopping(t->opaque);
}

/* ------------------------------------------------------------------ metrics */

/* Names are shown, and no name is worth a secret. */
static bool holds_secret(const char *name) {
  char *hidden = cl_secrets_hidden(name);
  bool holds = !hidden || strcmp(hidden, name) != 0;
  free(hidden);
  return holds;
}

int cl_ffi_metric(void *task, const char *name, int gauge) {
  struct cl_vm_task *t = task;
  if (holds_secret(name))
    return -2;
  return t && t->stats ? cl_stats_named(t->stats, name, gauge != 0) : 0;
}

void cl_ffi_metric_add(void *task, int metric, double n) {
  struct cl_vm_task *t = task;
  if (t && t->stats)
    cl_stats_named_add(t->stats, metric, n);
}

void cl_ffi_metric_set(void *task, int metric, double value) {
  struct cl_vm_task *t = task;
  if (t && t->stats)
    cl_stats_named_set(t->stats, metric, value);
}

/* ------------------------------------------------------------------ batches */

static int no_memory(void) { return cl_err_set(cl_ffi_err(), CL_ENOMEM, "no memory left in the batch"); }

/* Encoding takes as much again, and batches wait for their delivery reports. */
enum { FULL_BYTES = 8 << 20 };

int cl_ffi_batch_full(const struct cl_batch *batch) {
  return batch->n >= batch->cap || cl_arena_used(batch->arena) >= FULL_BYTES;
}

struct cl_record *cl_ffi_emit(struct cl_batch *batch) {
  struct cl_record *rec = cl_batch_add(batch);
  if (rec) {
    rec->orig_partition = -1;
    rec->offset = -1;
    rec->key.val.kind = rec->value.val.kind = rec->source_offset.kind = CL_NULL;
  }
  return rec;
}

void cl_ffi_emit_undo(struct cl_batch *batch) { cl_batch_drop_last(batch); }

int cl_ffi_put_str(struct cl_batch *batch, struct cl_str *out, const char *s, uint32_t len) {
  const char *copy = cl_arena_copy(batch->arena, s, len);
  if (!copy)
    return no_memory();
  *out = (struct cl_str){copy, len};
  return 0;
}

struct cl_header *cl_ffi_headers(struct cl_batch *batch, struct cl_record *rec, uint32_t n) {
  rec->headers = cl_arena_zalloc(batch->arena, (size_t)n * sizeof(*rec->headers));
  rec->n_headers = rec->cap_headers = rec->headers ? n : 0;
  if (!rec->headers)
    no_memory();
  return rec->headers;
}

int cl_ffi_batch_live(struct cl_batch *batch) {
  uint32_t live = 0;
  for (uint32_t i = 0; i < batch->n; i++)
    live += batch->records[i].state == CL_RECORD_LIVE;
  if (live == batch->n) {
    batch->live = NULL;
    return 0;
  }
  /* At most n, so that later calls of a batch that is put again fit. */
  if (!batch->live)
    batch->live = cl_arena_alloc(batch->arena, batch->n * sizeof(struct cl_record *));
  if (!batch->live)
    return no_memory();
  batch->n_live = 0;
  for (uint32_t i = 0; i < batch->n; i++) {
    if (batch->records[i].state == CL_RECORD_LIVE)
      batch->live[batch->n_live++] = &batch->records[i];
  }
  return 0;
}

/* Appended when it is the last, as the failures of one stage are. */
static void insert_failure(struct cl_batch *batch, struct cl_failure *f) {
  struct cl_failure **at = &batch->failures;
  if (batch->last_failure && batch->last_failure->record < f->record)
    at = &batch->last_failure->next;
  while (*at && (*at)->record < f->record)
    at = &(*at)->next;
  f->next = *at;
  *at = f;
  if (!f->next)
    batch->last_failure = f;
}

int cl_ffi_fail(struct cl_record *rec, const char *stage, const char *plugin, const char *exception,
                const char *message, const char *trace) {
  const char *texts[] = {stage, plugin, exception, message, trace};
  struct cl_failure *f = cl_arena_zalloc(rec->batch->arena, sizeof(*f));
  for (size_t i = 0; f && i < sizeof(texts) / sizeof(*texts); i++)
    if (!(texts[i] = cl_arena_copy(rec->batch->arena, texts[i], strlen(texts[i]))))
      return no_memory();
  if (!f)
    return no_memory();
  *f = (struct cl_failure){.record = rec,
                           .stage = texts[0],
                           .plugin = texts[1],
                           .exception = texts[2],
                           .message = texts[3],
                           .trace = texts[4]};
  insert_failure(rec->batch, f);
  return 0;
}

/* Deep, as transforms change containers in place. */
static int copy_values(struct cl_batch *batch, struct cl_record *rec) {
  if (cl_ffi_copy(batch, &rec->key.val, &rec->key.val) != 0 ||
      cl_ffi_copy(batch, &rec->value.val, &rec->value.val) != 0)
    return cl_ffi_error_code();
  rec->cap_headers = rec->n_headers; /* the room behind them is the other's */
  if (!rec->n_headers)
    return 0;
  struct cl_header *headers = cl_arena_alloc(batch->arena, rec->n_headers * sizeof(*headers));
  if (!headers)
    return no_memory();
  memcpy(headers, rec->headers, rec->n_headers * sizeof(*headers));
  rec->headers = headers;
  for (uint32_t i = 0; i < rec->n_headers; i++) {
    if (cl_ffi_copy(batch, &headers[i].d.val, &headers[i].d.val) != 0)
      return cl_ffi_error_code();
  }
  return 0;
}

int cl_ffi_batch_keep_emitted(struct cl_batch *batch) {
  if (batch->n == 0)
    return 0;
  struct cl_record *emitted = cl_arena_alloc(batch->arena, batch->n * sizeof(*emitted));
  if (!emitted)
    return no_memory();
  memcpy(emitted, batch->records, batch->n * sizeof(*emitted));
  for (uint32_t i = 0; i < batch->n; i++) {
    if (copy_values(batch, &emitted[i]) != 0)
      return cl_ffi_error_code();
  }
  batch->emitted = emitted;
  return 0;
}

void cl_ffi_batch_ref(struct cl_batch *batch) { cl_batch_ref(batch); }

void cl_ffi_batch_unref(struct cl_batch *batch) { cl_batch_unref(batch); }
