/* SPDX-License-Identifier: Apache-2.0
 *
 * What the suites of the REST server share: a server over a fake herder, and a client on raw
 * sockets that can say what no library would. Included by one .c of a program.
 */
#pragma once

#include "rest/server.h"

#include "base/clock.h"
#include "base/loggers.h"
#include "rest_fake.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { BODY_MAX = 4096 };

struct fixture {
  struct cl_herder herder;
  struct cl_listener listener;
  struct cl_rest_conf conf;
  struct cl_server *server;
};

static struct cl_server *start_with(struct fixture *f, const char *host, uint16_t port, int64_t timeout_ms) {
  struct cl_err err = CL_ERR_INIT;
  f->listener = (struct cl_listener){.host = (char *)(uintptr_t)host, .port = port};
  f->conf = (struct cl_rest_conf){.listeners = &f->listener,
                                  .n_listeners = 1,
                                  .body_max = BODY_MAX,
                                  .head_max = 32 * 1024,
                                  .connections_max = 1000,
                                  .idle_timeout_ms = 30000,
                                  .head_timeout_ms = 30000,
                                  .request_timeout_ms = timeout_ms};
  struct cl_server *s = NULL;
  if (cl_server_start(&f->conf, &f->herder, &s, &err) < 0)
    print_message("%s\n", err.msg);
  return s;
}

static int setup_timeout(void **state, int64_t timeout_ms) {
  struct fixture *f = calloc(1, sizeof *f);
  pthread_mutex_init(&f->herder.lock, NULL);
  f->server = start_with(f, "127.0.0.1", 0, timeout_ms);
  *state = f;
  return f->server ? 0 : -1;
}
static int setup(void **state) { return setup_timeout(state, 20000); }
static int setup_short(void **state) { return setup_timeout(state, 200); }

/* Takes a held command, waiting for it. */
static struct cl_command *take_held(struct fixture *f) {
  for (int i = 0; i < 5000; i++) {
    struct cl_command *cmd = NULL;
    pthread_mutex_lock(&f->herder.lock);
    if (f->herder.n_held > 0) {
      cmd = f->herder.held[0];
      memmove(f->herder.held, f->herder.held + 1, (size_t)--f->herder.n_held * sizeof cmd);
    }
    pthread_mutex_unlock(&f->herder.lock);
    if (cmd)
      return cmd;
    usleep(2000);
  }
  fail_msg("no command came");
  return NULL;
}

static int teardown(void **state) {
  struct fixture *f = *state;
  if (f->server)
    cl_server_stop(f->server, 2000);
  while (f->herder.n_held > 0)
    fake_finish(take_held(f)); /* late: the server is gone */
  pthread_mutex_destroy(&f->herder.lock);
  free(f);
  return 0;
}

/* ---- a client ---- */

static int dial(struct fixture *f) {
  struct sockaddr_in addr = {.sin_family = AF_INET,
                             .sin_port = htons(cl_server_port(f->server, 0)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct timeval patience = {.tv_sec = 15};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof addr), 0);
  return fd;
}

static void say(int fd, const char *text) {
  size_t n = strlen(text);
  while (n > 0) {
    ssize_t sent = send(fd, text, n, MSG_NOSIGNAL);
    if (sent <= 0)
      return; /* the server closed: hear() shows what it said */
    text += sent;
    n -= (size_t)sent;
  }
}

/* Everything until the server closes, or falls silent when that is allowed; malloc'd. Closes fd. */
static char *hear_or_silence(int fd, bool silence_is_fine) {
  size_t cap = 1 << 16, n = 0;
  char *text = malloc(cap);
  for (;;) {
    ssize_t got = recv(fd, text + n, cap - n - 1, 0);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && !silence_is_fine)
      fail_msg("no answer within the client's patience, got %.*s", (int)n, text);
    if (got <= 0)
      break;
    n += (size_t)got;
  }
  text[n] = 0;
  close(fd);
  return text;
}
static char *hear(int fd) { return hear_or_silence(fd, false); }

static char *ask_raw(struct fixture *f, const char *text) {
  int fd = dial(f);
  say(fd, text);
  return hear(fd);
}

/* headers: further lines, each with its CRLF. body NULL = none, "" = Content-Length: 0. */
static char *ask(struct fixture *f, const char *method, const char *target, const char *headers,
                 const char *body) {
  char text[8192], length[64] = "";
  if (body)
    snprintf(length, sizeof length, "Content-Length: %zu\r\n", strlen(body));
  snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: h:1\r\nConnection: close\r\n%s%s\r\n%s", method,
           target, headers, length, body ? body : "");
  return ask_raw(f, text);
}

static int status_of(const char *answer) {
  int status = -1;
  sscanf(answer, "HTTP/1.%*c %d", &status);
  return status;
}

static const char *body_of(const char *answer) {
  const char *end = strstr(answer, "\r\n\r\n");
  return end ? end + 4 : "";
}

/* The value of a header in a static buffer, NULL = absent. */
static const char *header_of(const char *answer, const char *name) {
  static char value[512];
  const char *end = strstr(answer, "\r\n\r\n"), *p = answer;
  size_t n = strlen(name);
  while ((p = strstr(p, "\r\n")) && p < end) {
    p += 2;
    if (strncasecmp(p, name, n) == 0 && p[n] == ':') {
      snprintf(value, sizeof value, "%.*s", (int)strcspn(p + n + 2, "\r"), p + n + 2);
      return value;
    }
  }
  return NULL;
}

/* Checks status, type (NULL = none) and body (NULL = not looked at), and frees the answer. */
static void check(char *answer, int status, const char *type, const char *body) {
  const char *got = header_of(answer, "Content-Type");
  bool ok = status_of(answer) == status && (type ? got && strcmp(got, type) == 0 : !got) &&
            (!body || strcmp(body_of(answer), body) == 0);
  if (!ok)
    fail_msg("expected %d %s %s, got:\n%s", status, type ? type : "(no type)", body ? body : "", answer);
  assert_string_equal(header_of(answer, "Server"), "connect-lua/" CL_VERSION);
  free(answer);
}

#define JSON "application/json"
#define SENDS_JSON "Content-Type: application/json\r\n"
#define ERROR(code, message) "{\"error_code\":" #code ",\"message\":\"" message "\"}"

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_SHORT(name) cmocka_unit_test_setup_teardown(name, setup_short, teardown)
