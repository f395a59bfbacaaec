/* SPDX-License-Identifier: Apache-2.0
 * What both kinds of task count alike, once per batch or commit. Thread: the task's. */
#include "task/internal.h"

#include "base/clock.h"

void cl_task_count_commit(struct cl_task *t, int64_t began_us, bool ok) {
  int64_t now = cl_now_us();
  if (ok) /* Apache's mean is of those that succeeded */
    cl_stats_meter(t->conf.stats, CL_METER_COMMIT, now - began_us, now / 1000);
  cl_stats_meter(t->conf.stats, CL_METER_COMMIT_OK, ok, now / 1000);
}

void cl_task_count_call(struct cl_task *t) {
  cl_stats_meter(t->conf.stats, CL_METER_CALL, cl_vm_plugin_us(t->vm), cl_now_ms());
}

void cl_task_count_active(struct cl_task *t, int64_t n) {
  cl_stats_set(t->conf.stats, CL_STAT_ACTIVE, n);
  cl_stats_meter(t->conf.stats, CL_METER_ACTIVE, n, cl_now_ms());
}

void cl_task_count_memory(struct cl_task *t) {
  cl_stats_set(t->conf.stats, CL_STAT_LUA_BYTES, (int64_t)cl_vm_memory(t->vm));
  cl_stats_set(t->conf.stats, CL_STAT_ARENA_BYTES, (int64_t)t->budget.used);
}
