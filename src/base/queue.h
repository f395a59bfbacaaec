/* SPDX-License-Identifier: Apache-2.0
 *
 * A bounded, closable queue of pointers between threads: many writers, one reader.
 * Owner: whoever made it; items belong to the queue's users.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cl_queue;

struct cl_queue *cl_queue_new(size_t ceiling); /* NULL = no memory */
/* Waits up to timeout_ms (-1 = for ever, 0 = not at all) while full. False: full or closed, the
 * item, never NULL, stays the caller's. */
bool cl_queue_push(struct cl_queue *q, void *item, int64_t timeout_ms);
/* Waits up to timeout_ms (-1 = for ever) while empty. NULL: nothing came, or closed and drained. */
void *cl_queue_pop(struct cl_queue *q, int64_t timeout_ms);
/* No more pushes; waiting callers return. What is inside can still be popped. */
void cl_queue_close(struct cl_queue *q);
bool cl_queue_over(struct cl_queue *q); /* closed and drained */
size_t cl_queue_len(struct cl_queue *q);
void cl_queue_free(struct cl_queue *q); /* must be empty */
