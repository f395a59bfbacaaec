/* SPDX-License-Identifier: Apache-2.0
 *
 * One source task's producer. Bytes are not copied: a record's batch stays alive until its
 * delivery report. Reports are served by cl_producer_poll on the caller's thread.
 * Thread: the task's, for every call but cl_producer_abandon.
 */
#pragma once

#include "connect_lua/abi_c.h"

#include "base/err.h"
#include "base/json.h"
#include "base/stats.h"
#include "kafka/embedded.h"

struct cl_producer;

struct cl_producer_events {
  /* code 0 = acknowledged; otherwise negative and text says why: CL_ESTOPPED the producer closes, CL_EDATA
   * the record is too large for the broker. */
  void (*delivered)(void *arg, struct cl_record *rec, int code, const char *text, int32_t partition,
                    int64_t offset);
  /* The first record for a topic is to be sent: anything but 0 and its send fails with that. NULL = none of
   * the caller's concern. */
  int (*topic)(void *arg, const char *topic, struct cl_err *err);
};

struct cl_producer_conf {
  const json_t *client; /* librdkafka keys */
  struct cl_embedded *embedded;
  struct cl_stats *stats; /* where its connections and bytes are counted; or NULL */
  struct cl_producer_events events;
  void *arg;
};

int cl_producer_open(const struct cl_producer_conf *conf, struct cl_producer **out, struct cl_err *err);

/* Enqueues the record's encoded key, value and headers (d.bytes). CL_EAGAIN = queue full:
 * poll and try again. Other failures say whether they are retriable. */
int cl_producer_send(struct cl_producer *p, struct cl_record *rec, struct cl_err *err);

/* Serves delivery reports; waits up to timeout_ms for the first. Answers how many came. */
int cl_producer_poll(struct cl_producer *p, int64_t timeout_ms);

/* What no later send can cure, such as a refused login: CL_OK = nothing. */
int cl_producer_fatal(struct cl_producer *p, struct cl_err *err);

/* Waits until every report is in. CL_ETIMEOUT when not. */
int cl_producer_flush(struct cl_producer *p, int64_t timeout_ms, struct cl_err *err);

/* What was wrong with a broker since a record was acknowledged last, "" = nothing that the client told of. */
const char *cl_producer_trouble(const struct cl_producer *p);

/* Drops what is unsent (its reports still come, as failures), then frees. */
void cl_producer_close(struct cl_producer *p, int64_t timeout_ms);
/* A stuck task's producer: purges and leaks what the stuck thread may touch; later sends
 * answer CL_ESTOPPED. @thread any. */
void cl_producer_abandon(struct cl_producer *p);
