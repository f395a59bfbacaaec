/* SPDX-License-Identifier: Apache-2.0
 * States and protected calls: memory cap, error conversion, interrupt, the JSON bridge. */
#include "vm/internal.h"
#include "vm/source_key.h"

#include "base/clock.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct chunk {
  const char *code, *name;
};

static int run_chunk(lua_State *L) {
  const struct chunk *c = lua_touserdata(L, 1);
  if (luaL_loadbuffer(L, c->code, strlen(c->code), c->name) != 0)
    return lua_error(L);
  lua_call(L, 0, 0);
  return 0;
}

static int run(struct cl_lua *s, const char *code, struct cl_err *err) {
  struct chunk c = {code, "@plugin.lua"};
  *err = (struct cl_err)CL_ERR_INIT;
  return cl_call_protected(s, run_chunk, &c, err);
}

static void open_state(struct cl_lua *s, size_t max, bool jit) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_state_conf conf = {
      .home = CL_SOURCE_DIR, .memory_max = max, .jit = jit, .rights = &(struct cl_rights){0}};
  *s = (struct cl_lua){0};
  if (cl_state_open(s, &conf, &err) != 0)
    fail_msg("%s", err.msg);
}

/* Runs code that must succeed (it asserts inside Lua). */
static void check(struct cl_lua *s, const char *code) {
  struct cl_err err;
  if (run(s, code, &err) != 0)
    fail_msg("%s\n%s", err.msg, err.trace);
}

/* ------------------------------------------------------------------- memory */

static void test_memory_cap(void **state) {
  (void)state;
  static const char *const bombs[] = {
      "local t = {} for i = 1, 1e9 do t[i] = {i} end",
      "local s = 'x' while true do s = s .. s end",
      "local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1000) .. i end",
      "local s = ('x'):rep(2 ^ 30)",
      "local t = {} while true do t[#t + 1] = coroutine.create(function() end) end",
      "local t = {} while true do t[#t + 1] = function() return t end end",
      "local ok, e = pcall(function() local t = {} for i = 1, 1e9 do t[i] = {i} end end) error(e, 0)",
      "local b = require('string.buffer').new() while true do b:put(('x'):rep(1000)) end",
  };
  for (int jit = 0; jit < 2; jit++) {
    struct cl_lua s;
    open_state(&s, 16 << 20, jit);
    for (size_t i = 0; i < sizeof(bombs) / sizeof(bombs[0]); i++) {
      struct cl_err err;
      assert_int_equal(run(&s, bombs[i], &err), CL_ELUA);
      assert_non_null(strstr(err.msg, "not enough memory"));
      assert_non_null(strstr(err.msg, "connect.lua.memory.max.bytes"));
      assert_true(err.fatal);
      assert_true(s.used <= (size_t)16 << 20);
      check(&s, "local t = {} for i = 1, 1000 do t[i] = {i} end"); /* usable after */
    }
    assert_true(s.used < (size_t)4 << 20);
    cl_state_close(&s);
  }
}

static void test_lowered_pause_lets_live_data_fill_the_cap(void **state) {
  (void)state;
  struct cl_lua s;
  open_state(&s, 16 << 20, false);
  /* About 10 MB live and a stream of garbage: LuaJIT's default pause of 200 % dies here. */
  check(&s, "local live = {} for i = 1, 10 do live[i] = ('x'):rep(2 ^ 20 - 100 + i) end\n"
            "for i = 1, 2000 do local garbage = ('y'):rep(20000 + i) end");
  cl_state_close(&s);
}

/* Short strings widen the collector's own string table; when they are dropped it shrinks, for
 * which it allocates, also from inside compiled code, and cannot be told no. Near the cap, that
 * was the end of the process. */
