/* SPDX-License-Identifier: Apache-2.0
 * JsonConverter with schemas, StringConverter, ByteArrayConverter: results and errors as
 * recorded from Apache's. */
#include "record_rig.h"

#include <pthread.h>

#include "record/charset.h"

#define DATA CL_JAVA_DATA
#define BUILDER "org.apache.kafka.connect.errors.SchemaBuilderException"

static const struct cl_json_conf typed = {
    .schemas_enable = true, .schemas_cache_size = 1000, .replace_null_with_default = true};

static struct cl_json *converter(struct rig *r, const struct cl_json_conf *conf) {
  struct cl_err err;
  struct cl_json *j = cl_json_new(r->space, conf, &err);
  if (!j)
    fail_msg("%s", err.msg);
  return j;
}

/* Reads in with one converter and writes with another; NULL = Kafka null. */
static void through(const struct cl_json_conf *from, const struct cl_json_conf *to, const char *in,
                    const char *expected) {
  struct rig r = rig_open();
  struct cl_json *reader = converter(&r, from), *writer = converter(&r, to);
  struct cl_err err;
  for (int round = 0; round < 2; round++) { /* the second finds the schema in the cache */
    struct cl_datum d = {.bytes = in ? rig_text(&r, in) : (struct cl_str){0}};
    if (cl_json_decode(reader, r.b, &d, &err) != 0 || cl_json_encode(writer, r.b, &d, &err) != 0)
      fail_msg("%s: %s", in, err.msg);
    if (!expected)
      assert_null(d.bytes.p);
    else
      assert_string_equal(d.bytes.p, expected);
  }
  cl_json_free(reader);
  cl_json_free(writer);
  rig_close(&r);
}

static void stays(const char *text) { through(&typed, &typed, text, text); }

#define WITH(schema, payload) "{\"schema\":" schema ",\"payload\":" payload "}"
#define FIELD_A(type) "{\"type\":\"struct\",\"fields\":[{\"type\":\"" type "\",\"field\":\"a\"}]}"

/* The payload that a schema makes of a payload; whichever of the two comes first. */
static void reads(const char *schema, const char *payload, const char *expected) {
  char in[2][1024];
  snprintf(in[0], sizeof(in[0]), "{\"schema\":%s,\"payload\":%s}", schema, payload);
  snprintf(in[1], sizeof(in[1]), "{\"payload\":%s,\"schema\":%s}", payload, schema);
  struct rig r = rig_open();
  struct cl_json *j = converter(&r, &typed);
  struct cl_err err;
  for (int i = 0; i < 2; i++) {
    struct cl_datum d = {.bytes = rig_text(&r, in[i])};
    if (cl_json_decode(j, r.b, &d, &err) != 0)
      fail_msg("%s: %s", in[i], err.msg);
    bool bare_null = d.val.kind == CL_NULL;
    if (!bare_null && cl_json_encode(j, r.b, &d, &err) != 0)
      fail_msg("%s: %s", in[i], err.msg);
    char end[256];
    int n = snprintf(end, sizeof(end), ",\"payload\":%s}", expected);
    if (bare_null)
      assert_string_equal(expected, "null");
    else
      assert_string_equal(d.bytes.p + d.bytes.len - n, end);
  }
  cl_json_free(j);
  rig_close(&r);
}

static void refuses_with(const struct cl_json_conf *conf, const char *in, const char *class,
                         const char *message) {
  struct rig r = rig_open();
  struct cl_json *j = converter(&r, conf);
  struct cl_err err = CL_ERR_INIT;
  struct cl_datum d = {.bytes = rig_text(&r, in)};
  int rc = cl_json_decode(j, r.b, &d, &err);
  rc = rc ? rc : cl_json_encode(j, r.b, &d, &err);
  if (rc != CL_EDATA)
    fail_msg("%s: accepted", in);
  assert_string_equal(err.msg, message);
  assert_string_equal(err.class, class);
  cl_json_free(j);
  rig_close(&r);
}

static void refuses(const char *in, const char *class, const char *message) {
  refuses_with(&typed, in, class, message);
}

