/* SPDX-License-Identifier: Apache-2.0
 * The server over real sockets: what each request is answered, bodies, limits, garbage. */
#include "rest_client.h"

/* ---- routes ---- */

static void test_reads(void **state) {
  static const struct {
    const char *target, *query, *name, *flags;
  } cases[] = {
      {"/", "ROOT", "null", "false,false,false"},
      {"/connectors?expand=info", "CONNECTORS", "null", "false,true,false"},
      {"/connectors?expand=%73tatus&expand=info", "CONNECTORS", "null", "true,true,false"},
      {"/connectors/c1", "CONNECTOR", "\"c1\"", "false,false,false"},
      {"/connectors/c1/config", "CONFIG", "\"c1\"", "false,false,false"},
      {"/connectors/c1/status", "STATUS", "\"c1\"", "false,false,false"},
      {"/connectors/c1/tasks/", "TASKS", "\"c1\"", "false,false,false"},
      {"/connectors/c1/topics", "TOPICS", "\"c1\"", "false,false,false"},
      {"/health/", "HEALTH", "null", "false,false,false"},
      {"/connect-lua/plugins", "PLUGIN_FILES", "null", "false,false,false"},
      {"/connect-lua/tasks", "TASK_CALLS", "null", "false,false,false"},
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
    snprintf(body, sizeof body, "{\"query\":\"%s\",\"name\":%s,\"status\":%s,\"info\":%s,\"only\":%s}",
             cases[i].query, cases[i].name, status ? "true" : "false", info ? "true" : "false",
             only ? "true" : "false");
    check(ask(*state, "GET", cases[i].target, "", NULL), 200, JSON, body);
  }
}

/* What a scraper takes is no JSON; a name's quote, backslash and line end are escaped. */
static void test_metrics(void **state) {
#define NAME "{connector=\"a\\\"b\\\\c\\nd\""
  char *answer = ask(*state, "GET", "/metrics", "Accept: text/plain;version=0.0.4\r\n", NULL);
  static const char *const wanted[] = {
      "HTTP/1.1 200",
      "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n",
      "# TYPE kafka_connect_task_error_total_retries gauge\n"
      "kafka_connect_task_error_total_retries" NAME ",task=\"0\"} 3\n"
      "kafka_connect_task_error_total_retries" NAME ",task=\"1\"} 0\n",
      "\nkafka_connect_sink_task_sink_record_read_total" NAME ",task=\"0\"} 12\n",
      "\nkafka_connect_worker_task_startup_attempts_total 4\n",
      "\nkafka_connect_worker_task_startup_success_percentage 0.75\n",
      "\nkafka_connect_worker_connector_failed_task_count" NAME "} 1\n",
  };
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
    if (!strstr(answer, wanted[i]))
      fail_msg("no %s in %s", wanted[i], answer);
  assert_null(strstr(answer, "source_task"));
  assert_null(strstr(answer, "lag_records")); /* not known */
  free(answer);
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
        echoed("RESTART", "c",
               "\"config\":null,\"initial_state\":null,\"include_tasks\":true,\"only_failed\":false"));
  check(ask(*state, "POST", "/connectors/c/restart?onlyFailed=true", "", NULL), 200, JSON,
        echoed("RESTART", "c",
               "\"config\":null,\"initial_state\":null,\"include_tasks\":false,\"only_failed\":true"));
  check(ask(*state, "PUT", "/connectors/c%2Fd/config", SENDS_JSON, "{\"a\":1.50,\"b\":null}"), 200, JSON,
        echoed("PUT_CONFIG", "c/d",
               "\"config\":{\"a\":\"1.50\",\"b\":null},\"initial_state\":null,"
               "\"include_tasks\":false,\"only_failed\":false"));
}

static void test_tasks(void **state) {
  check(ask(*state, "GET", "/connectors/c%2F1/tasks/07/status", "", NULL), 200, JSON,
        "{\"name\":\"c/1\",\"task\":7}");
  check(ask(*state, "GET", "/connectors/c/tasks/-1/status", "", NULL), 200, JSON,
        "{\"name\":\"c\",\"task\":-1}");
  check(ask(*state, "POST", "/connectors/c/tasks/2147483647/restart", SENDS_JSON, "null"), 200, JSON,
        "{\"name\":\"c\",\"restarted\":2147483647}");
  static const char *const bad[] = {"abc", "1.5", "99999999999", "2147483648", "-", "0x1", "1%20"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    char target[64];
    snprintf(target, sizeof target, "/connectors/c/tasks/%s/restart", bad[i]);
    check(ask(*state, "POST", target, "", NULL), 404, JSON, ERROR(404, "HTTP 404 Not Found"));
  }
}

