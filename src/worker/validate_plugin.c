/* SPDX-License-Identifier: Apache-2.0
 *
 * The part of a validation that plugins' own code has: the verb `validate` of transforms,
 * predicates, converters and the connector. Callers of cl_validate_plugin are on the herder's
 * thread or the command line; all else as validate.c. May include floors 5-0.
 */
#include "worker/validation.h"

#include <stdlib.h>
#include <string.h>

struct cl_plugin_check { /* one validate(config) to be called */
  struct cl_plugin_check *next;
  const struct cl_plugin *plugin;
  char *prefix;
  json_t *config;
  bool once;
};

/* What a plugin's validate sees: the values that can be read, typed; nothing for the others. */
static json_t *readable(const struct cl_conf_def *def, const json_t *settings) {
  json_t *out = json_object();
  for (size_t i = 0; i < def->n; i++) {
    const struct cl_conf_row *row = &def->rows[i];
    struct cl_err ignored; /* has its own message already */
    json_t *one = json_object(), *typed = NULL, *given = json_object_get(settings, row->name);
    if (given)
      json_object_set(one, row->name, given);
    if (cl_conf_parse(&(struct cl_conf_def){row, 1}, one, &typed, &ignored) == 0 &&
        !json_is_null(json_object_get(typed, row->name)))
      json_object_update(out, typed);
    json_decref(typed);
    json_decref(one);
  }
  return out;
}

int cl_validation_check_later(struct cl_validation *v, const struct cl_plugin *plugin, const char *prefix,
                              const json_t *settings, bool once) {
  if (!json_object_get(plugin->verbs, "validate"))
    return 0;
  struct cl_plugin_check *check = calloc(1, sizeof(*check)), **at = &v->checks;
  if (check)
    *check = (struct cl_plugin_check){
        .plugin = plugin, .prefix = strdup(prefix), .config = readable(plugin->def, settings), .once = once};
  if (!check || !check->prefix || !check->config) {
    if (check) {
      free(check->prefix);
      json_decref(check->config);
    }
    free(check);
    return CL_ENOMEM;
  }
  while (*at)
    at = &(*at)->next;
  *at = check;
  return 0;
}

void cl_validation_forget_checks(struct cl_validation *v) {
  while (v->checks) {
    struct cl_plugin_check *check = v->checks;
    v->checks = check->next;
    free(check->prefix);
    json_decref(check->config);
    free(check);
  }
}

static bool connector_checks(const struct cl_validation *v) {
  return v->error_count == 0 && json_object_get(v->plugin->verbs, "validate");
}

bool cl_validate_wants_plugin(const struct cl_validation *v) { return v->checks || connector_checks(v); }

static int add_error(struct cl_validation *v, const char *prefix, const char *key, const json_t *text,
                     bool once, struct cl_err *err) {
  char *full = NULL;
  if (asprintf(&full, "%s%s", prefix, key) < 0)
    return cl_err_set(err, CL_ENOMEM, "no memory to validate a config");
  if (once && cl_validation_has_errors(v, full))
    v->error_count--;
  cl_validation_error(v, full, "%s", json_string_value(text));
  free(full);
  return 0;
}

/* What is not understood must not pass for a clean config. */
static int refuse_answer(const struct cl_plugin *plugin, const char *key, const json_t *what,
                         struct cl_err *err) {
  char *text = json_dumps(what, JSON_COMPACT | JSON_ENCODE_ANY);
  cl_err_set(err, CL_ELUA,
             "%s: 'validate' must return errors by key, like { topic = \"is bad\" } or "
             "{ topic = { \"is bad\", \"is long\" } }; it returned %s%s%.200s",
             plugin->file, key ? key : "", key ? " = " : "", text ? text : "something else");
  free(text);
  return err->code;
}

/* "text", or a list of them; an empty Lua table is an object here. */
static int add_errors(struct cl_validation *v, const struct cl_plugin *plugin, const char *prefix,
                      const char *key, const json_t *value, bool once, struct cl_err *err) {
  json_t *text;
  size_t i;
  if (json_is_string(value))
    return add_error(v, prefix, key, value, once, err);
  if (!json_is_array(value) && !(json_is_object(value) && json_object_size(value) == 0))
    return refuse_answer(plugin, key, value, err);
  json_array_foreach (value, i, text) {
    if (!json_is_string(text))
      return refuse_answer(plugin, key, value, err);
    if (add_error(v, prefix, key, text, once, err) != 0)
      return err->code;
  }
  return 0;
}

/* What it answered: {key = {"text", ...}} or {key = "text"}; nothing when all is well. */
static int ask(struct cl_validation *v, const struct cl_plugin *plugin, const char *prefix,
               const json_t *config, bool once, struct cl_err *err) {
  json_t *args = json_pack("[O]", (json_t *)config), *result = NULL, *value;
  const char *key;
  int rc = args ? cl_control_call(v->worker->control, plugin, "validate", args, &result, err)
                : cl_err_set(err, CL_ENOMEM, "no memory to validate a config");
  bool nothing = !result || json_is_null(result) || (json_is_array(result) && json_array_size(result) == 0);
  if (rc == 0 && !nothing && !json_is_object(result))
    rc = refuse_answer(plugin, NULL, result, err);
  json_object_foreach (result, key, value) {
    if (rc == 0)
      rc = add_errors(v, plugin, prefix, key, value, once, err);
  }
  json_decref(result);
  json_decref(args);
  return rc;
}

int cl_validate_plugin(struct cl_validation *v, struct cl_err *err) {
  for (const struct cl_plugin_check *c = v->checks; c; c = c->next) {
    if (ask(v, c->plugin, c->prefix, c->config, c->once, err) != 0)
      return err->code;
  }
  cl_validation_forget_checks(v);
  return connector_checks(v) ? ask(v, v->plugin, "", v->config, false, err) : 0;
}
