/* SPDX-License-Identifier: Apache-2.0
 *
 * The bytes of Apache's standalone offsets file: a java.util.HashMap<byte[],byte[]> as
 * Java's ObjectOutputStream writes it. No I/O, no state; any thread.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>

struct cl_offsets_entry {
  char *key;
  size_t key_len;
  char *value; /* NULL = null: a tombstone */
  size_t value_len;
  size_t twin; /* offsets.c: the next entry whose key means the same, 0 = none */
};

/* *out is malloc'd; its keys and values point into data. Anything but a whole map is
 * CL_EINVAL naming path and byte. */
int cl_offsets_file_decode(char *data, size_t len, const char *path, struct cl_offsets_entry **out, size_t *n,
                           struct cl_err *err);

/* Appends the map to out; look at out->failed afterwards. */
void cl_offsets_file_encode(const struct cl_offsets_entry *entries, size_t n, struct cl_buf *out);
