/* SPDX-License-Identifier: Apache-2.0
 *
 * The framework's side of a connector's config: Apache's rows, and the refusal of what is not
 * built yet. Rows: connector_rows.c; the validation itself: worker/validate.c.
 * Any thread, no state.
 */
#pragma once

#include "base/confdef.h"
#include "task/task.h"
#include "vm/plugin.h"

/* Apache's rows of every sink or source, in Apache's order. */
const struct cl_conf_def *cl_connector_def(bool sink);

/* connector_own.c: connect-lua's own rows, and what is wrong with such keys of a config, added to
 * errors as {"key","message"}. */
#define CL_CONNECTOR_JIT "connect.lua.jit"
#define CL_CONNECTOR_RESTARTS "connect.lua.restart.max.attempts"
#define CL_CONNECTOR_RESTART_BACKOFF "connect.lua.restart.backoff.ms"
#define CL_CONNECTOR_RESTART_BACKOFF_MAX "connect.lua.restart.backoff.max.ms"
#define CL_CONNECTOR_RESTART_RESET "connect.lua.restart.reset.ms"
#define CL_CONNECTOR_LETTERS "connect.lua.errors.deadletterqueue.topic.name"
#define CL_CONNECTOR_LETTERS_REPLICATION "connect.lua.errors.deadletterqueue.topic.replication.factor"
const struct cl_conf_def *cl_connector_own_def(void);
void cl_connector_own_errors(const json_t *config, json_t *errors);

/* What Apache would do and connect-lua cannot yet: never passed over, that would lose data.
 * *errors: array of {"key","message"} (new reference). Answers 0, or CL_ENOMEM. */
int cl_connector_refusals(const json_t *config, const struct cl_plugin *plugin, json_t **errors);

/* errors.* of a config; out->letters is malloc'd, the clients are not set. */
int cl_connector_errors(const json_t *config, bool sink, struct cl_task_errors *out, struct cl_err *err);

/* Whether it wants its topics made and may: enabled is the worker's topic.creation.enable. */
bool cl_connector_creates_topics(const json_t *config, const struct cl_plugin *plugin, bool enabled);

/* What Apache finds out no earlier than at the connector's start: what is wrong with topic.creation.*. */
int cl_connector_start_check(const json_t *config, const struct cl_plugin *plugin, bool topic_creation,
                             struct cl_err *err);

/* The messages as REST's one text; malloc'd, NULL = no memory. */
char *cl_connector_invalid_message(const json_t *errors);
