/* SPDX-License-Identifier: Apache-2.0
 * Source offsets in memory and in Apache's standalone file. Any thread: one mutex guards
 * the map, another the file, so that nobody who reads waits for a disk.
 * May include libc, jansson, base and store only. */
#define CL_COMPONENT "offsets"
#include "store/offsets.h"

#include "base/buf.h"
#include "base/fs.h"
#include "base/log.h"
#include "store/offsets_file.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 256 << 20 };

struct cl_offsets {
  char *path;              /* NULL = memory only */
  struct cl_fs_lock *lock; /* of the file among workers; NULL = not to be had yet */
  pthread_mutex_t file;    /* taken before map; held while the file is written */
  pthread_mutex_t map;
  struct cl_offsets_entry *entries; /* own their bytes; never removed: a tombstone is an entry */
  size_t n, cap;
  json_t *index; /* canonical text of a key -> number of its first entry */
};

/* One text for all keys that mean the same: object members sorted. NULL: not JSON. */
static char *canonical(const char *key, size_t len) {
  json_error_t ignored;
  struct cl_err err;
  json_t *json = json_loadb(key, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &ignored);
  char *text = NULL;
  if (json)
    text = json_dumps(json, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY);
  else if (cl_json_parse_texts(key, len, &json, &err) == 0)
    text = strndup(key, len); /* numbers that jansson cannot hold: equal when spelled equally */
  json_decref(json);
  return text;
}

static int out_of_memory(struct cl_err *err) {
  return cl_err_set(err, CL_ENOMEM, "source offsets: out of memory");
}

static char *copy(const char *p, size_t n) {
  char *out = malloc(n + 1);
  if (out) {
    memcpy(out, p, n);
    out[n] = '\0';
  }
  return out;
}

/* As canonical texts begin behind their "["; malloc'd. */
static char *quoted_name(const char *connector) {
  json_t *name = json_string(connector);
  char *text = name ? cl_json_text(name) : NULL;
  json_decref(name);
  return text;
}

/* canon NULL = a key that no look-up can mean. */
static int add_entry(struct cl_offsets *s, const char *canon, const struct cl_offsets_entry *from,
                     struct cl_err *err) {
  if (s->n == s->cap) {
    size_t cap = s->cap ? s->cap * 2 : 16;
    struct cl_offsets_entry *grown = realloc(s->entries, cap * sizeof(*grown));
    if (!grown)
      return out_of_memory(err);
    s->entries = grown;
    s->cap = cap;
  }
  struct cl_offsets_entry e = {.key_len = from->key_len, .value_len = from->value_len};
  e.key = copy(from->key, from->key_len);
  e.value = from->value ? copy(from->value, from->value_len) : NULL;
  json_t *known = canon ? json_object_get(s->index, canon) : NULL;
  bool ok = e.key && (e.value || !from->value);
  if (ok && canon && !known)
    ok = json_object_set_new(s->index, canon, json_integer((json_int_t)s->n)) == 0;
  if (!ok) {
    free(e.value);
    free(e.key);
    return out_of_memory(err);
  }
  if (known) {
    struct cl_offsets_entry *last = &s->entries[json_integer_value(known)];
    while (last->twin)
      last = &s->entries[last->twin];
    last->twin = s->n;
  }
  s->entries[s->n++] = e;
  return 0;
}

static int add_remedy(struct cl_err *err) {
  char what[sizeof(err->msg)];
  snprintf(what, sizeof(what), "%s", err->msg);
  return cl_err_set(err, err->code,
                    "%s; put back a copy of it, or move it away: then every source starts from nothing",
                    what);
}

/* Before the file is read. A place that cannot be written is no error (Apache finds out at the first commit):
 * a worker of sinks only never writes. */
static int lock(struct cl_offsets *s, struct cl_err *err) {
  struct cl_err why = CL_ERR_INIT;
  int rc = cl_fs_lock(s->path, &s->lock, &why);
  if (rc == CL_ECONFLICT)
    return cl_err_set(err, rc, "offset.storage.file.filename: %s", why.msg);
  if (rc != 0)
    CL_LOG(CL_WARN,
           "source offsets cannot be stored: %s; make its folder and let this worker write there, or change "
           "offset.storage.file.filename. Until then sources start over after each restart",
           why.msg);
  return 0;
}

