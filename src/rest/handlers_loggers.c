/* SPDX-License-Identifier: Apache-2.0
 *
 * /admin/loggers: what is logged, asked and changed while the worker runs. The log is the
 * process's, so nothing goes through the herder.
 * Any thread, no state. Includes rest and base/loggers.h.
 */
#define CL_COMPONENT "rest"
#include "rest/handlers.h"

#include "base/loggers.h"
#include "rest/routes.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static json_t *level_json(const struct cl_logger *logger) {
  json_t *modified = logger->last_modified < 0 ? json_null() : json_integer(logger->last_modified);
  return json_pack("{s:s,s:o}", "level", cl_log_level_name(logger->level), "last_modified", modified);
}

static void reply_json(struct cl_exchange *x, json_t *body) {
  if (!body) {
    cl_reply_error(&x->answer.reply, 500, "Out of memory");
    return;
  }
  x->answer.reply.status = 200;
  x->answer.reply.body = body;
}

static int put_logger(void *arg, const struct cl_logger *logger) {
  return json_object_set_new(arg, logger->name, level_json(logger));
}

void cl_handlers_loggers(struct cl_exchange *x) {
  json_t *all = json_object();
  if (all && cl_loggers_each(put_logger, all) != 0) {
    json_decref(all);
    all = NULL;
  }
  reply_json(x, all);
}

void cl_handlers_logger(struct cl_exchange *x) {
  struct cl_logger logger;
  if (cl_loggers_get(x->name, &logger))
    reply_json(x, level_json(&logger));
  else
    cl_reply_error(&x->answer.reply, 404, "Logger %s not found.", x->name);
}

static int add_name(void *arg, const struct cl_logger *logger) {
  return json_array_append_new(arg, json_string(logger->name));
}

/* The level the body asks for. False: answered. */
static bool wanted_level(struct cl_exchange *x, enum cl_level *out) {
  json_t *body = cl_handlers_body(x);
  char *text = NULL;
  bool ok = body && cl_handlers_text(x, body, "level", &text);
  if (ok && !text)
    cl_reply_error(&x->answer.reply, 400, "Desired 'level' parameter was not specified in request.");
  else if (ok && !cl_log_level_parse(text, out))
    cl_reply_error(&x->answer.reply, 404, "invalid log level '%s'.", text);
  ok = ok && x->answer.reply.status == 0;
  free(text);
  json_decref(body);
  return ok;
}

/* One worker is the whole cluster: scope decides about the answer only. */
void cl_handlers_put_logger(struct cl_exchange *x) {
  enum cl_level level;
  if (!wanted_level(x, &level))
    return;
  const char *scope = cl_request_param(x->req, "scope");
  bool cluster = scope && strcasecmp(scope, "cluster") == 0;
  if (scope && !cluster && strcasecmp(scope, "worker") != 0)
    CL_LOG(CL_WARN,
           "unknown scope '%s' of a change to loggers: taken as worker; worker and cluster are known", scope);
  json_t *names = json_array();
  int rc = names ? cl_loggers_set(x->name, level, add_name, names) : CL_ENOMEM;
  if (rc == CL_EAGAIN)
    cl_reply_error(&x->answer.reply, 400, "%d loggers are known, the most there may be: %s is not made",
                   CL_LOGGERS_MAX, x->name);
  else if (rc == 0 && cluster)
    x->answer.reply.status = 204;
  else if (rc == 0 || rc == CL_ENOMEM)
    reply_json(x, rc == 0 ? json_incref(names) : NULL);
  json_decref(names);
}