static void test_collector_is_never_refused(void **state) {
  (void)state;
  static const int big[] = {30, 37, 44}, small[] = {50, 120, 300};
  for (int i = 0; i < 18; i++) {
    struct cl_lua s;
    struct cl_err err;
    open_state(&s, 64 << 20, i & 1);
    char code[256];
    snprintf(code, sizeof(code),
             "local keep, n = {}, 0\n"
             "function poll()\n"
             "  for i = 1, %d do keep[i] = ('x'):rep(2 ^ 20 - 100) .. i end\n"
             "  for i = 1, %d do n = n + 1 local s = 'k' .. n end\n"
             "  for i = 1, 1e6 do keep[#keep + 1] = ('y'):rep(%d) .. i end\n"
             "end",
             big[i / 2 % 3], small[i / 6] * 1000, 5000 + i * 2500);
    check(&s, code);
    for (int turn = 0; turn < 3; turn++) {
      assert_int_equal(run(&s, "poll()", &err), CL_ELUA);
      assert_non_null(strstr(err.msg, "not enough memory"));
      assert_non_null(strstr(err.msg, "67108864 bytes"));
      assert_true(s.used <= (size_t)80 << 20); /* the collector's reserve is bounded */
    }
    cl_state_close(&s);
  }
}

/* Reading a plugin's file takes memory by its size, not by the ceiling of sizes. */
static void test_small_cap_loads_a_plugin(void **state) {
  (void)state;
  struct cl_lua s;
  open_state(&s, 2 << 20, true);
  check(&s, "local sandbox = require 'connect.host.sandbox'\n"
            "local root = '" CL_SOURCE_DIR "/connectors'\n"
            "assert(sandbox.load(root .. '/hello_source.lua', root).api == 1)");
  cl_state_close(&s);
}

/* ------------------------------------------------------------------- errors */

static const char make_error[] = "local function E(t) return setmetatable(t, { __name = 'connect.error', "
                                 "__tostring = function() error 'no' end }) end\n";

static void throw_error(struct cl_lua *s, const char *fields, struct cl_err *err) {
  char code[512];
  snprintf(code, sizeof(code), "%serror(E%s)", make_error, fields);
  assert_true(run(s, code, err) < 0);
}

static void test_error_classes(void **state) {
  (void)state;
  struct cl_lua s;
  struct cl_err err;
  open_state(&s, 0, false);
  throw_error(&s, "{ class = 'retriable', message = 'busy' }", &err);
  assert_int_equal(err.code, CL_ELUA);
  assert_true(err.retriable);
  assert_false(err.fatal);
  assert_string_equal(err.msg, "busy");
  throw_error(&s, "{ class = 'data', message = 'bad', where = 'topic t partition 0 offset 7' }", &err);
  assert_int_equal(err.code, CL_EDATA);
  assert_false(err.retriable);
  assert_string_equal(err.msg, "topic t partition 0 offset 7: bad");
  throw_error(&s, "{ class = 'fatal', message = 'dead', trace = '\\tat own' }", &err);
  assert_int_equal(err.code, CL_ELUA);
  assert_true(err.fatal);
  assert_string_equal(err.trace, "\tat own");
  throw_error(&s, "{ class = {}, message = 12 }", &err);
  assert_true(err.fatal);
  cl_state_close(&s);
}

static void trace_is(const struct cl_err *err, const char *expected) {
  char *text = cl_err_trace(err);
  assert_string_equal(text, expected);
  free(text);
}

/* What Apache's error handler wraps shows as its cause. */
static void test_traces(void **state) {
  (void)state;
  struct cl_lua s;
  struct cl_err err;
  open_state(&s, 0, false);
  throw_error(&s, "{ class = 'data', message = 'bad', where = 'at x', trace = '\\tat own', stage = 'S' }",
              &err);
  trace_is(&err,
           "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler\n"
           "Caused by: org.apache.kafka.connect.errors.DataException: at x: bad\n\tin stage S\n\tat own");
  throw_error(&s,
              "{ class = 'data', message = 'm', java = 'java.lang.NumberFormatException', "
              "trace = '\\tat own', stage = 'S' }",
              &err);
  trace_is(&err, "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler\n"
                 "Caused by: java.lang.NumberFormatException: m\n\tin stage S\n\tat own");
  throw_error(&s, "{ class = 'fatal', message = 'm', trace = '\\tat own', stage = 'S' }",
              &err); /* no Exception: an Error */
  trace_is(&err, "org.apache.kafka.connect.errors.ConnectException: m\n\tat own");
  throw_error(&s, "{ class = 'data', message = 'm', trace = '\\tat own' }", &err);
  trace_is(&err, "org.apache.kafka.connect.errors.DataException: m\n\tat own");
  cl_state_close(&s);
}

