/* SPDX-License-Identifier: Apache-2.0
 *
 * Small questions about C strings. Any thread, no state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

bool cl_starts_with(const char *text, const char *prefix);

/* Whether given names the Java class PACKAGE + alias + kind: by its full name, by its simple one, or
 * by the alias alone ("File" for ...FileConfigProvider). */
bool cl_names_class(const char *given, const char *package, const char *alias, const char *kind);

/* NULL, empty, or nothing but white space. */
bool cl_is_blank(const char *text);

/* What Java's String.trim leaves, *len bytes within text: everything up to and with the blank
 * goes at both ends, control characters too. */
const char *cl_trim(const char *text, size_t *len);
char *cl_trimmed(const char *text); /* the same as a copy, malloc'd; NULL = no memory */
