/* SPDX-License-Identifier: Apache-2.0
 *
 * What one worker process owns besides connectors: its configuration, the plugins found,
 * the control thread, the stores, the embedded broker, the consumers' byte budget.
 * Opened by main before anything else runs, immutable afterwards, closed last.
 */
#pragma once

#include "base/err.h"
#include "kafka/budget.h"
#include "kafka/embedded.h"
#include "store/connectors.h"
#include "store/offsets.h"
#include "vm/control.h"
#include "vm/plugin.h"
#include "worker/cluster.h"
#include "worker/config.h"

/* Clients decide by this level of Connect's API what they may ask for. */
#define CL_CONNECT_API "4.2.0"

struct cl_worker {
  struct cl_worker_conf *conf;
  char *home; /* folder holding lua/ and connectors/ */
  struct cl_control *control;
  struct cl_plugins *plugins;
  struct cl_offsets *offsets;
  struct cl_connectors *connectors; /* remembered; the herder's from its start */
  struct cl_embedded *embedded;     /* or NULL */
  struct cl_budget *budget;
  struct cl_cluster *cluster;
};

/* Takes conf. @thread main */
int cl_worker_open(struct cl_worker_conf *conf, const char *home, struct cl_worker **out, struct cl_err *err);
/* After the herder and the listener are gone. */
void cl_worker_close(struct cl_worker *w);
