/* SPDX-License-Identifier: Apache-2.0
 * The herder under many callers, with a full inbox, and at its end. */
#include "worker_rig.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdatomic.h>

enum { CALLERS = 4, READERS = 2, ROUNDS = 8, INBOX = 4096 };

static const char plain_lua[] =
    "return { api = 1, kind = 'source', config = { { name = 'x', type = 'string' } },\n"
    "poll = function(ctx) ctx:sleep(5) ctx:emit { topic = 'load', value = 'x' } end }\n";
/* Keeps the herder until the control thread's deadline. */
static const char stuck_lua[] =
    "return { api = 1, kind = 'source', poll = function() end, tasks = function() while true do end end }\n";

static struct rig *rig;

static int open_all(void **state) {
  (void)state;
  rig = rig_open("offset.flush.interval.ms=20\n", "plain.lua", plain_lua, "stuck.lua", stuck_lua, NULL);
  rig_start(rig);
  return 0;
}

static int close_all(void **state) {
  (void)state;
  rig_close(rig);
  return 0;
}

/* -------------------------------------------------------------- many at once */

struct caller {
  pthread_t thread;
  int id, bad;
};

static int status_of(enum cl_command_kind kind, const char *name, json_t *config) {
  struct cl_reply reply = rig_run(rig, kind, name, config);
  int status = reply.status;
  cl_reply_clear(&reply);
  return status;
}

static json_t *plain(int x) {
  char text[16];
  snprintf(text, sizeof text, "%d", x);
  return config_of("connector.class", "plain", "x", text, NULL);
}

/* One connector of its own, and one that all fight for. */
static void *call(void *arg) {
  struct caller *c = arg;
  char own[16];
  snprintf(own, sizeof own, "own%d", c->id);
  for (int i = 0; i < ROUNDS; i++) {
    c->bad += status_of(CL_CMD_PUT_CONFIG, own, plain(i)) != 201;
    int shared = status_of(CL_CMD_PUT_CONFIG, "shared", plain(i * CALLERS + c->id));
    c->bad += shared != 200 && shared != 201;
    c->bad += status_of(CL_CMD_PAUSE, own, NULL) != 202;
    c->bad += status_of(CL_CMD_RESUME, own, NULL) != 202;
    c->bad += status_of(CL_CMD_STOP, own, NULL) != 204;
    shared = status_of(CL_CMD_RESTART, "shared", NULL);
    c->bad += shared != 204 && shared != 404;
    shared = status_of(CL_CMD_DELETE, "shared", NULL);
    c->bad += shared != 204 && shared != 404;
    c->bad += status_of(CL_CMD_DELETE, own, NULL) != 204;
  }
  c->bad += status_of(CL_CMD_PUT_CONFIG, own, plain(99)) != 201;
  return NULL;
}

static atomic_bool over;

static void *look(void *arg) {
  struct caller *c = arg;
  static const enum cl_query_kind kinds[] = {CL_GET_ROOT,   CL_GET_CONNECTORS, CL_GET_CONNECTOR,
                                             CL_GET_CONFIG, CL_GET_STATUS,     CL_GET_TASKS,
                                             CL_GET_TOPICS, CL_GET_HEALTH};
  for (unsigned i = 0; !atomic_load(&over); i++) {
    struct cl_query q = {.kind = kinds[i % (sizeof kinds / sizeof *kinds)],
                         .name = i & 8 ? "shared" : "own0",
                         .expand_status = i & 16,
                         .expand_info = i & 32};
    struct cl_reply reply = {0};
    cl_herder_query(rig->herder, &q, &reply);
    char *text = cl_json_text(reply.body); /* read while the herder goes on */
    c->bad += !text || (reply.status != 200 && reply.status != 404 && reply.status != 503);
    free(text);
    cl_reply_clear(&reply);
    usleep(200);
  }
  return NULL;
}

