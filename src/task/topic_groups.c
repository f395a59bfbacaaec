/* SPDX-License-Identifier: Apache-2.0
 *
 * topic.creation.* of a source connector. Any thread. May include base and task/connector.h.
 */
#include "task/topic_groups.h"

#include "base/buf.h"
#include "base/regex.h"
#include "base/text.h"
#include "task/connector.h"

#include <stdlib.h>
#include <string.h>

#define PREFIX "topic.creation."
#define DEFAULT "default"

struct group {
  struct cl_topic_group public;
  struct cl_regex *include, *exclude; /* NULL = no topic */
};

struct cl_topic_groups {
  struct group fallback; /* `default` */
  size_t n;
  struct group groups[];
};

struct reader {
  const json_t *config;
  const char *group;
  struct cl_err *err;
};

bool cl_topic_groups_wanted(const json_t *config) {
  const char *key;
  json_t *value;
  json_object_foreach ((json_t *)config, key, value)
    if (cl_starts_with(key, PREFIX))
      return true;
  return false;
}

/* ---------------------------------------------------------------- one value */

/* row->name: of the group's key without the prefix. */
static int read_value(const struct reader *r, struct cl_conf_row row, struct cl_conf_value *out) {
  struct cl_buf key = {0};
  cl_buf_fmt(&key, PREFIX "%s.%s", r->group, row.name);
  if (key.failed)
    return cl_err_set(r->err, CL_ENOMEM, "no memory for the key of a topic creation group");
  row.name = key.p;
  int rc = cl_conf_parse_one(&row, cl_json_str(r->config, key.p), out, r->err);
  cl_buf_free(&key);
  return rc;
}

/* Positive, or -1; `otherwise` when it is not there, 0 = it must be. Apache's checks name keys without the
 * prefix. */
static int read_count(const struct reader *r, const char *name, enum cl_conf_type type, const char *rule,
                      int otherwise, int *out) {
  char text[16];
  snprintf(text, sizeof(text), "%d", otherwise);
  struct cl_conf_row row = {.name = name, .type = type, .dflt = text, .required = otherwise == 0};
  struct cl_conf_value v = {0};
  if (read_value(r, row, &v) != 0)
    return r->err->code;
  *out = (int)v.i;
  cl_conf_value_free(&v);
  if (*out == -1 || *out > 0)
    return 0;
  return cl_conf_error(r->err, "Invalid value %d for configuration %s: %s", *out, name, rule);
}

static int read_counts(const struct reader *r, const struct cl_topic_group *otherwise,
                       struct cl_topic_group *out) {
  int rc = read_count(r, "replication.factor", CL_CONF_SHORT,
                      "Replication factor must be positive and not larger than the number of brokers in the "
                      "Kafka cluster, or -1 to use the broker's default",
                      otherwise ? otherwise->replication : 0, &out->replication);
  if (rc == 0)
    rc = read_count(r, "partitions", CL_CONF_INT,
                    "Number of partitions must be positive, or -1 to use the broker's default",
                    otherwise ? otherwise->partitions : 0, &out->partitions);
  return rc;
}

/* ------------------------------------------------------------------ regexes */

static char *joined(const json_t *list, const char *between) {
  struct cl_buf out = {0};
  for (size_t i = 0; i < json_array_size(list); i++)
    cl_buf_fmt(&out, "%s%s", i > 0 ? between : "", json_string_value(json_array_get(list, i)));
  return cl_buf_take(&out);
}

static int bad_regex(const json_t *list, const char *name, struct cl_err *err) {
  static const char ours[] = "Invalid regex: ";
  struct cl_err why = *err;
  char *shown = joined(list, ", ");
  cl_conf_error(err, "Invalid value [%s] for configuration %s: Syntax error in regular expression: %s",
                shown ? shown : "", name, why.msg + (cl_starts_with(why.msg, ours) ? sizeof(ours) - 1 : 0));
  free(shown);
  return err->code;
}

/* Each for itself has to be one, and all together are what counts. */
static int compile(const json_t *list, const char *name, struct cl_regex **out, struct cl_err *err) {
  for (size_t i = 0; i < json_array_size(list); i++) {
    struct cl_regex *one;
    if (cl_regex_compile(json_string_value(json_array_get(list, i)), &one, err) != 0)
      return bad_regex(list, name, err);
    cl_regex_free(one);
  }
  if (json_array_size(list) == 0)
    return 0;
  char *all = joined(list, "|");
  if (!all)
    return cl_err_set(err, CL_ENOMEM, "no memory for a regular expression");
  int rc = cl_regex_compile(all, out, err);
  free(all);
  return rc == 0 ? 0 : bad_regex(list, name, err);
}

