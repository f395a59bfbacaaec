/* SPDX-License-Identifier: Apache-2.0
 * Java's character sets. Any thread: the list of those found by iconv only grows. */
#include "record/charset.h"

#include <errno.h>
#include <iconv.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "record/java_char.h"

enum form { UTF8, LATIN1, ASCII, UTF16, UTF16BE, UTF16LE, ICONV };

struct cl_charset {
  enum form form;
  struct cl_charset *next; /* of those found by iconv */
  char name[64];
};

static const struct cl_charset built_in[] = {{.form = UTF8},  {.form = LATIN1},  {.form = ASCII},
                                             {.form = UTF16}, {.form = UTF16BE}, {.form = UTF16LE}};

static const struct {
  const char *name;
  enum form form;
} names[] = {
    {"UTF-8", UTF8},
    {"UTF8", UTF8},
    {"unicode-1-1-utf-8", UTF8},
    {"ISO-8859-1", LATIN1},
    {"ISO8859_1", LATIN1},
    {"ISO8859-1", LATIN1},
    {"ISO_8859_1", LATIN1},
    {"ISO_8859-1", LATIN1},
    {"ISO_8859-1:1987", LATIN1},
    {"8859_1", LATIN1},
    {"latin1", LATIN1},
    {"l1", LATIN1},
    {"IBM819", LATIN1},
    {"IBM-819", LATIN1},
    {"CP819", LATIN1},
    {"819", LATIN1},
    {"iso-ir-100", LATIN1},
    {"csISOLatin1", LATIN1},
    {"US-ASCII", ASCII},
    {"ASCII", ASCII},
    {"ASCII7", ASCII},
    {"ISO646-US", ASCII},
    {"ISO_646.irv:1991", ASCII},
    {"ISO_646.irv:1983", ASCII},
    {"ANSI_X3.4-1968", ASCII},
    {"ANSI_X3.4-1986", ASCII},
    {"iso-ir-6", ASCII},
    {"us", ASCII},
    {"IBM367", ASCII},
    {"cp367", ASCII},
    {"646", ASCII},
    {"default", ASCII},
    {"csASCII", ASCII},
    {"UTF-16", UTF16},
    {"UTF_16", UTF16},
    {"utf16", UTF16},
    {"unicode", UTF16},
    {"UnicodeBig", UTF16},
    {"UTF-16BE", UTF16BE},
    {"UTF_16BE", UTF16BE},
    {"X-UTF-16BE", UTF16BE},
    {"ISO-10646-UCS-2", UTF16BE},
    {"UnicodeBigUnmarked", UTF16BE},
    {"UTF-16LE", UTF16LE},
    {"UTF_16LE", UTF16LE},
    {"X-UTF-16LE", UTF16LE},
    {"UnicodeLittleUnmarked", UTF16LE},
};

static struct cl_charset *found; /* under the lock */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Charset.checkName, which also keeps iconv's own suffixes out. */
static bool is_legal(const char *s, size_t len) {
  for (size_t i = 0; i < len; i++) {
    char c = s[i];
    bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (!letter && (!strchr("-+:_.", c) || i == 0))
      return false;
  }
  return len > 0;
}

/* Not of wider units: what replaces the unmappable is one byte. */
static bool is_bytes(const char *name) {
  iconv_t cd = iconv_open(name, "UTF-8");
  if (cd == (iconv_t)-1)
    return false;
  char in[] = "A", out[8], *p = in, *w = out;
  size_t left = 1, room = sizeof(out);
  bool ok = iconv(cd, &p, &left, &w, &room) == 0 && room == sizeof(out) - 1;
  iconv_close(cd);
  return ok;
}

static const struct cl_charset *by_iconv(const char *name) {
  pthread_mutex_lock(&lock);
  struct cl_charset *cs = found;
  while (cs && strcasecmp(cs->name, name) != 0)
    cs = cs->next;
  if (!cs && is_bytes(name) && (cs = calloc(1, sizeof(*cs)))) {
    cs->form = ICONV;
    memcpy(cs->name, name, strlen(name) + 1);
    cs->next = found;
    found = cs;
  }
  pthread_mutex_unlock(&lock);
  return cs;
}

