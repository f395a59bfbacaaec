/* SPDX-License-Identifier: Apache-2.0
 * Containers made and changed: large objects, headers, and what Lua may not ask for. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "record_rig.h"

#include "cpu_time.h"
#include "record/build.h"
#include "record/value.h"

enum { MANY = 40000 };

static struct cl_str numbered(char text[32], int i) {
  return (struct cl_str){text, (uint32_t)snprintf(text, 32, "key-%d", i)};
}

static struct cl_val *put(struct rig *r, struct cl_obj *obj, int i) {
  char text[32];
  struct cl_str key = numbered(text, i);
  struct cl_val *v = cl_ffi_obj_put(r->b, obj, key.p, key.len);
  assert_non_null(v);
  return v;
}

static struct cl_val *find(struct rig *r, struct cl_obj *obj, int i) {
  char text[32];
  struct cl_str key = numbered(text, i);
  return cl_ffi_obj_find(r->space, obj, key.p, key.len);
}

static void large_objects_keep_their_keys(void **state) {
  (void)state;
  struct rig r = rig_open();
  struct cl_obj *obj = cl_ffi_obj_new(r.b, 0);
  for (int round = 0; round < 2; round++)
    for (int i = 0; i < MANY; i++) {
      *put(&r, obj, i) = (struct cl_val){.kind = CL_INT, .aux = 64, .i = round + i};
      assert_int_equal(obj->n, round ? MANY : i + 1);
    }
  for (int i = 0; i < MANY; i++)
    assert_int_equal(find(&r, obj, i)->i, i + 1);
  assert_null(find(&r, obj, MANY));
  rig_close(&r);
}

static void large_objects_change(void **state) {
  (void)state;
  enum { N = 1000 };
  struct rig r = rig_open();
  struct cl_obj *obj = cl_ffi_obj_new(r.b, 0);
  for (int i = 0; i < N; i++)
    put(&r, obj, i)->i = i;
  for (int i = 0; i < N; i += 3) {
    char text[32];
    struct cl_str key = numbered(text, i);
    assert_int_equal(cl_ffi_obj_remove(r.space, obj, key.p, key.len), 1);
    assert_null(find(&r, obj, i));
    put(&r, obj, N + i)->i = N + i;
  }
  assert_int_equal(cl_obj_take_java_order(r.b, obj), 0);
  put(&r, obj, 1)->kind = CL_TRUE;
  assert_int_equal(obj->n, N);
  for (int i = 0; i < 2 * N; i++) {
    struct cl_val *v = find(&r, obj, i);
    assert_int_equal(v != NULL, i < N ? i % 3 != 0 : i % 3 == N % 3);
    if (v)
      assert_int_equal(v->i, i);
  }
  rig_close(&r);
}

/* What takes ten times the keys takes far less than a hundred times the work. */
static int64_t work_of(void (*work)(struct rig *r, int n), int n) {
  struct rig r = rig_open();
  int64_t from = cpu_ms();
  work(&r, n);
  int64_t took = cpu_ms() - from;
  rig_close(&r);
  return took;
}

static void grows_linearly(void (*work)(struct rig *r, int n)) {
  work_of(work, MANY / 10);
  assert_in_range(work_of(work, MANY), 0, 40 * work_of(work, MANY / 10) + 100);
}

static void build_object(struct rig *r, int n) {
  struct cl_obj *obj = cl_ffi_obj_new(r->b, 0);
  for (int i = 0; i < n; i++)
    put(r, obj, i);
}

static void read_map(struct rig *r, int n) {
  static const char schema[] =
      "{\"schema\":{\"type\":\"map\",\"keys\":{\"type\":\"int64\"},\"values\":{\"type\":\"int64\"}},"
      "\"payload\":[";
  char *text = malloc((size_t)n * 64 + 256), *w = text;
  w += sprintf(w, "%s", schema);
  for (int i = 0; i < 2 * n; i++) /* each key twice, all of the same hash to Java */
    w += sprintf(w, "%s[%lld,%d]", i ? "," : "", (long long)(i % n) << 32 | (i % n), i);
  w += sprintf(w, "]}");
  struct cl_err err;
  struct cl_json *json = cl_json_new(
      r->space, &(struct cl_json_conf){.schemas_enable = true, .schemas_cache_size = 1000}, &err);
  struct cl_datum d = {.bytes = rig_bytes(r, text, (size_t)(w - text))};
  assert_int_equal(cl_json_decode(json, r->b, &d, &err), 0);
  assert_int_equal(d.val.map->n, n);
  assert_int_equal(d.val.map->e[5].key.i, INT64_C(5) << 32 | 5);
  assert_int_equal(d.val.map->e[5].val.i, n + 5);
  cl_json_free(json);
  free(text);
}

static void flatten_schema(struct rig *r, int n) {
  struct cl_field *fields = calloc((size_t)n, sizeof(*fields));
  for (int i = 0; i < n; i++) {
    char *text = malloc(32);
    fields[i].name = numbered(text, i);
    assert_int_equal(cl_batch_hold(r->b, text, free), 0);
    fields[i].schema = cl_space_primitive(r->space, CL_TYPE_INT8, false);
  }
  struct cl_schema draft = {.type = CL_TYPE_STRUCT, .n_fields = (uint32_t)n, .fields = fields};
  const struct cl_shape *flat = cl_ffi_flat_shape(r->b, cl_space_intern(r->space, &draft), ".", 1);
  assert_int_equal(flat->to->n_fields, n);
  free(fields);
}

