/* SPDX-License-Identifier: Apache-2.0
 * A Lua state with converters and a chain, and batches of one record. Records go in and come out
 * here; lua/connect/host/try.lua runs them. Thread: the caller's. May include base, record, Lua. */
#include "vm/try.h"

#include "base/secrets.h"
#include "base/utf8.h"
#include "record/base64.h"
#include "record/batch.h"
#include "record/space.h"
#include "vm/internal.h"

#include <stdlib.h>
#include <string.h>

struct cl_try {
  struct cl_lua lua;
  struct cl_arena_budget budget;
  struct cl_space *space;
  struct cl_batch_pool *pool;
  int run; /* registry reference */
  bool steps;
};

/* ----------------------------------------------------------------------- loading */

struct loading {
  struct cl_try *t;
  const struct cl_try_conf *conf;
};

static void set_converters(struct cl_lua *s, lua_State *L, const char *name, const struct cl_vm_part *key,
                           const struct cl_vm_part *value, const struct cl_vm_part *header) {
  lua_newtable(L);                                          /* spec t */
  cl_spec_set_part(s, L, "key", CL_SLOT_KEY, key);          /* spec t */
  cl_spec_set_part(s, L, "value", CL_SLOT_VALUE, value);    /* spec t */
  cl_spec_set_part(s, L, "header", CL_SLOT_HEADER, header); /* spec t */
  lua_setfield(L, -2, name);                                /* spec */
}

static int load(lua_State *L) {
  const struct loading *l = lua_touserdata(L, 1);
  const struct cl_try_conf *c = l->conf;
  struct cl_lua *s = &l->t->lua;
  lua_getglobal(L, "require");                /* ud require */
  lua_pushliteral(L, "connect.host.try");     /* ud require name */
  lua_call(L, 1, 1);                          /* ud try */
  lua_getfield(L, 2, "run");                  /* ud try run */
  l->t->run = luaL_ref(L, LUA_REGISTRYINDEX); /* ud try */
  lua_getfield(L, 2, "load");                 /* ud try load */
  lua_newtable(L);                            /* ud try load spec */
  lua_pushboolean(L, c->source);              /* ud try load spec v */
  lua_setfield(L, -2, "source");              /* ud try load spec */
  lua_pushboolean(L, c->steps);               /* ud try load spec v */
  lua_setfield(L, -2, "steps");
  lua_pushlightuserdata(L, l->t->space);                                      /* ud try load spec v */
  lua_setfield(L, -2, "space");                                               /* ud try load spec */
  set_converters(s, L, "input", &c->in_key, &c->in_value, &c->in_header);     /* ud try load spec */
  set_converters(s, L, "output", &c->out_key, &c->out_value, &c->out_header); /* ud try load spec */
  cl_spec_set_transforms(s, L, c->transforms);                                /* ud try load spec */
  lua_call(L, 1, 0);                                                          /* ud try */
  return 0;
}

int cl_try_open(const struct cl_try_conf *conf, struct cl_try **out, struct cl_err *err) {
  *out = NULL;
  struct cl_try *t = calloc(1, sizeof(*t));
  if (!t)
    return cl_err_set(err, CL_ENOMEM, "no memory to try records");
  t->budget.max = conf->memory_max;
  t->steps = conf->steps;
  t->space = cl_space_new(&t->budget);
  t->pool = t->space ? cl_batch_pool_new(t->space, &t->budget, 1) : NULL;
  t->lua.space = t->space;
  struct cl_state_conf state = {.home = conf->home, .memory_max = conf->memory_max, .rights = &conf->rights};
  struct loading l = {t, conf};
  int rc = t->pool ? cl_state_open(&t->lua, &state, err)
                   : cl_err_set(err, CL_ENOMEM, "no memory to try records");
  if (rc == 0)
    rc = cl_call_protected(&t->lua, load, &l, err);
  if (rc == 0)
    *out = t;
  else
    cl_try_close(t);
  return rc;
}

