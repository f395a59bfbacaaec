/* SPDX-License-Identifier: Apache-2.0
 * Generations of schemas: what lasts, what is freed, what of an older one becomes. */
#include "record_rig.h"

#include "record/value.h"

static const struct cl_schema *numbered(struct cl_space *s, int i, const struct cl_schema *of) {
  char name[32];
  int n = snprintf(name, sizeof(name), "field-%d", i);
  struct cl_field f = {.name = {name, (uint32_t)n}, .schema = of};
  return cl_space_intern(s, &(struct cl_schema){.type = CL_TYPE_STRUCT, .n_fields = 1, .fields = &f});
}

static const struct cl_schema *int32(struct cl_space *s) {
  return cl_space_primitive(s, CL_TYPE_INT32, false);
}

/* Takes what room data has for permanent things; makes the newest generation full. */
static void fill(struct cl_space *s) {
  static int n = 1000000;
  while (!numbered(s, n++, int32(s))->life)
    ;
  for (int i = 0; i < 1100; i++)
    assert_non_null(numbered(s, n++, int32(s)));
}

static void what_is_set_up_lasts(void **state) {
  (void)state;
  struct cl_space *s = cl_space_new(NULL);
  struct cl_batch_pool *pool = cl_batch_pool_new(s, NULL, 1);
  const struct cl_schema *early = numbered(s, 1, int32(s));
  assert_int_equal(early->life, 0);
  cl_batch_unref(cl_batch_get(pool));
  const struct cl_schema *first = numbered(s, 0, int32(s));
  assert_int_equal(first->life, 0);
  fill(s);
  for (int round = 0; round < 40; round++) {
    struct cl_batch *b = cl_batch_get(pool);
    assert_ptr_equal(numbered(s, 0, int32(s)), first);
    assert_ptr_equal(numbered(s, 1, int32(s)), early);
    const struct cl_schema *of_data = numbered(s, 2, early);
    assert_int_equal(of_data->life, cl_space_newest(s));
    assert_ptr_equal(numbered(s, 2, early), of_data);
    /* Permanent on purpose, but for what is made of a part that is not. */
    uint16_t was = cl_space_set_lasting(s, 2);
    assert_int_equal(numbered(s, 3, int32(s))->life, 0);
    assert_int_equal(numbered(s, 3, of_data)->life, of_data->life);
    cl_space_set_lasting(s, was);
    fill(s);
    cl_batch_unref(b);
  }
  cl_batch_pool_free(pool);
  cl_space_free(s);
}

static void memory_has_a_ceiling(void **state) {
  (void)state;
  struct cl_arena_budget budget = {.max = 64 << 20};
  struct cl_space *s = cl_space_new(&budget);
  struct cl_batch_pool *pool = cl_batch_pool_new(s, &budget, 1);
  struct cl_batch *last = cl_batch_get(pool); /* batches overlap */
  uint64_t uid = 0;
  for (int i = 0; i < 300000; i++) {
    const struct cl_schema *schema = numbered(s, i, int32(s));
    assert_true(schema && schema->uid > uid); /* never given twice */
    uid = schema->uid;
    if (i % 500 == 0) {
      struct cl_batch *b = cl_batch_get(pool);
      cl_batch_unref(last);
      last = b;
    }
    assert_in_range(cl_space_used(s), 0, 8 << 20);
  }
  cl_batch_unref(last);
  cl_batch_pool_free(pool);
  cl_space_free(s);
  assert_int_equal(budget.used, 0);
}

/* As in a plugin's flush. */
static void beside_batches_some_more_lasts(void **state) {
  (void)state;
  struct cl_space *s = cl_space_new(NULL);
  struct cl_batch_pool *pool = cl_batch_pool_new(s, NULL, 1);
  for (int i = 0; i < 300000; i++) {
    if (i % 500 == 0)
      cl_batch_unref(cl_batch_get(pool));
    cl_space_set_lasting(s, 1);
    const struct cl_schema *schema = numbered(s, i, int32(s));
    assert_true(i >= 1000 || !schema->life);
    assert_true(i < 100000 || schema->life == cl_space_newest(s));
    assert_in_range(cl_space_used(s), 0, 12 << 20);
  }
  cl_batch_pool_free(pool);
  cl_space_free(s);
}

/* A struct of a struct, with a default, in b. */
static const struct cl_schema *nested(struct cl_batch *b, struct cl_val *out) {
  const struct cl_schema *inner = numbered(b->space, 7, int32(b->space));
  struct cl_struct *in = cl_ffi_struct_new(b, inner);
  in->v[0] = (struct cl_val){.kind = CL_INT, .aux = 32, .i = 5};
  struct cl_field f = {.name = {"inner", 5}, .schema = inner};
  struct cl_schema draft = {.type = CL_TYPE_STRUCT, .n_fields = 1, .fields = &f};
  struct cl_struct *st = cl_ffi_struct_new(b, cl_space_intern(b->space, &draft));
  st->v[0] = (struct cl_val){.kind = CL_STRUCT, .st = in};
  *out = (struct cl_val){.kind = CL_STRUCT, .st = st};
  draft.def = *out;
  draft.optional = 1;
  return cl_space_intern(b->space, &draft);
}

