/* SPDX-License-Identifier: Apache-2.0
 * The texts under which source offsets are stored. Any thread, no state. */
#pragma once

#include "base/err.h"
#include "base/json.h"

/* A source partition (null or a flat object) as the compact JSON that Java workers write:
 * keys in java.util.HashMap order, within a bucket as they stand, or of a Lua table, which has no
 * order, by their bytes. *out is malloc'd. */
int cl_source_key_text(const json_t *partition, bool of_lua, char **out, struct cl_err *err);
/* A source offset (null or a flat object), numbers as short as can be; malloc'd, NULL = no memory. */
char *cl_source_offset_text(const json_t *offset);
