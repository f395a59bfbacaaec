/* SPDX-License-Identifier: Apache-2.0
 *
 * A validation from its first row to REST's answer, in Apache's order (AbstractHerder):
 * what a later step says of a key replaces what an earlier one said.
 * Any thread, no state. May include floors 5-0.
 */
#include "worker/validation.h"

#include "base/secrets.h"
#include "base/text.h"

#include "task/connector.h"
#include "worker/chain.h"
#include "worker/config_internal.h"
#include "worker/plugin_info.h"
#include "worker/providers.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------------- entries */

json_t *cl_validation_find(const struct cl_validation *v, const char *key) {
  return json_object_get(v->by_key, key);
}

static void add_group(struct cl_validation *v, const char *group) {
  json_t *known;
  size_t i;
  json_array_foreach (v->groups, i, known) {
    if (strcmp(json_string_value(known), group) == 0)
      return;
  }
  json_array_append_new(v->groups, json_string(group));
}

void cl_validation_put(struct cl_validation *v, const char *key, json_t *definition, json_t *value,
                       const char *group) {
  json_t *entry = cl_validation_find(v, key);
  if (entry) {
    v->error_count -= json_array_size(json_object_get(json_object_get(entry, "value"), "errors"));
    json_object_set_new(entry, "definition", definition ? definition : json_null());
    json_object_set_new(entry, "value", value);
  } else {
    entry = json_pack("{s:o,s:o}", "definition", definition ? definition : json_null(), "value", value);
    json_array_append(v->configs, entry);
    json_object_set_new(v->by_key, key, entry);
  }
  v->error_count += json_array_size(json_object_get(value, "errors"));
  if (group)
    add_group(v, group);
}

void cl_validation_rows(struct cl_validation *v, const struct cl_conf_def *def) {
  json_t *values = cl_conf_validate(def, v->config);
  for (size_t i = 0; i < def->n; i++)
    cl_validation_put(v, def->rows[i].name, cl_conf_describe(&def->rows[i]),
                      json_incref(json_array_get(values, i)), def->rows[i].group);
  json_decref(values);
}

void cl_validation_error(struct cl_validation *v, const char *key, const char *fmt, ...) {
  char *line = NULL;
  va_list ap;
  va_start(ap, fmt);
  if (vasprintf(&line, fmt, ap) < 0)
    line = NULL;
  va_end(ap);
  if (!cl_validation_find(v, key)) {
    const char *given = cl_json_str(v->config, key);
    cl_validation_put(v, key, NULL,
                      json_pack("{s:s,s:o,s:[],s:[],s:b}", "name", key, "value", cl_json_lenient(given),
                                "recommended_values", "errors", "visible", true),
                      NULL);
  }
  char *shown = line ? cl_secrets_hidden(line) : NULL;
  json_array_append_new(json_object_get(json_object_get(cl_validation_find(v, key), "value"), "errors"),
                        cl_json_lenient(shown ? shown : "no memory"));
  v->error_count++;
  free(shown);
  free(line);
}

bool cl_validation_has_errors(const struct cl_validation *v, const char *key) {
  return json_array_size(json_object_get(json_object_get(cl_validation_find(v, key), "value"), "errors")) > 0;
}

/* ---------------------------------------------------------------------- classes */

struct cl_found_class cl_validation_resolve(struct cl_validation *v, enum cl_plugin_kind kind, bool header,
                                            const char *key) {
  json_t *value = json_object_get(cl_validation_find(v, key), "value");
  const char *text = cl_json_str(value, "value");
  struct cl_found_class found = {0};
  if (!text)
    return found;
  found = cl_class_find(v->worker->plugins, kind, header, text);
  if (found.class) {
    json_object_set_new(value, "value", json_string(found.class));
    return found;
  }
  struct cl_err err = CL_ERR_INIT;
  const char *given = cl_json_str(v->config, key);
  if (cl_class_refuse(v->worker->plugins, kind, header, key, given ? given : text, &err) == CL_ENOTFOUND)
    json_object_set_new(value, "value", json_null());
  cl_validation_error(v, key, "%s", err.msg);
  return found;
}

static bool is_accepted(const char *given, const char *version) {
  char *text = cl_trimmed(given);
  const char *from = text ? text + (*text == '[') : "";
  size_t n = strcspn(from, ",]");
  bool ok = text && (!*text || strcmp(text, "latest") == 0 ||
                     (version && strlen(version) == n && memcmp(from, version, n) == 0));
  free(text);
  return ok;
}

void cl_validation_version(struct cl_validation *v, const char *class_key, const char *key,
                           const struct cl_found_class *found) {
  const char *given = cl_json_str(v->config, key);
  if (!given || !found->class || is_accepted(given, found->version))
    return;
  const char *keys[] = {class_key, key};
  for (int i = 0; i < 2; i++)
    cl_validation_error(
        v, keys[i], "Plugin %s not found that matches the version range [%s,%s], available versions: [%s]",
        found->class, given, given, found->version ? found->version : "");
}

