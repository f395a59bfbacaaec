/* SPDX-License-Identifier: Apache-2.0
 * Birth, limits and death of a Lua state. Thread: the state's own, but for
 * cl_state_interrupt. May include base, record, Lua. */
#include "vm/internal.h"

#include "base/clock.h"
#include "vm/chunks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <luajit.h>

enum {
  GC_PAUSE = 115,          /* with a cap: collect often, so that live data may fill most of it */
  STRING_TABLE_MIN = 2048, /* bytes: LuaJIT's smallest, 256 slots */
  DEADLINE_STEP = 10000    /* instructions between two looks at the clock */
};

/* Whether the request may be for LuaJIT's string table: a fresh vector of a power of two of
 * slots. The collector shrinks that table, into a new one of half the size, wherever it
 * happens to run: in a trace, or in lua_gc outside of any protected call. A refusal there is
 * a panic or a crash in the unwinder. */
static bool is_string_table(size_t osize, size_t nsize) {
  return osize == 0 && nsize >= STRING_TABLE_MIN && (nsize & (nsize - 1)) == 0;
}

/* LuaJIT wants its own allocator, so we count around it. */
static void *counting_alloc(void *ud, void *p, size_t osize, size_t nsize) {
  struct cl_lua *s = ud;
  if (nsize > osize && s->max) {
    /* A quarter holds the table of as many short strings as fit below the cap. */
    size_t reserve = is_string_table(osize, nsize) ? s->max / 4 : 0;
    if (s->used + (nsize - osize) > s->max + reserve)
      return NULL;
  }
  void *q = s->alloc(s->alloc_ud, p, osize, nsize);
  if (q || nsize == 0)
    s->used += nsize - osize;
  return q;
}

static void cap_memory(struct cl_lua *s, size_t max) {
  lua_State *L = s->L;
  s->used = (size_t)lua_gc(L, LUA_GCCOUNT, 0) * 1024 + (size_t)lua_gc(L, LUA_GCCOUNTB, 0);
  s->max = max;
  s->alloc = lua_getallocf(L, &s->alloc_ud);
  lua_setallocf(L, counting_alloc, s);
  if (max)
    lua_gc(L, LUA_GCSETPAUSE, GC_PAUSE);
}

static void set_paths(struct cl_lua *s, lua_State *L, bool own_paths) {
  lua_getglobal(L, "package");                                            /* package */
  lua_pushfstring(L, "%s/lua/?.lua;%s/lua/?/init.lua", s->home, s->home); /* package path */
  if (own_paths) {
    lua_pushliteral(L, "");       /* package path "" */
    lua_setfield(L, -3, "cpath"); /* package path */
  } else {
    lua_pushliteral(L, ";");     /* package path ";" */
    lua_getfield(L, -3, "path"); /* package path ";" old */
    lua_concat(L, 3);            /* package path */
  }
  lua_setfield(L, -2, "path"); /* package */
  lua_pop(L, 1);               /* */
}

/* Branchy plugin code outruns the defaults of 1000 traces, 512 KiB and 100 side exits, and
 * then thrashes: these go together. loopunroll is also the most tail calls a trace may hold: 15
 * end a transform that assigns five fields, and so do 500 constants. */
static const char jit_options[] = "require('jit.opt').start('maxtrace=8000', 'maxmcode=8192', 'maxside=400', "
                                  "'hotexit=20', 'loopunroll=30', 'maxirconst=1000')";

struct setup {
  struct cl_lua *s;
  const struct cl_state_conf *conf;
};

static int setup_state(lua_State *L) {
  struct setup *up = lua_touserdata(L, 1);
  luaL_openlibs(L);
  if (!up->conf->jit)
    luaJIT_setmode(L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
  else if (luaL_dostring(L, jit_options))
    lua_error(L);
  set_paths(up->s, L, up->conf->rights != NULL);
  cl_chunk_add_searcher(L, up->s->home);
  cl_call_open(up->s, L);
  cl_bridge_open(up->s, L);
  cl_lib_host_preload(up->s, L);
  if (up->conf->rights)
    cl_rights_set(up->s, L, up->conf->rights);
  return 0;
}

int cl_state_open(struct cl_lua *s, const struct cl_state_conf *conf, struct cl_err *err) {
  s->home = conf->home;
  s->L = luaL_newstate();
  if (!s->L)
    return cl_err_set(err, CL_ENOMEM, "no memory for a Lua state");
  cap_memory(s, conf->memory_max);
  struct setup up = {s, conf};
  if (lua_cpcall(s->L, setup_state, &up) == 0)
    return 0;
  const char *why = lua_type(s->L, -1) == LUA_TSTRING ? lua_tostring(s->L, -1) : "unknown error";
  cl_err_set(err, CL_ELUA, "cannot set up a Lua state: %s", why);
  err->fatal = true;
  cl_state_close(s);
  return CL_ELUA;
}

void cl_state_close(struct cl_lua *s) {
  if (!s->L)
    return;
  /* LuaJIT frees its arenas wholesale only while it finds its own allocator. */
  lua_setallocf(s->L, s->alloc, s->alloc_ud);
  lua_close(s->L);
  s->L = NULL;
  while (s->owned) {
    struct cl_lua_owned *o = s->owned;
    s->owned = o->next;
    o->free(o->object);
    free(o->text);
    free(o);
  }
}

static struct cl_lua *state_of(lua_State *L) {
  void *ud;
  lua_getallocf(L, &ud);
  return ud;
}

/* luaL_error would name the caller of the function that runs. */
static void raise_here(lua_State *L, lua_Debug *ar, const char *text) {
  lua_getinfo(L, "Sl", ar);
  if (*ar->what == 'C')
    lua_pushstring(L, text);
  else
    lua_pushfstring(L, "%s:%d: %s", *ar->source == '@' ? ar->source + 1 : ar->short_src, ar->currentline,
                    text);
  lua_error(L);
}

static void deadline_hook(lua_State *L, lua_Debug *ar) {
  struct cl_lua *s = state_of(L);
  if (cl_now_ms() < s->deadline_ms)
    return;
  /* From here on every instruction raises, so that no pcall loop survives. */
  lua_sethook(L, deadline_hook, LUA_MASKCOUNT, 1);
  char text[64];
  snprintf(text, sizeof(text), "still running after %lld ms", (long long)s->deadline_span_ms);
  raise_here(L, ar, text);
}

void cl_state_deadline(struct cl_lua *s, int64_t ms) {
  s->deadline_span_ms = ms;
  s->deadline_ms = cl_now_ms() + ms;
  if (ms)
    lua_sethook(s->L, deadline_hook, LUA_MASKCOUNT, DEADLINE_STEP);
  else
    lua_sethook(s->L, NULL, 0, 0);
}

static int collect(lua_State *L) {
  lua_gc(L, LUA_GCCOLLECT, 0);
  return 0;
}

void cl_state_forget(struct cl_lua *s) {
  luaJIT_setmode(s->L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_FLUSH);
  if (lua_cpcall(s->L, collect, NULL) != 0) /* a finalizer */
    lua_pop(s->L, 1);
}

static void stop_hook(lua_State *L, lua_Debug *ar) { raise_here(L, ar, "stopped"); }

void cl_state_interrupt(struct cl_lua *s) {
  s->interrupted = true;
  lua_sethook(s->L, stop_hook, LUA_MASKCOUNT, 1);
}
