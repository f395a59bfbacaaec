/* SPDX-License-Identifier: Apache-2.0
 *
 * Java's character sets, for StringConverter: text to bytes and back, with what cannot be
 * converted replaced as String.getBytes and new String(bytes) replace it. UTF-8, UTF-16, ISO-8859-1
 * and US-ASCII are built in; of the others, those of single bytes' units that the system's iconv knows,
 * which may cut malformed input into replacements in another way than Java does.
 * Any thread.
 */
#pragma once

#include "connect_lua/abi_c.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct cl_arena;
struct cl_charset;

/* By any of its Java names, in any case. Lives for ever; NULL = unknown, or no memory. */
const struct cl_charset *cl_charset_find(const char *name, size_t len);
const struct cl_charset *cl_charset_utf8(void);
bool cl_charset_is_utf8(const struct cl_charset *cs);
/* Bytes to UTF-8 and UTF-8 to bytes, in the arena or lent. */
int cl_charset_decode(const struct cl_charset *cs, struct cl_arena *a, struct cl_str bytes,
                      struct cl_str *out, struct cl_err *err);
int cl_charset_encode(const struct cl_charset *cs, struct cl_arena *a, struct cl_str text, struct cl_str *out,
                      struct cl_err *err);
