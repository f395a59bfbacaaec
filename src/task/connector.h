/* SPDX-License-Identifier: Apache-2.0
 *
 * The framework's side of a connector's config: Apache's rows, the checks of POST and PUT,
 * and the refusal of what is not built yet. Rows: connector_rows.c.
 * Any thread, no state.
 */
#pragma once

#include "base/confdef.h"
#include "vm/plugin.h"

/* Apache's rows of every sink or source, in Apache's order. */
const struct cl_conf_def *cl_connector_def(bool sink);

/* Everything wrong with config for this plugin: framework rows, cross checks, the plugin's
 * rows, then what connect-lua refuses. *errors: array of messages (new reference), empty when
 * config is fine. Answers 0, or CL_ENOMEM. */
int cl_connector_check(const json_t *config, const struct cl_plugin *plugin, json_t **errors);

/* The messages as REST's one text; malloc'd, NULL = no memory. */
char *cl_connector_invalid_message(const json_t *errors);
