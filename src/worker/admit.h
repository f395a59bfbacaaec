/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a request may become a connector: the checks of POST and PUT in Apache's order,
 * with its answers. Each function returns 0, or non-zero with the reply filled.
 * Thread: the herder's (the plugin's `validate` runs on the control thread).
 */
#pragma once

#include "worker/herder.h"
#include "worker/worker.h"

#include "task/task.h"

struct cl_admitted {
  struct cl_plugin *plugin; /* own reference */
  json_t *config;           /* own reference: as given, `name` last when it was missing */
  json_t *open;             /* own reference: cl_mask_open_keys */
};
void cl_admitted_clear(struct cl_admitted *a);

/* initial_state of POST: NULL, RUNNING, PAUSED, STOPPED in any case. */
int cl_admit_target(const char *initial_state, enum cl_state *target, struct cl_reply *reply);
/* The name of a POST: trimmed, and equal to config.name if there is one. *out malloc'd. */
int cl_admit_name(const char *name, const json_t *config, char **out, struct cl_reply *reply);
/* A name that is too long for requests would be of a connector that nobody can change or delete. */
int cl_admit_new_name(const struct cl_worker *w, const char *name, struct cl_reply *reply);
/* The connector that connector.class names; NULL: replied. Borrowed. */
struct cl_plugin *cl_admit_class(const struct cl_worker *w, const json_t *config, struct cl_reply *reply);
/* Class known, framework keys, plugin keys, converters, the plugin's own validate. */
int cl_admit_config(const struct cl_worker *w, const char *name, const json_t *config,
                    struct cl_admitted *out, struct cl_reply *reply);
/* The same of a change: config is what cl_mask_unchanged made of sent. */
int cl_admit_change(const struct cl_worker *w, const char *name, const json_t *sent, const json_t *config,
                    struct cl_admitted *out, struct cl_reply *reply);
