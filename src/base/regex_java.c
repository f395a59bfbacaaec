/* SPDX-License-Identifier: Apache-2.0
 * Patterns of java.util.regex rewritten for PCRE2: alternatives, sequences, groups and
 * repetition. What both read alike is copied; what PCRE2 reads differently is spelled out;
 * what only PCRE2 knows is refused, as Java does. Any thread. */
#include "base/regex_java.h"

#include <stdlib.h>
#include <string.h>

/* A sequence of lengths under construction. */
struct chain {
  struct cl_rj_len *first, *last;
};

/* An item of a sequence: where its text starts and how long its texts are. */
struct item {
  size_t start;
  struct cl_rj_len *length; /* NULL = it is no part of the text, or an empty one */
  bool character;           /* one character out of a set */
  bool group;               /* in parentheses that Java counts as a group */
  bool empty;               /* nothing was written for it */
};

static void append(struct chain *c, struct cl_rj_len *l) {
  if (!l)
    return;
  if (c->last)
    c->last->next = l;
  else
    c->first = l;
  c->last = l;
}

static int expression(struct cl_rj *t, struct chain *out);

static void write_char(struct cl_rj *t, int32_t c) {
  struct cl_rj_set set = {0};
  if (!cl_rj_has(t, RJ_CASELESS) && (cl_rj_is_alpha(c) || cl_rj_is_digit(c))) {
    cl_buf_char(t->out, (char)c);
  } else if (!cl_rj_has(t, RJ_CASELESS) && (c < 0xD800 || c >= 0xE000)) {
    cl_buf_fmt(t->out, "\\x{%x}", (unsigned)c);
  } else {
    cl_rj_set_char(t, c, &set);
    cl_rj_set_write(&set, t->out);
    cl_rj_set_free(&set);
  }
}

/* ------------------------------------------------------------------- repetition */

/* Takes ?, + or nothing behind a quantifier and writes it: whether there was nothing, and
 * in *possessive whether it was +. */
static bool manner(struct cl_rj *t, int32_t c, bool *possessive) {
  *possessive = c == '+';
  if (c != '?' && c != '+')
    return true;
  cl_rj_next(t);
  cl_buf_char(t->out, (char)c);
  return false;
}

/* The length of item x under a quantifier of min to max times. */
static void repeated(struct cl_rj *t, struct item *x, int32_t min, int32_t max, bool optional, bool greedy,
                     bool possessive) {
  bool endless_chars = x->character && greedy && max == RJ_FOREVER && !optional;
  bool loop = x->group && !possessive && !optional && !cl_rj_measure(x->length).fixed;
  bool choice = x->group && !possessive && x->length && x->length->kind != RJ_LEN_BREAK;
  int kind = optional        ? (choice ? RJ_LEN_BRANCH : RJ_LEN_OPTION)
             : endless_chars ? RJ_LEN_CHARS
             : loop          ? RJ_LEN_LOOP
                             : RJ_LEN_REPEAT;
  struct cl_rj_len *item = x->length;
  if (kind == RJ_LEN_BRANCH) { /* the group or nothing */
    item = cl_rj_length(t, RJ_LEN_GROUP, x->length);
    if (item)
      item->branch = cl_rj_length(t, RJ_LEN_GROUP, NULL);
  }
  struct cl_rj_len *l = cl_rj_length(t, kind, item);
  if (l) {
    l->min = min;
    l->max = max;
    x->length = l;
  }
}

/* Digits at the character c, which is one; false when the number is too large for Java. */
static bool number(struct cl_rj *t, int32_t *c, int32_t *value) {
  int64_t n = 0;
  for (; cl_rj_is_digit(*c); *c = cl_rj_read(t)) {
    n = n * 10 + *c - '0';
    if (n > INT32_MAX)
      return false;
  }
  *value = (int32_t)n;
  return true;
}

