/* SPDX-License-Identifier: Apache-2.0
 *
 * The translation of Java client settings: looks up each key's row and does what it says.
 * Any thread, no state. May include base and librdkafka.
 */
#define CL_COMPONENT "kafka.conf"
#include "kafka/conf_internal.h"

#include "base/log.h"
#include "base/secrets.h"
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Keys of librdkafka's own that would load code, lose data or silence the host. */
static const struct {
  const char *prefix, *why;
} refused_native[] = {
    {"plugin.library.paths", "it would load code into the worker"},
    {"ssl.engine.", "it would load code into the worker"},
    {"enable.auto.offset.store", "the worker stores offsets itself, once records are safe"},
    {"offset.store.method", "the worker stores offsets itself, once records are safe"},
    {"delivery.report.only.error", "the worker needs every delivery report"},
    {"queuing.strategy", "it would change the order of records"},
    {"enable.partition.eof", "the worker sets it itself"},
    {"enabled_events", "the worker sets it itself"},
    {"log.queue", "the worker sets it itself"},
    {"internal.termination.signal", "the worker handles signals itself"},
    {"test.", "it is for librdkafka's own tests"},
    {"ut_", "it is for librdkafka's own tests"},
};

static bool is_secret(const char *key) {
  return strstr(key, "password") || strstr(key, "secret") || strstr(key, "passphrase") ||
         strstr(key, "jaas") || strcmp(key, "ssl.keystore.key") == 0 ||
         strcmp(key, "ssl.keystore.certificate.chain") == 0 ||
         strcmp(key, "ssl.truststore.certificates") == 0 || strcmp(key, "ssl.key.pem") == 0 ||
         strcmp(key, "sasl.oauthbearer.config") == 0;
}

int cl_conf_refuse(struct cl_conf_run *run, const char *java, const char *value, const char *fmt, ...) {
  char detail[768];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(detail, sizeof(detail), fmt, ap);
  va_end(ap);
  cl_err_set(run->err, CL_EINVAL, "Invalid value %.200s for configuration %s: %s",
             is_secret(java) ? "[hidden]" : value, java, detail);
  run->err->class = CL_JAVA_CONFIG;
  return CL_EINVAL;
}

static int out_of_memory(struct cl_conf_run *run) { return cl_err_set(run->err, CL_ENOMEM, "out of memory"); }

char *cl_conf_get(const struct cl_conf_run *run, const char *java, bool empty_is_absent) {
  const char *raw = cl_json_str(run->java, java);
  char *text = raw ? cl_trimmed(raw) : NULL;
  if (text && empty_is_absent && !*text) {
    free(text);
    text = NULL;
  }
  return text;
}

void cl_conf_ignore(struct cl_conf_run *run, const char *java) {
  json_array_append_new(run->ignored, json_string(java));
}

int cl_conf_put(struct cl_conf_run *run, const char *java, const char *name, const char *value) {
  char why[512] = "";
  if (is_secret(name))
    cl_secrets_add(value);
  rd_kafka_conf_res_t res = rd_kafka_conf_set(run->scratch, name, value, why, sizeof(why));
  if (res != RD_KAFKA_CONF_OK)
    return cl_conf_refuse(run, java, value, "%s", is_secret(name) ? "librdkafka refuses it" : why);
  json_object_del(run->out, name); /* so that it moves to the end: keys are set in this order */
  if (json_object_set_new(run->out, name, json_string(value)) != 0)
    return out_of_memory(run);
  return 0;
}

int cl_conf_number(struct cl_conf_run *run, const char *java, const char *value, const char *type,
                   int64_t *out) {
  char *end;
  const char *digits = value + (*value == '+' || *value == '-');
  errno = 0;
  long long v = strtoll(value, &end, 10);
  bool is_int = strcmp(type, "INT") == 0;
  if (!isdigit((unsigned char)*digits) || *end || errno || (is_int && (v < INT32_MIN || v > INT32_MAX)))
    return cl_conf_refuse(run, java, value, "Not a number of type %s", type);
  *out = v;
  return 0;
}

void cl_conf_changed(struct cl_conf_run *run, const char *java, const char *name, int64_t used) {
  char *given = cl_conf_get(run, java, false);
  json_array_append_new(run->changed, json_sprintf("%s=%.200s is outside librdkafka's range; %s=%lld is used",
                                                   java, given ? given : "", name, (long long)used));
  free(given);
}

/* What Java's least values ask for is what librdkafka's least values do. */
static bool same_meaning(const char *java, int64_t v) {
  static const struct {
    const char *java;
    int64_t most;
  } least[] = {{"receive.buffer.bytes", -1},
               {"send.buffer.bytes", -1},
               {"connections.max.idle.ms", -1},
               {"batch.size", 0}};
  for (size_t i = 0; i < sizeof(least) / sizeof(*least); i++)
    if (strcmp(least[i].java, java) == 0 && v <= least[i].most)
      return true;
  return false;
}

int cl_conf_put_number(struct cl_conf_run *run, const char *java, const char *name, int64_t v, int64_t min,
                       int64_t max) {
  char text[24];
  int64_t cut = v < min ? min : v > max ? max : v;
  if (cut != v && !same_meaning(java, v))
    cl_conf_changed(run, java, name, cut);
  snprintf(text, sizeof(text), "%" PRId64, cut);
  return cl_conf_put(run, java, name, text);
}

