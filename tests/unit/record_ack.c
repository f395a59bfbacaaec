/* SPDX-License-Identifier: Apache-2.0
 * The contiguous acknowledged prefix per source partition. */
#include "record_rig.h"

#include "record/ack.h"

struct taken {
  int n;
  char text[512]; /* "partition=offset;" for each */
};

static int take(void *arg, struct cl_str partition, struct cl_str offset) {
  struct taken *t = arg;
  size_t used = strlen(t->text);
  snprintf(t->text + used, sizeof(t->text) - used, "%.*s=%.*s;", (int)partition.len, partition.p,
           (int)offset.len, offset.p);
  t->n++;
  return 0;
}

static int refuse(void *arg, struct cl_str partition, struct cl_str offset) {
  (void)partition;
  (void)offset;
  ++*(int *)arg;
  return CL_ENOMEM;
}

static void takes(struct cl_ack *a, const char *expected) {
  struct taken t = {0};
  cl_ack_take(a, take, &t);
  assert_string_equal(t.text, expected);
}

static int64_t partition(struct cl_ack *a, const char *json) {
  struct cl_err err;
  int64_t id = cl_ack_partition(a, json, strlen(json), &err);
  assert_true(id >= 0);
  return id;
}

static struct cl_record *sent(struct cl_ack *a, struct cl_batch *b, int64_t slot, int64_t offset) {
  struct cl_err err;
  struct cl_record *rec = cl_batch_add(b);
  assert_non_null(rec);
  rec->slot = (uint32_t)slot;
  rec->source_offset = (struct cl_val){.kind = CL_INT, .aux = 64, .i = offset};
  assert_int_equal(cl_ack_sent(a, rec, &err), 0);
  return rec;
}

static void out_of_order(void **state) {
  (void)state;
  struct rig r = rig_open();
  struct cl_ack *a = cl_ack_new();
  r.b->offset_name = rig_text(&r, "position");
  int64_t p = partition(a, "{\"filename\":\"x\"}");
  struct cl_record *rec[5];
  for (int i = 0; i < 5; i++)
    rec[i] = sent(a, r.b, p, 10 * (i + 1));
  assert_int_equal(r.b->refs, 6);
  cl_ack_done(a, rec[2]);
  cl_ack_done(a, rec[1]);
  takes(a, "");
  assert_int_equal(cl_ack_waiting(a), 5);
  cl_ack_done(a, rec[0]);
  takes(a, "{\"filename\":\"x\"}={\"position\":30};");
  takes(a, ""); /* once */
  assert_int_equal(cl_ack_waiting(a), 2);
  assert_int_equal(r.b->refs, 3);
  cl_ack_done(a, rec[4]);
  cl_ack_done(a, rec[3]);
  takes(a, "{\"filename\":\"x\"}={\"position\":50};");
  assert_int_equal(r.b->refs, 1);
  cl_ack_free(a);
  rig_close(&r);
}

static void partitions_do_not_wait_for_each_other(void **state) {
  (void)state;
  struct rig r = rig_open();
  struct cl_ack *a = cl_ack_new();
  r.b->offset_name = rig_text(&r, "n");
  int64_t x = partition(a, "{\"t\":\"x\"}"), y = partition(a, "null");
  assert_int_equal(partition(a, "{\"t\":\"x\"}"), x);
  struct cl_record *stuck = sent(a, r.b, x, 1), *free_ = sent(a, r.b, y, 2);
  cl_ack_done(a, free_);
  takes(a, "null={\"n\":2};");
  cl_ack_done(a, stuck);
  takes(a, "{\"t\":\"x\"}={\"n\":1};");
  cl_ack_free(a);
  rig_close(&r);
}

static void refused_records_are_forgotten(void **state) {
  (void)state;
  struct rig r = rig_open();
  struct cl_ack *a = cl_ack_new();
  r.b->offset_name = rig_text(&r, "n");
  int64_t p = partition(a, "{}");
  struct cl_record *one = sent(a, r.b, p, 1), *two = sent(a, r.b, p, 2);
  cl_ack_unsend(a, two);
  struct cl_record stray = {.slot = 42, .batch = r.b};
  struct cl_err err;
  assert_int_equal(cl_ack_sent(a, &stray, &err), CL_EINVAL);
  assert_non_null(strstr(err.msg, "#42"));
  assert_int_equal(r.b->refs, 2);
  cl_ack_done(a, one);
  takes(a, "{}={\"n\":1};");
  assert_int_equal(cl_ack_waiting(a), 0);
  cl_ack_free(a);
  rig_close(&r);
}

