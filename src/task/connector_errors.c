/* SPDX-License-Identifier: Apache-2.0
 *
 * errors.* of a connector's config as its tasks get them.
 * Any thread, no state. May include base and vm/plugin.h.
 */
#include "task/connector.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define LETTERS "errors.deadletterqueue."

struct reader {
  const struct cl_conf_def *def;
  const json_t *config;
  struct cl_err *err;
  int rc; /* the first failure sticks */
};

static struct cl_conf_value read_row(struct reader *r, const struct cl_conf_row *row) {
  struct cl_conf_value v = {0};
  if (r->rc == 0)
    r->rc = cl_conf_parse_one(row, cl_json_str(r->config, row->name), &v, r->err);
  return v;
}

static int64_t number(struct reader *r, const struct cl_conf_row *row) {
  struct cl_conf_value v = read_row(r, row);
  int64_t n = v.i;
  cl_conf_value_free(&v);
  return n;
}

static int64_t of(struct reader *r, const char *key) { return number(r, cl_conf_find(r->def, key)); }

static bool tolerates(struct reader *r) {
  struct cl_conf_value v = read_row(r, cl_conf_find(r->def, "errors.tolerance"));
  bool all = v.s && strcmp(v.s, "all") == 0;
  cl_conf_value_free(&v);
  return all;
}

/* NULL when there is none. */
static char *topic(struct reader *r, const struct cl_conf_row *row) {
  struct cl_conf_value v = read_row(r, row);
  char *name = v.s;
  v.s = NULL;
  cl_conf_value_free(&v);
  if (!cl_is_blank(name))
    return name;
  free(name);
  return NULL;
}

int cl_connector_errors(const json_t *config, bool sink, struct cl_task_errors *out, struct cl_err *err) {
  struct reader r = {.def = cl_connector_def(sink), .config = config, .err = err};
  *out = (struct cl_task_errors){.tolerate = tolerates(&r),
                                 .retry_timeout_ms = of(&r, "errors.retry.timeout"),
                                 .retry_delay_max_ms = of(&r, "errors.retry.delay.max.ms"),
                                 .log = of(&r, "errors.log.enable"),
                                 .log_messages = of(&r, "errors.log.include.messages")};
  if (sink) {
    out->letters = topic(&r, cl_conf_find(r.def, LETTERS "topic.name"));
    out->letters_replication = (int)of(&r, LETTERS "topic.replication.factor");
    out->letters_headers = of(&r, LETTERS "context.headers.enable");
  } else { /* Apache's sources have none: keys of our own */
    out->letters = topic(&r, cl_conf_find(cl_connector_own_def(), CL_CONNECTOR_LETTERS));
    out->letters_replication = (int)number(
        &r, cl_conf_find(cl_connector_own_def(), CL_CONNECTOR_LETTERS_REPLICATION));
    out->letters_headers = true;
  }
  if (r.rc != 0) {
    free((char *)out->letters);
    out->letters = NULL;
  }
  return r.rc;
}
