/* SPDX-License-Identifier: Apache-2.0
 * Java's toString of values. Thread: the task's. */
#include "record/codec.h"

int cl_text_of(struct cl_batch *b, const struct cl_val *v, struct cl_str *out, struct cl_err *err) {
  (void)b;
  if (v->kind == CL_STRING) {
    *out = (struct cl_str){v->s, v->len};
    return 0;
  }
  return cl_err_set(err, CL_EUNSUPPORTED, "text of values is not built yet");
}
