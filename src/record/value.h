/* SPDX-License-Identifier: Apache-2.0
 *
 * What every part of the record floor does with values: find, compare, copy, name.
 * Thread: the task's.
 */
#pragma once

#include "connect_lua/abi_c.h"

#include "base/arena.h"
#include "record/space.h"

/* Position of the entry whose key is sym, or obj->n. A key that is data may be known by
 * a later permanent symbol, so texts are compared where symbols cannot decide. */
uint32_t cl_value_find(const struct cl_space *s, const struct cl_obj *obj, uint32_t sym);

/* Java's equals, as far as values can differ here. What is nested deeper than CL_COPY_DEPTH equals nothing.
 */
bool cl_value_equal(const struct cl_space *s, const struct cl_val *a, const struct cl_val *b);

/* Whether the value is of the schema's type, whatever its name asks for. */
static inline bool cl_value_has_type(const struct cl_val *v, const struct cl_schema *s) {
  switch ((enum cl_type)s->type) {
  case CL_TYPE_INT8: return v->kind == CL_INT && v->aux == 8;
  case CL_TYPE_INT16: return v->kind == CL_INT && v->aux == 16;
  case CL_TYPE_INT32: return v->kind == CL_INT && v->aux == 32;
  case CL_TYPE_INT64: return v->kind == CL_INT && v->aux == 64;
  case CL_TYPE_FLOAT32: return v->kind == CL_FLOAT32;
  case CL_TYPE_FLOAT64: return v->kind == CL_FLOAT64 || v->kind == CL_NUMTEXT;
  case CL_TYPE_BOOLEAN: return v->kind == CL_TRUE || v->kind == CL_FALSE;
  case CL_TYPE_STRING: return v->kind == CL_STRING;
  case CL_TYPE_BYTES: return v->kind == CL_BYTES;
  case CL_TYPE_ARRAY: return v->kind == CL_ARRAY;
  case CL_TYPE_MAP: return v->kind == CL_MAP || v->kind == CL_OBJECT;
  case CL_TYPE_STRUCT: return v->kind == CL_STRUCT;
  }
  return false;
}

/* A number that equal values share and that nobody outside can choose. Containers are what their members are.
 */
uint64_t cl_value_hash(const struct cl_space *s, const struct cl_val *v);
/* One step of such a hash. */
static inline uint64_t cl_value_mix(uint64_t h, uint64_t x) {
  h = (h ^ x) * UINT64_C(0x9fb21c651e98df25);
  return h ^ h >> 29;
}

/* Keys of a map that are put one after the other: n of them, hash[i * step] that of the i-th. */
struct cl_keys {
  uint32_t n, step;
  const uint64_t *hash;
  bool (*same)(const void *arg, uint32_t i, uint32_t j); /* of keys whose hashes are equal */
  const void *arg;
};
/* Which of the distinct keys each one is, by their first places: lent until the space's next scratch. NULL =
 * no memory. */
const uint32_t *cl_value_distinct(struct cl_space *s, const struct cl_keys *keys);

/* What is nested deeper is not copied: C's stack ends. More than a parser lets in (CL_JSON_DEPTH) and what
 * transforms put around it; a plugin that assigns a value into itself over and over gets here. */
enum { CL_COPY_DEPTH = 1100 };

/* A deep copy that lives in a, the space's memory for this life. False = no memory, or nested too deep. */
bool cl_value_keep(struct cl_space *s, struct cl_arena *a, uint16_t life, const struct cl_val *v,
                   struct cl_val *out);
/* The same in a batch, of a value from anywhere. */
bool cl_value_copy(struct cl_batch *b, const struct cl_val *v, struct cl_val *out, bool *too_deep);
/* Containers of its own, for a value of the same batch: texts and symbols are shared. *too_deep (NULL = not
 * asked) tells why not. */
bool cl_value_clone(struct cl_arena *a, const struct cl_val *v, struct cl_val *out, bool *too_deep);

/* The Java class of a value, as messages name it: "java.lang.Integer". */
const char *cl_value_class(const struct cl_val *v);

static inline bool cl_value_is_null(const struct cl_val *v) {
  return v->kind == CL_NULL || v->kind == CL_MISSING;
}
