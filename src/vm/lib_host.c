/* SPDX-License-Identifier: Apache-2.0
 * The module "connect.host.c": what the Lua host asks of C where a Lua value must be
 * touched (all cold; the hot path is FFI). Upvalue 1 of each function is the state.
 * Thread: the state's own. May include base, record, Lua. */
#define CL_COMPONENT "plugin"
#include "vm/internal.h"
#include "vm/source_key.h"

#include "base/clock.h"
#include "base/confdef.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/regex.h"
#include "base/secrets.h"
#include "record/codec.h"
#include "record/java_date.h"
#include "vm/chunks.h"
#include "vm/emit.h"
#include "vm/sources.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
  ABI_MAX = 1 << 20,
  STACK_RESERVE = 384 << 10 /* what C code below Lua may need: parser, librdkafka, TLS */
};

static struct cl_lua *self(lua_State *L) { return lua_touserdata(L, lua_upvalueindex(1)); }

/* The task's ops, when it has the one asked for. */
#define OPS_WITH(L, name) (self(L)->task.ops && self(L)->task.ops->name ? self(L)->task.ops : no_op(L, #name))

static const struct cl_vm_ops *no_op(lua_State *L, const char *name) {
  luaL_error(L, "%s: not available here", name);
  return NULL;
}

/* -------------------------------------------------------------- log, clocks */

/* The text at idx, where a log line would end at a NUL with each of them told. */
static const char *whole_text(lua_State *L, int idx) {
  size_t n;
  const char *text = luaL_checklstring(L, idx, &n);
  if (strlen(text) == n)
    return text;
  luaL_Buffer buf;
  luaL_buffinit(L, &buf);
  for (const char *end = text + n; text <= end; text += strlen(text) + 1) {
    luaL_addstring(&buf, text);
    if (text + strlen(text) < end)
      luaL_addstring(&buf, "\\x00");
  }
  luaL_pushresult(&buf); /* ... text */
  lua_replace(L, idx);   /* ... */
  return lua_tostring(L, idx);
}

static int host_log(lua_State *L) {
  int level = (int)luaL_checkinteger(L, 1);
  const char *component = luaL_optstring(L, 3, CL_COMPONENT);
  const char *text = whole_text(L, 2);
  if (level >= CL_TRACE && level <= CL_FATAL && cl_loggers_admit(component, (enum cl_level)level))
    cl_log_write((enum cl_level)level, component, "%s", text);
  return 0;
}

static int host_wall_ms(lua_State *L) {
  lua_pushnumber(L, (lua_Number)cl_wall_ms());
  return 1;
}

static int host_now_ms(lua_State *L) {
  lua_pushnumber(L, (lua_Number)cl_now_ms());
  return 1;
}

/* time_left() -> ms until this state's deadline; nil = it has none */
static int host_time_left(lua_State *L) {
  const struct cl_lua *s = self(L);
  if (s->deadline_span_ms > 0)
    lua_pushnumber(L, (lua_Number)(s->deadline_ms - cl_now_ms()));
  else
    lua_pushnil(L);
  return 1;
}

/* secret(text[, passing]): it is hidden in whatever goes out from now on; passing: others will follow it */
static int host_secret(lua_State *L) {
  const char *text = luaL_checkstring(L, 1);
  if (lua_toboolean(L, 2))
    cl_secrets_add_passing(text);
  else
    cl_secrets_add(text);
  return 0;
}

/* hidden(text) -> the text without what is secret; it ends at a NUL */
static int host_hidden(lua_State *L) {
  const char *text = luaL_checkstring(L, 1);
  size_t len = strlen(text), cap = 2 * len + 16; /* a mask may be longer than what it hides */
  char *room = lua_newuserdata(L, cap);          /* room: Lua's, as pushing may raise */
  memcpy(room, text, len + 1);
  cl_secrets_hide(room, cap);
  lua_pushstring(L, room); /* room text */
  return 1;
}

/* -------------------------------------------------------------------- source */

/* offset(partition_table_or_nil) -> table or nil */
static int host_offset(lua_State *L) {
  const struct cl_vm_ops *ops = OPS_WITH(L, offset);
  struct cl_lua *s = self(L);
  struct cl_err err = CL_ERR_INIT;
  lua_settop(L, 1);
  json_t **partition = cl_bridge_box(s, L, 1); /* t box */
  json_t **found = cl_bridge_empty_box(L);     /* t box box */
  if (ops->offset(s->task.opaque, *partition, found, &err) != 0)
    return cl_call_raise(L, &err);
  if (*found)
    cl_bridge_push(s, L, *found);
  else
    lua_pushnil(L);
  return 1;
}

