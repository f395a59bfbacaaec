/* SPDX-License-Identifier: Apache-2.0
 *
 * The control thread: the connector side of plugins (reading manifests, tasks, validate,
 * check) in fresh Lua states of its own, JIT off, under an instruction deadline. A call
 * that outlives even that (stuck in C) is abandoned with its thread, and a new control
 * thread takes over.
 * Thread: any caller; calls are served one after another.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"

struct cl_control;
struct cl_plugin;
struct cl_sources;

struct cl_control_conf {
  const char *home;    /* folder holding lua/ and connectors/ */
  int64_t deadline_ms; /* of one call; default 5000 */
  size_t memory_max;   /* of one state; default 64 MiB */
  json_t *grants;      /* of plugins (vm/rights.h), or NULL */
};
int cl_control_start(const struct cl_control_conf *conf, struct cl_control **out, struct cl_err *err);
void cl_control_stop(struct cl_control *c);
int cl_control_abandoned(const struct cl_control *c); /* threads given up */

/* Runs the file, checks what it returns and runs its inline tests. *out: the manifest (kind, class, version,
 * doc, aliases, config rows, verbs). *sources: what was read, also of a file that is refused (a reference,
 * closed); NULL when the thread was stuck. Errors read "file:line: reason". */
int cl_control_manifest(struct cl_control *c, const char *file, json_t **out, struct cl_sources **sources,
                        struct cl_err *err);

/* Calls plugin.verb(args...) of this generation; args is an array, *out the first result (null when none). */
int cl_control_call(struct cl_control *c, const struct cl_plugin *plugin, const char *verb,
                    const json_t *args, json_t **out, struct cl_err *err);
