/* SPDX-License-Identifier: Apache-2.0
 *
 * Every consumer, producer and admin client key of Apache Kafka 4.2 and what becomes of it
 * in librdkafka. A unit test holds the table against spec/fixtures/java-client-keys.txt.
 * Any thread, constant data. May include base and librdkafka.
 */
#include "kafka/conf_internal.h"

#include <string.h>

#define SAME(key, kinds_)                                                                                    \
  { .java = key, .kinds = (kinds_), .how = CL_KEY_SAME }
#define NUM(key, kinds_, how_, to, lo, hi, type_)                                                            \
  { .java = key, .kinds = (kinds_), .how = (how_), .name = (to), .min = (lo), .max = (hi), .type = (type_) }
#define SAME_INT(key, kinds_, lo, hi) NUM(key, kinds_, CL_KEY_SAME, NULL, lo, hi, "INT")
#define SAME_LONG(key, kinds_, lo, hi) NUM(key, kinds_, CL_KEY_SAME, NULL, lo, hi, "LONG")
#define RENAMED_INT(key, kinds_, to, lo, hi) NUM(key, kinds_, CL_KEY_RENAMED, to, lo, hi, "INT")
#define RENAMED_LONG(key, kinds_, to, lo, hi) NUM(key, kinds_, CL_KEY_RENAMED, to, lo, hi, "LONG")
#define RENAMED(key, kinds_, to)                                                                             \
  { .java = key, .kinds = (kinds_), .how = CL_KEY_RENAMED, .name = (to) }
#define MAPPED(key, kinds_, to, fn, why)                                                                     \
  { .java = key, .kinds = (kinds_), .how = CL_KEY_MAPPED, .name = (to), .map = (fn), .note = (why) }
#define STORE(key, why)                                                                                      \
  { .java = key, .kinds = CL_KEY_ALL, .how = CL_KEY_MAPPED, .note = (why) }
#define HARMLESS(key, kinds_, why)                                                                           \
  { .java = key, .kinds = (kinds_), .how = CL_KEY_HARMLESS, .note = (why) }
#define WARN(key, kinds_, def, why)                                                                          \
  { .java = key, .kinds = (kinds_), .how = CL_KEY_WARN, .dflt = (def), .note = (why) }
#define REFUSED(key, kinds_, def, why)                                                                       \
  { .java = key, .kinds = (kinds_), .how = CL_KEY_REFUSED, .dflt = (def), .note = (why) }

#define LOGIN "only Java's login threads use it"
#define JWT_CHECK "brokers check tokens, this client does not"
#define ASSERTION "tokens from signed assertions are not built yet; use a client id and secret"
#define METRICS "there is no Java metrics registry here"

