/* SPDX-License-Identifier: Apache-2.0
 * `connect-lua test`: busted inside the binary, where the FFI symbols live. The state has
 * everything a stock LuaJIT has, and home/lua on its path.
 * Thread: main. May include base, Lua. */
#include "vm/internal.h"

#include <stdio.h>

struct run {
  int argc;
  char **argv;
  int code;
};

/* busted ends by os.exit: made an error with a value of our own, so that the state can be
 * closed and the caller gets the code. */
static const char runner[] =
    "local code\n"
    "local EXIT = {}\n"
    "os.exit = function(c)\n"
    "  code = c == true and 0 or c == false and 1 or c or 0\n"
    "  error(EXIT, 0)\n"
    "end\n"
    "local ok, why = xpcall(function() require 'busted.runner'({ standalone = false }) end, function(e)\n"
    "  return e == EXIT and e or debug.traceback(tostring(e), 2)\n"
    "end)\n"
    "if not ok and why ~= EXIT then io.stderr:write('connect-lua test: ', why, '\\n') return 2 end\n"
    "return code or 0\n";

static int run_busted(lua_State *L) {
  struct run *run = lua_touserdata(L, 1);
  lua_createtable(L, run->argc, 1);       /* ud arg */
  lua_pushliteral(L, "connect-lua test"); /* ud arg name */
  lua_rawseti(L, -2, 0);                  /* ud arg */
  for (int i = 0; i < run->argc; i++) {
    lua_pushstring(L, run->argv[i]); /* ud arg text */
    lua_rawseti(L, -2, i + 1);       /* ud arg */
  }
  lua_setglobal(L, "arg");                                                      /* ud */
  if (luaL_loadbuffer(L, runner, sizeof(runner) - 1, "=connect-lua test") != 0) /* ud chunk */
    return lua_error(L);
  lua_call(L, 0, 1); /* ud code */
  run->code = (int)lua_tointeger(L, -1);
  return 0;
}

int cl_vm_run_busted(const char *home, int argc, char **argv) {
  struct cl_lua s = {0};
  struct cl_err err = CL_ERR_INIT;
  struct cl_state_conf conf = {.home = home, .jit = true};
  struct run run = {argc, argv, 2};
  int rc = cl_state_open(&s, &conf, &err);
  if (rc == 0)
    rc = cl_call_protected(&s, run_busted, &run, &err);
  if (rc != 0)
    fprintf(stderr, "connect-lua test: %s\n", err.msg);
  cl_state_close(&s);
  return rc == 0 ? run.code : 2;
}
