/* SPDX-License-Identifier: Apache-2.0
 *
 * The Kafka cluster's id, asked for in the background until a broker answers, so that
 * neither start nor GET / waits for Kafka.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"

struct cl_cluster;

/* client: librdkafka keys of an admin client. */
int cl_cluster_watch(const json_t *client, struct cl_cluster **out, struct cl_err *err);
/* NULL = not known yet. @thread any */
const char *cl_cluster_id(const struct cl_cluster *c);
void cl_cluster_free(struct cl_cluster *c); /* NULL allowed */
