/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows of the worker file: Apache's standalone definition, then connect.lua.*.
 * Any thread, constant data. May include base.
 */
#include "worker/config.h"

#include <math.h>

#define KEY(name_, type_, dflt_, importance_, doc_)                                                          \
  .name = name_, .type = CL_CONF_##type_, .dflt = dflt_, .importance = CL_CONF_##importance_, .doc = doc_,   \
  .order = -1
#define ROW(name, type, dflt, importance, doc)                                                               \
  { KEY(name, type, dflt, importance, doc) }
#define NEEDED(name, type, importance, doc)                                                                  \
  { KEY(name, type, NULL, importance, doc), .required = true }
#define ATLEAST(name, type, dflt, importance, least, doc)                                                    \
  { KEY(name, type, dflt, importance, doc), .check = CL_CHECK_RANGE, .min = least, .max = HUGE_VAL }
#define ONEOF(name, dflt, importance, list, doc)                                                             \
  { KEY(name, STRING, dflt, importance, doc), .check = CL_CHECK_ONE_OF, .values = list }
#define ONEOF_ICASE(name, dflt, importance, list, doc)                                                       \
  { KEY(name, STRING, dflt, importance, doc), .check = CL_CHECK_ONE_OF_ICASE, .values = list }

static const char *const dns_lookups[] = {"use_all_dns_ips", "resolve_canonical_bootstrap_servers_only",
                                          NULL};
static const char *const discoveries[] = {"only_scan", "service_load", "hybrid_warn", "hybrid_fail", NULL};
static const char *const metric_levels[] = {"INFO", "DEBUG", NULL};
static const char *const client_auths[] = {"required", "requested", "none", NULL};
static const char *const log_formats[] = {"text", "json", NULL};
static const char *const log_levels[] = {"all",   "trace", "debug", "info", "warn",
                                         "error", "fatal", "off",   NULL};

