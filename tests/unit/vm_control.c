/* SPDX-License-Identifier: Apache-2.0
 * The control thread over plugin files: manifests, verbs, deadlines, hostile files (C stack,
 * memory, endless loops), a thread stuck in C, and the plugin scan. */
#include "vm/control.h"

#include "base/clock.h"
#include "vm/plugin.h"
#include "vm/sources.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static struct cl_control *control;

/* ------------------------------------------------------------------ fixtures */

static const char *path_of(const char *name) {
  static _Thread_local char path[4][256];
  static _Thread_local int turn;
  char *out = path[turn++ % 4];
  snprintf(out, sizeof(path[0]), "%s/%s", folder, name);
  return out;
}

static const char *write_file(const char *name, const char *text) {
  const char *path = path_of(name);
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
  fclose(f);
  return path;
}

static void make_folder(const char *name) { assert_int_equal(mkdir(path_of(name), 0755), 0); }

static void remove_tree(const char *path) {
  pid_t pid = fork();
  if (pid == 0) {
    execlp("rm", "rm", "-rf", path, (char *)NULL);
    _exit(127);
  }
}

static void start(int64_t deadline_ms, size_t memory_max) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_control_conf conf = {.home = folder, .deadline_ms = deadline_ms, .memory_max = memory_max};
  if (cl_control_start(&conf, &control, &err) != 0)
    fail_msg("%s", err.msg);
}

static int setup(void **state) {
  (void)state;
  snprintf(folder, sizeof(folder), "/tmp/cl-vm-control-XXXXXX");
  assert_non_null(mkdtemp(folder));
  assert_int_equal(symlink(CL_SOURCE_DIR "/lua", path_of("lua")), 0);
  assert_int_equal(symlink(CL_SOURCE_DIR "/include", path_of("include")), 0);
  make_folder("connectors");
  start(3000, 32 << 20);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  cl_control_stop(control);
  control = NULL;
  remove_tree(folder);
  return 0;
}

#define SOURCE "return { api = 1, kind = 'source', poll = function() end, "

static int manifest_of(const char *text, json_t **out, struct cl_err *err) {
  *err = (struct cl_err)CL_ERR_INIT;
  struct cl_sources *sources = NULL;
  int rc = cl_control_manifest(control, write_file("p.lua", text), out, &sources, err);
  cl_sources_unref(sources);
  return rc;
}

static void refused(const char *text, const char *reason) {
  struct cl_err err;
  json_t *out = NULL;
  assert_true(manifest_of(text, &out, &err) < 0);
  assert_null(out);
  if (!strstr(err.msg, reason) || !strstr(err.msg, "p.lua"))
    fail_msg("expected '%s' in '%s'", reason, err.msg);
}

/* Calls a verb of the file's text with args (JSON text); the result as JSON text. */
static int call(const char *text, const char *verb, const char *args, char **result, struct cl_err *err) {
  const char *path = write_file("p.lua", text);
  struct cl_plugin plugin = {.file = (char *)path, .root = folder};
  json_t *in = json_loads(args, 0, NULL), *out = NULL;
  *err = (struct cl_err)CL_ERR_INIT;
  int rc = cl_control_call(control, &plugin, verb, in, &out, err);
  *result = rc == 0 ? json_dumps(out, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS) : NULL;
  json_decref(in);
  json_decref(out);
  return rc;
}

/* -------------------------------------------------------------------- verbs */

static void test_manifest(void **state) {
  (void)state;
  struct cl_err err;
  json_t *m = NULL;
  int rc = manifest_of(
      SOURCE "class = 'a.b.C', version = '1.2', doc = 'd', aliases = { 'x.Y' }, tasks = function() end,"
             "config = { { name = 'topic', type = 'string', required = true } } }",
      &m, &err);
  if (rc != 0)
    fail_msg("%s", err.msg);
  char *text = json_dumps(m, JSON_COMPACT | JSON_SORT_KEYS);
  assert_string_equal(
      text,
      "{\"aliases\":[\"x.Y\"],\"class\":\"a.b.C\",\"config\":[{\"name\":\"topic\",\"required\":true,"
      "\"type\":\"string\"}],\"doc\":\"d\",\"kind\":\"source\",\"verbs\":{\"poll\":true,\"tasks\":true},"
      "\"version\":\"1.2\"}");
  free(text);
  json_decref(m);
  assert_int_equal(manifest_of(SOURCE "}", &m, &err), 0);
  assert_string_equal(cl_json_str(m, "class"), "p");
  assert_string_equal(cl_json_str(m, "version"), "undefined");
  json_decref(m);
}

