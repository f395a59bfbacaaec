/* SPDX-License-Identifier: Apache-2.0
 *
 * Refused as Apache refuses them, and what libmicrohttpd could not send. Thread: main.
 * May include floors 5-0.
 */
#include "worker/config_headers.h"

#include "base/buf.h"
#include "base/confdef.h"
#include "base/regex.h"
#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int no_memory(struct cl_err *err) { return cl_err_set(err, CL_ENOMEM, "out of memory"); }

/* ---- lists as Jetty splits them: an item may stand in quotes, and then hold commas ---- */

static const char *quoted_item(const char *p, struct cl_buf *out) {
  for (; *p && *p != '"'; p++) {
    p += *p == '\\' && p[1];
    cl_buf_char(out, *p);
  }
  return p + strcspn(p, ",");
}

/* The next item into out; false at the end. */
static bool next_item(const char **at, struct cl_buf *out) {
  const char *p = *at;
  out->len = 0;
  while (isspace((unsigned char)*p))
    p++;
  if (!*p)
    return false;
  if (*p == '"') {
    p = quoted_item(p + 1, out);
  } else {
    size_t n = strcspn(p, ","), len = n;
    while (len > 0 && isspace((unsigned char)p[len - 1]))
      len--;
    cl_buf_add(out, p, len);
    p += n;
  }
  cl_buf_reserve(out, 1);
  if (!out->failed)
    out->p[out->len] = '\0';
  *at = p + (*p == ',');
  return !out->failed;
}

/* ---- response.http.headers.config ---- */

/* What libmicrohttpd sends itself, or would refuse with each answer. */
static int check_sendable(const char *name, const char *value, struct cl_err *err) {
  static const char *const own[] = {"Content-Length", "Transfer-Encoding", "Connection", "Upgrade"};
  bool ok = true;
  for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
    ok = ok && strcasecmp(name, own[i]) != 0;
  for (const char *p = name; *p; p++)
    ok = ok && (isalnum((unsigned char)*p) || strchr("!#$%&'*+-.^_`|~", *p));
  for (const char *p = value; *p; p++)
    ok = ok && ((unsigned char)*p >= 0x20 || *p == '\t') && *p != 0x7f;
  return ok ? 0
            : cl_conf_error(
                  err,
                  "Invalid value for configuration response.http.headers.config: header '%.200s' cannot "
                  "be sent with this value",
                  name);
}

/* Jetty looks at the action's exact letters where Apache's check does not. */
static int add_header(struct cl_rest_conf *out, const char *action, size_t action_len, const char *name,
                      size_t name_len, const char *value, struct cl_err *err) {
  struct cl_header_conf *all = realloc(out->headers, (out->n_headers + 1) * sizeof(*all));
  if (!all)
    return no_memory(err);
  out->headers = all;
  struct cl_header_conf *h = &all[out->n_headers++];
  *h = (struct cl_header_conf){.add = strncmp(action, "add", 3) == 0,
                               .date = action_len > 4 && memcmp(action + action_len - 4, "Date", 4) == 0,
                               .name = strndup(name, name_len),
                               .value = cl_trimmed(value)};
  if (!h->name || !h->value)
    return no_memory(err);
  const char *digits = h->value + (*h->value == '-' || *h->value == '+');
  if (h->date && (!*digits || digits[strspn(digits, "0123456789")] || strlen(digits) > 18))
    return cl_conf_error(
        err,
        "Invalid value for configuration response.http.headers.config: '%.200s' of header %.200s "
        "is no number of milliseconds",
        h->value, h->name);
  return check_sendable(h->name, h->value, err);
}

static bool is_action(const char *text, size_t len) {
  static const char *const actions[] = {"set", "add", "setDate", "addDate"};
  for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++)
    if (strlen(actions[i]) == len && strncasecmp(text, actions[i], len) == 0)
      return true;
  return false;
}

