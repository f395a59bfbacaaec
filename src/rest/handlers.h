/* SPDX-License-Identifier: Apache-2.0
 *
 * What each route does: reads ask the herder's snapshots, writes become commands.
 * Any thread, no state; none waits.
 */
#pragma once

#include "base/json.h"

#include <stdbool.h>

#include "worker/herder.h"

struct cl_exchange;

/* The body as an object whose numbers are texts, a new reference; NULL: answered. */
json_t *cl_handlers_body(struct cl_exchange *x);
/* The same, numbers being numbers. */
json_t *cl_handlers_body_as_is(struct cl_exchange *x);
/* Makes x->cmd on the connector or plugin of the path; takes config, which may be NULL. */
void cl_handlers_command(struct cl_exchange *x, enum cl_command_kind kind, json_t *config);
/* A string field of it, absent and null being the same; a lone true or false is its text, as in
 * Apache. False: answered. *out is malloc'd or NULL. */
bool cl_handlers_text(struct cl_exchange *x, const json_t *body, const char *key, char **out);

void cl_handlers_root(struct cl_exchange *x);
void cl_handlers_list(struct cl_exchange *x);
void cl_handlers_create(struct cl_exchange *x);
void cl_handlers_get(struct cl_exchange *x);
void cl_handlers_delete(struct cl_exchange *x);
void cl_handlers_get_config(struct cl_exchange *x);
void cl_handlers_put_config(struct cl_exchange *x);
void cl_handlers_status(struct cl_exchange *x);
void cl_handlers_tasks(struct cl_exchange *x);
void cl_handlers_pause(struct cl_exchange *x);
void cl_handlers_resume(struct cl_exchange *x);
void cl_handlers_stop(struct cl_exchange *x);
void cl_handlers_restart(struct cl_exchange *x);
void cl_handlers_plugins(struct cl_exchange *x);
void cl_handlers_health(struct cl_exchange *x);
void cl_handlers_patch_config(struct cl_exchange *x);
void cl_handlers_put_tasks(struct cl_exchange *x);
void cl_handlers_fence(struct cl_exchange *x);
void cl_handlers_task_status(struct cl_exchange *x);
void cl_handlers_task_restart(struct cl_exchange *x);
void cl_handlers_topics(struct cl_exchange *x);
void cl_handlers_reset_topics(struct cl_exchange *x);
void cl_handlers_plugin_config(struct cl_exchange *x);
void cl_handlers_plugin_files(struct cl_exchange *x);
void cl_handlers_task_calls(struct cl_exchange *x);
void cl_handlers_reload(struct cl_exchange *x);
void cl_handlers_validate(struct cl_exchange *x);

void cl_handlers_loggers(struct cl_exchange *x);
void cl_handlers_logger(struct cl_exchange *x);
void cl_handlers_put_logger(struct cl_exchange *x);

void cl_handlers_offsets(struct cl_exchange *x);
void cl_handlers_alter_offsets(struct cl_exchange *x);
void cl_handlers_reset_offsets(struct cl_exchange *x);