static void test_plugins(void **state) {
  check(ask(*state, "GET", "/connector-plugins/Cast%24Value/config", "", NULL), 200, JSON,
        "{\"plugin\":\"Cast$Value\",\"version\":null}");
  check(ask(*state, "GET", "/connector-plugins/p/config/?version=1.0", "", NULL), 200, JSON,
        "{\"plugin\":\"p\",\"version\":\"1.0\"}");
}

/* Answered at once, or by the herder; the document that POST takes is understood too. */
static void test_validate(void **state) {
  const char *const target = "/connector-plugins/p/config/validate";
  check(ask(*state, "PUT", target, SENDS_JSON, "{\"a\":1,\"b\":null}"), 200, JSON,
        "{\"a\":\"1\",\"b\":null}");
  check(ask(*state, "PUT", target, SENDS_JSON,
            "{\"name\":\"n\",\"config\":{\"a\":1.50},\"initial_state\":\"STOPPED\"}"),
        200, JSON, "{\"a\":\"1.50\",\"name\":\"n\"}");
  check(ask(*state, "PUT", target, SENDS_JSON, "{\"name\":\"n\",\"config\":{\"name\":\"own\"}}"), 200, JSON,
        "{\"name\":\"own\"}");
  check(ask(*state, "PUT", target, SENDS_JSON, "{\"config\":\"a key of that name\"}"), 200, JSON, NULL);
  check(ask(*state, "PUT", target, SENDS_JSON, "{\"a\":{}}"), 400, JSON, NULL);
  check(ask(*state, "PUT", target, SENDS_JSON, "[]"), 400, JSON, NULL);
  check(ask(*state, "PUT", "/connector-plugins/lua/config/validate", SENDS_JSON, "{\"a\":\"b\"}"), 200, JSON,
        echoed(
            "VALIDATE", "lua",
            "\"config\":{\"a\":\"b\"},\"initial_state\":null,\"include_tasks\":false,\"only_failed\":false"));
}

static void test_patch_and_internal(void **state) {
  const char *none = "\"config\":null,\"initial_state\":null,\"include_tasks\":false,\"only_failed\":false";
  check(
      ask(*state, "PATCH", "/connectors/c/config", SENDS_JSON, "{\"a\":null}"), 200, JSON,
      echoed("PATCH_CONFIG", "c",
             "\"config\":{\"a\":null},\"initial_state\":null,\"include_tasks\":false,\"only_failed\":false"));
  check(ask(*state, "PATCH", "/connectors/c/config", SENDS_JSON, "[1]"), 400, JSON, NULL);
  check(ask(*state, "PUT", "/connectors/c/topics/reset", "", NULL), 200, JSON,
        echoed("RESET_TOPICS", "c", none));
  check(ask(*state, "POST", "/connectors/c/tasks", "Content-Type: text/plain\r\n", "x"), 200, JSON,
        echoed("PUT_TASKS", "c", none));
  check(ask(*state, "PUT", "/connectors/c/fence", "", NULL), 200, JSON, echoed("FENCE", "c", none));
}