static void test_bad_files(void **state) {
  (void)state;
  refused("local x =\nreturn {", "p.lua:2: ");
  refused("\n\nerror 'boom'", "p.lua:3: boom");
  refused("return 1", "must return one table");
  refused("return { kind = 'source' }", "'api = 1' is missing");
  refused("return { api = 2 }", "api 1");
  refused("return { api = 1, kind = 'sauce' }", "'kind' must be");
  refused("return { api = 1, kind = 'source' }", "needs the function 'poll'");
  refused("return { api = 1, kind = 'sink', put = 3 }", "'put' must be a function");
  refused("\027LJ\002", "p.lua");
  refused(SOURCE "tests = 1 }", "'tests' must be a table of functions");
  refused(SOURCE "tests = { 1 } }", "'tests' must hold functions by name; it has [1] = 1");
  refused(SOURCE
          "tests = { good = function(t) t.equal({ { 1 } }, { { 1 } }) t.ok(1) t.raises('x', error, 'a x') "
          "end, bad = function(t)\n t.equal({ 1 }, { 1, 2 }, 'list') end } }",
          "p.lua:2: list: expected [1,2], got [1] (test 'bad')");
  refused(SOURCE "tests = { a = function(t)\n t.raises('x', function() end) end } }",
          "p.lua:2: expected an error with \"x\", there was none (test 'a')");
  refused(SOURCE "tests = { a = function() while true do end end } }", "still running");
  static const char transform[] =
      "return { api = 1, kind = 'transform', apply = function(r) r.value.n = r.value.n + 1 "
      "return r end, tests = { a = function(t)\n t.equal(t.apply { value = { n = 1 } }"
      ".value.n, %d) end } }";
  char text[512];
  snprintf(text, sizeof(text), transform, 3);
  refused(text, "p.lua:2: expected 3, got 2 (test 'a')");
  struct cl_err fine = CL_ERR_INIT;
  json_t *manifest = NULL;
  snprintf(text, sizeof(text), transform, 2);
  if (manifest_of(text, &manifest, &fine) != 0)
    fail_msg("%s", fine.msg);
  json_decref(manifest);
  refused("error(setmetatable({}, { __tostring = function() while true do end end }))",
          "error object is a table");
  refused(SOURCE "config = { { name = 'a', default = function() end } } }", "holds a function (line 1)");
  refused(
      SOURCE
      "config = setmetatable({}, { __index = function() while true do end end, __len = 1 }), class = {} }",
      "'class' must be a string");
  struct cl_err err = CL_ERR_INIT;
  json_t *out = NULL;
  struct cl_sources *sources = NULL;
  assert_true(cl_control_manifest(control, "/nonexistent/x.lua", &out, &sources, &err) < 0);
  assert_non_null(strstr(err.msg, "/nonexistent/x.lua"));
  cl_sources_unref(sources);
}

static void test_verbs(void **state) {
  (void)state;
  struct cl_err err;
  char *text;
  assert_int_equal(call(SOURCE
                        "tasks = function(config, max) return { { file = config.file, n = max } } end }",
                        "tasks", "[{\"file\":\"x\"}, 3]", &text, &err),
                   0);
  assert_string_equal(text, "[{\"file\":\"x\",\"n\":3}]");
  free(text);
  assert_int_equal(call(SOURCE "validate = function() return nil end }", "validate", "[{}]", &text, &err), 0);
  assert_string_equal(text, "null");
  free(text);
  assert_int_equal(
      call(SOURCE "validate = function(c)\n return c.x.y end }", "validate", "[{}]", &text, &err), CL_ELUA);
  assert_non_null(strstr(err.msg, "p.lua:2: attempt to index"));
  assert_non_null(strstr(err.trace, "p.lua:2 in function"));
  assert_int_equal(call(SOURCE "}", "check", "[{}]", &text, &err), CL_ELUA);
  assert_non_null(strstr(err.msg, "no function 'check'"));
  assert_int_equal(
      call(SOURCE "tasks = function() local t = {} t[1] = t return t end }", "tasks", "[]", &text, &err),
      CL_ELUA);
  assert_non_null(strstr(err.msg, "contains itself"));
}

/* ----------------------------------------------------------------- hostility */

/* Each of these runs over the end of a small C stack when LuaJIT is left alone; the
 * control thread has 4 MB of it. Any of them ending in an error (or in nothing) is fine, a
 * crash of the process is not. */
