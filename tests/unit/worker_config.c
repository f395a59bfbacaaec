/* SPDX-License-Identifier: Apache-2.0
 * The worker file: values, defaults, refusals, warnings, clients, converters. */
#include "vm/control.h"
#include "worker/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define BASE                                                                                                 \
  "key.converter=org.apache.kafka.connect.json.JsonConverter\n"                                              \
  "value.converter=org.apache.kafka.connect.storage.StringConverter\n"                                       \
  "offset.storage.file.filename=/tmp/connect.offsets\n"

static char folder[] = "/tmp/cl-worker-config-XXXXXX";
static char file[64], logfile[64];

static int set_up(void **state) {
  (void)state;
  if (!mkdtemp(folder))
    return -1;
  snprintf(file, sizeof(file), "%s/worker.conf", folder);
  snprintf(logfile, sizeof(logfile), "%s/log", folder);
  struct cl_err err;
  return cl_log_open(logfile, CL_INFO, false, &err);
}

static int tear_down(void **state) {
  (void)state;
  cl_log_close();
  unlink(file);
  unlink(logfile);
  return rmdir(folder);
}

static int load(const char *text, struct cl_worker_conf **out, struct cl_err *err) {
  FILE *f = fopen(file, "w");
  assert_non_null(f);
  fputs(text, f);
  fclose(f);
  truncate(logfile, 0) == 0 ? (void)0 : fail();
  return cl_worker_conf_load(file, out, err);
}

static struct cl_worker_conf *loaded(const char *text) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_worker_conf *c = NULL;
  if (load(text, &c, &err) != 0)
    fail_msg("%s", err.msg);
  return c;
}

static void refused(const char *text, const char *expected) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_worker_conf *c = (struct cl_worker_conf *)1;
  assert_int_equal(load(text, &c, &err), CL_EINVAL);
  assert_null(c);
  if (strncmp(err.msg, file, strlen(file)) != 0 || !strstr(err.msg, expected))
    fail_msg("\"%s\" is not in \"%s\"", expected, err.msg);
}

static char *log_text(void) {
  static char text[8192];
  FILE *f = fopen(logfile, "r");
  assert_non_null(f);
  text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
  fclose(f);
  return text;
}

static int count(const char *text, const char *part) {
  int n = 0;
  for (const char *p = text; (p = strstr(p, part)) != NULL; p++)
    n++;
  return n;
}

static void tutorial_file_loads(void **state) {
  (void)state;
  struct cl_worker_conf *c = loaded(
      "bootstrap.servers=localhost:9092\n"
      "key.converter=org.apache.kafka.connect.json.JsonConverter\n"
      "value.converter=org.apache.kafka.connect.json.JsonConverter\n"
      "key.converter.schemas.enable=true\nvalue.converter.schemas.enable=true\n"
      "offset.storage.file.filename=/tmp/connect.offsets\n"
      "offset.flush.interval.ms=10000\nplugin.path=libs/connect-file-3.4.0.jar\n");
  assert_string_equal(c->bootstrap_servers, "localhost:9092");
  assert_false(c->embedded);
  assert_string_equal(c->key_converter, "org.apache.kafka.connect.json.JsonConverter");
  assert_string_equal(cl_json_str(c->key_converter_config, "schemas.enable"), "true");
  assert_string_equal(cl_json_str(c->value_converter_config, "schemas.enable"), "true");
  assert_string_equal(c->offset_file, "/tmp/connect.offsets");
  assert_int_equal(c->offset_flush_interval_ms, 10000);
  assert_int_equal(json_array_size(c->plugin_path), 1);
  assert_string_equal(json_string_value(json_array_get(c->plugin_path, 0)), "libs/connect-file-3.4.0.jar");
  assert_string_equal(log_text(), "");
  cl_worker_conf_free(c);
}

