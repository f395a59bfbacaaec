/* SPDX-License-Identifier: Apache-2.0
 *
 * Java's key and trust stores for librdkafka: PEM goes through when conf_pem.c can read it; PKCS12 becomes
 * PEM text here (librdkafka cannot read a PKCS12 trust store, and leaks a little of each PKCS12 key store);
 * JKS is refused with the line that converts it.
 * Any thread, no state. May include base, librdkafka and libcrypto.
 */
#define CL_COMPONENT "kafka.conf"
#include "kafka/conf_internal.h"

#include "base/buf.h"
#include "base/fs.h"
#include "base/log.h"

#include <ctype.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { STORE_MAX = 16 << 20 };
enum format { FORMAT_PEM, FORMAT_PKCS12, FORMAT_OTHER };

struct store {
  const char *what; /* "keystore" or "truststore" */
  const char *location_key, *type_key, *password_key;
  char *location, *type, *password;
  enum format format;
};

static void store_load(const struct cl_conf_run *run, struct store *s) {
  s->location = cl_conf_get(run, s->location_key, true);
  s->type = cl_conf_get(run, s->type_key, true);
  s->password = cl_conf_get(run, s->password_key, false);
}

static void store_free(struct store *s) {
  free(s->location);
  free(s->type);
  free(s->password);
}

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

static int refuse_jks(struct cl_conf_run *run, const struct store *s) {
  size_t n = strlen(s->location);
  int stem = (int)(n > 4 && strcasecmp(s->location + n - 4, ".jks") == 0 ? n - 4 : n);
  return cl_conf_refuse(
      run, s->location_key, s->location,
      "Java key stores of type %s cannot be read here. Convert it with "
      "`keytool -importkeystore -srckeystore %s -destkeystore %.*s.p12 -deststoretype PKCS12`, then "
      "set %s to %.*s.p12 and %s to PKCS12",
      s->type ? s->type : "JKS", s->location, stem, s->location, s->location_key, stem, s->location,
      s->type_key);
}

static int store_format(struct cl_conf_run *run, struct store *s) {
  const char *type = s->type ? s->type : "JKS";
  s->format = FORMAT_OTHER;
  if (strcasecmp(type, "PEM") == 0)
    s->format = FORMAT_PEM;
  else if (strcasecmp(type, "PKCS12") == 0)
    s->format = FORMAT_PKCS12;
  else if (s->location && strcasecmp(type, "JKS") == 0 && is_pkcs12_file(s->location))
    s->format = FORMAT_PKCS12;
  else if (s->location)
    return refuse_jks(run, s);
  if (s->format == FORMAT_PEM && s->password)
    return cl_conf_refuse(run, s->password_key, "", "SSL %s password cannot be specified with PEM format%s",
                          strcmp(s->what, "keystore") == 0 ? "key store" : "trust store",
                          strcmp(s->what, "keystore") == 0 ? ", only key password may be specified" : ".");
  return 0;
}

/* Java takes PEM whose line ends were lost (one line, blanks between); OpenSSL wants lines of 64. */
static char *pem_lines(const char *text) {
  struct cl_buf out = {0};
  const char *p = text;
  while ((p = strstr(p, "-----BEGIN ")) != NULL) {
    const char *body = strstr(p + 11, "-----");
    const char *end = body ? strstr(body + 5, "-----END ") : NULL;
    const char *last = end ? strstr(end + 9, "-----") : NULL;
    if (!last)
      break;
    body += 5;
    cl_buf_add(&out, p, (size_t)(body - p));
    cl_buf_char(&out, '\n');
    bool has_header = memchr(body, ':', (size_t)(end - body)) != NULL; /* "Proc-Type: ...": leave it alone */
    size_t column = 0;
    if (has_header)
      cl_buf_add(&out, body, (size_t)(end - body));
    for (; !has_header && body < end; body++) {
      if (isspace((unsigned char)*body))
        continue;
      cl_buf_char(&out, *body);
      if (++column % 64 == 0)
        cl_buf_char(&out, '\n');
    }
    if (column % 64 != 0)
      cl_buf_char(&out, '\n');
    p = last + 5;
    cl_buf_add(&out, end, (size_t)(p - end));
    cl_buf_char(&out, '\n');
  }
  return cl_buf_take(&out);
}

static int put_pem(struct cl_conf_run *run, const char *java, const char *name, const char *text) {
  char *pem = pem_lines(text);
  int rc;
  if (!pem)
    rc = cl_err_set(run->err, CL_ENOMEM, "out of memory");
  else if (!*pem)
    rc = cl_conf_refuse(run, java, "", "no PEM block (-----BEGIN ...) found in it");
  else
    rc = cl_conf_put(run, java, name, pem);
  free(pem);
  return rc;
}

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

