/* SPDX-License-Identifier: Apache-2.0
 * UTF-8 as Java's decoder sees it. Any thread, no state. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
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

/* Upper bound of what cl_utf8_repair writes for n bytes. */
size_t cl_utf8_repair_max(size_t n);

/* Copies n bytes with each malformed sequence replaced by U+FFFD, cut as Java's
 * CharsetDecoder cuts them; answers the length written. */
size_t cl_utf8_repair(const char *p, size_t n, char *out);
