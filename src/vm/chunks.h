/* SPDX-License-Identifier: Apache-2.0
 *
 * Lua files compiled once a process: each state would parse the same text anew, which was most
 * of what a task's start cost. Bytecode keeps names and lines, so that traces read the same; it
 * is made here from text only, and nothing else can be loaded through here.
 * Thread: any. The cache lives as long as the process; what it holds has a ceiling.
 * May be included in src/vm only.
 */
#pragma once

#include <lua.h>
#include <stddef.h>

/* Both leave a function, or an error message, on the stack, and answer as luaL_loadbuffer. */

/* Text that was read from a file; name is "@" and its path. Compiled anew when it differs. */
int cl_chunk_load(lua_State *L, const char *name, const char *text, size_t len);
/* One of our own files, named the same way. Read anew when its inode, size or times differ. LUA_ERRFILE:
 * there is no such file, or it cannot be read. */
int cl_chunk_load_file(lua_State *L, const char *name);

/* The searcher of our own modules: package.loaders gets one more entry, before the one that
 * reads package.path. May throw. home must outlive the state. */
void cl_chunk_add_searcher(lua_State *L, const char *home);

/* Bytes held, for tests. */
size_t cl_chunk_held(void);
