/* SPDX-License-Identifier: Apache-2.0
 *
 * What each route does: reads ask the herder's snapshots, writes become commands.
 * Any thread, no state; none waits.
 */
#pragma once

struct cl_exchange;

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
void cl_handlers_validate(struct cl_exchange *x);
/* 501, for a connector that exists; an unknown one is 404 here, too. */
void cl_handlers_unbuilt_offsets(struct cl_exchange *x);
void cl_handlers_unbuilt(struct cl_exchange *x);
