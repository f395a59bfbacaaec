/* SPDX-License-Identifier: Apache-2.0
 * Files compiled once: what comes out of the cache reads and fails as what was parsed. */
#include "vm/chunks.h"
#include "vm/internal.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { HELD_MAX = 8 << 20, THREADS = 8, ROUNDS = 20 };

static lua_State *new_state(void) {
  lua_State *L = luaL_newstate();
  assert_non_null(L);
  luaL_openlibs(L);
  return L;
}

/* What the chunk answers, as a string that dies with the state. */
static const char *run_text(lua_State *L, const char *name, const char *text) {
  int status = cl_chunk_load(L, name, text, strlen(text));
  if (status == 0)
    lua_pcall(L, 0, 1, 0);
  return lua_tostring(L, -1);
}

static void test_same_text_again(void **state) {
  (void)state;
  static const char text[] = "local given = ...\n"
                             "local function fall(depth) error('down ' .. depth) end\n"
                             "return select(2, xpcall(function() fall(3) end, debug.traceback))";
  char *traces[3];
  for (int i = 0; i < 3; i++) { /* parsed, and twice from the cache */
    lua_State *L = new_state();
    traces[i] = strdup(run_text(L, "@/plugins/same.lua", text));
    lua_close(L);
  }
  assert_non_null(strstr(traces[0], "/plugins/same.lua:2: down 3"));
  assert_non_null(strstr(traces[0], "in function 'fall'"));
  for (int i = 1; i < 3; i++)
    assert_string_equal(traces[i], traces[0]);
  for (int i = 0; i < 3; i++)
    free(traces[i]);
}

static void test_changed_text(void **state) {
  (void)state;
  lua_State *L = new_state();
  assert_string_equal(run_text(L, "@changed.lua", "return 'one'"), "one");
  size_t held = cl_chunk_held();
  assert_string_equal(run_text(L, "@changed.lua", "return 'two'"), "two");
  assert_string_equal(run_text(L, "@changed.lua", "return 'one'"), "one");
  assert_int_equal(cl_chunk_held(), held); /* the older text's place is taken */
  assert_string_equal(run_text(L, "@other.lua", "return (debug.getinfo(1, 'S').source)"), "@other.lua");
  assert_string_equal(run_text(L, "@another.lua", "return (debug.getinfo(1, 'S').source)"), "@another.lua");
  lua_close(L);
}

/* A state's own environment and variables are its own. */
static void test_nothing_is_shared(void **state) {
  (void)state;
  static const char text[] = "n = (n or 0) + 1 return n";
  for (int i = 0; i < 3; i++) {
    lua_State *L = new_state();
    assert_string_equal(run_text(L, "@count.lua", text), "1");
    assert_string_equal(run_text(L, "@count.lua", text), "2");
    lua_close(L);
  }
}

static void test_bytecode_is_refused(void **state) {
  (void)state;
  lua_State *L = new_state();
  size_t len;
  assert_int_equal(luaL_dostring(L, "return string.dump(loadstring 'return 7')"), 0);
  const char *code = lua_tolstring(L, -1, &len);
  for (int i = 0; i < 2; i++) {
    assert_int_not_equal(cl_chunk_load(L, "@code.lua", code, len), 0);
    assert_string_equal(lua_tostring(L, -1),
                        "code.lua: compiled Lua (bytecode) is not accepted; ship the source");
  }
  assert_string_equal(run_text(L, "@bad.lua", "\nreturn ="), "bad.lua:2: unexpected symbol near '='");
  assert_string_equal(run_text(L, "@bad.lua", "\nreturn ="), "bad.lua:2: unexpected symbol near '='");
  lua_close(L);
}

static void write_file(const char *path, const char *text) {
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  fputs(text, f);
  fclose(f);
}

static const char *run_file(lua_State *L, const char *path) {
  if (cl_chunk_load_file(L, lua_pushfstring(L, "@%s", path)) == 0)
    lua_pcall(L, 0, 1, 0);
  return lua_tostring(L, -1);
}

static void test_file_is_read_anew(void **state) {
  (void)state;
  char path[] = "/tmp/cl-chunk-XXXXXX", other[64];
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  close(fd);
  lua_State *L = new_state();
  write_file(path, "return 'first'");
  assert_string_equal(run_file(L, path), "first");
  assert_string_equal(run_file(L, path), "first");
  write_file(path, "return 'second one'");
  assert_string_equal(run_file(L, path), "second one");
  snprintf(other, sizeof(other), "%s.new", path);
  write_file(other, "return 'third text'"); /* as long, and another file */
  assert_int_equal(rename(other, path), 0);
  assert_string_equal(run_file(L, path), "third text");
  unlink(path);
  assert_int_equal(cl_chunk_load_file(L, lua_pushfstring(L, "@%s", path)), LUA_ERRFILE);
  assert_int_equal(cl_chunk_load_file(L, "@/tmp"), LUA_ERRFILE);
  lua_close(L);
}

/* Texts of a megabyte, and many small ones: what is held has a ceiling. */
static void test_ceiling(void **state) {
  (void)state;
  lua_State *L = new_state();
  size_t len = 1 << 20;
  char *text = malloc(len + 1), name[32];
  memset(text, ' ', len);
  text[len] = '\0';
  for (int i = 0; i < 1000; i++) {
    size_t n = i < 20 ? len : 100;
    snprintf(name, sizeof(name), "@many-%d.lua", i);
    assert_int_equal(cl_chunk_load(L, name, text, n), 0);
    lua_pop(L, 1);
    assert_true(cl_chunk_held() <= HELD_MAX);
  }
  assert_true(cl_chunk_held() < 512 * 1024); /* the small ones have pushed the large ones out */
  free(text);
  lua_close(L);
}

static void *load_often(void *arg) {
  const int *seed = arg;
  for (int i = 0; i < ROUNDS; i++) {
    struct cl_lua s = {0};
    struct cl_err err = CL_ERR_INIT;
    struct cl_state_conf conf = {
        .home = CL_SOURCE_DIR, .memory_max = 32 << 20, .rights = &(struct cl_rights){0}};
    CL_REQUIRE(cl_state_open(&s, &conf, &err) == 0);
    char text[64];
    snprintf(text, sizeof(text), "return '%d'", (i + *seed) % 3); /* one file, ever another text */
    const char *got = run_text(s.L, "@shared.lua", text);
    CL_REQUIRE(got[0] == '0' + (i + *seed) % 3);
    CL_REQUIRE(luaL_dostring(s.L, "return require 'connect.host.sandbox'") == 0);
    cl_state_close(&s);
  }
  return NULL;
}

static void test_threads(void **state) {
  (void)state;
  pthread_t threads[THREADS];
  int seeds[THREADS];
  for (int i = 0; i < THREADS; i++) {
    seeds[i] = i;
    assert_int_equal(pthread_create(&threads[i], NULL, load_often, &seeds[i]), 0);
  }
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_same_text_again),   cmocka_unit_test(test_changed_text),
      cmocka_unit_test(test_nothing_is_shared), cmocka_unit_test(test_bytecode_is_refused),
      cmocka_unit_test(test_file_is_read_anew), cmocka_unit_test(test_ceiling),
      cmocka_unit_test(test_threads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