/* {n}, {n,} or {n,m} at the brace; `at` is at the closing one afterwards. */
static int braces(struct cl_rj *t, int32_t *min, int32_t *max, bool *open) {
  int32_t c = cl_rj_skip(t);
  *open = false;
  if (!cl_rj_is_digit(c))
    return cl_rj_error(t, "Illegal repetition");
  if (!number(t, &c, min))
    return cl_rj_error(t, "Illegal repetition range");
  *max = *min;
  if (c == ',') {
    c = cl_rj_read(t);
    *open = c == '}';
    *max = *open ? RJ_FOREVER : 0;
    if (!*open && !number(t, &c, max))
      return cl_rj_error(t, "Illegal repetition range");
  }
  if (c != '}')
    return cl_rj_error(t, "Unclosed counted closure");
  if (*max < *min)
    return cl_rj_error(t, "Illegal repetition range");
  t->at--;
  return 0;
}

static void write_times(struct cl_rj *t, int32_t c, int32_t min, int32_t max) {
  enum { PCRE2_MAX = 65535 };
  if (c != '{')
    cl_buf_char(t->out, (char)c);
  else if (max > PCRE2_MAX)
    cl_buf_fmt(t->out, "{%d,}", min);
  else
    cl_buf_fmt(t->out, "{%d,%d}", min, max);
}

/* Puts the item between parentheses, without which PCRE2 repeats nothing that is no character. */
static void wrap(struct cl_rj *t, const struct item *x) {
  struct cl_buf text = {0};
  cl_buf_add(&text, t->out->p + x->start, t->out->len - x->start);
  if (text.failed || t->out->failed) {
    t->out->failed = true;
  } else {
    t->out->len = x->start;
    cl_buf_fmt(t->out, "(?:%s)", text.p);
  }
  cl_buf_free(&text);
}

/* A group that Java takes for one without a choice is not tried again once it matched, even
 * where \R took \r\n. */
static void settle(struct cl_rj *t, const struct item *x) {
  struct cl_rj_size size = cl_rj_measure(x->length);
  if (x->group && size.fixed && size.min != size.max && !t->out->failed &&
      strncmp(t->out->p + x->start, "(?:", 3) == 0)
    t->out->p[x->start + 2] = '>';
}

/* The quantifier behind item x, if there is one; Java takes one only. */
static int quantifier(struct cl_rj *t, struct item *x) {
  int32_t c = cl_rj_peek(t), min = 0, max = RJ_FOREVER;
  bool open = true, possessive;
  if (c == '{') {
    int rc = braces(t, &min, &max, &open);
    if (rc != 0)
      return rc;
  } else if (c == '?') {
    max = 1;
  } else if (c == '+') {
    min = 1;
  } else if (c != '*') {
    return 0;
  }
  const bool optional = c == '?' || (c == '{' && min == 0 && max == 1);
  x->empty = x->empty || t->out->len == x->start;
  if (!x->empty && !x->character && !x->group)
    wrap(t, x);
  if (!x->empty)
    write_times(t, c, min, max);
  int32_t then = cl_rj_next(t);
  bool greedy = manner(t, then, &possessive);
  if (x->empty && !greedy)
    t->out->len--; /* nothing is repeated anyhow */
  if (!optional && !possessive)
    settle(t, x);
  repeated(t, x, min, max, optional, greedy && open, possessive);
  return 0;
}

/* ----------------------------------------------------------------------- groups */

static unsigned flag_of(int32_t c) {
  switch (c) {
  case 'i': return RJ_CASELESS;
  case 'm': return RJ_MULTILINE;
  case 's': return RJ_DOTALL;
  case 'd': return RJ_UNIX_LINES;
  case 'u': return RJ_UNICODE_CASE;
  case 'x': return RJ_COMMENTS;
  case 'c': return RJ_CANONICAL;
  case 'U': return RJ_UNICODE_CLASS | RJ_UNICODE_CASE;
  default: return 0;
  }
}

/* The letters of (?letters-letters; `at` is behind them afterwards. */
static int flags(struct cl_rj *t) {
  bool on = true;
  int32_t c = cl_rj_peek(t);
  for (;; c = cl_rj_next(t)) {
    if (c == '-' && on) {
      on = false;
      continue;
    }
    const unsigned flag = flag_of(c);
    if (flag == 0)
      return 0;
    t->flags = on ? t->flags | flag : t->flags & ~flag;
    t->canonical |= on && c == 'c';
  }
}

