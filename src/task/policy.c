/* SPDX-License-Identifier: Apache-2.0
 *
 * Retries, reports of failed records, and the context headers of dead letters. Names and texts that
 * people's tools look for are Apache's (LogReporter, DeadLetterQueueReporter).
 * Thread: the task's. May include floors 4-0.
 */
#define CL_COMPONENT "errors"
#include "task/policy.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/secrets.h"
#include "record/codec.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  FIRST_PAUSE_MS = 300,
  LAST_DOUBLING = 40,
  ROOM_SLICE_MS = 50,
  SHOWN_BYTES = 64, /* of a value, in the log */
  CONTEXT_MAX = 10
};

/* ------------------------------------------------------------------------ retries */

int64_t cl_policy_delay(const struct cl_task_errors *e, uint32_t attempt, int64_t since, int64_t now,
                        uint64_t random) {
  int64_t deadline = e->retry_timeout_ms >= 0 && e->retry_timeout_ms < INT64_MAX - since
                         ? since + e->retry_timeout_ms
                         : INT64_MAX;
  if (now >= deadline)
    return -1;
  int64_t pause = INT64_MAX, cap = e->retry_delay_max_ms > 0 ? e->retry_delay_max_ms : 0;
  if (attempt <= LAST_DOUBLING)
    pause = (int64_t)FIRST_PAUSE_MS << (attempt - 1);
  if (pause > cap)
    pause = cap ? (int64_t)(random % (uint64_t)cap) : 0;
  return pause > deadline - now ? deadline - now : pause;
}

int cl_policy_retry(struct cl_policy *p, uint32_t attempt, int64_t since,
                    int (*sleep)(void *task, int64_t ms), void *task) {
  int64_t now = cl_now_ms();
  uint64_t random = (uint64_t)arc4random() << 32 | arc4random();
  int64_t pause = cl_policy_delay(&p->t->conf.errors, attempt, since, now, random);
  cl_stats_add(p->t->conf.stats, CL_STAT_RECORD_FAILURES, 1);
  if (pause < 0)
    return 0;
  for (int64_t until = now + pause; now < until; now = cl_now_ms()) /* a sleep may end early */
    if (sleep(task, until - now))
      return -1;
  if (cl_task_stopping(p->t))
    return -1;
  cl_stats_add(p->t->conf.stats, CL_STAT_RETRIES, 1);
  return 1;
}

/* ---------------------------------------------------------------------------- log */

/* The exception as Java prints it, without secrets; malloc'd. */
static char *stack_trace(const struct cl_failure *f) {
  struct cl_buf text = {0};
  cl_buf_str(&text, f->exception);
  if (f->message)
    cl_buf_fmt(&text, ": %s", f->message);
  if (*f->trace)
    cl_buf_fmt(&text, "\n%s", f->trace);
  char *all = cl_buf_take(&text), *hidden = all ? cl_secrets_hidden(all) : NULL;
  free(all);
  return hidden;
}

static void show_bytes(struct cl_buf *out, const char *name, struct cl_str s) {
  cl_buf_fmt(out, "\n%s: %" PRIu32 " bytes", name, s.len);
  if (!s.p || !s.len)
    return;
  uint32_t n = s.len < SHOWN_BYTES ? s.len : SHOWN_BYTES;
  cl_buf_str(out, ": ");
  for (uint32_t i = 0; i < n; i++) {
    unsigned char c = (unsigned char)s.p[i];
    if (c >= ' ' && c < 0x7f)
      cl_buf_char(out, (char)c);
    else
      cl_buf_fmt(out, "\\x%02x", c);
  }
  cl_buf_str(out, n < s.len ? "..." : "");
}

static void describe_consumed(struct cl_buf *out, const struct cl_record *rec) {
  cl_buf_str(out, ", where consumed record is {topic='");
  cl_buf_add(out, rec->orig_topic.p, rec->orig_topic.len);
  cl_buf_fmt(out, "', partition=%" PRId32 ", offset=%" PRId64, rec->orig_partition, rec->offset);
  if (rec->timestamp_type)
    cl_buf_fmt(out, ", timestamp=%" PRId64 ", timestampType=%s", rec->orig_timestamp,
               rec->timestamp_type == 1 ? "CreateTime" : "LogAppendTime");
  cl_buf_char(out, '}');
}

