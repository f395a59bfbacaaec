/* SPDX-License-Identifier: Apache-2.0
 * Sets of characters: Java's classes with unions and intersections. A set is kept as the inside
 * of a bracket as long as that can say it, else as a test of one character. Any thread. */
#include <string.h>

#include "base/regex_java.h"

void cl_rj_set_free(struct cl_rj_set *s) {
  cl_buf_free(&s->b);
  *s = (struct cl_rj_set){0};
}

void cl_rj_set_items(const char *items, struct cl_rj_set *out) {
  out->some = out->bracket = true;
  cl_buf_str(&out->b, items);
}

void cl_rj_set_write(const struct cl_rj_set *s, struct cl_buf *out) {
  if (s->b.failed)
    out->failed = true;
  if (s->bracket && s->b.len == 0)
    cl_buf_str(out, "(?!)");
  else
    cl_buf_fmt(out, s->bracket ? "[%s]" : "%s", s->b.p);
}

/* Puts a pattern built in b in s's place; b is emptied. */
static void become(struct cl_rj_set *s, struct cl_buf *b) {
  b->failed |= s->b.failed;
  cl_buf_free(&s->b);
  s->b = *b;
  s->some = true;
  s->bracket = false;
  *b = (struct cl_buf){0};
}

void cl_rj_set_union(struct cl_rj_set *a, struct cl_rj_set *b) {
  if (!a->some) {
    cl_rj_set_free(a);
    *a = *b;
    *b = (struct cl_rj_set){0};
    return;
  }
  if (a->bracket && b->bracket) {
    cl_buf_add(&a->b, b->b.p, b->b.len);
    a->b.failed |= b->b.failed;
  } else {
    struct cl_buf both = {0};
    cl_buf_str(&both, "(?:");
    cl_rj_set_write(a, &both);
    cl_buf_char(&both, '|');
    cl_rj_set_write(b, &both);
    cl_buf_char(&both, ')');
    become(a, &both);
  }
  cl_rj_set_free(b);
}

static void intersect(struct cl_rj_set *a, const struct cl_rj_set *b) {
  struct cl_buf both = {0};
  cl_buf_str(&both, "(?:(?=");
  cl_rj_set_write(a, &both);
  cl_buf_char(&both, ')');
  cl_rj_set_write(b, &both);
  cl_buf_char(&both, ')');
  become(a, &both);
}

void cl_rj_set_not(struct cl_rj_set *s) {
  struct cl_buf text = {0};
  if (s->bracket && s->b.len > 0) {
    cl_buf_fmt(&text, "[^%s]", s->b.p);
  } else {
    cl_buf_str(&text, "(?:(?!");
    cl_rj_set_write(s, &text);
    cl_buf_str(&text, ")(?s:.))");
  }
  become(s, &text);
}

static void copy(const struct cl_rj_set *from, struct cl_rj_set *to) {
  cl_rj_set_free(to);
  to->some = from->some;
  to->bracket = from->bracket;
  cl_buf_add(&to->b, from->b.p ? from->b.p : "", from->b.len);
  to->b.failed |= from->b.failed;
}

/* ------------------------------------------------------------ characters, ranges */

/* No text has halves of surrogate pairs, and no pattern of PCRE2's. */
void cl_rj_set_range(int32_t first, int32_t last, struct cl_rj_set *out) {
  out->some = out->bracket = true;
  cl_buf_str(&out->b, "");
  if (first >= 0xD800 && first < 0xE000)
    first = 0xE000;
  if (last >= 0xD800 && last < 0xE000)
    last = 0xD7FF;
  if (first == last)
    cl_buf_fmt(&out->b, "\\x{%x}", (unsigned)first);
  else if (first < last)
    cl_buf_fmt(&out->b, "\\x{%x}-\\x{%x}", (unsigned)first, (unsigned)last);
}

/* [first, last] shifted into the other case as far as it overlaps [low, high]. */
static void other_case(int32_t first, int32_t last, int32_t low, int32_t high, int32_t by,
                       struct cl_rj_set *out) {
  first = first > low ? first : low;
  last = last < high ? last : high;
  if (first <= last)
    cl_rj_set_range(first + by, last + by, out);
}

static void caseless_range(const struct cl_rj *t, int32_t first, int32_t last, struct cl_rj_set *out) {
  cl_rj_set_range(first, last, out);
  if (!cl_rj_has(t, RJ_CASELESS))
    return;
  other_case(first, last, 'a', 'z', -32, out);
  other_case(first, last, 'A', 'Z', 32, out);
  if (!cl_rj_has(t, RJ_UNICODE_CASE) || out->b.len == 0)
    return;
  /* Java takes the dotted and the dotless i for an i; Unicode's folding does not. */
  static const int32_t i[] = {'i', 'I', 0x130, 0x131};
  bool is_i = false;
  for (int n = 0; n < 4; n++)
    is_i |= first <= i[n] && i[n] <= last;
  if (is_i)
    cl_buf_str(&out->b, "iI\\x{130}\\x{131}");
  struct cl_buf text = {0};
  cl_buf_fmt(&text, "(?i:[%s])", out->b.p);
  become(out, &text);
}

/* Java knows no upper case of the sharp s when it stands alone. */
void cl_rj_set_char(const struct cl_rj *t, int32_t c, struct cl_rj_set *out) {
  if (c == 0xDF)
    cl_rj_set_range(c, c, out);
  else
    caseless_range(t, c, c, out);
}

