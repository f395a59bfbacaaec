/* SPDX-License-Identifier: Apache-2.0
 * The text of a source partition. Offsets are found by the bytes of this text, so it has
 * the key order in which a Java worker would have written the same map.
 * Any thread, no state. May include base, record. */
#include "vm/source_key.h"

#include "record/java.h"
#include "record/java_map.h"
#include "vm/internal.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_FIELDS = 1000 };

struct field {
  const char *name;
  json_t *value;
};

static int by_name(const void *a, const void *b) {
  const struct field *x = a, *y = b;
  return strcmp(x->name, y->name);
}

static int32_t hash_of(const void *arg, uint32_t i) {
  const struct field *fields = arg;
  return cl_java_string_hash(fields[i].name, strlen(fields[i].name));
}

static int compare(const void *arg, uint32_t a, uint32_t b) {
  const struct field *fields = arg;
  return cl_java_string_compare((struct cl_str){fields[a].name, (uint32_t)strlen(fields[a].name)},
                                (struct cl_str){fields[b].name, (uint32_t)strlen(fields[b].name)});
}

static int take_fields(const json_t *partition, bool of_lua, struct field *fields, struct cl_err *err) {
  const char *name;
  json_t *value;
  size_t i = 0;
  json_object_foreach ((json_t *)partition, name, value) {
    if (json_is_object(value) || json_is_array(value))
      return cl_err_set(err, CL_EINVAL,
                        "source partition field '%s' must be a string, number, boolean or null, not a table",
                        name);
    fields[i++] = (struct field){name, value};
  }
  if (of_lua)
    qsort(fields, i, sizeof(*fields), by_name);
  return 0;
}

/* The same object with its keys in Java's order; NULL = no memory. */
static json_t *reorder(const struct field *fields, uint32_t n) {
  uint32_t *order = calloc(n + cl_java_room(n, 16), sizeof(*order));
  struct cl_java_keys keys = {fields, hash_of, compare};
  bool ordered = order && cl_java_order(&keys, n, 16, order, order + n) == 0;
  json_t *out = ordered ? json_object() : NULL;
  for (uint32_t i = 0; out && i < n; i++) {
    if (json_object_set(out, fields[order[i]].name, fields[order[i]].value) != 0) {
      json_decref(out);
      out = NULL;
    }
  }
  free(order);
  return out;
}

int cl_source_key_text(const json_t *partition, bool of_lua, char **out, struct cl_err *err) {
  *out = NULL;
  size_t n = json_object_size(partition);
  if ((!json_is_object(partition) && !json_is_null(partition)) || n > MAX_FIELDS)
    return cl_err_set(err, CL_EINVAL, "a source partition must be a small table with string keys, or nil");
  if (json_is_null(partition)) {
    *out = strdup("null");
  } else {
    struct field *fields = calloc(n + 1, sizeof(*fields));
    if (fields && take_fields(partition, of_lua, fields, err) != 0) {
      free(fields);
      return err->code;
    }
    json_t *ordered = fields ? reorder(fields, (uint32_t)n) : NULL;
    if (ordered)
      *out = cl_bridge_text(ordered, JSON_COMPACT);
    json_decref(ordered);
    free(fields);
  }
  return *out ? 0 : cl_err_set(err, CL_ENOMEM, "no memory for a source partition");
}

char *cl_source_offset_text(const json_t *offset) { return cl_bridge_text(offset, JSON_COMPACT); }
