/* SPDX-License-Identifier: Apache-2.0
 * Numbers as Java reads and prints them; Java's toString of values. */
#include "record_rig.h"

#include <locale.h>
#include <math.h>

#include "record/num.h"

static void prints_n(double d, const char *expected, bool is_float) {
  char out[CL_NUM_TEXT];
  size_t n = is_float ? cl_num_print_float((float)d, out) : cl_num_print_double(d, out);
  assert_true(n < sizeof(out));
  out[n] = '\0';
  assert_string_equal(out, expected);
}

static void doubles(void **state) {
  (void)state;
  static const struct {
    double d;
    const char *text;
  } rows[] = {{0, "0.0"},
              {-0.0, "-0.0"},
              {1, "1.0"},
              {-1.5, "-1.5"},
              {100, "100.0"},
              {9999999, "9999999.0"},
              {1e7, "1.0E7"},
              {0.001, "0.001"},
              {1e-4, "1.0E-4"},
              {0.1 + 0.2, "0.30000000000000004"},
              {1e23, "1.0E23"},
              {5e-324, "4.9E-324"},
              {2.2250738585072014e-308, "2.2250738585072014E-308"},
              {1.7976931348623157e308, "1.7976931348623157E308"},
              {123456.789, "123456.789"},
              {1e21, "1.0E21"},
              {9007199254740993.0, "9.007199254740992E15"},
              {1e-320, "1.0E-320"},
              {NAN, "NaN"},
              {INFINITY, "Infinity"},
              {-INFINITY, "-Infinity"}};
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
    prints_n(rows[i].d, rows[i].text, false);
}

static void floats(void **state) {
  (void)state;
  prints_n(0.1f, "0.1", true);
  prints_n(16777216.f, "1.6777216E7", true);
  prints_n(3.4028235e38f, "3.4028235E38", true);
  prints_n(0x1p-149f, "1.4E-45", true);
  prints_n(1.17549435e-38f, "1.1754944E-38", true);
  prints_n(1e10f, "1.0E10", true);
}

static void random_doubles_come_back(void **state) {
  (void)state;
  uint64_t x = 88172645463325252u;
  for (int i = 0; i < 20000; i++) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    double d;
    memcpy(&d, &x, sizeof(d));
    if (!isfinite(d))
      continue;
    char out[CL_NUM_TEXT];
    size_t n = cl_num_print_double(d, out);
    double back = cl_num_double(out, n);
    assert_memory_equal(&back, &d, sizeof(d));
    float f = (float)d;
    if (!isfinite(f) || f == 0)
      continue;
    n = cl_num_print_float(f, out);
    assert_true(cl_num_float(out, n) == f);
  }
}

static void any_locale(void **state) {
  (void)state;
  /* Where a comma locale is installed, it must change nothing. */
  const char *names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE"};
  for (int i = 0; i < 3 && !setlocale(LC_NUMERIC, names[i]); i++)
    ;
  prints_n(0.1 + 0.2, "0.30000000000000004", false);
  assert_true(cl_num_double("123456789012345678901.25", 24) == 123456789012345678901.25);
  setlocale(LC_NUMERIC, "C");
}

static void reading(void **state) {
  (void)state;
  const struct {
    const char *text;
    double d;
  } rows[] = {{"1e22", 1e22},
              {"1e23", 1e23},
              {"0.1", 0.1},
              {"-1.5e-3", -1.5e-3},
              {"1e400", INFINITY},
              {"-1e400", -INFINITY},
              {"9007199254740993.0", 9007199254740992.0},
              {"4.9E-324", 5e-324},
              {"123456789012345678901234567890", 123456789012345678901234567890.0}};
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
    assert_true(cl_num_double(rows[i].text, strlen(rows[i].text)) == rows[i].d);
  assert_false(signbit(cl_num_double("-0.0", 4)));
  assert_false(signbit(cl_num_double("-0.000000000000000000000000e5", 29)));
  assert_true(signbit(cl_num_double("-1e-400", 7)));
  assert_true(cl_num_float("16777217", 8) == 16777216.f);
  assert_int_equal(cl_num_low64("12.9", 4), 12);
  assert_int_equal(cl_num_low64("-12.9e1", 7), -129);
  assert_int_equal(cl_num_low64("1.5e-9", 6), 0);
  assert_int_equal(cl_num_low64("1e63", 4), (int64_t)(UINT64_C(0x8000000000000000))); /* 10^63 = 2^63 * odd */
  assert_int_equal(cl_num_low64("1e2147483647", 12), 0);
  assert_int_equal(cl_num_low64("9223372036854775808", 19), INT64_MIN);
}

