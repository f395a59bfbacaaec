/* SPDX-License-Identifier: Apache-2.0
 * UTF-8 as Java's decoder sees it. Any thread, no state. May include libc only. */
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

enum { REPLACEMENT_LEN = 3 };
static const char replacement[REPLACEMENT_LEN + 1] = "\xEF\xBF\xBD"; /* U+FFFD */

static size_t ascii_prefix(const unsigned char *p, size_t n) {
  size_t i = 0;
  while (n - i >= sizeof(uint64_t)) {
    uint64_t word;
    memcpy(&word, p + i, sizeof(word));
    if (word & 0x8080808080808080u)
      break;
    i += sizeof(word);
  }
  while (i < n && p[i] < 0x80)
    i++;
  return i;
}

/* The sequence at p, which is not ASCII: its length when well-formed; otherwise 0, and
 * *bad is how many bytes one U+FFFD stands for: the longest start of a well-formed
 * sequence there, at least one byte. Unlike WHATWG's rule, an encoded surrogate is one. */
static size_t sequence(const unsigned char *p, size_t n, size_t *bad) {
  unsigned char lead = p[0];
  size_t len = lead >= 0xC2 && lead <= 0xDF   ? 2
               : (lead & 0xF0) == 0xE0        ? 3
               : lead >= 0xF0 && lead <= 0xF4 ? 4
                                              : 1;
  /* The second byte's range keeps out overlong forms and what is beyond U+10FFFF. */
  unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  unsigned char high = lead == 0xF4 ? 0x8F : 0xBF;
  bool surrogate = lead == 0xED && n > 1 && p[1] >= 0xA0;
  size_t i = 1;
  while (i < len && i < n && p[i] >= low && p[i] <= high) {
    low = 0x80;
    high = 0xBF;
    i++;
  }
  *bad = i;
  return len > 1 && i == len && !surrogate ? len : 0;
}

bool cl_utf8_valid(const char *text, size_t n) {
  const unsigned char *p = (const unsigned char *)text;
  for (size_t i = ascii_prefix(p, n); i < n; i += ascii_prefix(p + i, n - i)) {
    size_t bad, len = sequence(p + i, n - i, &bad);
    if (len == 0)
      return false;
    i += len;
  }
  return true;
}

size_t cl_utf8_repair_max(size_t n) { return n * REPLACEMENT_LEN; }

size_t cl_utf8_repair(const char *text, size_t n, char *out) {
  const unsigned char *p = (const unsigned char *)text;
  size_t i = 0, at = 0;
  while (i < n) {
    size_t bad = 0, len = p[i] < 0x80 ? ascii_prefix(p + i, n - i) : sequence(p + i, n - i, &bad);
    if (len > 0) {
      memcpy(out + at, p + i, len);
      at += len;
      i += len;
    } else {
      memcpy(out + at, replacement, REPLACEMENT_LEN);
      at += REPLACEMENT_LEN;
      i += bad;
    }
  }
  return at;
}