/* partition(table_or_nil) -> id */
static int host_partition(lua_State *L) {
  const struct cl_vm_ops *ops = OPS_WITH(L, partition);
  struct cl_lua *s = self(L);
  struct cl_err err = CL_ERR_INIT;
  lua_settop(L, 1);
  json_t **partition = cl_bridge_box(s, L, 1); /* t box */
  char *text;
  if (cl_source_key_text(*partition, true, &text, &err) != 0)
    return cl_call_raise(L, &err);
  int64_t id = ops->partition(s->task.opaque, text, strlen(text), &err);
  free(text);
  if (id < 0)
    return cl_call_raise(L, &err);
  lua_pushnumber(L, (lua_Number)id);
  return 1;
}

/* ---------------------------------------------------------------------- sink */

static int host_rewind(lua_State *L) {
  const struct cl_vm_ops *ops = OPS_WITH(L, rewind);
  struct cl_err err = CL_ERR_INIT;
  const char *topic = luaL_checkstring(L, 1);
  int32_t partition = (int32_t)luaL_checkinteger(L, 2);
  int64_t offset = (int64_t)luaL_checknumber(L, 3);
  if (ops->rewind(self(L)->task.opaque, topic, partition, offset, &err) != 0)
    return cl_call_raise(L, &err);
  return 0;
}

static int host_pause(lua_State *L) {
  const struct cl_vm_ops *ops = OPS_WITH(L, pause);
  struct cl_err err = CL_ERR_INIT;
  const char *topic = luaL_checkstring(L, 1);
  int32_t partition = (int32_t)luaL_checkinteger(L, 2);
  luaL_checktype(L, 3, LUA_TBOOLEAN);
  if (ops->pause(self(L)->task.opaque, topic, partition, lua_toboolean(L, 3), &err) != 0)
    return cl_call_raise(L, &err);
  return 0;
}

/* assignment() -> array of {topic, partition} */
static int host_assignment(lua_State *L) {
  const struct cl_vm_ops *ops = OPS_WITH(L, assignment);
  json_t **box = cl_bridge_empty_box(L); /* box */
  *box = ops->assignment(self(L)->task.opaque);
  if (!*box)
    return luaL_error(L, "not enough memory");
  cl_bridge_push(self(L), L, *box);
  return 1;
}

static int host_timeout(lua_State *L) {
  const struct cl_vm_ops *ops = OPS_WITH(L, timeout);
  ops->timeout(self(L)->task.opaque, (int64_t)luaL_checknumber(L, 1));
  return 0;
}

/* retry(attempt, since_ms) -> whether to try once more; nil = the task is to stop */
static int host_retry(lua_State *L) {
  const struct cl_vm_ops *ops = OPS_WITH(L, retry);
  struct cl_vm_task *t = &self(L)->task;
  uint32_t attempt = (uint32_t)luaL_checkinteger(L, 1);
  int64_t since = (int64_t)luaL_checknumber(L, 2);
  cl_stats_leave(t->stats); /* it waits, and can be stopped */
  int verdict = ops->retry(t->opaque, attempt, since);
  cl_stats_enter(t->stats, t->verb, cl_now_ms());
  if (verdict < 0)
    lua_pushnil(L);
  else
    lua_pushboolean(L, verdict);
  return 1;
}

/* reject(record, exception, message, trace); the last three nil together */
static int host_reject(lua_State *L) {
  const struct cl_vm_ops *ops = OPS_WITH(L, reject);
  struct cl_err err = CL_ERR_INIT;
  struct cl_failure f = {.record = cl_emit_pointer(L, 1),
                         .stage = "TASK_PUT",
                         .plugin = "org.apache.kafka.connect.sink.SinkTask",
                         .exception = luaL_optstring(L, 2, NULL),
                         .message = luaL_optstring(L, 3, NULL),
                         .trace = luaL_optstring(L, 4, "")};
  if (ops->reject(self(L)->task.opaque, &f, &err) != 0)
    return cl_call_raise(L, &err);
  return 0;
}

static int host_request_commit(lua_State *L) {
  const struct cl_vm_ops *ops = OPS_WITH(L, request_commit);
  ops->request_commit(self(L)->task.opaque);
  return 0;
}

/* ---------------------------------------------------------------------- JSON */

/* A buffer that dies with the Lua stack, since pushing its text may throw. */
static int free_text(lua_State *L) {
  char **text = lua_touserdata(L, 1);
  free(*text);
  *text = NULL;
  return 0;
}

