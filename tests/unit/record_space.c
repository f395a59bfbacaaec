/* SPDX-License-Identifier: Apache-2.0
 * Symbols, their generations, interned schemas, Java's map order. */
#include "record_rig.h"

#include <math.h>

#include "record/java.h"
#include "record/value.h"

static uint32_t sym(struct cl_space *s, const char *text) {
  return cl_space_sym(s, text, (uint32_t)strlen(text));
}

static void same_text_same_symbol(void **state) {
  (void)state;
  struct cl_space *s = cl_space_new(NULL);
  uint32_t a = sym(s, "id"), b = sym(s, "name"), empty = sym(s, "");
  assert_true(a && b && empty && a != b && empty != a);
  assert_int_equal(sym(s, "id"), a);
  assert_int_equal(sym(s, ""), empty);
  struct cl_str text = cl_space_sym_text(s, b);
  assert_int_equal(text.len, 4);
  assert_memory_equal(text.p, "name", 4);
  assert_true(cl_space_sym_info(s, a)->clean);
  assert_false(cl_space_sym_info(s, sym(s, "a\"b"))->clean);
  cl_space_free(s);
}

static uint32_t numbered(struct cl_space *s, int i) {
  char text[32];
  snprintf(text, sizeof(text), "key-%d", i);
  return sym(s, text);
}

static void keys_that_are_data_do_not_stay(void **state) {
  (void)state;
  struct cl_arena_budget budget = {.max = 8 << 20};
  struct cl_space *s = cl_space_new(&budget);
  struct cl_batch_pool *pool = cl_batch_pool_new(s, &budget, 4);
  uint32_t early = numbered(s, 0);
  assert_true(cl_space_sym_is_permanent(early));
  /* Batches overlap, as those of a source do: one is always alive. */
  struct cl_batch *last = cl_batch_get(pool);
  int k = 0;
  for (int round = 0; round < 60; round++) {
    struct cl_batch *b = cl_batch_get(pool);
    uint32_t first = 0;
    for (int i = 0; i < 6000; i++, k++) {
      uint32_t id = numbered(s, k);
      assert_true(id != 0);
      first = first ? first : id;
    }
    char text[32];
    int n = snprintf(text, sizeof(text), "key-%d", k - 6000);
    struct cl_str back = cl_space_sym_text(s, first);
    assert_int_equal(back.len, n);
    assert_memory_equal(back.p, text, (size_t)n);
    assert_int_equal(numbered(s, k - 1), numbered(s, k - 1));
    cl_batch_unref(last);
    last = b;
  }
  assert_false(cl_space_sym_is_permanent(numbered(s, k)));
  assert_int_equal(numbered(s, 0), early);
  assert_true(cl_space_sym_is_permanent(cl_space_sym_keep(s, "a field", 7)));
  cl_batch_unref(last);
  cl_batch_pool_free(pool);
  cl_space_free(s);
  assert_int_equal(budget.used, 0);
}

static void long_keys_do_not_stay(void **state) {
  (void)state;
  enum { LONG = 50000, KEYS = 3000, AT_ONCE = 100 };
  struct cl_arena_budget budget = {.max = 64 << 20};
  struct cl_space *s = cl_space_new(&budget);
  struct cl_batch_pool *pool = cl_batch_pool_new(s, &budget, 4);
  char *text = malloc(LONG);
  memset(text, 'k', LONG);
  assert_true(cl_space_sym_is_permanent(cl_space_sym(s, text, 256)));
  assert_false(cl_space_sym_is_permanent(cl_space_sym(s, text, 257)));
  for (int i = 0; i < KEYS; i++) {
    struct cl_batch *b = i % AT_ONCE ? NULL : cl_batch_get(pool);
    memcpy(text, &i, sizeof(i));
    uint32_t id = cl_space_sym(s, text, LONG);
    assert_true(id != 0);
    assert_int_equal(cl_space_sym_text(s, id).len, LONG);
    if (b)
      cl_batch_unref(b);
  }
  cl_batch_unref(cl_batch_get(pool));
  assert_in_range(cl_space_used(s), 0, 8 << 20);
  free(text);
  cl_batch_pool_free(pool);
  cl_space_free(s);
  assert_int_equal(budget.used, 0);
}

static void scratch_counts_and_is_given_back(void **state) {
  (void)state;
  struct cl_arena_budget budget = {.max = 16 << 20};
  struct cl_space *s = cl_space_new(&budget);
  size_t before = budget.used;
  char *p = cl_space_scratch(s, 1000);
  memset(p, 'x', 1000);
  p = cl_space_scratch(s, 8 << 20);
  assert_true(p && p[0] == 'x' && p[999] == 'x');
  assert_in_range(budget.used - before, 8 << 20, 16 << 20);
  assert_null(cl_space_scratch(s, 17 << 20));
  assert_non_null(cl_space_scratch(s, 8 << 20)); /* the old piece is still there */
  assert_non_null(cl_space_scratch(s, 1000));
  assert_in_range(budget.used - before, 1000, 1 << 20);
  cl_space_free(s);
  assert_int_equal(budget.used, 0);
}

static void a_budget_ends_symbols(void **state) {
  (void)state;
  struct cl_arena_budget budget = {.max = 256 << 10};
  struct cl_space *s = cl_space_new(&budget);
  int i = 0;
  while (i < 100000 && numbered(s, i))
    i++;
  assert_in_range(i, 100, 99999);
  assert_true(numbered(s, 0) != 0);
  cl_space_free(s);
}

