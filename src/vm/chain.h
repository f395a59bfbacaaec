/* SPDX-License-Identifier: Apache-2.0
 *
 * A connector's chain of transforms as its tasks' Lua states get it: worker/chain.c makes it
 * from the config.
 * Immutable once made, and reference counted: each task of the connector holds a reference.
 * Thread: any.
 */
#pragma once

#include "vm/plugin.h"

struct cl_chain_stage {
  char *alias;
  struct cl_plugin *transform; /* a reference */
  json_t *config;              /* typed by its rows */
  char *predicate_alias;       /* NULL = always applied, and the two below are NULL too */
  struct cl_plugin *predicate;
  json_t *predicate_config;
  bool negate;
};

struct cl_chain {
  struct cl_chain_stage *v;
  size_t n;
  int refs;
};

/* Room for n stages, all empty; one reference. NULL = no memory. */
struct cl_chain *cl_chain_new(size_t n);
/* The same stages once more, to be changed before it is used; one reference. NULL = no memory. */
struct cl_chain *cl_chain_copy(const struct cl_chain *from);
void cl_chain_ref(struct cl_chain *s); /* NULL is allowed */
void cl_chain_unref(struct cl_chain *s);
