/* SPDX-License-Identifier: Apache-2.0
 * Paths followed link by link, a watch on each folder passed. Thread: the caller's. May include libc and base
 * only. */
#include "base/notify.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINKS_MAX = 40 };

/* Not IN_MODIFY, which shows half-written files: whoever has written closes. */
static const uint32_t MASK = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE |
                             IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
static const uint32_t LOST = IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT | IN_Q_OVERFLOW;

struct wanted { /* of one watch */
  int wd;
  char *name; /* NULL = every entry */
};

struct cl_notify {
  int fd;
  struct wanted *v;
  size_t n, cap;
};

int cl_notify_open(struct cl_notify **out, struct cl_err *err) {
  struct cl_notify *n = calloc(1, sizeof(*n));
  *out = NULL;
  if (!n)
    return cl_err_set(err, CL_ENOMEM, "no memory to watch files");
  n->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (n->fd < 0) {
    cl_err_set(err, CL_EIO, "files cannot be watched: %s", strerror(errno));
    free(n);
    return err->code;
  }
  *out = n;
  return 0;
}

void cl_notify_close(struct cl_notify *n) {
  if (!n)
    return;
  close(n->fd);
  for (size_t i = 0; i < n->n; i++)
    free(n->v[i].name);
  free(n->v);
  free(n);
}

int cl_notify_fd(const struct cl_notify *n) { return n->fd; }

static bool is_wanted(const struct cl_notify *n, int wd, const char *name) {
  for (size_t i = 0; i < n->n; i++) {
    const struct wanted *w = &n->v[i];
    if (w->wd == wd && (!w->name || (name && strcmp(w->name, name) == 0)))
      return true;
  }
  return false;
}

/* name NULL = every entry of the folder. */
static int watch(struct cl_notify *n, const char *folder, const char *name, struct cl_err *err) {
  int wd = inotify_add_watch(n->fd, folder, MASK);
  if (wd < 0 && (errno == ENOSPC || errno == ENOMEM))
    return cl_err_set(err, CL_EIO, "%s cannot be watched: %s", folder, strerror(errno));
  if (wd < 0 || is_wanted(n, wd, name))
    return 0;
  if (n->n == n->cap) {
    size_t cap = n->cap ? n->cap * 2 : 64;
    struct wanted *v = realloc(n->v, cap * sizeof(*v));
    if (!v)
      return cl_err_set(err, CL_ENOMEM, "no memory to watch files");
    n->v = v;
    n->cap = cap;
  }
  struct wanted w = {wd, name ? strdup(name) : NULL};
  if (name && !w.name)
    return cl_err_set(err, CL_ENOMEM, "no memory to watch files");
  n->v[n->n++] = w;
  return 0;
}

/* Where the link at `at` leads, the rest of the path behind it: false = it cannot be read. */
static bool through_link(const char *folder, const char *at, const char *rest, char out[PATH_MAX]) {
  char target[PATH_MAX];
  ssize_t len = readlink(at, target, sizeof(target) - 1);
  if (len < 0)
    return false;
  target[len] = '\0';
  int n = snprintf(out, PATH_MAX, "%s%s%s/%s", *target == '/' ? "" : folder, *target == '/' ? "" : "/",
                   target, rest);
  return n > 0 && n < PATH_MAX;
}

static int follow(struct cl_notify *n, const char *path, bool inside, int links, struct cl_err *err) {
  char folder[PATH_MAX], at[2 * PATH_MAX], name[NAME_MAX + 1], next[PATH_MAX];
  struct stat st;
  snprintf(folder, sizeof(folder), "%s", *path == '/' ? "/" : ".");
  while (*path) {
    size_t len = strcspn(path, "/");
    if (len > NAME_MAX)
      return 0;
    snprintf(name, sizeof(name), "%.*s", (int)len, path);
    path += len + (path[len] == '/');
    if (len == 0 || strcmp(name, ".") == 0)
      continue;
    if (watch(n, folder, name, err) != 0)
      return err->code;
    int size = snprintf(at, sizeof(at), "%s%s%s", folder, strcmp(folder, "/") == 0 ? "" : "/", name);
    if (size >= PATH_MAX || lstat(at, &st) != 0)
      return 0; /* not there yet: the folder tells when it comes */
    if (S_ISLNK(st.st_mode))
      return links < LINKS_MAX && through_link(folder, at, path, next)
                 ? follow(n, next, inside, links + 1, err)
                 : 0;
    memcpy(folder, at, (size_t)size + 1);
  }
  return inside ? watch(n, folder, NULL, err) : 0;
}

int cl_notify_add(struct cl_notify *n, const char *path, bool inside, struct cl_err *err) {
  return follow(n, path, inside, 0, err);
}

bool cl_notify_take(struct cl_notify *n) {
  _Alignas(struct inotify_event) char buf[16 << 10];
  bool found = false;
  for (ssize_t got; (got = read(n->fd, buf, sizeof(buf))) > 0;) {
    for (const char *p = buf; p < buf + got;) {
      const struct inotify_event *e = (const struct inotify_event *)p;
      found = found || (e->mask & LOST) || (e->len > 0 && is_wanted(n, e->wd, e->name));
      p += sizeof(*e) + e->len;
    }
  }
  return found;
}
