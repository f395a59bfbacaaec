/* SPDX-License-Identifier: Apache-2.0
 *
 * The REST listeners on libmicrohttpd: TLS, limits, bodies, suspended connections, stop order.
 * Its threads never call Lua and never wait for the herder.
 */
#pragma once

#include "base/err.h"
#include "worker/config_rest.h"
#include "worker/herder.h"

#include <stdint.h>

struct cl_server;

/* conf and herder stay the caller's and must outlive the server. */
int cl_server_start(const struct cl_rest_conf *conf, struct cl_herder *herder, struct cl_server **out,
                    struct cl_err *err);
/* The port that listener i of conf got. */
uint16_t cl_server_port(const struct cl_server *s, size_t i);
/* Stops listening, answers what waits with 503, waits up to timeout_ms for running requests, frees. */
void cl_server_stop(struct cl_server *s, int64_t timeout_ms);
