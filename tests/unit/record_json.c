/* SPDX-License-Identifier: Apache-2.0
 * The JSON parser and writer without schemas: what passes, what is refused, what comes out. */
#include "record_rig.h"

#include "base/arena.h"

#include <pthread.h>

static int read_n(struct rig *r, const char *p, size_t n, struct cl_val *v, struct cl_err *err) {
  struct cl_str in = rig_bytes(r, p, n);
  return cl_json_read(r->b, in.p, in.len, v, err);
}

static char *written(struct rig *r, const struct cl_val *v, bool java_order) {
  struct cl_buf out = {0};
  struct cl_err err;
  if (cl_json_write(r->b, v, java_order, &out, &err) != 0)
    fail_msg("%s", err.msg);
  return out.p;
}

static void becomes_n(const char *in, size_t n, const char *expected) {
  struct rig r = rig_open();
  struct cl_val v;
  struct cl_err err;
  if (read_n(&r, in, n, &v, &err) != 0)
    fail_msg("%s: %s", in, err.msg);
  char *out = written(&r, &v, false);
  assert_string_equal(out, expected);
  free(out);
  rig_close(&r);
}

static void becomes(const char *in, const char *expected) { becomes_n(in, strlen(in), expected); }
static void stays(const char *in) { becomes(in, in); }

static void refused_n(const char *in, size_t n, const char *message) {
  struct rig r = rig_open();
  struct cl_val v;
  struct cl_err err = CL_ERR_INIT;
  assert_int_equal(read_n(&r, in, n, &v, &err), CL_EDATA);
  assert_string_equal(err.msg, message);
  rig_close(&r);
}

static void refused(const char *in, const char *message) { refused_n(in, strlen(in), message); }

static void documents(void **state) {
  (void)state;
  stays("null");
  stays("{}");
  stays("[]");
  stays("[[],{},[{}]]");
  stays("{\"b\":1,\"a\":[true,false,null],\"\":{\"b\":\"x\"}}");
  becomes(" \t\r\n{ \"a\" : [ 1 , 2 ] , \"b\" : { } } ", "{\"a\":[1,2],\"b\":{}}");
  /* The same keys in every nesting, in one object twice: the last wins at the first's place. */
  becomes("{\"a\":1,\"b\":{\"a\":2,\"b\":3},\"a\":{\"a\":4}}", "{\"a\":{\"a\":4},\"b\":{\"a\":2,\"b\":3}}");
  becomes("{\"x\":1,\"x\":2,\"y\":3,\"x\":4,\"y\":5}", "{\"x\":4,\"y\":5}");
}

static void nothing_is_missing(void **state) {
  (void)state;
  struct rig r = rig_open();
  struct cl_val v;
  struct cl_err err;
  assert_int_equal(read_n(&r, "", 0, &v, &err), 0);
  assert_int_equal(v.kind, CL_MISSING);
  assert_int_equal(read_n(&r, " \n", 2, &v, &err), 0);
  assert_int_equal(v.kind, CL_MISSING);
  rig_close(&r);
}

static void what_follows_is_ignored_unless_glued(void **state) {
  (void)state;
  becomes("true false", "true");
  becomes("{\"a\":1} trailing", "{\"a\":1}");
  becomes("[]1", "[]");
  becomes("\"a\"b", "\"a\"");
  becomes("true]", "true");
  becomes("true,1", "true");
  becomes("1 x", "1");
  refused("1,2", "unexpected character after the value at byte 1");
  refused("12abc", "unexpected character after the value at byte 2");
  refused("truex", "unexpected character after the value at byte 4");
  refused("null1", "unexpected character after the value at byte 4");
  refused("false_", "unexpected character after the value at byte 5");
}

