/* SPDX-License-Identifier: Apache-2.0
 *
 * A task's thread from birth to end, and the herder's side of the stop ladder: ask, wait,
 * interrupt, abandon. May include floors 4-0.
 */
#define CL_COMPONENT "task"
#include "task/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/secrets.h"
#include "kafka/consumer.h"
#include "kafka/producer.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
  STACK_BYTES = 4 << 20, /* virtual; the sandbox keeps plugins well below it */
  UNSEEN_WINDOW_MS = 30000,
  INTERRUPT_GRACE_MS = 500, /* between the Lua hook and giving the thread up */
  LEAVE_MS = 1000,          /* what giving tasks up waits for their groups to be left */
  LEAVE_SLICE_MS = 10,
  SOURCE_BATCH = 4096, /* records of one poll; full means poll should return */
  WAKE_SIGNAL = SIGURG /* ignored by default; ours has an empty handler, no SA_RESTART */
};

/* Given up and still running; under zombies_lock. */
static pthread_mutex_t zombies_lock = PTHREAD_MUTEX_INITIALIZER;
static struct cl_task *zombies;

static void zombies_add(struct cl_task *t) {
  pthread_mutex_lock(&zombies_lock);
  t->next_zombie = zombies;
  zombies = t;
  pthread_mutex_unlock(&zombies_lock);
}

static void zombies_remove(struct cl_task *t) {
  pthread_mutex_lock(&zombies_lock);
  struct cl_task **at = &zombies;
  while (*at != t)
    at = &(*at)->next_zombie;
  *at = t->next_zombie;
  pthread_mutex_unlock(&zombies_lock);
}

int cl_task_abandoned_total(void) {
  int n = 0;
  pthread_mutex_lock(&zombies_lock);
  for (const struct cl_task *t = zombies; t; t = t->next_zombie)
    n++;
  pthread_mutex_unlock(&zombies_lock);
  return n;
}

bool cl_task_abandoned_of(const char *connector) {
  bool found = false;
  pthread_mutex_lock(&zombies_lock);
  for (const struct cl_task *t = zombies; t && !found; t = t->next_zombie)
    found = strcmp(t->conf.connector, connector) == 0;
  pthread_mutex_unlock(&zombies_lock);
  return found;
}

const char *cl_state_name(enum cl_state s) {
  static const char *const names[] = {"UNASSIGNED", "RUNNING", "PAUSED", "FAILED", "RESTARTING", "STOPPED"};
  return names[s];
}

/* ------------------------------------------------------------ the task's side */

void cl_task_report(struct cl_task *t, enum cl_state state, const char *trace) {
  cl_stats_state(t->conf.stats, state, cl_now_ms());
  if (!atomic_load(&t->abandoned))
    t->conf.status(t->conf.arg, t->conf.id, t->conf.generation, state, trace);
}

void cl_task_wait(struct cl_task *t, int64_t ms, bool paused) {
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += ms / 1000;
  until.tv_nsec += (ms % 1000) * 1000000;
  if (until.tv_nsec >= 1000000000) {
    until.tv_sec++;
    until.tv_nsec -= 1000000000;
  }
  pthread_mutex_lock(&t->lock);
  while (!cl_task_stopping(t) && cl_task_paused(t) == paused) {
    if (pthread_cond_timedwait(&t->wake, &t->lock, &until) == ETIMEDOUT)
      break;
  }
  pthread_mutex_unlock(&t->lock);
}

int64_t cl_task_final_wait(struct cl_task *t) {
  int64_t now = cl_now_ms();
  if (t->end_by == 0)
    t->end_by = now + t->conf.final_wait_ms;
  return t->end_by > now ? t->end_by - now : 0;
}

