/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of routes, and the checks that come before a handler, in Apache's order:
 * path, method, type of the body, types the client takes.
 * Any thread, no state. Includes rest and worker/herder.h.
 */
#include "rest/routes.h"

#include "rest/handlers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct route {
  const char *method, *path;
  bool any_type; /* the body's type does not matter; elsewhere it must be JSON even when unused */
  bool reads_body;
  void (*handle)(struct cl_exchange *x);
};

static const struct route routes[] = {
  {.method = "GET", .path = "/", .any_type = true, .handle = cl_handlers_root},
  {.method = "GET", .path = "/connectors", .handle = cl_handlers_list},
  {.method = "POST", .path = "/connectors", .reads_body = true, .handle = cl_handlers_create},
  {.method = "GET", .path = "/connectors/{c}", .handle = cl_handlers_get},
  {.method = "DELETE", .path = "/connectors/{c}", .handle = cl_handlers_delete},
  {.method = "GET", .path = "/connectors/{c}/config", .handle = cl_handlers_get_config},
  {.method = "PUT", .path = "/connectors/{c}/config", .reads_body = true, .handle = cl_handlers_put_config},
  {.method = "GET", .path = "/connectors/{c}/status", .handle = cl_handlers_status},
  {.method = "GET", .path = "/connectors/{c}/tasks", .handle = cl_handlers_tasks},
  {.method = "PUT", .path = "/connectors/{c}/pause", .handle = cl_handlers_pause},
  {.method = "PUT", .path = "/connectors/{c}/resume", .handle = cl_handlers_resume},
  {.method = "PUT", .path = "/connectors/{c}/stop", .handle = cl_handlers_stop},
  {.method = "POST", .path = "/connectors/{c}/restart", .handle = cl_handlers_restart},
  {.method = "GET", .path = "/connector-plugins", .handle = cl_handlers_plugins},
};
enum { N_ROUTES = sizeof routes / sizeof routes[0] };

/* The order Apache lists methods in. */
static const char *const methods[] = {"HEAD", "DELETE", "POST", "GET", "OPTIONS", "PUT", "PATCH"};
enum { N_METHODS = sizeof methods / sizeof methods[0] };

static bool path_matches(const char *path, const struct cl_request *req, const char **name) {
  size_t i = 0;
  for (const char *p = path + 1; *p; i++) {
    size_t n = strcspn(p, "/");
    if (i == req->n_segments)
      return false;
    const struct cl_segment *s = &req->segments[i];
    if (*p == '{')
      *name = s->text;
    else if (s->escaped || strlen(s->text) != n || memcmp(s->text, p, n) != 0)
      return false;
    p += n + (p[n] == '/');
  }
  return i == req->n_segments;
}

static const struct route *find(const char *path, const char *method) {
  if (strcmp(method, "HEAD") == 0)
    method = "GET";
  for (size_t i = 0; i < N_ROUTES; i++)
    if (strcmp(routes[i].path, path) == 0 && strcmp(routes[i].method, method) == 0)
      return &routes[i];
  return NULL;
}

static void refuse(struct cl_exchange *x, int status, const char *reason) {
  x->answer.bare = true;
  cl_reply_error(&x->answer.reply, status, "HTTP %d %s", status, reason);
}

static void answer_options(struct cl_exchange *x, const char *path) {
  struct cl_answer *a = &x->answer;
  size_t allow = 0, text = 0;
  for (size_t i = 0; i < N_METHODS; i++) {
    if (strcmp(methods[i], "OPTIONS") != 0 && !find(path, methods[i]))
      continue;
    const char *m = methods[i];
    allow += (size_t)snprintf(a->allow + allow, sizeof a->allow - allow, "%s%s", allow ? "," : "", m);
    text += (size_t)snprintf(a->text + text, sizeof a->text - text, "%s%s", text ? ", " : "", m);
  }
  cl_request_best_type(x->req, a->type, sizeof a->type);
  if (strcmp(a->type, "text/plain") != 0)
    a->text[0] = 0;
  a->reply.status = 200;
}

void cl_routes_dispatch(struct cl_exchange *x) {
  const char *path = NULL;
  for (size_t i = 0; i < N_ROUTES && !path && !x->req->no_path; i++)
    if (path_matches(routes[i].path, x->req, &x->name))
      path = routes[i].path;
  if (!path) {
    refuse(x, 404, "Not Found");
    return;
  }
  const struct route *r = find(path, x->req->method);
  if (!r && strcmp(x->req->method, "OPTIONS") == 0)
    answer_options(x, path);
  else if (!r)
    refuse(x, 405, "Method Not Allowed");
  else if (!r->any_type && cl_request_sends_type(x->req) && !cl_request_sends_json(x->req))
    refuse(x, 415, "Unsupported Media Type");
  else if (!cl_request_takes_json(x->req))
    refuse(x, 406, "Not Acceptable");
  else if (r->reads_body && x->req->body_len > 0 && !cl_request_sends_type(x->req))
    cl_reply_error(&x->answer.reply, 415, "HTTP 415 Unsupported Media Type");
  else
    r->handle(x);
}

void cl_answer_clear(struct cl_answer *a) {
  cl_reply_clear(&a->reply);
  *a = (struct cl_answer){0};
}