static void large_ones_take_no_square_time(void **state) {
  (void)state;
  grows_linearly(build_object);
  grows_linearly(read_map);
  grows_linearly(flatten_schema);
}

static void names_that_flatten_to_one_are_refused(void **state) {
  (void)state;
  struct rig r = rig_open();
  const struct cl_schema *leaf = cl_space_primitive(r.space, CL_TYPE_INT8, false);
  struct cl_field inner = {.name = {"b", 1}, .schema = leaf};
  struct cl_schema draft = {.type = CL_TYPE_STRUCT, .n_fields = 1, .fields = &inner};
  struct cl_field outer[] = {{.name = {"a", 1}, .schema = cl_space_intern(r.space, &draft)},
                             {.name = {"a.b", 3}, .schema = leaf}};
  draft = (struct cl_schema){.type = CL_TYPE_STRUCT, .n_fields = 2, .fields = outer};
  const struct cl_schema *s = cl_space_intern(r.space, &draft);
  for (int i = 0; i < 2; i++) { /* the first leaves nothing behind that the second would meet */
    assert_null(cl_ffi_flat_shape(r.b, s, ".", 1));
    assert_string_equal(cl_ffi_error(), "Cannot create field because of field name duplication a.b");
    assert_int_equal(cl_ffi_flat_shape(r.b, s, "_", 1)->to->n_fields, 2);
  }
  rig_close(&r);
}

/* ------------------------------------------------------------------- headers */

static void headers_take_room_for_themselves(void **state) {
  (void)state;
  struct cl_arena_budget budget = {.max = 16 << 20};
  struct cl_space *space = cl_space_new(NULL);
  struct cl_batch_pool *pool = cl_batch_pool_new(space, &budget, 500);
  struct cl_batch *b = cl_batch_get(pool);
  for (int i = 0; i < 500; i++) {
    struct cl_record *rec = cl_batch_add(b);
    for (int k = 0; k < 80; k++) {
      char text[32];
      struct cl_str name = numbered(text, k);
      assert_non_null(cl_ffi_header_add(b, rec, name.p, name.len));
    }
    assert_int_equal(rec->n_headers, 80);
    assert_memory_equal(rec->headers[79].name.p, "key-79", 6);
  }
  cl_batch_unref(b);
  cl_batch_pool_free(pool);
  cl_space_free(space);
  assert_int_equal(budget.used, 0);
}

/* -------------------------------------------------------- what ends the process */

static void aborts(void (*work)(struct rig *r)) {
  struct rig r = rig_open();
  int status;
  fflush(NULL);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    fclose(stderr);
    signal(SIGABRT, SIG_DFL);
    work(&r);
    _exit(0);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
  rig_close(&r);
}

static void set_name_behind_the_end(struct rig *r) {
  struct cl_names *names = cl_ffi_names_new(r->space, 1);
  cl_ffi_names_set(r->space, names, 1, "a", 1, NULL, 0);
}

static void set_change_behind_the_end(struct rig *r) {
  struct cl_changes *changes = cl_ffi_changes_new(r->space, 1, 0, 0, NULL, 0);
  cl_ffi_changes_name(r->space, changes, 1, "a", 1);
}

static void nothing_is_written_behind_an_end(void **state) {
  (void)state;
  aborts(set_name_behind_the_end);
  aborts(set_change_behind_the_end);
}

/* ------------------------------------------------------------------------- depth */

static void hashing_and_comparing_stay_on_the_stack(void **state) {
  (void)state;
  struct rig r = rig_open();
  struct cl_val v[2];
  for (int k = 0; k < 2; k++) {
    v[k] = (struct cl_val){.kind = CL_NULL};
    for (int i = 0; i < 300000; i++) {
      struct cl_obj *obj = cl_ffi_obj_new(r.b, 0);
      *cl_ffi_obj_put(r.b, obj, "x", 1) = v[k];
      v[k] = (struct cl_val){.kind = CL_OBJECT, .obj = obj};
    }
  }
  assert_int_equal(cl_value_hash(r.space, &v[0]), cl_value_hash(r.space, &v[1]));
  assert_false(cl_value_equal(r.space, &v[0], &v[1]));
  struct cl_map *map = cl_ffi_map_new(r.b);
  for (int i = 0; i < 2; i++)
    cl_ffi_map_add(r.b, map)->key = v[i];
  struct cl_buf out = {0};
  struct cl_err err;
  assert_int_equal(cl_json_write(r.b, &(struct cl_val){.kind = CL_MAP, .map = map}, true, &out, &err),
                   CL_EDATA);
  cl_buf_free(&out);
  rig_close(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(large_objects_keep_their_keys),
      cmocka_unit_test(large_objects_change),
      cmocka_unit_test(large_ones_take_no_square_time),
      cmocka_unit_test(names_that_flatten_to_one_are_refused),
      cmocka_unit_test(headers_take_room_for_themselves),
      cmocka_unit_test(nothing_is_written_behind_an_end),
      cmocka_unit_test(hashing_and_comparing_stay_on_the_stack),
  };
  return cmocka_run_group_tests_name("record_build", tests, NULL, NULL);
}
