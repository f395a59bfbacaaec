/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of routes, and the checks that come before a handler, in Apache's order:
 * path, method, type of the body, types the client takes, who it is.
 * Any thread, no state. Includes rest and worker/herder.h.
 */
#include "rest/routes.h"

#include "base/text.h"
#include "rest/handlers.h"
#include "rest/metrics.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct route {
  const char *method, *path;
  bool any_type; /* the body's type does not matter; elsewhere it must be JSON even when unused */
  bool reads_body;
  bool text; /* the answer is no JSON, whatever the client takes */
  bool free; /* workers call it: Apache's basic auth lets everybody in */
  void (*handle)(struct cl_exchange *x);
};

static const struct route routes[] = {
    {.method = "GET", .path = "/", .any_type = true, .handle = cl_handlers_root},
    {.method = "GET", .path = "/health", .any_type = true, .handle = cl_handlers_health},
    {.method = "GET", .path = "/connectors", .handle = cl_handlers_list},
    {.method = "POST", .path = "/connectors", .reads_body = true, .handle = cl_handlers_create},
    {.method = "GET", .path = "/connectors/{c}", .handle = cl_handlers_get},
    {.method = "DELETE", .path = "/connectors/{c}", .handle = cl_handlers_delete},
    {.method = "GET", .path = "/connectors/{c}/config", .handle = cl_handlers_get_config},
    {.method = "PUT", .path = "/connectors/{c}/config", .reads_body = true, .handle = cl_handlers_put_config},
    {.method = "PATCH",
     .path = "/connectors/{c}/config",
     .reads_body = true,
     .handle = cl_handlers_patch_config},
    {.method = "GET", .path = "/connectors/{c}/status", .handle = cl_handlers_status},
    {.method = "GET", .path = "/connectors/{c}/tasks", .handle = cl_handlers_tasks},
    {.method = "POST",
     .path = "/connectors/{c}/tasks",
     .any_type = true,
     .free = true,
     .handle = cl_handlers_put_tasks},
    {.method = "PUT",
     .path = "/connectors/{c}/fence",
     .any_type = true,
     .free = true,
     .handle = cl_handlers_fence},
    {.method = "GET", .path = "/connectors/{c}/tasks/{t}/status", .handle = cl_handlers_task_status},
    {.method = "POST", .path = "/connectors/{c}/tasks/{t}/restart", .handle = cl_handlers_task_restart},
    {.method = "GET", .path = "/connectors/{c}/topics", .handle = cl_handlers_topics},
    {.method = "PUT", .path = "/connectors/{c}/topics/reset", .handle = cl_handlers_reset_topics},
    {.method = "GET", .path = "/connectors/{c}/offsets", .handle = cl_handlers_offsets},
    {.method = "PATCH",
     .path = "/connectors/{c}/offsets",
     .reads_body = true,
     .handle = cl_handlers_alter_offsets},
    {.method = "DELETE", .path = "/connectors/{c}/offsets", .handle = cl_handlers_reset_offsets},
    {.method = "PUT", .path = "/connectors/{c}/pause", .handle = cl_handlers_pause},
    {.method = "PUT", .path = "/connectors/{c}/resume", .handle = cl_handlers_resume},
    {.method = "PUT", .path = "/connectors/{c}/stop", .handle = cl_handlers_stop},
    {.method = "POST", .path = "/connectors/{c}/restart", .handle = cl_handlers_restart},
    {.method = "GET", .path = "/connector-plugins", .handle = cl_handlers_plugins},
    {.method = "GET", .path = "/connector-plugins/{p}/config", .handle = cl_handlers_plugin_config},
    {.method = "PUT",
     .path = "/connector-plugins/{p}/config/validate",
     .reads_body = true,
     .handle = cl_handlers_validate},
    {.method = "GET", .path = "/admin/loggers", .handle = cl_handlers_loggers},
    {.method = "GET", .path = "/admin/loggers/{l}", .handle = cl_handlers_logger},
    {.method = "PUT", .path = "/admin/loggers/{l}", .reads_body = true, .handle = cl_handlers_put_logger},
    {.method = "GET", .path = "/connect-lua/plugins", .any_type = true, .handle = cl_handlers_plugin_files},
    {.method = "POST", .path = "/connect-lua/plugins/reload", .any_type = true, .handle = cl_handlers_reload},
    {.method = "POST",
     .path = "/connect-lua/plugins/{p}/reload",
     .any_type = true,
     .handle = cl_handlers_reload},
    {.method = "GET", .path = "/connect-lua/tasks", .any_type = true, .handle = cl_handlers_task_calls},
    {.method = "GET", .path = "/metrics", .any_type = true, .text = true, .handle = cl_metrics},
};
enum { N_ROUTES = sizeof routes / sizeof routes[0] };

