/* SPDX-License-Identifier: Apache-2.0
 * `connect-lua validate FILE ...`: the checks of POST /connectors without a worker, and with --check
 * the plugin's own `check`, which may dial out. */
#include "cli/cli.h"
#include "cli/light_worker.h"

#include "base/buf.h"
#include "base/loggers.h"
#include "vm/control.h"
#include "worker/admit.h"
#include "worker/providers.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

struct validating {
  const struct cl_worker *worker;
  bool as_json, check;
  json_t *results;
};

/* What `check` answered: nothing, or errors by key as `validate` gives them. */
static int tell_errors(const json_t *answer, struct cl_err *err) {
  const char *key;
  json_t *texts, *text;
  size_t i;
  struct cl_buf all = {0};
  json_object_foreach ((json_t *)answer, key, texts) {
    if (json_is_string(texts))
      cl_buf_fmt(&all, "%s%s: %s", all.len ? "; " : "", key, json_string_value(texts));
    json_array_foreach (texts, i, text)
      cl_buf_fmt(&all, "%s%s: %s", all.len ? "; " : "", key, json_string_value(text));
  }
  int rc = all.len ? cl_err_set(err, CL_EINVAL, "%s", all.p) : 0;
  cl_buf_free(&all);
  return rc;
}

static int run_check(const struct cl_worker *w, const struct cl_admitted *a, struct cl_err *err) {
  json_t *resolved = NULL, *typed = NULL, *answer = NULL;
  if (!json_object_get(a->plugin->verbs, "check"))
    return 0;
  int rc = cl_providers_resolve(w->conf->providers, a->config, &resolved, err);
  if (rc == 0)
    rc = cl_conf_parse(a->plugin->def, resolved, &typed, err);
  json_t *args = json_pack("[O?]", typed);
  if (rc == 0)
    rc = args ? cl_control_call(w->control, a->plugin, "check", args, &answer, err)
              : cl_err_set(err, CL_ENOMEM, "no memory to check a connector");
  if (rc == 0)
    rc = tell_errors(answer, err);
  json_decref(args);
  json_decref(answer);
  json_decref(typed);
  json_decref(resolved);
  return rc;
}

static bool check_file(const struct validating *v, const char *path) {
  const struct cl_worker *w = v->worker;
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
  else if (v->check && run_check(w, &admitted, &err) != 0)
    message = err.msg;
  json_array_append_new(
      v->results, json_pack("{s:s,s:b,s:s?}", "file", path, "valid", message == NULL, "message", message));
  if (!v->as_json)
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
  static const struct option options[] = {{"worker", required_argument, NULL, 'w'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"check", no_argument, NULL, 'c'},
                                          {0}};
  const char *worker_file = NULL;
  struct cl_worker w = {0};
  struct validating v = {.worker = &w};
  bool all_valid = true;
  int opt;
  while ((opt = getopt_long(argc, argv, "w:", options, NULL)) != -1) {
    if (opt == 'j')
      v.as_json = true;
    else if (opt == 'c')
      v.check = true;
    else if (opt != 'w' || !cl_cli_worker_file(&worker_file, optarg))
      return CL_EXIT_USAGE;
  }
  if (!worker_file || optind == argc) {
    cl_cli_complain("usage: connect-lua validate --worker FILE [--check] [--json] CONNECTOR_FILE ...");
    return CL_EXIT_USAGE;
  }
  struct cl_err err = CL_ERR_INIT;
  cl_loggers_start(CL_ERROR);
  int rc = cl_light_worker_open(&w, worker_file, &err);
  v.results = json_array();
  for (int i = optind; rc == 0 && i < argc; i++)
    all_valid &= check_file(&v, argv[i]);
  if (rc == 0 && v.as_json) {
    char *text = json_dumps(v.results, JSON_INDENT(2));
    puts(text ? text : "[]");
    free(text);
  }
  json_decref(v.results);
  cl_light_worker_close(&w);
  if (rc != 0)
    cl_cli_complain("%s", err.msg);
  return rc != 0 ? CL_EXIT_START : all_valid ? CL_EXIT_OK : CL_EXIT_CONNECTOR;
}
