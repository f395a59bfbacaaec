/* SPDX-License-Identifier: Apache-2.0
 * Values.parseString and convertToString, SimpleHeaderConverter, the converters of primitives and
 * character sets: results as recorded from Apache Kafka Connect 4.2.0. */
#include "record_rig.h"

#include "base/buf.h"
#include "record/build.h"
#include "record/charset.h"
#include "record/values.h"

static struct rig rig;

static int open_rig(void **state) {
  (void)state;
  rig = rig_open();
  return 0;
}

static int close_rig(void **state) {
  (void)state;
  rig_close(&rig);
  return 0;
}

/* --------------------------------------------------- a value with its types */

static void show_schema(struct cl_buf *out, const struct cl_schema *s) {
  if (!s) {
    cl_buf_char(out, '-');
    return;
  }
  if (s->logical == CL_LOGICAL_DECIMAL)
    cl_buf_fmt(out, "Decimal%.*s", (int)s->params[0].value.len, s->params[0].value.p);
  else if (s->logical)
    cl_buf_str(out, strrchr(s->name.p, '.') + 1);
  else
    cl_buf_str(out, cl_type_name(s->type));
  if (s->optional)
    cl_buf_char(out, '?');
  if (s->type != CL_TYPE_ARRAY && s->type != CL_TYPE_MAP)
    return;
  cl_buf_char(out, '(');
  if (s->type == CL_TYPE_MAP) {
    show_schema(out, s->key);
    cl_buf_char(out, ',');
  }
  show_schema(out, s->value);
  cl_buf_char(out, ')');
}

static void show(struct cl_buf *out, const struct cl_val *v);

static void show_entries(struct cl_buf *out, const struct cl_val *v) {
  uint32_t n = v->kind == CL_OBJECT ? v->obj->n : v->map->n;
  cl_buf_char(out, '{');
  for (uint32_t i = 0; i < n; i++) {
    cl_buf_str(out, i ? " " : "");
    if (v->kind == CL_OBJECT) {
      struct cl_str key = cl_space_sym_text(rig.space, v->obj->e[i].sym);
      cl_buf_fmt(out, "'%.*s'", (int)key.len, key.p);
    } else {
      show(out, &v->map->e[i].key);
    }
    cl_buf_char(out, '=');
    show(out, v->kind == CL_OBJECT ? &v->obj->e[i].val : &v->map->e[i].val);
  }
  cl_buf_char(out, '}');
}

static void show(struct cl_buf *out, const struct cl_val *v) {
  switch ((enum cl_kind)v->kind) {
  case CL_NULL: cl_buf_str(out, "null"); break;
  case CL_TRUE: cl_buf_str(out, "true"); break;
  case CL_FALSE: cl_buf_str(out, "false"); break;
  case CL_INT: cl_buf_fmt(out, "%lldi%d", (long long)v->i, v->aux); break;
  case CL_FLOAT32: cl_buf_fmt(out, "%.9gf", v->f); break;
  case CL_FLOAT64: cl_buf_fmt(out, "%.17gd", v->f); break;
  case CL_DECIMAL:
    cl_buf_fmt(out, "%.*s/%d", (int)v->dec->digits.len, v->dec->digits.p, v->dec->scale);
    break;
  case CL_STRING: cl_buf_fmt(out, "'%.*s'", (int)v->len, v->s); break;
  case CL_BYTES: cl_buf_fmt(out, "%u bytes", v->len); break;
  case CL_DATE:
  case CL_TIME:
  case CL_TIMESTAMP: cl_buf_fmt(out, "%lldms", (long long)v->i); break;
  case CL_ARRAY:
    cl_buf_char(out, '[');
    for (uint32_t i = 0; i < v->arr->n; i++) {
      cl_buf_str(out, i ? " " : "");
      show(out, &v->arr->v[i]);
    }
    cl_buf_char(out, ']');
    break;
  case CL_OBJECT:
  case CL_MAP: show_entries(out, v); break;
  default: fail_msg("kind %d", v->kind);
  }
}

