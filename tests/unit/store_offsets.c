/* SPDX-License-Identifier: Apache-2.0
 * Source offsets: look-up, overwriting, tombstones, the file behind them. */
#include "store/offsets.h"

#include "base/fs.h"
#include "base/loggers.h"
#include "store/offsets_file.h"
#include "store_fixtures.h"

#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/cl-offsets-XXXXXX";
static char path[PATH_MAX];

static int setup(void **state) {
  (void)state;
  memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
  if (!mkdtemp(dir))
    return -1;
  snprintf(path, sizeof(path), "%s/connect.offsets", dir);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  unlink(path);
  return rmdir(dir); /* fails when a temp file was left behind */
}

static struct cl_offsets *open_store(const char *at) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_offsets *s = NULL;
  if (cl_offsets_open(at, &s, &err) != 0)
    fail_msg("%s", err.msg);
  return s;
}

static int try_put(struct cl_offsets *s, const char *connector, const char *partition, const char *offset,
                   struct cl_err *err) {
  struct cl_offset_pair pair = {partition, strlen(partition), offset, strlen(offset)};
  return cl_offsets_put(s, connector, &pair, 1, err);
}

static void put(struct cl_offsets *s, const char *connector, const char *partition, const char *offset) {
  struct cl_err err = CL_ERR_INIT;
  if (try_put(s, connector, partition, offset, &err) != 0)
    fail_msg("%s", err.msg);
}

/* expected NULL = none */
static void gives(struct cl_offsets *s, const char *connector, const char *partition, const char *expected) {
  struct cl_err err = CL_ERR_INIT;
  json_t *key = json_loads(partition, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL), *out = NULL;
  assert_non_null(key);
  if (cl_offsets_get(s, connector, key, &out, &err) != 0)
    fail_msg("%s", err.msg);
  char *text = out ? cl_json_text(out) : NULL;
  if (expected) {
    assert_non_null(text);
    assert_string_equal(text, expected);
  } else {
    assert_null(text);
  }
  free(text);
  json_decref(out);
  json_decref(key);
}

static void lists(struct cl_offsets *s, const char *connector, const char *expected) {
  struct cl_err err = CL_ERR_INIT;
  json_t *out = NULL;
  if (cl_offsets_list(s, connector, &out, &err) != 0)
    fail_msg("%s", err.msg);
  char *text = cl_json_text(out);
  assert_string_equal(text, expected);
  free(text);
  json_decref(out);
}

/* The keys and values of the file, one "key=value;" each, in its order. */
static void file_holds(const char *expected) {
  struct cl_err err = CL_ERR_INIT;
  char *data;
  size_t len, n;
  struct cl_offsets_entry *e;
  struct cl_buf text = {0};
  assert_int_equal(cl_fs_read(path, 1 << 20, &data, &len, &err), 0);
  assert_int_equal(cl_offsets_file_decode(data, len, path, &e, &n, &err), 0);
  for (size_t i = 0; i < n; i++)
    cl_buf_fmt(&text, "%.*s=%.*s;", (int)e[i].key_len, e[i].key, e[i].value ? (int)e[i].value_len : 4,
               e[i].value ? e[i].value : "null");
  assert_string_equal(text.p ? text.p : "", expected);
  cl_buf_free(&text);
  free(e);
  free(data);
}

static void write_file(const void *data, size_t len) {
  struct cl_err err = CL_ERR_INIT;
  assert_int_equal(cl_fs_replace(path, data, len, 0666, &err), 0);
}

static void in_memory(void **state) {
  (void)state;
  struct cl_offsets *s = open_store(NULL);
  gives(s, "c", "{\"a\":1}", NULL);
  put(s, "c", "{\"a\":1,\"b\":\"x\"}", "{\"n\":1}");
  put(s, "c", "null", "{\"n\":7}");
  put(s, "d \"quoted\" \xC3\xA9", "{\"a\":1,\"b\":\"x\"}", "{\"n\":2}");
  gives(s, "c", "{\"b\":\"x\",\"a\":1}", "{\"n\":1}");
  gives(s, "c", "{\"a\":1.0,\"b\":\"x\"}", NULL);
  gives(s, "c", "{\"a\":\"1\",\"b\":\"x\"}", NULL);
  gives(s, "c", "null", "{\"n\":7}");
  gives(s, "d \"quoted\" \xC3\xA9", "{\"b\":\"x\",\"a\":1}", "{\"n\":2}");
  lists(s, "c", "[{\"partition\":{\"a\":1,\"b\":\"x\"},\"offset\":{\"n\":1}}]");
  lists(s, "none", "[]");
  cl_offsets_close(s);
  cl_offsets_close(NULL);
}

