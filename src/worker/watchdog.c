/* SPDX-License-Identifier: Apache-2.0
 * Looks from time to time which calls into Lua take longer than connect.lua.watchdog.ms, and says so:
 * at once, then each time after twice as long. A thread of its own, since the herder may be waiting
 * for just such a task. May include floors 5-0. */
#define CL_COMPONENT "watchdog"
#include "worker/internal.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>

enum { SHORTEST_MS = 20, LONGEST_MS = 5000, LINES = 32 };

bool cl_watchdog_overdue(const struct cl_worker *w, const struct cl_stats *stats, int64_t now_ms) {
  int64_t since, budget = w->conf->watchdog_ms;
  return budget > 0 && cl_stats_call(stats, &since) != CL_VERB_NONE && now_ms - since >= budget;
}

const struct cl_plugin *cl_watchdog_plugin(const struct cl_run *run, char *role, size_t size) {
  size_t at = (size_t)atomic_load_explicit(&run->stats->at, memory_order_relaxed);
  if (at >= cl_task_parts_slots(&run->running))
    at = CL_SLOT_CONNECTOR;
  cl_task_parts_role(&run->running, at, role, size);
  return *cl_task_parts_slot(&run->running, at).plugin;
}

struct line { /* what is to be said, once the lock is let go */
  char context[256], role[256], class[256];
  enum cl_verb verb;
  int64_t ms;
};

/* Once its call is overdue: whether it is to be mentioned now. @locks held */
static bool is_due(struct cl_run *run, int64_t budget, int64_t since, int64_t now) {
  struct cl_watch *w = &run->watch;
  if (w->since != since) {
    *w = (struct cl_watch){.since = since, .next = now, .pause = budget};
    cl_stats_add(run->stats, CL_STAT_OVERDUE_CALLS, 1);
  }
  if (now < w->next)
    return false;
  w->pause *= 2;
  w->next = now + w->pause;
  return true;
}

static size_t look(struct cl_herder *h, struct line *lines) {
  int64_t now = cl_now_ms(), since, budget = h->worker->conf->watchdog_ms;
  size_t n = 0;
  for (struct cl_instance *c = h->list; c; c = c->next) {
    for (size_t i = 0; i < c->n_runs && n < LINES; i++) {
      struct cl_run *run = &c->runs[i];
      enum cl_verb verb = run->stats ? cl_stats_call(run->stats, &since) : CL_VERB_NONE;
      if (verb == CL_VERB_NONE || now - since < budget || !is_due(run, budget, since, now))
        continue;
      struct line *l = &lines[n++];
      snprintf(l->context, sizeof(l->context), "%s|task-%zu", c->name, i);
      const struct cl_plugin *plugin = cl_watchdog_plugin(run, l->role, sizeof(l->role));
      snprintf(l->class, sizeof(l->class), "%s", plugin ? plugin->class : "unknown");
      l->verb = verb;
      l->ms = now - since;
    }
  }
  return n;
}

static void *watch(void *arg) {
  struct cl_herder *h = arg;
  int64_t step = h->worker->conf->watchdog_ms / 4;
  step = step < SHORTEST_MS ? SHORTEST_MS : step > LONGEST_MS ? LONGEST_MS : step;
  pthread_mutex_lock(&h->lock);
  while (!h->watchdog_stop) {
    struct line lines[LINES];
    size_t n = look(h, lines);
    pthread_mutex_unlock(&h->lock);
    for (size_t i = 0; i < n; i++) {
      cl_log_context(lines[i].context);
      CL_LOG(CL_WARN,
             "the task's %s has been running for %lld ms, longer than connect.lua.watchdog.ms=%lld; it is in "
             "the "
             "%s (%s), does nothing else meanwhile, and cannot stop",
             cl_verb_name(lines[i].verb), (long long)lines[i].ms, (long long)h->worker->conf->watchdog_ms,
             lines[i].role, lines[i].class);
    }
    struct timespec at;
    int64_t until = cl_now_ms() + step;
    at = (struct timespec){until / 1000, until % 1000 * 1000000};
    pthread_mutex_lock(&h->lock);
    if (!h->watchdog_stop)
      pthread_cond_timedwait(&h->watchdog_wake, &h->lock, &at);
  }
  pthread_mutex_unlock(&h->lock);
  return NULL;
}

int cl_watchdog_start(struct cl_herder *h) {
  pthread_condattr_t attr;
  pthread_condattr_init(&attr);
  pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
  pthread_cond_init(&h->watchdog_wake, &attr);
  pthread_condattr_destroy(&attr);
  int rc = h->worker->conf->watchdog_ms > 0 ? pthread_create(&h->watchdog, NULL, watch, h) : 0;
  h->watchdog_runs = h->worker->conf->watchdog_ms > 0 && rc == 0;
  return rc;
}

void cl_watchdog_stop(struct cl_herder *h) {
  pthread_mutex_lock(&h->lock);
  h->watchdog_stop = true;
  pthread_cond_signal(&h->watchdog_wake);
  pthread_mutex_unlock(&h->lock);
  if (h->watchdog_runs)
    pthread_join(h->watchdog, NULL);
  pthread_cond_destroy(&h->watchdog_wake);
}
