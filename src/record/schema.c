/* SPDX-License-Identifier: Apache-2.0
 * Interned schemas: equal ones that may be used now are the same pointer, so comparing is free and
 * everything derived from a schema is made once. A schema's parts are permanent or of its own
 * generation. Thread: the task's. */
#include <string.h>

#include "record/space_impl.h"
#include "record/value.h"

static bool same(struct cl_str a, struct cl_str b) {
  return (a.p == NULL) == (b.p == NULL) && a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static uint64_t mix(uint64_t h, uint64_t x) {
  h = (h ^ x) * 0x9fb21c651e98df25u;
  return h ^ h >> 29;
}

static uint64_t mix_str(uint64_t h, struct cl_str s) {
  h = mix(h, s.p ? s.len + 1 : 0);
  for (uint32_t i = 0; i < s.len; i++)
    h = mix(h, (unsigned char)s.p[i]);
  return h;
}

static uint64_t uid_of(const struct cl_schema *s) { return s ? s->uid : 0; }

static uint64_t hash_of(const struct cl_space *space, const struct cl_schema *s) {
  uint64_t h = mix(space->seed, (uint64_t)s->type << 8 | s->optional);
  h = mix(h, s->has_version ? (uint64_t)(uint32_t)s->version + 1 : 0);
  h = mix_str(mix_str(h, s->name), s->doc);
  h = mix(mix(h, uid_of(s->key)), uid_of(s->value));
  for (uint32_t i = 0; i < s->n_fields; i++)
    h = mix(mix_str(h, s->fields[i].name), s->fields[i].schema->uid);
  for (uint32_t i = 0; i < s->n_params; i++)
    h = mix_str(mix_str(h, s->params[i].name), s->params[i].value);
  return mix(h, s->def.kind);
}

static bool equal(const struct cl_space *space, const struct cl_schema *a, const struct cl_schema *b) {
  if (a->type != b->type || a->optional != b->optional || a->has_version != b->has_version ||
      (a->has_version && a->version != b->version) || a->key != b->key || a->value != b->value ||
      a->n_fields != b->n_fields || a->n_params != b->n_params || !same(a->name, b->name) ||
      !same(a->doc, b->doc))
    return false;
  for (uint32_t i = 0; i < a->n_fields; i++)
    if (a->fields[i].schema != b->fields[i].schema || !same(a->fields[i].name, b->fields[i].name))
      return false;
  for (uint32_t i = 0; i < a->n_params; i++)
    if (!same(a->params[i].name, b->params[i].name) || !same(a->params[i].value, b->params[i].value))
      return false;
  return cl_value_equal(space, &a->def, &b->def);
}

static const struct cl_schema **slot_of(const struct cl_space *s, const struct cl_schema_table *t,
                                        const struct cl_schema *schema, uint64_t hash) {
  uint32_t i = (uint32_t)hash & t->mask;
  while (t->slot[i] && (t->slot[i]->hash != hash || !equal(s, t->slot[i], schema)))
    i = (i + 1) & t->mask;
  return &t->slot[i];
}

static bool grow(struct cl_schema_table *t, struct cl_arena *arena) {
  const struct cl_schema **old = t->slot;
  uint32_t n = old ? t->mask + 1 : 0;
  uint32_t size = n ? n * 2 : 64;
  const struct cl_schema **slot = cl_arena_zalloc(arena, size * sizeof(*old));
  if (!slot)
    return false;
  t->slot = slot;
  t->mask = size - 1;
  for (uint32_t i = 0; i < n; i++) {
    if (!old[i])
      continue;
    uint32_t at = (uint32_t)old[i]->hash & t->mask;
    while (t->slot[at])
      at = (at + 1) & t->mask;
    t->slot[at] = old[i];
  }
  return true;
}

static bool keep_str(struct cl_arena *a, struct cl_str *s) {
  if (!s->p)
    return true;
  s->p = cl_arena_copy(a, s->p, s->len);
  return s->p != NULL;
}

/* Where a schema is kept. */
struct home {
  struct cl_arena *arena;
  struct cl_schema_table *table;
  uint16_t life;
};

static bool keep_fields(struct cl_space *s, const struct home *h, struct cl_schema *out) {
  if (!out->n_fields)
    return true;
  struct cl_field *fields = cl_arena_alloc(h->arena, out->n_fields * sizeof(*fields));
  if (!fields)
    return false;
  for (uint32_t i = 0; i < out->n_fields; i++) {
    struct cl_str name = out->fields[i].name;
    fields[i] = out->fields[i];
    fields[i].index = i;
    fields[i].sym = h->life ? cl_space_sym(s, name.p, name.len) : cl_space_sym_keep(s, name.p, name.len);
    if (!fields[i].sym || !keep_str(h->arena, &fields[i].name))
      return false;
  }
  out->fields = fields;
  return true;
}

static bool keep_params(const struct home *h, struct cl_schema *out) {
  if (!out->n_params)
    return true;
  struct cl_param *params = cl_arena_alloc(h->arena, out->n_params * sizeof(*params));
  if (!params)
    return false;
  for (uint32_t i = 0; i < out->n_params; i++) {
    params[i] = out->params[i];
    if (!keep_str(h->arena, &params[i].name) || !keep_str(h->arena, &params[i].value))
      return false;
  }
  out->params = params;
  return true;
}

enum cl_logical cl_space_logical(struct cl_str name) {
  static const char prefix[] = "org.apache.kafka.connect.data.";
  static const char *const names[] = {"Decimal", "Date", "Time", "Timestamp"};
  size_t n = sizeof(prefix) - 1;
  if (!name.p || name.len <= n || memcmp(name.p, prefix, n) != 0)
    return CL_LOGICAL_NONE;
  for (int i = 0; i < 4; i++)
    if (name.len - n == strlen(names[i]) && memcmp(name.p + n, names[i], name.len - n) == 0)
      return (enum cl_logical)(CL_LOGICAL_DECIMAL + i);
  return CL_LOGICAL_NONE;
}

/* ------------------------------------------------------------------- parts */

enum { PERMANENT, NEWEST, OLDER }; /* of the parts of a schema the one that dies first */

static int age(const struct cl_space *s, const struct cl_schema *part) {
  if (!part || !part->life)
    return PERMANENT;
  return part->life == s->lives.newest ? NEWEST : OLDER;
}

static int older(int a, int b) { return a > b ? a : b; }

static int age_of_parts(const struct cl_space *s, const struct cl_schema *schema) {
  int out = older(age(s, schema->key), age(s, schema->value));
  for (uint32_t i = 0; i < schema->n_fields; i++)
    out = older(out, age(s, schema->fields[i].schema));
  if (schema->def.kind == CL_STRUCT)
    out = older(out, age(s, schema->def.st->schema));
  return out;
}

/* The same of parts that may be used now. */
static bool renew_parts(struct cl_space *s, struct cl_schema *schema) {
  uint16_t life;
  struct cl_arena *arena = cl_space_arena(s, true, &life);
  struct cl_field *fields = arena ? cl_arena_alloc(arena, schema->n_fields * sizeof(*fields)) : NULL;
  if (!fields)
    return false;
  for (uint32_t i = 0; i < schema->n_fields; i++) {
    fields[i] = schema->fields[i];
    if (!(fields[i].schema = cl_space_schema_now(s, fields[i].schema)))
      return false;
  }
  schema->fields = fields;
  if ((schema->key && !(schema->key = cl_space_schema_now(s, schema->key))) ||
      (schema->value && !(schema->value = cl_space_schema_now(s, schema->value))))
    return false;
  struct cl_val def = schema->def;
  return cl_value_keep(s, arena, life, &def, &schema->def);
}

/* Whether structs of one can be read as ones of the other: field by field, those inside too. */
static bool same_fields(const struct cl_schema *a, const struct cl_schema *b) {
  if (a == b)
    return true;
  if (a->type != b->type || a->n_fields != b->n_fields)
    return false;
  for (uint32_t i = 0; i < a->n_fields; i++)
    if (!same(a->fields[i].name, b->fields[i].name) || !same_fields(a->fields[i].schema, b->fields[i].schema))
      return false;
  return true;
}

int cl_space_check(const struct cl_schema *draft, struct cl_err *err) {
  if (cl_space_schema_depth(draft) > CL_SCHEMA_NESTED)
    return cl_err_set(err, CL_EDATA, "Schemas nested deeper than %d are not supported", CL_SCHEMA_NESTED);
  if (draft->def.kind != CL_STRUCT || same_fields(draft, draft->def.st->schema))
    return 0;
  cl_err_set(err, CL_EDATA, "Invalid default value: Struct schemas do not match.");
  err->class = "org.apache.kafka.connect.errors.SchemaBuilderException";
  return CL_EDATA;
}

/* ---------------------------------------------------------------- interning */

static uint16_t deeper(uint16_t depth, const struct cl_schema *part) {
  return part && part->depth >= depth ? (uint16_t)(part->depth + 1) : depth;
}

uint16_t cl_space_schema_depth(const struct cl_schema *schema) {
  uint16_t depth = deeper(deeper(1, schema->key), schema->value);
  for (uint32_t i = 0; i < schema->n_fields; i++)
    depth = deeper(depth, schema->fields[i].schema);
  return depth;
}

static const struct cl_schema *find(const struct cl_space *s, const struct cl_schema_table *t,
                                    const struct cl_schema *schema, uint64_t hash) {
  return t->slot ? *slot_of(s, t, schema, hash) : NULL;
}

static const struct cl_schema *add(struct cl_space *s, const struct home *h, const struct cl_schema *schema,
                                   uint64_t hash) {
  if (h->table->n * 2 >= (h->table->slot ? h->table->mask + 1 : 0) && !grow(h->table, h->arena))
    return NULL;
  struct cl_schema *out = cl_arena_alloc(h->arena, sizeof(*out));
  if (!out)
    return NULL;
  *out = *schema;
  out->hash = hash;
  out->life = h->life;
  out->depth = cl_space_schema_depth(schema);
  out->logical = (uint8_t)cl_space_logical(schema->name);
  memset(out->json, 0, sizeof(out->json));
  if (!keep_str(h->arena, &out->name) || !keep_str(h->arena, &out->doc) || !keep_fields(s, h, out) ||
      !keep_params(h, out) || !cl_value_keep(s, h->arena, h->life, &schema->def, &out->def))
    return NULL;
  out->uid = ++s->last_uid;
  h->table->n++;
  *slot_of(s, h->table, schema, hash) = out;
  return out;
}

static const struct cl_schema *intern(struct cl_space *s, const struct cl_schema *schema, bool brief) {
  uint64_t hash = hash_of(s, schema);
  const struct cl_schema *found = brief ? NULL : find(s, &s->schemas, schema, hash);
  if (found)
    return found;
  struct home h;
  h.arena = cl_space_arena(s, brief, &h.life);
  if (!h.arena)
    return NULL;
  h.table = h.life ? &cl_space_generation(s)->schemas : &s->schemas;
  found = h.life ? find(s, h.table, schema, hash) : NULL;
  return found ? found : add(s, &h, schema, hash);
}

const struct cl_schema *cl_space_intern(struct cl_space *s, const struct cl_schema *schema) {
  int oldest = age_of_parts(s, schema);
  if (oldest != OLDER)
    return intern(s, schema, oldest == NEWEST);
  struct cl_schema renewed = *schema;
  return renew_parts(s, &renewed) ? intern(s, &renewed, age_of_parts(s, &renewed) == NEWEST) : NULL;
}

const struct cl_schema *cl_space_schema_now(struct cl_space *s, const struct cl_schema *schema) {
  return age(s, schema) == OLDER ? cl_space_intern(s, schema) : schema;
}

const struct cl_schema *cl_space_primitive(struct cl_space *s, enum cl_type type, bool optional) {
  CL_REQUIRE(type >= CL_TYPE_INT8 && type <= CL_TYPE_BYTES);
  const struct cl_schema **at = &s->primitive[type][optional];
  if (!*at) {
    uint16_t was = cl_space_set_lasting(s, 2);
    *at = cl_space_intern(s, &(struct cl_schema){.type = (uint8_t)type, .optional = optional});
    cl_space_set_lasting(s, was);
  }
  return *at;
}