static void test_hostile_error_values(void **state) {
  (void)state;
  static const char *const throws[] = {
      "error(setmetatable({}, { __tostring = function() while true do end end }))",
      "error(setmetatable({}, { __index = function() while true do end end }))",
      "error(setmetatable({}, setmetatable({}, { __index = function() while true do end end })))",
      "error(setmetatable({}, { __metatable = 'x', __name = {} }))",
      "error(function() end)",
      "error(coroutine.create(function() end))",
      "error()",
      "error(1LL)",
  };
  struct cl_lua s;
  open_state(&s, 0, false);
  for (size_t i = 0; i < sizeof(throws) / sizeof(throws[0]); i++) {
    struct cl_err err;
    assert_int_equal(run(&s, throws[i], &err), CL_ELUA);
    assert_non_null(strstr(err.msg, "error object is a"));
    assert_true(err.fatal);
    assert_int_equal(lua_gettop(s.L), 0);
  }
  cl_state_close(&s);
}

static void test_trace(void **state) {
  (void)state;
  struct cl_lua s;
  struct cl_err err;
  open_state(&s, 0, false);
  run(&s,
      "local function inner() error 'boom' end\nlocal function outer()\n  inner()\n  return "
      "1\nend\nouter()\nlocal x = 1",
      &err);
  assert_string_equal(err.msg, "plugin.lua:1: boom");
  assert_string_equal(err.trace,
                      "\tat plugin.lua:1 in function 'inner'\n\tat plugin.lua:3 in function 'outer'\n"
                      "\tat plugin.lua:6 in main chunk");
  run(&s, "local function deep(n) if n == 0 then error 'boom' end deep(n - 1) return 1 end deep(150)", &err);
  assert_true(strlen(err.trace) < sizeof(err.trace));
  assert_int_equal(strncmp(err.trace, "\tat plugin.lua:1 in function 'deep'\n", 36), 0);
  const char *last = strstr(err.trace, "\n\t...\n"); /* 152 frames: the first and the last */
  assert_non_null(last);
  assert_non_null(strstr(last, "'deep'\n\tat plugin.lua:1 in main chunk"));
  assert_int_equal(run(&s, "local x =", &err), CL_ELUA);
  assert_string_equal(err.trace, "");
  cl_state_close(&s);
}

/* ---------------------------------------------------------------- interrupt */

static void *interrupt_later(void *arg) {
  usleep(50 * 1000);
  cl_state_interrupt(arg);
  return NULL;
}

static void test_interrupt(void **state) {
  (void)state;
  static const char *const loops[] = {
      "while true do end",
      "local function f() while true do end end while true do pcall(f) end",
      "local function f() while true do end end while true do coroutine.wrap(f)() end",
  };
  for (size_t i = 0; i < sizeof(loops) / sizeof(loops[0]); i++) {
    struct cl_lua s;
    struct cl_err err;
    pthread_t thread;
    open_state(&s, 0, false);
    assert_int_equal(pthread_create(&thread, NULL, interrupt_later, &s), 0);
    int rc = run(&s, loops[i], &err);
    assert_non_null(strstr(err.msg, "plugin.lua:1: stopped"));
    assert_int_equal(rc, CL_ESTOPPED);
    pthread_join(thread, NULL);
    check(&s, "local n = 0 for i = 1, 1000 do n = n + i end assert(n == 500500)"); /* one call only */
    cl_state_close(&s);
  }
}

/* --------------------------------------------------------------- the module */

