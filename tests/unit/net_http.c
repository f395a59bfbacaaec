/* SPDX-License-Identifier: Apache-2.0
 * Transfers of src/net against a server that does what no good one would, on raw sockets. */
#include "connect_lua/abi_c.h"

#include "base/clock.h"
#include "base/err.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { HUGE_BODY = 100 << 20, WINDOW = 256 << 10, LONG_MS = 20000, KEPT_MAX = 16 };

/* --------------------------------------------------------------- the server */

static int listener;
static uint16_t port;
static pthread_t thread;
static _Atomic int connections;
static int kept[KEPT_MAX], n_kept; /* silent ones, of the server's thread */

static bool say(int fd, const char *p, size_t n) {
  while (n > 0) {
    ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
    if (sent <= 0)
      return false;
    p += sent;
    n -= (size_t)sent;
  }
  return true;
}
static bool say_text(int fd, const char *text) { return say(fd, text, strlen(text)); }

static void say_much(int fd) {
  static char zeros[65536];
  for (size_t n = 0; n < HUGE_BODY && say(fd, zeros, sizeof(zeros)); n += sizeof(zeros))
    ;
}

/* False: the connection ends. */
static bool answer(int fd, const char *path) {
  char rest[256];
  if (strcmp(path, "/hello") == 0)
    return say_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  if (strcmp(path, "/slow") == 0) {
    say_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    for (int i = 0; i < 5; i++) {
      usleep(20000);
      say(fd, "hello" + i, 1);
    }
    return true;
  }
  if (strcmp(path, "/silent") == 0) {
    kept[n_kept++] = dup(fd);
    return false;
  }
  if (strcmp(path, "/cut") == 0)
    say_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
  if (strcmp(path, "/half") == 0) { /* it says no more, and listens still */
    say_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
    shutdown(fd, SHUT_WR);
    while (recv(fd, rest, sizeof(rest), 0) > 0)
      ;
  }
  if (strcmp(path, "/announced") == 0) {
    say_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n");
    say_much(fd);
  }
  if (strcmp(path, "/endless") == 0) { /* its end is the connection's */
    say_text(fd, "HTTP/1.1 200 OK\r\n\r\n");
    say_much(fd);
  }
  if (strcmp(path, "/headers") == 0) {
    say_text(fd, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 100000 && say_text(fd, "X-Header: and so on, and so on, and so on\r\n"); i++)
      ;
  }
  return false;
}

static void serve(int fd) {
  char text[4096], path[64];
  size_t n = 0;
  for (;;) {
    ssize_t got = recv(fd, text + n, sizeof(text) - 1 - n, 0);
    if (got <= 0)
      break;
    n += (size_t)got;
    text[n] = '\0';
    if (!strstr(text, "\r\n\r\n"))
      continue;
    if (sscanf(text, "%*s %63s", path) != 1 || !answer(fd, path))
      break;
    n = 0;
  }
  close(fd);
}

static void *server_main(void *arg) {
  (void)arg;
  for (int fd; (fd = accept(listener, NULL, NULL)) >= 0;) {
    connections++;
    serve(fd);
  }
  return NULL;
}

static int set_up(void **state) {
  (void)state;
  struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof(addr);
  listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr *)&addr, size) != 0 || listen(listener, 16) != 0 ||
      getsockname(listener, (struct sockaddr *)&addr, &size) != 0)
    return -1;
  port = ntohs(addr.sin_port);
  return pthread_create(&thread, NULL, server_main, NULL);
}

static int tear_down(void **state) {
  (void)state;
  shutdown(listener, SHUT_RDWR);
  pthread_join(thread, NULL);
  close(listener);
  while (n_kept > 0)
    close(kept[--n_kept]);
  return 0;
}

/* --------------------------------------------------------------- the client */

static struct cl_http *http;

static int open_http(void **state) {
  (void)state;
  http = cl_ffi_http_new();
  return http ? 0 : -1;
}

static int close_http(void **state) {
  (void)state;
  cl_ffi_http_free(http);
  return 0;
}

static struct cl_http_call *start(const char *path, int64_t max) {
  char url[128];
  struct cl_http_call *call = cl_ffi_http_call(http);
  assert_non_null(call);
  int n = snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", port, path);
  cl_ffi_http_text(call, CL_HTTP_URL, url, (uint32_t)n);
  cl_ffi_http_text(call, CL_HTTP_METHOD, "GET", 3);
  cl_ffi_http_number(call, CL_HTTP_BODY_MAX, max);
  cl_ffi_http_header(call, "X-Empty", "");
  cl_ffi_http_header(call, "X-Some", "thing");
  assert_int_equal(cl_ffi_http_start(call), 0);
  return call;
}

