/* SPDX-License-Identifier: Apache-2.0
 * Containers made and changed in a batch's arena. Growing leaves the old room to the arena.
 * Thread: the task's. May include base. */
#include "record/build.h"

#include "base/arena.h"
#include "record/codec.h"
#include "record/java.h"
#include "record/java_map.h"
#include "record/obj_index.h"
#include "record/space.h"
#include "record/value.h"

#include <string.h>

static int no_memory(void) { return cl_err_set(cl_ffi_err(), CL_ENOMEM, "no memory left in the batch"); }

static int fail_deep(void) {
  return cl_err_set(cl_ffi_err(), CL_EDATA, "a value nested deeper than %d cannot be copied", CL_COPY_DEPTH);
}

/* Room for one more in a vector of n of cap elements, or NULL. */
static void *grown(struct cl_batch *b, void *old, uint32_t n, uint32_t *cap, size_t size) {
  if (n < *cap)
    return old;
  uint32_t more = *cap < 4 ? 8 : *cap * 2;
  void *p = more > *cap ? cl_arena_alloc(b->arena, more * size) : NULL;
  if (!p) {
    no_memory();
    return NULL;
  }
  if (n)
    memcpy(p, old, n * size);
  *cap = more;
  return p;
}

/* ------------------------------------------------------------------- objects */

/* What Java makes of a capacity that is asked for; ordering takes as much memory. */
static uint32_t java_capacity(uint32_t wanted, uint32_t n) {
  enum { MANY = 1 << 20 };
  uint32_t cap = 1;
  while (cap < wanted && (cap < MANY || cap / 2 < n))
    cap *= 2;
  return cap;
}

struct cl_obj *cl_ffi_obj_new(struct cl_batch *batch, uint32_t java_cap) {
  struct cl_obj *obj = cl_arena_zalloc(batch->arena, sizeof(*obj));
  if (obj)
    obj->java_cap = java_cap ? java_capacity(java_cap, 0) : 16;
  else
    no_memory();
  return obj;
}

struct cl_val *cl_ffi_obj_put(struct cl_batch *batch, struct cl_obj *obj, const char *s, uint32_t len) {
  uint32_t sym = cl_space_sym(batch->space, s, len);
  uint32_t at = sym ? cl_value_find(batch->space, obj, sym) : obj->n;
  if (at < obj->n)
    return &obj->e[at].val;
  struct cl_entry *e = sym ? grown(batch, obj->e, obj->n, &obj->cap, sizeof(*e)) : NULL;
  if (!e) {
    no_memory();
    return NULL;
  }
  obj->e = e;
  e += obj->n++;
  *e = (struct cl_entry){.sym = sym};
  if (__builtin_expect(obj->n % CL_OBJ_INDEX_STEP == 0, 0))
    cl_obj_index_cover(batch, obj);
  return &e->val;
}

static void cut_entry(struct cl_obj *obj, uint32_t i) {
  memmove(&obj->e[i], &obj->e[i + 1], (obj->n - i - 1) * sizeof(*obj->e));
  obj->n--;
  obj->index = NULL;
}

static uint32_t entry_of(const struct cl_space *space, struct cl_obj *obj, const char *s, uint32_t len) {
  struct cl_val *v = cl_ffi_obj_find(space, obj, s, len);
  return v ? (uint32_t)((struct cl_entry *)((char *)v - offsetof(struct cl_entry, val)) - obj->e) : obj->n;
}

int cl_ffi_obj_remove(const struct cl_space *space, struct cl_obj *obj, const char *s, uint32_t len) {
  uint32_t i = entry_of(space, obj, s, len);
  if (i == obj->n)
    return 0;
  cut_entry(obj, i);
  obj->walk.gone += i < obj->walk.at;
  obj->walk.bound -= i < obj->walk.bound;
  return 1;
}

struct hashed {
  const struct cl_space *space;
  const struct cl_obj *obj;
};

static int32_t entry_hash(const void *arg, uint32_t i) {
  const struct hashed *h = arg;
  return cl_space_sym_info(h->space, h->obj->e[i].sym)->java_hash;
}

