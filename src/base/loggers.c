/* SPDX-License-Identifier: Apache-2.0
 * Loggers are kept sorted in one array under a lock; a line below every level, the common case
 * of a debug line, is refused without it. May include libc and base/log.h. */
#include "base/loggers.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ROOT "root"

struct entry {
  struct cl_logger logger; /* level: the effective one */
  bool own;                /* it was set for this name */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards all but lowest */
static struct entry *entries;
static size_t n_entries;
static struct cl_logger root = {ROOT, CL_INFO, -1};
static _Atomic int lowest = CL_INFO; /* of all levels */

/* Where name stands, or would. */
static size_t position(const char *name, size_t len) {
  size_t low = 0, high = n_entries;
  while (low < high) {
    size_t middle = (low + high) / 2;
    const char *other = entries[middle].logger.name;
    int order = strncmp(other, name, len);
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static struct entry *find(const char *name, size_t len) {
  size_t at = position(name, len);
  if (at == n_entries || strncmp(entries[at].logger.name, name, len) != 0 || entries[at].logger.name[len])
    return NULL;
  return &entries[at];
}

/* The level of a name without one of its own: the nearest parent's. */
static enum cl_level inherited(const char *name) {
  for (size_t len = strlen(name); len > 0; len--) {
    const struct entry *parent = name[len] == '.' ? find(name, len) : NULL;
    if (parent && parent->own)
      return parent->logger.level;
  }
  return root.level;
}

static void work_out_levels(void) {
  int least = root.level;
  for (size_t i = 0; i < n_entries; i++) {
    struct entry *e = &entries[i];
    if (!e->own)
      e->logger.level = inherited(e->logger.name);
    if ((int)e->logger.level < least)
      least = (int)e->logger.level;
  }
  atomic_store(&lowest, least);
}

static bool is_root(const char *name) { return strcasecmp(name, ROOT) == 0; }

static int add(const char *name) {
  size_t len = strlen(name);
  if (is_root(name) || find(name, len))
    return 0;
  if (n_entries == CL_LOGGERS_MAX)
    return CL_EAGAIN;
  struct entry *grown = realloc(entries, (n_entries + 1) * sizeof(*grown));
  if (grown)
    entries = grown;
  char *copy = strdup(name);
  if (!grown || !copy) {
    free(copy);
    return CL_ENOMEM;
  }
  size_t at = position(copy, len);
  memmove(&entries[at + 1], &entries[at], (n_entries - at) * sizeof(*entries));
  entries[at] = (struct entry){{copy, inherited(copy), -1}, false};
  n_entries++;
  return 0;
}

void cl_loggers_add(const char *name) {
  pthread_mutex_lock(&lock);
  (void)add(name); /* one that is not known is not listed, no more */
  pthread_mutex_unlock(&lock);
}

void cl_loggers_start(enum cl_level level) {
  pthread_mutex_lock(&lock);
  root.level = level;
  work_out_levels();
  pthread_mutex_unlock(&lock);
}

bool cl_loggers_get(const char *name, struct cl_logger *out) {
  pthread_mutex_lock(&lock);
  const struct entry *e = is_root(name) ? NULL : find(name, strlen(name));
  bool known = e || is_root(name);
  if (known)
    *out = e ? e->logger : root;
  pthread_mutex_unlock(&lock);
  return known;
}

/* Calls fn for those whose names start with prefix, root in its place among them when it is "". */
static int tell(const char *prefix, cl_loggers_fn *fn, void *arg) {
  size_t len = strlen(prefix);
  bool root_told = len > 0;
  int rc = 0;
  for (size_t i = position(prefix, len); i < n_entries && rc == 0; i++) {
    const struct cl_logger *logger = &entries[i].logger;
    if (strncmp(logger->name, prefix, len) != 0)
      break;
    if (!root_told && strcmp(ROOT, logger->name) < 0) {
      root_told = true;
      rc = fn(arg, &root);
    }
    if (rc == 0)
      rc = fn(arg, logger);
  }
  return rc == 0 && !root_told ? fn(arg, &root) : rc;
}

int cl_loggers_each(cl_loggers_fn *fn, void *arg) {
  pthread_mutex_lock(&lock);
  int rc = tell("", fn, arg);
  pthread_mutex_unlock(&lock);
  return rc;
}

static void set_one(struct cl_logger *logger, bool *own, enum cl_level level, int64_t now) {
  if (logger->level == level)
    return;
  logger->level = level;
  logger->last_modified = now;
  *own = true;
}

static void set_all(const char *prefix, enum cl_level level, int64_t now) {
  size_t len = strlen(prefix);
  bool ignored;
  if (len == 0)
    set_one(&root, &ignored, level, now);
  for (size_t i = position(prefix, len); i < n_entries; i++) {
    if (strncmp(entries[i].logger.name, prefix, len) != 0)
      break;
    set_one(&entries[i].logger, &entries[i].own, level, now);
  }
  work_out_levels();
}

int cl_loggers_set(const char *name, enum cl_level level, cl_loggers_fn *fn, void *arg) {
  const char *prefix = is_root(name) ? "" : name;
  pthread_mutex_lock(&lock);
  int rc = add(name);
  if (rc == 0) {
    set_all(prefix, level, cl_wall_ms());
    rc = tell(prefix, fn, arg);
  }
  pthread_mutex_unlock(&lock);
  return rc;
}

bool cl_loggers_admit(const char *component, enum cl_level level) {
  if ((int)level < atomic_load_explicit(&lowest, memory_order_relaxed))
    return false;
  pthread_mutex_lock(&lock);
  const struct entry *e = find(component, strlen(component));
  enum cl_level least = e ? e->logger.level : inherited(component);
  pthread_mutex_unlock(&lock);
  return level >= least;
}
