/* SPDX-License-Identifier: Apache-2.0
 *
 * Containers made and changed in a batch's arena: what views, transforms and converters
 * build values with. The cl_ffi_* functions are in include/connect_lua/abi.h.
 * Thread: the task's.
 */
#pragma once

#include "connect_lua/abi_c.h"

#include "base/err.h"

#include <stddef.h>

/* Whether Connect's API takes the value for the schema (ConnectSchema.validateValue): 0, or
 * CL_EDATA. field NULL = a bare value, which messages call "value". */
int cl_value_fits(const struct cl_val *v, const struct cl_schema *schema, const struct cl_str *field,
                  struct cl_err *err);

/* The object's entries in the order in which its HashMap gives them; a LinkedHashMap keeps its own.
 * CL_ENOMEM, told in cl_ffi_err. */
int cl_obj_take_java_order(struct cl_batch *b, struct cl_obj *obj);

/* "STRING" or "my.Name:STRING", as snprintf writes it. */
int cl_schema_text(const struct cl_schema *s, char *out, size_t size);

/* The type's name in capitals, as messages have it: "INT32". */
const char *cl_type_name(enum cl_type type);

/* The same of the schema's type alone: its name may ask for another class. For a null, a simple value or an
 * empty container; the schema's parts are not looked at. */
int cl_value_is_of(const struct cl_val *v, const struct cl_schema *schema, const struct cl_str *field,
                   struct cl_err *err);

/* CL_EDATA unless shape is for structs like from, told in cl_ffi_err, as all below. */
int cl_shape_refuse(const struct cl_shape *shape, const struct cl_struct *from);
/* What cl_ffi_reshape checks of a value whose schemas differ; containers become the field's own. */
int cl_shape_field_fits(struct cl_batch *batch, const struct cl_field *f, struct cl_val *v);
/* Field i of the struct that shape makes of from, where that one's is null. */
int cl_shape_null(struct cl_batch *batch, const struct cl_shape *shape, uint32_t i,
                  const struct cl_struct *from, struct cl_val *out);

/* Field i of the struct that shape makes of from, as cl_ffi_reshape does it, unchecked. */
static inline int cl_shape_field(struct cl_batch *batch, const struct cl_shape *shape, uint32_t i,
                                 const struct cl_struct *from, struct cl_val *out) {
  enum { AS_THEY_ARE = 2 };
  int32_t at = shape->source[i].at;
  if (at < 0)
    return 0;
  if (from->v[at].kind <= CL_NULL && shape->nulls != AS_THEY_ARE)
    return cl_shape_null(batch, shape, i, from, out);
  *out = from->v[at];
  return 0;
}
