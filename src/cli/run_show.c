/* SPDX-License-Identifier: Apache-2.0
 * The records of the embedded broker on standard output: what `connect-lua run` shows. */
#include "cli/run_plugin.h"

#include "base/utf8.h"
#include "kafka/consumer.h"
#include "record/base64.h"
#include "record/batch.h"
#include "record/space.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 500, TOPICS_MS = 100 };

struct cl_show {
  struct cl_show_conf conf;
  struct cl_space *space;
  struct cl_batch_pool *pool;
  struct cl_consumer *consumer;
  int64_t count;
};

/* A topic more deals all partitions anew: reading goes on where it was. */
static int on_assigned(void *arg, const uint32_t *slots, size_t n, struct cl_err *err) {
  struct cl_show *s = arg;
  uint32_t all;
  (void)err;
  struct cl_slot *v = s->consumer ? cl_consumer_slots(s->consumer, &all) : NULL;
  for (size_t i = 0; v && i < n; i++)
    if (v[slots[i]].current > 0)
      v[slots[i]].start = v[slots[i]].current;
  return 0;
}

static int on_revoked(void *arg, const uint32_t *slots, size_t n, bool lost, struct cl_err *err) {
  (void)arg, (void)slots, (void)n, (void)lost, (void)err;
  return 0;
}

static void on_committed(void *arg, uint64_t seq, int code, const char *text) {
  (void)arg, (void)seq, (void)code, (void)text;
}

static int open_consumer(struct cl_show *s, struct cl_err *err) {
  const struct cl_worker *w = s->conf.worker;
  json_t *client = NULL, *config = json_object();
  int rc = cl_worker_client_conf(w->conf, CL_CLIENT_CONSUMER, "connect-lua-run", 0, config, &client, err);
  struct cl_consumer_conf conf = {.client = client,
                                  .topics_regex = ".*",
                                  .tasks = 1,
                                  .metadata_max_age_ms = TOPICS_MS,
                                  .embedded = w->embedded,
                                  .budget = w->budget,
                                  .events = {on_assigned, on_revoked, on_committed},
                                  .arg = s};
  if (rc == 0)
    rc = cl_consumer_open(&conf, &s->consumer, err);
  json_decref(client);
  json_decref(config);
  return rc;
}

int cl_show_open(const struct cl_show_conf *conf, struct cl_show **out, struct cl_err *err) {
  struct cl_show *s = calloc(1, sizeof(*s));
  *out = NULL;
  if (!s)
    return cl_err_set(err, CL_ENOMEM, "no memory");
  s->conf = *conf;
  s->space = cl_space_new(NULL);
  s->pool = s->space ? cl_batch_pool_new(s->space, NULL, AT_ONCE) : NULL;
  int rc = s->pool ? open_consumer(s, err) : cl_err_set(err, CL_ENOMEM, "no memory");
  if (rc == 0)
    *out = s;
  else
    cl_show_close(s);
  return rc;
}

/* --------------------------------------------------------------------- printing */

/* Text; what cannot be shown, and what would not stay one line, is escaped. */
static void print_bytes(struct cl_str s) {
  if (!s.p) {
    fputs("null", stdout);
    return;
  }
  bool text = cl_utf8_valid(s.p, s.len);
  for (uint32_t i = 0; i < s.len; i++) {
    unsigned char c = (unsigned char)s.p[i];
    if (c == '\n')
      fputs("\\n", stdout);
    else if (c < 0x20 || c == 0x7f || (c >= 0x80 && !text))
      printf("\\x%02x", c);
    else
      putchar(c);
  }
}

static void print_text(const struct cl_record *r) {
  printf("%.*s-%d@%lld  ", (int)r->topic.len, r->topic.p, (int)r->partition, (long long)r->offset);
  print_bytes(r->key.bytes);
  fputs("  ", stdout);
  print_bytes(r->value.bytes);
  for (uint32_t i = 0; i < r->n_headers; i++) {
    fputs(i ? ", " : "  (", stdout);
    print_bytes(r->headers[i].name);
    fputs(": ", stdout);
    print_bytes(r->headers[i].d.bytes);
  }
  fputs(r->n_headers ? ")\n" : "\n", stdout);
}

/* A string, null, or {"b64"} for what is no text. */
static json_t *json_bytes(struct cl_str s) {
  if (!s.p)
    return json_null();
  json_t *text = json_stringn(s.p, s.len);
  if (text)
    return text;
  char *b64 = calloc(1, cl_base64_length(s.len) + 1);
  if (!b64)
    return NULL;
  cl_base64_encode(s.p, s.len, b64);
  text = json_pack("{s:s}", "b64", b64);
  free(b64);
  return text;
}

static void print_json(const struct cl_record *r) {
  json_t *headers = json_array();
  for (uint32_t i = 0; i < r->n_headers; i++)
    json_array_append_new(
        headers, json_pack("[o,o]", json_bytes(r->headers[i].name), json_bytes(r->headers[i].d.bytes)));
  json_t *out = json_pack("{s:o,s:i,s:I,s:o,s:o,s:o,s:o}", "topic", json_bytes(r->topic), "partition",
                          (int)r->partition, "offset", (json_int_t)r->offset, "timestamp",
                          r->timestamp == INT64_MIN ? json_null() : json_integer(r->timestamp), "key",
                          json_bytes(r->key.bytes), "value", json_bytes(r->value.bytes), "headers", headers);
  char *text = out ? json_dumps(out, JSON_COMPACT) : NULL;
  puts(text ? text : "{\"error\":\"no memory\"}");
  free(text);
  json_decref(out);
}

static bool counts(const struct cl_show *s, const struct cl_record *r) {
  const char *topic = s->conf.counted;
  return !topic || (r->topic.len == strlen(topic) && memcmp(r->topic.p, topic, r->topic.len) == 0);
}

static void show(struct cl_show *s, const struct cl_record *r) {
  if (s->conf.max > 0 && s->count >= s->conf.max)
    return;
  if (s->conf.json)
    print_json(r);
  else
    print_text(r);
  s->count += counts(s, r);
}

int cl_show_some(struct cl_show *s, int64_t timeout_ms, uint32_t *n, struct cl_err *err) {
  struct cl_batch *batch = cl_batch_get(s->pool);
  *n = 0;
  if (!batch)
    return cl_err_set(err, CL_ENOMEM, "no memory for records");
  int rc = cl_consumer_poll(s->consumer, batch, AT_ONCE, timeout_ms, err);
  uint32_t all;
  struct cl_slot *slots = cl_consumer_slots(s->consumer, &all);
  for (uint32_t i = 0; rc == 0 && i < batch->n; i++) {
    const struct cl_record *r = &batch->records[i];
    slots[r->slot].current = r->offset + 1;
    show(s, r);
  }
  if (batch->n)
    fflush(stdout);
  *n = rc == 0 ? batch->n : 0;
  cl_batch_unref(batch);
  return rc;
}

int64_t cl_show_count(const struct cl_show *s) { return s->count; }

void cl_show_close(struct cl_show *s) {
  if (!s)
    return;
  if (s->consumer)
    cl_consumer_close(s->consumer);
  cl_batch_pool_free(s->pool);
  if (s->space)
    cl_space_free(s->space);
  free(s);
}
