/* SPDX-License-Identifier: Apache-2.0
 * Characters as Java's number and date parsers see them. Any thread, no state. */
#include "record/java_char.h"

/* Zeros of the decimal digits of Unicode 13 (JDK 17), basic plane. */
static const uint16_t zeros[] = {0x660,  0x6F0,  0x7C0,  0x966,  0x9E6,  0xA66,  0xAE6,  0xB66,  0xBE6,
                                 0xC66,  0xCE6,  0xD66,  0xDE6,  0xE50,  0xED0,  0xF20,  0x1040, 0x1090,
                                 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40,
                                 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10};

int cl_java_digit(uint32_t c) {
  if (c < 0x660)
    return c >= '0' && c <= '9' ? (int)(c - '0') : -1;
  for (size_t i = 0; i < sizeof(zeros) / sizeof(zeros[0]) && c >= zeros[i]; i++)
    if (c < zeros[i] + 10u)
      return (int)(c - zeros[i]);
  return -1;
}

uint32_t cl_java_next(const char **p, const char *end) {
  const unsigned char *s = (const unsigned char *)*p;
  size_t left = (size_t)(end - *p);
  uint32_t c = *s;
  if (c >= 0xF0 && left >= 4) {
    *p += 4;
    return (c & 7) << 18 | (s[1] & 63u) << 12 | (s[2] & 63u) << 6 | (s[3] & 63u);
  }
  if (c >= 0xE0 && left >= 3) {
    *p += 3;
    return (c & 15) << 12 | (s[1] & 63u) << 6 | (s[2] & 63u);
  }
  if (c >= 0xC0 && left >= 2) {
    *p += 2;
    return (c & 31) << 6 | (s[1] & 63u);
  }
  *p += 1;
  return c;
}

size_t cl_java_units(const char *p, size_t len, uint16_t *out) {
  const char *end = p + len;
  size_t n = 0;
  while (p < end) {
    uint32_t c = cl_java_next(&p, end);
    if (c >= 0x10000) {
      out[n++] = (uint16_t)(0xD800 + ((c - 0x10000) >> 10));
      c = 0xDC00 + ((c - 0x10000) & 0x3FF);
    }
    out[n++] = (uint16_t)c;
  }
  return n;
}

uint16_t cl_java_fold(uint16_t c) {
  if (c >= 'A' && c <= 'Z')
    return (uint16_t)(c + 32);
  switch (c) {
  case 0x130: /* dotted I, dotless i, long s and the Kelvin sign meet ASCII letters */
  case 0x131: return 'i';
  case 0x17F: return 's';
  case 0x212A: return 'k';
  default: return c;
  }
}
