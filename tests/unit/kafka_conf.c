/* SPDX-License-Identifier: Apache-2.0
 * The client settings table: every Java key accounted for, values mapped, errors named. */
#include "kafka/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Key, value, key, value, ..., NULL. */
static json_t *config(const char *key, ...) {
  json_t *obj = json_object();
  va_list ap;
  va_start(ap, key);
  for (; key; key = va_arg(ap, const char *))
    json_object_set_new(obj, key, json_string(va_arg(ap, const char *)));
  va_end(ap);
  return obj;
}

static void expect(enum cl_client_kind kind, json_t *java, const char *name, const char *value) {
  struct cl_err err = CL_ERR_INIT;
  json_t *out = NULL;
  if (cl_client_conf(kind, java, &out, NULL, NULL, &err) != 0)
    fail_msg("%s", err.msg);
  if (value)
    assert_string_equal(cl_json_str(out, name) ? cl_json_str(out, name) : "(absent)", value);
  else
    assert_null(cl_json_str(out, name));
  json_decref(out);
  json_decref(java);
}

static void refused(enum cl_client_kind kind, json_t *java, const char *text) {
  struct cl_err err = CL_ERR_INIT;
  json_t *out = (json_t *)1, *ignored = (json_t *)1;
  assert_int_equal(cl_client_conf(kind, java, &out, &ignored, NULL, &err), CL_EINVAL);
  if (!strstr(err.msg, text))
    fail_msg("\"%s\" is not in \"%s\"", text, err.msg);
  assert_null(out);
  assert_null(ignored);
  json_decref(java);
}

static void expect_ignored(enum cl_client_kind kind, json_t *java, const char *key) {
  struct cl_err err = CL_ERR_INIT;
  json_t *out = NULL, *ignored = NULL;
  assert_int_equal(cl_client_conf(kind, java, &out, &ignored, NULL, &err), 0);
  if (key) {
    assert_int_equal(json_array_size(ignored), 1);
    assert_string_equal(json_string_value(json_array_get(ignored, 0)), key);
  } else {
    assert_int_equal(json_array_size(ignored), 0);
  }
  json_decref(out);
  json_decref(ignored);
  json_decref(java);
}

static const enum cl_client_kind C = CL_CLIENT_CONSUMER, P = CL_CLIENT_PRODUCER, A = CL_CLIENT_ADMIN;

static void renamed_and_cut(void **state) {
  (void)state;
  expect(C, config("fetch.max.wait.ms", " 250 ", NULL), "fetch.wait.max.ms", "250");
  expect(C, config("max.partition.fetch.bytes", "2097152", NULL), "fetch.message.max.bytes", "2097152");
  expect(C, config("max.poll.interval.ms", "2147483647", NULL), "max.poll.interval.ms", "86400000");
  expect(C, config("max.poll.interval.ms", "10000", NULL), "max.poll.interval.ms", "45000");
  expect(C, config("fetch.min.bytes", "0", NULL), "fetch.min.bytes", "1");
  expect(C, config("max.poll.records", "7", NULL), "max.poll.records", NULL);
  expect(A, config("metadata.max.age.ms", "5000", NULL), "topic.metadata.refresh.interval.ms", "5000");
  expect(P, config("receive.buffer.bytes", "-1", NULL), "socket.receive.buffer.bytes", "0");
  expect(P, config("linger.ms", "20", NULL), "linger.ms", "20");
  expect(P, config("buffer.memory", "33554433", NULL), "queue.buffering.max.kbytes", "32769");
  expect(P, config("max.request.size", "1048576", NULL), "message.max.bytes", "1048576");
  expect(P, config("compression.type", "zstd", NULL), "compression.codec", "zstd");
  expect(P, config("request.timeout.ms", "2147483647", NULL), "socket.timeout.ms", "300000");
  expect(P, config("request.timeout.ms", "20000", NULL), "request.timeout.ms", "20000");
  expect(C, config("request.timeout.ms", "20000", NULL), "request.timeout.ms", NULL);
  expect(A, config("reconnect.backoff.ms", "20000", NULL), "reconnect.backoff.max.ms", "20000");
  expect(A, config("reconnect.backoff.max.ms", "50", NULL), "reconnect.backoff.ms", "50");
}

