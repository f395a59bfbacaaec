/* SPDX-License-Identifier: Apache-2.0
 * What follows a backslash in a Java pattern: a character, a set or an assertion. Any thread. */
#include <string.h>

#include <uniname.h>

#include "base/regex_java.h"

static int hex_digit(int32_t c) {
  return cl_rj_is_digit(c)      ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

static bool is_octal(int32_t c) { return c >= '0' && c <= '7'; }

static int octal(struct cl_rj *t, int32_t *value) {
  int32_t n = cl_rj_read(t);
  if (!is_octal(n))
    return cl_rj_error(t, "Illegal octal escape sequence");
  *value = n - '0';
  int32_t m = cl_rj_read(t);
  if (is_octal(m)) {
    *value = *value * 8 + m - '0';
    int32_t o = cl_rj_read(t);
    if (is_octal(o) && n <= '3') {
      *value = *value * 8 + o - '0';
      return 0;
    }
  }
  t->at--;
  return 0;
}

static int hexadecimal(struct cl_rj *t, int32_t *value) {
  int32_t c = cl_rj_read(t);
  if (hex_digit(c) >= 0) {
    int32_t d = cl_rj_read(t);
    *value = hex_digit(c) * 16 + hex_digit(d);
    return hex_digit(d) >= 0 ? 0 : cl_rj_error(t, "Illegal hexadecimal escape sequence");
  }
  if (c != '{' || hex_digit(cl_rj_peek(t)) < 0)
    return cl_rj_error(t, "Illegal hexadecimal escape sequence");
  *value = 0;
  while (hex_digit(c = cl_rj_read(t)) >= 0) {
    *value = *value * 16 + hex_digit(c);
    if (*value > 0x10FFFF)
      return cl_rj_error(t, "Hexadecimal codepoint is too big");
  }
  return c == '}' ? 0 : cl_rj_error(t, "Unclosed hexadecimal escape sequence");
}

static int four_hex(struct cl_rj *t, int32_t *value) {
  *value = 0;
  for (int i = 0; i < 4; i++) {
    int d = hex_digit(cl_rj_read(t));
    if (d < 0)
      return cl_rj_error(t, "Illegal Unicode escape sequence");
    *value = *value * 16 + d;
  }
  return 0;
}

/* A surrogate pair of them is one character. */
static int unicode(struct cl_rj *t, int32_t *value) {
  int rc = four_hex(t, value);
  if (rc != 0 || *value < 0xD800 || *value >= 0xDC00)
    return rc;
  size_t behind = t->at;
  int32_t low;
  if (cl_rj_read(t) == '\\' && cl_rj_read(t) == 'u') {
    rc = four_hex(t, &low);
    if (rc != 0)
      return rc;
    if (low >= 0xDC00 && low < 0xE000) {
      *value = 0x10000 + ((*value - 0xD800) << 10) + (low - 0xDC00);
      return 0;
    }
  }
  t->at = behind;
  return 0;
}

/* \N{DIGIT ONE}. Names are ASCII; blanks around them do not count. */
static int named_character(struct cl_rj *t, int32_t *value) {
  enum { NAME_MAX_BYTES = 256 }; /* Unicode's longest has 88 */
  char name[NAME_MAX_BYTES];
  size_t n = 0;
  if (cl_rj_read(t) != '{')
    return cl_rj_error(t, "Illegal character name escape sequence");
  for (int32_t c; (c = cl_rj_read(t)) != '}';) {
    if (t->at >= t->len)
      return cl_rj_error(t, "Unclosed character name escape sequence");
    if (n < sizeof(name) - 1)
      name[n++] = c > 0 && c < 0x80 ? (char)c : '?';
  }
  while (n && name[n - 1] <= ' ')
    n--;
  name[n] = '\0';
  ucs4_t found = unicode_name_character(name + strspn(name, " \t\n"));
  if (found == UNINAME_INVALID)
    return cl_rj_error(t, "Unknown character name [%s]", name);
  *value = (int32_t)found;
  return 0;
}

/* ------------------------------------------------------------ groups referred to */

int cl_rj_group_name(struct cl_rj *t, int32_t c, struct cl_buf *name) {
  if (!cl_rj_is_alpha(c))
    return cl_rj_error(t, "capturing group name does not start with a Latin letter");
  do {
    cl_buf_char(name, (char)c);
    c = cl_rj_read(t);
  } while (cl_rj_is_alpha(c) || cl_rj_is_digit(c));
  return c == '>' ? 0 : cl_rj_error(t, "named capturing group is missing trailing '>'");
}

bool cl_rj_knows_name(const struct cl_rj *t, const char *name) {
  size_t n = strlen(name);
  for (const char *p = t->names.p; p && *p; p = strchr(p, '\n') + 1)
    if (strncmp(p, name, n) == 0 && p[n] == '\n')
      return true;
  return false;
}

static void refer(struct cl_rj *t, const char *group) {
  cl_buf_fmt(t->out, cl_rj_has(t, RJ_CASELESS) ? "(?i:\\g{%s})" : "\\g{%s}", group);
}

/* \12 is group 12 if there are so many already, else group 1 and a 2. */
static void numbered(struct cl_rj *t, int32_t c) {
  int group = c - '0';
  while (cl_rj_is_digit(c = cl_rj_peek(t)) && group * 10 + c - '0' <= t->groups) {
    group = group * 10 + c - '0';
    cl_rj_read(t);
  }
  char text[16] = "";
  struct cl_buf number = {0};
  cl_buf_fmt(&number, "%d", group);
  if (!number.failed && number.len < sizeof(text))
    memcpy(text, number.p, number.len + 1);
  cl_buf_free(&number);
  if (group > t->all_groups)
    cl_buf_str(t->out, "(?!)"); /* a group that there never is */
  else
    refer(t, text);
}

static int by_name(struct cl_rj *t) {
  if (cl_rj_read(t) != '<')
    return cl_rj_error(t, "\\k is not followed by '<' for named capturing group");
  struct cl_buf name = {0};
  int rc = cl_rj_group_name(t, cl_rj_read(t), &name);
  if (rc == 0 && name.failed)
    t->out->failed = true;
  else if (rc == 0 && !cl_rj_knows_name(t, name.p))
    rc = cl_rj_error(t, "named capturing group <%s> does not exist", name.p);
  else if (rc == 0)
    refer(t, name.p);
  cl_buf_free(&name);
  return rc;
}

/* ------------------------------------------------------------------- assertions */

/* Java's words are letters and digits of all scripts even without (?U), and marks that
 * stand on one; of those as many as a lookbehind can spell out. */
static void word_boundary(struct cl_rj *t, bool negated) {
  enum { MARKS = 8 };
  struct cl_buf before = {0};
  bool unicode_class = cl_rj_has(t, RJ_UNICODE_CLASS);
  struct cl_rj_set word = {0};
  if (unicode_class)
    cl_rj_word(t, &word);
  else
    cl_rj_set_items("\\p{L}\\p{Nd}_", &word);
  if (word.b.failed) {
    t->out->failed = true;
    return;
  }
  for (int n = 1; n <= MARKS; n++)
    cl_buf_fmt(&before, "%s[\\p{L}\\p{Nd}]\\p{Mn}{%d}", n > 1 ? "|" : "", n);
  const char *marks = before.failed ? "" : before.p;
  t->out->failed |= before.failed;
  struct cl_buf left = {0}, right = {0};
  cl_buf_fmt(&left, "(?<=[%s]|%s)", word.b.p, marks);
  cl_buf_fmt(&right, "(?:(?=[%s])|(?=\\p{Mn})(?<=[\\p{L}\\p{Nd}]|%s))", word.b.p, marks);
  if (left.failed || right.failed)
    t->out->failed = true;
  else
    cl_buf_fmt(t->out, negated ? "(?(?=%s)%s|(?!%s))" : "(?(?=%s)(?!%s)|%s)", left.p, right.p, right.p);
  cl_buf_free(&left);
  cl_buf_free(&right);
  cl_buf_free(&before);
  cl_rj_set_free(&word);
}

static const char *line_end(const struct cl_rj *t, bool multiline) {
  if (cl_rj_has(t, RJ_UNIX_LINES))
    return multiline ? "(?:(?=\\n)|\\z)" : "(?=\\n?\\z)";
  return multiline ? "(?:\\z|(?=[\\r\\x{85}\\x{2028}\\x{2029}])|(?<!\\r)(?=\\n))"
                   : "(?:\\z|(?=(?:\\r\\n|[\\r\\x{85}\\x{2028}\\x{2029}])\\z)|(?<!\\r)(?=\\n\\z))";
}

const char *cl_rj_dollar(const struct cl_rj *t) { return line_end(t, cl_rj_has(t, RJ_MULTILINE)); }

/* \b or \b{g}; Java looks two characters ahead for the latter's end. */
static int boundary(struct cl_rj *t) {
  if (cl_rj_peek(t) == '{') {
    if (cl_rj_skip(t) == 'g') {
      if (cl_rj_read(t) == '}')
        return cl_rj_unsupported(t, "Boundaries of grapheme clusters are not supported");
      return cl_rj_error(t, "Illegal/unsupported escape sequence");
    }
    t->at -= 2;
  }
  word_boundary(t, false);
  return 0;
}

/* -------------------------------------------------------------------- the escape */

static bool predefined(struct cl_rj *t, int32_t c, bool is_range, int32_t *value, struct cl_rj_set *set) {
  bool wide = cl_rj_has(t, RJ_UNICODE_CLASS);
  if (c == 'v' && is_range) {
    *value = '\v';
    return true;
  }
  switch (c) {
  case 'd': cl_rj_set_items(wide ? "\\p{Nd}" : "\\d", set); break;
  case 'D': cl_rj_set_items(wide ? "\\P{Nd}" : "\\D", set); break;
  case 'h': cl_rj_set_items("\\h", set); break;
  case 'H': cl_rj_set_items("\\H", set); break;
  case 's': cl_rj_set_items(wide ? "\\p{White_Space}" : "\\s", set); break;
  case 'S': cl_rj_set_items(wide ? "\\P{White_Space}" : "\\S", set); break;
  case 'v': cl_rj_set_items("\\v", set); break;
  case 'V': cl_rj_set_items("\\V", set); break;
  case 'w':
  case 'W':
    cl_rj_word(t, set);
    if (c == 'W')
      cl_rj_set_not(set);
    break;
  default: return false;
  }
  *value = -1;
  return true;
}

/* What is no character and stands outside of brackets only; 1 = none of it. */
static int assertion(struct cl_rj *t, int32_t c) {
  switch (c) {
  case 'A': cl_buf_str(t->out, "\\A"); return 0;
  case 'B': word_boundary(t, true); return 0;
  case 'G': cl_buf_str(t->out, "\\A"); return 0; /* no search here starts within the text */
  case 'R': cl_buf_str(t->out, "(?:\\r\\n|[\\n-\\r\\x{85}\\x{2028}\\x{2029}])"); return 0;
  case 'X': cl_buf_str(t->out, "\\X"); return 0;
  case 'Z': cl_buf_str(t->out, line_end(t, false)); return 0;
  case 'z': cl_buf_str(t->out, "\\z"); return 0;
  case 'b': return boundary(t);
  case 'k': return by_name(t);
  default: return 1;
  }
}

int cl_rj_escape(struct cl_rj *t, bool in_class, bool is_range, int32_t *value, struct cl_rj_set *set) {
  int32_t c = cl_rj_skip(t);
  *value = -1;
  if (c >= '1' && c <= '9' && !in_class) {
    numbered(t, c);
    return 0;
  }
  if (predefined(t, c, is_range, value, set))
    return 0;
  int rc = in_class ? 1 : assertion(t, c);
  if (rc <= 0)
    return rc;
  switch (c) {
  case '0': return octal(t, value);
  case 'x': return hexadecimal(t, value);
  case 'u': return unicode(t, value);
  case 'N': return named_character(t, value);
  case 'a': *value = '\a'; return 0;
  case 'e': *value = 0x1B; return 0;
  case 'f': *value = '\f'; return 0;
  case 'n': *value = '\n'; return 0;
  case 'r': *value = '\r'; return 0;
  case 't': *value = '\t'; return 0;
  case 'c':
    if (t->at >= t->len)
      return cl_rj_error(t, "Illegal control escape sequence");
    *value = cl_rj_read(t) ^ 64;
    return 0;
  default: break;
  }
  if (cl_rj_is_alpha(c) || (c >= '1' && c <= '9'))
    return cl_rj_error(t, "Illegal/unsupported escape sequence");
  *value = c;
  return 0;
}
