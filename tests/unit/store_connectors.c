/* SPDX-License-Identifier: Apache-2.0
 * The connectors a worker remembers: what is kept, what a file may hold, what a failure leaves. */
#include "store/connectors.h"

#include "base/fs.h"
#include "base/loggers.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/cl-connectors-XXXXXX";
static char path[PATH_MAX];

static int setup(void **state) {
  (void)state;
  cl_loggers_start(CL_OFF);
  memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
  if (!mkdtemp(dir))
    return -1;
  snprintf(path, sizeof(path), "%s/connectors.json", dir);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  unlink(path);
  return rmdir(dir); /* fails when a temp file was left behind */
}

static struct cl_connectors *open_store(const char *at) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_connectors *s = NULL;
  if (cl_connectors_open(at, &s, &err) != 0)
    fail_msg("%s", err.msg);
  return s;
}

static int try_put(struct cl_connectors *s, const char *name, const char *config, const char *state,
                   struct cl_err *err) {
  json_t *json = json_loads(config, 0, NULL);
  assert_non_null(json);
  int rc = cl_connectors_put(s, name, json, state, err);
  json_decref(json);
  return rc;
}

static void put(struct cl_connectors *s, const char *name, const char *config, const char *state) {
  struct cl_err err = CL_ERR_INIT;
  if (try_put(s, name, config, state, &err) != 0)
    fail_msg("%s", err.msg);
}

static void lists(const struct cl_connectors *s, const char *expected) {
  char *text = cl_json_text(cl_connectors_list(s));
  assert_string_equal(text, expected);
  free(text);
}

static void write_file(const char *text) {
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  fputs(text, f);
  fclose(f);
}

static void keeps(void **state) {
  (void)state;
  struct cl_connectors *s = open_store(path);
  lists(s, "[]");
  put(s, "a", "{\"z\":\"${file:x:y}\",\"b\":\"2\",\"n\":null}", "RUNNING");
  put(s, "\xC3\xA9/1", "{}", "STOPPED");
  put(s, "c", "{}", "RUNNING");
  cl_connectors_close(s);
  s = open_store(path);
  lists(s, "[{\"name\":\"a\",\"config\":{\"z\":\"${file:x:y}\",\"b\":\"2\",\"n\":null},\"initial_state\":"
           "\"RUNNING\"},{\"name\":\"\xC3\xA9/1\",\"config\":{},\"initial_state\":\"STOPPED\"},"
           "{\"name\":\"c\",\"config\":{},\"initial_state\":\"RUNNING\"}]");
  struct cl_err err = CL_ERR_INIT;
  assert_int_equal(cl_connectors_remove(s, "a", &err), 0);
  assert_int_equal(cl_connectors_remove(s, "nobody", &err), 0);
  put(s, "c", "{\"k\":\"v\"}", "PAUSED");
  cl_connectors_close(s);
  s = open_store(path);
  lists(s, "[{\"name\":\"\xC3\xA9/1\",\"config\":{},\"initial_state\":\"STOPPED\"},"
           "{\"name\":\"c\",\"config\":{\"k\":\"v\"},\"initial_state\":\"PAUSED\"}]");
  cl_connectors_close(s);
}

static void is_the_owners_alone(void **state) {
  (void)state;
  struct stat st;
  struct cl_connectors *s = open_store(path);
  assert_int_equal(stat(path, &st), -1); /* nothing is written before there is something */
  put(s, "a", "{\"password\":\"p\"}", "RUNNING");
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(st.st_mode & 07777, 0600);
  chmod(path, 0644); /* there are passwords in it */
  put(s, "a", "{}", "RUNNING");
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(st.st_mode & 07777, 0600);
  ino_t before = st.st_ino;
  put(s, "a", "{}", "RUNNING"); /* no change, no write */
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(st.st_ino, before);
  cl_connectors_close(s);
}

static void is_one_workers_alone(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  struct cl_connectors *first = open_store(path), *second = NULL;
  assert_int_equal(cl_connectors_open(path, &second, &err), CL_ECONFLICT);
  put(first, "a", "{}", "RUNNING");
  assert_int_equal(cl_connectors_open(path, &second, &err), CL_ECONFLICT);
  assert_null(second);
  assert_non_null(strstr(err.msg, "connect.lua.connectors.file: "));
  assert_non_null(strstr(err.msg, "in use by another worker"));
  cl_connectors_close(first);
  second = open_store(path);
  put(second, "b", "{}", "RUNNING");
  cl_connectors_close(second);
}

static void without_a_file(void **state) {
  (void)state;
  struct cl_connectors *s = open_store(NULL);
  struct cl_err err = CL_ERR_INIT;
  put(s, "a", "{}", "RUNNING");
  assert_int_equal(cl_connectors_remove(s, "a", &err), 0);
  lists(s, "[]");
  cl_connectors_close(s);
}

