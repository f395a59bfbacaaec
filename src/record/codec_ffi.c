/* SPDX-License-Identifier: Apache-2.0
 * What Lua calls: thin twins of the record functions, the last error's among them.
 * Nothing here touches a lua_State, calls back, raises or blocks. */
#include <string.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "record/charset.h"
#include "record/codec.h"
#include "record/obj_index.h"
#include "record/space_impl.h"
#include "record/value.h"
#include "record/values.h"

int cl_ffi_error_code(void) { return cl_ffi_err()->code; }

const char *cl_ffi_error(void) { return cl_ffi_err()->msg; }

const char *cl_ffi_error_class(void) { return cl_ffi_err()->class; }

const char *cl_ffi_error_trace(void) { return cl_ffi_err()->trace; }

struct cl_str cl_ffi_sym_text(const struct cl_space *space, uint32_t sym) {
  return cl_space_sym_text(space, sym);
}

struct cl_val *cl_ffi_obj_find(const struct cl_space *space, struct cl_obj *obj, const char *s,
                               uint32_t len) {
  if (obj->index) {
    uint32_t at = cl_obj_index_find(space, obj, (struct cl_str){s, len});
    return at < obj->n ? &obj->e[at].val : NULL;
  }
  for (uint32_t i = 0; i < obj->n; i++) {
    const struct cl_sym *key = cl_space_sym_at(space, obj->e[i].sym);
    if (key->len == len && memcmp(key->text, s, len) == 0)
      return &obj->e[i].val;
  }
  return NULL;
}

struct cl_val *cl_ffi_struct_find(struct cl_struct *st, const char *s, uint32_t len) {
  for (uint32_t i = 0; i < st->n; i++) {
    struct cl_str name = st->schema->fields[i].name;
    if (name.len == len && memcmp(name.p, s, len) == 0)
      return &st->v[i];
  }
  return NULL;
}

static int put(struct cl_batch *batch, struct cl_val *out, enum cl_kind kind, const char *s, uint32_t len) {
  char *copy = cl_arena_copy(batch->arena, s, len);
  if (!copy)
    return cl_err_set(cl_ffi_err(), CL_ENOMEM, "no memory for a value of %u bytes", len);
  *out = (struct cl_val){.kind = (uint8_t)kind, .len = len, .s = copy};
  return 0;
}

/* A Lua string is any bytes; a CL_STRING is text, so what is no UTF-8 is repaired. */
int cl_ffi_put_string(struct cl_batch *batch, struct cl_val *out, const char *s, uint32_t len) {
  if (cl_utf8_valid(s, len))
    return put(batch, out, CL_STRING, s, len);
  size_t max = cl_utf8_repair_max(len);
  char *text = max <= UINT32_MAX ? cl_arena_alloc(batch->arena, max) : NULL;
  if (!text)
    return cl_err_set(cl_ffi_err(), CL_ENOMEM, "no memory for a value of %u bytes", len);
  *out = (struct cl_val){.kind = CL_STRING, .s = text};
  out->len = (uint32_t)cl_utf8_repair(s, len, text);
  return 0;
}

int cl_ffi_put_bytes(struct cl_batch *batch, struct cl_val *out, const char *s, uint32_t len) {
  return put(batch, out, CL_BYTES, s, len);
}

const struct cl_charset *cl_ffi_charset(const char *name, uint32_t len) { return cl_charset_find(name, len); }

int cl_ffi_string_decode(struct cl_batch *batch, struct cl_datum *d, const struct cl_charset *charset) {
  return cl_string_decode(batch, d, charset, cl_ffi_err());
}

int cl_ffi_string_encode(struct cl_batch *batch, struct cl_datum *d, const struct cl_charset *charset) {
  return cl_string_encode(batch, d, charset, cl_ffi_err());
}

int cl_ffi_primitive_decode(struct cl_batch *batch, struct cl_datum *d, int type) {
  return cl_primitive_decode(batch, d, (enum cl_type)type, cl_ffi_err());
}

int cl_ffi_primitive_encode(struct cl_batch *batch, struct cl_datum *d, int type) {
  return cl_primitive_encode(batch, d, (enum cl_type)type, cl_ffi_err());
}

int cl_ffi_header_decode(struct cl_batch *batch, struct cl_datum *d) {
  return cl_header_decode(batch, d, cl_ffi_err());
}

int cl_ffi_header_encode(struct cl_batch *batch, struct cl_datum *d) {
  return cl_header_encode(batch, d, cl_ffi_err());
}

int cl_ffi_bytes_decode(struct cl_batch *batch, struct cl_datum *d) {
  return cl_bytes_decode(batch, d, cl_ffi_err());
}

int cl_ffi_bytes_encode(struct cl_batch *batch, struct cl_datum *d) {
  return cl_bytes_encode(batch, d, cl_ffi_err());
}

int cl_ffi_json_decode(struct cl_json *json, struct cl_batch *batch, struct cl_datum *d) {
  return cl_json_decode(json, batch, d, cl_ffi_err());
}

int cl_ffi_json_encode(struct cl_json *json, struct cl_batch *batch, struct cl_datum *d) {
  return cl_json_encode(json, batch, d, cl_ffi_err());
}

int cl_ffi_text(struct cl_batch *batch, const struct cl_val *v, struct cl_str *out) {
  return cl_text_of(batch, v, out, cl_ffi_err());
}
