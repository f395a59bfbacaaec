/* SPDX-License-Identifier: Apache-2.0
 *
 * A batch: up to cap records, the arena their values live in, and the foreign messages
 * their bytes are borrowed from. Reference counted: the task holds one reference while
 * it works on the batch, a plugin's batch:retain() one more, and each record that waits
 * for a delivery report one. The last release resets the batch and gives it back to its pool.
 * Owner: the pool. Thread: the task's.
 */
#pragma once

#include "connect_lua/abi_c.h"

#include "base/arena.h"
#include "base/err.h"

struct cl_batch_pool;

/* All batches of a pool share space and budget. cap = records per batch. */
struct cl_batch_pool *cl_batch_pool_new(struct cl_space *space, struct cl_arena_budget *budget, uint32_t cap);
/* Frees all batches, those still referenced (a plugin retained them) included: nobody may look
 * at one any more. A stuck task's pool is never freed. NULL is allowed. */
void cl_batch_pool_free(struct cl_batch_pool *pool);
uint32_t
cl_batch_pool_live(const struct cl_batch_pool *pool); /* batches handed out: what tests find left over */

/* An empty batch with one reference; NULL = no memory. */
struct cl_batch *cl_batch_get(struct cl_batch_pool *pool);
void cl_batch_ref(struct cl_batch *b);
void cl_batch_unref(struct cl_batch *b);

/* Next record, zeroed (partition -1, no timestamp); NULL when cap is reached. */
struct cl_record *cl_batch_add(struct cl_batch *b);
/* Takes the record added last away again. */
void cl_batch_drop_last(struct cl_batch *b);

/* Keeps a foreign message until the batch is reset, when release(message) is called. */
int cl_batch_hold(struct cl_batch *b, void *message, void (*release)(void *message));
