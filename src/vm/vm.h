/* SPDX-License-Identifier: Apache-2.0
 *
 * One task's Lua state: birth, limits, protected calls, death.
 * The thread that makes a vm is the only one that may use it and the one that frees it
 * (but for cl_vm_interrupt). A state whose thread is stuck is never closed.
 */
#pragma once

#include "connect_lua/abi_c.h"

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "base/stats.h"
#include "vm/chain.h"
#include "vm/rights.h"

struct cl_vm;

/* What Lua asks of the task; floor 5 implements it (task/source.c, task/sink.c), called on the task's
 * thread. Functions that a kind of task has not are NULL. */
struct cl_vm_ops {
  int (*sleep)(void *task, int64_t ms); /* 1 = asked to stop; serves delivery reports, commits due offsets */
  /* A stage's attempt at a record, begun at since (monotonic), has failed with a retriable error. Waits and
   * answers 1 = once more, 0 = enough, -1 = the task is to stop. */
  int (*retry)(void *task, uint32_t attempt, int64_t since);
  bool (*stopping)(void *task);
  /* source */
  int (*offset)(void *task, const json_t *partition, json_t **out, struct cl_err *err); /* *out NULL = none */
  int64_t (*partition)(void *task, const char *json, size_t len, struct cl_err *err);   /* id */
  /* sink */
  int (*rewind)(void *task, const char *topic, int32_t partition, int64_t offset, struct cl_err *err);
  int (*pause)(void *task, const char *topic, int32_t partition, bool pause, struct cl_err *err);
  json_t *(*assignment)(void *task); /* array of {"topic","partition"}, new reference */
  void (*timeout)(void *task, int64_t ms);
  void (*request_commit)(void *task);
  /* The plugin's put gives the record up: it is reported. Fails when that is not tolerated. */
  int (*reject)(void *task, const struct cl_failure *failure, struct cl_err *err);
};

struct cl_vm_part { /* a plugin and its configuration */
  const struct cl_plugin *plugin;
  const json_t *config; /* typed by the plugin's rows (cl_conf_parse) */
};

struct cl_vm_conf {
  const char *home;      /* folder holding lua/ */
  const char *connector; /* name */
  int task, tasks_max;
  size_t memory_max; /* Lua's bytes; the arena has its own budget */
  bool jit;          /* false = connect.lua.jit=off */
  const struct cl_vm_ops *ops;
  void *opaque; /* the task, handed to ops */
  struct cl_space *space;
  struct cl_stats *stats;            /* told of the running call; NULL = nobody looks */
  struct cl_vm_part plugin;          /* the connector */
  struct cl_vm_part key, value;      /* converters */
  struct cl_vm_part header;          /* plugin NULL = headers stay bytes */
  const struct cl_chain *transforms; /* borrowed during cl_vm_new; NULL = none */
  struct cl_rights rights;           /* of its plugins */
  bool tolerate;                     /* errors.tolerance=all */
  bool keep_emitted;                 /* source: batch.emitted is made when there are transforms */
};

/* Makes the state and loads plugin and converters; runs no verb but configure. */
int cl_vm_new(const struct cl_vm_conf *conf, struct cl_vm **out, struct cl_err *err);
void cl_vm_free(struct cl_vm *vm);

bool cl_vm_has(const struct cl_vm *vm, const char *verb);

/* One protected call each. CL_ELUA for what a plugin threw: retriable for
 * connect.retriable, CL_EDATA class for connect.data_error, fatal otherwise; trace has the
 * Lua traceback with file:line. Memory cap reached: fatal. */
int cl_vm_start(struct cl_vm *vm, struct cl_err *err);
/* plugin.poll, then transforms and converters: batch is CL_BATCH_READY with encoded bytes. Records
 * that fail there are in batch.failures; unless they are tolerated the batch ends before the first of
 * them, with CL_EDATA naming topic, source partition and source offset. After a retriable error of poll's
 * what it had emitted is encoded too. Whenever batch is CL_BATCH_READY it is to be sent, and else to be
 * dropped. */
int cl_vm_poll(struct cl_vm *vm, struct cl_batch *batch, struct cl_err *err);
int cl_vm_commit(struct cl_vm *vm, struct cl_err *err);
/* plugin.commit_record(ctx, the record as poll emitted it, {topic, partition, offset}, or nil when it
 * was not delivered). */
int cl_vm_commit_record(struct cl_vm *vm, struct cl_record *rec, int32_t partition, int64_t offset,
                        bool delivered, struct cl_err *err);

/* Converters and transforms over a batch as consumed. Records that fail are in batch.failures; unless
 * they are tolerated the batch ends before the first of them, with CL_EDATA naming topic, partition and
 * offset. */
int cl_vm_convert(struct cl_vm *vm, struct cl_batch *batch, struct cl_err *err);
/* plugin.put with a converted batch, also an empty one. After a retriable error the same batch is
 * put again. */
int cl_vm_put(struct cl_vm *vm, struct cl_batch *batch, struct cl_err *err);
/* offsets: array of {"topic","partition","offset"}. *out: what flush returned in the same
 * form, or NULL when it returned nothing. */
int cl_vm_flush(struct cl_vm *vm, const json_t *offsets, json_t **out, struct cl_err *err);
int cl_vm_open(struct cl_vm *vm, const json_t *partitions, struct cl_err *err);  /* no-ops when the plugin */
int cl_vm_close(struct cl_vm *vm, const json_t *partitions, struct cl_err *err); /* has no such verb */
int cl_vm_stop(struct cl_vm *vm, struct cl_err *err);

struct cl_vm_parts { /* what a task runs */
  struct cl_vm_part plugin, key, value, header;
  const struct cl_chain *transforms; /* of as many stages as before */
};
/* What next has of this plugin file is set up and takes the place of what ran, whose memory is given back; of
 * a connector its `reload` carries it over. Not while a batch is converted. On an error all is as it was. */
int cl_vm_reload(struct cl_vm *vm, const struct cl_vm_parts *next, const char *file, struct cl_err *err);

/* How long the plugin's own part of the last cl_vm_poll or cl_vm_put took, without transforms and
 * converters. */
int64_t cl_vm_plugin_us(const struct cl_vm *vm);
size_t cl_vm_memory(const struct cl_vm *vm); /* bytes that Lua holds */

/* Sets the debug hook that raises "stopped" in interpreted code. @thread any, best effort. */
void cl_vm_interrupt(struct cl_vm *vm);

/* The verb written in lua/connect/kit/<tool>.lua, with args, inside a full state (FFI symbols, all
 * libraries, package.path reaching home/lua). Answers its exit code. */
int cl_vm_run_tool(const char *home, const char *tool, int argc, char **argv);
