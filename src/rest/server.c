/* SPDX-License-Identifier: Apache-2.0
 *
 * libmicrohttpd around the routes: two epoll threads of its own serve all connections; a
 * write suspends its connection until the herder calls back or its deadline passes (a third
 * thread watches); nothing here waits for anybody else.
 *
 * libmicrohttpd does not notice that the client of a suspended connection left, and aborts
 * the process when stopped with one: every suspended call is in `waiting` until somebody
 * answers it, and cl_server_stop answers them all first.
 * Includes rest, worker/herder.h, base. Threads: see each function.
 */
#define CL_COMPONENT "rest"

#include "rest/server.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "rest/conns.h"
#include "rest/framing.h"
#include "rest/listen.h"
#include "rest/routes.h"

#include <microhttpd.h>
#include <netdb.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  POOL_THREADS = 2, /* so that one slow handler does not stop everybody */
  CONNECTION_MEMORY = 32 * 1024,
  INACTIVITY_S = 30, /* Jetty's; also what a client that left half a request costs */
  HANG_UP_MS = 1000,
  SWALLOW_FACTOR = 4 /* of body_max: a chunked body beyond it loses its connection */
};

/* The connection's part of a call's life. */
enum call_state {
  CALL_READING, /* headers and body come in */
  CALL_WAITING, /* suspended, in the server's list */
  CALL_ANSWERED /* call->answer is ready to be sent */
};

/* One request. Lives until its connection is done with it and its command, if any, called back,
 * which may be long after the client was told that it timed out. */
struct call {
  struct cl_server *server;
  int refs;                 /* server->lock */
  enum call_state state;    /* server->lock once a command exists */
  struct call *prev, *next; /* in server->waiting; server->lock */
  struct MHD_Connection *con;
  int64_t started, deadline;
  bool counted; /* in server->in_flight */
  bool close;   /* the connection must not be used again */
  char *method, *target;
  struct cl_framing framing;
  struct cl_buf body;
  uint64_t received;
  int status; /* sent; 0 = none */
  struct cl_answer answer;
};

struct cl_server {
  struct cl_herder *herder;
  size_t body_max;
  int64_t request_timeout_ms;
  struct MHD_Daemon *daemon;
  struct cl_conns conns;
  int listen_fd;
  uint16_t port;
  pthread_t timer;
  bool timer_runs;

  pthread_mutex_t lock;
  pthread_cond_t changed; /* any of the below */
  int refs;               /* the owner and every call: a late done() still finds the lock */
  bool stopping;
  int in_flight;                       /* requests whose headers were read and whose answer is not sent */
  int touching;                        /* threads between a decision and its suspend or resume call */
  struct call *waiting, *waiting_last; /* oldest first, so the first deadline too */
};

/* ---- calls ---- */

static void server_free(struct cl_server *s) {
  cl_conns_destroy(&s->conns);
  pthread_cond_destroy(&s->changed);
  pthread_mutex_destroy(&s->lock);
  free(s);
}

static void server_unref(struct cl_server *s) {
  pthread_mutex_lock(&s->lock);
  bool last = --s->refs == 0;
  pthread_mutex_unlock(&s->lock);
  if (last)
    server_free(s);
}

static void call_unref(struct call *c) {
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
  server_unref(s);
}

static void call_link(struct call *c) {
  struct cl_server *s = c->server;
  c->prev = s->waiting_last;
  *(c->prev ? &c->prev->next : &s->waiting) = c;
  s->waiting_last = c;
}

static void call_unlink(struct call *c) {
  struct cl_server *s = c->server;
  *(c->prev ? &c->prev->next : &s->waiting) = c->next;
  *(c->next ? &c->next->prev : &s->waiting_last) = c->prev;
  c->prev = c->next = NULL;
}

/* Leaves the part that cl_server_stop waits for. @locks server->lock */
static void touch_end(struct cl_server *s) {
  pthread_mutex_lock(&s->lock);
  s->touching--;
  pthread_cond_broadcast(&s->changed);
  pthread_mutex_unlock(&s->lock);
}