static int load(struct cl_offsets *s, struct cl_err *err) {
  char *data = NULL;
  size_t len = 0, n = 0;
  struct cl_offsets_entry *entries = NULL;
  int rc = cl_fs_read(s->path, FILE_MAX, &data, &len, err);
  if (rc == CL_ENOTFOUND)
    return 0;
  if (rc == 0 && len == 0)
    CL_LOG(
        CL_WARN,
        "%s is empty (0 bytes), which this worker never leaves behind: sources start from nothing. If that "
        "is not meant, stop now and put back a copy of it",
        s->path);
  if (rc == 0 && len > 0 && cl_offsets_file_decode(data, len, s->path, &entries, &n, err) != 0)
    rc = err->code == CL_EINVAL ? add_remedy(err) : err->code;
  for (size_t i = 0; i < n && rc == 0; i++) {
    char *canon = canonical(entries[i].key, entries[i].key_len);
    if (!canon)
      CL_LOG(CL_WARN, "%s: the key of entry %zu is not JSON; it is kept but not used", s->path, i + 1);
    rc = add_entry(s, canon, &entries[i], err);
    free(canon);
  }
  free(entries);
  free(data);
  return rc;
}

int cl_offsets_open(const char *path, struct cl_offsets **out, struct cl_err *err) {
  struct cl_offsets *s = calloc(1, sizeof(*s));
  *out = NULL;
  if (!s)
    return out_of_memory(err);
  pthread_mutex_init(&s->file, NULL);
  pthread_mutex_init(&s->map, NULL);
  s->path = path ? strdup(path) : NULL;
  s->index = json_object();
  int rc = s->index && (s->path || !path) ? 0 : out_of_memory(err);
  if (rc == 0 && path)
    rc = lock(s, err);
  if (rc == 0 && path)
    rc = load(s, err);
  if (rc != 0)
    cl_offsets_close(s);
  else
    *out = s;
  return rc;
}

static void free_entries(struct cl_offsets_entry *entries, size_t n) {
  for (size_t i = 0; i < n; i++) {
    free(entries[i].value);
    free(entries[i].key);
  }
  free(entries);
}

void cl_offsets_close(struct cl_offsets *s) {
  if (!s)
    return;
  free_entries(s->entries, s->n);
  cl_fs_unlock(s->lock);
  json_decref(s->index);
  free(s->path);
  pthread_mutex_destroy(&s->map);
  pthread_mutex_destroy(&s->file);
  free(s);
}

static struct cl_offsets_entry *find(struct cl_offsets *s, const char *canon) {
  json_t *at = json_object_get(s->index, canon);
  return at ? &s->entries[json_integer_value(at)] : NULL;
}

static int parse_offset(const struct cl_offsets_entry *e, json_t **out, struct cl_err *err) {
  json_error_t why;
  *out = json_loadb(e->value, e->value_len, JSON_ALLOW_NUL, &why);
  if (json_is_object(*out))
    return 0;
  json_decref(*out);
  *out = NULL;
  return cl_err_set(err, CL_EINVAL, "the stored offset of %s is not a JSON object: %.200s", e->key, e->value);
}

int cl_offsets_get(struct cl_offsets *s, const char *connector, const json_t *partition, json_t **out,
                   struct cl_err *err) {
  *out = NULL;
  json_t *key = json_pack("[s, O?]", connector, partition);
  char *canon = key ? json_dumps(key, JSON_SORT_KEYS | JSON_COMPACT) : NULL;
  json_decref(key);
  if (!canon)
    return out_of_memory(err);
  pthread_mutex_lock(&s->map);
  const struct cl_offsets_entry *e = find(s, canon);
  int rc = e && e->value ? parse_offset(e, out, err) : 0;
  pthread_mutex_unlock(&s->map);
  free(canon);
  return rc;
}

/* Appends the entry when it is one of the connector's, as Apache lists them: ["name",{..}]
 * and not a tombstone. */
