/* SPDX-License-Identifier: Apache-2.0
 * The embedded broker by itself. */
#include "kafka_rig.h"

#include <pthread.h>

#include "kafka/client.h"

static void is_reachable(void **state) {
  (void)state;
  const char *where = cl_embedded_bootstrap(broker);
  assert_non_null(strchr(where, ':'));
  json_t *client = rig_client(NULL);
  char *id = NULL;
  must(cl_client_cluster_id(client, 5000, &id, &err));
  assert_non_null(id);
  assert_true(strlen(id) > 0);
  free(id);
  json_decref(client);
}

static void a_missing_broker_is_reported(void **state) {
  (void)state;
  json_t *client = json_pack("{s:s, s:s}", "bootstrap.servers", "127.0.0.1:1", "log_level", "0");
  char *id = NULL;
  assert_int_equal(cl_client_cluster_id(client, 200, &id, &err), CL_ETIMEOUT);
  assert_non_null(strstr(err.msg, "127.0.0.1:1"));
  json_decref(client);
}

static void a_bad_setting_is_named(void **state) {
  (void)state;
  struct rig_reports reports = {0};
  json_t *client = json_pack("{s:s}", "linger.ms", "soon");
  struct cl_producer_conf conf = {.client = client, .events = {rig_delivered}, .arg = &reports};
  struct cl_producer *p = NULL;
  assert_int_equal(cl_producer_open(&conf, &p, &err), CL_EINVAL);
  assert_non_null(strstr(err.msg, "linger.ms"));
  assert_non_null(strstr(err.msg, "soon"));
  json_object_clear(client);
  json_object_set_new(client, "ssl.key.password", json_string("hunter2"));
  json_object_set_new(client, "sasl.password.nothing", json_string("hunter2"));
  assert_int_equal(cl_producer_open(&conf, &p, &err), CL_EINVAL);
  assert_null(strstr(err.msg, "hunter2"));
  json_decref(client);
}

static void *make_topics(void *arg) {
  struct cl_err e = CL_ERR_INIT;
  for (int i = 0; i < 50; i++) {
    char name[32];
    snprintf(name, sizeof(name), "made-%d", i % 10);
    if (cl_embedded_topic(broker, name, &e))
      return arg;
  }
  return NULL;
}

static void topics_from_many_threads(void **state) {
  (void)state;
  pthread_t threads[4];
  for (int i = 0; i < 4; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, make_topics, threads), 0);
  for (int i = 0; i < 4; i++) {
    void *failed;
    pthread_join(threads[i], &failed);
    assert_null(failed);
  }
}

/* Made here: one partition, so the second record follows the first; made by the mock: four. */
static void topics_have_one_partition(void **state) {
  (void)state;
  struct rig_reports reports = {0};
  struct cl_producer *p = rig_producer(&reports, false, NULL);
  struct cl_batch *b = cl_batch_get(pool);
  for (int i = 0; i < 20; i++) {
    char key[16];
    snprintf(key, sizeof(key), "k%d", i);
    must(cl_producer_send(p, rig_record(b, "single", cl_arena_copy(b->arena, key, strlen(key)), "v"), &err));
  }
  must(cl_producer_flush(p, 10000, &err));
  assert_int_equal(reports.failed, 0);
  assert_int_equal(reports.partition, 0);
  assert_int_equal(reports.offset, 19);
  cl_producer_close(p, 1000);
  cl_batch_unref(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(is_reachable),
      cmocka_unit_test(a_missing_broker_is_reported),
      cmocka_unit_test(a_bad_setting_is_named),
      cmocka_unit_test(topics_from_many_threads),
      cmocka_unit_test(topics_have_one_partition),
  };
  return cmocka_run_group_tests(tests, rig_up, rig_down);
}
