/* SPDX-License-Identifier: Apache-2.0
 *
 * A validation from its first row to REST's answer, in Apache's order (AbstractHerder):
 * what a later step says of a key replaces what an earlier one said.
 * Any thread, no state. May include floors 5-0.
 */
#include "worker/validation.h"

#include "task/connector.h"
#include "worker/config_internal.h"
#include "worker/plugin_info.h"
#include "worker/unbuilt.h"

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
  json_array_append_new(json_object_get(json_object_get(cl_validation_find(v, key), "value"), "errors"),
                        cl_json_lenient(line ? line : "no memory"));
  v->error_count++;
  free(line);
}

bool cl_validation_has_errors(const struct cl_validation *v, const char *key) {
  return json_array_size(json_object_get(json_object_get(cl_validation_find(v, key), "value"), "errors")) > 0;
}

/* ---------------------------------------------------------------------- classes */

static char *trimmed(const char *text) {
  while (*text && (unsigned char)*text <= ' ')
    text++;
  size_t n = strlen(text);
  while (n && (unsigned char)text[n - 1] <= ' ')
    n--;
  return strndup(text, n);
}

static bool is_simple_header_converter(const char *name) {
  return strcmp(name, CL_SIMPLE_HEADER_CONVERTER) == 0 || strcmp(name, "SimpleHeaderConverter") == 0 ||
         strcmp(name, "Simple") == 0;
}

struct cl_found_class cl_validation_class(const struct cl_worker *w, enum cl_plugin_kind kind, bool header,
                                          const char *name) {
  struct cl_found_class found = {0};
  char *text = name ? trimmed(name) : NULL;
  if (text && header && is_simple_header_converter(text))
    found = (struct cl_found_class){CL_SIMPLE_HEADER_CONVERTER, CL_CONNECT_API, NULL};
  else if (text && !(found.plugin = cl_plugins_find(w->plugins, kind, text)))
    found.plugin = cl_unbuilt_find(kind, text);
  if (found.plugin) {
    found.class = found.plugin->class;
    found.version = strcmp(found.plugin->version, "undefined") == 0 ? NULL : found.plugin->version;
  }
  free(text);
  return found;
}

static const char *const interfaces[] = {[CL_PLUGIN_SINK] = "Connector",
                                         [CL_PLUGIN_SOURCE] = "Connector",
                                         [CL_PLUGIN_TRANSFORM] = "Transformation",
                                         [CL_PLUGIN_PREDICATE] = "Predicate",
                                         [CL_PLUGIN_CONVERTER] = "Converter"};

/* A class that exists, but is something else; every JVM has the classes of java.lang. */
static bool is_other_class(const struct cl_worker *w, const char *name) {
  static const enum cl_plugin_kind kinds[] = {CL_PLUGIN_SINK, CL_PLUGIN_TRANSFORM, CL_PLUGIN_PREDICATE,
                                              CL_PLUGIN_CONVERTER};
  bool known = strncmp(name, "java.lang.", 10) == 0;
  for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds) && !known; i++)
    known = cl_plugins_find(w->plugins, kinds[i], name) || cl_unbuilt_find(kinds[i], name);
  return known;
}

struct cl_found_class cl_validation_resolve(struct cl_validation *v, enum cl_plugin_kind kind, bool header,
                                            const char *key) {
  json_t *value = json_object_get(cl_validation_find(v, key), "value");
  const char *text = cl_json_str(value, "value");
  struct cl_found_class found = {0};
  if (!text)
    return found;
  found = cl_validation_class(v->worker, kind, header, text);
  if (found.class) {
    json_object_set_new(value, "value", json_string(found.class));
  } else if (is_other_class(v->worker, text)) {
    cl_validation_error(v, key, "Class class %s does not implement the %s%s interface", text,
                        header ? "Header" : "", interfaces[kind]);
  } else {
    const char *given = cl_json_str(v->config, key);
    cl_validation_error(v, key, "Invalid value %s for configuration %s: Class %s could not be found.",
                        given ? given : text, key, given ? given : text);
    json_object_set_new(value, "value", json_null());
  }
  return found;
}

static bool is_accepted(const char *given, const char *version) {
  char *text = trimmed(given);
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
  json_t *all = cl_plugin_info_list(w->plugins, false), *item;
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

static void refuse_unbuilt(struct cl_validation *v) {
  static const char *const keys[] = {"key.converter", "value.converter"};
  for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
    const char *given = cl_json_str(v->config, keys[i]);
    if (given && cl_unbuilt_is(cl_validation_class(v->worker, CL_PLUGIN_CONVERTER, false, given).plugin))
      cl_validation_error(
          v, keys[i], "Invalid value %s for configuration %s: connect-lua does not have this converter yet",
          given, keys[i]);
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
  refuse_unbuilt(v);
  return rc;
}

int cl_validate_config(const struct cl_worker *w, const struct cl_plugin *plugin, const json_t *config,
                       struct cl_validation *out, struct cl_err *err) {
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
  if (rc == 0) {
    null_errors(out);
    cl_validation_rows(out, plugin->def);
    cl_validation_converters(out);
    cl_validation_clients(out);
    rc = refusals(out);
  }
  cl_arena_free(arena);
  return rc == 0 ? 0 : cl_err_set(err, CL_ENOMEM, "no memory to validate a config");
}

bool cl_validate_wants_plugin(const struct cl_validation *v) {
  return v->error_count == 0 && json_object_get(v->plugin->verbs, "validate");
}

/* The plugin's own validate(config): {key = {"text", ...}} or {key = "text"}. */
int cl_validate_plugin(struct cl_validation *v, struct cl_err *err) {
  json_t *args = json_pack("[O]", (json_t *)v->config), *result = NULL, *value, *text;
  const char *key;
  size_t i;
  int rc = cl_control_call(v->worker->control, v->plugin, "validate", args, &result, err);
  json_object_foreach (result, key, value) {
    if (json_is_string(value))
      cl_validation_error(v, key, "%s", json_string_value(value));
    json_array_foreach (value, i, text) {
      if (json_is_string(text))
        cl_validation_error(v, key, "%s", json_string_value(text));
    }
  }
  json_decref(result);
  json_decref(args);
  return rc;
}

/* ----------------------------------------------------------------------- result */

void cl_validate_clear(struct cl_validation *v) {
  json_decref(v->groups);
  json_decref(v->configs);
  json_decref(v->by_key);
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