/* After a failure the store is as it was, and the next change works. */
static void failing_to_write(void **state) {
  (void)state;
  char moved[PATH_MAX], what[PATH_MAX + 64];
  struct cl_connectors *s = open_store(path);
  struct cl_err err = CL_ERR_INIT;
  put(s, "a", "{}", "RUNNING");
  snprintf(moved, sizeof(moved), "%s.away", dir);
  assert_int_equal(rename(dir, moved), 0);
  assert_int_equal(try_put(s, "b", "{}", "RUNNING", &err), CL_EIO);
  snprintf(what, sizeof(what), "cannot write %s", path);
  assert_non_null(strstr(err.msg, what));
  assert_int_equal(try_put(s, "a", "{}", "PAUSED", &err), CL_EIO);
  assert_int_equal(cl_connectors_remove(s, "a", &err), CL_EIO);
  lists(s, "[{\"name\":\"a\",\"config\":{},\"initial_state\":\"RUNNING\"}]");
  assert_int_equal(rename(moved, dir), 0);
  put(s, "c", "{}", "STOPPED");
  lists(s, "[{\"name\":\"a\",\"config\":{},\"initial_state\":\"RUNNING\"},"
           "{\"name\":\"c\",\"config\":{},\"initial_state\":\"STOPPED\"}]");
  cl_connectors_close(s);
}

static void refuses(const char *text, const char *why) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_connectors *s = NULL;
  char *after = NULL;
  size_t len;
  write_file(text);
  assert_int_equal(cl_connectors_open(path, &s, &err), CL_EINVAL);
  assert_null(s);
  if (!strstr(err.msg, why) || !strstr(err.msg, path) || !strstr(err.msg, "put back a copy of it"))
    fail_msg("%s", err.msg);
  assert_int_equal(cl_fs_read(path, 1 << 20, &after, &len, &err), 0);
  assert_string_equal(after, text);
  free(after);
}

#define FILE_OF(items) "{\"version\":1,\"connectors\":[" items "]}"
#define ITEM(name) "{\"name\":\"" name "\",\"config\":{},\"initial_state\":\"RUNNING\"}"

static void damaged_files(void **state) {
  (void)state;
  refuses("", "line 1, column 0");
  refuses("{\"version\":1,\n\"connectors\":[", "line 2, column 14");
  refuses("[]", "\"version\" is not 1");
  refuses("{\"version\":2,\"connectors\":[]}", "\"version\" is not 1");
  refuses("{\"version\":1}", "list of \"connectors\"");
  refuses("{\"version\":1,\"connectors\":{}}", "list of \"connectors\"");
  refuses("{\"version\":1,\"connectors\":[],\"more\":1}", "list of \"connectors\"");
  refuses(FILE_OF("1"), "connector 1 is not an object");
  refuses(FILE_OF(ITEM("a") ",{\"name\":\"b\",\"initial_state\":\"RUNNING\"}"),
          "connector b has no \"config\"");
  refuses(FILE_OF(ITEM("a") ",{\"config\":{}}"), "connector 2 has no \"name\"");
  refuses(FILE_OF("{\"name\":1,\"config\":{},\"initial_state\":\"RUNNING\"}"), "connector 1 has no \"name\"");
  refuses(FILE_OF("{\"name\":\"a\",\"config\":{},\"more\":1}"), "connector a has \"more\"");
  refuses(FILE_OF("{\"name\":\"a\",\"config\":{},\"initial_state\":1}"), "\"initial_state\" of connector a");
  refuses(FILE_OF("{\"name\":\"a\",\"config\":{\"k\":1},\"initial_state\":\"RUNNING\"}"),
          "\"config\" of connector a");
  refuses(FILE_OF("{\"name\":\"a\",\"config\":{},\"initial_state\":\"FAILED\"}"),
          "\"initial_state\" of connector a");
  refuses(FILE_OF(ITEM("a") "," ITEM("b") "," ITEM("a")), "connector a is there twice");
  write_file(FILE_OF(ITEM("a")));
  struct cl_connectors *s = open_store(path);
  lists(s, "[" ITEM("a") "]");
  cl_connectors_close(s);
}

static void as_post_takes_them(void **state) {
  (void)state;
  write_file(FILE_OF("{\"name\":\"a\",\"config\":{}}") "\n");
  struct cl_connectors *s = open_store(path);
  lists(s, "[" ITEM("a") "]");
  cl_connectors_close(s);
  write_file(FILE_OF("{\"name\":\"a\",\"config\":{},\"initial_state\":null}"));
  s = open_store(path);
  lists(s, "[" ITEM("a") "]");
  cl_connectors_close(s);
  write_file(FILE_OF("{\"name\":\"a\",\"config\":{},\"initial_state\":\"paused\"}"));
  s = open_store(path);
  lists(s, "[{\"name\":\"a\",\"config\":{},\"initial_state\":\"paused\"}]");
  cl_connectors_close(s);
}

static void unreadable_file(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  struct cl_connectors *s = NULL;
  assert_int_equal(cl_connectors_open(dir, &s, &err), CL_EIO); /* a folder */
  assert_non_null(strstr(err.msg, dir));
  char deep[PATH_MAX];
  snprintf(deep, sizeof(deep), "%s/none/file", dir);
  s = open_store(deep); /* warned of; what is known would run */
  assert_int_equal(try_put(s, "a", "{}", "RUNNING", &err), CL_EIO);
  cl_connectors_close(s);
}

int main(void) {
#define store_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      store_test(keeps),
      store_test(is_the_owners_alone),
      store_test(is_one_workers_alone),
      store_test(without_a_file),
      store_test(failing_to_write),
      store_test(damaged_files),
      store_test(as_post_takes_them),
      store_test(unreadable_file),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
