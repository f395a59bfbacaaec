/* SPDX-License-Identifier: Apache-2.0
 * JsonConverter: options, the envelope, and a small cache of JSON schemas by their bytes.
 * Thread: the task's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "record/codec.h"
#include "record/json_in.h"
#include "record/json_typed.h"
#include "record/space.h"

enum {
  CACHE = 8,              /* schemas remembered by their text, last used first */
  CACHE_TEXT = 256 << 10, /* longer ones are read each time */
  OUT_MAX = 1 << 30,      /* bytes of one value; Kafka refuses far smaller ones */
  OUT_KEEP = 1 << 20      /* a buffer grown beyond this is given back */
};

#define NO_ENVELOPE                                                                                          \
  "JsonConverter with schemas.enable requires \"schema\" and \"payload\" fields and may not contain "        \
  "additional fields. If you are trying to deserialize plain JSON data, set schemas.enable=false in your "   \
  "converter configuration."

struct cached {
  char *text; /* malloc'd JSON object */
  size_t len;
  const struct cl_schema *schema;
};

struct cl_json {
  struct cl_space *space;
  struct cl_json_conf conf;
  struct cl_json_words words;
  const struct cl_schema *content; /* schema.content */
  struct cached cache[CACHE];
  uint16_t newest; /* cl_space_newest when the cache was empty */
  struct cl_buf out;
};

static int read_content(struct cl_json *j, const char *text, struct cl_err *err) {
  struct cl_val json;
  struct cl_batch b = {.space = j->space, .arena = cl_arena_new(NULL)};
  if (!b.arena)
    return cl_err_set(err, CL_ENOMEM, "no memory for schema.content");
  uint16_t was = cl_space_set_lasting(j->space, 2);
  int rc = cl_json_read(&b, text, strlen(text), &json, err);
  if (rc == CL_EDATA) {
    char cause[512];
    snprintf(cause, sizeof(cause), "%.500s", err->msg);
    cl_json_data_error(err, NULL, "Failed to parse schema in converter config due to serialization error: ");
    snprintf(err->trace, sizeof(err->trace),
             "Caused by: org.apache.kafka.common.errors.SerializationException: %s", cause);
  } else if (rc == 0) {
    struct cl_json_typed t = {
        .b = &b, .err = err, .words = &j->words, .null_to_default = j->conf.replace_null_with_default};
    rc = cl_json_read_schema(&t, &json, &j->content);
  }
  cl_space_set_lasting(j->space, was);
  cl_arena_free(b.arena);
  return rc;
}

static bool is_blank(const char *s) { return s[strspn(s, " \t\r\n\f\v")] == '\0'; }

struct cl_json *cl_json_new(struct cl_space *space, const struct cl_json_conf *conf, struct cl_err *err) {
  struct cl_json *j = calloc(1, sizeof(*j));
  if (!j || !cl_json_words_init(&j->words, space)) {
    cl_err_set(err, CL_ENOMEM, "no memory for a converter");
    goto fail;
  }
  j->space = space;
  j->conf = *conf;
  j->conf.schema_content = NULL; /* the caller's text is not kept */
  j->out.max = OUT_MAX;
  if (conf->schema_content && !is_blank(conf->schema_content) &&
      read_content(j, conf->schema_content, err) != 0)
    goto fail;
  return j;
fail:
  cl_json_free(j);
  return NULL;
}

static void forget(struct cl_json *j) {
  for (int i = 0; i < CACHE; i++)
    free(j->cache[i].text);
  memset(j->cache, 0, sizeof(j->cache));
}

void cl_json_free(struct cl_json *j) {
  if (!j)
    return;
  forget(j);
  cl_buf_free(&j->out);
  free(j);
}

/* --------------------------------------------------------- schema cache */

static void move_to_front(struct cl_json *j, int i) {
  struct cached hit = j->cache[i];
  memmove(&j->cache[1], &j->cache[0], (size_t)i * sizeof(hit));
  j->cache[0] = hit;
}

