/* SPDX-License-Identifier: Apache-2.0
 * Java serialization of HashMap<byte[],byte[]>, that and nothing else. Any thread.
 * May include libc and base only. */
#include "store/offsets_file.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Up to the two fields' values: magic, object, class descriptor. */
static const char map_head[] = "\xAC\xED\x00\x05"
                               "sr\x00\x11"
                               "java.util.HashMap"
                               "\x05\x07\xDA\xC1\xC3\x16\x60\xD1\x03\x00\x02"
                               "F\x00\x0A"
                               "loadFactor"
                               "I\x00\x09"
                               "threshold"
                               "xp";
static const char array_class[] = "r\x00\x02[B\xAC\xF3\x17\xF8\x06\x08\x54\xE0\x02\x00\x00xp";
enum {
  TC_NULL = 0x70,
  TC_REFERENCE = 0x71,
  TC_ARRAY = 0x75,
  TC_BLOCKDATA = 0x77,
  TC_ENDBLOCKDATA = 0x78,
  LOAD_FACTOR_BITS = 0x3F400000, /* 0.75f */
  /* Java numbers what it writes: the map's class, the map, the array class, then each array. */
  HANDLE_ARRAY_CLASS = 0x7E0002,
  HANDLE_FIRST_ARRAY = 0x7E0003
};
#define LITERAL(array) array, sizeof(array) - 1

struct slice {
  char *p;
  size_t len;
};

struct decoder {
  char *data;
  size_t len, at;
  const char *path;
  struct slice *arrays; /* by handle */
  size_t n_arrays;
  struct cl_err *err;
};

static int damaged(struct decoder *d, size_t at, const char *what) {
  return cl_err_set(d->err, CL_EINVAL, "%s: not an offsets file, or damaged, at byte %zu: %s", d->path, at,
                    what);
}

static int take(struct decoder *d, size_t n, char **out) {
  if (n > d->len - d->at)
    return damaged(d, d->len, "the file ends early");
  *out = d->data + d->at;
  d->at += n;
  return 0;
}

static int take_literal(struct decoder *d, const char *expected, size_t n, const char *what) {
  for (size_t i = 0; i < n; i++, d->at++) {
    if (d->at == d->len)
      return damaged(d, d->len, "the file ends early");
    if (d->data[d->at] != expected[i])
      return damaged(d, d->at, what);
  }
  return 0;
}

