/* SPDX-License-Identifier: Apache-2.0
 * The server over real sockets: answers, limits, suspended requests, stopping. */
#include "rest/server.h"

#include "base/clock.h"
#include "base/log.h"
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
  struct cl_server *server;
};

static struct cl_server *start_with(struct fixture *f, const char *host, uint16_t port, int64_t timeout_ms) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_server_conf conf = {.host = host, .port = port, .herder = &f->herder, .body_max = BODY_MAX,
                                .request_timeout_ms = timeout_ms};
  struct cl_server *s = NULL;
  if (cl_server_start(&conf, &s, &err) < 0)
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

static void set_hold(struct fixture *f, bool hold) {
  pthread_mutex_lock(&f->herder.lock);
  f->herder.hold = hold;
  pthread_mutex_unlock(&f->herder.lock);
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
  struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(cl_server_port(f->server)),
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

/* Everything until the server closes; malloc'd. Closes fd. */
static char *hear(int fd) {
  size_t cap = 1 << 16, n = 0;
  char *text = malloc(cap);
  for (;;) {
    ssize_t got = recv(fd, text + n, cap - n - 1, 0);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
      fail_msg("no answer within the client's patience");
    if (got <= 0)
      break;
    n += (size_t)got;
  }
  text[n] = 0;
  close(fd);
  return text;
}

static char *ask_raw(struct fixture *f, const char *text) {
  int fd = dial(f);
  say(fd, text);
  return hear(fd);
}

/* headers: further lines, each with its CRLF. body NULL = none, "" = Content-Length: 0. */
static char *ask(struct fixture *f, const char *method, const char *target, const char *headers, const char *body) {
  char text[8192], length[64] = "";
  if (body)
    snprintf(length, sizeof length, "Content-Length: %zu\r\n", strlen(body));
  snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: h:1\r\nConnection: close\r\n%s%s\r\n%s", method, target, headers,
           length, body ? body : "");
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

/* ---- routes ---- */

static void test_reads(void **state) {
  static const struct { const char *target, *query, *name, *flags; } cases[] = {
    {"/", "ROOT", "null", "false,false,false"},
    {"/connectors?expand=info", "CONNECTORS", "null", "false,true,false"},
    {"/connectors?expand=%73tatus&expand=info", "CONNECTORS", "null", "true,true,false"},
    {"/connectors/c1", "CONNECTOR", "\"c1\"", "false,false,false"},
    {"/connectors/c1/config", "CONFIG", "\"c1\"", "false,false,false"},
    {"/connectors/c1/status", "STATUS", "\"c1\"", "false,false,false"},
    {"/connectors/c1/tasks/", "TASKS", "\"c1\"", "false,false,false"},
    {"/connectors/a%2Fb%25%20c%C3%A9", "CONNECTOR", "\"a/b% c\xc3\xa9\"", "false,false,false"},
    {"/connector-plugins", "PLUGINS", "null", "false,false,true"},
    {"/connector-plugins?connectorsOnly=False", "PLUGINS", "null", "false,false,false"},
    {"/connector-plugins?connectorsOnly=TRUE", "PLUGINS", "null", "false,false,true"},
    {"http://h:1/connectors/c1", "CONNECTOR", "\"c1\"", "false,false,false"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char body[512];
    bool status, info, only;
    status = strncmp(cases[i].flags, "true,", 5) == 0;
    info = strstr(cases[i].flags, ",true,");
    only = strcmp(strrchr(cases[i].flags, ','), ",true") == 0;
    snprintf(body, sizeof body, "{\"query\":\"%s\",\"name\":%s,\"status\":%s,\"info\":%s,\"only\":%s}", cases[i].query,
             cases[i].name, status ? "true" : "false", info ? "true" : "false", only ? "true" : "false");
    check(ask(*state, "GET", cases[i].target, "", NULL), 200, JSON, body);
  }
}

static void test_list(void **state) {
  check(ask(*state, "GET", "/connectors", "", NULL), 200, JSON, "[\"a\",\"b\"]");
  check(ask(*state, "GET", "/connectors/?other=1", "", NULL), 200, JSON, "[\"a\",\"b\"]");
  check(ask(*state, "GET", "/connectors?expand=bogus", "", NULL), 200, JSON, "{\"a\":{},\"b\":{}}");
  check(ask(*state, "GET", "/connectors?expand=", "", NULL), 200, JSON, "{\"a\":{},\"b\":{}}");
  check(ask(*state, "GET", "/connectors?expand", "", NULL), 200, JSON, "{\"a\":{},\"b\":{}}");
}

static char *echoed(const char *command, const char *name, const char *flags) {
  static char text[512];
  snprintf(text, sizeof text, "{\"command\":\"%s\",\"name\":\"%s\",%s}", command, name, flags);
  return text;
}

static void test_writes(void **state) {
  const char *none = "\"config\":null,\"initial_state\":null,\"include_tasks\":false,\"only_failed\":false";
  check(ask(*state, "PUT", "/connectors/c/resume", "", NULL), 200, JSON, echoed("RESUME", "c", none));
  check(ask(*state, "PUT", "/connectors/c/stop", SENDS_JSON, "null"), 200, JSON, echoed("STOP", "c", none));
  check(ask(*state, "PUT", "/connectors/c/pause", SENDS_JSON, "\"\""), 202, NULL, "");
  check(ask(*state, "DELETE", "/connectors/c", SENDS_JSON, NULL), 204, NULL, "");
  check(ask(*state, "POST", "/connectors/c/restart", "", NULL), 200, JSON, echoed("RESTART", "c", none));
  check(ask(*state, "POST", "/connectors/c/restart?includeTasks=TRUE&onlyFailed=1", "", ""), 200, JSON,
        echoed("RESTART", "c", "\"config\":null,\"initial_state\":null,\"include_tasks\":true,\"only_failed\":false"));
  check(ask(*state, "POST", "/connectors/c/restart?onlyFailed=true", "", NULL), 200, JSON,
        echoed("RESTART", "c", "\"config\":null,\"initial_state\":null,\"include_tasks\":false,\"only_failed\":true"));
  check(ask(*state, "PUT", "/connectors/c%2Fd/config", SENDS_JSON, "{\"a\":1.50,\"b\":null}"), 200, JSON,
        echoed("PUT_CONFIG", "c/d", "\"config\":{\"a\":\"1.50\",\"b\":null},\"initial_state\":null,"
                                    "\"include_tasks\":false,\"only_failed\":false"));
}

static void test_create_and_location(void **state) {
  static const struct { const char *name, *location; } cases[] = {
    {"c1", "http://h:1/connectors/c1"},
    {"a b/\xc3\xa9%;", "http://h:1/connectors/a%20b%2F%C3%A9%25%3B"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char body[128], flags[128];
    snprintf(body, sizeof body, "{\"name\":\"%s\",\"config\":{\"k\":true}}", cases[i].name);
    char *answer = ask(*state, "POST", "/connectors", "Content-Type: application/json; charset=utf-8\r\n", body);
    assert_string_equal(header_of(answer, "Location"), cases[i].location);
    snprintf(flags, sizeof flags, "\"config\":{\"k\":\"true\"},\"initial_state\":null,\"include_tasks\":false,"
                                  "\"only_failed\":false");
    check(answer, 201, JSON, echoed("CREATE", cases[i].name, flags));
  }
  char *answer = ask_raw(*state, "POST /connectors HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: 24\r\n\r\n"
                                 "{\"name\":\"c\",\"config\":{}}");
  assert_string_equal(header_of(answer, "Location"), "/connectors/c"); /* no Host to build on */
  check(answer, 201, JSON, NULL);
}

static void test_routing_errors(void **state) {
  static const struct { const char *method, *target, *headers; int status; } cases[] = {
    {"GET", "/nope", "", 404}, {"GET", "/connectors/c/nope", "", 404}, {"GET", "/admin", "", 404},
    {"GET", "/a/b/c/d/e/f/g/h/i/j", "", 404}, {"OPTIONS", "*", "", 404}, {"BREW", "/nope", "", 404},
    {"POST", "/connectors/c", "", 405}, {"DELETE", "/", "", 405}, {"PUT", "/connectors", SENDS_JSON, 405},
    {"GET", "/connectors/c/pause", "", 405}, {"HEAD", "/connectors/c/pause", "", 405},
    {"PUT", "/connectors/c/restart", "", 405}, {"BREW", "/connectors", "", 405},
    {"PUT", "/connectors/c/pause", "Content-Type: text/plain\r\n", 415},
    {"GET", "/connectors", "Content-Type: text/plain\r\n", 415},
    {"GET", "/connectors", "Accept: text/html\r\n", 406},
    {"GET", "/", "Accept: text/html\r\n", 406},
    {"GET", "/connectors", "Content-Type: text/plain\r\nAccept: text/html\r\n", 415},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    int status = cases[i].status;
    const char *reason = status == 404 ? "Not Found" : status == 405 ? "Method Not Allowed"
                       : status == 406 ? "Not Acceptable" : "Unsupported Media Type";
    char body[128];
    snprintf(body, sizeof body, "{\"error_code\":%d,\"message\":\"HTTP %d %s\"}", status, status, reason);
    bool head = strcmp(cases[i].method, "HEAD") == 0;
    char *answer = ask(*state, cases[i].method, cases[i].target, cases[i].headers, NULL);
    assert_null(header_of(answer, "Allow"));
    check(answer, status, NULL, head ? "" : body);
  }
}

static void test_types(void **state) {
  const char *body = "{\"name\":\"c\",\"config\":{}}";
  check(ask(*state, "POST", "/connectors", "", body), 415, JSON, ERROR(415, "HTTP 415 Unsupported Media Type"));
  check(ask(*state, "POST", "/connectors", "Content-Type: text/plain\r\n", body), 415, NULL, NULL);
  check(ask(*state, "POST", "/connectors", "", ""), 400, JSON,
        ERROR(400, "The request body is empty, a JSON object is needed"));
  check(ask(*state, "GET", "/", "Content-Type: text/plain\r\n", NULL), 200, JSON, NULL);
  check(ask(*state, "GET", "/", "Accept: text/html\r\nAccept: application/json;q=0.1\r\n", NULL), 200, JSON, NULL);
  check(ask(*state, "GET", "/connectors/none", "", NULL), 404, JSON, ERROR(404, "Connector none not found"));
  check(ask(*state, "GET", "/connectors/%zz", "", NULL), 400, JSON,
        ERROR(400, "Invalid escape at character 13 of the request target"));
  check(ask(*state, "GET", "/connectors/a%00b", "", NULL), 400, JSON, NULL);
  check(ask(*state, "GET", "//connectors", "", NULL), 400, JSON, NULL);
}

static void test_head_and_options(void **state) {
  char *answer = ask(*state, "HEAD", "/connectors", "", NULL);
  assert_string_equal(header_of(answer, "Content-Length"), "9");
  check(answer, 200, JSON, "");
  check(ask(*state, "HEAD", "/connectors/none", "", NULL), 404, JSON, "");
  static const struct { const char *target, *allow, *text; } cases[] = {
    {"/", "HEAD,GET,OPTIONS", "HEAD, GET, OPTIONS"},
    {"/connectors", "HEAD,POST,GET,OPTIONS", "HEAD, POST, GET, OPTIONS"},
    {"/connectors/c", "HEAD,DELETE,GET,OPTIONS", "HEAD, DELETE, GET, OPTIONS"},
    {"/connectors/c/config", "HEAD,GET,OPTIONS,PUT", "HEAD, GET, OPTIONS, PUT"},
    {"/connectors/c/pause", "OPTIONS,PUT", "OPTIONS, PUT"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    answer = ask(*state, "OPTIONS", cases[i].target, "", NULL);
    assert_string_equal(header_of(answer, "Allow"), cases[i].allow);
    check(answer, 200, "text/plain", cases[i].text);
  }
  check(ask(*state, "OPTIONS", "/connectors", "Accept: application/json\r\n", NULL), 200, JSON, "");
}

/* ---- bodies and framing ---- */

static void test_refused_framing(void **state) {
  static const struct { const char *text; int status; } cases[] = {
    {"POST /connectors HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}    ", 400},
    {"POST /connectors HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
    {"POST /connectors HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\nx", 501},
    {"POST /connectors HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
    {"POST /connectors HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
    {"GET /connectors HTTP/1.1\r\n\r\n", 400},
    {"GET /connectors HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
    {"CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", 405},
    {"TRACE /connectors HTTP/1.1\r\nHost: h\r\n\r\n", 405},
    {"POST /connectors HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n", 413},
    {"POST /connectors HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n", 413},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char *answer = ask_raw(*state, cases[i].text), code[32];
    snprintf(code, sizeof code, "{\"error_code\":%d,", cases[i].status);
    assert_int_equal(strncmp(body_of(answer), code, strlen(code)), 0);
    check(answer, cases[i].status, JSON, NULL);
  }
  struct fixture *f = *state;
  assert_int_equal(f->herder.n_submitted, 0);
  check(ask_raw(*state, "POST /connectors HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json\r\n"
                        "Content-Length: 13\r\nContent-Length: 13\r\n\r\n{\"config\":{}}"), 201, JSON, NULL);
}

static void test_chunked_body(void **state) {
  check(ask_raw(*state, "POST /connectors HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json\r\n"
                        "Transfer-Encoding: chunked\r\n\r\n9;ext=1\r\n{\"name\":\"\r\n11\r\nx\",\"config\":{\"a\"\r\n"
                        "4\r\n:1}}\r\n0\r\nTrailer: 1\r\n\r\n"), 201, JSON, NULL);
}

static void test_slow_body(void **state) {
  const char *text = "PUT /connectors/c/config HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                     "Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{\"a\":\"b\"}";
  int fd = dial(*state);
  for (const char *p = text; *p; p++) {
    char one[2] = {*p, 0};
    say(fd, one);
    usleep(500);
  }
  check(hear(fd), 200, JSON, NULL);
}

/* A body that keeps coming, one byte now and then, ends with the request's time. */
static void test_body_out_of_time(void **state) {
  int fd = dial(*state);
  say(fd, "PUT /connectors/c/config HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 4000\r\n\r\n");
  int64_t start = cl_now_ms();
  for (int i = 0; i < 100; i++) {
    if (send(fd, "x", 1, MSG_NOSIGNAL) < 0)
      break;
    usleep(20000);
  }
  assert_in_range(cl_now_ms() - start, 150, 1500);
  free(hear(fd));
}

static void send_chunks(int fd, size_t total) {
  char chunk[1040];
  say(fd, "POST /connectors HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json\r\n"
          "Transfer-Encoding: chunked\r\n\r\n");
  memset(chunk, ' ', sizeof chunk);
  memcpy(chunk, "400\r\n", 5);
  memcpy(chunk + 5 + 1024, "\r\n\0", 3);
  for (size_t n = 0; n < total; n += 1024)
    say(fd, chunk);
  say(fd, "0\r\n\r\n");
}

static void test_too_large_chunked(void **state) {
  int fd = dial(*state);
  send_chunks(fd, BODY_MAX * 2);
  check(hear(fd), 413, JSON, ERROR(413, "The request body is larger than this worker takes"));
  fd = dial(*state);
  send_chunks(fd, (size_t)BODY_MAX * 100);
  char *answer = hear(fd);
  assert_string_equal(answer, ""); /* cut */
  free(answer);
  fd = dial(*state);
  send_chunks(fd, BODY_MAX); /* exactly the limit: read, and found to be blank */
  check(hear(fd), 400, JSON, ERROR(400, "The request body is empty, a JSON object is needed"));
}

static void test_garbage(void **state) {
  static const char *const texts[] = {
    "\x16\x03\x01\x02", "\r\n\r\n\r\n", "GET\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/9.9\r\nHost: h\r\n\r\n",
    "GET / HTTP/1.1\r\nno colon\r\n\r\n", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "GET /a b c HTTP/1.1\r\nHost: h\r\n\r\n",
    "\xff\xfe\xfd\xfc \xff\xff \xff\r\n\r\n",
  };
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    int fd = dial(*state);
    say(fd, texts[i]);
    shutdown(fd, SHUT_WR);
    char *answer = hear(fd);
    if (status_of(answer) == 200)
      fail_msg("accepted: %s", texts[i]);
    free(answer);
  }
  unsigned seed = 7;
  for (int i = 0; i < 200; i++) {
    char noise[300];
    for (size_t j = 0; j < sizeof noise - 1; j++)
      noise[j] = (char)(1 + rand_r(&seed) % 255);
    noise[sizeof noise - 1] = 0;
    int fd = dial(*state);
    if (i % 2)
      say(fd, "PUT /connectors/c/config?");
    say(fd, noise);
    shutdown(fd, SHUT_WR);
    free(hear(fd));
  }
  check(ask(*state, "GET", "/connectors", "", NULL), 200, JSON, NULL);
}

/* ---- suspended requests ---- */

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
    snprintf(text, sizeof text, "PUT /connectors/c%d/resume HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", i);
    fds[i] = dial(f);
    say(fds[i], text);
  }
  for (int n = 0, i = 0; n < 100 && i < 5000; i++, usleep(1000)) {
    pthread_mutex_lock(&f->herder.lock);
    n = f->herder.n_held;
    pthread_mutex_unlock(&f->herder.lock);
  }
  assert_int_equal(f->herder.n_held, 100); /* all are suspended at once */
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
  check(ask(f, "PUT", "/connectors/c/pause", "", NULL), 500, JSON, ERROR(500, "Request timed out"));
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
  for (int i = 0; i < 5000 && f->herder.n_submitted < 10; i++)
    usleep(1000);
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
  int fd = dial(f);
  say(fd, "PUT /connectors/c/config HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nx");
  usleep(50000);
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
  struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(h->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  while (!__atomic_load_n(&h->stop, __ATOMIC_RELAXED)) {
    struct timeval patience = {.tv_sec = 5};
    char answer[4096];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&addr, sizeof addr) == 0) {
      say(fd, "PUT /connectors/c/resume HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
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
    struct hammer h = {.port = cl_server_port(f->server)};
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
    assert_true(cl_server_port(f->server) > 0);
    check(ask(f, "GET", "/connectors", "", NULL), 200, JSON, NULL); /* by IPv4 */
    cl_server_stop(f->server, 1000);
  }
  f->server = NULL;
}

static void test_bad_hosts(void **state) {
  struct fixture *f = *state;
  struct cl_err err = CL_ERR_INIT;
  struct cl_server *s = NULL;
  struct cl_server_conf conf = {.host = "127.0.0.1", .port = cl_server_port(f->server), .herder = &f->herder};
  assert_int_equal(cl_server_start(&conf, &s, &err), CL_EIO);
  assert_null(s);
  assert_non_null(strstr(err.msg, "cannot listen on 127.0.0.1:"));
  assert_non_null(strstr(err.msg, "Address already in use"));
  conf.host = "no such host";
  assert_int_equal(cl_server_start(&conf, &s, &err), CL_EIO);
  assert_non_null(strstr(err.msg, "cannot resolve host no such host"));
}

static void test_access_log(void **state) {
  struct fixture *f = *state;
  struct cl_err err = CL_ERR_INIT;
  char path[] = "/tmp/rest_server_log_XXXXXX", text[4096];
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(cl_log_open(path, CL_INFO, &err), 0);
  check(ask(f, "GET", "/connectors/a\x1b[31m?x=1", "", NULL), 400, JSON, NULL);
  check(ask(f, "DELETE", "/connectors/c", "", NULL), 204, NULL, NULL);
  cl_server_stop(f->server, 1000);
  f->server = NULL;
  cl_log_close();
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  unlink(path);
  cl_log_set_level(CL_OFF);
  assert_true(n > 0);
  text[n] = 0;
  assert_non_null(strstr(text, "GET /connectors/a?[31m?x=1 400 "));
  assert_non_null(strstr(text, "DELETE /connectors/c 204 "));
  assert_non_null(strstr(text, " ms 127.0.0.1 (rest)\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_SHORT(name) cmocka_unit_test_setup_teardown(name, setup_short, teardown)

int main(void) {
  cl_log_set_level(CL_OFF);
  const struct CMUnitTest tests[] = {
    TEST(test_reads),
    TEST(test_list),
    TEST(test_writes),
    TEST(test_create_and_location),
    TEST(test_routing_errors),
    TEST(test_types),
    TEST(test_head_and_options),
    TEST(test_refused_framing),
    TEST(test_chunked_body),
    TEST(test_slow_body),
    TEST_SHORT(test_body_out_of_time),
    TEST(test_too_large_chunked),
    TEST(test_garbage),
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
