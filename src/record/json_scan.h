/* SPDX-License-Identifier: Apache-2.0
 *
 * What JSON is mostly made of, found many bytes at a time: plain text, short integers,
 * known names. Nothing here reads beyond the end it is given. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define CL_JSON_ONES UINT64_C(0x0101010101010101)

/* Plain is what stands for itself in a JSON string and is ASCII. */
static inline bool cl_json_is_plain(unsigned char c) {
  return c >= 0x20 && c != '"' && c != '\\' && c < 0x80;
}

/* High bits are set in the bytes of w that are not plain: below 0x20, quote, backslash,
 * above 0x7f. A borrow may set more of them, but only in bytes of more weight. */
static inline uint64_t cl_json_not_plain(uint64_t w) {
  uint64_t quote = w ^ CL_JSON_ONES * '"', back = w ^ CL_JSON_ONES * '\\';
  return ((w - CL_JSON_ONES * 0x20) | (quote - CL_JSON_ONES) | (back - CL_JSON_ONES) | w) &
         CL_JSON_ONES * 0x80;
}

/* The first byte that is not plain, or end. */
static inline const char *cl_json_skip_plain(const char *p, const char *end) {
#ifdef __SSE2__
  const __m128i quote = _mm_set1_epi8('"'), back = _mm_set1_epi8('\\'), space = _mm_set1_epi8(0x20);
  for (; end - p >= 16; p += 16) {
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    /* Compared with their sign, bytes above 0x7f are below the space too. */
    __m128i stop = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, back)),
                                _mm_cmplt_epi8(v, space));
    unsigned at = (unsigned)_mm_movemask_epi8(stop);
    if (at)
      return p + __builtin_ctz(at);
  }
#endif
  for (; end - p >= 8; p += 8) {
    uint64_t w;
    memcpy(&w, p, 8);
    uint64_t stop = cl_json_not_plain(w);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (stop)
      return p + __builtin_ctzll(stop) / 8;
#else
    if (stop)
      break;
#endif
  }
  while (p < end && cl_json_is_plain((unsigned char)*p))
    p++;
  return p;
}

static inline bool cl_json_all_plain(const char *p, size_t n) {
  uint64_t w;
  if (n < 8) {
    size_t i = 0;
    while (i < n && cl_json_is_plain((unsigned char)p[i]))
      i++;
    return i == n;
  }
  for (size_t i = 0; i < n - 8; i += 8) {
    memcpy(&w, p + i, 8);
    if (cl_json_not_plain(w))
      return false;
  }
  memcpy(&w, p + n - 8, 8);
  return cl_json_not_plain(w) == 0;
}

/* Whether two texts of n bytes are the same, without a call when they are short. */
static inline bool cl_json_same(const char *a, const char *b, size_t n) {
  if (n >= 8 && n <= 16) {
    uint64_t head[2], tail[2];
    memcpy(&head[0], a, 8);
    memcpy(&head[1], b, 8);
    memcpy(&tail[0], a + n - 8, 8);
    memcpy(&tail[1], b + n - 8, 8);
    return ((head[0] ^ head[1]) | (tail[0] ^ tail[1])) == 0;
  }
  if (n >= 4 && n < 8) {
    uint32_t head[2], tail[2];
    memcpy(&head[0], a, 4);
    memcpy(&head[1], b, 4);
    memcpy(&tail[0], a + n - 4, 4);
    memcpy(&tail[1], b + n - 4, 4);
    return ((head[0] ^ head[1]) | (tail[0] ^ tail[1])) == 0;
  }
  return memcmp(a, b, n) == 0;
}

/* Eight digits as a number; false when they are not all digits. */
static inline bool cl_json_eight_digits(const char *p, uint64_t *out) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  uint64_t w;
  memcpy(&w, p, 8);
  /* The high half of each byte is 3, also with 6 added: '0' to '9'. */
  if (((w & CL_JSON_ONES * 0xF0) | ((w + CL_JSON_ONES * 6) & CL_JSON_ONES * 0xF0) >> 4) !=
      CL_JSON_ONES * 0x33)
    return false;
  w = (w & CL_JSON_ONES * 15) * (10 << 8 | 1) >> 8;               /* pairs, in every other byte */
  w = (w & UINT64_C(0x00FF00FF00FF00FF)) * (100 << 16 | 1) >> 16; /* fours */
  *out = (w & UINT64_C(0x0000FFFF0000FFFF)) * (UINT64_C(10000) << 32 | 1) >> 32;
  return true;
#else
  (void)p, (void)out;
  return false;
#endif
}

/* An integer of up to 18 digits with nothing to be said against it; what follows it. NULL =
 * anything else. */
static inline const char *cl_json_short_int(const char *p, const char *end, int64_t *out) {
  bool negative = *p == '-';
  const char *first = p + negative;
  uint64_t i = 0;
  p = first;
  if (end - p >= 8 && cl_json_eight_digits(p, &i))
    p += 8;
  for (; p < end && *p >= '0' && *p <= '9'; p++) {
    if (p - first == 18)
      return NULL;
    i = i * 10 + (uint64_t)(*p - '0');
  }
  if (p == first || (*first == '0' && p - first > 1) || (p < end && (*p == '.' || (*p | 0x20) == 'e')))
    return NULL;
  *out = negative ? -(int64_t)i : (int64_t)i;
  return p;
}
