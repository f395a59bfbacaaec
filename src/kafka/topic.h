/* SPDX-License-Identifier: Apache-2.0
 *
 * Topics that must exist: looked up and, when they are missing, made by an admin client of its own.
 * Never against the embedded broker, which has a call of its own for that.
 * Thread: any one at a time; blocks.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"

#include <stdint.h>

struct cl_topic_admin;

struct cl_topic_wish {
  const char *name;
  int partitions, replication;    /* when it has to be made; -1 = the broker's default */
  const json_t *config;           /* the same, an object of texts; or NULL */
  int64_t timeout_ms;             /* of looking, and again of making */
  bool (*interrupted)(void *arg); /* asked now and then: true ends the wait with CL_ESTOPPED */
  void *arg;
};

/* client: librdkafka keys. */
int cl_topic_open(const json_t *client, struct cl_topic_admin **out, struct cl_err *err);
void cl_topic_close(struct cl_topic_admin *a); /* NULL is allowed */

/* That somebody else makes it at the same time is no error. As in Apache, only a broker that does not
 * answer when it is asked for the topic is worth another try: err->retriable. */
int cl_topic_ensure(struct cl_topic_admin *a, const struct cl_topic_wish *wish, struct cl_err *err);
