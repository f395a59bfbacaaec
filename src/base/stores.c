/* SPDX-License-Identifier: Apache-2.0
 * Any thread, no state. Includes base and libcrypto. */
#include "base/stores.h"

#include "base/confdef.h"
#include "base/fs.h"
#include "base/pem.h"
#include "base/text.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { STORE_MAX = 16 << 20 };

struct store {
  const char *what; /* "key store" or "trust store" */
  const char *location_key, *type_key, *password_key;
  char *location, *type, *password;
  enum cl_store_from from; /* of a location; INLINED: the type is PEM and there is none */
  struct cl_err *err;
};

/* The text without surrounding blanks, malloc'd; NULL when absent, null or (when wanted so) empty. */
static char *setting(const json_t *config, const char *key, bool empty_is_absent) {
  const char *raw = cl_json_str(config, key);
  char *text = raw ? cl_trimmed(raw) : NULL;
  if (text && empty_is_absent && !*text) {
    free(text);
    text = NULL;
  }
  return text;
}

static void wipe(char *secret) {
  if (secret)
    OPENSSL_cleanse(secret, strlen(secret));
  free(secret);
}

static void store_load(const json_t *config, struct store *s) {
  s->location = setting(config, s->location_key, true);
  s->type = setting(config, s->type_key, true);
  s->password = setting(config, s->password_key, false);
}

static void store_free(struct store *s) {
  free(s->location);
  free(s->type);
  wipe(s->password);
}

static int no_memory(struct cl_err *err) { return cl_err_set(err, CL_ENOMEM, "out of memory"); }