void cl_try_close(struct cl_try *t) {
  if (!t)
    return;
  cl_state_close(&t->lua);
  cl_batch_pool_free(t->pool);
  cl_space_free(t->space);
  free(t);
}

/* --------------------------------------------------------------------- record in */

static int no_record(struct cl_err *err, const char *what) {
  return cl_err_set(err, CL_EINVAL, "not a record: %s", what);
}

static int no_memory(struct cl_err *err) { return cl_err_set(err, CL_ENOMEM, "no memory for a record"); }

static int read_base64(struct cl_batch *b, const json_t *text, struct cl_str *out, struct cl_err *err) {
  size_t n = 0, len = json_string_length(text);
  unsigned char *p = cl_arena_alloc(b->arena, len / 4 * 3 + 1);
  if (!p)
    return no_memory(err);
  if (!cl_base64_decode(json_string_value(text), len, p, &n))
    return no_record(err, "\"b64\" is no Base64");
  *out = (struct cl_str){(char *)p, (uint32_t)n};
  return 0;
}

/* null, {"utf8":text} or {"b64":text} */
static int read_bytes(struct cl_batch *b, const json_t *json, const char *what, struct cl_str *out,
                      struct cl_err *err) {
  const json_t *utf8 = json_object_get(json, "utf8"), *b64 = json_object_get(json, "b64");
  if (!json || json_is_null(json))
    return 0;
  if (json_is_string(b64))
    return read_base64(b, b64, out, err);
  if (!json_is_string(utf8))
    return cl_err_set(err, CL_EINVAL, "not a record: \"%s\" must be null, {\"utf8\":...} or {\"b64\":...}",
                      what);
  if (cl_ffi_put_str(b, out, json_string_value(utf8), (uint32_t)json_string_length(utf8)) != 0)
    return no_memory(err);
  return 0;
}

static int read_integer(const json_t *record, const char *key, int64_t none, int64_t *out,
                        struct cl_err *err) {
  const json_t *v = json_object_get(record, key);
  *out = none;
  if (v && !json_is_null(v) && !json_is_integer(v))
    return cl_err_set(err, CL_EINVAL, "not a record: \"%s\" must be an integer or null", key);
  if (json_is_integer(v))
    *out = json_integer_value(v);
  return 0;
}

static int read_headers(struct cl_batch *b, struct cl_record *rec, const json_t *list, struct cl_err *err) {
  size_t n = json_array_size(list);
  if (list && !json_is_null(list) && !json_is_array(list))
    return no_record(err, "\"headers\" must be a list of [name, bytes]");
  if (n == 0)
    return 0;
  if (!cl_ffi_headers(b, rec, (uint32_t)n))
    return no_memory(err);
  for (size_t i = 0; i < n; i++) {
    const json_t *entry = json_array_get(list, i), *name = json_array_get(entry, 0);
    if (json_array_size(entry) != 2 || !json_is_string(name))
      return no_record(err, "\"headers\" must be a list of [name, bytes]");
    struct cl_header *h = &rec->headers[i];
    if (cl_ffi_put_str(b, &h->name, json_string_value(name), (uint32_t)json_string_length(name)) != 0)
      return no_memory(err);
    if (read_bytes(b, json_array_get(entry, 1), "headers", &h->d.bytes, err) != 0)
      return err->code;
  }
  return 0;
}

static int read_partition(const json_t *record, int32_t *out, struct cl_err *err) {
  int64_t partition;
  if (read_integer(record, "partition", -1, &partition, err) != 0)
    return err->code;
  if (partition < INT32_MIN || partition > INT32_MAX)
    return cl_err_set(err, CL_EINVAL, "not a record: \"partition\" %lld is beyond 32 bits",
                      (long long)partition);
  *out = (int32_t)partition;
  return 0;
}

