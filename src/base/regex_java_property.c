/* SPDX-License-Identifier: Apache-2.0
 * Character properties by the names Java has for them. Any thread. */
#include <string.h>

#include "base/regex_java.h"

/* What a name stands for: the inside of a bracket, with ^ first for its complement. `caseless`:
 * the same under (?i), NULL = no difference. */
struct entry {
  const char *name, *items, *caseless;
};

#define ASCII_LETTERS "a-zA-Z"
#define CASED "\\p{Lowercase}\\p{Uppercase}\\p{Lt}"
#define WORD "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}"
#define IGNORABLE "\\x00-\\x08\\x0e-\\x1b\\x7f-\\x9f\\p{Cf}"
#define ID_START "\\p{L}\\p{Nl}\\x{1885}\\x{1886}\\x{2118}\\x{212e}\\x{309b}\\x{309c}"

/* Mirrored without a mirror image of one character; PCRE2 10.42 knows those with one. */
#define ONLY_MIRRORED                                                                                        \
  "\\x{2140}\\x{2201}-\\x{2204}\\x{2211}\\x{2216}\\x{221a}-\\x{221d}\\x{2226}\\x{222b}-\\x{2233}"            \
  "\\x{2239}\\x{223b}\\x{223e}-\\x{2242}\\x{2244}\\x{2246}-\\x{224b}\\x{225f}\\x{2260}"                      \
  "\\x{2262}\\x{228c}\\x{22a7}\\x{22aa}\\x{22ac}-\\x{22af}\\x{22be}\\x{22bf}"                                \
  "\\x{22f5}\\x{22f8}\\x{22f9}\\x{22ff}\\x{2320}\\x{2321}\\x{27c0}"                                          \
  "\\x{27cc}\\x{27d3}\\x{27d4}\\x{299c}-\\x{299f}\\x{29a2}\\x{29a6}\\x{29a7}"                                \
  "\\x{29c2}\\x{29c3}\\x{29c9}\\x{29ce}\\x{29dc}\\x{29e1}\\x{29e3}-\\x{29e5}"                                \
  "\\x{29f4}\\x{29f6}\\x{29f7}\\x{2a0a}-\\x{2a1c}\\x{2a1e}-\\x{2a21}\\x{2a24}\\x{2a26}"                      \
  "\\x{2a29}\\x{2a3e}\\x{2a57}\\x{2a58}\\x{2a6a}-\\x{2a6d}\\x{2a6f}\\x{2a70}"                                \
  "\\x{2a73}\\x{2a74}\\x{2aa3}\\x{2adc}\\x{2ae2}\\x{2ae6}\\x{2af3}"                                          \
  "\\x{2afb}\\x{2afd}\\x{1d6db}\\x{1d715}\\x{1d74f}\\x{1d789}\\x{1d7c3}"

