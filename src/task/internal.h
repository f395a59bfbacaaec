/* SPDX-License-Identifier: Apache-2.0
 *
 * What task.c, source.c and sink*.c share. Everything but the atomics and what `lock`
 * guards belongs to the task's own thread.
 */
#pragma once

#include "task/task.h"

#include "record/ack.h"
#include "record/batch.h"
#include "record/space.h"
#include "vm/vm.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

struct cl_consumer;
struct cl_producer;

struct cl_task {
  struct cl_task_conf conf; /* own copies and references; stats is never NULL; parts are the thread's alone */
  char *class;              /* of its connector, at birth: for the herder */
  pthread_t thread;
  struct cl_secrets *secrets; /* a reference: whom its thread works for */

  pthread_mutex_t lock; /* guards wake-ups and the clients' lifetime against the herder */
  pthread_cond_t wake;
  atomic_bool stop, pause, abandoned;
  bool ended;                   /* under lock */
  struct cl_task *next_zombie;  /* task.c */
  struct cl_consumer *consumer; /* written under lock by the task, read by the herder under lock */
  struct cl_producer *producer, *letters_producer;
  struct cl_vm *vm;
  struct cl_consumer *leaving; /* the herder's: of a task that is given up, until it has left its group */

  int64_t end_by; /* when ending has waited for Kafka long enough; 0 = it has not begun to */

  struct cl_arena_budget budget;
  struct cl_space *space;
  struct cl_batch_pool *pool;

  struct cl_str last_topic; /* told of last; p points into topic_text */
  char topic_text[256];     /* Kafka's names end at 249 bytes */
  json_t *topics;           /* told of, as keys */
  atomic_bool forget_topics;

  _Atomic(struct cl_task_parts *) next; /* left by the herder, or NULL */
  struct cl_task_parts *renewal;        /* taken, to be run; the task's */
  struct cl_task_parts *offered;        /* the one before that: of it what does not run was refused */
};

/* Waits up to ms, or until the task is asked to stop or is no longer `paused` as the caller saw it. */
void cl_task_wait(struct cl_task *t, int64_t ms, bool paused);

/* Milliseconds that ending may still wait for Kafka: one time for all its waits, which the first call begins.
 */
int64_t cl_task_final_wait(struct cl_task *t);

static inline bool cl_task_stopping(struct cl_task *t) {
  return atomic_load_explicit(&t->stop, memory_order_relaxed);
}
static inline bool cl_task_paused(struct cl_task *t) {
  return atomic_load_explicit(&t->pause, memory_order_relaxed);
}
/* Ends whatever wait the task's thread is in, but no system call of a plugin. @thread any */
void cl_task_wake(struct cl_task *t);

/* renew.c: other plugins are to run. One load where nothing has changed. */
void cl_task_parts_free(struct cl_task_parts *p);
bool cl_task_renewal_take(struct cl_task *t, bool *connector);
static inline bool cl_task_renewal(struct cl_task *t, bool *connector) {
  return (t->renewal || atomic_load_explicit(&t->next, memory_order_relaxed)) &&
         cl_task_renewal_take(t, connector);
}
/* Takes them over, between two batches. */
void cl_task_renew_now(struct cl_task *t);

void cl_task_report(struct cl_task *t, enum cl_state state, const char *trace);
/* topics.c: tells conf.topic of a topic that is new. */
void cl_task_new_topic(struct cl_task *t, struct cl_str topic);
/* For every record: the same topic as before costs a comparison. */
static inline void cl_task_saw_topic(struct cl_task *t, struct cl_str topic) {
  if (!t->conf.topic || (topic.len == t->last_topic.len && memcmp(topic.p, t->last_topic.p, topic.len) == 0 &&
                         !atomic_load_explicit(&t->forget_topics, memory_order_relaxed)))
    return;
  cl_task_new_topic(t, topic);
}
/* count.c: what metrics show, written here alone. */
void cl_task_count_commit(struct cl_task *t, int64_t began_us, bool ok);
void cl_task_count_call(struct cl_task *t); /* the plugin's poll or put has returned */
void cl_task_count_active(struct cl_task *t, int64_t n);
void cl_task_count_memory(struct cl_task *t);

/* Makes the Lua state with the ops of this kind of task. */
int cl_task_make_vm(struct cl_task *t, const struct cl_vm_ops *ops, void *opaque, struct cl_err *err);

/* The two kinds of task: run until stopped (0) or failed. Both leave nothing open. */
int cl_source_run(struct cl_task *t, struct cl_err *err);
int cl_sink_run(struct cl_task *t, struct cl_err *err);
