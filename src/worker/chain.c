/* SPDX-License-Identifier: Apache-2.0
 * Chains out of configs. Any thread. May include base, vm/chain.h. */
#include "worker/chain.h"

#include "worker/classes.h"
#include "worker/config_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct family {
  const char *list, *interface;
  enum cl_plugin_kind kind;
} transforms = {"transforms", "Transformation", CL_PLUGIN_TRANSFORM},
  predicates = {"predicates", "Predicate", CL_PLUGIN_PREDICATE};

/* The aliases under key, an empty list when there are none (new reference). */
static int aliases(const json_t *config, const char *key, json_t **out, struct cl_err *err) {
  struct cl_conf_row row = {.name = key, .type = CL_CONF_LIST, .dflt = ""};
  struct cl_conf_value v = {.is_null = true};
  int rc = cl_conf_parse_one(&row, cl_json_str(config, key), &v, err);
  *out = rc == 0 ? json_incref(v.list) : NULL;
  cl_conf_value_free(&v);
  return rc;
}

static char *key_of(const struct family *f, const char *alias, const char *name) {
  char *key = NULL;
  return asprintf(&key, "%s.%s.%s", f->list, alias, name) < 0 ? NULL : key;
}

static int no_memory(struct cl_err *err) {
  return cl_err_set(err, CL_ENOMEM, "no memory for a chain of transforms");
}

/* ----------------------------------------------------------------------- classes */

static bool has_outer_blanks(const char *text) {
  size_t n = strlen(text);
  return n > 0 && ((unsigned char)text[0] <= ' ' || (unsigned char)text[n - 1] <= ' ');
}

/* The plugin that key names. */
static int class_of(const struct cl_plugins *plugins, const struct family *f, const json_t *config,
                    const char *key, struct cl_plugin **out, struct cl_err *err) {
  const char *text = cl_json_str(config, key);
  *out = NULL;
  if (!text)
    return cl_conf_error(err, "Invalid value null for configuration %s: Not a %s", key, f->interface);
  *out = cl_class_find(plugins, f->kind, false, text).plugin;
  if (!*out) {
    cl_class_refuse(plugins, f->kind, false, key, text, err);
    return err->code = err->code == CL_ENOMEM ? CL_ENOMEM : CL_EINVAL;
  }
  if (has_outer_blanks(text)) /* Apache's validation trims them, its plugin loader does not */
    return cl_conf_error(err,
                         "Invalid value %s for configuration %s: Error getting config definition from %s: %s",
                         text, key, f->interface, text);
  return 0;
}

static int check_family(const struct cl_plugins *plugins, const struct family *f, const json_t *config,
                        struct cl_err *err) {
  json_t *list, *alias;
  size_t i;
  int rc = aliases(config, f->list, &list, err);
  if (rc != 0)
    return rc;
  json_array_foreach (list, i, alias) {
    struct cl_plugin *found;
    char *key = key_of(f, json_string_value(alias), "type");
    rc = key ? class_of(plugins, f, config, key, &found, err) : no_memory(err);
    free(key);
    if (rc != 0)
      break;
  }
  json_decref(list);
  return rc;
}

int cl_chain_check(const struct cl_plugins *plugins, const json_t *config, struct cl_err *err) {
  int rc = check_family(plugins, &transforms, config, err);
  return rc != 0 ? rc : check_family(plugins, &predicates, config, err);
}

/* ------------------------------------------------------------------------ stages */

json_t *cl_chain_settings(const json_t *config, const char *prefix) {
  static const char *const reserved[] = {"type", "plugin.version", "predicate", "negate"};
  json_t *settings = cl_worker_strip(config, prefix);
  for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++)
    json_object_del(settings, reserved[i]);
  return settings;
}

/* Class and typed settings of one alias. *plugin: a new reference. */
static int resolve_part(const struct cl_plugins *plugins, const struct family *f, const json_t *config,
                        const char *alias, struct cl_plugin **plugin, json_t **typed, struct cl_err *err) {
  struct cl_plugin *found = NULL;
  char *key = key_of(f, alias, "type"), *prefix = key_of(f, alias, "");
  json_t *settings = key && prefix ? cl_chain_settings(config, prefix) : NULL;
  int rc = settings ? class_of(plugins, f, config, key, &found, err) : no_memory(err);
  if (rc == 0)
    rc = cl_conf_parse(found->def, settings, typed, err);
  if (rc == 0) {
    cl_plugin_ref(found);
    *plugin = found;
  }
  json_decref(settings);
  free(prefix);
  free(key);
  return rc;
}

/* Its alias is taken as it stands: Apache trims it no more than it checks it. */
static int resolve_predicate(const struct cl_plugins *plugins, const json_t *config, const json_t *known,
                             const char *alias, struct cl_chain_stage *stage, struct cl_err *err) {
  if (!cl_json_has_text(known, alias)) {
    cl_err_set(err, CL_EINVAL,
               CL_JAVA_CONNECT ": " CL_JAVA_CONFIG ": Unknown configuration 'predicates.%s.plugin.version'",
               alias);
    err->class = CL_JAVA_CONNECT;
    return CL_EINVAL;
  }
  stage->predicate_alias = strdup(alias);
  if (!stage->predicate_alias)
    return no_memory(err);
  return resolve_part(plugins, &predicates, config, alias, &stage->predicate, &stage->predicate_config, err);
}

static int resolve_stage(const struct cl_plugins *plugins, const json_t *config, const json_t *known,
                         const char *alias, struct cl_chain_stage *stage, struct cl_err *err) {
  stage->alias = strdup(alias);
  char *predicate_key = key_of(&transforms, alias, "predicate"),
       *negate_key = key_of(&transforms, alias, "negate");
  int rc = stage->alias && predicate_key && negate_key
               ? resolve_part(plugins, &transforms, config, alias, &stage->transform, &stage->config, err)
               : no_memory(err);
  const char *predicate = rc == 0 ? cl_json_str(config, predicate_key) : NULL;
  if (predicate) {
    const char *negate = cl_json_str(config, negate_key);
    stage->negate = negate && strcasecmp(negate, "true") == 0; /* Boolean.parseBoolean: no trimming */
    rc = resolve_predicate(plugins, config, known, predicate, stage, err);
  }
  free(negate_key);
  free(predicate_key);
  return rc;
}

int cl_chain_resolve(const struct cl_plugins *plugins, const json_t *config, struct cl_chain **out,
                     struct cl_err *err) {
  json_t *names = NULL, *known = NULL;
  struct cl_chain *stages = NULL;
  *out = NULL;
  if (aliases(config, transforms.list, &names, err) != 0 ||
      aliases(config, predicates.list, &known, err) != 0)
    goto out;
  stages = cl_chain_new(json_array_size(names));
  if (!stages) {
    no_memory(err);
    goto out;
  }
  for (size_t i = 0; i < stages->n; i++) {
    const char *alias = json_string_value(json_array_get(names, i));
    if (resolve_stage(plugins, config, known, alias, &stages->v[i], err) != 0)
      goto out;
  }
  *out = stages;
  stages = NULL;
out:
  cl_chain_unref(stages);
  json_decref(known);
  json_decref(names);
  return *out ? 0 : err->code;
}
