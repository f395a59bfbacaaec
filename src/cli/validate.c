/* SPDX-License-Identifier: Apache-2.0
 * `connect-lua validate FILE ...`: the checks of POST /connectors without a worker. */
#include "cli/cli.h"
#include "cli/light_worker.h"

#include "base/loggers.h"
#include "worker/admit.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static bool check_file(const struct cl_worker *w, const char *path, bool as_json, json_t *results) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_reply reply = {0};
  struct cl_admitted admitted = {0};
  enum cl_state target;
  char *name = NULL, *trimmed = NULL, *state = NULL;
  json_t *config = NULL;
  const char *message = NULL;
  if (cl_cli_connector_file(path, &name, &config, &state, &err) != 0)
    message = err.msg;
  else if (cl_admit_target(state, &target, &reply) != 0 ||
           cl_admit_name(name, config, &trimmed, &reply) != 0 ||
           cl_admit_config(w, trimmed, config, &admitted, &reply) != 0)
    message = cl_json_str(reply.body, "message");
  json_array_append_new(
      results, json_pack("{s:s,s:b,s:s?}", "file", path, "valid", message == NULL, "message", message));
  if (!as_json)
    printf("%s: %s\n", path, message ? message : "valid");
  bool valid = message == NULL;
  cl_admitted_clear(&admitted);
  cl_reply_clear(&reply);
  json_decref(config);
  free(trimmed);
  free(state);
  free(name);
  return valid;
}

int cl_cli_validate(int argc, char **argv) {
  static const struct option options[] = {
      {"worker", required_argument, NULL, 'w'}, {"json", no_argument, NULL, 'j'}, {0}};
  const char *worker_file = NULL;
  bool as_json = false, all_valid = true;
  int opt;
  while ((opt = getopt_long(argc, argv, "w:", options, NULL)) != -1) {
    if (opt == 'j')
      as_json = true;
    else if (opt != 'w' || !cl_cli_worker_file(&worker_file, optarg))
      return CL_EXIT_USAGE;
  }
  if (!worker_file || optind == argc) {
    cl_cli_complain("usage: connect-lua validate --worker FILE [--json] CONNECTOR_FILE ...");
    return CL_EXIT_USAGE;
  }
  struct cl_err err = CL_ERR_INIT;
  struct cl_worker w = {0};
  cl_loggers_start(CL_ERROR);
  int rc = cl_light_worker_open(&w, worker_file, &err);
  json_t *results = json_array();
  for (int i = optind; rc == 0 && i < argc; i++)
    all_valid &= check_file(&w, argv[i], as_json, results);
  if (rc == 0 && as_json) {
    char *text = json_dumps(results, JSON_INDENT(2));
    puts(text ? text : "[]");
    free(text);
  }
  json_decref(results);
  cl_light_worker_close(&w);
  if (rc != 0)
    cl_cli_complain("%s", err.msg);
  return rc != 0 ? CL_EXIT_START : all_valid ? CL_EXIT_OK : CL_EXIT_CONNECTOR;
}
