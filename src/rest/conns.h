/* SPDX-License-Identifier: Apache-2.0
 *
 * The open connections of a listener, by libmicrohttpd's own notifications: how many, and
 * a way to end them all. Any thread; locks inside.
 */
#pragma once

#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct cl_conn;

struct cl_conns {
  pthread_mutex_t lock;
  struct cl_conn *first;
  int open, max;
  int64_t first_ms;
  bool told; /* that all are in use */
};

/* first_ms: what a new connection has until its first deadline is set. */
void cl_conns_init(struct cl_conns *c, int max, int64_t first_ms);
void cl_conns_destroy(struct cl_conns *c);
/* For MHD_OPTION_NOTIFY_CONNECTION, arg = struct cl_conns. */
void cl_conns_notify(void *arg, struct MHD_Connection *con, void **context,
                     enum MHD_ConnectionNotificationCode what);
/* The client of con has until then (cl_now_ms) for what it is at, or is hung up on; 0 = as long as it
 * likes. @thread the connection's */
void cl_conns_deadline(struct cl_conns *c, struct MHD_Connection *con, int64_t deadline);
/* Hangs up on those whose deadline has come. */
void cl_conns_expire(struct cl_conns *c);
/* Hangs up on every client and waits until libmicrohttpd has noticed; false: not all in time. */
bool cl_conns_hang_up(struct cl_conns *c, int64_t timeout_ms);
