/* SPDX-License-Identifier: Apache-2.0
 * A task's vm: plugin and converters loaded into a state, and one protected call for each
 * verb into the functions that lua/connect/host/init.lua returns.
 * Thread: the task's. May include base, record, Lua. */
#include "vm/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <luajit.h>

struct cl_vm {
  struct cl_lua lua;
  struct cl_plugin *plugin; /* for cl_vm_has */
  char *home;
  bool jit;
  int verbs[CL_VERBS]; /* registry references; none at CL_VERB_NONE */
};

/* ------------------------------------------------------------------- loading */

static void push_spec(struct cl_vm *vm, lua_State *L, const struct cl_vm_conf *conf) {
  lua_createtable(L, 0, 13);                                                 /* spec */
  lua_pushstring(L, conf->connector);                                        /* spec v */
  lua_setfield(L, -2, "connector");                                          /* spec */
  lua_pushinteger(L, conf->task);                                            /* spec v */
  lua_setfield(L, -2, "task");                                               /* spec */
  lua_pushinteger(L, conf->tasks_max);                                       /* spec v */
  lua_setfield(L, -2, "tasks_max");                                          /* spec */
  lua_pushstring(L, cl_plugin_kind_name(conf->plugin.plugin->kind));         /* spec v */
  lua_setfield(L, -2, "kind");                                               /* spec */
  lua_pushlightuserdata(L, &vm->lua.task);                                   /* spec v */
  lua_setfield(L, -2, "opaque");                                             /* spec */
  lua_pushlightuserdata(L, conf->space);                                     /* spec v */
  lua_setfield(L, -2, "space");                                              /* spec */
  cl_spec_set_part(&vm->lua, L, "plugin", CL_SLOT_CONNECTOR, &conf->plugin); /* spec */
  cl_spec_set_part(&vm->lua, L, "key", CL_SLOT_KEY, &conf->key);             /* spec */
  cl_spec_set_part(&vm->lua, L, "value", CL_SLOT_VALUE, &conf->value);       /* spec */
  cl_spec_set_part(&vm->lua, L, "header", CL_SLOT_HEADER, &conf->header);    /* spec */
  cl_spec_set_transforms(&vm->lua, L, conf->transforms);                     /* spec */
  lua_pushboolean(L, conf->tolerate);                                        /* spec v */
  lua_setfield(L, -2, "tolerate");                                           /* spec */
  lua_pushboolean(L, conf->keep_emitted);                                    /* spec v */
  lua_setfield(L, -2, "keep_emitted");                                       /* spec */
}

struct loading {
  struct cl_vm *vm;
  const struct cl_vm_conf *conf;
};

static int load_all(lua_State *L) {
  struct loading *l = lua_touserdata(L, 1);
  struct cl_vm *vm = l->vm;
  lua_gc(L, LUA_GCSTOP, 0);           /* our own modules first, their garbage at once */
  lua_getglobal(L, "require");        /* require */
  lua_pushliteral(L, "connect.host"); /* require name */
  lua_call(L, 1, 1);                  /* host */
  lua_gc(L, LUA_GCCOLLECT, 0);
  lua_gc(L, LUA_GCRESTART, 0);
  for (int i = CL_VERB_NONE + 1; i < CL_VERBS; i++) {
    lua_getfield(L, -1, cl_verb_name(i)); /* host fn */
    if (!lua_isfunction(L, -1))
      luaL_error(L, "connect.host has no function %s", cl_verb_name(i));
    vm->verbs[i] = luaL_ref(L, LUA_REGISTRYINDEX); /* host */
  }
  lua_rawgeti(L, LUA_REGISTRYINDEX, vm->verbs[CL_VERB_LOAD]); /* host load */
  push_spec(vm, L, l->conf);                                  /* host load spec */
  lua_call(L, 1, 0);                                          /* host */
  return 0;
}

