/* SPDX-License-Identifier: Apache-2.0
 *
 * One byte budget for what all consumers of the worker hold in librdkafka's queues. A
 * consumer takes a share when it is made and gives it back when it is closed; the sum
 * never exceeds the budget, save for the smallest share everybody gets.
 * Thread: any.
 */
#pragma once

#include <stddef.h>

struct cl_budget;

struct cl_budget *cl_budget_new(size_t bytes);
/* A quarter of what is left, at most 64 MiB, at least 256 KiB. */
size_t cl_budget_take(struct cl_budget *b);
void cl_budget_give(struct cl_budget *b, size_t bytes);
void cl_budget_free(struct cl_budget *b);
