/* SPDX-License-Identifier: Apache-2.0
 *
 * The committed offsets of a consumer group, read and changed from outside it. Offsets are in
 * the form of Connect's REST: an array of
 * {"partition":{"kafka_topic":"t","kafka_partition":0},"offset":{"kafka_offset":5}}.
 * Never against the embedded broker: librdkafka aborts on some of its answers.
 * Thread: any one at a time. Each call ends within a minute, or soon after *stop is true.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"

#include <stdatomic.h>

struct cl_admin;

/* client: librdkafka keys; stop is borrowed. */
int cl_admin_open(const json_t *client, const atomic_bool *stop, struct cl_admin **out, struct cl_err *err);
void cl_admin_close(struct cl_admin *a);

/* What the group has committed; a group that nobody knows has nothing. *out: new reference. */
int cl_admin_group_offsets(struct cl_admin *a, const char *group, json_t **out, struct cl_err *err);
/* Commits the offsets that are no null and deletes the others. CL_ECONFLICT: the group has members. */
int cl_admin_group_alter(struct cl_admin *a, const char *group, const json_t *offsets, struct cl_err *err);
/* Deletes the group with all its offsets, also when there is none; cl_admin_group_offsets must have
 * succeeded before. CL_ECONFLICT: it has members. */
int cl_admin_group_delete(struct cl_admin *a, const char *group, struct cl_err *err);
