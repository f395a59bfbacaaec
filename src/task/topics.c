/* SPDX-License-Identifier: Apache-2.0
 *
 * Which topics a task has used: each is told of once, and again after a reset.
 * Thread: the task's, but for cl_task_forget_topics. May include floors 4-0.
 */
#include "task/internal.h"

enum { TOPICS_MAX = 100000 }; /* a source that names ever new topics tells of some twice */

void cl_task_forget_topics(struct cl_task *t) { atomic_store(&t->forget_topics, true); }

static void remember_last(struct cl_task *t, struct cl_str topic) {
  t->last_topic = (struct cl_str){.p = t->topic_text};
  if (topic.len <= sizeof(t->topic_text)) {
    memcpy(t->topic_text, topic.p, topic.len);
    t->last_topic.len = topic.len;
  }
}

void cl_task_new_topic(struct cl_task *t, struct cl_str topic) {
  if (topic.len == 0)
    return;
  if (!t->topics)
    t->topics = json_object();
  if (atomic_exchange(&t->forget_topics, false) || json_object_size(t->topics) >= TOPICS_MAX)
    json_object_clear(t->topics);
  remember_last(t, topic);
  if (json_object_getn(t->topics, topic.p, topic.len))
    return;
  json_object_setn_new(t->topics, topic.p, topic.len, json_true());
  if (!atomic_load(&t->abandoned))
    t->conf.topic(t->conf.arg, t->conf.generation, topic.p, topic.len);
}
