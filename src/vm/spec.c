/* SPDX-License-Identifier: Apache-2.0
 * The Lua tables that tell a state which plugins it runs. Thread: the state's own. May include
 * base, Lua. */
#include "vm/internal.h"

#include <string.h>

/* Pushes the table {module=, config=, class=, file=} of a part, whose file runs. */
static void push_part(struct cl_lua *s, lua_State *L, size_t slot, const struct cl_vm_part *part) {
  cl_stats_at(s->task.stats, (int32_t)slot);
  lua_newtable(L);                               /* part */
  lua_getglobal(L, "require");                   /* part require */
  lua_pushliteral(L, "connect.host.sandbox");    /* part require name */
  lua_call(L, 1, 1);                             /* part sandbox */
  lua_getfield(L, -1, "load");                   /* part sandbox load */
  lua_remove(L, -2);                             /* part load */
  lua_pushstring(L, part->plugin->file);         /* part load file */
  lua_pushstring(L, part->plugin->root);         /* part load file root */
  cl_lib_push_sources(L, part->plugin->sources); /* part load file root sources */
  lua_call(L, 3, 1);                             /* part module */
  lua_setfield(L, -2, "module");                 /* part */
  cl_bridge_push(s, L, part->config);            /* part config */
  lua_setfield(L, -2, "config");                 /* part */
  lua_pushstring(L, part->plugin->class);        /* part class */
  lua_setfield(L, -2, "class");                  /* part */
  lua_pushstring(L, part->plugin->file);         /* part file */
  lua_setfield(L, -2, "file");                   /* part */
}

void cl_spec_set_part(struct cl_lua *s, lua_State *L, const char *name, size_t slot,
                      const struct cl_vm_part *part) {
  if (!part->plugin)
    return;
  push_part(s, L, slot, part); /* t part */
  lua_setfield(L, -2, name);   /* t */
}

/* Pushes a part with alias, side, predicate and negate beside. */
static void push_stage(struct cl_lua *s, lua_State *L, size_t slot, const struct cl_chain_stage *stage) {
  push_part(s, L, slot, &(struct cl_vm_part){stage->transform, stage->config}); /* stage */
  lua_pushstring(L, stage->alias);                                              /* stage v */
  lua_setfield(L, -2, "alias");                                                 /* stage */
  lua_pushstring(L, stage->transform->side);                                    /* stage v */
  lua_setfield(L, -2, "side");                                                  /* stage */
  lua_pushboolean(L, stage->negate);                                            /* stage v */
  lua_setfield(L, -2, "negate");                                                /* stage */
  if (!stage->predicate)
    return;
  push_part(s, L, slot + 1, &(struct cl_vm_part){stage->predicate, stage->predicate_config}); /* stage part */
  lua_pushstring(L, stage->predicate_alias); /* stage part v */
  lua_setfield(L, -2, "alias");              /* stage part */
  lua_setfield(L, -2, "predicate");          /* stage */
}

void cl_spec_set_transforms(struct cl_lua *s, lua_State *L, const struct cl_chain *stages) {
  size_t n = stages ? stages->n : 0;
  lua_createtable(L, (int)n, 0); /* list */
  for (size_t i = 0; i < n; i++) {
    push_stage(s, L, CL_SLOT_CHAIN + 2 * i, &stages->v[i]); /* list stage */
    lua_rawseti(L, -2, (int)(i + 1));                       /* list */
  }
  lua_setfield(L, -2, "transforms"); /* */
}

static bool is_of(const struct cl_plugin *p, const char *file) { return p && strcmp(p->file, file) == 0; }

static void set_changed_part(struct cl_lua *s, lua_State *L, const char *name, size_t slot,
                             const struct cl_vm_part *part, const char *file) {
  if (is_of(part->plugin, file))
    cl_spec_set_part(s, L, name, slot, part);
}

/* Pushes {alias=, module=..., predicate=}, without what is of other files. */
static void push_changed_stage(struct cl_lua *s, lua_State *L, size_t slot,
                               const struct cl_chain_stage *stage, const char *file) {
  if (is_of(stage->transform, file))
    push_part(s, L, slot, &(struct cl_vm_part){stage->transform, stage->config}); /* stage */
  else
    lua_newtable(L);                         /* stage */
  lua_pushstring(L, stage->alias);           /* stage v */
  lua_setfield(L, -2, "alias");              /* stage */
  lua_pushstring(L, stage->transform->side); /* stage v */
  lua_setfield(L, -2, "side");               /* stage */
  if (!is_of(stage->predicate, file))
    return;
  push_part(s, L, slot + 1, &(struct cl_vm_part){stage->predicate, stage->predicate_config}); /* stage part */
  lua_pushstring(L, stage->predicate_alias); /* stage part v */
  lua_setfield(L, -2, "alias");              /* stage part */
  lua_setfield(L, -2, "predicate");          /* stage */
}

void cl_spec_set_changed(struct cl_lua *s, lua_State *L, const struct cl_vm_parts *next, const char *file) {
  set_changed_part(s, L, "plugin", CL_SLOT_CONNECTOR, &next->plugin, file);
  set_changed_part(s, L, "key", CL_SLOT_KEY, &next->key, file);
  set_changed_part(s, L, "value", CL_SLOT_VALUE, &next->value, file);
  set_changed_part(s, L, "header", CL_SLOT_HEADER, &next->header, file);
  lua_newtable(L); /* t list */
  for (size_t i = 0; next->transforms && i < next->transforms->n; i++) {
    const struct cl_chain_stage *stage = &next->transforms->v[i];
    if (!is_of(stage->transform, file) && !is_of(stage->predicate, file))
      continue;
    push_changed_stage(s, L, CL_SLOT_CHAIN + 2 * i, stage, file); /* t list stage */
    lua_rawseti(L, -2, (int)(i + 1));                             /* t list */
  }
  lua_setfield(L, -2, "transforms"); /* t */
}
