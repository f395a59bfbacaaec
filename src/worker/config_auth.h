/* SPDX-License-Identifier: Apache-2.0
 * Which file says who may use REST. Thread: main. */
#pragma once

#include "worker/config_rest.h"

/* opts: the environment's KAFKA_OPTS or NULL, where Java's workers are told of their JAAS file. */
int cl_auth_conf_load(const json_t *typed, const char *opts, struct cl_auth_conf *out, struct cl_err *err);