static int list_entry(const struct cl_offsets_entry *e, const char *connector, json_t *list,
                      struct cl_err *err) {
  json_error_t ignored;
  json_t *offset = NULL;
  int rc = 0;
  json_t *key = e->value ? json_loadb(e->key, e->key_len, JSON_ALLOW_NUL, &ignored) : NULL;
  const char *name = json_string_value(json_array_get(key, 0));
  json_t *partition = json_array_get(key, 1);
  if (!name || strcmp(name, connector) != 0 || json_array_size(key) != 2 || !json_is_object(partition))
    goto out;
  rc = parse_offset(e, &offset, err);
  if (rc == 0 &&
      json_array_append_new(list, json_pack("{s:O, s:O}", "partition", partition, "offset", offset)) != 0)
    rc = out_of_memory(err);
out:
  json_decref(offset);
  json_decref(key);
  return rc;
}

struct copies {
  struct cl_offsets_entry *list;
  size_t n, cap;
};

static int copy_entry(struct copies *c, const struct cl_offsets_entry *e, struct cl_err *err) {
  if (c->n == c->cap) {
    size_t cap = c->cap ? c->cap * 2 : 16;
    struct cl_offsets_entry *grown = realloc(c->list, cap * sizeof(*grown));
    if (!grown)
      return out_of_memory(err);
    c->list = grown;
    c->cap = cap;
  }
  struct cl_offsets_entry *mine = &c->list[c->n++];
  *mine = (struct cl_offsets_entry){.key_len = e->key_len, .value_len = e->value_len};
  mine->key = copy(e->key, e->key_len);
  mine->value = copy(e->value, e->value_len);
  return mine->key && mine->value ? 0 : out_of_memory(err);
}

/* Those of one connector that are no tombstones: by the beginning of what the index calls them, since no
 * other look at a key is quick. With the map locked. */
static int copy_entries(const struct cl_offsets *s, const char *quoted_name, struct copies *out,
                        struct cl_err *err) {
  size_t len = strlen(quoted_name);
  const char *canon;
  json_t *at;
  int rc = 0;
  json_object_foreach (s->index, canon, at) {
    if (canon[0] != '[' || strncmp(canon + 1, quoted_name, len) != 0 || canon[1 + len] != ',')
      continue;
    const struct cl_offsets_entry *e = &s->entries[json_integer_value(at)];
    for (;; e = &s->entries[e->twin]) {
      if (e->value)
        rc = copy_entry(out, e, err);
      if (rc != 0)
        return rc;
      if (!e->twin)
        break;
    }
  }
  return 0;
}

int cl_offsets_list(struct cl_offsets *s, const char *connector, json_t **out, struct cl_err *err) {
  struct copies mine = {0};
  char *quoted = quoted_name(connector);
  json_t *list = json_array();
  *out = NULL;
  int rc = quoted && list ? 0 : out_of_memory(err);
  pthread_mutex_lock(&s->map);
  if (rc == 0)
    rc = copy_entries(s, quoted, &mine, err);
  pthread_mutex_unlock(&s->map);
  for (size_t i = 0; i < mine.n && rc == 0; i++) /* commits need not wait for this */
    rc = list_entry(&mine.list[i], connector, list, err);
  free_entries(mine.list, mine.n);
  free(quoted);
  if (rc != 0)
    json_decref(list);
  else
    *out = list;
  return rc;
}

/* What entries held before. */
struct undo {
  struct was {
    size_t at;
    char *value;
    size_t value_len;
  } * list;
  size_t n, cap;
};

/* Takes the value. */
static int remember(struct undo *u, size_t at, char *value, size_t value_len, struct cl_err *err) {
  if (u->n == u->cap) {
    size_t cap = u->cap ? u->cap * 2 : 16;
    struct was *grown = realloc(u->list, cap * sizeof(*grown));
    if (!grown)
      return out_of_memory(err);
    u->list = grown;
    u->cap = cap;
  }
  u->list[u->n++] = (struct was){at, value, value_len};
  return 0;
}

/* With the map locked, and the file: no entry has changed since. */
static void undo_end(struct undo *u, struct cl_offsets *s, bool take_back) {
  for (size_t i = u->n; i-- > 0;) {
    struct was *was = &u->list[i];
    if (take_back) {
      struct cl_offsets_entry *e = &s->entries[was->at];
      free(e->value);
      e->value = was->value;
      e->value_len = was->value_len;
    } else {
      free(was->value);
    }
  }
  free(u->list);
}