/* The order Apache lists methods in. */
static const char *const methods[] = {"HEAD", "DELETE", "POST", "GET", "OPTIONS", "PUT", "PATCH"};
enum { N_METHODS = sizeof methods / sizeof methods[0] };

/* {t} gives task its text, every other {} name. */
static bool path_matches(const char *path, const struct cl_request *req, const char **name,
                         const char **task) {
  size_t i = 0;
  for (const char *p = path + 1; *p; i++) {
    size_t n = strcspn(p, "/");
    if (i == req->n_segments)
      return false;
    const struct cl_segment *s = &req->segments[i];
    if (*p == '{')
      *(p[1] == 't' ? task : name) = s->text;
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

/* As Java reads an int; a negative one is a number too. */
static bool parse_task(const char *text, int *out) {
  const char *digits = text + (*text == '-' || *text == '+');
  errno = 0;
  long n = strtol(text, NULL, 10);
  if (!*digits || digits[strspn(digits, "0123456789")] || errno != 0 || n < INT32_MIN || n > INT32_MAX)
    return false;
  *out = (int)n;
  return true;
}

static void refuse(struct cl_exchange *x, int status, const char *reason) {
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

/* In Apache's words, which are no JSON whatever they call themselves. */
static void refuse_stranger(struct cl_exchange *x, bool options) {
  struct cl_answer *a = &x->answer;
  a->reply.status = 401;
  snprintf(a->text, sizeof a->text, "User cannot access the resource.");
  if (options)
    cl_request_best_type(x->req, a->type, sizeof a->type);
  else
    snprintf(a->type, sizeof a->type, "application/json");
}

/* Whether it may go on. */
static bool is_admitted(struct cl_exchange *x, const struct route *r) {
  if (r && r->free)
    x->verdict = CL_AUTH_IN;
  if (x->verdict == CL_AUTH_UNKNOWN)
    x->verdict = cl_auth_glance(x->auth, x->authorization);
  if (x->verdict == CL_AUTH_OUT)
    refuse_stranger(x, !r);
  return x->verdict == CL_AUTH_IN;
}

static bool is_served(const char *path, enum cl_route_set served) {
  return served == CL_ROUTES_ALL || cl_starts_with(path, "/admin/") == (served == CL_ROUTES_ADMIN);
}

/* The path that is meant and its route, NULL for OPTIONS; NULL: answered, or nobody knows yet who it is. */
static const char *check(struct cl_exchange *x, const struct route **route) {
  const char *path = NULL, *task = NULL;
  for (size_t i = 0; i < N_ROUTES && !path && !x->req->no_path; i++)
    if (is_served(routes[i].path, x->served) && path_matches(routes[i].path, x->req, &x->name, &task))
      path = routes[i].path;
  if (!path) {
    refuse(x, 404, "Not Found");
    return NULL;
  }
  const struct route *r = *route = find(path, x->req->method);
  bool options = !r && strcmp(x->req->method, "OPTIONS") == 0;
  if (!r && !options)
    refuse(x, 405, "Method Not Allowed");
  else if (r && !r->any_type && cl_request_sends_type(x->req) && !cl_request_sends_json(x->req))
    refuse(x, 415, "Unsupported Media Type");
  else if (r && !r->text && !cl_request_takes_json(x->req))
    refuse(x, 406, "Not Acceptable");
  else if (!is_admitted(x, r))
    return NULL;
  else if (task && !parse_task(task, &x->task))
    refuse(x, 404, "Not Found");
  else
    return path;
  return NULL;
}

void cl_routes_check(struct cl_exchange *x) {
  const struct route *r;
  check(x, &r);
}

void cl_routes_dispatch(struct cl_exchange *x) {
  const struct route *r;
  const char *path = check(x, &r);
  if (!path)
    return;
  if (!r)
    answer_options(x, path);
  else if (r->reads_body && x->req->body_len > 0 && !cl_request_sends_type(x->req))
    refuse(x, 415, "Unsupported Media Type");
  else
    r->handle(x);
}

void cl_answer_clear(struct cl_answer *a) {
  cl_reply_clear(&a->reply);
  free(a->page);
  *a = (struct cl_answer){0};
}
