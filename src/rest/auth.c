/* SPDX-License-Identifier: Apache-2.0
 *
 * Passwords are compared without telling by the time taken where they differ or whether the user exists.
 * A hash takes its time by design, so the last password that fitted is remembered for each user, by a MAC
 * under a key of this process. Includes libcrypt, libcrypto, base.
 */
#define CL_COMPONENT "rest"

#include "rest/auth.h"

#include "base/confdef.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/props.h"
#include "base/text.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { FILE_MAX = 1 << 20, MAC_SIZE = 32 };

struct user {
  char *name, *secret;
  bool fitted;
  unsigned char mac[MAC_SIZE]; /* of the last password that fitted; auth->lock */
};

/* What the file said; never changed but for the MACs. */
struct table {
  int refs; /* auth->lock */
  struct user *users;
  size_t n;
};

struct cl_auth {
  const struct cl_auth_conf *conf;
  unsigned char mac_key[MAC_SIZE];
  pthread_mutex_t lock;
  struct stat seen;    /* the file when it was read */
  struct table *table; /* NULL: nobody passes */
  bool told;           /* why */
};

static void forget(char *secret) {
  if (secret)
    OPENSSL_cleanse(secret, strlen(secret));
  free(secret);
}

static void table_free(struct table *t) {
  for (size_t i = 0; t && i < t->n; i++) {
    free(t->users[i].name);
    forget(t->users[i].secret);
  }
  if (t)
    free(t->users);
  free(t);
}

/* @locks auth->lock held */
static void table_unref(struct table *t) {
  if (t && --t->refs == 0)
    table_free(t);
}

static bool table_add(struct table *t, const char *name, size_t len, const char *secret) {
  struct user *users = realloc(t->users, (t->n + 1) * sizeof(*users));
  if (!users)
    return false;
  t->users = users;
  users[t->n] = (struct user){.name = strndup(name, len), .secret = strdup(secret)};
  t->n++;
  return users[t->n - 1].name && users[t->n - 1].secret;
}

/* ---- files ---- */

static int read_properties(const char *path, const char *text, size_t len, struct table *t,
                           struct cl_err *err) {
  json_t *props = NULL, *value;
  const char *key;
  int rc = cl_props_parse(text, len, path, &props, err);
  json_object_foreach (props, key, value)
    if (rc == 0 && !table_add(t, key, strlen(key), json_string_value(value)))
      rc = cl_err_set(err, CL_ENOMEM, "Out of memory");
  json_decref(props);
  return rc;
}

/* Methods that take an attacker long. */
static bool is_good_hash(const char *hash) {
  static const char *const methods[] = {"$y$", "$gy$", "$7$", "$2a$", "$2b$", "$2y$", "$6$", "$5$"};
  for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
    if (cl_starts_with(hash, methods[i]))
      return crypt_checksalt(hash) == CRYPT_SALT_OK && strlen(hash) > 40;
  return false;
}

static int read_hashes(const char *path, char *text, struct table *t, struct cl_err *err) {
  int number = 0;
  for (char *line = text, *next; line; line = next) {
    next = strchr(line, '\n');
    if (next)
      *next++ = '\0';
    number++;
    line[strcspn(line, "\r")] = '\0';
    if (cl_is_blank(line) || *line == '#')
      continue;
    char *colon = strchr(line, ':');
    if (!colon || colon == line || !is_good_hash(colon + 1))
      return cl_err_set(
          err, CL_EINVAL,
          "%s:%d: it must be user:hash, the hash as `mkpasswd -m yescrypt`, `mkpasswd -m sha512crypt` "
          "or `htpasswd -B` make it",
          path, number);
    if (!table_add(t, line, (size_t)(colon - line), colon + 1))
      return cl_err_set(err, CL_ENOMEM, "Out of memory");
  }
  return 0;
}