static void int32s(void **state) {
  (void)state;
  int32_t i;
  assert_true(cl_num_parse_int32((struct cl_str){"-2147483648", 11}, &i) && i == INT32_MIN);
  assert_true(cl_num_parse_int32((struct cl_str){"+7", 2}, &i) && i == 7);
  assert_false(cl_num_parse_int32((struct cl_str){"2147483648", 10}, &i));
  assert_false(cl_num_parse_int32((struct cl_str){"", 0}, &i));
  assert_false(cl_num_parse_int32((struct cl_str){"-", 1}, &i));
  assert_false(cl_num_parse_int32((struct cl_str){" 1", 2}, &i));
}

static void decimal_is(struct cl_arena *a, const char *in, const char *expected) {
  struct cl_decimal d;
  char out[256];
  assert_true(cl_num_decimal(a, in, strlen(in), &d));
  size_t n = cl_num_print_decimal(&d, out);
  out[n] = '\0';
  assert_string_equal(out, expected);
}

static void decimals(void **state) {
  (void)state;
  struct cl_arena *a = cl_arena_new(NULL);
  decimal_is(a, "1.50", "1.50");
  decimal_is(a, "-0.05", "-0.05");
  decimal_is(a, "0.000001", "0.000001");
  decimal_is(a, "0.0000001", "1E-7");
  decimal_is(a, "1e3", "1E+3");
  decimal_is(a, "12.5e5", "1.25E+6");
  decimal_is(a, "0e-10", "0E-10");
  decimal_is(a, "-0", "0");
  decimal_is(a, "000.10", "0.10");
  struct cl_decimal d;
  assert_false(cl_num_decimal(a, "1e2147483649", 12, &d));
  static const char *const ints[] = {
      "0",          "1",          "-1",
      "127",        "128",        "-128",
      "-129",       "255",        "256",
      "4294967295", "4294967296", "-4294967296",
      "999999999",  "1000000000", "123456789012345678901234567890123456789012345678901234567890"};
  for (size_t i = 0; i < sizeof(ints) / sizeof(ints[0]); i++) {
    struct cl_str bytes = cl_num_to_bytes(a, (struct cl_str){ints[i], (uint32_t)strlen(ints[i])});
    struct cl_str back = cl_num_from_bytes(a, (const unsigned char *)bytes.p, bytes.len);
    assert_int_equal(back.len, strlen(ints[i]));
    assert_memory_equal(back.p, ints[i], back.len);
  }
  struct cl_str bytes = cl_num_to_bytes(a, (struct cl_str){"128", 3});
  assert_int_equal(bytes.len, 2);
  assert_memory_equal(bytes.p, "\0\x80", 2);
  assert_int_equal(cl_num_to_bytes(a, (struct cl_str){"-128", 4}).len, 1);
  struct cl_str zero = cl_num_from_bytes(a, (const unsigned char *)"\xFF\xFF\xFF\xFF\xFF", 5);
  assert_memory_equal(zero.p, "-1", 2); /* not minimal, as others may write */
  assert_int_equal(zero.len, 2);
  cl_arena_free(a);
}

static void text_is(struct rig *r, const struct cl_val *v, const char *expected) {
  struct cl_str out;
  struct cl_err err;
  if (cl_text_of(r->b, v, &out, &err) != 0)
    fail_msg("%s", err.msg);
  assert_int_equal(out.len, strlen(expected));
  assert_memory_equal(out.p, expected, out.len);
}

static void json_text_is(struct rig *r, const char *json, const char *expected) {
  struct cl_val v;
  struct cl_err err;
  struct cl_str in = rig_text(r, json);
  assert_int_equal(cl_json_read(r->b, in.p, in.len, &v, &err), 0);
  text_is(r, &v, expected);
}

