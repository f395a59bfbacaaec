/* SPDX-License-Identifier: Apache-2.0
 * BigInteger's bytes and digits. Schoolbook arithmetic on 32-bit words: the codec caps
 * the size (CL_DECIMAL_BYTES). Any thread. */
#include <string.h>

#include "record/num.h"

static struct cl_str no_memory(void) { return (struct cl_str){0}; }

struct cl_str cl_num_from_bytes(struct cl_arena *a, const unsigned char *p, size_t n) {
  bool negative = p[0] & 0x80;
  size_t words = (n + 3) / 4, room = n * 5 / 2 + 16; /* log10(256) < 2.41 digits a byte */
  uint32_t *w = cl_arena_alloc(a, words * sizeof(*w));
  char *text = cl_arena_alloc(a, room);
  if (!w || !text)
    return no_memory();
  memset(w, negative ? 0xFF : 0, words * sizeof(*w)); /* w[0] is the most significant */
  for (size_t i = 0; i < n; i++) {
    size_t bit = (n - 1 - i) * 8, at = words - 1 - bit / 32;
    w[at] = (w[at] & ~(UINT32_C(0xFF) << bit % 32)) | (uint32_t)p[i] << bit % 32;
  }
  if (negative) {
    uint64_t carry = 1;
    for (size_t i = words; i-- > 0;) {
      carry += (uint32_t)~w[i];
      w[i] = (uint32_t)carry;
      carry >>= 32;
    }
  }
  size_t at = room, first = 0;
  do {
    uint64_t rest = 0;
    for (size_t i = first; i < words; i++) {
      rest = rest << 32 | w[i];
      w[i] = (uint32_t)(rest / 1000000000);
      rest %= 1000000000;
    }
    for (int i = 0; i < 9; i++, rest /= 10)
      text[--at] = (char)('0' + rest % 10);
    while (first < words && w[first] == 0)
      first++;
  } while (first < words);
  while (at < room - 1 && text[at] == '0')
    at++;
  if (negative)
    text[--at] = '-';
  return (struct cl_str){text + at, (uint32_t)(room - at)};
}

struct cl_str cl_num_to_bytes(struct cl_arena *a, struct cl_str digits) {
  bool negative = digits.len && digits.p[0] == '-';
  size_t words = digits.len / 9 + 2, used = 0;
  uint32_t *w = cl_arena_zalloc(a, words * sizeof(*w)); /* w[0] is the least significant */
  unsigned char *out = cl_arena_alloc(a, words * 4);
  if (!w || !out)
    return no_memory();
  for (uint32_t i = negative; i < digits.len;) {
    uint64_t carry = 0, factor = 1;
    do { /* up to 9 digits at a time, ending on a multiple of 9 from the right */
      carry = carry * 10 + (uint64_t)(digits.p[i++] - '0');
      factor *= 10;
    } while ((digits.len - i) % 9 != 0);
    for (size_t k = 0; k < used || carry; k++) {
      carry += w[k] * factor;
      w[k] = (uint32_t)carry;
      carry >>= 32;
      used = k + 1 > used ? k + 1 : used;
    }
  }
  if (negative) {
    uint64_t carry = 1;
    for (size_t i = 0; i < words; i++) {
      carry += (uint32_t)~w[i];
      w[i] = (uint32_t)carry;
      carry >>= 32;
    }
  }
  for (size_t i = 0; i < words * 4; i++)
    out[i] = (unsigned char)(w[words - 1 - i / 4] >> (24 - i % 4 * 8));
  size_t skip = 0, n = words * 4; /* minimal length: one sign bit */
  while (skip + 1 < n && out[skip] == (negative ? 0xFF : 0) &&
         (out[skip + 1] & 0x80) == (negative ? 0x80 : 0))
    skip++;
  return (struct cl_str){(char *)out + skip, (uint32_t)(n - skip)};
}
