/* SPDX-License-Identifier: Apache-2.0
 *
 * The topics of a source task whose connector has topic.creation.*: each is looked up, and made when it is
 * missing, before its first record is sent. Which are known the producer remembers.
 * Owner and thread: the task.
 */
#pragma once

#include "task/internal.h"
#include "task/topic_groups.h"

struct cl_topic_admin;

struct cl_source_topics { /* zeroed = the broker's own settings decide */
  struct cl_task *t;
  struct cl_topic_groups *groups;
  struct cl_topic_admin *admin; /* or NULL: open only while new topics come */
  int64_t used_ms;              /* when it was needed last */
};

int cl_source_topics_open(struct cl_task *t, struct cl_source_topics *s, struct cl_err *err);
/* CL_EAGAIN = later: the task is to stop or to pause, or what hinders it may pass. */
int cl_source_topics_ensure(struct cl_source_topics *s, const char *topic, struct cl_err *err);
void cl_source_topics_rest(struct cl_source_topics *s); /* now and then: gives back what is not needed */
void cl_source_topics_close(struct cl_source_topics *s);
