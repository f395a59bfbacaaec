/* SPDX-License-Identifier: Apache-2.0
 *
 * Java-properties text (java.util.Properties.load): comments # and !, separators
 * '=' ':' or blank, continuations, escapes, \uXXXX, ISO-8859-1 bytes. Unlike Java's, a
 * backslash alone at the end of the text is no entry with an empty key, and a byte order
 * mark at the start is stepped over.
 * Any thread, no state.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"

/* Text to a config (see base/json.h), keys in order of first appearance, the last
 * value of a repeated key wins, with a warning. where names the source in errors ("worker.conf");
 * errors read "worker.conf:12: ...". */
int cl_props_parse(const char *text, size_t len, const char *where, json_t **out, struct cl_err *err);
/* The same for a text in UTF-8, as Java's Reader gives it to Properties; malformed is CL_EINVAL. */
int cl_props_parse_utf8(const char *text, size_t len, const char *where, json_t **out, struct cl_err *err);

/* The same for a file; unreadable is CL_EIO naming the path. At most 16 MiB. */
int cl_props_load(const char *path, json_t **out, struct cl_err *err);
