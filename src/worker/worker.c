/* SPDX-License-Identifier: Apache-2.0
 * Opening and closing what the worker owns. May include floors 5-0. */
#define CL_COMPONENT "worker"
#include "worker/worker.h"

#include "base/log.h"

#include <stdlib.h>
#include <string.h>

static void log_plugins(const struct cl_plugins *plugins) {
  size_t n, accepted = 0;
  const struct cl_plugin_file *files = cl_plugins_files(plugins, &n);
  for (size_t i = 0; i < n; i++) {
    if (files[i].plugin)
      accepted++;
    else
      CL_LOG(CL_WARN, "plugin %s is not used: %s", files[i].path, files[i].reason);
  }
  CL_LOG(CL_INFO, "%zu plugins found; `connect-lua plugins` lists them", accepted);
}

static int watch_cluster(struct cl_worker *w, struct cl_err *err) {
  json_t *client = NULL;
  if (cl_worker_client_conf(w->conf, CL_CLIENT_ADMIN, NULL, 0, NULL, &client, err) != 0)
    return err->code;
  if (w->embedded)
    json_object_set_new(client, "bootstrap.servers", json_string(cl_embedded_bootstrap(w->embedded)));
  int rc = cl_cluster_watch(client, &w->cluster, err);
  json_decref(client);
  return rc;
}

/* A worker whose own converters cannot be used would fail every connector that relies on them. */
static int check_converters(const struct cl_worker *w, struct cl_err *err) {
  static const char *const roles[] = {"key", "value", "header"};
  for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++) {
    struct cl_plugin *plugin;
    json_t *typed = NULL;
    int rc = cl_worker_converter(w->conf, w->plugins, NULL, roles[i], &plugin, &typed, err);
    json_decref(typed);
    if (rc != 0)
      return cl_err_prefix(err, "%s: ", w->conf->path);
  }
  return 0;
}

static int open_parts(struct cl_worker *w, struct cl_err *err) {
  struct cl_worker_conf *conf = w->conf;
  struct cl_control_conf control = {.home = w->home, .grants = conf->grants};
  if (cl_control_start(&control, &w->control, err) != 0 ||
      cl_plugins_scan(w->control, w->home, conf->plugin_path, &w->plugins, err) != 0)
    return err->code;
  log_plugins(w->plugins);
  if (check_converters(w, err) != 0)
    return err->code;
  if (conf->embedded && cl_embedded_start(&w->embedded, err) != 0)
    return err->code;
  /* The embedded broker's topics die with the process, so their offsets must too. */
  if (cl_offsets_open(conf->embedded ? NULL : conf->offset_file, &w->offsets, err) != 0)
    return err->code;
  if (cl_connectors_open(conf->connectors_file, &w->connectors, err) != 0)
    return err->code;
  w->budget = cl_budget_new(conf->consumer_buffer_bytes);
  if (!w->budget)
    return cl_err_set(err, CL_ENOMEM, "no memory for the worker");
  return watch_cluster(w, err);
}

int cl_worker_open(struct cl_worker_conf *conf, const char *home, struct cl_worker **out,
                   struct cl_err *err) {
  struct cl_worker *w = calloc(1, sizeof(*w));
  if (!w) {
    cl_worker_conf_free(conf);
    return cl_err_set(err, CL_ENOMEM, "no memory for the worker");
  }
  w->conf = conf;
  w->home = strdup(home);
  if (open_parts(w, err) != 0) {
    cl_worker_close(w);
    return err->code;
  }
  if (w->embedded)
    CL_LOG(CL_WARN,
           "EMBEDDED BROKER on %s: records, topics and offsets live in memory and are gone when this process "
           "ends. "
           "Look in with: kcat -b %s -L",
           cl_embedded_bootstrap(w->embedded), cl_embedded_bootstrap(w->embedded));
  *out = w;
  return 0;
}

void cl_worker_close(struct cl_worker *w) {
  if (!w)
    return;
  cl_cluster_free(w->cluster);
  if (w->plugins)
    cl_plugins_unref(w->plugins);
  if (w->control)
    cl_control_stop(w->control);
  if (w->offsets)
    cl_offsets_close(w->offsets);
  cl_connectors_close(w->connectors);
  cl_embedded_stop(w->embedded);
  if (w->budget)
    cl_budget_free(w->budget);
  cl_worker_conf_free(w->conf);
  free(w->home);
  free(w);
}
