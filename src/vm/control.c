/* SPDX-License-Identifier: Apache-2.0
 * The control thread. A job is shared by its caller and the worker thread (two
 * references); a worker stuck in C is left behind with its job and its state, and finds
 * out when it comes back, if ever.
 * Thread: any caller; Lua runs on the worker only. May include base, Lua. */
#define CL_COMPONENT "control"
#include "vm/control.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/secrets.h"
#include "vm/internal.h"
#include "vm/plugin_set.h"
#include "vm/sources.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  DEFAULT_DEADLINE_MS = 5000,
  GRACE_MS = 1000, /* beyond the deadline the thread is taken for stuck */
  DEFAULT_MEMORY = 64 << 20,
  STACK_BYTES = 4 << 20
};

struct job {
  struct job *next;
  char *file, *root;
  char *verb;                 /* NULL = manifest */
  struct cl_sources *sources; /* a reference, or NULL */
  json_t *args;               /* own copy */
  struct cl_secrets *secrets; /* a reference: the caller's holder */
  json_t *out;
  int rc;
  struct cl_err err;
  bool done;
  int64_t started_ms; /* 0 = still waiting */
  struct worker *worker;
  int refs;
};

struct worker {
  struct cl_control *control;
  bool abandoned;
};

struct cl_control {
  char *home;
  int64_t deadline_ms;
  size_t memory_max;
  json_t *grants;
  pthread_mutex_t lock;
  pthread_cond_t wake; /* work came, a job ended, or stop */
  struct job *first, **last;
  struct worker *worker; /* the one that takes jobs; NULL = could not be replaced */
  pthread_t thread;      /* its thread */
  int abandoned;         /* worker threads still stuck */
  int refs;              /* the owner and each living worker */
  bool stopping;
};

/* -------------------------------------------------------------------- lifetime */

/* All *_unref are called with the lock held. */
static void job_unref(struct job *job) {
  if (--job->refs > 0)
    return;
  free(job->file);
  free(job->root);
  free(job->verb);
  cl_sources_unref(job->sources);
  json_decref(job->args);
  json_decref(job->out);
  cl_secrets_unref(job->secrets);
  free(job);
}

/* Gives up one reference and the lock. */
static void control_unref_unlock(struct cl_control *c) {
  bool last = --c->refs == 0;
  pthread_mutex_unlock(&c->lock);
  if (!last)
    return;
  pthread_cond_destroy(&c->wake);
  pthread_mutex_destroy(&c->lock);
  free(c->home);
  json_decref(c->grants);
  free(c);
}

/* -------------------------------------------------------------- on the worker */

struct lua_job {
  struct cl_lua *s;
  struct job *job;
};

static int run_in_lua(lua_State *L) {
  struct lua_job *lj = lua_touserdata(L, 1);
  struct job *job = lj->job;
  lua_getglobal(L, "require");                         /* ud require */
  lua_pushliteral(L, "connect.host.control");          /* ud require name */
  lua_call(L, 1, 1);                                   /* ud control */
  lua_getfield(L, 2, job->verb ? "call" : "manifest"); /* ud control fn */
  lua_pushstring(L, job->file);                        /* ud control fn file */
  lua_pushstring(L, job->root);                        /* ud control fn file root */
  cl_lib_push_sources(L, job->sources);                /* ud control fn file root sources */
  int n = 3;
  if (job->verb) {
    lua_pushstring(L, job->verb);        /* ... verb */
    cl_bridge_push(lj->s, L, job->args); /* ... verb args */
    n = 5;
  }
  lua_call(L, n, 1);                          /* ud control result */
  json_t **box = cl_bridge_box(lj->s, L, -1); /* ud control result box */
  job->out = *box;
  *box = NULL;
  return 0;
}

/* Makes sure that the message names the file, and in full: LuaJIT shows the last 57
 * characters of a long name behind "...". */
static void name_file(struct cl_err *err, const char *file) {
  if (strncmp(err->msg, "...", 3) == 0) {
    size_t n = strcspn(err->msg + 3, ":"), m = strlen(file);
    if (n > 0 && n < m && memcmp(err->msg + 3, file + m - n, n) == 0) {
      memmove(err->msg, err->msg + 3 + n, strlen(err->msg + 3 + n) + 1); /* ":line: ..." */
      cl_err_prefix(err, "%s", file);
    }
  } else if (!strstr(err->msg, file)) {
    cl_err_prefix(err, "%s: ", file);
  }
}