static void defaults(void **state) {
  (void)state;
  struct cl_worker_conf *c = loaded(BASE);
  assert_string_equal(c->bootstrap_servers, "localhost:9092");
  assert_int_equal(c->task_shutdown_graceful_timeout_ms, 5000);
  assert_int_equal(c->offset_flush_interval_ms, 60000);
  assert_int_equal(c->offset_flush_timeout_ms, 5000);
  assert_int_equal(json_array_size(c->plugin_path), 0);
  assert_int_equal(c->rest.n_listeners, 1);
  assert_string_equal(c->rest.listeners[0].host, "");
  assert_int_equal(c->rest.listeners[0].port, 8083);
  assert_string_equal(c->rest.advertised_host, "");
  assert_int_equal(c->rest.advertised_port, -1);
  assert_true(c->topic_creation);
  assert_true(c->topic_tracking);
  assert_true(c->topic_tracking_allow_reset);
  assert_int_equal(c->memory_max, 64 << 20);
  assert_int_equal(c->consumer_buffer_bytes, 256 << 20);
  assert_null(c->log_file);
  assert_int_equal(c->log_level, CL_INFO);
  cl_worker_conf_free(c);
}

static void own_values(void **state) {
  (void)state;
  struct cl_worker_conf *c = loaded(
      BASE "bootstrap.servers = a:1 , b:2,\nlisteners=HTTP://[::1]:0\n"
           "plugin.path= a,, b \ntopic.tracking.enable=FALSE\n"
           "rest.advertised.host.name=::1\nrest.advertised.port=99\n"
           "connect.lua.memory.max.bytes=8388608\nconnect.lua.consumer.buffer.bytes=2097152\n"
           "connect.lua.log.file=/var/log/x\nconnect.lua.log.level=Debug\nconnect.lua.log.format=JSON\n");
  assert_string_equal(c->bootstrap_servers, "a:1,b:2");
  assert_string_equal(c->rest.listeners[0].host, "::1");
  assert_int_equal(c->rest.listeners[0].port, 0);
  assert_int_equal(json_array_size(c->plugin_path), 2);
  assert_string_equal(json_string_value(json_array_get(c->plugin_path, 1)), "b");
  assert_false(c->topic_tracking);
  assert_int_equal(c->memory_max, 8 << 20);
  assert_int_equal(c->consumer_buffer_bytes, 2 << 20);
  assert_string_equal(c->log_file, "/var/log/x");
  assert_int_equal(c->log_level, CL_DEBUG);
  assert_true(c->log_json);
  char *id = cl_rest_conf_id(&c->rest, 1234);
  assert_string_equal(id, "[::1]:99");
  free(id);
  cl_worker_conf_free(c);
}

static void worker_id(void **state) {
  (void)state;
  char local[256] = "", expected[300];
  gethostname(local, sizeof(local) - 1);
  struct cl_worker_conf *c = loaded(BASE);
  char *id = cl_rest_conf_id(&c->rest, 1234);
  snprintf(expected, sizeof(expected), "%s:1234", local);
  assert_string_equal(id, expected);
  free(id);
  cl_worker_conf_free(c);
  c = loaded(BASE "listeners=http://127.0.0.1:8083\n");
  id = cl_rest_conf_id(&c->rest, 8083);
  assert_string_equal(id, "127.0.0.1:8083");
  free(id);
  cl_worker_conf_free(c);
}

static void embedded_needs_no_offset_file(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  json_t *client = NULL;
  struct cl_worker_conf *c = loaded(
      "bootstrap.servers=embedded\nkey.converter=x\nvalue.converter=x\n"
      "producer.security.protocol=SSL\nproducer.ssl.truststore.location=/none.jks\n"
      "consumer.session.timeout.ms=9000\n");
  assert_true(c->embedded);
  assert_null(c->offset_file);
  assert_int_equal(cl_worker_client_conf(c, CL_CLIENT_CONSUMER, "s", 1, json_null(), &client, &err), 0);
  assert_null(cl_json_str(client, "bootstrap.servers"));
  assert_string_equal(cl_json_str(client, "session.timeout.ms"), "9000");
  assert_string_equal(cl_json_str(client, "heartbeat.interval.ms"), "500");
  assert_string_equal(cl_json_str(client, "fetch.wait.max.ms"), "10");
  json_decref(client);
  assert_int_equal(cl_worker_client_conf(c, CL_CLIENT_PRODUCER, "s", 1, json_null(), &client, &err), 0);
  assert_null(cl_json_str(client, "security.protocol"));
  json_decref(client);
  cl_worker_conf_free(c);
  c = loaded(BASE "bootstrap.servers=embedded,localhost:1\n");
  assert_false(c->embedded);
  cl_worker_conf_free(c);
}

