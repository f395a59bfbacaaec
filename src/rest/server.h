/* SPDX-License-Identifier: Apache-2.0
 *
 * The REST listener on libmicrohttpd: limits, bodies, suspended connections, stop order.
 * Its threads never call Lua and never wait for the herder.
 */
#pragma once

#include "base/err.h"
#include "worker/herder.h"

#include <stdint.h>

struct cl_server;

struct cl_server_conf {
  const char *host; /* "" = all interfaces (IPv6 and IPv4) */
  uint16_t port;    /* 0 = any free port */
  struct cl_herder *herder;
  size_t body_max;            /* bytes; default 1 MiB */
  int connections_max;        /* default 1000 */
  int64_t request_timeout_ms; /* a write's answer; default 90000 */
};
int cl_server_start(const struct cl_server_conf *conf, struct cl_server **out, struct cl_err *err);
uint16_t cl_server_port(const struct cl_server *s); /* the port bound */
/* Stops listening, answers what waits with 503, waits up to timeout_ms for running requests, frees. */
void cl_server_stop(struct cl_server *s, int64_t timeout_ms);
