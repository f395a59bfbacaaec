/* SPDX-License-Identifier: Apache-2.0
 *
 * topic.creation.* of a source connector (KIP-158): with which settings a topic that is missing is made.
 * Owner: whoever read them. One thread at a time: regular expressions are that.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"

struct cl_topic_groups;

struct cl_topic_group {
  char *name;
  int partitions, replication; /* -1 = the broker's default */
  json_t *config;              /* settings of the topic, an object of texts */
};

/* Any key of it means that the connector wants its topics made. */
bool cl_topic_groups_wanted(const json_t *config);

/* Checked as Apache does when a connector starts, in the same order and words. */
int cl_topic_groups_read(const json_t *config, struct cl_topic_groups **out, struct cl_err *err);
void cl_topic_groups_free(struct cl_topic_groups *g); /* NULL is allowed */

/* The first group that includes the topic and does not exclude it, else `default`; borrowed. Fails when a
 * regular expression takes too long. */
int cl_topic_groups_find(struct cl_topic_groups *g, const char *topic, const struct cl_topic_group **out,
                         struct cl_err *err);