static void bad_values(void **state) {
  (void)state;
  refused("value.converter=x\n",
          "Missing required configuration \"key.converter\" which has no default value.");
  refused("key.converter=x\nvalue.converter=x\n",
          "Missing required configuration \"offset.storage.file.filename\" which");
  refused(BASE "offset.flush.interval.ms=10s\n",
          "Invalid value 10s for configuration offset.flush.interval.ms: Not a number of type LONG");
  refused(BASE "offset.flush.interval.ms=0\n",
          "Invalid value 0 for configuration offset.flush.interval.ms: Value must be at least 1");
  refused(BASE "offset.flush.interval.ms=-1\n", "Value must be at least 1");
  refused(
      BASE "topic.tracking.enable=yes\n",
      "Invalid value yes for configuration topic.tracking.enable: Expected value to be either true or false");
  refused(BASE "plugin.discovery=none\n", "String must be one of (case insensitive): ");
  refused(BASE "metrics.num.samples=0\n",
          "Invalid value 0 for configuration metrics.num.samples: Value must be at least 1");
  refused(BASE "connect.lua.memory.max.bytes=5\n", "Value must be at least 1048576");
  refused(BASE "bootstrap.servers=\n", "bootstrap.servers");
  refused(BASE "listeners=\n",
          "Invalid value for listeners, at least one URL is expected, ex: http://localhost:8080,");
  refused(BASE "listeners=http://a:1,,\n", "Empty URL found when parsing listeners list.");
  refused(BASE "listeners=localhost:8083\n",
          "Listener doesn't have the right format (protocol://hostname:port).");
  refused(BASE "listeners=http://localhost:x\n", "Listener doesn't have the right format");
  refused(BASE "listeners=http://localhost:70000\n", "the port must be at most 65535");
  refused(BASE "listeners=ftp://a:1\n", "Listener protocol must be either \"http\" or \"https\".");
  refused(BASE "a=\\uXYZ\n", "worker.conf:4: ");
  refused(BASE "producer.linger.ms=abc\n",
          "settings under producer.: Invalid value abc for configuration linger.ms: Not a ");
  refused(BASE "consumer.max.poll.records=0\n", "max.poll.records: Value must be at least 1");
  refused(BASE "producer.linger.ms=-1\n", "settings under producer.: Invalid value -1 for configuration "
                                          "linger.ms: Value must be at least 0");
  refused(BASE "producer.acks=7\n", "settings under producer.: Invalid value 7 for configuration acks: "
                                    "String must be one of: all, -1, 0, 1");
  refused(BASE "admin.metrics.recording.level=x\n", "settings under admin.: Invalid value x for ");
  refused(BASE "producer.security.protocol=SSL\nproducer.ssl.truststore.type=PEM\n"
               "producer.ssl.truststore.location=/none.pem\n",
          "settings under producer.: Invalid value /none.pem for configuration ssl.truststore.location: ");
  refused(BASE "consumer.heartbeat.interval.ms=45000\n",
          "settings under consumer.: Heartbeat must be set lower than the session timeout");
}

static void cut_values_are_named_once(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  json_t *client = NULL;
  struct cl_worker_conf *c = loaded(BASE "producer.linger.ms=1000000\n");
  assert_int_equal(cl_worker_client_conf(c, CL_CLIENT_PRODUCER, "c", 0, json_null(), &client, &err), 0);
  json_decref(client);
  assert_int_equal(count(log_text(),
                         " WARN producer setting linger.ms=1000000 is outside librdkafka's range; "
                         "linger.ms=900000 is used"),
                   1);
  cl_worker_conf_free(c);
}

/* The short sessions of the broker in memory do not make Java's own heartbeat a fault. */
static void embedded_takes_any_heartbeat(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  json_t *client = NULL;
  struct cl_worker_conf *c = loaded("bootstrap.servers=embedded\nkey.converter=x\nvalue.converter=x\n"
                                    "consumer.heartbeat.interval.ms=3000\n");
  assert_int_equal(cl_worker_client_conf(c, CL_CLIENT_CONSUMER, "c", 0, json_null(), &client, &err), 0);
  assert_null(cl_json_str(client, "session.timeout.ms"));
  json_decref(client);
  cl_worker_conf_free(c);
}

