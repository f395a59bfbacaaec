/* SPDX-License-Identifier: Apache-2.0
 *
 * A herder for the tests of src/rest: queries are echoed, commands are echoed at once,
 * held for the test to answer, or refused. Included by one .c of a program; its definitions
 * stand in for those of src/worker, whose archive members are then not linked.
 */
#pragma once

#include "worker/herder.h"
#include "worker/seen.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAKE_HELD_MAX = 4096 };

struct cl_herder {
  pthread_mutex_t lock;
  bool hold;  /* keep commands in held */
  int refuse; /* a cl_code: submit answers it */
  struct cl_command *held[FAKE_HELD_MAX];
  int n_held, n_submitted;
};

static const char *const fake_commands[] = {"CREATE",       "PUT_CONFIG",   "PATCH_CONFIG",  "DELETE",
                                            "PAUSE",        "RESUME",       "STOP",          "RESTART",
                                            "RESTART_TASK", "RESET_TOPICS", "PUT_TASKS",     "FENCE",
                                            "VALIDATE",     "READ_OFFSETS", "ALTER_OFFSETS", "RESET_OFFSETS"};
static const char *const fake_queries[] = {"ROOT",         "HEALTH",     "CONNECTORS", "CONNECTOR",
                                           "CONFIG",       "STATUS",     "TASKS",      "TASK_STATUS",
                                           "TOPICS",       "OFFSETS",    "PLUGINS",    "PLUGIN_CONFIG",
                                           "PLUGIN_FILES", "TASK_CALLS", "VALIDATION"};

void cl_reply_clear(struct cl_reply *r) {
  json_decref(r->body);
  free(r->location);
  *r = (struct cl_reply){0};
}

void cl_reply_error(struct cl_reply *r, int status, const char *fmt, ...) {
  char text[4096];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  cl_reply_clear(r);
  r->status = status;
  r->body = json_pack("{s:i, s:o}", "error_code", status, "message", cl_json_lenient(text));
  CL_REQUIRE(r->body);
}

static void fake_command_free(struct cl_command *cmd) {
  free(cmd->name);
  free(cmd->initial_state);
  json_decref(cmd->config);
  free(cmd);
}

/* Answers a command with what it says, as the real one answers: 201 with Location, 204, 202, 200. */
static void fake_finish(struct cl_command *cmd) {
  struct cl_reply r = {.status = 200};
  switch (cmd->kind) {
  case CL_CMD_DELETE: r.status = 204; break;
  case CL_CMD_PAUSE: r.status = 202; break;
  case CL_CMD_RESTART_TASK:
    r.body = json_pack("{s:s, s:i}", "name", cmd->name, "restarted", cmd->task);
    break;
  case CL_CMD_CREATE:
    r.status = 201;
    r.location = strdup(cmd->name);
    /* fall through */
  default:
    r.body = json_pack("{s:s, s:s, s:O?, s:s?, s:b, s:b}", "command", fake_commands[cmd->kind], "name",
                       cmd->name, "config", cmd->config, "initial_state", cmd->initial_state, "include_tasks",
                       cmd->include_tasks, "only_failed", cmd->only_failed);
  }
  cmd->done(cmd->arg, &r);
  cl_reply_clear(&r);
  fake_command_free(cmd);
}

int cl_herder_submit(struct cl_herder *h, struct cl_command *cmd, struct cl_err *err) {
  pthread_mutex_lock(&h->lock);
  int refuse = h->refuse;
  bool hold = h->hold;
  h->n_submitted++;
  if (!refuse && hold)
    h->held[h->n_held++] = cmd;
  pthread_mutex_unlock(&h->lock);
  if (refuse) {
    fake_command_free(cmd);
    return cl_err_set(err, refuse, "refused");
  }
  if (!hold)
    fake_finish(cmd);
  return 0;
}

void cl_herder_stage(struct cl_herder *h, char *out, size_t size) {
  pthread_mutex_lock(&h->lock);
  snprintf(out, size, "%s", h->n_held ? " The worker is currently busy." : "");
  pthread_mutex_unlock(&h->lock);
}

void cl_herder_query(struct cl_herder *h, const struct cl_query *q, struct cl_reply *out) {
  (void)h;
  if (q->name && strcmp(q->name, "none") == 0) {
    cl_reply_error(out, 404, "Connector none not found");
    return;
  }
  out->status = 200;
  if ((q->kind == CL_GET_VALIDATION && strcmp(q->name, "lua") == 0) ||
      (q->kind == CL_GET_OFFSETS && strcmp(q->name, "sink") == 0))
    out->status = 0; /* only the herder can say */
  else if (q->kind == CL_GET_VALIDATION)
    out->body = json_incref((json_t *)q->config);
  else if (q->kind == CL_GET_TASK_STATUS)
    out->body = json_pack("{s:s, s:i}", "name", q->name, "task", q->task);
  else if (q->kind == CL_GET_PLUGIN_CONFIG)
    out->body = json_pack("{s:s, s:s?}", "plugin", q->name, "version", q->version);
  else if (q->kind == CL_GET_CONNECTORS && !q->expand_info && !q->expand_status)
    out->body = json_pack("[s, s]", "a", "b");
  else
    out->body = json_pack("{s:s, s:s?, s:b, s:b, s:b}", "query", fake_queries[q->kind], "name", q->name,
                          "status", q->expand_status, "info", q->expand_info, "only", q->connectors_only);
}

/* One sink of two tasks whose name has all that has to be escaped; the second task has done nothing. */
struct cl_seen *cl_herder_see(struct cl_herder *h) {
  (void)h;
  struct cl_seen *s = calloc(1, sizeof *s);
  s->connectors = calloc(1, sizeof *s->connectors);
  s->connectors[s->n++] = (struct cl_seen_connector){.name = strdup("a\"b\\c\nd"),
                                                     .class = strdup("Sink"),
                                                     .version = strdup("1"),
                                                     .state = "running",
                                                     .type = "sink",
                                                     .sink = true,
                                                     .n_tasks = 2};
  struct cl_seen_connector *c = s->connectors;
  c->tasks = calloc(2, sizeof *c->tasks);
  for (int i = 0; i < 2; i++)
    c->tasks[i] = (struct cl_seen_task){.id = i,
                                        .state = i ? "failed" : "running",
                                        .client_id = strdup("cid"),
                                        .stats = cl_stats_new(30000, 0)};
  cl_stats_add(c->tasks[0].stats, CL_STAT_RETRIES, 3);
  cl_stats_meter(c->tasks[0].stats, CL_METER_READ, 12, 1);
  s->task_startups = (struct cl_seen_startups){3, 1};
  return s;
}

void cl_seen_free(struct cl_seen *s) {
  struct cl_seen_connector *c = s->connectors;
  for (size_t i = 0; i < c->n_tasks; i++) {
    cl_stats_unref(c->tasks[i].stats);
    free(c->tasks[i].client_id);
  }
  free(c->tasks);
  free(c->name);
  free(c->class);
  free(c->version);
  free(c);
  free(s);
}
