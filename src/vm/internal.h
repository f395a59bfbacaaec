/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of src/vm share: a Lua state under limits, protected calls, the JSON
 * bridge and the module "connect.host.c".
 * A state belongs to the thread that opened it, from birth to close.
 * May be included in src/vm (and its unit tests) only.
 */
#pragma once

#include "vm/rights.h"
#include "vm/vm.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

/* What spec.opaque points at, and therefore the `void *task` of the cl_ffi_* functions. */
struct cl_vm_task {
  const struct cl_vm_ops *ops; /* NULL outside a task: control thread, busted */
  void *opaque;                /* first argument of every op */
  struct cl_stats *stats;      /* or NULL */
  enum cl_verb verb;           /* running */
  int64_t plugin_began_us;     /* 0 = its poll or put is not running */
  int64_t plugin_us;           /* what the last one took */
};

struct cl_lua_owned { /* a C object that Lua code of this state works with, freed with it */
  void *object;
  void (*free)(void *object);
  char *text; /* what it was made of, and is again; NULL = it is nobody else's */
  struct cl_lua_owned *next;
};

struct cl_lua {
  lua_State *L;
  const char *home; /* borrowed: must outlive the state */
  struct cl_vm_task task;
  struct cl_space *space; /* NULL outside a task */
  struct cl_lua_owned *owned;

  lua_Alloc alloc; /* LuaJIT's own, wrapped to count */
  void *alloc_ud;
  size_t used, max; /* bytes; max 0 = no cap */

  int64_t deadline_ms, deadline_span_ms; /* monotonic moment, and the time given: cl_state_deadline */
  _Atomic bool interrupted;              /* cl_vm_interrupt was here */
  int to_int64, from_int64;              /* registry references: json_bridge.c */
  int handler, trampoline, thrown;       /* registry references: call.c */
  char trace[2048];                      /* traceback of the last error, taken where it was thrown */
};

/* ---------------------------------------------------------------- ffi_task.c */

/* A call into Lua begins (CL_VERB_NONE: ends): whoever looks sees it, and for how long. */
void cl_ffi_task_verb(struct cl_vm_task *t, enum cl_verb verb);

/* ------------------------------------------------------------------ state.c */

struct cl_state_conf {
  const char *home;
  size_t memory_max; /* 0 = no cap */
  bool jit;
  const struct cl_rights *rights; /* of plugins; NULL = specs run here, which may do anything and find
                                   * the system's modules beside home/lua */
};
/* Opens libraries, sets paths and limits, preloads connect.host.c. On failure s is closed. */
int cl_state_open(struct cl_lua *s, const struct cl_state_conf *conf, struct cl_err *err);
void cl_state_close(struct cl_lua *s);
/* From now until cleared (ms 0) interpreted code raises an error once ms have passed. */
void cl_state_deadline(struct cl_lua *s, int64_t ms);
/* Drops all traces and collects: what was replaced is gone. */
void cl_state_forget(struct cl_lua *s);
/* Raises "stopped" in interpreted code. @thread any. */
void cl_state_interrupt(struct cl_lua *s);

/* ------------------------------------------------------------------- call.c */

/* Sets up what protected calls keep in the registry; may throw. */
void cl_call_open(struct cl_lua *s, lua_State *L);
/* Runs fn, with ud as light userdata at index 1 and nothing else on the stack, under a
 * protected call with a traceback handler. Everything that may throw belongs into fn; its
 * results are dropped. A thrown connect.error table may have: class, message, where (put
 * before the message), trace (instead of the traceback), java (Apache's exception class),
 * stage (of the conversion that failed for a record). */
int cl_call_protected(struct cl_lua *s, lua_CFunction fn, void *ud, struct cl_err *err);
/* Raises err as a connect.error table {class, message}. Does not return. */
int cl_call_raise(lua_State *L, const struct cl_err *err);

/* ------------------------------------------------------------ json_bridge.c */

/* Of a table: those shared within tables can stand for far more than they hold. Of a text, too. */
enum { CL_BRIDGE_VALUES_MAX = 1000000 };
/* Pushes the Lua value of json; may throw (no memory, too deep). json stays the caller's:
 * hold it in a box when it is not owned outside the protected call. */
void cl_bridge_push(struct cl_lua *s, lua_State *L, const json_t *json);
/* Pushes a box (userdata that frees its json_t when collected) holding the JSON of the
 * value at idx; throws when it has none. Answers the box's slot. */
json_t **cl_bridge_box(struct cl_lua *s, lua_State *L, int idx);
/* Pushes an empty box: make it before calling what fills it. */
json_t **cl_bridge_empty_box(lua_State *L);
/* Sets up what the bridge keeps in the registry; may throw. */
void cl_bridge_open(struct cl_lua *s, lua_State *L);
/* Pushes the metatable that marks a table as an array even when empty. */
void cl_bridge_push_array_mt(lua_State *L);
/* Metatables in the registry: of what connect.decimal and connect.bytes make, text in JSON. */
#define CL_DECIMAL_MT "connect.decimal"
#define CL_BYTES_MT "connect.bytes"

/* Text of json, flags as for json_dumps; malloc'd, NULL = no memory. */
char *cl_bridge_text(const json_t *json, size_t flags);

/* ------------------------------------------------------------------ spec.c */

/* Both set a field of the table on top of the stack and may throw (the plugin files run).
 * {module=, config=, class=, file=}; nothing when the part has no plugin. slot: CL_SLOT_* of abi.h. */
void cl_spec_set_part(struct cl_lua *s, lua_State *L, const char *name, size_t slot,
                      const struct cl_vm_part *part);
/* "transforms": a list of parts with alias, side, negate and predicate (a part with alias) beside.
 * chain NULL = none. */
void cl_spec_set_transforms(struct cl_lua *s, lua_State *L, const struct cl_chain *chain);

/* Parts of next that are of this file, "transforms" by place: into the table on top of the stack. May throw.
 */
void cl_spec_set_changed(struct cl_lua *s, lua_State *L, const struct cl_vm_parts *next, const char *file);

/* ----------------------------------------------------------------- rights.c */

/* Tells the state's sandbox, before it loads a plugin; may throw. */
void cl_rights_set(struct cl_lua *s, lua_State *L, const struct cl_rights *rights);

/* --------------------------------------------------------------- lib_host.c */

/* Registers package.preload["connect.host.c"]; may throw. */
void cl_lib_host_preload(struct cl_lua *s, lua_State *L);
/* Pushes a box that holds a reference to sources (nil for NULL), as sandbox.load takes them; may throw. */
struct cl_sources;
void cl_lib_push_sources(lua_State *L, struct cl_sources *sources);
#define CL_SOURCES_MT "connect.sources"
