/* SPDX-License-Identifier: Apache-2.0
 * StringConverter and ByteArrayConverter. Thread: the task's. */
#include <string.h>

#include "base/utf8.h"
#include "record/build.h"
#include "record/charset.h"
#include "record/codec.h"
#include "record/space.h"
#include "record/value.h"

static int no_memory(struct cl_err *err) { return cl_err_set(err, CL_ENOMEM, "no memory for a record"); }

int cl_string_decode(struct cl_batch *b, struct cl_datum *d, const struct cl_charset *cs,
                     struct cl_err *err) {
  struct cl_str text = {0};
  d->schema = cl_space_primitive(b->space, CL_TYPE_STRING, true);
  if (!d->schema)
    return no_memory(err);
  if (d->bytes.p && cl_charset_decode(cs, b->arena, d->bytes, &text, err) != 0)
    return err->code;
  d->val = (struct cl_val){.kind = d->bytes.p ? CL_STRING : CL_NULL, .len = text.len, .s = text.p};
  return 0;
}

int cl_string_encode(struct cl_batch *b, struct cl_datum *d, const struct cl_charset *cs,
                     struct cl_err *err) {
  d->bytes = (struct cl_str){0};
  if (cl_value_is_null(&d->val))
    return 0;
  int rc = cl_text_of(b, &d->val, &d->bytes, err);
  bool clean = d->val.kind == CL_STRING && d->val.flags & CL_VAL_CLEAN && cl_charset_is_utf8(cs);
  if (rc == 0 && !clean)
    rc = cl_charset_encode(cs, b->arena, d->bytes, &d->bytes, err);
  if (rc == 0 && !d->bytes.p)
    d->bytes.p = ""; /* empty, not absent */
  return rc;
}

int cl_bytes_decode(struct cl_batch *b, struct cl_datum *d, struct cl_err *err) {
  d->schema = cl_space_primitive(b->space, CL_TYPE_BYTES, true);
  if (!d->schema)
    return no_memory(err);
  if (d->bytes.p)
    d->val = (struct cl_val){.kind = CL_BYTES, .len = d->bytes.len, .s = d->bytes.p};
  else
    d->val = (struct cl_val){.kind = CL_NULL};
  return 0;
}

int cl_bytes_encode(struct cl_batch *b, struct cl_datum *d, struct cl_err *err) {
  (void)b;
  d->bytes = (struct cl_str){0};
  if (d->schema && d->schema->type != CL_TYPE_BYTES) {
    cl_err_set(err, CL_EDATA, "Invalid schema type for ByteArrayConverter: %s",
               cl_type_name(d->schema->type));
    err->class = CL_JAVA_DATA;
    return CL_EDATA;
  }
  if (cl_value_is_null(&d->val))
    return 0;
  if (d->val.kind != CL_BYTES) {
    cl_err_set(err, CL_EDATA, "ByteArrayConverter is not compatible with objects of type class %s",
               cl_value_class(&d->val));
    err->class = CL_JAVA_DATA;
    return CL_EDATA;
  }
  d->bytes = (struct cl_str){d->val.len ? d->val.s : "", d->val.len};
  return 0;
}
