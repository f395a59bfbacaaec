/* SPDX-License-Identifier: Apache-2.0
 *
 * Converters and transforms over records without a task or a broker: what `connect-lua try` runs.
 * A state of its own for each configuration, so that nothing of one record set reaches another.
 * Thread: the caller's, for all calls.
 */
#pragma once

#include "vm/vm.h"

struct cl_try;

struct cl_try_conf {
  const char *home;
  size_t memory_max; /* of the Lua state, and again of the records */
  bool source;       /* the direction */
  bool steps;        /* cl_try_run tells what each step changed */
  struct cl_vm_part in_key, in_value, in_header;
  struct cl_vm_part out_key, out_value, out_header; /* plugin NULL = left undone */
  const struct cl_chain *transforms;
  struct cl_rights rights; /* of all of them */
};

/* Input converters, output converters, the chain: the first that refuses its configuration is the
 * error, with Apache's class. */
int cl_try_open(const struct cl_try_conf *conf, struct cl_try **out, struct cl_err *err);
void cl_try_close(struct cl_try *t); /* NULL is allowed */

/* One record as the vectors have it ("topic", "partition", "offset", "timestamp",
 * "timestampType", "key", "value", "headers"; bytes are null, {"utf8"} or {"b64"}) to
 * {"record":...}, {"dropped":true} or {"error":{"stage","class","message"}}, where known
 * with "where" (record, step and plugin) and "cause". *steps: malloc'd
 * lines for people, NULL without conf.steps. Fails for what is no record, or without memory. */
int cl_try_run(struct cl_try *t, const json_t *record, json_t **out, char **steps, struct cl_err *err);
