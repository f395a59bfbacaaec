/* SPDX-License-Identifier: Apache-2.0
 *
 * A request as libmicrohttpd brings it: headers, body, routes, answer.
 * Includes rest, worker/herder.h, base. @thread libmicrohttpd, all of it.
 */
#define CL_COMPONENT "rest"

#include "rest/internal.h"

#include "base/clock.h"
#include "base/log.h"

#include <netdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { SWALLOW_FACTOR = 4 }; /* of body_max: a chunked body beyond it loses its connection */

/* The inactivity timeout does not see a byte now and then: the client has ms for what comes next. */
static void give_time(struct cl_call *c, int64_t ms) {
  cl_conns_deadline(&c->port->conns, c->con, cl_now_ms() + ms);
}

static enum MHD_Result add_headers(struct cl_call *c, struct MHD_Response *r, const char *type) {
  enum MHD_Result ok = MHD_YES;
  if (!c->port->listener->admin)
    ok = cl_headers_add(c->server->headers, c->con, c->method, r);
  if (ok && !MHD_get_response_header(r, "Server"))
    ok = MHD_add_response_header(r, "Server", "connect-lua/" CL_VERSION);
  if (ok && type)
    ok = cl_headers_set(r, "Content-Type", type);
  if (ok && c->answer.allow[0])
    ok = cl_headers_set(r, "Allow", c->answer.allow);
  if (ok && c->close)
    ok = MHD_add_response_header(r, "Connection", "close");
  if (ok && c->answer.reply.location) {
    char *name = cl_request_encode(c->answer.reply.location);
    struct cl_buf b = {0};
    if (c->framing.host)
      cl_buf_fmt(&b, "%s://%s", c->port->tls ? "https" : "http", c->framing.host);
    cl_buf_fmt(&b, "/connectors/%s", name ? name : "");
    ok = name && !b.failed && cl_headers_set(r, "Location", b.p) ? MHD_YES : MHD_NO;
    cl_buf_free(&b);
    free(name);
  }
  return ok;
}

/* Sends c->answer. MHD_NO closes the connection. */
static enum MHD_Result send_answer(struct cl_call *c) {
  struct cl_answer *a = &c->answer;
  char *text = a->reply.body ? cl_json_text(a->reply.body) : a->page ? a->page : strdup(a->text);
  a->page = NULL;
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
  if (ok) {
    c->status = a->reply.status;
    give_time(c, c->server->conf->request_timeout_ms);
  }
  MHD_destroy_response(r);
  return ok;
}

/* For what must not be read on after: the connection ends with the answer. */
static enum MHD_Result send_refusal(struct cl_call *c, int status, const char *message) {
  c->close = true;
  cl_reply_error(&c->answer.reply, status, "%s", message);
  return send_answer(c);
}

static enum MHD_Result refuse_size(struct cl_call *c) {
  c->close = true;
  cl_reply_error(&c->answer.reply, 413, "The request body is larger than the %zu bytes this worker takes",
                 c->server->conf->body_max);
  return send_answer(c);
}

/* ---- the first call: headers are there, the body is not ---- */

static enum cl_route_set routes_of(const struct cl_port *port) {
  if (port->listener->admin)
    return CL_ROUTES_ADMIN;
  return port->server->conf->admin == CL_ADMIN_WITH_REST ? CL_ROUTES_ALL : CL_ROUTES_REGULAR;
}

/* What the routes are asked, *req and *x; false: answered in *x. */
static bool ask_routes(const struct cl_call *c, struct cl_request *req, struct cl_exchange *x) {
  struct cl_err err = CL_ERR_INIT;
  *req = (struct cl_request){.method = c->method,
                             .target = c->target,
                             .accept = c->framing.accept,
                             .content_type = c->framing.content_type,
                             .body = c->body.p ? c->body.p : "",
                             .body_len = c->body.len};
  *x = (struct cl_exchange){.req = req,
                            .herder = c->server->herder,
                            .served = routes_of(c->port),
                            .auth = c->server->auth,
                            .authorization = c->framing.authorization,
                            .verdict = c->verdict};
  if (cl_request_parse(req, &err) == 0)
    return true;
  cl_reply_error(&x->answer.reply, err.code == CL_ENOMEM ? 500 : 400, "%s", err.msg);
  return false;
}