/* \p{name} and \p{gc=name} */
static const struct entry properties[] = {
    {"Cn", "\\p{Cn}", NULL},
    {"Lu", "\\p{Lu}", "\\p{Lu}\\p{Ll}\\p{Lt}"},
    {"Ll", "\\p{Ll}", "\\p{Lu}\\p{Ll}\\p{Lt}"},
    {"Lt", "\\p{Lt}", "\\p{Lu}\\p{Ll}\\p{Lt}"},
    {"Lm", "\\p{Lm}", NULL},
    {"Lo", "\\p{Lo}", NULL},
    {"Mn", "\\p{Mn}", NULL},
    {"Me", "\\p{Me}", NULL},
    {"Mc", "\\p{Mc}", NULL},
    {"Nd", "\\p{Nd}", NULL},
    {"Nl", "\\p{Nl}", NULL},
    {"No", "\\p{No}", NULL},
    {"Zs", "\\p{Zs}", NULL},
    {"Zl", "\\p{Zl}", NULL},
    {"Zp", "\\p{Zp}", NULL},
    {"Cc", "\\p{Cc}", NULL},
    {"Cf", "\\p{Cf}", NULL},
    {"Co", "\\p{Co}", NULL},
    {"Cs", "\\p{Cs}", NULL},
    {"Pd", "\\p{Pd}", NULL},
    {"Ps", "\\p{Ps}", NULL},
    {"Pe", "\\p{Pe}", NULL},
    {"Pc", "\\p{Pc}", NULL},
    {"Po", "\\p{Po}", NULL},
    {"Sm", "\\p{Sm}", NULL},
    {"Sc", "\\p{Sc}", NULL},
    {"Sk", "\\p{Sk}", NULL},
    {"So", "\\p{So}", NULL},
    {"Pi", "\\p{Pi}", NULL},
    {"Pf", "\\p{Pf}", NULL},
    {"L", "\\p{L}", NULL},
    {"M", "\\p{M}", NULL},
    {"N", "\\p{N}", NULL},
    {"Z", "\\p{Z}", NULL},
    {"C", "\\p{C}", NULL},
    {"P", "\\p{P}", NULL},
    {"S", "\\p{S}", NULL},
    {"LC", "\\p{Lu}\\p{Ll}\\p{Lt}", NULL},
    {"LD", "\\p{L}\\p{Nd}", NULL},
    {"L1", "\\x00-\\x{ff}", NULL},
    {"all", "\\x00-\\x{10ffff}", NULL},
    {"ASCII", "\\x00-\\x7f", NULL},
    {"Alnum", ASCII_LETTERS "0-9", NULL},
    {"Alpha", ASCII_LETTERS, NULL},
    {"Blank", "\\x20\\t", NULL},
    {"Cntrl", "\\x00-\\x1f\\x7f", NULL},
    {"Digit", "0-9", NULL},
    {"Graph", "!-~", NULL},
    {"Lower", "a-z", ASCII_LETTERS},
    {"Print", "\\x20-~", NULL},
    {"Punct", "!-\\/:-@\\[-`{-~", NULL},
    {"Space", "\\x20\\t-\\r", NULL},
    {"Upper", "A-Z", ASCII_LETTERS},
    {"XDigit", "0-9a-fA-F", NULL},
    {"javaLowerCase", "\\p{Lowercase}", CASED},
    {"javaUpperCase", "\\p{Uppercase}", CASED},
    {"javaTitleCase", "\\p{Lt}", CASED},
    {"javaAlphabetic", "\\p{Alphabetic}", NULL},
    {"javaIdeographic", "\\p{Ideographic}", NULL},
    {"javaDigit", "\\p{Nd}", NULL},
    {"javaDefined", "^\\p{Cn}", NULL},
    {"javaLetter", "\\p{L}", NULL},
    {"javaLetterOrDigit", "\\p{L}\\p{Nd}", NULL},
    {"javaJavaIdentifierStart", "\\p{L}\\p{Nl}\\p{Sc}\\p{Pc}", NULL},
    {"javaJavaIdentifierPart", "\\p{L}\\p{Nl}\\p{Sc}\\p{Pc}\\p{Nd}\\p{Mc}\\p{Mn}" IGNORABLE, NULL},
    {"javaUnicodeIdentifierStart", ID_START, NULL},
    {"javaUnicodeIdentifierPart",
     ID_START "\\p{Pc}\\p{Nd}\\p{Mc}\\p{Mn}\\x{b7}\\x{387}\\x{1369}-\\x{1371}\\x{19da}" IGNORABLE, NULL},
    {"javaIdentifierIgnorable", IGNORABLE, NULL},
    {"javaSpaceChar", "\\p{Z}", NULL},
    {"javaWhitespace",
     "\\t-\\r\\x1c-\\x20\\x{1680}\\x{2000}-\\x{2006}\\x{2008}-\\x{200a}\\x{2028}\\x{2029}\\x{205f}\\x{3000}",
     NULL},
    {"javaISOControl", "\\x00-\\x1f\\x7f-\\x9f", NULL},
    {"javaMirrored", "\\p{Bidi_Mirrored}" ONLY_MIRRORED, NULL},
};

#define GRAPH "^\\p{Z}\\p{Cc}\\p{Cs}\\p{Cn}"
#define PRINT "^\\p{Zl}\\p{Zp}\\p{Cc}\\p{Cs}\\p{Cn}"
#define HEX "\\p{Nd}0-9a-fA-F\\x{ff10}-\\x{ff19}\\x{ff21}-\\x{ff26}\\x{ff41}-\\x{ff46}"

/* \p{Isname}, whatever its case */
static const struct entry unicode[] = {
    {"ALPHABETIC", "\\p{Alphabetic}", NULL},
    {"ASSIGNED", "^\\p{Cn}", NULL},
    {"CONTROL", "\\p{Cc}", NULL},
    {"EMOJI", NULL, NULL},
    {"HEXDIGIT", HEX, NULL},
    {"HEX_DIGIT", HEX, NULL},
    {"IDEOGRAPHIC", "\\p{Ideographic}", NULL},
    {"JOINCONTROL", "\\p{Join_Control}", NULL},
    {"JOIN_CONTROL", "\\p{Join_Control}", NULL},
    {"LETTER", "\\p{L}", NULL},
    {"LOWERCASE", "\\p{Lowercase}", CASED},
    {"NONCHARACTERCODEPOINT", "\\p{Noncharacter_Code_Point}", NULL},
    {"NONCHARACTER_CODE_POINT", "\\p{Noncharacter_Code_Point}", NULL},
    {"TITLECASE", "\\p{Lt}", CASED},
    {"PUNCTUATION", "\\p{P}", NULL},
    {"UPPERCASE", "\\p{Uppercase}", CASED},
    {"WHITESPACE", "\\p{White_Space}", NULL},
    {"WHITE_SPACE", "\\p{White_Space}", NULL},
    {"WORD", WORD, NULL},
    /* The same names (?U) gives another meaning to. */
    {"ALPHA", "\\p{Alphabetic}", NULL},
    {"LOWER", "\\p{Lowercase}", CASED},
    {"UPPER", "\\p{Uppercase}", CASED},
    {"SPACE", "\\p{White_Space}", NULL},
    {"PUNCT", "\\p{P}", NULL},
    {"XDIGIT", HEX, NULL},
    {"ALNUM", "\\p{Alphabetic}\\p{Nd}", NULL},
    {"CNTRL", "\\p{Cc}", NULL},
    {"DIGIT", "\\p{Nd}", NULL},
    {"BLANK", "\\p{Zs}\\t", NULL},
    {"GRAPH", GRAPH, NULL},
    {"PRINT", PRINT, NULL},
};

