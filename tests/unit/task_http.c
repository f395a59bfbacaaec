/* SPDX-License-Identifier: Apache-2.0
 * connect.http in real tasks and on the control thread: nothing it waits for holds up a stop, or a check
 * beyond its time. The server is one that takes connections and never says a word. */
#include "task_rig.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static int listener;
static char url[64];

/* Takes one connection, and answers with a body of 24 MiB. */
static void *serve_once(void *arg) {
  static char zeros[1 << 20];
  char request[4096];
  int fd = accept(listener, NULL, NULL);
  (void)arg;
  bool good = fd >= 0 && recv(fd, request, sizeof(request), 0) > 0 &&
              dprintf(fd, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", 24 << 20) > 0;
  for (int i = 0; good && i < 24; i++)
    good = send(fd, zeros, sizeof(zeros), MSG_NOSIGNAL) > 0;
  if (good)
    recv(fd, request, sizeof(request), 0);
  close(fd);
  return NULL;
}

static int silent_up(void **state) {
  struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof(addr);
  listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr *)&addr, size) != 0 || listen(listener, 64) != 0 ||
      getsockname(listener, (struct sockaddr *)&addr, &size) != 0)
    return -1;
  snprintf(url, sizeof(url), "http://127.0.0.1:%d/", ntohs(addr.sin_port));
  return suite_up(state);
}

static int silent_down(void **state) {
  close(listener);
  return suite_down(state);
}

/* text: with a %s for the URL. */
static void plugin_with_url(const char *class, const char *text) {
  char whole[2048];
  snprintf(whole, sizeof(whole), "local URL, http = '%s', connect.http\n%s", url, text);
  plugin(class, whole);
}

static void a_request_ends_with_its_source(void **state) {
  (void)state;
  static const char *const calls[] = {
      "http.get(URL, { timeout = 600000 })",
      "http.get('http://127.0.0.1:1/', { retries = 100, backoff = 600000, max_wait = 600000 })",
      "http.get(URL, { timeout = 1, retries = 100, backoff = 600000, max_wait = 600000 })",
  };
  for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
    char text[1024];
    snprintf(text, sizeof(text),
             "return { api = 1, kind = 'source', poll = function(ctx) say(ctx, 'asking')\n"
             "  local res, err = %s say(ctx, 'came back') end,\n"
             "  stop = function(ctx) say(ctx, 'stop') end }\n",
             calls[i]);
    plugin_with_url("plugin", text);
    unlink(job.journal);
    job_start(&job);
    wait_said(&job, "asking", 1);
    int fd = i == 0 ? accept(listener, NULL, NULL) : -1; /* it waits for an answer */
    if (i > 0)
      usleep(50000); /* most likely into the pause before the next attempt */
    job_stop(&job);
    if (i == 0)
      journal_is(&job, NULL, "= RUNNING\nasking\nstop\n");
    in_order(&job, "= RUNNING", "asking", "stop", NULL);
    assert_int_equal(said(&job, "= FAILED"), 0);
    if (fd >= 0)
      close(fd);
  }
}

static void a_request_ends_with_its_sink(void **state) {
  (void)state;
  plugin_with_url("plugin", "return { api = 1, kind = 'sink', put = function(ctx, batch) if #batch > 0 then\n"
                            "  say(ctx, 'asking') http.post(URL, { body = 'x', timeout = 600000 }) end end,\n"
                            "  stop = function(ctx) say(ctx, 'stop') end }\n");
  rig_fill("asked", 0, 3);
  job_topics(&job, "asked", NULL);
  job_start(&job);
  wait_said(&job, "asking", 1);
  job_stop(&job);
  in_order(&job, "asking", "stop", NULL);
  assert_int_equal(said(&job, "= FAILED"), 0);
}

static void a_body_is_memory_of_its_task(void **state) {
  (void)state;
  pthread_t server;
  plugin_with_url("plugin", "return { api = 1, kind = 'source', poll = function(ctx)\n"
                            "  http.get(URL, { max_body = 32 * 1048576 }) end }\n");
  job.conf.memory_max = 16 << 20;
  assert_int_equal(pthread_create(&server, NULL, serve_once, NULL), 0);
  job_start(&job);
  job_failed(&job, "not enough memory", "connect.lua.memory.max.bytes", NULL);
  job_stop(&job);
  pthread_join(server, NULL);
}

/* A stopping task may still say goodbye, but not for long. */
static void what_begins_late_is_short(void **state) {
  (void)state;
  plugin_with_url("plugin", "return { api = 1, kind = 'source', poll = function(ctx) ctx:sleep(600000) end,\n"
                            "  stop = function(ctx) local res, err = http.get(URL, { retries = 9 })\n"
                            "  say(ctx, 'stop: %s: %s', err.reason, err.message) end }\n");
  job_start(&job);
  wait_said(&job, "= RUNNING", 1);
  job_stop(&job);
  wait_said(&job, "stop: timeout: GET http://127.0.0.1:", 1);
  char *text = journal_text(&job);
  assert_non_null(strstr(text, "(the task stops, and has no longer)\n"));
  free(text);
}

static void works_while_a_task_is_set_up(void **state) {
  (void)state;
  plugin_with_url("change", "return { api = 1, kind = 'transform', configure = function()\n"
                            "  local _, err = http.get('http://127.0.0.1:1/', { retries = 1, backoff = 1 })\n"
                            "  return { why = err.reason } end,\n"
                            "  apply = function(record, self) record.value = self.why return record end }\n");
  plugin_with_url("plugin", "local n = 0\nreturn { api = 1, kind = 'source', poll = function(ctx) n = n + 1\n"
                            "  if n == 1 then ctx:emit { topic = 'why', value = 'x' } end ctx:sleep(10)\n"
                            "  if n == 2 then say(ctx, 'sent') end end }\n");
  job.transform = "change";
  job_start(&job);
  wait_said(&job, "sent", 1);
  job_stop(&job);
}

static void check_has_its_time(void **state) {
  (void)state;
  struct cl_control_conf conf = {.home = CL_SOURCE_DIR, .deadline_ms = 1000};
  struct cl_control *own = NULL;
  struct cl_plugins *set = NULL;
  json_t *out = NULL, *args = json_array(), *paths = json_pack("[s]", folder);
  plugin_with_url("plugin", "return { api = 1, kind = 'source', poll = function() end, check = function()\n"
                            "  local res, err = http.get(URL, { timeout = 600000, retries = 9 })\n"
                            "  return err.message end }\n");
  must(cl_control_start(&conf, &own, &err));
  must(cl_plugins_scan(own, CL_SOURCE_DIR, paths, &set, &err));
  struct cl_plugin *p = job_find(set, CL_PLUGIN_SOURCE, "plugin");
  must(cl_control_call(own, p, "check", args, &out, &err));
  assert_non_null(strstr(json_string_value(out), ": no answer within "));
  assert_int_equal(cl_control_abandoned(own), 0);
  json_decref(out);
  json_decref(args);
  json_decref(paths);
  cl_plugins_unref(set);
  cl_control_stop(own);
}

int main(void) {
#define task_test(name) cmocka_unit_test_setup_teardown(name, test_up, test_down)
  const struct CMUnitTest tests[] = {
      /* first, as long as no connection of others waits to be taken */
      task_test(a_body_is_memory_of_its_task), task_test(a_request_ends_with_its_source),
      task_test(a_request_ends_with_its_sink), task_test(what_begins_late_is_short),
      task_test(works_while_a_task_is_set_up), task_test(check_has_its_time),
  };
  return cmocka_run_group_tests(tests, silent_up, silent_down);
}
