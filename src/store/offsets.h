/* SPDX-License-Identifier: Apache-2.0
 *
 * Source offsets behind one interface: in memory (embedded broker) or in Apache's
 * standalone file (Java-serialized HashMap<byte[],byte[]>); later a compacted topic.
 * Keys are `["<connector>",{partition}]`, values `{offset}` or null: compact JSON bytes.
 * Thread: any; calls are serialized inside.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"

struct cl_offsets;

/* path NULL = memory only. A missing file means no offsets, an empty one too, with a warning
 * (as for a place where no file can be written); a damaged one is CL_EINVAL naming path and
 * byte, and is left untouched. One that another worker has open is CL_ECONFLICT. */
int cl_offsets_open(const char *path, struct cl_offsets **out, struct cl_err *err);
void cl_offsets_close(struct cl_offsets *s);

/* The offset of a partition (looked up structurally: field order does not matter), a new
 * reference; *out NULL = none. */
int cl_offsets_get(struct cl_offsets *s, const char *connector, const json_t *partition, json_t **out,
                   struct cl_err *err);

/* All of one connector: array of {"partition":..,"offset":..}; null partitions and tombstones
 * are not listed. */
int cl_offsets_list(struct cl_offsets *s, const char *connector, json_t **out, struct cl_err *err);

struct cl_offset_pair {
  const char *partition;
  size_t partition_len; /* compact JSON, or "null" */
  const char *offset;
  size_t offset_len; /* compact JSON; "null" = tombstone */
};
/* Writes n pairs and returns when they are durable. An existing key that is structurally
 * equal keeps its bytes. After a CL_EIO, which is retriable, the pairs are in memory and go
 * out with the next call. */
int cl_offsets_put(struct cl_offsets *s, const char *connector, const struct cl_offset_pair *pairs, size_t n,
                   struct cl_err *err);
/* The same, all or nothing: after an error every offset is what it was. */
int cl_offsets_alter(struct cl_offsets *s, const char *connector, const struct cl_offset_pair *pairs,
                     size_t n, struct cl_err *err);