/* Replaces what was written from `start` on, the inside of a lookbehind, by a test of its own:
 * PCRE2's lookbehinds have one length. regex.c runs it. */
static int behind(struct cl_rj *t, const struct item *x, bool negated, const struct cl_rj_len *length,
                  const struct cl_rj *before) {
  const size_t start = x->start;
  const int groups = t->groups - before->groups;
  struct cl_rj_size size = cl_rj_measure(length);
  if (!size.valid)
    return cl_rj_error(t, "Look-behind group does not have an obvious maximum length");
  struct cl_buf inside = {0};
  cl_buf_add(&inside, t->out->p + start, t->out->len - start);
  if (inside.failed || t->out->failed) {
    cl_buf_free(&inside);
    t->out->failed = true;
    return 0;
  }
  t->out->len = start;
  /* A callout cannot fill groups; behind (?<! there is nothing to be filled. */
  if ((size.fixed && size.min == size.max) ||
      (groups > 0 && (!negated || t->names.len != before->names.len))) {
    cl_buf_fmt(t->out, negated ? "(?<!%s)" : "(?<=%s)", inside.p);
    cl_buf_free(&inside);
    return 0;
  }
  struct cl_regex_java *to = t->to;
  if (to->behinds == CL_REGEX_BEHINDS) {
    cl_buf_free(&inside);
    return cl_rj_unsupported(t, "Too many look-behind groups of variable length");
  }
  cl_buf_fmt(t->out, "(?:(?C%d))", to->behinds);
  for (int i = 0; i < groups; i++)
    cl_buf_str(t->out, "(){0}"); /* the numbers go on behind them */
  struct cl_regex_behind *b = &to->behind[to->behinds++];
  *b = (struct cl_regex_behind){.pattern = inside, .min = size.min, .max = size.max, .negated = negated};
  return 0;
}

/* What stands between the parentheses, up to the closing one. */
static int body(struct cl_rj *t, struct chain *inside) {
  if (t->depth >= RJ_DEPTH)
    return cl_rj_unsupported(t, "Classes and groups are nested too deep");
  t->depth++;
  int rc = expression(t, inside);
  t->depth--;
  return rc;
}

/* (?<name> with c the name's first letter. */
static int named(struct cl_rj *t, int32_t c) {
  struct cl_buf name = {0};
  int rc = cl_rj_group_name(t, c, &name);
  if (name.failed) {
    t->out->failed = true;
  } else if (rc == 0 && cl_rj_knows_name(t, name.p)) {
    rc = cl_rj_error(t, "Named capturing group <%s> is already defined", name.p);
  } else if (rc == 0) {
    t->groups++;
    cl_buf_fmt(&t->names, "%s\n", name.p);
    if (name.len > RJ_NAME_MAX)
      rc = cl_rj_unsupported(t, "A group's name may have 32 letters");
    cl_buf_fmt(t->out, "(?<%s>", name.p);
  }
  cl_buf_free(&name);
  return rc;
}

/* What stands behind (?, which c is the first of; the text's start is written. *kind: the
 * character that tells the group, 'b' for a lookbehind, 0 = flags without a group. */
static int opening(struct cl_rj *t, int32_t c, int32_t *kind) {
  *kind = c;
  switch (c) {
  case ':': cl_buf_str(t->out, "(?:"); return 0;
  case '=': cl_buf_str(t->out, "(?="); return 0;
  case '!': cl_buf_str(t->out, "(?!"); return 0;
  case '>': cl_buf_str(t->out, "(?>"); return 0;
  case '<':
    c = cl_rj_read(t);
    *kind = c == '=' ? 'b' : c == '!' ? 'B' : '(';
    return *kind == '(' ? named(t, c) : 0;
  case '$':
  case '@': return cl_rj_error(t, "Unknown group type");
  default: break;
  }
  t->at--;
  int rc = flags(t);
  if (rc != 0)
    return rc;
  c = cl_rj_read(t);
  *kind = c == ')' ? 0 : ':';
  if (c == ':')
    cl_buf_str(t->out, "(?:");
  return c == ')' || c == ':' ? 0 : cl_rj_error(t, "Unknown inline modifier");
}

