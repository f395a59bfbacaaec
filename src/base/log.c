/* SPDX-License-Identifier: Apache-2.0
 * The log. Any thread: a line is formatted whole and written by one write(2), so that
 * lines never mix. */
#include "base/log.h"

#include "base/json.h"
#include "base/loggers.h"
#include "base/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

static const char *const level_names[] = {"ALL", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "OFF"};

static int log_fd = STDERR_FILENO;
static bool log_json;
static _Thread_local char context[256];

int cl_log_open(const char *path, enum cl_level level, bool json, struct cl_err *err) {
  log_json = json;
  cl_loggers_start(level);
  if (!path)
    return 0;
  int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
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

static void write_line(const char *line, size_t n) {
  /* A log that cannot be written has nowhere to say so. */
  ssize_t ignored = write(log_fd, line, n);
  (void)ignored;
}

/* False: no memory. */
static bool write_json(const struct timespec *now, enum cl_level level, const char *component,
                       const char *text) {
  char time[32], stamp[48];
  struct tm tm;
  gmtime_r(&now->tv_sec, &tm);
  strftime(time, sizeof(time), "%Y-%m-%dT%H:%M:%S", &tm);
  snprintf(stamp, sizeof(stamp), "%s.%03ldZ", time, now->tv_nsec / 1000000);
  json_t *line = json_pack("{s:s,s:s,s:o,s:o*,s:o}", "timestamp", stamp, "level", cl_log_level_name(level),
                           "logger", cl_json_lenient(component), "context",
                           context[0] ? cl_json_lenient(context) : NULL, "message", cl_json_lenient(text));
  char *dump = line ? json_dumps(line, JSON_COMPACT) : NULL;
  json_decref(line);
  if (!dump)
    return false;
  size_t n = strlen(dump);
  dump[n] = '\n'; /* in the place of its NUL */
  write_line(dump, n + 1);
  free(dump);
  return true;
}

static void write_text(const struct timespec *now, enum cl_level level, const char *component,
                       const char *text) {
  char line[4096];
  struct tm tm;
  localtime_r(&now->tv_sec, &tm);
  size_t n = strftime(line, sizeof(line), "[%Y-%m-%d %H:%M:%S", &tm);
  n += (size_t)snprintf(line + n, sizeof(line) - n, ",%03ld] %s %s%s%s", now->tv_nsec / 1000000,
                        cl_log_level_name(level), context[0] ? "[" : "", context, context[0] ? "] " : "");
  size_t room = sizeof(line) - n - strlen(component) - 5; /* " (" component ")\n" and NUL */
  int m = snprintf(line + n, room, "%s", text);
  n += (size_t)m < room ? (size_t)m : room - 1;
  n += (size_t)snprintf(line + n, sizeof(line) - n, " (%s)\n", component);
  write_line(line, n);
}

void cl_log_write(enum cl_level level, const char *component, const char *fmt, ...) {
  char text[4096];
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof(text), fmt, ap);
  va_end(ap);
  cl_secrets_hide(text, sizeof(text));
  if (!log_json || !write_json(&now, level, component, text))
    write_text(&now, level, component, text);
}
