/* SPDX-License-Identifier: Apache-2.0
 *
 * The validation of a connector's config, Apache's engine behind PUT .../config/validate and
 * behind POST, PUT and PATCH: every key with its definition, value and errors.
 * Any thread, no state; only cl_validate_plugin calls Lua (on the control thread).
 */
#pragma once

#include "worker/worker.h"

struct cl_validation {
  const struct cl_worker *worker;
  const struct cl_plugin *plugin;
  const json_t *config; /* being validated, variables resolved; all three borrowed */
  json_t *groups;       /* of the definitions, each once */
  json_t *configs;      /* array of {"definition","value"} */
  json_t *by_key;       /* the same entries: a body of 1 MiB holds many keys */
  size_t error_count;
  struct cl_plugin_check *checks; /* of plugins' own, to be run by cl_validate_plugin */
};

/* Framework keys, transforms and predicates, the connector's own keys, converters, client
 * overrides; when nothing is wrong, what connect-lua has not built. CL_ENOMEM at worst. */
int cl_validate_config(const struct cl_worker *w, const struct cl_plugin *plugin, const json_t *config,
                       struct cl_validation *out, struct cl_err *err);
/* Some plugin that the config names has a `validate` of its own: transforms, predicates and
 * converters whatever was found so far, the connector when nothing is wrong. */
bool cl_validate_wants_plugin(const struct cl_validation *v);
/* Adds what it finds. @thread herder or the command line */
int cl_validate_plugin(struct cl_validation *v, struct cl_err *err);
/* What variables of given, the config as it came, stood for is not shown: the values show them. */
void cl_validate_conceal(struct cl_validation *v, const json_t *given);
void cl_validate_clear(struct cl_validation *v);

/* What Apache refuses when it makes a connector's config object, before the connector itself is
 * asked: the first error in the framework's keys, transforms and predicates, and Apache's words
 * where they differ from the validation's. @thread as cl_validate_plugin */
int cl_validate_construct(const struct cl_worker *w, const struct cl_plugin *plugin, const json_t *config,
                          struct cl_err *err);

/* REST's answer (new reference). */
json_t *cl_validate_body(const struct cl_validation *v);
/* All messages in the order of the keys (new reference). */
json_t *cl_validate_errors(const struct cl_validation *v);