const char *const *cl_validation_classes(const struct cl_worker *w, enum cl_plugin_kind kind, bool header,
                                         struct cl_arena *arena) {
  json_t *all = cl_plugins_list(w->plugins, false), *item;
  const char **out = cl_arena_zalloc(arena, (json_array_size(all) + 1) * sizeof(*out));
  const char *type = header ? "header_converter" : cl_plugin_kind_name(kind);
  size_t i, n = 0;
  json_array_foreach (all, i, item) {
    const char *class = cl_json_str(item, "class");
    if (out && strcmp(cl_json_str(item, "type"), type) == 0)
      out[n++] = cl_arena_copy(arena, class, strlen(class));
  }
  json_decref(all);
  return out;
}

/* ------------------------------------------------------------------------ steps */

static void null_errors(struct cl_validation *v) {
  const char *key;
  json_t *value;
  json_object_foreach ((json_t *)v->config, key, value) {
    if (json_is_null(value))
      cl_validation_error(v, key, CL_VALIDATION_NULL);
  }
}

/* What Apache would do and connect-lua cannot yet: told only when nothing else is wrong. */
static int refusals(struct cl_validation *v) {
  json_t *found = NULL, *item;
  size_t i;
  if (v->error_count > 0)
    return 0;
  int rc = cl_connector_refusals(v->config, v->plugin, &found);
  json_array_foreach (found, i, item)
    cl_validation_error(v, cl_json_str(item, "key"), "%s", cl_json_str(item, "message"));
  json_decref(found);
  return rc;
}

/* Everything of Apache's ConnectorConfig: all but the connector's, the converters' and the clients' keys. */
static int framework(const struct cl_worker *w, const struct cl_plugin *plugin, const json_t *config,
                     struct cl_validation *out) {
  struct cl_arena *arena = cl_arena_new(NULL);
  *out = (struct cl_validation){.worker = w,
                                .plugin = plugin,
                                .config = config,
                                .groups = json_array(),
                                .configs = json_array(),
                                .by_key = json_object()};
  int rc = arena && out->groups && out->configs && out->by_key ? cl_validation_framework(out, arena)
                                                               : CL_ENOMEM;
  if (rc == 0)
    rc = cl_validation_aliases(out, arena);
  cl_arena_free(arena);
  return rc;
}

static int no_memory(struct cl_err *err) {
  return cl_err_set(err, CL_ENOMEM, "no memory to validate a config");
}

int cl_validate_config(const struct cl_worker *w, const struct cl_plugin *plugin, const json_t *config,
                       struct cl_validation *out, struct cl_err *err) {
  int rc = framework(w, plugin, config, out);
  if (rc == 0) {
    null_errors(out);
    cl_validation_rows(out, plugin->def);
    rc = cl_validation_converters(out);
  }
  if (rc == 0) {
    cl_validation_clients(out);
    rc = refusals(out);
  }
  return rc == 0 ? 0 : no_memory(err);
}

static int first_error(const struct cl_validation *v, struct cl_err *err) {
  json_t *entry;
  size_t i;
  json_array_foreach (v->configs, i, entry) {
    const json_t *first = json_array_get(json_object_get(json_object_get(entry, "value"), "errors"), 0);
    if (!first)
      continue;
    cl_err_set(err, CL_EINVAL, "%s", json_string_value(first));
    err->class = CL_JAVA_CONFIG;
    return CL_EINVAL;
  }
  return 0;
}

int cl_validate_construct(const struct cl_worker *w, const struct cl_plugin *plugin, const json_t *config,
                          struct cl_err *err) {
  struct cl_validation v = {0};
  if (cl_chain_check(w->plugins, config, err) != 0)
    return err->code;
  int rc = framework(w, plugin, config, &v) == 0 ? 0 : no_memory(err);
  if (rc == 0)
    rc = cl_validate_plugin(&v, err);
  if (rc == 0)
    rc = first_error(&v, err);
  cl_validate_clear(&v);
  return rc;
}

/* ----------------------------------------------------------------------- result */

void cl_validate_conceal(struct cl_validation *v, const json_t *given) {
  const char *key;
  json_t *text;
  json_object_foreach ((json_t *)given, key, text) {
    json_t *value = json_object_get(cl_validation_find(v, key), "value");
    const char *shown = cl_json_str(value, "value");
    if (shown && strcmp(shown, "[hidden]") != 0 && json_is_string(text) &&
        cl_providers_variable(json_string_value(text)))
      json_object_set(value, "value", text);
  }
}

void cl_validate_clear(struct cl_validation *v) {
  json_decref(v->groups);
  json_decref(v->configs);
  json_decref(v->by_key);
  cl_validation_forget_checks(v);
  *v = (struct cl_validation){0};
}

json_t *cl_validate_body(const struct cl_validation *v) {
  return json_pack("{s:s,s:I,s:O,s:O}", "name", cl_json_str(v->config, "connector.class"), "error_count",
                   (json_int_t)v->error_count, "groups", v->groups, "configs", v->configs);
}

json_t *cl_validate_errors(const struct cl_validation *v) {
  json_t *out = json_array(), *entry;
  size_t i;
  json_array_foreach (v->configs, i, entry)
    json_array_extend(out, json_object_get(json_object_get(entry, "value"), "errors"));
  return out;
}
