/* SPDX-License-Identifier: Apache-2.0
 * JsonConverter. Thread: the task's. */
#include <stdlib.h>

#include "record/codec.h"

struct cl_json {
  struct cl_space *space;
};

struct cl_json *cl_json_new(struct cl_space *space, const struct cl_json_conf *conf, struct cl_err *err) {
  (void)conf;
  struct cl_json *j = calloc(1, sizeof(*j));
  if (j)
    j->space = space;
  else
    cl_err_set(err, CL_ENOMEM, "no memory for a converter");
  return j;
}
void cl_json_free(struct cl_json *j) { free(j); }
int cl_json_decode(struct cl_json *j, struct cl_batch *b, struct cl_datum *d, struct cl_err *err) {
  (void)j, (void)b, (void)d;
  return cl_err_set(err, CL_EUNSUPPORTED, "not built yet");
}
int cl_json_encode(struct cl_json *j, struct cl_batch *b, struct cl_datum *d, struct cl_err *err) {
  (void)j, (void)b, (void)d;
  return cl_err_set(err, CL_EUNSUPPORTED, "not built yet");
}
int cl_json_read(struct cl_batch *b, const char *p, size_t len, struct cl_val *out, struct cl_err *err) {
  (void)b, (void)p, (void)len, (void)out;
  return cl_err_set(err, CL_EUNSUPPORTED, "not built yet");
}
int cl_json_write(struct cl_batch *b, const struct cl_val *v, bool java_order, struct cl_buf *out, struct cl_err *err) {
  (void)b, (void)v, (void)java_order, (void)out;
  return cl_err_set(err, CL_EUNSUPPORTED, "not built yet");
}
void cl_json_write_text(struct cl_buf *out, const char *p, size_t len) {
  cl_buf_char(out, '"');
  cl_buf_add(out, p, len);
  cl_buf_char(out, '"');
}
