/* SPDX-License-Identifier: Apache-2.0
 * UTF-8 as Java's decoder sees it. Any thread, no state. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* True when all n bytes are well-formed UTF-8 (no surrogates, no overlong forms). Fast on ASCII. */
bool cl_utf8_valid(const char *p, size_t n);

/* Steps over a UTF-8 byte order mark at the start of a text, which some editors write. */
static inline void cl_utf8_skip_bom(const char **text, size_t *len) {
  if (*len >= 3 && memcmp(*text, "\xEF\xBB\xBF", 3) == 0) {
    *text += 3;
    *len -= 3;
  }
}

/* Writes one code point, at most 4 bytes; answers where the next goes. */
static inline char *cl_utf8_put(char *w, uint32_t c) {
  if (c < 0x80) {
    *w++ = (char)c;
    return w;
  }
  if (c < 0x800) {
    *w++ = (char)(0xC0 | c >> 6);
  } else {
    if (c < 0x10000) {
      *w++ = (char)(0xE0 | c >> 12);
    } else {
      *w++ = (char)(0xF0 | c >> 18);
      *w++ = (char)(0x80 | (c >> 12 & 63));
    }
    *w++ = (char)(0x80 | (c >> 6 & 63));
  }
  *w++ = (char)(0x80 | (c & 63));
  return w;
}

/* Upper bound of what cl_utf8_repair writes for n bytes. */
size_t cl_utf8_repair_max(size_t n);

/* Copies n bytes with each malformed sequence replaced by U+FFFD, cut as Java's
 * CharsetDecoder cuts them; answers the length written. */
size_t cl_utf8_repair(const char *p, size_t n, char *out);
