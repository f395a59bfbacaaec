/* SPDX-License-Identifier: Apache-2.0
 *
 * Containers made and changed in a batch's arena: what views, transforms and converters
 * build values with. The cl_ffi_* functions are in include/connect_lua/abi.h.
 * Thread: the task's.
 */
#pragma once

#include "connect_lua/abi_c.h"

#include "base/err.h"

/* Whether Connect's API takes the value for the schema (ConnectSchema.validateValue): 0, or
 * CL_EDATA. field NULL = a bare value, which messages call "value". */
int cl_value_fits(const struct cl_val *v, const struct cl_schema *schema, const struct cl_str *field,
                  struct cl_err *err);

/* The object's entries in the order in which its HashMap gives them; a LinkedHashMap keeps its own.
 * CL_ENOMEM, told in cl_ffi_err. */
int cl_obj_take_java_order(struct cl_batch *b, struct cl_obj *obj);

/* The type's name in capitals, as messages have it: "INT32". */
const char *cl_type_name(enum cl_type type);

/* Field i of the struct that shape makes of from, as cl_ffi_reshape does it. */
int cl_shape_field(struct cl_batch *batch, const struct cl_shape *shape, uint32_t i,
                   const struct cl_struct *from, struct cl_val *out);
