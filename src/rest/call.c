/* SPDX-License-Identifier: Apache-2.0
 *
 * A write suspends its connection until the herder calls back or its deadline passes (a thread
 * watches); nothing here waits for anybody else. A password that must be hashed does it, too, until the
 * thread that hashes has come to it: those that guess wait for each other, not the others for them.
 *
 * libmicrohttpd does not notice that the client of a suspended connection left, and aborts
 * the process when stopped with one: every suspended call is in `waiting` until somebody
 * answers it, and cl_server_stop answers them all first.
 * Includes rest, worker/herder.h, base. Threads: see each function.
 */
#include "rest/internal.h"

#include "base/clock.h"
#include "rest/auth.h"
#include "rest/tls.h"

#include <stdlib.h>

enum { UNPROVEN_MAX = 32 }; /* guesses that wait to be hashed: some seconds of work */

static void server_free(struct cl_server *s) {
  free(s->ports);
  cl_auth_free(s->auth);
  cl_headers_free(s->headers);
  cl_tls_free(s->tls);
  cl_tls_free(s->admin_tls);
  pthread_cond_destroy(&s->changed);
  pthread_mutex_destroy(&s->lock);
  free(s);
}

void cl_server_unref(struct cl_server *s) {
  pthread_mutex_lock(&s->lock);
  bool last = --s->refs == 0;
  pthread_mutex_unlock(&s->lock);
  if (last)
    server_free(s);
}

void cl_call_unref(struct cl_call *c) {
  struct cl_server *s = c->server;
  pthread_mutex_lock(&s->lock);
  bool last = --c->refs == 0;
  pthread_mutex_unlock(&s->lock);
  if (!last)
    return;
  free(c->method);
  free(c->target);
  cl_framing_clear(&c->framing);
  cl_buf_free(&c->body);
  cl_answer_clear(&c->answer);
  free(c);
  cl_server_unref(s);
}

static void call_link(struct cl_call *c) {
  struct cl_server *s = c->server;
  c->prev = s->waiting_last;
  *(c->prev ? &c->prev->next : &s->waiting) = c;
  s->waiting_last = c;
}

static void call_unlink(struct cl_call *c) {
  struct cl_server *s = c->server;
  *(c->prev ? &c->prev->next : &s->waiting) = c->next;
  *(c->next ? &c->next->prev : &s->waiting_last) = c->prev;
  c->prev = c->next = NULL;
  s->n_unproven -= c->unproven;
  c->unproven = false;
}

/* @locks held */
static void call_wait(struct cl_call *c) {
  c->deadline = cl_now_ms() + c->server->conf->request_timeout_ms;
  c->state = CALL_WAITING;
  call_link(c);
}

/* Leaves the part that cl_server_stop waits for. @locks server->lock */
void cl_call_touch_end(struct cl_server *s) {
  pthread_mutex_lock(&s->lock);
  s->touching--;
  pthread_cond_broadcast(&s->changed);
  pthread_mutex_unlock(&s->lock);
}

/* Gives a waiting call its answer and wakes its connection; the first of herder, deadline and
 * stop wins. Takes the reply. The caller holds a reference. @thread any */
static void call_answer(struct cl_call *c, struct cl_reply *reply) {
  struct cl_server *s = c->server;
  pthread_mutex_lock(&s->lock);
  bool first = c->state == CALL_WAITING;
  if (first) {
    call_unlink(c);
    c->state = CALL_ANSWERED;
    c->answer.reply = *reply;
    s->touching++;
  }
  pthread_mutex_unlock(&s->lock);
  if (!first) {
    cl_reply_clear(reply);
    return;
  }
  MHD_resume_connection(c->con);
  cl_call_touch_end(s);
}

static void call_answer_error(struct cl_call *c, int status, const char *message) {
  struct cl_reply reply = {0};
  cl_reply_error(&reply, status, "%s", message);
  call_answer(c, &reply);
}

static void answer_timed_out(struct cl_call *c) {
  struct cl_reply reply = {0};
  char stage[512];
  cl_herder_stage(c->server->herder, stage, sizeof stage);
  cl_reply_error(&reply, 500, "Request timed out%s%s", *stage ? "." : "", stage);
  call_answer(c, &reply);
}

/* The herder's callback. @thread herder */
static void call_done(void *arg, struct cl_reply *reply) {
  struct cl_call *c = arg;
  struct cl_reply mine = *reply;
  *reply = (struct cl_reply){0};
  call_answer(c, &mine);
  cl_call_unref(c);
}

void cl_call_submit(struct cl_call *c, struct cl_command *cmd) {
  struct cl_server *s = c->server;
  struct cl_err err = CL_ERR_INIT;
  cmd->done = call_done;
  cmd->arg = c;
  MHD_suspend_connection(c->con);
  pthread_mutex_lock(&s->lock);
  c->refs++; /* the command's */
  call_wait(c);
  pthread_mutex_unlock(&s->lock);
  cl_call_touch_end(s);
  if (cl_herder_submit(s->herder, cmd, &err) < 0) {
    bool busy = err.code == CL_EAGAIN;
    call_answer_error(c, 503, busy ? "Worker is busy, try again" : "Worker is shutting down");
    cl_call_unref(c);
  }
}

