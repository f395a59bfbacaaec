/* SPDX-License-Identifier: Apache-2.0
 *
 * Client settings whose value changes on the way to librdkafka, and those that only make
 * sense together. Any thread, no state. May include base and librdkafka.
 */
#define CL_COMPONENT "kafka.conf"
#include "kafka/conf_internal.h"

#include "base/log.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int cl_conf_map_lower(struct cl_conf_run *run, const struct cl_key_row *row, const char *value) {
  char *lower = strdup(value);
  if (!lower)
    return cl_err_set(run->err, CL_ENOMEM, "out of memory");
  for (char *p = lower; *p; p++)
    *p = (char)tolower((unsigned char)*p);
  int rc = cl_conf_put(run, row->java, row->name, lower);
  free(lower);
  return rc;
}

/* librdkafka would commit the offsets of records it handed out, whether a sink has them or not. */
int cl_conf_map_auto_commit(struct cl_conf_run *run, const struct cl_key_row *row, const char *value) {
  if (strcasecmp(value, "false") != 0)
    return cl_conf_refuse(run, row->java, value,
                          "the worker commits offsets itself, once records are safe; only false is possible");
  return cl_conf_put(run, row->java, row->name, "false");
}

int cl_conf_map_offset_reset(struct cl_conf_run *run, const struct cl_key_row *row, const char *value) {
  if (strncmp(value, "by_duration:", 12) == 0)
    return cl_conf_refuse(run, row->java, value,
                          "librdkafka cannot reset by duration; use earliest, latest or none");
  return cl_conf_put(run, row->java, row->name, strcmp(value, "none") == 0 ? "error" : value);
}

/* The name after the last dot of a Java class, or all of it. */
static const char *simple_name(const char *class) {
  const char *dot = strrchr(class, '.');
  return dot ? dot + 1 : class;
}

int cl_conf_map_assignors(struct cl_conf_run *run, const struct cl_key_row *row, const char *value) {
  static const struct {
    const char *name;
    bool roundrobin, instead;
  } known[] = {
      {"RangeAssignor", false, false},     {"range", false, false},
      {"RoundRobinAssignor", true, false}, {"roundrobin", true, false},
      {"StickyAssignor", false, true},     {"CooperativeStickyAssignor", false, true},
      {"cooperative-sticky", false, true},
  };
  bool range = false, roundrobin = false, range_first = false;
  for (const char *p = value; *p;) {
    char name[160] = "";
    size_t n = strcspn(p, ","), skip = strspn(p, " ");
    size_t len = n - skip;
    while (len > 0 && p[skip + len - 1] == ' ')
      len--;
    if (len < sizeof(name))
      memcpy(name, p + skip, len);
    size_t i = 0, count = sizeof(known) / sizeof(*known);
    while (i < count && strcmp(known[i].name, simple_name(name)) != 0)
      i++;
    if (i == count)
      return cl_conf_refuse(run, row->java, value,
                            "\"%.*s\" is a Java class that cannot run here; use range or roundrobin",
                            (int)len, p + skip);
    if (known[i].instead)
      CL_LOG(CL_DEBUG, "%s: range is used instead of %s", row->java, name);
    range_first = range_first || (!known[i].roundrobin && !roundrobin);
    *(known[i].roundrobin ? &roundrobin : &range) = true;
    p += n + (p[n] == ',');
  }
  const char *both = range_first ? "range,roundrobin" : "roundrobin,range";
  return cl_conf_put(run, row->java, row->name,
                     range && roundrobin ? both
                     : roundrobin        ? "roundrobin"
                                         : "range");
}

int cl_conf_map_kbytes(struct cl_conf_run *run, const struct cl_key_row *row, const char *value) {
  int64_t v;
  int rc = cl_conf_number(run, row->java, value, "LONG", &v);
  return rc ? rc : cl_conf_put_number(run, row->java, row->name, v / 1024 + (v % 1024 > 0), 1, INT32_MAX);
}

/* Java: how long send may take in all; INT_MAX is Connect's "for ever". */
int cl_conf_map_delivery_timeout(struct cl_conf_run *run, const struct cl_key_row *row, const char *value) {
  int64_t v;
  int rc = cl_conf_number(run, row->java, value, "INT", &v);
  if (rc)
    return rc;
  if (v == 0)
    return cl_conf_refuse(
        run, row->java, value,
        "delivery.timeout.ms should be equal to or larger than linger.ms + request.timeout.ms");
  return cl_conf_put_number(run, row->java, row->name, v == INT32_MAX ? 0 : v, 0, INT32_MAX);
}

int cl_conf_map_request_timeout(struct cl_conf_run *run, const struct cl_key_row *row, const char *value) {
  int64_t v;
  int rc = cl_conf_number(run, row->java, value, "INT", &v);
  if (rc == 0)
    rc = cl_conf_put_number(run, row->java, row->name, v, 10, 300000);
  if (rc == 0 && run->kind == CL_CLIENT_PRODUCER)
    rc = cl_conf_put_number(run, row->java, "request.timeout.ms", v, 1, 900000);
  return rc;
}

/* compression.<codec>.level counts only for the codec in use. */
int cl_conf_map_level(struct cl_conf_run *run, const struct cl_key_row *row, const char *value) {
  int64_t v;
  int rc = cl_conf_number(run, row->java, value, "INT", &v);
  if (rc)
    return rc;
  char *codec = cl_conf_get(run, "compression.type", true);
  size_t n = codec ? strlen(codec) : 0;
  const char *named = row->java + strlen("compression.");
  if (n > 0 && strncmp(named, codec, n) == 0 && named[n] == '.')
    rc = cl_conf_put_number(run, row->java, row->name, v, -1, strcmp(codec, "gzip") == 0 ? 9 : 12);
  free(codec);
  return rc;
}

