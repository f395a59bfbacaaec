/* SPDX-License-Identifier: Apache-2.0
 *
 * What Apache Kafka 4.2's clients refuse of a setting: its type, then its validator. A unit test
 * holds the table against spec/fixtures/java-client-checks.txt.
 * Any thread, constant data. May include base and librdkafka.
 */
#include "kafka/conf_internal.h"

#include <math.h>
#include <string.h>
#include <strings.h>

static const char *const acks[] = {"all", "-1", "0", "1", NULL};
static const char *const algorithms[] = {"ES256", "RS256", NULL};
static const char *const codecs[] = {"none", "gzip", "snappy", "lz4", "zstd", NULL};
static const char *const dns_lookups[] = {"use_all_dns_ips", "resolve_canonical_bootstrap_servers_only",
                                          NULL};
static const char *const isolation_levels[] = {"read_committed", "read_uncommitted", NULL};
static const char *const metric_levels[] = {"INFO", "DEBUG", "TRACE", NULL};
static const char *const security_protocols[] = {"SASL_SSL", "PLAINTEXT", "SSL", "SASL_PLAINTEXT", NULL};
static const char *const group_protocols[] = {"CONSUMER", "CLASSIC", NULL};
static const char *const recoveries[] = {"REBOOTSTRAP", "NONE", NULL};

enum more { /* validators of one key each, and Java's for lists */
            PLAIN,
            ITEMS,    /* no empty item */
            GZIP,     /* 1 to 9, or -1 */
            RESET,    /* earliest, latest, none or by_duration: */
            ACK_MODE, /* implicit or explicit */
            ACQUIRE   /* batch_optimized or record_limit, any case */
};

#define RANGE(key, least, most)                                                                              \
  { .java = key, .check = CL_CHECK_RANGE, .min = (least), .max = (most) }
#define LEAST(key, least) RANGE(key, least, HUGE_VAL)
#define ONE_OF(key, list)                                                                                    \
  { .java = key, .check = CL_CHECK_ONE_OF, .values = (list) }
#define ANY_CASE(key, list)                                                                                  \
  { .java = key, .check = CL_CHECK_ONE_OF_ICASE, .values = (list) }
#define FULL(key)                                                                                            \
  { .java = key, .check = CL_CHECK_NON_EMPTY }
#define MORE(key, which)                                                                                     \
  { .java = key, .more = (which) }

/* A key has the same validator in each client that has the key. */
static const struct check {
  const char *java;
  enum cl_conf_check check;
  double min, max;
  const char *const *values;
  enum more more;
} checks[] = {
    ONE_OF("acks", acks),
    LEAST("auto.commit.interval.ms", 0),
    MORE("auto.offset.reset", RESET),
    LEAST("batch.size", 0),
    MORE("bootstrap.controllers", ITEMS),
    {.java = "bootstrap.servers", .check = CL_CHECK_NON_EMPTY, .more = ITEMS},
    LEAST("buffer.memory", 0),
    ONE_OF("client.dns.lookup", dns_lookups),
    MORE("compression.gzip.level", GZIP),
    RANGE("compression.lz4.level", 1, 17),
    ONE_OF("compression.type", codecs),
    RANGE("compression.zstd.level", -131072, 22),
    MORE("config.providers", ITEMS),
    LEAST("default.api.timeout.ms", 0),
    LEAST("delivery.timeout.ms", 0),
    LEAST("fetch.max.bytes", 0),
    LEAST("fetch.max.wait.ms", 0),
    LEAST("fetch.min.bytes", 0),
    FULL("group.instance.id"),
    ANY_CASE("group.protocol", group_protocols),
    MORE("interceptor.classes", ITEMS),
    ONE_OF("isolation.level", isolation_levels),
    LEAST("linger.ms", 0),
    LEAST("max.block.ms", 0),
    LEAST("max.in.flight.requests.per.connection", 1),
    LEAST("max.partition.fetch.bytes", 0),
    LEAST("max.poll.interval.ms", 1),
    LEAST("max.poll.records", 1),
    LEAST("max.request.size", 0),
    LEAST("metadata.max.age.ms", 0),
    LEAST("metadata.max.idle.ms", 5000),
    LEAST("metadata.recovery.rebootstrap.trigger.ms", 0),
    ANY_CASE("metadata.recovery.strategy", recoveries),
    MORE("metric.reporters", ITEMS),
    LEAST("metrics.num.samples", 1),
    ONE_OF("metrics.recording.level", metric_levels),
    LEAST("metrics.sample.window.ms", 0),
    MORE("partition.assignment.strategy", ITEMS),
    LEAST("partitioner.availability.timeout.ms", 0),
    LEAST("receive.buffer.bytes", -1),
    LEAST("reconnect.backoff.max.ms", 0),
    LEAST("reconnect.backoff.ms", 0),
    LEAST("request.timeout.ms", 0),
    RANGE("retries", 0, INT32_MAX),
    LEAST("retry.backoff.max.ms", 0),
    LEAST("retry.backoff.ms", 0),
    RANGE("sasl.login.refresh.buffer.seconds", 0, 3600),
    RANGE("sasl.login.refresh.min.period.seconds", 0, 900),
    RANGE("sasl.login.refresh.window.factor", 0.5, 1.0),
    RANGE("sasl.login.refresh.window.jitter", 0.0, 0.25),
    ANY_CASE("sasl.oauthbearer.assertion.algorithm", algorithms),
    RANGE("sasl.oauthbearer.assertion.claim.exp.seconds", 0, 86400),
    RANGE("sasl.oauthbearer.assertion.claim.nbf.seconds", 0, 3600),
    MORE("sasl.oauthbearer.expected.audience", ITEMS),
    ANY_CASE("security.protocol", security_protocols),
    LEAST("send.buffer.bytes", -1),
    MORE("share.acknowledgement.mode", ACK_MODE),
    MORE("share.acquire.mode", ACQUIRE),
    MORE("ssl.cipher.suites", ITEMS),
    MORE("ssl.enabled.protocols", ITEMS),
    FULL("transactional.id"),
};

