/* SPDX-License-Identifier: Apache-2.0
 *
 * How Apache Kafka 4.2's clients define their settings: type, importance, default. A unit test
 * holds the table against spec/fixtures/java-client-definitions.txt.
 * Any thread, constant data. May include base and librdkafka.
 */
#include "kafka/conf_internal.h"

#include <stdio.h>
#include <string.h>

#define DEF(key, kinds_, type_, importance_, default_)                                                       \
  {                                                                                                          \
    .java = key, .kinds = (kinds_), .type = CL_CONF_##type_, .importance = CL_CONF_##importance_,            \
    .dflt = (default_)                                                                                       \
  }
/* Without a default: must be given. */
#define MUST(key, kinds_, type_, importance_)                                                                \
  {                                                                                                          \
    .java = key, .kinds = (kinds_), .type = CL_CONF_##type_, .importance = CL_CONF_##importance_,            \
    .required = true                                                                                         \
  }

static const struct def {
  const char *java;
  unsigned kinds;
  enum cl_conf_type type;
  enum cl_conf_importance importance;
  bool required;
  const char *dflt;
} defs[] = {
    DEF("acks", CL_KEY_P, STRING, LOW, "all"),
    DEF("allow.auto.create.topics", CL_KEY_C, BOOLEAN, MEDIUM, "true"),
    DEF("auto.commit.interval.ms", CL_KEY_C, INT, LOW, "5000"),
    DEF("auto.offset.reset", CL_KEY_C, STRING, MEDIUM, "latest"),
    DEF("batch.size", CL_KEY_P, INT, MEDIUM, "16384"),
    DEF("bootstrap.controllers", CL_KEY_A, LIST, HIGH, ""),
    DEF("bootstrap.servers", CL_KEY_A, LIST, HIGH, ""),
    MUST("bootstrap.servers", CL_KEY_CP, LIST, HIGH),
    DEF("buffer.memory", CL_KEY_P, LONG, HIGH, "33554432"),
    DEF("check.crcs", CL_KEY_C, BOOLEAN, LOW, "true"),
    DEF("client.dns.lookup", CL_KEY_ALL, STRING, MEDIUM, "use_all_dns_ips"),
    DEF("client.id", CL_KEY_C, STRING, LOW, ""),
    DEF("client.id", CL_KEY_P | CL_KEY_A, STRING, MEDIUM, ""),
    DEF("client.rack", CL_KEY_C, STRING, LOW, ""),
    DEF("compression.gzip.level", CL_KEY_P, INT, MEDIUM, "-1"),
    DEF("compression.lz4.level", CL_KEY_P, INT, MEDIUM, "9"),
    DEF("compression.type", CL_KEY_P, STRING, HIGH, "none"),
    DEF("compression.zstd.level", CL_KEY_P, INT, MEDIUM, "3"),
    DEF("config.providers", CL_KEY_ALL, LIST, LOW, ""),
    DEF("connections.max.idle.ms", CL_KEY_A, LONG, MEDIUM, "300000"),
    DEF("connections.max.idle.ms", CL_KEY_CP, LONG, MEDIUM, "540000"),
    DEF("default.api.timeout.ms", CL_KEY_CA, INT, MEDIUM, "60000"),
    DEF("delivery.timeout.ms", CL_KEY_P, INT, MEDIUM, "120000"),
    DEF("enable.auto.commit", CL_KEY_C, BOOLEAN, MEDIUM, "true"),
    DEF("enable.idempotence", CL_KEY_P, BOOLEAN, LOW, "true"),
    DEF("enable.metrics.push", CL_KEY_A, BOOLEAN, LOW, "false"),
    DEF("enable.metrics.push", CL_KEY_CP, BOOLEAN, LOW, "true"),
    DEF("exclude.internal.topics", CL_KEY_C, BOOLEAN, MEDIUM, "true"),
    DEF("fetch.max.bytes", CL_KEY_C, INT, MEDIUM, "52428800"),
    DEF("fetch.max.wait.ms", CL_KEY_C, INT, LOW, "500"),
    DEF("fetch.min.bytes", CL_KEY_C, INT, HIGH, "1"),
    DEF("group.id", CL_KEY_C, STRING, HIGH, NULL),
    DEF("group.instance.id", CL_KEY_C, STRING, MEDIUM, NULL),
    DEF("group.protocol", CL_KEY_C, STRING, HIGH, "classic"),
    DEF("group.remote.assignor", CL_KEY_C, STRING, MEDIUM, NULL),
    DEF("heartbeat.interval.ms", CL_KEY_C, INT, HIGH, "3000"),
    DEF("interceptor.classes", CL_KEY_CP, LIST, LOW, ""),
    DEF("internal.throw.on.fetch.stable.offset.unsupported", CL_KEY_C, BOOLEAN, LOW, "false"),
    DEF("isolation.level", CL_KEY_C, STRING, MEDIUM, "read_uncommitted"),
    MUST("key.deserializer", CL_KEY_C, CLASS, HIGH),
    MUST("key.serializer", CL_KEY_P, CLASS, HIGH),
    DEF("linger.ms", CL_KEY_P, LONG, MEDIUM, "5"),
    DEF("max.block.ms", CL_KEY_P, LONG, MEDIUM, "60000"),
    DEF("max.in.flight.requests.per.connection", CL_KEY_P, INT, LOW, "5"),
    DEF("max.partition.fetch.bytes", CL_KEY_C, INT, HIGH, "1048576"),
    DEF("max.poll.interval.ms", CL_KEY_C, INT, MEDIUM, "300000"),
    DEF("max.poll.records", CL_KEY_C, INT, MEDIUM, "500"),
    DEF("max.request.size", CL_KEY_P, INT, MEDIUM, "1048576"),
    DEF("metadata.max.age.ms", CL_KEY_ALL, LONG, LOW, "300000"),
    DEF("metadata.max.idle.ms", CL_KEY_P, LONG, LOW, "300000"),
    DEF("metadata.recovery.rebootstrap.trigger.ms", CL_KEY_ALL, LONG, LOW, "300000"),
    DEF("metadata.recovery.strategy", CL_KEY_ALL, STRING, LOW, "rebootstrap"),
    DEF("metric.reporters", CL_KEY_ALL, LIST, LOW, "org.apache.kafka.common.metrics.JmxReporter"),
    DEF("metrics.num.samples", CL_KEY_ALL, INT, LOW, "2"),
    DEF("metrics.recording.level", CL_KEY_ALL, STRING, LOW, "INFO"),
    DEF("metrics.sample.window.ms", CL_KEY_ALL, LONG, LOW, "30000"),
    DEF("partition.assignment.strategy", CL_KEY_C, LIST, MEDIUM,
        "class org.apache.kafka.clients.consumer.RangeAssignor,class "
        "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"),
    DEF("partitioner.adaptive.partitioning.enable", CL_KEY_P, BOOLEAN, LOW, "true"),
    DEF("partitioner.availability.timeout.ms", CL_KEY_P, LONG, LOW, "0"),
    DEF("partitioner.class", CL_KEY_P, CLASS, MEDIUM, NULL),
    DEF("partitioner.ignore.keys", CL_KEY_P, BOOLEAN, MEDIUM, "false"),
    DEF("receive.buffer.bytes", CL_KEY_CA, INT, MEDIUM, "65536"),
    DEF("receive.buffer.bytes", CL_KEY_P, INT, MEDIUM, "32768"),
    DEF("reconnect.backoff.max.ms", CL_KEY_ALL, LONG, LOW, "1000"),
    DEF("reconnect.backoff.ms", CL_KEY_ALL, LONG, LOW, "50"),
    DEF("request.timeout.ms", CL_KEY_ALL, INT, MEDIUM, "30000"),
    DEF("retries", CL_KEY_A, INT, LOW, "2147483647"),
    DEF("retries", CL_KEY_P, INT, HIGH, "2147483647"),
    DEF("retry.backoff.max.ms", CL_KEY_ALL, LONG, LOW, "1000"),
    DEF("retry.backoff.ms", CL_KEY_ALL, LONG, LOW, "100"),
    DEF("sasl.client.callback.handler.class", CL_KEY_ALL, CLASS, MEDIUM, NULL),
    DEF("sasl.jaas.config", CL_KEY_ALL, PASSWORD, MEDIUM, NULL),
    DEF("sasl.kerberos.kinit.cmd", CL_KEY_ALL, STRING, LOW, "/usr/bin/kinit"),
    DEF("sasl.kerberos.min.time.before.relogin", CL_KEY_ALL, LONG, LOW, "60000"),
    DEF("sasl.kerberos.service.name", CL_KEY_ALL, STRING, MEDIUM, NULL),
    DEF("sasl.kerberos.ticket.renew.jitter", CL_KEY_ALL, DOUBLE, LOW, "0.05"),
    DEF("sasl.kerberos.ticket.renew.window.factor", CL_KEY_ALL, DOUBLE, LOW, "0.8"),
    DEF("sasl.login.callback.handler.class", CL_KEY_ALL, CLASS, MEDIUM, NULL),
    DEF("sasl.login.class", CL_KEY_ALL, CLASS, MEDIUM, NULL),
    DEF("sasl.login.connect.timeout.ms", CL_KEY_ALL, INT, LOW, NULL),
    DEF("sasl.login.read.timeout.ms", CL_KEY_ALL, INT, LOW, NULL),
    DEF("sasl.login.refresh.buffer.seconds", CL_KEY_ALL, SHORT, LOW, "300"),
    DEF("sasl.login.refresh.min.period.seconds", CL_KEY_ALL, SHORT, LOW, "60"),
    DEF("sasl.login.refresh.window.factor", CL_KEY_ALL, DOUBLE, LOW, "0.8"),
    DEF("sasl.login.refresh.window.jitter", CL_KEY_ALL, DOUBLE, LOW, "0.05"),
    DEF("sasl.login.retry.backoff.max.ms", CL_KEY_ALL, LONG, LOW, "10000"),
    DEF("sasl.login.retry.backoff.ms", CL_KEY_ALL, LONG, LOW, "100"),
    DEF("sasl.mechanism", CL_KEY_ALL, STRING, MEDIUM, "GSSAPI"),
    DEF("sasl.oauthbearer.assertion.algorithm", CL_KEY_ALL, STRING, MEDIUM, "RS256"),
    DEF("sasl.oauthbearer.assertion.claim.aud", CL_KEY_ALL, STRING, MEDIUM, NULL),
    DEF("sasl.oauthbearer.assertion.claim.exp.seconds", CL_KEY_ALL, INT, LOW, "300"),
    DEF("sasl.oauthbearer.assertion.claim.iss", CL_KEY_ALL, STRING, MEDIUM, NULL),
    DEF("sasl.oauthbearer.assertion.claim.jti.include", CL_KEY_ALL, BOOLEAN, MEDIUM, "false"),
    DEF("sasl.oauthbearer.assertion.claim.nbf.seconds", CL_KEY_ALL, INT, LOW, "60"),
    DEF("sasl.oauthbearer.assertion.claim.sub", CL_KEY_ALL, STRING, MEDIUM, NULL),
    DEF("sasl.oauthbearer.assertion.file", CL_KEY_ALL, STRING, MEDIUM, NULL),
    DEF("sasl.oauthbearer.assertion.private.key.file", CL_KEY_ALL, STRING, MEDIUM, NULL),
    DEF("sasl.oauthbearer.assertion.private.key.passphrase", CL_KEY_ALL, PASSWORD, MEDIUM, NULL),
    DEF("sasl.oauthbearer.assertion.template.file", CL_KEY_ALL, STRING, MEDIUM, NULL),
    DEF("sasl.oauthbearer.client.credentials.client.id", CL_KEY_ALL, STRING, MEDIUM, NULL),
    DEF("sasl.oauthbearer.client.credentials.client.secret", CL_KEY_ALL, PASSWORD, MEDIUM, NULL),
    DEF("sasl.oauthbearer.clock.skew.seconds", CL_KEY_ALL, INT, LOW, "30"),
    DEF("sasl.oauthbearer.expected.audience", CL_KEY_ALL, LIST, LOW, ""),
    DEF("sasl.oauthbearer.expected.issuer", CL_KEY_ALL, STRING, LOW, NULL),
    DEF("sasl.oauthbearer.header.urlencode", CL_KEY_ALL, BOOLEAN, LOW, "false"),
    DEF("sasl.oauthbearer.jwks.endpoint.refresh.ms", CL_KEY_ALL, LONG, LOW, "3600000"),
    DEF("sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms", CL_KEY_ALL, LONG, LOW, "10000"),
    DEF("sasl.oauthbearer.jwks.endpoint.retry.backoff.ms", CL_KEY_ALL, LONG, LOW, "100"),
    DEF("sasl.oauthbearer.jwks.endpoint.url", CL_KEY_ALL, STRING, MEDIUM, NULL),
    DEF("sasl.oauthbearer.jwt.retriever.class", CL_KEY_ALL, CLASS, MEDIUM,
        "org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever"),
    DEF("sasl.oauthbearer.jwt.validator.class", CL_KEY_ALL, CLASS, MEDIUM,
        "org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator"),
    DEF("sasl.oauthbearer.scope", CL_KEY_ALL, STRING, MEDIUM, NULL),
    DEF("sasl.oauthbearer.scope.claim.name", CL_KEY_ALL, STRING, LOW, "scope"),
    DEF("sasl.oauthbearer.sub.claim.name", CL_KEY_ALL, STRING, LOW, "sub"),
    DEF("sasl.oauthbearer.token.endpoint.url", CL_KEY_ALL, STRING, MEDIUM, NULL),
    DEF("security.protocol", CL_KEY_ALL, STRING, MEDIUM, "PLAINTEXT"),
    DEF("security.providers", CL_KEY_ALL, STRING, LOW, NULL),
    DEF("send.buffer.bytes", CL_KEY_ALL, INT, MEDIUM, "131072"),
    DEF("session.timeout.ms", CL_KEY_C, INT, HIGH, "45000"),
    DEF("share.acknowledgement.mode", CL_KEY_C, STRING, MEDIUM, "implicit"),
    DEF("share.acquire.mode", CL_KEY_C, STRING, MEDIUM, "BATCH_OPTIMIZED"),
    DEF("socket.connection.setup.timeout.max.ms", CL_KEY_ALL, LONG, MEDIUM, "30000"),
    DEF("socket.connection.setup.timeout.ms", CL_KEY_ALL, LONG, MEDIUM, "10000"),
    DEF("ssl.cipher.suites", CL_KEY_ALL, LIST, LOW, ""),
    DEF("ssl.enabled.protocols", CL_KEY_ALL, LIST, MEDIUM, "TLSv1.2,TLSv1.3"),
    DEF("ssl.endpoint.identification.algorithm", CL_KEY_ALL, STRING, LOW, "https"),
    DEF("ssl.engine.factory.class", CL_KEY_ALL, CLASS, LOW, NULL),
    DEF("ssl.key.password", CL_KEY_ALL, PASSWORD, HIGH, NULL),
    DEF("ssl.keymanager.algorithm", CL_KEY_ALL, STRING, LOW, "SunX509"),
    DEF("ssl.keystore.certificate.chain", CL_KEY_ALL, PASSWORD, HIGH, NULL),
    DEF("ssl.keystore.key", CL_KEY_ALL, PASSWORD, HIGH, NULL),
    DEF("ssl.keystore.location", CL_KEY_ALL, STRING, HIGH, NULL),
    DEF("ssl.keystore.password", CL_KEY_ALL, PASSWORD, HIGH, NULL),
    DEF("ssl.keystore.type", CL_KEY_ALL, STRING, MEDIUM, "JKS"),
    DEF("ssl.protocol", CL_KEY_ALL, STRING, MEDIUM, "TLSv1.3"),
    DEF("ssl.provider", CL_KEY_ALL, STRING, MEDIUM, NULL),
    DEF("ssl.secure.random.implementation", CL_KEY_ALL, STRING, LOW, NULL),
    DEF("ssl.trustmanager.algorithm", CL_KEY_ALL, STRING, LOW, "PKIX"),
    DEF("ssl.truststore.certificates", CL_KEY_ALL, PASSWORD, HIGH, NULL),
    DEF("ssl.truststore.location", CL_KEY_ALL, STRING, HIGH, NULL),
    DEF("ssl.truststore.password", CL_KEY_ALL, PASSWORD, HIGH, NULL),
    DEF("ssl.truststore.type", CL_KEY_ALL, STRING, MEDIUM, "JKS"),
    DEF("transaction.timeout.ms", CL_KEY_P, INT, LOW, "60000"),
    DEF("transaction.two.phase.commit.enable", CL_KEY_P, BOOLEAN, LOW, "false"),
    DEF("transactional.id", CL_KEY_P, STRING, LOW, NULL),
    MUST("value.deserializer", CL_KEY_C, CLASS, HIGH),
    MUST("value.serializer", CL_KEY_P, CLASS, HIGH),
};

