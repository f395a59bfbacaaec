/* SPDX-License-Identifier: Apache-2.0
 *
 * Why connections are counted at all: libmicrohttpd leaves clients beyond its limit waiting
 * without a word, and crashes when one of its own error answers falls into MHD_stop_daemon
 * (0.9.75 to 1.0: MHD_queue_response then does nothing and says yes). So a stop first ends
 * every connection, and only then the daemon.
 * Threads: libmicrohttpd's, and whoever stops. Includes libmicrohttpd and base.
 */
#define CL_COMPONENT "rest"

#include "rest/conns.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct cl_conn {
  struct cl_conn *prev, *next;
  int64_t deadline; /* 0 = none */
  int fd;           /* open as long as the connection is in the list */
};

void cl_conns_init(struct cl_conns *c, int max, int64_t first_ms) {
  *c = (struct cl_conns){.max = max, .first_ms = first_ms};
  pthread_mutex_init(&c->lock, NULL);
}

void cl_conns_destroy(struct cl_conns *c) { pthread_mutex_destroy(&c->lock); }

static void add(struct cl_conns *c, struct MHD_Connection *con, void **context) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(con, MHD_CONNECTION_INFO_CONNECTION_FD);
  struct cl_conn *n = info ? calloc(1, sizeof *n) : NULL;
  *context = n;
  if (!n)
    return; /* it is served, and ends with the daemon */
  n->fd = info->connect_fd;
  n->deadline = cl_now_ms() + c->first_ms;
  pthread_mutex_lock(&c->lock);
  n->next = c->first;
  if (n->next)
    n->next->prev = n;
  c->first = n;
  c->open++;
  bool tell = c->open >= c->max && !c->told;
  c->told |= tell;
  pthread_mutex_unlock(&c->lock);
  if (tell)
    CL_LOG(CL_WARN, "All %d connections are in use, further clients wait", c->max);
}

static void forget(struct cl_conns *c, struct cl_conn *n) {
  pthread_mutex_lock(&c->lock);
  *(n->prev ? &n->prev->next : &c->first) = n->next;
  if (n->next)
    n->next->prev = n->prev;
  c->open--;
  c->told &= c->open > c->max / 2; /* not once for every client that comes and goes */
  pthread_mutex_unlock(&c->lock);
  free(n);
}

void cl_conns_notify(void *arg, struct MHD_Connection *con, void **context,
                     enum MHD_ConnectionNotificationCode what) {
  if (what == MHD_CONNECTION_NOTIFY_STARTED)
    add(arg, con, context);
  else if (*context)
    forget(arg, *context);
}

void cl_conns_deadline(struct cl_conns *c, struct MHD_Connection *con, int64_t deadline) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(con, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  struct cl_conn *n = info ? info->socket_context : NULL;
  if (!n)
    return;
  pthread_mutex_lock(&c->lock);
  n->deadline = deadline;
  pthread_mutex_unlock(&c->lock);
}

void cl_conns_expire(struct cl_conns *c) {
  int64_t now = cl_now_ms();
  pthread_mutex_lock(&c->lock);
  for (struct cl_conn *n = c->first; n; n = n->next)
    if (n->deadline && n->deadline <= now)
      shutdown(n->fd, SHUT_RDWR);
  pthread_mutex_unlock(&c->lock);
}

bool cl_conns_hang_up(struct cl_conns *c, int64_t timeout_ms) {
  int64_t until = cl_now_ms() + timeout_ms;
  for (;;) {
    pthread_mutex_lock(&c->lock);
    for (struct cl_conn *n = c->first; n; n = n->next)
      shutdown(n->fd, SHUT_RDWR); /* again for those accepted meanwhile */
    bool done = c->open == 0;
    pthread_mutex_unlock(&c->lock);
    if (done || cl_now_ms() > until)
      return done;
    usleep(1000);
  }
}
