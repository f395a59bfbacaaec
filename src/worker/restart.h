/* SPDX-License-Identifier: Apache-2.0
 *
 * connect.lua.restart.*: failed connectors and tasks that are started again by themselves, with
 * growing pauses. Without those keys nothing is, as in Apache.
 */
#pragma once

#include "base/json.h"

#include <stdbool.h>
#include <stdint.h>

struct cl_restart_policy {
  int64_t max_attempts; /* 0 = never, -1 = without end */
  int64_t backoff_ms, backoff_max_ms;
  int64_t reset_ms; /* one that ran so long counts from the start again */
};

struct cl_restart { /* of one task or connector; zeroed = it has not failed */
  int64_t attempts;
  int64_t failed; /* monotonic: when it did last */
  int64_t due;    /* monotonic: when it is started again; 0 = not, -1 = given up */
};

/* Of a connector's validated config. Any thread. */
void cl_restart_policy_of(const json_t *config, struct cl_restart_policy *out);

/* It has failed: sets due. ran_since: monotonic, 0 = it never ran. @locks the herder's */
void cl_restart_failed(struct cl_restart *r, const struct cl_restart_policy *policy, int64_t ran_since);

struct cl_herder;
/* Milliseconds until something is due, -1 = nothing is; and what is due now, started. @thread herder */
int64_t cl_restart_wait(struct cl_herder *h);
void cl_restart_run(struct cl_herder *h);
