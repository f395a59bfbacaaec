/* SPDX-License-Identifier: Apache-2.0
 * The bytes of the offsets file, against what Java wrote and against damage. */
#include "store/offsets_file.h"

#include "store_fixtures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static int decode(const void *data, size_t len, struct cl_offsets_entry **out, size_t *n, char **copy,
                  struct cl_err *err) {
  *copy = malloc(len ? len : 1); /* exact, so that the sanitizer sees an overread */
  if (len)
    memcpy(*copy, data, len);
  return cl_offsets_file_decode(*copy, len, "f.offsets", out, n, err);
}

static void same(const char *p, size_t len, const char *text) {
  assert_int_equal(len, strlen(text));
  assert_memory_equal(p, text, len);
}

static void reads_java(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  struct cl_offsets_entry *e;
  size_t n;
  char *data;
  assert_int_equal(decode(java_empty, sizeof(java_empty), &e, &n, &data, &err), 0);
  assert_int_equal(n, 0);
  free(e);
  free(data);
  assert_int_equal(decode(java_three, sizeof(java_three), &e, &n, &data, &err), 0);
  assert_int_equal(n, 3);
  same(e[0].key, e[0].key_len, "[\"c\",{\"a\":1,\"b\":\"x\"}]");
  same(e[0].value, e[0].value_len, "{\"n\":1}");
  same(e[1].key, e[1].key_len, "[\"c\",{\"a\":2,\"b\":\"y\"}]");
  assert_null(e[1].value);
  same(e[2].key, e[2].key_len, "[\"d\",{\"k\":\"\xC3\xA9\"}]");
  same(e[2].value, e[2].value_len, "{\"n\":1}");
  free(e);
  free(data);
}

/* Byte for byte what Java writes, where the order of entries is not open. */
static void writes_as_java(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  struct cl_offsets_entry *e;
  size_t n;
  char *data;
  struct cl_buf out = {0};
  cl_offsets_file_encode(NULL, 0, &out);
  assert_int_equal(out.len, sizeof(java_empty));
  assert_memory_equal(out.p, java_empty, out.len);
  out.len = 0;
  assert_int_equal(decode(java_one, sizeof(java_one), &e, &n, &data, &err), 0);
  cl_offsets_file_encode(e, n, &out);
  assert_int_equal(out.len, sizeof(java_one));
  assert_memory_equal(out.p, java_one, out.len);
  cl_buf_free(&out);
  free(e);
  free(data);
}

static unsigned be32(const char *p) {
  const unsigned char *u = (const unsigned char *)p;
  return (unsigned)u[0] << 24 | (unsigned)u[1] << 16 | (unsigned)u[2] << 8 | u[3];
}

static void table_size(size_t n, unsigned buckets) {
  enum { THRESHOLD = 67, BUCKETS = 73, SIZE = 77 };
  struct cl_offsets_entry *e = calloc(n, sizeof(*e));
  struct cl_buf out = {0};
  for (size_t i = 0; i < n; i++)
    e[i] = (struct cl_offsets_entry){.key = (char *)&e[i], .key_len = sizeof(size_t)};
  cl_offsets_file_encode(e, n, &out);
  assert_int_equal(be32(out.p + THRESHOLD), buckets / 4 * 3);
  assert_int_equal(be32(out.p + BUCKETS), buckets);
  assert_int_equal(be32(out.p + SIZE), n);
  cl_buf_free(&out);
  free(e);
}

static void table_sizes(void **state) {
  (void)state;
  table_size(1, 16);
  table_size(12, 16);
  table_size(13, 32);
  table_size(24, 32);
  table_size(25, 64);
  table_size(200, 512);
}

static void truncations(void **state) {
  (void)state;
  for (size_t len = 0; len < sizeof(java_three); len++) {
    struct cl_err err = CL_ERR_INIT;
    struct cl_offsets_entry *e = NULL;
    size_t n;
    char *data;
    assert_int_equal(decode(java_three, len, &e, &n, &data, &err), CL_EINVAL);
    assert_memory_equal(err.msg, "f.offsets: not an offsets file, or damaged, at byte ", 52);
    assert_null(e);
    free(data);
  }
}

/* Whatever bit flips, the answer is a map inside the file's bytes or an error with its place. */
static void bit_flips(void **state) {
  (void)state;
  unsigned char bytes[sizeof(java_three)];
  size_t refused = 0;
  for (size_t bit = 0; bit < sizeof(bytes) * 8; bit++) {
    struct cl_err err = CL_ERR_INIT;
    struct cl_offsets_entry *e = NULL;
    size_t n = 0;
    char *data;
    memcpy(bytes, java_three, sizeof(bytes));
    bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
    int rc = decode(bytes, sizeof(bytes), &e, &n, &data, &err);
    if (rc != 0) {
      refused++;
      assert_int_equal(rc, CL_EINVAL);
      assert_memory_equal(err.msg, "f.offsets: not an offsets file, or damaged, at byte ", 52);
    }
    for (size_t i = 0; i < n; i++) {
      assert_true(e[i].key >= data && e[i].key + e[i].key_len <= data + sizeof(bytes));
      assert_true(!e[i].value || (e[i].value >= data && e[i].value + e[i].value_len <= data + sizeof(bytes)));
    }
    free(e);
    free(data);
  }
  assert_true(refused > sizeof(bytes) * 8 / 2);
}

static void refuses(const void *bytes, size_t len, size_t at, const char *what) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_offsets_entry *e = NULL;
  size_t n;
  char *data, message[256];
  assert_int_equal(decode(bytes, len, &e, &n, &data, &err), CL_EINVAL);
  snprintf(message, sizeof(message), "f.offsets: not an offsets file, or damaged, at byte %zu: %s", at, what);
  assert_string_equal(err.msg, message);
  free(data);
}

static void damage_is_named(void **state) {
  (void)state;
  unsigned char bytes[sizeof(java_one) + 1];
  refuses("{\"position\":1}", 14, 0, "expected a serialized java.util.HashMap");
  refuses(java_one, 20, 20, "the file ends early");
  memcpy(bytes, java_one, sizeof(java_one));
  refuses(bytes, sizeof(bytes), sizeof(java_one), "more follows after the map's end");
  bytes[77] = 0x7F;
  refuses(bytes, sizeof(java_one), 77, "the map's size is beyond the end of the file");
  memcpy(bytes, java_one, sizeof(java_one));
  bytes[100] = 0xFF; /* a length that is negative in Java */
  refuses(bytes, sizeof(java_one), 100, "the length of a byte array is beyond the end of the file");
  memcpy(bytes, java_empty, 81);
  bytes[80] = 1;
  memcpy(bytes + 81, "pppppppx", 8);
  refuses(bytes, 89, 81, "a key is null");
  memcpy(bytes + 81, "q\x00\x7E\x00\x03ppx", 8);
  refuses(bytes, 89, 81, "reference to nothing");
  memcpy(bytes + 81, "zzzzzzzz", 8);
  refuses(bytes, 89, 81, "expected a byte array or null");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_java),  cmocka_unit_test(writes_as_java), cmocka_unit_test(table_sizes),
      cmocka_unit_test(truncations), cmocka_unit_test(bit_flips),      cmocka_unit_test(damage_is_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
