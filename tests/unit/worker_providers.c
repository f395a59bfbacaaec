/* SPDX-License-Identifier: Apache-2.0
 * Variables in configs: what is one, what stays as it stands, what fails; the three providers. */
#include "worker/providers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"

static char dir[] = "/tmp/cl-providers-XXXXXX";

static void write_file(const char *name, const char *text) {
  char path[256];
  snprintf(path, sizeof(path), "%s/%s", dir, name);
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  fputs(text, f);
  fclose(f);
}

static int up(void **state) {
  (void)state;
  if (!mkdtemp(dir))
    return -1;
  write_file("a.properties", "user=me\npass\\u00e9 = caf\xc3\xa9 \n");
  write_file("latin.properties", "x=\xe9\n");
  write_file("token", "line one\nline two\n");
  setenv("CL_PROVIDERS_A", "from the environment", 1);
  setenv("OTHER_A", "other", 1);
  return 0;
}

static int down(void **state) {
  (void)state;
  char command[300];
  snprintf(command, sizeof(command), "rm -r %s", dir);
  return system(command);
}

static struct cl_providers *made(json_t *worker) {
  struct cl_providers *p = NULL;
  struct cl_err err = CL_ERR_INIT;
  if (cl_providers_new(worker, &p, &err) != 0)
    fail_msg("%s", err.msg);
  json_decref(worker);
  return p;
}

static struct cl_providers *three(void) {
  return made(json_pack("{s:s,s:s,s:s,s:s}", "config.providers", "f, d,env,none", "config.providers.f.class",
                        "org.apache.kafka.common.config.provider.FileConfigProvider",
                        "config.providers.d.class", "DirectoryConfigProvider", "config.providers.env.class",
                        "EnvVar"));
}

static int resolve(const struct cl_providers *p, const char *text, char out[512], struct cl_err *err) {
  char whole[512];
  snprintf(whole, sizeof(whole), text, dir);
  json_t *config = json_pack("{s:s}", "k", whole), *resolved = NULL;
  int rc = cl_providers_resolve(p, config, &resolved, err);
  snprintf(out, 512, "%s", rc == 0 ? cl_json_str(resolved, "k") : "");
  json_decref(resolved);
  json_decref(config);
  return rc;
}

static void gives(const struct cl_providers *p, const char *text, const char *expected) {
  char out[512], wanted[512];
  struct cl_err err = CL_ERR_INIT;
  if (resolve(p, text, out, &err) != 0)
    fail_msg("%s: %s", text, err.msg);
  snprintf(wanted, sizeof(wanted), expected, dir);
  assert_string_equal(out, wanted);
}

static void fails(const struct cl_providers *p, const char *text, const char *part) {
  char out[512];
  struct cl_err err = CL_ERR_INIT;
  assert_int_equal(resolve(p, text, out, &err), CL_EINVAL);
  if (!strstr(err.msg, part))
    fail_msg("%s", err.msg);
}

static void test_variables(void **state) {
  (void)state;
  struct cl_providers *p = three();
  gives(p, "${f:%s/a.properties:user}", "me");
  gives(p, "jdbc://${f:%s/a.properties:user}@h/${env:CL_PROVIDERS_A}!", "jdbc://me@h/from the environment!");
  gives(p, "${f:%s/a.properties:pass\xc3\xa9}", "caf\xc3\xa9 ");
  gives(p, "${x} $ {env:A} ${env", "${x} $ {env:A} ${env");
  gives(p, "${x}${env:OTHER_A}", "${x}other");
  gives(p, "${other:a:b} ${none:a}", "${other:a:b} ${none:a}");
  gives(p, "${f:%s/a.properties:nokey}${env:NOT_SET_AT_ALL}",
        "${f:%s/a.properties:nokey}${env:NOT_SET_AT_ALL}");
  gives(p, "${f:user}", "${f:user}");
  gives(p, "${d:%s:token}", "line one\nline two\n");
  gives(p, "${d:%s/token:token}", "${d:%s/token:token}");
  gives(p, "${d:%s:../token}", "${d:%s:../token}");
  gives(p, "${f:%s/a.properties:a:b}", "${f:%s/a.properties:a:b}");
  assert_true(cl_providers_variable("a ${b:c}"));
  assert_false(cl_providers_variable("a ${bc} ${d"));
  cl_providers_free(p);
}