static void every_attribute_survives(void **state) {
  (void)state;
  stays(
      WITH("{\"type\":\"struct\",\"fields\":[{\"type\":\"int8\",\"optional\":false,\"field\":\"i8\"},{"
           "\"type\":\"string\","
           "\"optional\":true,\"doc\":\"dd\",\"default\":\"x\",\"field\":\"s\"},{\"type\":\"array\","
           "\"items\":{\"type\":"
           "\"int64\",\"optional\":true},\"optional\":false,\"field\":\"arr\"},{\"type\":\"map\",\"keys\":{"
           "\"type\":"
           "\"string\",\"optional\":false},\"values\":{\"type\":\"int32\",\"optional\":false},\"optional\":"
           "true,\"field\":"
           "\"m\"},{\"type\":\"struct\",\"fields\":[{\"type\":\"float\",\"optional\":false,\"field\":\"f\"}],"
           "\"optional\":"
           "true,\"name\":\"sub\",\"version\":3,\"doc\":\"d\",\"parameters\":{\"p\":\"q\"},\"field\":\"sub\"}"
           ",{\"type\":"
           "\"bytes\",\"optional\":false,\"name\":\"org.apache.kafka.connect.data.Decimal\",\"version\":1,"
           "\"parameters\":{"
           "\"scale\":\"2\"},\"field\":\"dec\"}],\"optional\":false,\"name\":\"rec\",\"version\":1,\"doc\":"
           "\"docs\"}",
           "{\"i8\":-5,\"s\":\"y\",\"arr\":[1,null],\"m\":{\"k\":2},\"sub\":{\"f\":1.5},\"dec\":\"AJw=\"}"));
  stays("{\"schema\":null,\"payload\":{\"a\":[1,2.5,\"x\",null,true]}}");
}

static void scalars_are_not_checked(void **state) {
  (void)state;
  reads("{\"type\":\"int8\"}", "300", "44");
  reads("{\"type\":\"int16\"}", "70000", "4464");
  reads("{\"type\":\"int32\"}", "4294967297", "1");
  reads("{\"type\":\"int32\"}", "12.9", "12");
  reads("{\"type\":\"int64\"}", "1e3", "1000");
  reads("{\"type\":\"int64\"}", "12345678901234567890", "-6101065172474983726");
  reads("{\"type\":\"int64\"}", "1e70", "0");
  reads("{\"type\":\"int64\"}", "\"7\"", "0");
  reads("{\"type\":\"boolean\"}", "1", "false");
  reads("{\"type\":\"float\"}", "1e39", "\"Infinity\"");
  reads("{\"type\":\"float\"}", "3.4028235e38", "3.4028235E38");
  reads("{\"type\":\"float\"}", "0.1", "0.1");
  reads("{\"type\":\"double\"}", "3", "3.0");
  reads("{\"type\":\"double\"}", "1.10", "1.1");
  reads("{\"type\":\"double\"}", "true", "0.0");
  reads("{\"type\":\"map\",\"keys\":{\"type\":\"double\"},\"values\":{\"type\":\"double\"}}",
        "[[1,1.0],[1.0,2.50],[1e0,3.25]]", "[[1.0,3.25]]");
  reads("{\"type\":\"string\",\"optional\":true}", "5", "null");
  reads("{\"type\":\"bytes\",\"optional\":true}", "5", "null");
  reads("{\"type\":\"array\",\"items\":{\"type\":\"int32\"}}", "5", "[]");
  reads("{\"type\":\"array\",\"items\":{\"type\":\"int32\"}}", "{\"a\":1,\"b\":2}", "[1,2]");
  reads("null", "12345678901234567890", "-6101065172474983726");
}

static void bytes_are_base64(void **state) {
  (void)state;
  reads("{\"type\":\"bytes\"}", "\"\"", "\"\"");
  reads("{\"type\":\"bytes\"}", "\"AA==\"", "\"AA==\"");
  reads("{\"type\":\"bytes\"}", "\" AAE= \\n AAEC\"", "\"AAEAAQI=\"");
  refuses(WITH("{\"type\":\"bytes\"}", "\"AA\""), DATA, "Invalid bytes field");
  refuses(WITH("{\"type\":\"bytes\"}", "\"A A=\""), DATA, "Invalid bytes field");
  refuses(WITH("{\"type\":\"bytes\"}", "\"A-A=\""), DATA, "Invalid bytes field");
  refuses(WITH("{\"type\":\"bytes\"}", "\"=AAA\""), DATA, "Invalid bytes field");
}

