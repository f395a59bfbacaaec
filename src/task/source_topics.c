/* SPDX-License-Identifier: Apache-2.0
 *
 * Making the topics of a source. Thread: the task's. May include floors 4-0.
 */
#define CL_COMPONENT "source"
#include "task/source_topics.h"

#include "base/clock.h"
#include "base/log.h"
#include "kafka/topic.h"

enum {
  PATIENCE_MS = 60000, /* Java's default.api.timeout.ms */
  IDLE_MS = 30000      /* new topics come together: an admin client costs threads and connections */
};

int cl_source_topics_open(struct cl_task *t, struct cl_source_topics *s, struct cl_err *err) {
  s->t = t;
  return t->conf.topic_creation ? cl_topic_groups_read(t->conf.topic_creation, &s->groups, err) : 0;
}

static bool interrupted(void *arg) {
  struct cl_task *t = arg;
  return cl_task_stopping(t) || cl_task_paused(t);
}

static int ensure(struct cl_source_topics *s, const char *topic, struct cl_err *err) {
  const struct cl_topic_group *group;
  if (cl_topic_groups_find(s->groups, topic, &group, err) != 0)
    return err->code;
  if (!s->admin && cl_topic_open(s->t->conf.topic_admin, &s->admin, err) != 0)
    return err->code;
  CL_LOG(CL_DEBUG, "topic %s is new here; its topic creation group is %s", topic, group->name);
  struct cl_topic_wish wish = {.name = topic,
                               .partitions = group->partitions,
                               .replication = group->replication,
                               .config = group->config,
                               .timeout_ms = PATIENCE_MS,
                               .interrupted = interrupted,
                               .arg = s->t};
  int rc = cl_topic_ensure(s->admin, &wish, err);
  s->used_ms = cl_now_ms();
  return rc;
}

int cl_source_topics_ensure(struct cl_source_topics *s, const char *topic, struct cl_err *err) {
  if (!s->groups || ensure(s, topic, err) == 0)
    return 0;
  if (err->retriable)
    CL_LOG(CL_WARN, "trying again: %s", err->msg);
  return err->retriable || err->code == CL_ESTOPPED ? CL_EAGAIN : err->code;
}

void cl_source_topics_rest(struct cl_source_topics *s) {
  if (!s->admin || cl_now_ms() - s->used_ms < IDLE_MS)
    return;
  cl_topic_close(s->admin);
  s->admin = NULL;
}

void cl_source_topics_close(struct cl_source_topics *s) {
  cl_topic_close(s->admin);
  cl_topic_groups_free(s->groups);
  *s = (struct cl_source_topics){0};
}
