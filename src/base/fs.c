/* SPDX-License-Identifier: Apache-2.0
 * Small files read whole and replaced whole. Any thread. May include libc and base only. */
#include "base/fs.h"

#include "base/buf.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_STEP = 64 << 10, TEMP_NAMES = 10000 };

/* Appends at most n bytes; what read(2) answers. */
static ssize_t read_step(int fd, struct cl_buf *buf, size_t n) {
  ssize_t got;
  do
    got = read(fd, buf->p + buf->len, n);
  while (got < 0 && errno == EINTR);
  if (got > 0)
    buf->len += (size_t)got;
  return got;
}

int cl_fs_read(const char *path, size_t max, char **out, size_t *len, struct cl_err *err) {
  struct cl_buf buf = {.max = max + READ_STEP};
  int rc = 0;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return cl_err_set(err, errno == ENOENT ? CL_ENOTFOUND : CL_EIO, "cannot read %s: %s", path,
                      strerror(errno));
  for (;;) {
    if (!cl_buf_reserve(&buf, READ_STEP)) {
      rc = cl_err_set(err, CL_ENOMEM, "cannot read %s: out of memory", path);
      goto out;
    }
    ssize_t got = read_step(fd, &buf, READ_STEP);
    if (got < 0) {
      rc = cl_err_set(err, CL_EIO, "cannot read %s: %s", path, strerror(errno));
      goto out;
    }
    if (got == 0)
      break;
    if (buf.len > max) {
      rc = cl_err_set(err, CL_EINVAL, "%s is larger than %zu bytes", path, max);
      goto out;
    }
  }
  *len = buf.len;
  *out = cl_buf_take(&buf);
out:
  cl_buf_free(&buf);
  close(fd);
  return rc;
}

static int write_all(int fd, const char *p, size_t n) {
  while (n > 0) {
    ssize_t put = write(fd, p, n);
    if (put < 0 && errno == EINTR)
      continue;
    if (put < 0)
      return -1;
    p += put;
    n -= (size_t)put;
  }
  return 0;
}

/* Not mkstemp: its files are 0600, and a new file shall have the mode the umask gives.
 * Numbered, so that what a crash left behind, and another thread, are stepped over. */
static int open_temp(const char *target, mode_t mode, char **name) {
  for (int i = 0; i < TEMP_NAMES; i++) {
    if (asprintf(name, "%s.%d-%d.tmp", target, (int)getpid(), i) < 0) {
      *name = NULL;
      errno = ENOMEM;
      return -1;
    }
    int fd = open(*name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd >= 0)
      return fd;
    int why = errno;
    free(*name);
    *name = NULL;
    errno = why;
    if (why != EEXIST)
      return -1;
  }
  return -1;
}

/* A rename is durable only when its folder is. */
static int sync_folder(const char *target) {
  char *copy = strdup(target);
  if (!copy)
    return -1;
  int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  free(copy);
  if (fd < 0)
    return -1;
  int rc = fsync(fd);
  int why = errno;
  close(fd);
  errno = why;
  /* Some file systems cannot sync a folder at all: nothing more can be done there. */
  return rc != 0 && why != EINVAL && why != ENOTSUP ? -1 : 0;
}

static int cannot_write(const char *path, struct cl_err *err) {
  return cl_err_set(err, CL_EIO, "cannot write %s: %s", path, strerror(errno));
}

/* The file that takes the place of path: through a symbolic link the file behind it is
 * replaced, not the link. *old is only filled when *exists. */
static int find_target(const char *path, char **target, struct stat *old, bool *exists, struct cl_err *err) {
  *exists = stat(path, old) == 0;
  if (*exists && !S_ISREG(old->st_mode))
    return cl_err_set(err, CL_EINVAL, "cannot write %s: it is not a regular file", path);
  *target = *exists ? realpath(path, NULL) : strdup(path);
  return *target ? 0 : cannot_write(path, err);
}

int cl_fs_replace(const char *path, const void *data, size_t len, unsigned mode, struct cl_err *err) {
  char *target = NULL, *temp = NULL;
  int fd = -1;
  struct stat old;
  bool exists;
  int rc = find_target(path, &target, &old, &exists, err);
  if (rc != 0)
    return rc;
  fd = open_temp(target, mode, &temp);
  if (fd < 0)
    goto failed;
  if (exists && fchmod(fd, old.st_mode & mode) != 0)
    goto failed;
  if (write_all(fd, data, len) != 0 || fsync(fd) != 0)
    goto failed;
  int closed = close(fd);
  fd = -1;
  if (closed != 0 || rename(temp, target) != 0)
    goto failed;
  free(temp);
  temp = NULL;
  if (sync_folder(target) != 0)
    goto failed;
  goto out;
failed:
  rc = cannot_write(path, err);
out:
  if (fd >= 0)
    close(fd);
  if (temp)
    unlink(temp);
  free(temp);
  free(target);
  return rc;
}

