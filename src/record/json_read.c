/* SPDX-License-Identifier: Apache-2.0
 * The JSON parser's frame: values, containers, keys. Open containers live on a stack of
 * our own in the space's scratch memory, so deep input costs no C stack. Thread: the task's. */
#include <string.h>

#include "record/codec.h"
#include "record/json_in.h"
#include "record/json_scan.h"
#include "record/space_impl.h"

enum { TOP_SPARE = 4 }; /* free entries of a document's object: a transform's insert moves nothing */

/* The container being read. Its finished members lie above it on the stack. */
struct level {
  uint32_t base;     /* first member on the stack */
  uint32_t key;      /* object: key of the member being read; array: the array's own key */
  uint32_t previous; /* object: the key before that */
  uint16_t depth;
  uint8_t kind; /* '{', '[' or 0 above all */
};

union item {
  struct cl_entry entry;
  struct level level;
};
_Static_assert(sizeof(union item) == 24, "a level takes the place of one member");

struct stack {
  union item *item, *top, *limit; /* top = the next free one */
  struct level now;
};

int cl_json_in_fail(const struct cl_json_in *in, const char *what) {
  return cl_err_set(in->err, CL_EDATA, "%s at byte %zu", what, (size_t)(in->p - in->start));
}

static int no_memory(const struct cl_json_in *in) {
  return cl_err_set(in->err, CL_ENOMEM, "no memory for a record of %zu bytes", (size_t)(in->end - in->start));
}

/* The place in the input travels in a register (p) wherever members are read, since every
 * value that is stored may be the parser's own as far as the compiler knows. in->p is for
 * those who are called, and for errors. NULL = failed. */
static const char *fail_at(struct cl_json_in *in, const char *p, const char *what) {
  in->p = p;
  cl_json_in_fail(in, what);
  return NULL;
}

static const char *fail_memory(const struct cl_json_in *in) {
  no_memory(in);
  return NULL;
}

static inline const char *skip_space(const char *p, const char *end) {
  while (p < end && (unsigned char)*p <= ' ' && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
    p++;
  return p;
}

int cl_json_in_peek(struct cl_json_in *in) {
  in->p = skip_space(in->p, in->end);
  return in->p < in->end ? (unsigned char)*in->p : -1;
}

/* ----------------------------------------------------------------- keys */

/* Jackson gives up when its buffer would hold more than these bytes, and tells them. */
static const char *fail_name(const struct cl_json_in *in, uint32_t len) {
  enum { BUFFER = 65536 };
  cl_err_set(
      in->err, CL_EDATA,
      "Name length (%u) exceeds the maximum allowed (%d, from `StreamReadConstraints.getMaxNameLength()`)",
      len < BUFFER ? len : BUFFER, CL_JSON_NAME);
  return NULL;
}

/* A key that is not the expected one, but will be next time unless its text needs escapes. */
static const char *new_key(struct cl_json_in *in, const char *p, uint32_t owner, uint32_t previous,
                           uint32_t *out) {
  struct cl_space *s = in->b->space;
  struct cl_val text;
  if (p == in->end || *p != '"')
    return fail_at(in, p, p < in->end ? "a key in double quotes is missing" : "unexpected end");
  in->p = p;
  if (cl_json_in_string(in, &text) != 0)
    return NULL;
  if (text.len > CL_JSON_NAME)
    return fail_name(in, text.len);
  *out = cl_space_sym(s, text.s, text.len);
  if (!*out)
    return fail_memory(in);
  if (cl_space_sym_is_permanent(owner | previous | *out) && s->table.sym[*out].clean)
    *(previous ? &s->table.sym[previous].next : &s->table.sym[owner].child) = *out;
  p = skip_space(in->p, in->end);
  if (p == in->end || *p != ':')
    return fail_at(in, p, p < in->end ? "a colon is missing" : "unexpected end");
  return p + 1;
}

/* Behind the key's colon. Records of a topic have the same keys in the same order: what
 * followed the key before it last time is compared first, quotes, colon and all. */
static inline __attribute__((always_inline)) const char *
read_key(struct cl_json_in *in, const char *p, uint32_t owner, uint32_t previous, uint32_t *out) {
  p = skip_space(p, in->end);
  if (cl_space_sym_is_permanent(owner | previous)) {
    const struct cl_sym *sym = in->b->space->table.sym;
    uint32_t next = previous ? sym[previous].next : sym[owner].child;
    size_t len = (size_t)sym[next].len + 3;
    if (next && (size_t)(in->end - p) >= len && cl_json_same(p, sym[next].text - 1, len)) {
      *out = next;
      return p + len;
    }
  }
  return new_key(in, p, owner, previous, out);
}

int cl_json_in_key(struct cl_json_in *in, uint32_t owner, uint32_t previous, uint32_t *out) {
  const char *p = read_key(in, in->p, owner, previous, out);
  if (!p)
    return in->err->code;
  in->p = p;
  return 0;
}

/* ----------------------------------------------------------- containers */

/* A larger stack's items, n of them in use; NULL = no memory. */
static union item *stack_grow(struct cl_json_in *in, size_t *cap) {
  *cap = *cap ? *cap * 2 : 256;
  return cl_space_scratch(in->b->space, *cap * sizeof(union item));
}

/* Room for one more. */
static inline bool has_room(struct cl_json_in *in, struct stack *st) {
  if (st->top < st->limit)
    return true;
  size_t n = (size_t)(st->top - st->item), cap = (size_t)(st->limit - st->item);
  union item *item = stack_grow(in, &cap);
  if (!item)
    return false;
  st->item = item;
  st->top = item + n;
  st->limit = item + cap;
  return true;
}

/* A value in two stores, which can be read again at once. */
static inline void set_val(struct cl_val *v, uint64_t kind, uint64_t flags, uint64_t aux, uint64_t len,
                           int64_t word) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  uint64_t head = kind | flags << 8 | aux << 16 | len << 32;
#else
  uint64_t head = kind << 56 | flags << 48 | aux << 32 | len;
#endif
  memcpy(v, &head, 8);
  v->i = word;
}

