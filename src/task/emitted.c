/* SPDX-License-Identifier: Apache-2.0
 *
 * A source's record as poll emitted it, as JSON for the log and for dead letters.
 * Thread: the task's. May include floors 4-0.
 */
#include "task/policy.h"

#include "base/buf.h"
#include "record/codec.h"

#include <inttypes.h>

static int open_json(struct cl_policy *p, struct cl_err *err) {
  struct cl_json_conf conf = {.schemas_cache_size = 1000, .decimal_numeric = true};
  if (!p->json)
    p->json = cl_json_new(p->t->space, &conf, err);
  return p->json ? 0 : err->code;
}

/* What cannot be written is told in its place: the letter is there to tell what went wrong. */
static void put_datum(struct cl_policy *p, struct cl_batch *b, const struct cl_datum *d, struct cl_buf *out) {
  struct cl_datum copy = {.val = d->val, .schema = d->schema};
  struct cl_err err = CL_ERR_INIT;
  if (cl_json_encode(p->json, b, &copy, &err) != 0)
    cl_json_write_text(out, err.msg, strlen(err.msg));
  else if (copy.bytes.p)
    cl_buf_add(out, copy.bytes.p, copy.bytes.len);
  else
    cl_buf_str(out, "null");
}

static void put_headers(struct cl_policy *p, const struct cl_record *rec, struct cl_buf *out) {
  cl_buf_char(out, '[');
  for (uint32_t i = 0; i < rec->n_headers; i++) {
    cl_buf_str(out, i ? ",{\"name\":" : "{\"name\":");
    cl_json_write_text(out, rec->headers[i].name.p, rec->headers[i].name.len);
    cl_buf_str(out, ",\"value\":");
    put_datum(p, rec->batch, &rec->headers[i].d, out);
    cl_buf_char(out, '}');
  }
  cl_buf_char(out, ']');
}

static int put_offset(const struct cl_record *rec, struct cl_buf *out, struct cl_err *err) {
  if (rec->source_offset.kind != CL_INT)
    return cl_json_write(rec->batch, &rec->source_offset, true, out, err);
  cl_buf_char(out, '{');
  cl_json_write_text(out, rec->batch->offset_name.p, rec->batch->offset_name.len);
  cl_buf_fmt(out, ":%" PRId64 "}", rec->source_offset.i);
  return 0;
}

static void put_number(struct cl_buf *out, const char *name, bool there, int64_t n) {
  if (there)
    cl_buf_fmt(out, ",\"%s\":%" PRId64, name, n);
  else
    cl_buf_fmt(out, ",\"%s\":null", name);
}

int cl_policy_emitted(struct cl_policy *p, struct cl_record *failed, const char *partition,
                      struct cl_buf *out, struct cl_err *err) {
  struct cl_batch *b = failed->batch;
  const struct cl_record *rec = b->emitted ? &b->emitted[failed - b->records] : failed;
  if (open_json(p, err) != 0)
    return err->code;
  cl_buf_str(out, "{\"topic\":");
  cl_json_write_text(out, failed->orig_topic.p, failed->orig_topic.len);
  put_number(out, "partition", failed->orig_partition >= 0, failed->orig_partition);
  cl_buf_str(out, ",\"key\":");
  put_datum(p, b, &rec->key, out);
  cl_buf_str(out, ",\"value\":");
  put_datum(p, b, &rec->value, out);
  cl_buf_str(out, ",\"headers\":");
  put_headers(p, rec, out);
  put_number(out, "timestamp", rec->timestamp != INT64_MIN, rec->timestamp);
  cl_buf_fmt(out, ",\"source_partition\":%s,\"source_offset\":", partition);
  int rc = put_offset(rec, out, err);
  cl_buf_char(out, '}');
  if (rc == 0 && out->failed)
    rc = cl_err_set(err, CL_ENOMEM, "no memory for a dead letter");
  return rc;
}
