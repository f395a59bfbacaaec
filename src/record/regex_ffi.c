/* SPDX-License-Identifier: Apache-2.0
 * Regular expressions as transforms call them by FFI. Thread: the task's. */
#include "base/arena.h"
#include "base/regex.h"
#include "record/codec.h"

int cl_ffi_regex_matches(struct cl_regex *regex, const char *s, uint32_t len) {
  return cl_regex_match(regex, s, len, cl_ffi_err());
}

int cl_ffi_regex_replace_first(struct cl_regex *regex, struct cl_batch *batch, const struct cl_str *s,
                               const char *replacement, uint32_t len, struct cl_str *out) {
  const struct cl_buf *text;
  int rc = cl_regex_replace_first(regex, s->p, s->len, replacement, len, &text, cl_ffi_err());
  if (rc < 0)
    return rc;
  *out = *s;
  if (rc == 0)
    return 0;
  char *copy = cl_arena_copy(batch->arena, text->p, text->len);
  if (!copy)
    return cl_err_set(cl_ffi_err(), CL_ENOMEM, "no memory for a text of %zu bytes", text->len);
  *out = (struct cl_str){copy, (uint32_t)text->len};
  return 0;
}