static int pkcs12_open(struct cl_conf_run *run, const struct store *s, struct pkcs12 *out) {
  struct cl_err why = CL_ERR_INIT;
  char *data = NULL;
  size_t len = 0;
  *out = (struct pkcs12){0};
  int rc = cl_fs_read(s->location, STORE_MAX, &data, &len, &why);
  if (rc)
    return cl_conf_refuse(run, s->location_key, s->location, "%s", why.msg);
  crypto_open(&out->crypto);
  const unsigned char *at = (const unsigned char *)data;
  PKCS12 *p12 = PKCS12_init_ex(NID_pkcs7_data, out->crypto.ctx, NULL);
  if (!p12 || !d2i_PKCS12(&p12, &at, (long)len))
    rc = cl_conf_refuse(run, s->location_key, s->location, "not a PKCS12 file");
  else if (!PKCS12_parse(p12, s->password ? s->password : "", &out->key, &out->own, &out->others))
    rc = cl_conf_refuse(
        run, s->location_key, s->location,
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

/* Takes bio; puts what was written to it. */
static int put_bio(struct cl_conf_run *run, const char *java, const char *name, BIO *bio, bool ok) {
  char *data = NULL;
  long n = ok ? BIO_get_mem_data(bio, &data) : 0;
  char *text = ok ? strndup(data ? data : "", (size_t)n) : NULL;
  int rc = text ? cl_conf_put(run, java, name, text) : cl_err_set(run->err, CL_ENOMEM, "out of memory");
  free(text);
  BIO_free(bio);
  return rc;
}

static int trust_pkcs12(struct cl_conf_run *run, const struct store *s) {
  struct pkcs12 p;
  int rc = pkcs12_open(run, s, &p);
  if (rc == 0 && sk_X509_num(p.others) <= 0)
    rc = cl_conf_refuse(run, s->location_key, s->location, "there is no trusted certificate in it");
  if (rc == 0) {
    BIO *bio = BIO_new(BIO_s_mem());
    bool ok = bio != NULL;
    for (int i = 0; ok && i < sk_X509_num(p.others); i++)
      ok = PEM_write_bio_X509(bio, sk_X509_value(p.others, i)) == 1;
    rc = put_bio(run, s->location_key, "ssl.ca.pem", bio, ok);
  }
  pkcs12_close(&p);
  return rc;
}

static int key_pkcs12(struct cl_conf_run *run, const struct store *s) {
  struct pkcs12 p;
  int rc = pkcs12_open(run, s, &p);
  if (rc == 0 && (!p.key || !p.own))
    rc = cl_conf_refuse(run, s->location_key, s->location, "there is no key with its certificate in it");
  if (rc == 0 && sk_X509_num(p.others) > 0)
    CL_LOG(CL_DEBUG,
           "%s: librdkafka sends the key's own certificate only, not its chain; use a PEM file for that",
           s->location);
  if (rc == 0) {
    BIO *bio = BIO_new(BIO_s_mem());
    bool ok = bio && PEM_write_bio_PKCS8PrivateKey(bio, p.key, NULL, NULL, 0, NULL, NULL) == 1;
    rc = put_bio(run, s->location_key, "ssl.key.pem", bio, ok);
  }
  if (rc == 0) {
    BIO *bio = BIO_new(BIO_s_mem());
    bool ok = bio && PEM_write_bio_X509(bio, p.own) == 1;
    rc = put_bio(run, s->location_key, "ssl.certificate.pem", bio, ok);
  }
  pkcs12_close(&p);
  return rc;
}

static int read_pem(struct cl_conf_run *run, const struct store *s, char **text, size_t *len) {
  struct cl_err why = CL_ERR_INIT;
  if (cl_fs_read(s->location, STORE_MAX, text, len, &why) == 0)
    return 0;
  return cl_conf_refuse(run, s->location_key, s->location, "%s", why.msg);
}

static int trust_pem(struct cl_conf_run *run, const struct store *s) {
  char *text = NULL;
  size_t len = 0;
  int rc = read_pem(run, s, &text, &len);
  if (rc == 0)
    rc = cl_conf_pem_trust(run, s->location_key, s->location, text, len);
  free(text);
  return rc ? rc : cl_conf_put(run, s->location_key, "ssl.ca.location", s->location);
}

static int trust_inlined(struct cl_conf_run *run, const char *certificates) {
  static const char java[] = "ssl.truststore.certificates";
  int rc = put_pem(run, java, "ssl.ca.pem", certificates);
  const char *pem = cl_json_str(run->out, "ssl.ca.pem");
  return rc ? rc : cl_conf_pem_trust(run, java, "", pem, strlen(pem));
}

static int truststore(struct cl_conf_run *run) {
  struct store s = {.what = "truststore",
                    .location_key = "ssl.truststore.location",
                    .type_key = "ssl.truststore.type",
                    .password_key = "ssl.truststore.password"};
  store_load(run, &s);
  char *inlined = cl_conf_get(run, "ssl.truststore.certificates", true);
  int rc = store_format(run, &s);
  if (rc)
    goto out;
  if (inlined && s.format != FORMAT_PEM)
    rc = cl_conf_refuse(
        run, s.type_key, s.type ? s.type : "JKS",
        "SSL trust store certificates (ssl.truststore.certificates) need ssl.truststore.type=PEM");
  else if (inlined && s.location)
    rc = cl_conf_refuse(run, s.location_key, s.location,
                        "Both SSL trust store location and separate trust certificates are specified.");
  else if (inlined)
    rc = trust_inlined(run, inlined);
  else if (s.location && s.format == FORMAT_PEM)
    rc = trust_pem(run, &s);
  else if (s.location)
    rc = trust_pkcs12(run, &s);
out:
  free(inlined);
  store_free(&s);
  return rc;
}

/* One file holds both, as for Java. */
static int key_file(struct cl_conf_run *run, const struct store *s, const char *password) {
  char *text = NULL;
  size_t len = 0;
  int rc = read_pem(run, s, &text, &len);
  if (rc == 0)
    rc = cl_conf_pem_key(run, s->location_key, s->location, text, len, text, len, password);
  free(text);
  if (rc == 0)
    rc = cl_conf_put(run, s->location_key, "ssl.key.location", s->location);
  return rc ? rc : cl_conf_put(run, s->location_key, "ssl.certificate.location", s->location);
}

static int key_inlined(struct cl_conf_run *run, const char *key, const char *chain, const char *password) {
  const char *second = strstr(strstr(chain, "-----BEGIN ") ? strstr(chain, "-----BEGIN ") + 1 : "",
                              "-----BEGIN ");
  if (second)
    return cl_conf_refuse(
        run, "ssl.keystore.certificate.chain", chain,
        "librdkafka would send only its first certificate; put key and chain into a file and name it "
        "in ssl.keystore.location");
  int rc = put_pem(run, "ssl.keystore.key", "ssl.key.pem", key);
  if (rc == 0)
    rc = put_pem(run, "ssl.keystore.certificate.chain", "ssl.certificate.pem", chain);
  if (rc)
    return rc;
  const char *key_text = cl_json_str(run->out, "ssl.key.pem"),
             *chain_text = cl_json_str(run->out, "ssl.certificate.pem");
  return cl_conf_pem_key(run, "ssl.keystore.key", "", key_text, strlen(key_text), chain_text,
                         strlen(chain_text), password);
}

static int key_pem(struct cl_conf_run *run, const struct store *s, const char *key, const char *chain) {
  char *password = cl_conf_get(run, "ssl.key.password", false);
  int rc = 0;
  if (s->location)
    rc = key_file(run, s, password);
  else if (key)
    rc = key_inlined(run, key, chain, password);
  if (rc == 0 && password && (s->location || key))
    rc = cl_conf_put(run, "ssl.key.password", "ssl.key.password", password);
  free(password);
  return rc;
}

static int keystore(struct cl_conf_run *run) {
  struct store s = {.what = "keystore",
                    .location_key = "ssl.keystore.location",
                    .type_key = "ssl.keystore.type",
                    .password_key = "ssl.keystore.password"};
  store_load(run, &s);
  char *key = cl_conf_get(run, "ssl.keystore.key", true);
  char *chain = cl_conf_get(run, "ssl.keystore.certificate.chain", true);
  int rc = store_format(run, &s);
  if (rc)
    goto out;
  if ((key || chain) && s.format != FORMAT_PEM)
    rc = cl_conf_refuse(run, s.type_key, s.type ? s.type : "JKS",
                        "ssl.keystore.key and ssl.keystore.certificate.chain need ssl.keystore.type=PEM");
  else if ((key || chain) && s.location)
    rc = cl_conf_refuse(run, s.location_key, s.location,
                        "Both SSL key store location and separate private key are specified.");
  else if (key && !chain)
    rc = cl_conf_refuse(run, "ssl.keystore.certificate.chain", "null",
                        "SSL private key is specified, but certificate chain is not specified.");
  else if (chain && !key)
    rc = cl_conf_refuse(run, "ssl.keystore.key", "null",
                        "SSL certificate chain is specified, but private key is not specified");
  else if (s.format == FORMAT_PEM)
    rc = key_pem(run, &s, key, chain);
  else if (s.location)
    rc = key_pkcs12(run, &s);
out:
  free(key);
  free(chain);
  store_free(&s);
  return rc;
}

static int ciphers(struct cl_conf_run *run) {
  char *suites = cl_conf_get(run, "ssl.cipher.suites", true);
  int rc = 0;
  if (suites && strncmp(suites, "TLS_", 4) == 0)
    rc = cl_conf_refuse(run, "ssl.cipher.suites", suites,
                        "Java's names of cipher suites are not understood here; give OpenSSL's, such as "
                        "ECDHE-RSA-AES128-GCM-SHA256, or remove the key");
  else if (suites)
    rc = cl_conf_put(run, "ssl.cipher.suites", "ssl.cipher.suites", suites);
  free(suites);
  return rc;
}

static int endpoint(struct cl_conf_run *run) {
  static const char key[] = "ssl.endpoint.identification.algorithm";
  char *algorithm = cl_conf_get(run, key, false);
  int rc = algorithm ? cl_conf_put(run, key, key, *algorithm ? algorithm : "none") : 0;
  free(algorithm);
  return rc;
}

int cl_conf_tls(struct cl_conf_run *run) {
  int rc = truststore(run);
  if (rc == 0)
    rc = keystore(run);
  if (rc == 0)
    rc = ciphers(run);
  return rc ? rc : endpoint(run);
}