bool cl_client_def(enum cl_client_kind kind, const char *java, struct cl_conf_row *out) {
  for (size_t i = 0; i < sizeof(defs) / sizeof(*defs); i++) {
    const struct def *d = &defs[i];
    if (!(d->kinds & (1u << kind)) || strcmp(d->java, java) != 0)
      continue;
    *out = (struct cl_conf_row){.name = d->java,
                                .type = d->type,
                                .required = d->required,
                                .dflt = d->dflt,
                                .importance = d->importance,
                                .doc = "",
                                .order = -1};
    return true;
  }
  return false;
}

void cl_client_def_doc(enum cl_client_kind kind, const char *java, char *out, size_t size) {
  const struct cl_key_row *row = cl_conf_java_find(kind, java);
  const char *note = row && row->note ? row->note : "";
  snprintf(out, size, "%s", "");
  if (!row)
    return;
  switch (row->how) {
  case CL_KEY_SAME: snprintf(out, size, "librdkafka's setting of the same name."); break;
  case CL_KEY_RENAMED: snprintf(out, size, "librdkafka's %s.", row->name); break;
  case CL_KEY_MAPPED:
    if (row->name)
      snprintf(out, size, "librdkafka's %s%s%s.", row->name, *note ? ": " : "", note);
    else
      snprintf(out, size, "Translated for librdkafka%s%s%s.", *note ? " (" : "", note, *note ? ")" : "");
    break;
  case CL_KEY_HARMLESS: snprintf(out, size, "Not handed to librdkafka: %s.", note); break;
  case CL_KEY_WARN: snprintf(out, size, "Passed over with a warning: %s.", note); break;
  case CL_KEY_REFUSED: snprintf(out, size, "Refused here: %s.", note); break;
  }
}