/* Field by field: a wide copy of what was just written in parts stalls the processor. */
static inline void set_level(struct level *to, const struct level *from) {
  to->base = from->base;
  to->key = from->key;
  to->previous = from->previous;
  to->depth = from->depth;
  to->kind = from->kind;
}

/* The same, in the two words that set_val wrote. */
static inline void copy_val(struct cl_val *to, const struct cl_val *from) {
  uint64_t head;
  memcpy(&head, from, 8);
  memcpy(to, &head, 8);
  to->i = from->i;
}

/* The place of the container's value holds the level around it until it is closed. */
static inline const char *open_container(struct cl_json_in *in, const char *p, struct stack *st, char kind) {
  if (st->now.depth >= CL_JSON_DEPTH)
    return fail_at(in, p, "nesting deeper than 1000");
  if (!has_room(in, st))
    return fail_memory(in);
  set_level(&st->top++->level, &st->now);
  st->now.base = (uint32_t)(st->top - st->item);
  st->now.previous = 0;
  st->now.kind = (uint8_t)kind;
  st->now.depth++;
  return p + 1;
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

static inline bool close_object(struct cl_json_in *in, const struct stack *st, struct cl_val *out) {
  const struct cl_entry *e = &st->item[st->now.base].entry;
  uint32_t n = (uint32_t)(st->top - st->item) - st->now.base;
  uint32_t cap = st->now.base == 1 ? n + TOP_SPARE : n;
  struct cl_obj *obj = cl_arena_alloc(in->b->arena, sizeof(*obj) + cap * sizeof(*e));
  uint64_t seen = 0; /* one bit per key, by hash */
  bool repeated = false;
  if (!obj)
    return false;
  *obj = (struct cl_obj){.cap = cap, .e = (struct cl_entry *)(obj + 1)};
  for (uint32_t i = 0; i < n; i++) {
    uint64_t bit = UINT64_C(1) << (e[i].sym * 0x9E3779B1u >> 26);
    repeated |= (seen & bit) != 0;
    seen |= bit;
    obj->e[i].sym = e[i].sym;
    obj->e[i].unused = 0;
    copy_val(&obj->e[i].val, &e[i].val);
  }
  obj->n = repeated ? merge_repeated(in->b->space, obj->e, n) : n;
  obj->java_cap = 16;
  set_val(out, CL_OBJECT, 0, 0, 0, (int64_t)(intptr_t)obj);
  return true;
}

static inline bool close_array(struct cl_json_in *in, const struct stack *st, struct cl_val *out) {
  const union item *from = &st->item[st->now.base];
  uint32_t n = (uint32_t)(st->top - from);
  struct cl_arr *arr = cl_arena_alloc(in->b->arena, sizeof(*arr) + n * sizeof(*arr->v));
  if (!arr)
    return false;
  *arr = (struct cl_arr){.n = n, .cap = n, .v = (struct cl_val *)(arr + 1)};
  for (uint32_t i = 0; i < n; i++)
    copy_val(&arr->v[i], &from[i].entry.val);
  set_val(out, CL_ARRAY, 0, 0, 0, (int64_t)(intptr_t)arr);
  return true;
}

/* p is at the closing bracket. The value takes the place of the level, or the caller's. */
static inline const char *close_container(struct cl_json_in *in, const char *p, struct stack *st,
                                          struct cl_val *out) {
  struct cl_val v = {0}; /* what GCC cannot see under TSan */
  if (!(st->now.kind == '{' ? close_object(in, st, &v) : close_array(in, st, &v)))
    return fail_memory(in);
  st->top = &st->item[st->now.base - 1];
  set_level(&st->now, &st->top->level);
  copy_val(st->now.kind ? &st->top->entry.val : out, &v);
  return p + 1;
}

/* The value in its place becomes a member of the open container. */
static inline void add_member(struct stack *st) {
  st->top++->entry.sym = st->now.key;
  if (st->now.kind == '{')
    st->now.previous = st->now.key;
}

/* --------------------------------------------------------------- values */

static const char *read_word(struct cl_json_in *in, const char *p, struct cl_val *out) {
  static const struct {
    char text[6];
    uint8_t len, kind;
  } words[] = {{"true", 4, CL_TRUE}, {"false", 5, CL_FALSE}, {"null", 4, CL_NULL}};
  const size_t i = *p == 't' ? 0 : *p == 'f' ? 1 : 2;
  if (in->end - p < words[i].len || memcmp(p, words[i].text, words[i].len) != 0)
    return fail_at(in, p, "unknown word");
  set_val(out, words[i].kind, 0, 0, 0, 0);
  return p + words[i].len;
}

/* c is the byte at p, or -1. Strings and numbers of the plain sort are read here. */
static inline const char *read_scalar(struct cl_json_in *in, const char *p, int c, struct cl_val *out) {
  if (c == '"') {
    const char *s = p + 1, *q = cl_json_skip_plain(s, in->end);
    if (q < in->end && *q == '"' && q - s <= CL_JSON_STRING) {
      set_val(out, CL_STRING, CL_VAL_CLEAN, 0, (uint32_t)(q - s), (int64_t)(intptr_t)s);
      return q + 1;
    }
    in->p = p;
    return cl_json_in_string(in, out) == 0 ? in->p : NULL;
  }
  if (c == '-' || (c >= '0' && c <= '9')) {
    int64_t i;
    const char *q = cl_json_short_int(p, in->end, &i);
    if (q) {
      set_val(out, CL_INT, 0, 64, 0, i);
      return q;
    }
    in->p = p;
    return cl_json_in_number(in, out) == 0 ? in->p : NULL;
  }
  if (c == 't' || c == 'f' || c == 'n')
    return read_word(in, p, out);
  return fail_at(in, p, c < 0 ? "unexpected end" : "unexpected character");
}

/* The byte at p behind white space, or -1 at the end. */
static inline int next_byte(const struct cl_json_in *in, const char **p) {
  *p = skip_space(*p, in->end);
  return *p < in->end ? (unsigned char)**p : -1;
}

/* Where the value that is not yet a member goes: the next free place on the stack or the caller's.
 * Written there at once, because copying what was just written stalls the processor. */
static inline struct cl_val *place(struct cl_json_in *in, struct stack *st, struct cl_val *out) {
  if (!st->now.kind)
    return out;
  return has_room(in, st) ? &st->top->entry.val : NULL;
}

/* Behind a value and behind an opening bracket: all containers that end here. */
static inline const char *close_containers(struct cl_json_in *in, const char *p, struct stack *st,
                                           bool opened, struct cl_val *out) {
  for (;; opened = false) {
    if (!opened) {
      if (!st->now.kind)
        return p;
      add_member(st);
    }
    int c = next_byte(in, &p);
    if (c != (st->now.kind == '{' ? '}' : ']')) {
      if (opened)
        return p;
      if (c == ',')
        return p + 1;
      return fail_at(in, p, c < 0 ? "unexpected end" : "a comma or the end of the container is missing");
    }
    if (!(p = close_container(in, p, st, out)))
      return NULL;
  }
}

static inline uint32_t owner_of(const struct stack *st) { return st->item[st->now.base - 1].level.key; }

int cl_json_in_value(struct cl_json_in *in, uint32_t depth, uint32_t key, struct cl_val *out) {
  struct stack st = {.now = {.key = key, .depth = (uint16_t)depth}};
  const char *p = in->p;
  do {
    int c = next_byte(in, &p);
    bool opened = c == '{' || c == '[';
    if (opened) {
      p = open_container(in, p, &st, (char)c);
    } else {
      struct cl_val *v = place(in, &st, out);
      p = v ? read_scalar(in, p, c, v) : fail_memory(in);
    }
    if (p)
      p = close_containers(in, p, &st, opened, out);
    if (p && st.now.kind == '{')
      p = read_key(in, p, owner_of(&st), st.now.previous, &st.now.key);
  } while (p && st.now.kind);
  if (!p)
    return in->err->code;
  in->p = p;
  return 0;
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
  if (cl_json_in_peek(in) < 0) {
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
