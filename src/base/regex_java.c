/* SPDX-License-Identifier: Apache-2.0
 * Patterns of java.util.regex rewritten for PCRE2. What both read alike is copied; what PCRE2
 * reads differently is spelled out (`.`, classes with unions and intersections, \uXXXX, octal,
 * back references, properties); what only PCRE2 knows is refused, as Java does. Any thread. */
#include <stdlib.h>
#include <string.h>

#include "base/regex.h"

enum { CLASS_DEPTH = 32 };

struct translation {
  const char *start, *p;
  struct cl_buf *out;
  struct cl_err *err;
  unsigned groups; /* capturing groups opened so far */
  bool dotall;     /* (?s) was seen: `.` is left to PCRE2 */
  bool atom;       /* something that a quantifier may follow */
};

static int refuse(struct translation *t, const char *why) {
  return cl_err_set(t->err, CL_EINVAL, "Invalid regex: %s near index %zu", why, (size_t)(t->p - t->start));
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static int hex_digit(char c) {
  return is_digit(c)            ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

/* --------------------------------------------------------------------- escapes */

/* Four hex digits at p; -1 = there are none. */
static long four_hex(const char *p) {
  long value = 0;
  for (int i = 0; i < 4; i++) {
    int d = hex_digit(p[i]);
    if (d < 0)
      return -1;
    value = value * 16 + d;
  }
  return value;
}

/* \uXXXX, a surrogate pair of them being one character; p is behind the u. */
static int unicode(struct translation *t) {
  long c = four_hex(t->p);
  if (c < 0)
    return refuse(t, "Illegal Unicode escape sequence");
  t->p += 4;
  if (c >= 0xD800 && c < 0xDC00 && t->p[0] == '\\' && t->p[1] == 'u') {
    long low = four_hex(t->p + 2);
    if (low >= 0xDC00 && low < 0xE000) {
      c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
      t->p += 6;
    }
  }
  if (c >= 0xD800 && c < 0xE000)
    return refuse(t, "Half of a surrogate pair is not supported");
  cl_buf_fmt(t->out, "\\x{%lx}", (unsigned long)c);
  return 0;
}

/* \0, \0n, \0nn, \0mnn; p is behind the first 0. */
static int octal(struct translation *t) {
  unsigned value = 0;
  int n = 0;
  while (n < 3 && *t->p >= '0' && *t->p <= '7' && value * 8 + (unsigned)(*t->p - '0') <= 0377) {
    value = value * 8 + (unsigned)(*t->p++ - '0');
    n++;
  }
  if (n == 0)
    return refuse(t, "Illegal octal escape sequence");
  cl_buf_fmt(t->out, "\\x{%x}", value);
  return 0;
}

static int hexadecimal(struct translation *t) {
  if (*t->p == '{') {
    const char *end = strchr(t->p, '}');
    size_t n = end ? (size_t)(end - t->p) - 1 : 0;
    if (n == 0 || n > 8 || strspn(t->p + 1, "0123456789abcdefABCDEF") != n)
      return refuse(t, "Illegal hexadecimal escape sequence");
    cl_buf_fmt(t->out, "\\x%.*s", (int)n + 2, t->p);
    t->p = end + 1;
    return 0;
  }
  if (hex_digit(t->p[0]) < 0 || hex_digit(t->p[1]) < 0)
    return refuse(t, "Illegal hexadecimal escape sequence");
  cl_buf_fmt(t->out, "\\x{%.2s}", t->p);
  t->p += 2;
  return 0;
}

/* The inside of a bracket for one of Java's ASCII classes and others PCRE2 names differently. */
static const struct {
  const char *java, *set; /* set: without brackets; NULL = the property `as` */
  const char *as;
} properties[] = {
    {"Lower", "a-z", NULL},
    {"Upper", "A-Z", NULL},
    {"ASCII", "\\x00-\\x7f", NULL},
    {"Alpha", "a-zA-Z", NULL},
    {"Digit", "0-9", NULL},
    {"Alnum", "a-zA-Z0-9", NULL},
    {"Punct", "!-\\/:-@\\[-`{-~", NULL},
    {"Graph", "!-~", NULL},
    {"Print", "\\x20-~", NULL},
    {"Blank", "\\x20\\t", NULL},
    {"Cntrl", "\\x00-\\x1f\\x7f", NULL},
    {"XDigit", "0-9a-fA-F", NULL},
    {"Space", "\\x20\\t\\n\\x0b\\f\\r", NULL},
    {"L1", "\\x00-\\x{ff}", NULL},
    {"LD", NULL, NULL},
    {"all", NULL, NULL},
    {"javaLowerCase", NULL, "Lowercase"},
    {"javaUpperCase", NULL, "Uppercase"},
    {"javaAlphabetic", NULL, "Alphabetic"},
    {"javaIdeographic", NULL, "Ideographic"},
    {"javaDigit", NULL, "Nd"},
    {"javaTitleCase", NULL, "Lt"},
    {"javaLetter", NULL, "L"},
    {"IsAlphabetic", NULL, "Alphabetic"},
    {"IsIdeographic", NULL, "Ideographic"},
    {"IsLetter", NULL, "Alphabetic"},
    {"IsLowercase", NULL, "Lowercase"},
    {"IsUppercase", NULL, "Uppercase"},
    {"IsTitlecase", NULL, "Lt"},
    {"IsPunctuation", NULL, "P"},
    {"IsControl", NULL, "Cc"},
    {"IsWhite_Space", NULL, "White_Space"},
    {"IsDigit", NULL, "Nd"},
    {"IsHex_Digit", NULL, "Hex_Digit"},
    {"IsJoin_Control", NULL, "Join_Control"},
    {"IsNoncharacter_Code_Point", NULL, "Noncharacter_Code_Point"},
};

static bool named(const char *name, size_t n, const char *s) {
  return strlen(s) == n && memcmp(name, s, n) == 0;
}

/* \p{..}, \P{..}, \pL; p is behind the p. in_class: between brackets, where a negated set
 * of ours cannot stand. */
static int property(struct translation *t, bool negated, bool in_class) {
  const char *name = t->p;
  size_t n = 1;
  if (*name == '{') {
    const char *end = strchr(++name, '}');
    if (!end)
      return refuse(t, "Unclosed character family");
    n = (size_t)(end - name);
    t->p = end + 1;
  } else if (is_letter(*name)) {
    t->p++;
  } else {
    return refuse(t, "Unknown character property");
  }
  char letter = negated ? 'P' : 'p';
  for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]); i++) {
    if (!named(name, n, properties[i].java))
      continue;
    if (properties[i].as) {
      cl_buf_fmt(t->out, "\\%c{%s}", letter, properties[i].as);
      return 0;
    }
    if (!properties[i].set || (in_class && negated))
      return refuse(t, "This character property is not supported here");
    cl_buf_fmt(t->out, in_class ? "%s" : negated ? "[^%s]" : "[%s]", properties[i].set);
    return 0;
  }
  if ((n > 2 && memcmp(name, "In", 2) == 0) || (n > 4 && memcmp(name, "java", 4) == 0) ||
      memchr(name, '=', n) || memchr(name, '^', n) || n == 0)
    return refuse(t, "This character property is not supported");
  if (n > 2 && memcmp(name, "Is", 2) == 0) {
    name += 2;
    n -= 2;
  }
  cl_buf_fmt(t->out, "\\%c{%.*s}", letter, (int)n, name);
  return 0;
}

