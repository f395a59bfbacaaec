/* SPDX-License-Identifier: Apache-2.0
 * The text of a source partition. Offsets are found by the bytes of this text, so it has
 * the key order in which a Java worker would have written the same map.
 * Any thread, no state. May include base only. */
#include "vm/internal.h"

#include <stdlib.h>
#include <string.h>

struct key {
  const char *text;
  json_t *value;
  uint32_t hash;   /* String.hashCode */
  uint32_t bucket;
};

/* String.hashCode runs over UTF-16 units; text is valid UTF-8 (jansson saw to it). */
static uint32_t java_hash(const char *text) {
  uint32_t h = 0;
  const unsigned char *p = (const unsigned char *)text;
  while (*p) {
    uint32_t c = *p++;
    int more = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : c >= 0xC0 ? 1 : 0;
    if (more)
      c &= 0x3Fu >> more;
    while (more--)
      c = c << 6 | (*p++ & 0x3Fu);
    if (c >= 0x10000) {
      h = 31 * h + (0xD800 + ((c - 0x10000) >> 10));
      c = 0xDC00 + ((c - 0x10000) & 0x3FF);
    }
    h = 31 * h + c;
  }
  return h;
}

/* A Lua table has no insertion order: within a bucket the bytes decide. */
static int compare(const void *a, const void *b) {
  const struct key *x = a, *y = b;
  if (x->bucket != y->bucket)
    return x->bucket < y->bucket ? -1 : 1;
  return strcmp(x->text, y->text);
}

static int sort_keys(const json_t *partition, struct key **out, size_t *count, struct cl_err *err) {
  size_t n = json_object_size(partition), i = 0;
  uint32_t capacity = 16; /* a default HashMap doubles beyond three quarters */
  while (n > capacity / 4 * 3)
    capacity *= 2;
  struct key *keys = calloc(n ? n : 1, sizeof(*keys));
  if (!keys)
    return cl_err_set(err, CL_ENOMEM, "no memory for a source partition");
  const char *text;
  json_t *value;
  json_object_foreach((json_t *)partition, text, value) {
    if (json_is_object(value) || json_is_array(value)) {
      cl_err_set(err, CL_EINVAL, "source partition field '%s' must be a string, number, boolean or null, not a table", text);
      free(keys);
      return err->code;
    }
    uint32_t h = java_hash(text);
    keys[i++] = (struct key){text, value, h, (h ^ h >> 16) & (capacity - 1)};
  }
  qsort(keys, n, sizeof(*keys), compare);
  *out = keys;
  *count = n;
  return 0;
}

int cl_source_key_text(const json_t *partition, char **out, struct cl_err *err) {
  *out = NULL;
  if (!json_is_object(partition) && !json_is_null(partition))
    return cl_err_set(err, CL_EINVAL, "a source partition must be a table with string keys, or nil");
  struct key *keys = NULL;
  size_t n = 0;
  if (json_is_object(partition) && sort_keys(partition, &keys, &n, err) != 0)
    return err->code;
  json_t *ordered = json_is_object(partition) ? json_object() : json_null();
  bool ok = ordered != NULL;
  for (size_t i = 0; ok && i < n; i++)
    ok = json_object_set(ordered, keys[i].text, keys[i].value) == 0;
  if (ok)
    *out = cl_bridge_text(ordered, JSON_COMPACT);
  json_decref(ordered);
  free(keys);
  return *out ? 0 : cl_err_set(err, CL_ENOMEM, "no memory for a source partition");
}
