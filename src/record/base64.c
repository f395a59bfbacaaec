/* SPDX-License-Identifier: Apache-2.0
 * Base64 after Jackson's MIME_NO_LINEFEEDS variant. Any thread. */
#include "record/base64.h"

#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void cl_base64_encode(const void *bytes, size_t n, char *out) {
  const unsigned char *p = bytes;
  for (; n >= 3; p += 3, n -= 3) {
    uint32_t w = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
    *out++ = alphabet[w >> 18];
    *out++ = alphabet[w >> 12 & 63];
    *out++ = alphabet[w >> 6 & 63];
    *out++ = alphabet[w & 63];
  }
  if (n) {
    uint32_t w = (uint32_t)p[0] << 16 | (n > 1 ? (uint32_t)p[1] << 8 : 0);
    *out++ = alphabet[w >> 18];
    *out++ = alphabet[w >> 12 & 63];
    *out++ = n > 1 ? alphabet[w >> 6 & 63] : '=';
    *out++ = '=';
  }
}

static int value_of(char c) {
  if (c >= 'A' && c <= 'Z')
    return c - 'A';
  if (c >= 'a' && c <= 'z')
    return c - 'a' + 26;
  if (c >= '0' && c <= '9')
    return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool cl_base64_decode(const char *s, size_t len, unsigned char *out, size_t *n) {
  unsigned char *w = out;
  for (size_t i = 0;;) {
    while (i < len && (unsigned char)s[i] <= ' ')
      i++;
    if (i == len)
      break;
    if (len - i < 4)
      return false;
    int a = value_of(s[i]), b = value_of(s[i + 1]), c = value_of(s[i + 2]), d = value_of(s[i + 3]);
    bool one = s[i + 2] == '=' && s[i + 3] == '=', two = s[i + 3] == '=';
    if (a < 0 || b < 0 || (c < 0 && !one) || (d < 0 && !two))
      return false;
    *w++ = (unsigned char)(a << 2 | b >> 4);
    if (!one)
      *w++ = (unsigned char)(b << 4 | c >> 2);
    if (!two)
      *w++ = (unsigned char)(c << 6 | d);
    i += 4;
  }
  *n = (size_t)(w - out);
  return true;
}
