/* SPDX-License-Identifier: Apache-2.0
 *
 * Which source offsets are safe: per source partition a queue of records in the order
 * they were sent; the offset of the last record of the contiguous acknowledged prefix is
 * committable. Partitions do not wait for each other.
 * Each queued record holds a reference to its batch.
 * Owner and thread: the source task.
 */
#pragma once

#include "connect_lua/abi_c.h"

#include <stddef.h>

#include "base/err.h"

struct cl_ack;

struct cl_ack *cl_ack_new(void);
/* Releases what is still queued. */
void cl_ack_free(struct cl_ack *a);

/* The id of a source partition, given as the compact JSON of its map (or "null") in the
 * store's key order; the same text gives the same id. Negative cl_code on failure. */
int64_t cl_ack_partition(struct cl_ack *a, const char *json, size_t len, struct cl_err *err);

/* That text. */
const char *cl_ack_partition_text(const struct cl_ack *a, uint32_t id);

/* rec (slot = partition id) was handed to Kafka; takes a batch reference. CL_EINVAL for an id
 * or an offset that could never be committed. */
int cl_ack_sent(struct cl_ack *a, struct cl_record *rec, struct cl_err *err);
/* The record sent last was refused by the client after all: forget it. */
void cl_ack_unsend(struct cl_ack *a, struct cl_record *rec);
/* Delivery confirmed: pops the acknowledged prefix, remembers its last offset. */
void cl_ack_done(struct cl_ack *a, struct cl_record *rec);
size_t cl_ack_waiting(const struct cl_ack *a);

/* Calls fn for each partition whose committable offset moved since the last take, with
 * the offset as compact JSON ("null" = tombstone); the texts die when fn returns. What fn does not
 * answer 0 for is told again by the next take. */
typedef int cl_ack_fn(void *arg, struct cl_str partition_json, struct cl_str offset_json);
void cl_ack_take(struct cl_ack *a, cl_ack_fn *fn, void *arg);