/* \12 is group 12 if there are so many already, else group 1 and a 2; p is at the digit. */
static void back_reference(struct translation *t) {
  unsigned group = (unsigned)(*t->p++ - '0');
  while (is_digit(*t->p) && group * 10 + (unsigned)(*t->p - '0') <= t->groups)
    group = group * 10 + (unsigned)(*t->p++ - '0');
  cl_buf_fmt(t->out, "\\g{%u}", group);
}

/* \Q...\E as single characters. */
static void quoted(struct translation *t) {
  const char *end = strstr(t->p, "\\E");
  size_t n = end ? (size_t)(end - t->p) : strlen(t->p);
  for (size_t i = 0; i < n; i++) {
    char c = t->p[i];
    if ((unsigned char)c < 0x80 && !is_letter(c) && !is_digit(c))
      cl_buf_fmt(t->out, "\\x{%x}", (unsigned)c);
    else
      cl_buf_char(t->out, c);
  }
  t->p += n + (end ? 2 : 0);
}

/* p is behind the backslash. */
static int escape(struct translation *t, bool in_class) {
  char c = *t->p;
  if (c == '\0')
    return refuse(t, "Unexpected internal error");
  if (!in_class && c >= '1' && c <= '9') {
    back_reference(t);
    return 0;
  }
  t->p++;
  switch (c) {
  case 'u': return unicode(t);
  case '0': return octal(t);
  case 'x': return hexadecimal(t);
  case 'p':
  case 'P': return property(t, c == 'P', in_class);
  case 'Q': quoted(t); return 0;
  case 'c':
    if (!*t->p)
      return refuse(t, "Illegal control escape sequence");
    cl_buf_fmt(t->out, "\\x{%x}", (unsigned)(*t->p++ ^ 64) & 0xFF);
    return 0;
  case 'k':
    if (in_class || *t->p != '<')
      return refuse(t, "\\k is not followed by '<' for named capturing group");
    break;
  default: break;
  }
  bool known = !is_letter(c) || strchr(in_class ? "tnrfaedDhHsSvVwW" : "tnrfaedDhHsSvVwWkbBAGZzRX", c);
  if (!known || (in_class && is_digit(c)))
    return refuse(t, "Illegal/unsupported escape sequence");
  cl_buf_char(t->out, '\\');
  cl_buf_char(t->out, c);
  return 0;
}

