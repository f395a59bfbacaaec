/* SPDX-License-Identifier: Apache-2.0
 * Levels of loggers: parents, prefixes, what was never set. */
#define CL_COMPONENT "unit.component"
#include "base/loggers.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

static int append(void *arg, const struct cl_logger *logger) {
  char *out = arg;
  size_t n = strlen(out);
  snprintf(out + n, 256 - n, "%s=%s%s ", logger->name, cl_log_level_name(logger->level),
           logger->last_modified < 0 ? "" : "!");
  return 0;
}

static const char *set(const char *name, enum cl_level level) {
  static char out[256];
  out[0] = 0;
  assert_int_equal(cl_loggers_set(name, level, append, out), 0);
  return out;
}

static void test_parents_and_prefixes(void **state) {
  (void)state;
  cl_loggers_start(CL_INFO);
  cl_loggers_add("a.b");
  cl_loggers_add("ab");
  assert_string_equal(set("a.b.c", CL_DEBUG), "a.b.c=DEBUG! ");
  assert_string_equal(set("a.b.d", CL_INFO), "a.b.d=INFO "); /* as before: listed, not changed */
  assert_string_equal(set("a.", CL_TRACE), "a.=TRACE! a.b=TRACE! a.b.c=TRACE! a.b.d=TRACE! ");
  assert_true(cl_loggers_admit("a.b.new", CL_TRACE));
  assert_false(cl_loggers_admit("ab", CL_DEBUG));
  assert_true(cl_loggers_admit("ab", CL_INFO));
  assert_string_equal(set("a", CL_ERROR),
                      "a=ERROR! a.=ERROR! a.b=ERROR! a.b.c=ERROR! a.b.d=ERROR! ab=ERROR! ");
  assert_false(cl_loggers_admit("a.x", CL_WARN));
  assert_true(cl_loggers_admit("b", CL_INFO));
}

static void test_root(void **state) {
  (void)state;
  struct cl_logger logger;
  cl_loggers_start(CL_INFO);
  assert_true(cl_loggers_get("ROOT", &logger));
  assert_string_equal(logger.name, "root");
  assert_int_equal(logger.last_modified, -1);
  set("Root", CL_WARN);
  assert_true(cl_loggers_get("root", &logger));
  assert_int_equal(logger.level, CL_WARN);
  assert_true(logger.last_modified > 0);
  assert_true(cl_loggers_get("unit.component", &logger)); /* added before main */
  assert_int_equal(logger.level, CL_WARN);
  assert_false(cl_loggers_admit("anything", CL_INFO));
  assert_false(cl_loggers_get("nobody", &logger));
}

static void test_ceiling(void **state) {
  (void)state;
  char name[32], out[256];
  int rc = 0;
  for (int i = 0; rc == 0 && i <= CL_LOGGERS_MAX; i++) {
    snprintf(name, sizeof(name), "many.%d", i);
    out[0] = 0;
    rc = cl_loggers_set(name, CL_DEBUG, append, out);
  }
  assert_int_equal(rc, CL_EAGAIN);
  assert_false(cl_loggers_get(name, &(struct cl_logger){0}));
}

static void test_level_names(void **state) {
  (void)state;
  enum cl_level level;
  assert_true(cl_log_level_parse("all", &level));
  assert_int_equal(level, CL_ALL);
  assert_true(cl_log_level_parse("Off", &level));
  assert_int_equal(level, CL_OFF);
  assert_false(cl_log_level_parse(" info", &level));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_parents_and_prefixes),
      cmocka_unit_test(test_root),
      cmocka_unit_test(test_level_names),
      cmocka_unit_test(test_ceiling),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