static void nulls_and_defaults(void **state) {
  (void)state;
  struct cl_json_conf keep = typed;
  keep.replace_null_with_default = false;
  reads("{\"type\":\"int8\",\"default\":5}", "null", "5");
  through(&keep, &keep, WITH("{\"type\":\"int8\",\"optional\":true,\"default\":5}", "null"),
          WITH("{\"type\":\"int8\",\"optional\":true,\"default\":5}", "null"));
  refuses(WITH("{\"type\":\"int32\"}", "null"), DATA, "Invalid null value for required INT32 field");
  refuses_with(&keep, WITH("{\"type\":\"int32\",\"default\":5}", "null"), DATA,
               "Invalid null value for required INT32 field");
  refuses(WITH(FIELD_A("int32"), "{}"), DATA, "Invalid null value for required INT32 field");
  refuses(WITH("{\"type\":\"string\"}", "5"), DATA,
          "Conversion error: null value for field that is required and has no default value");
  through(&typed, &typed, NULL, NULL);
  through(&typed, &typed, WITH("null", "null"), NULL);
  through(&typed, &typed, WITH("{\"type\":\"int8\",\"optional\":true}", "null"),
          WITH("{\"type\":\"int8\",\"optional\":true}", "null"));
}

static void nulls_where_none_may_be(void **state) {
  (void)state;
  refuses(WITH(FIELD_A("string"), "{\"a\":5}"), DATA,
          "Invalid value: null used for required field: \"a\", schema type: STRING");
  refuses(WITH("{\"type\":\"struct\",\"fields\":[{\"type\":\"map\",\"keys\":{\"type\":\"string\"},\"values\":"
               "{\"type\":"
               "\"array\",\"items\":{\"type\":\"string\"}},\"field\":\"a\"}]}",
               "{\"a\":{\"k\":[\"x\",1]}}"),
          DATA,
          "Invalid value: null used for required element of array value of map field: \"a\", schema type: "
          "STRING");
}

