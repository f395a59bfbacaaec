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
  const json_t *config; /* being validated; all three borrowed */
  json_t *groups;       /* of the definitions, each once */
  json_t *configs;      /* array of {"definition","value"} */
  json_t *by_key;       /* the same entries: a body of 1 MiB holds many keys */
  size_t error_count;
};

/* Framework keys, transforms and predicates, the connector's own keys, converters, client
 * overrides; when nothing is wrong, what connect-lua has not built. CL_ENOMEM at worst. */
int cl_validate_config(const struct cl_worker *w, const struct cl_plugin *plugin, const json_t *config,
                       struct cl_validation *out, struct cl_err *err);
/* Nothing is wrong so far and the plugin has a `validate` of its own. */
bool cl_validate_wants_plugin(const struct cl_validation *v);
/* Adds what it finds. @thread herder or the command line */
int cl_validate_plugin(struct cl_validation *v, struct cl_err *err);
void cl_validate_clear(struct cl_validation *v);

/* REST's answer (new reference). */
json_t *cl_validate_body(const struct cl_validation *v);
/* All messages in the order of the keys (new reference). */
json_t *cl_validate_errors(const struct cl_validation *v);