static int compare_entries(const void *arg, uint32_t a, uint32_t b) {
  const struct hashed *h = arg;
  return cl_java_string_compare(cl_space_sym_text(h->space, h->obj->e[a].sym),
                                cl_space_sym_text(h->space, h->obj->e[b].sym));
}

int cl_obj_take_java_order(struct cl_batch *b, struct cl_obj *obj) {
  if (obj->n < 2 || obj->linked)
    return 0;
  struct cl_entry *e = cl_arena_alloc(b->arena, obj->n * sizeof(*e));
  uint32_t *room = cl_space_scratch(b->space, (obj->n + cl_java_room(obj->n, obj->java_cap)) * sizeof(*room));
  struct hashed h = {b->space, obj};
  struct cl_java_keys keys = {&h, entry_hash, compare_entries};
  if (!e || !room || cl_java_order(&keys, obj->n, obj->java_cap, room, room + obj->n) != 0)
    return no_memory();
  for (uint32_t i = 0; i < obj->n; i++)
    e[i] = obj->e[room[i]];
  obj->e = e;
  obj->cap = obj->n;
  obj->index = NULL;
  return 0;
}

int cl_ffi_obj_copied(struct cl_batch *batch, struct cl_obj *obj, uint32_t cap, int in_key) {
  if (in_key && cl_obj_take_java_order(batch, obj) != 0)
    return CL_ENOMEM;
  obj->linked = 0;
  obj->java_cap = java_capacity(cap, obj->n);
  return 0;
}

struct cl_names *cl_ffi_names_new(struct cl_space *space, uint32_t n) {
  uint16_t life;
  struct cl_arena *a = cl_space_arena(space, false, &life);
  struct cl_names *names = a ? cl_arena_zalloc(a, sizeof(*names) + (size_t)n * sizeof(*names->rule)) : NULL;
  if (!names) {
    no_memory();
    return NULL;
  }
  names->n = n;
  names->life = life;
  return names;
}

static bool name_is(struct cl_space *space, bool lasting, struct cl_str *name, uint32_t *sym, const char *s,
                    uint32_t len) {
  *sym = lasting ? cl_space_sym_keep(space, s, len) : cl_space_sym(space, s, len);
  if (*sym)
    *name = cl_space_sym_text(space, *sym);
  return *sym != 0;
}

int cl_ffi_names_set(struct cl_space *space, struct cl_names *names, uint32_t i, const char *name,
                     uint32_t len, const char *to, uint32_t to_len) {
  CL_REQUIRE(i < names->n);
  struct cl_name_rule *rule = &names->rule[i];
  bool lasting = names->life == 0;
  if (!name_is(space, lasting, &rule->name, &rule->sym, name, len) ||
      (to && !name_is(space, lasting, &rule->to, &rule->to_sym, to, to_len)))
    return no_memory();
  return 0;
}

/* A symbol of a generation may have a permanent twin with the same text. */
static const struct cl_name_rule *rule_by_text(const struct cl_space *space, const struct cl_names *names,
                                               uint32_t sym) {
  struct cl_str key = cl_space_sym_text(space, sym);
  for (uint32_t i = 0; i < names->n; i++) {
    const struct cl_str *name = &names->rule[i].name;
    if (name->len == key.len && memcmp(name->p, key.p, key.len) == 0)
      return &names->rule[i];
  }
  return NULL;
}

static inline const struct cl_name_rule *rule_for(const struct cl_space *space, const struct cl_names *names,
                                                  uint32_t sym) {
  for (const struct cl_name_rule *rule = names->rule, *end = rule + names->n; rule < end; rule++)
    if (rule->sym == sym)
      return rule;
  return cl_space_sym_is_permanent(sym) ? NULL : rule_by_text(space, names, sym);
}