static void parses(const char *in, const char *expected) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_datum d = {.bytes = rig_text(&rig, in)};
  if (cl_header_decode(rig.b, &d, &err) != 0)
    fail_msg("%s: %s", in, err.msg);
  struct cl_buf out = {0};
  show_schema(&out, d.schema);
  cl_buf_char(&out, ' ');
  show(&out, &d.val);
  if (strcmp(out.p, expected) != 0)
    fail_msg("%s\n  gives    %s\n  expected %s", in, out.p, expected);
  cl_buf_free(&out);
}

/* It is a string: itself. */
static void stays(const char *text) {
  char expected[512];
  snprintf(expected, sizeof(expected), "STRING '%s'", text);
  parses(text, expected);
}

/* What the text is written as when it has been read. */
static void rewrites(const char *in, const char *expected) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_datum d = {.bytes = rig_text(&rig, in)};
  assert_int_equal(cl_header_decode(rig.b, &d, &err), 0);
  assert_int_equal(cl_header_encode(rig.b, &d, &err), 0);
  assert_int_equal(d.bytes.len, strlen(expected));
  assert_memory_equal(d.bytes.p, expected, d.bytes.len);
}

/* -------------------------------------------------------------------- tests */

static void words_and_strings(void **state) {
  (void)state;
  parses("", "STRING ''");
  parses("null", "- null");
  parses(" null\t", "- null");
  parses("  true ", "BOOLEAN true");
  parses("false", "BOOLEAN false");
  static const char *const plain[] = {
      "null=",   "true}",      "false]", "nullx", "True",   "  ",           "foo",          " foo ",
      "\"foo\"", "true,false", ",",      " : ",   "NaN",    "Infinity",     "0x10",         "1.5f",
      "1_000",   "-",          "+",      "12 34", "1abc",   "192.168.0.1",  "1.2.3",        "1e",
      "1e+",     ".5",         "-1 2",   "\\",    "\\\"12", "1e2147483648", "1e-2147483648"};
  for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
    stays(plain[i]);
  stays("string with delimiters: <>?,./\\=+-!@#$%^&*(){}[]|;':");
  parses("a\xFF", "STRING 'a\xEF\xBF\xBD'");
}

