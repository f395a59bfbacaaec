/* SPDX-License-Identifier: Apache-2.0
 *
 * PEM stores are looked at before librdkafka gets them: it would complain when a client is made,
 * task by task, in words of its own.
 * Any thread, no state. May include base, librdkafka and libcrypto.
 */
#include "kafka/conf_internal.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

struct secret {
  const char *password; /* or NULL */
  bool asked;
};

/* Without it libcrypto would ask the terminal. */
static int give_password(char *buf, int size, int writing, void *arg) {
  (void)writing;
  struct secret *s = arg;
  s->asked = true;
  size_t n = s->password ? strlen(s->password) : 0;
  if (!s->password || n > (size_t)size)
    return -1;
  memcpy(buf, s->password, n);
  return (int)n;
}

/* The certificates in the text, or -1 when one of them cannot be read. *first may be NULL. */
static int certificates(const char *text, size_t len, X509 **first) {
  struct secret none = {0};
  int n = 0;
  X509 *cert;
  BIO *bio = BIO_new_mem_buf(text, (int)len);
  ERR_clear_error();
  while (bio && (cert = PEM_read_bio_X509_AUX(bio, NULL, give_password, &none)) != NULL) {
    if (n++ == 0 && first)
      *first = cert;
    else
      X509_free(cert);
  }
  bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  BIO_free(bio);
  return at_end ? n : -1;
}

int cl_conf_pem_trust(struct cl_conf_run *run, const char *java, const char *shown, const char *text,
                      size_t len) {
  int n = certificates(text, len, NULL);
  if (n > 0)
    return 0;
  return cl_conf_refuse(run, java, shown,
                        n == 0 ? "there is no PEM certificate (-----BEGIN CERTIFICATE-----) in it"
                               : "one of its PEM certificates cannot be read");
}

static int refuse_key(struct cl_conf_run *run, const char *java, const char *shown, const struct secret *s,
                      bool present) {
  if (s->asked && s->password)
    return cl_conf_refuse(
        run, "ssl.key.password", "",
        "the private key of %s%s%s cannot be opened with it: wrong password, or an encryption this "
        "OpenSSL does not have",
        java, *shown ? " " : "", shown);
  return cl_conf_refuse(run, java, shown,
                        s->asked  ? "its private key is encrypted, but ssl.key.password is not set"
                        : present ? "its private key cannot be read"
                                  : "there is no PEM private key (-----BEGIN PRIVATE KEY-----) in it");
}

int cl_conf_pem_key(struct cl_conf_run *run, const char *java, const char *shown, const char *text,
                    size_t len, const char *chain, size_t chain_len, const char *password) {
  struct secret secret = {.password = password};
  X509 *own = NULL;
  int rc = 0;
  BIO *bio = BIO_new_mem_buf(text, (int)len);
  ERR_clear_error();
  EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, give_password, &secret) : NULL;
  bool present = memmem(text, len, "PRIVATE KEY-----", 16) != NULL;
  BIO_free(bio);
  if (!key)
    rc = refuse_key(run, java, shown, &secret, present);
  else if (certificates(chain, chain_len, &own) <= 0)
    rc = cl_conf_refuse(run, java, shown,
                        "the certificates of its private key are missing or cannot be read");
  else if (X509_check_private_key(own, key) != 1)
    rc = cl_conf_refuse(run, java, shown, "its first certificate is not that of its private key");
  X509_free(own);
  EVP_PKEY_free(key);
  ERR_clear_error();
  return rc;
}