/* A cached text that the input goes on with. It is a whole JSON object, so nothing that
 * follows can belong to it. */
static bool from_cache(struct cl_json *j, struct cl_json_in *in, const struct cl_schema **schema) {
  size_t left = (size_t)(in->end - in->p);
  for (int i = 0; i < CACHE && j->cache[i].text; i++) {
    const struct cached *c = &j->cache[i];
    if (c->len <= left && memcmp(c->text, in->p, c->len) == 0) {
      *schema = c->schema;
      in->p += c->len;
      if (i)
        move_to_front(j, i);
      return true;
    }
  }
  return false;
}

static void remember(struct cl_json *j, const char *p, size_t len, const struct cl_schema *schema) {
  if (len == 0 || *p != '{' || len > CACHE_TEXT || j->conf.schemas_cache_size <= 0)
    return;
  char *text = malloc(len);
  if (!text)
    return; /* it will be read again, that is all */
  memcpy(text, p, len);
  free(j->cache[CACHE - 1].text);
  j->cache[CACHE - 1] = (struct cached){text, len, schema};
  move_to_front(j, CACHE - 1);
}

/* -------------------------------------------------------------- reading */

struct envelope {
  bool has_schema, has_payload, other;
  const struct cl_schema *schema; /* when cached; else tree and text */
  bool cached;
  struct cl_val tree, payload;
  const char *text;
  size_t text_len;
  const char *payload_at;
};

static int read_member(struct cl_json *j, struct cl_json_in *in, uint32_t key, struct envelope *e) {
  struct cl_val ignored;
  cl_json_in_peek(in);
  if (key == j->words.schema) {
    e->has_schema = true;
    e->cached = from_cache(j, in, &e->schema);
    if (e->cached)
      return 0;
    e->text = in->p;
    int rc = cl_json_in_value(in, 1, key, &e->tree);
    e->text_len = (size_t)(in->p - e->text);
    return rc;
  }
  if (key == j->words.payload) {
    e->has_payload = true;
    e->payload_at = in->p;
    /* Only a schemaless payload cuts integers to 64 bits. */
    in->narrow = e->has_schema && !e->cached && e->tree.kind == CL_NULL;
    return cl_json_in_value(in, 1, key, &e->payload);
  }
  e->other = true;
  return cl_json_in_value(in, 1, key, &ignored);
}

/* The document's top object, member by member, so that a known schema is passed over. */
static int read_envelope(struct cl_json *j, struct cl_json_in *in, struct envelope *e) {
  uint32_t key = 0;
  in->p++;
  if (cl_json_in_peek(in) == '}')
    return 0;
  for (;;) {
    int rc = cl_json_in_key(in, 0, key, &key);
    if (rc == 0)
      rc = read_member(j, in, key, e);
    if (rc != 0)
      return rc;
    int c = cl_json_in_peek(in);
    if (c != ',' && c != '}')
      return cl_json_in_fail(in, c < 0 ? "unexpected end" : "a comma or the end of the object is missing");
    in->p++;
    if (c == '}')
      return 0;
  }
}

static int decode_envelope(struct cl_json *j, struct cl_json_in *in, struct cl_json_typed *t,
                           struct cl_datum *d, bool *parsed) {
  struct envelope e = {0};
  int rc;
  if (cl_json_in_peek(in) == '{')
    rc = read_envelope(j, in, &e);
  else
    rc = cl_json_in_document(in, &e.payload);
  if (rc != 0)
    return rc;
  *parsed = true;
  if (!e.has_schema || !e.has_payload || e.other)
    return cl_json_data_error(t->err, NULL, "%s", NO_ENVELOPE);
  if (!e.cached) {
    rc = cl_json_read_schema(t, &e.tree, &e.schema);
    if (rc != 0)
      return rc;
    if (e.schema)
      remember(j, e.text, e.text_len, e.schema);
  }
  if (!e.schema && in->saw_bigint && !in->narrow) { /* the payload came before its schema */
    in->narrow = true;
    in->p = e.payload_at;
    rc = cl_json_in_value(in, 1, j->words.payload, &e.payload);
    if (rc != 0)
      return rc;
  }
  t->bad_null = false;
  if (e.schema && (rc = cl_json_read_typed(t, e.schema, &e.payload)) != 0)
    return rc;
  d->schema = e.schema;
  d->val = e.payload;
  return 0;
}