static void test_stack_bombs(void **state) {
  (void)state;
  static const char *const bombs[] = {
      "local function f() local _ = ('x'):gsub('x', f) end f()",
      "local function f() string.gsub('x', 'x', f) end f()",
      "local t = setmetatable({}, {}) getmetatable(t).__index = function() return (('x'):gsub('x', t)) end "
      "local _ = t.a",
      "local function f() table.sort({ 1, 2, 3 }, f) end f()",
      "local mt = {} mt.__lt = function(a, b) table.sort({ setmetatable({}, mt), setmetatable({}, mt) }) "
      "return true end "
      "table.sort({ setmetatable({}, mt), setmetatable({}, mt) })",
      "local function f() coroutine.wrap(f)() end f()",
      "local function f() local ok, e = coroutine.resume(coroutine.create(f)) if not ok then error(e, 0) end "
      "end f()",
      "local function f() local ok, e = coroutine.resume(coroutine.create(function() ('x'):gsub('x', f) "
      "end)) error(e, 0) end f()",
      "local function f() table.sort({ 1, 2 }, function() ('x'):gsub('x', f) end) end f()",
      "local mt = {} mt.__tostring = function(o) return ('%s'):format(setmetatable({}, mt)) end "
      "return ('%s'):format(setmetatable({}, mt))",
      "local mt = {} mt.__tostring = function(o) return tostring(setmetatable({}, mt)) .. 'x' end "
      "tostring(setmetatable({}, mt))",
      "local mt = {} mt.__tostring = function() return ('%s%s%s%s%s'):format(1, 2, 3, 4, setmetatable({}, "
      "mt)) end "
      "return ('%s'):format(setmetatable({}, mt))",
      "local mt = {} mt.__index = function() return os.time(setmetatable({}, mt)) end "
      "os.time(setmetatable({}, mt))",
      "local mt = {} mt.__concat = function(a, b) return setmetatable({}, mt) .. 'x' end local _ = "
      "setmetatable({}, mt) .. 'x'",
      "local mt = {} mt.__index = function(t, k) return t[k .. 'x'] end local _ = setmetatable({}, mt).a",
      "local mt = {} mt.__eq = function(a, b) return setmetatable({}, mt) == setmetatable({}, mt) end local "
      "_ = setmetatable({}, mt) == setmetatable({}, mt)",
      "local mt = {} mt.__call = function(self) return self() .. 'x' end setmetatable({}, mt)()",
      "local function f() load(f)() end f()",
      "local function f() load(function() f() end) end f()",
      "local function f() pcall(f) end f()",
      "local function f() xpcall(f, f) end f()",
      "local function f() xpcall(error, f) end f()",
      "xpcall(error, coroutine.yield)",
      "xpcall(error, xpcall)",
      "coroutine.wrap(function() xpcall(error, coroutine.yield) end)()",
      "coroutine.wrap(function() table.sort({ 1, 2, 3 }, coroutine.yield) end)()",
      "local function f() return select('#', pcall(f), pcall(f)) end f()",
      "local function f(...) return f(1, ...) end f()",
      "local s = ('('):rep(100000) load('return ' .. s)",
      "load('return ' .. ('{'):rep(100000))",
      "load(('if 1 then '):rep(100000))",
      "load('local a = ' .. ('-'):rep(100000) .. '1')",
      "load('return ' .. ('a..'):rep(60000) .. 'a')",
      "load('return ' .. ('function() return '):rep(50000))",
      "('x'):rep(300000):find(('x?'):rep(300000))",
      "('x'):rep(300000):find(('(x)'):rep(300000))",
      "('('):rep(2000):find('%b()')",
      "print(setmetatable({}, { __tostring = function(t) print(t) return 'x' end }))",
      "local t = {} for i = 1, 250 do t = { t } end return t",
      "local f = coroutine.wrap(function() end) f() pcall(f) pcall(f)",
      "local co co = coroutine.create(function() coroutine.resume(co) end) coroutine.resume(co)",
      "unpack({}, 1, 1e8)",
      "pcall(string.format, '%99999999d', 1)",
  };
  for (size_t i = 0; i < sizeof(bombs) / sizeof(bombs[0]); i++) {
    struct cl_err err = CL_ERR_INIT;
    char text[1024];
    json_t *out = NULL;
    snprintf(text, sizeof(text), "local function bomb()\n%s\nend\nbomb()\n" SOURCE "}", bombs[i]);
    manifest_of(text, &out, &err);
    json_decref(out);
  }
  assert_int_equal(cl_control_abandoned(control), 0);
}