static void test_json(void **state) {
  (void)state;
  struct cl_lua s;
  struct cl_err err;
  open_state(&s, 0, false);
  check(&s, "local c = require 'connect.host.c'\n"
            "local function same(v, text) local t = c.json_encode(v) if t ~= text then error(t, 2) end end\n"
            "local function round(text) same(c.json_decode(text), text) end\n"
            "same({}, '{}') same(setmetatable({}, c.array_mt), '[]') same({ b = 1, a = { 1, 'x' } }, "
            "'{\"a\":[1,\"x\"],\"b\":1}')\n"
            "same(0.1, '0.1') same(1/3, '0.33333333333333331') same(2^53, '9007199254740992') same('\\n', "
            "'\"\\\\n\"')\n"
            "same(c.null, 'null') same(9007199254740993LL, '9007199254740993') same(false, 'false')\n"
            "round '[]' round '{}' round '[null,true,-1,1.5,\"a\"]' round '9223372036854775807' round "
            "'-9223372036854775808'\n"
            "round '[[],{\"a\":{}}]'\n"
            "assert(type(c.json_decode '9007199254740993') == 'cdata' and c.json_decode '9007199254740993' "
            "== 9007199254740993LL)\n"
            "assert(c.json_decode 'null' == c.null)\n");
  static const char *const bad[] = {
      "c.json_encode(0/0)",
      "c.json_encode(1/0)",
      "c.json_encode(function() end)",
      "c.json_encode('\\255')",
      "c.json_encode({ 1, x = 2 })",
      "c.json_encode({ [true] = 1 })",
      "c.json_encode({ ['\\255'] = 1 })",
      "c.json_encode(1ULL)",
      "local t = {} t.t = t c.json_encode(t)",
      "local t = { a = {} } t.a[1] = { t } c.json_encode(t)",
      "local t = {} for i = 1, 200 do t = { t } end c.json_encode(t)",
      "c.json_decode '[1'",
      "c.json_decode '1 2'",
      "c.json_decode(('['):rep(300) .. (']'):rep(300))",
      "c.json_encode(io.stdout)",
      "local t = {} for i = 1, 50 do t = { t, t } end c.json_encode(t)",
  };
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    char code[256];
    snprintf(code, sizeof(code), "local c = require 'connect.host.c' %s", bad[i]);
    assert_int_equal(run(&s, code, &err), CL_ELUA);
  }
  cl_state_close(&s);
}

static void test_outside_a_task(void **state) {
  (void)state;
  struct cl_lua s;
  struct cl_err err;
  open_state(&s, 0, false);
  assert_int_equal(run(&s, "require('connect.host.c').offset { a = 1 }", &err), CL_ELUA);
  assert_non_null(strstr(err.msg, "offset: not available here"));
  assert_int_equal(run(&s, "require('connect.host.c').json_codec {}", &err), CL_ELUA);
  check(&s, "local ffi = require 'ffi' ffi.cdef(require('connect.host.c').abi_text()) assert(ffi.sizeof "
            "'struct cl_val' == 16)");
  check(&s, "assert(package.cpath == '' and not package.path:find ';%.' and not package.path:find '^%.')");
  cl_state_close(&s);
}

/* ---------------------------------------------------------------- partitions */

static void expect_key(const char *json, const char *text) {
  struct cl_err err = CL_ERR_INIT;
  json_t *partition = json_loads(json, JSON_DECODE_ANY, NULL);
  char *out = NULL;
  assert_int_equal(cl_source_key_text(partition, true, &out, &err), 0);
  assert_string_equal(out, text);
  free(out);
  json_decref(partition);
}

static void test_source_key(void **state) {
  (void)state;
  expect_key("null", "null");
  expect_key("{}", "{}");
  expect_key("{\"filename\":\"a\"}", "{\"filename\":\"a\"}");
  expect_key("{\"a\":1,\"b\":null,\"c\":true}", "{\"a\":1,\"b\":null,\"c\":true}");
  expect_key("{\"p\":0.1,\"a\":-1}", "{\"p\":0.1,\"a\":-1}");
  /* "p" hashes to 112, bucket 0 of 16; "a" to 97, bucket 1 */
  expect_key("{\"a\":-1,\"p\":0.1}", "{\"p\":0.1,\"a\":-1}");
  struct cl_err err = CL_ERR_INIT;
  json_t *nested = json_pack("{s:[i]}", "k", 1);
  char *out = NULL;
  assert_int_equal(cl_source_key_text(nested, true, &out, &err), CL_EINVAL);
  assert_non_null(strstr(err.msg, "'k'"));
  json_decref(nested);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_memory_cap),
      cmocka_unit_test(test_collector_is_never_refused),
      cmocka_unit_test(test_small_cap_loads_a_plugin),
      cmocka_unit_test(test_lowered_pause_lets_live_data_fill_the_cap),
      cmocka_unit_test(test_error_classes),
      cmocka_unit_test(test_traces),
      cmocka_unit_test(test_hostile_error_values),
      cmocka_unit_test(test_trace),
      cmocka_unit_test(test_interrupt),
      cmocka_unit_test(test_json),
      cmocka_unit_test(test_outside_a_task),
      cmocka_unit_test(test_source_key),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