/* Kafka's names, which stand in the order of cl_record.timestamp_type. */
static int read_timestamp_type(const json_t *record, int32_t *out, struct cl_err *err) {
  static const char *const names[] = {"NoTimestampType", "CreateTime", "LogAppendTime"};
  const json_t *given = json_object_get(record, "timestampType");
  *out = 1;
  if (!given || json_is_null(given))
    return 0;
  for (int32_t i = 0; i < 3; i++) {
    if (json_is_string(given) && strcmp(json_string_value(given), names[i]) == 0) {
      *out = i;
      return 0;
    }
  }
  return no_record(err, "\"timestampType\" must be NoTimestampType, CreateTime, LogAppendTime or null");
}

static int read_record(struct cl_batch *b, const json_t *json, struct cl_record *rec, struct cl_err *err) {
  const json_t *topic = json_object_get(json, "topic");
  if (!json_is_string(topic))
    return no_record(err, "\"topic\" must be a string");
  if (cl_ffi_put_str(b, &rec->topic, json_string_value(topic), (uint32_t)json_string_length(topic)) != 0)
    return no_memory(err);
  if (read_partition(json, &rec->partition, err) != 0 ||
      read_timestamp_type(json, &rec->timestamp_type, err) != 0 ||
      read_integer(json, "offset", 0, &rec->offset, err) != 0 ||
      read_integer(json, "timestamp", INT64_MIN, &rec->timestamp, err) != 0 ||
      read_bytes(b, json_object_get(json, "key"), "key", &rec->key.bytes, err) != 0 ||
      read_bytes(b, json_object_get(json, "value"), "value", &rec->value.bytes, err) != 0 ||
      read_headers(b, rec, json_object_get(json, "headers"), err) != 0)
    return err->code;
  rec->orig_partition = rec->partition;
  rec->orig_topic = rec->topic;
  rec->source_offset.kind = CL_NULL;
  return 0;
}

/* -------------------------------------------------------------------- record out */

/* json_pack would leak its arguments when memory ends; these take each value, whatever happens.
 * A value that is NULL is one that found no memory. */
static json_t *wrap(const char *key, json_t *value) {
  json_t *out = json_object();
  if (json_object_set_new(out, key, value) == 0)
    return out;
  json_decref(out);
  return NULL;
}

struct member {
  const char *key;
  json_t *value;
};

static json_t *object(const struct member *v, size_t n) {
  json_t *out = json_object();
  bool whole = out;
  for (size_t i = 0; i < n; i++)
    whole = json_object_set_new(out, v[i].key, v[i].value) == 0 && whole;
  if (whole)
    return out;
  json_decref(out);
  return NULL;
}

static json_t *bytes_json(struct cl_str s) {
  if (!s.p)
    return json_null();
  if (cl_utf8_valid(s.p, s.len))
    return wrap("utf8", json_stringn_nocheck(s.p, s.len));
  size_t n = cl_base64_length(s.len);
  char *text = malloc(n + 1);
  if (!text)
    return NULL;
  cl_base64_encode(s.p, s.len, text);
  json_t *out = wrap("b64", json_stringn_nocheck(text, n));
  free(text);
  return out;
}

static json_t *integer_json(int64_t i, bool none) { return none ? json_null() : json_integer(i); }

/* A name from Lua may be any bytes; what is no UTF-8 is repaired, as Java reads it. */
static json_t *name_json(struct cl_str s) {
  json_t *out = NULL;
  if (!s.p)
    return json_null();
  if (cl_utf8_valid(s.p, s.len))
    return json_stringn_nocheck(s.p, s.len);
  char *clean = malloc(cl_utf8_repair_max(s.len));
  if (clean)
    out = json_stringn_nocheck(clean, cl_utf8_repair(s.p, s.len, clean));
  free(clean);
  return out;
}

