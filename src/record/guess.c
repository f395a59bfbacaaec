/* SPDX-License-Identifier: Apache-2.0
 * What bytes look like that a converter has refused: the commonest cause is a converter that does not
 * fit the topic. Any thread, no state. */
#include "connect_lua/abi_c.h"

#include "base/utf8.h"

#include <stdbool.h>
#include <string.h>

enum { LOOK_AT = 4096 };

static bool has(struct cl_str s, const char *word) { return memmem(s.p, s.len, word, strlen(word)) != NULL; }

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static struct cl_str trimmed(struct cl_str s) {
  while (s.len && is_blank(s.p[0]))
    s.p++, s.len--;
  while (s.len && is_blank(s.p[s.len - 1]))
    s.len--;
  return s;
}

/* Cut at the length looked at a character may be cut, too. */
static bool is_text(struct cl_str s) {
  uint32_t n = s.len < LOOK_AT ? s.len : LOOK_AT;
  for (uint32_t i = 0; i < n; i++)
    if ((unsigned char)s.p[i] < ' ' && !is_blank(s.p[i]))
      return false;
  for (int cut = 0; cut < 4 && n > 0; cut++, n--)
    if (cl_utf8_valid(s.p, n))
      return true;
    else if (s.len <= LOOK_AT)
      return false;
  return false;
}

const char *cl_ffi_guess(struct cl_str s) {
  if (!s.p)
    return "is null";
  if (s.len == 0)
    return "is empty";
  if (s.len >= 5 && s.p[0] == 0)
    return "looks like an Avro message of a schema registry (magic byte 0)";
  if (!is_text(s))
    return "is not text";
  struct cl_str t = trimmed(s);
  if (t.len < 2 || !((t.p[0] == '{' && t.p[t.len - 1] == '}') || (t.p[0] == '[' && t.p[t.len - 1] == ']')))
    return "looks like text";
  if (t.p[0] == '{' && has(t, "\"schema\"") && has(t, "\"payload\""))
    return "looks like a JSON schema envelope";
  return "looks like plain JSON, not a schema envelope";
}
