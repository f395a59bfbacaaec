/* SPDX-License-Identifier: Apache-2.0
 *
 * PEM text: certificates and a private key, read once so that what cannot be used is told at the start.
 * Any thread, no state.
 */
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

/* Java takes PEM whose line ends were lost (one line, blanks between); OpenSSL wants lines of 64. The
 * blocks found, each on lines of its own; malloc'd, NULL = no memory. */
char *cl_pem_lines(const char *text);

/* The certificates in the text, or -1 when one of them cannot be read. *all, when asked for, is the
 * caller's in any case. */
int cl_pem_certificates(const char *text, size_t len, STACK_OF(X509) * *all);

struct cl_pem_secret {
  const char *password; /* or NULL */
  bool asked;           /* the key is encrypted */
};
/* The private key in the text, or NULL. */
EVP_PKEY *cl_pem_key(const char *text, size_t len, struct cl_pem_secret *secret);

/* malloc'd PEM of a key (PKCS8, not encrypted) and of a certificate (or NULL) with those that follow (or
 * NULL); NULL = no memory. */
char *cl_pem_of_key(const EVP_PKEY *key);
char *cl_pem_of_certificates(const X509 *own, const STACK_OF(X509) * others);