/* At the parenthesis. *only_flags: there is no group. */
static int group(struct cl_rj *t, struct item *x, bool *only_flags) {
  int32_t kind = '(';
  struct chain inside = {0};
  int rc = 0;
  const struct cl_rj before = *t;
  *only_flags = false;
  if (cl_rj_next(t) == '?') {
    rc = opening(t, cl_rj_skip(t), &kind);
    *only_flags = kind == 0;
  } else {
    t->groups++;
    cl_buf_char(t->out, '(');
  }
  if (rc != 0 || *only_flags)
    return rc;
  bool is_behind = kind == 'b' || kind == 'B';
  rc = body(t, &inside);
  if (rc == 0 && is_behind)
    rc = behind(t, x, kind == 'B', inside.first, &before);
  else if (rc == 0)
    cl_buf_char(t->out, ')');
  if (rc == 0 && cl_rj_read(t) != ')')
    rc = cl_rj_error(t, "Unclosed group");
  t->flags = before.flags;
  x->group = kind == ':' || kind == '(';
  if (x->group || kind == '>')
    x->length = cl_rj_length(t, x->group ? RJ_LEN_GROUP : RJ_LEN_ATOMIC, inside.first);
  return rc;
}

/* -------------------------------------------------------------- items, sequences */

static int escaped(struct cl_rj *t, struct item *x) {
  struct cl_rj_set set = {0};
  int32_t c = cl_rj_next_escaped(t);
  int rc;
  if (c == 'p' || c == 'P') {
    rc = cl_rj_property(t, &set);
  } else {
    t->at--;
    rc = cl_rj_escape(t, false, false, &c, &set);
    if (rc == 0 && c >= 0)
      write_char(t, c);
    x->character = c >= 0;
  }
  if (rc == 0 && set.some) {
    cl_rj_set_write(&set, t->out);
    x->character = true;
  }
  cl_rj_set_free(&set);
  return rc;
}

/* The kind of length of an escape that is no character, by its letter. */
static void escape_length(struct cl_rj *t, int32_t letter, struct item *x) {
  if (x->character)
    x->length = cl_rj_length(t, RJ_LEN_CHAR, NULL);
  else if (letter == 'R')
    x->length = cl_rj_length(t, RJ_LEN_BREAK, NULL);
  else if (letter == 'X')
    x->length = cl_rj_length(t, RJ_LEN_CLUSTER, NULL);
  else if (letter == 'k' || cl_rj_is_digit(letter))
    x->length = cl_rj_length(t, RJ_LEN_UNKNOWN, NULL);
  x->group = letter == 'R';
}

static const char *dot(const struct cl_rj *t) {
  return cl_rj_has(t, RJ_DOTALL)       ? "(?s:.)"
         : cl_rj_has(t, RJ_UNIX_LINES) ? "[^\\n]"
                                       : "[^\\n\\r\\x{85}\\x{2028}\\x{2029}]";
}

static const char *caret(const struct cl_rj *t) {
  return !cl_rj_has(t, RJ_MULTILINE) ? "\\A"
         : cl_rj_has(t, RJ_UNIX_LINES)
             ? "(?:(?!\\z)(?:\\A|(?<=\\n)))"
             : "(?:(?!\\z)(?:\\A|(?<=[\\n\\x{85}\\x{2028}\\x{2029}])|(?<=\\r)(?!\\n)))";
}

static int bracket(struct cl_rj *t) {
  struct cl_rj_set set = {0};
  int rc = cl_rj_class(t, true, &set);
  if (rc == 0)
    cl_rj_set_write(&set, t->out);
  cl_rj_set_free(&set);
  return rc;
}