static void refusals(void **state) {
  (void)state;
  refused("{", "unexpected end at byte 1");
  refused("[1", "unexpected end at byte 2");
  refused("[1,]", "unexpected character at byte 3");
  refused("{\"a\":1,}", "a key in double quotes is missing at byte 7");
  refused("{\"a\" 1}", "a colon is missing at byte 5");
  refused("{a:1}", "a key in double quotes is missing at byte 1");
  refused("[1 2]", "a comma or the end of the container is missing at byte 3");
  refused("[1}", "a comma or the end of the container is missing at byte 2");
  refused("'a'", "unexpected character at byte 0");
  refused("NaN", "unexpected character at byte 0");
  refused("+1", "unexpected character at byte 0");
  refused(".5", "unexpected character at byte 0");
  refused("nul", "unknown word at byte 0");
  refused("/* c */1", "unexpected character at byte 0");
  refused("-", "a digit is missing at byte 1");
  refused("1.", "a digit is missing after the point at byte 2");
  refused("1.e5", "a digit is missing after the point at byte 2");
  refused("1e", "a digit is missing in the exponent at byte 2");
  refused("1e+", "a digit is missing in the exponent at byte 3");
  refused("1e2147483648", "exponent beyond 32 bits at byte 12");
  refused("\"a", "unexpected end in a string at byte 2");
  refused("\"a\nb\"", "unescaped control character in a string at byte 2");
  refused("\"\\x\"", "bad escape at byte 1");
  refused("\"\\u12g4\"", "bad escape at byte 1");
  refused("\"\\u123\"", "bad escape at byte 1");
  refused("\"\\\"", "unexpected end in a string at byte 3");
}

static void numbers(void **state) {
  (void)state;
  stays("[0,1,-1,9223372036854775807,-9223372036854775808,9223372036854775808,-9223372036854775809]");
  becomes("[0012,-01,-0,00,007.5,-000.5]", "[12,-1,0,0,7.5,-0.5]");
  stays("[0.1,1.5,-2.25,123456.789,0.001,9999999.0,0.0]");
  becomes("[-0.0,1e3,1E-4,1.10,0.0001,10000000.0,1e400,-1e400,1e-400]",
          "[0.0,1000.0,1.0E-4,1.1,1.0E-4,1.0E7,\"Infinity\",\"-Infinity\",0.0]");
  becomes("[0.30000000000000004,1.7976931348623157e308,4.9e-324,2.2250738585072014E-308]",
          "[0.30000000000000004,1.7976931348623157E308,4.9E-324,2.2250738585072014E-308]");
  becomes("[123456789012345678.0,0.1000000000000000055511151231257827]", "[1.2345678901234568E17,0.1]");
}

static void numbers_of_a_thousand_digits(void **state) {
  (void)state;
  char text[1100];
  memset(text, '7', sizeof(text));
  text[1000] = '\0';
  stays(text);
  text[1000] = '7';
  text[1001] = '\0';
  refused(text, "number longer than 1000 characters at byte 1001");
}

static void strings(void **state) {
  (void)state;
  stays("\"plain text that is longer than eight bytes\"");
  stays("\"\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001F\"");
  becomes("\"\\u0041\\/\\u00e4\\u20AC\\uD83D\\uDE00\"", "\"A/\xC3\xA4\xE2\x82\xAC\\uD83D\\uDE00\"");
  stays("\"\xC3\xA4\xE2\x82\xAC\x7F\xE2\x80\xA8 \xED\x95\x9C\""); /* DEL, U+2028, Hangul from 0xED */
  becomes("\"\xF0\x9F\x98\x80\"", "\"\\uD83D\\uDE00\"");
  stays("\"\\uD83D\"");
  becomes("\"x\\ude00\\ud83dy\"", "\"x\\uDE00\\uD83Dy\"");
  stays("{\"k\\\"\\n\":1,\"\xC3\xA4\":2,\"\\uD83D\\uDE00\":3}");
}

static void loose_utf8(void **state) {
  (void)state;
  becomes("\"\xED\xA0\xBD\"", "\"\\uD83D\"");
  becomes("\"\xED\xA0\xBD\xED\xB8\x80\"", "\"\\uD83D\\uDE00\"");
  becomes("\"\xC0\x80\"", "\"\\u0000\"");
  refused("\"\x80\"", "invalid UTF-8 at byte 1");
  refused("\"\xC3\"", "invalid UTF-8 at byte 1");
  refused("\"ab\xE2\x82\"", "invalid UTF-8 at byte 3");
  refused("\"\xF8\x80\x80\x80\x80\"", "invalid UTF-8 at byte 1");
}

static void other_encodings(void **state) {
  (void)state;
  becomes_n("\xEF\xBB\xBF[1]", 6, "[1]");
  becomes_n("[\0001\0]\0", 6, "[1]");
  becomes_n("\0[\0001\0]", 6, "[1]");
  becomes_n("\xFF\xFE\"\0=\xD8\0\xDE\"\0", 10, "\"\\uD83D\\uDE00\"");
  becomes_n("\0\0\0[\0\0\0]", 8, "[]");
  becomes_n("[\0\0\0]\0\0\0", 8, "[]");
  becomes_n("1\0", 2, "1");
  refused_n("[\0001\0]", 5, "unexpected end inside a UTF-16 unit");
}