int cl_conf_map_partitioner(struct cl_conf_run *run, const struct cl_key_row *row, const char *value) {
  if (!*value || strcmp(simple_name(value), "DefaultPartitioner") == 0)
    return cl_conf_put(run, row->java, row->name, "murmur2_random");
  return cl_conf_refuse(run, row->java, value,
                        "Java classes cannot run here; remove the key, or set librdkafka's partitioner");
}

int cl_conf_map_ignore_keys(struct cl_conf_run *run, const struct cl_key_row *row, const char *value) {
  if (strcasecmp(value, "false") == 0)
    return 0;
  if (strcasecmp(value, "true") != 0)
    return cl_conf_refuse(run, row->java, value, "Expected value to be either true or false");
  return cl_conf_put(run, row->java, row->name, "random");
}

static int64_t out_number(const struct cl_conf_run *run, const char *name, int64_t dflt) {
  const char *text = cl_json_str(run->out, name);
  return text ? strtoll(text, NULL, 10) : dflt;
}

static int put_silently(struct cl_conf_run *run, const char *name, int64_t v) {
  return cl_conf_put_number(run, name, name, v, v, v);
}

static bool is_true(const struct cl_conf_run *run, const char *name) {
  const char *text = cl_json_str(run->out, name);
  return text && strcasecmp(text, "true") == 0;
}

static int conflict(struct cl_conf_run *run, const char *text) {
  cl_err_set(run->err, CL_EINVAL, "%s", text);
  run->err->class = CL_JAVA_CONFIG;
  return CL_EINVAL;
}

/* A member that beats too seldom is thrown out again and again. And librdkafka wants a member's
 * patience to be no longer than its polling allows. */
static int check_consumer(struct cl_conf_run *run) {
  int64_t session = out_number(run, "session.timeout.ms", 45000),
          heartbeat = out_number(run, "heartbeat.interval.ms", 3000);
  if (heartbeat >= session) {
    char text[160];
    snprintf(text, sizeof(text),
             "Heartbeat must be set lower than the session timeout: heartbeat.interval.ms is %" PRId64
             ", session.timeout.ms is %" PRId64,
             heartbeat, session);
    return conflict(run, text);
  }
  if (out_number(run, "max.poll.interval.ms", 300000) >= session)
    return 0;
  if (cl_json_str(run->java, "max.poll.interval.ms"))
    cl_conf_changed(run, "max.poll.interval.ms", "max.poll.interval.ms", session);
  return put_silently(run, "max.poll.interval.ms", session);
}

static int check_idempotence(struct cl_conf_run *run) {
  const char *acks = cl_json_str(run->out, "acks");
  if (!is_true(run, "enable.idempotence"))
    return 0;
  if (acks && strcmp(acks, "all") != 0 && strcmp(acks, "-1") != 0)
    return conflict(
        run, "Must set acks to all in order to use the idempotent producer. Otherwise we cannot guarantee "
             "idempotence.");
  if (out_number(run, "retries", 1) == 0)
    return conflict(run, "Must set retries to non-zero when using the idempotent producer.");
  int64_t in_flight = out_number(run, "max.in.flight.requests.per.connection", 5);
  if (in_flight > 5)
    return cl_conf_refuse(
        run, "max.in.flight.requests.per.connection",
        cl_json_str(run->out, "max.in.flight.requests.per.connection"),
        "To use the idempotent producer, max.in.flight.requests.per.connection must be set to at "
        "most 5. Current value is %" PRId64 ".",
        in_flight);
  return 0;
}

static int check_producer(struct cl_conf_run *run) {
  int64_t delivery = out_number(run, "message.timeout.ms", 0);
  int64_t least = out_number(run, "linger.ms", 5) + out_number(run, "request.timeout.ms", 30000);
  if (delivery > 0 && cl_json_str(run->java, "delivery.timeout.ms") && delivery < least)
    return conflict(run,
                    "delivery.timeout.ms should be equal to or larger than linger.ms + request.timeout.ms");
  if (cl_json_str(run->out, "transactional.id")) {
    /* librdkafka refuses a record that may outlive its transaction */
    int64_t transaction = out_number(run, "transaction.timeout.ms", 60000);
    int rc = 0;
    if (delivery == 0 || delivery > transaction)
      rc = put_silently(run, "message.timeout.ms", transaction);
    if (rc == 0 && out_number(run, "socket.timeout.ms", 0) > transaction)
      rc = put_silently(run, "socket.timeout.ms", transaction);
    if (rc)
      return rc;
  }
  return check_idempotence(run);
}

/* Java takes a pause that starts beyond its maximum; librdkafka does not. */
static int check_backoff(struct cl_conf_run *run) {
  const char *least = cl_json_str(run->out, "reconnect.backoff.ms");
  int64_t from = out_number(run, "reconnect.backoff.ms", 100),
          to = out_number(run, "reconnect.backoff.max.ms", 10000);
  if (from <= to)
    return 0;
  return least ? put_silently(run, "reconnect.backoff.max.ms", from)
               : put_silently(run, "reconnect.backoff.ms", to);
}

int cl_conf_cross_check(struct cl_conf_run *run) {
  int rc = check_backoff(run);
  if (rc == 0 && run->kind == CL_CLIENT_CONSUMER)
    rc = check_consumer(run);
  if (rc == 0 && run->kind == CL_CLIENT_PRODUCER)
    rc = check_producer(run);
  return rc;
}