/* Whether a rule renames to what another key is or becomes: HashMap order says which one wins. */
static bool has_contest(struct cl_batch *b, struct cl_obj *obj, const struct cl_names *names) {
  for (uint32_t r = 0; r < names->n; r++) {
    const struct cl_name_rule *rule = &names->rule[r];
    if (!rule->to.p || rule->to_sym == rule->sym || cl_value_find(b->space, obj, rule->sym) == obj->n)
      continue;
    uint32_t other = cl_value_find(b->space, obj, rule->to_sym);
    const struct cl_name_rule *its = other == obj->n ? NULL : rule_for(b->space, names, rule->to_sym);
    if (other != obj->n && (its ? its->to_sym == rule->to_sym : names->keep_others))
      return true;
    for (uint32_t i = 0; i < names->n; i++)
      if (i != r && names->rule[i].to.p && names->rule[i].to_sym == rule->to_sym &&
          cl_value_find(b->space, obj, names->rule[i].sym) != obj->n)
        return true;
  }
  return false;
}

/* The entry's twin among the first n, whose value it replaces; NULL = none. */
static struct cl_entry *twin_of(struct cl_entry *e, uint32_t n, uint32_t sym) {
  for (uint32_t i = 0; i < n; i++) {
    if (e[i].sym == sym)
      return &e[i];
  }
  return NULL;
}

/* Entries move only behind one that was dropped: copying what was just written stalls the processor. */
int cl_ffi_obj_project(struct cl_batch *batch, struct cl_obj *obj, const struct cl_names *names, int in_key) {
  bool contested = has_contest(batch, obj, names);
  uint32_t had = obj->n, kept = 0;
  if ((in_key || contested) && cl_obj_take_java_order(batch, obj) != 0)
    return CL_ENOMEM;
  for (uint32_t i = 0; i < had; i++) {
    struct cl_entry *e = &obj->e[i];
    const struct cl_name_rule *rule = rule_for(batch->space, names, e->sym);
    if (rule ? !rule->to.p : !names->keep_others)
      continue;
    if (rule)
      e->sym = rule->to_sym;
    struct cl_entry *twin = contested ? twin_of(obj->e, kept, e->sym) : NULL;
    if (twin) {
      twin->val = e->val;
      continue;
    }
    if (kept != i)
      obj->e[kept] = *e;
    kept++;
  }
  obj->n = kept;
  obj->index = NULL;
  return cl_ffi_obj_copied(batch, obj, had, 0);
}

/* ------------------------------------------------- arrays, maps, structs, copies */

struct cl_arr *cl_ffi_arr_new(struct cl_batch *batch, uint32_t n) {
  struct cl_arr *arr = cl_arena_zalloc(batch->arena, sizeof(*arr) + (size_t)n * sizeof(*arr->v));
  if (!arr) {
    no_memory();
    return NULL;
  }
  *arr = (struct cl_arr){.n = n, .cap = n, .v = (struct cl_val *)(arr + 1)};
  return arr;
}

struct cl_val *cl_ffi_arr_put(struct cl_batch *batch, struct cl_arr *arr, uint32_t i) {
  CL_REQUIRE(i <= arr->n);
  if (i < arr->n)
    return &arr->v[i];
  struct cl_val *v = grown(batch, arr->v, arr->n, &arr->cap, sizeof(*v));
  if (!v)
    return NULL;
  arr->v = v;
  arr->n++;
  v[i] = (struct cl_val){.kind = CL_NULL};
  return &v[i];
}

struct cl_map *cl_ffi_map_new(struct cl_batch *batch) {
  struct cl_map *map = cl_arena_zalloc(batch->arena, sizeof(*map));
  if (map)
    map->java_cap = 16;
  else
    no_memory();
  return map;
}

struct cl_map_entry *cl_ffi_map_add(struct cl_batch *batch, struct cl_map *map) {
  struct cl_map_entry *e = grown(batch, map->e, map->n, &map->cap, sizeof(*e));
  if (!e)
    return NULL;
  map->e = e;
  e += map->n++;
  *e = (struct cl_map_entry){.key = {.kind = CL_NULL}, .val = {.kind = CL_NULL}};
  return e;
}

