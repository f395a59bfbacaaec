/* SPDX-License-Identifier: Apache-2.0
 * topic.creation.*: which group a topic falls to, and what is wrong with a config. */
#include "task/topic_groups.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define KEY "topic.creation."

static struct cl_err err;

static json_t *config_of(const char *first, va_list ap) {
  json_t *config = json_object();
  for (const char *key = first; key; key = va_arg(ap, const char *))
    json_object_set_new(config, key, json_string(va_arg(ap, const char *)));
  return config;
}

/* key, value, ..., NULL over a `default` of 3 partitions and 2 replicas. */
static struct cl_topic_groups *groups_of(const char *first, ...) {
  struct cl_topic_groups *g = NULL;
  va_list ap;
  va_start(ap, first);
  json_t *config = config_of(first, ap);
  va_end(ap);
  json_object_set_new(config, KEY "default.partitions", json_string("3"));
  json_object_set_new(config, KEY "default.replication.factor", json_string(" 2 "));
  if (cl_topic_groups_read(config, &g, &err) != 0)
    fail_msg("%s", err.msg);
  json_decref(config);
  return g;
}

static const struct cl_topic_group *find(struct cl_topic_groups *g, const char *topic) {
  const struct cl_topic_group *found = NULL;
  if (cl_topic_groups_find(g, topic, &found, &err) != 0)
    fail_msg("%s", err.msg);
  return found;
}

static void refused(const char *message, const char *first, ...) {
  struct cl_topic_groups *g = NULL;
  va_list ap;
  va_start(ap, first);
  json_t *config = config_of(first, ap);
  va_end(ap);
  assert_int_equal(cl_topic_groups_read(config, &g, &err), CL_EINVAL);
  assert_string_equal(err.msg, message);
  assert_string_equal(cl_err_java(&err), CL_JAVA_CONFIG);
  json_decref(config);
}

static void without_groups_the_default_is_everybodys(void **state) {
  (void)state;
  struct cl_topic_groups *g = groups_of(KEY "default.include", "nothing(", KEY "default.exclude", ".*",
                                        KEY "default.cleanup.policy", "compact", NULL);
  const struct cl_topic_group *found = find(g, "any");
  assert_string_equal(found->name, "default");
  assert_int_equal(found->partitions, 3);
  assert_int_equal(found->replication, 2);
  assert_int_equal(json_object_size(found->config), 1);
  assert_string_equal(cl_json_str(found->config, "cleanup.policy"), "compact");
  cl_topic_groups_free(g);
}

static void the_first_group_that_matches_wins(void **state) {
  (void)state;
  struct cl_topic_groups *g = groups_of(KEY "groups", "b, a ,default,none", KEY "a.include", "x.*, yy",
                                        KEY "a.partitions", "7", KEY "a.retention.ms", "1000",
                                        KEY "b.include", "x.+", KEY "b.exclude", "x1,x2",
                                        KEY "b.replication.factor", "-1", NULL);
  const struct cl_topic_group *found = find(g, "x3");
  assert_string_equal(found->name, "b");
  assert_int_equal(found->partitions, 3); /* those of default */
  assert_int_equal(found->replication, -1);
  assert_int_equal(json_object_size(found->config), 0);
  found = find(g, "x1"); /* b excludes it */
  assert_string_equal(found->name, "a");
  assert_int_equal(found->partitions, 7);
  assert_int_equal(found->replication, 2);
  assert_int_equal(json_object_size(found->config), 1);
  assert_string_equal(cl_json_str(found->config, "retention.ms"), "1000");
  assert_string_equal(find(g, "x")->name, "a");
  assert_string_equal(find(g, "yy")->name, "a");
  assert_string_equal(find(g, "yyy")->name, "default"); /* whole names only */
  assert_string_equal(find(g, "ayy")->name, "default");
  cl_topic_groups_free(g);
}

/* In Java's way: what a flag of the first one turns on holds for those behind it. */
static void expressions_are_joined(void **state) {
  (void)state;
  struct cl_topic_groups *g = groups_of(KEY "groups", "g", KEY "g.include", "(?i)one,two", NULL);
  assert_string_equal(find(g, "TWO")->name, "g");
  assert_string_equal(find(g, "three")->name, "default");
  cl_topic_groups_free(g);
}

/* A group named like the beginning of another one's has its keys as settings, which the broker refuses. */
static void every_other_key_is_a_setting(void **state) {
  (void)state;
  struct cl_topic_groups *g = groups_of(KEY "groups", "a.b,ab", KEY "ab.include", "n", KEY "a.b.include", "m",
                                        KEY "a.b.max.message.bytes", "5", KEY "a.b.include.x", "y", NULL);
  const struct cl_topic_group *found = find(g, "m");
  assert_string_equal(found->name, "a.b");
  assert_int_equal(json_object_size(found->config), 2);
  assert_string_equal(cl_json_str(found->config, "include.x"), "y");
  assert_int_equal(json_object_size(find(g, "n")->config), 0);
  cl_topic_groups_free(g);
}

static void errors_are_apaches(void **state) {
  (void)state;
  static const char *const replicas = KEY "default.replication.factor", *const count = KEY
                                                                        "default.partitions";
  refused("Missing required configuration \"topic.creation.default.replication.factor\" which has no default "
          "value.",
          KEY "groups", "g", NULL);
  refused("Missing required configuration \"topic.creation.default.partitions\" which has no default value.",
          replicas, "1", NULL);
  refused("Invalid value 0 for configuration replication.factor: Replication factor must be positive and not "
          "larger than the number of brokers in the Kafka cluster, or -1 to use the broker's default",
          replicas, "0", count, "1", NULL);
  refused(
      "Invalid value -2 for configuration partitions: Number of partitions must be positive, or -1 to use "
      "the broker's default",
      replicas, "1", count, "-2", NULL);
  refused("Invalid value 40000 for configuration topic.creation.default.replication.factor: Not a number of "
          "type SHORT",
          replicas, "40000", count, "1", NULL);
  refused("Invalid value many for configuration topic.creation.g.partitions: Not a number of type INT",
          replicas, "1", count, "1", KEY "groups", "g", KEY "g.partitions", "many", NULL);
  refused("Invalid value 0 for configuration partitions: Number of partitions must be positive, or -1 to use "
          "the broker's default",
          replicas, "1", count, "1", KEY "groups", "f,g", KEY "g.partitions", "0", NULL);
  refused(
      "Invalid value [a, b(] for configuration include: Syntax error in regular expression: Unclosed group "
      "near index 2\nb(",
      replicas, "1", count, "1", KEY "groups", "g", KEY "g.include", "a,b(", NULL);
  refused("Invalid value [a, a] for configuration topic.creation.groups: Duplicate alias provided.",
          KEY "groups", "a,a", NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(without_groups_the_default_is_everybodys),
      cmocka_unit_test(the_first_group_that_matches_wins),
      cmocka_unit_test(expressions_are_joined),
      cmocka_unit_test(every_other_key_is_a_setting),
      cmocka_unit_test(errors_are_apaches),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
