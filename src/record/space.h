/* SPDX-License-Identifier: Apache-2.0
 *
 * What one task's records share: the symbols of object keys and the interned schemas.
 * Permanent symbols are few (a ceiling keeps keys that are data out); the rest live in a
 * per-batch table that dies with the batch.
 * Owner: the task. Thread: the task's.
 */
#pragma once

#include "connect_lua/abi_c.h"

#include "base/arena.h"
#include "base/err.h"

struct cl_space *cl_space_new(struct cl_arena_budget *budget); /* NULL = no memory */
void cl_space_free(struct cl_space *s);

/* Symbol of a key; 0 = no memory. Inside a batch beyond the permanent ceiling the
 * symbol is valid for that batch only. */
uint32_t cl_space_sym(struct cl_space *s, const char *p, uint32_t len);
struct cl_str cl_space_sym_text(const struct cl_space *s, uint32_t sym);
/* Called by the batch when it is reset and no other batch of the space is alive. */
void cl_space_forget_batch_syms(struct cl_space *s);

/* The interned twin of a schema built anywhere (its parts already interned); NULL = no
 * memory. Copies what it keeps. */
const struct cl_schema *cl_space_intern(struct cl_space *s, const struct cl_schema *schema);
/* Schemas used everywhere: required or optional primitives without a name. */
const struct cl_schema *cl_space_primitive(struct cl_space *s, enum cl_type type, bool optional);
