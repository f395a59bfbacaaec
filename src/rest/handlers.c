/* SPDX-License-Identifier: Apache-2.0
 *
 * The handlers. Rules about names, classes and states are the herder's; here is only what
 * makes a request a command: its body's shape, its flags.
 * Any thread, no state. Includes rest and worker/herder.h.
 */
#include "rest/handlers.h"

#include "rest/routes.h"

#include <stdlib.h>
#include <string.h>

static void no_memory(struct cl_exchange *x) { cl_reply_error(&x->answer.reply, 500, "Out of memory"); }

/* 400 with "what: err". */
static void bad_body(struct cl_exchange *x, const char *what, const struct cl_err *err) {
  if (err->code == CL_ENOMEM)
    no_memory(x);
  else
    cl_reply_error(&x->answer.reply, 400, "%s: %s", what, err->msg);
}

static void query(struct cl_exchange *x, enum cl_query_kind kind) {
  struct cl_query q = {.kind = kind, .name = x->name, .task = x->task};
  cl_herder_query(x->herder, &q, &x->answer.reply);
}

/* Makes x->cmd; takes config and initial_state, which may be NULL. */
static void command(struct cl_exchange *x, enum cl_command_kind kind, const char *name, json_t *config,
                    char *initial_state) {
  struct cl_command *cmd = calloc(1, sizeof *cmd);
  char *copy = strdup(name);
  if (!cmd || !copy) {
    free(cmd);
    free(copy);
    free(initial_state);
    json_decref(config);
    no_memory(x);
    return;
  }
  cmd->kind = kind;
  cmd->name = copy;
  cmd->config = config;
  cmd->initial_state = initial_state;
  cmd->task = x->task;
  x->cmd = cmd;
}

void cl_handlers_command(struct cl_exchange *x, enum cl_command_kind kind, json_t *config) {
  command(x, kind, x->name, config, NULL);
}

static const char *kind_of(const json_t *v) {
  switch (json_typeof(v)) {
  case JSON_OBJECT: return "an object";
  case JSON_ARRAY: return "an array";
  case JSON_NULL: return "null";
  default: return "a single value";
  }
}

/* Apache answers 500 here, with Java's words; it is the client's mistake and says so. */
static json_t *body_by(struct cl_exchange *x,
                       int (*parse)(const char *, size_t, json_t **, struct cl_err *)) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_reply *reply = &x->answer.reply;
  json_t *body = NULL;
  const char *p = x->req->body;
  size_t n = x->req->body_len;
  while (n > 0 && strchr(" \t\r\n", *p) && *p)
    p++, n--;
  if (n == 0) {
    cl_reply_error(reply, 400, "The request body is empty, a JSON object is needed");
    return NULL;
  }
  if (parse(x->req->body, x->req->body_len, &body, &err) < 0) {
    bad_body(x, "The request body is not valid JSON", &err);
    return NULL;
  }
  if (!json_is_object(body)) {
    cl_reply_error(reply, 400, "The request body is %s, a JSON object is needed", kind_of(body));
    json_decref(body);
    return NULL;
  }
  return body;
}

json_t *cl_handlers_body(struct cl_exchange *x) { return body_by(x, cl_json_parse_texts); }
json_t *cl_handlers_body_as_is(struct cl_exchange *x) { return body_by(x, cl_json_parse); }

bool cl_handlers_text(struct cl_exchange *x, const json_t *body, const char *key, char **out) {
  const json_t *v = json_object_get(body, key);
  *out = NULL;
  if (!v || json_is_null(v))
    return true;
  const char *text = json_is_true(v) ? "true" : json_is_false(v) ? "false" : json_string_value(v);
  if (!text || (json_is_string(v) && strlen(text) != json_string_length(v))) {
    cl_reply_error(&x->answer.reply, 400, "Field \"%s\" is %s, a string is needed", key,
                   text ? "a string with a NUL character" : kind_of(v));
    return false;
  }
  *out = strdup(text);
  if (!*out)
    no_memory(x);
  return *out;
}