static void offsets_of_any_shape(void **state) {
  (void)state;
  struct rig r = rig_open();
  struct cl_ack *a = cl_ack_new();
  struct cl_err err;
  int64_t p = partition(a, "{}");
  struct cl_str json = rig_text(&r, "{\"seq\":3,\"file\":\"a\\\"b\",\"pos\":1.5}");
  struct cl_record *rec = sent(a, r.b, p, 0);
  assert_int_equal(cl_json_read(r.b, json.p, json.len, &rec->source_offset, &err), 0);
  cl_ack_done(a, rec);
  /* The text is the ack's own: the batch may go. */
  cl_batch_unref(r.b);
  r.b = cl_batch_get(r.pool);
  takes(a, "{}={\"file\":\"a\\\"b\",\"pos\":1.5,\"seq\":3};"); /* Java's order */
  rec = sent(a, r.b, p, 0);
  rec->source_offset = (struct cl_val){.kind = CL_NULL};
  cl_ack_done(a, rec);
  takes(a, "{}=null;");
  r.b->offset_name = rig_text(&r, "a \"name\"");
  cl_ack_done(a, sent(a, r.b, p, -5));
  takes(a, "{}={\"a \\\"name\\\"\":-5};");
  cl_ack_free(a);
  rig_close(&r);
}

static void what_was_not_kept_is_told_again(void **state) {
  (void)state;
  struct rig r = rig_open();
  struct cl_ack *a = cl_ack_new();
  int refused = 0;
  r.b->offset_name = rig_text(&r, "n");
  cl_ack_done(a, sent(a, r.b, partition(a, "{}"), 1));
  cl_ack_take(a, refuse, &refused);
  cl_ack_take(a, refuse, &refused);
  assert_int_equal(refused, 2);
  takes(a, "{}={\"n\":1};");
  takes(a, "");
  cl_ack_free(a);
  rig_close(&r);
}

static void offsets_that_cannot_be_kept_are_refused(void **state) {
  (void)state;
  enum { MIB = 1 << 20 };
  struct rig r = rig_open();
  struct cl_ack *a = cl_ack_new();
  struct cl_err err;
  char *text = malloc(MIB);
  memset(text, 'x', MIB);
  struct cl_record *rec = cl_batch_add(r.b);
  rec->slot = (uint32_t)partition(a, "{\"p\":1}");
  memcpy(text, "{\"s\":\"", 6);
  memcpy(text + MIB - 2, "\"}", 2);
  assert_int_equal(cl_json_read(r.b, text, MIB, &rec->source_offset, &err), 0);
  assert_int_equal(cl_ack_sent(a, rec, &err), 0); /* just not too long */
  cl_ack_done(a, rec);
  struct cl_val longer = {.kind = CL_ARRAY, .arr = cl_arena_zalloc(r.b->arena, sizeof(struct cl_arr))};
  *longer.arr = (struct cl_arr){.n = 1, .cap = 1, .v = &rec->source_offset};
  rec = cl_batch_add(r.b);
  rec->source_offset = longer;
  assert_int_equal(cl_ack_sent(a, rec, &err), CL_EINVAL);
  assert_non_null(strstr(err.msg, "{\"p\":1}"));
  assert_non_null(strstr(err.msg, "1048578 bytes"));
  assert_non_null(strstr(err.msg, "at most 1048576"));
  assert_int_equal(cl_ack_waiting(a), 0);
  free(text);
  cl_ack_free(a);
  rig_close(&r);
}

static void rings_and_partitions_grow(void **state) {
  (void)state;
  struct rig r = rig_open();
  struct cl_ack *a = cl_ack_new();
  struct cl_err err;
  static struct cl_record recs[1000];
  char json[32];
  r.b->offset_name = rig_text(&r, "n");
  for (int i = 0; i < 100; i++) {
    snprintf(json, sizeof(json), "{\"p\":%d}", i);
    assert_int_equal(partition(a, json), i);
  }
  for (int i = 0; i < 100; i++) { /* found again after the table grew */
    snprintf(json, sizeof(json), "{\"p\":%d}", i);
    assert_int_equal(partition(a, json), i);
  }
  int first = 0; /* the ring's head is not at its start when it grows */
  for (int i = 0; i < 1000; i++) {
    recs[i] = (struct cl_record){
        .slot = 7, .batch = r.b, .source_offset = {.kind = CL_INT, .aux = 64, .i = i}};
    assert_int_equal(cl_ack_sent(a, &recs[i], &err), 0);
    if (i % 3 == 0)
      cl_ack_done(a, &recs[first++]);
  }
  for (int i = 999; i >= first; i--)
    cl_ack_done(a, &recs[i]);
  assert_int_equal(cl_ack_waiting(a), 0);
  takes(a, "{\"p\":7}={\"n\":999};");
  cl_ack_free(a);
  rig_close(&r);
}

static void freeing_releases_what_waits(void **state) {
  (void)state;
  struct rig r = rig_open();
  struct cl_ack *a = cl_ack_new();
  int64_t p = partition(a, "{}");
  for (int i = 0; i < 3; i++)
    sent(a, r.b, p, i);
  cl_ack_free(a);
  assert_int_equal(r.b->refs, 1);
  rig_close(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(out_of_order),
      cmocka_unit_test(partitions_do_not_wait_for_each_other),
      cmocka_unit_test(refused_records_are_forgotten),
      cmocka_unit_test(offsets_of_any_shape),
      cmocka_unit_test(what_was_not_kept_is_told_again),
      cmocka_unit_test(offsets_that_cannot_be_kept_are_refused),
      cmocka_unit_test(rings_and_partitions_grow),
      cmocka_unit_test(freeing_releases_what_waits),
  };
  return cmocka_run_group_tests_name("record_ack", tests, NULL, NULL);
}
