/* SPDX-License-Identifier: Apache-2.0
 * The JSON parser's frame: values, containers, keys. Open containers live on a stack of
 * our own in the space's scratch memory, so deep input costs no C stack. Thread: the task's. */
#include <string.h>

#include "record/codec.h"
#include "record/java.h"
#include "record/json_in.h"
#include "record/space_impl.h"

enum { TOP_SPARE = 4 }; /* free entries of a document's object: a transform's insert moves nothing */

/* The container being read. Its finished members lie above it on the stack. */
struct level {
  uint32_t base;     /* first member on the stack */
  uint32_t key;      /* object: key of the member being read; array: the array's own key */
  uint32_t previous; /* object: the key before that */
  uint8_t kind;      /* '{', '[' or 0 above all */
  bool repeated;     /* object: some key may have come twice */
  uint16_t depth;
  uint64_t seen; /* object: one bit per key, by hash */
};

union item {
  struct cl_entry entry;
  struct level level;
};
_Static_assert(sizeof(union item) == 24, "a level takes the place of one member");

struct stack {
  union item *item;
  size_t n, cap;
  struct level now;
};

int cl_json_in_fail(const struct cl_json_in *in, const char *what) {
  return cl_err_set(in->err, CL_EDATA, "%s at byte %zu", what, (size_t)(in->p - in->start));
}

static int no_memory(const struct cl_json_in *in) {
  return cl_err_set(in->err, CL_ENOMEM, "no memory for a record of %zu bytes", (size_t)(in->end - in->start));
}

