/* SPDX-License-Identifier: Apache-2.0
 *
 * The levels of the log, by the names of its components: "kafka" is the parent of
 * "kafka.consumer", "root" of all. A logger without a level of its own has its parent's.
 * Any thread.
 */
#pragma once

#include "base/log.h"

#include <stdint.h>

enum { CL_LOGGERS_MAX = 1000 }; /* names come from outside */

struct cl_logger {
  const char *name; /* lives until the process ends */
  enum cl_level level;
  int64_t last_modified; /* ms of the wall clock, -1 = its level was never set by cl_loggers_set */
};
typedef int cl_loggers_fn(void *arg, const struct cl_logger *logger);

/* Makes a logger known, so that it is listed. Files with a CL_COMPONENT do it before main (log.h). */
void cl_loggers_add(const char *name);

/* The root's level, of which nobody is told when it changed. */
void cl_loggers_start(enum cl_level root);

bool cl_loggers_get(const char *name, struct cl_logger *out);
/* By name, until fn does not answer 0, which is answered then. */
int cl_loggers_each(cl_loggers_fn *fn, void *arg);
/* Sets the logger called name, made if it is unknown, and all whose names start like it; tells fn
 * of each by name. CL_EAGAIN: CL_LOGGERS_MAX are known. */
int cl_loggers_set(const char *name, enum cl_level level, cl_loggers_fn *fn, void *arg);

/* Whether a line of this component and level is written. */
bool cl_loggers_admit(const char *component, enum cl_level level);