/* The same must end in our own message where a guard stands. */
static void test_guards_speak(void **state) {
  (void)state;
  refused("local function f()\nlocal _ = ('x'):gsub('x', f) end f()",
          "p.lua:2: stack overflow: calls nested too deep");
  refused("local function f()\nlocal ok, e = coroutine.resume(coroutine.create(f)) if not ok then error(e, "
          "0) end end f()",
          "p.lua:2: stack overflow: calls nested too deep");
}

static void test_bytecode(void **state) {
  (void)state;
  refused("\033LJ\002\n", "p.lua: compiled Lua (bytecode) is not accepted; ship the source");
}

static void test_memory(void **state) {
  (void)state;
  refused("local t = {} for i = 1, 1e9 do t[i] = {} end", "not enough memory");
}

static void test_endless_loops(void **state) {
  (void)state;
  cl_control_stop(control);
  start(300, 0);
  struct cl_err err;
  json_t *out = NULL;
  char *text;
  assert_int_equal(manifest_of("local x = 1\nwhile true do x = x + 1 end", &out, &err), CL_ETIMEOUT);
  assert_non_null(strstr(err.msg, "p.lua:2: still running after 300 ms (loading the file)"));
  assert_int_equal(manifest_of("while true do pcall(function() while true do end end) end", &out, &err),
                   CL_ETIMEOUT);
  assert_int_equal(
      manifest_of("local function f() while true do end end\nwhile true do coroutine.wrap(f)() end", &out,
                  &err),
      CL_ETIMEOUT);
  assert_int_equal(call(SOURCE "tasks = function()\n while true do end end }", "tasks", "[]", &text, &err),
                   CL_ETIMEOUT);
  assert_non_null(strstr(err.msg, "p.lua:2: still running after 300 ms (tasks)"));
  assert_int_equal(cl_control_abandoned(control), 0);
  assert_int_equal(manifest_of(SOURCE "}", &out, &err), 0); /* the thread goes on */
  json_decref(out);
}

struct other {
  int rc;
  int64_t ms;
};

static void *other_caller(void *arg) {
  struct other *o = arg;
  struct cl_err err = CL_ERR_INIT;
  json_t *out = NULL;
  struct cl_sources *sources = NULL;
  int64_t t0 = cl_now_ms();
  usleep(100 * 1000);
  o->rc = cl_control_manifest(control, path_of("good.lua"), &out, &sources, &err);
  o->ms = cl_now_ms() - t0;
  cl_sources_unref(sources);
  json_decref(out);
  return NULL;
}

/* A pattern that backtracks for some seconds inside one C function: no hook reaches it. */
static void test_stuck_in_c(void **state) {
  (void)state;
  cl_control_stop(control);
  start(200, 0);
  struct cl_err err;
  json_t *out = NULL;
  struct other other = {.rc = 1};
  pthread_t thread;
  write_file("good.lua", SOURCE "}");
  assert_int_equal(pthread_create(&thread, NULL, other_caller, &other), 0);
  assert_int_equal(manifest_of("local _ = (('a'):rep(170)):find(('a*'):rep(4) .. 'b')", &out, &err),
                   CL_ETIMEOUT);
  assert_non_null(strstr(err.msg, "p.lua: loading the file did not end within 1200 ms"));
  pthread_join(thread, NULL);
  assert_int_equal(other.rc, 0); /* served by a fresh thread */
  assert_int_equal(cl_control_abandoned(control), 1);
  /* It does come back one day, and goes quietly. */
  for (int i = 0; i < 1200 && cl_control_abandoned(control) > 0; i++)
    usleep(100 * 1000);
  assert_int_equal(cl_control_abandoned(control), 0);
}

/* --------------------------------------------------------------------- scan */

static const struct cl_plugin_file *find_file(const struct cl_plugins *set, const char *path) {
  size_t n;
  const struct cl_plugin_file *files = cl_plugins_files(set, &n);
  for (size_t i = 0; i < n; i++) {
    if (strcmp(files[i].path, path) == 0)
      return &files[i];
  }
  return NULL;
}

static void expect_reason(const struct cl_plugins *set, const char *name, const char *reason) {
  const struct cl_plugin_file *f = find_file(set, path_of(name));
  if (!f || f->plugin || !strstr(f->reason, reason))
    fail_msg("%s: %s", name, f ? f->reason ? f->reason : "accepted" : "not listed");
}