/* Gives a waiting call its answer and wakes its connection; the first of herder, deadline and
 * stop wins. Takes the reply. The caller holds a reference. @thread any */
static void call_answer(struct call *c, struct cl_reply *reply) {
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
  touch_end(s);
}

static void call_answer_error(struct call *c, int status, const char *message) {
  struct cl_reply reply = {0};
  cl_reply_error(&reply, status, "%s", message);
  call_answer(c, &reply);
}

static void answer_timed_out(struct call *c) {
  struct cl_reply reply = {0};
  char stage[512];
  cl_herder_stage(c->server->herder, stage, sizeof stage);
  cl_reply_error(&reply, 500, "Request timed out%s%s", *stage ? "." : "", stage);
  call_answer(c, &reply);
}

/* The herder's callback. @thread herder */
static void call_done(void *arg, struct cl_reply *reply) {
  struct call *c = arg;
  struct cl_reply mine = *reply;
  *reply = (struct cl_reply){0};
  call_answer(c, &mine);
  call_unref(c);
}

/* Answers the oldest call if its deadline has come; how long to sleep otherwise, -1 = until
 * something changes. @locks held, let go while answering */
static int64_t expire_oldest(struct cl_server *s) {
  struct call *c = s->waiting;
  if (!c)
    return -1;
  int64_t left = c->deadline - cl_now_ms();
  if (left > 0)
    return left;
  c->refs++;
  pthread_mutex_unlock(&s->lock);
  answer_timed_out(c);
  call_unref(c);
  pthread_mutex_lock(&s->lock);
  return 0;
}