static int read_regexes(const struct reader *r, const char *name, struct cl_regex **out) {
  struct cl_conf_value v = {0};
  int rc = read_value(r, (struct cl_conf_row){.name = name, .type = CL_CONF_LIST, .dflt = ""}, &v);
  if (rc == 0)
    rc = compile(v.list, name, out, r->err);
  cl_conf_value_free(&v);
  return rc;
}

/* ------------------------------------------------------------------- groups */

static bool is_setting(const char *key) {
  static const char *const ours[] = {"include", "exclude", "replication.factor", "partitions"};
  for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
    if (strcmp(key, ours[i]) == 0)
      return false;
  return true;
}

static json_t *settings(const json_t *config, const char *group) {
  json_t *out = json_object(), *value;
  size_t n = strlen(group), prefix = strlen(PREFIX);
  const char *key;
  json_object_foreach ((json_t *)config, key, value) {
    const char *rest = cl_starts_with(key, PREFIX) && strncmp(key + prefix, group, n) == 0 ? key + prefix + n
                                                                                           : "";
    if (*rest == '.' && is_setting(rest + 1))
      json_object_set(out, rest + 1, value);
  }
  return out;
}

/* otherwise: the group whose counts this one has when it names none; NULL = it is that group. */
static int read_group(const struct reader *r, const struct cl_topic_group *otherwise, struct group *out) {
  int rc = 0;
  out->public.name = strdup(r->group);
  out->public.config = settings(r->config, r->group);
  if (!out->public.name || !out->public.config)
    return cl_err_set(r->err, CL_ENOMEM, "no memory for topic creation group %s", r->group);
  if (otherwise) { /* what `default` includes and excludes is not looked at */
    rc = read_regexes(r, "include", &out->include);
    if (rc == 0)
      rc = read_regexes(r, "exclude", &out->exclude);
  }
  return rc == 0 ? read_counts(r, otherwise, &out->public) : rc;
}

static int read_groups(const json_t *config, const json_t *names, struct cl_topic_groups *g,
                       struct cl_err *err) {
  struct reader r = {config, DEFAULT, err};
  int rc = read_group(&r, NULL, &g->fallback);
  for (size_t i = 0; rc == 0 && i < json_array_size(names); i++) {
    r.group = json_string_value(json_array_get(names, i));
    if (strcmp(r.group, DEFAULT) != 0) /* it is always there, and last */
      rc = read_group(&r, &g->fallback.public, &g->groups[g->n++]);
  }
  return rc;
}

int cl_topic_groups_read(const json_t *config, struct cl_topic_groups **out, struct cl_err *err) {
  const struct cl_conf_row *row = cl_conf_find(cl_connector_def(false), PREFIX "groups");
  struct cl_conf_value names = {0};
  if (cl_conf_parse_one(row, cl_json_str(config, row->name), &names, err) != 0)
    return err->code;
  struct cl_topic_groups *g = calloc(1, sizeof(*g) + json_array_size(names.list) * sizeof(*g->groups));
  int rc = g ? read_groups(config, names.list, g, err)
             : cl_err_set(err, CL_ENOMEM, "no memory for topic creation groups");
  cl_conf_value_free(&names);
  if (rc == 0)
    *out = g;
  else
    cl_topic_groups_free(g);
  return rc;
}

static void free_group(struct group *g) {
  free(g->public.name);
  json_decref(g->public.config);
  cl_regex_free(g->include);
  cl_regex_free(g->exclude);
}

void cl_topic_groups_free(struct cl_topic_groups *g) {
  if (!g)
    return;
  free_group(&g->fallback);
  for (size_t i = 0; i < g->n; i++)
    free_group(&g->groups[i]);
  free(g);
}

/* 1, 0 or negative. */
static int matches(struct cl_regex *regex, const char *topic, struct cl_err *err) {
  return regex ? cl_regex_match(regex, topic, strlen(topic), err) : 0;
}

int cl_topic_groups_find(struct cl_topic_groups *g, const char *topic, const struct cl_topic_group **out,
                         struct cl_err *err) {
  for (size_t i = 0; i < g->n; i++) {
    int is = matches(g->groups[i].exclude, topic, err);
    if (is == 0 && (is = matches(g->groups[i].include, topic, err)) == 1) {
      *out = &g->groups[i].public;
      return 0;
    }
    if (is < 0)
      return cl_err_prefix(err, "topic creation group %s, topic %s: ", g->groups[i].public.name, topic);
  }
  *out = &g->fallback.public;
  return 0;
}