/* Strangers and errors that the head shows: they are answered when the body is through, which is not kept. */
static void check_head(struct cl_call *c) {
  struct cl_request req;
  struct cl_exchange x;
  if (ask_routes(c, &req, &x))
    cl_routes_check(&x);
  c->verdict = x.verdict;
  if (x.answer.reply.status) {
    c->answer = x.answer;
    c->state = CALL_ANSWERED;
  }
  cl_request_clear(&req);
}

/* False: the server is stopping. Ends with cl_call_touch_end. */
static bool may_touch(struct cl_server *s) {
  pthread_mutex_lock(&s->lock);
  bool stopping = s->stopping;
  s->touching += !stopping;
  pthread_mutex_unlock(&s->lock);
  return !stopping;
}

static bool is_answered(struct cl_call *c) {
  pthread_mutex_lock(&c->server->lock);
  bool answered = c->state == CALL_ANSWERED;
  pthread_mutex_unlock(&c->server->lock);
  return answered;
}

static enum MHD_Result refuse_stopping(struct cl_call *c) {
  return send_refusal(c, 503, "Worker is shutting down");
}

/* libmicrohttpd shows texts that end at the first NUL, so that a target would lose what follows one. The
 * version stands behind the target and a blank in the same buffer. */
static bool target_is_cut(const struct cl_call *c, const char *version) {
  return c->line && (uintptr_t)version - (uintptr_t)c->line != strlen(c->target) + 1;
}

static enum MHD_Result first_call(struct cl_call *c, const char *method, const char *version) {
  struct cl_server *s = c->server;
  cl_framing_read(c->con, method, version, s->conf->body_max, &c->framing);
  c->method = strdup(method);
  c->body.max = s->conf->body_max;
  give_time(c, s->conf->request_timeout_ms);

  pthread_mutex_lock(&s->lock);
  bool stopping = s->stopping;
  s->in_flight++;
  pthread_mutex_unlock(&s->lock);
  c->counted = true;

  if (!c->method || !c->target)
    return MHD_NO;
  if (stopping)
    return refuse_stopping(c);
  if (c->framing.status == 413)
    return refuse_size(c);
  if (c->framing.status)
    return send_refusal(c, c->framing.status, c->framing.message);
  if (target_is_cut(c, version)) {
    char message[80];
    snprintf(message, sizeof message, "Control character at character %zu of the request target",
             strlen(c->target) + 1);
    return send_refusal(c, 400, message);
  }
  check_head(c);
  if (is_answered(c) || c->verdict != CL_AUTH_UNKNOWN)
    return MHD_YES;
  if (!may_touch(s))
    return refuse_stopping(c);
  cl_conns_deadline(&c->port->conns, c->con, 0); /* it is our turn */
  cl_call_prove(c);
  return MHD_YES; /* the connection is this thread's: c lives until we are back in libmicrohttpd */
}

/* The first one again, when it is known who it is. */
static enum MHD_Result second_call(struct cl_call *c) {
  c->again = false;
  give_time(c, c->server->conf->request_timeout_ms);
  if (!is_answered(c))
    check_head(c);
  return MHD_YES;
}

/* ---- the body, then the routes ---- */

static enum MHD_Result take_body(struct cl_call *c, const char *data, size_t *size) {
  struct cl_server *s = c->server;
  c->received += *size;
  if (c->received > s->conf->body_max)
    cl_buf_free(&c->body);
  else if (!is_answered(c))
    cl_buf_add(&c->body, data, *size);
  *size = 0;
  if (c->received > s->conf->body_max * (uint64_t)SWALLOW_FACTOR || c->body.failed)
    return MHD_NO;
  return MHD_YES;
}

