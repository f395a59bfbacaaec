/* SPDX-License-Identifier: Apache-2.0
 * What consumers, producers and the worker share of librdkafka. */
#pragma once

#include "base/err.h"
#include "base/json.h"

#include <stdint.h>

/* The cluster id of the brokers in client (librdkafka keys), malloc'd; waits up to timeout_ms. @thread any.
 */
int cl_client_cluster_id(const json_t *client, int64_t timeout_ms, char **out, struct cl_err *err);

const char *cl_client_version(void); /* librdkafka's version text */
