/* SPDX-License-Identifier: Apache-2.0
 * Scans after the first: generations, refusals, files that go and come, and what a generation is read from.
 */
#include "vm/control.h"
#include "vm/plugin.h"
#include "vm/sources.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static struct cl_control *control;
static struct cl_plugins *set;

static const char *path_of(const char *name) {
  static char path[4][256];
  static int turn;
  char *out = path[turn++ % 4];
  snprintf(out, sizeof(path[0]), "%s/%s", folder, name);
  return out;
}

static void put(const char *name, const char *text) {
  FILE *f = fopen(path_of(name), "w");
  assert_non_null(f);
  fputs(text, f);
  fclose(f);
}

static void look(const char *only) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_plugins *next = NULL;
  json_t *paths = json_pack("[s]", path_of("p"));
  if (cl_plugins_rescan(control, folder, paths, set, only, &next, &err) != 0)
    fail_msg("%s", err.msg);
  json_decref(paths);
  cl_plugins_unref(set);
  set = next;
}

static const struct cl_plugin_file *file_of(const char *class) {
  size_t n;
  const struct cl_plugin_file *f = cl_plugins_files(set, &n);
  for (size_t i = 0; i < n; i++) {
    if (f[i].plugin && strcmp(f[i].plugin->class, class) == 0)
      return &f[i];
  }
  fail_msg("no class %s", class);
  return NULL;
}

static const char *reason_of(const char *name) {
  size_t n;
  const struct cl_plugin_file *f = cl_plugins_files(set, &n);
  for (size_t i = 0; i < n; i++) {
    if (!f[i].plugin && strcmp(f[i].path, path_of(name)) == 0)
      return f[i].reason;
  }
  return "";
}

static uint64_t generation(const char *class) { return file_of(class)->plugin->generation; }

#define TRANSFORM(version)                                                                                   \
  "return { api = 1, kind = 'transform', version = '" version "', apply = function(r) return r end, "

static void test_generations(void **state) {
  (void)state;
  put("p/a.lua", TRANSFORM("1") "}");
  look(NULL);
  const struct cl_plugin *first = file_of("a")->plugin;
  assert_int_equal(first->generation, 1);
  look(NULL);
  assert_ptr_equal(file_of("a")->plugin, first); /* nothing has changed */
  put("p/a.lua", TRANSFORM("2") "}");
  look(NULL);
  assert_int_equal(generation("a"), 2);
  assert_string_equal(file_of("a")->plugin->version, "2");
  put("p/b.lua", TRANSFORM("1") "}"); /* a new one */
  look(NULL);
  assert_int_equal(generation("a"), 2);
  assert_int_equal(generation("b"), 1);
}

static void test_refusals(void **state) {
  (void)state;
  put("p/a.lua", TRANSFORM("1") "}");
  put("p/new.lua", "return {");
  look(NULL);
  assert_non_null(strstr(reason_of("p/new.lua"), "new.lua:1:"));
  static const char *const bad[] = {"return {", "error 'no'", "return 3",
                                    TRANSFORM("2") "tests = { x = function(t) t.ok(false) end } }"};
  for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
    put("p/a.lua", bad[i]);
    look(NULL);
    const struct cl_plugin_file *f = file_of("a");
    assert_int_equal(f->plugin->generation, 1);
    assert_string_equal(f->plugin->version, "1");
    assert_non_null(f->tried);
    assert_true(f->reason_ms > 0);
    assert_non_null(strstr(f->reason, i == 3 ? "(test 'x')" : "a.lua:1:") ?: strstr(f->reason, "one table"));
    int64_t at = f->reason_ms;
    usleep(2000);
    look(NULL); /* is not tried again and again */
    assert_int_equal(file_of("a")->reason_ms, at);
  }
  put("p/a.lua", TRANSFORM("1") "}"); /* as it runs */
  look(NULL);
  assert_int_equal(generation("a"), 1);
  assert_null(file_of("a")->tried);
  assert_non_null(file_of("a")->reason); /* the last one is remembered */
  put("p/a.lua", TRANSFORM("3") "}");
  put("p/new.lua", TRANSFORM("1") "}");
  look(NULL);
  assert_int_equal(generation("a"), 2);
  assert_int_equal(generation("new"), 1);
}

static void test_only(void **state) {
  (void)state;
  put("p/a.lua", TRANSFORM("1") "}");
  put("p/b.lua", TRANSFORM("1") "}");
  look(NULL);
  put("p/a.lua", "return {");
  put("p/b.lua", TRANSFORM("2") "}");
  put("p/c.lua", TRANSFORM("1") "}");
  look(path_of("p/a.lua"));
  assert_int_equal(generation("b"), 1);
  assert_int_equal(file_of("a")->plugin->generation, 1);
  int64_t at = file_of("a")->reason_ms;
  usleep(2000);
  look(path_of("p/a.lua")); /* asked about by name it is tried again */
  assert_true(file_of("a")->reason_ms > at);
  look(NULL);
  assert_int_equal(generation("b"), 2);
  assert_int_equal(generation("c"), 1);
}

