/* SPDX-License-Identifier: Apache-2.0
 *
 * What the two faces of `connect-lua try` share: try.c for people, try_json.c for machines.
 * Thread: main.
 */
#pragma once

#include "vm/try.h"
#include "worker/worker.h"

struct cl_try_setup {
  const struct cl_worker *worker;
  bool source;          /* the direction */
  bool steps;           /* for people */
  const json_t *config; /* a connector's, without what is implied: name, class, topics */
  const json_t *input;  /* whose converters read records; NULL = config */
  const json_t *output; /* whose converters write them; NULL = none do */
};

/* The configuration is validated as a connector's would be, then converters and chain are built.
 * An error has Apache's class. */
int cl_try_setup(const struct cl_try_setup *setup, struct cl_try **out, struct cl_err *err);

/* {"configError":{"class","message"}} of what cl_try_setup answered (new reference). */
json_t *cl_try_config_error(const struct cl_err *err);

/* {"expect":[...]} of records, or {"configError":{"class","message"}} (new reference). Fails for
 * records that are none. */
int cl_try_answer(const struct cl_try_setup *setup, const json_t *records, json_t **out, struct cl_err *err);

/* Answers lines of {"config","direction","records"} until standard input ends. Exit code. */
int cl_try_protocol(const struct cl_worker *worker);

/* One line on standard output, flushed. */
void cl_try_print(const json_t *json);