enum { POSIX_FROM = 19 }; /* of `unicode` */

static char lower(char c) { return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c); }

static bool same(const char *a, const char *b, size_t n, bool any_case) {
  size_t i = 0;
  while (i < n && b[i] && (any_case ? lower(a[i]) == lower(b[i]) : a[i] == b[i]))
    i++;
  return i == n && !b[n];
}

static bool find(const struct cl_rj *t, const struct entry *from, const struct entry *end, const char *name,
                 size_t n, bool any_case, struct cl_rj_set *out) {
  for (const struct entry *e = from; e < end; e++)
    if (e->items && same(name, e->name, n, any_case)) {
      const char *items = cl_rj_has(t, RJ_CASELESS) && e->caseless ? e->caseless : e->items;
      cl_rj_set_items(items + (*items == '^'), out);
      if (*items == '^')
        cl_rj_set_not(out);
      return true;
    }
  return false;
}

#define END(table) ((table) + sizeof(table) / sizeof((table)[0]))

static bool block(const char *name, size_t n, struct cl_rj_set *out) {
  uint32_t first, last;
  if (!cl_rj_block(name, n, &first, &last))
    return false;
  cl_rj_set_range((int32_t)first, (int32_t)last, out);
  return true;
}

static bool script(const char *name, size_t n, struct cl_rj_set *out) {
  const char *found = cl_rj_script(name, n);
  if (!found)
    return false;
  struct cl_rj_set s = {0};
  cl_rj_set_items("", &s);
  cl_buf_fmt(&s.b, "\\p{sc:%s}", found);
  cl_rj_set_union(out, &s);
  return true;
}

static int valued(struct cl_rj *t, const char *text, size_t n, const char *sign, struct cl_rj_set *out) {
  size_t key = (size_t)(sign - text), size = n - key - 1;
  const char *value = sign + 1;
  bool known = false;
  if (same(text, "sc", key, true) || same(text, "script", key, true))
    known = script(value, size, out);
  else if (same(text, "blk", key, true) || same(text, "block", key, true))
    known = block(value, size, out);
  else if (same(text, "gc", key, true) || same(text, "general_category", key, true))
    known = find(t, properties, END(properties), value, size, false, out);
  if (known)
    return 0;
  char shown[128];
  size_t kept = key < sizeof(shown) ? key : sizeof(shown) - 1;
  for (size_t i = 0; i < kept; i++)
    shown[i] = lower(text[i]);
  shown[kept] = '\0';
  return cl_rj_error(t, "Unknown Unicode property {name=<%s>, value=<%.*s>}", shown, (int)size, value);
}

static int by_name(struct cl_rj *t, const char *name, size_t n, struct cl_rj_set *out) {
  const char *sign = memchr(name, '=', n);
  if (sign)
    return valued(t, name, n, sign, out);
  bool known;
  if (n >= 2 && memcmp(name, "In", 2) == 0)
    known = block(name + 2, n - 2, out);
  else if (n >= 2 && memcmp(name, "Is", 2) == 0)
    known = find(t, unicode, END(unicode), name + 2, n - 2, true, out) ||
            find(t, properties, END(properties), name + 2, n - 2, false, out) || script(name + 2, n - 2, out);
  else
    known = (cl_rj_has(t, RJ_UNICODE_CLASS) &&
             find(t, unicode + POSIX_FROM, END(unicode), name, n, true, out)) ||
            find(t, properties, END(properties), name, n, false, out);
  return known ? 0 : cl_rj_error(t, "Unknown character property name {%.*s}", (int)n, name);
}

int cl_rj_property(struct cl_rj *t, struct cl_rj_set *out) {
  bool negated = cl_rj_char(t, t->at) == 'P';
  size_t start, end;
  if (cl_rj_next(t) != '{') {
    start = t->at;
    end = start + 1;
    cl_rj_read(t);
  } else {
    cl_rj_next(t);
    start = t->at;
    int32_t c;
    do
      c = cl_rj_read(t);
    while (c != '}' && t->at <= t->len);
    end = t->at - 1;
    if (c != '}') {
      t->at = t->len + 1;
      return cl_rj_error(t, "Unclosed character family");
    }
    if (start >= end)
      return cl_rj_error(t, "Empty character family");
  }
  struct cl_buf name = {0};
  cl_rj_utf8(t, start, end, &name);
  int rc = name.failed ? cl_err_set(t->err, CL_ENOMEM, "no memory for a regex")
                       : by_name(t, name.p, name.len, out);
  cl_buf_free(&name);
  if (rc == 0 && negated)
    cl_rj_set_not(out);
  return rc;
}

/* What \w stands for in the scope of (?U). */
void cl_rj_word(const struct cl_rj *t, struct cl_rj_set *out) {
  cl_rj_set_items(cl_rj_has(t, RJ_UNICODE_CLASS) ? WORD : "\\w", out);
}
