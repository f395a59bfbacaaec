/* SPDX-License-Identifier: Apache-2.0
 * The checks before a connector exists. May include floors 5-0. */
#include "worker/admit.h"

#include "base/buf.h"
#include "task/connector.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void cl_admitted_clear(struct cl_admitted *a) {
  if (a->plugin)
    cl_plugin_unref(a->plugin);
  json_decref(a->config);
  *a = (struct cl_admitted){0};
}

int cl_admit_target(const char *initial_state, enum cl_state *target, struct cl_reply *reply) {
  static const enum cl_state states[] = {CL_RUNNING, CL_PAUSED, CL_STOPPED};
  *target = CL_RUNNING;
  if (!initial_state)
    return 0;
  for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
    if (strcasecmp(initial_state, cl_state_name(states[i])) == 0) {
      *target = states[i];
      return 0;
    }
  }
  cl_reply_error(reply, 400, "initial_state: '%s' is none of RUNNING, PAUSED, STOPPED", initial_state);
  return -1;
}

int cl_admit_name(const char *name, const json_t *config, char **out, struct cl_reply *reply) {
  const char *from = name ? name : "";
  while (*from && (unsigned char)*from <= ' ')
    from++;
  size_t n = strlen(from);
  while (n && (unsigned char)from[n - 1] <= ' ')
    n--;
  *out = strndup(from, n);
  const char *inner = cl_json_str(config, "name");
  if (*out && (!inner || strcmp(inner, *out) == 0))
    return 0;
  cl_reply_error(reply, 400, "Connector name configuration (%s) doesn't match connector name in the URL (%s)", inner ? inner : "",
                 *out ? *out : "");
  return -1;
}

/* {k=v, k2=v2} as Java prints a map. */
static void print_map(struct cl_buf *b, const json_t *config) {
  const char *key;
  json_t *value;
  const char *sep = "";
  cl_buf_char(b, '{');
  json_object_foreach((json_t *)config, key, value) {
    cl_buf_fmt(b, "%s%s=%s", sep, key, json_is_string(value) ? json_string_value(value) : "null");
    sep = ", ";
  }
  cl_buf_char(b, '}');
}

static void print_known(struct cl_buf *b, const struct cl_plugins *plugins) {
  json_t *list = cl_plugins_list(plugins, true), *p;
  size_t i;
  json_array_foreach(list, i, p) {
    const char *class = cl_json_str(p, "class"), *version = cl_json_str(p, "version"), *type = cl_json_str(p, "type");
    cl_buf_fmt(b, "%sPluginDesc{klass=class %s, name='%s', version='%s', encodedVersion=%s, type=%s, typeName='%s', location='plugin.path'}",
               i ? ", " : "", class, class, version ? version : "undefined", version ? version : "undefined", type, type);
  }
  json_decref(list);
}

static struct cl_plugin *find_class(const struct cl_worker *w, const json_t *config, struct cl_reply *reply) {
  const char *class = cl_json_str(config, "connector.class");
  struct cl_plugin *p = class ? cl_plugins_find(w->plugins, CL_PLUGIN_SINK, class) : NULL;
  if (p)
    return p;
  struct cl_buf b = {0};
  if (class) {
    cl_buf_fmt(&b, "Failed to find any class that implements Connector and which name matches %s, available connectors are: ", class);
    print_known(&b, w->plugins);
  } else {
    cl_buf_str(&b, "Connector config ");
    print_map(&b, config);
    cl_buf_str(&b, " contains no connector type");
  }
  cl_reply_error(reply, 400, "%s", b.p ? b.p : "no memory");
  cl_buf_free(&b);
  return NULL;
}

/* The plugin's own validate(config): {key = {"text", ...}} or {key = "text"}. */
static int plugin_errors(const struct cl_worker *w, const struct cl_plugin *p, const json_t *config, json_t *errors, struct cl_err *err) {
  if (!json_object_get(p->verbs, "validate"))
    return 0;
  json_t *args = json_pack("[O]", (json_t *)config), *result = NULL, *value, *text;
  const char *key;
  size_t i;
  int rc = cl_control_call(w->control, p, "validate", args, &result, err);
  json_object_foreach(result, key, value) {
    if (json_is_string(value))
      json_array_append(errors, value);
    json_array_foreach(value, i, text) {
      if (json_is_string(text))
        json_array_append(errors, text);
    }
  }
  json_decref(result);
  json_decref(args);
  return rc;
}

static void converter_errors(const struct cl_worker *w, const json_t *config, json_t *errors) {
  static const char *const roles[] = {"key", "value"};
  for (size_t i = 0; i < 2; i++) {
    struct cl_err err;
    struct cl_plugin *plugin = NULL;
    json_t *typed = NULL;
    if (cl_worker_converter(w->conf, w->plugins, config, roles[i], &plugin, &typed, &err) != 0)
      json_array_append_new(errors, cl_json_lenient(err.msg));
    json_decref(typed);
  }
}

/* A bad producer.override.* or consumer.override.* is refused here, not by the task later. */
static void client_errors(const struct cl_worker *w, const struct cl_plugin *p, const char *name, const json_t *config, json_t *errors) {
  struct cl_err err;
  json_t *client = NULL;
  enum cl_client_kind kind = p->kind == CL_PLUGIN_SINK ? CL_CLIENT_CONSUMER : CL_CLIENT_PRODUCER;
  if (cl_worker_client_conf(w->conf, kind, name, 0, config, &client, &err) != 0)
    json_array_append_new(errors, cl_json_lenient(err.msg));
  json_decref(client);
}

static json_t *with_name(const json_t *config, const char *name) {
  json_t *out = json_copy((json_t *)config);
  if (out && !json_object_get(out, "name"))
    json_object_set_new(out, "name", json_string(name));
  return out;
}

int cl_admit_config(const struct cl_worker *w, const char *name, const json_t *config, struct cl_admitted *out, struct cl_reply *reply) {
  struct cl_err err = CL_ERR_INIT;
  const char *inner = cl_json_str(config, "name");
  if (inner && strcmp(inner, name) != 0) {
    cl_reply_error(reply, 400, "Connector name configuration (%s) doesn't match connector name in the URL (%s)", inner, name);
    return -1;
  }
  json_t *full = with_name(config, name), *errors = NULL;
  struct cl_plugin *plugin = find_class(w, full, reply);
  if (!plugin) {
    json_decref(full);
    return -1;
  }
  int rc = cl_connector_check(full, plugin, &errors);
  if (rc == 0) {
    converter_errors(w, full, errors);
    client_errors(w, plugin, name, full, errors);
    if (json_array_size(errors) == 0)
      rc = plugin_errors(w, plugin, full, errors, &err);
  }
  if (rc != 0) {
    cl_reply_error(reply, 500, "%s", err.msg[0] ? err.msg : "no memory");
  } else if (json_array_size(errors) > 0) {
    char *text = cl_connector_invalid_message(errors);
    cl_reply_error(reply, 400, "%s", text ? text : "no memory");
    free(text);
    rc = -1;
  } else {
    cl_plugin_ref(plugin);
    out->plugin = plugin;
    out->config = json_incref(full);
  }
  json_decref(errors);
  json_decref(full);
  return rc;
}
