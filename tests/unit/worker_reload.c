/* SPDX-License-Identifier: Apache-2.0
 * Plugin files saved in every way while the worker runs: one generation each time, the last one. */
#include "worker_rig.h"

#include "base/clock.h"

#include <fcntl.h>
#include <ftw.h>

enum { PATIENCE_MS = 30000, SETTLED_MS = 600 };

static char base[64];
static struct rig *rig;

static const char *at(const char *name) {
  static char path[8][256];
  static int turn;
  char *out = path[turn++ % 8];
  snprintf(out, sizeof path[0], "%s/%s", base, name);
  return out;
}

static void put(const char *name, const char *text) {
  FILE *f = fopen(at(name), "w");
  assert_non_null(f);
  fputs(text, f);
  fclose(f);
}

/* A transform of this version. */
static const char *transform(int version) {
  static char text[256];
  snprintf(text, sizeof text,
           "return { api = 1, kind = 'transform', version = '%d', apply = function(r) return r end }\n",
           version);
  return text;
}

/* What GET /connect-lua/plugins says of a class; NULL = nothing. New reference. */
static json_t *seen(const char *class) {
  struct cl_reply reply = rig_ask(rig, (struct cl_query){.kind = CL_GET_PLUGIN_FILES});
  json_t *file, *found = NULL;
  size_t i;
  json_array_foreach (reply.body, i, file) {
    const char *name = cl_json_str(file, "class");
    if (name && strcmp(name, class) == 0)
      found = json_incref(file);
  }
  cl_reply_clear(&reply);
  return found;
}

static int generation(const char *class) {
  json_t *file = seen(class);
  int n = (int)json_integer_value(json_object_get(file, "generation"));
  json_decref(file);
  return n;
}

static bool has_version(const char *class, int version) {
  json_t *file = seen(class);
  const char *text = cl_json_str(file, "version");
  bool yes = text && atoi(text) == version;
  json_decref(file);
  return yes;
}

/* The class is of this version, and that took so many generations, no more. */
static void becomes(const char *class, int version, int generations) {
  int64_t deadline = cl_now_ms() + PATIENCE_MS;
  while (!has_version(class, version)) {
    if (cl_now_ms() > deadline)
      fail_msg("%s is not version %d", class, version);
    usleep(5000);
  }
  assert_int_equal(generation(class), generations);
}

static void test_saves(void **state) {
  (void)state;
  int v = 1, g = 1;
  becomes("a", v, g);
  put("p/a.lua", transform(++v)); /* in place */
  becomes("a", v, ++g);
  put("p/a.tmp", transform(++v)); /* renamed over, which is how most editors save */
  assert_int_equal(rename(at("p/a.tmp"), at("p/a.lua")), 0);
  becomes("a", v, ++g);
  assert_int_equal(rename(at("p/a.lua"), at("p/a.lua~")), 0); /* vim's backup */
  put("p/a.lua", transform(++v));
  unlink(at("p/a.lua~"));
  becomes("a", v, ++g);
  unlink(at("p/a.lua")); /* removed and made anew */
  put("p/a.lua", transform(++v));
  becomes("a", v, ++g);
  put("elsewhere", transform(++v)); /* a link in its place */
  unlink(at("p/a.lua"));
  assert_int_equal(symlink(at("elsewhere"), at("p/a.lua")), 0);
  becomes("a", v, ++g);
  put("elsewhere", transform(++v)); /* and what it leads to */
  becomes("a", v, ++g);
}

/* Written slowly, and again and again: only what was there when it was closed counts. */
static void test_slow_writers(void **state) {
  (void)state;
  const char *text = transform(2);
  int fd = open(at("p/a.lua"), O_WRONLY | O_TRUNC);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, 40), 40);
  usleep(SETTLED_MS * 1000);
  assert_int_equal(generation("a"), 1);
  assert_int_equal(write(fd, text + 40, strlen(text) - 40), strlen(text) - 40);
  close(fd);
  becomes("a", 2, 2);
  for (int v = 3; v <= 9; v++)
    put("p/a.lua", transform(v));
  int64_t deadline = cl_now_ms() + PATIENCE_MS;
  while (!has_version("a", 9) && cl_now_ms() < deadline)
    usleep(5000);
  assert_true(has_version("a", 9));
  assert_true(generation("a") < 9);
}

static void test_nothing_new(void **state) {
  (void)state;
  put("p/a.lua", transform(1));
  chmod(at("p/a.lua"), 0600);
  put("p/.a.lua.swp", "x");
  put("p/a.lua~", "x");
  put("p/4913", "x");
  put("p/b.lua", transform(1)); /* what shows that it was looked */
  becomes("b", 1, 1);
  assert_int_equal(generation("a"), 1);
}

/* As Kubernetes mounts a ConfigMap: p.lua -> ..data/p.lua, ..data -> ..1 */
static void test_config_map(void **state) {
  (void)state;
  char name[32];
  assert_int_equal(mkdir(at("cm/..1"), 0700), 0);
  put("cm/..1/map.lua", transform(1));
  assert_int_equal(symlink("..1", at("cm/..data")), 0);
  assert_int_equal(symlink("..data/map.lua", at("cm/map.lua")), 0);
  becomes("map", 1, 1);
  for (int v = 2; v <= 4; v++) {
    snprintf(name, sizeof name, "cm/..%d", v);
    assert_int_equal(mkdir(at(name), 0700), 0);
    char file[64];
    snprintf(file, sizeof file, "%s/map.lua", name);
    put(file, transform(v));
    assert_int_equal(symlink(name + 3, at("cm/..data_tmp")), 0);
    assert_int_equal(rename(at("cm/..data_tmp"), at("cm/..data")), 0);
    becomes("map", v, v);
  }
}

