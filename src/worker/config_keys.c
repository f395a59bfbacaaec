/* SPDX-License-Identifier: Apache-2.0
 *
 * Warnings about keys of the worker file that do nothing here: unknown ones with the nearest
 * known one, those of a connector, client settings without the prefix that would hand them on.
 * Thread: main. May include floors 5-0.
 */
#define CL_COMPONENT "worker.config"
#include "worker/config_internal.h"

#include "base/text.h"

#include "task/connector.h"

#include <string.h>

#define KEY(name_)                                                                                           \
  { .name = name_ }

/* Apache's distributed worker knows these besides; a file for both modes may hold them. */
static const struct cl_conf_row distributed_rows[] = {
    KEY("client.id"),
    KEY("connect.protocol"),
    KEY("exactly.once.source.support"),
    KEY("group.id"),
    KEY("heartbeat.interval.ms"),
    KEY("inter.worker.key.generation.algorithm"),
    KEY("inter.worker.key.size"),
    KEY("inter.worker.key.ttl.ms"),
    KEY("inter.worker.signature.algorithm"),
    KEY("inter.worker.verification.algorithms"),
    KEY("rebalance.timeout.ms"),
    KEY("scheduled.rebalance.max.delay.ms"),
    KEY("session.timeout.ms"),
    KEY("worker.sync.timeout.ms"),
    KEY("worker.unsync.backoff.ms"),
};

/* Under the prefixes of the worker's topics: those and what a topic can be created with. */
static const struct cl_conf_row topic_rows[] = {
    KEY("cleanup.policy"),
    KEY("compression.gzip.level"),
    KEY("compression.lz4.level"),
    KEY("compression.type"),
    KEY("compression.zstd.level"),
    KEY("delete.retention.ms"),
    KEY("file.delete.delay.ms"),
    KEY("flush.messages"),
    KEY("flush.ms"),
    KEY("index.interval.bytes"),
    KEY("local.retention.bytes"),
    KEY("local.retention.ms"),
    KEY("max.compaction.lag.ms"),
    KEY("max.message.bytes"),
    KEY("message.downconversion.enable"),
    KEY("message.timestamp.after.max.ms"),
    KEY("message.timestamp.before.max.ms"),
    KEY("message.timestamp.type"),
    KEY("min.cleanable.dirty.ratio"),
    KEY("min.compaction.lag.ms"),
    KEY("min.insync.replicas"),
    KEY("partitions"),
    KEY("preallocate"),
    KEY("remote.log.copy.disable"),
    KEY("remote.log.delete.on.disable"),
    KEY("remote.storage.enable"),
    KEY("replication.factor"),
    KEY("retention.bytes"),
    KEY("retention.ms"),
    KEY("segment.bytes"),
    KEY("segment.index.bytes"),
    KEY("segment.jitter.ms"),
    KEY("segment.ms"),
    KEY("topic"),
    KEY("unclean.leader.election.enable"),
};
static const struct cl_conf_def distributed = {distributed_rows,
                                               sizeof(distributed_rows) / sizeof(*distributed_rows)},
                                topic = {topic_rows, sizeof(topic_rows) / sizeof(*topic_rows)};

/* The part of the key after the prefix of one of a distributed worker's topics, or NULL. */
static const char *topic_key(const char *key) {
  static const char *const prefixes[] = {"offset.storage.", "config.storage.", "status.storage."};
  for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
    if (cl_starts_with(key, prefixes[i]))
      return key + strlen(prefixes[i]);
  return NULL;
}

/* The part after the prefix of one set of https listeners, or NULL. */
static const char *tls_key(const char *key) {
  static const char *const prefixes[] = {"listeners.https.", "admin.listeners.https."};
  for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
    if (cl_starts_with(key, prefixes[i]))
      return key + strlen(prefixes[i]);
  return NULL;
}

static bool is_known(const char *key) {
  const char *rest = topic_key(key), *tls = tls_key(key);
  if (tls)
    return cl_starts_with(tls, "ssl.") && cl_conf_find(cl_worker_def(), tls);
  return cl_conf_find(cl_worker_def(), key) || cl_conf_find(&distributed, key) ||
         (rest && cl_conf_find(&topic, rest));
}

/* Clients, converters and providers look at these themselves. */
static bool is_anothers(const char *key) {
  static const char *const prefixes[] = {"producer.",        "consumer.",         "admin.",
                                         "key.converter.",   "value.converter.",  "header.converter.",
                                         "metrics.context.", "config.providers.", NULL};
  for (size_t i = 0; prefixes[i]; i++)
    if (cl_starts_with(key, prefixes[i]))
      return true;
  return false;
}

