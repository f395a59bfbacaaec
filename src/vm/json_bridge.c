/* SPDX-License-Identifier: Apache-2.0
 * json_t and Lua values, both ways, for what is cold: configs, offsets, manifests.
 * null = light userdata NULL; integers beyond 2^53 = int64 cdata.
 * Thread: the state's own. May include base, Lua. */
#include "vm/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 100, TCDATA = 10 };

static const char box_name[] = "connect.box", array_name[] = "connect.array";
static const double exact_max = 9007199254740992.0; /* 2^53 */

/* int64 cdata can be made and read in Lua only; 8 bytes travel as a string. */
static const char int64_helpers[] =
    "local ffi = require 'ffi'\n"
    "local in64, out64 = ffi.typeof('const int64_t *'), ffi.typeof('int64_t[1]')\n"
    "return function(bytes) return ffi.cast(in64, bytes)[0] end,\n"
    "  function(v) if ffi.istype('int64_t', v) then return ffi.string(out64(v), 8) end end\n";

static int free_box(lua_State *L) {
  json_t **box = lua_touserdata(L, 1);
  json_decref(*box);
  *box = NULL;
  return 0;
}

static void new_named(lua_State *L, const char *name) {
  luaL_newmetatable(L, name);    /* mt */
  lua_pushstring(L, name);       /* mt name */
  lua_setfield(L, -2, "__name"); /* mt */
  lua_pop(L, 1);                 /* */
}

void cl_bridge_open(struct cl_lua *s, lua_State *L) {
  luaL_newmetatable(L, box_name); /* mt */
  lua_pushcfunction(L, free_box); /* mt fn */
  lua_setfield(L, -2, "__gc");    /* mt */
  lua_pop(L, 1);                  /* */
  new_named(L, array_name);
  new_named(L, CL_DECIMAL_MT);
  new_named(L, CL_BYTES_MT);
  if (luaL_loadstring(L, int64_helpers) != 0) /* chunk */
    lua_error(L);
  lua_call(L, 0, 2);                              /* to from */
  s->from_int64 = luaL_ref(L, LUA_REGISTRYINDEX); /* to */
  s->to_int64 = luaL_ref(L, LUA_REGISTRYINDEX);   /* */
}

void cl_bridge_push_array_mt(lua_State *L) { luaL_getmetatable(L, array_name); }

json_t **cl_bridge_empty_box(lua_State *L) {
  json_t **box = lua_newuserdata(L, sizeof(*box)); /* box */
  *box = NULL;
  luaL_getmetatable(L, box_name); /* box mt */
  lua_setmetatable(L, -2);        /* box */
  return box;
}

/* -------------------------------------------------------------- JSON to Lua */

static void push_integer(struct cl_lua *s, lua_State *L, json_int_t i) {
  if (i >= -(json_int_t)exact_max && i <= (json_int_t)exact_max) {
    lua_pushnumber(L, (lua_Number)i);
    return;
  }
  int64_t wide = i;
  lua_rawgeti(L, LUA_REGISTRYINDEX, s->to_int64);        /* fn */
  lua_pushlstring(L, (const char *)&wide, sizeof(wide)); /* fn bytes */
  lua_call(L, 1, 1);                                     /* cdata */
}

static void push_value(struct cl_lua *s, lua_State *L, const json_t *json, int depth);

static void push_object(struct cl_lua *s, lua_State *L, const json_t *json, int depth) {
  const char *key;
  size_t len;
  json_t *value;
  lua_createtable(L, 0, (int)json_object_size(json)); /* t */
  json_object_keylen_foreach((json_t *)json, key, len, value) {
    lua_pushlstring(L, key, len);       /* t key */
    push_value(s, L, value, depth + 1); /* t key value */
    lua_rawset(L, -3);                  /* t */
  }
}

static void push_array(struct cl_lua *s, lua_State *L, const json_t *json, int depth) {
  int n = (int)json_array_size(json);
  lua_createtable(L, n, 0);   /* t */
  cl_bridge_push_array_mt(L); /* t mt */
  lua_setmetatable(L, -2);    /* t */
  for (int i = 0; i < n; i++) {
    push_value(s, L, json_array_get(json, (size_t)i), depth + 1); /* t value */
    lua_rawseti(L, -2, i + 1);                                    /* t */
  }
}

