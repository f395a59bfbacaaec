/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys that `transforms` and `predicates` bring with them: for each alias its class, and
 * the class's own keys under the alias's prefix. Any thread, no state. May include floors 5-0.
 */
#include "worker/validation.h"

#include "task/connector.h"
#include "worker/config_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIASES_MAX = 100 }; /* each brings a dozen definitions into the answer */

static const struct family {
  const char *list, *group, *one, *lower;
  enum cl_plugin_kind kind;
} families[] = {
    {"transforms", "Transforms", "Transformation", "transformation", CL_PLUGIN_TRANSFORM},
    {"predicates", "Predicates", "Predicate", "predicate", CL_PLUGIN_PREDICATE},
};

/* Every transform has these beside its own. */
static const struct cl_conf_row implicit[] = {
    {.name = "predicate",
     .type = CL_CONF_STRING,
     .importance = CL_CONF_MEDIUM,
     .order = -1,
     .doc = "The alias of a predicate used to determine whether to apply this transformation."},
    {.name = "negate",
     .type = CL_CONF_BOOLEAN,
     .dflt = "false",
     .importance = CL_CONF_MEDIUM,
     .order = -1,
     .doc = "Whether the configured predicate should be negated."},
};

static char *text(struct cl_arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static char *text(struct cl_arena *arena, const char *fmt, ...) {
  char buf[1024];
  va_list ap;
  va_start(ap, fmt);
  int n = vsnprintf(buf, sizeof(buf), fmt, ap);
  va_end(ap);
  return cl_arena_copy(arena, buf, n < 0 ? 0 : n >= (int)sizeof(buf) ? sizeof(buf) - 1 : (size_t)n);
}

/* Java's order of embedded keys: no group first, then group order, required first, importance, name. */
static int by_place(const void *a, const void *b) {
  const struct cl_conf_row *x = *(const struct cl_conf_row *const *)a,
                           *y = *(const struct cl_conf_row *const *)b;
  if (!x->group != !y->group)
    return x->group ? 1 : -1;
  int groups = x->group ? strcmp(x->group, y->group) : 0;
  if (groups != 0)
    return groups;
  if (x->order != y->order)
    return x->order < y->order ? -1 : 1;
  if (x->required != y->required)
    return x->required ? -1 : 1;
  if (x->importance != y->importance)
    return x->importance < y->importance ? -1 : 1;
  return strcmp(x->name, y->name);
}

/* Validators name the key as the class knows it, missing and unreadable values in full. */
static json_t *validate_embedded(const struct cl_validation *v, const struct cl_conf_row *full,
                                 const struct cl_conf_row *own, const json_t *settings) {
  json_t *all = cl_conf_validate(&(struct cl_conf_def){full, 1}, v->config),
         *shorter = cl_conf_validate(&(struct cl_conf_def){own, 1}, settings);
  json_t *value = json_incref(json_array_get(all, 0)), *errors = json_object_get(value, "errors");
  json_t *names = json_object_get(json_array_get(shorter, 0), "errors");
  for (size_t i = json_is_null(json_object_get(value, "value")) ? 1 : 0; i < json_array_size(errors); i++)
    json_array_set(errors, i, json_array_get(names, i));
  json_decref(all);
  json_decref(shorter);
  return value;
}

static void put_embedded(struct cl_validation *v, const struct cl_conf_row *own, const char *prefix,
                         const char *group, int order, const json_t *settings, struct cl_arena *arena) {
  struct cl_conf_row full = *own;
  full.name = text(arena, "%s%s", prefix, own->name);
  full.display = own->display ? own->display : own->name;
  full.group = own->group ? text(arena, "%s: %s", group, own->group) : group;
  full.order = order;
  if (full.name && full.group)
    cl_validation_put(v, full.name, cl_conf_describe(&full), validate_embedded(v, &full, own, settings),
                      full.group);
}

static int put_own_keys(struct cl_validation *v, const struct family *f, const struct cl_plugin *plugin,
                        const char *prefix, const char *group, struct cl_arena *arena) {
  size_t extra = f->kind == CL_PLUGIN_TRANSFORM ? sizeof(implicit) / sizeof(*implicit) : 0,
         n = plugin->def->n + extra;
  const struct cl_conf_row **rows = cl_arena_zalloc(arena, (n + 1) * sizeof(*rows));
  if (!rows)
    return CL_ENOMEM;
  for (size_t i = 0; i < n; i++)
    rows[i] = i < plugin->def->n ? &plugin->def->rows[i] : &implicit[i - plugin->def->n];
  qsort(rows, n, sizeof(*rows), by_place);
  json_t *settings = cl_worker_strip(v->config, prefix);
  for (size_t i = 0; i < n; i++)
    put_embedded(v, rows[i], prefix, group, (int)i + 2, settings, arena);
  int rc = cl_validation_check_later(v, plugin, prefix, settings, false);
  json_decref(settings);
  return rc;
}

static void check_negate(struct cl_validation *v, const char *prefix, const char *type_key,
                         struct cl_arena *arena) {
  const char *negate = text(arena, "%snegate", prefix), *predicate = text(arena, "%spredicate", prefix);
  if (negate && predicate && json_object_get(v->config, negate) && !json_object_get(v->config, predicate))
    cl_validation_error(v, type_key,
                        "Config '%s' was provided but there is no config '%s' defining a predicate to be "
                        "negated.",
                        negate, predicate);
}

static int one_alias(struct cl_validation *v, const struct family *f, const char *alias,
                     const char *const *classes, struct cl_arena *arena) {
  char *prefix = text(arena, "%s.%s.", f->list, alias), *group = text(arena, "%s: %s", f->group, alias);
  if (!prefix || !group)
    return CL_ENOMEM;
  struct cl_conf_row type = {.name = text(arena, "%stype", prefix),
                             .type = CL_CONF_CLASS,
                             .required = true,
                             .importance = CL_CONF_HIGH,
                             .doc = text(arena, "Class for the '%s' %s.", alias, f->lower),
                             .group = group,
                             .order = 0,
                             .width = CL_CONF_W_LONG,
                             .display = text(arena, "%s type for %s", f->one, alias),
                             .recommended = classes};
  if (!type.name || !type.doc || !type.display)
    return CL_ENOMEM;
  cl_validation_rows(v, &(struct cl_conf_def){&type, 1});
  struct cl_found_class found = cl_validation_resolve(v, f->kind, false, type.name);
  if (f->kind == CL_PLUGIN_TRANSFORM)
    check_negate(v, prefix, type.name, arena);
  const char *versions[] = {found.version, NULL};
  struct cl_conf_row version = {.name = text(arena, "%splugin.version", prefix),
                                .type = CL_CONF_STRING,
                                .dflt = found.version,
                                .importance = CL_CONF_HIGH,
                                .doc = text(arena, "Version of the '%s' %s.", alias, f->lower),
                                .group = group,
                                .order = 1,
                                .width = CL_CONF_W_LONG,
                                .display = text(arena, "%s version for %s", f->one, alias),
                                .recommended = versions};
  if (!version.name || !version.doc || !version.display)
    return CL_ENOMEM;
  cl_validation_rows(v, &(struct cl_conf_def){&version, 1});
  cl_validation_version(v, type.name, version.name, &found);
  return found.plugin ? put_own_keys(v, f, found.plugin, prefix, group, arena) : 0;
}

static int one_family(struct cl_validation *v, const struct family *f, struct cl_arena *arena) {
  struct cl_conf_value list = {.is_null = true};
  struct cl_err ignored;
  struct cl_conf_row row = {.name = f->list, .type = CL_CONF_LIST, .dflt = ""};
  int rc = 0;
  if (cl_conf_parse_one(&row, cl_json_str(v->config, row.name), &list, &ignored) != 0)
    return 0;
  size_t n = json_array_size(list.list);
  if (n > ALIASES_MAX) {
    cl_validation_error(v, row.name, "Configuration '%s' names more than %d aliases.", row.name, ALIASES_MAX);
    n = ALIASES_MAX;
  }
  const char *const *classes = n > 0 ? cl_validation_classes(v->worker, f->kind, false, arena) : NULL;
  for (size_t i = 0; i < n && rc == 0; i++)
    rc = one_alias(v, f, json_string_value(json_array_get(list.list, i)), classes, arena);
  cl_conf_value_free(&list);
  return rc;
}

int cl_validation_aliases(struct cl_validation *v, struct cl_arena *arena) {
  int rc = 0;
  for (size_t i = 0; i < sizeof(families) / sizeof(*families) && rc == 0; i++)
    rc = one_family(v, &families[i], arena);
  return rc;
}