const struct cl_key_row cl_conf_java_rows[] = {
    /* Where and how to connect. */
    SAME("bootstrap.servers", CL_KEY_ALL),
    WARN("bootstrap.controllers", CL_KEY_A, NULL, "librdkafka talks to brokers only"),
    WARN("client.dns.lookup", CL_KEY_ALL, "use_all_dns_ips", "librdkafka always uses all addresses"),
    SAME("client.id", CL_KEY_ALL),
    SAME("client.rack", CL_KEY_C),
    SAME_LONG("connections.max.idle.ms", CL_KEY_ALL, 0, 2147483647),
    RENAMED_LONG("metadata.max.age.ms", CL_KEY_ALL, "topic.metadata.refresh.interval.ms", 10, 3600000),
    HARMLESS("metadata.max.idle.ms", CL_KEY_P, "librdkafka forgets unused topics by itself"),
    HARMLESS("metadata.recovery.strategy", CL_KEY_ALL,
             "librdkafka keeps the bootstrap addresses and retries them"),
    HARMLESS("metadata.recovery.rebootstrap.trigger.ms", CL_KEY_ALL, "as metadata.recovery.strategy"),
    RENAMED_INT("receive.buffer.bytes", CL_KEY_ALL, "socket.receive.buffer.bytes", 0, 100000000),
    RENAMED_INT("send.buffer.bytes", CL_KEY_ALL, "socket.send.buffer.bytes", 0, 100000000),
    SAME_LONG("reconnect.backoff.ms", CL_KEY_ALL, 0, 3600000),
    SAME_LONG("reconnect.backoff.max.ms", CL_KEY_ALL, 0, 3600000),
    MAPPED("request.timeout.ms", CL_KEY_ALL, "socket.timeout.ms", cl_conf_map_request_timeout,
           "the client's patience and, for a producer, the broker's"),
    SAME_LONG("retry.backoff.ms", CL_KEY_P, 1, 300000),
    HARMLESS("retry.backoff.ms", CL_KEY_CA, "librdkafka has its own pauses here"),
    HARMLESS("retry.backoff.max.ms", CL_KEY_ALL, "librdkafka's pause is constant"),
    SAME_LONG("socket.connection.setup.timeout.ms", CL_KEY_ALL, 1000, 2147483647),
    HARMLESS("socket.connection.setup.timeout.max.ms", CL_KEY_ALL, "librdkafka's limit is constant"),
    HARMLESS("default.api.timeout.ms", CL_KEY_CA, "the host gives each call its own deadline"),
    REFUSED("config.providers", CL_KEY_ALL, NULL,
            "providers of the worker file resolve variables here; name them there and remove the key"),

    /* Consumer. */
    SAME("allow.auto.create.topics", CL_KEY_C),
    SAME_INT("auto.commit.interval.ms", CL_KEY_C, 0, 86400000),
    MAPPED("auto.offset.reset", CL_KEY_C, "auto.offset.reset", cl_conf_map_offset_reset,
           "none is librdkafka's error"),
    SAME("check.crcs", CL_KEY_C),
    MAPPED("enable.auto.commit", CL_KEY_C, "enable.auto.commit", cl_conf_map_auto_commit, "false only"),
    WARN("exclude.internal.topics", CL_KEY_C, "true", "internal topics never match"),
    SAME_INT("fetch.max.bytes", CL_KEY_C, 1000000, 2147483135),
    RENAMED_INT("fetch.max.wait.ms", CL_KEY_C, "fetch.wait.max.ms", 0, 300000),
    SAME_INT("fetch.min.bytes", CL_KEY_C, 1, 100000000),
    SAME("group.id", CL_KEY_C),
    SAME("group.instance.id", CL_KEY_C),
    WARN("group.protocol", CL_KEY_C, "classic", "librdkafka 2.0.2 knows the classic protocol only"),
    WARN("group.remote.assignor", CL_KEY_C, NULL, "as group.protocol"),
    SAME_INT("heartbeat.interval.ms", CL_KEY_C, 1, 3600000),
    HARMLESS("internal.throw.on.fetch.stable.offset.unsupported", CL_KEY_C, "internal to Java"),
    SAME("isolation.level", CL_KEY_C),
    RENAMED_INT("max.partition.fetch.bytes", CL_KEY_C, "fetch.message.max.bytes", 1, 1000000000),
    SAME_INT("max.poll.interval.ms", CL_KEY_C, 1, 86400000),
    HARMLESS("max.poll.records", CL_KEY_C, "the host fills batches up to it"),
    MAPPED("partition.assignment.strategy", CL_KEY_C, "partition.assignment.strategy", cl_conf_map_assignors,
           "cooperative rebalancing is faulty in librdkafka 2.0.2: range instead"),
    SAME_INT("session.timeout.ms", CL_KEY_C, 1, 3600000),
    HARMLESS("share.acknowledgement.mode", CL_KEY_C, "share groups are not used"),
    HARMLESS("share.acquire.mode", CL_KEY_C, "share groups are not used"),
    HARMLESS("key.deserializer", CL_KEY_C, "converters do this"),
    HARMLESS("value.deserializer", CL_KEY_C, "converters do this"),
    WARN("interceptor.classes", CL_KEY_CP, NULL, "Java classes cannot run here"),

    /* Producer. */
    SAME("acks", CL_KEY_P),
    SAME_INT("batch.size", CL_KEY_P, 1, 2147483647),
    MAPPED("buffer.memory", CL_KEY_P, "queue.buffering.max.kbytes", cl_conf_map_kbytes, "bytes to kilobytes"),
    MAPPED("compression.gzip.level", CL_KEY_P, "compression.level", cl_conf_map_level,
           "when compression.type=gzip"),
    MAPPED("compression.lz4.level", CL_KEY_P, "compression.level", cl_conf_map_level,
           "when compression.type=lz4"),
    MAPPED("compression.zstd.level", CL_KEY_P, "compression.level", cl_conf_map_level,
           "when compression.type=zstd"),
    RENAMED("compression.type", CL_KEY_P, "compression.codec"),
    MAPPED("delivery.timeout.ms", CL_KEY_P, "message.timeout.ms", cl_conf_map_delivery_timeout,
           "2147483647 is librdkafka's 0: without limit"),
    SAME("enable.idempotence", CL_KEY_P),
    SAME_LONG("linger.ms", CL_KEY_P, 0, 900000),
    HARMLESS("max.block.ms", CL_KEY_P, "the host polls and retries while the queue is full"),
    SAME_INT("max.in.flight.requests.per.connection", CL_KEY_P, 1, 1000000),
    RENAMED_INT("max.request.size", CL_KEY_P, "message.max.bytes", 1000, 1000000000),
    HARMLESS("partitioner.adaptive.partitioning.enable", CL_KEY_P,
             "librdkafka has its own sticky partitioning"),
    HARMLESS("partitioner.availability.timeout.ms", CL_KEY_P, "as partitioner.adaptive.partitioning.enable"),
    MAPPED("partitioner.class", CL_KEY_P, "partitioner", cl_conf_map_partitioner,
           "Java's default is murmur2_random"),
    MAPPED("partitioner.ignore.keys", CL_KEY_P, "partitioner", cl_conf_map_ignore_keys,
           "true is librdkafka's random"),
    SAME_INT("retries", CL_KEY_P, 0, 2147483647),
    HARMLESS("retries", CL_KEY_A, "librdkafka retries admin calls until their deadline"),
    SAME_INT("transaction.timeout.ms", CL_KEY_P, 1000, 2147483647),
    REFUSED("transaction.two.phase.commit.enable", CL_KEY_P, "false", "librdkafka has no two-phase commit"),
    SAME("transactional.id", CL_KEY_P),
    HARMLESS("key.serializer", CL_KEY_P, "converters do this"),
    HARMLESS("value.serializer", CL_KEY_P, "converters do this"),

    /* Metrics. */
    HARMLESS("enable.metrics.push", CL_KEY_ALL, METRICS),
    WARN("metric.reporters", CL_KEY_ALL, "org.apache.kafka.common.metrics.JmxReporter", METRICS),
    HARMLESS("metrics.num.samples", CL_KEY_ALL, METRICS),
    HARMLESS("metrics.recording.level", CL_KEY_ALL, METRICS),
    HARMLESS("metrics.sample.window.ms", CL_KEY_ALL, METRICS),

    /* TLS: the stores belong together, conf_tls.c maps them. */
    MAPPED("security.protocol", CL_KEY_ALL, "security.protocol", cl_conf_map_lower, "lower case"),
    WARN("security.providers", CL_KEY_ALL, NULL, "Java classes cannot run here"),
    STORE("ssl.cipher.suites", "OpenSSL's names"),
    WARN("ssl.enabled.protocols", CL_KEY_ALL, "TLSv1.2,TLSv1.3", "OpenSSL's configuration decides"),
    STORE("ssl.endpoint.identification.algorithm", "empty is librdkafka's none"),
    REFUSED("ssl.engine.factory.class", CL_KEY_ALL, NULL,
            "Java classes cannot run here; use PEM or PKCS12 stores"),
    STORE("ssl.key.password", "of a PEM key"),
    WARN("ssl.keymanager.algorithm", CL_KEY_ALL, "SunX509", "OpenSSL has its own"),
    STORE("ssl.keystore.certificate.chain", "ssl.certificate.pem"),
    STORE("ssl.keystore.key", "ssl.key.pem"),
    STORE("ssl.keystore.location",
          "PEM: ssl.key.location, ssl.certificate.location; PKCS12: ssl.key.pem, ssl.certificate.pem"),
    STORE("ssl.keystore.password", "of a PKCS12 store"),
    STORE("ssl.keystore.type", "decides between the ways"),
    WARN("ssl.protocol", CL_KEY_ALL, "TLSv1.3", "OpenSSL negotiates the version"),
    WARN("ssl.provider", CL_KEY_ALL, NULL, "Java's security providers do not exist here"),
    WARN("ssl.secure.random.implementation", CL_KEY_ALL, NULL, "OpenSSL has its own"),
    WARN("ssl.trustmanager.algorithm", CL_KEY_ALL, "PKIX", "OpenSSL has its own"),
    STORE("ssl.truststore.certificates", "ssl.ca.pem"),
    STORE("ssl.truststore.location", "PEM: ssl.ca.location; PKCS12: read here, ssl.ca.pem"),
    STORE("ssl.truststore.password", "of a PKCS12 store"),
    STORE("ssl.truststore.type", "decides between the ways"),

    /* SASL: mechanism, JAAS and handlers belong together, conf_jaas.c maps them. */
    STORE("sasl.mechanism", "same"),
    STORE("sasl.jaas.config", "user name and password, or keytab and principal, or OAuth client"),
    STORE("sasl.client.callback.handler.class", "Java classes cannot run here"),
    STORE("sasl.login.callback.handler.class", "OAuthBearerLoginCallbackHandler is librdkafka's oidc"),
    STORE("sasl.login.class", "Java classes cannot run here"),
    STORE("sasl.kerberos.kinit.cmd", "Java's program, librdkafka's command line"),
    STORE("sasl.kerberos.service.name", "same"),
    STORE("sasl.kerberos.min.time.before.relogin", "same, cut to its range"),
    HARMLESS("sasl.kerberos.ticket.renew.jitter", CL_KEY_ALL, LOGIN),
    HARMLESS("sasl.kerberos.ticket.renew.window.factor", CL_KEY_ALL, LOGIN),
    HARMLESS("sasl.login.connect.timeout.ms", CL_KEY_ALL, LOGIN),
    HARMLESS("sasl.login.read.timeout.ms", CL_KEY_ALL, LOGIN),
    HARMLESS("sasl.login.refresh.buffer.seconds", CL_KEY_ALL, LOGIN),
    HARMLESS("sasl.login.refresh.min.period.seconds", CL_KEY_ALL, LOGIN),
    HARMLESS("sasl.login.refresh.window.factor", CL_KEY_ALL, LOGIN),
    HARMLESS("sasl.login.refresh.window.jitter", CL_KEY_ALL, LOGIN),
    HARMLESS("sasl.login.retry.backoff.max.ms", CL_KEY_ALL, LOGIN),
    HARMLESS("sasl.login.retry.backoff.ms", CL_KEY_ALL, LOGIN),
    STORE("sasl.oauthbearer.token.endpoint.url", "same, with librdkafka's oidc"),
    STORE("sasl.oauthbearer.client.credentials.client.id", "sasl.oauthbearer.client.id"),
    STORE("sasl.oauthbearer.client.credentials.client.secret", "sasl.oauthbearer.client.secret"),
    STORE("sasl.oauthbearer.scope", "same"),
    REFUSED("sasl.oauthbearer.jwt.retriever.class", CL_KEY_ALL,
            "org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever",
            "Java classes cannot run here"),
    WARN("sasl.oauthbearer.jwt.validator.class", CL_KEY_ALL,
         "org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator", "Java classes cannot run here"),
    HARMLESS("sasl.oauthbearer.assertion.algorithm", CL_KEY_ALL, "nothing without an assertion's key"),
    HARMLESS("sasl.oauthbearer.assertion.claim.aud", CL_KEY_ALL, "nothing without an assertion's key"),
    HARMLESS("sasl.oauthbearer.assertion.claim.exp.seconds", CL_KEY_ALL,
             "nothing without an assertion's key"),
    HARMLESS("sasl.oauthbearer.assertion.claim.iss", CL_KEY_ALL, "nothing without an assertion's key"),
    HARMLESS("sasl.oauthbearer.assertion.claim.jti.include", CL_KEY_ALL,
             "nothing without an assertion's key"),
    HARMLESS("sasl.oauthbearer.assertion.claim.nbf.seconds", CL_KEY_ALL,
             "nothing without an assertion's key"),
    HARMLESS("sasl.oauthbearer.assertion.claim.sub", CL_KEY_ALL, "nothing without an assertion's key"),
    REFUSED("sasl.oauthbearer.assertion.file", CL_KEY_ALL, NULL, ASSERTION),
    REFUSED("sasl.oauthbearer.assertion.private.key.file", CL_KEY_ALL, NULL, ASSERTION),
    HARMLESS("sasl.oauthbearer.assertion.private.key.passphrase", CL_KEY_ALL,
             "nothing without an assertion's key"),
    HARMLESS("sasl.oauthbearer.assertion.template.file", CL_KEY_ALL, "nothing without an assertion's key"),
    HARMLESS("sasl.oauthbearer.clock.skew.seconds", CL_KEY_ALL, JWT_CHECK),
    HARMLESS("sasl.oauthbearer.expected.audience", CL_KEY_ALL, JWT_CHECK),
    HARMLESS("sasl.oauthbearer.expected.issuer", CL_KEY_ALL, JWT_CHECK),
    WARN("sasl.oauthbearer.header.urlencode", CL_KEY_ALL, "false", "librdkafka never encodes them"),
    HARMLESS("sasl.oauthbearer.jwks.endpoint.refresh.ms", CL_KEY_ALL, JWT_CHECK),
    HARMLESS("sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms", CL_KEY_ALL, JWT_CHECK),
    HARMLESS("sasl.oauthbearer.jwks.endpoint.retry.backoff.ms", CL_KEY_ALL, JWT_CHECK),
    HARMLESS("sasl.oauthbearer.jwks.endpoint.url", CL_KEY_ALL, JWT_CHECK),
    HARMLESS("sasl.oauthbearer.scope.claim.name", CL_KEY_ALL, JWT_CHECK),
    HARMLESS("sasl.oauthbearer.sub.claim.name", CL_KEY_ALL, JWT_CHECK),
};
const size_t cl_conf_java_n = sizeof(cl_conf_java_rows) / sizeof(*cl_conf_java_rows);

const struct cl_key_row *cl_conf_java_find(enum cl_client_kind kind, const char *java) {
  const struct cl_key_row *other = NULL;
  for (size_t i = 0; i < cl_conf_java_n; i++) {
    const struct cl_key_row *row = &cl_conf_java_rows[i];
    if (strcmp(row->java, java) == 0) {
      if (row->kinds & (1u << kind))
        return row;
      other = row;
    }
  }
  return other;
}