static void many_callers(void **state) {
  (void)state;
  struct caller callers[CALLERS], readers[READERS];
  atomic_store(&over, false);
  for (int i = 0; i < READERS; i++) {
    readers[i] = (struct caller){.id = i};
    assert_int_equal(pthread_create(&readers[i].thread, NULL, look, &readers[i]), 0);
  }
  for (int i = 0; i < CALLERS; i++) {
    callers[i] = (struct caller){.id = i};
    assert_int_equal(pthread_create(&callers[i].thread, NULL, call, &callers[i]), 0);
  }
  for (int i = 0; i < CALLERS; i++) {
    pthread_join(callers[i].thread, NULL);
    assert_int_equal(callers[i].bad, 0);
  }
  atomic_store(&over, true);
  for (int i = 0; i < READERS; i++) {
    pthread_join(readers[i].thread, NULL);
    assert_int_equal(readers[i].bad, 0);
  }
  status_of(CL_CMD_DELETE, "shared", NULL);
  struct cl_reply reply = rig_ask(rig, (struct cl_query){.kind = CL_GET_CONNECTORS});
  assert_int_equal(json_array_size(reply.body), CALLERS);
  cl_reply_clear(&reply);
}

/* ------------------------------------------------------------- inbox and end */

static atomic_int answered, bad_answers;

static void answer(void *arg, struct cl_reply *reply) {
  if (reply->status != (int)(intptr_t)arg)
    atomic_fetch_add(&bad_answers, 1);
  atomic_fetch_add(&answered, 1);
}

static int submit(enum cl_command_kind kind, const char *name, json_t *config, int expected,
                  struct cl_err *err) {
  struct cl_command *cmd = calloc(1, sizeof *cmd);
  *cmd = (struct cl_command){.kind = kind,
                             .name = strdup(name),
                             .config = config,
                             .done = answer,
                             .arg = (void *)(intptr_t)expected};
  return cl_herder_submit(rig->herder, cmd, err);
}

static void wait_answered(int n) {
  int64_t until = cl_now_ms() + 30000;
  while (atomic_load(&answered) < n) {
    assert_true(cl_now_ms() < until);
    usleep(1000);
  }
}

/* A herder that is kept takes no more than its ceiling, and answers all of it in the end. */
static void full_inbox(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  atomic_store(&answered, 0);
  atomic_store(&bad_answers, 0);
  assert_int_equal(submit(CL_CMD_PUT_CONFIG, "kept", config_of("connector.class", "stuck", NULL), 500, &err),
                   0);
  usleep(300000);
  for (int i = 0; i < INBOX; i++)
    assert_int_equal(submit(CL_CMD_PAUSE, "nobody", NULL, 404, &err), 0);
  assert_int_equal(submit(CL_CMD_PAUSE, "nobody", NULL, 404, &err), CL_EAGAIN);
  assert_non_null(strstr(err.msg, "Too many requests are waiting"));
  assert_int_equal(atomic_load(&answered), 0);
  wait_answered(INBOX + 1);
  assert_int_equal(atomic_load(&bad_answers), 0);
  assert_int_equal(status_of(CL_CMD_DELETE, "kept", NULL), 204);
}

/* What is queued is answered before the tasks are stopped. */
static void end_with_queued_commands(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  atomic_store(&answered, 0);
  atomic_store(&bad_answers, 0);
  for (int i = 0; i < 10; i++) {
    char name[16];
    snprintf(name, sizeof name, "last%d", i);
    assert_int_equal(submit(CL_CMD_PUT_CONFIG, name, plain(i), 201, &err), 0);
    assert_int_equal(submit(i % 2 ? CL_CMD_PAUSE : CL_CMD_RESUME, name, NULL, 202, &err), 0);
  }
  assert_int_equal(submit(CL_CMD_DELETE, "last3", NULL, 204, &err), 0);
  cl_herder_stop(rig->herder);
  rig->herder = NULL;
  assert_int_equal(atomic_load(&answered), 21);
  assert_int_equal(atomic_load(&bad_answers), 0);
  rig_start(rig); /* the worker can have another one */
  struct cl_reply reply = rig_ask(rig, (struct cl_query){.kind = CL_GET_CONNECTORS});
  assert_int_equal(json_array_size(reply.body), 0);
  cl_reply_clear(&reply);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(many_callers),
      cmocka_unit_test(full_inbox),
      cmocka_unit_test(end_with_queued_commands),
  };
  return cmocka_run_group_tests(tests, open_all, close_all);
}
