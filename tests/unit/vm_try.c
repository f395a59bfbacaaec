/* SPDX-License-Identifier: Apache-2.0
 * What becomes of a record that is tried, also where its answer finds no memory. */
#include "base/json.h"
#include "connect_lua/abi_c.h"
#include "vm/chain.h"
#include "vm/try.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Lua finds these by name in the program: the linker has to take them along. */
extern const void *const keeps[];
const void *const keeps[] = {(const void *)cl_ffi_emit};

static const char text[] = "return { api = 1, kind = 'transform', apply = function(record)\n"
                           "  if record.topic == 'drop' then return nil end\n"
                           "  if record.topic == 'fail' then error('no way') end\n"
                           "  return record end }\n";

static char file[] = "/tmp/cl-vm-try-XXXXXX.lua";
static struct cl_try *try;

static struct cl_plugin *make_plugin(enum cl_plugin_kind kind, const char *path) {
  struct cl_plugin *p = calloc(1, sizeof(*p));
  assert_non_null(p);
  *p = (struct cl_plugin){.kind = kind,
                          .class = strdup("test"),
                          .version = strdup("1"),
                          .file = strdup(path),
                          .root = strdup("/tmp"),
                          .aliases = json_array(),
                          .verbs = json_object(),
                          .refs = 1};
  return p;
}

static int open_try(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  int fd = mkstemps(file, 4);
  if (fd < 0 || write(fd, text, sizeof(text) - 1) < 0 || close(fd) != 0)
    return -1;
  struct cl_plugin *string = make_plugin(CL_PLUGIN_CONVERTER,
                                         CL_SOURCE_DIR "/lua/connect/converters/string.lua");
  json_t *empty = json_object();
  struct cl_vm_part part = {string, empty};
  struct cl_chain *chain = cl_chain_new(1);
  chain->v[0] = (struct cl_chain_stage){
      .alias = strdup("t"), .transform = make_plugin(CL_PLUGIN_TRANSFORM, file), .config = json_object()};
  struct cl_try_conf conf = {.home = CL_SOURCE_DIR,
                             .memory_max = 64 << 20,
                             .steps = true,
                             .in_key = part,
                             .in_value = part,
                             .in_header = part,
                             .out_key = part,
                             .out_value = part,
                             .out_header = part,
                             .transforms = chain};
  int rc = cl_try_open(&conf, &try, &err);
  if (rc != 0)
    print_error("%s\n", err.msg);
  cl_chain_unref(chain);
  cl_plugin_unref(string);
  json_decref(empty);
  return rc;
}

static int close_try(void **state) {
  (void)state;
  cl_try_close(try);
  return unlink(file);
}

static json_t *record(const char *topic) {
  return json_pack("{s:s,s:{s:s},s:{s:s},s:[[s,{s:s}],[s,n]]}", "topic", topic, "key", "utf8", "k", "value",
                   "b64", "AP8=", "headers", "h", "utf8", "one", "i");
}

/* How many allocations until one fails; -1 = none does. */
static int left = -1;

static void *scarce(size_t n) { return left >= 0 && left-- == 0 ? NULL : malloc(n); }

/* The answer, or an error for want of memory: never another answer, never less of it. */
static void without_memory(void **state) {
  (void)state;
  static const char *const topics[] = {"drop", "fail", "live"}, *const says[] = {"dropped", "error",
                                                                                 "record"};
  for (size_t i = 0; i < 3; i++) {
    struct cl_err err = CL_ERR_INIT;
    json_t *given = record(topics[i]), *whole = NULL, *answer = NULL;
    char *steps = NULL;
    if (cl_try_run(try, given, &whole, &steps, &err) != 0)
      fail_msg("%s", err.msg);
    assert_non_null(json_object_get(whole, says[i]));
    free(steps);
    json_set_alloc_funcs(scarce, free);
    int refused = 0;
    bool all_given = false;
    for (int n = 0; !all_given; n++) {
      left = n;
      int rc = cl_try_run(try, given, &answer, &steps, &err);
      all_given = left >= 0;
      left = -1;
      refused += rc == CL_ENOMEM;
      assert_true(rc == CL_ENOMEM ? !answer : json_equal(answer, whole)); /* a text may be tried twice */
      free(steps);
      json_decref(answer);
    }
    json_set_alloc_funcs(malloc, free);
    assert_true(refused > 1);
    json_decref(whole);
    json_decref(given);
  }
}

static void refuse(const char *key, json_t *value, const char *what) {
  struct cl_err err = CL_ERR_INIT;
  json_t *given = record("live"), *answer = NULL;
  char *steps = NULL;
  json_object_set_new(given, key, value);
  assert_int_equal(cl_try_run(try, given, &answer, &steps, &err), CL_EINVAL);
  assert_non_null(strstr(err.msg, what));
  json_decref(given);
}

static void no_records(void **state) {
  (void)state;
  refuse("partition", json_integer(INT64_C(1) << 32), "4294967296 is beyond 32 bits");
  refuse("partition", json_integer(-(INT64_C(1) << 32)), "-4294967296 is beyond 32 bits");
  refuse("timestampType", json_string("createtime"), "\"timestampType\" must be NoTimestampType");
  refuse("timestampType", json_integer(1), "\"timestampType\" must be NoTimestampType");
  refuse("headers", json_pack("[[s]]", "h"), "\"headers\" must be a list");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(without_memory),
      cmocka_unit_test(no_records),
  };
  return cmocka_run_group_tests(tests, open_try, close_try);
}
