/* SPDX-License-Identifier: Apache-2.0
 *
 * connect.file's reader: follows a growing text file (or standard input) and turns its
 * complete lines into records, without Lua per line. Lines end at \n, \r or \r\n; an
 * unfinished last line waits for its end. Positions are bytes of the file.
 * Thread: the task's. May include base, record. */
#define CL_COMPONENT "file"
#include "vm/file.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "record/batch.h"
#include "record/space.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  READ_SIZE = 256 << 10, /* room for one read */
  LINE_MAX_BYTES = 64 << 20,
  FILL_MAX_BYTES = 4 << 20, /* a batch takes no further line once it holds this much */
  BUFFER_KEEP = 1 << 20     /* a buffer grown beyond this for a long line is given back */
};

/* The first `c` at or after the unread start: found, or known to be absent before at. */
struct mark {
  size_t at;
  bool found;
};

struct cl_reader {
  char *path; /* NULL = standard input */
  int fd;     /* -1 = not open yet */
  bool regular, closed;
  int64_t position; /* in the file, of buf + start */
  char *buf;        /* buf[start..end) is read and not handed out */
  size_t start, end, cap;
  struct mark nl, cr;
  char *repaired; /* the last malformed line of cl_ffi_reader_line */
};

static const char *name_of(const struct cl_reader *r) { return r->path ? r->path : "standard input"; }

struct cl_reader *cl_ffi_reader_open(const char *path, int64_t position) {
  struct cl_reader *r = calloc(1, sizeof(*r));
  if (r && path)
    r->path = strdup(path);
  if (!r || (path && !r->path)) {
    free(r);
    cl_file_fail(CL_ENOMEM, "no memory for a reader");
    return NULL;
  }
  r->fd = -1;
  r->position = position > 0 ? position : 0;
  return r;
}

void cl_ffi_reader_close(struct cl_reader *r) {
  if (!r || r->closed)
    return;
  if (r->fd > STDIN_FILENO)
    close(r->fd);
  free(r->buf);
  free(r->repaired);
  r->buf = r->repaired = NULL;
  r->start = r->end = r->cap = 0;
  r->fd = -1;
  r->closed = true;
}

void cl_ffi_reader_free(struct cl_reader *r) {
  if (!r)
    return;
  cl_ffi_reader_close(r);
  free(r->path);
  free(r);
}

int64_t cl_ffi_reader_position(const struct cl_reader *r) { return r ? r->position : 0; }

/* ------------------------------------------------------------------ opening */

static void forget_buffer(struct cl_reader *r) {
  r->start = r->end = 0;
  r->nl = r->cr = (struct mark){0};
}

/* A file that was read before this run may be another one by now; one that is open is the same. */
static int restart(struct cl_reader *r, int64_t size, const char *why) {
  CL_LOG(CL_WARN,
         "%s holds %" PRId64 " bytes, but was read up to %" PRId64 ": it was %s, reading it from its start",
         r->path, size, r->position + (int64_t)(r->end - r->start), why);
  forget_buffer(r);
  r->position = 0;
  if (lseek(r->fd, 0, SEEK_SET) < 0)
    return cl_file_fail(CL_EIO, "%s: %s", r->path, strerror(errno));
  return 0;
}