static void values_mapped(void **state) {
  (void)state;
  expect(P, config("delivery.timeout.ms", "2147483647", NULL), "message.timeout.ms", "0");
  expect(P, config("delivery.timeout.ms", "60000", NULL), "message.timeout.ms", "60000");
  expect(P, config("delivery.timeout.ms", "2147483647", "transactional.id", "t", NULL), "message.timeout.ms",
         "60000");
  expect(C, config("auto.offset.reset", "none", NULL), "auto.offset.reset", "error");
  expect(C, config("auto.offset.reset", "earliest", NULL), "auto.offset.reset", "earliest");
  expect(P, config("compression.type", "gzip", "compression.gzip.level", "4", NULL), "compression.level",
         "4");
  expect(P, config("compression.type", "zstd", "compression.zstd.level", "22", NULL), "compression.level",
         "12");
  expect(P, config("compression.type", "gzip", "compression.zstd.level", "3", NULL), "compression.level",
         NULL);
  expect(P, config("partitioner.ignore.keys", "true", NULL), "partitioner", "random");
  static const char pas[] = "partition.assignment.strategy";
  expect(C, config(pas, "org.apache.kafka.clients.consumer.RangeAssignor", NULL), pas, "range");
  expect(C, config(pas, "org.apache.kafka.clients.consumer.RoundRobinAssignor , range", NULL), pas,
         "roundrobin,range");
  expect(C, config(pas, "org.apache.kafka.clients.consumer.CooperativeStickyAssignor", NULL), pas, "range");
  expect(A, config("security.protocol", "PLAINTEXT", NULL), "security.protocol", "plaintext");
  expect(A, config("linger.ms", "1", NULL), "linger.ms", NULL);
}

static void errors_name_key_and_value(void **state) {
  (void)state;
  refused(P, config("batch.size", "big", NULL),
          "Invalid value big for configuration batch.size: Not a number of type INT");
  refused(P, config("linger.ms", "1.5", NULL),
          "Invalid value 1.5 for configuration linger.ms: Not a number of type LONG");
  refused(P, config("retries", "3000000000", NULL), "configuration retries: Not a number of type INT");
  refused(P, config("acks", "7777", NULL), "Invalid value 7777 for configuration acks: ");
  refused(C, config("isolation.level", "x", NULL), "Invalid value x for configuration isolation.level: ");
  refused(C, config("auto.offset.reset", "by_duration:PT1H", NULL), "cannot reset by duration");
  refused(C, config("enable.auto.commit", "true", NULL), "the worker commits offsets itself");
  refused(C, config("enable.auto.commit", "1", NULL), "Expected value to be either true or false");
  expect(C, config("enable.auto.commit", "False", NULL), "enable.auto.commit", "false");
  refused(C, config("partition.assignment.strategy", "range,a.b.Mine", NULL), "\"a.b.Mine\" is a Java class");
  refused(P, config("partitioner.class", "a.b.Mine", NULL),
          "Invalid value a.b.Mine for configuration partitioner.class");
  refused(P, config("delivery.timeout.ms", "0", NULL),
          "delivery.timeout.ms should be equal to or larger than linger.ms");
  refused(P, config("delivery.timeout.ms", "10000", NULL),
          "delivery.timeout.ms should be equal to or larger than");
  refused(P, config("enable.idempotence", "true", "acks", "1", NULL), "Must set acks to all");
  refused(P, config("enable.idempotence", "true", "max.in.flight.requests.per.connection", "6", NULL),
          "at most 5");
  refused(P, config("transaction.two.phase.commit.enable", "true", NULL), "no two-phase commit");
  refused(C, config("config.providers", "file", NULL), "name them there");
  refused(C, config("queued.max.messages.kbytes", "0", NULL), "configuration queued.max.messages.kbytes: ");
}

