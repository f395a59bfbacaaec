/* SPDX-License-Identifier: Apache-2.0
 * Values: find, compare, copy, name. Plugins nest them as deep as they like, recursion goes no deeper than
 * CL_COPY_DEPTH. Thread: the task's. */
#include "record/value.h"

#include "record/obj_index.h"
#include "record/space_impl.h"

#include <string.h>

static bool same_text(struct cl_str a, struct cl_str b) {
  return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

uint32_t cl_value_find(const struct cl_space *s, const struct cl_obj *obj, uint32_t sym) {
  if (__builtin_expect(obj->index != NULL, 0))
    return cl_obj_index_find_sym(s, obj, sym);
  for (uint32_t i = 0; i < obj->n; i++) {
    uint32_t k = obj->e[i].sym;
    if (k == sym)
      return i;
    if (!cl_space_sym_is_permanent(k | sym) && same_text(cl_space_sym_text(s, k), cl_space_sym_text(s, sym)))
      return i;
  }
  return obj->n;
}

static bool equal(const struct cl_space *s, const struct cl_val *a, const struct cl_val *b, int left);

static bool equal_objects(const struct cl_space *s, const struct cl_obj *a, const struct cl_obj *b,
                          int left) {
  if (a->n != b->n)
    return false;
  for (uint32_t i = 0; i < a->n; i++) {
    uint32_t j = cl_value_find(s, b, a->e[i].sym);
    if (j == b->n || !equal(s, &a->e[i].val, &b->e[j].val, left))
      return false;
  }
  return true;
}

static bool equal_maps(const struct cl_space *s, const struct cl_map *a, const struct cl_map *b, int left) {
  if (a->n != b->n)
    return false;
  for (uint32_t i = 0; i < a->n; i++) {
    uint32_t j = 0;
    while (j < b->n && !equal(s, &a->e[i].key, &b->e[j].key, left))
      j++;
    if (j == b->n || !equal(s, &a->e[i].val, &b->e[j].val, left))
      return false;
  }
  return true;
}

static bool equal_rows(const struct cl_space *s, const struct cl_val *a, uint32_t na, const struct cl_val *b,
                       uint32_t nb, int left) {
  if (na != nb)
    return false;
  for (uint32_t i = 0; i < na; i++)
    if (!equal(s, &a[i], &b[i], left))
      return false;
  return true;
}

static bool is_date(const struct cl_val *v) { return v->kind >= CL_DATE && v->kind <= CL_TIMESTAMP; }

/* left = how many containers may still be entered. */
static bool equal(const struct cl_space *s, const struct cl_val *a, const struct cl_val *b, int left) {
  if (a->kind != b->kind) /* but all three are java.util.Date */
    return is_date(a) && is_date(b) && a->i == b->i;
  if (a->kind >= CL_ARRAY && left-- == 0)
    return false;
  switch ((enum cl_kind)a->kind) {
  case CL_INT: return a->i == b->i && a->aux == b->aux;
  case CL_DATE:
  case CL_TIME:
  case CL_TIMESTAMP: return a->i == b->i;
  case CL_FLOAT32:
  case CL_FLOAT64: return memcmp(&a->f, &b->f, sizeof(a->f)) == 0;
  case CL_NUMTEXT:
  case CL_BIGINT:
  case CL_STRING:
  case CL_BYTES: return same_text((struct cl_str){a->s, a->len}, (struct cl_str){b->s, b->len});
  case CL_DECIMAL: return a->dec->scale == b->dec->scale && same_text(a->dec->digits, b->dec->digits);
  case CL_ARRAY: return equal_rows(s, a->arr->v, a->arr->n, b->arr->v, b->arr->n, left);
  case CL_STRUCT:
    return a->st->schema == b->st->schema && equal_rows(s, a->st->v, a->st->n, b->st->v, b->st->n, left);
  case CL_OBJECT: return equal_objects(s, a->obj, b->obj, left);
  case CL_MAP: return equal_maps(s, a->map, b->map, left);
  default: return true;
  }
}

bool cl_value_equal(const struct cl_space *s, const struct cl_val *a, const struct cl_val *b) {
  return equal(s, a, b, CL_COPY_DEPTH);
}

/* ---------------------------------------------------------------------- hashes */

static uint64_t hash_bytes(uint64_t h, const char *p, uint32_t n) {
  for (uint32_t i = 0; i < n; i++)
    h = cl_value_mix(h, (unsigned char)p[i]);
  return cl_value_mix(h, n);
}

static uint64_t hash_of(const struct cl_space *s, const struct cl_val *v, int left);

static uint64_t hash_rows(const struct cl_space *s, uint64_t h, const struct cl_val *v, uint32_t n,
                          int left) {
  for (uint32_t i = 0; i < n; i++)
    h = cl_value_mix(h, hash_of(s, &v[i], left));
  return h;
}

static uint64_t hash_container(const struct cl_space *s, uint64_t h, const struct cl_val *v, int left) {
  uint64_t sum = 0; /* of entries in any order */
  switch ((enum cl_kind)v->kind) {
  case CL_ARRAY: return hash_rows(s, h, v->arr->v, v->arr->n, left);
  case CL_STRUCT: return hash_rows(s, h, v->st->v, v->st->n, left);
  case CL_OBJECT:
    for (uint32_t i = 0; i < v->obj->n; i++)
      sum += cl_value_mix(cl_space_sym_info(s, v->obj->e[i].sym)->hash, hash_of(s, &v->obj->e[i].val, left));
    return cl_value_mix(h, sum);
  default:
    for (uint32_t i = 0; i < v->map->n; i++)
      sum += cl_value_mix(hash_of(s, &v->map->e[i].key, left), hash_of(s, &v->map->e[i].val, left));
    return cl_value_mix(h, sum);
  }
}

static uint64_t hash_of(const struct cl_space *s, const struct cl_val *v, int left) {
  uint64_t h = s->seed, bits;
  switch ((enum cl_kind)v->kind) {
  case CL_NUMTEXT:
  case CL_BIGINT:
  case CL_STRING:
  case CL_BYTES: return hash_bytes(h, v->s, v->len);
  case CL_DECIMAL:
    return cl_value_mix(hash_bytes(h, v->dec->digits.p, v->dec->digits.len), (uint32_t)v->dec->scale);
  case CL_FLOAT32:
  case CL_FLOAT64: memcpy(&bits, &v->f, sizeof(bits)); return cl_value_mix(cl_value_mix(h, bits), v->kind);
  case CL_INT: return cl_value_mix(cl_value_mix(h, (uint64_t)v->i), v->aux);
  case CL_DATE:
  case CL_TIME:
  case CL_TIMESTAMP: return cl_value_mix(cl_value_mix(h, (uint64_t)v->i), CL_DATE);
  default: break;
  }
  h = cl_value_mix(h, v->kind);
  return v->kind >= CL_ARRAY && left ? hash_container(s, h, v, left - 1) : h;
}

uint64_t cl_value_hash(const struct cl_space *s, const struct cl_val *v) {
  return hash_of(s, v, CL_COPY_DEPTH);
}

const uint32_t *cl_value_distinct(struct cl_space *s, const struct cl_keys *keys) {
  uint32_t slots = 32, kept = 0;
  while (slots / 2 < keys->n)
    slots *= 2;
  uint32_t *slot = cl_space_scratch(s,
                                    ((size_t)slots + keys->n) * sizeof(*slot)); /* 1 + a first one's number */
  if (!slot)
    return NULL;
  uint32_t *place = slot + slots;
  memset(slot, 0, slots * sizeof(*slot));
  for (uint32_t i = 0; i < keys->n; i++) {
    uint64_t h = keys->hash[(size_t)i * keys->step];
    uint32_t at = (uint32_t)(h >> 32) & (slots - 1);
    while (slot[at] &&
           (keys->hash[(size_t)(slot[at] - 1) * keys->step] != h || !keys->same(keys->arg, slot[at] - 1, i)))
      at = (at + 1) & (slots - 1);
    place[i] = slot[at] ? place[slot[at] - 1] : kept++;
    slot[at] = slot[at] ? slot[at] : i + 1;
  }
  return place;
}

/* A copy being made. */
struct keep {
  struct cl_space *s; /* NULL = within a batch: bytes, symbols and schemas are shared */
  struct cl_arena *a;
  bool lasting; /* permanent symbols only */
  int depth;
  bool too_deep;
};

static bool keep(struct keep *k, const struct cl_val *v, struct cl_val *out);

static bool keep_rows(struct keep *k, const struct cl_val *v, uint32_t n, struct cl_val **out) {
  *out = cl_arena_alloc(k->a, n * sizeof(**out));
  if (!*out)
    return false;
  for (uint32_t i = 0; i < n; i++)
    if (!keep(k, &v[i], &(*out)[i]))
      return false;
  return true;
}

static struct cl_obj *keep_object(struct keep *k, const struct cl_obj *from) {
  struct cl_obj *obj = cl_arena_alloc(k->a, sizeof(*obj) + from->n * sizeof(*obj->e));
  if (!obj)
    return NULL;
  *obj = (struct cl_obj){.n = from->n, .cap = from->n, .java_cap = from->java_cap, .linked = from->linked};
  obj->e = (struct cl_entry *)(obj + 1);
  for (uint32_t i = 0; i < obj->n; i++) {
    obj->e[i] = (struct cl_entry){.sym = from->e[i].sym};
    if (k->s) {
      struct cl_str key = cl_space_sym_text(k->s, from->e[i].sym);
      obj->e[i].sym = k->lasting ? cl_space_sym_keep(k->s, key.p, key.len)
                                 : cl_space_sym(k->s, key.p, key.len);
    }
    if (!obj->e[i].sym || !keep(k, &from->e[i].val, &obj->e[i].val))
      return NULL;
  }
  return obj;
}

static struct cl_map *keep_map(struct keep *k, const struct cl_map *from) {
  struct cl_map *map = cl_arena_alloc(k->a, sizeof(*map) + from->n * sizeof(*map->e));
  if (!map)
    return NULL;
  *map = (struct cl_map){.n = from->n, .cap = from->n, .java_cap = from->java_cap, .linked = from->linked};
  map->e = (struct cl_map_entry *)(map + 1);
  for (uint32_t i = 0; i < map->n; i++)
    if (!keep(k, &from->e[i].key, &map->e[i].key) || !keep(k, &from->e[i].val, &map->e[i].val))
      return NULL;
  return map;
}

static bool keep_one(struct keep *k, const struct cl_val *v, struct cl_val *out) {
  struct cl_space *s = k->s;
  struct cl_arena *a = k->a;
  *out = *v;
  switch ((enum cl_kind)v->kind) {
  case CL_NUMTEXT:
  case CL_BIGINT:
  case CL_STRING:
  case CL_BYTES: return !s || (out->s = cl_arena_copy(a, v->s, v->len)) != NULL;
  case CL_DECIMAL:
    if (!s)
      return true;
    out->dec = cl_arena_alloc(a, sizeof(*out->dec));
    if (!out->dec)
      return false;
    *out->dec = *v->dec;
    return (out->dec->digits.p = cl_arena_copy(a, v->dec->digits.p, v->dec->digits.len)) != NULL;
  case CL_ARRAY:
    out->arr = cl_arena_alloc(a, sizeof(*out->arr));
    if (!out->arr)
      return false;
    *out->arr = (struct cl_arr){.n = v->arr->n, .cap = v->arr->n};
    return keep_rows(k, v->arr->v, v->arr->n, &out->arr->v);
  case CL_STRUCT:
    out->st = cl_arena_alloc(a, sizeof(*out->st));
    if (!out->st)
      return false;
    *out->st = (struct cl_struct){.schema = s ? cl_space_schema_now(s, v->st->schema) : v->st->schema,
                                  .n = v->st->n};
    return out->st->schema && keep_rows(k, v->st->v, v->st->n, &out->st->v);
  case CL_OBJECT: return (out->obj = keep_object(k, v->obj)) != NULL;
  case CL_MAP: return (out->map = keep_map(k, v->map)) != NULL;
  default: return true;
  }
}

static bool keep(struct keep *k, const struct cl_val *v, struct cl_val *out) {
  if (k->depth == CL_COPY_DEPTH) {
    k->too_deep = true;
    return false;
  }
  k->depth++;
  bool ok = keep_one(k, v, out);
  k->depth--;
  return ok;
}

bool cl_value_clone(struct cl_arena *a, const struct cl_val *v, struct cl_val *out, bool *too_deep) {
  struct keep k = {.a = a};
  bool ok = keep(&k, v, out);
  if (too_deep)
    *too_deep = k.too_deep;
  return ok;
}

bool cl_value_copy(struct cl_batch *b, const struct cl_val *v, struct cl_val *out, bool *too_deep) {
  struct keep k = {.s = b->space, .a = b->arena};
  bool ok = keep(&k, v, out);
  *too_deep = k.too_deep;
  return ok;
}

bool cl_value_keep(struct cl_space *s, struct cl_arena *a, uint16_t life, const struct cl_val *v,
                   struct cl_val *out) {
  return keep(&(struct keep){.s = s, .a = a, .lasting = life == 0}, v, out);
}

const char *cl_value_class(const struct cl_val *v) {
  switch ((enum cl_kind)v->kind) {
  case CL_FALSE:
  case CL_TRUE: return "java.lang.Boolean";
  case CL_INT:
    return v->aux == 8    ? "java.lang.Byte"
           : v->aux == 16 ? "java.lang.Short"
           : v->aux == 32 ? "java.lang.Integer"
                          : "java.lang.Long";
  case CL_FLOAT32: return "java.lang.Float";
  case CL_FLOAT64:
  case CL_NUMTEXT: return "java.lang.Double";
  case CL_BIGINT: return "java.math.BigInteger";
  case CL_DECIMAL: return "java.math.BigDecimal";
  case CL_STRING: return "java.lang.String";
  case CL_BYTES: return "[B";
  case CL_DATE:
  case CL_TIME:
  case CL_TIMESTAMP: return "java.util.Date";
  case CL_ARRAY: return "java.util.ArrayList";
  case CL_OBJECT: return v->obj->linked ? "java.util.LinkedHashMap" : "java.util.HashMap";
  case CL_MAP: return v->map->linked ? "java.util.LinkedHashMap" : "java.util.HashMap";
  case CL_STRUCT: return "org.apache.kafka.connect.data.Struct";
  default: return "null";
  }
}
