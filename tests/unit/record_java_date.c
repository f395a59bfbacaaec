/* SPDX-License-Identifier: Apache-2.0
 * SimpleDateFormat; every expected text and number is what JDK 17 gives. */
#include "record_rig.h"

#include "record/java_date.h"

static const int64_t now_ms = INT64_C(1795269600000); /* 2026-11-21 */

static struct cl_date_format *format_of(const char *pattern) {
  struct cl_err err;
  struct cl_date_format *f;
  if (cl_date_format_new(pattern, strlen(pattern), now_ms, &f, &err) != 0)
    fail_msg("%s: %s", pattern, err.msg);
  return f;
}

static void formats(void **state) {
  (void)state;
  static const struct {
    const char *pattern;
    int64_t ms;
    const char *text;
  } rows[] = {
      {"yyyy MM dd HH mm ss SSS z", 86401234, "1970 01 02 00 00 01 234 UTC"},
      {"yyyyMMdd", 1483425001864, "20170103"},
      {"yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", -62135769600000, "0001-01-01T00:00:00.000Z"},
      {"G yyyy", -62135769600001, "BC 0001"},
      {"yyyy-MM-dd", -12219292800001, "1582-10-04"},
      {"YYYY-'W'ww-u EEE EEEE", 1230508800000, "2009-W01-1 Mon Monday"},
      {"yy y yyyyy M MMM MMMM L", 1483425001864, "17 2017 02017 1 Jan January 1"},
      {"h K k H a", 0, "12 0 24 0 AM"},
      {"D F w W", 1483425001864, "3 1 1 1"},
      {"zzzz Z X XX XXX", 0, "Coordinated Universal Time +0000 Z Z Z"},
      {"''yy'' 'o''clock' \xC3\xA9", 0, "'70' o'clock \xC3\xA9"},
      {"'\xF0\x9F\x98\x80'y", 0,
       "\xF0\x9F\x98\x80"
       "1970"},
      {"yyyy", INT64_MAX, "292278994"},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    struct cl_date_format *f = format_of(rows[i].pattern);
    char *out = malloc(cl_date_format_max(f) + 1);
    out[cl_date_format_write(f, rows[i].ms, out)] = '\0';
    assert_string_equal(out, rows[i].text);
    free(out);
    cl_date_format_free(f);
  }
}

enum { NONE = -1 };

static void parses(void **state) {
  (void)state;
  static const struct {
    const char *pattern, *text;
    int64_t ms;
  } rows[] = {
      {"yyyy-MM-dd", "2020-13-45zzz", 1613260800000},
      {"yyyy-MM-dd", "1582-10-10", -12218860800000},
      {"yyyy-MM-dd", "xx", NONE},
      {"yyyy-MM-dd", "", NONE},
      {"yyyy", "19", -61567776000000},
      {"yy", "19", 1546300800000},
      {"yy", "80", 315532800000},
      {"yyyy-MM-dd hh:mm:ss.S", "2020-01-01 01:02:03.1234567", 1577841757567},
      {"yyyyMMddHHmmss", "20200102030405", 1577934245000},
      {"yyyy MM dd HH mm ss SSS z", "1970 01 02 00 00 01 234 UTC", 86401234},
      {"HH:mm z", "12:00 PST", 72000000},
      {"HH:mm z", "12:00 GMT+1:30", 37800000},
      {"HH:mm z", "12:00 Central European Time", 39600000},
      {"HH:mm zzzz", "12:00 new zealand daylight time", -3600000},
      {"HH:mm z", "12:00 Australian Central Standard Time", 9000000},
      {"yyyy HH:mm z", "2026 12:00 Western African Summer Time", 1767265200000}, /* WEST is tried before */
      {"HH:mm z", "12:00 R\xC3\xA9union Time", 28800000},
      {"HH:mm z", "12:00 Mountain Time", NONE},
      {"HH:mm Z", "12:00 -0130", 48600000},
      {"HH:mm X", "12:00 +01", 39600000},
      {"HH:mm XXX", "12:00 +01", NONE},
      {"EEE, d MMM yyyy", "tue, 3 JANUARY 2017", 1483401600000},
      {"YYYY-ww-u", "2009-01-1", 1230508800000},
      {"yyyy D", "2020 366", 1609372800000},
      {"h a", "12 am", 0},
      {"k", "24", 0},
      {"yyyy-MM-dd", "\xD9\xA2\xD9\xA0\xD9\xA2\xD9\xA0-01-01", 1577836800000}, /* Arabic digits */
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    struct cl_date_format *f = format_of(rows[i].pattern);
    struct cl_err err;
    int64_t ms = NONE;
    int rc = cl_date_format_parse(f, rows[i].text, strlen(rows[i].text), &ms, &err);
    if (rc != (rows[i].ms == NONE ? CL_EDATA : 0) || ms != rows[i].ms)
      fail_msg("%s by %s: %lld", rows[i].text, rows[i].pattern, (long long)ms);
    cl_date_format_free(f);
  }
}

static void long_text(void **state) {
  (void)state;
  struct cl_date_format *f = format_of("yyyy");
  struct cl_err err;
  char text[1000];
  int64_t ms;
  memset(text, '0', sizeof(text));
  memcpy(text + sizeof(text) - 4, "2020", 4);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(cl_date_format_parse(f, text, sizeof(text), &ms, &err), 0);
    assert_true(ms == 1577836800000);
  }
  cl_date_format_free(f);
}

static void errors(void **state) {
  (void)state;
  static const char *const rows[][2] = {{"bad-format", "Illegal pattern character 'b'"},
                                        {"yyyy'T", "Unterminated quote"},
                                        {"XXXX", "invalid ISO 8601 format: length=4"}};
  struct cl_err err;
  struct cl_date_format *f;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    assert_int_equal(cl_date_format_new(rows[i][0], strlen(rows[i][0]), now_ms, &f, &err), CL_EINVAL);
    assert_string_equal(err.msg, rows[i][1]);
    assert_string_equal(err.class, "java.lang.IllegalArgumentException");
    assert_null(f);
  }
  f = format_of("yyyy-MM-dd");
  int64_t ms;
  assert_int_equal(cl_date_format_parse(f, "xx", 2, &ms, &err), CL_EDATA);
  assert_string_equal(err.msg, "Could not parse timestamp: value (xx) does not match pattern (yyyy-MM-dd)");
  assert_string_equal(err.class, CL_JAVA_DATA);
  cl_date_format_free(f);
}

static void from_lua(void **state) {
  (void)state;
  struct rig r = rig_open();
  struct cl_date_format *f = format_of("yyyy-MM-dd");
  struct cl_val v;
  int64_t ms;
  assert_int_equal(cl_ffi_date_format(f, r.b, 0, &v), 0);
  assert_int_equal(v.kind, CL_STRING);
  assert_int_equal(v.len, 10);
  assert_memory_equal(v.s, "1970-01-01", 10);
  assert_int_equal(cl_ffi_date_parse(f, v.s, v.len, &ms), 0);
  assert_true(ms == 0);
  assert_int_equal(cl_ffi_date_parse(f, "x", 1, &ms), CL_EDATA);
  cl_date_format_free(f);
  rig_close(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(formats), cmocka_unit_test(parses),   cmocka_unit_test(long_text),
      cmocka_unit_test(errors),  cmocka_unit_test(from_lua),
  };
  return cmocka_run_group_tests_name("record_java_date", tests, NULL, NULL);
}
