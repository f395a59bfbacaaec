/* SPDX-License-Identifier: Apache-2.0
 *
 * The table behind unbuilt.h. Any thread. May include base and vm/plugin.h.
 */
#include "worker/unbuilt.h"

#include <string.h>

static const char *const timestamps[] = {"string", "unix", "Date", "Time", "Timestamp", NULL};
static const char *const precisions[] = {"nanoseconds", "microseconds", "milliseconds", "seconds", NULL};

#define NULLS                                                                                                \
  {                                                                                                          \
    .name = "replace.null.with.default", .type = CL_CONF_BOOLEAN, .importance = CL_CONF_MEDIUM, .order = -1, \
    .dflt = "true", .doc = "Whether a field that is null and has a default counts as its default."           \
  }

static const struct cl_conf_row cast_rows[] = {
    {.name = "spec",
     .type = CL_CONF_LIST,
     .importance = CL_CONF_HIGH,
     .order = -1,
     .required = true,
     .doc = "Types to cast to: one for the whole value, or field1:type,field2:type."},
    NULLS,
};
static const struct cl_conf_row mask_field_rows[] = {
    {.name = "fields",
     .type = CL_CONF_LIST,
     .importance = CL_CONF_HIGH,
     .order = -1,
     .required = true,
     .check = CL_CHECK_FULL_LIST,
     .doc = "Fields to mask."},
    {.name = "replacement",
     .type = CL_CONF_STRING,
     .importance = CL_CONF_LOW,
     .order = -1,
     .check = CL_CHECK_NON_EMPTY,
     .doc = "Value to put there instead of an empty one."},
    NULLS,
};
static const struct cl_conf_row timestamp_converter_rows[] = {
    {.name = "target.type",
     .type = CL_CONF_STRING,
     .importance = CL_CONF_HIGH,
     .order = -1,
     .required = true,
     .check = CL_CHECK_ONE_OF,
     .values = timestamps,
     .doc = "string, unix, Date, Time or Timestamp."},
    {.name = "field",
     .type = CL_CONF_STRING,
     .importance = CL_CONF_HIGH,
     .order = -1,
     .dflt = "",
     .doc = "Field that holds the timestamp; empty = the whole value."},
    {.name = "format",
     .type = CL_CONF_STRING,
     .importance = CL_CONF_MEDIUM,
     .order = -1,
     .dflt = "",
     .doc = "SimpleDateFormat pattern of strings."},
    {.name = "unix.precision",
     .type = CL_CONF_STRING,
     .importance = CL_CONF_LOW,
     .order = -1,
     .dflt = "milliseconds",
     .check = CL_CHECK_ONE_OF,
     .values = precisions,
     .doc = "Unit of Unix times."},
    NULLS,
};
static const struct cl_conf_row timestamp_router_rows[] = {
    {.name = "topic.format",
     .type = CL_CONF_STRING,
     .importance = CL_CONF_HIGH,
     .order = -1,
     .dflt = "${topic}-${timestamp}",
     .doc = "The new topic, of ${topic} and ${timestamp}."},
    {.name = "timestamp.format",
     .type = CL_CONF_STRING,
     .importance = CL_CONF_HIGH,
     .order = -1,
     .dflt = "yyyyMMdd",
     .doc = "SimpleDateFormat pattern of ${timestamp}."},
};

#define DEF(name)                                                                                            \
  static struct cl_conf_def name = {.rows = name##_rows, .n = sizeof(name##_rows) / sizeof(*name##_rows)}
DEF(cast);
DEF(mask_field);
DEF(timestamp_converter);
DEF(timestamp_router);

#define ENTRY(kind_, class_, def_)                                                                           \
  { .kind = CL_PLUGIN_##kind_, .class = (char *)class_, .version = (char *)"4.2.0", .def = &def_ }
#define TRANSFORM(name, def) ENTRY(TRANSFORM, "org.apache.kafka.connect.transforms." name, def)
#define BOTH(name, def) TRANSFORM(name "$Key", def), TRANSFORM(name "$Value", def)

static struct cl_plugin entries[] = {
    BOTH("Cast", cast),
    BOTH("MaskField", mask_field),
    BOTH("TimestampConverter", timestamp_converter),
    TRANSFORM("TimestampRouter", timestamp_router),
};
enum { N_ENTRIES = sizeof(entries) / sizeof(*entries) };

/* X$Key and X$Value have no short names: all of them would be Key and Value. */
static bool is_short_for(const char *name, const struct cl_plugin *p) {
  const char *simple = strrchr(p->class, '.') + 1;
  return strcmp(name, simple) == 0 && !strchr(simple, '$');
}

struct cl_plugin *cl_unbuilt_find(enum cl_plugin_kind kind, const char *name) {
  for (size_t i = 0; i < N_ENTRIES; i++) {
    if (entries[i].kind == kind && (strcmp(entries[i].class, name) == 0 || is_short_for(name, &entries[i])))
      return &entries[i];
  }
  return NULL;
}

bool cl_unbuilt_is(const struct cl_plugin *plugin) {
  return plugin >= entries && plugin < entries + N_ENTRIES;
}

const struct cl_plugin *cl_unbuilt_at(size_t i) { return i < N_ENTRIES ? &entries[i] : NULL; }
