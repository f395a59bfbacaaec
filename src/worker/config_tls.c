/* SPDX-License-Identifier: Apache-2.0
 *
 * Java's settings of a TLS server for GnuTLS. What only Java can do is refused.
 * Thread: main. May include floors 5-0.
 */
#include "worker/config_tls.h"

#include "base/stores.h"
#include "base/text.h"
#include "worker/config_internal.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ROWS_MAX = 32 };

/* The ssl.* rows of the worker file, those alone. */
static int parse(const json_t *settings, json_t **typed, struct cl_err *err) {
  struct cl_conf_row rows[ROWS_MAX];
  struct cl_conf_def def = {.rows = rows};
  const struct cl_conf_def *all = cl_worker_def();
  for (size_t i = 0; i < all->n; i++)
    if (cl_starts_with(all->rows[i].name, "ssl.")) {
      CL_REQUIRE(def.n < ROWS_MAX);
      rows[def.n++] = all->rows[i];
    }
  return cl_conf_parse(&def, settings, typed, err);
}

static int refuse_javas(const json_t *typed, struct cl_err *err) {
  static const struct {
    const char *key;
    const char *known[8]; /* which mean nothing here */
  } keys[] = {
      {"ssl.provider", {0}},
      {"ssl.secure.random.implementation", {0}},
      {"ssl.engine.factory.class", {0}},
      {"ssl.keymanager.algorithm", {"SunX509", "NewSunX509", "PKIX"}},
      {"ssl.trustmanager.algorithm", {"PKIX", "SunX509"}},
      {"ssl.protocol", {"TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1", "TLS", "SSL"}},
  };
  for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
    const char *value = cl_json_str(typed, keys[i].key);
    bool known = cl_is_blank(value);
    for (size_t j = 0; !known && keys[i].known[j]; j++)
      known = strcmp(value, keys[i].known[j]) == 0;
    if (!known)
      return cl_conf_error(err,
                           "Invalid value %.200s for configuration %s: this is Java's, and cannot be done by "
                           "connect-lua's https listeners; remove the key",
                           value, keys[i].key);
  }
  return 0;
}

static int protocols(const json_t *typed, struct cl_tls_conf *out, struct cl_err *err) {
  json_t *list = json_object_get(typed, "ssl.enabled.protocols"), *item;
  size_t i;
  json_array_foreach (list, i, item) {
    const char *name = json_string_value(item);
    if (strcmp(name, "TLSv1.2") != 0 && strcmp(name, "TLSv1.3") != 0)
      return cl_conf_error(err,
                           "Invalid value %.200s for configuration ssl.enabled.protocols: connect-lua serves "
                           "TLSv1.2 and TLSv1.3",
                           name);
  }
  if (json_array_size(list) == 0)
    return cl_conf_error(
        err, "Invalid value  for configuration ssl.enabled.protocols: name TLSv1.2, TLSv1.3 or both");
  out->protocols = json_incref(list);
  out->cipher_suites = json_incref(json_object_get(typed, "ssl.cipher.suites"));
  return 0;
}

static int key_store(const json_t *settings, struct cl_tls_conf *out, struct cl_err *err) {
  struct cl_key_store s;
  int rc = cl_stores_key(settings, &s, err);
  if (rc == 0 && s.from == CL_STORE_NONE)
    rc = cl_conf_error(
        err, "Missing required configuration \"ssl.keystore.location\": an https listener needs a key store. "
             "Name a PKCS12 or PEM file and its ssl.keystore.type");
  if (rc == 0) {
    out->key = s.key;
    out->chain = s.chain;
    s.key = s.chain = NULL;
  }
  cl_key_store_clear(&s);
  return rc;
}

static int trust_store(const json_t *settings, const char *auth, struct cl_tls_conf *out,
                       struct cl_err *err) {
  struct cl_trust_store s;
  int rc = cl_stores_trust(settings, &s, err);
  out->client_auth = strcmp(auth, "required") == 0    ? CL_CLIENT_AUTH_REQUIRED
                     : strcmp(auth, "requested") == 0 ? CL_CLIENT_AUTH_REQUESTED
                                                      : CL_CLIENT_AUTH_NONE;
  if (rc == 0 && out->client_auth != CL_CLIENT_AUTH_NONE && s.from == CL_STORE_NONE)
    rc = cl_conf_error(err,
                       "Missing required configuration \"ssl.truststore.location\": ssl.client.auth=%s needs "
                       "the certificates to check clients' against. Name a PKCS12 or PEM file and its "
                       "ssl.truststore.type",
                       auth);
  if (rc == 0 && out->client_auth != CL_CLIENT_AUTH_NONE) {
    out->trust = s.certificates;
    s.certificates = NULL;
  }
  cl_trust_store_clear(&s);
  return rc;
}

int cl_tls_conf_load(const json_t *raw, const char *prefix, struct cl_tls_conf **out, struct cl_err *err) {
  json_t *own = cl_worker_strip(raw, prefix), *typed = NULL;
  bool prefixed = json_object_size(own) > 0;
  const json_t *settings = prefixed ? own : raw;
  struct cl_tls_conf *tls = calloc(1, sizeof(*tls));
  int rc = tls ? parse(settings, &typed, err) : cl_err_set(err, CL_ENOMEM, "out of memory");
  if (rc == 0)
    tls->prefix = prefixed ? prefix : "";
  if (rc == 0)
    rc = refuse_javas(typed, err);
  if (rc == 0)
    rc = protocols(typed, tls, err);
  if (rc == 0)
    rc = key_store(settings, tls, err);
  if (rc == 0)
    rc = trust_store(settings, cl_json_str(typed, "ssl.client.auth"), tls, err);
  if (rc && rc != CL_ENOMEM && prefixed)
    cl_err_prefix(err, "settings under %s: ", prefix);
  json_decref(typed);
  json_decref(own);
  if (rc)
    cl_tls_conf_free(tls);
  else
    *out = tls;
  return rc;
}

void cl_tls_conf_free(struct cl_tls_conf *tls) {
  if (!tls)
    return;
  if (tls->key)
    OPENSSL_cleanse(tls->key, strlen(tls->key));
  free(tls->key);
  free(tls->chain);
  free(tls->trust);
  json_decref(tls->protocols);
  json_decref(tls->cipher_suites);
  free(tls);
}
