/* SPDX-License-Identifier: Apache-2.0
 * What Kafka has refused, until it is reported. Thread: the task's. May include floors 4-0. */
#include "task/source_refused.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cl_refused {
  struct cl_record *rec;
  const char *exception; /* static text */
  char message[512];
};

bool cl_source_refused_add(struct cl_source_refused *q, struct cl_record *rec, int code, const char *text) {
  if (q->n == q->cap) {
    size_t cap = q->cap ? q->cap * 2 : 16;
    struct cl_refused *p = realloc(q->v, cap * sizeof(*p));
    if (!p)
      return false;
    q->v = p;
    q->cap = cap;
  }
  struct cl_refused *r = &q->v[q->n++];
  r->rec = rec;
  r->exception = code == CL_EDATA ? CL_JAVA_TOO_LARGE : "org.apache.kafka.common.KafkaException";
  snprintf(r->message, sizeof(r->message), "%s", text);
  return true;
}

static int report(struct cl_policy *policy, struct cl_ack *ack, const struct cl_refused *r,
                  struct cl_err *err) {
  struct cl_failure f = {.record = r->rec,
                         .stage = "KAFKA_PRODUCE",
                         .plugin = "org.apache.kafka.connect.runtime.WorkerSourceTask",
                         .exception = r->exception,
                         .message = r->message,
                         .trace = ""};
  struct cl_case c = {.failure = &f,
                      .origin = policy->letters ? r->rec : NULL,
                      .partition = cl_ack_partition_text(ack, r->rec->slot)};
  return cl_policy_report(policy, &c, err);
}

int cl_source_refused_report(struct cl_source_refused *q, struct cl_policy *policy, struct cl_ack *ack,
                             void (*reported)(void *arg, struct cl_record *rec), void *arg,
                             struct cl_err *err) {
  size_t done = 0;
  int rc = 0;
  while (rc == 0 && done < q->n && !(policy->letters && cl_letters_full(policy->letters))) {
    const struct cl_refused *r = &q->v[done++];
    rc = report(policy, ack, r, err);
    if (rc != 0)
      break;
    if (reported)
      reported(arg, r->rec);
    if (!policy->letters)
      cl_ack_done(ack, r->rec);
  }
  if (done > 0) {
    q->n -= done;
    memmove(q->v, q->v + done, q->n * sizeof(*q->v));
  }
  return rc;
}
