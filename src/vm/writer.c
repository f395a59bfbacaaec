/* SPDX-License-Identifier: Apache-2.0
 *
 * connect.file's writer: appends lines to a file (or standard output). Whole lines reach
 * the system in one write each time, so several tasks can append to one file; flush makes
 * them durable. After a failed write every call fails: what was buffered is lost, and only
 * redelivery brings it back.
 * Thread: the task's. May include base, record. */
#include "vm/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { BUFFER_SIZE = 128 << 10 };

struct cl_writer {
  char *path; /* NULL = standard output */
  int fd;     /* -1 = closed */
  bool regular;
  bool unnamed; /* perhaps new: its folder is not synced yet */
  bool failed;
  size_t len;
  char *buf; /* BUFFER_SIZE, made for the first line: most of a thousand tasks are idle */
};

static const char *name_of(const struct cl_writer *w) { return w->path ? w->path : "standard output"; }

static int usable(const struct cl_writer *w) {
  if (!w || w->fd < 0)
    return cl_file_fail(CL_EINVAL, "the writer is closed");
  if (w->failed)
    return cl_file_fail(CL_EIO, "writing %s failed before", name_of(w));
  return 0;
}

/* ------------------------------------------------------------------ writing */

/* Both parts in one write, as long as the system takes them whole. */
static int write_all(struct cl_writer *w, struct iovec *io, int n) {
  while (n > 0) {
    ssize_t did = writev(w->fd, io, n);
    if (did < 0 && errno == EINTR)
      continue;
    if (did < 0) {
      w->failed = true;
      return cl_file_fail(CL_EIO, "writing %s: %s", name_of(w), strerror(errno));
    }
    while (n > 0 && (size_t)did >= io->iov_len) {
      did -= (ssize_t)io->iov_len;
      io++;
      n--;
    }
    if (n > 0) {
      io->iov_base = (char *)io->iov_base + did;
      io->iov_len -= (size_t)did;
    }
  }
  return 0;
}

static int write_out(struct cl_writer *w) {
  struct iovec io = {w->buf, w->len};
  int rc = w->len ? write_all(w, &io, 1) : 0;
  w->len = 0;
  return rc;
}

static int add_line(struct cl_writer *w, const char *s, size_t len) {
  if (!w->buf && !(w->buf = malloc(BUFFER_SIZE)))
    return cl_file_fail(CL_ENOMEM, "writing %s: no memory", name_of(w));
  if (len + 1 > BUFFER_SIZE - w->len) {
    int rc = write_out(w);
    if (rc != 0)
      return rc;
  }
  if (len + 1 > BUFFER_SIZE) {
    struct iovec io[2] = {{(char *)s, len}, {"\n", 1}};
    return write_all(w, io, 2);
  }
  if (len)
    memcpy(w->buf + w->len, s, len);
  w->buf[w->len + len] = '\n';
  w->len += len + 1;
  return 0;
}

/* ------------------------------------------------------------------ opening */

/* A line torn by a crash gets its end before new ones follow. */
static int end_torn_line(struct cl_writer *w, off_t size) {
  char last = '\n';
  int fd = size > 0 ? open(w->path, O_RDONLY | O_CLOEXEC) : -1;
  if (fd >= 0) {
    if (pread(fd, &last, 1, size - 1) != 1)
      last = '\n';
    close(fd);
  }
  if (last == '\n')
    return 0;
  /* Tasks that share the file start together after a crash: only one of them mends it. */
  if (flock(w->fd, LOCK_EX | LOCK_NB) != 0)
    return 0;
  struct stat st;
  struct iovec io = {"\n", 1};
  int rc = fstat(w->fd, &st) == 0 && st.st_size == size ? write_all(w, &io, 1) : 0;
  flock(w->fd, LOCK_UN);
  return rc;
}

/* The name of a new file must survive a crash as well as its content. Done by the first
 * flush, not on opening: it may cost milliseconds, and many tasks start at once. */
static void sync_folder(const char *path) {
  char *copy = strdup(path);
  int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  if (fd >= 0) {
    fsync(fd); /* best effort: some file systems refuse */
    close(fd);
  }
  free(copy);
}

static int open_file(struct cl_writer *w) {
  struct stat st;
  if (!w->path) {
    w->fd = STDOUT_FILENO;
    return 0;
  }
  w->fd = open(w->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
  if (w->fd < 0 || fstat(w->fd, &st) != 0)
    return cl_file_fail(CL_EIO, "%s: %s", w->path, strerror(errno));
  w->regular = S_ISREG(st.st_mode);
  if (!w->regular) /* only the opening must not wait, for a pipe's reader */
    return fcntl(w->fd, F_SETFL, O_APPEND) == 0 ? 0
                                                : cl_file_fail(CL_EIO, "%s: %s", w->path, strerror(errno));
  w->unnamed = true; /* even when it holds something: another task may have made it just now */
  return end_torn_line(w, st.st_size);
}

struct cl_writer *cl_ffi_writer_open(const char *path) {
  struct cl_writer *w = calloc(1, sizeof(*w));
  if (w && path)
    w->path = strdup(path);
  if (!w || (path && !w->path)) {
    free(w);
    cl_file_fail(CL_ENOMEM, "no memory for a writer");
    return NULL;
  }
  w->fd = -1;
  if (open_file(w) != 0) {
    cl_ffi_writer_free(w);
    return NULL;
  }
  return w;
}

/* --------------------------------------------------------------------- calls */

int cl_ffi_writer_line(struct cl_writer *w, const char *s, uint32_t len) {
  int rc = usable(w);
  return rc == 0 ? add_line(w, s, len) : rc;
}

int cl_ffi_writer_batch(struct cl_writer *w, struct cl_batch *batch) {
  int rc = usable(w);
  for (uint32_t i = 0; rc == 0 && i < batch->n; i++) {
    const struct cl_record *rec = &batch->records[i];
    struct cl_str text;
    if (rec->state != CL_RECORD_LIVE)
      continue;
    rc = cl_text_lend(batch, &rec->value.val, &text, cl_ffi_err());
    if (rc == 0)
      rc = add_line(w, text.p, text.len);
  }
  return rc == 0 ? write_out(w) : rc;
}

int cl_ffi_writer_flush(struct cl_writer *w, int durable) {
  int rc = usable(w);
  if (rc == 0)
    rc = write_out(w);
  if (rc == 0 && durable && w->regular && fdatasync(w->fd) != 0) {
    w->failed = true;
    rc = cl_file_fail(CL_EIO, "writing %s: %s", name_of(w), strerror(errno));
  }
  if (rc == 0 && durable && w->unnamed) {
    sync_folder(w->path);
    w->unnamed = false;
  }
  return rc;
}

int cl_ffi_writer_close(struct cl_writer *w) {
  if (!w || w->fd < 0)
    return 0;
  int rc = w->failed ? 0 : write_out(w);
  if (w->fd != STDOUT_FILENO && close(w->fd) != 0 && rc == 0)
    rc = cl_file_fail(CL_EIO, "closing %s: %s", name_of(w), strerror(errno));
  w->fd = -1;
  return rc;
}

void cl_ffi_writer_free(struct cl_writer *w) {
  if (!w)
    return;
  if (w->fd > STDOUT_FILENO)
    close(w->fd); /* without close: the lines were never flushed, hence never acknowledged */
  free(w->buf);
  free(w->path);
  free(w);
}
