/* SPDX-License-Identifier: Apache-2.0
 * The verbs written in Lua (lua/connect/kit): they need the FFI symbols, which live in this
 * binary. The state has everything a stock LuaJIT has, and home/lua on its path.
 * Thread: main. May include base, Lua. */
#include "vm/internal.h"

#include <stdio.h>

struct run {
  const char *home, *tool;
  int argc;
  char **argv;
  int code;
};

static int run_tool(lua_State *L) {
  struct run *run = lua_touserdata(L, 1);
  lua_getglobal(L, "require");                     /* ud require */
  lua_pushfstring(L, "connect.kit.%s", run->tool); /* ud require name */
  lua_call(L, 1, 1);                               /* ud tool */
  lua_createtable(L, run->argc, 0);                /* ud tool args */
  for (int i = 0; i < run->argc; i++) {
    lua_pushstring(L, run->argv[i]); /* ud tool args text */
    lua_rawseti(L, -2, i + 1);       /* ud tool args */
  }
  lua_pushstring(L, run->home); /* ud tool args home */
  lua_call(L, 2, 1);            /* ud code */
  run->code = (int)lua_tointeger(L, -1);
  return 0;
}

int cl_vm_run_tool(const char *home, const char *tool, int argc, char **argv) {
  struct cl_lua s = {0};
  struct cl_err err = CL_ERR_INIT;
  struct cl_state_conf conf = {.home = home, .jit = true};
  struct run run = {home, tool, argc, argv, 2};
  int rc = cl_state_open(&s, &conf, &err);
  if (rc == 0)
    rc = cl_call_protected(&s, run_tool, &run, &err);
  if (rc != 0)
    fprintf(stderr, "connect-lua %s: %s\n", tool, err.msg);
  cl_state_close(&s);
  return rc == 0 ? run.code : 2;
}
