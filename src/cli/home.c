/* SPDX-License-Identifier: Apache-2.0
 * Where the product's own Lua lies, and complaints to people. */
#include "cli/cli.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void cl_cli_complain(const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  fputs("connect-lua: ", stderr);
  vfprintf(stderr, fmt, ap);
  fputc('\n', stderr);
  va_end(ap);
}

bool cl_cli_worker_file(const char **file, const char *given) {
  if (*file) {
    cl_cli_complain("--worker is given twice, %s and %s: a worker has one file", *file, given);
    return false;
  }
  *file = given;
  return true;
}

static bool is_home(const char *dir) {
  char path[PATH_MAX];
  int n = snprintf(path, sizeof(path), "%s/lua/connect/host/init.lua", dir);
  return n > 0 && (size_t)n < sizeof(path) && access(path, R_OK) == 0;
}

char *cl_cli_home(struct cl_err *err) {
  const char *env = getenv("CONNECT_LUA_HOME");
  if (env && env[0]) {
    if (is_home(env))
      return strdup(env);
    cl_err_set(err, CL_ENOTFOUND,
               "CONNECT_LUA_HOME=%s holds no lua/connect; unset it or name the folder that does", env);
    return NULL;
  }
  char exe[PATH_MAX - 32], beside[PATH_MAX];
  ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
  exe[n > 0 ? n : 0] = '\0';
  char *slash = strrchr(exe, '/');
  if (slash)
    *slash = '\0';
  snprintf(beside, sizeof(beside), "%s/../share/connect-lua", exe);
  if (is_home(beside))
    return strdup(beside);
  if (is_home(CL_SOURCE_HOME))
    return strdup(CL_SOURCE_HOME);
  cl_err_set(err, CL_ENOTFOUND,
             "cannot find connect-lua's own Lua files (looked in %s and %s); set CONNECT_LUA_HOME to the "
             "folder that holds lua/ and connectors/",
             beside, CL_SOURCE_HOME);
  return NULL;
}
