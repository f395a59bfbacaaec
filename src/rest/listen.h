/* SPDX-License-Identifier: Apache-2.0
 *
 * The listening socket, made by ourselves so that errors say what is wrong: of a failed
 * start libmicrohttpd tells nothing. Any thread, no state.
 */
#pragma once

#include "base/err.h"

#include <stdint.h>

/* host "" = all interfaces, IPv6 and IPv4 in one socket where the system has IPv6.
 * port 0 = any free one; *bound is the port it got. Non-blocking; the caller closes it. */
int cl_listen_open(const char *host, uint16_t port, int *fd, uint16_t *bound, struct cl_err *err);