static void wait_ms(struct cl_server *s, int64_t ms) {
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

/* @thread timer */
static void *run_timer(void *arg) {
  struct cl_server *s = arg;
  pthread_mutex_lock(&s->lock);
  while (!s->stopping) {
    int64_t left = expire_oldest(s);
    if (left < 0)
      pthread_cond_wait(&s->changed, &s->lock);
    else if (left > 0)
      wait_ms(s, left);
  }
  pthread_mutex_unlock(&s->lock);
  return NULL;
}

/* ---- answers; all from here on: @thread libmicrohttpd ---- */

static enum MHD_Result add_headers(struct call *c, struct MHD_Response *r, const char *type) {
  enum MHD_Result ok = MHD_add_response_header(r, "Server", "connect-lua/" CL_VERSION);
  if (ok && type)
    ok = MHD_add_response_header(r, "Content-Type", type);
  if (ok && c->answer.allow[0])
    ok = MHD_add_response_header(r, "Allow", c->answer.allow);
  if (ok && c->close)
    ok = MHD_add_response_header(r, "Connection", "close");
  if (ok && c->answer.reply.location) {
    char *name = cl_request_encode(c->answer.reply.location);
    struct cl_buf b = {0};
    if (c->framing.host)
      cl_buf_fmt(&b, "http://%s", c->framing.host);
    cl_buf_fmt(&b, "/connectors/%s", name ? name : "");
    ok = name && !b.failed && MHD_add_response_header(r, "Location", b.p) ? MHD_YES : MHD_NO;
    cl_buf_free(&b);
    free(name);
  }
  return ok;
}

/* Sends c->answer. MHD_NO closes the connection. */
static enum MHD_Result send_answer(struct call *c) {
  struct cl_answer *a = &c->answer;
  char *text = a->reply.body ? cl_json_text(a->reply.body) : strdup(a->text);
  if (!text)
    return MHD_NO;
  const char *type = a->reply.body ? "application/json" : a->type;
  struct MHD_Response *r = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
  if (!r) {
    free(text);
    return MHD_NO;
  }
  enum MHD_Result ok = add_headers(c, r, *type ? type : NULL);
  if (ok)
    ok = MHD_queue_response(c->con, (unsigned)a->reply.status, r);
  if (ok)
    c->status = a->reply.status;
  MHD_destroy_response(r);
  return ok;
}

/* For what must not be read on after: the connection ends with the answer. */
static enum MHD_Result send_refusal(struct call *c, int status, const char *message) {
  c->close = true;
  cl_reply_error(&c->answer.reply, status, "%s", message);
  return send_answer(c);
}

static enum MHD_Result refuse_size(struct call *c) {
  c->close = true;
  cl_reply_error(&c->answer.reply, 413, "The request body is larger than the %zu bytes this worker takes",
                 c->server->body_max);
  return send_answer(c);
}

/* ---- the first call: headers are there, the body is not ---- */

static enum MHD_Result first_call(struct call *c, const char *method, const char *version) {
  struct cl_server *s = c->server;
  cl_framing_read(c->con, method, version, s->body_max, &c->framing);
  c->method = strdup(method);
  c->body.max = s->body_max;

  pthread_mutex_lock(&s->lock);
  bool stopping = s->stopping;
  s->in_flight++;
  pthread_mutex_unlock(&s->lock);
  c->counted = true;

  if (!c->method || !c->target)
    return MHD_NO;
  if (stopping)
    return send_refusal(c, 503, "Worker is shutting down");
  if (c->framing.status == 413)
    return refuse_size(c);
  if (c->framing.status)
    return send_refusal(c, c->framing.status, c->framing.message);
  return MHD_YES;
}

/* ---- the body, then the routes ---- */

static enum MHD_Result take_body(struct call *c, const char *data, size_t *size) {
  struct cl_server *s = c->server;
  c->received += *size;
  if (c->received > s->body_max)
    cl_buf_free(&c->body);
  else
    cl_buf_add(&c->body, data, *size);
  *size = 0;
  if (c->received > s->body_max * (uint64_t)SWALLOW_FACTOR || c->body.failed)
    return MHD_NO;
  /* the inactivity timeout does not see a byte now and then */
  return cl_now_ms() - c->started > s->request_timeout_ms ? MHD_NO : MHD_YES;
}

/* Suspends the connection, then hands the command over: its answer may come before this returns. */
static enum MHD_Result submit(struct call *c, struct cl_command *cmd) {
  struct cl_server *s = c->server;
  struct cl_err err = CL_ERR_INIT;
  cmd->done = call_done;
  cmd->arg = c;
  MHD_suspend_connection(c->con);
  pthread_mutex_lock(&s->lock);
  c->refs++; /* the command's */
  c->deadline = cl_now_ms() + s->request_timeout_ms;
  c->state = CALL_WAITING;
  call_link(c);
  pthread_mutex_unlock(&s->lock);
  touch_end(s);
  if (cl_herder_submit(s->herder, cmd, &err) < 0) {
    bool busy = err.code == CL_EAGAIN;
    call_answer_error(c, 503, busy ? "Worker is busy, try again" : "Worker is shutting down");
    call_unref(c);
  }
  return MHD_YES; /* the connection is this thread's: c lives until we are back in libmicrohttpd */
}

static enum MHD_Result dispatch(struct call *c) {
  struct cl_server *s = c->server;
  struct cl_err err = CL_ERR_INIT;
  struct cl_request req = {.method = c->method,
                           .target = c->target,
                           .accept = c->framing.accept,
                           .content_type = c->framing.content_type,
                           .body = c->body.p ? c->body.p : "",
                           .body_len = c->body.len};
  struct cl_exchange x = {.req = &req, .herder = s->herder};
  enum MHD_Result ok = MHD_NO;
  pthread_mutex_lock(&s->lock);
  bool stopping = s->stopping;
  s->touching += !stopping;
  pthread_mutex_unlock(&s->lock);
  if (stopping)
    return send_refusal(c, 503, "Worker is shutting down");

  if (cl_request_parse(&req, &err) < 0)
    cl_reply_error(&x.answer.reply, err.code == CL_ENOMEM ? 500 : 400, "%s", err.msg);
  else
    cl_routes_dispatch(&x);
  if (x.cmd) {
    ok = submit(c, x.cmd);
  } else {
    c->answer = x.answer;
    ok = send_answer(c);
    touch_end(s);
  }
  cl_request_clear(&req);
  return ok;
}

static bool is_answered(struct call *c) {
  pthread_mutex_lock(&c->server->lock);
  bool answered = c->state == CALL_ANSWERED;
  pthread_mutex_unlock(&c->server->lock);
  return answered;
}

/* libmicrohttpd calls once for the headers, for each piece of the body, at the body's end, and
 * again after a resume. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *con, const char *url, const char *method,
                                  const char *version, const char *data, size_t *size, void **context) {
  struct call *c = *context;
  (void)arg;
  (void)con;
  (void)url;
  if (!c)
    return MHD_NO;
  if (c->status)
    return MHD_YES; /* answered, but libmicrohttpd is stopping and forgot it */
  if (!c->counted)
    return first_call(c, method, version);
  if (*size > 0)
    return take_body(c, data, size);
  if (is_answered(c))
    return send_answer(c);
  if (c->received > c->server->body_max)
    return refuse_size(c);
  return dispatch(c);
}

