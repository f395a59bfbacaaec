/* SPDX-License-Identifier: Apache-2.0
 *
 * A worker for tests of src/worker: a worker file and a plugin folder in a temporary folder,
 * the tree's own plugins, the embedded broker when it is opened whole.
 */
#pragma once

#include "connect_lua/abi_c.h"

#include "base/loggers.h"
#include "worker/herder.h"
#include "worker/worker.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Lua finds these by name in the program: the linker has to take them along. */
extern const void *const worker_rig_keeps[];
const void *const worker_rig_keeps[] = {(const void *)cl_ffi_emit};

struct rig {
  char folder[64];
  struct cl_worker *worker;
  struct cl_herder *herder;
};

static inline void rig_write(const struct rig *r, const char *name, const char *text) {
  char path[256];
  snprintf(path, sizeof path, "%s/%s", r->folder, name);
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  fputs(text, f);
  fclose(f);
}

/* plugins: file name, text, ..., NULL. extra: lines of the worker file. */
static inline struct rig *rig_open(const char *extra, ...) {
  struct rig *r = calloc(1, sizeof *r);
  struct cl_err err = CL_ERR_INIT;
  struct cl_worker_conf *conf = NULL;
  char text[2048], path[256];
  cl_loggers_start(CL_OFF);
  strcpy(r->folder, "/tmp/cl_worker_XXXXXX");
  assert_non_null(mkdtemp(r->folder));
  va_list ap;
  va_start(ap, extra);
  for (const char *name; (name = va_arg(ap, const char *));)
    rig_write(r, name, va_arg(ap, const char *));
  va_end(ap);
  snprintf(text, sizeof text,
           "bootstrap.servers=embedded\nkey.converter=org.apache.kafka.connect.json.JsonConverter\n"
           "value.converter=org.apache.kafka.connect.storage.StringConverter\nplugin.path=%s\n%s",
           r->folder, extra);
  rig_write(r, "worker.conf", text);
  snprintf(path, sizeof path, "%s/worker.conf", r->folder);
  if (cl_worker_conf_load(path, &conf, &err) != 0 ||
      cl_worker_open(conf, CL_SOURCE_DIR, &r->worker, &err) != 0)
    fail_msg("%s", err.msg);
  return r;
}

static inline void rig_start(struct rig *r) {
  struct cl_err err = CL_ERR_INIT;
  assert_int_equal(cl_herder_start(r->worker, &r->herder, &err), 0);
  cl_herder_announce(r->herder, strdup("here:1"));
}

/* With the files in it. */
static inline void rig_remove_folder(const struct rig *r) {
  DIR *dir = opendir(r->folder);
  assert_non_null(dir);
  for (const struct dirent *e; (e = readdir(dir));)
    unlinkat(dirfd(dir), e->d_name, 0);
  closedir(dir);
  rmdir(r->folder);
}

static inline void rig_close(struct rig *r) {
  if (r->herder)
    cl_herder_stop(r->herder);
  cl_worker_close(r->worker);
  rig_remove_folder(r);
  free(r);
}

/* Tests that leave a thread behind which never ends: in a process of their own, that ends by _exit.
 * Answers 0, or 1 when one has failed. */
static inline int rig_run_apart(const struct CMUnitTest *tests, size_t n, CMFixtureFunction setup,
                                struct rig **rig) {
  int status = -1;
  pid_t pid = fork();
  if (pid == 0) {
    alarm(60);
    int failed = _cmocka_run_group_tests("apart", tests, n, setup, NULL);
    cl_cluster_free((*rig)->worker->cluster); /* a thread that has ended is joined, or counts as leaked */
    rig_remove_folder(*rig);
    fflush(NULL);
    _exit(failed != 0);
  }
  waitpid(pid, &status, 0);
  return status != 0;
}

/* Runs a command to its end; takes config. */
static inline struct cl_reply rig_run(struct rig *r, enum cl_command_kind kind, const char *name,
                                      json_t *config) {
  struct cl_command *cmd = calloc(1, sizeof *cmd);
  struct cl_reply reply = {0};
  cmd->kind = kind;
  cmd->name = strdup(name);
  cmd->config = config;
  cl_herder_call(r->herder, cmd, &reply);
  return reply;
}

static inline struct cl_reply rig_ask(struct rig *r, struct cl_query q) {
  struct cl_reply reply = {0};
  cl_herder_query(r->herder, &q, &reply);
  return reply;
}

/* {"key":"value",...} from key, value, ..., NULL; a NULL value is JSON null. */
static inline json_t *config_of(const char *key, ...) {
  json_t *out = json_object();
  va_list ap;
  va_start(ap, key);
  for (; key; key = va_arg(ap, const char *)) {
    const char *value = va_arg(ap, const char *);
    json_object_set_new(out, key, value ? json_string(value) : json_null());
  }
  va_end(ap);
  return out;
}