static void values(void **state) {
  (void)state;
  struct rig r = rig_open();
  json_text_is(&r, "null", "null");
  json_text_is(&r, "\"a\\\"b\"", "a\"b");
  json_text_is(&r, "\"\"", "");
  json_text_is(&r, "[1,\"a\",null,[],{}]", "[1, a, null, [], {}]");
  json_text_is(&r, "{\"k\":1}", "{k=1}");
  json_text_is(&r, "{\"seq\":1.50,\"file\":true,\"pos\":[1e400]}", "{file=true, pos=[Infinity], seq=1.5}");
  text_is(&r, &(struct cl_val){.kind = CL_DATE}, "Thu Jan 01 00:00:00 UTC 1970");
  text_is(&r, &(struct cl_val){.kind = CL_TIMESTAMP, .i = -1}, "Wed Dec 31 23:59:59 UTC 1969");
  text_is(&r, &(struct cl_val){.kind = CL_TIMESTAMP, .i = -62135596800000}, "Mon Jan 03 00:00:00 UTC 1");
  text_is(&r, &(struct cl_val){.kind = CL_TIMESTAMP, .i = -30610224000000}, "Wed Dec 27 00:00:00 UTC 999");
  text_is(&r, &(struct cl_val){.kind = CL_TIMESTAMP, .i = -62198755200000},
          "Fri Jan 03 00:00:00 UTC 2"); /* BC */
  text_is(&r, &(struct cl_val){.kind = CL_TIMESTAMP, .i = 951782400000}, "Tue Feb 29 00:00:00 UTC 2000");
  text_is(&r, &(struct cl_val){.kind = CL_TIMESTAMP, .i = 1700000000123}, "Tue Nov 14 22:13:20 UTC 2023");
  text_is(&r, &(struct cl_val){.kind = CL_INT, .aux = 8, .i = -5}, "-5");
  text_is(&r, &(struct cl_val){.kind = CL_FLOAT32, .f = 0.1f}, "0.1");
  struct cl_decimal dec = {.digits = {"-15", 3}, .scale = 1};
  text_is(&r, &(struct cl_val){.kind = CL_DECIMAL, .dec = &dec}, "-1.5");
  rig_close(&r);
}

static void structs_and_maps(void **state) {
  (void)state;
  struct rig r = rig_open();
  const struct cl_schema *i32 = cl_space_primitive(r.space, CL_TYPE_INT32, true);
  struct cl_field f[3] = {{.name = {"a", 1}, .schema = i32},
                          {.name = {"n", 1}, .schema = i32},
                          {.name = {"b", 1}, .schema = cl_space_primitive(r.space, CL_TYPE_STRING, true)}};
  const struct cl_schema *schema = cl_space_intern(
      r.space, &(struct cl_schema){.type = CL_TYPE_STRUCT, .n_fields = 3, .fields = f});
  struct cl_val v[3] = {
      {.kind = CL_INT, .aux = 32, .i = 1}, {.kind = CL_NULL}, {.kind = CL_STRING, .len = 1, .s = "x"}};
  struct cl_struct st = {.schema = schema, .n = 3, .v = v};
  text_is(&r, &(struct cl_val){.kind = CL_STRUCT, .st = &st}, "Struct{a=1,b=x}");
  v[0].kind = CL_MISSING;
  text_is(&r, &(struct cl_val){.kind = CL_STRUCT, .st = &st}, "Struct{b=x}");
  struct cl_map_entry e[2] = {{{.kind = CL_INT, .aux = 32, .i = 17}, {.kind = CL_STRUCT, .st = &st}},
                              {{.kind = CL_INT, .aux = 32, .i = 0}, {.kind = CL_NULL}}};
  struct cl_map map = {.n = 2, .cap = 2, .e = e};
  text_is(&r, &(struct cl_val){.kind = CL_MAP, .map = &map}, "{0=null, 17=Struct{b=x}}");
  rig_close(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(doubles),    cmocka_unit_test(floats),  cmocka_unit_test(random_doubles_come_back),
      cmocka_unit_test(any_locale), cmocka_unit_test(reading), cmocka_unit_test(int32s),
      cmocka_unit_test(decimals),   cmocka_unit_test(values),  cmocka_unit_test(structs_and_maps),
  };
  return cmocka_run_group_tests_name("record_text", tests, NULL, NULL);
}
