/* SPDX-License-Identifier: Apache-2.0
 * The module "connect.host.emit": plain Lua values into a batch. Thread: the state's own. */
#pragma once

#include <lua.h>

/* The pointer at idx, as light userdata or as pointer cdata of the host's own Lua; else raises. */
void *cl_emit_pointer(lua_State *L, int idx);

int luaopen_connect_host_emit(lua_State *L);
