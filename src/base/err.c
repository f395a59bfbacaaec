/* SPDX-License-Identifier: Apache-2.0
 * Error objects. Any thread; may include libc and base/secrets.h. */
#include "base/err.h"

#include "base/secrets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cl_err_vset(struct cl_err *err, int code, const char *fmt, va_list ap) {
  err->code = code;
  err->retriable = false;
  err->fatal = false;
  err->class = NULL;
  err->within = NULL;
  err->trace[0] = '\0';
  vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
  cl_secrets_hide(err->msg, sizeof(err->msg));
  return code;
}

int cl_err_set(struct cl_err *err, int code, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  cl_err_vset(err, code, fmt, ap);
  va_end(ap);
  return code;
}

const char *cl_err_show(char *out, size_t size, const char *text, size_t len) {
  static const char nul[] = "\\0";
  size_t n = 0;
  for (size_t i = 0; i < len; i++) {
    size_t step = text[i] ? 1 : sizeof(nul) - 1;
    if (n + step >= size)
      break;
    memcpy(out + n, text[i] ? &text[i] : nul, step);
    n += step;
  }
  out[n] = '\0';
  return out;
}

int cl_err_prefix(struct cl_err *err, const char *fmt, ...) {
  char old[sizeof(err->msg)];
  memcpy(old, err->msg, sizeof(old));
  va_list ap;
  va_start(ap, fmt);
  int n = vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
  va_end(ap);
  if (n >= 0 && (size_t)n < sizeof(err->msg))
    snprintf(err->msg + n, sizeof(err->msg) - (size_t)n, "%s", old);
  cl_secrets_hide(err->msg, sizeof(err->msg));
  return err->code;
}

const char *cl_err_class(const char *name) {
  static const char *const known[] = {
      CL_JAVA_CONNECT,
      CL_JAVA_RETRIABLE,
      CL_JAVA_DATA,
      CL_JAVA_CONFIG,
      "org.apache.kafka.connect.errors.SchemaBuilderException",
      "org.apache.kafka.connect.errors.SchemaProjectorException",
      "org.apache.kafka.common.errors.SerializationException",
      "org.apache.kafka.common.InvalidRecordException",
      CL_JAVA_TOO_LARGE,
      "java.lang.IllegalArgumentException",
      "java.lang.IndexOutOfBoundsException",
      "java.lang.ClassCastException",
      "java.lang.NullPointerException",
      "java.lang.NumberFormatException",
      "java.lang.UnsupportedOperationException",
  };
  for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
    if (strcmp(name, known[i]) == 0)
      return known[i];
  }
  return NULL;
}

const char *cl_err_java(const struct cl_err *err) {
  if (err->class)
    return err->class;
  if (err->retriable)
    return CL_JAVA_RETRIABLE;
  switch (err->code) {
  case CL_EINVAL: return CL_JAVA_CONFIG;
  case CL_EDATA: return CL_JAVA_DATA;
  default: return CL_JAVA_CONNECT;
  }
}

char *cl_err_trace(const struct cl_err *err) {
  static const char outer[] = CL_JAVA_CONNECT ": ", cause[] = "\nCaused by: ";
  const char *class = cl_err_java(err), *within = err->within;
  size_t size = sizeof(outer) + sizeof(cause) + (within ? strlen(within) : 0) + strlen(class) +
                strlen(err->msg) + strlen(err->trace) + 4;
  char *out = malloc(size);
  if (!out)
    return NULL;
  snprintf(out, size, "%s%s%s%s: %s%s%s", within ? outer : "", within ? within : "", within ? cause : "",
           class, err->msg, err->trace[0] ? "\n" : "", err->trace);
  char *hidden = cl_secrets_hidden(out);
  free(out);
  return hidden;
}

_Noreturn void cl_require_failed(const char *expr, const char *file, int line) {
  fprintf(stderr, "connect-lua: bug at %s:%d: (%s) does not hold\n", file, line, expr);
  abort();
}
