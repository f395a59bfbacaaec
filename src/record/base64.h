/* SPDX-License-Identifier: Apache-2.0
 * Base64, standard alphabet, padded, as Jackson writes and reads it. Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

static inline size_t cl_base64_length(size_t n) { return (n + 2) / 3 * 4; }
/* Writes cl_base64_length(n) characters. */
void cl_base64_encode(const void *p, size_t n, char *out);
/* out has room for len / 4 * 3 bytes; padding is required, white space allowed between
 * groups of four only. */
bool cl_base64_decode(const char *s, size_t len, unsigned char *out, size_t *n);
