/* SPDX-License-Identifier: Apache-2.0
 *
 * Plugins that change while the worker runs: a thread of its own watches their files and those that they
 * require, reads what has changed on the control thread and hands the herder the plugins of the next moment
 * (CL_CMD_PUBLISH). So neither the herder nor a task ever waits for a file.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>

struct cl_command;
struct cl_herder;
struct cl_reload;

/* @thread main, with the herder's queues made */
int cl_reload_start(struct cl_herder *h, struct cl_reload **out, struct cl_err *err);
/* Waits for a file that is being read; answers the commands that wait. NULL is allowed. @thread main */
void cl_reload_stop(struct cl_reload *r);
/* CL_CMD_RELOAD: looks at once, at all files or at that of the plugin named. False: too many wait, or it is
 * stopping. @thread any */
bool cl_reload_submit(struct cl_reload *r, struct cl_command *cmd);
