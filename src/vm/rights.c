/* SPDX-License-Identifier: Apache-2.0
 * Rights of plugins, checked and handed to a state. May include base, Lua. */
#include "vm/rights.h"

#include "vm/internal.h"

#include <string.h>

static const char *const known[] = {"files", "io", "os", "ffi", "debug", "jit"};

static bool is_known(const char *grant) {
  for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
    if (strcmp(grant, known[i]) == 0)
      return true;
  }
  return false;
}

int cl_rights_check(const json_t *grants, struct cl_err *err) {
  size_t i;
  json_t *one;
  json_array_foreach (grants, i, one) {
    const char *text = json_string_value(one), *colon = text ? strchr(text, ':') : NULL;
    if (!colon || colon == text || !is_known(colon + 1))
      return cl_err_set(
          err, CL_EINVAL,
          "%s is no grant: write PLUGIN:GRANT, the name of the plugin's file without .lua and one "
          "of files, io, os, ffi, debug, jit",
          text ? text : "?");
  }
  return 0;
}

static void push_or_nil(struct cl_lua *s, lua_State *L, const json_t *json) {
  if (json)
    cl_bridge_push(s, L, json);
  else
    lua_pushnil(L);
}

void cl_rights_set(struct cl_lua *s, lua_State *L, const struct cl_rights *rights) {
  lua_getglobal(L, "require");               /* require */
  lua_pushliteral(L, "connect.host.rights"); /* require name */
  lua_call(L, 1, 1);                         /* rights */
  lua_getfield(L, -1, "set");                /* rights set */
  push_or_nil(s, L, rights->grants);         /* rights set grants */
  push_or_nil(s, L, rights->files);          /* rights set grants files */
  lua_call(L, 2, 0);                         /* rights */
  lua_pop(L, 1);                             /* */
}