static void several_listeners(void **state) {
  (void)state;
  struct cl_worker_conf *c = loaded(BASE "listeners=http://a:1, http://:2\n");
  assert_int_equal(c->rest.n_listeners, 2);
  assert_string_equal(c->rest.listeners[1].host, "");
  assert_int_equal(c->rest.listeners[1].port, 2);
  assert_null(c->rest.tls);
  char *url = cl_rest_conf_url(&c->rest.listeners[0], 9);
  assert_string_equal(url, "http://a:9");
  free(url);
  cl_worker_conf_free(c);
}

static void admin_listeners(void **state) {
  (void)state;
  struct cl_worker_conf *c = loaded(BASE);
  assert_int_equal(c->rest.admin, CL_ADMIN_WITH_REST);
  cl_worker_conf_free(c);
  c = loaded(BASE "admin.listeners=\n");
  assert_int_equal(c->rest.admin, CL_ADMIN_NOWHERE);
  assert_int_equal(c->rest.n_listeners, 1);
  cl_worker_conf_free(c);
  c = loaded(BASE "listeners=http://a:1\nadmin.listeners=http://b:2,HTTP://c:3\n");
  assert_int_equal(c->rest.admin, CL_ADMIN_ALONE);
  assert_int_equal(c->rest.n_listeners, 3);
  assert_false(c->rest.listeners[0].admin);
  assert_true(c->rest.listeners[2].admin);
  assert_string_equal(c->rest.listeners[2].host, "c");
  cl_worker_conf_free(c);
  refused(BASE "admin.listeners=http://b:2,,\n", "Empty URL found when parsing admin.listeners list.");
  refused(BASE "admin.listeners=b:2\n",
          "Invalid value b:2 for configuration admin.listeners: Listener doesn't have the right format");
  refused(BASE "admin.listeners=https://b:2\nlisteners.https.ssl.keystore.location=/x\n",
          "Missing required configuration \"ssl.keystore.location\"");
  refused(BASE "admin.listeners=https://b:2\nadmin.listeners.https.ssl.protocol=x\n",
          "settings under admin.listeners.https.: Invalid value x for configuration ssl.protocol");
  refused(BASE "rest.advertised.listener=ftp\n", "rest.advertised.listener: it must be http or https");
}

static void response_headers(void **state) {
  (void)state;
  struct cl_worker_conf *c = loaded(
      BASE
      "response.http.headers.config= set X-A: 1 , \"add Cache-Control: no-cache, no-store\",setDate E:-5,"
      "SET b:x  y,setdate D:7,\n");
  assert_int_equal(c->rest.n_headers, 5);
  assert_string_equal(c->rest.headers[0].name, "X-A");
  assert_string_equal(c->rest.headers[0].value, "1");
  assert_true(c->rest.headers[1].add && !c->rest.headers[1].date);
  assert_string_equal(c->rest.headers[1].value, "no-cache, no-store");
  assert_true(c->rest.headers[2].date && !c->rest.headers[2].add);
  assert_string_equal(c->rest.headers[3].value, "x  y");
  assert_false(c->rest.headers[4].date); /* Jetty's */
  cl_worker_conf_free(c);
  static const char *const bad[][2] = {
      {"set", "Invalid format of header config 'set'. Expected: '[action] [header name]:[header value]'"},
      {"set A: 1,,add B:2", "Invalid format of header config ''."},
      {"put A:1", "Invalid header config action: 'put'. Expected one of [set, add, setDate, addDate]"},
      {"set A",
       "Invalid format of header name and header value pair 'A'. Expected: '[header name]:[header value]'"},
      {"set A:", "header value pair 'A:'."},
      {"set A:b:c", "header value pair 'A:b:c'."},
      {"set A b:c", "Invalid header name 'A b'. The '[header name]' cannot contain whitespace"},
      {"set :c", "Invalid header name ''."},
      {"setDate A:soon", "is no number of milliseconds"},
      {"set Content-Length:5", "header 'Content-Length' cannot be sent"},
      {"set A(:5", "header 'A(' cannot be sent"},
  };
  for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
    char text[512];
    snprintf(text, sizeof(text), BASE "response.http.headers.config=%s\n", bad[i][0]);
    refused(text, bad[i][1]);
  }
  refused(BASE "access.control.allow.origin=http://a,http://(\n",
          "Invalid value http://( for configuration access.control.allow.origin: ");
  refused(BASE "access.control.allow.methods=GET, P\\nT\n", "configuration access.control.allow.methods");
}

