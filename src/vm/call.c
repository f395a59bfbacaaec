/* SPDX-License-Identifier: Apache-2.0
 * Protected calls: whatever Lua throws becomes a cl_err, with a traceback taken where it
 * was thrown. Values thrown by plugins are hostile: none of their metamethods is called.
 * Thread: the state's own. May include base, record, Lua. */
#include "vm/internal.h"

#include <stdio.h>
#include <string.h>

enum { FIRST_FRAMES = 16, LAST_FRAMES = 4, LAST_LEVELS = 32 };

static const char error_name[] = "connect.error";

/* -------------------------------------------------------------- traceback */

/* Frames of C, of the host and of the plugin API say nothing to a plugin's author; ours
 * in folders beside the host are plugins. */
static bool is_plugin_frame(const struct cl_lua *s, const lua_Debug *ar) {
  if (*ar->what == 'C' || ar->source[0] != '@')
    return false;
  const char *file = ar->source + 1;
  size_t n = strlen(s->home);
  if (strncmp(file, s->home, n) != 0 || strncmp(file + n, "/lua/connect/", 13) != 0)
    return true;
  return strncmp(file + n + 13, "host/", 5) != 0 && strchr(file + n + 13, '/');
}

/* Appends a line when it fits whole in room. */
static bool add_frame(struct cl_lua *s, const lua_Debug *ar, size_t room) {
  size_t at = strlen(s->trace);
  char where[128];
  if (*ar->what == 'm')
    snprintf(where, sizeof(where), "main chunk");
  else if (ar->name)
    snprintf(where, sizeof(where), "function '%s'", ar->name);
  else
    snprintf(where, sizeof(where), "function at line %d", ar->linedefined);
  int n = at < room ? snprintf(s->trace + at, room - at, "%s\tat %s:%d in %s", at ? "\n" : "", ar->source + 1,
                               ar->currentline, where)
                    : -1;
  if (n >= 0 && (size_t)n < room - at)
    return true;
  s->trace[at] = '\0';
  return false;
}

static int stack_levels(lua_State *L, int level) {
  lua_Debug ar;
  int low = level, high = level + 1;
  while (lua_getstack(L, high, &ar)) {
    low = high;
    high *= 2;
  }
  while (high - low > 1) {
    int mid = low + (high - low) / 2;
    if (lua_getstack(L, mid, &ar))
      low = mid;
    else
      high = mid;
  }
  return high;
}

/* The outermost frames, which tell the verb, when the stack is too deep to be shown whole. */
static void add_last_frames(struct cl_lua *s, lua_State *L, int level) {
  lua_Debug frames[LAST_FRAMES];
  int n = 0, levels = stack_levels(L, level);
  int lowest = levels - LAST_LEVELS > level ? levels - LAST_LEVELS : level;
  for (int i = levels - 1; i >= lowest && n < LAST_FRAMES; i--) {
    if (lua_getstack(L, i, &frames[n]) && lua_getinfo(L, "Snl", &frames[n]) && is_plugin_frame(s, &frames[n]))
      n++;
  }
  size_t at = strlen(s->trace);
  if (n > 0 && at > 0)
    snprintf(s->trace + at, sizeof(s->trace) - at, "\n\t..."); /* take_trace left room */
  while (n > 0 && add_frame(s, &frames[--n], sizeof(s->trace)))
    ;
}

static void take_trace(struct cl_lua *s, lua_State *L, int level) {
  lua_Debug ar;
  int frames = 0;
  s->trace[0] = '\0';
  for (; lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "Snl", &ar);
    if (!is_plugin_frame(s, &ar))
      continue;
    if (frames++ == FIRST_FRAMES || !add_frame(s, &ar, sizeof(s->trace) / 4 * 3)) {
      add_last_frames(s, L, level);
      return;
    }
  }
}

/* Runs where the error was thrown; upvalue 1 is the state. */
static int message_handler(lua_State *L) {
  take_trace(lua_touserdata(L, lua_upvalueindex(1)), L, 1);
  return 1; /* the error itself */
}

/* ----------------------------------------------------- error value to cl_err */

/* The raw field of the table at idx when it is a string, else NULL. Borrowed from the table.
 * *len (NULL = not asked): its bytes. */