static void survives_a_restart(void **state) {
  (void)state;
  struct cl_offsets *s = open_store(path);
  lists(s, "c", "[]");
  put(s, "c", "{\"f\":\"a\"}", "{\"position\":12}");
  put(s, "c", "{\"f\":\"b\",\"z\":null,\"big\":9007199254740993}", "{\"r\":1.5,\"s\":\"\\u0000\"}");
  put(s, "c", "{\"f\":\"a\"}", "{\"position\":34}");
  cl_offsets_close(s);
  file_holds(
      "[\"c\",{\"f\":\"a\"}]={\"position\":34};[\"c\",{\"f\":\"b\",\"z\":null,\"big\":9007199254740993}]="
      "{\"r\":1.5,\"s\":\"\\u0000\"};");
  s = open_store(path);
  gives(s, "c", "{\"f\":\"a\"}", "{\"position\":34}");
  gives(s, "c", "{\"big\":9007199254740993,\"z\":null,\"f\":\"b\"}", "{\"r\":1.5,\"s\":\"\\u0000\"}");
  cl_offsets_close(s);
}

static void key_bytes_are_kept(void **state) {
  (void)state;
  write_file(java_three, sizeof(java_three));
  struct cl_offsets *s = open_store(path);
  gives(s, "c", "{\"b\":\"x\",\"a\":1}", "{\"n\":1}");
  gives(s, "d", "{\"k\":\"\xC3\xA9\"}", "{\"n\":1}");
  gives(s, "c", "{\"a\":2,\"b\":\"y\"}", NULL);
  lists(s, "c", "[{\"partition\":{\"a\":1,\"b\":\"x\"},\"offset\":{\"n\":1}}]");
  put(s, "c", "{\"b\":\"x\",\"a\":1}", "{\"n\":2}");
  put(s, "c", "{\"b\":\"y\",\"a\":2}", "{\"n\":3}");
  put(s, "d", "{\"k\":\"\\u00e9\"}", "null");
  put(s, "e", "{}", "null");
  gives(s, "d", "{\"k\":\"\xC3\xA9\"}", NULL);
  lists(s, "d", "[]");
  cl_offsets_close(s);
  file_holds("[\"c\",{\"a\":1,\"b\":\"x\"}]={\"n\":2};[\"c\",{\"a\":2,\"b\":\"y\"}]={\"n\":3};"
             "[\"d\",{\"k\":\"\xC3\xA9\"}]=null;[\"e\",{}]=null;");
}

static void encode_to_file(struct cl_offsets_entry *e, size_t n) {
  struct cl_buf out = {0};
  for (size_t i = 0; i < n; i++) {
    e[i].key_len = strlen(e[i].key);
    e[i].value_len = e[i].value ? strlen(e[i].value) : 0;
  }
  cl_offsets_file_encode(e, n, &out);
  write_file(out.p, out.len);
  cl_buf_free(&out);
}

/* Apache compares bytes, so its file may hold one partition in two spellings: both get the new offset. */
static void twins(void **state) {
  (void)state;
  struct cl_offsets_entry e[] = {{.key = "[\"c\",{\"a\":1,\"b\":2}]", .value = "{\"n\":1}"},
                                 {.key = "[\"c\",{\"x\":1}]", .value = "{\"n\":5}"},
                                 {.key = "[\"c\",{\"b\":2,\"a\":1}]", .value = "{\"n\":2}"},
                                 {.key = "[\"c\", {\"b\":2,\"a\":1}]", .value = "{\"n\":3}"}};
  encode_to_file(e, 4);
  struct cl_offsets *s = open_store(path);
  put(s, "c", "{\"b\":2,\"a\":1}", "{\"n\":9}");
  gives(s, "c", "{\"a\":1,\"b\":2}", "{\"n\":9}");
  cl_offsets_close(s);
  file_holds(
      "[\"c\",{\"a\":1,\"b\":2}]={\"n\":9};[\"c\",{\"x\":1}]={\"n\":5};[\"c\",{\"b\":2,\"a\":1}]={\"n\":9};"
      "[\"c\", {\"b\":2,\"a\":1}]={\"n\":9};");
}

