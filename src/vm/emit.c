/* SPDX-License-Identifier: Apache-2.0
 *
 * The module "connect.host.emit": converts a plain Lua value to a value tree in a batch's
 * arena, the convenience path behind ctx:emit. No metamethod of a plugin is called.
 * Thread: the state's own. May include base, record, Lua. */
#include "vm/emit.h"

#include "vm/internal.h"

#include "record/space.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 100, MAX_PATH_TEXT = 256, PATH_FIRST = 6, PATH_LAST = 2, TCDATA = 10 };

struct walk {
  lua_State *L;
  struct cl_batch *batch;
  const char *root; /* what the value is called in errors */
  int set_special;  /* stack slot of the function that knows the host's own values */
};

struct place { /* where in the value we are, for errors */
  const struct place *up;
  const char *key; /* NULL = index */
  lua_Integer index;
  int depth;
};

/* A long way down only its first and last steps are told. */
static size_t path_text(const struct place *at, int depth, char *out, size_t size) {
  if (!at->up)
    return 0;
  size_t n = path_text(at->up, depth, out, size);
  bool skipped = at->depth > PATH_FIRST && at->depth <= depth - PATH_LAST;
  if (n >= size || (skipped && at->depth > PATH_FIRST + 1))
    return n;
  int more = skipped   ? snprintf(out + n, size - n, "...")
             : at->key ? snprintf(out + n, size - n, ".%s", at->key)
                       : snprintf(out + n, size - n, "[%lld]", (long long)at->index);
  return more < 0 ? n : n + (size_t)more;
}

static void fail(const struct walk *w, const struct place *at, const char *fmt, ...) {
  char path[MAX_PATH_TEXT] = "", why[MAX_PATH_TEXT];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(why, sizeof(why), fmt, ap);
  va_end(ap);
  path_text(at, at->depth, path, sizeof(path));
  lua_pushfstring(w->L, "%s%s: %s", w->root, path, why); /* text */
  lua_error(w->L); /* where is the caller's to say: our own file means nothing to a plugin's author */
}

/* no_memory(): ends the task, since no record is to blame. */
static int no_memory(lua_State *L) {
  struct cl_err err;
  cl_err_set(&err, CL_ENOMEM,
             "no memory left in the batch: the records at work are more than connect.lua.memory.max.bytes; "
             "raise it, "
             "or have fewer records in a batch (sinks: consumer.override.max.poll.records)");
  return cl_call_raise(L, &err);
}

static void *alloc(const struct walk *w, size_t size) {
  void *p = cl_arena_zalloc(w->batch->arena, size);
  if (!p)
    no_memory(w->L);
  return p;
}

static void set_value(const struct walk *w, int idx, struct cl_val *out, const struct place *at);

/* ------------------------------------------------------------------- tables */

struct shape {
  uint32_t names, positions;
  lua_Number last; /* greatest position */
};

static struct shape shape_of(const struct walk *w, int idx, const struct place *at) {
  lua_State *L = w->L;
  struct shape s = {0};
  lua_pushnil(L);            /* key */
  while (lua_next(L, idx)) { /* key value */
    lua_pop(L, 1);           /* key */
    if (lua_type(L, -1) == LUA_TSTRING) {
      s.names++;
    } else if (lua_type(L, -1) == LUA_TNUMBER) {
      lua_Number n = lua_tonumber(L, -1);
      if (n < 1 || floor(n) != n)
        fail(w, at, "cannot convert a table with the key %g", n);
      s.positions++;
      s.last = n > s.last ? n : s.last;
    } else {
      fail(w, at, "cannot convert a table with a %s as key", luaL_typename(L, -1));
    }
  }
  if (s.names && s.positions)
    fail(w, at, "cannot convert a table with both names and positions as keys");
  if (s.positions != s.last)
    fail(w, at, "cannot convert a list with holes (use connect.null)");
  return s;
}

static bool is_marked_array(lua_State *L, int idx) {
  if (!lua_getmetatable(L, idx)) /* mt */
    return false;
  cl_bridge_push_array_mt(L); /* mt array_mt */
  bool same = lua_rawequal(L, -1, -2);
  lua_pop(L, 2); /* */
  return same;
}

static void set_array(const struct walk *w, int idx, uint32_t n, struct cl_val *out, const struct place *at) {
  struct cl_arr *arr = alloc(w, sizeof(*arr));
  *arr = (struct cl_arr){.n = n, .cap = n, .v = n ? alloc(w, n * sizeof(*arr->v)) : NULL};
  for (uint32_t i = 0; i < n; i++) {
    struct place here = {at, NULL, (lua_Integer)i + 1, at->depth + 1};
    lua_rawgeti(w->L, idx, (int)i + 1); /* value */
    set_value(w, lua_gettop(w->L), &arr->v[i], &here);
    lua_pop(w->L, 1); /* */
  }
  *out = (struct cl_val){.kind = CL_ARRAY, .arr = arr};
}

static int by_key(const void *a, const void *b, void *space) {
  struct cl_str x = cl_space_sym_text(space, ((const struct cl_entry *)a)->sym);
  struct cl_str y = cl_space_sym_text(space, ((const struct cl_entry *)b)->sym);
  int c = memcmp(x.p, y.p, x.len < y.len ? x.len : y.len);
  return c ? c : (x.len > y.len) - (x.len < y.len);
}

