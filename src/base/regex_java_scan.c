/* SPDX-License-Identifier: Apache-2.0
 * The characters of a Java pattern: decoding, \Q...\E, comments, errors. Any thread. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/regex_java.h"

bool cl_rj_is_digit(int32_t c) { return c >= '0' && c <= '9'; }

bool cl_rj_is_alpha(int32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool cl_rj_has(const struct cl_rj *t, unsigned flag) { return (t->flags & flag) != 0; }

/* One character of UTF-8; *p moves behind it. Negative: that is none. */
static int32_t decode(const unsigned char **p) {
  const unsigned char *s = *p;
  int more = s[0] < 0x80 ? 0 : s[0] >= 0xC2 && s[0] < 0xE0 ? 1 : (s[0] & 0xF0) == 0xE0 ? 2 : 3;
  if (more == 3 && (s[0] < 0xF0 || s[0] > 0xF4))
    return -1;
  int32_t c = more == 0 ? s[0] : s[0] & (0x3F >> more);
  for (int i = 1; i <= more; i++) {
    if ((s[i] & 0xC0) != 0x80)
      return -1;
    c = c << 6 | (s[i] & 0x3F);
  }
  if ((more == 2 && c < 0x800) || (more == 3 && (c < 0x10000 || c > 0x10FFFF)) || (c >= 0xD800 && c < 0xE000))
    return -1;
  *p += more + 1;
  return c;
}

static void encode(int32_t c, struct cl_buf *out) {
  if (c < 0x80) {
    cl_buf_char(out, (char)c);
    return;
  }
  int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  static const int lead[] = {0, 0xC0, 0xE0, 0xF0};
  cl_buf_char(out, (char)(lead[more] | c >> (6 * more)));
  while (more-- > 0)
    cl_buf_char(out, (char)(0x80 | ((c >> (6 * more)) & 0x3F)));
}

void cl_rj_utf8(const struct cl_rj *t, size_t start, size_t end, struct cl_buf *out) {
  cl_buf_str(out, "");
  for (; start < end && start < t->len; start++)
    encode(t->text[start], out);
}

/* \Q...\E as escaped characters. Errors count places in what this leaves. Java writes a digit
 * behind \Q as \x3n, so that it does not become part of a back reference before it. */
static int32_t *unquote(const int32_t *from, size_t n, size_t *len) {
  int32_t *to = calloc(n * 4 + 3, sizeof(*to));
  size_t i = 0, j = 0;
  bool quoted = false, first = false;
  while (to && i < n) {
    int32_t c = from[i++];
    if (c == '\\' && quoted && i < n && from[i] == 'E') {
      i++;
      quoted = false;
    } else if (c == '\\' && !quoted && i < n && from[i] == 'Q') {
      i++;
      quoted = first = true;
      continue;
    } else if (c == '\\' && !quoted) {
      to[j++] = c;
      if (i < n)
        to[j++] = from[i++];
    } else {
      if (quoted && first && cl_rj_is_digit(c)) {
        to[j++] = '\\';
        to[j++] = 'x';
        to[j++] = '3';
      } else if (quoted && c < 0x80 && !cl_rj_is_alpha(c) && !cl_rj_is_digit(c)) {
        to[j++] = '\\';
      }
      to[j++] = c;
    }
    first = false;
  }
  *len = j;
  return to;
}

int cl_rj_open(struct cl_rj *t, const char *pattern) {
  t->pattern = pattern;
  int32_t *raw = malloc((strlen(pattern) + 1) * sizeof(*raw));
  if (!raw)
    return cl_err_set(t->err, CL_ENOMEM, "no memory for a regex");
  size_t n = 0;
  for (const unsigned char *p = (const unsigned char *)pattern; *p; n++)
    if ((raw[n] = decode(&p)) < 0) {
      free(raw);
      return cl_err_set(t->err, CL_EINVAL, "the pattern is no UTF-8 at byte %zu",
                        (size_t)(p - (const unsigned char *)pattern));
    }
  t->text = unquote(raw, n, &t->len);
  free(raw);
  return t->text ? 0 : cl_err_set(t->err, CL_ENOMEM, "no memory for a regex");
}

