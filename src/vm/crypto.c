/* SPDX-License-Identifier: Apache-2.0
 *
 * What connect.crypto computes (abi.h), by libcrypto. No error shows a key or what was signed.
 * Any thread, no state. May include base, record.
 */
#include "connect_lua/abi_c.h"

#include "base/err.h"
#include "base/pem.h"
#include "record/base64.h"
#include "record/codec.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

enum { RSA_BITS_MIN = 2048 }; /* RFC 7518 */

static struct cl_err *slot(void) { return cl_ffi_err(); }

/* Libcrypto's own errors stay where nobody sees them. */
static int failed(const char *what) {
  ERR_clear_error();
  return cl_err_set(slot(), CL_EINVAL, "%s", what);
}

/* ------------------------------------------------------------------- digests */

int cl_ffi_digest(const char *name, const char *data, uint32_t len, unsigned char *out) {
  const EVP_MD *md = EVP_get_digestbyname(name);
  unsigned n = 0;
  if (!md || EVP_Digest(data, len, out, &n, md, NULL) != 1)
    return failed("this digest is not to be had");
  return (int)n;
}

int cl_ffi_hmac(const char *name, const char *key, uint32_t key_len, const char *data, uint32_t len,
                unsigned char *out) {
  const EVP_MD *md = EVP_get_digestbyname(name);
  unsigned n = 0;
  if (!md || !HMAC(md, key, (int)key_len, (const unsigned char *)data, len, out, &n))
    return failed("this digest is not to be had");
  return (int)n;
}

int cl_ffi_random(unsigned char *out, uint32_t n) {
  return RAND_bytes(out, (int)n) == 1 ? 0 : failed("the system has no random numbers");
}

int cl_ffi_equal(const char *a, const char *b, uint32_t n) { return CRYPTO_memcmp(a, b, n) == 0; }

void cl_ffi_to_base64(const char *data, uint32_t len, char *out) { cl_base64_encode(data, len, out); }

int64_t cl_ffi_from_base64(const char *text, uint32_t len, unsigned char *out) {
  size_t n = 0;
  return cl_base64_decode(text, len, out, &n) ? (int64_t)n : -1;
}

/* ---------------------------------------------------------------- signatures */

/* Keys are pasted into configs with \n for the ends of their lines. */
static char *pasted(const char *key) {
  char *copy = strdup(key), *w = copy;
  for (const char *p = copy; p && *p; p++) {
    if (p[0] == '\\' && (p[1] == 'n' || p[1] == 'r')) {
      *w++ = '\n';
      p++;
    } else {
      *w++ = *p;
    }
  }
  if (copy)
    *w = '\0';
  char *lines = copy ? cl_pem_lines(copy) : NULL;
  free(copy);
  return lines;
}

static void wipe(char *text) {
  if (text)
    OPENSSL_cleanse(text, strlen(text));
  free(text);
}

static EVP_PKEY *private_key(const char *key, const char *password) {
  struct cl_pem_secret secret = {.password = password};
  char *pem = pasted(key);
  EVP_PKEY *pkey = pem && *pem ? cl_pem_key(pem, strlen(pem), &secret) : NULL;
  if (!pem)
    cl_err_set(slot(), CL_ENOMEM, "no memory for a key");
  else if (!*pem)
    failed("the key is no PEM text: it begins with -----BEGIN, and all of it is needed");
  else if (!pkey && secret.asked)
    failed(password ? "the key's password is not the right one"
                    : "the key is encrypted and needs its password");
  else if (!pkey)
    failed("the PEM text holds no private key that can be read");
  wipe(pem);
  return pkey;
}

/* Of a public key, a certificate or a private key. */
static EVP_PKEY *public_key(const char *key) {
  char *pem = pasted(key);
  EVP_PKEY *pkey = NULL;
  STACK_OF(X509) *certs = NULL;
  if (pem && strstr(pem, "-----BEGIN CERTIFICATE")) {
    if (cl_pem_certificates(pem, strlen(pem), &certs) > 0)
      pkey = X509_get_pubkey(sk_X509_value(certs, 0));
    sk_X509_pop_free(certs, X509_free);
  } else if (pem && strstr(pem, "PRIVATE KEY-----")) {
    pkey = private_key(key, NULL);
  } else if (pem) {
    BIO *bio = BIO_new_mem_buf(pem, -1);
    pkey = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
  }
  wipe(pem);
  if (!pkey)
    failed("the key is no PEM text of a public key or certificate");
  return pkey;
}

static bool is_rsa(const EVP_PKEY *pkey) {
  if (EVP_PKEY_get_base_id(pkey) != EVP_PKEY_RSA) {
    failed("the key is no RSA key");
    return false;
  }
  if (EVP_PKEY_get_bits(pkey) < RSA_BITS_MIN) {
    failed("the RSA key is too short: 2048 bits are needed");
    return false;
  }
  return true;
}

int cl_ffi_sign(const char *digest, const char *key, const char *password, const char *data, uint32_t len,
                unsigned char *out, uint32_t *n) {
  const EVP_MD *md = EVP_get_digestbyname(digest);
  EVP_PKEY *pkey = private_key(key, password);
  EVP_MD_CTX *ctx = NULL;
  size_t size = *n;
  int rc = CL_EINVAL;
  if (!pkey || !is_rsa(pkey))
    goto out;
  ctx = EVP_MD_CTX_new();
  if (!md || !ctx || EVP_DigestSignInit(ctx, NULL, md, NULL, pkey) != 1 ||
      EVP_DigestSign(ctx, out, &size, (const unsigned char *)data, len) != 1) {
    failed("the key cannot sign");
    goto out;
  }
  *n = (uint32_t)size;
  rc = 0;
out:
  EVP_MD_CTX_free(ctx);
  EVP_PKEY_free(pkey);
  return rc;
}

int cl_ffi_verify(const char *digest, const char *key, const char *data, uint32_t len,
                  const unsigned char *signature, uint32_t n) {
  const EVP_MD *md = EVP_get_digestbyname(digest);
  EVP_PKEY *pkey = public_key(key);
  EVP_MD_CTX *ctx = NULL;
  int rc = CL_EINVAL;
  if (!pkey || !is_rsa(pkey))
    goto out;
  ctx = EVP_MD_CTX_new();
  if (!md || !ctx || EVP_DigestVerifyInit(ctx, NULL, md, NULL, pkey) != 1) {
    failed("the key cannot verify");
    goto out;
  }
  rc = EVP_DigestVerify(ctx, signature, n, (const unsigned char *)data, len) == 1;
  ERR_clear_error();
out:
  EVP_MD_CTX_free(ctx);
  EVP_PKEY_free(pkey);
  return rc;
}
