/* SPDX-License-Identifier: Apache-2.0
 *
 * libmicrohttpd asks clients for a certificate when it has a list of trusted ones, and then neither looks at
 * it nor minds its absence: both are decided here, inside the handshake.
 * Includes GnuTLS, libmicrohttpd, base.
 */
#include "rest/tls.h"

#include "base/buf.h"
#include "base/confdef.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>

struct cl_tls {
  const struct cl_tls_conf *conf;
  char *priorities;
};

/* ---- cipher suites ---- */

/* GnuTLS's name of a suite is Java's without WITH, with SHA1 for SHA, and without a hash after POLY1305. */
static bool same_suite(const char *java, const char *gnutls) {
  struct cl_buf name = {0};
  const char *with = strstr(java, "_WITH");
  size_t n = strlen(java);
  if (with)
    cl_buf_add(&name, java, (size_t)(with - java));
  cl_buf_str(&name, with ? with + 5 : java);
  if (with && n > 4 && strcmp(java + n - 4, "_SHA") == 0)
    cl_buf_char(&name, '1');
  char *poly = name.p ? strstr(name.p, "_POLY1305_SHA256") : NULL;
  if (with && poly)
    poly[9] = '\0';
  bool same = !name.failed && name.p && strcmp(name.p, gnutls) == 0;
  cl_buf_free(&name);
  return same;
}

struct suite {
  gnutls_kx_algorithm_t kx;
  gnutls_cipher_algorithm_t cipher;
  gnutls_mac_algorithm_t mac;
  gnutls_protocol_t version;
};

static bool find_suite(const char *java, struct suite *out) {
  unsigned char id[2];
  const char *name;
  for (size_t i = 0;
       (name = gnutls_cipher_suite_info(i, id, &out->kx, &out->cipher, &out->mac, &out->version)) != NULL;
       i++)
    if (same_suite(java, name))
      return true;
  return false;
}

/* The suites that the priorities allow must be those of the list: GnuTLS takes parts, and mixes them. */
static int check_exact(const struct cl_tls *tls, gnutls_priority_t set, struct cl_err *err) {
  const struct cl_tls_conf *conf = tls->conf;
  bool tls13 = strstr(tls->priorities, "+VERS-TLS1.3") != NULL;
  unsigned index;
  unsigned char id[2];
  gnutls_protocol_t version;
  for (unsigned i = 0;
       gnutls_priority_get_cipher_suite_index(set, i, &index) != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE; i++) {
    const char *name = gnutls_cipher_suite_info(index, id, NULL, NULL, NULL, &version);
    bool listed = !name || (version == GNUTLS_TLS1_3 && !tls13); /* it lists those of other versions too */
    size_t j;
    json_t *item;
    json_array_foreach (conf->cipher_suites, j, item)
      listed = listed || same_suite(json_string_value(item), name);
    if (!listed)
      return cl_conf_error(
          err,
          "Invalid configuration %sssl.cipher.suites: GnuTLS cannot serve exactly these suites, "
          "it would serve %s too; list suites of the same kind, or add that one",
          conf->prefix, name);
  }
  return 0;
}

static void add_protocols(struct cl_buf *out, const struct cl_tls_conf *conf, bool tls12, bool tls13) {
  if (tls13 && cl_json_has_text(conf->protocols, "TLSv1.3"))
    cl_buf_str(out, ":+VERS-TLS1.3");
  if (tls12 && cl_json_has_text(conf->protocols, "TLSv1.2"))
    cl_buf_str(out, ":+VERS-TLS1.2");
}

static int add_suites(struct cl_buf *out, const struct cl_tls_conf *conf, struct cl_err *err) {
  bool tls12 = false, tls13 = false;
  size_t i;
  json_t *item;
  cl_buf_str(out, "NONE:+COMP-NULL:+CTYPE-X509:+SIGN-ALL:+GROUP-ALL");
  json_array_foreach (conf->cipher_suites, i, item) {
    struct suite s;
    if (!find_suite(json_string_value(item), &s))
      return cl_conf_error(
          err,
          "Invalid value %.200s for configuration %sssl.cipher.suites: GnuTLS has no such cipher "
          "suite; give Java's names, such as TLS_AES_128_GCM_SHA256 or "
          "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
          json_string_value(item), conf->prefix);
    tls13 |= s.version == GNUTLS_TLS1_3;
    tls12 |= s.version != GNUTLS_TLS1_3;
    if (s.version != GNUTLS_TLS1_3)
      cl_buf_fmt(out, ":+%s", gnutls_kx_get_name(s.kx));
    cl_buf_fmt(out, ":+%s:+%s", gnutls_cipher_get_name(s.cipher), gnutls_mac_get_name(s.mac));
  }
  add_protocols(out, conf, tls12, tls13);
  return 0;
}

