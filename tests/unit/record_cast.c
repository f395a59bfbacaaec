/* SPDX-License-Identifier: Apache-2.0
 * Cast and MaskField; the expected results are those of Connect 4.2 on JDK 17. */
#include "record_rig.h"

#include <math.h>

#include "record/cast.h"
#include "record/num.h"

static struct cl_val text(struct rig *r, const char *s) {
  struct cl_str t = rig_text(r, s);
  return (struct cl_val){.kind = CL_STRING, .s = t.p, .len = t.len};
}

static struct cl_val int_of(int width, int64_t i) {
  return (struct cl_val){.kind = CL_INT, .aux = (uint16_t)width, .i = i};
}

static struct cl_val float_of(double d) { return (struct cl_val){.kind = CL_FLOAT64, .f = d}; }

/* What the value prints as after the cast. */
static void casts(struct rig *r, struct cl_val v, const struct cl_schema *from, enum cl_type type,
                  enum cl_kind kind, const char *expected) {
  struct cl_str out;
  struct cl_err err;
  if (cl_cast(r->b, &v, from, type, &err) != 0 || cl_text_of(r->b, &v, &out, &err) != 0)
    fail_msg("%s: %s", expected, err.msg);
  assert_int_equal(v.kind, kind);
  assert_int_equal(out.len, strlen(expected));
  assert_memory_equal(out.p, expected, out.len);
}

static void refuses(struct rig *r, struct cl_val v, const struct cl_schema *from, enum cl_type type,
                    const char *message) {
  struct cl_err err;
  assert_int_equal(cl_cast(r->b, &v, from, type, &err), CL_EDATA);
  assert_string_equal(err.msg, message);
}

static void numbers(void **state) {
  (void)state;
  struct rig r = rig_open();
  casts(&r, float_of(300.7), NULL, CL_TYPE_INT8, CL_INT, "44");
  casts(&r, float_of(1e10), NULL, CL_TYPE_INT32, CL_INT, "2147483647");
  casts(&r, float_of(-1e300), NULL, CL_TYPE_INT64, CL_INT, "-9223372036854775808");
  casts(&r, float_of(NAN), NULL, CL_TYPE_INT64, CL_INT, "0");
  casts(&r, float_of(0.5), NULL, CL_TYPE_BOOLEAN, CL_FALSE, "false");
  casts(&r, int_of(32, 70000), NULL, CL_TYPE_INT16, CL_INT, "4464");
  casts(&r, int_of(64, 16777217), NULL, CL_TYPE_FLOAT32, CL_FLOAT32, "1.6777216E7");
  casts(&r, int_of(8, 0), NULL, CL_TYPE_BOOLEAN, CL_FALSE, "false");
  casts(&r, (struct cl_val){.kind = CL_TRUE}, NULL, CL_TYPE_FLOAT64, CL_FLOAT64, "1.0");
  casts(&r, (struct cl_val){.kind = CL_NUMTEXT, .s = "1e2", .len = 3}, NULL, CL_TYPE_INT8, CL_INT, "100");
  casts(&r, (struct cl_val){.kind = CL_NULL}, NULL, CL_TYPE_INT8, CL_NULL, "null");
  rig_close(&r);
}