static struct cl_plugins *scan(void) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_plugins *set = NULL;
  json_t *paths = json_pack("[s, s, s]", path_of("more"), path_of("connect-file-4.0.0.jar"),
                            path_of("missing"));
  if (cl_plugins_scan(control, folder, paths, &set, &err) != 0)
    fail_msg("%s", err.msg);
  json_decref(paths);
  return set;
}

static void write_scan_tree(void) {
  make_folder("connectors/two");
  make_folder("more");
  make_folder("more/jars");
  make_folder("more/jars/lib");
  make_folder("more/empty");
  write_file(
      "connectors/one.lua", SOURCE
      "class = 'org.x.OneSourceConnector', aliases = { 'org.y.UnoConnector', 'shared' }, version = '1.0' }");
  write_file("connectors/two/init.lua", "return { api = 1, kind = 'sink', put = function() end, name = "
                                        "require('helper'), aliases = { 'shared' } }");
  write_file("connectors/two/helper.lua", "return 'h'");
  write_file("connectors/one_spec.lua", "error 'not a plugin'");
  write_file("connectors/README.md", "text");
  write_file("more/bad.lua", "\nreturn {");
  write_file("more/row.lua", SOURCE "config = { { name = 'a', type = 'nonsense' } } }");
  write_file("more/again.lua", SOURCE "class = 'two' }");
  write_file("more/conv.lua", "return { api = 1, kind = 'converter', class = 'q.MineConverter', decode = "
                              "function() end, encode = function() end }");
  write_file("more/debezium.jar", "PK");
  write_file("more/jars/a.jar", "PK");
  write_file("more/jars/lib/b.jar", "PK");
  write_file("connect-file-4.0.0.jar", "PK");
}

static void check_lookup(const struct cl_plugins *set) {
  struct cl_plugin *one = find_file(set, path_of("connectors/one.lua"))->plugin;
  struct cl_plugin *two = find_file(set, path_of("connectors/two/init.lua"))->plugin;
  static const char *const names[] = {"org.x.OneSourceConnector", "OneSourceConnector", "OneSource",
                                      "org.y.UnoConnector",       "UnoConnector",       "Uno"};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
    assert_ptr_equal(cl_plugins_find(set, CL_PLUGIN_SINK, names[i]), one);
  assert_ptr_equal(cl_plugins_find(set, CL_PLUGIN_SOURCE, "OneSource"), one);
  assert_ptr_equal(cl_plugins_find(set, CL_PLUGIN_SINK, "two"), two);
  assert_null(cl_plugins_find(set, CL_PLUGIN_SINK, "shared"));
  assert_null(cl_plugins_find(set, CL_PLUGIN_SINK, "One"));
  assert_null(cl_plugins_find(set, CL_PLUGIN_SINK, ""));
  assert_null(cl_plugins_find(set, CL_PLUGIN_CONVERTER, "OneSource"));
  assert_non_null(cl_plugins_find(set, CL_PLUGIN_CONVERTER, "Mine"));
  assert_true(json_is_true(json_object_get(two->verbs, "put")));
  assert_int_equal(strlen(one->hash), 64);
}

/* One file, two transforms; a converter that headers alone may have. */
static void check_sides(const struct cl_plugins *set) {
  struct cl_plugin *key = cl_plugins_find(set, CL_PLUGIN_TRANSFORM, "t.Halve$Key"),
                   *value = cl_plugins_find(set, CL_PLUGIN_TRANSFORM, "t.Halve$Value");
  assert_non_null(key);
  assert_non_null(value);
  assert_string_equal(key->side, "key");
  assert_string_equal(value->side, "value");
  assert_string_equal(key->file, value->file);
  assert_ptr_equal(cl_plugins_find(set, CL_PLUGIN_TRANSFORM, "old.Half$Value"), value);
  static const char *const none[] = {"t.Halve", "Halve", "Halve$Value", "Value", "Half$Value"};
  for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
    assert_null(cl_plugins_find(set, CL_PLUGIN_TRANSFORM, none[i]));
  struct cl_plugin *heads = cl_plugins_find(set, CL_PLUGIN_CONVERTER, "q.MyHeaderConverter");
  assert_true(heads->headers_only);
  assert_ptr_equal(cl_plugins_find(set, CL_PLUGIN_CONVERTER, "My"), heads);
  assert_null(cl_plugins_find(set, CL_PLUGIN_CONVERTER, "MyHeader"));
  expect_reason(set, "more/sides.lua", "'sides' is for a transform, not for a predicate");
}

