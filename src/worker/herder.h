/* SPDX-License-Identifier: Apache-2.0
 *
 * The herder: one thread, one inbox, every change of connectors and tasks. REST hands
 * commands in and is called back; reads are answered at once from snapshots. A second thread asks
 * the broker for the offsets of sinks, so that nothing else waits for it.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>

struct cl_herder;

struct cl_reply {
  int status;     /* HTTP */
  json_t *body;   /* new reference; NULL = no body */
  char *location; /* malloc'd connector name for a Location header, or NULL */
};
void cl_reply_clear(struct cl_reply *r);
/* {"error_code":status,"message":...} as Apache writes it. */
void cl_reply_error(struct cl_reply *r, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

enum cl_command_kind {
  CL_CMD_CREATE,
  CL_CMD_PUT_CONFIG,
  CL_CMD_PATCH_CONFIG,
  CL_CMD_DELETE,
  CL_CMD_PAUSE,
  CL_CMD_RESUME,
  CL_CMD_STOP,
  CL_CMD_RESTART,
  CL_CMD_RESTART_TASK,
  CL_CMD_RESET_TOPICS,
  CL_CMD_PUT_TASKS,
  CL_CMD_FENCE,
  CL_CMD_VALIDATE,
  CL_CMD_READ_OFFSETS, /* of a sink */
  CL_CMD_ALTER_OFFSETS,
  CL_CMD_RESET_OFFSETS,
  CL_CMD_RESTORE, /* the connectors that are remembered, but for names that are there already */
  CL_CMD_RELOAD,  /* looks for plugins that have changed */
  CL_CMD_PUBLISH, /* the reload thread's: these are the plugins from now on */
  CL_CMD_WAKE     /* the herder's own */
};
struct cl_command {
  enum cl_command_kind kind;
  char *name;                      /* connector; VALIDATE, RELOAD: plugin ("" = all); malloc'd, owned */
  json_t *config;                  /* CREATE, PUT_CONFIG, PATCH_CONFIG (null = remove the key), VALIDATE;
                                    * ALTER_OFFSETS: array of {"partition","offset"}, objects or null;
                                    * PUBLISH: what has changed (cl_plugin_info_changes), the answer */
  struct cl_plugins *plugins;      /* PUBLISH: a reference */
  char *initial_state;             /* CREATE: or NULL */
  bool given;                      /* CREATE: of the command line, which will say it again: not remembered */
  bool include_tasks, only_failed; /* RESTART */
  int task;                        /* RESTART_TASK */
  /* @thread herder, groups or reload; takes the reply's contents. NULL = nobody waits */
  void (*done)(void *arg, struct cl_reply *reply);
  void *arg;
};
/* Takes cmd (malloc'd). CL_EAGAIN when the inbox is full, CL_ESTOPPED when shutting down:
 * done is then not called and cmd is freed. @thread any. */
int cl_herder_submit(struct cl_herder *h, struct cl_command *cmd, struct cl_err *err);

enum cl_query_kind {
  CL_GET_ROOT,
  CL_GET_HEALTH,
  CL_GET_CONNECTORS,
  CL_GET_CONNECTOR,
  CL_GET_CONFIG,
  CL_GET_STATUS,
  CL_GET_TASKS,
  CL_GET_TASK_STATUS,
  CL_GET_TOPICS,
  CL_GET_OFFSETS,
  CL_GET_PLUGINS,
  CL_GET_PLUGIN_CONFIG,
  CL_GET_PLUGIN_FILES,
  CL_GET_TASK_CALLS,
  CL_GET_VALIDATION
};
struct cl_query {
  enum cl_query_kind kind;
  const char *name;                /* connector; GET_PLUGIN_CONFIG, GET_VALIDATION: plugin */
  int task;                        /* GET_TASK_STATUS */
  bool expand_status, expand_info; /* GET_CONNECTORS */
  bool connectors_only;            /* GET_PLUGINS */
  const char *version;             /* GET_PLUGIN_CONFIG: or NULL */
  const json_t *config;            /* GET_VALIDATION */
};
/* Never waits for Lua or Kafka: a validation that needs the plugin's own code leaves out->status
 * 0 and has to be submitted as CL_CMD_VALIDATE, a sink's offsets as CL_CMD_READ_OFFSETS. @thread any. */
void cl_herder_query(struct cl_herder *h, const struct cl_query *q, struct cl_reply *out);

/* What the herder thread does now, as Apache says it, with a blank before; "" when idle. @thread any */
void cl_herder_stage(struct cl_herder *h, char *out, size_t size);

struct cl_worker;
int cl_herder_start(const struct cl_worker *w, struct cl_herder **out, struct cl_err *err);
/* The worker id (host:port) that statuses show; takes it (malloc'd). The listener's port may
 * be known only after the herder has started. @thread main */
void cl_herder_announce(struct cl_herder *h, char *worker_id);
/* The connectors of the command line are there: from now on GET /health says so. @thread main */
void cl_herder_ready(struct cl_herder *h);
/* Refuses new commands, answers what is queued, stops all tasks, ends the thread, frees. */
void cl_herder_stop(struct cl_herder *h);
/* Runs cmd and waits for its reply. @thread main (connector files of the command line) */
void cl_herder_call(struct cl_herder *h, struct cl_command *cmd, struct cl_reply *reply);
