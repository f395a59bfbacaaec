/* SPDX-License-Identifier: Apache-2.0
 * Java-properties text, after java.util.Properties.load. Any thread. May include libc, jansson and base only.
 */
#define CL_COMPONENT "config"
#include "base/props.h"

#include "base/buf.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/utf8.h"

#include <stdint.h>
#include <stdlib.h>

enum { FILE_MAX = 16 << 20 };

struct reader {
  const char *at, *end;
  const char *where;
  bool utf8;           /* the text is UTF-8; otherwise ISO-8859-1 */
  size_t line_no;      /* of the natural line at `at` */
  struct cl_buf line;  /* the logical line: continuations joined, escapes still inside */
  size_t first_no;     /* the natural line it begins on */
  json_t *lines;       /* key -> number of the line that set it last */
  struct cl_buf joins; /* size_t offsets in line where a further natural line begins */
};

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\f'; }

static bool at_newline(const struct reader *r) {
  return r->at < r->end && (*r->at == '\n' || *r->at == '\r');
}

static void skip_newline(struct reader *r) {
  if (*r->at++ == '\r' && r->at < r->end && *r->at == '\n')
    r->at++;
  r->line_no++;
}

/* The natural line of a place in the logical one. */
static size_t line_of(const struct reader *r, size_t offset) {
  size_t no = r->first_no;
  for (size_t i = 0; i < r->joins.len; i += sizeof(size_t)) {
    size_t join;
    memcpy(&join, r->joins.p + i, sizeof(join));
    no += join <= offset;
  }
  return no;
}

/* Appends up to the end of the natural line; true when a backslash continues it. */
static bool read_natural(struct reader *r) {
  bool escaped = false;
  const char *start = r->at;
  while (r->at < r->end && !at_newline(r)) {
    escaped = *r->at == '\\' && !escaped;
    r->at++;
  }
  cl_buf_add(&r->line, start, (size_t)(r->at - start) - escaped);
  return escaped;
}

/* Reads the next logical line; false at the end. It is empty only when the text ends in a backslash
 * that has nothing before it, with one line end at most behind it: Java's entry of "" and "". */
static bool read_logical(struct reader *r) {
  r->line.len = r->joins.len = 0;
  while (r->at < r->end) {
    while (r->at < r->end && is_blank(*r->at))
      r->at++;
    if (r->line.len == 0) {
      r->first_no = r->line_no;
      if (r->at < r->end && (*r->at == '#' || *r->at == '!'))
        while (r->at < r->end && !at_newline(r))
          r->at++;
    } else {
      cl_buf_add(&r->joins, &r->line.len, sizeof(size_t));
    }
    bool continued = read_natural(r);
    bool at_end = r->end - r->at <= 1;
    if (r->at < r->end)
      skip_newline(r);
    if (r->line.failed || r->joins.failed || (continued ? at_end : r->line.len > 0))
      return true;
  }
  return r->line.len > 0;
}

static void add_utf8(struct cl_buf *out, uint32_t c) {
  char seq[4];
  cl_buf_add(out, seq, (size_t)(cl_utf8_put(seq, c) - seq));
}

/* The four hex digits of \uXXXX at `at`; -1 when they are not. */
static int32_t hex4(const char *p, size_t at, size_t end) {
  int32_t v = 0;
  if (end - at < 4)
    return -1;
  for (size_t i = at; i < at + 4; i++) {
    char c = p[i];
    int digit = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
    if (digit < 0)
      return -1;
    v = v * 16 + digit;
  }
  return v;
}

/* A \u escape whose digits begin at *at, and the second half of a surrogate pair. */
static const char *unicode_escape(const char *p, size_t *at, size_t end, struct cl_buf *out) {
  int32_t c = hex4(p, *at, end);
  if (c < 0)
    return "malformed \\uXXXX escape";
  *at += 4;
  if (c == 0)
    return "NUL (\\u0000) cannot be part of a key or value";
  if (c >= 0xD800 && c <= 0xDFFF) {
    int32_t low = c < 0xDC00 && end - *at >= 6 && p[*at] == '\\' && p[*at + 1] == 'u' ? hex4(p, *at + 2, end)
                                                                                      : -1;
    if (low < 0xDC00 || low > 0xDFFF)
      return "\\uXXXX escape is half of a surrogate pair";
    *at += 6;
    c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
  }
  add_utf8(out, (uint32_t)c);
  return NULL;
}

