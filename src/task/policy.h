/* SPDX-License-Identifier: Apache-2.0
 *
 * What becomes of a record that fails (Apache's errors.*): tried again, told in the log, written to
 * the dead letter queue, passed over or not. Lua runs the stages and leaves what failed in
 * batch.failures; sink.c and source.c bring it here.
 * Owner and thread: the task.
 */
#pragma once

#include "task/internal.h"
#include "task/letters.h"

#define CL_TOLERANCE_EXCEEDED "Tolerance exceeded in error handler"

struct cl_policy {
  struct cl_task *t;
  struct cl_letters *letters; /* or NULL */
  struct cl_json *json;       /* source: writes what was emitted; made when first needed */
};

/* Also looks the dead letter queue's topic up, or makes it. */
int cl_policy_open(struct cl_task *t, struct cl_policy *p, struct cl_err *err);
void cl_policy_close(struct cl_policy *p);

/* The pause after a failed attempt number `attempt` of what began at `since`, in ms; -1 = no more tries. */
int64_t cl_policy_delay(const struct cl_task_errors *e, uint32_t attempt, int64_t since, int64_t now,
                        uint64_t random);
/* Counts the failed attempt and waits with the task's own sleep. 1 = once more, 0 = enough, -1 = the task is
 * to stop. */
int cl_policy_retry(struct cl_policy *p, uint32_t attempt, int64_t since,
                    int (*sleep)(void *task, int64_t ms), void *task);

/* A record that is reported. */
struct cl_case {
  const struct cl_failure *failure;
  bool skipped;             /* passed over, rather than the end of the task or the plugin's own matter */
  struct cl_record *origin; /* source: its acknowledgement is that of the letter; NULL = it waits for none */
  const char *partition;    /* source: its source partition as JSON */
};

/* Counts, logs, writes the letter; waits for room among the letters, in a sink. Fails when the letter
 * cannot be sent, or with CL_ESTOPPED. */
int cl_policy_report(struct cl_policy *p, const struct cl_case *c, struct cl_err *err);
/* All that converting a sink's batch has left in its failures, which are forgotten. */
int cl_policy_report_batch(struct cl_policy *p, struct cl_batch *b, struct cl_err *err);
/* Serves acknowledgements of letters. Fails when one was not delivered. */
int cl_policy_poll(struct cl_policy *p, struct cl_err *err);

/* What poll emitted, as JSON: {"topic","partition","key","value","headers","timestamp","source_partition",
 * "source_offset"}. */
int cl_policy_emitted(struct cl_policy *p, struct cl_record *rec, const char *partition, struct cl_buf *out,
                      struct cl_err *err);