/* New reference; NULL: answered. */
static json_t *to_config(struct cl_exchange *x, const json_t *in) {
  struct cl_err err = CL_ERR_INIT;
  json_t *config = NULL;
  if (cl_json_to_config(in, &config, &err) < 0)
    bad_body(x, "Invalid connector config", &err);
  return config;
}

static bool known_fields(struct cl_exchange *x, json_t *body) {
  const char *key;
  json_t *v;
  json_object_foreach (body, key, v) {
    if (strcmp(key, "name") == 0 || strcmp(key, "config") == 0 || strcmp(key, "initial_state") == 0)
      continue;
    cl_reply_error(&x->answer.reply, 400,
                   "Unrecognized field \"%s\" (class CreateConnectorRequest), not marked as ignorable "
                   "(3 known properties: \"config\", \"name\", \"initial_state\")",
                   key);
    return false;
  }
  return true;
}

void cl_handlers_create(struct cl_exchange *x) {
  char *name = NULL, *state = NULL;
  json_t *config = NULL, *body = cl_handlers_body(x);
  if (!body || !known_fields(x, body) || !cl_handlers_text(x, body, "name", &name) ||
      !cl_handlers_text(x, body, "initial_state", &state))
    goto out;
  const json_t *in = json_object_get(body, "config");
  if (!in || json_is_null(in)) {
    cl_reply_error(&x->answer.reply, 400, "Field \"config\" is missing, an object of strings is needed");
    goto out;
  }
  if (!json_is_object(in)) {
    cl_reply_error(&x->answer.reply, 400, "Field \"config\" is %s, an object of strings is needed",
                   kind_of(in));
    goto out;
  }
  config = to_config(x, in);
  if (!config)
    goto out;
  command(x, CL_CMD_CREATE, name ? name : "", config, state);
  state = NULL; /* taken */
out:
  free(name);
  free(state);
  json_decref(body);
}

static void config_command(struct cl_exchange *x, enum cl_command_kind kind) {
  json_t *body = cl_handlers_body(x);
  json_t *config = body ? to_config(x, body) : NULL;
  if (config)
    command(x, kind, x->name, config, NULL);
  json_decref(body);
}

void cl_handlers_put_config(struct cl_exchange *x) { config_command(x, CL_CMD_PUT_CONFIG); }
void cl_handlers_patch_config(struct cl_exchange *x) { config_command(x, CL_CMD_PATCH_CONFIG); }

void cl_handlers_delete(struct cl_exchange *x) { command(x, CL_CMD_DELETE, x->name, NULL, NULL); }
void cl_handlers_pause(struct cl_exchange *x) { command(x, CL_CMD_PAUSE, x->name, NULL, NULL); }
void cl_handlers_resume(struct cl_exchange *x) { command(x, CL_CMD_RESUME, x->name, NULL, NULL); }
void cl_handlers_stop(struct cl_exchange *x) { command(x, CL_CMD_STOP, x->name, NULL, NULL); }
void cl_handlers_task_restart(struct cl_exchange *x) { command(x, CL_CMD_RESTART_TASK, x->name, NULL, NULL); }
void cl_handlers_reset_topics(struct cl_exchange *x) { command(x, CL_CMD_RESET_TOPICS, x->name, NULL, NULL); }
void cl_handlers_put_tasks(struct cl_exchange *x) { command(x, CL_CMD_PUT_TASKS, x->name, NULL, NULL); }
void cl_handlers_fence(struct cl_exchange *x) { command(x, CL_CMD_FENCE, x->name, NULL, NULL); }

/* All plugins, or the one of the path. */
void cl_handlers_reload(struct cl_exchange *x) {
  command(x, CL_CMD_RELOAD, x->name ? x->name : "", NULL, NULL);
}

void cl_handlers_restart(struct cl_exchange *x) {
  command(x, CL_CMD_RESTART, x->name, NULL, NULL);
  if (!x->cmd)
    return;
  x->cmd->include_tasks = cl_request_flag(x->req, "includeTasks", false);
  x->cmd->only_failed = cl_request_flag(x->req, "onlyFailed", false);
}