static void librdkafka_keys_pass(void **state) {
  (void)state;
  expect(C, config("queued.max.messages.kbytes", "1000", NULL), "queued.max.messages.kbytes", "1000");
  expect(P, config("statistics.interval.ms", "5", NULL), "statistics.interval.ms", "5");
  expect(P, config("debug", "broker,topic", NULL), "debug", "broker,topic");
  expect(P, config("message.timeout.ms", "1000", NULL), "message.timeout.ms", "1000");
  refused(C, config("plugin.library.paths", "/x.so", NULL), "it would load code");
  refused(C, config("enable.auto.offset.store", "true", NULL), "stores offsets itself");
  refused(P, config("test.mock.num.brokers", "3", NULL), "librdkafka's own tests");
  refused(P, config("sasl.kerberos.principal", "a; rm -rf b", NULL), "only letters");
  refused(P, config("dr_cb", "x", NULL), "Invalid value x for configuration dr_cb: ");
}

static void ignored_keys_are_listed(void **state) {
  (void)state;
  expect_ignored(C, config("interceptor.classes", "a.B", NULL), "interceptor.classes");
  expect_ignored(C, config("interceptor.classes", "", NULL), NULL);
  expect_ignored(C, config("max.poll.record", "5", NULL), "max.poll.record");
  expect_ignored(P, config("max.poll.records", "5", NULL), "max.poll.records");
  expect_ignored(P, config("key.serializer", "x", NULL), NULL);
  expect_ignored(C, config("ssl.enabled.protocols", "TLSv1.2, TLSv1.3", NULL), NULL);
  expect_ignored(C, config("ssl.enabled.protocols", "TLSv1.3", NULL), "ssl.enabled.protocols");
  expect_ignored(A, config("retries", "5", NULL), NULL);
}

static void known_keys(void **state) {
  (void)state;
  assert_true(cl_client_key_known("fetch.max.wait.ms"));
  assert_true(cl_client_key_known("fetch.wait.max.ms"));
  assert_true(cl_client_key_known("message.timeout.ms"));
  assert_true(cl_client_key_known("request.required.acks"));
  assert_false(cl_client_key_known("fetch.max.wait"));
  assert_false(cl_client_key_known(""));
}

/* Every key of Kafka's own definitions has a row for its kind of client. */
static void every_java_key_has_a_row(void **state) {
  (void)state;
  char line[256], kind[16], key[200];
  int n = 0;
  FILE *f = fopen(CL_SOURCE_DIR "/spec/fixtures/java-client-keys.txt", "r");
  assert_non_null(f);
  while (fgets(line, sizeof(line), f)) {
    if (line[0] == '#' || sscanf(line, "%15s %199s", kind, key) != 2)
      continue;
    struct cl_err err = CL_ERR_INIT;
    json_t *out = NULL, *ignored = NULL, *java = config(key, "", NULL);
    enum cl_client_kind k = strcmp(kind, "consumer") == 0 ? C : strcmp(kind, "producer") == 0 ? P : A;
    /* An empty value is either fine or refused by name; an unlisted key would be ignored. */
    if (cl_client_conf(k, java, &out, &ignored, NULL, &err) == 0) {
      if (json_array_size(ignored) != 0)
        fail_msg("%s key %s has no row", kind, key);
    } else if (!strstr(err.msg, key)) {
      fail_msg("%s key %s: %s", kind, key, err.msg);
    }
    json_decref(java);
    json_decref(out);
    json_decref(ignored);
    n++;
  }
  fclose(f);
  assert_int_equal(n, 320);
}

static enum cl_client_kind kind_of(const char *name) {
  return strcmp(name, "consumer") == 0 ? C : strcmp(name, "producer") == 0 ? P : A;
}

