/* SPDX-License-Identifier: Apache-2.0
 * JSON strings: borrowed from the input when they can be, otherwise unescaped into the
 * arena. Bytes beyond ASCII are read as loosely as Jackson reads them; what is in memory
 * is UTF-8 with lone surrogates as three bytes. Thread: the task's. */
#include <string.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "record/java.h"
#include "record/json_in.h"
#include "record/json_scan.h"

/* The closing quote, or NULL. */
static const char *find_end(const char *p, const char *end) {
  while (p < end && *p != '"')
    p += *p == '\\' ? 2 : 1;
  return p < end ? p : NULL;
}

/* Appends one UTF-16 unit as UTF-8; a low surrogate joins the high one before it. */
static char *put_unit(char *start, char *w, uint32_t u) {
  if (u >= 0xDC00 && u < 0xE000 && w - start >= 3 && (unsigned char)w[-3] == 0xED &&
      (unsigned char)w[-2] >= 0xA0 && (unsigned char)w[-2] < 0xB0) {
    uint32_t hi = 0xD000 | ((uint32_t)w[-2] & 63) << 6 | ((uint32_t)w[-1] & 63);
    w -= 3;
    u = 0x10000 + ((hi - 0xD800) << 10) + (u - 0xDC00);
  }
  return cl_utf8_put(w, u);
}

static int hex4(const char *p, const char *end, uint32_t *out) {
  if (end - p < 4)
    return -1;
  uint32_t u = 0;
  for (int i = 0; i < 4; i++) {
    char c = p[i];
    uint32_t d = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                 : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                 : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                        : 16;
    if (d == 16)
      return -1;
    u = u << 4 | d;
  }
  *out = u;
  return 0;
}

/* p is at a backslash. NULL = bad escape. */
static const char *read_escape(const char *p, const char *end, uint32_t *unit) {
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  if (end - p < 2)
    return NULL;
  if (p[1] == 'u')
    return hex4(p + 2, end, unit) == 0 ? p + 6 : NULL;
  const char *at = p[1] ? strchr(from, p[1]) : NULL;
  if (!at)
    return NULL;
  *unit = (unsigned char)to[at - from];
  return p + 2;
}

/* p is at a byte beyond ASCII. Jackson checks the lead byte and the continuation bits
 * only, and does its arithmetic in chars: overlong forms and surrogates pass. Writes one
 * or two units; NULL = refused. */
static const char *read_loose(const char *p, const char *end, uint32_t unit[2]) {
  const unsigned char *s = (const unsigned char *)p;
  int extra = s[0] >= 0xF8 ? -1 : s[0] >= 0xF0 ? 3 : s[0] >= 0xE0 ? 2 : s[0] >= 0xC0 ? 1 : -1;
  if (extra < 0 || end - p <= extra)
    return NULL;
  for (int i = 1; i <= extra; i++)
    if ((s[i] & 0xC0) != 0x80)
      return NULL;
  unit[1] = 0;
  if (extra == 1) {
    unit[0] = (s[0] & 31u) << 6 | (s[1] & 63u);
  } else if (extra == 2) {
    unit[0] = (s[0] & 15u) << 12 | (s[1] & 63u) << 6 | (s[2] & 63u);
  } else {
    uint32_t c = ((s[0] & 7u) << 18 | (s[1] & 63u) << 12 | (s[2] & 63u) << 6 | (s[3] & 63u)) - 0x10000;
    unit[0] = (0xD800 | (uint32_t)((int32_t)c >> 10)) & 0xFFFF;
    unit[1] = 0xDC00 | (c & 0x3FF);
  }
  return p + extra + 1;
}

/* From the first byte that needs work; in->p is behind the opening quote. */
static int read_slowly(struct cl_json_in *in, const char *at, struct cl_val *out) {
  const char *close = find_end(at, in->end);
  if (!close)
    return in->p = in->end, cl_json_in_fail(in, "unexpected end in a string");
  size_t n = (size_t)(close - in->p);
  /* Only a four-byte form beyond Unicode grows, from 4 to 6 bytes. */
  char *text = cl_arena_alloc(in->b->arena, n + n / 2 + 1);
  if (!text)
    return cl_err_set(in->err, CL_ENOMEM, "no memory for a string of %zu bytes", n);
  size_t head = (size_t)(at - in->p);
  memcpy(text, in->p, head);
  char *w = text + head;
  for (const char *p = at; p < close;) {
    unsigned char c = (unsigned char)*p;
    uint32_t unit[2] = {c, 0};
    const char *start = p;
    p = c == '\\' ? read_escape(p, close, unit) : c >= 0x80 ? read_loose(p, close, unit) : p + 1;
    in->p = start;
    if (!p)
      return cl_json_in_fail(in, c == '\\' ? "bad escape" : "invalid UTF-8");
    if (c < 0x20)
      return cl_json_in_fail(in, "unescaped control character in a string");
    w = put_unit(text, w, unit[0]);
    if (unit[1])
      w = put_unit(text, w, unit[1]);
  }
  *out = (struct cl_val){.kind = CL_STRING, .len = (uint32_t)(w - text), .s = text};
  in->p = close + 1;
  return 0;
}

/* Past characters of up to three bytes that are neither surrogates nor overlong: they
 * need no escape on output. Stops at everything else. */
static const char *skip_clean(const char *p, const char *end) {
  while (p < end) {
    const unsigned char *s = (const unsigned char *)p;
    ptrdiff_t left = end - p;
    if (cl_json_is_plain(s[0]))
      p = cl_json_skip_plain(p, end);
    else if (s[0] >= 0xC2 && s[0] < 0xE0 && left > 1 && (s[1] & 0xC0) == 0x80)
      p += 2;
    else if ((s[0] & 0xF0) == 0xE0 && left > 2 && (s[1] & 0xC0) == 0x80 && (s[2] & 0xC0) == 0x80 &&
             !(s[0] == 0xE0 && s[1] < 0xA0) && !(s[0] == 0xED && s[1] >= 0xA0))
      p += 3;
    else
      break;
  }
  return p;
}

static int check_length(struct cl_json_in *in, const struct cl_val *v) {
  if (v->len <= CL_JSON_STRING || cl_java_string_length(v->s, v->len) <= CL_JSON_STRING)
    return 0;
  return cl_json_in_fail(in, "string longer than 20000000 characters");
}

int cl_json_in_string(struct cl_json_in *in, struct cl_val *out) {
  const char *s = in->p + 1;
  const char *p = cl_json_skip_plain(s, in->end);
  if (p < in->end && *p != '"')
    p = skip_clean(p, in->end);
  if (p < in->end && *p == '"') {
    *out = (struct cl_val){.kind = CL_STRING, .flags = CL_VAL_CLEAN, .len = (uint32_t)(p - s), .s = s};
    in->p = p + 1;
  } else {
    in->p = s;
    if (read_slowly(in, p, out) != 0)
      return in->err->code;
  }
  return check_length(in, out);
}
