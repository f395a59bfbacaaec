/* SPDX-License-Identifier: Apache-2.0
 * Lines of a file or of standard input as records: what `connect-lua run` feeds a sink. */
#include "cli/run_plugin.h"

#include "base/buf.h"
#include "kafka/producer.h"
#include "record/batch.h"
#include "record/space.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 65536, LINE_MAX_BYTES = 1 << 20, DELIVERY_MS = 100 };

struct cl_feed {
  struct cl_feed_conf conf;
  struct cl_space *space;
  struct cl_batch_pool *pool; /* batches of one record, each alive until it is delivered */
  struct cl_producer *producer;
  struct cl_buf rest; /* read, and no whole line yet */
  int64_t count;
  bool ended;           /* the input */
  bool held;            /* rest has lines that the producer had no room for */
  struct cl_err failed; /* the first record that was not delivered */
};

static void on_delivered(void *arg, struct cl_record *rec, int code, const char *text, int32_t partition,
                         int64_t offset) {
  struct cl_feed *f = arg;
  (void)partition, (void)offset;
  if (code != 0 && code != CL_ESTOPPED && f->failed.code == 0)
    cl_err_set(&f->failed, CL_EKAFKA, "a line was not written: %s", text);
  cl_batch_unref(rec->batch);
}

static int open_producer(struct cl_feed *f, struct cl_err *err) {
  json_t *client = NULL, *config = json_object();
  int rc = cl_worker_client_conf(f->conf.worker->conf, CL_CLIENT_PRODUCER, "connect-lua-run", 0, config,
                                 &client, err);
  struct cl_producer_conf conf = {.client = client,
                                  .embedded = f->conf.worker->embedded,
                                  .events = {.delivered = on_delivered},
                                  .arg = f};
  if (rc == 0)
    rc = cl_producer_open(&conf, &f->producer, err);
  json_decref(client);
  json_decref(config);
  return rc;
}

int cl_feed_open(const struct cl_feed_conf *conf, struct cl_feed **out, struct cl_err *err) {
  struct cl_feed *f = calloc(1, sizeof(*f));
  *out = NULL;
  if (!f)
    return cl_err_set(err, CL_ENOMEM, "no memory");
  f->conf = *conf;
  f->space = cl_space_new(NULL);
  f->pool = f->space ? cl_batch_pool_new(f->space, NULL, 1) : NULL;
  int rc = f->pool ? open_producer(f, err) : cl_err_set(err, CL_ENOMEM, "no memory");
  if (rc == 0)
    *out = f;
  else
    cl_feed_close(f);
  return rc;
}

/* CL_EAGAIN: not now. */
static int send_line(struct cl_feed *f, const char *line, size_t n, struct cl_err *err) {
  struct cl_batch *batch = cl_batch_get(f->pool);
  struct cl_record *rec = batch ? cl_batch_add(batch) : NULL;
  const char *copy = rec ? cl_arena_copy(batch->arena, line, n) : NULL;
  if (!copy) {
    if (batch)
      cl_batch_unref(batch);
    return cl_err_set(err, CL_ENOMEM, "no memory for a line");
  }
  rec->topic = (struct cl_str){f->conf.topic, (uint32_t)strlen(f->conf.topic)};
  rec->value.bytes = (struct cl_str){copy, (uint32_t)n};
  int rc = cl_producer_send(f->producer, rec, err);
  if (rc == 0)
    f->count++;
  else
    cl_batch_unref(batch);
  return rc;
}

static bool is_full(const struct cl_feed *f) { return f->conf.max > 0 && f->count >= f->conf.max; }

/* What is in rest: its whole lines, and its last one too when nothing follows. What the producer has no room
 * for is held until the next turn: whoever calls looks at signals in between. */
static int send_lines(struct cl_feed *f, struct cl_err *err) {
  char *p = f->rest.p, *end = p + f->rest.len;
  int rc = 0;
  while (rc == 0 && p < end && !is_full(f)) {
    char *stop = memchr(p, '\n', (size_t)(end - p));
    if (!stop && !f->ended && end - p < LINE_MAX_BYTES)
      break;
    if (!stop && end - p >= LINE_MAX_BYTES)
      return cl_err_set(err, CL_EINVAL, "a line is longer than %d bytes", LINE_MAX_BYTES);
    rc = send_line(f, p, (size_t)((stop ? stop : end) - p), err);
    if (rc == CL_EAGAIN)
      break;
    p = stop ? stop + 1 : end;
  }
  f->held = rc == CL_EAGAIN;
  size_t left = (size_t)(end - p);
  if (left)
    memmove(f->rest.p, p, left);
  f->rest.len = left;
  return f->held ? 0 : rc;
}

int cl_feed_some(struct cl_feed *f, struct cl_err *err) {
  static char chunk[CHUNK];
  struct pollfd ready = {.fd = f->conf.fd, .events = POLLIN};
  cl_producer_poll(f->producer, 0);
  if (f->failed.code != 0) {
    *err = f->failed;
    return err->code;
  }
  if (f->held)
    return send_lines(f, err);
  if (cl_feed_ended(f) || poll(&ready, 1, 0) <= 0)
    return 0;
  ssize_t n = read(f->conf.fd, chunk, sizeof(chunk));
  if (n < 0 && errno != EAGAIN && errno != EINTR)
    return cl_err_set(err, CL_EIO, "the input cannot be read: %s", strerror(errno));
  if (n > 0)
    cl_buf_add(&f->rest, chunk, (size_t)n);
  if (f->rest.failed)
    return cl_err_set(err, CL_ENOMEM, "no memory for a line");
  f->ended = n == 0;
  return f->rest.len ? send_lines(f, err) : 0;
}

int64_t cl_feed_count(const struct cl_feed *f) { return f->count; }
bool cl_feed_ended(const struct cl_feed *f) { return is_full(f) || (f->ended && !f->held); }

void cl_feed_close(struct cl_feed *f) {
  if (!f)
    return;
  if (f->producer)
    cl_producer_close(f->producer, DELIVERY_MS);
  cl_batch_pool_free(f->pool);
  if (f->space)
    cl_space_free(f->space);
  cl_buf_free(&f->rest);
  free(f);
}