/* A source's at once, a sink's by the broker; the body's shape, numbers as they are. */
static void test_offsets(void **state) {
  const char *flags = "\"initial_state\":null,\"include_tasks\":false,\"only_failed\":false";
  char text[400];
  check(ask(*state, "GET", "/connectors/none/offsets", "", NULL), 404, JSON,
        ERROR(404, "Connector none not found"));
  check(ask(*state, "GET", "/connectors/c/offsets", "", NULL), 200, JSON,
        "{\"query\":\"OFFSETS\",\"name\":\"c\",\"status\":false,\"info\":false,\"only\":false}");
  snprintf(text, sizeof text, "\"config\":null,%s", flags);
  check(ask(*state, "GET", "/connectors/sink/offsets", "", NULL), 200, JSON,
        echoed("READ_OFFSETS", "sink", text));
  check(ask(*state, "DELETE", "/connectors/c/offsets", "", NULL), 200, JSON,
        echoed("RESET_OFFSETS", "c", text));
  snprintf(
      text, sizeof text,
      "\"config\":[{\"partition\":{\"f\":\"x\"},\"offset\":{\"n\":7}},{\"offset\":null,\"partition\":null}],"
      "%s",
      flags);
  check(ask(*state, "PATCH", "/connectors/c/offsets", SENDS_JSON,
            "{\"offsets\":[{\"partition\":{\"f\":\"x\"},\"offset\":{\"n\":7}},{\"offset\":null}]}"),
        200, JSON, echoed("ALTER_OFFSETS", "c", text));
  static const char *const none[] = {"{}", "{\"offsets\":null}", "{\"offsets\":[]}"};
  for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
    check(ask(*state, "PATCH", "/connectors/c/offsets", SENDS_JSON, none[i]), 400, JSON,
          ERROR(400, "Partitions / offsets need to be provided for an alter offsets request"));
  static const char *const bad[] = {"",
                                    "[]",
                                    "{",
                                    "{\"offset\":[]}",
                                    "{\"offsets\":{}}",
                                    "{\"offsets\":[1]}",
                                    "{\"offsets\":[{\"partition\":1}]}",
                                    "{\"offsets\":[{\"partition\":{},\"offset\":\"x\"}]}",
                                    "{\"offsets\":[{\"partition\":{},\"more\":1}]}"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    check(ask(*state, "PATCH", "/connectors/c/offsets", SENDS_JSON, bad[i]), 400, JSON, NULL);
  check(ask(*state, "PATCH", "/connectors/c/offsets", "", "{}"), 415, JSON, NULL);
}

static void test_loggers(void **state) {
  const char *path = "/admin/loggers/made.up";
  check(ask(*state, "GET", path, "", NULL), 404, JSON, ERROR(404, "Logger made.up not found."));
  check(ask(*state, "PUT", path, SENDS_JSON, "{\"level\":\"LOUD\"}"), 404, JSON,
        ERROR(404, "invalid log level 'LOUD'."));
  check(ask(*state, "PUT", path, SENDS_JSON, "{}"), 400, JSON,
        ERROR(400, "Desired 'level' parameter was not specified in request."));
  check(ask(*state, "PUT", path, SENDS_JSON, "[]"), 400, JSON, NULL);
  check(ask(*state, "GET", path, "", NULL), 404, JSON, NULL);
  check(ask(*state, "PUT", "/admin/loggers/made.up?scope=worker", SENDS_JSON, "{\"level\":\"debug\"}"), 200,
        JSON, "[\"made.up\"]");
  check(ask(*state, "PUT", "/admin/loggers/made.up?scope=Cluster", SENDS_JSON, "{\"level\":\"off\"}"), 204,
        NULL, NULL);
  check(ask(*state, "GET", path, "", NULL), 200, JSON, NULL);
  check(ask(*state, "GET", "/admin/loggers", "", NULL), 200, JSON, NULL);
}

static void test_create_and_location(void **state) {
  static const struct {
    const char *name, *location;
  } cases[] = {
      {"c1", "http://h:1/connectors/c1"},
      {"a b/\xc3\xa9%;", "http://h:1/connectors/a%20b%2F%C3%A9%25%3B"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char body[128], flags[128];
    snprintf(body, sizeof body, "{\"name\":\"%s\",\"config\":{\"k\":true}}", cases[i].name);
    char *answer = ask(*state, "POST", "/connectors", "Content-Type: application/json; charset=utf-8\r\n",
                       body);
    assert_string_equal(header_of(answer, "Location"), cases[i].location);
    snprintf(flags, sizeof flags,
             "\"config\":{\"k\":\"true\"},\"initial_state\":null,\"include_tasks\":false,"
             "\"only_failed\":false");
    check(answer, 201, JSON, echoed("CREATE", cases[i].name, flags));
  }
  char *answer = ask_raw(
      *state, "POST /connectors HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: 24\r\n\r\n"
              "{\"name\":\"c\",\"config\":{}}");
  assert_string_equal(header_of(answer, "Location"), "/connectors/c"); /* no Host to build on */
  check(answer, 201, JSON, NULL);
}

static void test_routing_errors(void **state) {
  static const struct {
    const char *method, *target, *headers;
    int status;
  } cases[] = {
      {"GET", "/nope", "", 404},
      {"GET", "/connectors/c/nope", "", 404},
      {"GET", "/admin", "", 404},
      {"GET", "/a/b/c/d/e/f/g/h/i/j", "", 404},
      {"OPTIONS", "*", "", 404},
      {"BREW", "/nope", "", 404},
      {"POST", "/connectors/c", "", 405},
      {"DELETE", "/", "", 405},
      {"PUT", "/connectors", SENDS_JSON, 405},
      {"GET", "/connectors/c/pause", "", 405},
      {"HEAD", "/connectors/c/pause", "", 405},
      {"PUT", "/connectors/c/restart", "", 405},
      {"BREW", "/connectors", "", 405},
      {"PUT", "/connectors/c/pause", "Content-Type: text/plain\r\n", 415},
      {"GET", "/connectors", "Content-Type: text/plain\r\n", 415},
      {"GET", "/connectors", "Accept: text/html\r\n", 406},
      {"GET", "/", "Accept: text/html\r\n", 406},
      {"GET", "/connectors", "Content-Type: text/plain\r\nAccept: text/html\r\n", 415},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    int status = cases[i].status;
    const char *reason = status == 404   ? "Not Found"
                         : status == 405 ? "Method Not Allowed"
                         : status == 406 ? "Not Acceptable"
                                         : "Unsupported Media Type";
    char body[128];
    snprintf(body, sizeof body, "{\"error_code\":%d,\"message\":\"HTTP %d %s\"}", status, status, reason);
    bool head = strcmp(cases[i].method, "HEAD") == 0;
    char *answer = ask(*state, cases[i].method, cases[i].target, cases[i].headers, NULL);
    assert_null(header_of(answer, "Allow"));
    check(answer, status, JSON, head ? "" : body);
  }
}

static void test_types(void **state) {
  const char *body = "{\"name\":\"c\",\"config\":{}}";
  check(ask(*state, "POST", "/connectors", "", body), 415, JSON,
        ERROR(415, "HTTP 415 Unsupported Media Type"));
  check(ask(*state, "POST", "/connectors", "Content-Type: text/plain\r\n", body), 415, JSON, NULL);
  check(ask(*state, "POST", "/connectors", "", ""), 400, JSON,
        ERROR(400, "The request body is empty, a JSON object is needed"));
  check(ask(*state, "GET", "/", "Content-Type: text/plain\r\n", NULL), 200, JSON, NULL);
  check(ask(*state, "GET", "/", "Accept: text/html\r\nAccept: application/json;q=0.1\r\n", NULL), 200, JSON,
        NULL);
  check(ask(*state, "GET", "/connectors/none", "", NULL), 404, JSON, ERROR(404, "Connector none not found"));
  check(ask(*state, "GET", "/connectors/%zz", "", NULL), 400, JSON,
        ERROR(400, "Invalid escape at character 13 of the request target"));
  check(ask(*state, "GET", "/connectors/a%00b", "", NULL), 400, JSON, NULL);
  check(ask(*state, "GET", "//connectors", "", NULL), 400, JSON, NULL);
  static const char *const targets[][2] = {{"/connectors", "/x"},
                                           {"/connectors", ""},
                                           {"/", "/x y"},
                                           {"/connectors?a", "&b"},
                                           {"/connectors", " "}};
  for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
    char expected[128];
    int fd = dial(*state);
    say(fd, "GET ");
    say(fd, targets[i][0]);
    assert_int_equal(send(fd, "", 1, MSG_NOSIGNAL), 1); /* a NUL */
    say(fd, targets[i][1]);
    say(fd, " HTTP/1.1\r\nHost: h:1\r\n\r\n");
    snprintf(expected, sizeof expected,
             ERROR(400, "Control character at character %zu of the request target"),
             strlen(targets[i][0]) + 1);
    check(hear(fd), 400, JSON, expected);
  }
}

static void test_head_and_options(void **state) {
  char *answer = ask(*state, "HEAD", "/connectors", "", NULL);
  assert_string_equal(header_of(answer, "Content-Length"), "9");
  check(answer, 200, JSON, "");
  check(ask(*state, "HEAD", "/connectors/none", "", NULL), 404, JSON, "");
  static const struct {
    const char *target, *allow, *text;
  } cases[] = {
      {"/", "HEAD,GET,OPTIONS", "HEAD, GET, OPTIONS"},
      {"/connectors", "HEAD,POST,GET,OPTIONS", "HEAD, POST, GET, OPTIONS"},
      {"/connectors/c", "HEAD,DELETE,GET,OPTIONS", "HEAD, DELETE, GET, OPTIONS"},
      {"/connectors/c/config", "HEAD,GET,OPTIONS,PUT,PATCH", "HEAD, GET, OPTIONS, PUT, PATCH"},
      {"/connectors/c/offsets", "HEAD,DELETE,GET,OPTIONS,PATCH", "HEAD, DELETE, GET, OPTIONS, PATCH"},
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
  static const struct {
    const char *text;
    int status;
  } cases[] = {
      {"POST /connectors HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}    ", 400},
      {"POST /connectors HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: "
       "chunked\r\n\r\n0\r\n\r\n",
       400},
      {"POST /connectors HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\nx", 501},
      {"POST /connectors HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
      {"POST /connectors HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
       "gzip\r\n\r\n",
       501},
      {"GET /connectors HTTP/1.1\r\n\r\n", 400},
      {"GET /connectors HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", 405},
      {"TRACE /connectors HTTP/1.1\r\nHost: h\r\n\r\n", 405},
      {"POST /connectors HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n", 413},
      {"POST /connectors HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n",
       413},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char *answer = ask_raw(*state, cases[i].text), code[32];
    snprintf(code, sizeof code, "{\"error_code\":%d,", cases[i].status);
    assert_int_equal(strncmp(body_of(answer), code, strlen(code)), 0);
    check(answer, cases[i].status, JSON, NULL);
  }
  struct fixture *f = *state;
  assert_int_equal(f->herder.n_submitted, 0);
  check(ask_raw(
            *state,
            "POST /connectors HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json\r\n"
            "Content-Length: 13\r\nContent-Length: 13\r\n\r\n{\"config\":{}}"),
        201, JSON, NULL);
}

static void test_chunked_body(void **state) {
  check(ask_raw(
            *state,
            "POST /connectors HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json\r\n"
            "Transfer-Encoding: chunked\r\n\r\n9;ext=1\r\n{\"name\":\"\r\n11\r\nx\",\"config\":{\"a\"\r\n"
            "4\r\n:1}}\r\n0\r\nTrailer: 1\r\n\r\n"),
        201, JSON, NULL);
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
  say(fd, "PUT /connectors/c/config HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: "
          "4000\r\n\r\n");
  int64_t start = cl_now_ms();
  int sent = 0;
  while (sent < 3000 && send(fd, "x", 1, MSG_NOSIGNAL) >= 0) {
    sent++;
    usleep(20000);
  }
  assert_true(sent < 3000);
  assert_true(cl_now_ms() - start >= 150);
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
  check(hear(fd), 413, JSON, ERROR(413, "The request body is larger than the 4096 bytes this worker takes"));
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
      "\x16\x03\x01\x02",
      "\r\n\r\n\r\n",
      "GET\r\n\r\n",
      "GET /\r\n\r\n",
      "GET / HTTP/9.9\r\nHost: h\r\n\r\n",
      "GET / HTTP/1.1\r\nno colon\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      "GET /a b c HTTP/1.1\r\nHost: h\r\n\r\n",
      "\xff\xfe\xfd\xfc \xff\xff \xff\r\n\r\n",
  };
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    int fd = dial(*state);
    struct timeval moment = {.tv_usec = 200000}; /* half a request may wait for its other half */
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &moment, sizeof moment);
    say(fd, texts[i]);
    shutdown(fd, SHUT_WR);
    char *answer = hear_or_silence(fd, true);
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
    close(fd);
  }
  check(ask(*state, "GET", "/connectors", "", NULL), 200, JSON, NULL);
}

int main(void) {
  cl_loggers_start(CL_OFF);
  const struct CMUnitTest tests[] = {
      TEST(test_reads),
      TEST(test_metrics),
      TEST(test_list),
      TEST(test_writes),
      TEST(test_tasks),
      TEST(test_plugins),
      TEST(test_validate),
      TEST(test_patch_and_internal),
      TEST(test_offsets),
      TEST(test_loggers),
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
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
