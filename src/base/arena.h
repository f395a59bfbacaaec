/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory that is freed all at once: a list of chunks and a bump pointer.
 * Owner: whoever made it. One thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct cl_arena;

/* budget, shared by all arenas of a task, may be NULL: bytes in use against a ceiling. */
struct cl_arena_budget {
  size_t used, max;
};

/* Memory that is nobody's arena but the task's still: false = it is beyond the ceiling. budget NULL = no
 * ceiling. */
bool cl_arena_charge(struct cl_arena_budget *budget, size_t size);
void cl_arena_return(struct cl_arena_budget *budget, size_t size);

struct cl_arena *cl_arena_new(struct cl_arena_budget *budget); /* NULL = no memory */
/* 8-byte aligned, not zeroed; NULL when memory or the budget is exhausted. size 0 is allowed. */
void *cl_arena_alloc(struct cl_arena *a, size_t size);
void *cl_arena_zalloc(struct cl_arena *a, size_t size);
char *cl_arena_copy(struct cl_arena *a, const void *p, size_t n); /* n bytes and a NUL */
/* Forgets everything; keeps one chunk of ordinary size for the next batch, gives the rest back. */
void cl_arena_reset(struct cl_arena *a);
size_t cl_arena_used(const struct cl_arena *a); /* bytes of chunks held */
void cl_arena_free(struct cl_arena *a);         /* NULL is allowed */
