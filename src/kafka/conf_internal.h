/* SPDX-License-Identifier: Apache-2.0
 *
 * What the conf*.c files share: the table's row, and the translation under way.
 * Any thread, no state. Only src/kafka/conf*.c include it.
 */
#pragma once

#include "kafka/conf.h"

#include <librdkafka/rdkafka.h>
#include <stdint.h>

enum { /* which clients know a key */
       CL_KEY_C = 1 << CL_CLIENT_CONSUMER,
       CL_KEY_P = 1 << CL_CLIENT_PRODUCER,
       CL_KEY_A = 1 << CL_CLIENT_ADMIN,
       CL_KEY_CP = CL_KEY_C | CL_KEY_P,
       CL_KEY_CA = CL_KEY_C | CL_KEY_A,
       CL_KEY_ALL = CL_KEY_CP | CL_KEY_A
};

enum cl_key_how {
  CL_KEY_SAME,     /* librdkafka has the key under the same name */
  CL_KEY_RENAMED,  /* under another name */
  CL_KEY_MAPPED,   /* the value changes too: row.map, or conf_tls.c and conf_jaas.c when NULL */
  CL_KEY_HARMLESS, /* passed over: no effect here, or the host does it (note says which) */
  CL_KEY_WARN,     /* passed over and named in the warning, unless it has the value dflt */
  CL_KEY_REFUSED   /* an error (note says why), unless it is empty or has the value dflt */
};

struct cl_conf_run;

struct cl_key_row {
  const char *java;
  unsigned kinds;
  enum cl_key_how how;
  const char *name; /* librdkafka's, when RENAMED or MAPPED to one key */
  int64_t min, max; /* librdkafka's range, where it is narrower than Java's: values are cut */
  const char *type; /* "INT" or "LONG" when min and max apply, else NULL */
  const char *dflt; /* Java's default */
  int (*map)(struct cl_conf_run *run, const struct cl_key_row *row, const char *value);
  const char *note;
};

/* One call of cl_client_conf. */
struct cl_conf_run {
  enum cl_client_kind kind;
  const json_t *java;
  json_t *out; /* librdkafka keys in the order to set them */
  json_t *ignored;
  json_t *changed;          /* texts: values cut to librdkafka's ranges */
  rd_kafka_conf_t *scratch; /* every value is tried here, so that errors name the Java key */
  struct cl_err *err;
};

extern const struct cl_key_row cl_conf_java_rows[];
extern const size_t cl_conf_java_n;
/* The row for this kind of client, else that of another kind, else NULL. */
const struct cl_key_row *cl_conf_java_find(enum cl_client_kind kind, const char *java);

/* Java's text of a key without its surrounding blanks, malloc'd; NULL when absent, null or (when
 * empty_is_absent) empty. */
char *cl_conf_get(const struct cl_conf_run *run, const char *java, bool empty_is_absent);
/* Sets librdkafka's name; java names the culprit in errors. The last value of a name wins. */
int cl_conf_put(struct cl_conf_run *run, const char *java, const char *name, const char *value);
void cl_conf_ignore(struct cl_conf_run *run, const char *java);
/* `Invalid value V for configuration KEY: detail`; secrets print as [hidden]. */
int cl_conf_refuse(struct cl_conf_run *run, const char *java, const char *value, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Refuses what Java's client of run->kind refuses of its key: conf_checks.c. */
int cl_conf_check_java(struct cl_conf_run *run, const char *java, const char *value);
/* Reads Java's decimal text of an INT or LONG. */
int cl_conf_number(struct cl_conf_run *run, const char *java, const char *value, const char *type,
                   int64_t *out);
/* Puts v, cut to [min, max]; run->changed says so when that means something else. */
int cl_conf_put_number(struct cl_conf_run *run, const char *java, const char *name, int64_t v, int64_t min,
                       int64_t max);
/* Notes that java's value is not used as it is. */
void cl_conf_changed(struct cl_conf_run *run, const char *java, const char *name, int64_t used);

/* Row.map functions: conf_map.c. */
int cl_conf_map_lower(struct cl_conf_run *run, const struct cl_key_row *row, const char *value);
int cl_conf_map_auto_commit(struct cl_conf_run *run, const struct cl_key_row *row, const char *value);
int cl_conf_map_offset_reset(struct cl_conf_run *run, const struct cl_key_row *row, const char *value);
int cl_conf_map_assignors(struct cl_conf_run *run, const struct cl_key_row *row, const char *value);
int cl_conf_map_kbytes(struct cl_conf_run *run, const struct cl_key_row *row, const char *value);
int cl_conf_map_delivery_timeout(struct cl_conf_run *run, const struct cl_key_row *row, const char *value);
int cl_conf_map_request_timeout(struct cl_conf_run *run, const struct cl_key_row *row, const char *value);
int cl_conf_map_level(struct cl_conf_run *run, const struct cl_key_row *row, const char *value);
int cl_conf_map_partitioner(struct cl_conf_run *run, const struct cl_key_row *row, const char *value);
int cl_conf_map_ignore_keys(struct cl_conf_run *run, const struct cl_key_row *row, const char *value);

/* What the keys mean together, where librdkafka would refuse or stumble: conf_map.c. */
int cl_conf_cross_check(struct cl_conf_run *run);

/* ssl.* of a client whose security.protocol uses TLS: conf_tls.c. */
int cl_conf_tls(struct cl_conf_run *run);
/* True when text holds nothing a shell or a path search could stumble over. librdkafka's
 * kinit command line goes through a shell. */
bool cl_conf_plain_text(const char *text);
/* sasl.* of a client whose security.protocol uses SASL: conf_jaas.c. */
int cl_conf_sasl(struct cl_conf_run *run);
