/* SPDX-License-Identifier: Apache-2.0
 * Log lines for people and as JSON. */
#define CL_COMPONENT "unit"
#include "base/loggers.h"

#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char name[] = "/tmp/cl-log-XXXXXX";

/* The log's last line, without its end. */
static const char *last_line(void) {
  static char line[8192];
  FILE *f = fopen(name, "r");
  assert_non_null(f);
  while (fgets(line, sizeof(line), f))
    ;
  fclose(f);
  line[strcspn(line, "\n")] = 0;
  return line;
}

static void test_text(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  assert_int_equal(cl_log_open(name, CL_INFO, false, &err), 0);
  cl_log_context("c|task-0");
  CL_LOG(CL_WARN, "%d records", 5);
  cl_log_context(NULL);
  const char *line = last_line();
  assert_int_equal(line[0], '[');
  assert_string_equal(strchr(line, ']'), "] WARN [c|task-0] 5 records (unit)");
  cl_log_close();
}

static void test_new_file_is_not_for_others(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  struct stat st;
  mode_t before = umask(0);
  unlink(name);
  assert_int_equal(cl_log_open(name, CL_INFO, false, &err), 0);
  umask(before);
  cl_log_close();
  assert_int_equal(stat(name, &st), 0);
  assert_int_equal(st.st_mode & 0777, 0640);
}

static void test_json(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  assert_int_equal(cl_log_open(name, CL_INFO, true, &err), 0);
  CL_LOG(CL_ERROR, "two\nlines, a \"quote\" and a bad byte \xff");
  json_t *line = NULL;
  assert_int_equal(cl_json_parse(last_line(), strlen(last_line()), &line, &err), 0);
  assert_string_equal(cl_json_str(line, "level"), "ERROR");
  assert_string_equal(cl_json_str(line, "logger"), "unit");
  assert_string_equal(cl_json_str(line, "message"), "two\nlines, a \"quote\" and a bad byte \xef\xbf\xbd");
  assert_null(json_object_get(line, "context"));
  const char *stamp = cl_json_str(line, "timestamp");
  assert_int_equal(strlen(stamp), strlen("2026-11-21T08:42:03.123Z"));
  json_decref(line);
  cl_log_context("c|task-0");
  CL_LOG(CL_ERROR, "x");
  cl_log_context(NULL);
  assert_non_null(strstr(last_line(), "\"context\":\"c|task-0\""));
  cl_log_close();
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_text), cmocka_unit_test(test_json),
                                     cmocka_unit_test(test_new_file_is_not_for_others)};
  int fd = mkstemp(name);
  if (fd < 0)
    return 1;
  close(fd);
  int rc = cmocka_run_group_tests(tests, NULL, NULL);
  unlink(name);
  return rc;
}