/* What we cannot use is carried along, not lost. */
static void strange_entries(void **state) {
  (void)state;
  struct cl_offsets_entry e[] = {{.key = "not JSON", .value = "{\"n\":1}"},
                                 {.key = "[\"c\",{\"id\":18446744073709551616}]", .value = "{\"n\":2}"},
                                 {.key = "[\"c\",{\"a\":1}]", .value = "[1]"},
                                 {.key = "\"c\"", .value = "{}"}};
  encode_to_file(e, 4);
  cl_loggers_start(CL_OFF);
  struct cl_offsets *s = open_store(path);
  cl_loggers_start(CL_INFO);
  struct cl_err err = CL_ERR_INIT;
  json_t *key = json_pack("{s:i}", "a", 1), *out = NULL;
  assert_int_equal(cl_offsets_get(s, "c", key, &out, &err), CL_EINVAL);
  assert_string_equal(err.msg, "the stored offset of [\"c\",{\"a\":1}] is not a JSON object: [1]");
  assert_null(out);
  json_decref(key);
  put(s, "c", "{\"id\":18446744073709551616}", "{\"n\":3}");
  put(s, "c", "{\"id\":18446744073709551617}", "{\"n\":4}");
  assert_int_equal(try_put(s, "c", "{\"a\":", "{}", &err), CL_EINVAL);
  assert_string_equal(err.msg, "source partition is not JSON: {\"a\":");
  cl_offsets_close(s);
  file_holds(
      "not JSON={\"n\":1};[\"c\",{\"id\":18446744073709551616}]={\"n\":3};[\"c\",{\"a\":1}]=[1];\"c\"={};"
      "[\"c\",{\"id\":18446744073709551617}]={\"n\":4};");
}

static void damaged_files(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  struct cl_offsets *s = NULL;
  char message[PATH_MAX + 200];
  write_file(java_one, 100);
  assert_int_equal(cl_offsets_open(path, &s, &err), CL_EINVAL);
  snprintf(message, sizeof(message),
           "%s: not an offsets file, or damaged, at byte 100: the file ends early; put back a "
           "copy of it, or move it away: then every source starts from nothing",
           path);
  assert_string_equal(err.msg, message);
  assert_null(s);
  struct stat st;
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(st.st_size, 100); /* left as it was */
  assert_int_equal(cl_offsets_open(dir, &s, &err), CL_EIO);
}

/* What opening the store says in the log. */
static void logs(const char *at, char *text, size_t size) {
  struct cl_err err = CL_ERR_INIT;
  char name[] = "/tmp/cl-offsets-log-XXXXXX";
  int fd = mkstemp(name);
  assert_true(fd >= 0);
  assert_int_equal(cl_log_open(name, CL_WARN, false, &err), 0);
  cl_offsets_close(open_store(at));
  cl_log_close();
  ssize_t n = read(fd, text, size - 1);
  assert_true(n >= 0);
  text[n] = '\0';
  close(fd);
  unlink(name);
}

static void what_opening_warns_of(void **state) {
  (void)state;
  char text[4096], missing[PATH_MAX + 16];
  logs(path, text, sizeof(text));
  assert_string_equal(text, "");
  write_file("", 0);
  logs(path, text, sizeof(text));
  assert_non_null(strstr(text, "connect.offsets is empty (0 bytes)"));
  write_file(java_one, sizeof(java_one));
  logs(path, text, sizeof(text));
  assert_string_equal(text, "");
  snprintf(missing, sizeof(missing), "%s/missing/offsets", dir);
  logs(missing, text, sizeof(text));
  assert_non_null(strstr(text, missing));
  assert_non_null(strstr(text, "No such file or directory"));
  assert_non_null(strstr(text, "offset.storage.file.filename"));
}

/* Names that begin alike, or hold what JSON quotes. */
static void lists_one_connector(void **state) {
  (void)state;
  static const char *const names[] = {"a", "ab", "a\",{}", "a\\", "", "\xc3\xa4", "a\n"};
  enum { N = sizeof(names) / sizeof(*names) };
  struct cl_offsets *s = open_store(path);
  for (int again = 0; again < 2; again++) {
    for (int i = 0; i < N; i++) {
      char offset[32], expected[64];
      snprintf(offset, sizeof(offset), "{\"n\":%d}", i);
      put(s, names[i], "{\"p\":0}", offset);
      put(s, names[i], "{\"gone\":0}", "null");
      snprintf(expected, sizeof(expected), "[{\"partition\":{\"p\":0},\"offset\":{\"n\":%d}}]", i);
      lists(s, names[i], expected);
    }
    cl_offsets_close(s);
    s = open_store(path);
  }
  lists(s, "b", "[]");
  cl_offsets_close(s);
}

static void is_one_workers_alone(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  struct cl_offsets *first = open_store(path), *second = NULL;
  put(first, "c", "{\"a\":1}", "{\"n\":1}");
  assert_int_equal(cl_offsets_open(path, &second, &err), CL_ECONFLICT);
  assert_null(second);
  assert_non_null(strstr(err.msg, "offset.storage.file.filename: "));
  cl_offsets_close(first);
  second = open_store(path);
  gives(second, "c", "{\"a\":1}", "{\"n\":1}");
  cl_offsets_close(second);
}