static int decode(struct cl_json *j, struct cl_batch *b, struct cl_datum *d, struct cl_err *err,
                  bool *parsed) {
  bool typed = j->conf.schemas_enable;
  struct cl_json_in in = {.narrow = !typed};
  struct cl_json_typed t = {
      .b = b, .err = err, .words = &j->words, .null_to_default = j->conf.replace_null_with_default};
  int rc = cl_json_in_begin(&in, b, d->bytes.p, d->bytes.len, err);
  if (rc != 0)
    return rc;
  if (typed && !j->content)
    return decode_envelope(j, &in, &t, d, parsed);
  struct cl_val v;
  rc = cl_json_in_document(&in, &v);
  if (rc != 0)
    return rc;
  *parsed = true;
  if (typed)
    rc = cl_json_read_typed(&t, j->content, &v);
  else if (v.kind == CL_MISSING)
    v.kind = CL_NULL;
  if (rc == 0) {
    d->schema = typed ? j->content : NULL;
    d->val = v;
  }
  return rc;
}

int cl_json_decode(struct cl_json *j, struct cl_batch *b, struct cl_datum *d, struct cl_err *err) {
  d->schema = NULL;
  d->val = (struct cl_val){.kind = CL_NULL};
  if (!d->bytes.p)
    return 0;
  if (j->newest != cl_space_newest(j->space)) {
    forget(j);
    j->newest = cl_space_newest(j->space);
  }
  bool parsed = false;
  int rc = decode(j, b, d, err, &parsed);
  if (rc == CL_EDATA && !parsed) {
    char cause[512];
    snprintf(cause, sizeof(cause), "%.500s", err->msg);
    cl_json_data_error(err, NULL,
                       "Converting byte[] to Kafka Connect data failed due to serialization error: ");
    snprintf(err->trace, sizeof(err->trace),
             "Caused by: org.apache.kafka.common.errors.SerializationException: %s", cause);
  }
  return rc;
}

/* -------------------------------------------------------------- writing */

int cl_json_encode(struct cl_json *j, struct cl_batch *b, struct cl_datum *d, struct cl_err *err) {
  d->bytes = (struct cl_str){0};
  if (!d->schema && (d->val.kind == CL_NULL || d->val.kind == CL_MISSING))
    return 0;
  struct cl_json_typed_out t = {
      .out = {.buf = &j->out, .b = b, .err = err, .java_order = j->conf.is_key},
      .decimal_numeric = j->conf.decimal_numeric,
      .null_to_default = j->conf.replace_null_with_default,
  };
  int rc = 0;
  j->out.len = 0;
  j->out.failed = false;
  if (j->conf.schemas_enable) {
    cl_json_out_add(&t.out, "{\"schema\":", 10);
    rc = cl_json_write_schema(&t, d->schema);
    cl_json_out_add(&t.out, ",\"payload\":", 11);
  }
  if (rc == 0)
    rc = cl_json_write_typed(&t, d->schema, &d->val);
  if (j->conf.schemas_enable)
    cl_json_out_char(&t.out, '}');
  if (rc == 0)
    rc = cl_json_out_end(&t.out);
  if (rc == 0) {
    d->bytes.p = cl_arena_copy(b->arena, j->out.p, j->out.len);
    d->bytes.len = (uint32_t)j->out.len;
    if (!d->bytes.p)
      rc = cl_err_set(err, CL_ENOMEM, "no memory for a value of %zu bytes", j->out.len);
  }
  if (j->out.cap > OUT_KEEP)
    cl_buf_free(&j->out);
  return rc;
}
