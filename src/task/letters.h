/* SPDX-License-Identifier: Apache-2.0
 *
 * A task's dead letter queue: a producer of its own, and the letters that Kafka has not
 * acknowledged yet. Their number and bytes have a ceiling. A letter that cannot be delivered is
 * remembered: the task is to fail.
 * Owner and thread: the task.
 */
#pragma once

#include "connect_lua/abi_c.h"

#include "task/task.h"

struct cl_letters;

struct cl_letter { /* everything is copied */
  struct cl_str key, value;
  const struct cl_header *headers; /* name and d.bytes */
  uint32_t n_headers;
  int64_t timestamp; /* INT64_MIN = none */
  /* sink: where it was consumed */
  uint32_t slot;
  int64_t offset;
  struct cl_record *origin; /* source: what the letter stands for in the queue of acknowledgements, or NULL */
};

/* Looks the topic up, or makes it, unless the task is asked to stop. */
int cl_letters_open(struct cl_task *t, struct cl_letters **out, struct cl_err *err);
/* What is not delivered is lost: flush first. NULL is allowed. */
void cl_letters_close(struct cl_letters *l);
/* Is told of each letter that has an origin, once it is acknowledged. */
void cl_letters_on_delivered(struct cl_letters *l, void (*fn)(void *arg, struct cl_record *origin),
                             void *arg);

bool cl_letters_full(const struct cl_letters *l);
/* Sends one, also beyond the ceiling. */
int cl_letters_put(struct cl_letters *l, const struct cl_letter *letter, struct cl_err *err);
size_t cl_letters_waiting(const struct cl_letters *l);
/* Serves acknowledgements, waits up to ms for the first when there are letters. Fails with what kept a
 * letter from being delivered, now or before. Tells the log when none has been acknowledged for long. */
int cl_letters_poll(struct cl_letters *l, int64_t ms, struct cl_err *err);
/* The same until there are none left, no longer than a task that is to stop may wait; CL_ETIMEOUT when there
 * are. */
int cl_letters_flush(struct cl_letters *l, int64_t ms, struct cl_err *err);
/* How far the slot may be committed: offset, or that of the first letter before it that waits. */
int64_t cl_letters_bound(const struct cl_letters *l, uint32_t slot, int64_t offset);
/* The slot's partition is not the task's any more: letters from before hold no offset back, and fail
 * nothing, should it come again. */
void cl_letters_past(struct cl_letters *l, uint32_t slot);