/* Resolves escapes of line[at, end), as UTF-8; malloc'd. */
static int convert(struct reader *r, size_t at, size_t end, char **text, struct cl_err *err) {
  struct cl_buf out = {0};
  const char *p = r->line.p;
  const char *wrong = NULL;
  while (at < end && !wrong) {
    size_t start = at;
    unsigned char c = (unsigned char)p[at++];
    if (c == 0) {
      wrong = "NUL byte";
    } else if (c >= 0x80 && r->utf8) {
      cl_buf_char(&out, (char)c);
    } else if (c != '\\' || at == end) {
      add_utf8(&out, c);
    } else {
      c = (unsigned char)p[at++];
      if (c == 0)
        wrong = "NUL byte";
      else if (c == 'u')
        wrong = unicode_escape(p, &at, end, &out);
      else if (c >= 0x80 && r->utf8)
        cl_buf_char(&out, (char)c);
      else
        add_utf8(&out, c == 't' ? '\t' : c == 'r' ? '\r' : c == 'n' ? '\n' : c == 'f' ? '\f' : c);
    }
    if (wrong)
      cl_err_set(err, CL_EINVAL, "%s:%zu: %s", r->where, line_of(r, start), wrong);
  }
  *text = wrong ? NULL : cl_buf_take(&out);
  cl_buf_free(&out);
  if (wrong)
    return CL_EINVAL;
  return *text ? 0 : cl_err_set(err, CL_ENOMEM, "%s:%zu: out of memory", r->where, r->first_no);
}

/* Where the key ends and the value begins: the first '=', ':' or blank that is not escaped. */
static void split(const struct cl_buf *line, size_t *key_end, size_t *value) {
  const char *p = line->p;
  size_t i = 0;
  bool escaped = false;
  for (; i < line->len; i++) {
    if (!escaped && (p[i] == '=' || p[i] == ':' || is_blank(p[i])))
      break;
    escaped = p[i] == '\\' && !escaped;
  }
  *key_end = i;
  while (i < line->len && is_blank(p[i]))
    i++;
  if (i < line->len && (p[i] == '=' || p[i] == ':'))
    i++;
  while (i < line->len && is_blank(p[i]))
    i++;
  *value = i;
}

/* Java takes the last value of a repeated key in silence; mostly it is a mistake. */
static bool note_line(struct reader *r, const char *key) {
  json_t *before = json_object_get(r->lines, key);
  if (before)
    CL_LOG(CL_WARN, "%s:%zu: %s was set on line %lld already; the value of line %zu counts", r->where,
           r->first_no, key, (long long)json_integer_value(before), r->first_no);
  return json_object_set_new(r->lines, key, json_integer((json_int_t)r->first_no)) == 0;
}

static int put_entry(struct reader *r, json_t *config, struct cl_err *err) {
  char *key = NULL, *value = NULL;
  size_t key_end, value_at;
  split(&r->line, &key_end, &value_at);
  int rc = convert(r, 0, key_end, &key, err);
  if (rc == 0)
    rc = convert(r, value_at, r->line.len, &value, err);
  if (rc == 0 && (!note_line(r, key) || json_object_set_new(config, key, json_string(value)) != 0))
    rc = cl_err_set(err, CL_ENOMEM, "%s:%zu: out of memory", r->where, r->first_no);
  free(value);
  free(key);
  return rc;
}

static int parse(const char *text, size_t len, bool utf8, const char *where, json_t **out,
                 struct cl_err *err) {
  cl_utf8_skip_bom(&text, &len);
  struct reader r = {
      .at = text, .end = text + len, .where = where, .utf8 = utf8, .line_no = 1, .lines = json_object()};
  int rc = 0;
  *out = NULL;
  json_t *config = json_object();
  if (!config || !r.lines || !cl_buf_reserve(&r.line, 0))
    rc = cl_err_set(err, CL_ENOMEM, "%s: out of memory", where);
  while (rc == 0 && read_logical(&r)) {
    if (r.line.failed || r.joins.failed)
      rc = cl_err_set(err, CL_EINVAL, "%s:%zu: the line is too long", where, r.first_no);
    else
      rc = put_entry(&r, config, err);
  }
  cl_buf_free(&r.joins);
  cl_buf_free(&r.line);
  json_decref(r.lines);
  if (rc != 0)
    json_decref(config);
  else
    *out = config;
  return rc;
}

int cl_props_parse(const char *text, size_t len, const char *where, json_t **out, struct cl_err *err) {
  return parse(text, len, false, where, out, err);
}

int cl_props_parse_utf8(const char *text, size_t len, const char *where, json_t **out, struct cl_err *err) {
  *out = NULL;
  if (!cl_utf8_valid(text, len))
    return cl_err_set(err, CL_EINVAL, "%s: not UTF-8", where);
  return parse(text, len, true, where, out, err);
}

int cl_props_load(const char *path, json_t **out, struct cl_err *err) {
  char *text = NULL;
  size_t len = 0;
  *out = NULL;
  int rc = cl_fs_read(path, FILE_MAX, &text, &len, err);
  if (rc == CL_ENOTFOUND)
    rc = err->code = CL_EIO;
  if (rc == 0)
    rc = cl_props_parse(text, len, path, out, err);
  free(text);
  return rc;
}
