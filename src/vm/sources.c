/* SPDX-License-Identifier: Apache-2.0
 * The texts of a plugin. Thread: the one that opened them, any once closed. May include base, libcrypto. */
#include "vm/sources.h"

#include "base/fs.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_MAX = 4 << 20, FILES_MAX = 1000, ALL_MAX = 16 << 20 };

struct cl_sources {
  atomic_int refs;
  bool open;
  struct cl_source_file *v;
  size_t n, cap, bytes;
};

struct cl_sources *cl_sources_new(void) {
  struct cl_sources *s = calloc(1, sizeof(*s));
  if (s) {
    atomic_init(&s->refs, 1);
    s->open = true;
  }
  return s;
}

struct cl_sources *cl_sources_ref(struct cl_sources *s) {
  atomic_fetch_add(&s->refs, 1);
  return s;
}

void cl_sources_unref(struct cl_sources *s) {
  if (!s || atomic_fetch_sub(&s->refs, 1) > 1)
    return;
  for (size_t i = 0; i < s->n; i++) {
    free(s->v[i].path);
    free(s->v[i].text);
  }
  free(s->v);
  free(s);
}

void cl_sources_close(struct cl_sources *s) { s->open = false; }

const struct cl_source_file *cl_sources_all(const struct cl_sources *s, size_t *n) {
  *n = s->n;
  return s->v;
}

static const struct cl_source_file *find(const struct cl_sources *s, const char *path) {
  for (size_t i = 0; s && i < s->n; i++) {
    if (strcmp(s->v[i].path, path) == 0)
      return &s->v[i];
  }
  return NULL;
}

const char *cl_sources_hash(const struct cl_sources *s, const char *path) {
  const struct cl_source_file *found = find(s, path);
  return found ? found->hash : "";
}

/* A pipe in the place of a file would be waited for. */
static int read_file(const char *path, char **text, size_t *len, struct cl_err *err) {
  struct stat st;
  *text = NULL;
  *len = 0;
  if (stat(path, &st) != 0)
    return cl_err_set(err, errno == ENOENT ? CL_ENOTFOUND : CL_EIO, "cannot read %s: %s", path,
                      strerror(errno));
  if (!S_ISREG(st.st_mode))
    return cl_err_set(err, CL_EIO, "cannot read %s: it is not a regular file", path);
  return cl_fs_read(path, FILE_MAX, text, len, err);
}

static bool make_hash(struct cl_source_file *f) {
  unsigned char sum[EVP_MAX_MD_SIZE];
  unsigned n = 0;
  if (!f->text)
    return true;
  if (!EVP_Digest(f->text, f->len, sum, &n, EVP_sha256(), NULL) || 2 * n >= sizeof(f->hash))
    return false;
  for (unsigned i = 0; i < n; i++)
    snprintf(f->hash + 2 * i, 3, "%02x", sum[i]);
  return true;
}

/* Takes text. */
static int keep(struct cl_sources *s, const char *path, char *text, size_t len, struct cl_err *err) {
  struct cl_source_file f = {.text = text, .len = len};
  if (s->n >= FILES_MAX || s->bytes + len > ALL_MAX) {
    free(text);
    return cl_err_set(err, CL_EINVAL, "%s: a plugin and its modules may be %d files of %d bytes together",
                      path, FILES_MAX, ALL_MAX);
  }
  if (s->n == s->cap) {
    size_t cap = s->cap ? s->cap * 2 : 4;
    struct cl_source_file *v = realloc(s->v, cap * sizeof(*v));
    if (!v)
      goto fail;
    s->v = v;
    s->cap = cap;
  }
  f.path = strdup(path);
  if (!f.path || !make_hash(&f))
    goto fail;
  s->bytes += len;
  s->v[s->n++] = f;
  return 0;
fail:
  free(f.path);
  free(text);
  return cl_err_set(err, CL_ENOMEM, "%s: no memory", path);
}

int cl_sources_read(struct cl_sources *s, const char *path, char **own, const char **text, size_t *len,
                    struct cl_err *err) {
  const struct cl_source_file *known = find(s, path);
  *own = NULL;
  if (!known) {
    int rc = read_file(path, own, len, err);
    *text = *own;
    if (!s || !s->open)
      return rc;
    struct cl_err full;
    char *taken = *own;
    *own = NULL;
    if (keep(s, path, taken, *len, &full) != 0) {
      *err = full;
      return full.code;
    }
    if (rc != 0)
      return rc;
    known = &s->v[s->n - 1];
  }
  *text = known->text;
  *len = known->len;
  return known->text ? 0 : cl_err_set(err, CL_ENOTFOUND, "cannot read %s: No such file or directory", path);
}

static bool is_same(const struct cl_source_file *f) {
  struct cl_err ignored; /* what cannot be read is not there, now as then */
  char *text;
  size_t len;
  bool there = read_file(f->path, &text, &len, &ignored) == 0;
  bool same = there == (f->text != NULL) && (!there || (len == f->len && memcmp(text, f->text, len) == 0));
  free(text);
  return same;
}

bool cl_sources_current(const struct cl_sources *s) {
  for (size_t i = 0; i < s->n; i++) {
    if (!is_same(&s->v[i]))
      return false;
  }
  return true;
}