static void test_modules(void **state) {
  (void)state;
  mkdir(path_of("p/m"), 0700);
  mkdir(path_of("p/m/deep"), 0700);
  put("p/m/init.lua", "local h = require 'helper' return { api = 1, kind = 'transform', version = h, "
                      "apply = function(r) require('deep.late') return r end }");
  put("p/m/helper.lua", "return '1'");
  look(NULL);
  assert_int_equal(generation("m"), 1);
  put("p/m/helper.lua", "return '2'");
  look(NULL);
  assert_int_equal(generation("m"), 2);
  assert_string_equal(file_of("m")->plugin->version, "2");
  put("p/m/deep/late.lua", "return 1"); /* named, and was not there */
  look(NULL);
  assert_int_equal(generation("m"), 3);
  put("p/m/other.lua", "return 1"); /* nobody's */
  look(NULL);
  assert_int_equal(generation("m"), 3);
  put("p/m/helper.lua", "return {"); /* broken: refused, and all stays */
  look(NULL);
  assert_int_equal(generation("m"), 3);
  assert_non_null(strstr(file_of("m")->reason, "helper.lua:1:"));
}

/* What is asked of a generation is answered by it, whatever the file has become. */
static void test_read_once(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  json_t *args = json_pack("[{}]"), *out = NULL;
  put("p/a.lua", TRANSFORM("1") "validate = function() return { x = require 'h' } end }");
  put("p/h.lua", "return 'one'");
  look(NULL);
  put("p/a.lua", "return {");
  put("p/h.lua", "return 'two'");
  if (cl_control_call(control, file_of("a")->plugin, "validate", args, &out, &err) != 0)
    fail_msg("%s", err.msg);
  assert_string_equal(cl_json_str(out, "x"), "one");
  json_decref(out);
  json_decref(args);
}

static void test_gone(void **state) {
  (void)state;
  put("p/a.lua", TRANSFORM("1") "}");
  look(NULL);
  unlink(path_of("p/a.lua"));
  look(NULL);
  assert_true(file_of("a")->removed);
  put("p/a.lua", TRANSFORM("1") "}");
  look(NULL);
  assert_false(file_of("a")->removed);
  assert_int_equal(generation("a"), 1);
  rename(path_of("p/a.lua"), path_of("p/z.lua")); /* another class name: both are there */
  look(NULL);
  assert_true(file_of("a")->removed);
  assert_int_equal(generation("z"), 1);
  put("p/other.lua", TRANSFORM("1") "class = 'a' }"); /* takes the class over */
  look(NULL);
  assert_int_equal(generation("a"), 2);
  assert_false(file_of("a")->removed);
  put("p/aa.lua", TRANSFORM("1") "class = 'a' }"); /* earlier in the folder: who has it keeps it */
  look(NULL);
  assert_int_equal(generation("a"), 2);
  assert_non_null(strstr(reason_of("p/aa.lua"), "is already given by"));
  unlink(path_of("p/other.lua"));
  look(NULL);
  assert_int_equal(generation("a"), 3);
}

static void test_sides(void **state) {
  (void)state;
  put("p/s.lua", TRANSFORM("1") "sides = true }");
  look(NULL);
  put("p/s.lua", TRANSFORM("2") "sides = true }");
  look(NULL);
  assert_int_equal(generation("s$Key"), 2);
  assert_int_equal(generation("s$Value"), 2);
  put("p/s.lua", "return {");
  look(NULL);
  assert_int_equal(generation("s$Key"), 2);
  assert_non_null(file_of("s$Value")->tried);
}

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw) {
  (void)st, (void)flag, (void)ftw;
  return remove(path);
}

static int up(void **state) {
  (void)state;
  struct cl_err err;
  struct cl_control_conf conf = {.home = CL_SOURCE_DIR, .deadline_ms = 20000};
  strcpy(folder, "/tmp/cl_rescan_XXXXXX");
  if (!mkdtemp(folder) || mkdir(path_of("p"), 0700) != 0)
    return -1;
  return cl_control_start(&conf, &control, &err);
}

static int down(void **state) {
  (void)state;
  cl_plugins_unref(set);
  set = NULL;
  cl_control_stop(control);
  return nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, up, down)
  const struct CMUnitTest tests[] = {TEST(test_generations), TEST(test_refusals),  TEST(test_only),
                                     TEST(test_modules),     TEST(test_read_once), TEST(test_gone),
                                     TEST(test_sides)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