static void run_job(struct cl_control *c, struct job *job) {
  struct cl_lua s = {0};
  const struct cl_rights rights = {.grants = c->grants};
  struct cl_state_conf conf = {.home = c->home, .memory_max = c->memory_max, .rights = &rights};
  struct lua_job lj = {&s, job};
  job->rc = cl_state_open(&s, &conf, &job->err);
  if (job->rc != 0)
    return;
  cl_state_deadline(&s, c->deadline_ms);
  job->rc = cl_call_protected(&s, run_in_lua, &lj, &job->err);
  if (job->rc != 0 && cl_now_ms() >= s.deadline_ms)
    job->rc = job->err.code = CL_ETIMEOUT;
  if (job->rc != 0)
    name_file(&job->err, job->file);
  cl_state_deadline(&s, 0);
  cl_state_close(&s);
}

static struct job *next_job(struct cl_control *c, struct worker *w) {
  while (!c->first && !c->stopping && !w->abandoned)
    pthread_cond_wait(&c->wake, &c->lock);
  struct job *job = w->abandoned ? NULL : c->first;
  if (!job)
    return NULL;
  c->first = job->next;
  if (!c->first)
    c->last = &c->first;
  job->started_ms = cl_now_ms();
  job->worker = w;
  pthread_cond_broadcast(&c->wake); /* its caller starts to count */
  return job;
}

static void *worker_main(void *arg) {
  struct worker *w = arg;
  struct cl_control *c = w->control;
  struct job *job;
  cl_log_context("control");
  pthread_mutex_lock(&c->lock);
  while ((job = next_job(c, w)) != NULL) {
    pthread_mutex_unlock(&c->lock);
    cl_secrets_hold(job->secrets);
    run_job(c, job);
    cl_secrets_hold(NULL);
    pthread_mutex_lock(&c->lock);
    job->done = true;
    job_unref(job);
    pthread_cond_broadcast(&c->wake);
  }
  if (w->abandoned)
    c->abandoned--;
  free(w);
  control_unref_unlock(c);
  return NULL;
}

/* ------------------------------------------------------------------ any thread */

/* Called with the lock held (or before there are other threads). */
static int start_worker(struct cl_control *c, struct cl_err *err) {
  pthread_attr_t attr;
  struct worker *w = calloc(1, sizeof(*w));
  if (!w)
    return cl_err_set(err, CL_ENOMEM, "no memory for the control thread");
  w->control = c;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, STACK_BYTES);
  int rc = pthread_create(&c->thread, &attr, worker_main, w);
  pthread_attr_destroy(&attr);
  if (rc != 0) {
    free(w);
    return cl_err_set(err, CL_EIO, "cannot start the control thread: %s", strerror(rc));
  }
  c->worker = w;
  c->refs++;
  return 0;
}

int cl_control_start(const struct cl_control_conf *conf, struct cl_control **out, struct cl_err *err) {
  struct cl_control *c = calloc(1, sizeof(*c));
  *out = NULL;
  if (!c || !(c->home = strdup(conf->home))) {
    free(c);
    return cl_err_set(err, CL_ENOMEM, "no memory for the control thread");
  }
  c->deadline_ms = conf->deadline_ms > 0 ? conf->deadline_ms : DEFAULT_DEADLINE_MS;
  c->grants = json_incref(conf->grants);
  c->memory_max = conf->memory_max ? conf->memory_max : DEFAULT_MEMORY;
  c->last = &c->first;
  c->refs = 1;
  pthread_condattr_t clock;
  pthread_condattr_init(&clock);
  pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
  pthread_cond_init(&c->wake, &clock);
  pthread_condattr_destroy(&clock);
  pthread_mutex_init(&c->lock, NULL);
  pthread_mutex_lock(&c->lock);
  int rc = start_worker(c, err);
  if (rc != 0) {
    control_unref_unlock(c);
    return rc;
  }
  pthread_mutex_unlock(&c->lock);
  *out = c;
  return 0;
}

/* No call may be under way any more. */
void cl_control_stop(struct cl_control *c) {
  if (!c)
    return;
  pthread_mutex_lock(&c->lock);
  c->stopping = true;
  bool joinable = c->worker != NULL;
  pthread_t thread = c->thread;
  pthread_cond_broadcast(&c->wake);
  pthread_mutex_unlock(&c->lock);
  if (joinable)
    pthread_join(thread, NULL);
  pthread_mutex_lock(&c->lock);
  control_unref_unlock(c);
}

int cl_control_abandoned(const struct cl_control *c) {
  struct cl_control *own = (struct cl_control *)c; /* the lock is not part of the value */
  pthread_mutex_lock(&own->lock);
  int n = own->abandoned;
  pthread_mutex_unlock(&own->lock);
  return n;
}