static void push_value(struct cl_lua *s, lua_State *L, const json_t *json, int depth) {
  if (depth > MAX_DEPTH)
    luaL_error(L, "JSON is nested deeper than %d", MAX_DEPTH);
  luaL_checkstack(L, 4, "JSON");
  switch (json ? json_typeof(json) : JSON_NULL) {
  case JSON_OBJECT: push_object(s, L, json, depth); break;
  case JSON_ARRAY: push_array(s, L, json, depth); break;
  case JSON_STRING: lua_pushlstring(L, json_string_value(json), json_string_length(json)); break;
  case JSON_INTEGER: push_integer(s, L, json_integer_value(json)); break;
  case JSON_REAL: lua_pushnumber(L, json_real_value(json)); break;
  case JSON_TRUE: lua_pushboolean(L, 1); break;
  case JSON_FALSE: lua_pushboolean(L, 0); break;
  case JSON_NULL: lua_pushlightuserdata(L, NULL); break;
  }
}

void cl_bridge_push(struct cl_lua *s, lua_State *L, const json_t *json) { push_value(s, L, json, 0); }

/* -------------------------------------------------------------- Lua to JSON
 * A child is attached to its parent before it is filled, so that a throw frees all with
 * the box at the root. */

struct walk {
  struct cl_lua *s;
  lua_State *L;
  size_t values;
  const void *parents[MAX_DEPTH + 1]; /* tables being walked: a cycle meets one again */
};

static json_t *value_of(struct walk *w, int idx);
static void fill(struct walk *w, int idx, json_t *json, int depth);

static json_t *need(lua_State *L, json_t *json) {
  if (!json)
    luaL_error(L, "not enough memory");
  return json;
}

static bool is_array(lua_State *L, int idx) {
  if (lua_getmetatable(L, idx)) { /* mt */
    cl_bridge_push_array_mt(L);   /* mt mt */
    bool marked = lua_rawequal(L, -1, -2);
    lua_pop(L, 2); /* */
    if (marked)
      return true;
  }
  lua_rawgeti(L, idx, 1); /* first */
  bool has_first = !lua_isnil(L, -1);
  lua_pop(L, 1); /* */
  return has_first;
}

static json_t *number_of(lua_State *L, lua_Number n) {
  if (!isfinite(n))
    luaL_error(L, "%s has no JSON form", isnan(n) ? "NaN" : "an infinite number");
  bool integral = n >= -exact_max && n <= exact_max && floor(n) == n;
  return need(L, integral ? json_integer((json_int_t)n) : json_real(n));
}

static json_t *string_of(lua_State *L, int idx) {
  size_t len;
  const char *text = lua_tolstring(L, idx, &len);
  json_t *json = json_stringn(text, len);
  if (!json)
    luaL_error(L, "a string that is not UTF-8 has no JSON form");
  return json;
}

static json_t *int64_of(struct walk *w, int idx) {
  lua_State *L = w->L;
  int64_t wide = 0;
  lua_rawgeti(L, LUA_REGISTRYINDEX, w->s->from_int64); /* fn */
  lua_pushvalue(L, idx);                               /* fn cdata */
  lua_call(L, 1, 1);                                   /* bytes */
  if (lua_type(L, -1) != LUA_TSTRING)
    luaL_error(L, "cdata other than int64 has no JSON form");
  memcpy(&wide, lua_tostring(L, -1), sizeof(wide));
  lua_pop(L, 1); /* */
  return need(L, json_integer(wide));
}

/* Pushes the text of a decimal or of bytes, made by connect.host.typed; false = idx is a table like others.
 */
static bool push_tagged(lua_State *L, int idx) {
  if (!lua_getmetatable(L, idx)) /* mt */
    return false;
  luaL_getmetatable(L, CL_DECIMAL_MT); /* mt decimal */
  luaL_getmetatable(L, CL_BYTES_MT);   /* mt decimal bytes */
  bool tagged = lua_rawequal(L, -3, -2) || lua_rawequal(L, -3, -1);
  lua_pop(L, 3); /* */
  return tagged && luaL_callmeta(L, idx, "__tostring") /* text */;
}

static json_t *table_of(lua_State *L, int idx) {
  if (push_tagged(L, idx)) { /* text */
    json_t *json = string_of(L, lua_gettop(L));
    lua_pop(L, 1); /* */
    return json;
  }
  return need(L, is_array(L, idx) ? json_array() : json_object());
}

