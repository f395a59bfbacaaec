/* SPDX-License-Identifier: Apache-2.0
 * When failed connectors and tasks are started again. May include floors 5-0. */
#define CL_COMPONENT "herder"
#include "worker/restart.h"

#include "base/clock.h"
#include "base/log.h"
#include "task/connector.h"
#include "worker/internal.h"

#include <stdlib.h>

static int64_t setting(const json_t *config, const char *key) {
  const struct cl_conf_row *row = cl_conf_find(cl_connector_own_def(), key);
  struct cl_conf_value v = {0};
  struct cl_err ignored; /* validated */
  if (cl_conf_parse_one(row, cl_json_str(config, key), &v, &ignored) != 0)
    return 0;
  return v.i;
}

void cl_restart_policy_of(const json_t *config, struct cl_restart_policy *out) {
  out->max_attempts = setting(config, CL_CONNECTOR_RESTARTS);
  out->backoff_ms = setting(config, CL_CONNECTOR_RESTART_BACKOFF);
  out->backoff_max_ms = setting(config, CL_CONNECTOR_RESTART_BACKOFF_MAX);
  out->reset_ms = setting(config, CL_CONNECTOR_RESTART_RESET);
}

/* Doubled with each attempt, and a fifth more or less: what failed together comes back apart. */
static int64_t pause_before(const struct cl_restart_policy *p, int64_t attempt) {
  int64_t ms = p->backoff_ms;
  for (int64_t i = 0; i < attempt && ms < p->backoff_max_ms; i++)
    ms *= 2;
  if (ms > p->backoff_max_ms)
    ms = p->backoff_max_ms;
  return ms - ms / 5 + (int64_t)arc4random_uniform((uint32_t)(ms * 2 / 5 + 1));
}

void cl_restart_failed(struct cl_restart *r, const struct cl_restart_policy *policy, int64_t ran_since) {
  int64_t now = cl_now_ms();
  if (policy->max_attempts == 0)
    return;
  if (ran_since > 0 && now - ran_since >= policy->reset_ms)
    r->attempts = 0;
  bool again = policy->max_attempts < 0 || r->attempts < policy->max_attempts;
  r->failed = now;
  r->due = again ? now + pause_before(policy, r->attempts) : -1;
  if (again)
    r->attempts++;
}

/* --------------------------------------------------------------------- the herder */

/* What of it may be started: its target is RUNNING and it is FAILED. */
static bool is_waiting(const struct cl_instance *c, enum cl_state state, const struct cl_restart *r) {
  return c->target == CL_RUNNING && state == CL_FAILED && r->due > 0;
}

static void sooner(int64_t *due, int64_t other) {
  if (*due < 0 || other < *due)
    *due = other;
}

int64_t cl_restart_wait(struct cl_herder *h) {
  int64_t due = -1;
  pthread_mutex_lock(&h->lock);
  for (const struct cl_instance *c = h->list; c; c = c->next) {
    if (is_waiting(c, c->state, &c->restart))
      sooner(&due, c->restart.due);
    for (size_t i = 0; i < c->n_runs; i++) {
      if (is_waiting(c, c->runs[i].state, &c->runs[i].restart))
        sooner(&due, c->runs[i].restart.due);
    }
  }
  pthread_mutex_unlock(&h->lock);
  int64_t left = due - cl_now_ms();
  return due < 0 ? -1 : left > 0 ? left : 0;
}

/* state: changed by the task's thread, under the lock. */
/* *out: what it was then, with the time of its failure. */
static bool take_due(struct cl_instance *c, const enum cl_state *state, struct cl_restart *r,
                     struct cl_restart *out) {
  pthread_mutex_lock(c->lock);
  bool due = is_waiting(c, *state, r) && r->due <= cl_now_ms();
  if (due)
    r->due = 0;
  *out = *r;
  pthread_mutex_unlock(c->lock);
  return due;
}

static void restart_tasks(struct cl_herder *h, struct cl_instance *c) {
  struct cl_restart was;
  for (size_t i = 0; i < c->n_runs; i++) {
    if (!take_due(c, &c->runs[i].state, &c->runs[i].restart, &was))
      continue;
    CL_LOG(CL_INFO, "starting failed task %s-%zu again, attempt %lld, %lld ms after it failed", c->name, i,
           (long long)was.attempts, (long long)(cl_now_ms() - was.failed));
    cl_instance_stop_runs(h->worker, &(struct cl_stop){c, i}, 1);
    cl_instance_start_task(h->worker, c, (int)i);
  }
}

void cl_restart_run(struct cl_herder *h) {
  struct cl_restart was;
  for (struct cl_instance *c = h->list; c; c = c->next) {
    if (take_due(c, &c->state, &c->restart, &was)) {
      CL_LOG(CL_INFO, "starting failed connector %s again, attempt %lld, %lld ms after it failed", c->name,
             (long long)was.attempts, (long long)(cl_now_ms() - was.failed));
      cl_standalone_start_again(h, c);
    }
    restart_tasks(h, c);
  }
}