static void strings(void **state) {
  (void)state;
  struct rig r = rig_open();
  casts(&r, text(&r, "-128"), NULL, CL_TYPE_INT8, CL_INT, "-128");
  casts(&r, text(&r, "\xD9\xA3"), NULL, CL_TYPE_INT8, CL_INT, "3");
  casts(&r, text(&r, "-9223372036854775808"), NULL, CL_TYPE_INT64, CL_INT, "-9223372036854775808");
  casts(&r, text(&r, " 1.5 "), NULL, CL_TYPE_FLOAT64, CL_FLOAT64, "1.5");
  casts(&r, text(&r, "1e39"), NULL, CL_TYPE_FLOAT32, CL_FLOAT32, "Infinity");
  casts(&r, text(&r, "-0.0"), NULL, CL_TYPE_FLOAT64, CL_FLOAT64, "-0.0");
  casts(&r, text(&r, "-NaN"), NULL, CL_TYPE_FLOAT64, CL_FLOAT64, "NaN");
  casts(&r, text(&r, "0x1.8p1d"), NULL, CL_TYPE_FLOAT32, CL_FLOAT32, "3.0");
  casts(&r, text(&r, "0X.8P99999999999"), NULL, CL_TYPE_FLOAT64, CL_FLOAT64, "Infinity");
  casts(&r, text(&r, ".5f"), NULL, CL_TYPE_FLOAT64, CL_FLOAT64, "0.5");
  casts(&r, text(&r, "0.00000000000000000000000000000000"), NULL, CL_TYPE_FLOAT64, CL_FLOAT64, "0.0");
  casts(&r, text(&r, "tRUE"), NULL, CL_TYPE_BOOLEAN, CL_TRUE, "true");
  casts(&r, text(&r, "yes"), NULL, CL_TYPE_BOOLEAN, CL_FALSE, "false");
  static const char *const bad[] = {"abc", "", "+", " 12", "1.0", "128", "1_0"};
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    char message[100];
    snprintf(message, sizeof(message), "Value (%s) was out of range for requested data type", bad[i]);
    refuses(&r, text(&r, bad[i]), NULL, CL_TYPE_INT8, message);
  }
  static const char *const no_float[] = {"", ".", "1e", "0x1", "0xp1", "\xD9\xA3", "1ff", "infinity", "- 1"};
  for (size_t i = 0; i < sizeof(no_float) / sizeof(no_float[0]); i++) {
    struct cl_val v = text(&r, no_float[i]);
    struct cl_err err;
    assert_int_equal(cl_cast(r.b, &v, NULL, CL_TYPE_FLOAT64, &err), CL_EDATA);
  }
  rig_close(&r);
}

static void to_text(void **state) {
  (void)state;
  struct rig r = rig_open();
  struct cl_schema ts = {.type = CL_TYPE_INT64, .logical = CL_LOGICAL_TIMESTAMP};
  casts(&r, (struct cl_val){.kind = CL_TIMESTAMP, .i = 86400001}, &ts, CL_TYPE_STRING, CL_STRING,
        "1970-01-02T00:00:00.001Z");
  casts(&r, (struct cl_val){.kind = CL_TIMESTAMP, .i = 86400000}, &ts, CL_TYPE_STRING, CL_STRING,
        "1970-01-02");
  casts(&r, (struct cl_val){.kind = CL_TIMESTAMP, .i = -1}, &ts, CL_TYPE_STRING, CL_STRING, "23:59:59.999Z");
  casts(&r, (struct cl_val){.kind = CL_BYTES, .s = "\xFE\xDC\xBA\x98\x76\x54\x32\x10", .len = 8}, NULL,
        CL_TYPE_STRING, CL_STRING, "/ty6mHZUMhA=");
  casts(&r, float_of(1e10), NULL, CL_TYPE_STRING, CL_STRING, "1.0E10");
  casts(&r, (struct cl_val){.kind = CL_TRUE}, NULL, CL_TYPE_STRING, CL_STRING, "true");
  rig_close(&r);
}

static void logicals(void **state) {
  (void)state;
  struct rig r = rig_open();
  struct cl_schema date = {.type = CL_TYPE_INT32, .logical = CL_LOGICAL_DATE};
  struct cl_schema dec = {.type = CL_TYPE_BYTES, .logical = CL_LOGICAL_DECIMAL};
  struct cl_schema array = {.type = CL_TYPE_ARRAY};
  struct cl_decimal d = {.digits = {"199", 3}, .scale = 2};
  casts(&r, (struct cl_val){.kind = CL_DECIMAL, .dec = &d}, &dec, CL_TYPE_INT32, CL_INT, "1");
  casts(&r, (struct cl_val){.kind = CL_DECIMAL, .dec = &d}, &dec, CL_TYPE_FLOAT32, CL_FLOAT32, "1.99");
  d = (struct cl_decimal){.digits = {"2147483648", 10}};
  casts(&r, (struct cl_val){.kind = CL_DECIMAL, .dec = &d}, &dec, CL_TYPE_INT32, CL_INT, "-2147483648");
  casts(&r, (struct cl_val){.kind = CL_DATE, .i = -86400000}, &date, CL_TYPE_INT64, CL_INT, "-1");
  refuses(&r, (struct cl_val){.kind = CL_DATE, .i = 1}, &date, CL_TYPE_INT64,
          "Kafka Connect Date type should not have any time fields set to non-zero values.");
  refuses(
      &r, (struct cl_val){.kind = CL_DECIMAL, .dec = &d}, NULL, CL_TYPE_INT32,
      "Cast transformation was passed a value of type class java.math.BigDecimal which is not supported by "
      "Connect's data API");
  refuses(&r, (struct cl_val){.kind = CL_BYTES, .s = "", .len = 0}, NULL, CL_TYPE_INT32,
          "Unexpected type in Cast transformation: class [B");
  struct cl_arr arr = {0};
  refuses(&r, (struct cl_val){.kind = CL_ARRAY, .arr = &arr}, &array, CL_TYPE_INT32,
          "Cast transformation does not support casting from ARRAY; supported types are [INT8, INT16, INT32, "
          "INT64, "
          "FLOAT32, FLOAT64, BOOLEAN, STRING, BYTES]");
  rig_close(&r);
}

