/* SPDX-License-Identifier: Apache-2.0
 * What the config*.c files share. */
#pragma once

#include "base/buf.h"
#include "worker/config.h"

#define CL_SIMPLE_HEADER_CONVERTER "org.apache.kafka.connect.storage.SimpleHeaderConverter"

/* One warning for each key of the worker file that does nothing: config_keys.c. */
void cl_worker_warn_of_keys(const char *path, const json_t *raw);

/* The keys that begin with prefix, without it: a new config. */
json_t *cl_worker_strip(const json_t *config, const char *prefix);

/* Remembers warnings, so that a restarted task does not repeat them. @locks its own */
struct cl_worker_warned *cl_worker_warned_new(void);
void cl_worker_warned_free(struct cl_worker_warned *w);
