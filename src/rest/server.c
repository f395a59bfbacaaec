/* SPDX-License-Identifier: Apache-2.0
 *
 * libmicrohttpd around the routes: two epoll threads of its own serve all connections of a listener; a
 * further thread watches the deadlines of all, another hashes passwords.
 * Includes rest, worker/herder.h, base. Threads: see each function.
 */
#define CL_COMPONENT "rest"

#include "rest/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "rest/auth.h"
#include "rest/listen.h"
#include "rest/tls.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  POOL_THREADS = 2, /* so that one slow handler does not stop everybody */
  HANG_UP_MS = 1000
};

static size_t keep_escapes(void *arg, struct MHD_Connection *con, char *text) {
  (void)arg;
  (void)con;
  return strlen(text); /* the path is split before it is decoded: request.c */
}

/* Clients cause most of this, handshakes that fail above all. */
static void on_log(void *arg, const char *fmt, va_list ap) {
  char line[512];
  (void)arg;
  int n = vsnprintf(line, sizeof line, fmt, ap);
  for (int i = 0; i < n && line[i]; i++)
    if ((unsigned char)line[i] < 0x20)
      line[i] = line[i + 1] ? ' ' : 0;
  CL_LOG(CL_WARN, "%s", line);
}

static void on_connection(void *arg, struct MHD_Connection *con, void **context,
                          enum MHD_ConnectionNotificationCode what) {
  struct cl_port *p = arg;
  if (p->tls && what == MHD_CONNECTION_NOTIFY_STARTED)
    cl_tls_greet(p->tls, con);
  cl_conns_notify(&p->conns, con, context, what);
}

/* ---- start ---- */

static int start_daemon(struct cl_port *p, struct cl_err *err) {
  const struct MHD_OptionItem options[] = {
      {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)on_log, NULL}, /* first, or start itself logs to stderr */
      {MHD_OPTION_LISTEN_SOCKET, p->fd, NULL},
      {MHD_OPTION_THREAD_POOL_SIZE, POOL_THREADS, NULL},
      {MHD_OPTION_CONNECTION_LIMIT, p->conns.max, NULL},
      {MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)p->server->conf->head_max, NULL},
      {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)((p->server->conf->idle_timeout_ms + 999) / 1000), NULL},
      {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)keep_escapes, NULL},
      {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, p},
      {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)cl_serve_begin, p},
      {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)cl_serve_end, p},
      {MHD_OPTION_END, 0, NULL},
  };
  struct MHD_OptionItem tls[CL_TLS_OPTIONS] = {{MHD_OPTION_END, 0, NULL}};
  unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
  if (p->tls) {
    cl_tls_options(p->tls, tls);
    flags |= MHD_USE_TLS;
  }
  p->daemon = MHD_start_daemon(flags, p->number, NULL, NULL, cl_serve_request, p, MHD_OPTION_ARRAY, options,
                               MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
  if (p->daemon)
    return 0;
  p->fd = -1; /* closed by libmicrohttpd on most of its failures: better leaked than closed twice */
  return cl_err_set(err, CL_EIO, "REST listener: libmicrohttpd did not start, see the log");
}

static struct cl_server *server_new(const struct cl_rest_conf *conf, struct cl_herder *herder) {
  struct cl_server *s = calloc(1, sizeof *s);
  struct cl_port *ports = calloc(conf->n_listeners, sizeof *ports);
  if (!s || !ports) {
    free(s);
    free(ports);
    return NULL;
  }
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&s->changed, &monotonic);
  pthread_condattr_destroy(&monotonic);
  pthread_mutex_init(&s->lock, NULL);
  s->refs = 1;
  s->herder = herder;
  s->conf = conf;
  s->ports = ports;
  s->n_ports = conf->n_listeners;
  for (size_t i = 0; i < s->n_ports; i++) {
    ports[i] = (struct cl_port){.server = s, .listener = &conf->listeners[i], .fd = -1};
    cl_conns_init(&ports[i].conns, conf->connections_max, conf->head_timeout_ms);
  }
  return s;
}

