/* SPDX-License-Identifier: Apache-2.0
 * Small files read whole and replaced whole. Any thread. May include libc and base only. */
#include "base/fs.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

int cl_fs_can_replace(const char *path, struct cl_err *err) {
  char *target = NULL, *temp = NULL;
  struct stat old;
  bool exists;
  int rc = find_target(path, &target, &old, &exists, err);
  if (rc != 0)
    return rc;
  int fd = open_temp(target, 0600, &temp);
  if (fd < 0) {
    rc = cannot_write(path, err);
  } else {
    close(fd);
    unlink(temp);
  }
  free(temp);
  free(target);
  return rc;
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
  if (exists && fchmod(fd, old.st_mode & 07777) != 0)
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