static char **push_text_box(lua_State *L) {
  char **box = lua_newuserdata(L, sizeof(*box)); /* box */
  *box = NULL;
  if (luaL_newmetatable(L, "connect.text")) { /* box mt */
    lua_pushcfunction(L, free_text);          /* box mt fn */
    lua_setfield(L, -2, "__gc");              /* box mt */
  }
  lua_setmetatable(L, -2); /* box */
  return box;
}

/* json_encode(value [, {indent = n}]) -> text; keys sorted, since tables have no order */
static int host_json_encode(lua_State *L) {
  luaL_checkany(L, 1);
  lua_settop(L, 2);
  size_t indent = 0;
  if (lua_istable(L, 2)) {
    lua_getfield(L, 2, "indent"); /* value opts indent */
    indent = (size_t)lua_tointeger(L, -1);
  }
  json_t **json = cl_bridge_box(self(L), L, 1);
  char **text = push_text_box(L);
  *text = cl_bridge_text(*json, JSON_SORT_KEYS | (indent ? JSON_INDENT(indent) : JSON_COMPACT));
  if (!*text)
    return luaL_error(L, "not enough memory");
  lua_pushstring(L, *text);
  return 1;
}

/* Its tree takes memory beside the state's, many times that of the text: at most so many values. Counted is
 * what stands before a value, outside of strings. */
static bool has_too_many_values(const char *text, size_t len) {
  size_t n = 0;
  bool inside = false;
  for (size_t i = 0; i < len; i++) {
    char c = text[i];
    if (inside && c == '\\')
      i++;
    else if (c == '"')
      inside = !inside;
    else if (!inside && (c == ',' || c == '[' || c == '{'))
      n++;
  }
  return n > CL_BRIDGE_VALUES_MAX;
}

static int host_json_decode(lua_State *L) {
  size_t len;
  const char *text = luaL_checklstring(L, 1, &len);
  struct cl_err err = CL_ERR_INIT;
  if (has_too_many_values(text, len))
    return luaL_error(L, "JSON of more than %d values", CL_BRIDGE_VALUES_MAX);
  json_t **box = cl_bridge_empty_box(L); /* text box */
  if (cl_json_parse_data(text, len, box, &err) != 0)
    return luaL_error(L, "%s", err.msg);
  cl_bridge_push(self(L), L, *box);
  return 1;
}

static bool flag(lua_State *L, const char *name, bool dflt) {
  lua_getfield(L, 1, name); /* conf value */
  bool out = lua_isnil(L, -1) ? dflt : lua_toboolean(L, -1);
  lua_pop(L, 1); /* conf */
  return out;
}

/* Pushes an object that dies with the state; text: what it was made of, NULL = nobody else gets it. */
static int own(lua_State *L, void *object, void (*free_object)(void *object), const char *text) {
  struct cl_lua *s = self(L);
  struct cl_lua_owned *o = malloc(sizeof(*o));
  char *copy = text ? strdup(text) : NULL;
  if (!o || (text && !copy)) {
    free(o);
    free(copy);
    free_object(object);
    return luaL_error(L, "not enough memory");
  }
  *o = (struct cl_lua_owned){object, free_object, copy, s->owned};
  s->owned = o;
  lua_pushlightuserdata(L, object);
  return 1;
}

/* Pushes what was made of this text already: a plugin that is set up again and again needs no more of them.
 */
static bool push_owned(lua_State *L, void (*free_object)(void *object), const char *text) {
  for (struct cl_lua_owned *o = self(L)->owned; o; o = o->next) {
    if (o->free == free_object && o->text && strcmp(o->text, text) == 0) {
      lua_pushlightuserdata(L, o->object);
      return true;
    }
  }
  return false;
}

/* free(object): what an object is that nobody else has, before the state dies */
static int host_free(lua_State *L) {
  const void *object = lua_touserdata(L, 1);
  for (struct cl_lua_owned **at = &self(L)->owned; *at; at = &(*at)->next) {
    struct cl_lua_owned *o = *at;
    if (o->object != object || o->text)
      continue;
    *at = o->next;
    o->free(o->object);
    free(o);
    break;
  }
  return 0;
}

static void free_json(void *json) { cl_json_free(json); }

/* json_codec{schemas_enable=, schemas_cache_size=, decimal_numeric=,
 * replace_null_with_default=, is_key=, schema_content=} -> struct cl_json * */
