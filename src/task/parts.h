/* SPDX-License-Identifier: Apache-2.0
 * What a task runs: its connector, converters and chain, each one generation of a plugin with its
 * configuration. Any thread, no state. */
#pragma once

#include "connect_lua/abi_c.h"

#include "base/json.h"
#include "vm/chain.h"

struct cl_task_part {
  struct cl_plugin *plugin;
  json_t *config; /* typed */
};

struct cl_task_parts {
  struct cl_task_part plugin, key, value;
  struct cl_task_part header;  /* plugin NULL = headers stay bytes */
  struct cl_chain *transforms; /* or NULL */
};

/* References of its own; the chain is shared. */
struct cl_task_parts cl_task_parts_copy(const struct cl_task_parts *p);
/* The same with a chain of its own, which may be changed. False = no memory. */
bool cl_task_parts_own(const struct cl_task_parts *p, struct cl_task_parts *out);
void cl_task_parts_clear(struct cl_task_parts *p);

/* The places where a plugin is, one after another, CL_SLOT_CONNECTOR first; *plugin is NULL where there is
 * none. */
struct cl_task_slot {
  struct cl_plugin **plugin;
  json_t **config;
};
size_t cl_task_parts_slots(const struct cl_task_parts *p);
struct cl_task_slot cl_task_parts_slot(const struct cl_task_parts *p, size_t i);
/* What people call it: "connector", "value.converter", "transforms.x", "predicates.y". Answers out. */
const char *cl_task_parts_role(const struct cl_task_parts *p, size_t i, char *out, size_t size);
/* Puts another plugin and config there, of which it takes references. p's chain is its own. */
void cl_task_slot_set(struct cl_task_slot slot, struct cl_plugin *plugin, json_t *config);