/* --------------------------------------------------------------------- classes */

static int class_at(struct translation *t, int depth);

/* Ranges and characters up to `[`, `]` or `&&`; *any tells whether there were some. */
static int plain_members(struct translation *t, bool *any) {
  bool first = !*any;
  while (*t->p && *t->p != '[' && (*t->p != ']' || first) && !(t->p[0] == '&' && t->p[1] == '&')) {
    char c = *t->p++;
    first = false;
    *any = true;
    if (c == '\\') {
      int rc = escape(t, true);
      if (rc != 0)
        return rc;
    } else {
      if (strchr("^]:.=", c)) /* [: [. and [= mean nothing in Java */
        cl_buf_char(t->out, '\\');
      cl_buf_char(t->out, c);
    }
  }
  return 0;
}

/* One side of &&: plain members and nested classes, any of which may match. */
static int class_union(struct translation *t, int depth, bool *any) {
  bool more = false;
  cl_buf_str(t->out, "(?:");
  while (*t->p && !(t->p[0] == '&' && t->p[1] == '&')) {
    if (*t->p == ']' && *any)
      break;
    cl_buf_str(t->out, more ? "|" : "");
    more = true;
    int rc;
    if (*t->p == '[') {
      *any = true;
      rc = class_at(t, depth + 1);
    } else {
      cl_buf_char(t->out, '[');
      rc = plain_members(t, any);
      cl_buf_char(t->out, ']');
    }
    if (rc != 0)
      return rc;
  }
  cl_buf_str(t->out, ")");
  return more ? 0 : refuse(t, "Bad class syntax");
}

static bool is_plain(const char *p) {
  p += *p == '^';
  for (p += *p == ']'; *p && *p != ']'; p++) {
    if (*p == '[' || (p[0] == '&' && p[1] == '&') || (p[0] == '\\' && p[1] == 'Q'))
      return false;
    if (*p == '\\' && p[1])
      p++;
  }
  return true;
}

/* p is at the bracket. A plain class stays one; others become a test of one character:
 * all sides of && but the last are looked ahead at. */