static void maps(void **state) {
  (void)state;
#define MAP(key) "{\"type\":\"map\",\"keys\":{\"type\":\"" key "\"},\"values\":{\"type\":\"int32\"}}"
  reads(MAP("string"), "{\"b\":1,\"a\":2}", "{\"b\":1,\"a\":2}");
  reads(MAP("int32"), "[]", "[]");
  stays(WITH(
      "{\"type\":\"map\",\"keys\":{\"type\":\"int32\",\"optional\":false},\"values\":{\"type\":\"int32\","
      "\"optional\":false},\"optional\":false}",
      "[[1,2],[17,3],[2,4]]"));
  through(&typed, &typed,
          WITH("{\"type\":\"map\",\"keys\":{\"type\":\"int64\",\"optional\":false},\"values\":{\"type\":"
               "\"string\","
               "\"optional\":false},\"optional\":false}",
               "[[5,\"a\"],[3,\"b\"],[17,\"c\"],[5,\"d\"]]"),
          WITH("{\"type\":\"map\",\"keys\":{\"type\":\"int64\",\"optional\":false},\"values\":{\"type\":"
               "\"string\","
               "\"optional\":false},\"optional\":false}",
               "[[17,\"c\"],[3,\"b\"],[5,\"d\"]]"));
  reads(MAP("bytes"), "[[\"AQID\",1],[\"AQID\",2]]", "[[\"AQID\",1],[\"AQID\",2]]"); /* never equal in Java */
  static const struct cl_json_conf numeric = {.schemas_enable = true,
                                              .schemas_cache_size = 10,
                                              .decimal_numeric = true,
                                              .replace_null_with_default = true};
#define TENTHS                                                                                               \
  "{\"type\":\"map\",\"keys\":{\"type\":\"bytes\",\"optional\":false,\"name\":\"org.apache.kafka.connect."   \
  "data.Decimal\",\"version\":1,\"parameters\":{\"scale\":\"1\"}},\"values\":{\"type\":\"int8\","            \
  "\"optional\":false},"                                                                                     \
  "\"optional\":false}"
  through(&numeric, &numeric,
          WITH(TENTHS, "[[12.5,1],[-3.1,2],[0.0,3],[123456789012345678901234567890.5,4],[99999.9,5],"
                       "[-123456789012345678901234567890.5,6],[12.5,7]]"),
          WITH(TENTHS, "[[0.0,3],[12.5,7],[123456789012345678901234567890.5,4],[99999.9,5],[-"
                       "123456789012345678901234567890.5,6],[-3.1,2]]"));
  /* The schema's default is in Java's order, the value in its own; a null that another entry of the same
   * key replaces does no harm. */
  through(
      &typed, &typed,
      WITH("{\"type\":\"map\",\"keys\":{\"type\":\"string\"},\"values\":{\"type\":\"int8\"},\"default\":{"
           "\"b\":1,\"a\":2}}",
           "{\"b\":1,\"a\":2}"),
      WITH(
          "{\"type\":\"map\",\"keys\":{\"type\":\"string\",\"optional\":false},\"values\":{\"type\":\"int8\","
          "\"optional\":false},\"optional\":false,\"default\":{\"a\":2,\"b\":1}}",
          "{\"b\":1,\"a\":2}"));
  reads(
      "{\"type\":\"map\",\"keys\":{\"type\":\"boolean\"},\"values\":{\"type\":\"array\",\"items\":{\"type\":"
      "\"bytes\"}},\"default\":[[false,[\"\",12]],[true,[]],[false,[\"/w==\"]]]}",
      "null", "[[false,[\"/w==\"]],[true,[]]]");
  refuses(WITH(MAP("string"), "[]"), DATA,
          "Maps with string fields should be encoded as JSON objects, but found ARRAY");
  refuses(WITH(MAP("int32"), "{}"), DATA,
          "Maps with non-string fields should be encoded as JSON array of tuples, but found OBJECT");
  refuses(WITH(MAP("int32"), "[1]"), DATA, "Found invalid map entry instead of array tuple: NUMBER");
  refuses(WITH(MAP("int32"), "[[1]]"), DATA, "Found invalid map entry, expected length 2 but found :1");
  refuses(WITH(FIELD_A("int32"), "[]"), DATA, "Structs should be encoded as JSON objects, but found ARRAY");
}

#define LOGICAL(type, name)                                                                                  \
  "{\"type\":\"" type "\",\"optional\":false,\"name\":\"org.apache.kafka.connect.data." name                 \
  "\",\"version\":1}"
#define DECIMAL(scale)                                                                                       \
  "{\"type\":\"bytes\",\"optional\":false,\"name\":\"org.apache.kafka.connect.data.Decimal\",\"version\":1," \
  "\"parameters\":{\"scale\":\"" scale "\"}}"

