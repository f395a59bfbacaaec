/* SPDX-License-Identifier: Apache-2.0
 * Login configurations: files with entries, and what is wrong with others. */
#include "base/jaas.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void file(void **state) {
  (void)state;
  char *class;
  json_t *options;
  struct cl_err err = CL_ERR_INIT;
  const char *text = "/* a } */ Other { x.Y optional; z.W required a=\"};\"; };\n"
                     "// K { no; };\nK{ a.B Required file=\"/a b\" n = 5 ; };";
  assert_int_equal(cl_jaas_file(text, "K", &class, &options, &err), 0);
  assert_string_equal(class, "a.B");
  assert_string_equal(cl_json_str(options, "file"), "/a b");
  assert_string_equal(cl_json_str(options, "n"), "5");
  assert_int_equal(json_object_size(options), 2);
  json_decref(options);
  free(class);
}

static void bad_files(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"", "it has no entry K"},
      {"L { a.B required; };", "it has no entry K"},
      {"K { };", "it has no entry K with a login module"},
      {"K", "without an opening brace"},
      {"K a", "without an opening brace"},
      {"K {", "closing brace"},
      {"K { a.B required; ", "closing brace"},
      {"K { a.B required; }", "semi-colon"},
      {"K { a.B required };", "JAAS config"},
      {"K { a.B; };", "Control flag not specified"},
      {"K { a.B maybe; };", "control flag"},
      {"K { a.B required x; };", "Value not specified for key 'x'"},
      {"K { a.B required x=}; };", "Value not specified for key 'x'"},
      {"K { a.B required x=\"1", "semi-colon"},
      {"K { a.B required; c.D required; };", "more than one login module"},
      {"K { a.B required; }; K { a.B required; };", "more than one entry K"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    char *class;
    json_t *options;
    struct cl_err err = CL_ERR_INIT;
    assert_int_equal(cl_jaas_file(cases[i][0], "K", &class, &options, &err), CL_EINVAL);
    if (!strstr(err.msg, cases[i][1]))
      fail_msg("%s: \"%s\" is not in \"%s\"", cases[i][0], cases[i][1], err.msg);
    json_decref(options);
    free(class);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(file), cmocka_unit_test(bad_files)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
