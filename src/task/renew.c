/* SPDX-License-Identifier: Apache-2.0
 *
 * A task takes over the next generation of its plugins between two batches. The herder leaves what is to run;
 * one that comes before the task has looked takes its place, so that the newest counts and none comes back.
 * Thread: the task's, but for cl_task_renew. May include floors 4-0.
 */
#define CL_COMPONENT "task"
#include "task/internal.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdlib.h>

void cl_task_parts_free(struct cl_task_parts *p) {
  if (p)
    cl_task_parts_clear(p);
  free(p);
}

/* The task's next look is its own; it must not wait for long. */
bool cl_task_renew(struct cl_task *t, const struct cl_task_parts *parts) {
  struct cl_task_parts *next = malloc(sizeof(*next));
  if (!next)
    return false;
  *next = cl_task_parts_copy(parts);
  cl_task_parts_free(atomic_exchange_explicit(&t->next, next, memory_order_acq_rel));
  cl_task_wake(t);
  return true;
}

bool cl_task_renewal_take(struct cl_task *t, bool *connector) {
  struct cl_task_parts *next = atomic_exchange_explicit(&t->next, NULL, memory_order_acq_rel);
  if (next) {
    cl_task_parts_free(t->renewal);
    t->renewal = next;
  }
  *connector = t->renewal && t->renewal->plugin.plugin != t->conf.parts.plugin.plugin;
  return t->renewal != NULL;
}

static struct cl_vm_parts vm_parts(const struct cl_task_parts *p) {
  return (struct cl_vm_parts){.plugin = {p->plugin.plugin, p->plugin.config},
                              .key = {p->key.plugin, p->key.config},
                              .value = {p->value.plugin, p->value.config},
                              .header = {p->header.plugin, p->header.config},
                              .transforms = p->transforms};
}

/* The plugin that slot i has next, NULL = as now. What was refused once is not tried again. */
static struct cl_plugin *changed(const struct cl_task *t, size_t i) {
  struct cl_plugin *now = *cl_task_parts_slot(&t->conf.parts, i).plugin,
                   *next = *cl_task_parts_slot(t->renewal, i).plugin;
  bool refused = t->offered && next == *cl_task_parts_slot(t->offered, i).plugin;
  return next != now && !refused ? next : NULL;
}

static bool is_of(const struct cl_plugin *p, const struct cl_plugin *other) {
  return p && strcmp(p->file, other->file) == 0;
}

/* All of one file, or nothing: false. */
static bool renew_file(struct cl_task *t, const struct cl_plugin *plugin, struct cl_task_parts *now) {
  struct cl_vm_parts next = vm_parts(t->renewal);
  struct cl_err err = CL_ERR_INIT;
  if (cl_vm_reload(t->vm, &next, plugin->file, &err) != 0) {
    cl_stats_add(t->conf.stats, CL_STAT_RELOADS_REJECTED, 1);
    CL_LOG(CL_ERROR, "generation %llu of %s is not used here, what ran before goes on: %s%s%s",
           (unsigned long long)plugin->generation, plugin->file, err.msg, err.trace[0] ? "\n" : "",
           err.trace);
    if (t->conf.renewed && !atomic_load(&t->abandoned))
      t->conf.renewed(t->conf.arg, t->conf.id, t->conf.generation, NULL, plugin, &err);
    return false;
  }
  for (size_t i = 0; i < cl_task_parts_slots(t->renewal); i++) {
    struct cl_task_slot slot = cl_task_parts_slot(t->renewal, i);
    if (is_of(*slot.plugin, plugin))
      cl_task_slot_set(cl_task_parts_slot(now, i), *slot.plugin, *slot.config);
  }
  CL_LOG(CL_INFO, "runs generation %llu of %s", (unsigned long long)plugin->generation, plugin->file);
  return true;
}

static bool is_first(const struct cl_task *t, size_t at, const struct cl_plugin *plugin) {
  for (size_t i = 0; i < at; i++) {
    if (is_of(changed(t, i), plugin))
      return false;
  }
  return true;
}

void cl_task_renew_now(struct cl_task *t) {
  struct cl_task_parts now;
  int64_t began = cl_now_us(), taken = 0;
  if (!cl_task_parts_own(&t->conf.parts, &now)) {
    CL_LOG(CL_ERROR, "no memory to take over plugins that have changed");
    return; /* once more before the next batch */
  }
  for (size_t i = 0; i < cl_task_parts_slots(t->renewal); i++) {
    const struct cl_plugin *plugin = changed(t, i);
    if (plugin && is_first(t, i, plugin))
      taken += renew_file(t, plugin, &now);
  }
  cl_task_parts_clear(&t->conf.parts);
  t->conf.parts = now;
  cl_task_parts_free(t->offered);
  t->offered = t->renewal;
  t->renewal = NULL;
  int64_t took = cl_now_us() - began;
  if (taken)
    cl_stats_meter(t->conf.stats, CL_METER_RELOAD, took, cl_now_ms());
  cl_stats_set(t->conf.stats, CL_STAT_RELOAD_US, took);
  cl_task_count_memory(t);
  if (t->conf.renewed && !atomic_load(&t->abandoned))
    t->conf.renewed(t->conf.arg, t->conf.id, t->conf.generation, &t->conf.parts, NULL, NULL);
}