static void logical_types(void **state) {
  (void)state;
  struct cl_json_conf numeric = typed;
  numeric.decimal_numeric = true;
  stays(WITH(DECIMAL("2"), "\"/2Q=\""));
  stays(WITH(DECIMAL("0"), "\"AA==\""));
  through(&typed, &typed, WITH(DECIMAL("2"), "-1.56"), WITH(DECIMAL("2"), "\"/2Q=\""));
  through(&typed, &numeric, WITH(DECIMAL("2"), "\"AJw=\""), WITH(DECIMAL("2"), "1.56"));
  through(&typed, &numeric, WITH(DECIMAL("2"), "1.50000000000000000000000000000000000001"),
          WITH(DECIMAL("2"), "1.50000000000000000000000000000000000001"));
  through(&typed, &numeric, WITH(DECIMAL("2"), "1e3"), WITH(DECIMAL("2"), "1E+3"));
  /* 2^127 and back through bytes. */
  through(&typed, &numeric, WITH(DECIMAL("0"), "\"AIAAAAAAAAAAAAAAAAAAAAA=\""),
          WITH(DECIMAL("0"), "170141183460469231731687303715884105728"));
  through(&numeric, &typed, WITH(DECIMAL("0"), "-170141183460469231731687303715884105728"),
          WITH(DECIMAL("0"), "\"gAAAAAAAAAAAAAAAAAAAAA==\""));
  refuses(
      WITH(DECIMAL("2"), "156"), DATA,
      "Decimal value has mismatching scale for given Decimal schema. Schema has scale 2, value has scale 0.");
  refuses(WITH(DECIMAL("2"), "\"\""), DATA, "Invalid bytes for Decimal field");
  refuses(WITH(DECIMAL("2"), "true"), DATA,
          "Invalid type for Decimal, underlying representation should be numeric or bytes but was BOOLEAN");
  stays(WITH(LOGICAL("int32", "Date"), "-1"));
  stays(WITH(LOGICAL("int32", "Time"), "86400000"));
  stays(WITH(LOGICAL("int64", "Timestamp"), "-9223372036854775808"));
  refuses(WITH(LOGICAL("int32", "Time"), "86400001"), DATA,
          "Time values must use number of milliseconds greater than 0 and less than 86400000");
  refuses(WITH(LOGICAL("int32", "Date"), "\"1\""), DATA,
          "Invalid type for Date, underlying representation should be integer but was STRING");
  refuses(WITH(LOGICAL("int32", "Date"), "4294967296"), DATA,
          "Invalid type for Date, underlying representation should be integer but was NUMBER");
  refuses(WITH(LOGICAL("int64", "Timestamp"), "1.5"), DATA,
          "Invalid type for Timestamp, underlying representation should be integral but was NUMBER");
}

static void schema_errors(void **state) {
  (void)state;
  refuses(WITH("{}", "1"), DATA, "Schema must contain 'type' field");
  refuses(WITH("\"int8\"", "1"), DATA, "Schema must contain 'type' field");
  refuses(WITH("{\"type\":\"float32\"}", "1"), DATA, "Unknown schema type: float32");
  refuses(WITH("{\"type\":\"array\"}", "1"), DATA, "Array schema did not specify the element type");
  refuses(WITH("{\"type\":\"map\"}", "1"), DATA, "Map schema did not specify the key type");
  refuses(WITH("{\"type\":\"map\",\"keys\":null}", "1"), DATA, "Map schema did not specify the value type");
  refuses(WITH("{\"type\":\"map\",\"keys\":null,\"values\":null}", "1"), BUILDER,
          "keySchema cannot be null.");
  refuses(WITH("{\"type\":\"map\",\"keys\":{\"type\":\"int8\"},\"values\":null}", "1"), BUILDER,
          "valueSchema cannot be null.");
  refuses(WITH("{\"type\":\"struct\"}", "1"), DATA, "Struct schema's \"fields\" argument is not an array.");
  refuses(WITH("{\"type\":\"struct\",\"fields\":[{\"type\":\"int8\"}]}", "1"), DATA,
          "Struct schema's field name not specified properly");
  refuses(WITH("{\"type\":\"struct\",\"fields\":[{\"type\":\"int8\",\"field\":\"\"}]}", "1"), BUILDER,
          "fieldName cannot be null.");
  /* A name twice is found before a later field's fault, after an earlier one's. */
  refuses(WITH("{\"type\":\"struct\",\"fields\":[{\"type\":\"int8\",\"field\":\"a\"},{\"type\":\"int8\","
               "\"field\":\"a\"},"
               "{}]}",
               "1"),
          BUILDER, "Cannot create field because of field name duplication a");
  refuses(WITH("{\"type\":\"int8\",\"parameters\":{\"a\":1}}", "1"), DATA,
          "Schema parameters must have string values.");
  refuses(WITH("{\"type\":\"int8\",\"default\":null}", "1"), DATA,
          "Invalid null value for required INT8 field");
  refuses(WITH("{\"type\":\"string\",\"default\":5}", "1"), BUILDER, "Invalid default value");
  refuses(WITH("{\"type\":\"struct\",\"fields\":[],\"default\":{}}", "{}"), BUILDER, "Invalid default value");
  reads("{\"type\":\"int8\",\"optional\":\"true\",\"version\":\"1\",\"name\":1,\"parameters\":[]}", "1", "1");
}