const struct cl_charset *cl_charset_find(const char *name, size_t len) {
  char text[sizeof(found->name)];
  if (len >= sizeof(text) || !is_legal(name, len))
    return NULL;
  memcpy(text, name, len);
  text[len] = '\0';
  for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
    if (strcasecmp(names[i].name, text) == 0)
      return &built_in[names[i].form];
  return by_iconv(text);
}

const struct cl_charset *cl_charset_utf8(void) { return &built_in[UTF8]; }

bool cl_charset_is_utf8(const struct cl_charset *cs) { return cs->form == UTF8; }

static int no_memory(struct cl_err *err) { return cl_err_set(err, CL_ENOMEM, "no memory for a record"); }

/* ----------------------------------------------------------------- decoding */

enum { REPLACEMENT = 0xFFFD, MARK = 0xFEFF };

static uint32_t unit_at(const unsigned char *p, bool little) {
  return little ? (uint32_t)p[1] << 8 | p[0] : (uint32_t)p[0] << 8 | p[1];
}

/* A high surrogate takes the unit behind it along, whatever it is; what is cut short is one
 * replacement. */
static char *decode_utf16(enum form form, const unsigned char *p, size_t n, char *w) {
  bool little = form == UTF16LE;
  size_t i = 0;
  if (form == UTF16 && n >= 2 && (unit_at(p, false) == MARK || unit_at(p, true) == MARK)) {
    little = unit_at(p, true) == MARK;
    i = 2;
  }
  while (i < n) {
    if (n - i < 2)
      return cl_utf8_put(w, REPLACEMENT);
    uint32_t c = unit_at(p + i, little);
    i += 2;
    if (c >= 0xD800 && c < 0xDC00) {
      if (n - i < 2)
        return cl_utf8_put(w, REPLACEMENT);
      uint32_t low = unit_at(p + i, little);
      i += 2;
      c = low >= 0xDC00 && low < 0xE000 ? 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00) : REPLACEMENT;
    } else if (c >= 0xDC00 && c < 0xE000) {
      c = REPLACEMENT;
    }
    w = cl_utf8_put(w, c);
  }
  return w;
}

static char *decode_bytes(enum form form, const unsigned char *p, size_t n, char *w) {
  for (size_t i = 0; i < n; i++)
    w = cl_utf8_put(w, form == ASCII && p[i] >= 0x80 ? REPLACEMENT : p[i]);
  return w;
}

/* iconv from one encoding to the other; what it refuses becomes `instead`, `skip` at a time. */
static int convert(const char *to, const char *from, struct cl_arena *a, struct cl_str in,
                   const char *instead, size_t (*skip)(struct cl_str in), struct cl_str *out,
                   struct cl_err *err) {
  size_t room = (size_t)in.len * 4 + 16; /* four bytes a byte, and what resets a shift state */
  char *p = (char *)in.p, *w = cl_arena_alloc(a, room), *start = w;
  size_t left = in.len;
  iconv_t cd = iconv_open(to, from);
  if (!w || cd == (iconv_t)-1) {
    if (cd != (iconv_t)-1)
      iconv_close(cd);
    return no_memory(err);
  }
  while (left && iconv(cd, &p, &left, &w, &room) == (size_t)-1) {
    size_t n = errno == EINVAL ? left : skip((struct cl_str){p, (uint32_t)left});
    if (errno == E2BIG || strlen(instead) > room) {
      iconv_close(cd);
      return cl_err_set(err, CL_EDATA, "a text that grows too much in %s", to);
    }
    room -= strlen(instead);
    w = stpcpy(w, instead);
    p += n;
    left -= n;
  }
  iconv(cd, NULL, NULL, &w, &room);
  iconv_close(cd);
  *out = (struct cl_str){start, (uint32_t)(w - start)};
  return 0;
}

static size_t one_byte(struct cl_str in) {
  (void)in;
  return 1;
}

static int decode_utf8(struct cl_arena *a, struct cl_str bytes, struct cl_str *out, struct cl_err *err) {
  *out = bytes;
  if (cl_utf8_valid(bytes.p, bytes.len))
    return 0;
  size_t max = cl_utf8_repair_max(bytes.len);
  char *text = max <= UINT32_MAX ? cl_arena_alloc(a, max) : NULL;
  if (!text)
    return no_memory(err);
  *out = (struct cl_str){text, (uint32_t)cl_utf8_repair(bytes.p, bytes.len, text)};
  return 0;
}

