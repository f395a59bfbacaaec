/* SPDX-License-Identifier: Apache-2.0
 *
 * The embedded broker: librdkafka's in-process mock cluster. Data lives in memory and
 * dies with the process. Topics get one partition, made here before their first use.
 * No admin call may ever reach it.
 * Thread: any (calls are serialized inside). Owner: the worker.
 */
#pragma once

#include "base/err.h"

struct cl_embedded;

int cl_embedded_start(struct cl_embedded **out, struct cl_err *err);
const char *cl_embedded_bootstrap(const struct cl_embedded *e); /* host:port */
/* Makes the topic with one partition unless it was made before. Cheap when known. */
int cl_embedded_topic(struct cl_embedded *e, const char *topic, struct cl_err *err);
void cl_embedded_stop(struct cl_embedded *e); /* after every client is closed; NULL allowed */
