/* SPDX-License-Identifier: Apache-2.0
 * What config.c and config_client.c share. */
#pragma once

#include "base/buf.h"
#include "worker/config.h"

#define CL_SIMPLE_HEADER_CONVERTER "org.apache.kafka.connect.storage.SimpleHeaderConverter"

/* The keys that begin with prefix, without it: a new config. */
json_t *cl_worker_strip(const json_t *config, const char *prefix);

/* Remembers warnings, so that a restarted task does not repeat them. @locks its own */
struct cl_worker_warned *cl_worker_warned_new(void);
void cl_worker_warned_free(struct cl_worker_warned *w);
