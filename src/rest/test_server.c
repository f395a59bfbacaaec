/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads: libmicrohttpd's, one a connection, and the caller's; one lock. Includes base.
 */
#include "rest/test_server.h"

#include "base/buf.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

struct answer {
  struct answer *next;
  struct cl_test_answer a; /* its texts are copies */
};

struct asked { /* a request, while it comes in and then for ever */
  struct cl_test_request r;
  char *target;
  struct cl_buf headers, body;
};

struct cl_test_server {
  struct MHD_Daemon *daemon;
  int port;
  pthread_mutex_t lock;
  pthread_cond_t stopped;
  bool stopping;
  struct answer *answers;
  struct asked **asked;
  size_t n, cap;
};

/* --------------------------------------------------------------------- answers */

static char *copy(const char *text) { return text ? strdup(text) : NULL; }

static void free_answer(struct answer *a) {
  free((char *)a->a.method);
  free((char *)a->a.path);
  free((char *)a->a.headers);
  free((char *)a->a.body);
  free(a);
}

int cl_test_server_answer(struct cl_test_server *s, const struct cl_test_answer *given) {
  struct answer *a = calloc(1, sizeof *a), **end = &s->answers;
  if (!a)
    return -1;
  a->a = *given;
  a->a.method = copy(given->method);
  a->a.path = copy(given->path);
  a->a.headers = strdup(given->headers ? given->headers : "");
  a->a.body = malloc(given->body_len + 1);
  if ((given->method && !a->a.method) || (given->path && !a->a.path) || !a->a.headers || !a->a.body) {
    free_answer(a);
    return -1;
  }
  if (given->body_len)
    memcpy((char *)a->a.body, given->body, given->body_len);
  pthread_mutex_lock(&s->lock);
  while (*end)
    end = &(*end)->next;
  *end = a;
  pthread_mutex_unlock(&s->lock);
  return 0;
}

static bool fits(const struct cl_test_answer *a, const struct cl_test_request *r) {
  size_t path = strcspn(r->target, "?");
  return a->times != 0 && (!a->method || strcmp(a->method, r->method) == 0) &&
         (!a->path || (strlen(a->path) == path && strncmp(a->path, r->target, path) == 0));
}

/* The answer to a request, or NULL; answers live as long as the server. */
static const struct cl_test_answer *take(struct cl_test_server *s, const struct cl_test_request *r) {
  const struct cl_test_answer *found = NULL;
  pthread_mutex_lock(&s->lock);
  for (struct answer *a = s->answers; a && !found; a = a->next) {
    if (!fits(&a->a, r))
      continue;
    found = &a->a;
    if (a->a.times > 0)
      a->a.times--;
  }
  pthread_mutex_unlock(&s->lock);
  return found;
}

static void wait_ms(struct cl_test_server *s, int64_t ms) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += ms / 1000;
  until.tv_nsec += ms % 1000 * 1000000;
  if (until.tv_nsec >= 1000000000) {
    until.tv_sec++;
    until.tv_nsec -= 1000000000;
  }
  pthread_mutex_lock(&s->lock);
  while (!s->stopping && pthread_cond_timedwait(&s->stopped, &s->lock, &until) == 0)
    ;
  pthread_mutex_unlock(&s->lock);
}

/* --------------------------------------------------------------------- sending */

/* Half of the body, then no more. */
static ssize_t read_half(void *arg, uint64_t at, char *out, size_t max) {
  const struct cl_test_answer *a = arg;
  size_t left = a->body_len / 2 > at ? a->body_len / 2 - (size_t)at : 0, n = left < max ? left : max;
  if (!n)
    return MHD_CONTENT_READER_END_WITH_ERROR;
  memcpy(out, a->body + at, n);
  return (ssize_t)n;
}

static void add_headers(struct MHD_Response *response, const char *headers) {
  for (const char *line = headers; *line;) {
    size_t n = strcspn(line, "\n");
    char *text = strndup(line, n), *colon = text ? strchr(text, ':') : NULL;
    if (colon) {
      *colon = '\0';
      MHD_add_response_header(response, text, colon + 1 + strspn(colon + 1, " "));
    }
    free(text);
    line += n + (line[n] == '\n');
  }
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, const struct cl_test_answer *a) {
  struct MHD_Response *response = a->end == CL_TEST_CUT
                                      ? MHD_create_response_from_callback(a->body_len, 65536, read_half,
                                                                          (void *)a, NULL)
                                      : MHD_create_response_from_buffer(a->body_len, (void *)a->body,
                                                                        MHD_RESPMEM_PERSISTENT);
  if (!response)
    return MHD_NO;
  add_headers(response, a->headers);
  enum MHD_Result sent = MHD_queue_response(connection, (unsigned)a->status, response);
  MHD_destroy_response(response);
  return sent;
}

static enum MHD_Result send_nothing_prepared(struct MHD_Connection *connection,
                                             const struct cl_test_request *r) {
  struct cl_buf text = {0};
  cl_buf_fmt(&text, "testkit: no answer is prepared for %s %s\n", r->method, r->target);
  struct MHD_Response *response = MHD_create_response_from_buffer(text.len, text.p, MHD_RESPMEM_MUST_COPY);
  enum MHD_Result sent = response ? MHD_queue_response(connection, 500, response) : MHD_NO;
  if (response)
    MHD_destroy_response(response);
  cl_buf_free(&text);
  return sent;
}