static void masks(struct rig *r, struct cl_val v, const char *replacement, const char *expected) {
  struct cl_err *err = cl_ffi_err();
  struct cl_str out;
  uint8_t kind = v.kind;
  struct cl_str text = {replacement, replacement ? (uint32_t)strlen(replacement) : 0};
  if (cl_mask(r->b, &v, replacement ? &text : NULL, err) != 0) {
    assert_string_equal(err->msg, expected);
    return;
  }
  assert_int_equal(v.kind == CL_FALSE ? CL_TRUE : v.kind, kind);
  assert_int_equal(cl_text_of(r->b, &v, &out, err), 0);
  assert_int_equal(out.len, strlen(expected));
  assert_memory_equal(out.p, expected, out.len);
}

static void masking(void **state) {
  (void)state;
  struct rig r = rig_open();
  struct cl_decimal d = {.digits = {"199", 3}, .scale = 2};
  struct cl_val dec = {.kind = CL_DECIMAL, .dec = &d}, big = {.kind = CL_BIGINT, .s = "12", .len = 2};
  struct cl_obj obj = {0};
  masks(&r, (struct cl_val){.kind = CL_TRUE}, NULL, "false");
  masks(&r, int_of(16, 7), NULL, "0");
  masks(&r, float_of(7), NULL, "0.0");
  masks(&r, text(&r, "secret"), NULL, "");
  masks(&r, dec, NULL, "0");
  masks(&r, (struct cl_val){.kind = CL_TIMESTAMP, .i = 5}, NULL, "Thu Jan 01 00:00:00 UTC 1970");
  masks(&r, (struct cl_val){.kind = CL_OBJECT, .obj = &obj}, NULL, "{}");
  masks(&r, (struct cl_val){.kind = CL_NULL}, "1", "null");
  masks(&r, (struct cl_val){.kind = CL_BYTES, .s = ""}, NULL, "Cannot mask value of type: class [B");
  masks(&r, (struct cl_val){.kind = CL_TRUE}, "1",
        "Cannot mask value of type class java.lang.Boolean with custom replacement.");
  masks(&r, int_of(8, 1), "300", "44");
  masks(&r, int_of(32, 1), "12.7", "12");
  masks(&r, float_of(1), "123", "123.0");
  masks(&r, dec, "1.50", "1.50");
  masks(&r, big, "007", "7");
  masks(&r, text(&r, "secret"), "***", "***");
  masks(&r, int_of(8, 1), "foo", "Unable to convert foo (class java.lang.String) to a number");
  masks(&r, dec, "foo", "Unable to convert foo (class java.lang.String) to number");
  masks(&r, big, "1.0", "Unable to convert 1.0 (class java.lang.String) to number");
  masks(&r, int_of(8, 1), "1e2147483648",
        "Unable to convert 1e2147483648 (class java.lang.String) to a number");
  rig_close(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers),  cmocka_unit_test(strings), cmocka_unit_test(to_text),
      cmocka_unit_test(logicals), cmocka_unit_test(masking),
  };
  return cmocka_run_group_tests_name("record_cast", tests, NULL, NULL);
}
