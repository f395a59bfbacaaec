/* SPDX-License-Identifier: Apache-2.0
 *
 * What the worker file says about REST: where to listen, with which TLS. Every key is checked when the
 * file is loaded; what a door would need and is not there is an error, never a door without it.
 * Thread: main loads; immutable afterwards, any thread reads.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"

#include <stdbool.h>
#include <stdint.h>

/* Where the routes under /admin are. */
enum cl_admin_at { CL_ADMIN_WITH_REST, CL_ADMIN_NOWHERE, CL_ADMIN_ALONE };

struct cl_listener {
  bool https;
  bool admin;    /* one of admin.listeners: serves those routes alone */
  char *host;    /* "" = all interfaces; IPv6 without brackets */
  uint16_t port; /* 0 = any free one */
};

enum cl_client_auth { CL_CLIENT_AUTH_NONE, CL_CLIENT_AUTH_REQUESTED, CL_CLIENT_AUTH_REQUIRED };

/* ssl.* of the https listeners of one set. */
struct cl_tls_conf {
  const char *prefix; /* of its keys, "" = top level; static */
  char *key, *chain;  /* PEM */
  char *trust;        /* PEM; NULL when client_auth is NONE */
  enum cl_client_auth client_auth;
  json_t *protocols;     /* array, of TLSv1.2 and TLSv1.3 */
  json_t *cipher_suites; /* array of Java's names, empty = all that are safe */
};

enum cl_auth_kind {
  CL_AUTH_NONE,
  CL_AUTH_PROPERTIES, /* Java properties, user=password */
  CL_AUTH_HASHED      /* lines user:hash, as htpasswd -B and mkpasswd make */
};
struct cl_auth_conf {
  enum cl_auth_kind kind;
  char *file;
};

/* One of response.http.headers.config. */
struct cl_header_conf {
  bool add, date; /* beside others of the name; value is an offset in ms to now */
  char *name, *value;
};

struct cl_rest_conf {
  struct cl_listener *listeners; /* at least one, those of admin.listeners last */
  size_t n_listeners;
  enum cl_admin_at admin;
  struct cl_tls_conf *tls, *admin_tls; /* NULL when none of the set is https */
  char *advertised_host;               /* "" = that of the listener */
  int advertised_port;                 /* or -1 */
  int advertised_https;                /* 0, 1; -1 = the file does not say */
  struct cl_auth_conf auth;
  json_t
      *origins;  /* array of Java patterns, or "*"; empty = no CORS. For listeners that are not admin's, as */
  char *methods; /* of preflights, comma separated */
  struct cl_header_conf *headers; /* these, in their order */
  size_t n_headers;
  bool mask_passwords;        /* connect.lua.rest.mask.passwords */
  size_t body_max, head_max;  /* bytes of a request */
  int connections_max;        /* of each listener */
  int64_t idle_timeout_ms;    /* no byte came or went */
  int64_t head_timeout_ms;    /* a handshake, a request up to its body */
  int64_t request_timeout_ms; /* a request's body, a write's answer, the sending of an answer */
};

/* raw: the file's keys; typed: by the rows of the worker file. */
int cl_rest_conf_load(const json_t *raw, const json_t *typed, struct cl_rest_conf *out, struct cl_err *err);
void cl_rest_conf_clear(struct cl_rest_conf *conf);

/* The listener that others are told of. */
size_t cl_rest_conf_advertised(const struct cl_rest_conf *conf);
/* The worker id: host:port of it as advertised; port is the one bound. malloc'd. */
char *cl_rest_conf_id(const struct cl_rest_conf *conf, uint16_t port);

/* scheme://host:port of one listener, the machine's name for all interfaces. malloc'd. */
char *cl_rest_conf_url(const struct cl_listener *l, uint16_t port);