static int read_table(const struct cl_auth_conf *conf, struct table **out, struct cl_err *err) {
  char *text = NULL;
  size_t len = 0;
  struct table *t = calloc(1, sizeof(*t));
  if (!t)
    return cl_err_set(err, CL_ENOMEM, "Out of memory");
  t->refs = 1;
  int rc = cl_fs_read(conf->file, FILE_MAX, &text, &len, err);
  if (rc == 0)
    rc = conf->kind == CL_AUTH_PROPERTIES ? read_properties(conf->file, text, len, t, err)
                                          : read_hashes(conf->file, text, t, err);
  if (rc == 0 && t->n == 0)
    rc = cl_err_set(err, CL_EINVAL, "%s names no user", conf->file);
  if (text)
    OPENSSL_cleanse(text, len);
  free(text);
  if (rc)
    table_free(t);
  else
    *out = t;
  return rc;
}

static bool same_file(const struct stat *a, const struct stat *b) {
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
         a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
         a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Reads the file again when it is another than last time. The disk is not waited for under the lock, which
 * every request needs: two may read at once, and each has what it read. */
static int refresh(struct cl_auth *a, struct table **out, struct cl_err *err) {
  struct stat now = {0};
  int rc = 0;
  if (stat(a->conf->file, &now) != 0)
    now = (struct stat){0};
  pthread_mutex_lock(&a->lock);
  if (now.st_ino == 0 || !same_file(&now, &a->seen)) {
    struct table *fresh = NULL;
    pthread_mutex_unlock(&a->lock);
    rc = read_table(a->conf, &fresh, err);
    pthread_mutex_lock(&a->lock);
    a->told &= same_file(&now, &a->seen);
    a->seen = now;
    table_unref(a->table);
    a->table = fresh;
  }
  *out = a->table;
  if (*out)
    (*out)->refs++;
  pthread_mutex_unlock(&a->lock);
  return rc;
}

int cl_auth_new(const struct cl_auth_conf *conf, struct cl_auth **out, struct cl_err *err) {
  *out = NULL;
  if (conf->kind == CL_AUTH_NONE)
    return 0;
  struct cl_auth *a = calloc(1, sizeof(*a));
  if (!a)
    return cl_err_set(err, CL_ENOMEM, "Out of memory");
  a->conf = conf;
  pthread_mutex_init(&a->lock, NULL);
  struct table *first = NULL;
  int rc = 0;
  if (RAND_bytes(a->mac_key, MAC_SIZE) != 1)
    rc = cl_err_set(err, CL_EIO, "REST users: no random bytes");
  if (rc == 0)
    rc = refresh(a, &first, err);
  table_unref(first);
  if (rc && rc != CL_ENOMEM)
    cl_err_prefix(err, "%s: ",
                  conf->kind == CL_AUTH_HASHED
                      ? "connect.lua.rest.basic.auth.file"
                      : "file of the JAAS entry KafkaConnect (rest.extension.classes)");
  if (rc)
    cl_auth_free(a);
  else
    *out = a;
  return rc;
}

void cl_auth_free(struct cl_auth *a) {
  if (!a)
    return;
  table_unref(a->table);
  OPENSSL_cleanse(a->mac_key, MAC_SIZE);
  pthread_mutex_destroy(&a->lock);
  free(a);
}

/* ---- passwords ---- */

static void mac_of(const struct cl_auth *a, const char *text, unsigned char out[MAC_SIZE]) {
  unsigned len = MAC_SIZE;
  CL_REQUIRE(HMAC(EVP_sha256(), a->mac_key, MAC_SIZE, (const unsigned char *)text, strlen(text), out, &len));
}

static bool same_text(const struct cl_auth *a, const char *one, const char *other) {
  unsigned char m[MAC_SIZE], n[MAC_SIZE];
  mac_of(a, one, m);
  mac_of(a, other, n);
  return CRYPTO_memcmp(m, n, MAC_SIZE) == 0;
}

static bool fits_hash(const struct cl_auth *a, const char *password, const char *hash) {
  struct crypt_data *data = calloc(1, sizeof(*data));
  char *made = data ? crypt_r(password, hash, data) : NULL;
  bool fits = made && *made != '*' && same_text(a, made, hash);
  if (data)
    OPENSSL_cleanse(data, sizeof(*data));
  free(data);
  return fits;
}

/* By what is known already. */
static enum cl_verdict recognize(struct cl_auth *a, const struct user *u, bool known, const char *password) {
  if (a->conf->kind == CL_AUTH_PROPERTIES)
    return same_text(a, password, u->secret) && known ? CL_AUTH_IN : CL_AUTH_OUT;
  unsigned char mac[MAC_SIZE];
  mac_of(a, password, mac);
  pthread_mutex_lock(&a->lock);
  bool seen = known && u->fitted && CRYPTO_memcmp(u->mac, mac, MAC_SIZE) == 0;
  pthread_mutex_unlock(&a->lock);
  return seen ? CL_AUTH_IN : CL_AUTH_UNKNOWN;
}

static enum cl_verdict try_hash(struct cl_auth *a, struct user *u, bool known, const char *password) {
  if (!fits_hash(a, password, u->secret) || !known) /* the work is done for unknown users, too */
    return CL_AUTH_OUT;
  unsigned char mac[MAC_SIZE];
  mac_of(a, password, mac);
  pthread_mutex_lock(&a->lock);
  memcpy(u->mac, mac, MAC_SIZE);
  u->fitted = true;
  pthread_mutex_unlock(&a->lock);
  return CL_AUTH_IN;
}

/* The table as it is now, with a reference; NULL: nobody passes. */
static struct table *borrow_table(struct cl_auth *a) {
  struct cl_err err = CL_ERR_INIT;
  struct table *t;
  int rc = refresh(a, &t, &err);
  pthread_mutex_lock(&a->lock);
  bool tell = rc && !a->told;
  a->told |= tell;
  pthread_mutex_unlock(&a->lock);
  if (tell)
    CL_LOG(CL_ERROR, "nobody may use REST until this is mended: %s", err.msg);
  return t;
}

static enum cl_verdict judge(struct cl_auth *a, const char *name, const char *password, bool hash) {
  struct table *t = borrow_table(a);
  if (!t)
    return CL_AUTH_OUT;
  size_t at = t->n;
  for (size_t i = 0; i < t->n; i++)
    if (same_text(a, t->users[i].name, name))
      at = i; /* the last, as in properties */
  bool known = at < t->n;
  struct user *u = &t->users[known ? at : 0];
  enum cl_verdict verdict = recognize(a, u, known, password);
  if (verdict == CL_AUTH_UNKNOWN && hash)
    verdict = try_hash(a, u, known, password);
  pthread_mutex_lock(&a->lock);
  table_unref(t);
  pthread_mutex_unlock(&a->lock);
  return verdict;
}

/* ---- the header ---- */

static int digit64(char c) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const char *at = c ? strchr(digits, c) : NULL;
  return at ? (int)(at - digits) : -1;
}