int cl_task_make_vm(struct cl_task *t, const struct cl_vm_ops *ops, void *opaque, struct cl_err *err) {
  const struct cl_task_conf *c = &t->conf;
  struct cl_vm_conf vm_conf = {
      .home = c->home,
      .connector = c->connector,
      .task = c->id,
      .tasks_max = c->max,
      .memory_max = c->memory_max,
      .jit = c->jit,
      .ops = ops,
      .opaque = opaque,
      .space = t->space,
      .stats = c->stats,
      .plugin = {c->parts.plugin.plugin, c->parts.plugin.config},
      .key = {c->parts.key.plugin, c->parts.key.config},
      .value = {c->parts.value.plugin, c->parts.value.config},
      .header = {c->parts.header.plugin, c->parts.header.config},
      .transforms = c->parts.transforms,
      .rights = {c->grants, c->config},
      .tolerate = c->errors.tolerate,
      .keep_emitted = c->errors.letters || (c->errors.log && c->errors.log_messages),
  };
  struct cl_vm *vm = NULL;
  if (cl_vm_new(&vm_conf, &vm, err) != 0)
    return err->code;
  pthread_mutex_lock(&t->lock);
  t->vm = vm;
  pthread_mutex_unlock(&t->lock);
  cl_task_count_memory(t);
  cl_task_report(t, CL_UNASSIGNED, NULL); /* built, not started */
  return 0;
}

static int open_memory(struct cl_task *t, struct cl_err *err) {
  t->budget.max = t->conf.memory_max;
  t->space = cl_space_new(&t->budget);
  uint32_t cap = t->conf.parts.plugin.plugin->kind == CL_PLUGIN_SOURCE ? SOURCE_BATCH
                                                                       : t->conf.max_poll_records;
  t->pool = t->space ? cl_batch_pool_new(t->space, &t->budget, cap) : NULL;
  return t->pool ? 0 : cl_err_set(err, CL_ENOMEM, "no memory for the task's batches");
}

static void free_task(struct cl_task *t) {
  cl_task_parts_clear(&t->conf.parts);
  cl_task_parts_free(t->next);
  cl_task_parts_free(t->renewal);
  cl_task_parts_free(t->offered);
  json_decref((json_t *)t->conf.client);
  json_decref((json_t *)t->conf.config);
  json_decref((json_t *)t->conf.grants);
  json_decref((json_t *)t->conf.topics);
  json_decref(t->topics);
  cl_stats_unref(t->conf.stats);
  free((char *)t->conf.topics_regex);
  free((char *)t->conf.errors.letters);
  json_decref((json_t *)t->conf.errors.letters_producer);
  json_decref((json_t *)t->conf.errors.letters_admin);
  json_decref((json_t *)t->conf.topic_creation);
  json_decref((json_t *)t->conf.topic_admin);
  free((char *)t->conf.connector);
  free(t->class);
  cl_secrets_unref(t->secrets);
  pthread_mutex_destroy(&t->lock);
  pthread_cond_destroy(&t->wake);
  free(t);
}

/* Who was asked to stop and had to be interrupted has not failed. */
static void report_end(struct cl_task *t, int rc, const struct cl_err *err) {
  char *trace = cl_err_trace(err);
  const char *text = trace ? trace : err->msg;
  if (rc == CL_ESTOPPED && cl_task_stopping(t)) {
    CL_LOG(CL_WARN, "ended before its work was done, which is done again next time: %s", text);
  } else {
    CL_LOG(CL_ERROR, "task failed and stays down until it is restarted: %s", text);
    cl_task_report(t, CL_FAILED, text);
  }
  free(trace);
}

static void run(struct cl_task *t) {
  struct cl_err err = CL_ERR_INIT;
  int rc = open_memory(t, &err);
  if (rc == 0)
    rc = t->conf.parts.plugin.plugin->kind == CL_PLUGIN_SOURCE ? cl_source_run(t, &err)
                                                               : cl_sink_run(t, &err);
  if (rc != 0 && !atomic_load(&t->abandoned))
    report_end(t, rc, &err);
  if (!t->pool) /* closed, not leaked */
    cl_space_free(t->space);
}