/* ---- a request's beginning and end ---- */

static void *on_begin(void *arg, const char *uri, struct MHD_Connection *con) {
  struct cl_server *s = arg;
  struct call *c = calloc(1, sizeof *c);
  if (!c)
    return NULL;
  c->server = s;
  c->con = con;
  c->refs = 1;
  c->started = cl_now_ms();
  c->target = strdup(uri ? uri : "");
  pthread_mutex_lock(&s->lock);
  s->refs++;
  pthread_mutex_unlock(&s->lock);
  return c;
}

static void log_access(const struct call *c) {
  char client[NI_MAXHOST] = "-", target[256];
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(c->con, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  const struct sockaddr *addr = info ? info->client_addr : NULL;
  if (addr)
    getnameinfo(addr, addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in),
                client, sizeof client, NULL, 0, NI_NUMERICHOST);
  snprintf(target, sizeof target, "%s", c->target);
  for (char *p = target; *p; p++)
    if ((unsigned char)*p < 0x20 || *p == 0x7f)
      *p = '?'; /* a log line is one line */
  CL_LOG(CL_INFO, "%s %s %d %lld ms %s", c->method, target, c->status, (long long)(cl_now_ms() - c->started),
         client);
}

static void on_end(void *arg, struct MHD_Connection *con, void **context,
                   enum MHD_RequestTerminationCode how) {
  struct cl_server *s = arg;
  struct call *c = *context;
  (void)con;
  (void)how;
  if (!c)
    return;
  *context = NULL;
  if (c->counted) {
    if (c->method && c->target)
      log_access(c);
    pthread_mutex_lock(&s->lock);
    s->in_flight--;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
  }
  call_unref(c);
}

static size_t keep_escapes(void *arg, struct MHD_Connection *con, char *text) {
  (void)arg;
  (void)con;
  return strlen(text); /* the path is split before it is decoded: request.c */
}

static void on_log(void *arg, const char *fmt, va_list ap) {
  char line[512];
  (void)arg;
  int n = vsnprintf(line, sizeof line, fmt, ap);
  for (int i = 0; i < n && line[i]; i++)
    if ((unsigned char)line[i] < 0x20)
      line[i] = line[i + 1] ? ' ' : 0;
  CL_LOG(CL_WARN, "%s", line);
}

/* ---- start and stop ---- */

static int start_daemon(struct cl_server *s, struct cl_err *err) {
  const struct MHD_OptionItem options[] = {
      {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)on_log, NULL}, /* first, or start itself logs to stderr */
      {MHD_OPTION_LISTEN_SOCKET, s->listen_fd, NULL},
      {MHD_OPTION_THREAD_POOL_SIZE, POOL_THREADS, NULL},
      {MHD_OPTION_CONNECTION_LIMIT, s->conns.max, NULL},
      {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, NULL},
      {MHD_OPTION_CONNECTION_TIMEOUT, INACTIVITY_S, NULL},
      {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)keep_escapes, NULL},
      {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)cl_conns_notify, &s->conns},
      {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_begin, s},
      {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_end, s},
      {MHD_OPTION_END, 0, NULL},
  };
  s->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG,
                               s->port, NULL, NULL, on_request, s, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
  if (s->daemon)
    return 0;
  s->listen_fd = -1; /* closed by libmicrohttpd on most of its failures: better leaked than closed twice */
  return cl_err_set(err, CL_EIO, "REST listener: libmicrohttpd did not start, see the log");
}

