/* SPDX-License-Identifier: Apache-2.0
 *
 * The translation of java.util.regex, inside: one pass over the pattern's characters, with
 * the checks in Java's order, so that a refused pattern is refused for the same reason at
 * the same place. Everything PCRE2 reads differently is spelled out; no option of PCRE2's
 * is turned on for more than one character.
 *   regex_java.c           alternatives, sequences, groups, repetition
 *   regex_java_scan.c      the pattern's characters, quoting, errors
 *   regex_java_escape.c    what follows a backslash
 *   regex_java_class.c     sets of characters
 *   regex_java_property.c  \p{...}; regex_java_names.c: blocks and scripts
 *   regex_java_length.c    how long a text a lookbehind can match
 * Owner: the translation on the caller's stack. One thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/regex.h"

enum cl_rj_flag {
  RJ_CASELESS = 1,
  RJ_MULTILINE = 2,
  RJ_DOTALL = 4,
  RJ_UNIX_LINES = 8,
  RJ_UNICODE_CASE = 16,
  RJ_COMMENTS = 32,
  RJ_UNICODE_CLASS = 64,
  RJ_CANONICAL = 128
};

enum { RJ_DEPTH = 120, RJ_FOREVER = INT32_MAX, RJ_NAME_MAX = 32 };

/* What of a pattern decides the length of the texts it matches; one node per item of a sequence. */
struct cl_rj_len {
  enum {
    RJ_LEN_CHAR,    /* one character */
    RJ_LEN_CHARS,   /* at least min of one kind */
    RJ_LEN_BREAK,   /* one or two characters */
    RJ_LEN_CLUSTER, /* \X */
    RJ_LEN_OPTION,  /* item or nothing */
    RJ_LEN_GROUP,   /* item */
    RJ_LEN_ATOMIC,  /* item, measured for itself */
    RJ_LEN_REPEAT,  /* item min to max times */
    RJ_LEN_LOOP,    /* the same where Java does not know its length */
    RJ_LEN_BRANCH,  /* one of the items */
    RJ_LEN_UNKNOWN, /* any length */
  } kind;
  int32_t min, max;
  struct cl_rj_len *item;   /* the first of its sequence */
  struct cl_rj_len *branch; /* BRANCH: the next alternative, itself a GROUP */
  struct cl_rj_len *next;
  struct cl_rj_len *all; /* for freeing */
};

struct cl_rj_size {
  int32_t min, max;
  bool valid; /* max is known */
  bool fixed; /* there is nothing to choose */
};

struct cl_rj {
  int32_t *text; /* the pattern without quotes, two zeros behind it */
  size_t len, at;
  const char *pattern;
  unsigned flags;
  int depth;
  int groups;          /* capturing groups opened so far */
  int all_groups;      /* of the whole pattern: known in the second pass */
  bool canonical;      /* (?c) was seen */
  struct cl_buf names; /* of groups, each ended by '\n' */
  struct cl_buf *out;
  struct cl_regex_java *to;
  struct cl_rj_len *lengths;
  struct cl_err *err;
};

/* A set of characters: the inside of a bracket, or a pattern that matches one character. */
struct cl_rj_set {
  bool some; /* it was set at all */
  bool bracket;
  struct cl_buf b;
};

/* scan. Reading as Java does: `peek` looks, `read` takes, `next` takes and looks, `skip`
 * takes the second character ahead; comments are passed where Java passes them. */
int cl_rj_open(struct cl_rj *t, const char *pattern);
int32_t cl_rj_char(const struct cl_rj *t, size_t at);
int32_t cl_rj_peek(struct cl_rj *t);
int32_t cl_rj_read(struct cl_rj *t);
int32_t cl_rj_next(struct cl_rj *t);
int32_t cl_rj_next_escaped(struct cl_rj *t);
int32_t cl_rj_skip(struct cl_rj *t);
/* CL_EINVAL with Java's text for an error at the place read last. */
int cl_rj_error(struct cl_rj *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* CL_EINVAL for what Java takes and PCRE2 cannot do. */
int cl_rj_unsupported(struct cl_rj *t, const char *what);
bool cl_rj_has(const struct cl_rj *t, unsigned flag);
/* [start, end) of the pattern as UTF-8. */
void cl_rj_utf8(const struct cl_rj *t, size_t start, size_t end, struct cl_buf *out);
bool cl_rj_is_digit(int32_t c);
bool cl_rj_is_alpha(int32_t c);

/* escape. 0 and a character in *value, or -1 there with either a set in *set or, outside of
 * brackets, something that was written to t->out (*set untouched). In *lengths what it adds. */
int cl_rj_escape(struct cl_rj *t, bool in_class, bool is_range, int32_t *value, struct cl_rj_set *set);
int cl_rj_group_name(struct cl_rj *t, int32_t c, struct cl_buf *name);
bool cl_rj_knows_name(const struct cl_rj *t, const char *name);
/* What $ stands for by the flags in force. */
const char *cl_rj_dollar(const struct cl_rj *t);

/* class */
int cl_rj_class(struct cl_rj *t, bool consume, struct cl_rj_set *out);
/* c as a set, by the flags in force. */
void cl_rj_set_char(const struct cl_rj *t, int32_t c, struct cl_rj_set *out);
void cl_rj_set_range(int32_t first, int32_t last, struct cl_rj_set *out);
void cl_rj_set_items(const char *items, struct cl_rj_set *out);
void cl_rj_set_union(struct cl_rj_set *a, struct cl_rj_set *b); /* b is emptied */
void cl_rj_set_not(struct cl_rj_set *s);
void cl_rj_set_write(const struct cl_rj_set *s, struct cl_buf *out);
void cl_rj_set_free(struct cl_rj_set *s);

/* property: at the character behind p or P, which has been looked at. */
int cl_rj_property(struct cl_rj *t, struct cl_rj_set *out);
void cl_rj_word(const struct cl_rj *t, struct cl_rj_set *out);

/* names */
bool cl_rj_block(const char *name, size_t n, uint32_t *first, uint32_t *last);
const char *cl_rj_script(const char *name, size_t n); /* NULL = there is none */

/* length. NULL: no memory (t->out has failed then). */
struct cl_rj_len *cl_rj_length(struct cl_rj *t, int kind, struct cl_rj_len *item);
struct cl_rj_size cl_rj_measure(const struct cl_rj_len *first);
void cl_rj_lengths_free(struct cl_rj *t);