/* Any `expand` asks for the map, even when its value means nothing: then the entries are empty. */
static void names_to_map(struct cl_exchange *x) {
  struct cl_reply *reply = &x->answer.reply;
  if (!json_is_array(reply->body))
    return;
  json_t *map = json_object(), *name;
  size_t i;
  bool ok = map;
  json_array_foreach (reply->body, i, name) {
    ok = ok && json_object_set_new(map, json_string_value(name), json_object()) == 0;
  }
  json_decref(reply->body);
  reply->body = map;
  if (!ok) {
    cl_reply_clear(reply);
    no_memory(x);
  }
}

void cl_handlers_list(struct cl_exchange *x) {
  struct cl_query q = {.kind = CL_GET_CONNECTORS};
  for (size_t i = 0; i < x->req->n_params; i++) {
    if (strcmp(x->req->params[i].key, "expand") != 0)
      continue;
    q.expand_status |= strcmp(x->req->params[i].value, "status") == 0;
    q.expand_info |= strcmp(x->req->params[i].value, "info") == 0;
  }
  cl_herder_query(x->herder, &q, &x->answer.reply);
  if (cl_request_param(x->req, "expand") && !q.expand_status && !q.expand_info)
    names_to_map(x);
}

void cl_handlers_root(struct cl_exchange *x) { query(x, CL_GET_ROOT); }
void cl_handlers_get(struct cl_exchange *x) { query(x, CL_GET_CONNECTOR); }
void cl_handlers_get_config(struct cl_exchange *x) { query(x, CL_GET_CONFIG); }
void cl_handlers_status(struct cl_exchange *x) { query(x, CL_GET_STATUS); }
void cl_handlers_tasks(struct cl_exchange *x) { query(x, CL_GET_TASKS); }
void cl_handlers_health(struct cl_exchange *x) { query(x, CL_GET_HEALTH); }
void cl_handlers_task_status(struct cl_exchange *x) { query(x, CL_GET_TASK_STATUS); }
void cl_handlers_topics(struct cl_exchange *x) { query(x, CL_GET_TOPICS); }
void cl_handlers_plugin_files(struct cl_exchange *x) { query(x, CL_GET_PLUGIN_FILES); }

void cl_handlers_task_calls(struct cl_exchange *x) { query(x, CL_GET_TASK_CALLS); }

void cl_handlers_plugins(struct cl_exchange *x) {
  struct cl_query q = {.kind = CL_GET_PLUGINS,
                       .connectors_only = cl_request_flag(x->req, "connectorsOnly", true)};
  cl_herder_query(x->herder, &q, &x->answer.reply);
}

void cl_handlers_plugin_config(struct cl_exchange *x) {
  struct cl_query q = {
      .kind = CL_GET_PLUGIN_CONFIG, .name = x->name, .version = cl_request_param(x->req, "version")};
  cl_herder_query(x->herder, &q, &x->answer.reply);
}

/* People paste the document that POST takes: then its config is meant, and its name counts. */
static json_t *config_to_validate(struct cl_exchange *x, const json_t *body) {
  json_t *inner = json_object_get(body, "config"), *name = json_object_get(body, "name");
  if (!json_is_object(inner))
    return to_config(x, body);
  json_t *config = to_config(x, inner);
  if (config && json_is_string(name) && !json_object_get(config, "name"))
    json_object_set(config, "name", name);
  return config;
}

/* At once, or by the herder when the plugin's own code has a say. */
void cl_handlers_validate(struct cl_exchange *x) {
  json_t *body = cl_handlers_body(x), *config = body ? config_to_validate(x, body) : NULL;
  json_decref(body);
  if (!config)
    return;
  struct cl_query q = {.kind = CL_GET_VALIDATION, .name = x->name, .config = config};
  cl_herder_query(x->herder, &q, &x->answer.reply);
  if (x->answer.reply.status == 0)
    command(x, CL_CMD_VALIDATE, x->name, config, NULL);
  else
    json_decref(config);
}
