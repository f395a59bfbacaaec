/* SPDX-License-Identifier: Apache-2.0
 * `connect-lua plugins`: every plugin file seen, accepted or rejected and why. */
#include "cli/cli.h"
#include "cli/light_worker.h"

#include "base/loggers.h"
#include "worker/plugin_info.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static void print_text(const struct cl_plugins *plugins) {
  size_t n, rejected = 0;
  const struct cl_plugin_file *files = cl_plugins_files(plugins, &n);
  for (size_t i = 0; i < n; i++) {
    const struct cl_plugin *p = files[i].plugin;
    if (p)
      printf("%-10s %-60s %-10s %s\n", cl_plugin_kind_name(p->kind), p->class, p->version, files[i].path);
    else
      rejected++;
  }
  if (rejected)
    printf("\nNot used:\n");
  for (size_t i = 0; i < n; i++) {
    if (!files[i].plugin)
      printf("  %s\n      %s\n", files[i].path, files[i].reason);
  }
}

static void print_json(const struct cl_plugins *plugins) {
  json_t *out = cl_plugin_info_files(plugins);
  char *text = json_dumps(out, JSON_INDENT(2));
  puts(text ? text : "[]");
  free(text);
  json_decref(out);
}

static int list(const char *worker_file, bool as_json, struct cl_err *err) {
  struct cl_worker w = {0};
  int rc = cl_light_worker_open(&w, worker_file, err);
  if (rc == 0 && as_json)
    print_json(w.plugins);
  else if (rc == 0)
    print_text(w.plugins);
  cl_light_worker_close(&w);
  return rc;
}

int cl_cli_plugins(int argc, char **argv) {
  static const struct option options[] = {
      {"worker", required_argument, NULL, 'w'}, {"json", no_argument, NULL, 'j'}, {0}};
  const char *worker_file = NULL;
  bool as_json = false;
  int opt;
  while ((opt = getopt_long(argc, argv, "w:", options, NULL)) != -1) {
    if (opt == 'j')
      as_json = true;
    else if (opt != 'w' || !cl_cli_worker_file(&worker_file, optarg))
      return CL_EXIT_USAGE;
  }
  struct cl_err err = CL_ERR_INIT;
  cl_loggers_start(CL_ERROR);
  if (list(worker_file, as_json, &err) == 0)
    return CL_EXIT_OK;
  cl_cli_complain("%s", err.msg);
  return CL_EXIT_START;
}
