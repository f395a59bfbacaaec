/* SPDX-License-Identifier: Apache-2.0
 * Making a librdkafka handle, its log and its errors. Thread: any; log_cb also runs on
 * librdkafka's own threads. */
#define CL_COMPONENT "librdkafka"
#include "kafka/client.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "kafka/internal.h"

enum {
  REFUSED_MS = 5000,        /* a login refused for so long is refused for good */
  FORGET_MS = 120000,       /* refusals that lie so far apart have nothing to do with each other */
  QUIET_MS = 10000,         /* a broker that is down is mentioned this often per client */
  MAIN_SLACK_NS = 20000000, /* how late librdkafka's main thread may wake for a timer */
  OTHER_SLACK_NS = 50000    /* the kernel's default */
};

const char *cl_client_version(void) { return rd_kafka_version_str(); }

int cl_client_ms(int64_t ms) { return ms < 0 ? 0 : ms > INT_MAX ? INT_MAX : (int)ms; }

int cl_client_stopped(struct cl_err *err) {
  return cl_err_set(err, CL_ESTOPPED, "the task was abandoned: its Kafka client is closed");
}

bool cl_client_retriable(rd_kafka_resp_err_t code) {
  switch (code) {
  case RD_KAFKA_RESP_ERR__TRANSPORT:
  case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
  case RD_KAFKA_RESP_ERR__TIMED_OUT:
  case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
  case RD_KAFKA_RESP_ERR__WAIT_COORD:
  case RD_KAFKA_RESP_ERR__QUEUE_FULL:
  case RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST:
  case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
  case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
  case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
  case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
  case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
  case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
  case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
  case RD_KAFKA_RESP_ERR_NOT_CONTROLLER:
  case RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED:
  case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
  case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
  case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
  case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION:
  case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID: return true;
  default: return false;
  }
}

int cl_client_fail(struct cl_err *err, rd_kafka_resp_err_t code, const char *fmt, ...) {
  char text[768];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof(text), fmt, ap);
  va_end(ap);
  cl_err_set(err, code == RD_KAFKA_RESP_ERR__TIMED_OUT ? CL_ETIMEOUT : CL_EKAFKA, "%s: %s (%s)", text,
             rd_kafka_err2str(code), rd_kafka_err2name(code));
  err->retriable = cl_client_retriable(code);
  return err->code;
}

int cl_client_fatal(struct cl_client *c, struct cl_err *err) {
  char text[512];
  if (*c->refusal) {
    cl_err_set(err, CL_EKAFKA, "%s: the broker refuses the login: %s", rd_kafka_name(c->rk), c->refusal);
    err->class = "org.apache.kafka.common.errors.SaslAuthenticationException";
    err->fatal = true;
    return err->code;
  }
  rd_kafka_resp_err_t code = rd_kafka_fatal_error(c->rk, text, sizeof(text));
  if (!code)
    return CL_OK;
  cl_err_set(err, CL_EKAFKA, "%s: %s (%s)", rd_kafka_name(c->rk), text, rd_kafka_err2name(code));
  err->fatal = true;
  return err->code;
}

/* ---------------------------------------------------------------- logging */

/* True when trouble with connections may be said again. */
static bool speak_up(struct cl_client *c) {
  int64_t now = cl_now_ms(), quiet_to = atomic_load(&c->quiet_to);
  return now >= quiet_to && atomic_compare_exchange_strong(&c->quiet_to, &quiet_to, now + QUIET_MS);
}

static void on_log(const rd_kafka_t *rk, int syslog_level, const char *fac, const char *text) {
  struct cl_client *c = rd_kafka_opaque(rk);
  enum cl_level level = syslog_level <= 3   ? CL_ERROR
                        : syslog_level == 4 ? CL_WARN
                        : syslog_level <= 6 ? CL_INFO
                                            : CL_DEBUG;
  /* librdkafka reconnects by itself, for ever: not an error of ours. */
  if (!strcmp(fac, "FAIL") || !strcmp(fac, "ERROR"))
    level = c && speak_up(c) ? CL_WARN : CL_DEBUG;
  CL_LOG(level, "%s: %s: %s", rd_kafka_name(rk), fac, text);
}

