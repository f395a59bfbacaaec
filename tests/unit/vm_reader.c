/* SPDX-License-Identifier: Apache-2.0
 * What the file reader says in the log about a file that became shorter. */
#include "base/log.h"
#include "connect_lua/abi_c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/cl-vm-reader-XXXXXX";
static char file[64], other[64], logfile[64];

static int set_up(void **state) {
  (void)state;
  if (!mkdtemp(folder))
    return -1;
  snprintf(file, sizeof(file), "%s/in", folder);
  snprintf(other, sizeof(other), "%s/other", folder);
  snprintf(logfile, sizeof(logfile), "%s/log", folder);
  struct cl_err err;
  return cl_log_open(logfile, CL_INFO, false, &err);
}

static int tear_down(void **state) {
  (void)state;
  cl_log_close();
  unlink(file);
  unlink(logfile);
  return rmdir(folder);
}

static void put(const char *path, const char *mode, const char *text) {
  FILE *f = fopen(path, mode);
  assert_non_null(f);
  fputs(text, f);
  fclose(f);
}

static void expect_line(struct cl_reader *r, const char *text) {
  struct cl_str line = {0};
  assert_int_equal(cl_ffi_reader_line(r, &line), text ? 1 : 0);
  if (text) {
    assert_int_equal(line.len, strlen(text));
    assert_memory_equal(line.p, text, line.len);
  }
}

/* The log so far; it is emptied. */
static const char *take_log(void) {
  static char text[4096];
  FILE *f = fopen(logfile, "r");
  assert_non_null(f);
  text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
  fclose(f);
  assert_int_equal(truncate(logfile, 0), 0);
  return text;
}

static void an_open_file_was_truncated(void **state) {
  (void)state;
  put(file, "w", "one\ntwo\n");
  struct cl_reader *r = cl_ffi_reader_open(file, 0);
  expect_line(r, "one");
  expect_line(r, "two");
  assert_int_equal(truncate(file, 0), 0);
  expect_line(r, NULL);
  assert_non_null(strstr(take_log(), "was read up to 8: it was truncated, reading it from its start"));
  put(file, "a", "x\n");
  expect_line(r, "x");
  cl_ffi_reader_free(r);
}

static void a_file_opened_again_may_be_another(void **state) {
  (void)state;
  put(file, "w", "x\n");
  struct cl_reader *r = cl_ffi_reader_open(file, 8);
  expect_line(r, "x");
  assert_non_null(strstr(take_log(), ": it was truncated or replaced, reading it from its start"));
  cl_ffi_reader_free(r);
}

/* As Apache: a name that leads elsewhere now is noticed when the file is opened the next time. */
static void an_open_file_stays_when_its_name_moves(void **state) {
  (void)state;
  put(file, "w", "one\ntwo\n");
  struct cl_reader *r = cl_ffi_reader_open(file, 0);
  expect_line(r, "one");
  put(other, "w", "x\n");
  assert_int_equal(rename(other, file), 0);
  expect_line(r, "two");
  expect_line(r, NULL);
  assert_string_equal(take_log(), "");
  cl_ffi_reader_free(r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_open_file_was_truncated),
      cmocka_unit_test(a_file_opened_again_may_be_another),
      cmocka_unit_test(an_open_file_stays_when_its_name_moves),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
