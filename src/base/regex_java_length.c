/* SPDX-License-Identifier: Apache-2.0
 * How long the texts are that a lookbehind can match, as Java reckons it: in 32 bits that
 * wrap, so that some endless patterns have a length and others do not. Any thread. */
#include <stdlib.h>

#include "base/regex_java.h"

struct cl_rj_len *cl_rj_length(struct cl_rj *t, int kind, struct cl_rj_len *item) {
  struct cl_rj_len *l = calloc(1, sizeof(*l));
  if (!l) {
    t->out->failed = true;
    return NULL;
  }
  l->kind = kind;
  l->item = item;
  l->all = t->lengths;
  t->lengths = l;
  return l;
}

void cl_rj_lengths_free(struct cl_rj *t) {
  while (t->lengths) {
    struct cl_rj_len *next = t->lengths->all;
    free(t->lengths);
    t->lengths = next;
  }
}

static int32_t add(int32_t a, int32_t b) { return (int32_t)((uint32_t)a + (uint32_t)b); }

static int32_t times(int32_t a, int32_t b) { return (int32_t)((uint32_t)a * (uint32_t)b); }

static const struct cl_rj_size empty = {0, 0, true, true};

/* What follows a group, which Java measures in one go with the group's inside. */
struct after {
  const struct cl_rj_len *next;
  const struct after *then;
};

static void study(const struct cl_rj_len *l, struct cl_rj_size *s, const struct after *then);

static void repeat(const struct cl_rj_len *l, struct cl_rj_size *s) {
  const struct cl_rj_size before = *s;
  *s = empty;
  study(l->item, s, NULL);
  s->min = add(times(s->min, l->min), before.min);
  if (s->min < before.min)
    s->min = 0xFFFFFFF;
  s->valid = s->valid && before.valid;
  if (s->valid) {
    s->max = add(times(s->max, l->max), before.max);
    s->valid = s->max >= before.max;
  }
  s->fixed = s->fixed && l->min == l->max && before.fixed;
}

/* What follows is measured for itself, too. */
static void branch(const struct cl_rj_len *l, struct cl_rj_size *s, const struct after *then) {
  struct cl_rj_size before = *s;
  int32_t min = INT32_MAX, max = -1;
  for (const struct cl_rj_len *b = l->item; b; b = b->branch) {
    *s = empty;
    study(b->item, s, NULL);
    min = s->min < min ? s->min : min;
    max = s->max > max ? s->max : max;
    before.valid = before.valid && s->valid;
  }
  *s = empty;
  study(l->next, s, then);
  s->min = add(s->min, add(before.min, min));
  s->max = add(s->max, add(before.max, max));
  s->valid = s->valid && before.valid;
  s->fixed = false;
}

static void study(const struct cl_rj_len *l, struct cl_rj_size *s, const struct after *then) {
  for (; l; l = l->next) {
    int32_t min = s->min;
    switch (l->kind) {
    case RJ_LEN_CHAR:
      s->min = add(s->min, 1);
      s->max = add(s->max, 1);
      break;
    case RJ_LEN_CHARS:
      s->min = add(s->min, l->min);
      if (s->valid)
        s->max = add(s->max, RJ_FOREVER);
      s->fixed = false;
      break;
    case RJ_LEN_BREAK:
      s->min = add(s->min, 1);
      s->max = add(s->max, 2);
      break;
    case RJ_LEN_CLUSTER: /* Java forgets its longest text */
      s->min = add(s->min, 1);
      s->fixed = false;
      break;
    case RJ_LEN_OPTION:
      study(l->item, s, NULL);
      s->min = min;
      s->fixed = false;
      break;
    case RJ_LEN_ATOMIC: study(l->item, s, NULL); break;
    case RJ_LEN_GROUP: study(l->item, s, &(struct after){l->next, then}); return;
    case RJ_LEN_REPEAT: repeat(l, s); break;
    case RJ_LEN_LOOP: s->valid = s->fixed = false; return;
    case RJ_LEN_BRANCH: branch(l, s, then); return;
    case RJ_LEN_UNKNOWN: s->valid = s->fixed = false; break;
    }
  }
  if (then)
    study(then->next, s, then->then);
}

struct cl_rj_size cl_rj_measure(const struct cl_rj_len *first) {
  struct cl_rj_size s = empty;
  study(first, &s, NULL);
  return s;
}