static json_t *headers_json(const struct cl_record *rec) {
  json_t *out = json_array();
  bool whole = out;
  for (uint32_t i = 0; i < rec->n_headers && whole; i++) {
    const struct cl_header *h = &rec->headers[i];
    json_t *entry = json_array();
    whole = json_array_append_new(entry, name_json(h->name)) == 0 &&
            json_array_append_new(entry, bytes_json(h->d.bytes)) == 0;
    whole = json_array_append_new(out, entry) == 0 && whole;
  }
  if (whole)
    return out;
  json_decref(out);
  return NULL;
}

/* NULL = no memory. */
static json_t *record_json(const struct cl_record *rec) {
  const struct member v[] = {{"topic", name_json(rec->topic)},
                             {"partition", integer_json(rec->partition, rec->partition < 0)},
                             {"timestamp", integer_json(rec->timestamp, rec->timestamp == INT64_MIN)},
                             {"key", bytes_json(rec->key.bytes)},
                             {"value", bytes_json(rec->value.bytes)},
                             {"headers", headers_json(rec)}};
  return wrap("record", object(v, sizeof(v) / sizeof(*v)));
}

/* ----------------------------------------------------------------------- running */

struct running {
  struct cl_try *t;
  struct cl_batch *batch;
  const struct cl_record *rec;
  json_t *answer; /* NULL = no memory */
  char *steps;
  bool no_steps; /* for want of memory */
};

/* Without secrets, which a plugin may have put into its message. */
static json_t *text_json(lua_State *L, int idx) {
  if (lua_type(L, idx) != LUA_TSTRING)
    return json_null();
  char *hidden = cl_secrets_hidden(lua_tostring(L, idx));
  json_t *out = hidden ? cl_json_lenient(hidden) : NULL;
  free(hidden);
  return out;
}

static json_t *error_json(lua_State *L) { /* ud state steps stage class message where cause */
  static const char *const names[] = {"stage", "class", "message", "where", "cause"};
  struct member v[5];
  size_t n = 0;
  for (int i = 0; i < 5; i++) {
    if (i < 3 || lua_type(L, 4 + i) == LUA_TSTRING)
      v[n++] = (struct member){names[i], text_json(L, 4 + i)};
  }
  return wrap("error", object(v, n));
}

/* run(batch) -> "live", "dropped" or "error"; steps or nil; stage, class, message; where and cause or nil */
static int run(lua_State *L) {
  struct running *r = lua_touserdata(L, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, r->t->run); /* ud run */
  lua_pushlightuserdata(L, r->batch);           /* ud run batch */
  lua_call(L, 1, 7);                            /* ud state steps stage class message where cause */
  const char *state = lua_tostring(L, 2);
  if (strcmp(state, "dropped") == 0)
    r->answer = wrap("dropped", json_true());
  else if (strcmp(state, "error") == 0)
    r->answer = error_json(L);
  else
    r->answer = record_json(r->rec);
  if (lua_type(L, 3) == LUA_TSTRING) {
    r->steps = strdup(lua_tostring(L, 3));
    r->no_steps = !r->steps;
  }
  return 0;
}

int cl_try_run(struct cl_try *t, const json_t *record, json_t **out, char **steps, struct cl_err *err) {
  *out = NULL;
  *steps = NULL;
  struct cl_batch *batch = cl_batch_get(t->pool);
  struct cl_record *rec = batch ? cl_batch_add(batch) : NULL;
  struct running r = {.t = t, .batch = batch, .rec = rec};
  int rc = rec ? read_record(batch, record, rec, err) : no_memory(err);
  if (rc == 0)
    rc = cl_call_protected(&t->lua, run, &r, err);
  if (rc == 0 && (!r.answer || r.no_steps))
    rc = no_memory(err);
  if (rc == 0) {
    *out = r.answer;
    *steps = r.steps;
  } else {
    json_decref(r.answer);
    free(r.steps);
  }
  if (batch)
    cl_batch_unref(batch);
  return rc;
}