static int class_at(struct translation *t, int depth) {
  if (depth > CLASS_DEPTH)
    return refuse(t, "Classes nested too deep");
  const char *body = ++t->p;
  bool any = false, negated = *t->p == '^';
  int rc = 0;
  t->p += negated;
  if (is_plain(body)) {
    cl_buf_str(t->out, negated ? "[^" : "[");
    rc = plain_members(t, &any);
    cl_buf_char(t->out, ']');
  } else {
    cl_buf_str(t->out, negated ? "(?:(?!" : "(?:");
    for (bool last = false; !last;) {
      cl_buf_str(t->out, "(?=");
      rc = class_union(t, depth, &any);
      if (rc != 0)
        return rc;
      cl_buf_str(t->out, ")");
      last = *t->p != '&';
      t->p += last ? 0 : 2;
    }
    cl_buf_str(t->out, negated ? ")(?s:.))" : "(?s:.))");
  }
  if (rc != 0)
    return rc;
  if (*t->p != ']')
    return refuse(t, "Unclosed character class");
  t->p++;
  return 0;
}

/* ---------------------------------------------------------------------- groups */

/* (?flags) or (?flags:, p behind the question mark. */
static int flags(struct translation *t) {
  cl_buf_str(t->out, "(?");
  bool on = true;
  for (; *t->p && *t->p != ')' && *t->p != ':'; t->p++) {
    if (*t->p == '-')
      on = false;
    else if (*t->p == 'd' || *t->p == 'U' || !strchr("imsxu", *t->p))
      return refuse(t, "Unknown inline modifier");
    if (*t->p == 's' && on)
      t->dotall = true;
    if (*t->p != 'u') /* PCRE2 folds all of Unicode as it is */
      cl_buf_char(t->out, *t->p);
  }
  if (!*t->p)
    return refuse(t, "Unknown inline modifier");
  t->atom = false;
  cl_buf_char(t->out, *t->p++);
  return 0;
}

/* p is behind the parenthesis. */
static int group(struct translation *t) {
  static const char *const same[] = {"?:", "?=", "?!", "?>", "?<=", "?<!"};
  t->atom = false;
  if (*t->p == '*')
    return refuse(t, "Dangling meta character '*'");
  if (*t->p != '?') {
    t->groups++;
    cl_buf_char(t->out, '(');
    return 0;
  }
  for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
    if (strncmp(t->p, same[i], strlen(same[i])) == 0) {
      cl_buf_fmt(t->out, "(%s", same[i]);
      t->p += strlen(same[i]);
      return 0;
    }
  if (t->p[1] == '<') {
    const char *name = t->p + 2;
    size_t n = 0;
    while (is_letter(name[n]) || (n && is_digit(name[n])))
      n++;
    if (n == 0 || name[n] != '>')
      return refuse(t, "named capturing group is missing trailing '>'");
    t->groups++;
    cl_buf_fmt(t->out, "(?<%.*s>", (int)n, name);
    t->p = name + n + 1;
    return 0;
  }
  t->p++;
  return flags(t);
}

/* {n}, {n,} or {n,m} at the brace. */
static int repetition(struct translation *t) {
  const char *p = t->p + 1;
  size_t n = strspn(p, "0123456789");
  const char *end = p + n;
  if (*end == ',')
    end += 1 + strspn(end + 1, "0123456789");
  if (n == 0 || *end != '}' || !t->atom)
    return refuse(t, "Illegal repetition");
  cl_buf_add(t->out, t->p, (size_t)(end + 1 - t->p));
  t->p = end + 1;
  return 0;
}

static int next(struct translation *t) {
  char c = *t->p;
  switch (c) {
  case '{': return repetition(t);
  case '[': t->atom = true; return class_at(t, 0);
  case '(': t->p++; return group(t);
  case '\\':
    t->p++;
    t->atom = true;
    return escape(t, false);
  case '.': cl_buf_str(t->out, t->dotall ? "." : "[^\\n\\r\\x{85}\\x{2028}\\x{2029}]"); break;
  default: cl_buf_char(t->out, c);
  }
  t->p++;
  t->atom = c != '|' && c != '^';
  return 0;
}

int cl_regex_translate(const char *pattern, struct cl_buf *out, struct cl_err *err) {
  struct translation t = {.start = pattern, .p = pattern, .out = out, .err = err};
  cl_buf_str(out, "");
  int rc = 0;
  while (rc == 0 && *t.p)
    rc = next(&t);
  if (rc == 0 && (out->failed || !cl_buf_reserve(out, 1)))
    rc = cl_err_set(err, CL_ENOMEM, "no memory for a regex");
  return rc;
}