/* --------------------------------------------------------------------- classes */

/* One member: a set in *out. *single tells a lone character below 256, of which Java keeps
 * one set for the whole class. */
static int member(struct cl_rj *t, struct cl_rj_set *out, bool *single) {
  int32_t c = cl_rj_peek(t), last;
  *single = false;
  if (c == '\\') {
    c = cl_rj_next_escaped(t);
    if (c == 'p' || c == 'P')
      return cl_rj_property(t, out);
    bool range = cl_rj_char(t, t->at + 1) == '-';
    t->at--;
    int rc = cl_rj_escape(t, true, range, &c, out);
    if (rc != 0 || c == -1)
      return rc;
  } else {
    cl_rj_next(t);
  }
  last = cl_rj_peek(t) == '-' ? cl_rj_char(t, t->at + 1) : ']';
  if (last == '[' || last == ']') {
    *single = c < 256;
    cl_rj_set_char(t, c, out);
    return 0;
  }
  cl_rj_next(t);
  last = cl_rj_peek(t);
  if (last == '\\') {
    struct cl_rj_set ignored = {0};
    int rc = cl_rj_escape(t, true, true, &last, &ignored);
    cl_rj_set_free(&ignored);
    if (rc != 0)
      return rc;
  } else {
    cl_rj_next(t);
  }
  if (last < c)
    return cl_rj_error(t, "Illegal character range");
  caseless_range(t, c, last, out);
  return 0;
}

struct members {
  struct cl_rj_set all, last, singles;
  bool pending; /* singles are not in all yet */
};

static void add_singles(struct members *m) {
  struct cl_rj_set singles = {0};
  copy(&m->singles, &singles);
  if (!m->all.some)
    copy(&m->singles, &m->last);
  cl_rj_set_union(&m->all, &singles);
  m->pending = false;
}

/* The right side of &&, up to ] or &; `at` is at its first character, which is c. */
static int right_side(struct cl_rj *t, int32_t c, struct cl_rj_set *right) {
  for (; c != ']' && c != '&'; c = cl_rj_peek(t)) {
    struct cl_rj_set one = {0};
    bool nested = c == '[';
    if (!nested)
      t->at--;
    int rc = cl_rj_class(t, nested, &one);
    if (rc != 0) {
      cl_rj_set_free(&one);
      return rc;
    }
    cl_rj_set_union(right, &one);
  }
  return 0;
}

/* Behind &&. */
static int intersection(struct cl_rj *t, int32_t c, struct members *m) {
  struct cl_rj_set right = {0};
  int rc = right_side(t, c, &right);
  if (rc == 0) {
    if (m->pending)
      add_singles(m);
    if (right.some)
      copy(&right, &m->last);
    if (!m->all.some && !right.some)
      rc = cl_rj_error(t, "Bad class syntax");
    else if (!m->all.some)
      copy(&right, &m->all);
    else if (m->last.some)
      intersect(&m->all, &m->last);
  }
  cl_rj_set_free(&right);
  return rc;
}

static int nested(struct cl_rj *t, struct members *m) {
  struct cl_rj_set one = {0};
  int rc = cl_rj_class(t, true, &one);
  if (rc == 0) {
    copy(&one, &m->last);
    cl_rj_set_union(&m->all, &one);
  }
  cl_rj_set_free(&one);
  return rc;
}

static int plain(struct cl_rj *t, struct members *m) {
  struct cl_rj_set one = {0};
  bool single;
  int rc = member(t, &one, &single);
  cl_rj_set_free(&m->last);
  if (rc == 0 && single) {
    cl_rj_set_union(&m->singles, &one);
    m->pending = true;
  } else if (rc == 0) {
    copy(&one, &m->last);
    cl_rj_set_union(&m->all, &one);
  }
  cl_rj_set_free(&one);
  return rc;
}

/* All members up to the closing bracket, which `at` is at then. */
static int members(struct cl_rj *t, int32_t c, struct members *m) {
  for (;; c = cl_rj_peek(t)) {
    int rc;
    if (c == '[') {
      rc = nested(t, m);
    } else if (c == '&' && cl_rj_next(t) == '&') {
      rc = intersection(t, cl_rj_next(t), m);
    } else {
      if (c == '&')
        t->at--;
      if (c == 0 && t->at >= t->len)
        return cl_rj_error(t, "Unclosed character class");
      if (c == ']' && (m->all.some || m->pending))
        return 0;
      rc = plain(t, m);
    }
    if (rc != 0)
      return rc;
  }
}

int cl_rj_class(struct cl_rj *t, bool consume, struct cl_rj_set *out) {
  if (t->depth >= RJ_DEPTH)
    return cl_rj_unsupported(t, "Classes and groups are nested too deep");
  t->depth++;
  struct members m = {0};
  int32_t c = cl_rj_next(t);
  bool negated = c == '^' && t->at > 0 && cl_rj_char(t, t->at - 1) == '[';
  if (negated)
    c = cl_rj_next(t);
  int rc = members(t, c, &m);
  if (rc == 0) {
    if (consume)
      cl_rj_next(t);
    if (m.pending)
      add_singles(&m);
    if (negated)
      cl_rj_set_not(&m.all);
    copy(&m.all, out);
  }
  cl_rj_set_free(&m.all);
  cl_rj_set_free(&m.last);
  cl_rj_set_free(&m.singles);
  t->depth--;
  return rc;
}
