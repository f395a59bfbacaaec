/* SPDX-License-Identifier: Apache-2.0
 * The log. Any thread: a line is formatted in a local buffer and written by one
 * write(2), so that lines never mix. May include libc and base/loggers.h. */
#include "base/log.h"

#include "base/loggers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

static const char *const level_names[] = {"ALL", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "OFF"};

static int log_fd = STDERR_FILENO;
static _Thread_local char context[256];

int cl_log_open(const char *path, enum cl_level level, struct cl_err *err) {
  cl_loggers_start(level);
  if (!path)
    return 0;
  int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0)
    return cl_err_set(err, CL_EIO, "cannot open log file %s: %s", path, strerror(errno));
  log_fd = fd;
  return 0;
}

void cl_log_close(void) {
  if (log_fd != STDERR_FILENO)
    close(log_fd);
  log_fd = STDERR_FILENO;
}

const char *cl_log_level_name(enum cl_level level) { return level_names[level - CL_ALL]; }

bool cl_log_level_parse(const char *name, enum cl_level *out) {
  for (int i = CL_ALL; i <= CL_OFF; i++) {
    if (strcasecmp(name, cl_log_level_name((enum cl_level)i)) == 0) {
      *out = (enum cl_level)i;
      return true;
    }
  }
  return false;
}

void cl_log_context(const char *text) { snprintf(context, sizeof(context), "%s", text ? text : ""); }

void cl_log_write(enum cl_level level, const char *component, const char *fmt, ...) {
  char line[4096];
  struct timespec now;
  struct tm tm;
  clock_gettime(CLOCK_REALTIME, &now);
  localtime_r(&now.tv_sec, &tm);
  size_t n = strftime(line, sizeof(line), "[%Y-%m-%d %H:%M:%S", &tm);
  n += (size_t)snprintf(line + n, sizeof(line) - n, ",%03ld] %s %s%s%s", now.tv_nsec / 1000000,
                        cl_log_level_name(level), context[0] ? "[" : "", context, context[0] ? "] " : "");
  size_t room = sizeof(line) - n - strlen(component) - 5; /* " (" component ")\n" and NUL */
  va_list ap;
  va_start(ap, fmt);
  int m = vsnprintf(line + n, room, fmt, ap);
  va_end(ap);
  n += m < 0 ? 0 : (size_t)m < room ? (size_t)m : room - 1;
  n += (size_t)snprintf(line + n, sizeof(line) - n, " (%s)\n", component);
  /* A log that cannot be written has nowhere to say so. */
  ssize_t ignored = write(log_fd, line, n);
  (void)ignored;
}