/* The job's worker is stuck in C: leave it, and let a fresh one serve the others. */
static void abandon(struct cl_control *c, const struct job *job) {
  struct cl_err err = CL_ERR_INIT;
  job->worker->abandoned = true;
  c->abandoned++;
  pthread_detach(c->thread);
  c->worker = NULL;
  if (start_worker(c, &err) != 0) {
    CL_LOG(CL_ERROR, "%s: plugins cannot be asked any more", err.msg);
    pthread_cond_broadcast(&c->wake);
  }
  CL_LOG(CL_ERROR, "%s: %s is stuck; its thread is abandoned", job->file,
         job->verb ? job->verb : "file level");
}

static void wait_until(struct cl_control *c, int64_t ms) {
  struct timespec at = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
  pthread_cond_timedwait(&c->wake, &c->lock, &at);
}

static void unqueue(struct cl_control *c, struct job *job) {
  struct job **at = &c->first;
  while (*at != job)
    at = &(*at)->next;
  *at = job->next;
  if (c->last == &job->next)
    c->last = at;
  job->refs--; /* the worker's, which will never be */
}

/* Waits for the job, called with the lock held. 0, or why there is no result. */
static int wait_for(struct cl_control *c, struct job *job, struct cl_err *err) {
  while (!job->done) {
    if (!job->started_ms) {
      if (!c->worker) {
        unqueue(c, job);
        return cl_err_set(err, CL_ESTOPPED, "%s: there is no control thread", job->file);
      }
      pthread_cond_wait(&c->wake, &c->lock);
      continue;
    }
    int64_t limit = job->started_ms + c->deadline_ms + GRACE_MS;
    if (cl_now_ms() >= limit) {
      abandon(c, job);
      return cl_err_set(err, CL_ETIMEOUT, "%s: %s did not end within %lld ms and cannot be interrupted",
                        job->file, job->verb ? job->verb : "loading the file",
                        (long long)(limit - job->started_ms));
    }
    wait_until(c, limit);
  }
  return 0;
}

static void take_result(struct job *job, json_t **out, struct cl_err *err) {
  *out = job->out;
  job->out = NULL;
  if (job->rc == 0)
    return;
  *err = job->err;
  if (job->rc == CL_ETIMEOUT) { /* the message says file and line */
    size_t n = strlen(err->msg);
    snprintf(err->msg + n, sizeof(err->msg) - n, " (%s)", job->verb ? job->verb : "loading the file");
  }
}

/* *over: the job has ended, well or not, and nobody works on it any more. */
static int submit(struct cl_control *c, struct job *job, json_t **out, bool *over, struct cl_err *err) {
  pthread_mutex_lock(&c->lock);
  *c->last = job;
  c->last = &job->next;
  pthread_cond_broadcast(&c->wake);
  int rc = wait_for(c, job, err);
  *over = rc == 0;
  if (rc == 0) {
    rc = job->rc;
    take_result(job, out, err);
  }
  job_unref(job);
  pthread_mutex_unlock(&c->lock);
  return rc;
}

static struct job *new_job(const char *file, const char *root, struct cl_sources *sources, const char *verb,
                           const json_t *args) {
  struct job *job = calloc(1, sizeof(*job));
  if (!job)
    return NULL;
  job->refs = 2;
  job->sources = sources ? cl_sources_ref(sources) : NULL;
  job->file = strdup(file);
  job->root = strdup(root);
  job->verb = verb ? strdup(verb) : NULL;
  job->args = args ? json_deep_copy(args) : NULL;
  job->secrets = cl_secrets_ref(cl_secrets_held());
  if (job->file && job->root && (job->verb || !verb) && (job->args || !args))
    return job;
  job->refs = 1;
  job_unref(job);
  return NULL;
}

int cl_control_manifest(struct cl_control *c, const char *file, json_t **out, struct cl_sources **sources,
                        struct cl_err *err) {
  char *root = cl_plugin_root(file);
  struct cl_sources *read = cl_sources_new();
  struct job *job = root && read ? new_job(file, root, read, NULL, NULL) : NULL;
  *out = NULL;
  *sources = NULL;
  free(root);
  if (!job) {
    cl_sources_unref(read);
    return cl_err_set(err, CL_ENOMEM, "%s: no memory", file);
  }
  bool over = false;
  int rc = submit(c, job, out, &over, err);
  if (over) {
    cl_sources_close(read);
    *sources = cl_sources_ref(read);
  }
  cl_sources_unref(read); /* else a stuck thread may still write there */
  return rc;
}

int cl_control_call(struct cl_control *c, const struct cl_plugin *plugin, const char *verb,
                    const json_t *args, json_t **out, struct cl_err *err) {
  bool over;
  *out = NULL;
  struct job *job = new_job(plugin->file, plugin->root, plugin->sources, verb, args);
  return job ? submit(c, job, out, &over, err) : cl_err_set(err, CL_ENOMEM, "%s: no memory", plugin->file);
}