static int set_priorities(struct cl_tls *tls, struct cl_err *err) {
  const struct cl_tls_conf *conf = tls->conf;
  bool all = json_array_size(conf->cipher_suites) == 0;
  struct cl_buf text = {0};
  int rc = 0;
  if (all) { /* without what Jetty leaves out: no forward secrecy, SHA-1 */
    cl_buf_str(&text, "NORMAL:-RSA:-SHA1:-VERS-ALL");
    add_protocols(&text, conf, true, true);
  } else {
    rc = add_suites(&text, conf, err);
  }
  tls->priorities = cl_buf_take(&text);
  cl_buf_free(&text);
  if (rc == 0 && !tls->priorities)
    rc = cl_err_set(err, CL_ENOMEM, "Out of memory");
  gnutls_priority_t set = NULL;
  const char *at = NULL;
  if (rc == 0 && gnutls_priority_init(&set, tls->priorities, &at) != GNUTLS_E_SUCCESS)
    rc = cl_conf_error(
        err,
        "Invalid configuration %sssl.%s: this GnuTLS does not allow it (%s); the system's policy "
        "may forbid it",
        conf->prefix, all ? "enabled.protocols" : "cipher.suites", at ? at : tls->priorities);
  if (rc == 0 && !all)
    rc = check_exact(tls, set, err);
  gnutls_priority_deinit(set);
  return rc;
}

/* ---- key and certificates ---- */

static gnutls_datum_t datum(char *text) {
  return (gnutls_datum_t){.data = (unsigned char *)text, .size = (unsigned)strlen(text)};
}

static int try_stores(const struct cl_tls_conf *conf, struct cl_err *err) {
  gnutls_certificate_credentials_t creds;
  if (gnutls_certificate_allocate_credentials(&creds) != GNUTLS_E_SUCCESS)
    return cl_err_set(err, CL_ENOMEM, "Out of memory");
  gnutls_datum_t key = datum(conf->key), chain = datum(conf->chain);
  int rc = gnutls_certificate_set_x509_key_mem(creds, &chain, &key, GNUTLS_X509_FMT_PEM);
  if (rc != GNUTLS_E_SUCCESS) {
    rc = cl_conf_error(err, "Invalid configuration %sssl.keystore.location: GnuTLS cannot use the key: %s",
                       conf->prefix, gnutls_strerror(rc));
  } else if (conf->trust) {
    gnutls_datum_t trust = datum(conf->trust);
    int n = gnutls_certificate_set_x509_trust_mem(creds, &trust, GNUTLS_X509_FMT_PEM);
    rc = n > 0 ? 0
               : cl_conf_error(err,
                               "Invalid configuration %sssl.truststore.location: GnuTLS cannot use its "
                               "certificates: %s",
                               conf->prefix, n < 0 ? gnutls_strerror(n) : "there is none");
  }
  gnutls_certificate_free_credentials(creds);
  return rc;
}

int cl_tls_new(const struct cl_tls_conf *conf, struct cl_tls **out, struct cl_err *err) {
  struct cl_tls *tls = calloc(1, sizeof(*tls));
  if (!tls)
    return cl_err_set(err, CL_ENOMEM, "Out of memory");
  tls->conf = conf;
  int rc = set_priorities(tls, err);
  if (rc == 0)
    rc = try_stores(conf, err);
  if (rc)
    cl_tls_free(tls);
  else
    *out = tls;
  return rc;
}

void cl_tls_free(struct cl_tls *tls) {
  if (!tls)
    return;
  free(tls->priorities);
  free(tls);
}

void cl_tls_options(const struct cl_tls *tls, struct MHD_OptionItem out[CL_TLS_OPTIONS]) {
  size_t n = 0;
  out[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, tls->conf->key};
  out[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, tls->conf->chain};
  out[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, tls->priorities};
  if (tls->conf->trust)
    out[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0, tls->conf->trust};
  out[n] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
}

/* ---- clients' certificates ---- */

/* Inside the handshake; not 0 ends it. Without a certificate GnuTLS has decided already. */
static int check_client(gnutls_session_t session) {
  unsigned n = 0, status = 0;
  gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
                                   .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT};
  if (!gnutls_certificate_get_peers(session, &n) || n == 0)
    return 0;
  return gnutls_certificate_verify_peers(session, &purpose, 1, &status) == GNUTLS_E_SUCCESS && status == 0
             ? 0
             : GNUTLS_E_CERTIFICATE_ERROR;
}

void cl_tls_greet(const struct cl_tls *tls, struct MHD_Connection *con) {
  if (tls->conf->client_auth == CL_CLIENT_AUTH_NONE)
    return;
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(con, MHD_CONNECTION_INFO_GNUTLS_SESSION);
  CL_REQUIRE(info && info->tls_session);
  gnutls_session_t session = info->tls_session;
  gnutls_certificate_server_set_request(
      session, tls->conf->client_auth == CL_CLIENT_AUTH_REQUIRED ? GNUTLS_CERT_REQUIRE : GNUTLS_CERT_REQUEST);
  gnutls_session_set_verify_function(session, check_client);
}