#define NO_ENVELOPE                                                                                          \
  "JsonConverter with schemas.enable requires \"schema\" and \"payload\" fields and may not contain "        \
  "additional fields. If you are trying to deserialize plain JSON data, set schemas.enable=false in your "   \
  "converter configuration."
#define UNREADABLE "Converting byte[] to Kafka Connect data failed due to serialization error: "

static void envelopes(void **state) {
  (void)state;
  static const struct cl_json_conf plain = {0};
  static const char *const bad[] = {"",
                                    "null",
                                    "1",
                                    "[]",
                                    "{}",
                                    "{\"schema\":null}",
                                    "{\"payload\":1}",
                                    "{\"schema\":null,\"payload\":1,\"x\":2}"};
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    refuses(bad[i], DATA, NO_ENVELOPE);
  static const char *const broken[] = {"{",
                                       "{\"schema\"",
                                       "{\"schema\":{\"type\":\"int8\"},\"payload\":1",
                                       "{\"schema\":{\"type\":\"int8\"} \"payload\":1}",
                                       "{\"x\":1,}",
                                       "1,2"};
  for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
    refuses(broken[i], DATA, UNREADABLE);
  through(&typed, &plain, "{\"payload\":2,\"schema\":null,\"payload\":3} {", "3");
  through(&plain, &plain, "", NULL);
  through(&plain, &plain, "null", NULL);
  through(&plain, &typed, "{\"schema\":1,\"payload\":2}", WITH("null", "{\"schema\":1,\"payload\":2}"));
}

static void cached_schemas_stay_apart(void **state) {
  (void)state;
  struct rig r = rig_open();
  struct cl_json *j = converter(&r, &typed);
  struct cl_err err;
  char in[256];
  for (int i = 0; i < 60; i++) { /* more than the cache holds, some again at once */
    int v = i % 3 ? i % 12 : i;
    snprintf(in, sizeof(in),
             "{\"schema\":{\"type\":\"int32\",\"optional\":false,\"version\":%d},\"payload\":%d}", v, i);
    struct cl_datum d = {.bytes = rig_text(&r, in)};
    assert_int_equal(cl_json_decode(j, r.b, &d, &err), 0);
    assert_int_equal(d.schema->version, v);
    assert_int_equal(cl_json_encode(j, r.b, &d, &err), 0);
    assert_string_equal(d.bytes.p, in);
  }
  cl_json_free(j);
  rig_close(&r);
}

static void *deep_schema(void *arg) {
  enum { DEEPEST = 200, SIZE = 64 * 400 };
  char *in = malloc(SIZE);
  int depth = *(int *)arg, n = snprintf(in, SIZE, "{\"schema\":");
  for (int i = 1; i < depth; i++)
    n += snprintf(in + n, (size_t)(SIZE - n), "{\"type\":\"array\",\"items\":");
  n += snprintf(in + n, (size_t)(SIZE - n), "{\"type\":\"int8\",\"optional\":false}");
  for (int i = 1; i < depth; i++)
    n += snprintf(in + n, (size_t)(SIZE - n), ",\"optional\":false}");
  n += snprintf(in + n, (size_t)(SIZE - n), ",\"payload\":");
  for (int i = 1; i < 2 * depth; i++) /* [[[1]]] */
    n += snprintf(in + n, (size_t)(SIZE - n), "%s", i < depth ? "[" : i == depth ? "1" : "]");
  snprintf(in + n, (size_t)(SIZE - n), "}");
  if (depth <= DEEPEST)
    stays(in);
  else
    refuses(in, DATA, "Schemas nested deeper than 200 are not supported");
  free(in);
  return NULL;
}

static void deep_schemas_fit_a_small_stack(void **state) {
  (void)state;
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, 256 << 10);
  for (int depth = 199; depth <= 201; depth++) {
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, &attr, deep_schema, &depth), 0);
    pthread_join(thread, NULL);
  }
  pthread_attr_destroy(&attr);
}

