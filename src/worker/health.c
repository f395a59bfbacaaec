/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /health (KIP-1017) without waiting: the worker is starting until its command line's
 * connectors are there, and unhealthy while one command keeps the herder longer than Apache's
 * request would wait. Any thread. May include floors 5-0.
 */
#include "worker/internal.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { PATIENCE_MS = 10000 };

static const char *const doing[] = {
    [CL_CMD_CREATE] = "creating connector",
    [CL_CMD_PUT_CONFIG] = "changing the config of connector",
    [CL_CMD_PATCH_CONFIG] = "changing the config of connector",
    [CL_CMD_DELETE] = "deleting connector",
    [CL_CMD_PAUSE] = "pausing connector",
    [CL_CMD_RESUME] = "resuming connector",
    [CL_CMD_STOP] = "stopping connector",
    [CL_CMD_RESTART] = "restarting connector",
    [CL_CMD_RESTART_TASK] = "restarting a task of connector",
    [CL_CMD_RESET_TOPICS] = "forgetting the topics of connector",
    [CL_CMD_PUT_TASKS] = "refusing task configs of connector",
    [CL_CMD_FENCE] = "refusing to fence connector",
    [CL_CMD_VALIDATE] = "validating a config of plugin",
    [CL_CMD_ALTER_OFFSETS] = "altering the offsets of connector",
    [CL_CMD_RESET_OFFSETS] = "resetting the offsets of connector",
    [CL_CMD_RESTORE] = "restoring connectors of",
    [CL_CMD_RELOAD] = "refusing to reload plugin",
    [CL_CMD_PUBLISH] = "taking changed plugins over",
};

void cl_health_begin(struct cl_herder *h, const struct cl_command *cmd) {
  pthread_mutex_lock(&h->lock);
  snprintf(h->stage.text, sizeof(h->stage.text), "%s%s%s", doing[cmd->kind], cmd->name[0] ? " " : "",
           cmd->name);
  h->stage.began_ms = cl_now_ms();
  h->stage.began_wall = cl_wall_ms();
  h->stage.over = false;
  pthread_mutex_unlock(&h->lock);
}

void cl_health_end(struct cl_herder *h) {
  pthread_mutex_lock(&h->lock);
  h->stage.over = true;
  pthread_mutex_unlock(&h->lock);
}

static void stage_sentence(const struct cl_stage *s, char *out, size_t size) {
  char at[32];
  struct tm tm;
  time_t seconds = (time_t)(s->began_wall / 1000);
  *out = '\0';
  if (!s->text[0] || s->over)
    return;
  gmtime_r(&seconds, &tm);
  strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%S", &tm);
  snprintf(out, size, " The worker is currently %s, which began at %s.%03dZ.", s->text, at,
           (int)(s->began_wall % 1000));
}

void cl_herder_stage(struct cl_herder *h, char *out, size_t size) {
  pthread_mutex_lock(&h->lock);
  stage_sentence(&h->stage, out, size);
  pthread_mutex_unlock(&h->lock);
}

static void answer(struct cl_reply *out, int http, const char *status, const char *message,
                   const char *stage) {
  char text[640];
  snprintf(text, sizeof(text), "%s%s", message, stage);
  out->status = http;
  out->body = json_pack("{s:s,s:o}", "status", status, "message", cl_json_lenient(text));
}

void cl_health_query(struct cl_herder *h, struct cl_reply *out) {
  char stage[512];
  pthread_mutex_lock(&h->lock);
  bool ready = h->ready,
       stuck = h->stage.text[0] && !h->stage.over && cl_now_ms() - h->stage.began_ms >= PATIENCE_MS;
  stage_sentence(&h->stage, stage, sizeof(stage));
  pthread_mutex_unlock(&h->lock);
  if (!ready)
    answer(out, 503, "starting", "Worker is still starting up.", stage);
  else if (stuck)
    answer(out, 500, "unhealthy",
           "Worker was unable to handle this request and may be unable to handle other requests.", stage);
  else
    answer(out, 200, "healthy", "Worker has completed startup and is ready to handle requests.", "");
}