/* With the map locked. */
static int put_pair(struct cl_offsets *s, const char *quoted_name, const struct cl_offset_pair *pair,
                    struct undo *undo, struct cl_err *err) {
  struct cl_buf key = {0};
  char *canon = NULL;
  int rc = 0;
  cl_buf_fmt(&key, "[%s,", quoted_name);
  cl_buf_add(&key, pair->partition, pair->partition_len);
  cl_buf_char(&key, ']');
  if (key.failed) {
    rc = out_of_memory(err);
    goto out;
  }
  canon = canonical(key.p, key.len);
  if (!canon) {
    rc = cl_err_set(err, CL_EINVAL, "source partition is not JSON: %.*s",
                    (int)(pair->partition_len < 200 ? pair->partition_len : 200), pair->partition);
    goto out;
  }
  bool tombstone = pair->offset_len == 4 && memcmp(pair->offset, "null", 4) == 0;
  struct cl_offsets_entry *e = find(s, canon);
  if (!e) {
    struct cl_offsets_entry added = {.key = key.p, .key_len = key.len};
    added.value = tombstone ? NULL : (char *)pair->offset;
    added.value_len = tombstone ? 0 : pair->offset_len;
    rc = add_entry(s, canon, &added, err);
    if (rc == 0)
      rc = remember(undo, s->n - 1, NULL, 0, err); /* taken back it is a tombstone */
    goto out;
  }
  for (;; e = &s->entries[e->twin]) {
    char *value = tombstone ? NULL : copy(pair->offset, pair->offset_len);
    rc = value || tombstone ? remember(undo, (size_t)(e - s->entries), e->value, e->value_len, err)
                            : out_of_memory(err);
    if (rc != 0) {
      free(value);
      goto out;
    }
    e->value = value;
    e->value_len = tombstone ? 0 : pair->offset_len;
    if (!e->twin)
      break;
  }
out:
  free(canon);
  cl_buf_free(&key);
  return rc;
}

static int put(struct cl_offsets *s, const char *connector, const struct cl_offset_pair *pairs, size_t n,
               bool all_or_nothing, struct cl_err *err) {
  struct cl_buf data = {.max = FILE_MAX};
  struct undo undo = {0};
  char *quoted = quoted_name(connector);
  int rc = quoted ? 0 : out_of_memory(err);
  pthread_mutex_lock(&s->file);
  pthread_mutex_lock(&s->map);
  for (size_t i = 0; i < n && rc == 0; i++)
    rc = put_pair(s, quoted, &pairs[i], &undo, err);
  if (rc == 0 && s->path)
    cl_offsets_file_encode(s->entries, s->n, &data);
  pthread_mutex_unlock(&s->map);
  if (rc == 0 && data.failed)
    rc = cl_err_set(err, CL_ENOMEM, "%s: the offsets take more than %d bytes", s->path, FILE_MAX);
  if (rc == 0 && s->path) {
    rc = cl_fs_lock_late(s->path, &s->lock, err);
    if (rc == 0)
      rc = cl_fs_replace(s->path, data.p, data.len, 0666, err);
    /* A full disk may have room later, the other worker may end. */
    err->retriable = rc == CL_EIO || rc == CL_ECONFLICT;
  }
  pthread_mutex_lock(&s->map);
  undo_end(&undo, s, rc != 0 && all_or_nothing);
  pthread_mutex_unlock(&s->map);
  pthread_mutex_unlock(&s->file);
  cl_buf_free(&data);
  free(quoted);
  return rc;
}

int cl_offsets_put(struct cl_offsets *s, const char *connector, const struct cl_offset_pair *pairs, size_t n,
                   struct cl_err *err) {
  return put(s, connector, pairs, n, false, err);
}

int cl_offsets_alter(struct cl_offsets *s, const char *connector, const struct cl_offset_pair *pairs,
                     size_t n, struct cl_err *err) {
  return put(s, connector, pairs, n, true, err);
}