struct cl_struct *cl_ffi_struct_new(struct cl_batch *batch, const struct cl_schema *schema) {
  struct cl_struct *st = cl_arena_zalloc(batch->arena,
                                         sizeof(*st) + (size_t)schema->n_fields * sizeof(*st->v));
  if (!st) {
    no_memory();
    return NULL;
  }
  *st = (struct cl_struct){.schema = schema, .n = schema->n_fields, .v = (struct cl_val *)(st + 1)};
  return st;
}

int cl_ffi_copy(struct cl_batch *batch, struct cl_val *out, const struct cl_val *from) {
  struct cl_val copy;
  bool too_deep;
  if (!cl_value_clone(batch->arena, from, &copy, &too_deep))
    return too_deep ? fail_deep() : no_memory();
  *out = copy;
  return 0;
}

int cl_ffi_copy_other(struct cl_batch *batch, struct cl_val *out, const struct cl_val *from) {
  struct cl_val copy;
  bool too_deep;
  if (!cl_value_copy(batch, from, &copy, &too_deep))
    return too_deep ? fail_deep() : no_memory();
  *out = copy;
  return 0;
}

int cl_ffi_put_decimal(struct cl_batch *batch, struct cl_val *out, const char *digits, uint32_t len,
                       int32_t scale) {
  struct cl_decimal *dec = cl_arena_alloc(batch->arena, sizeof(*dec));
  const char *text = dec ? cl_arena_copy(batch->arena, digits, len) : NULL;
  if (!text)
    return no_memory();
  *dec = (struct cl_decimal){{text, len}, scale};
  *out = (struct cl_val){.kind = CL_DECIMAL, .dec = dec};
  return 0;
}

const char *cl_ffi_class(const struct cl_val *v) { return cl_value_class(v); }

const struct cl_schema *cl_ffi_schema(struct cl_space *space, const struct cl_schema *draft) {
  if (cl_space_check(draft, cl_ffi_err()) != 0)
    return NULL;
  const struct cl_schema *s = cl_space_intern(space, draft);
  if (!s)
    no_memory();
  return s;
}

const struct cl_schema *cl_ffi_schema_now(struct cl_space *space, const struct cl_schema *schema) {
  const struct cl_schema *s = cl_space_schema_now(space, schema);
  if (!s)
    no_memory();
  return s;
}

int cl_ffi_logical(struct cl_str name) { return cl_space_logical(name); }

/* -------------------------------------------------------------------- shapes */

struct cl_shape *cl_ffi_shape_new(struct cl_space *space, const struct cl_schema *from,
                                  const struct cl_schema *to) {
  uint16_t life;
  struct cl_arena *a = cl_space_arena(space, to->life != 0, &life);
  struct cl_shape *shape = a ? cl_arena_zalloc(a, sizeof(*shape) + to->n_fields * sizeof(*shape->source))
                             : NULL;
  if (!shape) {
    no_memory();
    return NULL;
  }
  *shape = (struct cl_shape){.to = to, .from = from->uid, .n = to->n_fields, .life = life};
  for (uint32_t i = 0; i < shape->n; i++)
    shape->source[i].at = -1;
  return shape;
}

int cl_ffi_shape_set(struct cl_shape *shape, const struct cl_schema *from, uint32_t i, uint32_t at) {
  CL_REQUIRE(i < shape->n && from->uid == shape->from);
  if (at >= from->n_fields)
    return cl_err_set(cl_ffi_err(), CL_EDATA, "a struct of %u fields has no field %.0f", from->n_fields,
                      at + 1.0);
  shape->source[i] = (struct cl_source){.at = (int32_t)at,
                                        .differs = from->fields[at].schema != shape->to->fields[i].schema};
  return 0;
}

int cl_shape_refuse(const struct cl_shape *shape, const struct cl_struct *from) {
  if (from->schema->uid == shape->from)
    return 0;
  return cl_err_set(cl_ffi_err(), CL_EDATA, "this shape is for structs of another schema");
}

static const struct cl_val null = {.kind = CL_NULL};

enum { AS_DEFAULTS = 1 }; /* cl_shape.nulls */