/* All sockets before the first daemon: nobody is served by half a worker. */
static int open_ports(struct cl_server *s, struct cl_err *err) {
  int rc = s->conf->tls ? cl_tls_new(s->conf->tls, &s->tls, err) : 0;
  if (rc == 0 && s->conf->admin_tls)
    rc = cl_tls_new(s->conf->admin_tls, &s->admin_tls, err);
  if (rc == 0)
    rc = cl_auth_new(&s->conf->auth, &s->auth, err);
  if (rc == 0 && s->auth) {
    s->prover_runs = pthread_create(&s->prover, NULL, cl_call_run_prover, s) == 0;
    if (!s->prover_runs)
      rc = cl_err_set(err, CL_EIO, "REST listener: cannot start a thread");
  }
  if (rc == 0)
    rc = cl_headers_new(s->conf, &s->headers, err);
  for (size_t i = 0; rc == 0 && i < s->n_ports; i++) {
    struct cl_port *p = &s->ports[i];
    if (p->listener->https)
      p->tls = p->listener->admin ? s->admin_tls : s->tls;
    CL_REQUIRE(p->tls || !p->listener->https);
    rc = cl_listen_open(p->listener->host, p->listener->port, &p->fd, &p->number, err);
  }
  for (size_t i = 0; rc == 0 && i < s->n_ports; i++)
    rc = start_daemon(&s->ports[i], err);
  return rc;
}

int cl_server_start(const struct cl_rest_conf *conf, struct cl_herder *herder, struct cl_server **out,
                    struct cl_err *err) {
  *out = NULL;
  struct cl_server *s = server_new(conf, herder);
  if (!s)
    return cl_err_set(err, CL_ENOMEM, "Out of memory");
  int rc = 0;
  if (pthread_create(&s->timer, NULL, cl_call_run_timer, s) != 0)
    rc = cl_err_set(err, CL_EIO, "REST listener: cannot start a thread");
  else
    s->timer_runs = true;
  if (rc == 0)
    rc = open_ports(s, err);
  if (rc < 0)
    cl_server_stop(s, 0);
  else
    *out = s;
  return rc;
}

uint16_t cl_server_port(const struct cl_server *s, size_t i) { return s->ports[i].number; }

/* ---- stop ---- */

/* Until every request was sent its answer, or the deadline; a resume in progress is always awaited. */
static void wait_for_requests(struct cl_server *s, int64_t timeout_ms) {
  int64_t until = cl_now_ms() + timeout_ms, left = timeout_ms;
  pthread_mutex_lock(&s->lock);
  while (s->touching > 0 || (s->in_flight > 0 && left > 0)) {
    cl_call_wait_ms(s, left > 0 ? left : 100);
    left = until - cl_now_ms();
  }
  if (s->in_flight > 0)
    CL_LOG(CL_WARN, "%d requests did not end in %lld ms, closing their connections", s->in_flight,
           (long long)timeout_ms);
  pthread_mutex_unlock(&s->lock);
}

static void close_port(struct cl_port *p) {
  if (p->daemon) {
    if (!cl_conns_hang_up(&p->conns, HANG_UP_MS))
      CL_LOG(CL_WARN, "Some connections did not end");
    MHD_stop_daemon(p->daemon); /* closes the socket, too */
    p->fd = -1;
  }
  if (p->fd >= 0)
    close(p->fd);
  cl_conns_destroy(&p->conns);
}

/* Who comes now is told that the worker stops. MHD_quiesce_daemon would keep them out, but aborts the
 * process when it meets one of its own threads at the wrong moment. */
void cl_server_stop(struct cl_server *s, int64_t timeout_ms) {
  pthread_mutex_lock(&s->lock);
  s->stopping = true;
  pthread_cond_broadcast(&s->changed);
  pthread_mutex_unlock(&s->lock);
  if (s->timer_runs)
    pthread_join(s->timer, NULL);
  if (s->prover_runs)
    pthread_join(s->prover, NULL);
  cl_call_answer_all(s);
  wait_for_requests(s, timeout_ms);
  for (size_t i = 0; i < s->n_ports; i++)
    close_port(&s->ports[i]);
  cl_server_unref(s);
}
