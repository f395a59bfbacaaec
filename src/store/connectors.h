/* SPDX-License-Identifier: Apache-2.0
 *
 * The connectors that a worker remembers over its end, behind one interface: none (Apache's
 * standalone worker), or a JSON file; later a compacted topic.
 * Thread: one at a time, main's at first, then the herder's.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"

struct cl_connectors;

/* path NULL = nothing is kept. A missing file means no connectors; anything but a whole file of
 * ours is CL_EINVAL naming the place and what to do, and is left untouched. One that another worker has
 * open is CL_ECONFLICT. */
int cl_connectors_open(const char *path, struct cl_connectors **out, struct cl_err *err);
void cl_connectors_close(struct cl_connectors *s); /* NULL allowed */

/* Array of {"name","config","initial_state"}: what POST takes, oldest first; the state is the one last asked
 * for (RUNNING, PAUSED, STOPPED; in any case where the file was written by hand). Borrowed; holds until the
 * next change. */
const json_t *cl_connectors_list(const struct cl_connectors *s);

/* Both return when the change is durable; after an error nothing has changed. */
int cl_connectors_put(struct cl_connectors *s, const char *name, const json_t *config, const char *state,
                      struct cl_err *err);
int cl_connectors_remove(struct cl_connectors *s, const char *name, struct cl_err *err);