/* A broker that goes away in the middle of a login refuses it, too: what counts is that it is refused
 * again. librdkafka says so every half minute. */
static void note_refusal(struct cl_client *c, const char *text) {
  int64_t now = cl_now_ms();
  if (c->refused_since && now - c->refused_since >= REFUSED_MS && now - c->refused_since < FORGET_MS)
    snprintf(c->refusal, sizeof(c->refusal), "%s", text);
  if (!c->refused_since || now - c->refused_since >= FORGET_MS)
    c->refused_since = now;
}

static void on_error(rd_kafka_t *rk, int code, const char *text, void *opaque) {
  struct cl_client *c = opaque;
  const char *name = rd_kafka_name(rk);
  enum cl_level level;
  switch (code) {
  case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    CL_LOG(CL_WARN, "%s: %s; waiting for one to come back", name, text);
    break;
  case RD_KAFKA_RESP_ERR__TRANSPORT:
  case RD_KAFKA_RESP_ERR__RESOLVE:
    snprintf(c->trouble, sizeof(c->trouble), "%s", text);
    level = speak_up(c) ? CL_WARN : CL_DEBUG;
    CL_LOG(level, "%s: %s", name, text);
    break;
  case RD_KAFKA_RESP_ERR__FATAL: /* returned by the next call: cl_client_fatal */ break;
  case RD_KAFKA_RESP_ERR__AUTHENTICATION: note_refusal(c, text); /* fall through */
  default:
    snprintf(c->trouble, sizeof(c->trouble), "%s", text);
    CL_LOG(CL_ERROR, "%s: %s (%s)", name, text, rd_kafka_err2name((rd_kafka_resp_err_t)code));
  }
}

/* ----------------------------------------------------------------- making */

int cl_client_default(rd_kafka_conf_t *conf, const json_t *client, const char *key, const char *value,
                      struct cl_err *err) {
  char why[256];
  if (json_object_get(client, key))
    return CL_OK; /* the user's word counts */
  if (rd_kafka_conf_set(conf, key, value, why, sizeof(why)) != RD_KAFKA_CONF_OK)
    return cl_err_set(err, CL_EKAFKA, "Kafka client setting %s: %s", key, why);
  return CL_OK;
}

int cl_client_settings(const json_t *client, const struct cl_embedded *embedded, rd_kafka_conf_t **out,
                       struct cl_err *err) {
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  const char *key;
  json_t *value;
  json_object_foreach ((json_t *)client, key, value) {
    const char *text = json_string_value(value);
    if (!text)
      continue; /* null: the default */
    char why[512];
    if (rd_kafka_conf_set(conf, key, text, why, sizeof(why)) != RD_KAFKA_CONF_OK) {
      bool secret = strstr(key, "password") || strstr(key, "secret") || strstr(key, "key.pem");
      rd_kafka_conf_destroy(conf);
      if (secret)
        return cl_err_set(err, CL_EINVAL, "Invalid value [hidden] for Kafka client setting %s", key);
      return cl_err_set(err, CL_EINVAL, "Invalid value %s for Kafka client setting %s: %s", text, key, why);
    }
  }
  if (embedded)
    rd_kafka_conf_set(conf, "bootstrap.servers", cl_embedded_bootstrap(embedded), NULL, 0);
  *out = conf;
  return CL_OK;
}

/* librdkafka's main thread cuts its waits to whole milliseconds, wakes before its timer is due and
 * spins until it is: a millisecond of processor a second for each idle client. Allowed to sleep
 * longer it wakes when there is something to do. */
