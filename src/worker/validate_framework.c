/* SPDX-License-Identifier: Apache-2.0
 *
 * The framework's keys of a sink or source: Apache's rows with this worker's converters as
 * defaults, and what holds between keys. Any thread, no state. May include floors 5-0.
 */
#include "worker/validation.h"

#include "base/regex.h"
#include "base/text.h"
#include "task/connector.h"
#include "worker/config_internal.h"

#include <string.h>

static const struct role {
  const char *key, *version_key;
  bool header;
} roles[] = {
    {"key.converter", "key.converter.plugin.version", false},
    {"value.converter", "value.converter.plugin.version", false},
    {"header.converter", "header.converter.plugin.version", true},
};
enum { N_ROLES = sizeof(roles) / sizeof(*roles) };

static const char *worker_class(const struct cl_worker *w, size_t role) {
  return role == 0   ? w->conf->key_converter
         : role == 1 ? w->conf->value_converter
                     : w->conf->header_converter;
}

/* The converter in force: the connector's, or the worker's. */
static struct cl_found_class converter_of(const struct cl_validation *v, size_t role) {
  const char *own = cl_json_str(v->config, roles[role].key);
  return cl_class_find(v->worker->plugins, CL_PLUGIN_CONVERTER, roles[role].header,
                       own ? own : worker_class(v->worker, role));
}

static void set_version(struct cl_conf_row *row, const char *version, struct cl_arena *arena) {
  const char **list = version ? cl_arena_zalloc(arena, 2 * sizeof(*list)) : NULL;
  row->dflt = version;
  row->recommended = list;
  if (list)
    list[0] = version;
}

static void fit_row(const struct cl_validation *v, struct cl_conf_row *row, struct cl_arena *arena) {
  if (strcmp(row->name, "connector.plugin.version") == 0)
    set_version(row, strcmp(v->plugin->version, "undefined") == 0 ? NULL : v->plugin->version, arena);
  for (size_t i = 0; i < N_ROLES; i++) {
    if (strcmp(row->name, roles[i].key) == 0) {
      row->dflt = cl_class_find(v->worker->plugins, CL_PLUGIN_CONVERTER, roles[i].header,
                                worker_class(v->worker, i))
                      .class;
      row->recommended = cl_validation_classes(v->worker, CL_PLUGIN_CONVERTER, roles[i].header, arena);
    } else if (strcmp(row->name, roles[i].version_key) == 0) {
      set_version(row, converter_of(v, i).version, arena);
    }
  }
}

/* Apache's messages go to both keys. */
static void both_topics(struct cl_validation *v, const char *text) {
  cl_validation_error(v, "topics", "%s", text);
  cl_validation_error(v, "topics.regex", "%s", text);
}

static bool matches_whole(const char *pattern, const char *text) {
  struct cl_regex *regex = NULL;
  struct cl_err ignored; /* a bad pattern has its own error already */
  bool yes = cl_regex_compile(pattern, &regex, &ignored) == 0 && cl_regex_matches(regex, text, strlen(text));
  cl_regex_free(regex);
  return yes;
}

/* [a, b] as Java prints a list. */
static void print_list(struct cl_buf *b, const json_t *list) {
  json_t *item;
  size_t i;
  cl_buf_char(b, '[');
  json_array_foreach (list, i, item)
    cl_buf_fmt(b, "%s%s", i ? ", " : "", json_string_value(item));
  cl_buf_char(b, ']');
}

static void check_dead_letters(struct cl_validation *v, const char *dlq, const char *regex) {
  struct cl_conf_value topics = {.is_null = true};
  struct cl_err ignored;
  const struct cl_conf_row *row = cl_conf_find(cl_connector_def(true), "topics");
  if (!cl_is_blank(regex) && matches_whole(regex, dlq))
    cl_validation_error(v, "topics.regex",
                        "The DLQ topic '%s' may not be matched by the regex for the topics "
                        "('topics.regex=%s') consumed by the connector",
                        dlq, regex);
  if (cl_conf_parse_one(row, cl_json_str(v->config, "topics"), &topics, &ignored) == 0 &&
      cl_json_has_text(topics.list, dlq)) {
    struct cl_buf list = {0};
    print_list(&list, topics.list);
    cl_validation_error(v, "topics",
                        "The DLQ topic '%s' may not be included in the list of topics ('topics=%s') consumed "
                        "by the connector",
                        dlq, list.p ? list.p : "");
    cl_buf_free(&list);
  }
  cl_conf_value_free(&topics);
}

static void check_topics(struct cl_validation *v) {
  const char *regex = cl_json_str(v->config, "topics.regex"),
             *dlq = cl_json_str(v->config, "errors.deadletterqueue.topic.name");
  bool topics = !cl_is_blank(cl_json_str(v->config, "topics"));
  if (topics && !cl_is_blank(regex))
    both_topics(v, "topics and topics.regex are mutually exclusive options, but both are set.");
  else if (!topics && cl_is_blank(regex))
    both_topics(v, "Must configure one of topics or topics.regex");
  else if (!cl_is_blank(dlq))
    check_dead_letters(v, dlq, regex);
}

int cl_validation_framework(struct cl_validation *v, struct cl_arena *arena) {
  const struct cl_conf_def *def = cl_connector_def(v->plugin->kind == CL_PLUGIN_SINK);
  struct cl_conf_row *rows = cl_arena_zalloc(arena, def->n * sizeof(*rows));
  if (!rows)
    return CL_ENOMEM;
  memcpy(rows, def->rows, def->n * sizeof(*rows));
  for (size_t i = 0; i < def->n; i++)
    fit_row(v, &rows[i], arena);
  cl_validation_rows(v, &(struct cl_conf_def){rows, def->n});
  const char *version = strcmp(v->plugin->version, "undefined") == 0 ? NULL : v->plugin->version;
  cl_validation_version(v, "connector.class", "connector.plugin.version",
                        &(struct cl_found_class){v->plugin->class, version, NULL});
  for (size_t i = 0; i < N_ROLES; i++) {
    cl_validation_resolve(v, CL_PLUGIN_CONVERTER, roles[i].header, roles[i].key);
    struct cl_found_class found = converter_of(v, i);
    cl_validation_version(v, roles[i].key, roles[i].version_key, &found);
  }
  if (v->plugin->kind == CL_PLUGIN_SINK)
    check_topics(v);
  return 0;
}
