/* SPDX-License-Identifier: Apache-2.0
 *
 * Listeners and what belongs to them. Thread: main. May include floors 5-0.
 */
#define CL_COMPONENT "worker.config"
#include "worker/config_rest.h"

#include "base/text.h"
#include "worker/config_auth.h"
#include "worker/config_headers.h"
#include "worker/config_internal.h"
#include "worker/config_tls.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static int bad_listener(struct cl_err *err, const char *key, const char *url, const char *why) {
  return cl_conf_error(err, "Invalid value %.200s for configuration %s: %s", url, key, why);
}

/* scheme://host:port, the host in brackets or not, or empty. */
static int parse_listener(const char *key, const char *url, struct cl_listener *out, struct cl_err *err) {
  static const char format[] = "Listener doesn't have the right format (protocol://hostname:port).";
  const char *host = strstr(url, "://");
  const char *colon = host ? strrchr(host + 3, ':') : NULL;
  if (!colon || !isdigit((unsigned char)colon[1]) || strlen(colon + 1) > 5 ||
      colon[1 + strspn(colon + 1, "0123456789")])
    return bad_listener(err, key, url, format);
  size_t scheme = (size_t)(host - url);
  out->https = scheme == 5 && strncasecmp(url, "https", 5) == 0;
  if (!out->https && !(scheme == 4 && strncasecmp(url, "http", 4) == 0))
    return bad_listener(err, key, url, "Listener protocol must be either \"http\" or \"https\".");
  host += 3;
  size_t len = (size_t)(colon - host);
  long port = strtol(colon + 1, NULL, 10);
  if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
    host++;
    len -= 2;
  }
  for (size_t i = 0; i < len; i++)
    if (!isalnum((unsigned char)host[i]) && !strchr("-%._:", host[i]))
      return bad_listener(err, key, url, format);
  if (port > 65535)
    return bad_listener(err, key, url, "the port must be at most 65535");
  out->host = strndup(host, len);
  out->port = (uint16_t)port;
  return out->host ? 0 : cl_err_set(err, CL_ENOMEM, "out of memory");
}

/* Appends the addresses under key to conf->listeners. */
static int parse_list(const char *key, const json_t *list, bool admin, struct cl_rest_conf *conf,
                      struct cl_err *err) {
  size_t n = json_array_size(list);
  struct cl_listener *all = realloc(conf->listeners, (conf->n_listeners + n + 1) * sizeof(*all));
  if (!all)
    return cl_err_set(err, CL_ENOMEM, "out of memory");
  conf->listeners = all;
  for (size_t i = 0; i < n; i++) {
    const char *url = json_string_value(json_array_get(list, i));
    struct cl_listener *l = &all[conf->n_listeners];
    *l = (struct cl_listener){.admin = admin};
    if (cl_is_blank(url))
      return cl_conf_error(err, "Empty URL found when parsing %s list.", key);
    int rc = parse_listener(key, url, l, err);
    if (rc)
      return rc;
    conf->n_listeners++;
  }
  return 0;
}

static bool has_https(const struct cl_rest_conf *conf, bool admin) {
  for (size_t i = 0; i < conf->n_listeners; i++)
    if (conf->listeners[i].https && conf->listeners[i].admin == admin)
      return true;
  return false;
}

/* Asking for clients' certificates where none can be shown is a door believed shut. */
static int refuse_plain_client_auth(const json_t *settings, const char *prefix, const char *who,
                                    struct cl_err *err) {
  char key[64];
  snprintf(key, sizeof(key), "%sssl.client.auth", prefix);
  const char *given = cl_json_str(settings, key);
  char *auth = given ? cl_trimmed(given) : NULL;
  if (given && !auth)
    return cl_err_set(err, CL_ENOMEM, "out of memory");
  int rc = auth && strcmp(auth, "none") != 0
               ? cl_conf_error(
                     err,
                     "Invalid value %.200s for configuration %s: no %slistener is https, so nobody would be "
                     "asked for a certificate; listen on https, or remove the key",
                     auth, key, who)
               : 0;
  free(auth);
  return rc;
}

