/* SPDX-License-Identifier: Apache-2.0
 * The families of GET /metrics. A family's samples stand together, so each family walks over all that
 * was seen. Names and labels are those that Strimzi's rules for the JMX exporter make of Apache's
 * metrics; what Apache has not begins with connect_lua_.
 * Any thread, no state. Includes rest, worker/seen.h, base. */
#include "rest/metrics.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/secrets.h"
#include "rest/routes.h"
#include "worker/seen.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char TYPE[] = "text/plain; version=0.0.4; charset=utf-8";

/* ------------------------------------------------------------------- the text */

static void head(struct cl_buf *b, const char *name, const char *type, const char *help) {
  cl_buf_fmt(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void label(struct cl_buf *b, bool first, const char *name, const char *value) {
  cl_buf_fmt(b, "%s%s=\"", first ? "{" : ",", name);
  for (const char *p = value; *p; p++) {
    if (*p == '\n')
      cl_buf_str(b, "\\n");
    else if (*p == '"' || *p == '\\')
      cl_buf_fmt(b, "\\%c", *p);
    else
      cl_buf_char(b, *p);
  }
  cl_buf_char(b, '"');
}

/* A setting like others: it may come from a config provider. */
static void client_label(struct cl_buf *b, const char *id) {
  char *hidden = cl_secrets_hidden(id);
  label(b, true, "clientid", hidden ? hidden : "");
  free(hidden);
}

static void task_labels(struct cl_buf *b, bool first, const struct cl_seen_connector *c,
                        const struct cl_seen_task *t) {
  char id[16];
  snprintf(id, sizeof(id), "%d", t->id);
  label(b, first, "connector", c->name);
  label(b, false, "task", id);
}

static void number(struct cl_buf *b, double value) { cl_buf_fmt(b, " %.15g\n", value); }

static void alone(struct cl_buf *b, const char *name, const char *type, const char *help, double value) {
  head(b, name, type, help);
  cl_buf_str(b, name);
  number(b, value);
}

/* ------------------------------------------------------------- of each task */

enum of { OF_ALL, OF_SOURCES, OF_SINKS };
enum what { TOTAL, COUNT, FAILED, RATE, AVG, MAX, FAILURES, STAT, RUNNING, PAUSED, OVERDUE, CALL_TIME };
enum { BATCH = -1 }; /* the meter that counts a batch, by kind */

static const struct family {
  const char *name, *type, *help;
  enum of of;
  enum what what;
  int id;       /* enum cl_stat or cl_meter_id */
  double scale; /* 0 = 1 */
} families[] = {
#define TASK(name) "kafka_connect_connector_task_" name
#define SOURCE(name) "kafka_connect_source_task_" name
#define SINK(name) "kafka_connect_sink_task_" name
#define ERRORS(name) "kafka_connect_task_error_" name
#define OURS(name) "connect_lua_task_" name
#define MS .scale = 1e-3
    {SOURCE("source_record_poll_total"), "counter", "Records that poll handed over.", OF_SOURCES, TOTAL,
     CL_METER_READ, 0},
    {SOURCE("source_record_poll_rate"), "gauge", "The same per second.", OF_SOURCES, RATE, CL_METER_READ, 0},
    {SOURCE("source_record_write_total"), "counter", "Records acknowledged by Kafka.", OF_SOURCES, TOTAL,
     CL_METER_SENT, 0},
    {SOURCE("source_record_write_rate"), "gauge", "The same per second.", OF_SOURCES, RATE, CL_METER_SENT, 0},
    {SOURCE("poll_batch_avg_time_ms"), "gauge", "What polls that handed records over took.", OF_SOURCES, AVG,
     CL_METER_CALL, MS},
    {SOURCE("poll_batch_max_time_ms"), "gauge", "The longest of them.", OF_SOURCES, MAX, CL_METER_CALL, MS},
    {SOURCE("source_record_active_count"), "gauge", "Records that wait for their acknowledgement.",
     OF_SOURCES, STAT, CL_STAT_ACTIVE, 0},
    {SOURCE("source_record_active_count_avg"), "gauge", "The same over time.", OF_SOURCES, AVG,
     CL_METER_ACTIVE, 0},
    {SOURCE("source_record_active_count_max"), "gauge", "The most of them.", OF_SOURCES, MAX, CL_METER_ACTIVE,
     0},
    {SINK("sink_record_read_total"), "counter", "Records read from Kafka.", OF_SINKS, TOTAL, CL_METER_READ,
     0},
    {SINK("sink_record_read_rate"), "gauge", "The same per second.", OF_SINKS, RATE, CL_METER_READ, 0},
    {SINK("sink_record_send_total"), "counter", "Records given to put, after transforms.", OF_SINKS, TOTAL,
     CL_METER_SENT, 0},
    {SINK("sink_record_send_rate"), "gauge", "The same per second.", OF_SINKS, RATE, CL_METER_SENT, 0},
    {SINK("put_batch_avg_time_ms"), "gauge", "What puts took.", OF_SINKS, AVG, CL_METER_CALL, MS},
    {SINK("put_batch_max_time_ms"), "gauge", "The longest of them.", OF_SINKS, MAX, CL_METER_CALL, MS},
    {SINK("partition_count"), "gauge", "Partitions assigned.", OF_SINKS, STAT, CL_STAT_PARTITIONS, 0},
    {SINK("sink_record_active_count"), "gauge", "Records put whose offsets are not committed.", OF_SINKS,
     STAT, CL_STAT_ACTIVE, 0},
    {SINK("sink_record_active_count_avg"), "gauge", "The same over time.", OF_SINKS, AVG, CL_METER_ACTIVE, 0},
    {SINK("sink_record_active_count_max"), "gauge", "The most of them.", OF_SINKS, MAX, CL_METER_ACTIVE, 0},
    {SINK("offset_commit_seq_no"), "gauge", "Number of the latest offset commit.", OF_SINKS, STAT,
     CL_STAT_COMMIT_SEQ, 0},
    {SINK("offset_commit_completion_total"), "counter", "Offset commits that succeeded.", OF_SINKS, TOTAL,
     CL_METER_COMMIT_OK, 0},
    {SINK("offset_commit_completion_rate"), "gauge", "The same per second.", OF_SINKS, RATE,
     CL_METER_COMMIT_OK, 0},
    {SINK("offset_commit_skip_total"), "counter", "Answers to commits that came too late.", OF_SINKS, TOTAL,
     CL_METER_COMMIT_SKIP, 0},
    {SINK("offset_commit_skip_rate"), "gauge", "The same per second.", OF_SINKS, RATE, CL_METER_COMMIT_SKIP,
     0},
    {TASK("batch_size_avg"), "gauge", "Records of a batch.", OF_ALL, AVG, BATCH, 0},
    {TASK("batch_size_max"), "gauge", "The most of them.", OF_ALL, MAX, BATCH, 0},
    {TASK("offset_commit_avg_time_ms"), "gauge", "What offset commits took.", OF_ALL, AVG, CL_METER_COMMIT,
     MS},
    {TASK("offset_commit_max_time_ms"), "gauge", "The longest of them.", OF_ALL, MAX, CL_METER_COMMIT, MS},
    {TASK("offset_commit_success_percentage"), "gauge", "Part of the commits that succeeded, 0 to 1.", OF_ALL,
     AVG, CL_METER_COMMIT_OK, 0},
    {TASK("offset_commit_failure_percentage"), "gauge", "Part of the commits that failed, 0 to 1.", OF_ALL,
     FAILURES, CL_METER_COMMIT_OK, 0},
    {TASK("running_ratio"), "gauge", "Part of its time that the task was running.", OF_ALL, RUNNING, 0, 0},
    {TASK("pause_ratio"), "gauge", "Part of its time that the task was paused.", OF_ALL, PAUSED, 0, 0},
    {ERRORS("total_record_failures"), "gauge", "Operations on records that failed.", OF_ALL, STAT,
     CL_STAT_RECORD_FAILURES, 0},
    {ERRORS("total_record_errors"), "gauge", "Records that could not be processed.", OF_ALL, STAT,
     CL_STAT_RECORD_ERRORS, 0},
    {ERRORS("total_records_skipped"), "gauge", "Records passed over after an error.", OF_ALL, STAT,
     CL_STAT_RECORDS_SKIPPED, 0},
    {ERRORS("total_retries"), "gauge", "Operations tried again.", OF_ALL, STAT, CL_STAT_RETRIES, 0},
    {ERRORS("total_errors_logged"), "gauge", "Errors of records that were logged.", OF_ALL, STAT,
     CL_STAT_ERRORS_LOGGED, 0},
    {ERRORS("deadletterqueue_produce_requests"), "gauge", "Records sent to the dead letter queue.", OF_ALL,
     STAT, CL_STAT_DLQ_REQUESTS, 0},
    {ERRORS("deadletterqueue_produce_failures"), "gauge", "Those that did not arrive there.", OF_ALL, STAT,
     CL_STAT_DLQ_FAILURES, 0},
    {ERRORS("last_error_timestamp"), "gauge",
     "Milliseconds since the epoch of the last error of a record, 0 = none.", OF_ALL, STAT,
     CL_STAT_LAST_ERROR_MS, 0},
    {OURS("poll_or_put_calls_total"), "counter",
     "Calls of the plugin's poll that handed records over, or of its put.", OF_ALL, COUNT, CL_METER_CALL, 0},
    {OURS("poll_or_put_seconds_total"), "counter", "Time spent in them.", OF_ALL, TOTAL, CL_METER_CALL,
     .scale = 1e-6},
    {OURS("offset_commits_total"), "counter", "Offset commits, failed ones too.", OF_ALL, COUNT,
     CL_METER_COMMIT_OK, 0},
    {OURS("offset_commit_failures_total"), "counter", "Offset commits that failed.", OF_ALL, FAILED,
     CL_METER_COMMIT_OK, 0},
    {OURS("lag_records"), "gauge", "Records of all its partitions that put has not taken yet.", OF_SINKS,
     STAT, CL_STAT_LAG, 0},
    {OURS("lag_records_max"), "gauge", "The same of the partition that has most.", OF_SINKS, STAT,
     CL_STAT_LAG_MAX, 0},
    {OURS("plugin_reloads_total"), "counter", "Changed plugins that the task has taken over.", OF_ALL, COUNT,
     CL_METER_RELOAD, 0},
    {OURS("plugin_reload_seconds_total"), "counter", "Time the task has paused for that.", OF_ALL, TOTAL,
     CL_METER_RELOAD, .scale = 1e-6},
    {OURS("plugin_reload_rejections_total"), "counter", "Changed plugins that the task could not take over.",
     OF_ALL, STAT, CL_STAT_RELOADS_REJECTED, 0},
    {OURS("letters_waiting"), "gauge", "Dead letters that Kafka has not acknowledged yet.", OF_ALL, STAT,
     CL_STAT_LETTERS, 0},
    {OURS("lua_memory_bytes"), "gauge", "Memory of the task's Lua state.", OF_ALL, STAT, CL_STAT_LUA_BYTES,
     0},
    {OURS("record_memory_bytes"), "gauge", "Memory of the task's records.", OF_ALL, STAT, CL_STAT_ARENA_BYTES,
     0},
    {OURS("overdue_calls_total"), "counter", "Calls of the plugin that took longer than the watchdog's time.",
     OF_ALL, STAT, CL_STAT_OVERDUE_CALLS, 0},
    {OURS("call_overdue"), "gauge", "1 while the running call takes longer than the watchdog's time.", OF_ALL,
     OVERDUE, 0, 0},
    {OURS("call_seconds"), "gauge", "How long the running call of the plugin has taken, 0 = none runs.",
     OF_ALL, CALL_TIME, 0, 0},
};

/* False = this task has none. */
static bool value_of(const struct family *f, const struct cl_seen_connector *c, const struct cl_seen_task *t,
                     int64_t now, double *out) {
  struct cl_meter_view v = {0};
  int64_t since;
  int id = f->id == BATCH ? c->sink ? CL_METER_SENT : CL_METER_READ : f->id;
  if ((f->of == OF_SOURCES && c->sink) || (f->of == OF_SINKS && !c->sink))
    return false;
  if (f->what <= FAILURES)
    cl_stats_meter_view(t->stats, (enum cl_meter_id)id, now, &v);
  *out = 0;
  switch (f->what) {
  case TOTAL: *out = (double)v.sum; break;
  case COUNT: *out = (double)v.count; break;
  case FAILED: *out = (double)(v.count - v.sum); break;
  case RATE: *out = v.rate; break;
  case AVG: *out = v.avg; break;
  case MAX: *out = (double)v.max; break;
  case FAILURES: *out = v.recent ? 1 - v.avg : 0; break;
  case STAT: *out = (double)cl_stats_get(t->stats, (enum cl_stat)id); break;
  case RUNNING: *out = t->running_ratio; break;
  case PAUSED: *out = t->pause_ratio; break;
  case OVERDUE: *out = t->overdue; break;
  case CALL_TIME:
    *out = cl_stats_call(t->stats, &since) && now > since ? (double)(now - since) / 1000 : 0;
    break;
  }
  *out *= f->scale > 0 ? f->scale : 1;
  return f->what != STAT || *out >= 0; /* -1: not known */
}

/* client: the sample is named after the task's Kafka client and has its id, too. */
static void family(struct cl_buf *b, const struct cl_seen *seen, const struct family *f, bool client,
                   int64_t now) {
  bool begun = false;
  double value;
  for (size_t i = 0; i < seen->n; i++) {
    const struct cl_seen_connector *c = &seen->connectors[i];
    for (size_t j = 0; j < c->n_tasks; j++) {
      const struct cl_seen_task *t = &c->tasks[j];
      if (!value_of(f, c, t, now, &value))
        continue;
      if (!begun)
        head(b, f->name, f->type, f->help);
      begun = true;
      cl_buf_str(b, f->name);
      if (client)
        client_label(b, t->client_id);
      task_labels(b, !client, c, t);
      cl_buf_char(b, '}');
      number(b, value);
    }
  }
}

/* A counter's name ends with _total, and no gauge's does (lua/connect/host/metrics.lua): no two families are
 * named alike. */
static void own_family(struct cl_buf *b, const struct cl_seen *seen, const struct cl_stats_named *first) {
  bool begun = false;
  char name[128];
  size_t n;
  snprintf(name, sizeof(name), "connect_lua_plugin_%s%s", first->name, first->gauge ? "" : "_total");
  for (size_t i = 0; i < seen->n; i++) {
    const struct cl_seen_connector *c = &seen->connectors[i];
    for (size_t j = 0; j < c->n_tasks; j++) {
      const struct cl_stats_named *all = cl_stats_named_all(c->tasks[j].stats, &n);
      for (size_t k = 0; k < n; k++) {
        if (strcmp(all[k].name, first->name) != 0 || all[k].gauge != first->gauge)
          continue;
        if (!begun && &all[k] != first)
          return; /* written before */
        if (!begun)
          head(b, name, first->gauge ? "gauge" : "counter", "A plugin's own.");
        begun = true;
        cl_buf_str(b, name);
        task_labels(b, true, c, &c->tasks[j]);
        cl_buf_char(b, '}');
        number(b, all[k].value);
      }
    }
  }
}

static void own_families(struct cl_buf *b, const struct cl_seen *seen) {
  for (size_t i = 0; i < seen->n; i++) {
    for (size_t j = 0; j < seen->connectors[i].n_tasks; j++) {
      size_t n;
      const struct cl_stats_named *all = cl_stats_named_all(seen->connectors[i].tasks[j].stats, &n);
      for (size_t k = 0; k < n; k++)
        own_family(b, seen, &all[k]);
    }
  }
}

static const struct family client_families[] = {
#define OF_CLIENT(kind, of)                                                                                  \
  {"kafka_" kind "_connection_count", "gauge", "Connections to brokers.", of, STAT, CL_STAT_CONNECTIONS, 0}, \
      {"kafka_" kind "_outgoing_byte_total",                                                                 \
       "counter",                                                                                            \
       "Bytes sent to brokers.",                                                                             \
       of,                                                                                                   \
       STAT,                                                                                                 \
       CL_STAT_BYTES_OUT,                                                                                    \
       0},                                                                                                   \
  {                                                                                                          \
    "kafka_" kind "_incoming_byte_total", "counter", "Bytes received from brokers.", of, STAT,               \
        CL_STAT_BYTES_IN, 0                                                                                  \
  }
    OF_CLIENT("producer", OF_SOURCES),
    OF_CLIENT("consumer", OF_SINKS),
    {"kafka_consumer_fetch_manager_records_lag_max", "gauge",
     "Records that the partition with most of them lags.", OF_SINKS, STAT, CL_STAT_LAG_MAX, 0},
};

/* ------------------------------------------------------- states and counts */

static void one(struct cl_buf *b, const char *name, const char *key, const char *value,
                const struct cl_seen_connector *c) {
  cl_buf_str(b, name);
  label(b, true, "connector", c->name);
  label(b, false, key, value);
  cl_buf_str(b, "} 1\n");
}

static void connectors(struct cl_buf *b, const struct cl_seen *seen) {
  static const struct {
    const char *name, *key, *help;
    size_t field;
  } rows[] = {
#define ROW(key, help, field)                                                                                \
  {"kafka_connect_connector_" key, key, help, offsetof(struct cl_seen_connector, field)}
      ROW("status", "State of the connector.", state),
      ROW("connector_class", "Class of the connector.", class),
      ROW("connector_type", "Whether it is a source or a sink.", type),
      ROW("connector_version", "Version of the connector.", version),
  };
  for (size_t r = 0; seen->n > 0 && r < sizeof(rows) / sizeof(*rows); r++) {
    head(b, rows[r].name, "gauge", rows[r].help);
    for (size_t i = 0; i < seen->n; i++) {
      const struct cl_seen_connector *c = &seen->connectors[i];
      one(b, rows[r].name, rows[r].key, *(const char *const *)((const char *)c + rows[r].field), c);
    }
  }
}

static void task_states(struct cl_buf *b, const struct cl_seen *seen) {
  static const char name[] = "kafka_connect_connector_task_status";
  head(b, name, "gauge", "State of the task, failed and unassigned ones too.");
  for (size_t i = 0; i < seen->n; i++) {
    for (size_t j = 0; j < seen->connectors[i].n_tasks; j++) {
      const struct cl_seen_task *t = &seen->connectors[i].tasks[j];
      cl_buf_str(b, name);
      task_labels(b, true, &seen->connectors[i], t);
      label(b, false, "status", t->state);
      cl_buf_str(b, "} 1\n");
    }
  }
}

static size_t tasks_in(const struct cl_seen_connector *c, const char *state) {
  size_t n = 0;
  for (size_t i = 0; i < c->n_tasks; i++)
    n += !state || strcmp(c->tasks[i].state, state) == 0;
  return n;
}

static void task_counts(struct cl_buf *b, const struct cl_seen *seen) {
  static const char *const states[] = {"destroyed",  "failed",  "paused",
                                       "restarting", "running", "unassigned"};
  char name[96];
  for (size_t s = 0; seen->n > 0 && s <= sizeof(states) / sizeof(*states); s++) {
    const char *state = s < sizeof(states) / sizeof(*states) ? states[s] : NULL;
    snprintf(name, sizeof(name), "kafka_connect_worker_connector_%s_task_count", state ? state : "total");
    head(b, name, "gauge", state ? "Tasks of the connector in this state." : "Tasks of the connector.");
    for (size_t i = 0; i < seen->n; i++) {
      cl_buf_str(b, name);
      label(b, true, "connector", seen->connectors[i].name);
      cl_buf_char(b, '}');
      number(b, (double)tasks_in(&seen->connectors[i], state));
    }
  }
}

static void startups(struct cl_buf *b, const char *what, const struct cl_seen_startups *s) {
  const int64_t all = s->succeeded + s->failed;
  const struct {
    const char *name, *type;
    double value;
  } rows[] = {
      {"attempts_total", "counter", (double)all},
      {"success_total", "counter", (double)s->succeeded},
      {"failure_total", "counter", (double)s->failed},
      {"success_percentage", "gauge", all ? (double)s->succeeded / (double)all : 0},
      {"failure_percentage", "gauge", all ? (double)s->failed / (double)all : 0},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
    char name[96];
    snprintf(name, sizeof(name), "kafka_connect_worker_%s_startup_%s", what, rows[i].name);
    alone(b, name, rows[i].type, "Starts since the worker began.", rows[i].value);
  }
}

static void worker(struct cl_buf *b, const struct cl_seen *seen) {
  size_t tasks = 0;
  for (size_t i = 0; i < seen->n; i++)
    tasks += seen->connectors[i].n_tasks;
  alone(b, "kafka_connect_worker_connector_count", "gauge", "Connectors of this worker.", (double)seen->n);
  alone(b, "kafka_connect_worker_task_count", "gauge", "Tasks of this worker.", (double)tasks);
  startups(b, "connector", &seen->connector_startups);
  startups(b, "task", &seen->task_startups);
  /* One worker is the whole group: what boards for clusters read has an answer all the same. */
  alone(b, "kafka_connect_coordinator_assigned_connectors", "gauge", "Connectors of this worker.",
        (double)seen->n);
  alone(b, "kafka_connect_coordinator_assigned_tasks", "gauge", "Tasks of this worker.", (double)tasks);
  alone(b, "kafka_connect_worker_rebalance_rebalancing", "gauge", "A worker alone never rebalances.", 0);
  alone(b, "connect_lua_tasks_abandoned", "gauge", "Tasks that did not stop in time and still run.",
        seen->abandoned);
}

void cl_metrics(struct cl_exchange *x) {
  struct cl_seen *seen = cl_herder_see(x->herder);
  struct cl_buf b = {0};
  int64_t now = cl_now_ms();
  if (seen) {
    worker(&b, seen);
    connectors(&b, seen);
    task_counts(&b, seen);
    task_states(&b, seen);
    for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++)
      family(&b, seen, &families[i], false, now);
    for (size_t i = 0; i < sizeof(client_families) / sizeof(*client_families); i++)
      family(&b, seen, &client_families[i], true, now);
    own_families(&b, seen);
  }
  x->answer.page = seen ? cl_buf_take(&b) : NULL;
  cl_buf_free(&b);
  cl_seen_free(seen);
  if (!x->answer.page) {
    cl_reply_error(&x->answer.reply, 500, "Out of memory");
    return;
  }
  x->answer.reply.status = 200;
  snprintf(x->answer.type, sizeof(x->answer.type), "%s", TYPE);
}