static const char *raw_string(lua_State *L, int idx, const char *name, size_t *len) {
  lua_pushstring(L, name); /* ... name */
  lua_rawget(L, idx);      /* ... value */
  const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, len) : NULL;
  lua_pop(L, 1); /* ... */
  return text;
}

static bool is_connect_error(lua_State *L, int idx) {
  if (lua_type(L, idx) != LUA_TTABLE || !lua_getmetatable(L, idx))
    return false;
  int mt = lua_gettop(L); /* ... mt */
  const char *name = raw_string(L, mt, "__name", NULL);
  bool same = name && strcmp(name, error_name) == 0;
  lua_pop(L, 1); /* ... */
  return same;
}

/* Puts a line before text; what there is no room for is cut. */
static void put_before(char *text, size_t size, const char *line) {
  size_t n = strlen(line), len = strlen(text), room = size - n - 1;
  len = len < room ? len : room;
  memmove(text + n, text, len);
  memcpy(text, line, n);
  text[n + len] = '\0';
}

static void set_connect_error(struct cl_lua *s, lua_State *L, int idx, struct cl_err *err) {
  const char *class = raw_string(L, idx, "class", NULL);
  size_t len = 0;
  const char *message = raw_string(L, idx, "message", &len);
  const char *where = raw_string(L, idx, "where", NULL);
  const char *trace = raw_string(L, idx, "trace", NULL);
  const char *java = raw_string(L, idx, "java", NULL);
  const char *stage = raw_string(L, idx, "stage", NULL);
  bool retriable = class && strcmp(class, "retriable") == 0;
  int code = CL_ELUA;
  if (class && strcmp(class, "data") == 0)
    code = CL_EDATA;
  else if (class && strcmp(class, "stopped") == 0)
    code = CL_ESTOPPED;
  cl_err_set(err, code, "%s%s%s", where ? where : "", where ? ": " : "",
             message ? CL_SHOWN(message, len) : "(no message)");
  err->class = java ? cl_err_class(java) : NULL;
  err->retriable = retriable;
  err->fatal = code == CL_ELUA && !retriable;
  if (trace)
    snprintf(s->trace, sizeof(s->trace), "%s", trace);
  if (stage && code == CL_EDATA) { /* a record's fault, past errors.tolerance */
    char line[64];
    err->within = "Tolerance exceeded in error handler";
    snprintf(line, sizeof(line), "\tin stage %.40s%s", stage, *s->trace ? "\n" : "");
    put_before(s->trace, sizeof(s->trace), line);
  }
}

/* ud: struct conversion. Protected, since making strings may throw. */
struct conversion {
  struct cl_lua *s;
  struct cl_err *err;
};

static int convert_error(lua_State *L) {
  struct conversion *c = lua_touserdata(L, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, c->s->thrown); /* ud thrown */
  if (is_connect_error(L, 2)) {
    set_connect_error(c->s, L, 2, c->err);
    return 0;
  }
  int type = lua_type(L, 2);
  if (type == LUA_TSTRING || type == LUA_TNUMBER)
    cl_err_set(c->err, CL_ELUA, "%s", CL_SHOWN(lua_tostring(L, 2), lua_objlen(L, 2)));
  else
    cl_err_set(c->err, CL_ELUA, "(error object is a %s value)", lua_typename(L, type));
  c->err->fatal = true;
  return 0;
}

static int collect(lua_State *L) {
  lua_gc(L, LUA_GCCOLLECT, 0);
  return 0;
}

static int memory_error(struct cl_lua *s, struct cl_err *err) {
  /* The garbage of the last allocation still fills the cap. Collecting may allocate, and runs
   * finalizers: protected, and without a cap. */
  size_t max = s->max;
  s->max = 0;
  if (lua_cpcall(s->L, collect, NULL) != 0)
    lua_pop(s->L, 1);
  s->max = max;
  int code = cl_err_set(err, CL_ELUA,
                        "not enough memory: the Lua state reached its cap of %zu bytes "
                        "(connect.lua.memory.max.bytes)",
                        s->max);
  err->fatal = true;
  return code;
}

/* A pcall of the plugin's own turns LUA_ERRMEM into this string. */
static bool says_no_memory(lua_State *L) {
  return lua_type(L, -1) == LUA_TSTRING && strcmp(lua_tostring(L, -1), "not enough memory") == 0;
}

