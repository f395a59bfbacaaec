/* SPDX-License-Identifier: Apache-2.0
 *
 * The table behind unbuilt.h. Any thread. May include base and vm/plugin.h.
 */
#include "worker/unbuilt.h"

#include <string.h>

static const char *const syntaxes[] = {"V1", "V2", NULL};
static const char *const operations[] = {"move", "copy", NULL};
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
static const struct cl_conf_row drop_headers_rows[] = {
    {.name = "headers",
     .type = CL_CONF_LIST,
     .importance = CL_CONF_HIGH,
     .order = -1,
     .required = true,
     .check = CL_CHECK_FULL_LIST,
     .doc = "Names of the headers to remove."},
};
static const struct cl_conf_row extract_field_rows[] = {
    {.name = "field",
     .type = CL_CONF_STRING,
     .importance = CL_CONF_MEDIUM,
     .order = -1,
     .required = true,
     .doc = "Field to extract."},
    {.name = "field.syntax.version",
     .type = CL_CONF_STRING,
     .importance = CL_CONF_HIGH,
     .order = -1,
     .dflt = "V1",
     .check = CL_CHECK_ONE_OF_ICASE,
     .values = syntaxes,
     .doc = "V1: a field's name; V2: a path of names."},
    NULLS,
};
static const struct cl_conf_row flatten_rows[] = {
    {.name = "delimiter",
     .type = CL_CONF_STRING,
     .importance = CL_CONF_MEDIUM,
     .order = -1,
     .dflt = ".",
     .doc = "Text between the names that make up a field's new name."},
};
static const struct cl_conf_row header_from_rows[] = {
    {.name = "fields",
     .type = CL_CONF_LIST,
     .importance = CL_CONF_HIGH,
     .order = -1,
     .required = true,
     .check = CL_CHECK_NON_EMPTY,
     .doc = "Fields whose values become headers."},
    {.name = "headers",
     .type = CL_CONF_LIST,
     .importance = CL_CONF_HIGH,
     .order = -1,
     .required = true,
     .check = CL_CHECK_NON_EMPTY,
     .doc = "Names of the headers, in the order of the fields."},
    {.name = "operation",
     .type = CL_CONF_STRING,
     .importance = CL_CONF_HIGH,
     .order = -1,
     .required = true,
     .check = CL_CHECK_ONE_OF,
     .values = operations,
     .doc = "move or copy."},
    NULLS,
};
static const struct cl_conf_row hoist_field_rows[] = {
    {.name = "field",
     .type = CL_CONF_STRING,
     .importance = CL_CONF_MEDIUM,
     .order = -1,
     .required = true,
     .doc = "Field that the whole key or value becomes."},
};
static const struct cl_conf_row insert_field_rows[] = {
    {.name = "topic.field",
     .type = CL_CONF_STRING,
     .importance = CL_CONF_MEDIUM,
     .order = -1,
     .doc = "Field for the topic."},
    {.name = "partition.field",
     .type = CL_CONF_STRING,
     .importance = CL_CONF_MEDIUM,
     .order = -1,
     .doc = "Field for the partition."},
    {.name = "offset.field",
     .type = CL_CONF_STRING,
     .importance = CL_CONF_MEDIUM,
     .order = -1,
     .doc = "Field for the offset; sinks only."},
    {.name = "timestamp.field",
     .type = CL_CONF_STRING,
     .importance = CL_CONF_MEDIUM,
     .order = -1,
     .doc = "Field for the timestamp."},
    {.name = "static.field",
     .type = CL_CONF_STRING,
     .importance = CL_CONF_MEDIUM,
     .order = -1,
     .doc = "Field for static.value."},
    {.name = "static.value",
     .type = CL_CONF_STRING,
     .importance = CL_CONF_MEDIUM,
     .order = -1,
     .doc = "Value of static.field."},
    NULLS,
};
static const struct cl_conf_row insert_header_rows[] = {
    {.name = "header",
     .type = CL_CONF_STRING,
     .importance = CL_CONF_HIGH,
     .order = -1,
     .required = true,
     .check = CL_CHECK_NON_NULL,
     .doc = "Name of the header."},
    {.name = "value.literal",
     .type = CL_CONF_STRING,
     .importance = CL_CONF_HIGH,
     .order = -1,
     .required = true,
     .check = CL_CHECK_NON_NULL,
     .doc = "Its value, read as a literal."},
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
static const struct cl_conf_row regex_router_rows[] = {
    {.name = "regex",
     .type = CL_CONF_STRING,
     .importance = CL_CONF_HIGH,
     .order = -1,
     .required = true,
     .check = CL_CHECK_REGEX,
     .doc = "Java regular expression that the whole topic must match."},
    {.name = "replacement",
     .type = CL_CONF_STRING,
     .importance = CL_CONF_HIGH,
     .order = -1,
     .required = true,
     .doc = "The new topic."},
};
static const struct cl_conf_row replace_field_rows[] = {
    {.name = "exclude",
     .type = CL_CONF_LIST,
     .importance = CL_CONF_MEDIUM,
     .order = -1,
     .dflt = "",
     .check = CL_CHECK_VALID_LIST,
     .doc = "Fields to leave out; wins over include."},
    {.name = "include",
     .type = CL_CONF_LIST,
     .importance = CL_CONF_MEDIUM,
     .order = -1,
     .dflt = "",
     .check = CL_CHECK_VALID_LIST,
     .doc = "Fields to keep; empty = all."},
    {.name = "renames",
     .type = CL_CONF_LIST,
     .importance = CL_CONF_MEDIUM,
     .order = -1,
     .dflt = "",
     .doc = "Pairs old:new."},
    NULLS,
};
static const struct cl_conf_row schema_metadata_rows[] = {
    {.name = "schema.name",
     .type = CL_CONF_STRING,
     .importance = CL_CONF_HIGH,
     .order = -1,
     .doc = "The schema's new name."},
    {.name = "schema.version",
     .type = CL_CONF_INT,
     .importance = CL_CONF_HIGH,
     .order = -1,
     .doc = "Its new version."},
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
static const struct cl_conf_row value_to_key_rows[] = {
    {.name = "fields",
     .type = CL_CONF_LIST,
     .importance = CL_CONF_HIGH,
     .order = -1,
     .required = true,
     .check = CL_CHECK_FULL_LIST,
     .doc = "Fields of the value that make the key."},
    NULLS,
};
static const struct cl_conf_row header_key_rows[] = {
    {.name = "name",
     .type = CL_CONF_STRING,
     .importance = CL_CONF_MEDIUM,
     .order = -1,
     .required = true,
     .check = CL_CHECK_NON_EMPTY,
     .doc = "Name of the header."},
};
static const struct cl_conf_row topic_matches_rows[] = {
    {.name = "pattern",
     .type = CL_CONF_STRING,
     .importance = CL_CONF_MEDIUM,
     .order = -1,
     .required = true,
     .check = CL_CHECK_NON_EMPTY_REGEX,
     .doc = "Java regular expression that the whole topic must match."},
};

#define DEF(name)                                                                                            \
  static struct cl_conf_def name = {.rows = name##_rows, .n = sizeof(name##_rows) / sizeof(*name##_rows)}
DEF(cast);
DEF(drop_headers);
DEF(extract_field);
DEF(flatten);
DEF(header_from);
DEF(hoist_field);
DEF(insert_field);
DEF(insert_header);
DEF(mask_field);
DEF(regex_router);
DEF(replace_field);
DEF(schema_metadata);
DEF(timestamp_converter);
DEF(timestamp_router);
DEF(value_to_key);
DEF(header_key);
DEF(topic_matches);
static struct cl_conf_def none;

#define ENTRY(kind_, class_, def_)                                                                           \
  { .kind = CL_PLUGIN_##kind_, .class = (char *)class_, .version = (char *)"4.2.0", .def = &def_ }
#define TRANSFORM(name, def) ENTRY(TRANSFORM, "org.apache.kafka.connect.transforms." name, def)
#define BOTH(name, def) TRANSFORM(name "$Key", def), TRANSFORM(name "$Value", def)
#define PREDICATE(name, def) ENTRY(PREDICATE, "org.apache.kafka.connect.transforms.predicates." name, def)

static struct cl_plugin entries[] = {
    BOTH("Cast", cast),
    TRANSFORM("DropHeaders", drop_headers),
    BOTH("ExtractField", extract_field),
    TRANSFORM("Filter", none),
    BOTH("Flatten", flatten),
    BOTH("HeaderFrom", header_from),
    BOTH("HoistField", hoist_field),
    BOTH("InsertField", insert_field),
    TRANSFORM("InsertHeader", insert_header),
    BOTH("MaskField", mask_field),
    TRANSFORM("RegexRouter", regex_router),
    BOTH("ReplaceField", replace_field),
    BOTH("SetSchemaMetadata", schema_metadata),
    BOTH("TimestampConverter", timestamp_converter),
    TRANSFORM("TimestampRouter", timestamp_router),
    TRANSFORM("ValueToKey", value_to_key),
    PREDICATE("HasHeaderKey", header_key),
    PREDICATE("RecordIsTombstone", none),
    PREDICATE("TopicNameMatches", topic_matches),
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