/* ---------------------------------------------------------------------- locks */

struct cl_fs_lock {
  char *name;
  int fd;
};

/* Makes the temp file in the folder of target and takes it away. */
static bool can_replace(const char *target) {
  char *temp = NULL;
  int fd = open_temp(target, 0600, &temp);
  if (fd < 0)
    return false;
  close(fd);
  unlink(temp);
  free(temp);
  return true;
}

static bool is_there(int fd, const char *name) {
  struct stat mine, there;
  return fstat(fd, &mine) == 0 && stat(name, &there) == 0 && mine.st_dev == there.st_dev &&
         mine.st_ino == there.st_ino;
}

/* Again when whoever had it took the file away between our open and our lock. */
static int open_locked(const char *name) {
  for (;;) {
    int fd = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
      return -1;
    int failed = flock(fd, LOCK_EX | LOCK_NB);
    if (!failed && is_there(fd, name))
      return fd;
    int why = errno;
    close(fd);
    errno = why;
    if (failed)
      return -1;
  }
}

/* Of name alone: NAME.PID-N.tmp, as open_temp makes them. */
static bool is_temp(const char *file, const char *name) {
  size_t n = strlen(name);
  int end = 0;
  if (strncmp(file, name, n) != 0 || file[n] != '.' || !isdigit((unsigned char)file[n + 1]))
    return false;
  return sscanf(file + n, ".%*[0-9]-%*[0-9].tmp%n", &end) == 0 && end > 0 && !file[n + (size_t)end];
}

/* With the lock held nobody is writing them. They may hold secrets; one that stays does no other harm. */
static void remove_temps(const char *target) {
  char *folder = strdup(target), *name = strdup(target);
  DIR *dir = folder && name ? opendir(dirname(folder)) : NULL;
  const char *base = dir ? basename(name) : NULL;
  for (struct dirent *e; dir && (e = readdir(dir));)
    if (is_temp(e->d_name, base))
      unlinkat(dirfd(dir), e->d_name, 0);
  if (dir)
    closedir(dir);
  free(name);
  free(folder);
}

int cl_fs_lock(const char *path, struct cl_fs_lock **lock, struct cl_err *err) {
  char *target = NULL;
  struct stat old;
  bool exists;
  if (*lock)
    return 0;
  int rc = find_target(path, &target, &old, &exists, err);
  if (rc != 0)
    return rc;
  struct cl_fs_lock *l = calloc(1, sizeof(*l));
  if (!l || asprintf(&l->name, "%s.lock", target) < 0) {
    rc = cl_err_set(err, CL_ENOMEM, "cannot lock %s: out of memory", path);
    free(l);
    free(target);
    return rc;
  }
  l->fd = open_locked(l->name);
  if (l->fd < 0 && errno == EWOULDBLOCK)
    rc = cl_err_set(
        err, CL_ECONFLICT,
        "%s is in use by another worker, which has locked %s; stop that one, or give each worker a "
        "file of its own",
        path, l->name);
  else if (l->fd < 0 || !can_replace(target))
    rc = cannot_write(path, err);
  if (rc == 0) {
    remove_temps(target);
    *lock = l;
  } else {
    cl_fs_unlock(l);
  }
  free(target);
  return rc;
}

int cl_fs_lock_late(const char *path, struct cl_fs_lock **lock, struct cl_err *err) {
  if (*lock)
    return 0;
  int rc = cl_fs_lock(path, lock, err);
  if (rc != 0 || access(path, F_OK) != 0)
    return rc;
  cl_fs_unlock(*lock);
  *lock = NULL;
  return cl_err_set(err, CL_EIO,
                    "cannot write %s: it could not be locked at the start and may be another worker's since; "
                    "restart this one",
                    path);
}

void cl_fs_unlock(struct cl_fs_lock *lock) {
  if (!lock)
    return;
  if (lock->fd >= 0 && is_there(lock->fd, lock->name))
    unlink(lock->name); /* before the close, while it is ours */
  if (lock->fd >= 0)
    close(lock->fd);
  free(lock->name);
  free(lock);
}