/* A door that is not as shut as the file says is not opened. */
static void tls_refusals(void **state) {
  (void)state;
  static const char https[] = BASE "listeners=https://:8443\n";
  static const struct {
    const char *lines, *why;
  } cases[] = {
      {"", "Missing required configuration \"ssl.keystore.location\": an https listener needs a key store"},
      {"listeners.https.ssl.client.auth=none\nssl.keystore.location=/x\n",
       "settings under listeners.https.: Missing required configuration \"ssl.keystore.location\""},
      {"ssl.keystore.location=/none.jks\nssl.keystore.password=s3cret\n", "keytool -importkeystore"},
      {"ssl.keystore.type=PEM\nssl.keystore.location=/none.pem\n",
       "Invalid value /none.pem for configuration ssl.keystore.location: "},
      {"ssl.keystore.type=PEM\nssl.keystore.key=s3cret\nssl.keystore.certificate.chain=x\n",
       "Invalid value [hidden] for configuration ssl.keystore.key: no PEM block"},
      {"ssl.enabled.protocols=TLSv1.1,TLSv1.2\n",
       "Invalid value TLSv1.1 for configuration ssl.enabled.protocols"},
      {"ssl.enabled.protocols=\n", "ssl.enabled.protocols: name TLSv1.2, TLSv1.3 or both"},
      {"ssl.provider=BC\n", "Invalid value BC for configuration ssl.provider: this is Java's"},
      {"ssl.engine.factory.class=a.B\n", "configuration ssl.engine.factory.class"},
      {"ssl.trustmanager.algorithm=Any\n", "configuration ssl.trustmanager.algorithm"},
      {"ssl.protocol=TLSv9\n", "configuration ssl.protocol"},
      {"ssl.client.auth=want\n",
       "Invalid value want for configuration ssl.client.auth: String must be one of"},
      {"listeners.https.ssl.client.auth=Required\n",
       "settings under listeners.https.: Invalid value Required"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    char text[1024];
    snprintf(text, sizeof(text), "%s%s", https, cases[i].lines);
    refused(text, cases[i].why);
  }
  refused(BASE "ssl.client.auth=required\n", "configuration ssl.client.auth: no listener is https");
  refused(BASE "listeners.https.ssl.client.auth=required\n",
          "configuration listeners.https.ssl.client.auth: no listener is https");
  refused(BASE "listeners.https.ssl.client.auth=requested \nssl.client.auth=none\n",
          "configuration listeners.https.ssl.client.auth: no listener is https");
  refused(BASE "admin.listeners=http://:8084\nadmin.listeners.https.ssl.client.auth=required\n",
          "configuration admin.listeners.https.ssl.client.auth: no admin listener is https");
  refused(BASE "admin.listeners=https://:8444\nlisteners.https.ssl.client.auth=required\n",
          "configuration listeners.https.ssl.client.auth: no listener is https");
  cl_worker_conf_free(loaded(BASE "listeners.https.ssl.client.auth=none \n"
                                  "admin.listeners.https.ssl.client.auth=none\n"));
}

static void refusals(void **state) {
  (void)state;
  refused(BASE "config.providers=v\nconfig.providers.v.class=a.Vault\n",
          "configuration config.providers.v.class: ");
  refused(BASE "connector.client.config.override.policy=Nobody\n",
          "configuration connector.client.config.override.policy: Class Nobody could not be found");
  refused(BASE "config.storage.topic=c\n", "distributed mode is not built yet");
  refused(BASE "exactly.once.source.support=enabled\n", "configuration exactly.once.source.support: ");
  refused(BASE "header.converter= \n",
          "Invalid value  for configuration header.converter: Class  could not be");
  refused(BASE "producer.transactional.id=t\n", "configuration transactional.id: ");
  refused(BASE "producer.security.protocol=SSL\nproducer.ssl.truststore.location=/x/t.jks\n",
          "`keytool -importkeystore -srckeystore /x/t.jks -destkeystore /x/t.p12 -deststoretype PKCS12`");
  cl_worker_conf_free(loaded(BASE
                             "rest.extension.classes=\naccess.control.allow.origin= \nconfig.providers=\n"
                             "exactly.once.source.support=DISABLED\nssl.client.auth=none\n"
                             "connector.client.config.override.policy=All\ntopic.creation.enable=true\n"
                             "header.converter=SimpleHeaderConverter \nplugin.discovery=Service_Load\n"));
}

static void unknown_keys_are_named(void **state) {
  (void)state;
  cl_worker_conf_free(
      loaded(BASE "ofset.flush.interval.ms=1\nproducer.acks=all\nmetrics.context.a=b\nzzz=1\n"
                  "key.converter.any=1\nadmin.retries=1\nsession.timeout.ms=1\ninter.worker.key.size=1\n"
                  "internal.key.converter=x\ngroup.id=g\nmetric.reporters=a.B\n"));
  const char *log = log_text();
  assert_non_null(strstr(log, "unknown key ofset.flush.interval.ms; did you mean offset.flush.interval.ms?"));
  assert_non_null(strstr(log, "unknown key zzz ("));
  assert_non_null(strstr(log, "internal.key.converter has no effect"));
  assert_non_null(strstr(log, "metric.reporters has no effect"));
  assert_int_equal(count(log, "unknown key"), 2);
  assert_int_equal(count(log, " WARN "), 4);
}

static void keys_of_a_distributed_worker(void **state) {
  (void)state;
  cl_worker_conf_free(loaded(
      BASE "offset.storage.partitions=1\nstatus.storage.replication.factor=1\nsession.timeout.ms=1\n"
           "config.storage.min.insync.replicas=2\ninter.worker.key.ttl.ms=1\nconnect.protocol=eager\n"));
  assert_string_equal(log_text(), "");
  cl_worker_conf_free(loaded(BASE "offset.storage.file.filenam=x\nconfig.storage.min.insync.replica=2\n"
                                  "inter.worker.key.tt.ms=1\nstatus.storage.colour=red\n"));
  const char *log = log_text();
  assert_non_null(
      strstr(log, "unknown key offset.storage.file.filenam; did you mean offset.storage.file.filename?"));
  assert_non_null(strstr(log, "replica; did you mean config.storage.min.insync.replicas?"));
  assert_non_null(strstr(log, "unknown key inter.worker.key.tt.ms; did you mean inter.worker.key.ttl.ms?"));
  assert_non_null(strstr(log, "unknown key status.storage.colour ("));
}

static void keys_of_a_connector(void **state) {
  (void)state;
  cl_worker_conf_free(
      loaded(BASE "transforms=a\ntransforms.a.type=x\nerrors.tolerance=all\ntopics=t\ntasks.max=1\n"
                  "producer.override.acks=all\ntopic.creation.default.partitions=1\n"
                  "topic.creation.enable=true\n"));
  const char *log = log_text();
  assert_non_null(strstr(log, "worker.conf: transforms.a.type is a connector's key: put it into the "
                              "connector's config"));
  assert_int_equal(count(log, " is a connector's key"), 7);
  assert_int_equal(count(log, "unknown key"), 0);
}

static void client_settings_without_prefix(void **state) {
  (void)state;
  cl_worker_conf_free(loaded(BASE "compression.type=gzip\nsecurity.protocol=PLAINTEXT\nmax.poll.records=7\n"
                                  "sasl.mechanism=PLAIN\nconsumer.sasl.mechanism=PLAIN\ngroup.id=g\n"));
  assert_non_null(strstr(log_text(),
                         "client settings without a prefix do not reach producers or consumers; "
                         "write compression.type as producer.compression.type; security.protocol as "
                         "producer.security.protocol, consumer.security.protocol; max.poll.records as "
                         "consumer.max.poll.records ("));
  assert_int_equal(count(log_text(), " WARN "), 1);
}

/* What each policy lets a connector override. */
static void override_policies(void **state) {
  (void)state;
  static const struct {
    const char *lines;
    bool acks, jaas;
  } policies[] = {
      {"", true, true},
      {"connector.client.config.override.policy=AllConnectorClientConfigOverridePolicy\n", true, true},
      {"connector.client.config.override.policy=None\n", false, false},
      {"connector.client.config.override.policy=Principal\n", false, true},
      {"connector.client.config.override.policy=org.apache.kafka.connect.connector.policy."
       "AllowlistConnectorClientConfigOverridePolicy\n"
       "connector.client.config.override.allowlist=linger.ms, acks\n",
       true, false},
      {"connector.client.config.override.policy=Allowlist\n", false, false},
  };
  for (size_t i = 0; i < sizeof(policies) / sizeof(*policies); i++) {
    char text[1024];
    struct cl_err err = CL_ERR_INIT;
    json_t *client = NULL, *connector = json_pack("{s:s,s:s}", "producer.override.acks", "1",
                                                  "consumer.override.acks", "never looked at");
    snprintf(text, sizeof(text), "%s%s", BASE, policies[i].lines);
    struct cl_worker_conf *c = loaded(text);
    assert_int_equal(cl_override_policy_allows(&c->override_policy, "sasl.jaas.config"), policies[i].jaas);
    int rc = cl_worker_client_conf(c, CL_CLIENT_PRODUCER, "c", 0, connector, &client, &err);
    assert_int_equal(rc == 0, policies[i].acks);
    if (rc != 0)
      assert_non_null(strstr(err.msg, "Client Config Overrides not allowed [acks]"));
    json_decref(client);
    json_decref(connector);
    cl_worker_conf_free(c);
  }
}

static void client_precedence(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  json_t *client = NULL;
  struct cl_worker_conf *c = loaded(
      BASE "bootstrap.servers=a:1\nsecurity.protocol=PLAINTEXT\nrequest.timeout.ms=7000\n"
           "consumer.fetch.max.wait.ms=100\nconsumer.auto.offset.reset=latest\n"
           "consumer.max.poll.records=20\nproducer.batch.size=1000\n"
           "producer.interceptor.classes=a.B\nadmin.retry.backoff.ms=9\n");
  json_t *connector = json_pack("{s:s,s:s,s:s,s:s}", "name", "c", "consumer.override.fetch.max.wait.ms",
                                "200", "consumer.override.max.poll.records", "30",
                                "producer.override.batch.size", "2000");
  assert_int_equal(cl_worker_client_conf(c, CL_CLIENT_CONSUMER, "c", 2, connector, &client, &err), 0);
  assert_string_equal(cl_json_str(client, "bootstrap.servers"), "a:1");
  assert_string_equal(cl_json_str(client, "group.id"), "connect-c");
  assert_string_equal(cl_json_str(client, "client.id"), "connector-consumer-c-2");
  assert_string_equal(cl_json_str(client, "enable.auto.commit"), "false");
  assert_string_equal(cl_json_str(client, "auto.offset.reset"), "latest");
  assert_string_equal(cl_json_str(client, "isolation.level"), "read_uncommitted");
  assert_string_equal(cl_json_str(client, "partition.assignment.strategy"), "range");
  assert_string_equal(cl_json_str(client, "fetch.wait.max.ms"), "200");
  assert_null(cl_json_str(client, "socket.timeout.ms")); /* only admin clients inherit bare keys */
  json_decref(client);
  assert_int_equal(cl_worker_max_poll_records(c, connector), 30);
  assert_int_equal(cl_worker_max_poll_records(c, NULL), 20);

  assert_int_equal(cl_worker_client_conf(c, CL_CLIENT_PRODUCER, "c", 0, connector, &client, &err), 0);
  assert_string_equal(cl_json_str(client, "client.id"), "connector-producer-c-0");
  assert_string_equal(cl_json_str(client, "acks"), "all");
  assert_string_equal(cl_json_str(client, "enable.idempotence"), "false");
  assert_string_equal(cl_json_str(client, "max.in.flight.requests.per.connection"), "1");
  assert_string_equal(cl_json_str(client, "message.timeout.ms"), "0");
  assert_string_equal(cl_json_str(client, "message.max.bytes"), "1048576");
  assert_string_equal(cl_json_str(client, "partitioner"), "murmur2_random");
  assert_string_equal(cl_json_str(client, "batch.size"), "2000");
  json_decref(client);
  assert_int_equal(cl_worker_client_conf(c, CL_CLIENT_PRODUCER, "d", 0, connector, &client, &err), 0);
  json_decref(client);
  assert_int_equal(count(log_text(), "interceptor.classes (producer)"), 1); /* once, at the load */

  assert_int_equal(cl_worker_client_conf(c, CL_CLIENT_ADMIN, NULL, 0, NULL, &client, &err), 0);
  assert_string_equal(cl_json_str(client, "socket.timeout.ms"), "7000");
  assert_string_equal(cl_json_str(client, "security.protocol"), "plaintext");
  assert_null(cl_json_str(client, "client.id"));
  json_decref(client);

  json_object_set_new(connector, "consumer.override.max.poll.records", json_string("many"));
  assert_int_equal(cl_worker_client_conf(c, CL_CLIENT_CONSUMER, "c", 2, connector, &client, &err), CL_EINVAL);
  assert_string_equal(err.msg,
                      "Invalid value many for configuration max.poll.records: Not a number of type INT");
  json_decref(connector);
  cl_worker_conf_free(c);
}

static void converters(void **state) {
  (void)state;
  struct cl_err err = CL_ERR_INIT;
  struct cl_control *control = NULL;
  struct cl_control_conf control_conf = {.home = CL_SOURCE_DIR};
  struct cl_plugins *plugins = NULL;
  struct cl_plugin *plugin = NULL;
  json_t *typed = NULL;
  struct cl_worker_conf *c = loaded(BASE "key.converter.schemas.enable=false\n"
                                         "value.converter.value.serializer.encoding=UTF-8\n"
                                         "value.converter.encodin=x\nkey.converter.schemas.enabl=x\n");
  assert_int_equal(cl_control_start(&control_conf, &control, &err), 0);
  assert_int_equal(cl_plugins_scan(control, CL_SOURCE_DIR, NULL, &plugins, &err), 0);

  json_t *connector = json_pack("{s:s}", "key.converter.schemas.enable", "true"); /* counts for nothing */
  assert_int_equal(cl_worker_converter(c, plugins, connector, "key", &plugin, &typed, &err), 0);
  assert_string_equal(plugin->class, "org.apache.kafka.connect.json.JsonConverter");
  assert_true(json_is_false(json_object_get(typed, "schemas.enable")));
  assert_string_equal(cl_json_str(typed, "converter.type"), "key");
  assert_null(json_object_get(c->key_converter_config, "converter.type"));
  json_decref(typed);

  assert_int_equal(cl_worker_converter(c, plugins, NULL, "key", &plugin, &typed, &err), 0);
  json_decref(typed);
  assert_int_equal(count(log_text(), "unknown key key.converter.schemas.enabl: org.apache.kafka.connect.json."
                                     "JsonConverter has no such setting; did you mean "
                                     "key.converter.schemas.enable?"),
                   1); /* once */
  assert_int_equal(cl_worker_converter(c, plugins, NULL, "value", &plugin, &typed, &err), 0);
  json_decref(typed);
  assert_int_equal(count(log_text(), "unknown key "), 2);

  json_object_set_new(connector, "value.converter", json_string(" JsonConverter "));
  assert_int_equal(cl_worker_converter(c, plugins, connector, "value", &plugin, &typed, &err), 0);
  assert_string_equal(plugin->class, "org.apache.kafka.connect.json.JsonConverter");
  assert_true(json_is_true(json_object_get(typed, "schemas.enable")));
  json_decref(typed);

  json_object_set_new(connector, "value.converter.schemas.enable", json_string("maybe"));
  assert_int_equal(cl_worker_converter(c, plugins, connector, "value", &plugin, &typed, &err), CL_EINVAL);
  json_object_set_new(connector, "value.converter", json_string("io.x.Avro"));
  assert_int_equal(cl_worker_converter(c, plugins, connector, "value", &plugin, &typed, &err), CL_EINVAL);
  assert_string_equal(
      err.msg,
      "Invalid value io.x.Avro for configuration value.converter: Class io.x.Avro could not be found.");
  assert_null(plugin);
  assert_null(typed);

  json_decref(connector);
  cl_plugins_unref(plugins);
  cl_control_stop(control);
  cl_worker_conf_free(c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tutorial_file_loads),
      cmocka_unit_test(defaults),
      cmocka_unit_test(own_values),
      cmocka_unit_test(worker_id),
      cmocka_unit_test(embedded_needs_no_offset_file),
      cmocka_unit_test(bad_values),
      cmocka_unit_test(cut_values_are_named_once),
      cmocka_unit_test(embedded_takes_any_heartbeat),
      cmocka_unit_test(several_listeners),
      cmocka_unit_test(admin_listeners),
      cmocka_unit_test(response_headers),
      cmocka_unit_test(tls_refusals),
      cmocka_unit_test(refusals),
      cmocka_unit_test(unknown_keys_are_named),
      cmocka_unit_test(keys_of_a_distributed_worker),
      cmocka_unit_test(keys_of_a_connector),
      cmocka_unit_test(client_settings_without_prefix),
      cmocka_unit_test(client_precedence),
      cmocka_unit_test(override_policies),
      cmocka_unit_test(converters),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