static int parse_header(const char *config, struct cl_rest_conf *out, struct cl_err *err) {
  static const char blanks[] = " \t\r\n\v\f";
  size_t action_len = strcspn(config, blanks);
  const char *pair = config + action_len + strspn(config + action_len, blanks);
  if (action_len == 0 || !*pair)
    return cl_conf_error(
        err, "Invalid format of header config '%.200s'. Expected: '[action] [header name]:[header value]'",
        config);
  if (!is_action(config, action_len)) {
    char *action = strndup(config, action_len);
    int rc = cl_conf_error(
        err, "Invalid header config action: '%.200s'. Expected one of [set, add, setDate, addDate]",
        action ? action : "");
    free(action);
    return rc;
  }
  const char *colon = strchr(pair, ':');
  if (!colon || !colon[1] || strchr(colon + 1, ':'))
    return cl_conf_error(err,
                         "Invalid format of header name and header value pair '%.200s'. Expected: '[header "
                         "name]:[header value]'",
                         pair);
  size_t name_len = (size_t)(colon - pair);
  while (name_len > 0 && isspace((unsigned char)pair[name_len - 1]))
    name_len--;
  if (name_len == 0 || strcspn(pair, blanks) < name_len) {
    char *name = strndup(pair, name_len);
    int rc = cl_conf_error(err, "Invalid header name '%.200s'. The '[header name]' cannot contain whitespace",
                           name ? name : "");
    free(name);
    return rc;
  }
  return add_header(out, config, action_len, pair, name_len, colon + 1, err);
}

static int load_headers(const char *text, struct cl_rest_conf *out, struct cl_err *err) {
  struct cl_buf item = {0};
  int rc = 0;
  if (cl_is_blank(text))
    return 0;
  while (rc == 0 && next_item(&text, &item)) {
    char *config = cl_trimmed(item.p);
    rc = config ? parse_header(config, out, err) : no_memory(err);
    free(config);
  }
  cl_buf_free(&item);
  return rc;
}

/* ---- CORS ---- */

static int load_origins(const char *text, struct cl_rest_conf *out, struct cl_err *err) {
  char *copy = strdup(text), *rest = copy, *item;
  int rc = copy ? 0 : no_memory(err);
  while (rc == 0 && (item = strsep(&rest, ",")) != NULL) {
    char *pattern = cl_trimmed(item);
    struct cl_regex *regex = NULL;
    struct cl_err why = CL_ERR_INIT;
    if (!pattern)
      rc = no_memory(err);
    else if (*pattern && strcmp(pattern, "*") != 0 && cl_regex_compile(pattern, &regex, &why) < 0)
      rc = cl_conf_error(err, "Invalid value %.200s for configuration access.control.allow.origin: %s",
                         pattern, why.msg);
    else if (*pattern)
      json_array_append_new(out->origins, json_string(pattern));
    cl_regex_free(regex);
    free(pattern);
  }
  free(copy);
  return rc;
}

static int load_methods(const char *text, struct cl_rest_conf *out, struct cl_err *err) {
  struct cl_buf list = {0};
  char *copy = strdup(cl_is_blank(text) ? "GET,POST,HEAD" : text), *rest = copy, *item;
  int rc = copy ? 0 : no_memory(err);
  while (rc == 0 && (item = strsep(&rest, ",")) != NULL) {
    char *method = cl_trimmed(item);
    for (const char *p = method ? method : ""; *p; p++)
      if (!isalpha((unsigned char)*p))
        rc = cl_conf_error(
            err, "Invalid value %.200s for configuration access.control.allow.methods: it is no HTTP method",
            item);
    if (method && *method)
      cl_buf_fmt(&list, "%s%s", list.len ? "," : "", method);
    free(method);
  }
  free(copy);
  out->methods = cl_buf_take(&list);
  cl_buf_free(&list);
  return rc || out->methods ? rc : no_memory(err);
}

int cl_headers_conf_load(const json_t *typed, struct cl_rest_conf *out, struct cl_err *err) {
  const char *origins = cl_json_str(typed, "access.control.allow.origin");
  out->origins = json_array();
  int rc = load_headers(cl_json_str(typed, "response.http.headers.config"), out, err);
  if (rc == 0)
    rc = load_methods(cl_json_str(typed, "access.control.allow.methods"), out, err);
  if (rc == 0 && !cl_is_blank(origins))
    rc = load_origins(origins, out, err);
  return rc;
}

void cl_headers_conf_clear(struct cl_rest_conf *c) {
  for (size_t i = 0; i < c->n_headers; i++) {
    free(c->headers[i].name);
    free(c->headers[i].value);
  }
  free(c->headers);
  free(c->methods);
  json_decref(c->origins);
}
