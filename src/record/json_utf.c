/* SPDX-License-Identifier: Apache-2.0
 * Recognises the encoding of a JSON document by its first bytes, as Jackson does, and
 * turns UTF-16 and UTF-32 into UTF-8. Thread: the task's. */
#include "base/arena.h"
#include "base/utf8.h"
#include "record/json_in.h"

struct encoding {
  int width; /* bytes of a unit: 1, 2, 4 */
  bool big;
  uint32_t skip; /* byte order mark */
};

static bool detect(const unsigned char *s, size_t len, struct encoding *e) {
  *e = (struct encoding){.width = 1};
  uint32_t two = len >= 2 ? (uint32_t)s[0] << 8 | s[1] : 0;
  if (len >= 3 && two == 0xEFBB && s[2] == 0xBF) {
    e->skip = 3;
    return true;
  }
  if (len >= 4) {
    uint32_t four = two << 16 | (uint32_t)s[2] << 8 | s[3];
    if (four == 0x0000FEFF || four == 0xFFFE0000) {
      *e = (struct encoding){.width = 4, .big = four == 0x0000FEFF, .skip = 4};
      return true;
    }
    if (four == 0x0000FFFE || four == 0xFEFF0000)
      return false; /* orders 2143 and 3412 */
    if (two != 0xFEFF && two != 0xFFFE) {
      if (four >> 8 == 0 || (four & 0x00FFFFFF) == 0) {
        *e = (struct encoding){.width = 4, .big = four >> 8 == 0};
        return true;
      }
      if ((four & ~0x00FF0000u) == 0 || (four & ~0x0000FF00u) == 0)
        return false;
    }
  }
  if (len >= 2) {
    if (two == 0xFEFF || two == 0xFFFE)
      *e = (struct encoding){.width = 2, .big = two == 0xFEFF, .skip = 2};
    else if ((two & 0xFF00) == 0 || (two & 0x00FF) == 0)
      *e = (struct encoding){.width = 2, .big = (two & 0xFF00) == 0};
  }
  return true;
}

static uint32_t unit_at(const unsigned char *s, const struct encoding *e) {
  uint32_t u = 0;
  for (int i = 0; i < e->width; i++)
    u = u << 8 | s[e->big ? i : e->width - 1 - i];
  return u;
}

int cl_json_transcode(struct cl_batch *b, const char **p, size_t *len, struct cl_err *err) {
  const unsigned char *s = (const unsigned char *)*p;
  struct encoding e;
  if (!detect(s, *len, &e))
    return cl_err_set(err, CL_EDATA, "a byte order of UTF-32 that nobody uses");
  s += e.skip;
  size_t n = *len - e.skip, width = (size_t)e.width;
  if (width == 1) {
    *p = (const char *)s;
    *len = n;
    return 0;
  }
  char *text = cl_arena_alloc(b->arena, n / width * 4 + 1);
  if (!text)
    return cl_err_set(err, CL_ENOMEM, "no memory for a document of %zu bytes", n);
  char *w = text;
  for (; n >= width; s += width, n -= width) {
    uint32_t c = unit_at(s, &e);
    if (width == 2 && c >= 0xD800 && c < 0xDC00 && n >= 4) {
      uint32_t low = unit_at(s + 2, &e);
      if (low >= 0xDC00 && low < 0xE000) {
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        s += 2;
        n -= 2;
      }
    }
    if (c > 0x10FFFF)
      return cl_err_set(err, CL_EDATA, "a UTF-32 unit beyond Unicode");
    w = cl_utf8_put(w, c);
  }
  if (n) /* a cut unit */
    return cl_err_set(err, CL_EDATA, "unexpected end inside a UTF-%zu unit", 8 * width);
  *p = text;
  *len = (size_t)(w - text);
  return 0;
}
