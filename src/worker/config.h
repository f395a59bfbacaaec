/* SPDX-License-Identifier: Apache-2.0
 *
 * The worker file: Apache's standalone keys and our own connect.lua.*, typed; what is not built
 * yet is refused by name, what nobody knows is warned about with the nearest known key. And
 * what follows from it for clients and converters.
 * Thread: main loads; immutable afterwards, any thread reads. Rows: config_rows.c.
 */
#pragma once

#include "base/confdef.h"
#include "base/log.h"
#include "kafka/conf.h"
#include "vm/plugin.h"
#include "worker/config_rest.h"
#include "worker/override_policy.h"

#include <stdint.h>

struct cl_worker_conf {
  char *path;                                            /* of the file */
  json_t *raw;                                           /* its keys (a config), variables resolved */
  struct cl_providers *providers;                        /* or NULL */
  struct cl_override_policy override_policy;             /* of connectors over client settings */
  char *bootstrap_servers;                               /* comma separated */
  bool embedded;                                         /* bootstrap.servers=embedded */
  char *key_converter, *value_converter;                 /* class or alias */
  char *header_converter;                                /* never NULL: SimpleHeaderConverter by default */
  json_t *key_converter_config, *value_converter_config; /* settings without their prefix */
  json_t *header_converter_config;
  int64_t task_shutdown_graceful_timeout_ms;
  int64_t offset_flush_interval_ms, offset_flush_timeout_ms;
  int64_t metrics_window_ms, watchdog_ms;
  char *offset_file;     /* NULL only when embedded */
  char *connectors_file; /* connect.lua.connectors.file; NULL = connectors are forgotten at the end */
  json_t *plugin_path;   /* array of paths, may be empty */
  json_t *grants;        /* connect.lua.grants: array, or NULL */
  struct cl_rest_conf rest;
  bool reload; /* connect.lua.reload: plugins may change while it runs */
  bool topic_creation, topic_tracking, topic_tracking_allow_reset;
  size_t memory_max; /* connect.lua.memory.max.bytes: of one task's Lua state, and again of its records */
  size_t consumer_buffer_bytes; /* connect.lua.consumer.buffer.bytes: of all consumers */
  char *log_file;               /* or NULL: stderr */
  enum cl_level log_level;
  bool log_json;
  struct cl_worker_warned *warned; /* warnings given already; its own lock */
};

/* The rows of the worker file, Apache's in Apache's order, then ours. */
const struct cl_conf_def *cl_worker_def(void);

/* Errors name the file and the key. */
int cl_worker_conf_load(const char *path, struct cl_worker_conf **out, struct cl_err *err);
/* The same of what would be in a file (texts by key); name stands for its path. */
int cl_worker_conf_make(const char *name, const json_t *raw, struct cl_worker_conf **out, struct cl_err *err);
/* What connectors find where there is no worker file: StringConverter, no plugin path, no clients.
 * NULL = no memory. */
struct cl_worker_conf *cl_worker_conf_plain(void);
void cl_worker_conf_free(struct cl_worker_conf *conf); /* NULL is allowed */

/* librdkafka keys of a client: built-in values, then the worker's producer./consumer./admin.
 * keys, then the connector's *.override. keys. connector NULL = the worker's own admin client
 * (connector_config NULL too). Keys that have no counterpart are named in one warning per kind
 * and set. With the embedded broker the caller puts bootstrap.servers in. */
int cl_worker_client_conf(const struct cl_worker_conf *conf, enum cl_client_kind kind, const char *connector,
                          int task, const json_t *connector_config, json_t **out, struct cl_err *err);

/* max.poll.records, by the same precedence; 500 unless set. */
uint32_t cl_worker_max_poll_records(const struct cl_worker_conf *conf, const json_t *connector_config);

/* A connector's converter: its own key when it sets one, else the worker's. role is "key",
 * "value" or "header". *plugin is borrowed from plugins; *typed: its settings (new reference). */
int cl_worker_converter(const struct cl_worker_conf *conf, const struct cl_plugins *plugins,
                        const json_t *connector_config, const char *role, struct cl_plugin **plugin,
                        json_t **typed, struct cl_err *err);