/* What a converter was given, so that a wrong one is seen at a glance. */
static void describe_bytes(struct cl_buf *out, const struct cl_failure *f, bool contents) {
  bool key = strcmp(f->stage, "KEY_CONVERTER") == 0;
  if (!key && strcmp(f->stage, "VALUE_CONVERTER") != 0)
    return;
  struct cl_str bytes = key ? f->record->key.bytes : f->record->value.bytes;
  cl_buf_fmt(out, "\nThe %s %s.", key ? "key" : "value", cl_ffi_guess(bytes));
  if (contents)
    show_bytes(out, key ? "Key" : "Value", bytes);
}

static bool is_sink(const struct cl_policy *p) {
  return p->t->conf.parts.plugin.plugin->kind == CL_PLUGIN_SINK;
}

static void log_case(struct cl_policy *p, const struct cl_case *c, const struct cl_buf *emitted) {
  const struct cl_failure *f = c->failure;
  bool contents = p->t->conf.errors.log_messages;
  struct cl_buf text = {0};
  cl_buf_fmt(&text, "Error encountered in task %s-%d. Executing stage '%s' with class '%s'",
             p->t->conf.connector, p->t->conf.id, f->stage, f->plugin);
  if (contents && is_sink(p))
    describe_consumed(&text, f->record);
  else if (contents && emitted->p)
    cl_buf_fmt(&text, ", where source record is = %s", emitted->p);
  cl_buf_char(&text, '.');
  if (is_sink(p))
    describe_bytes(&text, f, contents);
  char *trace = f->exception ? stack_trace(f) : NULL;
  CL_LOG(CL_ERROR, "%s%s%s", text.p ? text.p : "", trace ? "\n" : "", trace ? trace : "");
  cl_stats_add(p->t->conf.stats, CL_STAT_ERRORS_LOGGED, 1);
  free(trace);
  cl_buf_free(&text);
}

/* ------------------------------------------------------------------- dead letters */

struct context { /* of one letter: its headers and the texts they point at */
  struct cl_header *headers;
  uint32_t n;
  char partition[16], offset[24], task[16];
  char *message, *trace;
};

static struct cl_str text_of(const char *s) { return (struct cl_str){s, s ? (uint32_t)strlen(s) : 0}; }

static void add(struct context *x, const char *name, struct cl_str value) {
  x->headers[x->n++] = (struct cl_header){.name = text_of(name), .d = {.bytes = value}};
}

static void add_position(struct context *x, const struct cl_record *rec, bool sink) {
  add(x, "__connect.errors.topic", rec->orig_topic);
  if (!sink) /* Kafka has given it no place: the letter tells the source's */
    return;
  snprintf(x->partition, sizeof(x->partition), "%" PRId32, rec->orig_partition);
  snprintf(x->offset, sizeof(x->offset), "%" PRId64, rec->offset);
  add(x, "__connect.errors.partition", text_of(x->partition));
  add(x, "__connect.errors.offset", text_of(x->offset));
}

static int add_exception(struct context *x, const struct cl_failure *f, struct cl_err *err) {
  if (!f->exception)
    return 0;
  x->message = f->message ? cl_secrets_hidden(f->message) : NULL;
  x->trace = stack_trace(f);
  if (!x->trace || (f->message && !x->message))
    return cl_err_set(err, CL_ENOMEM, "no memory for a dead letter");
  add(x, "__connect.errors.exception.class.name", text_of(f->exception));
  add(x, "__connect.errors.exception.message", text_of(x->message));
  add(x, "__connect.errors.exception.stacktrace", text_of(x->trace));
  return 0;
}

static int add_context(struct cl_policy *p, const struct cl_failure *f, struct context *x,
                       struct cl_err *err) {
  snprintf(x->task, sizeof(x->task), "%d", p->t->conf.id);
  add_position(x, f->record, is_sink(p));
  add(x, "__connect.errors.connector.name", text_of(p->t->conf.connector));
  add(x, "__connect.errors.task.id", text_of(x->task));
  add(x, "__connect.errors.stage", text_of(f->stage));
  add(x, "__connect.errors.class.name", text_of(f->plugin));
  return add_exception(x, f, err);
}

