/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the keys of a large object are, so that building one takes no square of its size. Small objects have
 * none: comparing their symbols is faster. It covers the first entries, those appended since are looked at
 * one by one; whoever moves or removes entries sets obj->index to NULL. Owner: the object's batch. Thread:
 * the task's.
 */
#pragma once

#include "connect_lua/abi_c.h"

#include "record/space.h"

enum { CL_OBJ_INDEX_STEP = 64 }; /* entries that may be appended before they are indexed */

struct cl_obj_index {
  uint32_t n;      /* entries covered */
  uint32_t mask;   /* slots - 1 */
  uint32_t slot[]; /* open addressing: 1 + the position */
};

/* Position of the entry with this key, or obj->n; the object has an index. */
uint32_t cl_obj_index_find(const struct cl_space *s, const struct cl_obj *obj, struct cl_str key);
uint32_t cl_obj_index_find_sym(const struct cl_space *s, const struct cl_obj *obj, uint32_t sym);
/* Covers all entries. Without memory the object goes without index. */
void cl_obj_index_cover(struct cl_batch *b, struct cl_obj *obj);