static void clean_strings_are_borrowed(void **state) {
  (void)state;
  struct rig r = rig_open();
  struct cl_err err;
  struct cl_val v;
  struct cl_str in = rig_text(&r, "\"abc \xC3\xA4\"");
  assert_int_equal(cl_json_read(r.b, in.p, in.len, &v, &err), 0);
  assert_ptr_equal(v.s, in.p + 1);
  assert_int_equal(v.flags, CL_VAL_CLEAN);
  in = rig_text(&r, "\"a\\n\"");
  assert_int_equal(cl_json_read(r.b, in.p, in.len, &v, &err), 0);
  assert_int_equal(v.flags, 0);
  rig_close(&r);
}

static void java_order(void **state) {
  (void)state;
  struct rig r = rig_open();
  struct cl_err err;
  struct cl_val v;
  const char *in = "{\"seq\":1,\"file\":2,\"pos\":{\"c\":1,\"b\":2,\"a\":3}}";
  assert_int_equal(read_n(&r, in, strlen(in), &v, &err), 0);
  char *out = written(&r, &v, true);
  assert_string_equal(out, "{\"file\":2,\"pos\":{\"a\":3,\"b\":2,\"c\":1},\"seq\":1}");
  free(out);
  /* Letters a..z have hashes 97..122: 26 keys make 64 buckets and a full circle. */
  char text[400] = "{", *w = text + 1;
  for (int i = 25; i >= 0; i--)
    w += snprintf(w, 8, "%s\"%c\":0", i < 25 ? "," : "", 'a' + i);
  memcpy(w, "}", 2);
  assert_int_equal(read_n(&r, text, strlen(text), &v, &err), 0);
  assert_int_equal(v.obj->java_cap, 16);
  out = written(&r, &v, true);
  assert_memory_equal(out, "{\"a\":0,\"b\":0,\"c\":0", 18);
  free(out);
  rig_close(&r);
}

static void *deep(void *arg) {
  (void)arg;
  enum { N = 1000 };
  char text[2 * N + 8];
  for (int i = 0; i < N; i++) {
    text[i] = '[';
    text[N + i] = ']';
  }
  becomes_n(text, 2 * N, (text[2 * N] = '\0', text));
  memset(text, '[', sizeof(text));
  refused_n(text, sizeof(text), "nesting deeper than 1000 at byte 1000");
  return NULL;
}

static void depth_costs_no_stack(void **state) {
  (void)state;
  pthread_attr_t attr;
  pthread_t thread;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, 256 << 10);
  assert_int_equal(pthread_create(&thread, &attr, deep, NULL), 0);
  pthread_join(thread, NULL);
  pthread_attr_destroy(&attr);
}

static void many_equal_keys_take_no_square_time(void **state) {
  (void)state;
  enum { N = 20000 };
  enum { MEMBER = 40 };
  char *text = malloc(2 * N * MEMBER), *w = text;
  *w++ = '{';
  for (int i = 0; i < 2 * N; i++)
    w += snprintf(w, MEMBER, "%s\"k%d\":{\"k%d\":%d}", i ? "," : "", i % N, (i + 1) % N, i);
  *w++ = '}';
  struct rig r = rig_open();
  struct cl_val v;
  struct cl_err err;
  assert_int_equal(read_n(&r, text, (size_t)(w - text), &v, &err), 0);
  assert_int_equal(v.obj->n, N);
  assert_int_equal(v.obj->e[5].val.obj->e[0].val.i, N + 5);
  rig_close(&r);
  free(text);
}