/* A sink waits here; a source looks for room before it reports, since it has acknowledgements to serve. */
static int wait_for_room(struct cl_policy *p, struct cl_err *err) {
  while (is_sink(p) && cl_letters_full(p->letters)) {
    if (cl_letters_poll(p->letters, ROOM_SLICE_MS, err) != 0)
      return err->code;
    if (cl_task_stopping(p->t))
      return cl_err_set(err, CL_ESTOPPED, "asked to stop before a dead letter could be sent");
  }
  return 0;
}

static int write_letter(struct cl_policy *p, const struct cl_case *c, const struct cl_buf *emitted,
                        struct cl_err *err) {
  struct cl_record *rec = c->failure->record;
  uint32_t n = is_sink(p) ? rec->n_orig_headers : 0;
  struct context x = {.headers = calloc(n + CONTEXT_MAX, sizeof(struct cl_header)), .n = n};
  if (!x.headers)
    return cl_err_set(err, CL_ENOMEM, "no memory for a dead letter");
  if (n)
    memcpy(x.headers, rec->orig_headers, n * sizeof(*x.headers));
  int rc = p->t->conf.errors.letters_headers ? add_context(p, c->failure, &x, err) : 0;
  struct cl_letter letter = {.headers = x.headers,
                             .n_headers = x.n,
                             .timestamp = rec->orig_timestamp,
                             .slot = rec->slot,
                             .offset = rec->offset,
                             .origin = c->origin};
  if (is_sink(p)) {
    letter.key = rec->key.bytes;
    letter.value = rec->value.bytes;
  } else {
    letter.value = (struct cl_str){emitted->p, (uint32_t)emitted->len};
    letter.timestamp = INT64_MIN;
  }
  if (rc == 0)
    rc = wait_for_room(p, err);
  if (rc == 0)
    rc = cl_letters_put(p->letters, &letter, err);
  free(x.message);
  free(x.trace);
  free(x.headers);
  return rc;
}

/* ------------------------------------------------------------------------ reports */

int cl_policy_report(struct cl_policy *p, const struct cl_case *c, struct cl_err *err) {
  const struct cl_task_errors *e = &p->t->conf.errors;
  struct cl_stats *stats = p->t->conf.stats;
  struct cl_buf emitted = {0};
  int rc = 0;
  const char *exception = c->failure->exception;
  if (!exception || strcmp(exception, CL_JAVA_RETRIABLE) != 0) /* those are counted as they are tried */
    cl_stats_add(stats, CL_STAT_RECORD_FAILURES, 1);
  cl_stats_add(stats, CL_STAT_RECORD_ERRORS, 1);
  cl_stats_add(stats, CL_STAT_RECORDS_SKIPPED, c->skipped);
  cl_stats_set(stats, CL_STAT_LAST_ERROR_MS, cl_wall_ms());
  if (!is_sink(p) && (p->letters || (e->log && e->log_messages)))
    rc = cl_policy_emitted(p, c->failure->record, c->partition, &emitted, err);
  if (rc == 0 && e->log)
    log_case(p, c, &emitted);
  if (rc == 0 && p->letters)
    rc = write_letter(p, c, &emitted, err);
  cl_buf_free(&emitted);
  return rc;
}

int cl_policy_report_batch(struct cl_policy *p, struct cl_batch *b, struct cl_err *err) {
  const struct cl_record *end = b->records + b->n; /* the one that ended the batch */
  int rc = 0;
  for (struct cl_failure *f = b->failures; rc == 0 && f && f->record <= end; f = f->next)
    rc = cl_policy_report(p, &(struct cl_case){.failure = f, .skipped = p->t->conf.errors.tolerate}, err);
  b->failures = b->last_failure = NULL;
  return rc;
}

int cl_policy_poll(struct cl_policy *p, struct cl_err *err) {
  return p->letters ? cl_letters_poll(p->letters, 0, err) : 0;
}

/* ----------------------------------------------------------------- open and close */

int cl_policy_open(struct cl_task *t, struct cl_policy *p, struct cl_err *err) {
  *p = (struct cl_policy){.t = t};
  return t->conf.errors.letters ? cl_letters_open(t, &p->letters, err) : 0;
}

void cl_policy_close(struct cl_policy *p) {
  cl_letters_close(p->letters);
  p->letters = NULL;
  if (p->json)
    cl_json_free(p->json);
  p->json = NULL;
}
