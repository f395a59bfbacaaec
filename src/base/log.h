/* SPDX-License-Identifier: Apache-2.0
 *
 * Log lines: `[2026-11-21 09:42:03,123] INFO [name|task-0] text (component)`, or as JSON
 * `{"timestamp":"2026-11-21T08:42:03.123Z","level":"INFO","logger":"component","context":"name|task-0",
 * "message":"text"}`.
 * A file defines CL_COMPONENT before it includes this header.
 * Any thread; a line is written whole, its secrets hidden (base/secrets.h). Log once, where a
 * thing is handled.
 */
#pragma once

#include "base/err.h"

enum cl_level { CL_ALL = -1, CL_TRACE, CL_DEBUG, CL_INFO, CL_WARN, CL_ERROR, CL_FATAL, CL_OFF };

/* Opens path for appending (NULL = stderr; a new file is not for others, it may hold records) and sets the
 * root's level. Called once by main. */
int cl_log_open(const char *path, enum cl_level level, bool json, struct cl_err *err);
void cl_log_close(void);
/* Name in any case to level; false when it is none. */
bool cl_log_level_parse(const char *name, enum cl_level *out);
const char *cl_log_level_name(enum cl_level level);

/* The context of this thread's lines, e.g. "local-file-source|task-0"; copied,
 * cut at 255 bytes. NULL or "" = none. */
void cl_log_context(const char *context);

void cl_log_write(enum cl_level level, const char *component, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

bool cl_loggers_admit(const char *component, enum cl_level level); /* base/loggers.h */
void cl_loggers_add(const char *name);

#ifdef CL_COMPONENT
/* Before main: every component is listed, also those that have logged nothing. */
__attribute__((constructor)) static void cl_log_add_component(void) { cl_loggers_add(CL_COMPONENT); }
#endif

#define CL_LOG(level, ...)                                                                                   \
  do {                                                                                                       \
    if (cl_loggers_admit(CL_COMPONENT, level))                                                               \
      cl_log_write(level, CL_COMPONENT, __VA_ARGS__);                                                        \
  } while (0)