/* The JSON of a plain value; of a table the empty container that fill completes. */
static json_t *value_of(struct walk *w, int idx) {
  lua_State *L = w->L;
  if (++w->values > CL_BRIDGE_VALUES_MAX)
    luaL_error(L, "a table of more than %d values has no JSON form", CL_BRIDGE_VALUES_MAX);
  switch (lua_type(L, idx)) {
  case LUA_TNIL: return json_null();
  case LUA_TBOOLEAN: return json_boolean(lua_toboolean(L, idx));
  case LUA_TNUMBER: return number_of(L, lua_tonumber(L, idx));
  case LUA_TSTRING: return string_of(L, idx);
  case LUA_TTABLE: return table_of(L, idx);
  case LUA_TLIGHTUSERDATA:
    if (!lua_touserdata(L, idx))
      return json_null();
    break;
  case TCDATA: return int64_of(w, idx);
  default: break;
  }
  luaL_error(L, "a %s has no JSON form", luaL_typename(L, idx));
  return NULL;
}

static void fill_array(struct walk *w, int idx, json_t *json, int depth) {
  lua_State *L = w->L;
  int n = (int)lua_objlen(L, idx);
  lua_pushnil(L);            /* key */
  while (lua_next(L, idx)) { /* key value */
    lua_pop(L, 1);           /* key */
    if (lua_type(L, -1) != LUA_TNUMBER)
      luaL_error(L, "a table with both array items and the key '%s' has no JSON form",
                 lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : luaL_typename(L, -1));
  }
  for (int i = 1; i <= n; i++) {
    lua_rawgeti(L, idx, i); /* value */
    json_t *item = value_of(w, lua_gettop(L));
    if (json_array_append_new(json, item) != 0)
      luaL_error(L, "not enough memory");
    fill(w, lua_gettop(L), item, depth + 1);
    lua_pop(L, 1); /* */
  }
}

static void fill_object(struct walk *w, int idx, json_t *json, int depth) {
  lua_State *L = w->L;
  lua_pushnil(L);            /* key */
  while (lua_next(L, idx)) { /* key value */
    if (lua_type(L, -2) != LUA_TSTRING)
      luaL_error(L, "the key of a JSON object must be a string, not a %s", luaL_typename(L, -2));
    json_t *item = value_of(w, lua_gettop(L));
    size_t len;
    const char *key = lua_tolstring(L, -2, &len);
    if (json_object_setn_new(json, key, len, item) != 0)
      luaL_error(L, "an object key that is not UTF-8 has no JSON form");
    fill(w, lua_gettop(L), item, depth + 1);
    lua_pop(L, 1); /* key */
  }
}

static void fill(struct walk *w, int idx, json_t *json, int depth) {
  if (!lua_istable(w->L, idx) || json_is_string(json))
    return;
  if (depth > MAX_DEPTH)
    luaL_error(w->L, "a table nested deeper than %d has no JSON form", MAX_DEPTH);
  luaL_checkstack(w->L, 6, "JSON");
  const void *self = lua_topointer(w->L, idx);
  for (int i = 0; i < depth; i++) {
    if (w->parents[i] == self)
      luaL_error(w->L, "a table that contains itself has no JSON form");
  }
  w->parents[depth] = self;
  if (json_is_array(json))
    fill_array(w, idx, json, depth);
  else
    fill_object(w, idx, json, depth);
}

json_t **cl_bridge_box(struct cl_lua *s, lua_State *L, int idx) {
  if (idx < 0)
    idx = lua_gettop(L) + 1 + idx;
  json_t **box = cl_bridge_empty_box(L); /* box */
  struct walk w = {.s = s, .L = L};
  *box = value_of(&w, idx);
  fill(&w, idx, *box, 0);
  return box;
}

/* 15 digits read back as the same double for nearly all numbers people write, and 0.1
 * stays 0.1; 17 always do. */
char *cl_bridge_text(const json_t *json, size_t flags) {
  flags |= JSON_ENCODE_ANY;
  char *shorter = json_dumps(json, flags | JSON_REAL_PRECISION(15));
  char *exact = json_dumps(json, flags | JSON_REAL_PRECISION(17));
  if (shorter && exact && strcmp(shorter, exact) != 0) {
    json_t *back = json_loads(shorter, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    bool same = back && json_equal(back, json);
    json_decref(back);
    if (!same) {
      free(shorter);
      return exact;
    }
  }
  free(exact);
  return shorter;
}