/* Type, importance and default of each are Apache's, and each says what becomes of it here. */
static void every_java_key_is_defined(void **state) {
  (void)state;
  static const char *const types[] = {"BOOLEAN", "STRING", "INT",   "SHORT",   "LONG",
                                      "DOUBLE",  "LIST",   "CLASS", "PASSWORD"},
                           *const importances[] = {"HIGH", "MEDIUM", "LOW"};
  char line[512], kind[16], key[200], type[16], importance[16], required[16], doc[512];
  int n = 0;
  FILE *f = fopen(CL_SOURCE_DIR "/spec/fixtures/java-client-definitions.txt", "r");
  assert_non_null(f);
  while (fgets(line, sizeof(line), f)) {
    if (line[0] == '#')
      continue;
    assert_int_equal(sscanf(line, "%15s %199s %15s %15s %15s", kind, key, type, importance, required), 5);
    char *dflt = strchr(line, '"');
    if (dflt)
      *strrchr(++dflt, '"') = '\0';
    struct cl_conf_row row;
    if (!cl_client_def(kind_of(kind), key, &row))
      fail_msg("%s key %s has no definition", kind, key);
    assert_string_equal(row.name, key);
    assert_string_equal(types[row.type], type);
    assert_string_equal(importances[row.importance], importance);
    assert_int_equal(row.required, strcmp(required, "required") == 0);
    assert_int_equal(row.dflt != NULL, dflt != NULL);
    if (dflt)
      assert_string_equal(row.dflt, dflt);
    cl_client_def_doc(kind_of(kind), key, doc, sizeof(doc));
    assert_true(strlen(doc) > 10 && doc[strlen(doc) - 1] == '.');
    n++;
  }
  fclose(f);
  assert_int_equal(n, 320);
  struct cl_conf_row none;
  assert_false(cl_client_def(C, "acks", &none)); /* the producer's */
  assert_false(cl_client_def(P, "queue.buffering.max.kbytes", &none));
}

/* What the client says to one setting; "" = it takes it. */
static const char *said(enum cl_client_kind kind, const char *key, const char *value) {
  static struct cl_err err;
  json_t *out = NULL, *java = config(key, value, NULL);
  err.msg[0] = '\0';
  cl_client_conf(kind, java, &out, NULL, NULL, &err);
  json_decref(out);
  json_decref(java);
  return err.msg;
}

static void expect_said(enum cl_client_kind kind, const char *key, const char *value, const char *text) {
  if (!strstr(said(kind, key, value), text))
    fail_msg("%s=%s: \"%s\" is not in \"%s\"", key, value, text, said(kind, key, value));
}

/* One number below the least, one above the most; the least itself is taken. */
static void range_holds(enum cl_client_kind kind, const char *key, const char *text) {
  char low[64] = "", high[64] = "", value[64], expected[512];
  bool fraction = strchr(text, '.') && strstr(text, "0."); /* [0.5,...,1.0] */
  assert_int_not_equal(sscanf(text, "[%63[^,],...,%63[^]]", low, high), 0);
  snprintf(value, sizeof(value), fraction ? "%.1f" : "%.0f", atof(low) - (fraction ? 0.5 : 1));
  snprintf(expected, sizeof(expected), "configuration %s: Value must be at least %s", key, low);
  expect_said(kind, key, value, expected);
  assert_null(strstr(said(kind, key, low), "Value must be"));
  if (!*high || strcmp(high, "2147483647") == 0)
    return;
  snprintf(value, sizeof(value), fraction ? "%.1f" : "%.0f", atof(high) + (fraction ? 0.5 : 1));
  snprintf(expected, sizeof(expected), "configuration %s: Value must be no more than %s", key, high);
  expect_said(kind, key, value, expected);
}

static void one_check_holds(enum cl_client_kind kind, const char *key, const char *validator, char *text) {
  char expected[1024], *list = strchr(text, '[');
  if (strstr(validator, "ValidString")) {
    list[strcspn(list, "]")] = '\0';
    snprintf(expected, sizeof(expected), "Invalid value x for configuration %s: String must be one of%s: %s",
             key, strncmp(validator, "Case", 4) == 0 ? " (case insensitive)" : "", list + 1);
    expect_said(kind, key, "x", expected);
    list[1 + strcspn(list + 1, ",]")] = '\0';
    assert_null(strstr(said(kind, key, list + 1), "String must be"));
  } else if (strcmp(validator, "Range") == 0) {
    range_holds(kind, key, text);
  } else if (strcmp(validator, "ValidList") == 0) {
    snprintf(expected, sizeof(expected), "Configuration '%s' values must not be empty.", key);
    expect_said(kind, key, "a,,b", expected);
  } else if (strcmp(validator, "NonEmptyString") == 0) {
    expect_said(kind, key, "", "String must be non-empty");
  } else if (strcmp(validator, "LambdaValidator") == 0) {
    expect_said(kind, key, "0", "Value must be between 1 and 9 or equal to -1");
    assert_string_equal(said(kind, key, "-1"), "");
  } else {
    snprintf(expected, sizeof(expected), "Invalid value x for configuration %s: Invalid value `x` for", key);
    expect_said(kind, key, "x", expected);
  }
}