/* plugin.path is a link that is swapped, as releases are deployed. */
static void test_releases(void **state) {
  (void)state;
  mkdir(at("r1"), 0700);
  mkdir(at("r2"), 0700);
  put("r1/rel.lua", transform(1));
  put("r2/rel.lua", transform(2));
  assert_int_equal(symlink("r1", at("current")), 0);
  becomes("rel", 1, 1);
  assert_int_equal(symlink("r2", at("next")), 0);
  assert_int_equal(rename(at("next"), at("current")), 0);
  becomes("rel", 2, 2);
  put("r2/rel.lua", transform(3));
  becomes("rel", 3, 3);
}

static void test_folders(void **state) {
  (void)state;
  mkdir(at("later"), 0700); /* under plugin.path, and not there at first */
  mkdir(at("later/deep"), 0700);
  put("later/deep/x.lua", transform(1));
  becomes("x", 1, 1);
  put("later/deep/x.lua", transform(2));
  becomes("x", 2, 2);
  mkdir(at("p/m"), 0700);
  put("p/m/init.lua", "return { api = 1, kind = 'transform', version = require 'in.side', "
                      "apply = function(r) return r end }");
  mkdir(at("p/m/in"), 0700);
  put("p/m/in/side.lua", "return '1'"); /* a module, in a folder that no plugin can be in */
  becomes("m", 1, 1);
  put("p/m/in/side.lua", "return '2'");
  becomes("m", 2, 2);
  rename(at("later"), at("away"));
  mkdir(at("later"), 0700);
  mkdir(at("later/deep"), 0700);
  put("later/deep/x.lua", transform(3));
  becomes("x", 3, 3);
}

static void test_gone(void **state) {
  (void)state;
  unlink(at("p/a.lua"));
  int64_t deadline = cl_now_ms() + PATIENCE_MS;
  for (bool gone = false; !gone; usleep(5000)) {
    json_t *file = seen("a");
    gone = json_is_true(json_object_get(file, "removed"));
    json_decref(file);
    if (cl_now_ms() > deadline)
      fail_msg("nobody has noticed");
  }
  put("p/a.lua", transform(2));
  becomes("a", 2, 2);
}

/* POST /connect-lua/plugins/reload, which tells what it has found. */
static void test_asked(void **state) {
  (void)state;
  struct cl_reply reply;
  put("p/a.lua", "return {");
  reply = rig_run(rig, CL_CMD_RELOAD, "a", NULL);
  assert_int_equal(reply.status, 200);
  json_t *rejected = json_array_get(json_object_get(reply.body, "rejected"), 0);
  if (rejected) /* the watcher may have been first */
    assert_non_null(strstr(cl_json_str(rejected, "reason"), "a.lua:1:"));
  cl_reply_clear(&reply);
  json_t *file = seen("a");
  assert_true(json_is_false(json_object_get(file, "current")));
  assert_non_null(strstr(cl_json_str(json_object_get(file, "last_rejection"), "reason"), "a.lua:1:"));
  json_decref(file);
  put("p/a.lua", transform(2));
  reply = rig_run(rig, CL_CMD_RELOAD, "", NULL);
  assert_int_equal(reply.status, 200);
  cl_reply_clear(&reply);
  assert_true(has_version("a", 2)); /* at once */
  reply = rig_run(rig, CL_CMD_RELOAD, "nobody", NULL);
  assert_int_equal(reply.status, 404);
  cl_reply_clear(&reply);
}

static void test_off(void **state) {
  (void)state;
  put("p/a.lua", transform(2));
  struct cl_reply reply = rig_run(rig, CL_CMD_RELOAD, "", NULL);
  assert_int_equal(reply.status, 403);
  cl_reply_clear(&reply);
  usleep(SETTLED_MS * 1000);
  assert_true(has_version("a", 1));
}

/* A connector whose class was not there when it was made. */
static void test_new_class(void **state) {
  (void)state;
  put("p/late.lua", "return { api = 1, kind = 'sink', put = function() end }");
  becomes("late", 0, 1);
  struct cl_reply reply = rig_run(rig, CL_CMD_CREATE, "c",
                                  config_of("name", "c", "connector.class", "late", "topics", "t", NULL));
  assert_int_equal(reply.status, 201);
  cl_reply_clear(&reply);
}

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw) {
  (void)st, (void)flag, (void)ftw;
  return remove(path);
}

static void open_rig(const char *more) {
  char extra[1024];
  strcpy(base, "/tmp/cl_reload_XXXXXX");
  assert_non_null(mkdtemp(base));
  mkdir(at("p"), 0700);
  mkdir(at("cm"), 0700);
  put("p/a.lua", transform(1));
  snprintf(extra, sizeof extra, "plugin.path=%s,%s,%s,%s,%s\n%s", at("p"), at("cm"), at("current"),
           at("later"), at("later/deep"), more);
  rig = rig_open(extra, NULL);
  rig_start(rig);
}

static int up(void **state) {
  (void)state;
  open_rig("");
  return 0;
}

static int up_off(void **state) {
  (void)state;
  open_rig("connect.lua.reload=false\n");
  return 0;
}

static int down(void **state) {
  (void)state;
  rig_close(rig);
  return nftw(base, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, up, down)
  const struct CMUnitTest tests[] = {
      TEST(test_saves),       TEST(test_slow_writers),
      TEST(test_nothing_new), TEST(test_config_map),
      TEST(test_releases),    TEST(test_folders),
      TEST(test_gone),        TEST(test_asked),
      TEST(test_new_class),   cmocka_unit_test_setup_teardown(test_off, up_off, down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