static int take_u32(struct decoder *d, uint32_t *out) {
  char *p = NULL;
  int rc = take(d, 4, &p);
  if (rc == 0) {
    const unsigned char *u = (const unsigned char *)p;
    *out = (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
  }
  return rc;
}

/* A count of things of at least unit bytes: not more than the rest of the file has room for. */
static int take_count(struct decoder *d, size_t unit, const char *what, uint32_t *out) {
  size_t start = d->at;
  int rc = take_u32(d, out);
  if (rc == 0 && *out > (d->len - d->at) / unit)
    rc = damaged(d, start, what);
  return rc;
}

static int take_new_array(struct decoder *d, struct slice *out) {
  uint32_t handle, len;
  size_t start = d->at;
  int rc;
  if (d->n_arrays == 0) {
    rc = take_literal(d, LITERAL(array_class), "expected the class byte[]");
  } else {
    rc = take_literal(d, "q", 1, "expected the class byte[]");
    if (rc == 0)
      rc = take_u32(d, &handle);
    if (rc == 0 && handle != HANDLE_ARRAY_CLASS)
      rc = damaged(d, start, "expected the class byte[]");
  }
  if (rc == 0)
    rc = take_count(d, 1, "the length of a byte array is beyond the end of the file", &len);
  if (rc == 0)
    rc = take(d, len, &out->p);
  if (rc == 0) {
    out->len = len;
    d->arrays[d->n_arrays++] = *out;
  }
  return rc;
}

/* A byte array, new or named again by its handle, or null. */
static int take_array(struct decoder *d, struct slice *out) {
  size_t start = d->at;
  uint32_t handle;
  char *tag = NULL;
  *out = (struct slice){0};
  int rc = take(d, 1, &tag);
  if (rc != 0)
    return rc;
  switch (*tag) {
  case TC_NULL: return 0;
  case TC_ARRAY: return take_new_array(d, out);
  case TC_REFERENCE:
    rc = take_u32(d, &handle);
    if (rc == 0 && (handle < HANDLE_FIRST_ARRAY || handle - HANDLE_FIRST_ARRAY >= d->n_arrays))
      rc = damaged(d, start, "reference to nothing");
    if (rc == 0)
      *out = d->arrays[handle - HANDLE_FIRST_ARRAY];
    return rc;
  default: return damaged(d, start, "expected a byte array or null");
  }
}

static int take_entry(struct decoder *d, struct cl_offsets_entry *entry) {
  struct slice key, value;
  size_t start = d->at;
  int rc = take_array(d, &key);
  if (rc == 0 && !key.p)
    rc = damaged(d, start, "a key is null");
  if (rc == 0)
    rc = take_array(d, &value);
  if (rc == 0)
    *entry = (struct cl_offsets_entry){
        .key = key.p, .key_len = key.len, .value = value.p, .value_len = value.len};
  return rc;
}

int cl_offsets_file_decode(char *data, size_t len, const char *path, struct cl_offsets_entry **out, size_t *n,
                           struct cl_err *err) {
  struct decoder d = {.data = data, .len = len, .path = path, .err = err};
  struct cl_offsets_entry *entries = NULL;
  char *ignored;
  uint32_t size = 0;
  int rc = take_literal(&d, LITERAL(map_head), "expected a serialized java.util.HashMap");
  if (rc == 0)
    rc = take(&d, 8, &ignored); /* load factor and threshold: Java does not trust them either */
  if (rc == 0)
    rc = take_literal(&d, "w\x08", 2, "expected the map's size");
  if (rc == 0)
    rc = take(&d, 4, &ignored); /* buckets */
  if (rc == 0)
    rc = take_count(&d, 6, "the map's size is beyond the end of the file", &size);
  if (rc != 0)
    return rc;
  entries = calloc((size_t)size + 1, sizeof(*entries));
  d.arrays = calloc((size_t)size * 2 + 1, sizeof(*d.arrays));
  if (!entries || !d.arrays)
    rc = cl_err_set(err, CL_ENOMEM, "%s: out of memory", path);
  for (uint32_t i = 0; i < size && rc == 0; i++)
    rc = take_entry(&d, &entries[i]);
  if (rc == 0)
    rc = take_literal(&d, "x", 1, "expected the map's end");
  if (rc == 0 && d.at != len)
    rc = damaged(&d, d.at, "more follows after the map's end");
  free(d.arrays);
  if (rc != 0) {
    free(entries);
    return rc;
  }
  *out = entries;
  *n = size;
  return 0;
}

static void add_u32(struct cl_buf *out, uint32_t v) {
  const unsigned char be[4] = {v >> 24, v >> 16 & 0xFF, v >> 8 & 0xFF, v & 0xFF};
  cl_buf_add(out, be, sizeof(be));
}

static void add_array(struct cl_buf *out, const char *p, size_t len, bool *first) {
  if (!p) {
    cl_buf_char(out, TC_NULL);
    return;
  }
  cl_buf_char(out, TC_ARRAY);
  if (*first) {
    cl_buf_add(out, LITERAL(array_class));
  } else {
    cl_buf_char(out, TC_REFERENCE);
    add_u32(out, HANDLE_ARRAY_CLASS);
  }
  *first = false;
  add_u32(out, (uint32_t)len);
  cl_buf_add(out, p, len);
}

void cl_offsets_file_encode(const struct cl_offsets_entry *entries, size_t n, struct cl_buf *out) {
  uint32_t buckets = 16;
  while (buckets / 4 * 3 < n)
    buckets *= 2;
  cl_buf_add(out, LITERAL(map_head));
  add_u32(out, LOAD_FACTOR_BITS);
  add_u32(out, n > 0 ? buckets / 4 * 3 : 0);
  cl_buf_char(out, TC_BLOCKDATA);
  cl_buf_char(out, 8);
  add_u32(out, buckets);
  add_u32(out, (uint32_t)n);
  bool first = true;
  for (size_t i = 0; i < n; i++) {
    add_array(out, entries[i].key, entries[i].key_len, &first);
    add_array(out, entries[i].value, entries[i].value_len, &first);
  }
  cl_buf_char(out, TC_ENDBLOCKDATA);
}