static bool is_connectors(const char *key) {
  static const char *const prefixes[] = {
      "transforms.",        "predicates.",        "errors.",         "topic.creation.",
      "producer.override.", "consumer.override.", "admin.override.", NULL};
  for (size_t i = 0; prefixes[i]; i++)
    if (cl_starts_with(key, prefixes[i]))
      return true;
  return cl_conf_find(cl_connector_def(true), key) || cl_conf_find(cl_connector_def(false), key);
}

static void warn_of_unknown(const char *path, const char *key) {
  const char *rest = topic_key(key), *tls = tls_key(key);
  const char *near = rest  ? cl_conf_nearest(&topic, rest)
                     : tls ? cl_conf_nearest(cl_worker_def(), tls)
                           : NULL;
  int prefix = near ? (int)((rest ? rest : tls) - key) : 0;
  if (!near)
    near = cl_conf_nearest(cl_worker_def(), key);
  if (!near && !rest)
    near = cl_conf_nearest(&distributed, key);
  if (near)
    CL_LOG(CL_WARN, "%s: unknown key %s; did you mean %.*s%s?", path, key, prefix, key, near);
  else
    CL_LOG(CL_WARN, "%s: unknown key %s", path, key);
}

/* Adds "KEY as producer.KEY, consumer.KEY" unless the file has one of them as well. Admin clients
 * alone take settings without a prefix, in Apache's worker too. */
static void note_bare(struct cl_buf *out, const json_t *raw, const char *key) {
  struct cl_buf instead = {0};
  static const struct {
    enum cl_client_kind kind;
    const char *prefix;
  } clients[] = {{CL_CLIENT_PRODUCER, "producer."}, {CL_CLIENT_CONSUMER, "consumer."}};
  bool given = false;
  for (size_t i = 0; i < sizeof(clients) / sizeof(*clients); i++) {
    if (!cl_client_key_fits(clients[i].kind, key))
      continue;
    struct cl_buf full = {0};
    cl_buf_fmt(&full, "%s%s", clients[i].prefix, key);
    if (!full.failed) {
      given = given || json_object_get(raw, full.p);
      cl_buf_fmt(&instead, "%s%s", instead.len ? ", " : "", full.p);
    }
    cl_buf_free(&full);
  }
  if (!given && instead.len > 0 && !instead.failed)
    cl_buf_fmt(out, "%s%s as %s", out->len ? "; " : "", key, instead.p);
  cl_buf_free(&instead);
}

/* Listeners that are not there need no TLS. */
static void warn_of_tls(const char *path, const json_t *raw) {
  static const struct {
    const char *listeners, *prefix;
  } sets[] = {{"listeners", "listeners.https."}, {"admin.listeners", "admin.listeners.https."}};
  for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++) {
    const char *key, *urls = cl_json_str(raw, sets[i].listeners);
    json_t *value;
    if (urls && strcasestr(urls, "https://"))
      continue;
    json_object_foreach ((json_t *)raw, key, value)
      if (cl_starts_with(key, sets[i].prefix))
        CL_LOG(CL_WARN, "%s: %s has no effect: no address of %s is https", path, key, sets[i].listeners);
  }
}

static void warn_of_effects(const char *path, const json_t *raw) {
  warn_of_tls(path, raw);
  static const char *const versions[] = {"key.converter.plugin.version", "value.converter.plugin.version",
                                         "header.converter.plugin.version"};
  for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++)
    if (!cl_is_blank(cl_json_str(raw, versions[i])))
      CL_LOG(CL_WARN, "%s: %s has no effect: there is one version of each plugin", path, versions[i]);
  const char *reporters = cl_json_str(raw, "metric.reporters");
  if (!cl_is_blank(reporters) &&
      strcmp(reporters, cl_conf_find(cl_worker_def(), "metric.reporters")->dflt) != 0)
    CL_LOG(CL_WARN, "%s: metric.reporters has no effect: Java classes cannot run here", path);
}

void cl_worker_warn_of_keys(const char *path, const json_t *raw) {
  const char *key;
  json_t *value;
  struct cl_buf bare = {0};
  json_object_foreach ((json_t *)raw, key, value) {
    if (cl_starts_with(key, "internal.key.converter") || cl_starts_with(key, "internal.value.converter"))
      CL_LOG(CL_WARN, "%s: %s has no effect: the internal format is always schemaless JSON", path, key);
    else if (is_known(key))
      continue;
    else if (is_connectors(key))
      CL_LOG(CL_WARN, "%s: %s is a connector's key: put it into the connector's config", path, key);
    else if (is_anothers(key))
      continue;
    else if (cl_client_key_known(key))
      note_bare(&bare, raw, key);
    else
      warn_of_unknown(path, key);
  }
  if (bare.len > 0 && !bare.failed)
    CL_LOG(CL_WARN,
           "%s: client settings without a prefix do not reach producers or consumers; "
           "write %s",
           path, bare.p);
  cl_buf_free(&bare);
  warn_of_effects(path, raw);
}