static int load_listeners(const json_t *raw, const json_t *typed, struct cl_rest_conf *out,
                          struct cl_err *err) {
  const json_t *list = json_object_get(typed, "listeners"),
               *admin = json_object_get(typed, "admin.listeners");
  if (json_array_size(list) == 0)
    return cl_conf_error(err, "Invalid value for listeners, at least one URL is expected, ex: "
                              "http://localhost:8080,https://localhost:8443.");
  out->admin = !json_is_array(admin)         ? CL_ADMIN_WITH_REST
               : json_array_size(admin) == 0 ? CL_ADMIN_NOWHERE
                                             : CL_ADMIN_ALONE;
  int rc = parse_list("listeners", list, false, out, err);
  if (rc == 0)
    rc = parse_list("admin.listeners", admin, true, out, err);
  if (rc == 0)
    rc = has_https(out, false) ? cl_tls_conf_load(raw, "listeners.https.", &out->tls, err)
                               : refuse_plain_client_auth(raw, "listeners.https.", "", err);
  if (rc == 0)
    rc = has_https(out, true) ? cl_tls_conf_load(raw, "admin.listeners.https.", &out->admin_tls, err)
                              : refuse_plain_client_auth(raw, "admin.listeners.https.", "admin ", err);
  if (rc == 0 && !out->tls && !out->admin_tls)
    rc = refuse_plain_client_auth(typed, "", "", err);
  return rc;
}

static int load_advertised(const json_t *typed, struct cl_rest_conf *out, struct cl_err *err) {
  const char *host = cl_json_str(typed, "rest.advertised.host.name");
  const char *scheme = cl_json_str(typed, "rest.advertised.listener");
  const json_t *port = json_object_get(typed, "rest.advertised.port");
  out->advertised_host = cl_trimmed(host ? host : "");
  out->advertised_port = json_is_null(port) ? -1 : (int)json_integer_value(port);
  out->advertised_https = cl_is_blank(scheme) ? -1 : strcasecmp(scheme, "https") == 0;
  if (out->advertised_https == 0 && strcasecmp(scheme, "http") != 0)
    return cl_conf_error(
        err, "Invalid value %.200s for configuration rest.advertised.listener: it must be http or https",
        scheme);
  return out->advertised_host ? 0 : cl_err_set(err, CL_ENOMEM, "out of memory");
}

static int64_t number(const json_t *typed, const char *key) {
  return json_integer_value(json_object_get(typed, key));
}

static void load_limits(const json_t *typed, struct cl_rest_conf *out) {
  out->mask_passwords = json_is_true(json_object_get(typed, "connect.lua.rest.mask.passwords"));
  out->body_max = (size_t)number(typed, "connect.lua.rest.body.max.bytes");
  out->head_max = (size_t)number(typed, "connect.lua.rest.head.max.bytes");
  out->connections_max = (int)number(typed, "connect.lua.rest.connections.max");
  out->idle_timeout_ms = number(typed, "connect.lua.rest.idle.timeout.ms");
  out->head_timeout_ms = number(typed, "connect.lua.rest.head.timeout.ms");
  out->request_timeout_ms = number(typed, "connect.lua.rest.request.timeout.ms");
}

int cl_rest_conf_load(const json_t *raw, const json_t *typed, struct cl_rest_conf *out, struct cl_err *err) {
  load_limits(typed, out);
  int rc = load_listeners(raw, typed, out, err);
  if (rc == 0)
    rc = load_advertised(typed, out, err);
  if (rc == 0)
    rc = cl_auth_conf_load(typed, getenv("KAFKA_OPTS"), &out->auth, err);
  return rc ? rc : cl_headers_conf_load(typed, out, err);
}

void cl_rest_conf_clear(struct cl_rest_conf *c) {
  for (size_t i = 0; i < c->n_listeners; i++)
    free(c->listeners[i].host);
  free(c->listeners);
  cl_tls_conf_free(c->tls);
  cl_tls_conf_free(c->admin_tls);
  free(c->advertised_host);
  free(c->auth.file);
  cl_headers_conf_clear(c);
  *c = (struct cl_rest_conf){0};
}

static void add_address(struct cl_buf *out, const char *host, int port) {
  char local[256] = "localhost";
  if (!*host && gethostname(local, sizeof(local)) == 0)
    local[sizeof(local) - 1] = '\0';
  host = *host ? host : local;
  cl_buf_fmt(out, strchr(host, ':') && host[0] != '[' ? "[%s]:%d" : "%s:%d", host, port);
}

size_t cl_rest_conf_advertised(const struct cl_rest_conf *c) {
  for (size_t i = 0; i < c->n_listeners; i++)
    if (!c->listeners[i].admin && c->listeners[i].https == (c->advertised_https == 1))
      return i;
  return 0;
}

char *cl_rest_conf_id(const struct cl_rest_conf *c, uint16_t port) {
  struct cl_buf id = {0};
  add_address(&id, *c->advertised_host ? c->advertised_host : c->listeners[cl_rest_conf_advertised(c)].host,
              c->advertised_port >= 0 ? c->advertised_port : port);
  return cl_buf_take(&id);
}

char *cl_rest_conf_url(const struct cl_listener *l, uint16_t port) {
  struct cl_buf url = {0};
  cl_buf_str(&url, l->https ? "https://" : "http://");
  add_address(&url, l->host, port);
  return cl_buf_take(&url);
}
