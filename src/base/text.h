/* SPDX-License-Identifier: Apache-2.0
 *
 * Small questions about C strings. Any thread, no state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

bool cl_starts_with(const char *text, const char *prefix);

/* NULL, empty, or nothing but white space. */
bool cl_is_blank(const char *text);

/* What Java's String.trim leaves, *len bytes within text: everything up to and with the blank
 * goes at both ends, control characters too. */
const char *cl_trim(const char *text, size_t *len);
char *cl_trimmed(const char *text); /* the same as a copy, malloc'd; NULL = no memory */