/* Reads to its end: how many bytes, or a negative cl_code. */
static int64_t read_all(struct cl_http_call *call) {
  int64_t total = 0, deadline = cl_now_ms() + LONG_MS;
  while (!call->done || call->body.len > 0) {
    int rc = cl_ffi_http_wait(call, 100);
    if (rc < 0)
      return rc;
    assert_true(cl_now_ms() < deadline);
    assert_true(call->body.len <= WINDOW);
    total += call->body.len;
    cl_ffi_http_take(call, call->body.len);
  }
  return call->problem == CL_HTTP_NONE ? total : cl_ffi_http_wait(call, 0);
}

static void comes_whole(void **state) {
  (void)state;
  int before = connections;
  for (int i = 0; i < 3; i++) {
    struct cl_http_call *call = start(i == 1 ? "/slow" : "/hello", 5);
    int64_t deadline = cl_now_ms() + LONG_MS;
    for (size_t n = 0; n < 5; n++) {
      while (call->body.len == 0 && cl_now_ms() < deadline)
        assert_true(cl_ffi_http_wait(call, 100) >= 0);
      assert_int_equal(*call->body.p, "hello"[n]);
      cl_ffi_http_take(call, 1);
    }
    assert_int_equal(call->status, 200);
    assert_memory_equal(call->head.p, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", call->head.len);
    assert_int_equal(read_all(call), 0);
    assert_int_equal(call->problem, CL_HTTP_NONE);
    assert_int_equal(cl_ffi_http_wait(call, 100), 1);
    cl_ffi_http_take(call, 99);
    cl_ffi_http_drop(call);
  }
  assert_int_equal(connections, before + 1); /* kept and used again */
}

static void breaks_off(void **state) {
  (void)state;
  for (int i = 0; i < 2; i++) {
    struct cl_http_call *call = start(i ? "/half" : "/cut", INT64_MAX);
    assert_int_equal(read_all(call), CL_EIO);
    assert_int_equal(call->problem, CL_HTTP_BROKEN);
    assert_int_equal(cl_ffi_http_wait(call, 0), CL_EIO); /* and stays so */
    cl_ffi_http_drop(call);
  }
}

static void is_too_large(void **state) {
  (void)state;
  static const char *const paths[] = {"/announced", "/endless"};
  for (int i = 0; i < 2; i++) {
    struct cl_http_call *call = start(paths[i], 16 << 20);
    assert_int_equal(read_all(call), CL_EIO);
    assert_int_equal(call->problem, CL_HTTP_BODY_TOO_LARGE);
    cl_ffi_http_drop(call);
  }
  struct cl_http_call *call = start("/headers", INT64_MAX);
  assert_int_equal(read_all(call), CL_EIO);
  assert_int_equal(call->problem, CL_HTTP_HEAD_TOO_LARGE);
  assert_int_equal(call->status, 0);
  cl_ffi_http_drop(call);
}

static void waits_for_its_reader(void **state) {
  (void)state;
  for (int i = 0; i < 2; i++) {
    struct cl_http_call *call = start(i ? "/endless" : "/announced", INT64_MAX);
    int64_t deadline = cl_now_ms() + LONG_MS;
    while (call->body.len == 0 && cl_now_ms() < deadline)
      assert_true(cl_ffi_http_wait(call, 100) >= 0);
    for (int turn = 0; turn < 20; turn++)
      assert_int_equal(cl_ffi_http_wait(call, 1), 1);
    assert_true(call->body.len <= WINDOW);
    assert_int_equal(read_all(call), HUGE_BODY);
    cl_ffi_http_drop(call);
  }
}

static void on_signal(int sig) { (void)sig; }

static void *interrupt(void *arg) {
  usleep(100000);
  pthread_kill(*(pthread_t *)arg, SIGURG);
  return NULL;
}

static void a_signal_ends_a_wait(void **state) {
  (void)state;
  pthread_t self = pthread_self(), other;
  sigaction(SIGURG, &(struct sigaction){.sa_handler = on_signal}, NULL);
  struct cl_http_call *call = start("/silent", INT64_MAX);
  assert_int_equal(cl_ffi_http_wait(call, 50), 0); /* connected */
  int64_t from = cl_now_ms();
  assert_int_equal(pthread_create(&other, NULL, interrupt, &self), 0);
  assert_int_equal(cl_ffi_http_wait(call, LONG_MS), 0);
  assert_true(cl_now_ms() - from < LONG_MS);
  pthread_join(other, NULL);
  assert_int_equal(call->problem, CL_HTTP_NONE);
  cl_ffi_http_drop(call);
}

/* A wait that curl refuses would be none, over and over until the deadline. */
static void curl_refuses_to_wait(void **state) {
  (void)state;
  struct cl_http_call *call = start("/silent", INT64_MAX);
  assert_int_equal(cl_ffi_http_wait(call, 50), 0);
  assert_true(cl_ffi_http_wait(call, -1) < 0);
  assert_int_equal(call->problem, CL_HTTP_FAILED);
  cl_ffi_http_drop(call);
}

/* In any order, with transfers under way, and with those nobody waits for. */
static void is_dropped(void **state) {
  (void)state;
  struct cl_http_call *silent = start("/silent", INT64_MAX), *large = start("/endless", INT64_MAX);
  struct cl_http_call *new_one = cl_ffi_http_call(http);
  cl_ffi_http_wait(silent, 50);
  cl_ffi_http_drop(NULL);
  cl_ffi_http_free(http);
  while (large->body.len == 0) /* connections outlive their owner */
    assert_true(cl_ffi_http_wait(large, 100) >= 0);
  cl_ffi_http_drop(silent);
  cl_ffi_http_drop(large);
  cl_ffi_http_drop(new_one);
  http = NULL;
}

static void nobody_listens(void **state) {
  (void)state;
  struct cl_http_call *call = cl_ffi_http_call(http);
  cl_ffi_http_text(call, CL_HTTP_URL, "http://127.0.0.1:1/", 19);
  cl_ffi_http_text(call, CL_HTTP_METHOD, "GET", 3);
  assert_int_equal(cl_ffi_http_start(call), 0);
  assert_int_equal(read_all(call), CL_EIO);
  assert_int_equal(call->problem, CL_HTTP_CONNECT);
  cl_ffi_http_drop(call);
  call = cl_ffi_http_call(http); /* other protocols are none */
  cl_ffi_http_text(call, CL_HTTP_URL, "file:///etc/passwd", 18);
  cl_ffi_http_text(call, CL_HTTP_METHOD, "GET", 3);
  assert_int_equal(cl_ffi_http_start(call), 0);
  assert_int_equal(read_all(call), CL_EIO);
  assert_int_equal(call->problem, CL_HTTP_NOT_HTTP);
  cl_ffi_http_drop(call);
}

/* --------------------------------------------------------------------- URLs */

static void url_is(const char *base, const char *text, const char *url, const char *origin) {
  struct cl_url out = {0};
  assert_int_equal(cl_ffi_url(base, text, &out), 0);
  assert_string_equal(out.url.p, url);
  assert_string_equal(out.origin.p, origin);
  assert_int_equal(out.url.len, strlen(url));
  cl_ffi_url_clear(&out);
  assert_null(out.url.p);
}

static void urls(void **state) {
  (void)state;
  struct cl_url out = {0};
  url_is(NULL, "http://me:pass@Example.com/a?b#c", "http://Example.com/a?b", "http://example.com:80");
  assert_int_equal(cl_ffi_url(NULL, "https://m%40e:p%3aw@[::1]:8443/", &out), 0);
  assert_string_equal(out.user.p, "m@e");
  assert_string_equal(out.password.p, "p:w");
  assert_string_equal(out.origin.p, "https://[::1]:8443");
  assert_string_equal(out.url.p, "https://[::1]:8443/");
  url_is(NULL, "https://other:one@a.b/", "https://a.b/", "https://a.b:443");
  assert_string_equal(out.password.p, "p:w"); /* it is the caller's */
  url_is("https://a.b/c/d?e", "f?g", "https://a.b/c/f?g", "https://a.b:443");
  url_is("https://a.b/c/d?e", "../x y", "https://a.b/x%20y", "https://a.b:443");
  url_is("https://a.b/c", "//d.e/f", "https://d.e/f", "https://d.e:443");
  static const char *const bad[] = {
      "", "x", "//x", "ftp://x/", "file:///etc/passwd", "http://", "http://a b/", "http://x:99999/"};
  for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
    assert_true(cl_ffi_url(NULL, bad[i], &out) < 0);
  assert_null(out.password.p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(comes_whole, open_http, close_http),
      cmocka_unit_test_setup_teardown(breaks_off, open_http, close_http),
      cmocka_unit_test_setup_teardown(is_too_large, open_http, close_http),
      cmocka_unit_test_setup_teardown(waits_for_its_reader, open_http, close_http),
      cmocka_unit_test_setup_teardown(a_signal_ends_a_wait, open_http, close_http),
      cmocka_unit_test_setup_teardown(curl_refuses_to_wait, open_http, close_http),
      cmocka_unit_test_setup_teardown(is_dropped, open_http, close_http),
      cmocka_unit_test_setup_teardown(nobody_listens, open_http, close_http),
      cmocka_unit_test(urls),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