static void test_failures(void **state) {
  (void)state;
  struct cl_providers *p = three();
  fails(p, "${f:%s/missing:user}", "Could not read properties from file ");
  fails(p, "${f:%s/latin.properties:x}", "not UTF-8");
  fails(p, "${env:path:NAME}", "Path is not supported for EnvVarConfigProvider, invalid value 'path'");
  cl_providers_free(p);
}

static void test_limits(void **state) {
  (void)state;
  struct cl_providers *p = made(json_pack(
      "{s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "config.providers", "f,d,env", "config.providers.f.class",
      "FileConfigProvider", "config.providers.f.param.allowed.paths", "/usr,/bin", "config.providers.d.class",
      "Directory", "config.providers.d.param.allowed.paths", dir, "config.providers.env.class",
      "EnvVarConfigProvider", "config.providers.env.param.allowlist.pattern", "CL_.*"));
  gives(p, "${f:%s/a.properties:user}", "${f:%s/a.properties:user}");
  gives(p, "${f:/usr/../etc/passwd:root}", "${f:/usr/../etc/passwd:root}");
  gives(p, "${d:%s:token}", "line one\nline two\n");
  gives(p, "${d:%s/../../etc:hostname}", "${d:%s/../../etc:hostname}");
  gives(p, "${env:CL_PROVIDERS_A} ${env:OTHER_A}", "from the environment ${env:OTHER_A}");
  cl_providers_free(p);
}

/* What a provider does not give goes on as the text it is: somebody should know. */
static void test_what_stays_is_told(void **state) {
  (void)state;
  char path[256], log[2048] = "";
  struct cl_err err = CL_ERR_INIT;
  struct cl_providers *p = three();
  snprintf(path, sizeof(path), "%s/log", dir);
  assert_int_equal(cl_log_open(path, CL_WARN, false, &err), 0);
  gives(p, "${env:CL_PROVIDERS_A} ${env:CL_NOWHERE} ${stranger:x}",
        "from the environment ${env:CL_NOWHERE} ${stranger:x}");
  cl_log_close();
  FILE *f = fopen(path, "r");
  assert_true(fread(log, 1, sizeof(log) - 1, f) > 0);
  fclose(f);
  assert_non_null(strstr(log, "${env:CL_NOWHERE} stays as it stands"));
  assert_null(strstr(log, "CL_PROVIDERS_A"));
  assert_null(strstr(log, "stranger"));
  cl_providers_free(p);
}

static void refused(json_t *worker, const char *part) {
  struct cl_providers *p = NULL;
  struct cl_err err = CL_ERR_INIT;
  assert_int_equal(cl_providers_new(worker, &p, &err), CL_EINVAL);
  if (!strstr(err.msg, part))
    fail_msg("%s", err.msg);
  json_decref(worker);
}

static void test_worker_keys(void **state) {
  (void)state;
  refused(
      json_pack("{s:s,s:s}", "config.providers", "v", "config.providers.v.class", "a.Vault"),
      "Invalid value a.Vault for configuration config.providers.v.class: Class a.Vault could not be found");
  refused(json_pack("{s:s,s:s,s:s}", "config.providers", "f", "config.providers.f.class", "File",
                    "config.providers.f.param.allowed.paths", "tmp"),
          "Path tmp is not absolute");
  refused(json_pack("{s:s,s:s,s:s}", "config.providers", "f", "config.providers.f.class", "File",
                    "config.providers.f.param.allowed.paths", "/no/such"),
          "Path /no/such does not exist");
  refused(json_pack("{s:s,s:s,s:s}", "config.providers", "e", "config.providers.e.class", "EnvVar",
                    "config.providers.e.param.allowlist.pattern", "("),
          "config.providers.e.param.allowlist.pattern");
  struct cl_providers *p = made(json_object());
  gives(p, "${env:CL_PROVIDERS_A}", "${env:CL_PROVIDERS_A}");
  cl_providers_free(p);
  gives(NULL, "${env:CL_PROVIDERS_A}", "${env:CL_PROVIDERS_A}");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_variables),   cmocka_unit_test(test_failures),
      cmocka_unit_test(test_limits),      cmocka_unit_test(test_what_stays_is_told),
      cmocka_unit_test(test_worker_keys),
  };
  return cmocka_run_group_tests(tests, up, down);
}
