/* SPDX-License-Identifier: Apache-2.0
 *
 * The thread that watches plugin files. An event is only a hint: once it is quiet everything is looked at,
 * and what holds what it held is left alone. Thread: its own. May include floors 5-0.
 */
#define CL_COMPONENT "plugins"
#include "worker/reload.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/notify.h"
#include "vm/sources.h"
#include "worker/internal.h"
#include "worker/plugin_info.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
  WAITING_MAX = 1000,
  QUIET_MS = 100, /* editors save in several steps */
  BUSY_MS = 400,  /* who never stops writing is not waited for */
  NET_MS = 10000, /* network mounts, and what else gives no event */
  BLIND_MS = 500  /* where the system watches nothing for us */
};

struct cl_reload {
  struct cl_herder *h;
  struct cl_plugins *set; /* the newest; a reference */
  struct cl_queue *inbox;
  int wake; /* eventfd */
  pthread_t thread;
  atomic_bool stop;
  bool blind; /* and said so */
};

/* ------------------------------------------------------------------------ looking */

static struct cl_command *publication(struct cl_plugins *set, struct cl_command *asked, json_t *changes) {
  struct cl_command *cmd = asked ? asked : calloc(1, sizeof(*cmd));
  CL_REQUIRE(cmd);
  if (!cmd->name)
    cmd->name = strdup("");
  json_decref(cmd->config);
  cmd->kind = CL_CMD_PUBLISH;
  cmd->config = changes;
  cmd->plugins = cl_plugins_ref(set);
  return cmd;
}

static void refuse(struct cl_command *cmd, int status, const char *text, const char *name) {
  struct cl_reply reply = {0};
  cl_reply_error(&reply, status, text, name);
  cl_herder_answer(cmd, &reply);
}

/* The file of a plugin named by class; "" = there is none. */
static const char *file_of(const struct cl_plugins *set, const char *name) {
  const struct cl_plugin *p = cl_plugin_info_find(set, name);
  return p ? p->file : "";
}

/* Takes asked (NULL = nobody did). True: something is new. */
static bool look(struct cl_reload *r, struct cl_command *asked) {
  const struct cl_worker *w = r->h->worker;
  struct cl_err err = CL_ERR_INIT;
  struct cl_plugins *next = NULL;
  const char *only = asked && asked->name[0] ? file_of(r->set, asked->name) : NULL;
  if (only && !*only) {
    refuse(asked, 404, "Unknown plugin %s.", asked->name);
    return false;
  }
  if (cl_plugins_rescan(w->control, w->home, w->conf->plugin_path, r->set, only, &next, &err) != 0) {
    CL_LOG(CL_ERROR, "plugins cannot be looked at: %s", err.msg);
    if (asked)
      refuse(asked, 500, "%s", err.msg);
    return false;
  }
  bool changed = cl_plugin_info_differ(r->set, next);
  if (!changed && !asked) {
    cl_plugins_unref(next);
    return false;
  }
  struct cl_command *cmd = publication(next, asked, cl_plugin_info_changes(r->set, next));
  cl_plugins_unref(r->set);
  r->set = next;
  if (!cl_queue_push(r->h->inbox, cmd, -1))
    refuse(cmd, 503, "Worker is shutting down%s", "");
  return changed;
}

/* ----------------------------------------------------------------------- watching */

static int watch_sources(struct cl_notify *n, const struct cl_sources *sources, struct cl_err *err) {
  size_t count = 0;
  const struct cl_source_file *f = sources ? cl_sources_all(sources, &count) : NULL;
  for (size_t i = 0; i < count; i++) {
    if (cl_notify_add(n, f[i].path, false, err) != 0)
      return err->code;
  }
  return 0;
}

static int watch_files(struct cl_notify *n, const struct cl_plugins *set, struct cl_err *err) {
  size_t count;
  const struct cl_plugin_file *f = cl_plugins_files(set, &count);
  for (size_t i = 0; i < count; i++) {
    if (cl_notify_add(n, f[i].path, false, err) != 0 || watch_sources(n, f[i].tried, err) != 0 ||
        (f[i].plugin && watch_sources(n, f[i].plugin->sources, err) != 0))
      return err->code;
  }
  return 0;
}

