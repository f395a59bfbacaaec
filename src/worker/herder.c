/* SPDX-License-Identifier: Apache-2.0
 *
 * The herder's two threads and their inboxes, and replies. What a command does: standalone.c.
 * May include floors 5-0.
 */
#define CL_COMPONENT "herder"
#include "worker/internal.h"

#include "base/log.h"
#include "base/secrets.h"
#include "worker/connector_offsets.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INBOX_CEILING = 4096 };

void cl_reply_clear(struct cl_reply *r) {
  json_decref(r->body);
  free(r->location);
  *r = (struct cl_reply){0};
}

void cl_reply_error(struct cl_reply *r, int status, const char *fmt, ...) {
  char *text = NULL;
  va_list ap;
  va_start(ap, fmt);
  if (vasprintf(&text, fmt, ap) < 0)
    text = NULL;
  va_end(ap);
  char *shown = text ? cl_secrets_hidden(text) : NULL;
  cl_reply_clear(r);
  r->status = status;
  r->body = json_pack("{s:i,s:o}", "error_code", status, "message", cl_json_lenient(shown));
  free(shown);
  free(text);
}

static void free_command(struct cl_command *cmd) {
  free(cmd->name);
  json_decref(cmd->config);
  free(cmd->initial_state);
  cl_plugins_unref(cmd->plugins);
  free(cmd);
}

void cl_herder_answer(struct cl_command *cmd, struct cl_reply *reply) {
  if (cmd->done)
    cmd->done(cmd->arg, reply);
  cl_reply_clear(reply);
  free_command(cmd);
}

/* What a command learns on its way, and no connector keeps. */
static struct cl_secrets *begin_secrets(void) {
  struct cl_secrets *own = cl_secrets_new(false);
  cl_secrets_hold(own);
  return own;
}

static void end_secrets(struct cl_secrets *own) {
  cl_secrets_hold(NULL);
  cl_secrets_unref(own);
}

/* Takes cmd. */
static void run_command(struct cl_herder *h, struct cl_command *cmd) {
  struct cl_reply reply = {0};
  cl_health_begin(h, cmd);
  struct cl_secrets *own = begin_secrets();
  bool over = cl_standalone_run(h, cmd, &reply);
  end_secrets(own);
  cl_health_end(h);
  if (!over && cl_queue_push(h->groups, cmd, 0))
    return;
  if (!over)
    cl_reply_error(&reply, 503, "Too many requests are waiting; try again later");
  cl_herder_answer(cmd, &reply);
}

void cl_herder_wake(void *herder) {
  struct cl_herder *h = herder;
  struct cl_command *cmd = calloc(1, sizeof(*cmd));
  if (!cmd)
    return; /* it looks after its next command */
  cmd->kind = CL_CMD_WAKE;
  if (!cl_queue_push(h->inbox, cmd, 0))
    free_command(cmd);
}

static void *herder_main(void *arg) {
  struct cl_herder *h = arg;
  while (!cl_queue_over(h->inbox)) {
    struct cl_command *cmd = cl_queue_pop(h->inbox, cl_restart_wait(h));
    if (cmd && cmd->kind != CL_CMD_WAKE)
      run_command(h, cmd);
    else if (cmd)
      free_command(cmd);
    cl_restart_run(h);
  }
  cl_standalone_stop_all(h);
  return NULL;
}

static void *groups_main(void *arg) {
  struct cl_herder *h = arg;
  struct cl_command *cmd;
  while ((cmd = cl_queue_pop(h->groups, -1))) {
    struct cl_reply reply = {0};
    struct cl_secrets *own = begin_secrets();
    cl_group_offsets_run(h, cmd, &reply);
    end_secrets(own);
    cl_herder_answer(cmd, &reply);
  }
  return NULL;
}

static void herder_free(struct cl_herder *h) {
  if (h->inbox)
    cl_queue_free(h->inbox);
  if (h->groups)
    cl_queue_free(h->groups);
  pthread_mutex_destroy(&h->lock);
  cl_plugins_unref(h->own.plugins);
  free(h->worker_id);
  free(h);
}

static void stop_groups(struct cl_herder *h) {
  atomic_store(&h->groups_stop, true);
  cl_queue_close(h->groups);
  pthread_join(h->groups_thread, NULL);
}