/* A default is the number, however it was spelled. */
static void defaults_are_compared_as_values(void **state) {
  (void)state;
  static const char *const spelled[] = {"2.5", "2.50", "25e-1"};
  const struct cl_schema *schema[3];
  struct rig r = rig_open();
  struct cl_json *j = converter(&r, &typed);
  struct cl_err err;
  for (int i = 0; i < 3; i++) {
    char in[128];
    snprintf(in, sizeof(in), "{\"schema\":{\"type\":\"double\",\"default\":%s},\"payload\":1}", spelled[i]);
    struct cl_datum d = {.bytes = rig_text(&r, in)};
    assert_int_equal(cl_json_decode(j, r.b, &d, &err), 0);
    schema[i] = d.schema;
  }
  assert_ptr_equal(schema[0], schema[1]);
  assert_ptr_equal(schema[0], schema[2]);
  cl_json_free(j);
  rig_close(&r);
}

static void schema_content(void **state) {
  (void)state;
  struct cl_json_conf conf = typed;
  conf.schema_content = "{\"type\":\"struct\",\"fields\":[{\"type\":\"int8\",\"field\":\"a\"}]} trailing";
  through(&conf, &typed, "{\"a\":300,\"b\":1}",
          WITH("{\"type\":\"struct\",\"fields\":[{\"type\":\"int8\",\"optional\":false,\"field\":\"a\"}],"
               "\"optional\":false}",
               "{\"a\":44}"));
  refuses_with(&conf, "", DATA, "Structs should be encoded as JSON objects, but found MISSING");
  conf.schema_content = " \t";
  refuses_with(&conf, "1", DATA, NO_ENVELOPE);
  conf.schema_content = "null";
  refuses_with(&conf, "1", DATA, NO_ENVELOPE);
  struct rig r = rig_open();
  struct cl_err err = CL_ERR_INIT;
  conf.schema_content = "{";
  assert_null(cl_json_new(r.space, &conf, &err));
  assert_string_equal(err.msg, "Failed to parse schema in converter config due to serialization error: ");
  conf.schema_content = "{}";
  assert_null(cl_json_new(r.space, &conf, &err));
  assert_string_equal(err.msg, "Schema must contain 'type' field");
  rig_close(&r);
}

/* What plugins can build and Apache's reader cannot. */
static void values_that_do_not_fit(void **state) {
  (void)state;
  struct rig r = rig_open();
  struct cl_json *j = converter(&r, &typed);
  struct cl_err err = CL_ERR_INIT;
  struct cl_datum d = {.schema = cl_space_primitive(r.space, CL_TYPE_STRING, false),
                       .val = {.kind = CL_INT, .aux = 32, .i = 1}};
  assert_int_equal(cl_json_encode(j, r.b, &d, &err), CL_EDATA);
  assert_string_equal(err.msg, "Invalid type for STRING: class java.lang.Integer");
  d.schema = cl_space_primitive(r.space, CL_TYPE_INT64, false);
  assert_int_equal(cl_json_encode(j, r.b, &d, &err), CL_EDATA);
  assert_string_equal(err.msg, "Invalid type for INT64: class java.lang.Integer");
  d.schema = cl_space_primitive(r.space, CL_TYPE_BYTES, false);
  assert_int_equal(cl_json_encode(j, r.b, &d, &err), CL_EDATA);
  assert_string_equal(err.msg, "Invalid type for bytes type: class java.lang.Integer");
  struct cl_schema list = {.type = CL_TYPE_ARRAY};
  struct cl_arr arr = {.n = 1, .cap = 1, .v = &(struct cl_val){.kind = CL_TRUE}};
  d.schema = cl_space_intern(r.space, &list); /* elements without schema */
  d.val = (struct cl_val){.kind = CL_ARRAY, .arr = &arr};
  assert_int_equal(cl_json_encode(j, r.b, &d, &err), 0);
  assert_string_equal(d.bytes.p, WITH("{\"type\":\"array\",\"items\":null,\"optional\":false}", "[true]"));
  cl_json_free(j);
  rig_close(&r);
}