static void numbers(void **state) {
  (void)state;
  static const char *const rows[][2] = {
      {"0", "INT8 0i8"},
      {"-0", "INT8 0i8"},
      {"+1", "INT8 1i8"},
      {"007", "INT8 7i8"},
      {"-0.0", "INT8 0i8"},
      {"0e999", "INT8 0i8"},
      {"127", "INT8 127i8"},
      {"-128", "INT8 -128i8"},
      {"128", "INT16 128i16"},
      {"-32768", "INT16 -32768i16"},
      {"32768", "INT32 32768i32"},
      {"-2147483648", "INT32 -2147483648i32"},
      {"2147483648", "INT64 2147483648i64"},
      {"9223372036854775807", "INT64 9223372036854775807i64"},
      {"-9223372036854775808", "INT64 -9223372036854775808i64"},
      {"9223372036854775808", "Decimal0 9223372036854775808/0"},
      {"-9223372036854775809", "Decimal0 -9223372036854775809/0"},
      {"100000000000000000000", "Decimal0 100000000000000000000/0"},
      {"1.0", "INT8 1i8"},
      {"1.", "INT8 1i8"},
      {"1.1", "FLOAT32 1.10000002f"},
      {"+.5", "FLOAT32 0.5f"},
      {"300.0", "INT16 300i16"},
      {"300.01", "FLOAT32 300.01001f"},
      {"66000.0", "INT32 66000i32"},
      {"66000.0008", "FLOAT32 66000f"},
      {"1e5", "INT32 100000i32"},
      {"1E00000000000005", "INT32 100000i32"},
      {"3.141592653589793", "FLOAT32 3.14159274f"},
      {"1e-50", "FLOAT32 0f"},
      {"-1e-50", "FLOAT32 -0f"},
      {"1e38", "FLOAT32 9.99999968e+37f"},
      {"1e39", "FLOAT64 9.9999999999999994e+38d"},
      {"3.4028235E38", "FLOAT32 3.40282347e+38f"},
      {"-1.7976931348623157E308", "FLOAT64 -1.7976931348623157e+308d"},
      {"1E400", "Decimal-400 1/-400"},
      {"1e2147483647", "Decimal-2147483647 1/-2147483647"},
      {"\xEF\xBC\x91\xEF\xBC\x92", "INT8 12i8"}, /* full-width digits */
      {"12,abc", "INT8 12i8"},                   /* what follows a delimiter is dropped */
      {"1:2", "INT8 1i8"},
      {"1,000", "INT8 1i8"},
      {"10:20:30", "INT8 10i8"},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
    parses(rows[i][0], rows[i][1]);
}

static void dates(void **state) {
  (void)state;
  static const char *const rows[][2] = {
      {"2019-08-23", "Date 1566518400000ms"},
      {" 2019-08-23 ", "Date 1566518400000ms"},
      {"2019-08-23,foo", "Date 1566518400000ms"},
      {"2019-13-45", "Date 1581638400000ms"},
      {"2019-08-2x", "Date 1564704000000ms"},
      {"0001-01-01", "Date -62135769600000ms"},
      {"1582-10-04", "Date -12219379200000ms"},
      {"1582-10-10", "Date -12218860800000ms"},
      {"1582-10-15", "Date -12219292800000ms"},
      {"14:34:54.346Z", "Time 52494346ms"},
      {"14\\:34\\:54.346Z", "Time 52494346ms"},
      {"99:99:99.999Z", "Time 362439999ms"},
      {"14:34:54.346Z ", "INT8 14i8"},
      {"2019-08-23T14:34:54.346Z", "Timestamp 1566570894346ms"},
      {"2019-08-23T14\\:34\\:54.346Z", "Timestamp 1566570894346ms"},
      {"1234567890", "INT32 1234567890i32"}, /* as long as a date */
      {"[2019-08-23]", "ARRAY(Date) [1566518400000ms]"},
      {"{\"k1\":14:34:54.346Z}", "MAP(STRING,Time) {'k1'=52494346ms}"},
      {"{\"k1\":\"14:34:54.346Z\"}", "MAP(STRING,Time) {'k1'=52494346ms}"},
      {"[2019-08-23,1]", "ARRAY(Date) [1566518400000ms 86400000ms]"},
      {"[2019-08-23,14:34:54.346Z]", "ARRAY(Time) [1566518400000ms 52494346ms]"},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
    parses(rows[i][0], rows[i][1]);
  stays("2019-08-23T14:34:54Z");
  stays("[2019-08-23,70000]"); /* the last schema is int32, which a date does not become */
  stays("[2019-08-23,1.5]");
}

static void arrays(void **state) {
  (void)state;
  static const char *const rows[][2] = {
      {"[]", "ARRAY(-) []"},
      {"[[]]", "ARRAY(ARRAY(-)) [[]]"},
      {"[{}]", "ARRAY(MAP(-,-)) [{}]"},
      {"[null]", "ARRAY(-) [null]"},
      {"[1,2,]", "ARRAY(INT8) [1i8 2i8]"},
      {"[1]]", "ARRAY(INT8) [1i8]"},
      {"[1,2] foo", "ARRAY(INT8) [1i8 2i8]"},
      {" [ 1 , 2 ] ", "ARRAY(INT8) [1i8 2i8]"},
      {"[true, false]", "ARRAY(BOOLEAN) [true false]"},
      {"[1, 2, 32768]", "ARRAY(INT32) [1i32 2i32 32768i32]"},
      {"[1,1.5]", "ARRAY(FLOAT32) [1f 1.5f]"},
      {"[1.5,1e39,2]", "ARRAY(FLOAT64) [1.5d 9.9999999999999994e+38d 2d]"},
      {"[1, 2, 300, \"four\"]", "ARRAY(-) [1i8 2i8 300i16 'four']"},
      {"[\"1.0\",9223372036854775808,1]", "ARRAY(-) ['1.0' 9223372036854775808/0 1i8]"},
      {"[9223372036854775808,9223372036854775809]",
       "ARRAY(Decimal0) [9223372036854775808/0 9223372036854775809/0]"},
      {"[[1],[300]]", "ARRAY(ARRAY(INT16)) [[1i8] [300i16]]"},
      {"[\"a\\\"b\"]", "ARRAY(STRING) ['a\\\"b']"},
      {"[\"  \"]", "ARRAY(STRING) ['']"},
      {"[\"a: \"]", "ARRAY(STRING) ['a:']"},
      {"[\"a, :b\"]", "ARRAY(STRING) ['a,:b']"},
      {"[\" ,a, :b\"]", "ARRAY(STRING) [',a,:b']"},
      {"[\"12\",\"true\",\"null\"]", "ARRAY(STRING) ['12' 'true' 'null']"},
      {"[\"foo\", 13344]", "ARRAY(-) ['foo' 13344i16]"},
      {" [1", "STRING ' '"}, /* the first token of what is no array */
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
    parses(rows[i][0], rows[i][1]);
  static const char *const strings[] = {
      "[foo]", "[0 1 2]", "[1, 2, 3,,,]", "[,1]",  "[1, null]",  "[null, 1]", "[true,null]",
      "[1",    "[",       "[1,",          "[\"a]", "[[1,null]]", "[1,[2 3]]", "[1 , 2 \"a\"]"};
  for (size_t i = 0; i < sizeof(strings) / sizeof(*strings); i++)
    stays(strings[i]);
}

static void maps(void **state) {
  (void)state;
  static const char *const rows[][2] = {
      {"{}", "MAP(-,-) {}"},
      {"{\"a\":{}}", "MAP(STRING,MAP(-,-)) {'a'={}}"},
      {"{\"a\":[]}", "MAP(STRING,ARRAY(-)) {'a'=[]}"},
      {"{3: null}", "MAP(INT8,-) {3i8=null}"},
      {"{\"a\":null}", "MAP(STRING,-) {'a'=null}"},
      {"{\"a\":null,\"a\":1}", "MAP(STRING,INT8) {'a'=1i8}"},
      {"{\"a\":1 \"b\":2}", "MAP(STRING,INT8) {'a'=1i8 'b'=2i8}"},
      {"{\"z\":1,\"a\":2,\"z\":3,}", "MAP(STRING,INT8) {'z'=3i8 'a'=2i8}"},
      {"{\"a\":1} x", "MAP(STRING,INT8) {'a'=1i8}"},
      {"{true: false, false: true}", "MAP(BOOLEAN,BOOLEAN) {true=false false=true}"},
      {"{1:1, 2:1, 300:300, 4:\"four\"}", "MAP(INT16,-) {1i16=1i8 2i16=1i8 300i16=300i16 4i16='four'}"},
      {"{1:1, \"a\":2}", "MAP(-,-) {1i8=1i8 'a'=2i8}"},
      {"{ \"foo\" : \"123\", \n\"bar\" : \"baz\" } ", "MAP(STRING,STRING) {'foo'='123' 'bar'='baz'}"},
      {"{\"foo\":12345,\"bar\":0,\"baz\":-4321}",
       "MAP(STRING,INT16) {'foo'=12345i16 'bar'=0i16 'baz'=-4321i16}"},
      /* keys that become equal when they are converted */
      {"{16777217:1,16777216.5:2}", "MAP(FLOAT32,INT8) {16777216f=2i8}"},
      {"{1970-01-01:1,00:00:00.000Z:2}", "MAP(Time,INT8) {0ms=2i8}"},
      {"{[1,\"a\"]:1,[1,\"a\"]:2,[1,\"b\"]:3}", "MAP(ARRAY(-),INT8) {[1i8 'a']=2i8 [1i8 'b']=3i8}"},
      {"{{1:2,3:4}:1,{3:4,1:2}:5}", "MAP(MAP(INT8,INT8),INT8) {{1i8=2i8 3i8=4i8}=5i8}"},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
    parses(rows[i][0], rows[i][1]);
  static const char *const strings[] = {"{foo: 3}",
                                        "{3: foo}",
                                        "{6:9 4:20}",
                                        "{null: 3}",
                                        "{\"a\":null,\"b\":1}",
                                        "{\"foo\" :  1234567890 ,, \"bar\" : 0 }",
                                        "{ ,,  , , }",
                                        "{\"foo\" : 1, \"a\", \"bar\" : 0}",
                                        "{",
                                        "{1",
                                        "{1:",
                                        "{1:2",
                                        "{1:2,"};
  for (size_t i = 0; i < sizeof(strings) / sizeof(*strings); i++)
    stays(strings[i]);
}

/* More keys than are compared one by one. */
static void many_keys(void **state) {
  (void)state;
  struct cl_buf text = {0};
  cl_buf_char(&text, '{');
  for (int i = 0; i < 3000; i++)
    cl_buf_fmt(&text, "%d:%d,\"k%d\":0,", i % 1000, i, i % 100);
  cl_buf_char(&text, '}');
  struct cl_err err = CL_ERR_INIT;
  struct cl_datum d = {0};
  assert_int_equal(cl_values_parse(rig.b, (struct cl_str){text.p, (uint32_t)text.len}, &d, &err), 0);
  assert_int_equal(d.val.kind, CL_MAP);
  assert_int_equal(d.val.map->n, 1100);
  assert_int_equal(d.val.map->e[0].key.i, 0);
  assert_int_equal(d.val.map->e[0].val.i, 2000);
  assert_int_equal(d.val.map->e[1].key.kind, CL_STRING);
  cl_buf_free(&text);
}

static void deep(void **state) {
  (void)state;
  struct cl_buf text = {0};
  for (int i = 0; i < CL_VALUES_DEPTH; i++)
    cl_buf_char(&text, '[');
  for (int i = 0; i < CL_VALUES_DEPTH; i++)
    cl_buf_char(&text, ']');
  struct cl_err err = CL_ERR_INIT;
  struct cl_datum d = {.bytes = {text.p, (uint32_t)text.len}};
  assert_int_equal(cl_header_decode(rig.b, &d, &err), 0);
  assert_int_equal(d.val.kind, CL_ARRAY);
  assert_int_equal(cl_header_encode(rig.b, &d, &err), 0);
  assert_int_equal(d.bytes.len, text.len);
  cl_buf_free(&text);
  for (int i = 0; i < 100000; i++)
    cl_buf_char(&text, '[');
  d.bytes = (struct cl_str){text.p, (uint32_t)text.len};
  assert_int_equal(cl_values_parse(rig.b, d.bytes, &d, &err), CL_EDATA);
  assert_string_equal(err.class, "java.lang.StackOverflowError");
  d.bytes = (struct cl_str){text.p, (uint32_t)text.len};
  assert_int_equal(cl_header_decode(rig.b, &d, &err), 0); /* as for anything that the parser throws */
  assert_int_equal(d.val.kind, CL_BYTES);
  assert_int_equal(d.schema->type, CL_TYPE_BYTES);
  cl_buf_free(&text);
}

static void texts(void **state) {
  (void)state;
  rewrites("", "");
  rewrites("three\"blind\\\"mice", "three\"blind\\\"mice");
  rewrites("[\"three\\\"blind\"]", "[\"three\\\\\\\"blind\"]"); /* grows with every round */
  rewrites("1.0e0", "1");
  rewrites("[1.5,1e10]", "[1.5,1.0E10]");
  rewrites("1E400", "1E+400");
  rewrites("{\"b\":1, \"a\":null, 3:\"x\"}", "{\"b\":1,\"a\":null,3:\"x\"}");
  rewrites("[2019-08-23,2019-08-24]", "[2019-08-23,2019-08-24]");
  rewrites("2019-08-23T00:00:00.000Z", "2019-08-23");
  rewrites("1969-12-31", "00:00:00.000Z");
  rewrites("1970-01-01T23:59:59.999Z", "23:59:59.999Z");
  rewrites("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z");
  struct cl_err err = CL_ERR_INIT;
  struct cl_val v = {.kind = CL_TIMESTAMP, .i = -1500};
  struct cl_str text;
  assert_int_equal(cl_values_text(rig.b, &v, &text, &err), 0);
  assert_string_equal(text.p, "23:59:58.500Z");
  v.i = INT64_MAX;
  assert_int_equal(cl_values_text(rig.b, &v, &text, &err), 0);
  assert_string_equal(text.p, "292278994-08-17T07:12:55.807Z");
  v.i = INT64_MIN;
  assert_int_equal(cl_values_text(rig.b, &v, &text, &err), 0);
  assert_string_equal(text.p, "16:47:04.192Z");
  v = (struct cl_val){.kind = CL_BYTES, .s = "\1\2\3", .len = 3};
  assert_int_equal(cl_values_text(rig.b, &v, &text, &err), 0);
  assert_string_equal(text.p, "AQID");
  v.kind = CL_NULL;
  assert_int_equal(cl_values_text(rig.b, &v, &text, &err), 0);
  assert_null(text.p);
}

/* A struct's fields with their defaults, a HashMap in its order, bytes in quotes. */
static void nested_texts(void **state) {
  (void)state;
  const struct cl_schema *number = cl_space_primitive(rig.space, CL_TYPE_INT32, false);
  const struct cl_schema with_default = {.type = CL_TYPE_STRING,
                                         .def = {.kind = CL_STRING, .s = "d\"", .len = 2}};
  struct cl_field fields[] = {{.name = {"x", 1}, .schema = number},
                              {.name = {"y", 1}, .schema = cl_space_intern(rig.space, &with_default)},
                              {.name = {"z\"", 2}, .schema = number}};
  const struct cl_schema *schema = cl_space_intern(
      rig.space, &(struct cl_schema){.type = CL_TYPE_STRUCT, .n_fields = 3, .fields = fields});
  struct cl_struct *st = cl_ffi_struct_new(rig.b, schema);
  st->v[0] = (struct cl_val){.kind = CL_INT, .aux = 32, .i = 1};
  struct cl_val v = {.kind = CL_STRUCT, .st = st};
  struct cl_err err = CL_ERR_INIT;
  struct cl_str text;
  assert_int_equal(cl_values_text(rig.b, &v, &text, &err), 0);
  assert_string_equal(text.p, "{\"x\":1,\"y\":\"d\\\"\",\"z\\\"\":null}");
  assert_int_equal(cl_json_read(rig.b, "{\"zz\":[],\"b\":1.0,\"a\":{}}", 24, &v, &err), 0);
  *cl_ffi_obj_find(rig.space, v.obj, "zz", 2) = (struct cl_val){.kind = CL_BYTES, .s = "\xFF", .len = 1};
  assert_int_equal(cl_values_text(rig.b, &v, &text, &err), 0);
  assert_string_equal(text.p, "{\"zz\":\"/w==\",\"a\":{},\"b\":1.0}");
}

/* JsonConverter keeps a parsed map's order, in keys too, and has no schema for its missing parts. */
static void parsed_maps_as_json(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  struct cl_json *json = cl_json_new(
      rig.space, &(struct cl_json_conf){.schemas_enable = true, .schemas_cache_size = 10, .is_key = true},
      &err);
  static const char *const rows[][2] = {
      {"{\"zz\":1,\"a\":2}",
       "{\"schema\":{\"type\":\"map\",\"keys\":{\"type\":\"string\",\"optional\":false},\"values\":{\"type\":"
       "\"int8\",\"optional\":false},\"optional\":false},\"payload\":{\"zz\":1,\"a\":2}}"},
      {"{3:\"x\",2:null}",
       "{\"schema\":{\"type\":\"map\",\"keys\":{\"type\":\"int8\",\"optional\":false},\"values\":null,"
       "\"optional\":false},\"payload\":[[3,\"x\"],[2,null]]}"},
      {"[1,\"a\"]",
       "{\"schema\":{\"type\":\"array\",\"items\":null,\"optional\":false},\"payload\":[1,\"a\"]}"},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
    struct cl_datum d = {.bytes = rig_text(&rig, rows[i][0])};
    bool refused = strstr(rows[i][0], "null") != NULL; /* null under a required string */
    assert_int_equal(cl_header_decode(rig.b, &d, &err), 0);
    if (refused) {
      assert_int_equal(d.schema->type, CL_TYPE_STRING);
      continue;
    }
    if (cl_json_encode(json, rig.b, &d, &err) != 0)
      fail_msg("%s", err.msg);
    assert_string_equal(d.bytes.p, rows[i][1]);
  }
  struct cl_datum d = {.bytes = rig_text(&rig, "{}")};
  assert_int_equal(cl_header_decode(rig.b, &d, &err), 0);
  assert_int_equal(cl_json_encode(json, rig.b, &d, &err), CL_EDATA);
  assert_string_equal(err.class, "java.lang.NullPointerException");
  cl_json_free(json);
}

/* --------------------------------------------------------------- primitives */

static void primitive(enum cl_type type, const char *bytes, uint32_t len, const char *expected) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_datum d = {.bytes = rig_bytes(&rig, bytes, len)};
  assert_int_equal(cl_primitive_decode(rig.b, &d, type, &err), 0);
  assert_ptr_equal(d.schema, cl_space_primitive(rig.space, type, true));
  struct cl_buf out = {0};
  show(&out, &d.val);
  assert_string_equal(out.p, expected);
  cl_buf_free(&out);
  d.bytes = (struct cl_str){0};
  assert_int_equal(cl_primitive_encode(rig.b, &d, type, &err), 0);
  assert_int_equal(d.bytes.len, len);
  assert_memory_equal(d.bytes.p, bytes, len);
}

static void refuses(enum cl_type type, const char *bytes, uint32_t len, const char *message,
                    const char *cause) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_datum d = {.bytes = rig_bytes(&rig, bytes, len)};
  assert_int_equal(cl_primitive_decode(rig.b, &d, type, &err), CL_EDATA);
  assert_string_equal(err.class, CL_JAVA_DATA);
  assert_string_equal(err.msg, message);
  assert_non_null(strstr(err.trace, cause));
}

static void refuses_value(enum cl_type type, const struct cl_val *v, const struct cl_schema *schema,
                          const char *message) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_datum d = {.val = *v, .schema = schema};
  assert_int_equal(cl_primitive_encode(rig.b, &d, type, &err), CL_EDATA);
  assert_string_equal(err.class, CL_JAVA_DATA);
  assert_string_equal(err.msg, message);
}

static void primitives(void **state) {
  (void)state;
  primitive(CL_TYPE_BOOLEAN, "\0", 1, "false");
  primitive(CL_TYPE_BOOLEAN, "\1", 1, "true");
  primitive(CL_TYPE_INT16, "\x80\0", 2, "-32768i16");
  primitive(CL_TYPE_INT32, "\0\0\x04\xD2", 4, "1234i32");
  primitive(CL_TYPE_INT64, "\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8, "9223372036854775807i64");
  primitive(CL_TYPE_FLOAT32, "\x44\x9A\x49\xEC", 4, "1234.31006f");
  primitive(CL_TYPE_FLOAT32, "\xFF\x80\0\1", 4, "-nanf"); /* its bits are kept */
  primitive(CL_TYPE_FLOAT64, "\x3F\xF0\0\0\0\0\0\0", 8, "1d");
  refuses(CL_TYPE_BOOLEAN, "", 0, "Failed to deserialize boolean: ",
          "SerializationException: Size of data received by BooleanDeserializer is not 1");
  refuses(CL_TYPE_BOOLEAN, "\2", 1,
          "Failed to deserialize boolean: ", "Unexpected byte received by BooleanDeserializer: 2");
  refuses(CL_TYPE_INT16, "123", 3,
          "Failed to deserialize short: ", "Size of data received by ShortDeserializer is not 2");
  refuses(CL_TYPE_FLOAT64, "1", 1,
          "Failed to deserialize double: ", "Size of data received by Deserializer is not 8");
  struct cl_val string = {.kind = CL_STRING, .s = "x", .len = 1}, number = {.kind = CL_INT, .aux = 64};
  const struct cl_schema *int32 = cl_space_primitive(rig.space, CL_TYPE_INT32, false);
  refuses_value(CL_TYPE_BOOLEAN, &(struct cl_val){.kind = CL_NULL}, int32,
                "Invalid schema type for BooleanConverter: INT32");
  refuses_value(CL_TYPE_BOOLEAN, &string, NULL,
                "BooleanConverter is not compatible with objects of type class java.lang.String");
  refuses_value(CL_TYPE_INT32, &number, int32, "Failed to serialize to integer (was class java.lang.Long): ");
  refuses_value(CL_TYPE_FLOAT32, &string, NULL,
                "Failed to serialize to float (was class java.lang.String): ");
  struct cl_err err = CL_ERR_INIT;
  struct cl_datum d = {.val = {.kind = CL_FLOAT64}};
  uint64_t nan = UINT64_C(0xfff8000000000001);
  memcpy(&d.val.f, &nan, sizeof(nan));
  assert_int_equal(cl_primitive_encode(rig.b, &d, CL_TYPE_FLOAT64, &err), 0);
  assert_memory_equal(d.bytes.p, "\x7F\xF8\0\0\0\0\0\0", 8); /* one NaN for all */
  d = (struct cl_datum){.val = {.kind = CL_NULL}};
  assert_int_equal(cl_primitive_encode(rig.b, &d, CL_TYPE_INT64, &err), 0);
  assert_null(d.bytes.p);
  assert_int_equal(cl_primitive_decode(rig.b, &d, CL_TYPE_INT64, &err), 0);
  assert_int_equal(d.val.kind, CL_NULL);
  assert_true(d.schema->optional);
}

/* ----------------------------------------------------------- character sets */

static void charset(const char *name, const char *bytes, size_t n, const char *text) {
  const struct cl_charset *cs = cl_charset_find(name, strlen(name));
  struct cl_err err = CL_ERR_INIT;
  struct cl_str out;
  assert_non_null(cs);
  struct cl_str in = rig_bytes(&rig, bytes, n);
  assert_int_equal(cl_charset_decode(cs, rig.b->arena, in, &out, &err), 0);
  assert_int_equal(out.len, strlen(text));
  assert_memory_equal(out.p, text, out.len);
}

static void encodes(const char *name, const char *text, const char *bytes, size_t n) {
  const struct cl_charset *cs = cl_charset_find(name, strlen(name));
  struct cl_err err = CL_ERR_INIT;
  struct cl_str out;
  assert_non_null(cs);
  assert_int_equal(cl_charset_encode(cs, rig.b->arena, rig_text(&rig, text), &out, &err), 0);
  assert_int_equal(out.len, n);
  assert_memory_equal(out.p, bytes, n);
}

static void charsets(void **state) {
  (void)state;
  charset("utf-8", "a\xC3\xA9\xFF", 4, "a\xC3\xA9\xEF\xBF\xBD");
  charset("latin1", "a\xE9\xFF", 3, "a\xC3\xA9\xC3\xBF");
  charset("US-ASCII", "a\xE9", 2, "a\xEF\xBF\xBD");
  charset("UTF-16", "\xFE\xFF\0a\xD8\x3D\xDE\0", 8, "a\xF0\x9F\x98\x80");
  charset("UTF-16",
          "\xFF\xFE"
          "a\0",
          4, "a");
  charset("UTF-16", "\0a", 2, "a");
  charset("UTF-16BE", "\xFE\xFF\0a", 4,
          "\xEF\xBB\xBF"
          "a");                                           /* the mark is text there */
  charset("UTF-16LE", "a\0\x3D\xD8", 4, "a\xEF\xBF\xBD"); /* cut short */
  charset("UTF-16BE", "\xDC\0\0a\xD8\0\0b\0", 9,
          "\xEF\xBF\xBD"
          "a\xEF\xBF\xBD\xEF\xBF\xBD");
  charset("KOI8-R", "\xC1", 1, "\xD0\xB0");
  encodes("UTF-16", "a\xF0\x9F\x98\x80", "\xFE\xFF\0a\xD8\x3D\xDE\0", 8);
  encodes("UTF-16", "", "", 0);
  encodes("UTF-16LE", "\xED\xA0\xBD", "\xFD\xFF", 2); /* a lone surrogate */
  encodes("UTF-8", "a\xED\xA0\xBD\xED\x9F\xBF", "a?\xED\x9F\xBF", 5);
  encodes("ISO-8859-1", "\xC3\xA9\xE2\x82\xAC", "\xE9?", 2);
  encodes("ascii",
          "\xC3\xA9"
          "b",
          "?b", 2);
  encodes("windows-1252", "\xE2\x82\xAC\xD0\xB0", "\x80?", 2);
  static const char *const unknown[] = {"nope", "", "UTF-8//IGNORE", "UTF-32", "-", " UTF-8"};
  for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++)
    assert_null(cl_charset_find(unknown[i], strlen(unknown[i])));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)
  const struct CMUnitTest tests[] = {
      TEST(words_and_strings), TEST(numbers),  TEST(dates), TEST(arrays),       TEST(maps),
      TEST(many_keys),         TEST(deep),     TEST(texts), TEST(nested_texts), TEST(parsed_maps_as_json),
      TEST(primitives),        TEST(charsets),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