/* Loading runs each line once: traces of it would only take time and memory. */
static int call_untraced(struct cl_vm *vm, lua_CFunction fn, void *ud, struct cl_err *err) {
  if (vm->jit)
    luaJIT_setmode(vm->lua.L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
  int rc = cl_call_protected(&vm->lua, fn, ud, err);
  if (vm->jit)
    luaJIT_setmode(vm->lua.L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_ON);
  return rc;
}

int cl_vm_new(const struct cl_vm_conf *conf, struct cl_vm **out, struct cl_err *err) {
  *out = NULL;
  struct cl_vm *vm = calloc(1, sizeof(*vm));
  char *home = strdup(conf->home);
  if (!vm || !home) {
    free(vm);
    free(home);
    return cl_err_set(err, CL_ENOMEM, "no memory for a task's Lua state");
  }
  vm->home = home;
  vm->jit = conf->jit;
  vm->plugin = (struct cl_plugin *)conf->plugin.plugin;
  cl_plugin_ref(vm->plugin);
  vm->lua.task = (struct cl_vm_task){.ops = conf->ops, .opaque = conf->opaque, .stats = conf->stats};
  vm->lua.space = conf->space;
  struct cl_state_conf state = {
      .home = home, .memory_max = conf->memory_max, .jit = conf->jit, .rights = &conf->rights};
  struct loading l = {vm, conf};
  cl_ffi_task_verb(&vm->lua.task, CL_VERB_LOAD);
  int rc = cl_state_open(&vm->lua, &state, err);
  if (rc == 0)
    rc = call_untraced(vm, load_all, &l, err);
  cl_ffi_task_verb(&vm->lua.task, CL_VERB_NONE);
  if (rc != 0) {
    cl_vm_free(vm);
    return rc;
  }
  *out = vm;
  return 0;
}

void cl_vm_free(struct cl_vm *vm) {
  if (!vm)
    return;
  cl_state_close(&vm->lua);
  cl_plugin_unref(vm->plugin);
  free(vm->home);
  free(vm);
}

bool cl_vm_has(const struct cl_vm *vm, const char *verb) {
  return json_is_true(json_object_get(vm->plugin->verbs, verb));
}

int64_t cl_vm_plugin_us(const struct cl_vm *vm) { return vm->lua.task.plugin_us; }

size_t cl_vm_memory(const struct cl_vm *vm) { return vm->lua.used; }

void cl_vm_interrupt(struct cl_vm *vm) { cl_state_interrupt(&vm->lua); }

/* ----------------------------------------------------------------- reloading */

struct reloading {
  struct cl_vm *vm;
  const struct cl_vm_parts *next;
  const char *file;
};

static int run_reload(lua_State *L) {
  struct reloading *r = lua_touserdata(L, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, r->vm->verbs[CL_VERB_RELOAD]); /* ud reload */
  lua_newtable(L);                                                 /* ud reload spec */
  cl_spec_set_changed(&r->vm->lua, L, r->next, r->file);           /* ud reload spec */
  lua_call(L, 1, 0);                                               /* ud */
  return 0;
}

int cl_vm_reload(struct cl_vm *vm, const struct cl_vm_parts *next, const char *file, struct cl_err *err) {
  struct reloading r = {vm, next, file};
  cl_ffi_task_verb(&vm->lua.task, CL_VERB_RELOAD);
  int rc = call_untraced(vm, run_reload, &r, err);
  cl_state_forget(&vm->lua); /* also of what was refused */
  cl_ffi_task_verb(&vm->lua.task, CL_VERB_NONE);
  if (rc != 0 || strcmp(next->plugin.plugin->file, file) != 0)
    return rc;
  cl_plugin_unref(vm->plugin);
  vm->plugin = (struct cl_plugin *)next->plugin.plugin;
  cl_plugin_ref(vm->plugin);
  return 0;
}

/* --------------------------------------------------------------------- verbs */

/* One call into the host; which fields matter depends on the verb. */
struct verb_call {
  struct cl_vm *vm;
  enum cl_verb verb;
  struct cl_batch *batch;
  struct cl_record *record;
  int32_t partition;
  int64_t offset;
  bool delivered;
  const json_t *json;
  json_t *result; /* CL_VERB_FLUSH */
};

static int push_args(lua_State *L, const struct verb_call *c) {
  if (c->batch) {
    lua_pushlightuserdata(L, c->batch);
    return 1;
  }
  if (c->record) {
    lua_pushlightuserdata(L, c->record);
    lua_pushinteger(L, c->partition);
    lua_pushnumber(L, (lua_Number)c->offset);
    lua_pushboolean(L, c->delivered);
    return 4;
  }
  if (c->json) {
    cl_bridge_push(&c->vm->lua, L, c->json);
    return 1;
  }
  return 0;
}

static int run_verb(lua_State *L) {
  struct verb_call *c = lua_touserdata(L, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, c->vm->verbs[c->verb]); /* ud fn */
  int n = push_args(L, c);                                  /* ud fn args */
  lua_call(L, n, 1);                                        /* ud result */
  if (c->verb == CL_VERB_FLUSH && !lua_isnil(L, 2)) {
    json_t **box = cl_bridge_box(&c->vm->lua, L, 2); /* ud result box */
    c->result = *box;
    *box = NULL;
  }
  return 0;
}

static int call_verb(struct verb_call *c, struct cl_err *err) {
  cl_ffi_task_verb(&c->vm->lua.task, c->verb);
  int rc = cl_call_protected(&c->vm->lua, run_verb, c, err);
  cl_ffi_task_verb(&c->vm->lua.task, CL_VERB_NONE);
  /* Out of memory there was none to take a trace with. */
  if (rc == CL_ELUA && !err->trace[0] && c->verb != CL_VERB_SEAL)
    snprintf(err->trace, sizeof(err->trace), "\tat %s in '%s'", c->vm->plugin->file, cl_verb_name(c->verb));
  return rc;
}

int cl_vm_start(struct cl_vm *vm, struct cl_err *err) {
  return call_verb(&(struct verb_call){.vm = vm, .verb = CL_VERB_START}, err);
}

int cl_vm_poll(struct cl_vm *vm, struct cl_batch *batch, struct cl_err *err) {
  int rc = call_verb(&(struct verb_call){.vm = vm, .verb = CL_VERB_POLL, .batch = batch}, err);
  if (rc == 0 || !err->retriable || batch->n == 0)
    return rc;
  struct cl_err seal;
  if (call_verb(&(struct verb_call){.vm = vm, .verb = CL_VERB_SEAL, .batch = batch}, &seal) != 0)
    *err = seal;
  return err->code;
}

int cl_vm_commit(struct cl_vm *vm, struct cl_err *err) {
  return cl_vm_has(vm, "commit") ? call_verb(&(struct verb_call){.vm = vm, .verb = CL_VERB_COMMIT}, err) : 0;
}

int cl_vm_commit_record(struct cl_vm *vm, struct cl_record *rec, int32_t partition, int64_t offset,
                        bool delivered, struct cl_err *err) {
  if (!cl_vm_has(vm, "commit_record"))
    return 0;
  struct verb_call c = {.vm = vm,
                        .verb = CL_VERB_COMMIT_RECORD,
                        .record = rec,
                        .partition = partition,
                        .offset = offset,
                        .delivered = delivered};
  return call_verb(&c, err);
}

int cl_vm_convert(struct cl_vm *vm, struct cl_batch *batch, struct cl_err *err) {
  return call_verb(&(struct verb_call){.vm = vm, .verb = CL_VERB_CONVERT, .batch = batch}, err);
}

int cl_vm_put(struct cl_vm *vm, struct cl_batch *batch, struct cl_err *err) {
  return call_verb(&(struct verb_call){.vm = vm, .verb = CL_VERB_PUT, .batch = batch}, err);
}

int cl_vm_flush(struct cl_vm *vm, const json_t *offsets, json_t **out, struct cl_err *err) {
  *out = NULL;
  if (!cl_vm_has(vm, "flush"))
    return 0;
  struct verb_call c = {.vm = vm, .verb = CL_VERB_FLUSH, .json = offsets};
  int rc = call_verb(&c, err);
  *out = c.result;
  return rc;
}

int cl_vm_open(struct cl_vm *vm, const json_t *partitions, struct cl_err *err) {
  return cl_vm_has(vm, "open")
             ? call_verb(&(struct verb_call){.vm = vm, .verb = CL_VERB_OPEN, .json = partitions}, err)
             : 0;
}

int cl_vm_close(struct cl_vm *vm, const json_t *partitions, struct cl_err *err) {
  return cl_vm_has(vm, "close")
             ? call_verb(&(struct verb_call){.vm = vm, .verb = CL_VERB_CLOSE, .json = partitions}, err)
             : 0;
}

int cl_vm_stop(struct cl_vm *vm, struct cl_err *err) {
  return call_verb(&(struct verb_call){.vm = vm, .verb = CL_VERB_STOP}, err);
}
