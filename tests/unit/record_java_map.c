/* SPDX-License-Identifier: Apache-2.0
 * The order of java.util.HashMap where buckets are crowded. The sums are those of JDK 17's own
 * answers for the same keys. */
#include "record_rig.h"

#include "record/java_map.h"

struct key {
  int32_t hash, rank;
};

static int32_t hash_of(const void *arg, uint32_t i) { return ((const struct key *)arg)[i].hash; }

static int compare(const void *arg, uint32_t a, uint32_t b) {
  const struct key *k = arg;
  return (k[a].rank > k[b].rank) - (k[a].rank < k[b].rank);
}

static void ordered(const struct key *k, uint32_t n, uint32_t cap, uint32_t *order) {
  uint32_t *room = malloc(cl_java_room(n, cap) * sizeof(*room));
  struct cl_java_keys keys = {k, hash_of, compare};
  assert_non_null(room);
  assert_int_equal(cl_java_order(&keys, n, cap, order, room), 0);
  free(room);
}

static void capacity_grows_at_three_quarters(void **state) {
  (void)state;
  assert_int_equal(cl_java_grown(16, 12), 16);
  assert_int_equal(cl_java_grown(16, 13), 32);
  assert_int_equal(cl_java_grown(16, 25), 64);
  assert_int_equal(cl_java_grown(64, 3), 64);
  assert_int_equal(cl_java_grown(1, 1), 2);
}

/* Eight of one hash are a list; the ninth doubles tables of 16 and 32; the eleventh makes a tree,
 * whose root, the fourth of eleven that rise, is moved to the front. */
static void crowds_grow_the_table_then_make_a_tree(void **state) {
  (void)state;
  struct key k[11];
  uint32_t order[11];
  for (int i = 0; i < 11; i++)
    k[i] = (struct key){16, i};
  ordered(k, 11, 16, order);
  assert_memory_equal(order, ((uint32_t[]){3, 0, 1, 2, 4, 5, 6, 7, 8, 9, 10}), sizeof(order));
  k[10] = (struct key){32, 0}; /* ten: the table has 64 buckets, so that 32 stands behind 16 */
  k[0] = (struct key){48, 0};
  ordered(k, 11, 16, order);
  assert_memory_equal(order, ((uint32_t[]){1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0}), sizeof(order));
}

static int32_t seed;

static int32_t rnd(void) {
  seed = (int32_t)((uint32_t)seed * 1103515245u + 12345u);
  return (int32_t)((uint32_t)seed >> 16 & 0x7fff);
}

static int32_t hash_in(int family, int32_t r) {
  switch (family) {
  case 0: return 7;
  case 1: return r % 3 << 16;
  case 2: return r % 512 * 16;
  case 3: return r % 5 * 64 + r % 2;
  case 4: return (int32_t)((uint32_t)(r % 40 - 20) << 26);
  default: return r % 9 * 512 + r % 4 * 32;
  }
}

static void any_crowd_is_ordered_as_java_does(void **state) {
  (void)state;
  static const uint32_t sums[] = {0xc18d1bbe, 0xbb496408, 0xfb3f82fa, 0xc3d13583, 0xcff1861f, 0xaae42163};
  for (int family = 0; family < 6; family++) {
    uint32_t sum = 0;
    seed = family + 1;
    for (int set = 0; set < 300; set++) {
      struct key k[409];
      uint32_t order[409], n = 9 + (uint32_t)rnd() % (family == 5 ? 400 : 60), cap = 1u << rnd() % 8;
      for (uint32_t i = 0; i < n; i++) {
        int32_t hash = hash_in(family, rnd());
        k[i] = (struct key){hash, rnd() * 512 + (int32_t)i};
      }
      ordered(k, n, cap, order);
      for (uint32_t i = 0; i < n; i++)
        sum = 31 * sum + order[i];
    }
    assert_int_equal(sum, sums[family]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(capacity_grows_at_three_quarters),
      cmocka_unit_test(crowds_grow_the_table_then_make_a_tree),
      cmocka_unit_test(any_crowd_is_ordered_as_java_does),
  };
  return cmocka_run_group_tests_name("record_java_map", tests, NULL, NULL);
}