static void test_scan(void **state) {
  (void)state;
  write_scan_tree();
  write_file("more/halve.lua", "return { api = 1, kind = 'transform', class = 't.Halve', sides = true, "
                               "aliases = { 'old.Half' }, apply = function(r) return r end }\n");
  write_file("more/heads.lua", "return { api = 1, kind = 'converter', class = 'q.MyHeaderConverter', "
                               "headers_only = true, decode = print, encode = print }\n");
  write_file("more/sides.lua", "return { api = 1, kind = 'predicate', sides = true, test = print }\n");
  struct cl_plugins *set = scan();
  expect_reason(set, "more/bad.lua", "more/bad.lua:2: ");
  expect_reason(set, "more/row.lua", "more/row.lua");
  expect_reason(set, "more/again.lua", "already given by");
  expect_reason(set, "more/debezium.jar", "Java archive");
  expect_reason(set, "more/jars/a.jar", "Java archive");
  expect_reason(set, "more/jars/lib/b.jar", "Java archive");
  expect_reason(set, "connect-file-4.0.0.jar", "FileStreamSource and FileStreamSink are built in");
  expect_reason(set, "missing", "No such file");
  assert_null(find_file(set, path_of("connectors/one_spec.lua")));
  assert_null(find_file(set, path_of("connectors/README.md")));
  assert_null(find_file(set, path_of("connectors/two/helper.lua")));
  check_lookup(set);
  check_sides(set);

  json_t *list = cl_plugins_list(set, true);
  char *text = json_dumps(list, JSON_COMPACT);
  assert_string_equal(text,
                      "[{\"class\":\"two\",\"type\":\"sink\"},"
                      "{\"class\":\"org.x.OneSourceConnector\",\"type\":\"source\",\"version\":\"1.0\"}]");
  free(text);
  json_decref(list);
  list = cl_plugins_list(set, false);
  text = json_dumps(list, JSON_COMPACT);
  assert_non_null(strstr(text, "{\"class\":\"q.MineConverter\",\"type\":\"converter\"}"));
  assert_non_null(strstr(text, "{\"class\":\"q.MineConverter\",\"type\":\"header_converter\"}"));
  assert_non_null(strstr(text, "{\"class\":\"q.MyHeaderConverter\",\"type\":\"header_converter\"}"));
  assert_null(strstr(text, "{\"class\":\"q.MyHeaderConverter\",\"type\":\"converter\"}"));
  free(text);
  json_decref(list);

  struct cl_plugin *kept = cl_plugins_find(set, CL_PLUGIN_SINK, "two");
  cl_plugin_ref(kept);
  cl_plugins_unref(set);
  assert_string_equal(kept->class, "two"); /* outlives its set */
  cl_plugin_unref(kept);
}

/* What the tree ships is accepted, and a folder listed twice is seen once. */
static void test_scan_of_the_tree(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  struct cl_plugins *set = NULL;
  json_t *paths = json_pack("[s, s]", CL_SOURCE_DIR "/connectors", CL_SOURCE_DIR "/src/../connectors/");
  assert_int_equal(cl_plugins_scan(control, CL_SOURCE_DIR, paths, &set, &err), 0);
  size_t n;
  const struct cl_plugin_file *files = cl_plugins_files(set, &n);
  for (size_t i = 0; i < n; i++) {
    if (!files[i].plugin)
      fail_msg("%s: %s", files[i].path, files[i].reason);
  }
  assert_non_null(
      cl_plugins_find(set, CL_PLUGIN_SINK, "org.apache.kafka.connect.file.FileStreamSourceConnector"));
  assert_non_null(cl_plugins_find(set, CL_PLUGIN_SINK, "FileStreamSink"));
  assert_non_null(
      cl_plugins_find(set, CL_PLUGIN_CONVERTER, "org.apache.kafka.connect.storage.StringConverter"));
  cl_plugins_unref(set);
  json_decref(paths);
}

#define WITH_CONTROL(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_CONTROL(test_manifest),    WITH_CONTROL(test_bad_files),        WITH_CONTROL(test_verbs),
      WITH_CONTROL(test_stack_bombs), WITH_CONTROL(test_guards_speak),     WITH_CONTROL(test_bytecode),
      WITH_CONTROL(test_memory),      WITH_CONTROL(test_endless_loops),    WITH_CONTROL(test_stuck_in_c),
      WITH_CONTROL(test_scan),        WITH_CONTROL(test_scan_of_the_tree),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
