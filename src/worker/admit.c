/* SPDX-License-Identifier: Apache-2.0
 * The checks before a connector exists. May include floors 5-0. */
#include "worker/admit.h"

#include "base/buf.h"
#include "base/text.h"
#include "task/connector.h"
#include "worker/mask.h"
#include "worker/providers.h"
#include "worker/validation.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void cl_admitted_clear(struct cl_admitted *a) {
  if (a->plugin)
    cl_plugin_unref(a->plugin);
  json_decref(a->config);
  json_decref(a->open);
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

/* Escaped, each byte may be three; that is at most a quarter of a request's head, twice in a PUT (its line
 * and the answer's Location). */
enum { NAME_PART = 12 };

int cl_admit_new_name(const struct cl_worker *w, const char *name, struct cl_reply *reply) {
  size_t max = w->conf->rest.head_max / NAME_PART, len = strlen(name);
  if (len <= max)
    return 0;
  cl_reply_error(
      reply, 400,
      "Connector name of %zu bytes is longer than %zu, which connect.lua.rest.head.max.bytes=%zu has "
      "room for",
      len, max, w->conf->rest.head_max);
  return -1;
}

int cl_admit_name(const char *name, const json_t *config, char **out, struct cl_reply *reply) {
  *out = cl_trimmed(name ? name : "");
  const char *inner = cl_json_str(config, "name");
  if (*out && (!inner || strcmp(inner, *out) == 0))
    return 0;
  cl_reply_error(reply, 400, "Connector name configuration (%s) doesn't match connector name in the URL (%s)",
                 inner ? inner : "", *out ? *out : "");
  return -1;
}

/* {k, k2}: where Java prints the values, too, without a class nothing tells which are secrets. */
static void print_keys(struct cl_buf *b, const json_t *config) {
  const char *key;
  json_t *value;
  const char *sep = "";
  cl_buf_char(b, '{');
  json_object_foreach ((json_t *)config, key, value) {
    cl_buf_fmt(b, "%s%s", sep, key);
    sep = ", ";
  }
  cl_buf_char(b, '}');
}

static void print_known(struct cl_buf *b, const struct cl_plugins *plugins) {
  json_t *list = cl_plugins_list(plugins, true), *p;
  size_t i;
  json_array_foreach (list, i, p) {
    const char *class = cl_json_str(p, "class"), *version = cl_json_str(p, "version"),
               *type = cl_json_str(p, "type");
    cl_buf_fmt(b,
               "%sPluginDesc{klass=class %s, name='%s', version='%s', encodedVersion=%s, type=%s, "
               "typeName='%s', location='plugin.path'}",
               i ? ", " : "", class, class, version ? version : "undefined", version ? version : "undefined",
               type, type);
  }
  json_decref(list);
}

/* Not Apache's: where a file would have had to be. */
static void print_searched(struct cl_buf *b, const struct cl_worker *w) {
  size_t i;
  json_t *path;
  cl_buf_fmt(b, ". Searched: %s/connectors", w->home);
  json_array_foreach (w->conf->plugin_path, i, path)
    cl_buf_fmt(b, ", %s", json_string_value(path));
  cl_buf_fmt(b, "%s; `connect-lua plugins` tells which files are not used and why",
             w->conf->reload ? "" : " when the worker started (connect.lua.reload is false)");
}

struct cl_plugin *cl_admit_class(const struct cl_worker *w, const json_t *config, struct cl_reply *reply) {
  const char *class = cl_json_str(config, "connector.class");
  struct cl_plugin *p = class ? cl_plugins_find(w->plugins, CL_PLUGIN_SINK, class) : NULL;
  if (p)
    return p;
  struct cl_buf b = {0};
  if (class) {
    cl_buf_fmt(&b,
               "Failed to find any class that implements Connector and which name matches %s, available "
               "connectors are: ",
               class);
    print_known(&b, w->plugins);
    print_searched(&b, w);
  } else {
    cl_buf_str(&b, "Connector config ");
    print_keys(&b, config);
    cl_buf_str(&b, " contains no connector type");
  }
  cl_reply_error(reply, 400, "%s", b.p ? b.p : "no memory");
  cl_buf_free(&b);
  return NULL;
}

/* A null for a key of the plugin's own passes Apache's validation and fails its connector at the
 * start; here it is refused. */
static void own_null_errors(struct cl_validation *v) {
  const char *key;
  json_t *value;
  json_object_foreach ((json_t *)v->config, key, value) {
    if (json_is_null(value) && !cl_validation_has_errors(v, key))
      cl_validation_error(v, key, CL_VALIDATION_NULL);
  }
}

static json_t *with_name(const json_t *config, const char *name) {
  json_t *out = json_copy((json_t *)config);
  if (out && !json_object_get(out, "name"))
    json_object_set_new(out, "name", json_string(name));
  return out;
}

/* given: config before its variables were resolved; sent: before masks were replaced. */
static int admit_resolved(const struct cl_worker *w, const json_t *sent, const json_t *given,
                          const json_t *config, struct cl_admitted *out, struct cl_reply *reply) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_plugin *plugin = cl_admit_class(w, config, reply);
  if (!plugin)
    return -1;
  struct cl_validation v;
  int rc = cl_validate_config(w, plugin, config, &v, &err);
  if (rc == 0) {
    own_null_errors(&v);
    cl_mask_refuse(&v, sent, given);
  }
  if (rc == 0 && cl_validate_wants_plugin(&v))
    rc = cl_validate_plugin(&v, &err);
  if (rc != 0) {
    cl_reply_error(reply, 500, "%s", err.msg);
  } else if (v.error_count > 0) {
    json_t *errors = cl_validate_errors(&v);
    char *text = cl_connector_invalid_message(errors);
    cl_reply_error(reply, 400, "%s", text ? text : "no memory");
    free(text);
    json_decref(errors);
    rc = -1;
  } else {
    cl_plugin_ref(plugin);
    out->plugin = plugin;
    out->open = cl_mask_open_keys(&v);
  }
  cl_validate_clear(&v);
  return rc;
}

int cl_admit_config(const struct cl_worker *w, const char *name, const json_t *config,
                    struct cl_admitted *out, struct cl_reply *reply) {
  return cl_admit_change(w, name, config, config, out, reply);
}

int cl_admit_change(const struct cl_worker *w, const char *name, const json_t *sent, const json_t *config,
                    struct cl_admitted *out, struct cl_reply *reply) {
  struct cl_err err = CL_ERR_INIT;
  const char *inner = cl_json_str(config, "name");
  if (inner && strcmp(inner, name) != 0) {
    cl_reply_error(reply, 400,
                   "Connector name configuration (%s) doesn't match connector name in the URL (%s)", inner,
                   name);
    return -1;
  }
  json_t *full = with_name(config, name), *resolved = NULL;
  if (cl_providers_resolve(w->conf->providers, full, &resolved, &err) != 0) {
    cl_reply_error(reply, 500, "%s", err.msg);
    json_decref(full);
    return -1;
  }
  int rc = admit_resolved(w, sent, full, resolved, out, reply);
  if (rc == 0)
    out->config = json_incref(full);
  json_decref(resolved);
  json_decref(full);
  return rc;
}