/* ---- who it is ---- */

void cl_call_prove(struct cl_call *c) {
  struct cl_server *s = c->server;
  MHD_suspend_connection(c->con);
  pthread_mutex_lock(&s->lock);
  bool busy = s->n_unproven >= UNPROVEN_MAX;
  c->refs++;
  c->again = true;
  call_wait(c);
  if (!busy) {
    c->unproven = true;
    s->n_unproven++;
    pthread_cond_broadcast(&s->changed);
  }
  pthread_mutex_unlock(&s->lock);
  cl_call_touch_end(s);
  if (busy)
    call_answer_error(c, 503, "Worker is busy, try again");
  cl_call_unref(c);
}

/* Wakes the connection, unless it has got an answer meanwhile. The caller holds a reference. */
static void call_proven(struct cl_call *c, enum cl_verdict verdict) {
  struct cl_server *s = c->server;
  pthread_mutex_lock(&s->lock);
  bool waits = c->state == CALL_WAITING;
  if (waits) {
    call_unlink(c);
    c->state = CALL_READING;
    c->verdict = verdict;
    s->touching++;
  }
  pthread_mutex_unlock(&s->lock);
  if (!waits)
    return;
  MHD_resume_connection(c->con);
  cl_call_touch_end(s);
}

static struct cl_call *oldest_unproven(const struct cl_server *s) {
  struct cl_call *c = s->n_unproven > 0 ? s->waiting : NULL;
  while (c && !c->unproven)
    c = c->next;
  return c;
}

/* @thread prover */
void *cl_call_run_prover(void *arg) {
  struct cl_server *s = arg;
  pthread_mutex_lock(&s->lock);
  while (!s->stopping) {
    struct cl_call *c = oldest_unproven(s);
    if (!c) {
      pthread_cond_wait(&s->changed, &s->lock);
      continue;
    }
    c->refs++;
    c->unproven = false;
    s->n_unproven--;
    pthread_mutex_unlock(&s->lock);
    call_proven(c, cl_auth_ask(s->auth, c->framing.authorization));
    cl_call_unref(c);
    pthread_mutex_lock(&s->lock);
  }
  pthread_mutex_unlock(&s->lock);
  return NULL;
}

/* ---- stop and deadlines ---- */

void cl_call_answer_all(struct cl_server *s) {
  pthread_mutex_lock(&s->lock);
  while (s->touching > 0)
    pthread_cond_wait(&s->changed, &s->lock);
  while (s->waiting) {
    struct cl_call *c = s->waiting;
    c->refs++;
    pthread_mutex_unlock(&s->lock);
    call_answer_error(c, 503, "Worker is shutting down");
    cl_call_unref(c);
    pthread_mutex_lock(&s->lock);
  }
  pthread_mutex_unlock(&s->lock);
}

/* Answers the oldest call if its deadline has come; how long to sleep otherwise, -1 = until
 * something changes. @locks held, let go while answering */
static int64_t expire_oldest(struct cl_server *s) {
  struct cl_call *c = s->waiting;
  if (!c)
    return -1;
  int64_t left = c->deadline - cl_now_ms();
  if (left > 0)
    return left;
  c->refs++;
  pthread_mutex_unlock(&s->lock);
  answer_timed_out(c);
  cl_call_unref(c);
  pthread_mutex_lock(&s->lock);
  return 0;
}

void cl_call_wait_ms(struct cl_server *s, int64_t ms) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  at.tv_sec += ms / 1000;
  at.tv_nsec += ms % 1000 * 1000000;
  if (at.tv_nsec >= 1000000000) {
    at.tv_sec++;
    at.tv_nsec -= 1000000000;
  }
  pthread_cond_timedwait(&s->changed, &s->lock, &at);
}

static void expire_connections(struct cl_server *s) {
  for (size_t i = 0; i < s->n_ports; i++)
    cl_conns_expire(&s->ports[i].conns);
}

/* Connections are looked at ten times in their shortest time. @thread timer */
void *cl_call_run_timer(void *arg) {
  struct cl_server *s = arg;
  int64_t shortest = s->conf->head_timeout_ms < s->conf->request_timeout_ms ? s->conf->head_timeout_ms
                                                                            : s->conf->request_timeout_ms;
  int64_t step = shortest > 10000 ? 1000 : shortest / 10 + 1;
  pthread_mutex_lock(&s->lock);
  while (!s->stopping) {
    int64_t left = expire_oldest(s);
    if (left == 0)
      continue;
    cl_call_wait_ms(s, left < 0 || left > step ? step : left);
    pthread_mutex_unlock(&s->lock);
    expire_connections(s);
    pthread_mutex_lock(&s->lock);
  }
  pthread_mutex_unlock(&s->lock);
  return NULL;
}