static int refuse(struct cl_err *err, const char *key, const char *value, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static int refuse(struct cl_err *err, const char *key, const char *value, const char *fmt, ...) {
  char detail[768];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(detail, sizeof(detail), fmt, ap);
  va_end(ap);
  return cl_conf_error(err, "Invalid value %.200s for configuration %s: %s", value, key, detail);
}

static const char hidden[] = "[hidden]";

/* Java's type JKS opens PKCS12 files as well, and keytool has been writing PKCS12 into
 * files named .jks for years: what counts is the first byte. */
static bool is_pkcs12_file(const char *path) {
  char *data = NULL;
  size_t len = 0;
  struct cl_err err = CL_ERR_INIT;
  bool yes = cl_fs_read(path, STORE_MAX, &data, &len, &err) == 0 && len > 0 && (unsigned char)data[0] == 0x30;
  free(data);
  return yes;
}

static int refuse_jks(const struct store *s) {
  size_t n = strlen(s->location);
  int stem = (int)(n > 4 && strcasecmp(s->location + n - 4, ".jks") == 0 ? n - 4 : n);
  return refuse(
      s->err, s->location_key, s->location,
      "Java key stores of type %s cannot be read here. Convert it with "
      "`keytool -importkeystore -srckeystore %s -destkeystore %.*s.p12 -deststoretype PKCS12`, then "
      "set %s to %.*s.p12 and %s to PKCS12",
      s->type ? s->type : "JKS", s->location, stem, s->location, s->location_key, stem, s->location,
      s->type_key);
}

static int store_format(struct store *s) {
  const char *type = s->type ? s->type : "JKS";
  s->from = CL_STORE_NONE;
  if (strcasecmp(type, "PEM") == 0)
    s->from = s->location ? CL_STORE_PEM_FILE : CL_STORE_INLINED;
  else if (s->location &&
           (strcasecmp(type, "PKCS12") == 0 || (strcasecmp(type, "JKS") == 0 && is_pkcs12_file(s->location))))
    s->from = CL_STORE_PKCS12;
  else if (s->location)
    return refuse_jks(s);
  bool pem = s->from == CL_STORE_PEM_FILE || s->from == CL_STORE_INLINED, is_key = s->what[0] == 'k';
  if (pem && s->password)
    return refuse(s->err, s->password_key, hidden, "SSL %s password cannot be specified with PEM format%s",
                  s->what, is_key ? ", only key password may be specified" : ".");
  return 0;
}

/* ------------------------------------------------------------------------ PKCS12 */

/* libcrypto's own context with the old ciphers that keytool wrote for years (RC2-40). */
struct crypto {
  OSSL_LIB_CTX *ctx;
  OSSL_PROVIDER *standard, *legacy;
};

static void crypto_open(struct crypto *c) {
  c->ctx = OSSL_LIB_CTX_new();
  c->standard = c->ctx ? OSSL_PROVIDER_load(c->ctx, "default") : NULL;
  c->legacy = c->ctx ? OSSL_PROVIDER_load(c->ctx, "legacy") : NULL;
}

static void crypto_close(struct crypto *c) {
  if (c->legacy)
    OSSL_PROVIDER_unload(c->legacy);
  if (c->standard)
    OSSL_PROVIDER_unload(c->standard);
  OSSL_LIB_CTX_free(c->ctx);
  ERR_clear_error(); /* this thread's error list is ours alone */
}

/* What a PKCS12 file holds; members are NULL when it has none. */
struct pkcs12 {
  struct crypto crypto;
  EVP_PKEY *key;
  X509 *own; /* the key's certificate */
  STACK_OF(X509) * others;
};

static int pkcs12_open(const struct store *s, struct pkcs12 *out) {
  struct cl_err why = CL_ERR_INIT;
  char *data = NULL;
  size_t len = 0;
  *out = (struct pkcs12){0};
  int rc = cl_fs_read(s->location, STORE_MAX, &data, &len, &why);
  if (rc)
    return refuse(s->err, s->location_key, s->location, "%s", why.msg);
  crypto_open(&out->crypto);
  const unsigned char *at = (const unsigned char *)data;
  PKCS12 *p12 = PKCS12_init_ex(NID_pkcs7_data, out->crypto.ctx, NULL);
  if (!p12 || !d2i_PKCS12(&p12, &at, (long)len))
    rc = refuse(s->err, s->location_key, s->location, "not a PKCS12 file");
  else if (!PKCS12_parse(p12, s->password ? s->password : "", &out->key, &out->own, &out->others))
    rc = refuse(s->err, s->location_key, s->location,
                "cannot be opened with %s: wrong password, or an encryption this OpenSSL does not have",
                s->password_key);
  PKCS12_free(p12);
  free(data);
  return rc;
}

static void pkcs12_close(struct pkcs12 *p) {
  sk_X509_pop_free(p->others, X509_free);
  X509_free(p->own);
  EVP_PKEY_free(p->key);
  crypto_close(&p->crypto);
}

static int trust_pkcs12(const struct store *s, struct cl_trust_store *out) {
  struct pkcs12 p;
  int rc = pkcs12_open(s, &p);
  if (rc == 0 && sk_X509_num(p.others) <= 0)
    rc = refuse(s->err, s->location_key, s->location, "there is no trusted certificate in it");
  if (rc == 0) {
    out->certificates = cl_pem_of_certificates(NULL, p.others);
    rc = out->certificates ? 0 : no_memory(s->err);
  }
  pkcs12_close(&p);
  return rc;
}

static int key_pkcs12(const struct store *s, struct cl_key_store *out) {
  struct pkcs12 p;
  int rc = pkcs12_open(s, &p);
  if (rc == 0 && (!p.key || !p.own))
    rc = refuse(s->err, s->location_key, s->location, "there is no key with its certificate in it");
  if (rc == 0) {
    out->key = cl_pem_of_key(p.key);
    out->chain = cl_pem_of_certificates(p.own, p.others);
    rc = out->key && out->chain ? 0 : no_memory(s->err);
  }
  pkcs12_close(&p);
  return rc;
}

/* --------------------------------------------------------------------------- PEM */

static int pem_file(const struct store *s, char **pem) {
  struct cl_err why = CL_ERR_INIT;
  size_t len = 0;
  if (cl_fs_read(s->location, STORE_MAX, pem, &len, &why) != 0)
    return refuse(s->err, s->location_key, s->location, "%s", why.msg);
  return 0;
}

/* The blocks of a setting. */
static int pem_inlined(struct cl_err *err, const char *key, const char *text, char **pem) {
  *pem = cl_pem_lines(text);
  if (!*pem)
    return no_memory(err);
  return **pem ? 0 : refuse(err, key, hidden, "no PEM block (-----BEGIN ...) found in it");
}

static int check_trust(struct cl_err *err, const char *key, const char *shown, const char *pem) {
  int n = cl_pem_certificates(pem, strlen(pem), NULL);
  if (n > 0)
    return 0;
  return refuse(err, key, shown,
                n == 0 ? "there is no PEM certificate (-----BEGIN CERTIFICATE-----) in it"
                       : "one of its PEM certificates cannot be read");
}

static int refuse_key(struct cl_err *err, const char *key, const char *shown, const struct cl_pem_secret *s,
                      bool present) {
  bool file = shown != hidden;
  if (s->asked && s->password)
    return refuse(err, "ssl.key.password", hidden,
                  "the private key of %s%s%s cannot be opened with it: wrong password, or an encryption this "
                  "OpenSSL does not have",
                  key, file ? " " : "", file ? shown : "");
  return refuse(err, key, shown, "%s",
                s->asked  ? "its private key is encrypted, but ssl.key.password is not set"
                : present ? "its private key cannot be read"
                          : "there is no PEM private key (-----BEGIN PRIVATE KEY-----) in it");
}

/* Fills out from PEM texts that fit each other. shown: the file, or hidden. */
static int take_key(struct cl_err *err, const char *key_name, const char *shown, const char *key_pem,
                    const char *chain_pem, const char *password, struct cl_key_store *out) {
  struct cl_pem_secret secret = {.password = password};
  STACK_OF(X509) *certs = NULL;
  int rc = 0;
  EVP_PKEY *key = cl_pem_key(key_pem, strlen(key_pem), &secret);
  if (!key)
    rc = refuse_key(err, key_name, shown, &secret, strstr(key_pem, "PRIVATE KEY-----") != NULL);
  else if (cl_pem_certificates(chain_pem, strlen(chain_pem), &certs) <= 0)
    rc = refuse(err, key_name, shown, "the certificates of its private key are missing or cannot be read");
  else if (X509_check_private_key(sk_X509_value(certs, 0), key) != 1)
    rc = refuse(err, key_name, shown, "its first certificate is not that of its private key");
  if (rc == 0) {
    out->key = cl_pem_of_key(key);
    out->chain = cl_pem_of_certificates(NULL, certs);
    rc = out->key && out->chain ? 0 : no_memory(err);
  }
  sk_X509_pop_free(certs, X509_free);
  EVP_PKEY_free(key);
  ERR_clear_error();
  return rc;
}

/* One file holds both, as for Java. */
static int key_file(const json_t *config, const struct store *s, struct cl_key_store *out) {
  char *pem = NULL, *password = setting(config, "ssl.key.password", false);
  int rc = pem_file(s, &pem);
  if (rc == 0)
    rc = take_key(s->err, s->location_key, s->location, pem, pem, password, out);
  wipe(pem);
  wipe(password);
  return rc;
}

static int key_inlined(const json_t *config, const char *key, const char *chain, struct cl_err *err,
                       struct cl_key_store *out) {
  char *key_pem = NULL, *chain_pem = NULL, *password = setting(config, "ssl.key.password", false);
  int rc = pem_inlined(err, "ssl.keystore.key", key, &key_pem);
  if (rc == 0)
    rc = pem_inlined(err, "ssl.keystore.certificate.chain", chain, &chain_pem);
  if (rc == 0)
    rc = take_key(err, "ssl.keystore.key", hidden, key_pem, chain_pem, password, out);
  wipe(key_pem);
  free(chain_pem);
  wipe(password);
  return rc;
}

/* ------------------------------------------------------------------------ stores */

int cl_stores_trust(const json_t *config, struct cl_trust_store *out, struct cl_err *err) {
  struct store s = {.what = "trust store",
                    .location_key = "ssl.truststore.location",
                    .type_key = "ssl.truststore.type",
                    .password_key = "ssl.truststore.password",
                    .err = err};
  *out = (struct cl_trust_store){0};
  store_load(config, &s);
  char *inlined = setting(config, "ssl.truststore.certificates", true);
  int rc = store_format(&s);
  if (rc)
    goto out;
  if (inlined && s.location && s.from == CL_STORE_PEM_FILE)
    rc = refuse(err, s.location_key, s.location,
                "Both SSL trust store location and separate trust certificates are specified.");
  else if (inlined && s.from != CL_STORE_INLINED)
    rc = refuse(err, s.type_key, s.type ? s.type : "JKS",
                "SSL trust store certificates (ssl.truststore.certificates) need ssl.truststore.type=PEM");
  else if (inlined)
    rc = pem_inlined(err, "ssl.truststore.certificates", inlined, &out->certificates);
  else if (s.from == CL_STORE_PEM_FILE)
    rc = pem_file(&s, &out->certificates);
  else if (s.from == CL_STORE_PKCS12)
    rc = trust_pkcs12(&s, out);
  if (rc == 0 && (inlined || s.from == CL_STORE_PEM_FILE))
    rc = check_trust(err, inlined ? "ssl.truststore.certificates" : s.location_key,
                     inlined ? hidden : s.location, out->certificates);
out:
  if (rc == 0 && out->certificates) {
    out->from = s.from;
    out->location = s.location;
    s.location = NULL;
  } else {
    cl_trust_store_clear(out);
  }
  free(inlined);
  store_free(&s);
  return rc;
}

int cl_stores_key(const json_t *config, struct cl_key_store *out, struct cl_err *err) {
  struct store s = {.what = "key store",
                    .location_key = "ssl.keystore.location",
                    .type_key = "ssl.keystore.type",
                    .password_key = "ssl.keystore.password",
                    .err = err};
  *out = (struct cl_key_store){0};
  store_load(config, &s);
  char *key = setting(config, "ssl.keystore.key", true);
  char *chain = setting(config, "ssl.keystore.certificate.chain", true);
  int rc = store_format(&s);
  if (rc)
    goto out;
  bool pem = s.from == CL_STORE_PEM_FILE || s.from == CL_STORE_INLINED;
  if ((key || chain) && !pem)
    rc = refuse(err, s.type_key, s.type ? s.type : "JKS",
                "ssl.keystore.key and ssl.keystore.certificate.chain need ssl.keystore.type=PEM");
  else if ((key || chain) && s.location)
    rc = refuse(err, s.location_key, s.location,
                "Both SSL key store location and separate private key are specified.");
  else if (key && !chain)
    rc = refuse(err, "ssl.keystore.certificate.chain", hidden,
                "SSL private key is specified, but certificate chain is not specified.");
  else if (chain && !key)
    rc = refuse(err, "ssl.keystore.key", hidden,
                "SSL certificate chain is specified, but private key is not specified");
  else if (key)
    rc = key_inlined(config, key, chain, err, out);
  else if (s.from == CL_STORE_PEM_FILE)
    rc = key_file(config, &s, out);
  else if (s.from == CL_STORE_PKCS12)
    rc = key_pkcs12(&s, out);
out:
  if (rc == 0 && out->key) {
    out->from = s.from;
    out->location = s.location;
    s.location = NULL;
  } else {
    cl_key_store_clear(out);
  }
  wipe(key);
  free(chain);
  store_free(&s);
  return rc;
}

void cl_trust_store_clear(struct cl_trust_store *s) {
  free(s->location);
  free(s->certificates);
  *s = (struct cl_trust_store){0};
}

void cl_key_store_clear(struct cl_key_store *s) {
  free(s->location);
  wipe(s->key);
  free(s->chain);
  *s = (struct cl_key_store){0};
}
