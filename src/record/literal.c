/* SPDX-License-Identifier: Apache-2.0
 * InsertHeader: a text read once, for all records of a task. Thread: the task's. */
#include "base/arena.h"
#include "record/codec.h"
#include "record/space.h"
#include "record/value.h"
#include "record/values.h"

const struct cl_datum *cl_ffi_literal(struct cl_batch *batch, const char *s, uint32_t len) {
  struct cl_arena *arena = cl_space_arena(batch->space);
  struct cl_datum read = {.val = {.kind = CL_NULL}}, *out = cl_arena_zalloc(arena, sizeof(*out));
  struct cl_str text = {cl_arena_copy(batch->arena, s, len), len};
  if (!out || !text.p) {
    cl_err_set(cl_ffi_err(), CL_ENOMEM, "no memory left in the batch");
    return NULL;
  }
  if (cl_values_parse(batch, text, &read, cl_ffi_err()) != 0)
    return NULL;
  if (!cl_value_keep(batch->space, arena, &read.val, &out->val)) {
    cl_err_set(cl_ffi_err(), CL_ENOMEM, "no memory left in the batch");
    return NULL;
  }
  if (out->val.kind == CL_MISSING)
    out->val.kind = CL_NULL;
  out->schema = read.schema;
  return out;
}