static enum MHD_Result dispatch(struct cl_call *c) {
  struct cl_request req;
  struct cl_exchange x;
  enum MHD_Result ok = MHD_NO;
  if (!may_touch(c->server))
    return refuse_stopping(c);
  cl_conns_deadline(&c->port->conns, c->con, 0); /* it is our turn */
  if (ask_routes(c, &req, &x))
    cl_routes_dispatch(&x);
  if (x.cmd) {
    cl_call_submit(c, x.cmd);
    ok = MHD_YES; /* c lives, as above */
  } else {
    c->answer = x.answer;
    ok = send_answer(c);
    cl_call_touch_end(c->server);
  }
  cl_request_clear(&req);
  return ok;
}

/* libmicrohttpd calls once for the headers, for each piece of the body, at the body's end, and
 * again after a resume, for the headers too. */
enum MHD_Result cl_serve_request(void *arg, struct MHD_Connection *con, const char *url, const char *method,
                                 const char *version, const char *data, size_t *size, void **context) {
  struct cl_call *c = *context;
  (void)arg;
  (void)con;
  (void)url;
  if (!c)
    return MHD_NO;
  if (c->status)
    return MHD_YES; /* answered, but libmicrohttpd is stopping and forgot it */
  if (!c->counted)
    return first_call(c, method, version);
  if (c->again)
    return second_call(c);
  if (*size > 0)
    return take_body(c, data, size);
  if (is_answered(c))
    return send_answer(c);
  if (c->received > c->server->conf->body_max)
    return refuse_size(c);
  return dispatch(c);
}

/* ---- a request's beginning and end ---- */

void *cl_serve_begin(void *arg, const char *uri, struct MHD_Connection *con) {
  struct cl_port *port = arg;
  struct cl_server *s = port->server;
  struct cl_call *c = calloc(1, sizeof *c);
  if (!c)
    return NULL;
  c->server = s;
  c->port = port;
  c->con = con;
  give_time(c, s->conf->head_timeout_ms);
  c->refs = 1;
  c->started = cl_now_ms();
  c->line = uri;
  c->target = strdup(uri ? uri : "");
  pthread_mutex_lock(&s->lock);
  s->refs++;
  pthread_mutex_unlock(&s->lock);
  return c;
}

/* Without the query: who mistakes it for a body may have put a password there. */
static void log_access(const struct cl_call *c) {
  char client[NI_MAXHOST] = "-", target[256];
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(c->con, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  const struct sockaddr *addr = info ? info->client_addr : NULL;
  if (addr)
    getnameinfo(addr, addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in),
                client, sizeof client, NULL, 0, NI_NUMERICHOST);
  snprintf(target, sizeof target, "%.*s", (int)strcspn(c->target, "?"), c->target);
  for (char *p = target; *p; p++)
    if ((unsigned char)*p < 0x20 || *p == 0x7f)
      *p = '?'; /* a log line is one line */
  CL_LOG(CL_INFO, "%s %s %d %lld ms %s", c->method, target, c->status, (long long)(cl_now_ms() - c->started),
         client);
}

void cl_serve_end(void *arg, struct MHD_Connection *con, void **context,
                  enum MHD_RequestTerminationCode how) {
  struct cl_server *s = ((const struct cl_port *)arg)->server;
  struct cl_call *c = *context;
  (void)con;
  (void)how;
  if (!c)
    return;
  *context = NULL;
  give_time(c, s->conf->idle_timeout_ms + s->conf->head_timeout_ms);
  if (c->counted) {
    if (c->method && c->target)
      log_access(c);
    pthread_mutex_lock(&s->lock);
    s->in_flight--;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
  }
  cl_call_unref(c);
}