/* 0 = open; CL_ENOTFOUND = not there (yet). */
static int ensure_open(struct cl_reader *r) {
  if (r->fd >= 0)
    return 0;
  if (!r->path) {
    r->fd = STDIN_FILENO;
    return 0;
  }
  int fd = open(r->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe without writer must not block */
  if (fd < 0)
    return cl_file_fail(errno == ENOENT ? CL_ENOTFOUND : CL_EIO, "%s: %s", r->path, strerror(errno));
  struct stat st;
  int rc = 0;
  if (fstat(fd, &st) != 0 || S_ISDIR(st.st_mode)) {
    rc = cl_file_fail(CL_EIO, "%s: %s", r->path, S_ISDIR(st.st_mode) ? "is a folder" : strerror(errno));
    close(fd);
    return rc;
  }
  r->fd = fd;
  r->regular = S_ISREG(st.st_mode);
  if (r->regular && r->position > st.st_size)
    return restart(r, st.st_size, "truncated or replaced");
  if (r->regular && lseek(fd, r->position, SEEK_SET) < 0) {
    rc = cl_file_fail(CL_EIO, "%s: %s", r->path, strerror(errno));
    close(fd);
    r->fd = -1;
  }
  return rc;
}

/* ------------------------------------------------------------------ reading */

static void shift_mark(struct mark *m, size_t by) {
  if (m->at >= by)
    m->at -= by;
  else
    *m = (struct mark){0};
}

/* Called when what is buffered is the beginning of one line. */
static int make_room(struct cl_reader *r) {
  if (r->end - r->start > LINE_MAX_BYTES)
    return cl_file_fail(CL_EDATA, "%s: the line at byte %" PRId64 " is longer than %d bytes", name_of(r),
                        r->position, LINE_MAX_BYTES);
  if (r->start == r->end && r->cap > BUFFER_KEEP) {
    free(r->buf);
    r->buf = NULL;
    r->cap = 0;
    forget_buffer(r);
  }
  if (r->cap - r->end >= READ_SIZE)
    return 0;
  if (r->start) {
    memmove(r->buf, r->buf + r->start, r->end - r->start);
    shift_mark(&r->nl, r->start);
    shift_mark(&r->cr, r->start);
    r->end -= r->start;
    r->start = 0;
  }
  if (r->cap - r->end >= READ_SIZE)
    return 0;
  size_t cap = r->cap ? r->cap * 2 : 2 * READ_SIZE;
  char *buf = realloc(r->buf, cap);
  if (!buf)
    return cl_file_fail(CL_ENOMEM, "%s: no memory for the line at byte %" PRId64, name_of(r), r->position);
  r->buf = buf;
  r->cap = cap;
  return 0;
}

/* More bytes: how many, 0 = none now. */
static ssize_t read_more(struct cl_reader *r) {
  if (!r->regular) {
    struct pollfd p = {.fd = r->fd, .events = POLLIN};
    if (poll(&p, 1, 0) <= 0)
      return 0;
  }
  int rc = make_room(r);
  if (rc != 0)
    return rc;
  ssize_t n = read(r->fd, r->buf + r->end, r->cap - r->end);
  if (n < 0)
    return errno == EINTR || errno == EAGAIN
               ? 0
               : cl_file_fail(CL_EIO, "reading %s: %s", name_of(r), strerror(errno));
  r->end += (size_t)n;
  if (n > 0 || !r->regular)
    return n;
  struct stat st;
  if (fstat(r->fd, &st) == 0 && st.st_size < r->position + (int64_t)(r->end - r->start))
    return restart(r, st.st_size, "truncated");
  return 0;
}

/* ------------------------------------------------------------------- lines */

static void seek_mark(const struct cl_reader *r, struct mark *m, char c) {
  if (m->at < r->start)
    *m = (struct mark){.at = r->start};
  if (m->found || m->at == r->end)
    return;
  const char *p = memchr(r->buf + m->at, c, r->end - m->at);
  m->found = p != NULL;
  m->at = p ? (size_t)(p - r->buf) : r->end;
}

struct line {
  const char *p; /* in the buffer */
  size_t len;
};

/* Takes the next complete line out of what is buffered. A \r at the very end is not
 * taken: a \n may follow. */
static bool take_line(struct cl_reader *r, struct line *out) {
  seek_mark(r, &r->nl, '\n');
  seek_mark(r, &r->cr, '\r');
  size_t stop, next;
  if (r->cr.found && (!r->nl.found || r->cr.at < r->nl.at)) {
    stop = r->cr.at;
    if (stop + 1 == r->end)
      return false;
    next = stop + (r->buf[stop + 1] == '\n' ? 2 : 1);
  } else if (r->nl.found) {
    stop = r->nl.at;
    next = stop + 1;
  } else {
    return false;
  }
  *out = (struct line){r->buf + r->start, stop - r->start};
  r->position += (int64_t)(next - r->start);
  r->start = next;
  return true;
}

/* 1 = a line, 0 = none yet, or a negative code. */
static int next_line(struct cl_reader *r, struct line *out) {
  while (!take_line(r, out)) {
    ssize_t n = read_more(r);
    if (n <= 0)
      return (int)n;
  }
  return 1;
}

static int usable(struct cl_reader *r) {
  if (!r || r->closed)
    return cl_file_fail(CL_EINVAL, "the reader is closed");
  return ensure_open(r);
}

int cl_ffi_reader_line(struct cl_reader *r, struct cl_str *out) {
  int rc = usable(r);
  if (rc != 0)
    return rc;
  struct line line;
  rc = next_line(r, &line);
  if (rc != 1)
    return rc;
  *out = (struct cl_str){line.p, (uint32_t)line.len};
  if (cl_utf8_valid(line.p, line.len))
    return 1;
  char *text = realloc(r->repaired, cl_utf8_repair_max(line.len));
  if (!text)
    return cl_file_fail(CL_ENOMEM, "%s: no memory for a line of %zu bytes", name_of(r), line.len);
  r->repaired = text;
  *out = (struct cl_str){text, (uint32_t)cl_utf8_repair(line.p, line.len, text)};
  return 1;
}

/* ------------------------------------------------------------------ records */

static char *text_in(struct cl_arena *arena, const struct line *line, size_t *len) {
  if (cl_utf8_valid(line->p, line->len)) {
    *len = line->len;
    return cl_arena_copy(arena, line->p, line->len);
  }
  char *text = cl_arena_alloc(arena, cl_utf8_repair_max(line->len));
  if (text)
    *len = cl_utf8_repair(line->p, line->len, text);
  return text;
}

/* {"position": null}, as Apache stores for standard input, where no position leads back. */
static int null_position(struct cl_batch *b, struct cl_val *out) {
  struct cl_obj *obj = cl_arena_zalloc(b->arena, sizeof(*obj));
  struct cl_entry *e = cl_arena_zalloc(b->arena, sizeof(*e));
  if (!obj || !e)
    return CL_ENOMEM;
  e->sym = cl_space_sym(b->space, "position", 8);
  e->val.kind = CL_NULL;
  *obj = (struct cl_obj){.n = 1, .cap = 1, .java_cap = 16, .e = e};
  *out = (struct cl_val){.kind = CL_OBJECT, .obj = obj};
  return e->sym ? 0 : CL_ENOMEM;
}

static int add_record(struct cl_reader *r, struct cl_batch *b, const struct line *line,
                      const struct cl_record *pattern) {
  size_t len = 0;
  char *text = text_in(b->arena, line, &len);
  struct cl_record *rec = text ? cl_batch_add(b) : NULL;
  if (!rec)
    return CL_ENOMEM;
  *rec = *pattern;
  rec->value.val.s = text;
  rec->value.val.len = (uint32_t)len;
  if (rec->source_offset.kind == CL_INT)
    rec->source_offset.i = r->position;
  return 0;
}

/* What all records of one fill share. */
static int make_pattern(const struct cl_reader *r, struct cl_batch *b, struct cl_str topic, uint32_t slot,
                        struct cl_record *out) {
  const char *copy = cl_arena_copy(b->arena, topic.p, topic.len);
  struct cl_str name = {copy, topic.len};
  *out = (struct cl_record){
      .key.val.kind = CL_NULL,
      .value.val.kind = CL_STRING,
      .value.schema = cl_space_primitive(b->space, CL_TYPE_STRING, false),
      .topic = name,
      .orig_topic = name,
      .partition = -1,
      .orig_partition = -1,
      .timestamp = cl_wall_ms(),
      .slot = slot,
      .source_offset = {.kind = CL_INT, .aux = 64},
      .batch = b,
  };
  if (!copy || !out->value.schema || (!r->path && null_position(b, &out->source_offset) != 0))
    return CL_ENOMEM;
  b->offset_name = (struct cl_str){"position", 8};
  return 0;
}

int cl_ffi_reader_fill(struct cl_reader *r, struct cl_batch *batch, uint32_t max, const char *topic,
                       uint32_t topic_len, uint32_t slot) {
  int rc = usable(r);
  if (rc != 0)
    return rc;
  struct cl_record pattern;
  struct line line;
  uint32_t n = 0;
  size_t bytes = 0;
  while (n < max && batch->n < batch->cap && bytes < FILL_MAX_BYTES) {
    rc = next_line(r, &line);
    if (rc <= 0)
      break;
    if (n == 0 && make_pattern(r, batch, (struct cl_str){topic, topic_len}, slot, &pattern) != 0)
      return cl_file_fail(CL_ENOMEM, "no memory for a batch of lines");
    if (add_record(r, batch, &line, &pattern) != 0)
      return cl_file_fail(CL_ENOMEM, "%s: no memory left for the line of %zu bytes before byte %" PRId64,
                          name_of(r), line.len, r->position);
    n++;
    bytes += line.len;
  }
  return rc < 0 && n == 0 ? rc : (int)n; /* an error behind good lines shows again next time */
}
