/* SPDX-License-Identifier: Apache-2.0
 * References to what tasks run. Any thread. May include floors 4-0. */
#include "task/parts.h"

#include <stdio.h>

static struct cl_task_part copy_part(const struct cl_task_part *p) {
  if (p->plugin)
    cl_plugin_ref(p->plugin);
  return (struct cl_task_part){p->plugin, json_incref(p->config)};
}

struct cl_task_parts cl_task_parts_copy(const struct cl_task_parts *p) {
  cl_chain_ref(p->transforms);
  return (struct cl_task_parts){.plugin = copy_part(&p->plugin),
                                .key = copy_part(&p->key),
                                .value = copy_part(&p->value),
                                .header = copy_part(&p->header),
                                .transforms = p->transforms};
}

bool cl_task_parts_own(const struct cl_task_parts *p, struct cl_task_parts *out) {
  struct cl_chain *chain = p->transforms ? cl_chain_copy(p->transforms) : NULL;
  if (p->transforms && !chain)
    return false;
  *out = cl_task_parts_copy(p);
  cl_chain_unref(out->transforms);
  out->transforms = chain;
  return true;
}

static void clear_part(struct cl_task_part *p) {
  cl_plugin_unref(p->plugin);
  json_decref(p->config);
}

void cl_task_parts_clear(struct cl_task_parts *p) {
  clear_part(&p->plugin);
  clear_part(&p->key);
  clear_part(&p->value);
  clear_part(&p->header);
  cl_chain_unref(p->transforms);
  *p = (struct cl_task_parts){0};
}

size_t cl_task_parts_slots(const struct cl_task_parts *p) {
  return CL_SLOT_CHAIN + (p->transforms ? 2 * p->transforms->n : 0);
}

struct cl_task_slot cl_task_parts_slot(const struct cl_task_parts *p, size_t i) {
  struct cl_task_parts *own = (struct cl_task_parts *)p; /* who has none of its own does not set */
  struct cl_task_part *parts[] = {&own->plugin, &own->key, &own->value, &own->header};
  if (i < CL_SLOT_CHAIN)
    return (struct cl_task_slot){&parts[i]->plugin, &parts[i]->config};
  struct cl_chain_stage *stage = &p->transforms->v[(i - CL_SLOT_CHAIN) / 2];
  return (i - CL_SLOT_CHAIN) % 2 == 0 ? (struct cl_task_slot){&stage->transform, &stage->config}
                                      : (struct cl_task_slot){&stage->predicate, &stage->predicate_config};
}

const char *cl_task_parts_role(const struct cl_task_parts *p, size_t i, char *out, size_t size) {
  static const char *const names[] = {"connector", "key.converter", "value.converter", "header.converter"};
  if (i < CL_SLOT_CHAIN) {
    snprintf(out, size, "%s", names[i]);
    return out;
  }
  const struct cl_chain_stage *stage = &p->transforms->v[(i - CL_SLOT_CHAIN) / 2];
  bool predicate = (i - CL_SLOT_CHAIN) % 2;
  snprintf(out, size, "%s.%s", predicate ? "predicates" : "transforms",
           predicate ? stage->predicate_alias : stage->alias);
  return out;
}

void cl_task_slot_set(struct cl_task_slot slot, struct cl_plugin *plugin, json_t *config) {
  cl_plugin_ref(plugin);
  cl_plugin_unref(*slot.plugin);
  *slot.plugin = plugin;
  json_incref(config);
  json_decref(*slot.config);
  *slot.config = config;
}