static void *thread_main(void *arg) {
  struct cl_task *t = arg;
  char context[256];
  snprintf(context, sizeof(context), "%s|task-%d", t->conf.connector, t->conf.id);
  cl_log_context(context);
  cl_secrets_hold(t->secrets);
  run(t);
  pthread_mutex_lock(&t->lock);
  bool abandoned = atomic_load(&t->abandoned);
  t->ended = true;
  pthread_cond_broadcast(&t->wake);
  pthread_mutex_unlock(&t->lock); /* from here on t is the herder's, which frees it unless abandoned */
  if (abandoned) {
    CL_LOG(CL_WARN, "a task that had been given up has ended after all");
    zombies_remove(t);
  }
  return NULL;
}

/* --------------------------------------------------------- the herder's side */

static void on_wake_signal(int sig) { (void)sig; }

static void install_wake_signal(void) {
  struct sigaction sa = {.sa_handler = on_wake_signal};
  sigemptyset(&sa.sa_mask);
  sigaction(WAKE_SIGNAL, &sa, NULL);
}

static char *copy_text(const char *text, bool *ok) {
  char *copy = text ? strdup(text) : NULL;
  *ok = *ok && (copy || !text);
  return copy;
}

/* NULL: no memory. */
static struct cl_task *new_task(const struct cl_task_conf *conf) {
  struct cl_task *t = calloc(1, sizeof(*t));
  struct cl_stats *stats = conf->stats ? cl_stats_ref(conf->stats)
                                       : cl_stats_new(UNSEEN_WINDOW_MS, cl_now_ms());
  if (!t || !stats) {
    cl_stats_unref(stats);
    free(t);
    return NULL;
  }
  t->conf = *conf;
  t->conf.stats = stats;
  t->conf.parts = cl_task_parts_copy(&conf->parts);
  t->conf.client = json_incref((json_t *)conf->client);
  t->conf.config = json_incref((json_t *)conf->config);
  t->conf.grants = json_incref((json_t *)conf->grants);
  t->conf.topics = json_incref((json_t *)conf->topics);
  bool ok = true;
  t->conf.topics_regex = copy_text(conf->topics_regex, &ok);
  t->conf.errors.letters = copy_text(conf->errors.letters, &ok);
  t->conf.errors.letters_producer = json_incref((json_t *)conf->errors.letters_producer);
  t->conf.errors.letters_admin = json_incref((json_t *)conf->errors.letters_admin);
  t->conf.topic_creation = json_incref((json_t *)conf->topic_creation);
  t->conf.topic_admin = json_incref((json_t *)conf->topic_admin);
  t->conf.connector = copy_text(conf->connector, &ok);
  t->class = copy_text(conf->parts.plugin.plugin->class, &ok);
  t->secrets = cl_secrets_ref(cl_secrets_held());
  atomic_init(&t->pause, conf->paused);
  pthread_mutex_init(&t->lock, NULL);
  pthread_condattr_t attr;
  pthread_condattr_init(&attr);
  pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
  pthread_cond_init(&t->wake, &attr);
  pthread_condattr_destroy(&attr);
  if (ok)
    return t;
  free_task(t);
  return NULL;
}

int cl_task_start(const struct cl_task_conf *conf, struct cl_task **out, struct cl_err *err) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, install_wake_signal);
  struct cl_task *t = new_task(conf);
  if (!t)
    return cl_err_set(err, CL_ENOMEM, "no memory for task %s-%d", conf->connector, conf->id);
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, STACK_BYTES);
  int rc = pthread_create(&t->thread, &attr, thread_main, t);
  pthread_attr_destroy(&attr);
  if (rc != 0) {
    free_task(t);
    return cl_err_set(err, CL_EIO, "cannot start a thread for task %s-%d: %s", conf->connector, conf->id,
                      strerror(rc));
  }
  *out = t;
  return 0;
}