static int host_json_codec(lua_State *L) {
  struct cl_lua *s = self(L);
  struct cl_err err = CL_ERR_INIT;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  if (!s->space)
    no_op(L, "json_codec");
  struct cl_json_conf conf = {
      .schemas_enable = flag(L, "schemas_enable", true),
      .decimal_numeric = flag(L, "decimal_numeric", false),
      .replace_null_with_default = flag(L, "replace_null_with_default", true),
      .is_key = flag(L, "is_key", false),
  };
  lua_getfield(L, 1, "schemas_cache_size"); /* conf size */
  conf.schemas_cache_size = (int)luaL_optinteger(L, -1, 1000);
  lua_getfield(L, 1, "schema_content"); /* conf size content */
  if (lua_type(L, -1) == LUA_TSTRING)
    conf.schema_content = lua_tostring(L, -1);
  struct cl_json *json = cl_json_new(s->space, &conf, &err);
  return json ? own(L, json, free_json, NULL) : cl_call_raise(L, &err);
}

static void free_date_format(void *f) { cl_date_format_free(f); }

/* date_format(pattern) -> struct cl_date_format *; raises Java's text for a pattern that is none */
static int host_date_format(lua_State *L) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_date_format *f;
  size_t len;
  const char *pattern = luaL_checklstring(L, 1, &len);
  bool plain = strlen(pattern) == len;
  if (plain && push_owned(L, free_date_format, pattern))
    return 1;
  if (cl_date_format_new(pattern, len, cl_wall_ms(), &f, &err) != 0)
    return cl_call_raise(L, &err);
  return own(L, f, free_date_format, plain ? pattern : NULL);
}

static void free_regex(void *r) { cl_regex_free(r); }

/* regex(pattern) -> struct cl_regex *, of Java's syntax */
static int host_regex(lua_State *L) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_regex *r;
  const char *pattern = luaL_checkstring(L, 1);
  if (push_owned(L, free_regex, pattern))
    return 1;
  if (cl_regex_compile(pattern, &r, &err) != 0)
    return cl_call_raise(L, &err);
  return own(L, r, free_regex, pattern);
}

/* ------------------------------------------------------------ abi, C stack */

/* abi_text() -> include/connect_lua/abi.h as ffi.cdef takes it: without its #pragma */
static int host_abi_text(lua_State *L) {
  struct cl_err err = CL_ERR_INIT;
  size_t len;
  const char *path = lua_pushfstring(L, "%s/include/connect_lua/abi.h", self(L)->home);
  char **text = push_text_box(L);
  if (cl_fs_read(path, ABI_MAX, text, &len, &err) != 0)
    return cl_call_raise(L, &err);
  char *pragma = strstr(*text, "#pragma");
  if (pragma)
    memset(pragma, ' ', strcspn(pragma, "\n"));
  lua_pushlstring(L, *text, len);
  return 1;
}

/* check_stack(): raises when this thread's C stack is nearly used up. Whatever lets Lua
 * call C call Lua (gsub, sort, coroutines) comes by here, because LuaJIT itself would run
 * over the end of the stack. */
static int host_check_stack(lua_State *L) {
  static _Thread_local char *low;
  if (!low) {
    pthread_attr_t attr;
    void *addr = NULL;
    size_t size = 0;
    if (pthread_getattr_np(pthread_self(), &attr) == 0) {
      pthread_attr_getstack(&attr, &addr, &size);
      pthread_attr_destroy(&attr);
    }
    low = addr;
  }
  if ((char *)__builtin_frame_address(0) - low < STACK_RESERVE) {
    luaL_where(L, 2); /* the plugin's line, not the guard's */
    lua_pushliteral(L, "stack overflow: calls nested too deep through gsub, sort or coroutines");
    lua_concat(L, 2);
    return lua_error(L);
  }
  return 0;
}

/* ------------------------------------------------------------------ plugin files */

/* read(path [, sources]) -> text, or nil and why there is none; raises when it is too large */
static int host_read(lua_State *L) {
  const char *path = luaL_checkstring(L, 1), *text = NULL;
  struct cl_sources **sources = lua_isnoneornil(L, 2) ? NULL : luaL_checkudata(L, 2, CL_SOURCES_MT);
  struct cl_err err = CL_ERR_INIT;
  size_t len = 0;
  char **own = push_text_box(L);
  int rc = cl_sources_read(sources ? *sources : NULL, path, own, &text, &len, &err);
  if (rc == 0) {
    lua_pushlstring(L, text, len);
    return 1;
  }
  if (rc == CL_ENOMEM || rc == CL_EINVAL) {
    lua_pushstring(L, err.msg);
    return lua_error(L);
  }
  lua_pushnil(L);
  lua_pushstring(L, err.msg);
  return 2;
}