/* Strict base64, padding optional as in Java; malloc'd text without NUL inside, or NULL. */
static char *decode64(const char *in) {
  size_t n = strlen(in), pad = 0, out_len = 0;
  while (pad < 2 && n > 0 && in[n - 1] == '=')
    n--, pad++;
  char *out = malloc(n + 1);
  unsigned bits = 0, held = 0;
  bool ok = out && n % 4 != 1 && (pad == 0 || (n + pad) % 4 == 0);
  for (size_t i = 0; ok && i < n; i++) {
    int d = digit64(in[i]);
    ok = d >= 0;
    bits = (bits << 6 | (unsigned)d) & 0xffff;
    held += 6;
    if (ok && held >= 8) {
      held -= 8;
      out[out_len++] = (char)(bits >> held & 0xff);
      ok = out[out_len - 1] != '\0';
    }
  }
  if (out)
    out[ok ? out_len : 0] = '\0';
  if (ok)
    return out;
  free(out);
  return NULL;
}

static enum cl_verdict judge_header(struct cl_auth *a, const char *authorization, bool hash) {
  if (!a)
    return CL_AUTH_IN;
  if (!authorization || strncasecmp(authorization, "Basic ", 6) != 0)
    return CL_AUTH_OUT;
  char *pair = decode64(authorization + 6);
  char *colon = pair ? strchr(pair, ':') : NULL;
  enum cl_verdict verdict = CL_AUTH_OUT;
  if (colon && colon > pair) {
    *colon = '\0';
    verdict = judge(a, pair, colon + 1, hash);
    *colon = ':';
  }
  forget(pair);
  return verdict;
}

enum cl_verdict cl_auth_glance(struct cl_auth *a, const char *authorization) {
  return judge_header(a, authorization, false);
}

enum cl_verdict cl_auth_ask(struct cl_auth *a, const char *authorization) {
  return judge_header(a, authorization, true);
}