void cl_task_wake(struct cl_task *t) {
  pthread_mutex_lock(&t->lock);
  if (t->consumer)
    cl_consumer_wake(t->consumer);
  pthread_cond_broadcast(&t->wake);
  pthread_mutex_unlock(&t->lock);
}

void cl_task_pause(struct cl_task *t, bool pause) {
  atomic_store(&t->pause, pause);
  cl_task_wake(t);
}

void cl_task_ask_stop(struct cl_task *t) {
  atomic_store(&t->stop, true);
  cl_task_wake(t);
  pthread_kill(t->thread, WAKE_SIGNAL);
}

static bool wait_ended(struct cl_task *t, int64_t deadline_ms) {
  struct timespec until = {deadline_ms / 1000, (deadline_ms % 1000) * 1000000};
  pthread_mutex_lock(&t->lock);
  while (!t->ended && pthread_cond_timedwait(&t->wake, &t->lock, &until) != ETIMEDOUT)
    ;
  bool ended = t->ended;
  pthread_mutex_unlock(&t->lock);
  return ended;
}

/* False when the thread has ended at the last moment. Its clients stay open from then on, whatever the thread
 * does, so that its group can be left without the lock. */
static bool abandon(struct cl_task *t) {
  pthread_mutex_lock(&t->lock);
  bool ended = t->ended;
  if (!ended) {
    zombies_add(t);
    atomic_store(&t->abandoned, true);
    t->leaving = t->consumer;
    if (t->consumer)
      cl_consumer_abandon(t->consumer);
    if (t->producer)
      cl_producer_abandon(t->producer);
    if (t->letters_producer)
      cl_producer_abandon(t->letters_producer);
  }
  pthread_mutex_unlock(&t->lock);
  if (ended)
    return false;
  CL_LOG(
      CL_ERROR,
      "task %s-%d did not stop in time and is given up: its thread (plugin %s) has not ended. What it emits "
      "from now on is refused; the thread and its memory stay until the worker ends",
      t->conf.connector, t->conf.id, t->class);
  pthread_detach(t->thread);
  return true;
}

/* Those that are given up, together: one that does not get out holds no other up. */
static void leave_groups(struct cl_task **tasks, size_t n) {
  int64_t deadline = cl_now_ms() + LEAVE_MS;
  for (bool all = false; !all;) {
    bool last = cl_now_ms() >= deadline;
    all = true;
    for (size_t i = 0; i < n; i++) {
      if (!tasks[i] || !tasks[i]->leaving)
        continue;
      if (cl_consumer_leave(tasks[i]->leaving, last))
        tasks[i]->leaving = NULL;
      else
        all = false;
    }
    if (!all)
      usleep(LEAVE_SLICE_MS * 1000);
  }
}

static void interrupt(struct cl_task *t) {
  pthread_mutex_lock(&t->lock);
  if (t->vm)
    cl_vm_interrupt(t->vm);
  pthread_mutex_unlock(&t->lock);
  pthread_kill(t->thread, WAKE_SIGNAL);
}

size_t cl_task_join(struct cl_task **tasks, size_t n, int64_t deadline_ms) {
  size_t given_up = 0;
  bool all = true;
  for (size_t i = 0; i < n; i++)
    all &= wait_ended(tasks[i], deadline_ms);
  for (size_t i = 0; !all && i < n; i++) {
    if (!wait_ended(tasks[i], 0))
      interrupt(tasks[i]);
  }
  int64_t grace = cl_now_ms() + INTERRUPT_GRACE_MS;
  for (size_t i = 0; i < n; i++) {
    if (!wait_ended(tasks[i], grace) && abandon(tasks[i])) {
      given_up++;
      continue;
    }
    pthread_join(tasks[i]->thread, NULL);
    free_task(tasks[i]);
    tasks[i] = NULL;
  }
  leave_groups(tasks, n);
  return given_up;
}
