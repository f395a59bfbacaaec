/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the server share: server.c its listeners, start and stop; serve.c requests as
 * libmicrohttpd brings them; call.c what a request waits for.
 * Only those three include it.
 */
#pragma once

#include "rest/server.h"

#include "base/buf.h"
#include "rest/conns.h"
#include "rest/framing.h"
#include "rest/headers.h"
#include "rest/routes.h"

#include <microhttpd.h>
#include <pthread.h>

/* The connection's part of a call's life. */
enum cl_call_state {
  CALL_READING, /* headers and body come in */
  CALL_WAITING, /* suspended, in the server's list */
  CALL_ANSWERED /* call->answer is ready to be sent */
};

/* One request. Lives until its connection is done with it and its command, if any, called back,
 * which may be long after the client was told that it timed out. */
struct cl_call {
  struct cl_server *server;
  struct cl_port *port;        /* of its connection */
  int refs;                    /* server->lock */
  enum cl_call_state state;    /* server->lock once a command exists */
  struct cl_call *prev, *next; /* in server->waiting; server->lock */
  struct MHD_Connection *con;
  int64_t started, deadline;
  bool counted;            /* in server->in_flight */
  bool unproven;           /* a hash must tell who it is: for the thread that hashes; server->lock */
  bool again;              /* it was asked: libmicrohttpd calls for the headers once more */
  enum cl_verdict verdict; /* the hashing thread's until the connection is resumed */
  bool close;              /* the connection must not be used again */
  const char *line;        /* where the target stands in libmicrohttpd's buffer: an address, not to be read */
  char *method, *target;
  struct cl_framing framing;
  struct cl_buf body;
  uint64_t received;
  int status; /* sent; 0 = none */
  struct cl_answer answer;
};

/* One listener: a libmicrohttpd daemon with threads of its own. */
struct cl_port {
  struct cl_server *server;
  const struct cl_listener *listener;
  const struct cl_tls *tls; /* NULL = plain */
  struct MHD_Daemon *daemon;
  struct cl_conns conns;
  int fd;
  uint16_t number; /* bound */
};

struct cl_server {
  struct cl_herder *herder;
  const struct cl_rest_conf *conf;
  struct cl_tls *tls, *admin_tls; /* of the https listeners, or NULL */
  struct cl_auth *auth;           /* or NULL: everybody may enter */
  struct cl_headers *headers;
  struct cl_port *ports;
  size_t n_ports;
  pthread_t timer, prover;
  bool timer_runs, prover_runs;

  pthread_mutex_t lock;
  pthread_cond_t changed; /* any of the below */
  int refs;               /* the owner and every call: a late done() still finds the lock */
  bool stopping;
  int in_flight;                          /* requests whose headers were read and whose answer is not sent */
  int touching;                           /* threads between a decision and its suspend or resume call */
  int n_unproven;                         /* of those that wait */
  struct cl_call *waiting, *waiting_last; /* oldest first, so the first deadline too */
};

/* call.c. @thread any; they lock server->lock themselves */
void cl_server_unref(struct cl_server *s);
void cl_call_unref(struct cl_call *c);
/* Suspends the connection and hands the command over: its answer may come before this returns. */
void cl_call_submit(struct cl_call *c, struct cl_command *cmd);
/* Suspends it until the hashing thread knows who it is, or it has an answer. */
void cl_call_prove(struct cl_call *c);
/* Leaves the part that cl_server_stop waits for. */
void cl_call_touch_end(struct cl_server *s);
/* Answers every waiting call with 503. */
void cl_call_answer_all(struct cl_server *s);
void cl_call_wait_ms(struct cl_server *s, int64_t ms); /* for s->changed; the lock is held */
void *cl_call_run_timer(void *server);                 /* a thread's body: answers what is due */
void *cl_call_run_prover(void *server);                /* another's: hashes passwords, one at a time */

/* serve.c: libmicrohttpd's callbacks; arg is the struct cl_port. */
enum MHD_Result cl_serve_request(void *arg, struct MHD_Connection *con, const char *url, const char *method,
                                 const char *version, const char *data, size_t *size, void **context);
void *cl_serve_begin(void *arg, const char *uri, struct MHD_Connection *con);
void cl_serve_end(void *arg, struct MHD_Connection *con, void **context, enum MHD_RequestTerminationCode how);