static int drop_sources(lua_State *L) {
  struct cl_sources **s = lua_touserdata(L, 1);
  cl_sources_unref(*s);
  *s = NULL;
  return 0;
}

void cl_lib_push_sources(lua_State *L, struct cl_sources *sources) {
  if (!sources) {
    lua_pushnil(L);
    return;
  }
  struct cl_sources **box = lua_newuserdata(L, sizeof(*box)); /* box */
  *box = NULL;
  if (luaL_newmetatable(L, CL_SOURCES_MT)) { /* box mt */
    lua_pushcfunction(L, drop_sources);      /* box mt fn */
    lua_setfield(L, -2, "__gc");             /* box mt */
  }
  lua_setmetatable(L, -2); /* box */
  *box = cl_sources_ref(sources);
}

/* compile(text, name, env) -> function, or nil and the message */
static int host_compile(lua_State *L) {
  size_t len;
  const char *text = luaL_checklstring(L, 1, &len);
  const char *name = luaL_checkstring(L, 2);
  luaL_checktype(L, 3, LUA_TTABLE);
  lua_settop(L, 3);                             /* text name env */
  if (cl_chunk_load(L, name, text, len) != 0) { /* text name env fn */
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
  }
  lua_pushvalue(L, 3); /* text name env fn env */
  lua_setfenv(L, -2);  /* text name env fn */
  return 1;
}

/* -------------------------------------------------------------------- module */

/* check_rows(rows, where): raises what is wrong with a manifest's config rows */
static int host_check_rows(lua_State *L) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_conf_def *def = NULL;
  const char *where = luaL_checkstring(L, 2);
  json_t **rows = cl_bridge_box(self(L), L, 1);
  if (cl_conf_def_from_json(*rows, where, &def, &err) != 0)
    return cl_call_raise(L, &err);
  cl_conf_def_free(def);
  return 0;
}

static const luaL_Reg functions[] = {
    {"compile", host_compile},
    {"read", host_read},
    {"log", host_log},
    {"wall_ms", host_wall_ms},
    {"now_ms", host_now_ms},
    {"time_left", host_time_left},
    {"hidden", host_hidden},
    {"secret", host_secret},
    {"offset", host_offset},
    {"partition", host_partition},
    {"rewind", host_rewind},
    {"pause", host_pause},
    {"assignment", host_assignment},
    {"timeout", host_timeout},
    {"request_commit", host_request_commit},
    {"retry", host_retry},
    {"reject", host_reject},
    {"json_encode", host_json_encode},
    {"json_decode", host_json_decode},
    {"json_codec", host_json_codec},
    {"date_format", host_date_format},
    {"regex", host_regex},
    {"free", host_free},
    {"abi_text", host_abi_text},
    {"check_stack", host_check_stack},
    {"check_rows", host_check_rows},
    {NULL, NULL},
};

static int open_module(lua_State *L) {
  lua_newtable(L);                     /* m */
  lua_pushlightuserdata(L, self(L));   /* m s */
  luaL_setfuncs(L, functions, 1);      /* m */
  lua_pushlightuserdata(L, NULL);      /* m null */
  lua_setfield(L, -2, "null");         /* m */
  cl_bridge_push_array_mt(L);          /* m mt */
  lua_setfield(L, -2, "array_mt");     /* m */
  luaL_getmetatable(L, CL_DECIMAL_MT); /* m mt */
  lua_setfield(L, -2, "decimal_mt");   /* m */
  luaL_getmetatable(L, CL_BYTES_MT);   /* m mt */
  lua_setfield(L, -2, "bytes_mt");     /* m */
  lua_pushliteral(L, CL_VERSION);      /* m version */
  lua_setfield(L, -2, "version");      /* m */
  lua_pushinteger(L, CL_ENOTFOUND);    /* m code */
  lua_setfield(L, -2, "ENOTFOUND");    /* m */
  lua_pushinteger(L, CL_EDATA);        /* m code */
  lua_setfield(L, -2, "EDATA");        /* m */
  return 1;
}

void cl_lib_host_preload(struct cl_lua *s, lua_State *L) {
  lua_getglobal(L, "package");                     /* package */
  lua_getfield(L, -1, "preload");                  /* package preload */
  lua_pushlightuserdata(L, s);                     /* package preload s */
  lua_pushcclosure(L, open_module, 1);             /* package preload fn */
  lua_setfield(L, -2, "connect.host.c");           /* package preload */
  lua_pushcfunction(L, luaopen_connect_host_emit); /* package preload fn */
  lua_setfield(L, -2, "connect.host.emit");        /* package preload */
  lua_pop(L, 2);                                   /* */
}