static struct cl_server *server_new(const struct cl_server_conf *conf) {
  struct cl_server *s = calloc(1, sizeof *s);
  if (!s)
    return NULL;
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&s->changed, &monotonic);
  pthread_condattr_destroy(&monotonic);
  pthread_mutex_init(&s->lock, NULL);
  cl_conns_init(&s->conns, conf->connections_max ? conf->connections_max : 1000);
  s->refs = 1;
  s->listen_fd = -1;
  s->herder = conf->herder;
  s->body_max = conf->body_max ? conf->body_max : 1024 * 1024;
  s->request_timeout_ms = conf->request_timeout_ms ? conf->request_timeout_ms : 90000;
  return s;
}

int cl_server_start(const struct cl_server_conf *conf, struct cl_server **out, struct cl_err *err) {
  *out = NULL;
  struct cl_server *s = server_new(conf);
  if (!s)
    return cl_err_set(err, CL_ENOMEM, "Out of memory");
  int rc = cl_listen_open(conf->host ? conf->host : "", conf->port, &s->listen_fd, &s->port, err);
  if (rc < 0)
    goto out;
  if (pthread_create(&s->timer, NULL, run_timer, s) != 0) {
    rc = cl_err_set(err, CL_EIO, "REST listener: cannot start a thread");
    goto out;
  }
  s->timer_runs = true;
  rc = start_daemon(s, err);
out:
  if (rc < 0)
    cl_server_stop(s, 0);
  else
    *out = s;
  return rc;
}

uint16_t cl_server_port(const struct cl_server *s) { return s->port; }

static void answer_all(struct cl_server *s) {
  pthread_mutex_lock(&s->lock);
  while (s->touching > 0)
    pthread_cond_wait(&s->changed, &s->lock);
  while (s->waiting) {
    struct call *c = s->waiting;
    c->refs++;
    pthread_mutex_unlock(&s->lock);
    call_answer_error(c, 503, "Worker is shutting down");
    call_unref(c);
    pthread_mutex_lock(&s->lock);
  }
  pthread_mutex_unlock(&s->lock);
}

/* Until every request was sent its answer, or the deadline; a resume in progress is always awaited. */
static void wait_for_requests(struct cl_server *s, int64_t timeout_ms) {
  int64_t until = cl_now_ms() + timeout_ms, left = timeout_ms;
  pthread_mutex_lock(&s->lock);
  while (s->touching > 0 || (s->in_flight > 0 && left > 0)) {
    wait_ms(s, left > 0 ? left : 100);
    left = until - cl_now_ms();
  }
  if (s->in_flight > 0)
    CL_LOG(CL_WARN, "%d requests did not end in %lld ms, closing their connections", s->in_flight,
           (long long)timeout_ms);
  pthread_mutex_unlock(&s->lock);
}

void cl_server_stop(struct cl_server *s, int64_t timeout_ms) {
  if (s->daemon)
    MHD_quiesce_daemon(s->daemon);
  pthread_mutex_lock(&s->lock);
  s->stopping = true;
  pthread_cond_broadcast(&s->changed);
  pthread_mutex_unlock(&s->lock);
  if (s->timer_runs)
    pthread_join(s->timer, NULL);
  if (s->daemon) {
    shutdown(s->listen_fd, SHUT_RDWR); /* clients in the backlog are told now */
    answer_all(s);
    wait_for_requests(s, timeout_ms);
    if (!cl_conns_hang_up(&s->conns, HANG_UP_MS))
      CL_LOG(CL_WARN, "Some connections did not end");
    MHD_stop_daemon(s->daemon);
  }
  if (s->listen_fd >= 0)
    close(s->listen_fd); /* not before: a thread of libmicrohttpd may still look at it */
  server_unref(s);
}
