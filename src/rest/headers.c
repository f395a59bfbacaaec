/* SPDX-License-Identifier: Apache-2.0
 * Includes libmicrohttpd, worker/config_rest.h, base. */
#include "rest/headers.h"

#include "base/buf.h"
#include "base/regex.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

struct cl_headers {
  const struct cl_rest_conf *conf;
  bool any_origin;
  pthread_mutex_t lock; /* the patterns are one thread's at a time */
  struct cl_regex **origins;
  size_t n_origins;
};

static int compile(struct cl_headers *h, const char *pattern, struct cl_err *err) {
  struct cl_buf text = {0};
  cl_buf_fmt(&text, "(?i)%s", pattern);
  int rc = text.failed ? cl_err_set(err, CL_ENOMEM, "Out of memory")
                       : cl_regex_compile(text.p, &h->origins[h->n_origins], err);
  h->n_origins += rc == 0;
  cl_buf_free(&text);
  return rc;
}

int cl_headers_new(const struct cl_rest_conf *conf, struct cl_headers **out, struct cl_err *err) {
  struct cl_headers *h = calloc(1, sizeof(*h));
  struct cl_regex **origins = calloc(json_array_size(conf->origins) + 1, sizeof(*origins));
  *out = NULL;
  if (!h || !origins) {
    free(h);
    free(origins);
    return cl_err_set(err, CL_ENOMEM, "Out of memory");
  }
  h->conf = conf;
  h->origins = origins;
  pthread_mutex_init(&h->lock, NULL);
  int rc = 0;
  size_t i;
  json_t *item;
  json_array_foreach (conf->origins, i, item) {
    const char *pattern = json_string_value(item);
    if (strcmp(pattern, "*") == 0)
      h->any_origin = true;
    else if (rc == 0)
      rc = compile(h, pattern, err);
  }
  if (rc)
    cl_headers_free(h);
  else
    *out = h;
  return rc;
}

void cl_headers_free(struct cl_headers *h) {
  if (!h)
    return;
  for (size_t i = 0; i < h->n_origins; i++)
    cl_regex_free(h->origins[i]);
  free(h->origins);
  pthread_mutex_destroy(&h->lock);
  free(h);
}

struct found {
  const char *name;        /* looked for */
  const char *key, *value; /* the response's own */
};

static enum MHD_Result find_header(void *arg, enum MHD_ValueKind kind, const char *key, const char *value) {
  struct found *f = arg;
  (void)kind;
  if (strcasecmp(key, f->name) != 0)
    return MHD_YES;
  f->key = key;
  f->value = value;
  return MHD_NO;
}

/* libmicrohttpd takes a header away by its exact letters. */
enum MHD_Result cl_headers_set(struct MHD_Response *r, const char *name, const char *value) {
  for (;;) {
    struct found f = {.name = name};
    MHD_get_response_headers(r, find_header, &f);
    if (!f.key)
      return MHD_add_response_header(r, name, value);
    if (MHD_del_response_header(r, f.key, f.value) != MHD_YES)
      return MHD_NO;
  }
}

/* One of the origins in the header, which are separated by blanks. */
static bool origin_matches(struct cl_headers *h, const char *origin) {
  bool found = h->any_origin;
  pthread_mutex_lock(&h->lock);
  for (const char *p = origin; !found && *(p += strspn(p, " ")); p += strcspn(p, " "))
    for (size_t i = 0; !found && i < h->n_origins; i++)
      found = cl_regex_matches(h->origins[i], p, strcspn(p, " "));
  pthread_mutex_unlock(&h->lock);
  return found;
}

static enum MHD_Result add_cors(struct cl_headers *h, struct MHD_Connection *con, const char *method,
                                struct MHD_Response *r) {
  const char *origin = MHD_lookup_connection_value(con, MHD_HEADER_KIND, "Origin");
  enum MHD_Result ok = MHD_add_response_header(r, "Vary", "Origin");
  if (!ok || !origin || !*origin || !origin_matches(h, origin))
    return ok;
  ok = MHD_add_response_header(r, "Access-Control-Allow-Origin", origin);
  if (!ok || strcmp(method, "OPTIONS") != 0 ||
      !MHD_lookup_connection_value(con, MHD_HEADER_KIND, "Access-Control-Request-Method"))
    return ok;
  return MHD_add_response_header(r, "Access-Control-Allow-Methods", h->conf->methods) &&
                 MHD_add_response_header(r, "Access-Control-Allow-Headers", "Content-Type") &&
                 MHD_add_response_header(r, "Access-Control-Max-Age", "60")
             ? MHD_YES
             : MHD_NO;
}

/* Now and so many milliseconds, as HTTP writes it. */
static void date_text(const char *offset, char *out, size_t size) {
  struct timespec now;
  struct tm tm;
  clock_gettime(CLOCK_REALTIME, &now);
  time_t at = now.tv_sec + (time_t)((strtoll(offset, NULL, 10) + now.tv_nsec / 1000000) / 1000);
  *out = '\0';
  if (gmtime_r(&at, &tm))
    strftime(out, size, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

enum MHD_Result cl_headers_add(struct cl_headers *h, struct MHD_Connection *con, const char *method,
                               struct MHD_Response *r) {
  enum MHD_Result ok = MHD_YES;
  if (json_array_size(h->conf->origins) > 0)
    ok = add_cors(h, con, method, r);
  for (size_t i = 0; ok && i < h->conf->n_headers; i++) {
    const struct cl_header_conf *c = &h->conf->headers[i];
    char date[64];
    const char *value = c->value;
    if (c->date) {
      date_text(value, date, sizeof date);
      value = date;
    }
    if (*value)
      ok = c->add ? MHD_add_response_header(r, c->name, value) : cl_headers_set(r, c->name, value);
  }
  return ok;
}