/* Keys sorted, since a Lua table has no order to keep. */
static void set_object(const struct walk *w, int idx, uint32_t n, struct cl_val *out,
                       const struct place *at) {
  lua_State *L = w->L;
  struct cl_obj *obj = alloc(w, sizeof(*obj));
  *obj = (struct cl_obj){.cap = n, .e = n ? alloc(w, n * sizeof(*obj->e)) : NULL};
  lua_pushnil(L);            /* key */
  while (lua_next(L, idx)) { /* key value */
    size_t len;
    const char *key = lua_tolstring(L, -2, &len);
    struct place here = {at, key, 0, at->depth + 1};
    struct cl_entry *e = &obj->e[obj->n++];
    e->sym = len <= UINT32_MAX ? cl_space_sym(w->batch->space, key, (uint32_t)len) : 0;
    if (!e->sym)
      no_memory(L);
    set_value(w, lua_gettop(L), &e->val, &here);
    lua_pop(L, 1); /* key */
  }
  if (n > 1)
    qsort_r(obj->e, n, sizeof(*obj->e), by_key, w->batch->space);
  obj->java_cap = 16;
  *out = (struct cl_val){.kind = CL_OBJECT, .obj = obj};
}

static void set_table(const struct walk *w, int idx, struct cl_val *out, const struct place *at) {
  if (at->depth >= MAX_DEPTH)
    fail(w, at, "nested deeper than %d tables, or a table that contains itself", MAX_DEPTH);
  luaL_checkstack(w->L, 6, "nested tables");
  struct shape s = shape_of(w, idx, at);
  if (s.positions || (!s.names && is_marked_array(w->L, idx)))
    set_array(w, idx, s.positions, out, at);
  else
    set_object(w, idx, s.names, out, at);
}

/* ------------------------------------------------------------------ scalars */

static struct cl_val number_val(lua_Number n) {
  if (n >= -0x1p63 && n < 0x1p63 && floor(n) == n && !(n == 0 && signbit(n)))
    return (struct cl_val){.kind = CL_INT, .aux = 64, .i = (int64_t)n};
  return (struct cl_val){.kind = CL_FLOAT64, .f = n};
}

static void set_string(const struct walk *w, int idx, struct cl_val *out) {
  size_t len;
  const char *s = lua_tolstring(w->L, idx, &len);
  if (len > UINT32_MAX || cl_ffi_put_string(w->batch, out, s, (uint32_t)len) != 0)
    no_memory(w->L);
}

/* What cdata and tables with a metatable are only Lua can tell: set_special(value, out) answers nothing, or
 * what is wrong, or false for a table like others. */
static bool set_special(const struct walk *w, int idx, struct cl_val *out, const struct place *at) {
  lua_State *L = w->L;
  luaL_checkstack(L, 6, "nested tables");
  lua_pushvalue(L, w->set_special); /* fn */
  lua_pushvalue(L, idx);            /* fn value */
  lua_pushlightuserdata(L, out);    /* fn value out */
  lua_call(L, 2, 1);                /* why */
  bool ours = !lua_isboolean(L, -1);
  if (ours && !lua_isnil(L, -1))
    fail(w, at, "%s", lua_tostring(L, -1) ? lua_tostring(L, -1) : "cannot convert this value");
  lua_pop(L, 1); /* */
  return ours;
}

static bool has_metatable(lua_State *L, int idx) {
  if (!lua_getmetatable(L, idx)) /* mt */
    return false;
  lua_pop(L, 1); /* */
  return true;
}

static void set_value(const struct walk *w, int idx, struct cl_val *out, const struct place *at) {
  lua_State *L = w->L;
  switch (lua_type(L, idx)) {
  case LUA_TNIL: *out = (struct cl_val){.kind = CL_NULL}; return;
  case LUA_TBOOLEAN: *out = (struct cl_val){.kind = lua_toboolean(L, idx) ? CL_TRUE : CL_FALSE}; return;
  case LUA_TNUMBER: *out = number_val(lua_tonumber(L, idx)); return;
  case LUA_TSTRING: set_string(w, idx, out); return;
  case LUA_TTABLE:
    if (!has_metatable(L, idx) || is_marked_array(L, idx) || !set_special(w, idx, out, at))
      set_table(w, idx, out, at);
    return;
  case TCDATA: set_special(w, idx, out, at); return;
  case LUA_TLIGHTUSERDATA:
    if (lua_touserdata(L, idx))
      break;
    *out = (struct cl_val){.kind = CL_NULL};
    return;
  default: break;
  }
  fail(w, at, "cannot convert a %s", luaL_typename(L, idx));
}

/* ------------------------------------------------------------------- module */

void *cl_emit_pointer(lua_State *L, int idx) {
  if (lua_islightuserdata(L, idx))
    return lua_touserdata(L, idx);
  luaL_argcheck(L, lua_type(L, idx) == TCDATA, idx, "pointer expected");
  void *const *p = lua_topointer(L, idx);
  return *p;
}

/* set_val(batch, val, value, set_special, name) */
static int set_val(lua_State *L) {
  luaL_checktype(L, 4, LUA_TFUNCTION);
  lua_settop(L, 5);
  struct walk w = {.L = L, .batch = cl_emit_pointer(L, 1), .root = luaL_checkstring(L, 5), .set_special = 4};
  set_value(&w, 3, cl_emit_pointer(L, 2), &(struct place){0});
  return 0;
}

int luaopen_connect_host_emit(lua_State *L) {
  lua_newtable(L);                  /* m */
  lua_pushcfunction(L, set_val);    /* m fn */
  lua_setfield(L, -2, "set_val");   /* m */
  lua_pushcfunction(L, no_memory);  /* m fn */
  lua_setfield(L, -2, "no_memory"); /* m */
  return 1;
}