static void found_by_text_when_a_symbol_came_later(void **state) {
  (void)state;
  struct cl_space *s = cl_space_new(NULL);
  for (int i = 0; i < 5000; i++)
    numbered(s, i);
  uint32_t data = sym(s, "late"), kept = cl_space_sym_keep(s, "late", 4);
  assert_true(data != kept);
  struct cl_entry e = {.sym = data, .val = {.kind = CL_TRUE}};
  struct cl_obj obj = {.n = 1, .cap = 1, .e = &e};
  assert_int_equal(cl_value_find(s, &obj, kept), 0);
  assert_int_equal(cl_value_find(s, &obj, cl_space_sym_keep(s, "other", 5)), 1);
  assert_ptr_equal(cl_ffi_obj_find(s, &obj, "late", 4), &e.val);
  assert_null(cl_ffi_obj_find(s, &obj, "lat", 3));
  cl_space_free(s);
}

static void equal_schemas_are_one(void **state) {
  (void)state;
  struct cl_space *s = cl_space_new(NULL);
  const struct cl_schema *i32 = cl_space_primitive(s, CL_TYPE_INT32, false);
  assert_ptr_equal(cl_space_primitive(s, CL_TYPE_INT32, false), i32);
  assert_ptr_not_equal(cl_space_primitive(s, CL_TYPE_INT32, true), i32);
  char name[] = "a";
  struct cl_field f = {.name = {name, 1}, .schema = i32};
  struct cl_schema st = {.type = CL_TYPE_STRUCT, .n_fields = 1, .fields = &f};
  const struct cl_schema *one = cl_space_intern(s, &st);
  assert_ptr_equal(cl_space_intern(s, &st), one);
  name[0] = 'b'; /* the interned one keeps its own text */
  assert_memory_equal(one->fields[0].name.p, "a", 1);
  assert_ptr_not_equal(cl_space_intern(s, &st), one);
  name[0] = 'a';
  st.doc = (struct cl_str){"", 0}; /* an empty doc is a doc */
  assert_ptr_not_equal(cl_space_intern(s, &st), one);
  st = (struct cl_schema){.type = CL_TYPE_INT32, .def = {.kind = CL_INT, .aux = 32, .i = 7}};
  const struct cl_schema *seven = cl_space_intern(s, &st);
  st.def.i = 8;
  assert_ptr_not_equal(cl_space_intern(s, &st), seven);
  st = (struct cl_schema){.type = CL_TYPE_INT64, .name = {"org.apache.kafka.connect.data.Timestamp", 39}};
  assert_int_equal(cl_space_intern(s, &st)->logical, CL_LOGICAL_TIMESTAMP);
  for (int i = 0; i < 500; i++) /* the table grows */
    assert_non_null(
        cl_space_intern(s, &(struct cl_schema){.type = CL_TYPE_INT8, .has_version = 1, .version = i}));
  assert_ptr_equal(cl_space_primitive(s, CL_TYPE_INT32, false), i32);
  cl_space_free(s);
}

static void java_hashes(void **state) {
  (void)state;
  assert_int_equal(cl_java_string_hash("", 0), 0);
  assert_int_equal(cl_java_string_hash("position", 8), 747804969);
  assert_int_equal(cl_java_string_hash("\xC3\xA4", 2), 228);             /* one unit */
  assert_int_equal(cl_java_string_hash("\xF0\x9F\x98\x80", 4), 1772899); /* a pair */
  assert_int_equal(cl_java_string_length("a\xC3\xA4\xF0\x9F\x98\x80", 7), 4);
}

static void java_compares(void **state) {
  (void)state;
  static const char *const rising[] = {"",
                                       "A",
                                       "a",
                                       "aa",
                                       "b",
                                       "\xC3\xA4",
                                       "\xED\x9F\xBF",
                                       "\xF0\x90\x80\x80",
                                       "\xF0\x90\x80\x81", /* units D800 DC00.. */
                                       "\xEE\x80\x80",
                                       "\xEF\xBF\xBD"};
  enum { N = sizeof(rising) / sizeof(rising[0]) };
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      struct cl_str a = {rising[i], (uint32_t)strlen(rising[i])},
                    b = {rising[j], (uint32_t)strlen(rising[j])};
      assert_int_equal(cl_java_string_compare(a, b), (i > j) - (i < j));
    }
  const struct cl_val numbers[] = {{.kind = CL_FLOAT64, .f = -INFINITY}, {.kind = CL_FLOAT64, .f = -0.0},
                                   {.kind = CL_FLOAT64, .f = 0.0},       {.kind = CL_FLOAT64, .f = 1.5},
                                   {.kind = CL_FLOAT64, .f = NAN},       {.kind = CL_INT, .aux = 32, .i = 5},
                                   {.kind = CL_INT, .aux = 32, .i = 6},  {.kind = CL_INT, .aux = 64, .i = -7},
                                   {.kind = CL_INT, .aux = 64, .i = 4}}; /* Double, Integer, Long */
  for (int i = 0; i < 9; i++)
    for (int j = 0; j < 9; j++) {
      int c = cl_java_compare(&numbers[i], &numbers[j]);
      assert_int_equal((c > 0) - (c < 0), (i > j) - (i < j));
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(same_text_same_symbol), cmocka_unit_test(keys_that_are_data_do_not_stay),
      cmocka_unit_test(long_keys_do_not_stay), cmocka_unit_test(scratch_counts_and_is_given_back),
      cmocka_unit_test(a_budget_ends_symbols), cmocka_unit_test(found_by_text_when_a_symbol_came_later),
      cmocka_unit_test(equal_schemas_are_one), cmocka_unit_test(java_hashes),
      cmocka_unit_test(java_compares),
  };
  return cmocka_run_group_tests_name("record_space", tests, NULL, NULL);
}
