/* SPDX-License-Identifier: Apache-2.0
 * `connect-lua try` for machines: a line in, a line out, nothing kept between two. */
#include "cli/cli.h"
#include "cli/try.h"

#include "worker/chain.h"
#include "worker/validate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------- setup */

/* What a connector's config would have beside: no key of it matters here. */
static json_t *with_implied(const json_t *config, bool source) {
  json_t *out = json_copy((json_t *)config);
  json_object_set_new(out, "name", json_string("try"));
  json_object_set_new(out, "connector.class", json_string("try"));
  if (!source && !json_object_get(out, "topics") && !json_object_get(out, "topics.regex"))
    json_object_set_new(out, "topics", json_string("try"));
  return out;
}

/* The framework's keys, transforms and predicates: no connector is asked. */
static int validate(const struct cl_try_setup *s, struct cl_err *err) {
  static const struct cl_conf_def none = {0};
  json_t *config = with_implied(s->config, s->source), *verbs = json_object();
  struct cl_plugin connector = {.kind = s->source ? CL_PLUGIN_SOURCE : CL_PLUGIN_SINK,
                                .class = (char *)"try",
                                .version = (char *)"undefined",
                                .verbs = verbs,
                                .def = (struct cl_conf_def *)&none};
  int rc = cl_validate_construct(s->worker, &connector, config, err);
  json_decref(verbs);
  json_decref(config);
  return rc;
}

struct parts {
  json_t *typed[6];
  size_t n;
};

static int converters(const struct cl_try_setup *s, const json_t *config, struct parts *p,
                      struct cl_vm_part *const out[3], struct cl_err *err) {
  static const char *const roles[] = {"key", "value", "header"};
  for (size_t i = 0; config && i < 3; i++) {
    struct cl_plugin *plugin = NULL;
    json_t *typed = NULL;
    if (cl_worker_converter(s->worker->conf, s->worker->plugins, config, roles[i], &plugin, &typed, err) != 0)
      return err->code;
    p->typed[p->n++] = typed;
    *out[i] = (struct cl_vm_part){plugin, typed};
  }
  return 0;
}

int cl_try_setup(const struct cl_try_setup *s, struct cl_try **out, struct cl_err *err) {
  struct cl_chain *chain = NULL;
  struct parts p = {0};
  struct cl_try_conf conf = {.home = s->worker->home,
                             .memory_max = s->worker->conf->memory_max,
                             .rights = {s->worker->conf->grants, s->config},
                             .source = s->source,
                             .steps = s->steps};
  struct cl_vm_part *const in[] = {&conf.in_key, &conf.in_value, &conf.in_header}, *const to[] = {
                                                                                       &conf.out_key,
                                                                                       &conf.out_value,
                                                                                       &conf.out_header};
  *out = NULL;
  int rc = validate(s, err);
  if (rc == 0)
    rc = converters(s, s->input ? s->input : s->config, &p, in, err);
  if (rc == 0)
    rc = converters(s, s->output, &p, to, err);
  if (rc == 0)
    rc = cl_chain_resolve(s->worker->plugins, s->config, &chain, err);
  if (rc == 0) {
    conf.transforms = chain;
    rc = cl_try_open(&conf, out, err);
  }
  cl_chain_unref(chain);
  for (size_t i = 0; i < p.n; i++)
    json_decref(p.typed[i]);
  return rc;
}

/* ----------------------------------------------------------------------- answers */

json_t *cl_try_config_error(const struct cl_err *err) {
  return json_pack("{s:{s:s,s:o}}", "configError", "class", cl_err_java(err), "message",
                   cl_json_lenient(err->msg));
}

int cl_try_answer(const struct cl_try_setup *setup, const json_t *records, json_t **out, struct cl_err *err) {
  struct cl_try *t = NULL;
  json_t *list = json_array(), *record, *answer;
  size_t i;
  int rc = 0;
  *out = NULL;
  if (cl_try_setup(setup, &t, err) != 0) {
    *out = cl_try_config_error(err);
    json_decref(list);
    return 0;
  }
  json_array_foreach ((json_t *)records, i, record) {
    char *steps = NULL;
    rc = cl_try_run(t, record, &answer, &steps, err);
    free(steps);
    if (rc != 0)
      break;
    json_array_append_new(list, answer);
  }
  cl_try_close(t);
  if (rc == 0)
    *out = json_pack("{s:O}", "expect", list);
  json_decref(list);
  return rc;
}

void cl_try_print(const json_t *json) {
  char *text = json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII);
  puts(text ? text : "{\"error\":\"no memory\"}");
  fflush(stdout);
  free(text);
}

/* The keys of a config that begin with "out.", without it. */
static json_t *output_config(const json_t *config) {
  json_t *out = json_object(), *value;
  const char *key;
  json_object_foreach ((json_t *)config, key, value) {
    if (strncmp(key, "out.", 4) == 0)
      json_object_set(out, key + 4, value);
  }
  return out;
}

static int answer_request(const struct cl_worker *w, const json_t *request, json_t **out,
                          struct cl_err *err) {
  const char *direction = cl_json_str(request, "direction");
  const json_t *records = json_object_get(request, "records");
  json_t *config = NULL;
  bool source = direction && strcmp(direction, "source") == 0;
  if (!source && !(direction && strcmp(direction, "sink") == 0))
    return cl_err_set(err, CL_EINVAL, "\"direction\" must be \"sink\" or \"source\"");
  if (!json_is_array(records))
    return cl_err_set(err, CL_EINVAL, "\"records\" must be a list");
  if (!json_is_object(json_object_get(request, "config")))
    return cl_err_set(err, CL_EINVAL, "\"config\" must be an object");
  if (cl_json_to_config(json_object_get(request, "config"), &config, err) != 0)
    return err->code;
  json_t *output = output_config(config);
  struct cl_try_setup setup = {.worker = w, .source = source, .config = config, .output = output};
  int rc = cl_try_answer(&setup, records, out, err);
  json_decref(output);
  json_decref(config);
  return rc;
}

static void answer_line(const struct cl_worker *w, const char *line, size_t len) {
  struct cl_err err = CL_ERR_INIT;
  json_error_t why = {.text = ""};
  json_t *request = json_loadb(line, len, JSON_ALLOW_NUL, &why), *out = NULL;
  if (!request)
    cl_err_set(&err, CL_EINVAL, "the line is no JSON object: %s", why.text);
  if (!request || answer_request(w, request, &out, &err) != 0)
    out = json_pack("{s:o}", "error", cl_json_lenient(err.msg));
  cl_try_print(out);
  json_decref(out);
  json_decref(request);
}

int cl_try_protocol(const struct cl_worker *worker) {
  char *line = NULL;
  size_t cap = 0;
  ssize_t n;
  while ((n = getline(&line, &cap, stdin)) > 0)
    answer_line(worker, line, (size_t)n);
  free(line);
  return CL_EXIT_OK;
}