/* --------------------------------------------------------------------- reading */

int32_t cl_rj_char(const struct cl_rj *t, size_t at) { return at < t->len ? t->text[at] : 0; }

static bool is_space(int32_t c) { return (c >= 9 && c <= 13) || c == ' '; }

static bool ends_comment(const struct cl_rj *t, int32_t c) {
  if (cl_rj_has(t, RJ_UNIX_LINES))
    return c == '\n' || c == 0;
  return c == '\n' || c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029 || c == 0;
}

/* The first place from at on that is no comment, in comments mode. A line's end is white space,
 * but for those beyond ASCII, which Java then takes for part of the pattern. */
static size_t past_comments(const struct cl_rj *t, size_t at) {
  for (;;) {
    while (is_space(cl_rj_char(t, at)))
      at++;
    if (cl_rj_char(t, at) != '#')
      return at;
    do
      at++;
    while (!ends_comment(t, cl_rj_char(t, at)));
  }
}

static int32_t look(struct cl_rj *t) {
  if (cl_rj_has(t, RJ_COMMENTS))
    t->at = past_comments(t, t->at);
  return cl_rj_char(t, t->at);
}

int32_t cl_rj_peek(struct cl_rj *t) { return look(t); }

int32_t cl_rj_read(struct cl_rj *t) {
  int32_t c = look(t);
  t->at++;
  return c;
}

int32_t cl_rj_next(struct cl_rj *t) {
  t->at++;
  return look(t);
}

int32_t cl_rj_next_escaped(struct cl_rj *t) { return cl_rj_char(t, ++t->at); }

int32_t cl_rj_skip(struct cl_rj *t) {
  int32_t c = cl_rj_char(t, t->at + 1);
  t->at += 2;
  return c;
}

/* ---------------------------------------------------------------------- errors */

static size_t utf16_length(const char *p) {
  size_t n = 0;
  for (; *p; p++)
    n += ((unsigned char)*p & 0xC0) != 0x80 ? 1 + ((unsigned char)*p >= 0xF0) : 0;
  return n;
}

/* The indented mark below the pattern; blanks are tabs where the pattern has tabs. Java's index
 * counts characters, its blanks those of UTF-16. */
static void point_at(const char *pattern, size_t index, struct cl_buf *out) {
  cl_buf_char(out, '\n');
  for (size_t n = 0; n < index; pattern++) {
    size_t units = ((unsigned char)*pattern & 0xC0) == 0x80 ? 0 : (unsigned char)*pattern >= 0xF0 ? 2 : 1;
    for (; units > 0 && n < index; units--, n++)
      cl_buf_char(out, *pattern == '\t' ? '\t' : ' ');
  }
  cl_buf_char(out, '^');
}

int cl_rj_error(struct cl_rj *t, const char *fmt, ...) {
  char why[256];
  struct cl_buf text = {0};
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(why, sizeof(why), fmt, ap);
  va_end(ap);
  cl_buf_str(&text, why);
  if (t->at > 0)
    cl_buf_fmt(&text, " near index %zu", t->at - 1);
  cl_buf_fmt(&text, "\n%s", t->pattern);
  if (t->at > 0 && t->at - 1 < utf16_length(t->pattern))
    point_at(t->pattern, t->at - 1, &text);
  int rc = text.failed ? cl_err_set(t->err, CL_ENOMEM, "no memory for a regex")
                       : cl_err_set(t->err, CL_EINVAL, "%s", text.p);
  cl_buf_free(&text);
  return rc;
}

int cl_rj_unsupported(struct cl_rj *t, const char *what) { return cl_rj_error(t, "%s", what); }