static rd_kafka_resp_err_t on_thread_start(rd_kafka_t *rk, rd_kafka_thread_type_t type, const char *name,
                                           void *opaque) {
  (void)rk, (void)name, (void)opaque;
  prctl(PR_SET_TIMERSLACK, type == RD_KAFKA_THREAD_MAIN ? MAIN_SLACK_NS : OTHER_SLACK_NS, 0, 0, 0);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* ------------------------------------------------------------ what is counted */

/* Bytes and sockets are counted where they pass: librdkafka's own statistics are a text that it writes
 * and we would read, for each client and interval, also when nothing happens. */
static rd_kafka_resp_err_t on_request(rd_kafka_t *rk, int socket, const char *broker, int32_t broker_id,
                                      int16_t api, int16_t version, int32_t id, size_t size, void *stats) {
  (void)rk, (void)socket, (void)broker, (void)broker_id, (void)api, (void)version, (void)id;
  cl_stats_add(stats, CL_STAT_BYTES_OUT, (int64_t)size);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t on_response(rd_kafka_t *rk, int socket, const char *broker, int32_t broker_id,
                                       int16_t api, int16_t version, int32_t id, size_t size, int64_t took,
                                       rd_kafka_resp_err_t code, void *stats) {
  (void)rk, (void)socket, (void)broker, (void)broker_id, (void)api, (void)version, (void)id, (void)took;
  (void)code;
  cl_stats_add(stats, CL_STAT_BYTES_IN, (int64_t)size);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static int open_socket(int domain, int type, int protocol, void *opaque) {
  struct cl_client *c = opaque;
  int fd = socket(domain, type | SOCK_CLOEXEC, protocol);
  if (fd >= 0)
    cl_stats_add(c->stats, CL_STAT_CONNECTIONS, 1);
  return fd;
}

static int close_socket(int fd, void *opaque) {
  struct cl_client *c = opaque;
  cl_stats_add(c->stats, CL_STAT_CONNECTIONS, -1);
  return close(fd);
}

static rd_kafka_resp_err_t on_new(rd_kafka_t *rk, const rd_kafka_conf_t *conf, void *stats, char *text,
                                  size_t size) {
  (void)conf, (void)text, (void)size;
  rd_kafka_resp_err_t code = rd_kafka_interceptor_add_on_thread_start(rk, "connect-lua", on_thread_start,
                                                                      NULL);
  if (!code && stats)
    code = rd_kafka_interceptor_add_on_request_sent(rk, "connect-lua", on_request, stats);
  if (!code && stats)
    code = rd_kafka_interceptor_add_on_response_received(rk, "connect-lua", on_response, stats);
  return code;
}

int cl_client_open(struct cl_client *c, void *owner, rd_kafka_type_t type, rd_kafka_conf_t *conf,
                   struct cl_stats *stats, struct cl_err *err) {
  char why[512];
  c->owner = owner;
  c->stats = stats ? cl_stats_ref(stats) : NULL;
  rd_kafka_conf_set_opaque(conf, c);
  rd_kafka_conf_set_log_cb(conf, on_log);
  rd_kafka_conf_set_error_cb(conf, on_error);
  rd_kafka_conf_interceptor_add_on_new(conf, "connect-lua", on_new, stats);
  if (stats) {
    rd_kafka_conf_set_socket_cb(conf, open_socket);
    rd_kafka_conf_set_closesocket_cb(conf, close_socket);
  }
  c->rk = rd_kafka_new(type, conf, why, sizeof(why));
  if (c->rk)
    return CL_OK;
  rd_kafka_conf_destroy(conf);
  cl_client_close(c);
  return cl_err_set(err, CL_EKAFKA, "Failed to make the Kafka client: %s", why);
}

void cl_client_close(struct cl_client *c) {
  if (c->rk)
    rd_kafka_destroy(c->rk);
  cl_stats_unref(c->stats);
  c->rk = NULL;
  c->stats = NULL;
}

int cl_client_cluster_id(const json_t *client, int64_t timeout_ms, char **out, struct cl_err *err) {
  struct cl_client c = {0};
  rd_kafka_conf_t *conf = NULL;
  int rc = cl_client_settings(client, NULL, &conf, err);
  if (!rc)
    rc = cl_client_open(&c, NULL, RD_KAFKA_PRODUCER, conf, NULL, err);
  if (rc)
    return rc;
  char *id = rd_kafka_clusterid(c.rk, cl_client_ms(timeout_ms));
  if (id) {
    *out = strdup(id);
    if (!*out)
      rc = cl_err_set(err, CL_ENOMEM, "out of memory");
    rd_kafka_mem_free(c.rk, id);
  } else {
    const char *servers = cl_json_str(client, "bootstrap.servers");
    rc = cl_err_set(err, CL_ETIMEOUT, "no answer from the Kafka brokers at %s within %lld ms",
                    servers ? servers : "(none)", (long long)timeout_ms);
    err->retriable = true;
  }
  cl_client_close(&c);
  return rc;
}