/* A disk that refuses is an error worth another try; what was put is not forgotten meanwhile. */
static void failed_write(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  char moved[PATH_MAX];
  struct cl_offsets *s = open_store(path);
  snprintf(moved, sizeof(moved), "%s.moved", dir);
  assert_int_equal(rename(dir, moved), 0);
  assert_int_equal(try_put(s, "c", "{\"a\":1}", "{\"n\":1}", &err), CL_EIO);
  assert_true(err.retriable);
  assert_int_equal(rename(moved, dir), 0);
  put(s, "c", "{\"a\":2}", "{\"n\":2}");
  cl_offsets_close(s);
  file_holds("[\"c\",{\"a\":1}]={\"n\":1};[\"c\",{\"a\":2}]={\"n\":2};");
}

/* Who asked for a change is told that it failed: then it has not been made, not even in part. */
static void failed_change(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  char moved[PATH_MAX];
  struct cl_offsets *s = open_store(path);
  put(s, "c", "{\"a\":1}", "{\"n\":1}");
  put(s, "c", "{\"a\":3}", "{\"n\":3}");
  static const char *const texts[][2] = {{"{\"a\":1}", "{\"n\":10}"},
                                         {"{\"a\":2}", "{\"n\":20}"},
                                         {"{\"a\":1}", "{\"n\":11}"},
                                         {"{\"a\":3}", "null"},
                                         {"{", "{\"n\":30}"}};
  struct cl_offset_pair pairs[5];
  for (size_t i = 0; i < 5; i++)
    pairs[i] = (struct cl_offset_pair){texts[i][0], strlen(texts[i][0]), texts[i][1], strlen(texts[i][1])};
  snprintf(moved, sizeof(moved), "%s.moved", dir);
  assert_int_equal(rename(dir, moved), 0);
  assert_int_equal(cl_offsets_alter(s, "c", pairs, 4, &err), CL_EIO);
  assert_int_equal(rename(moved, dir), 0);
  assert_int_equal(cl_offsets_alter(s, "c", pairs, 5, &err), CL_EINVAL);
  lists(s, "c",
        "[{\"partition\":{\"a\":1},\"offset\":{\"n\":1}},{\"partition\":{\"a\":3},\"offset\":{\"n\":3}}]");
  gives(s, "c", "{\"a\":2}", NULL);
  assert_int_equal(cl_offsets_alter(s, "c", pairs, 4, &err), 0);
  cl_offsets_close(s);
  file_holds("[\"c\",{\"a\":1}]={\"n\":11};[\"c\",{\"a\":3}]=null;[\"c\",{\"a\":2}]={\"n\":20};");
}

enum { THREADS = 3, PUTS = 30 };
struct putter {
  struct cl_offsets *s;
  char name[16];
  bool failed;
};

static void *put_many(void *arg) {
  struct putter *p = arg;
  for (int i = 0; i < PUTS; i++) {
    struct cl_err err = CL_ERR_INIT;
    char partition[32], offset[32];
    json_t *list = NULL;
    snprintf(partition, sizeof(partition), "{\"p\":%d}", i % 5);
    snprintf(offset, sizeof(offset), "{\"n\":%d}", i);
    p->failed |= try_put(p->s, p->name, partition, offset, &err) != 0 ||
                 cl_offsets_list(p->s, p->name, &list, &err) != 0;
    json_decref(list);
  }
  return NULL;
}

static void from_many_threads(void **state) {
  (void)state;
  struct putter p[THREADS];
  pthread_t threads[THREADS];
  struct cl_offsets *s = open_store(path);
  for (int i = 0; i < THREADS; i++) {
    p[i] = (struct putter){.s = s};
    snprintf(p[i].name, sizeof(p[i].name), "c%d", i);
    pthread_create(&threads[i], NULL, put_many, &p[i]);
  }
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    assert_false(p[i].failed);
  }
  cl_offsets_close(s);
  s = open_store(path);
  for (int i = 0; i < THREADS; i++) {
    gives(s, p[i].name, "{\"p\":0}", "{\"n\":25}");
    gives(s, p[i].name, "{\"p\":4}", "{\"n\":29}");
  }
  cl_offsets_close(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(in_memory),
      TEST(survives_a_restart),
      TEST(key_bytes_are_kept),
      TEST(twins),
      TEST(strange_entries),
      TEST(damaged_files),
      TEST(failed_write),
      TEST(failed_change),
      TEST(lists_one_connector),
      TEST(from_many_threads),
      TEST(what_opening_warns_of),
      TEST(is_one_workers_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
