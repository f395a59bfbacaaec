/* SPDX-License-Identifier: Apache-2.0
 *
 * The herder: one thread, one inbox, every change of connectors and tasks. REST hands
 * commands in and is called back; reads are answered at once from snapshots.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"

#include <stdbool.h>

struct cl_herder;

struct cl_reply {
  int status;      /* HTTP */
  json_t *body;    /* new reference; NULL = no body */
  char *location;  /* malloc'd connector name for a Location header, or NULL */
};
void cl_reply_clear(struct cl_reply *r);
/* {"error_code":status,"message":...} as Apache writes it. */
void cl_reply_error(struct cl_reply *r, int status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

enum cl_command_kind {
  CL_CMD_CREATE, CL_CMD_PUT_CONFIG, CL_CMD_DELETE,
  CL_CMD_PAUSE, CL_CMD_RESUME, CL_CMD_STOP, CL_CMD_RESTART
};
struct cl_command {
  enum cl_command_kind kind;
  char *name;            /* connector; malloc'd, owned by the command */
  json_t *config;        /* CREATE, PUT_CONFIG */
  char *initial_state;   /* CREATE: or NULL */
  bool include_tasks, only_failed; /* RESTART */
  void (*done)(void *arg, struct cl_reply *reply); /* @thread herder; takes the reply's contents */
  void *arg;
};
/* Takes cmd (malloc'd). CL_EAGAIN when the inbox is full, CL_ESTOPPED when shutting down:
 * done is then not called and cmd is freed. @thread any. */
int cl_herder_submit(struct cl_herder *h, struct cl_command *cmd, struct cl_err *err);

enum cl_query_kind {
  CL_GET_ROOT, CL_GET_CONNECTORS, CL_GET_CONNECTOR, CL_GET_CONFIG, CL_GET_STATUS, CL_GET_TASKS, CL_GET_PLUGINS
};
struct cl_query {
  enum cl_query_kind kind;
  const char *name;
  bool expand_status, expand_info; /* GET_CONNECTORS */
  bool connectors_only;            /* GET_PLUGINS */
};
/* Never waits for Lua or Kafka. @thread any. */
void cl_herder_query(struct cl_herder *h, const struct cl_query *q, struct cl_reply *out);

struct cl_worker;
int cl_herder_start(const struct cl_worker *w, struct cl_herder **out, struct cl_err *err);
/* The worker id (host:port) that statuses show; takes it (malloc'd). The listener's port may
 * be known only after the herder has started. @thread main */
void cl_herder_announce(struct cl_herder *h, char *worker_id);
/* Refuses new commands, answers what is queued, stops all tasks, ends the thread, frees. */
void cl_herder_stop(struct cl_herder *h);
/* Runs cmd and waits for its reply. @thread main (connector files of the command line) */
void cl_herder_call(struct cl_herder *h, struct cl_command *cmd, struct cl_reply *reply);