/* Sets the key to its default in scratch, if there is such a key. */
static bool is_native_of(rd_kafka_conf_t *scratch, const char *key) {
  char text[512];
  return rd_kafka_conf_set(scratch, key, NULL, text, sizeof(text)) != RD_KAFKA_CONF_UNKNOWN;
}

static bool is_native(const char *key) {
  rd_kafka_conf_t *scratch = rd_kafka_conf_new();
  CL_REQUIRE(scratch);
  bool known = is_native_of(scratch, key);
  rd_kafka_conf_destroy(scratch);
  return known;
}

/* A key that is not Java's: librdkafka's own, or nobody's. */
static int apply_native(struct cl_conf_run *run, const char *key, const char *value) {
  if (!is_native_of(run->scratch, key)) { /* a new one for each of 50,000 keys takes seconds */
    cl_conf_ignore(run, key);
    return 0;
  }
  for (size_t i = 0; i < sizeof(refused_native) / sizeof(*refused_native); i++)
    if (strncmp(key, refused_native[i].prefix, strlen(refused_native[i].prefix)) == 0)
      return cl_conf_refuse(run, key, value, "%s; remove the key", refused_native[i].why);
  bool reaches_shell = strncmp(key, "sasl.kerberos.", 14) == 0 || strcmp(key, "ssl.providers") == 0;
  if (reaches_shell && !cl_conf_plain_text(value))
    return cl_conf_refuse(run, key, value, "only letters, digits and . _ - / @ , are allowed");
  return cl_conf_put(run, key, key, value);
}

static int apply_number(struct cl_conf_run *run, const struct cl_key_row *row, const char *value) {
  int64_t v;
  int rc = cl_conf_number(run, row->java, value, row->type, &v);
  return rc ? rc
            : cl_conf_put_number(run, row->java, row->name ? row->name : row->java, v, row->min, row->max);
}

/* Lists differ only in blanks around their commas: those do not count. */
static bool same_value(const char *a, const char *b) {
  for (;; a++, b++) {
    while (*a == ' ')
      a++;
    while (*b == ' ')
      b++;
    if (*a != *b || !*a)
      return *a == *b;
  }
}

static int apply(struct cl_conf_run *run, const char *key, const char *value) {
  const struct cl_key_row *row = cl_conf_java_find(run->kind, key);
  if (is_secret(key))
    cl_secrets_add(value);
  if (!row)
    return apply_native(run, key, value);
  bool as_default = row->dflt && same_value(row->dflt, value);
  if (!(row->kinds & (1u << run->kind))) {
    cl_conf_ignore(run, key);
    return 0;
  }
  int rc = cl_conf_check_java(run, key, value);
  if (rc)
    return rc;
  switch (row->how) {
  case CL_KEY_SAME:
  case CL_KEY_RENAMED:
    if (row->type)
      return apply_number(run, row, value);
    return cl_conf_put(run, key, row->name ? row->name : key, value);
  case CL_KEY_MAPPED: return row->map ? row->map(run, row, value) : 0;
  case CL_KEY_HARMLESS: return 0;
  case CL_KEY_WARN:
    if (!as_default && *value)
      cl_conf_ignore(run, key);
    return 0;
  case CL_KEY_REFUSED: return as_default || !*value ? 0 : cl_conf_refuse(run, key, value, "%s", row->note);
  }
  return 0;
}

static int apply_all(struct cl_conf_run *run) {
  const char *key;
  json_t *raw;
  json_object_foreach ((json_t *)run->java, key, raw) {
    if (!json_is_string(raw))
      continue; /* null is Java's "not set" */
    char *value = cl_trimmed(json_string_value(raw));
    int rc = value ? apply(run, key, value) : out_of_memory(run);
    free(value);
    if (rc)
      return rc;
  }
  return 0;
}

int cl_client_conf(enum cl_client_kind kind, const json_t *java, json_t **out, json_t **ignored,
                   json_t **changed, struct cl_err *err) {
  struct cl_conf_run run = {.kind = kind, .java = java, .err = err};
  int rc;
  *out = NULL;
  if (ignored)
    *ignored = NULL;
  if (changed)
    *changed = NULL;
  run.out = json_object();
  run.ignored = json_array();
  run.changed = json_array();
  run.scratch = rd_kafka_conf_new();
  rc = run.out && run.ignored && run.changed && run.scratch ? apply_all(&run) : out_of_memory(&run);
  const char *protocol = cl_json_str(run.out, "security.protocol");
  if (rc == 0 && protocol && strstr(protocol, "ssl"))
    rc = cl_conf_tls(&run);
  if (rc == 0 && protocol && strstr(protocol, "sasl"))
    rc = cl_conf_sasl(&run);
  if (rc == 0)
    rc = cl_conf_cross_check(&run);
  if (rc)
    goto out;
  *out = json_incref(run.out);
  if (ignored)
    *ignored = json_incref(run.ignored);
  if (changed)
    *changed = json_incref(run.changed);
out:
  if (run.scratch)
    rd_kafka_conf_destroy(run.scratch);
  json_decref(run.changed);
  json_decref(run.ignored);
  json_decref(run.out);
  return rc;
}

bool cl_client_key_known(const char *key) {
  return cl_conf_java_find(CL_CLIENT_CONSUMER, key) || is_native(key);
}

bool cl_client_key_fits(enum cl_client_kind kind, const char *key) {
  const struct cl_key_row *row = cl_conf_java_find(kind, key);
  return row ? (row->kinds & (1u << kind)) != 0 : is_native(key);
}