static void nothing_is_written_without_a_type(void **state) {
  (void)state;
  struct rig r = rig_open();
  struct cl_decimal dec = {.digits = {"1", 1}};
  struct cl_val v = {.kind = CL_DECIMAL, .dec = &dec};
  struct cl_buf out = {0};
  struct cl_err err;
  assert_int_equal(cl_json_write(r.b, &v, false, &out, &err), CL_EDATA);
  assert_string_equal(err.msg,
                      "Java class class java.math.BigDecimal does not have corresponding schema type.");
  assert_string_equal(err.class, CL_JAVA_DATA);
  cl_buf_free(&out);
  /* A value that contains itself ends at the depth limit. */
  struct cl_arr arr = {.n = 1, .cap = 1, .v = &v};
  v = (struct cl_val){.kind = CL_ARRAY, .arr = &arr};
  assert_int_equal(cl_json_write(r.b, &v, false, &out, &err), CL_EDATA);
  cl_buf_free(&out);
  rig_close(&r);
}

/* The arena's memory was used by the batch before. */
static void containers_are_new_all_over(void **state) {
  (void)state;
  struct rig r = rig_open();
  struct cl_val v;
  struct cl_err err = CL_ERR_INIT;
  memset(cl_arena_alloc(r.b->arena, 4096), 0xA5, 4096);
  cl_arena_reset(r.b->arena);
  assert_int_equal(read_n(&r, "{\"a\":[1]}", 9, &v, &err), 0);
  const struct cl_obj *obj = v.obj;
  const struct cl_arr *arr = obj->e[0].val.arr;
  assert_int_equal(obj->n, 1);
  assert_int_equal(obj->java_cap, 16);
  assert_int_equal(obj->linked, 0);
  assert_null(obj->schema);
  assert_int_equal(obj->walk.at | obj->walk.gone | obj->walk.bound, 0);
  assert_int_equal(arr->n, 1);
  assert_null(arr->schema);
  rig_close(&r);
}

static void a_budget_ends_in_an_error(void **state) {
  (void)state;
  struct cl_arena_budget budget = {.max = 64 << 10};
  struct cl_space *s = cl_space_new(&budget);
  struct cl_batch_pool *pool = cl_batch_pool_new(s, &budget, 4);
  struct cl_batch *b = cl_batch_get(pool);
  struct cl_err err = CL_ERR_INIT;
  struct cl_val v;
  char text[20001];
  for (int i = 0; i < 20000; i += 2)
    memcpy(text + i, i ? ",1" : "[1", 2);
  text[20000] = ']';
  assert_int_equal(cl_json_read(b, text, sizeof(text), &v, &err), CL_ENOMEM);
  cl_batch_unref(b);
  cl_batch_pool_free(pool);
  cl_space_free(s);
}

static void long_keys_are_refused(void **state) {
  (void)state;
  enum { MAX = 50000, BUFFER = 65536 };
  static const int sizes[] = {MAX, MAX + 1, BUFFER, BUFFER + 1, 2 * BUFFER};
  char *text = malloc(2 * BUFFER + 8);
  for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
    int n = sizes[i];
    char why[128];
    memset(text, 'k', (size_t)n + 8);
    memcpy(text, "{\"", 2);
    memcpy(text + 2 + n, "\":1}", 4);
    snprintf(why, sizeof(why),
             "Name length (%d) exceeds the maximum allowed (50000, from "
             "`StreamReadConstraints.getMaxNameLength()`)",
             n < BUFFER ? n : BUFFER);
    struct rig r = rig_open();
    struct cl_val v;
    struct cl_err err = CL_ERR_INIT;
    assert_int_equal(read_n(&r, text, (size_t)n + 6, &v, &err), n > MAX ? CL_EDATA : 0);
    if (n > MAX)
      assert_string_equal(err.msg, why);
    rig_close(&r);
  }
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(documents),
      cmocka_unit_test(nothing_is_missing),
      cmocka_unit_test(what_follows_is_ignored_unless_glued),
      cmocka_unit_test(refusals),
      cmocka_unit_test(numbers),
      cmocka_unit_test(numbers_of_a_thousand_digits),
      cmocka_unit_test(strings),
      cmocka_unit_test(loose_utf8),
      cmocka_unit_test(other_encodings),
      cmocka_unit_test(clean_strings_are_borrowed),
      cmocka_unit_test(java_order),
      cmocka_unit_test(depth_costs_no_stack),
      cmocka_unit_test(many_equal_keys_take_no_square_time),
      cmocka_unit_test(nothing_is_written_without_a_type),
      cmocka_unit_test(containers_are_new_all_over),
      cmocka_unit_test(a_budget_ends_in_an_error),
      cmocka_unit_test(long_keys_are_refused),
  };
  return cmocka_run_group_tests_name("record_json", tests, NULL, NULL);
}
