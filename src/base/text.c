/* SPDX-License-Identifier: Apache-2.0
 * Small questions about C strings. Any thread; may include libc only. */
#include "base/text.h"

#include <string.h>

bool cl_starts_with(const char *text, const char *prefix) {
  return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool cl_is_blank(const char *text) { return !text || text[strspn(text, " \t\f\r\n")] == '\0'; }

const char *cl_trim(const char *text, size_t *len) {
  size_t n = strlen(text);
  while (n > 0 && (unsigned char)text[n - 1] <= ' ')
    n--;
  while (n > 0 && (unsigned char)*text <= ' ') {
    text++;
    n--;
  }
  *len = n;
  return text;
}

char *cl_trimmed(const char *text) {
  size_t len;
  const char *start = cl_trim(text, &len);
  return strndup(start, len);
}

bool cl_names_class(const char *given, const char *package, const char *alias, const char *kind) {
  bool full = cl_starts_with(given, package);
  const char *simple = full ? given + strlen(package) : given;
  if (!cl_starts_with(simple, alias))
    return false;
  const char *rest = simple + strlen(alias);
  return strcmp(rest, kind) == 0 || (!full && *rest == '\0');
}