static void a_retained_batch_keeps_its_schemas(void **state) {
  (void)state;
  struct cl_space *s = cl_space_new(NULL);
  struct cl_batch_pool *pool = cl_batch_pool_new(s, NULL, 4);
  struct cl_batch *kept = cl_batch_get(pool);
  fill(s);
  struct cl_val v;
  const struct cl_schema *with_default = nested(kept, &v);
  uint16_t life = with_default->life;
  for (int i = 0; i < 5000; i++) { /* keys of objects, too */
    char key[32];
    int n = snprintf(key, sizeof(key), "key-%d", i);
    assert_true(cl_space_sym(s, key, (uint32_t)n) != 0);
  }
  struct cl_obj *obj = cl_ffi_obj_new(kept, 16);
  cl_ffi_obj_put(kept, obj, "late key", 8)->kind = CL_TRUE;
  assert_false(cl_space_sym_is_permanent(obj->e[0].sym));
  struct cl_val text = {.kind = CL_STRING};
  assert_int_equal(cl_ffi_put_string(kept, cl_ffi_obj_put(kept, obj, "text", 4), "hello", 5), 0);
  for (int i = 0; i < 3; i++) {
    fill(s);
    cl_batch_unref(cl_batch_get(pool));
  }
  assert_int_not_equal(cl_space_newest(s), life);
  assert_int_equal(with_default->def.st->v[0].st->v[0].i, 5);
  /* Copied into a later batch, all that is of the older generation has a twin. */
  struct cl_batch *b = cl_batch_get(pool);
  struct cl_val copy, words;
  assert_int_equal(cl_ffi_copy_other(b, &copy, &v), 0);
  assert_int_equal(cl_ffi_copy_other(b, &words, &(struct cl_val){.kind = CL_OBJECT, .obj = obj}), 0);
  const struct cl_schema *twin = cl_ffi_schema_now(s, with_default);
  assert_int_equal(twin->life, cl_space_newest(s));
  assert_ptr_equal(cl_ffi_schema_now(s, with_default), twin);
  assert_ptr_equal(twin->fields[0].schema, copy.st->v[0].st->schema);
  cl_batch_unref(kept);
  assert_int_equal(cl_ffi_lives(s)->alive[(life - 1) % 16] == life, 0);
  assert_int_equal(copy.st->schema->fields[0].schema->fields[0].name.len, 7);
  assert_int_equal(copy.st->v[0].st->v[0].i, 5);
  assert_int_equal(twin->def.st->v[0].st->v[0].i, 5);
  assert_int_equal(twin->def.st->schema->life, twin->life);
  assert_int_equal(cl_ffi_obj_find(s, words.obj, "late key", 8)->kind, CL_TRUE);
  text = *cl_ffi_obj_find(s, words.obj, "text", 4);
  assert_memory_equal(text.s, "hello", 5);
  cl_batch_unref(b);
  cl_batch_pool_free(pool);
  cl_space_free(s);
}

/* A record that carries its schema along. */
static void decode_numbered(struct rig *r, struct cl_json *json, int i, struct cl_datum *d) {
  char doc[256];
  snprintf(doc, sizeof(doc),
           "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"int32\",\"field\":\"f%d\"}]},"
           "\"payload\":{\"f%d\":%d}}",
           i, i, i);
  struct cl_err err = {0};
  *d = (struct cl_datum){.bytes = rig_text(r, doc)};
  assert_int_equal(cl_json_decode(json, r->b, d, &err), 0);
  assert_int_equal(d->val.st->v[0].i, i);
}

static void the_json_converter_forgets(void **state) {
  (void)state;
  struct rig r = rig_open();
  struct cl_err err = {0};
  struct cl_json *json = cl_json_new(
      r.space, &(struct cl_json_conf){.schemas_enable = true, .schemas_cache_size = 1000}, &err);
  for (int i = 0; i < 20000; i++) {
    struct cl_datum d, known;
    decode_numbered(&r, json, i, &d);
    decode_numbered(&r, json, -1, &known);
    assert_int_equal(cl_json_encode(json, r.b, &d, &err), 0);
    assert_ptr_equal(known.schema, cl_ffi_schema_now(r.space, known.schema));
    if (i % 100 == 0) {
      cl_batch_unref(r.b);
      r.b = cl_batch_get(r.pool);
      assert_in_range(cl_space_used(r.space), 0, 8 << 20);
    }
  }
  cl_json_free(json);
  rig_close(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_set_up_lasts),           cmocka_unit_test(memory_has_a_ceiling),
      cmocka_unit_test(beside_batches_some_more_lasts), cmocka_unit_test(a_retained_batch_keeps_its_schemas),
      cmocka_unit_test(the_json_converter_forgets),
  };
  return cmocka_run_group_tests_name("record_lives", tests, NULL, NULL);
}
