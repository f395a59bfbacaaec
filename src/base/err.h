/* SPDX-License-Identifier: Apache-2.0
 *
 * Error codes and the error object that every fallible function fills.
 * A function that can fail returns 0 or a negative cl_code and takes a last
 * `struct cl_err *err`, never NULL, which it fills only when it fails.
 * Thread: an error belongs to whoever declared it.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

enum cl_code {
  CL_OK = 0,
  CL_EINVAL = -1, /* bad input: config, request, file */
  CL_ENOTFOUND = -2,
  CL_EEXIST = -3,
  CL_ECONFLICT = -4,
  CL_ENOMEM = -5,
  CL_EIO = -6,    /* the system refused: file, socket */
  CL_EAGAIN = -7, /* full or not ready: try again */
  CL_ETIMEOUT = -8,
  CL_ESTOPPED = -9, /* asked to stop */
  CL_EKAFKA = -10,
  CL_ELUA = -11,  /* a plugin threw */
  CL_EDATA = -12, /* a record cannot be converted */
  CL_EUNSUPPORTED = -13
};

struct cl_err {
  int code;
  bool retriable;     /* the same call may succeed later */
  bool fatal;         /* nothing but a new task helps */
  const char *class;  /* Apache's exception class (static text), or NULL for the default of code */
  const char *within; /* message of the ConnectException that Apache wraps it in (static text), or NULL */
  char msg[1024];     /* one sentence: where and what, no trailing newline; secrets are hidden in it */
  char trace[2048];   /* further lines ("\tat ..."), may be empty */
};

#define CL_ERR_INIT                                                                                          \
  { .code = CL_OK }

#define CL_JAVA_CONNECT "org.apache.kafka.connect.errors.ConnectException"
#define CL_JAVA_RETRIABLE "org.apache.kafka.connect.errors.RetriableException"
#define CL_JAVA_DATA "org.apache.kafka.connect.errors.DataException"
#define CL_JAVA_CONFIG "org.apache.kafka.common.config.ConfigException"
#define CL_JAVA_TOO_LARGE "org.apache.kafka.common.errors.RecordTooLargeException"
#define CL_JAVA_ILLEGAL_ARGUMENT "java.lang.IllegalArgumentException"
#define CL_JAVA_INDEX_BOUNDS "java.lang.IndexOutOfBoundsException"
#define CL_JAVA_NUMBER_FORMAT "java.lang.NumberFormatException"

/* The static text equal to name of an exception class that connect-lua reports, or NULL. */
const char *cl_err_class(const char *name);

/* Fills err and returns code, so that `return cl_err_set(err, CL_EIO, ...)` works.
 * Clears retriable, fatal, class, within and trace. */
int cl_err_set(struct cl_err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int cl_err_vset(struct cl_err *err, int code, const char *fmt, va_list ap);

/* Text of data as messages show it: with \0 for a NUL, which would end them, and no more than there is
 * room for. Answers out. */
const char *cl_err_show(char *out, size_t size, const char *text, size_t len);
/* The same in room that lasts as long as the block it stands in. */
#define CL_SHOWN(text, len) cl_err_show((char[1024]){0}, 1024, text, len)

/* Puts text before the message: "reading a.conf: " + "no such file". Returns err->code. */
int cl_err_prefix(struct cl_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Apache's exception class of the error: its own, or that of its kind. Static text. */
const char *cl_err_java(const struct cl_err *err);

/* "class: msg\ntrace" as REST's `trace` shows it, as the cause of what it is within; malloc'd, owned by the
 * caller. */
char *cl_err_trace(const struct cl_err *err);

/* Prints what and where, then aborts: a bug of ours that must not go on. */
_Noreturn void cl_require_failed(const char *expr, const char *file, int line);
#define CL_REQUIRE(expr) ((expr) ? (void)0 : cl_require_failed(#expr, __FILE__, __LINE__))
