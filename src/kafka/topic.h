/* SPDX-License-Identifier: Apache-2.0
 *
 * Making sure that a topic exists, with an admin client of its own for the time it takes.
 * Thread: any; blocks.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"

#include <stdint.h>

struct cl_topic_wish {
  const char *name;
  int partitions, replication; /* when it has to be made; replication -1 = the broker's default */
  int64_t timeout_ms;          /* for all of it */
  bool (*stopping)(void *arg); /* asked now and then: true ends the wait with CL_ESTOPPED */
  void *arg;
};

/* client: librdkafka keys. */
int cl_topic_ensure(const json_t *client, const struct cl_topic_wish *wish, struct cl_err *err);
