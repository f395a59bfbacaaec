/* SPDX-License-Identifier: Apache-2.0
 * A worker that runs nothing. Thread: main. May include all floors. */
#include "cli/light_worker.h"

#include "cli/cli.h"

#include <stdlib.h>

int cl_light_worker_open(struct cl_worker *w, const char *file, struct cl_err *err) {
  w->home = cl_cli_home(err);
  if (!w->home)
    return err->code;
  if (file && cl_worker_conf_load(file, &w->conf, err) != 0)
    return err->code;
  if (!file && !(w->conf = cl_worker_conf_plain()))
    return cl_err_set(err, CL_ENOMEM, "no memory");
  struct cl_control_conf control = {.home = w->home, .grants = w->conf->grants};
  if (cl_control_start(&control, &w->control, err) != 0)
    return err->code;
  return cl_plugins_scan(w->control, w->home, w->conf->plugin_path, &w->plugins, err);
}

void cl_light_worker_close(struct cl_worker *w) {
  if (w->plugins)
    cl_plugins_unref(w->plugins);
  if (w->control)
    cl_control_stop(w->control);
  if (w->conf)
    cl_worker_conf_free(w->conf);
  free(w->home);
}