static int watch_folder(void *n, const char *folder, struct cl_err *err) {
  return cl_notify_add(n, folder, true, err);
}

/* What the newest plugins come from, and where others may come to be. NULL: it is to be looked often. */
static struct cl_notify *watch(struct cl_reload *r) {
  const struct cl_worker *w = r->h->worker;
  struct cl_err err = CL_ERR_INIT;
  struct cl_notify *n = NULL;
  if (cl_notify_open(&n, &err) == 0 &&
      cl_plugins_folders(w->home, w->conf->plugin_path, watch_folder, n, &err) == 0 &&
      watch_files(n, r->set, &err) == 0) {
    r->blind = false;
    return n;
  }
  if (!r->blind)
    CL_LOG(CL_WARN, "%s; plugin files are looked at every %d ms instead", err.msg, BLIND_MS);
  r->blind = true;
  cl_notify_close(n);
  return NULL;
}

static bool is_awake(struct cl_reload *r, int64_t ms, struct cl_notify *n, bool *event) {
  struct pollfd fds[] = {{.fd = r->wake, .events = POLLIN},
                         {.fd = n ? cl_notify_fd(n) : -1, .events = POLLIN}};
  *event = false;
  if (poll(fds, 2, (int)(ms > 0 ? ms : 0)) <= 0)
    return false;
  *event = fds[1].revents != 0 && cl_notify_take(n);
  if (!fds[0].revents)
    return false;
  eventfd_t count;
  (void)eventfd_read(r->wake, &count);
  return true;
}

/* Until it is worth looking. */
static void wait_for_change(struct cl_reload *r, struct cl_notify *n) {
  int64_t end = cl_now_ms() + (n ? NET_MS : BLIND_MS);
  bool event = false;
  while (!event && cl_now_ms() < end) {
    if (is_awake(r, end - cl_now_ms(), n, &event))
      return;
  }
  end = cl_now_ms() + BUSY_MS;
  while (event && cl_now_ms() < end) {
    if (is_awake(r, QUIET_MS, n, &event))
      return;
  }
}

static void *reload_main(void *arg) {
  struct cl_reload *r = arg;
  cl_log_context("plugins");
  while (!atomic_load(&r->stop)) {
    /* First the watches, then the look: nothing happens between the two unseen. */
    struct cl_notify *n = watch(r);
    struct cl_command *cmd = cl_queue_pop(r->inbox, 0);
    if (!look(r, cmd) && !cmd)
      wait_for_change(r, n);
    cl_notify_close(n);
  }
  return NULL;
}

/* ---------------------------------------------------------------------- lifetime */

bool cl_reload_submit(struct cl_reload *r, struct cl_command *cmd) {
  if (!cl_queue_push(r->inbox, cmd, 0))
    return false;
  (void)eventfd_write(r->wake, 1);
  return true;
}

static void reload_free(struct cl_reload *r) {
  if (r->inbox)
    cl_queue_free(r->inbox);
  if (r->wake >= 0)
    close(r->wake);
  cl_plugins_unref(r->set);
  free(r);
}

int cl_reload_start(struct cl_herder *h, struct cl_reload **out, struct cl_err *err) {
  struct cl_reload *r = calloc(1, sizeof(*r));
  if (!r)
    return cl_err_set(err, CL_ENOMEM, "no memory to watch plugins");
  r->h = h;
  r->set = cl_plugins_ref(h->worker->plugins);
  r->inbox = cl_queue_new(WAITING_MAX);
  r->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  int rc = r->inbox && r->wake >= 0 ? pthread_create(&r->thread, NULL, reload_main, r) : errno;
  if (rc != 0) {
    reload_free(r);
    return cl_err_set(err, CL_EIO, "cannot watch plugins: %s", strerror(rc));
  }
  *out = r;
  return 0;
}

void cl_reload_stop(struct cl_reload *r) {
  struct cl_command *cmd;
  if (!r)
    return;
  atomic_store(&r->stop, true);
  cl_queue_close(r->inbox);
  (void)eventfd_write(r->wake, 1);
  pthread_join(r->thread, NULL);
  while ((cmd = cl_queue_pop(r->inbox, 0)))
    refuse(cmd, 503, "Worker is shutting down%s", "");
  reload_free(r);
}