static void string_converter(void **state) {
  (void)state;
  struct rig r = rig_open();
  struct cl_err err;
  struct cl_datum d = {.bytes = rig_text(&r, "a\xC3\xA4")};
  assert_int_equal(cl_string_decode(r.b, &d, cl_charset_utf8(), &err), 0);
  assert_ptr_equal(d.val.s, d.bytes.p); /* borrowed */
  assert_true(d.schema->type == CL_TYPE_STRING && d.schema->optional);
  d.bytes = rig_text(&r, "a\xFFz");
  assert_int_equal(cl_string_decode(r.b, &d, cl_charset_utf8(), &err), 0);
  assert_int_equal(d.val.len, 5);
  assert_memory_equal(d.val.s, "a\xEF\xBF\xBDz", 5);
  d.bytes = rig_text(&r, "");
  assert_int_equal(cl_string_decode(r.b, &d, cl_charset_utf8(), &err), 0);
  assert_int_equal(cl_string_encode(r.b, &d, cl_charset_utf8(), &err), 0);
  assert_non_null(d.bytes.p);
  assert_int_equal(d.bytes.len, 0);
  d.bytes = (struct cl_str){0};
  assert_int_equal(cl_string_decode(r.b, &d, cl_charset_utf8(), &err), 0);
  assert_int_equal(d.val.kind, CL_NULL);
  assert_int_equal(cl_string_encode(r.b, &d, cl_charset_utf8(), &err), 0);
  assert_null(d.bytes.p);
  d.val = (struct cl_val){.kind = CL_STRING, .len = 8, .s = "\xED\x95\x9C\xED\xA0\xBDzz"};
  assert_int_equal(cl_string_encode(r.b, &d, cl_charset_utf8(), &err), 0);
  assert_int_equal(d.bytes.len, 6);
  assert_memory_equal(d.bytes.p, "\xED\x95\x9C?zz", 6);
  rig_close(&r);
}

static void byte_array_converter(void **state) {
  (void)state;
  struct rig r = rig_open();
  struct cl_err err;
  struct cl_datum d = {.bytes = rig_bytes(&r, "\0\xFF", 2)};
  assert_int_equal(cl_bytes_decode(r.b, &d, &err), 0);
  assert_int_equal(d.val.kind, CL_BYTES);
  assert_int_equal(cl_bytes_encode(r.b, &d, &err), 0);
  assert_int_equal(d.bytes.len, 2);
  d.schema = cl_space_primitive(r.space, CL_TYPE_STRING, true);
  assert_int_equal(cl_bytes_encode(r.b, &d, &err), CL_EDATA);
  assert_string_equal(err.msg, "Invalid schema type for ByteArrayConverter: STRING");
  d.schema = NULL;
  d.val = (struct cl_val){.kind = CL_INT, .aux = 32};
  assert_int_equal(cl_bytes_encode(r.b, &d, &err), CL_EDATA);
  assert_string_equal(err.msg,
                      "ByteArrayConverter is not compatible with objects of type class java.lang.Integer");
  d.val = (struct cl_val){.kind = CL_NULL};
  assert_int_equal(cl_bytes_encode(r.b, &d, &err), 0);
  assert_null(d.bytes.p);
  rig_close(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_attribute_survives),
      cmocka_unit_test(scalars_are_not_checked),
      cmocka_unit_test(bytes_are_base64),
      cmocka_unit_test(nulls_and_defaults),
      cmocka_unit_test(nulls_where_none_may_be),
      cmocka_unit_test(maps),
      cmocka_unit_test(logical_types),
      cmocka_unit_test(schema_errors),
      cmocka_unit_test(envelopes),
      cmocka_unit_test(cached_schemas_stay_apart),
      cmocka_unit_test(deep_schemas_fit_a_small_stack),
      cmocka_unit_test(defaults_are_compared_as_values),
      cmocka_unit_test(schema_content),
      cmocka_unit_test(values_that_do_not_fit),
      cmocka_unit_test(string_converter),
      cmocka_unit_test(byte_array_converter),
  };
  return cmocka_run_group_tests_name("record_converter", tests, NULL, NULL);
}
