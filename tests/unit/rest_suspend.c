/* SPDX-License-Identifier: Apache-2.0
 * Requests that wait for the herder, and starting and stopping around them. */
#include "rest_client.h"

/* ---- suspended requests ---- */

static void wait_held(struct fixture *f, int wanted) {
  int n = -1;
  for (int i = 0; i < 5000 && n != wanted; i++, usleep(1000)) {
    pthread_mutex_lock(&f->herder.lock);
    n = f->herder.n_held;
    pthread_mutex_unlock(&f->herder.lock);
  }
  assert_int_equal(n, wanted);
}

static void set_hold(struct fixture *f, bool hold) {
  pthread_mutex_lock(&f->herder.lock);
  f->herder.hold = hold;
  pthread_mutex_unlock(&f->herder.lock);
}

static void test_pipelining(void **state) {
  struct fixture *f = *state;
  set_hold(f, true);
  int fd = dial(f);
  say(fd, "PUT /connectors/one/resume HTTP/1.1\r\nHost: h\r\n\r\n"
          "GET /connectors/two HTTP/1.1\r\nHost: h\r\n\r\n"
          "GET /connectors/three HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  fake_finish(take_held(f));
  char *answer = hear(fd), *one = strstr(answer, "\"one\""), *two = strstr(answer, "\"two\"");
  assert_true(one && two && one < two && two < strstr(answer, "\"three\""));
  free(answer);
}

static void *answer_held(void *arg) {
  struct fixture *f = arg;
  for (int i = 0; i < 100; i++)
    fake_finish(take_held(f));
  return NULL;
}

static void test_hundred_parallel(void **state) {
  struct fixture *f = *state;
  int fds[100];
  pthread_t thread;
  set_hold(f, true);
  for (int i = 0; i < 100; i++) {
    char text[128];
    snprintf(text, sizeof text, "PUT /connectors/c%d/resume HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
             i);
    fds[i] = dial(f);
    say(fds[i], text);
  }
  wait_held(f, 100);                                              /* all are suspended at once */
  check(ask(f, "GET", "/connectors", "", NULL), 200, JSON, NULL); /* and others are served */
  pthread_create(&thread, NULL, answer_held, f);
  for (int i = 0; i < 100; i++) {
    char name[32];
    char *answer = hear(fds[i]);
    snprintf(name, sizeof name, "\"name\":\"c%d\"", i);
    assert_non_null(strstr(answer, name));
    check(answer, 200, JSON, NULL);
  }
  pthread_join(thread, NULL);
}

static void test_time_out(void **state) {
  struct fixture *f = *state;
  set_hold(f, true);
  int64_t start = cl_now_ms();
  check(ask(f, "PUT", "/connectors/c/pause", "", NULL), 500, JSON,
        ERROR(500, "Request timed out. The worker is currently busy."));
  assert_in_range(cl_now_ms() - start, 200, 5000);
  fake_finish(take_held(f)); /* the command completes later, on a connection that is gone */
  set_hold(f, false);
  check(ask(f, "PUT", "/connectors/c/pause", "", NULL), 202, NULL, "");
}

static void test_client_leaves(void **state) {
  struct fixture *f = *state;
  set_hold(f, true);
  for (int i = 0; i < 20; i++) {
    int fd = dial(f);
    say(fd, "PUT /connectors/c/resume HTTP/1.1\r\nHost: h\r\n\r\n");
    struct cl_command *cmd = take_held(f);
    if (i % 2) { /* a reset, not a goodbye */
      struct linger now = {.l_onoff = 1};
      setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    close(fd);
    fake_finish(cmd);
  }
  check(ask(f, "GET", "/connectors", "", NULL), 200, JSON, NULL);
}

static void test_herder_refuses(void **state) {
  struct fixture *f = *state;
  f->herder.refuse = CL_EAGAIN;
  check(ask(f, "PUT", "/connectors/c/pause", "", NULL), 503, JSON, ERROR(503, "Worker is busy, try again"));
  f->herder.refuse = CL_ESTOPPED;
  check(ask(f, "PUT", "/connectors/c/pause", "", NULL), 503, JSON, ERROR(503, "Worker is shutting down"));
}

/* ---- start and stop ---- */

static void test_stop_while_suspended(void **state) {
  struct fixture *f = *state;
  int fds[10];
  set_hold(f, true);
  for (int i = 0; i < 10; i++) {
    fds[i] = dial(f);
    say(fds[i], "PUT /connectors/c/resume HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  }
  wait_held(f, 10);
  int idle = dial(f), half = dial(f);
  say(half, "GET /connectors HTTP/1.1\r\n"); /* headers that never end hold nobody up */
  usleep(20000);
  int64_t start = cl_now_ms();
  cl_server_stop(f->server, 10000);
  f->server = NULL;
  assert_in_range(cl_now_ms() - start, 0, 5000);
  for (int i = 0; i < 10; i++)
    check(hear(fds[i]), 503, JSON, ERROR(503, "Worker is shutting down"));
  char *nothing = hear(idle);
  assert_string_equal(nothing, "");
  free(nothing);
  free(hear(half));
  /* teardown completes the ten commands when the server is gone */
}

static void test_stop_with_a_stuck_upload(void **state) {
  struct fixture *f = *state;
  char go_on[64];
  int fd = dial(f);
  say(fd,
      "PUT /connectors/c/config HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n");
  ssize_t n = recv(fd, go_on, sizeof(go_on), 0); /* the server has begun to take the body */
  assert_true(n > 12 && memcmp(go_on, "HTTP/1.1 100", 12) == 0);
  say(fd, "x");
  int64_t start = cl_now_ms();
  cl_server_stop(f->server, 300);
  f->server = NULL;
  assert_in_range(cl_now_ms() - start, 250, 5000);
  free(hear(fd));
}

struct hammer {
  uint16_t port;
  bool stop;
};

/* Writes as fast as it can until told to stop; the server may vanish at any moment. */
static void *hammer(void *arg) {
  struct hammer *h = arg;
  struct sockaddr_in addr = {
      .sin_family = AF_INET, .sin_port = htons(h->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  for (int n = 0; !__atomic_load_n(&h->stop, __ATOMIC_RELAXED); n++) {
    struct timeval patience = {.tv_sec = 5};
    char answer[4096];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&addr, sizeof addr) == 0) {
      say(fd, n % 2 ? "PUT /connectors/c/resume HTTP/1.1\r\nHost: h\r\n\r\n"
                      "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
                    : "GET / HTTP/1.1\r\nno colon\r\n\r\n"); /* libmicrohttpd answers this itself */
      while (recv(fd, answer, sizeof answer, 0) > 0) {
      }
    }
    close(fd);
  }
  return NULL;
}

static void *finish_all(void *arg) {
  struct fixture *f = arg;
  for (;;) {
    pthread_mutex_lock(&f->herder.lock);
    struct cl_command *cmd = f->herder.n_held > 0 ? f->herder.held[--f->herder.n_held] : NULL;
    bool end = !cmd && !f->herder.hold;
    pthread_mutex_unlock(&f->herder.lock);
    if (cmd)
      fake_finish(cmd);
    else if (end)
      return NULL;
  }
}

/* Herder, deadline and stop compete for the same requests; libmicrohttpd aborts on any mistake. */
static void test_stop_under_load(void **state) {
  struct fixture *f = *state;
  for (int round = 0; round < 15; round++) {
    struct hammer h = {.port = cl_server_port(f->server, 0)};
    pthread_t clients[4], herder;
    set_hold(f, true);
    pthread_create(&herder, NULL, finish_all, f);
    for (int i = 0; i < 4; i++)
      pthread_create(&clients[i], NULL, hammer, &h);
    usleep(20000);
    cl_server_stop(f->server, round % 3 * 5);
    __atomic_store_n(&h.stop, true, __ATOMIC_RELAXED);
    for (int i = 0; i < 4; i++)
      pthread_join(clients[i], NULL);
    set_hold(f, false);
    pthread_join(herder, NULL);
    f->server = start_with(f, "127.0.0.1", 0, 1 + round);
    assert_non_null(f->server);
  }
}

static void test_hosts(void **state) {
  struct fixture *f = *state;
  cl_server_stop(f->server, 1000);
  static const char *const hosts[] = {"", "localhost", "0.0.0.0"};
  for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
    f->server = start_with(f, hosts[i], 0, 1000);
    assert_non_null(f->server);
    assert_true(cl_server_port(f->server, 0) > 0);
    check(ask(f, "GET", "/connectors", "", NULL), 200, JSON, NULL); /* by IPv4 */
    cl_server_stop(f->server, 1000);
  }
  f->server = NULL;
}

static void test_bad_hosts(void **state) {
  struct fixture *f = *state;
  struct cl_err err = CL_ERR_INIT;
  struct cl_server *s = NULL;
  struct cl_listener taken = {.host = (char *)(uintptr_t) "127.0.0.1", .port = cl_server_port(f->server, 0)};
  struct cl_rest_conf conf = f->conf;
  conf.listeners = &taken;
  assert_int_equal(cl_server_start(&conf, &f->herder, &s, &err), CL_EIO);
  assert_null(s);
  assert_non_null(strstr(err.msg, "cannot listen on 127.0.0.1:"));
  assert_non_null(
      strstr(err.msg, "stop the program that has this port, or change listeners in the worker file"));
  assert_non_null(strstr(err.msg, "Address already in use"));
  taken.host = (char *)(uintptr_t) "no such host";
  assert_int_equal(cl_server_start(&conf, &f->herder, &s, &err), CL_EIO);
  assert_non_null(strstr(err.msg, "cannot resolve host no such host"));
}

static void test_access_log(void **state) {
  struct fixture *f = *state;
  struct cl_err err = CL_ERR_INIT;
  char path[] = "/tmp/rest_server_log_XXXXXX", text[4096];
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(cl_log_open(path, CL_INFO, false, &err), 0);
  check(ask(f, "GET", "/connectors/a\x1b[31m?x=1", "", NULL), 400, JSON, NULL);
  check(ask(f, "DELETE", "/connectors/c", "", NULL), 204, NULL, NULL);
  cl_server_stop(f->server, 1000);
  f->server = NULL;
  cl_log_close();
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  unlink(path);
  cl_loggers_start(CL_OFF);
  assert_true(n > 0);
  text[n] = 0;
  assert_non_null(strstr(text, "GET /connectors/a?[31m 400 "));
  assert_non_null(strstr(text, "DELETE /connectors/c 204 "));
  assert_non_null(strstr(text, " ms 127.0.0.1 (rest)\n"));
}

int main(void) {
  cl_loggers_start(CL_OFF);
  const struct CMUnitTest tests[] = {
      TEST(test_pipelining),
      TEST(test_hundred_parallel),
      TEST_SHORT(test_time_out),
      TEST(test_client_leaves),
      TEST(test_herder_refuses),
      TEST(test_stop_while_suspended),
      TEST(test_stop_with_a_stuck_upload),
      TEST(test_stop_under_load),
      TEST(test_hosts),
      TEST(test_bad_hosts),
      TEST(test_access_log),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