/* Pops the error value on top of the stack. */
static int set_error(struct cl_lua *s, int status, bool interrupted, struct cl_err *err) {
  lua_State *L = s->L;
  if (status == LUA_ERRMEM || says_no_memory(L)) {
    lua_pop(L, 1);
    return memory_error(s, err);
  }
  lua_rawseti(L, LUA_REGISTRYINDEX, s->thrown); /* the slot exists: takes no memory */
  struct conversion c = {s, err};
  int rc = lua_cpcall(L, convert_error, &c);
  if (rc != 0)
    lua_pop(L, 1);
  if (rc == LUA_ERRMEM)
    return memory_error(s, err);
  if (rc != 0) /* a second interrupt */
    cl_err_set(err, CL_ELUA, "stopped");
  lua_pushboolean(L, 0);
  lua_rawseti(L, LUA_REGISTRYINDEX, s->thrown);
  snprintf(err->trace, sizeof(err->trace), "%s", s->trace);
  if (interrupted && err->code == CL_ELUA && strstr(err->msg, "stopped")) {
    err->code = CL_ESTOPPED;
    err->fatal = false;
  }
  return err->code;
}

/* ------------------------------------------------------------ entry points */

struct job {
  lua_CFunction fn;
  void *ud;
};

static int trampoline(lua_State *L) {
  const struct job *job = lua_touserdata(L, 1);
  lua_settop(L, 0);
  lua_pushlightuserdata(L, job->ud);
  return job->fn(L);
}

/* tostring of an error raised by cl_call_raise. */
static int error_text(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);              /* e */
  lua_pushliteral(L, "message"); /* e name */
  lua_rawget(L, 1);              /* e text */
  return 1;
}

void cl_call_open(struct cl_lua *s, lua_State *L) {
  lua_pushcfunction(L, trampoline);
  s->trampoline = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_pushlightuserdata(L, s);
  lua_pushcclosure(L, message_handler, 1);
  s->handler = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_pushboolean(L, 0);
  s->thrown = luaL_ref(L, LUA_REGISTRYINDEX);
  luaL_newmetatable(L, error_name);  /* mt */
  lua_pushcfunction(L, error_text);  /* mt fn */
  lua_setfield(L, -2, "__tostring"); /* mt */
  lua_pushstring(L, error_name);     /* mt name */
  lua_setfield(L, -2, "__name");     /* mt */
  lua_pop(L, 1);                     /* */
}

/* Answers whether there was one. */
static bool clear_interrupt(struct cl_lua *s) {
  bool was = s->interrupted;
  if (was) {
    lua_sethook(s->L, NULL, 0, 0);
    s->interrupted = false;
  }
  return was;
}

int cl_call_protected(struct cl_lua *s, lua_CFunction fn, void *ud, struct cl_err *err) {
  lua_State *L = s->L;
  struct job job = {fn, ud};
  s->trace[0] = '\0';
  /* None of these pushes needs memory: they may not throw out here. */
  lua_rawgeti(L, LUA_REGISTRYINDEX, s->handler);    /* handler */
  lua_rawgeti(L, LUA_REGISTRYINDEX, s->trampoline); /* handler fn */
  lua_pushlightuserdata(L, &job);                   /* handler fn job */
  int status = lua_pcall(L, 1, 0, -3);              /* handler [error] */
  bool interrupted = clear_interrupt(s);            /* or its hook would raise in set_error too */
  int rc = status == 0 ? 0 : set_error(s, status, interrupted, err);
  lua_settop(L, 0);
  return rc;
}

int cl_call_raise(lua_State *L, const struct cl_err *err) {
  const char *class = "fatal";
  if (err->retriable)
    class = "retriable";
  else if (err->code == CL_EDATA)
    class = "data";
  else if (err->code == CL_ESTOPPED)
    class = "stopped";
  lua_createtable(L, 0, 3);     /* e */
  lua_pushstring(L, class);     /* e class */
  lua_setfield(L, -2, "class"); /* e */
  if (err->class) {
    lua_pushstring(L, err->class); /* e java */
    lua_setfield(L, -2, "java");   /* e */
  }
  lua_pushstring(L, err->msg);      /* e message */
  lua_setfield(L, -2, "message");   /* e */
  luaL_getmetatable(L, error_name); /* e mt */
  lua_setmetatable(L, -2);          /* e */
  return lua_error(L);
}
