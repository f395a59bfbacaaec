/* SPDX-License-Identifier: Apache-2.0
 * SimpleHeaderConverter. Thread: the task's. */
#include "base/arena.h"
#include "record/batch.h"
#include "record/charset.h"
#include "record/space.h"
#include "record/values.h"

int cl_header_decode(struct cl_batch *b, struct cl_datum *d, struct cl_err *err) {
  struct cl_str text;
  d->val = (struct cl_val){.kind = CL_NULL};
  d->schema = NULL;
  if (!d->bytes.p)
    return 0;
  int rc = cl_charset_decode(cl_charset_utf8(), b->arena, d->bytes, &text, err);
  if (rc == 0)
    rc = cl_values_parse(b, text, d, err);
  if (rc != CL_EDATA)
    return rc;
  /* Whatever the parser throws, Connect goes on with the bytes. */
  d->val = (struct cl_val){.kind = CL_BYTES, .len = d->bytes.len, .s = d->bytes.p};
  d->schema = cl_space_primitive(b->space, CL_TYPE_BYTES, false);
  return d->schema ? 0 : cl_err_set(err, CL_ENOMEM, "no memory for a header");
}

int cl_header_encode(struct cl_batch *b, struct cl_datum *d, struct cl_err *err) {
  struct cl_str text;
  d->bytes = (struct cl_str){0};
  if (cl_values_text(b, &d->val, &text, err) != 0)
    return err->code;
  return text.p ? cl_charset_encode(cl_charset_utf8(), b->arena, text, &d->bytes, err) : 0;
}
