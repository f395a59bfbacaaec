/* SPDX-License-Identifier: Apache-2.0
 * Any thread, no state. Includes base and libcrypto. */
#include "base/pem.h"

#include "base/buf.h"

#include <ctype.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

/* One block from p up to *last; its base64 in lines of 64. */
static void add_block(struct cl_buf *out, const char *p, const char *body, const char *end,
                      const char *last) {
  cl_buf_add(out, p, (size_t)(body - p));
  cl_buf_char(out, '\n');
  bool has_header = memchr(body, ':', (size_t)(end - body)) != NULL; /* "Proc-Type: ...": leave it alone */
  size_t column = 0;
  if (has_header)
    cl_buf_add(out, body, (size_t)(end - body));
  for (; !has_header && body < end; body++) {
    if (isspace((unsigned char)*body))
      continue;
    cl_buf_char(out, *body);
    if (++column % 64 == 0)
      cl_buf_char(out, '\n');
  }
  if (column % 64 != 0)
    cl_buf_char(out, '\n');
  cl_buf_add(out, end, (size_t)(last - end));
  cl_buf_char(out, '\n');
}

char *cl_pem_lines(const char *text) {
  struct cl_buf out = {0};
  const char *p = text;
  while ((p = strstr(p, "-----BEGIN ")) != NULL) {
    const char *body = strstr(p + 11, "-----");
    const char *end = body ? strstr(body + 5, "-----END ") : NULL;
    const char *last = end ? strstr(end + 9, "-----") : NULL;
    if (!last)
      break;
    add_block(&out, p, body + 5, end, last + 5);
    p = last + 5;
  }
  char *lines = cl_buf_take(&out);
  cl_buf_free(&out);
  return lines;
}

/* Without it libcrypto would ask the terminal. */
static int give_password(char *buf, int size, int writing, void *arg) {
  (void)writing;
  struct cl_pem_secret *s = arg;
  s->asked = true;
  size_t n = s->password ? strlen(s->password) : 0;
  if (!s->password || n > (size_t)size)
    return -1;
  memcpy(buf, s->password, n);
  return (int)n;
}

int cl_pem_certificates(const char *text, size_t len, STACK_OF(X509) * *all) {
  struct cl_pem_secret none = {0};
  int n = 0;
  X509 *cert;
  BIO *bio = BIO_new_mem_buf(text, (int)len);
  STACK_OF(X509) *kept = all ? sk_X509_new_null() : NULL;
  ERR_clear_error();
  while (bio && (cert = PEM_read_bio_X509_AUX(bio, NULL, give_password, &none)) != NULL) {
    n++;
    if (!kept || sk_X509_push(kept, cert) == 0)
      X509_free(cert);
  }
  bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  BIO_free(bio);
  if (all)
    *all = kept;
  return at_end ? n : -1;
}

EVP_PKEY *cl_pem_key(const char *text, size_t len, struct cl_pem_secret *secret) {
  BIO *bio = BIO_new_mem_buf(text, (int)len);
  EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, give_password, secret) : NULL;
  BIO_free(bio);
  ERR_clear_error();
  return key;
}

/* Takes bio; what was written to it. */
static char *text_of(BIO *bio, bool ok) {
  char *data = NULL;
  long n = ok ? BIO_get_mem_data(bio, &data) : 0;
  char *text = ok ? strndup(data ? data : "", (size_t)n) : NULL;
  BIO_free(bio);
  ERR_clear_error();
  return text;
}

char *cl_pem_of_key(const EVP_PKEY *key) {
  BIO *bio = BIO_new(BIO_s_secmem());
  return text_of(bio, bio && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
}

char *cl_pem_of_certificates(const X509 *own, const STACK_OF(X509) * others) {
  BIO *bio = BIO_new(BIO_s_mem());
  bool ok = bio && (!own || PEM_write_bio_X509(bio, own) == 1);
  for (int i = 0; ok && others && i < sk_X509_num(others); i++)
    ok = PEM_write_bio_X509(bio, sk_X509_value(others, i)) == 1;
  return text_of(bio, ok);
}
