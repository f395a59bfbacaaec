/* SPDX-License-Identifier: Apache-2.0
 *
 * Config providers: what stands in a config as ${provider:path:key} comes from a file, a folder
 * or the environment, each time the config is used and never before. What they gave is a secret
 * (base/secrets.h). Any thread; immutable once made.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"

#include <stdbool.h>

struct cl_providers;

/* Those of a worker file (keys config.providers...); without any *out resolves nothing. */
int cl_providers_new(const json_t *worker, struct cl_providers **out, struct cl_err *err);
void cl_providers_free(struct cl_providers *p); /* NULL is allowed */

/* config with every variable that a provider knows replaced; others stay as they stand. A provider
 * that cannot read is CL_EINVAL. p may be NULL. *out is a new reference. */
int cl_providers_resolve(const struct cl_providers *p, const json_t *config, json_t **out,
                         struct cl_err *err);

/* Whether the text looks like holding a variable, known or not. */
bool cl_providers_variable(const char *text);
/* Whether it is made of variables of these providers and nothing else. */
bool cl_providers_only(const struct cl_providers *p, const char *text);