static const struct cl_conf_row rows[] = {
    ROW("bootstrap.servers", LIST, "localhost:9092", HIGH,
        "Brokers, host:port, for all clients; the word embedded starts a broker in memory."),
    ONEOF("client.dns.lookup", "use_all_dns_ips", MEDIUM, dns_lookups, "How clients use DNS."),
    NEEDED("key.converter", CLASS, HIGH, "Converter of record keys; its settings begin with key.converter."),
    ROW("key.converter.plugin.version", STRING, NULL, LOW, "Version of the key converter."),
    NEEDED("value.converter", CLASS, HIGH,
           "Converter of record values; its settings begin with value.converter."),
    ROW("value.converter.plugin.version", STRING, NULL, LOW, "Version of the value converter."),
    ROW("task.shutdown.graceful.timeout.ms", LONG, "5000", LOW,
        "How long all tasks together may take to stop before they are abandoned."),
    /* Apache fails each source task of a worker with less, and its sinks never rest */
    ATLEAST("offset.flush.interval.ms", LONG, "60000", LOW, 1, "Pause between commits of a task's offsets."),
    ROW("offset.flush.timeout.ms", LONG, "5000", LOW,
        "How long one commit of offsets may take before it is given up."),
    ROW("plugin.path", LIST, NULL, LOW, "Folders with plugins."),
    ONEOF_ICASE("plugin.discovery", "hybrid_warn", LOW, discoveries,
                "How Apache's worker finds plugins; no effect here."),
    ATLEAST("metrics.sample.window.ms", LONG, "30000", LOW, 0, "Window of one metrics sample."),
    ATLEAST("metrics.num.samples", INT, "2", LOW, 1, "Samples kept for a metric."),
    ONEOF("metrics.recording.level", "INFO", LOW, metric_levels, "Detail of metrics."),
    ROW("metric.reporters", LIST, "org.apache.kafka.common.metrics.JmxReporter", LOW,
        "Java classes that report metrics."),
    ROW("header.converter", CLASS, "org.apache.kafka.connect.storage.SimpleHeaderConverter", LOW,
        "Converter of record headers; its settings begin with header.converter."),
    ROW("header.converter.plugin.version", STRING, NULL, LOW, "Version of the header converter."),
    ROW("config.providers", LIST, "", LOW, "Names of config providers."),
    ROW("connector.client.config.override.policy", STRING, "All", MEDIUM,
        "What connectors may override of client settings: All, None, Principal or Allowlist."),
    ROW("connector.client.config.override.allowlist", LIST, "", MEDIUM,
        "Client settings that connectors may override under the policy Allowlist."),
    ROW("topic.creation.enable", BOOLEAN, "true", LOW,
        "Whether source connectors may configure the topics they create."),
    ROW("ssl.protocol", STRING, "TLSv1.3", MEDIUM, "TLS version."),
    ROW("ssl.provider", STRING, NULL, MEDIUM, "Java security provider."),
    ROW("ssl.cipher.suites", LIST, "", LOW, "Cipher suites."),
    ROW("ssl.enabled.protocols", LIST, "TLSv1.2,TLSv1.3", MEDIUM, "TLS versions allowed."),
    ROW("ssl.keystore.type", STRING, "JKS", MEDIUM, "Format of the key store: PEM or PKCS12."),
    ROW("ssl.keystore.location", STRING, NULL, HIGH, "File with the key and its certificates."),
    ROW("ssl.keystore.password", PASSWORD, NULL, HIGH, "Password of the key store."),
    ROW("ssl.key.password", PASSWORD, NULL, HIGH, "Password of the private key."),
    ROW("ssl.keystore.key", PASSWORD, NULL, HIGH, "Private key, PEM text."),
    ROW("ssl.keystore.certificate.chain", PASSWORD, NULL, HIGH, "Certificates of the key, PEM text."),
    ROW("ssl.truststore.certificates", PASSWORD, NULL, HIGH, "Trusted certificates, PEM text."),
    ROW("ssl.truststore.type", STRING, "JKS", MEDIUM, "Format of the trust store: PEM or PKCS12."),
    ROW("ssl.truststore.location", STRING, NULL, HIGH, "File with the trusted certificates."),
    ROW("ssl.truststore.password", PASSWORD, NULL, HIGH, "Password of the trust store."),
    ROW("ssl.keymanager.algorithm", STRING, "SunX509", LOW, "Java key manager."),
    ROW("ssl.trustmanager.algorithm", STRING, "PKIX", LOW, "Java trust manager."),
    ROW("ssl.endpoint.identification.algorithm", STRING, "https", LOW,
        "Check of the broker's name; empty = none."),
    ROW("ssl.secure.random.implementation", STRING, NULL, LOW, "Java random generator."),
    ROW("ssl.engine.factory.class", CLASS, NULL, LOW, "Java class that makes TLS engines."),
    ROW("topic.tracking.enable", BOOLEAN, "true", LOW, "Whether the topics a connector uses are recorded."),
    ROW("topic.tracking.allow.reset", BOOLEAN, "true", LOW, "Whether REST may reset the recorded topics."),
    ROW("listeners", LIST, "http://:8083", LOW, "REST listeners, scheme://host:port."),
    ROW("rest.advertised.host.name", STRING, NULL, LOW, "Host name others reach this worker by."),
    ROW("rest.advertised.port", INT, NULL, LOW, "Port others reach this worker by."),
    ROW("rest.advertised.listener", STRING, NULL, LOW, "Scheme others reach this worker by."),
    ROW("access.control.allow.origin", STRING, "", LOW, "Origins allowed by CORS."),
    ROW("access.control.allow.methods", STRING, "", LOW, "Methods allowed by CORS."),
    ROW("response.http.headers.config", STRING, "", LOW, "Extra headers of REST answers."),
    ONEOF("ssl.client.auth", "none", LOW, client_auths, "Whether REST clients need a certificate."),
    ROW("rest.extension.classes", LIST, "", LOW, "Java classes that extend REST."),
    ROW("admin.listeners", LIST, NULL, LOW, "Listeners of the logger routes."),
    ROW("offset.storage.file.filename", STRING, NULL, HIGH,
        "File that keeps source offsets; not needed with embedded."),
    ROW("connect.lua.connectors.file", STRING, NULL, MEDIUM,
        "File that keeps the connectors made over REST; they are forgotten at the end when not set."),
    ROW("connect.lua.grants", LIST, "", MEDIUM,
        "What plugins may do beyond the sandbox: PLUGIN:GRANT, one of files, io, os, ffi, debug, jit."),
    ATLEAST("connect.lua.memory.max.bytes", LONG, "67108864", MEDIUM, 1048576,
            "Ceiling of one task's Lua memory, and again of its records."),
    ATLEAST("connect.lua.consumer.buffer.bytes", LONG, "268435456", MEDIUM, 1048576,
            "What all consumers together may hold of fetched records."),
    ROW("connect.lua.reload", BOOLEAN, "true", MEDIUM,
        "Whether plugin files that change while the worker runs take the place of what they were."),
    ATLEAST("connect.lua.watchdog.ms", LONG, "60000", LOW, 0,
            "How long a call of a plugin may take before it is reported; 0 = never."),
    ROW("connect.lua.rest.mask.passwords", BOOLEAN, "false", MEDIUM,
        "Whether REST shows passwords in configs as [hidden], which then stands for the stored value."),
    ATLEAST("connect.lua.rest.body.max.bytes", INT, "1048576", LOW, 1024, "Ceiling of a request's body."),
    ATLEAST("connect.lua.rest.head.max.bytes", INT, "32768", LOW, 4096,
            "Ceiling of a request's line and headers, and the memory of its connection."),
    ATLEAST("connect.lua.rest.connections.max", INT, "1000", LOW, 4,
            "Connections each REST listener serves at a time; further clients wait."),
    ATLEAST("connect.lua.rest.idle.timeout.ms", LONG, "30000", LOW, 1000,
            "How long a REST connection may be silent, in whole seconds."),
    ATLEAST("connect.lua.rest.head.timeout.ms", LONG, "30000", LOW, 100,
            "How long a client may take for a handshake or a request's line and headers."),
    ATLEAST("connect.lua.rest.request.timeout.ms", LONG, "90000", LOW, 100,
            "How long a request's body may take to come, a change to be made, an answer to be taken."),
    ROW("connect.lua.rest.basic.auth.file", STRING, NULL, MEDIUM,
        "File of users and hashes who may use REST, user:hash in each line; everybody when not set."),
    ROW("connect.lua.rest.basic.auth.jaas.config", STRING, NULL, MEDIUM,
        "JAAS file of Apache's basic auth extension; that of KAFKA_OPTS when not set."),
    ROW("connect.lua.log.file", STRING, NULL, LOW,
        "File the log is appended to; standard error when not set."),
    ONEOF_ICASE("connect.lua.log.format", "text", LOW, log_formats,
                "Lines for people, or a JSON object a line."),
    ONEOF_ICASE("connect.lua.log.level", "info", LOW, log_levels, "Lowest level that is logged."),
};

static const struct cl_conf_def def = {.rows = rows, .n = sizeof(rows) / sizeof(*rows)};

const struct cl_conf_def *cl_worker_def(void) { return &def; }