int cl_shape_null(struct cl_batch *batch, const struct cl_shape *shape, uint32_t i,
                  const struct cl_struct *from, struct cl_val *out) {
  const struct cl_val *def = &from->schema->fields[shape->source[i].at].schema->def;
  const struct cl_field *f = &shape->to->fields[i];
  if (shape->nulls == AS_DEFAULTS && def->kind != CL_MISSING) {
    *out = *def;
    /* A default is everybody's. */
    return def->kind < CL_ARRAY || cl_value_clone(batch->arena, def, out, NULL) ? 0 : no_memory();
  }
  *out = null;
  /* Struct.put of a null: a default does not help. */
  return f->schema->optional ? 0 : cl_value_fits(&null, f->schema, &f->name, cl_ffi_err());
}

int cl_shape_field_fits(struct cl_batch *batch, const struct cl_field *f, struct cl_val *v) {
  int rc = cl_value_fits(v, f->schema, &f->name, cl_ffi_err());
  /* An empty list fits many schemas, but the next item one of them. */
  return rc != 0 || v->kind < CL_ARRAY ? rc : cl_ffi_copy(batch, v, v);
}

int cl_ffi_reshape(struct cl_batch *batch, const struct cl_shape *shape, const struct cl_struct *from,
                   struct cl_struct **out) {
  if (cl_shape_refuse(shape, from) != 0)
    return CL_EDATA;
  struct cl_struct *st = cl_ffi_struct_new(batch, shape->to);
  if (!st)
    return CL_ENOMEM;
  for (uint32_t i = 0; i < shape->n; i++) {
    int rc = cl_shape_field(batch, shape, i, from, &st->v[i]);
    if (rc == 0 && shape->source[i].differs)
      rc = cl_shape_field_fits(batch, &shape->to->fields[i], &st->v[i]);
    if (rc != 0)
      return rc;
  }
  *out = st;
  return 0;
}

/* ------------------------------------------------------------------- headers */

static bool is_named(const struct cl_header *h, const char *name, uint32_t len) {
  return h->name.len == len && memcmp(h->name.p, name, len) == 0;
}

/* Most records have one or two: the room doubles from what there is. */
static bool reserve_header(struct cl_batch *batch, struct cl_record *rec) {
  uint32_t n = rec->n_headers, cap = n ? n * 2 : 1;
  if (n < rec->cap_headers)
    return true;
  struct cl_header *list = cl_arena_alloc(batch->arena, cap * sizeof(*list));
  if (!list)
    return false;
  if (n)
    memcpy(list, rec->headers, n * sizeof(*list));
  rec->headers = list;
  rec->cap_headers = cap;
  return true;
}

struct cl_header *cl_ffi_header_add(struct cl_batch *batch, struct cl_record *rec, const char *name,
                                    uint32_t len) {
  const char *copy = cl_arena_copy(batch->arena, name, len);
  if (!copy || !reserve_header(batch, rec)) {
    no_memory();
    return NULL;
  }
  struct cl_header *h = &rec->headers[rec->n_headers++];
  *h = (struct cl_header){.name = {copy, len}, .d = {.val = {.kind = CL_NULL}}};
  return h;
}

int cl_ffi_header_remove(struct cl_record *rec, const char *name, uint32_t len) {
  uint32_t kept = 0, n = rec->n_headers;
  for (uint32_t i = 0; i < n; i++)
    kept += !is_named(&rec->headers[i], name, len);
  if (kept == n)
    return 0;
  struct cl_header *list = cl_arena_alloc(rec->batch->arena, kept * sizeof(*list)), *to = list;
  if (!list)
    return no_memory();
  for (uint32_t i = 0; i < n; i++)
    if (!is_named(&rec->headers[i], name, len))
      *to++ = rec->headers[i];
  rec->headers = list;
  rec->n_headers = rec->cap_headers = kept;
  return (int)(n - kept);
}

struct cl_header *cl_ffi_header_last(struct cl_record *rec, const char *name, uint32_t len) {
  for (uint32_t i = rec->n_headers; i-- > 0;)
    if (is_named(&rec->headers[i], name, len))
      return &rec->headers[i];
  return NULL;
}
