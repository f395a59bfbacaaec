/* SPDX-License-Identifier: Apache-2.0
 * What validate.c and its parts share: entries being gathered. */
#pragma once

#include "worker/validate.h"

#include "base/arena.h"
#include "worker/classes.h"

#define CL_VALIDATION_NULL "Null value can not be supplied as the configuration value."

/* {"definition","value"} of key, or NULL. Borrowed. */
json_t *cl_validation_find(const struct cl_validation *v, const char *key);
/* Adds an entry, or replaces the one of the same name in place; takes definition (NULL = null)
 * and value. group may be NULL. */
void cl_validation_put(struct cl_validation *v, const char *key, json_t *definition, json_t *value,
                       const char *group);
/* Validates all rows of def over the config. */
void cl_validation_rows(struct cl_validation *v, const struct cl_conf_def *def);
/* A message on key, which gets an entry without definition when it has none. Counted. */
void cl_validation_error(struct cl_validation *v, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool cl_validation_has_errors(const struct cl_validation *v, const char *key);

/* Replaces the value of a CLASS key by the full name, or adds the error. */
struct cl_found_class cl_validation_resolve(struct cl_validation *v, enum cl_plugin_kind kind, bool header,
                                            const char *key);
/* NULL-terminated names of all classes of a kind, in memory of arena. */
const char *const *cl_validation_classes(const struct cl_worker *w, enum cl_plugin_kind kind, bool header,
                                         struct cl_arena *arena);
/* Only one version of a plugin exists: any other asked for under key is an error on both keys. */
void cl_validation_version(struct cl_validation *v, const char *class_key, const char *key,
                           const struct cl_found_class *found);

/* validate_plugin.c: plugin.validate is to be asked about its settings (raw, without prefix); its
 * errors go to prefix + key, where once: counted once a key. CL_ENOMEM at worst. */
int cl_validation_check_later(struct cl_validation *v, const struct cl_plugin *plugin, const char *prefix,
                              const json_t *settings, bool once);
void cl_validation_forget_checks(struct cl_validation *v);

/* validate_framework.c: the rows of every sink or source, with this worker's defaults. */
int cl_validation_framework(struct cl_validation *v, struct cl_arena *arena);
/* validate_alias.c: the keys of each transform and predicate named. */
int cl_validation_aliases(struct cl_validation *v, struct cl_arena *arena);
/* validate_clients.c: converters and client overrides; errors count once a key. CL_ENOMEM at worst. */
int cl_validation_converters(struct cl_validation *v);
void cl_validation_clients(struct cl_validation *v);
