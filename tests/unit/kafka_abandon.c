/* SPDX-License-Identifier: Apache-2.0
 * Clients of stuck tasks, closed from another thread. What is abandoned is leaked on purpose,
 * so each test runs in a process of its own that ends by _exit. */
#include "kafka_rig.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#define check(what)                                                                                          \
  do {                                                                                                       \
    if (!(what)) {                                                                                           \
      fprintf(stderr, "line %d: %s\n", __LINE__, #what);                                                     \
      _exit(1);                                                                                              \
    }                                                                                                        \
  } while (0)

static void in_child(void (*body)(void)) {
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    alarm(60);
    check(rig_up(NULL) == 0);
    body();
    _exit(0);
  }
  int status = -1;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_int_equal(status, 0);
}

/* As of a member that has long to go: each is looked after in turn, none is given up. */
static void leave_all(struct rig_task *t, size_t n) {
  size_t left = 0;
  for (int64_t deadline = cl_now_ms() + 15000; left < n; usleep(1000)) {
    left = 0;
    for (size_t i = 0; i < n; i++)
      left += cl_consumer_leave(t[i].c, false);
    check(cl_now_ms() < deadline);
  }
}

static void hold_messages(void) {
  struct rig_task t;
  rig_fill("held", 0, 10);
  rig_consumer(&t, "held", "held");
  struct cl_batch *b = rig_read(&t, 10, 15000);
  check(b->n == 10);
  cl_consumer_abandon(t.c);
  cl_consumer_abandon(t.c);
  leave_all(&t, 1);
  struct cl_commit commit = {t.ids[0], 5};
  check(cl_consumer_poll(t.c, b, 10, 5000, &err) == CL_ESTOPPED);
  check(cl_consumer_commit(t.c, &commit, 1, 1, &err) == CL_ESTOPPED);
  check(cl_consumer_commit_sync(t.c, &commit, 1, 60000, &err) == CL_ESTOPPED);
  check(cl_consumer_seek(t.c, t.ids[0], 0, &err) == CL_ESTOPPED);
  check(cl_consumer_pause(t.c, t.ids[0], &err) == CL_ESTOPPED);
  check(t.revoked == 0); /* its events are not called any more */
  check(rig_value(b, 9) == 9);
  cl_batch_unref(b);
  cl_consumer_close(t.c); /* the thread that comes back does this: no effect */

  rig_consumer(&t, "held", "held"); /* nothing it did counts */
  b = rig_read(&t, 10, 15000);
  check(b->n == 10);
}

static void *poll_for_long(void *c) {
  struct cl_batch *b = cl_batch_get(pool);
  static struct cl_err e;
  e.code = cl_consumer_poll(c, b, 10, 30000, &e);
  return &e;
}

static void end_a_poll(void) {
  struct rig_task t;
  pthread_t thread;
  rig_consumer(&t, "polls", "polls");
  check(pthread_create(&thread, NULL, poll_for_long, t.c) == 0);
  usleep(500000);
  cl_consumer_abandon(t.c);
  leave_all(&t, 1);
  void *result;
  pthread_join(thread, &result);
  check(((struct cl_err *)result)->code == CL_ESTOPPED); /* not 0, when its time is over */
}

static void group_consumer(struct rig_task *t, const char *group, const char *topic) {
  struct cl_consumer_conf conf = rig_conf(t);
  json_t *client = rig_client(group), *topics = json_pack("[s]", topic);
  conf.client = client;
  conf.topics = topics;
  conf.embedded = NULL;
  *t = (struct rig_task){.move_to = -1};
  must(cl_consumer_open(&conf, &t->c, &err));
  json_decref(client);
  json_decref(topics);
}

/* Members of groups whose threads are stuck all get out, though nobody waits for one before the next begins
 * to leave. */
static void leave_together(void) {
  enum { MEMBERS = 3 };
  static const char *const groups[MEMBERS] = {"one", "two", "three"};
  struct rig_task t[MEMBERS];
  struct cl_batch *b = cl_batch_get(pool);
  rig_fill("members", 0, 10);
  for (size_t i = 0; i < MEMBERS; i++)
    group_consumer(&t[i], groups[i], "members");
  for (bool all = false; !all;) {
    all = true;
    for (size_t i = 0; i < MEMBERS; i++) {
      must(cl_consumer_poll(t[i].c, b, 10, 10, &err));
      all = all && t[i].assigned > 0;
    }
  }
  cl_batch_unref(b);
  for (size_t i = 0; i < MEMBERS; i++)
    cl_consumer_abandon(t[i].c);
  leave_all(t, MEMBERS);
  for (size_t i = 0; i < MEMBERS; i++)
    check(cl_consumer_leave(t[i].c, true)); /* once more is no matter */
}

static void drop_records(void) {
  struct rig_reports reports = {0};
  struct cl_producer *p = rig_producer(&reports, false, "linger.ms", "3000", NULL);
  struct cl_batch *b = cl_batch_get(pool);
  must(cl_producer_send(p, rig_record(b, "dropped", NULL, "v"), &err));
  cl_producer_abandon(p);
  cl_producer_abandon(p);
  check(cl_producer_send(p, rig_record(b, "dropped", NULL, "v"), &err) == CL_ESTOPPED);
  check(cl_producer_poll(p, 5000) == 0);
  check(cl_producer_flush(p, 5000, &err) == CL_ESTOPPED);
  cl_producer_close(p, 5000);
  check(reports.n == 0);
  struct rig_task t;
  rig_consumer(&t, "dropped", "dropped");
  b = rig_read(&t, 1, 4000);
  check(b->n == 0);
}

static void consumer_with_messages(void **state) {
  (void)state;
  in_child(hold_messages);
}

static void consumer_inside_poll(void **state) {
  (void)state;
  in_child(end_a_poll);
}

static void members_of_a_group(void **state) {
  (void)state;
  in_child(leave_together);
}

static void producer_with_records(void **state) {
  (void)state;
  in_child(drop_records);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(consumer_with_messages),
      cmocka_unit_test(consumer_inside_poll),
      cmocka_unit_test(members_of_a_group),
      cmocka_unit_test(producer_with_records),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
