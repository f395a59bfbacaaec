/* SPDX-License-Identifier: Apache-2.0
 *
 * GET, PATCH and DELETE of /connectors/{c}/offsets (KIP-875), in Apache's words. What a source has
 * stored is at hand; a sink's offsets are its consumer group's and the broker's to say, which the
 * groups thread asks, so that nobody else waits for it.
 */
#pragma once

#include "worker/internal.h"

/* out->status 0: a sink's, to be submitted as CL_CMD_READ_OFFSETS. @locks takes h->lock @thread any */
void cl_connector_offsets_query(struct cl_herder *h, const char *name, struct cl_reply *out);

/* CL_CMD_ALTER_OFFSETS and CL_CMD_RESET_OFFSETS. False: it is the groups thread's to go on. @thread herder */
bool cl_connector_offsets_change(struct cl_herder *h, struct cl_instance *c, const struct cl_command *cmd,
                                 struct cl_reply *reply);

/* group_offsets.c: the commands of sinks. @locks takes h->lock @thread groups */
void cl_group_offsets_run(struct cl_herder *h, const struct cl_command *cmd, struct cl_reply *reply);

/* What both kinds of connector share. offsets: array of {"partition","offset"}. Asks the plugin's
 * alter_offsets; 0 and *confirmed, or replied. */
int cl_connector_offsets_ask(const struct cl_worker *w, const char *name, const struct cl_plugin *plugin,
                             const json_t *resolved, const json_t *offsets, bool *confirmed,
                             struct cl_reply *reply);
void cl_connector_offsets_done(bool reset, bool confirmed, struct cl_reply *reply);
/* Connector and tasks are not what they say: somebody still runs. */
void cl_connector_offsets_busy(const char *name, bool reset, struct cl_reply *reply);
/* Adds {"partition","offset"} to list, in the place of an equal partition: the later one counts. index
 * maps partitions to places. */
bool cl_connector_offsets_add(json_t *list, json_t *index, json_t *partition, json_t *offset);
