/* SPDX-License-Identifier: Apache-2.0
 *
 * What verbs that look at configurations need of a worker, and no more: its file and its
 * plugins. Nothing is opened that has to be closed with care. Thread: main.
 */
#pragma once

#include "worker/worker.h"

/* file NULL = no worker file: no plugin.path, StringConverter. Close it whatever this answers. */
int cl_light_worker_open(struct cl_worker *w, const char *file, struct cl_err *err);
void cl_light_worker_close(struct cl_worker *w);
