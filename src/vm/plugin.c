/* SPDX-License-Identifier: Apache-2.0
 * Plugins found: life, lookup, REST's list. plugin_scan.c fills the set.
 * Any thread once published. May include base only. */
#include "vm/plugin_set.h"

#include "vm/sources.h"

#include <stdlib.h>
#include <string.h>

static const struct {
  const char *name;
  const char *suffix; /* cut from simple class names */
} kinds[] = {
    [CL_PLUGIN_SINK] = {"sink", "Connector"},
    [CL_PLUGIN_SOURCE] = {"source", "Connector"},
    [CL_PLUGIN_TRANSFORM] = {"transformation", "Transformation"},
    [CL_PLUGIN_PREDICATE] = {"predicate", "Predicate"},
    [CL_PLUGIN_CONVERTER] = {"converter", "Converter"},
};
enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

const char *cl_plugin_kind_name(enum cl_plugin_kind kind) { return kinds[kind].name; }

bool cl_plugin_kind_parse(const char *text, enum cl_plugin_kind *out) {
  for (int i = 0; i < N_KINDS; i++) {
    /* A file says "transform"; REST says "transformation". */
    if (strcmp(text, kinds[i].name) == 0 || (i == CL_PLUGIN_TRANSFORM && strcmp(text, "transform") == 0)) {
      *out = (enum cl_plugin_kind)i;
      return true;
    }
  }
  return false;
}

char *cl_plugin_root(const char *file) {
  const char *slash = strrchr(file, '/');
  return slash ? strndup(file, slash > file ? (size_t)(slash - file) : 1) : strdup(".");
}

/* ---------------------------------------------------------------------- life */

void cl_plugin_ref(struct cl_plugin *p) { __atomic_add_fetch(&p->refs, 1, __ATOMIC_RELAXED); }

void cl_plugin_unref(struct cl_plugin *p) {
  if (!p || __atomic_sub_fetch(&p->refs, 1, __ATOMIC_ACQ_REL) > 0)
    return;
  free(p->class);
  free(p->version);
  free(p->doc);
  free(p->file);
  free(p->root);
  free(p->hash);
  cl_sources_unref(p->sources);
  json_decref(p->aliases);
  json_decref(p->verbs);
  cl_conf_def_free(p->def);
  free(p);
}

struct cl_plugins *cl_plugins_ref(struct cl_plugins *set) {
  __atomic_add_fetch(&set->refs, 1, __ATOMIC_RELAXED);
  return set;
}

void cl_plugins_unref(struct cl_plugins *set) {
  if (!set || __atomic_sub_fetch(&set->refs, 1, __ATOMIC_ACQ_REL) > 0)
    return;
  for (size_t i = 0; i < set->n; i++) {
    cl_plugin_unref(set->files[i].plugin);
    free(set->files[i].path);
    free(set->files[i].reason);
    cl_sources_unref(set->files[i].tried);
  }
  free(set->files);
  free(set);
}

const struct cl_plugin_file *cl_plugins_files(const struct cl_plugins *p, size_t *n) {
  *n = p->n;
  return p->files;
}

/* -------------------------------------------------------------------- lookup */

static bool is_connector(enum cl_plugin_kind kind) {
  return kind == CL_PLUGIN_SINK || kind == CL_PLUGIN_SOURCE;
}

static bool kind_fits(const struct cl_plugin *p, enum cl_plugin_kind wanted) {
  return p->kind == wanted || (wanted == CL_PLUGIN_SINK && is_connector(p->kind));
}

static const char *simple_name(const char *class) {
  const char *dot = strrchr(class, '.');
  return dot ? dot + 1 : class;
}

/* name is full's simple name, whole or without its kind's suffix. The simple names of inner
 * classes are Key and Value: of too many to name one. */
static bool is_short_for(const char *name, const char *full, const struct cl_plugin *p) {
  const char *simple = simple_name(full),
             *suffix = p->headers_only ? "HeaderConverter" : kinds[p->kind].suffix;
  if (p->side)
    return false;
  if (strcmp(name, simple) == 0)
    return true;
  size_t n = strlen(name), s = strlen(simple), cut = strlen(suffix);
  return s > cut && n == s - cut && strcmp(simple + n, suffix) == 0 && memcmp(name, simple, n) == 0;
}

static bool has_alias(const struct cl_plugin *p, const char *name) {
  size_t i;
  json_t *alias;
  json_array_foreach (p->aliases, i, alias) {
    const char *text = json_string_value(alias);
    if (strcmp(name, text) == 0 || is_short_for(name, text, p))
      return true;
  }
  return false;
}

struct cl_plugin *cl_plugins_find(const struct cl_plugins *set, enum cl_plugin_kind kind, const char *name) {
  struct cl_plugin *found = NULL;
  bool shared = false;
  for (size_t i = 0; i < set->n; i++) {
    struct cl_plugin *p = set->files[i].plugin;
    if (!p || !kind_fits(p, kind))
      continue;
    if (strcmp(p->class, name) == 0)
      return p;
    if (is_short_for(name, p->class, p) || has_alias(p, name)) {
      shared = found != NULL;
      found = p;
    }
  }
  return shared ? NULL : found; /* a name of two classes names neither */
}

/* ---------------------------------------------------------------- REST's list */

static int by_class(const void *a, const void *b) {
  const struct cl_plugin *const *x = a, *const *y = b;
  return strcmp((*x)->class, (*y)->class);
}

static bool add_item(json_t *list, const struct cl_plugin *p, const char *type) {
  json_t *item = json_pack("{s:s, s:s}", "class", p->class, "type", type);
  if (item && strcmp(p->version, "undefined") != 0 &&
      json_object_set_new(item, "version", json_string(p->version)) != 0) {
    json_decref(item);
    return false;
  }
  return item && json_array_append_new(list, item) == 0;
}

static bool add_kind(json_t *list, struct cl_plugin **sorted, size_t n, enum cl_plugin_kind kind,
                     const char *type) {
  for (size_t i = 0; i < n; i++) {
    if (sorted[i]->kind == kind && !(sorted[i]->headers_only && strcmp(type, "converter") == 0) &&
        !add_item(list, sorted[i], type))
      return false;
  }
  return true;
}

json_t *cl_plugins_list(const struct cl_plugins *set, bool connectors_only) {
  json_t *list = json_array();
  struct cl_plugin **sorted = calloc(set->n + 1, sizeof(struct cl_plugin *));
  bool ok = list && sorted;
  size_t n = 0;
  for (size_t i = 0; ok && i < set->n; i++) {
    if (set->files[i].plugin)
      sorted[n++] = set->files[i].plugin;
  }
  if (n)
    qsort(sorted, n, sizeof(struct cl_plugin *), by_class);
  for (int k = 0; ok && k < (connectors_only ? CL_PLUGIN_TRANSFORM : N_KINDS); k++)
    ok = add_kind(list, sorted, n, (enum cl_plugin_kind)k, kinds[k].name);
  if (ok && !connectors_only)
    ok = add_kind(list, sorted, n, CL_PLUGIN_CONVERTER, "header_converter");
  free(sorted);
  if (!ok) {
    json_decref(list);
    return NULL;
  }
  return list;
}
