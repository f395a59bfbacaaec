/* SPDX-License-Identifier: Apache-2.0
 *
 * Records of a source that Kafka, or its client, has refused, which is tolerated: from the delivery report,
 * which is no place to wait or to fail, until each of them is reported.
 * Owner and thread: the task.
 */
#pragma once

#include "task/policy.h"

struct cl_refused;

struct cl_source_refused { /* zeroed = none */
  struct cl_refused *v;
  size_t n, cap;
};

/* rec stays in the queue of acknowledgements, which keeps it. code, text: as in the delivery report. False:
 * no memory, it is to fail the task. */
bool cl_source_refused_add(struct cl_source_refused *q, struct cl_record *rec, int code, const char *text);

/* Reports them as long as there is room among the letters, and calls reported (NULL = nobody cares) for each
 * that is. Without a letter it counts as acknowledged from then on. No Lua runs in here: the plugin would
 * come back with more of them. */
int cl_source_refused_report(struct cl_source_refused *q, struct cl_policy *policy, struct cl_ack *ack,
                             void (*reported)(void *arg, struct cl_record *rec), void *arg,
                             struct cl_err *err);