int cl_charset_decode(const struct cl_charset *cs, struct cl_arena *a, struct cl_str bytes,
                      struct cl_str *out, struct cl_err *err) {
  if (cs->form == UTF8)
    return decode_utf8(a, bytes, out, err);
  if (cs->form == ICONV)
    return convert("UTF-8", cs->name, a, bytes, "\xEF\xBF\xBD", one_byte, out, err);
  size_t max = (size_t)bytes.len * 3;
  char *text = max <= UINT32_MAX ? cl_arena_alloc(a, max) : NULL;
  if (!text)
    return no_memory(err);
  const unsigned char *p = (const unsigned char *)bytes.p;
  char *end = cs->form >= UTF16 ? decode_utf16(cs->form, p, bytes.len, text)
                                : decode_bytes(cs->form, p, bytes.len, text);
  *out = (struct cl_str){text, (uint32_t)(end - text)};
  return 0;
}

/* ----------------------------------------------------------------- encoding */

static bool is_surrogate(uint32_t c) { return c >= 0xD800 && c < 0xE000; }

/* One character, which iconv refused. */
static size_t one_char(struct cl_str in) {
  const char *p = in.p;
  cl_java_next(&p, in.p + in.len);
  return (size_t)(p - in.p);
}

static char *put_unit(char *w, uint32_t c, bool little) {
  w[little] = (char)(c >> 8);
  w[!little] = (char)c;
  return w + 2;
}

static char *encode_utf16(enum form form, struct cl_str text, char *w) {
  const char *p = text.p, *end = text.p + text.len;
  bool little = form == UTF16LE;
  if (form == UTF16 && text.len)
    w = put_unit(w, MARK, false);
  while (p < end) {
    uint32_t c = cl_java_next(&p, end);
    if (c >= 0x10000) {
      w = put_unit(w, 0xD800 + ((c - 0x10000) >> 10), little);
      c = 0xDC00 + ((c - 0x10000) & 0x3FF);
    } else if (is_surrogate(c)) {
      c = REPLACEMENT;
    }
    w = put_unit(w, c, little);
  }
  return w;
}

static char *encode_bytes(uint32_t max, struct cl_str text, char *w) {
  const char *p = text.p, *end = text.p + text.len;
  while (p < end) {
    uint32_t c = cl_java_next(&p, end);
    *w++ = c <= max ? (char)c : '?';
  }
  return w;
}

/* A lone surrogate (three bytes from 0xED 0xA0 on) has no UTF-8: Java writes '?'. */
static int encode_utf8(struct cl_arena *a, struct cl_str text, struct cl_str *out, struct cl_err *err) {
  *out = text;
  const char *at = text.len ? memchr(text.p, 0xED, text.len) : NULL;
  while (at && (size_t)(text.p + text.len - at) >= 3 && (unsigned char)at[1] < 0xA0)
    at = memchr(at + 1, 0xED, (size_t)(text.p + text.len - at - 1));
  if (!at)
    return 0;
  char *copy = cl_arena_alloc(a, text.len), *w = copy;
  if (!copy)
    return no_memory(err);
  for (const char *p = text.p, *end = text.p + text.len; p < end;) {
    const char *from = p;
    if (is_surrogate(cl_java_next(&p, end)))
      *w++ = '?';
    else
      while (from < p)
        *w++ = *from++;
  }
  *out = (struct cl_str){copy, (uint32_t)(w - copy)};
  return 0;
}

int cl_charset_encode(const struct cl_charset *cs, struct cl_arena *a, struct cl_str text, struct cl_str *out,
                      struct cl_err *err) {
  if (cs->form == UTF8)
    return encode_utf8(a, text, out, err);
  if (cs->form == ICONV)
    return convert(cs->name, "UTF-8", a, text, "?", one_char, out, err);
  size_t max = (size_t)text.len * 2 + 2;
  char *bytes = max <= UINT32_MAX ? cl_arena_alloc(a, max) : NULL;
  if (!bytes)
    return no_memory(err);
  char *end = cs->form >= UTF16 ? encode_utf16(cs->form, text, bytes)
                                : encode_bytes(cs->form == ASCII ? 0x7F : 0xFF, text, bytes);
  *out = (struct cl_str){bytes, (uint32_t)(end - bytes)};
  return 0;
}
