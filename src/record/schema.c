/* SPDX-License-Identifier: Apache-2.0
 * Interned schemas: equal ones of a space are the same pointer, so comparing is free and
 * everything derived from a schema is made once. Thread: the task's. */
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

static const struct cl_schema **slot_of(const struct cl_space *s, const struct cl_schema *schema,
                                        uint64_t hash) {
  uint32_t i = (uint32_t)hash & s->schema_mask;
  while (s->schema_slot[i] && (s->schema_slot[i]->hash != hash || !equal(s, s->schema_slot[i], schema)))
    i = (i + 1) & s->schema_mask;
  return &s->schema_slot[i];
}

static bool grow(struct cl_space *s) {
  const struct cl_schema **old = s->schema_slot;
  uint32_t n = old ? s->schema_mask + 1 : 0;
  uint32_t size = n ? n * 2 : 64;
  s->schema_slot = cl_arena_zalloc(s->arena, size * sizeof(*old));
  if (!s->schema_slot) {
    s->schema_slot = old;
    return false;
  }
  s->schema_mask = size - 1;
  for (uint32_t i = 0; i < n; i++) {
    if (!old[i])
      continue;
    uint32_t at = (uint32_t)old[i]->hash & s->schema_mask;
    while (s->schema_slot[at])
      at = (at + 1) & s->schema_mask;
    s->schema_slot[at] = old[i];
  }
  return true;
}

static bool keep_str(struct cl_arena *a, struct cl_str *s) {
  if (!s->p)
    return true;
  s->p = cl_arena_copy(a, s->p, s->len);
  return s->p != NULL;
}

static bool keep_fields(struct cl_space *s, struct cl_schema *out) {
  if (!out->n_fields)
    return true;
  struct cl_field *fields = cl_arena_alloc(s->arena, out->n_fields * sizeof(*fields));
  if (!fields)
    return false;
  for (uint32_t i = 0; i < out->n_fields; i++) {
    fields[i] = out->fields[i];
    fields[i].index = i;
    fields[i].sym = cl_space_sym_keep(s, fields[i].name.p, fields[i].name.len);
    if (!fields[i].sym || !keep_str(s->arena, &fields[i].name))
      return false;
  }
  out->fields = fields;
  return true;
}

static bool keep_params(struct cl_space *s, struct cl_schema *out) {
  if (!out->n_params)
    return true;
  struct cl_param *params = cl_arena_alloc(s->arena, out->n_params * sizeof(*params));
  if (!params)
    return false;
  for (uint32_t i = 0; i < out->n_params; i++) {
    params[i] = out->params[i];
    if (!keep_str(s->arena, &params[i].name) || !keep_str(s->arena, &params[i].value))
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

const struct cl_schema *cl_space_intern(struct cl_space *s, const struct cl_schema *schema) {
  if (s->n_schemas * 2 >= (s->schema_slot ? s->schema_mask + 1 : 0) && !grow(s))
    return NULL;
  uint64_t hash = hash_of(s, schema);
  const struct cl_schema **slot = slot_of(s, schema, hash);
  if (*slot)
    return *slot;
  struct cl_schema *out = cl_arena_alloc(s->arena, sizeof(*out));
  if (!out)
    return NULL;
  *out = *schema;
  out->hash = hash;
  out->logical = (uint8_t)cl_space_logical(schema->name);
  memset(out->json, 0, sizeof(out->json));
  if (!keep_str(s->arena, &out->name) || !keep_str(s->arena, &out->doc) || !keep_fields(s, out) ||
      !keep_params(s, out) || !cl_value_keep(s, s->arena, &schema->def, &out->def))
    return NULL;
  out->uid = ++s->n_schemas;
  *slot = out;
  return out;
}

const struct cl_schema *cl_space_primitive(struct cl_space *s, enum cl_type type, bool optional) {
  CL_REQUIRE(type >= CL_TYPE_INT8 && type <= CL_TYPE_BYTES);
  const struct cl_schema **at = &s->primitive[type][optional];
  if (!*at)
    *at = cl_space_intern(s, &(struct cl_schema){.type = (uint8_t)type, .optional = optional});
  return *at;
}