/* Every validator of Kafka's clients refuses here too, and no other key has one. */
static void values_that_java_refuses(void **state) {
  (void)state;
  char line[512], kind[16], key[200], validator[64], type[16];
  int n = 0, at = 0;
  json_t *checked = json_object();
  FILE *f = fopen(CL_SOURCE_DIR "/spec/fixtures/java-client-checks.txt", "r");
  assert_non_null(f);
  while (fgets(line, sizeof(line), f)) {
    if (line[0] == '#')
      continue;
    assert_int_equal(sscanf(line, "%15s %199s %63s %n", kind, key, validator, &at), 3);
    one_check_holds(kind_of(kind), key, validator, line + at);
    snprintf(line, sizeof(line), "%s %s", kind, key);
    json_object_set_new(checked, line, json_true());
    n++;
  }
  fclose(f);
  assert_int_equal(n, 120);
  f = fopen(CL_SOURCE_DIR "/spec/fixtures/java-client-definitions.txt", "r");
  assert_non_null(f);
  while (fgets(line, sizeof(line), f)) {
    if (line[0] == '#' || sscanf(line, "%15s %199s %15s", kind, key, type) != 3)
      continue;
    snprintf(line, sizeof(line), "%s %s", kind, key);
    if (json_object_get(checked, line) || (strcmp(type, "INT") != 0 && strcmp(type, "LONG") != 0))
      continue;
    assert_null(strstr(said(kind_of(kind), key, "-5"), "Value must be"));
    expect_said(kind_of(kind), key, "five", "Not a number of type");
  }
  fclose(f);
  json_decref(checked);
}

static void cut_values_are_told(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  json_t *out = NULL, *changed = NULL;
  json_t *java = config("linger.ms", " 1000000 ", "send.buffer.bytes", "-1", "batch.size", "0", NULL);
  assert_int_equal(cl_client_conf(P, java, &out, NULL, &changed, &err), 0);
  assert_int_equal(json_array_size(changed), 1);
  assert_string_equal(json_string_value(json_array_get(changed, 0)),
                      "linger.ms=1000000 is outside librdkafka's range; linger.ms=900000 is used");
  json_decref(out);
  json_decref(changed);
  json_decref(java);
  java = config("session.timeout.ms", "60000", "max.poll.interval.ms", "50000", NULL);
  assert_int_equal(cl_client_conf(C, java, &out, NULL, &changed, &err), 0);
  assert_string_equal(
      json_string_value(json_array_get(changed, 0)),
      "max.poll.interval.ms=50000 is outside librdkafka's range; max.poll.interval.ms=60000 is used");
  json_decref(out);
  json_decref(changed);
  json_decref(java);
}

static void heartbeats_within_the_session(void **state) {
  (void)state;
  static const char text[] = "Heartbeat must be set lower than the session timeout";
  refused(C, config("heartbeat.interval.ms", "45000", NULL), text);
  refused(C, config("session.timeout.ms", "3000", NULL), text);
  refused(C, config("session.timeout.ms", "10000", "heartbeat.interval.ms", "10000", NULL), text);
  expect(C, config("session.timeout.ms", "10000", "heartbeat.interval.ms", "9999", NULL),
         "heartbeat.interval.ms", "9999");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_that_java_refuses),
      cmocka_unit_test(cut_values_are_told),
      cmocka_unit_test(heartbeats_within_the_session),
      cmocka_unit_test(every_java_key_is_defined),
      cmocka_unit_test(renamed_and_cut),
      cmocka_unit_test(values_mapped),
      cmocka_unit_test(errors_name_key_and_value),
      cmocka_unit_test(librdkafka_keys_pass),
      cmocka_unit_test(ignored_keys_are_listed),
      cmocka_unit_test(known_keys),
      cmocka_unit_test(every_java_key_has_a_row),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