static int start_threads(struct cl_herder *h, struct cl_err *err) {
  int rc = cl_watchdog_start(h);
  if (rc == 0)
    rc = pthread_create(&h->groups_thread, NULL, groups_main, h);
  if (rc == 0) {
    rc = pthread_create(&h->thread, NULL, herder_main, h);
    if (rc != 0)
      stop_groups(h);
  }
  if (rc != 0)
    cl_watchdog_stop(h);
  return rc == 0 ? 0 : cl_err_set(err, CL_EIO, "cannot start the herder's threads: %s", strerror(rc));
}

int cl_herder_start(const struct cl_worker *w, struct cl_herder **out, struct cl_err *err) {
  struct cl_herder *h = calloc(1, sizeof(*h));
  if (!h)
    return cl_err_set(err, CL_ENOMEM, "no memory for the herder");
  h->own = *w;
  h->own.plugins = cl_plugins_ref(w->plugins);
  h->worker = &h->own;
  pthread_mutex_init(&h->lock, NULL);
  h->inbox = cl_queue_new(INBOX_CEILING);
  h->groups = cl_queue_new(INBOX_CEILING);
  int rc = h->inbox && h->groups ? start_threads(h, err)
                                 : cl_err_set(err, CL_ENOMEM, "no memory for the herder");
  if (rc != 0) {
    herder_free(h);
    return rc;
  }
  if (w->conf->reload && cl_reload_start(h, &h->reload, err) != 0) {
    cl_herder_stop(h);
    return err->code;
  }
  *out = h;
  return 0;
}

struct cl_worker cl_herder_view(struct cl_herder *h) {
  pthread_mutex_lock(&h->lock);
  struct cl_worker view = h->own;
  cl_plugins_ref(view.plugins);
  pthread_mutex_unlock(&h->lock);
  return view;
}

void cl_herder_announce(struct cl_herder *h, char *worker_id) {
  pthread_mutex_lock(&h->lock);
  free(h->worker_id);
  h->worker_id = worker_id;
  pthread_mutex_unlock(&h->lock);
}

void cl_herder_ready(struct cl_herder *h) {
  pthread_mutex_lock(&h->lock);
  h->ready = true;
  pthread_mutex_unlock(&h->lock);
}

void cl_herder_stop(struct cl_herder *h) {
  cl_reload_stop(h->reload);
  cl_queue_close(h->inbox);
  pthread_join(h->thread, NULL);
  stop_groups(h);
  cl_watchdog_stop(h);
  while (h->list) {
    struct cl_instance *c = h->list;
    h->list = c->next;
    cl_instance_free(c);
  }
  herder_free(h);
}

int cl_herder_submit(struct cl_herder *h, struct cl_command *cmd, struct cl_err *err) {
  struct cl_queue *to = cmd->kind == CL_CMD_READ_OFFSETS ? h->groups : h->inbox;
  bool reload = cmd->kind == CL_CMD_RELOAD && h->reload;
  if (reload ? cl_reload_submit(h->reload, cmd) : cl_queue_push(to, cmd, 0))
    return 0;
  free_command(cmd);
  if (reload || cl_queue_len(to) >= INBOX_CEILING)
    return cl_err_set(err, CL_EAGAIN, "Too many requests are waiting; try again later");
  return cl_err_set(err, CL_ESTOPPED, "Worker is shutting down");
}

struct waiter {
  pthread_mutex_t lock;
  pthread_cond_t cond;
  struct cl_reply *reply;
  bool done;
};

static void wake_waiter(void *arg, struct cl_reply *reply) {
  struct waiter *w = arg;
  pthread_mutex_lock(&w->lock);
  *w->reply = *reply;
  *reply = (struct cl_reply){0};
  w->done = true;
  pthread_cond_signal(&w->cond);
  pthread_mutex_unlock(&w->lock);
}

void cl_herder_call(struct cl_herder *h, struct cl_command *cmd, struct cl_reply *reply) {
  struct waiter w = {.reply = reply};
  struct cl_err err;
  pthread_mutex_init(&w.lock, NULL);
  pthread_cond_init(&w.cond, NULL);
  cmd->done = wake_waiter;
  cmd->arg = &w;
  if (cl_herder_submit(h, cmd, &err) != 0) {
    cl_reply_error(reply, 500, "%s", err.msg);
  } else {
    pthread_mutex_lock(&w.lock);
    while (!w.done)
      pthread_cond_wait(&w.cond, &w.lock);
    pthread_mutex_unlock(&w.lock);
  }
  pthread_cond_destroy(&w.cond);
  pthread_mutex_destroy(&w.lock);
}
