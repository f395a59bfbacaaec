/* SPDX-License-Identifier: Apache-2.0
 * The module "connect.host.emit": plain Lua values into a batch. Thread: the state's own. */
#pragma once

#include <lua.h>

int luaopen_connect_host_emit(lua_State *L);