/* One item that is no group, without its quantifier; c is looked at. */
static int simple(struct cl_rj *t, int32_t c, struct item *x) {
  int rc = 0;
  switch (c) {
  case '\\': {
    int32_t letter = cl_rj_char(t, t->at + 1);
    rc = escaped(t, x);
    escape_length(t, letter, x);
    return rc;
  }
  case '^':
    cl_rj_next(t);
    cl_buf_str(t->out, caret(t));
    return 0;
  case '$':
    cl_rj_next(t);
    cl_buf_str(t->out, cl_rj_dollar(t));
    return 0;
  case '{': x->empty = true; return 0; /* repeats nothing */
  case '[': rc = bracket(t); break;
  case '.':
    cl_rj_next(t);
    cl_buf_str(t->out, dot(t));
    break;
  default: cl_rj_next(t); write_char(t, c);
  }
  x->character = true;
  x->length = cl_rj_length(t, RJ_LEN_CHAR, NULL);
  return rc;
}

static int sequence(struct cl_rj *t, struct chain *out) {
  for (;;) {
    struct item x = {.start = t->out->len};
    int32_t c = cl_rj_peek(t);
    bool only_flags = false;
    int rc;
    if (c == '|' || c == ')' || (c == 0 && t->at >= t->len))
      return 0;
    if (c == '*' || c == '+' || c == '?') {
      cl_rj_next(t);
      return cl_rj_error(t, "Dangling meta character '%c'", (char)c);
    }
    rc = c == '(' ? group(t, &x, &only_flags) : simple(t, c, &x);
    if (rc == 0 && !only_flags)
      rc = quantifier(t, &x);
    if (rc != 0)
      return rc;
    append(out, x.length);
  }
}

static int expression(struct cl_rj *t, struct chain *out) {
  struct cl_rj_len *branch = NULL, **last = NULL;
  for (;;) {
    struct chain one = {0};
    int rc = sequence(t, &one);
    bool more = rc == 0 && cl_rj_peek(t) == '|';
    if (rc != 0)
      return rc;
    if (!branch && !more) {
      *out = one;
      return 0;
    }
    if (!branch && (branch = cl_rj_length(t, RJ_LEN_BRANCH, NULL)) != NULL)
      last = &branch->item;
    if (last && (*last = cl_rj_length(t, RJ_LEN_GROUP, one.first)) != NULL)
      last = &(*last)->branch;
    else
      return cl_err_set(t->err, CL_ENOMEM, "no memory for a regex");
    if (!more)
      break;
    cl_rj_next(t);
    cl_buf_char(t->out, '|');
  }
  append(out, branch);
  return 0;
}

static int pass(struct cl_rj *t) {
  struct chain all = {0};
  cl_buf_str(t->out, "");
  int rc = expression(t, &all);
  if (rc == 0 && t->at != t->len)
    rc = cl_rj_error(t, cl_rj_peek(t) == ')' ? "Unmatched closing ')'" : "Unexpected internal error");
  if (rc == 0 && t->canonical)
    rc = cl_rj_unsupported(t, "Canonical equivalence is not supported");
  if (rc == 0 && (t->out->failed || t->names.failed || !cl_buf_reserve(t->out, 1)))
    rc = cl_err_set(t->err, CL_ENOMEM, "no memory for a regex");
  cl_rj_lengths_free(t);
  cl_buf_free(&t->names);
  free(t->text);
  return rc;
}

int cl_regex_translate(const char *pattern, struct cl_regex_java *out, struct cl_err *err) {
  int groups = 0, rc = 0;
  /* Twice: a reference to a group that there never is never matches. */
  for (int i = 0; rc == 0 && i < 2; i++) {
    cl_regex_java_free(out);
    struct cl_rj t = {.all_groups = groups, .out = &out->pattern, .to = out, .err = err};
    rc = cl_rj_open(&t, pattern);
    if (rc == 0)
      rc = pass(&t);
    groups = t.groups;
  }
  return rc;
}

void cl_regex_java_free(struct cl_regex_java *java) {
  cl_buf_free(&java->pattern);
  for (int i = 0; i < java->behinds; i++)
    cl_buf_free(&java->behind[i].pattern);
  java->behinds = 0;
}