/* ------------------------------------------------------------------- receiving */

static void free_asked(struct asked *q) {
  free((char *)q->r.method);
  free(q->target);
  cl_buf_free(&q->headers);
  cl_buf_free(&q->body);
  free(q);
}

/* The target as it was sent, before libmicrohttpd takes it apart: the first that is known. */
static void *begin(void *arg, const char *target, struct MHD_Connection *connection) {
  (void)arg, (void)connection;
  struct asked *q = calloc(1, sizeof *q);
  if (q && !(q->target = strdup(target))) {
    free(q);
    q = NULL;
  }
  return q;
}

static enum MHD_Result note_header(void *arg, enum MHD_ValueKind kind, const char *name, const char *value) {
  (void)kind;
  cl_buf_fmt(arg, "%s: %s\n", name, value ? value : "");
  return MHD_YES;
}

/* Kept from now on. */
static bool keep(struct cl_test_server *s, struct asked *q) {
  pthread_mutex_lock(&s->lock);
  if (s->n == s->cap) {
    size_t cap = s->cap ? 2 * s->cap : 16;
    struct asked **grown = realloc(s->asked, cap * sizeof *grown);
    if (grown) {
      s->asked = grown;
      s->cap = cap;
    }
  }
  bool room = s->n < s->cap;
  if (room)
    s->asked[s->n++] = q;
  pthread_mutex_unlock(&s->lock);
  return room;
}

static enum MHD_Result answer_whole(struct cl_test_server *s, struct MHD_Connection *connection,
                                    struct asked *q, void **state) {
  MHD_get_connection_values(connection, MHD_HEADER_KIND, note_header, &q->headers);
  q->r.target = q->target;
  q->r.headers = q->headers.p ? q->headers.p : "";
  q->r.body = q->body.p ? q->body.p : "";
  q->r.body_len = q->body.len;
  if (q->headers.failed || q->body.failed || !keep(s, q))
    return MHD_NO;
  *state = NULL; /* it is the server's now */
  const struct cl_test_answer *a = take(s, &q->r);
  if (!a)
    return send_nothing_prepared(connection, &q->r);
  if (a->delay_ms > 0)
    wait_ms(s, a->delay_ms);
  return a->end == CL_TEST_CLOSE ? MHD_NO : send_answer(connection, a);
}

static enum MHD_Result receive(void *arg, struct MHD_Connection *connection, const char *url,
                               const char *method, const char *version, const char *data, size_t *len,
                               void **state) {
  (void)url, (void)version;
  struct asked *q = *state;
  if (!q)
    return MHD_NO;
  if (!q->r.method) { /* the first call of each request */
    q->r.method = strdup(method);
    return q->r.method ? MHD_YES : MHD_NO;
  }
  if (*len) {
    cl_buf_add(&q->body, data, *len);
    *len = 0;
    return MHD_YES;
  }
  return answer_whole(arg, connection, q, state);
}

/* One that never came in whole. */
static void end(void *arg, struct MHD_Connection *connection, void **state,
                enum MHD_RequestTerminationCode code) {
  (void)arg, (void)connection, (void)code;
  if (*state)
    free_asked(*state);
  *state = NULL;
}

/* --------------------------------------------------------------- start and stop */

struct cl_test_server *cl_test_server_start(void) {
  struct cl_test_server *s = calloc(1, sizeof *s);
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (!s)
    return NULL;
  pthread_mutex_init(&s->lock, NULL);
  pthread_cond_init(&s->stopped, NULL);
  s->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0, NULL, NULL,
                               receive, s, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&here,
                               MHD_OPTION_URI_LOG_CALLBACK, begin, s, MHD_OPTION_NOTIFY_COMPLETED, end, s,
                               MHD_OPTION_END);
  const union MHD_DaemonInfo *info = s->daemon ? MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT)
                                               : NULL;
  s->port = info ? info->port : 0;
  if (s->port)
    return s;
  cl_test_server_stop(s);
  return NULL;
}

int cl_test_server_port(const struct cl_test_server *s) { return s->port; }

size_t cl_test_server_count(struct cl_test_server *s) {
  pthread_mutex_lock(&s->lock);
  size_t n = s->n;
  pthread_mutex_unlock(&s->lock);
  return n;
}

const struct cl_test_request *cl_test_server_request(struct cl_test_server *s, size_t i) {
  pthread_mutex_lock(&s->lock);
  const struct cl_test_request *r = i < s->n ? &s->asked[i]->r : NULL;
  pthread_mutex_unlock(&s->lock);
  return r;
}

void cl_test_server_stop(struct cl_test_server *s) {
  pthread_mutex_lock(&s->lock);
  s->stopping = true;
  pthread_cond_broadcast(&s->stopped);
  pthread_mutex_unlock(&s->lock);
  if (s->daemon)
    MHD_stop_daemon(s->daemon);
  while (s->answers) {
    struct answer *a = s->answers;
    s->answers = a->next;
    free_answer(a);
  }
  while (s->n)
    free_asked(s->asked[--s->n]);
  free(s->asked);
  pthread_cond_destroy(&s->stopped);
  pthread_mutex_destroy(&s->lock);
  free(s);
}