static const struct check *find(const char *java) {
  for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++)
    if (strcmp(checks[i].java, java) == 0)
      return &checks[i];
  return NULL;
}

static int check_items(struct cl_conf_run *run, const char *java, const json_t *list) {
  size_t i;
  json_t *item;
  json_array_foreach ((json_t *)list, i, item) {
    if (json_string_length(item) > 0)
      continue;
    cl_err_set(run->err, CL_EINVAL, "Configuration '%s' values must not be empty.", java);
    run->err->class = CL_JAVA_CONFIG;
    return CL_EINVAL;
  }
  return 0;
}

/* Java's text names value and key twice. */
static int refuse_twice(struct cl_conf_run *run, const char *java, const char *value, const char *rule) {
  return cl_conf_refuse(run, java, value, "Invalid value `%.200s` for configuration %s. The value must %s",
                        value, java, rule);
}

static int check_more(struct cl_conf_run *run, enum more more, const char *java, const char *value,
                      const struct cl_conf_value *v) {
  switch (more) {
  case PLAIN: return 0;
  case ITEMS: return check_items(run, java, v->list);
  case GZIP:
    return v->i == -1 || (v->i >= 1 && v->i <= 9)
               ? 0
               : cl_conf_refuse(run, java, value, "Value must be between 1 and 9 or equal to -1");
  case RESET: /* which durations there are does not matter: none is possible here */
    if (strcmp(value, "earliest") == 0 || strcmp(value, "latest") == 0 || strcmp(value, "none") == 0 ||
        strncmp(value, "by_duration:", 12) == 0)
      return 0;
    return refuse_twice(
        run, java, value,
        "be either 'earliest', 'latest', 'none' or of the format 'by_duration:<PnDTnHnMn.nS.>'.");
  case ACK_MODE:
    if (strcmp(value, "implicit") == 0 || strcmp(value, "explicit") == 0)
      return 0;
    return refuse_twice(run, java, value, "either be 'implicit' or 'explicit'.");
  case ACQUIRE:
    if (strcasecmp(value, "batch_optimized") == 0 || strcasecmp(value, "record_limit") == 0)
      return 0;
    return refuse_twice(run, java, value, "either be 'batch_optimized' or 'record_limit'.");
  }
  return 0;
}

int cl_conf_check_java(struct cl_conf_run *run, const char *java, const char *value) {
  struct cl_conf_row row;
  struct cl_conf_value v = {0};
  const struct check *check = find(java);
  if (!cl_client_def(run->kind, java, &row))
    return 0;
  if (check) {
    row.check = check->check;
    row.min = check->min;
    row.max = check->max;
    row.values = check->values;
  }
  int rc = cl_conf_parse_one(&row, value, &v, run->err);
  if (rc == 0 && check)
    rc = check_more(run, check->more, java, value, &v);
  cl_conf_value_free(&v);
  return rc;
}