static inline int peek(struct cl_json_in *in) {
  const char *p = in->p;
  while (p < in->end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
    p++;
  in->p = p;
  return p < in->end ? (unsigned char)*p : -1;
}

int cl_json_in_peek(struct cl_json_in *in) { return peek(in); }

/* ----------------------------------------------------------------- keys */

static inline int read_key(struct cl_json_in *in, uint32_t owner, uint32_t previous, uint32_t *out) {
  struct cl_space *s = in->b->space;
  uint32_t none = 0, *link = &none;
  if (cl_space_sym_is_permanent(owner | previous))
    link = previous ? &s->table.sym[previous].next : &s->table.sym[owner].child;
  const struct cl_sym *guess = &s->table.sym[*link];
  size_t left = (size_t)(in->end - in->p);
  if (*link && guess->clean && left > guess->len + 1 && in->p[0] == '"' && in->p[guess->len + 1] == '"' &&
      memcmp(in->p + 1, guess->text, guess->len) == 0) {
    *out = *link;
    in->p += guess->len + 2;
  } else {
    struct cl_val text;
    if (left == 0 || *in->p != '"')
      return cl_json_in_fail(in, left ? "a key in double quotes is missing" : "unexpected end");
    if (cl_json_in_string(in, &text) != 0)
      return in->err->code;
    *out = cl_space_sym(s, text.s, text.len);
    if (!*out)
      return no_memory(in);
    /* The table may have moved: find the link again. */
    if (cl_space_sym_is_permanent(owner | previous | *out))
      *(previous ? &s->table.sym[previous].next : &s->table.sym[owner].child) = *out;
  }
  if (peek(in) != ':')
    return cl_json_in_fail(in, in->p < in->end ? "a colon is missing" : "unexpected end");
  in->p++;
  return 0;
}

int cl_json_in_key(struct cl_json_in *in, uint32_t owner, uint32_t previous, uint32_t *out) {
  peek(in);
  return read_key(in, owner, previous, out);
}

/* ----------------------------------------------------------- containers */

static bool stack_grow(struct cl_json_in *in, struct stack *st) {
  size_t cap = st->cap ? st->cap * 2 : 256;
  union item *item = cl_space_scratch(in->b->space, cap * sizeof(*item));
  if (!item)
    return false;
  st->item = item;
  st->cap = cap;
  return true;
}

/* Where the next value goes: the caller's place, or the next free one on the stack.
 * Written in place, because copying a value just written stalls the processor. */
static inline struct cl_val *place(struct cl_json_in *in, struct stack *st, struct cl_val *out) {
  if (!st->now.kind)
    return out;
  if (st->n == st->cap && !stack_grow(in, st))
    return NULL;
  return &st->item[st->n].entry.val;
}

/* The place of the container's value holds the level around it until it is closed. */
static int open_container(struct cl_json_in *in, struct stack *st, char kind) {
  if (st->now.depth >= CL_JSON_DEPTH)
    return cl_json_in_fail(in, "nesting deeper than 1000");
  if (st->n == st->cap && !stack_grow(in, st))
    return no_memory(in);
  st->item[st->n++].level = st->now;
  st->now.base = (uint32_t)st->n;
  st->now.previous = 0;
  st->now.kind = (uint8_t)kind;
  st->now.repeated = false;
  st->now.depth++;
  st->now.seen = 0;
  in->p++;
  return 0;
}

/* The last value of a repeated key wins, at the place of the first. */
static uint32_t merge_repeated(struct cl_space *s, struct cl_entry *e, uint32_t n) {
  uint64_t mark = cl_space_next_mark(s);
  uint32_t kept = 0;
  for (uint32_t i = 0; i < n; i++) {
    struct cl_sym *sym = cl_space_sym_info(s, e[i].sym);
    if (sym->mark == mark) {
      e[sym->mark_at].val = e[i].val;
    } else {
      sym->mark = mark;
      sym->mark_at = kept;
      e[kept++] = e[i];
    }
  }
  return kept;
}

static int close_object(struct cl_json_in *in, struct stack *st, struct cl_val *out) {
  struct cl_entry *e = &st->item[st->now.base].entry;
  uint32_t n = (uint32_t)(st->n - st->now.base);
  if (st->now.repeated)
    n = merge_repeated(in->b->space, e, n);
  uint32_t cap = st->now.base == 1 ? n + TOP_SPARE : n;
  struct cl_obj *obj = cl_arena_alloc(in->b->arena, sizeof(*obj) + cap * sizeof(*e));
  if (!obj)
    return no_memory(in);
  *obj = (struct cl_obj){.n = n, .cap = cap, .java_cap = cl_java_cap(n), .e = (struct cl_entry *)(obj + 1)};
  if (n)
    memcpy(obj->e, e, n * sizeof(*e));
  *out = (struct cl_val){.kind = CL_OBJECT, .obj = obj};
  return 0;
}

static int close_array(struct cl_json_in *in, struct stack *st, struct cl_val *out) {
  uint32_t n = (uint32_t)(st->n - st->now.base);
  struct cl_arr *arr = cl_arena_alloc(in->b->arena, sizeof(*arr) + n * sizeof(*arr->v));
  if (!arr)
    return no_memory(in);
  *arr = (struct cl_arr){.n = n, .cap = n, .v = (struct cl_val *)(arr + 1)};
  for (uint32_t i = 0; i < n; i++)
    arr->v[i] = st->item[st->now.base + i].entry.val;
  *out = (struct cl_val){.kind = CL_ARRAY, .arr = arr};
  return 0;
}

static int close_container(struct cl_json_in *in, struct stack *st, struct cl_val *out) {
  struct cl_val v;
  in->p++;
  int rc = st->now.kind == '{' ? close_object(in, st, &v) : close_array(in, st, &v);
  if (rc != 0)
    return rc;
  st->n = st->now.base - 1;
  st->now = st->item[st->n].level;
  *place(in, st, out) = v; /* there is room: the level was there */
  return 0;
}

/* The value in its place becomes a member of the open container. */
static inline void add_member(struct stack *st) {
  struct level *now = &st->now;
  struct cl_entry *e = &st->item[st->n++].entry;
  e->sym = now->key;
  e->unused = 0;
  if (now->kind == '{') {
    uint64_t bit = UINT64_C(1) << (now->key * 0x9E3779B1u >> 26);
    now->repeated |= (now->seen & bit) != 0;
    now->seen |= bit;
    now->previous = now->key;
  }
}

/* --------------------------------------------------------------- values */

static int read_word(struct cl_json_in *in, const char *word, uint32_t len, enum cl_kind kind,
                     struct cl_val *out) {
  if ((size_t)(in->end - in->p) < len || memcmp(in->p, word, len) != 0)
    return cl_json_in_fail(in, "unknown word");
  in->p += len;
  *out = (struct cl_val){.kind = (uint8_t)kind};
  return 0;
}

static inline int read_scalar(struct cl_json_in *in, int c, struct cl_val *out) {
  switch (c) {
  case '"': return cl_json_in_string(in, out);
  case 't': return read_word(in, "true", 4, CL_TRUE, out);
  case 'f': return read_word(in, "false", 5, CL_FALSE, out);
  case 'n': return read_word(in, "null", 4, CL_NULL, out);
  case -1: return cl_json_in_fail(in, "unexpected end");
  default:
    if (c == '-' || (c >= '0' && c <= '9'))
      return cl_json_in_number(in, out);
    return cl_json_in_fail(in, "unexpected character");
  }
}

/* Reads on until a whole value, scalar or empty container, is in its place. */
static int next_value(struct cl_json_in *in, struct stack *st, struct cl_val *out) {
  for (;;) {
    int c = peek(in), rc;
    if (c != '{' && c != '[') {
      struct cl_val *v = place(in, st, out);
      return v ? read_scalar(in, c, v) : no_memory(in);
    }
    uint32_t owner = st->now.key;
    if (open_container(in, st, (char)c) != 0)
      return in->err->code;
    int first = peek(in);
    if (first == (c == '{' ? '}' : ']'))
      return close_container(in, st, out);
    if (c == '{' && (rc = read_key(in, owner, 0, &st->now.key)) != 0)
      return rc;
  }
}

/* Behind a comma: the next member, up to its value. */
static int next_member(struct cl_json_in *in, struct stack *st, struct cl_val *out) {
  in->p++;
  if (st->now.kind == '{') {
    peek(in);
    int rc = read_key(in, st->item[st->now.base - 1].level.key, st->now.previous, &st->now.key);
    if (rc != 0)
      return rc;
  }
  return next_value(in, st, out);
}

int cl_json_in_value(struct cl_json_in *in, uint32_t depth, uint32_t key, struct cl_val *out) {
  struct stack st = {.now = {.key = key, .depth = (uint16_t)depth}};
  int rc = next_value(in, &st, out);
  while (rc == 0 && st.now.kind) {
    add_member(&st);
    int c = peek(in);
    if (c == ',')
      rc = next_member(in, &st, out);
    else if (c == (st.now.kind == '{' ? '}' : ']'))
      rc = close_container(in, &st, out);
    else
      rc = cl_json_in_fail(in, c < 0 ? "unexpected end" : "a comma or the end of the container is missing");
  }
  return rc;
}

/* ------------------------------------------------------------- document */

int cl_json_in_begin(struct cl_json_in *in, struct cl_batch *b, const char *p, size_t len,
                     struct cl_err *err) {
  bool narrow = in->narrow;
  *in = (struct cl_json_in){.b = b, .start = p, .p = p, .end = p + len, .err = err, .narrow = narrow};
  if (len > UINT32_MAX / 4)
    return cl_err_set(err, CL_EDATA, "a document of %zu bytes is too long", len);
  if (cl_json_transcode(b, &p, &len, err) != 0)
    return err->code;
  in->start = in->p = p;
  in->end = p + len;
  return 0;
}

/* Jackson ignores what follows the first value, except what is glued to a scalar. */
static bool glued(const struct cl_json_in *in, enum cl_kind kind) {
  if (in->p == in->end)
    return false;
  unsigned char c = (unsigned char)*in->p;
  if (kind == CL_INT || kind == CL_BIGINT || kind == CL_NUMTEXT)
    return !(c == ' ' || c == '\n' || c == '\r' || c == '\t');
  if (kind == CL_TRUE || kind == CL_FALSE || kind == CL_NULL)
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           c >= 0x7f;
  return false;
}

int cl_json_in_document(struct cl_json_in *in, struct cl_val *out) {
  if (peek(in) < 0) {
    *out = (struct cl_val){.kind = CL_MISSING};
    return 0;
  }
  int rc = cl_json_in_value(in, 0, 0, out);
  if (rc == 0 && glued(in, out->kind))
    rc = cl_json_in_fail(in, "unexpected character after the value");
  return rc;
}

int cl_json_read(struct cl_batch *b, const char *p, size_t len, struct cl_val *out, struct cl_err *err) {
  struct cl_json_in in = {0};
  int rc = cl_json_in_begin(&in, b, p, len, err);
  return rc ? rc : cl_json_in_document(&in, out);
}
