/* SPDX-License-Identifier: Apache-2.0
 * Symbols of object keys: one permanent table, and one in each generation for keys that are data.
 * The schemas are in schema.c, the generations in lives.c. Thread: the task's. */
#include "record/space_impl.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "record/java.h"

enum {                       /* what data may make permanent: about 1.5 MB with the tables */
       PERMANENT_MAX = 4096, /* symbols */
       PERMANENT_TEXT = 256  /* bytes of one: what is longer is data more likely than a name */
};

static void drop_scratch(struct cl_space *s) {
  free(s->scratch);
  cl_arena_return(s->budget, s->scratch_size);
  s->scratch = NULL;
  s->scratch_size = 0;
}

void cl_space_free(struct cl_space *s) {
  if (!s)
    return;
  for (size_t i = 0; i < CL_GENERATIONS; i++)
    cl_arena_free(s->gen[i].arena);
  cl_arena_free(s->arena);
  drop_scratch(s);
  cl_buf_free(&s->text);
  free(s);
}

struct cl_buf *cl_space_text(struct cl_space *s) {
  enum { KEPT = 1 << 20, TEXT_MAX = 1 << 30 };
  if (s->text.cap > KEPT || s->text.failed)
    cl_buf_free(&s->text);
  s->text.len = 0;
  s->text.failed = false;
  s->text.max = TEXT_MAX;
  return &s->text;
}

void *cl_space_scratch(struct cl_space *s, size_t size) {
  enum { KEPT = 1 << 20 };
  if (size <= KEPT && s->scratch_size > KEPT)
    drop_scratch(s); /* whoever let it grow is done: its next piece would be larger still */
  if (size <= s->scratch_size)
    return s->scratch;
  size_t cap = s->scratch_size ? s->scratch_size : 4096;
  while (cap < size)
    cap *= 2;
  size_t more = cap - s->scratch_size;
  if (!cl_arena_charge(s->budget, more))
    return NULL;
  void *p = realloc(s->scratch, cap);
  if (!p) {
    cl_arena_return(s->budget, more);
    return NULL;
  }
  s->scratch = p;
  s->scratch_size = cap;
  return p;
}

uint32_t cl_space_hash(const struct cl_space *s, const char *p, uint32_t len) {
  uint64_t h = s->seed ^ len;
  for (; len >= 8; p += 8, len -= 8) {
    uint64_t w;
    memcpy(&w, p, 8);
    h = (h ^ w) * 0x9fb21c651e98df25u;
    h ^= h >> 32;
  }
  uint64_t tail = 0;
  for (uint32_t i = 0; i < len; i++)
    tail = tail << 8 | (unsigned char)p[i];
  h = (h ^ tail) * 0x9fb21c651e98df25u;
  return (uint32_t)(h ^ h >> 32);
}

/* Slot of the text in t, or the empty slot where it belongs. */
static uint32_t *slot_of(const struct cl_sym_table *t, const char *p, uint32_t len, uint32_t hash) {
  uint32_t i = hash & t->mask;
  while (t->slot[i]) {
    const struct cl_sym *sym = &t->sym[t->slot[i]];
    if (sym->hash == hash && sym->len == len && memcmp(sym->text, p, len) == 0)
      break;
    i = (i + 1) & t->mask;
  }
  return &t->slot[i];
}

/* Room for one more symbol; the old arrays stay in the arena until it goes. */
static bool table_grow(struct cl_sym_table *t, struct cl_arena *arena) {
  uint32_t cap = t->cap ? t->cap * 2 : 64;
  struct cl_sym *sym = cl_arena_alloc(arena, cap * sizeof(*sym));
  uint32_t *slot = cl_arena_zalloc(arena, 2 * cap * sizeof(*slot));
  if (!sym || !slot)
    return false;
  if (t->n)
    memcpy(sym, t->sym, t->n * sizeof(*sym));
  else
    sym[t->n++] = (struct cl_sym){0}; /* no symbol; its child is what a document starts with */
  t->sym = sym;
  t->slot = slot;
  t->cap = cap;
  t->mask = 2 * cap - 1;
  for (uint32_t i = 1; i < t->n; i++)
    *slot_of(t, sym[i].text, sym[i].len, sym[i].hash) = i;
  return true;
}

struct cl_space *cl_space_new(struct cl_arena_budget *budget) {
  struct cl_space *s = calloc(1, sizeof(*s));
  if (!s)
    return NULL;
  s->budget = budget;
  s->arena = cl_arena_new(budget);
  /* A seed of our own each time: keys come from outside and must not choose their slots. */
  if (getrandom(&s->seed, sizeof(s->seed), GRND_NONBLOCK) != (ssize_t)sizeof(s->seed))
    s->seed = (uint64_t)(uintptr_t)s * 0x9e3779b97f4a7c15u;
  if (!s->arena || !table_grow(&s->table, s->arena)) {
    cl_space_free(s);
    return NULL;
  }
  cl_space_open(s);
  s->lives.lasting = 1;
  return s;
}

static bool is_clean(const char *p, uint32_t len) {
  for (uint32_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)p[i];
    /* 0xED may open a lone surrogate, 0xF0 a pair: both are written escaped. */
    if (c < 0x20 || c == '"' || c == '\\' || c == 0xED || c >= 0xF0)
      return false;
  }
  return true;
}

static uint32_t table_add(struct cl_sym_table *t, struct cl_arena *arena, const char *p, uint32_t len,
                          uint32_t hash) {
  if (t->n + 1 >= t->cap && !table_grow(t, arena))
    return 0;
  char *quoted = cl_arena_alloc(arena, (size_t)len + 3); /* "text": */
  if (!quoted)
    return 0;
  quoted[0] = '"';
  if (len)
    memcpy(quoted + 1, p, len);
  memcpy(quoted + 1 + len, "\":", 2);
  *slot_of(t, p, len, hash) = t->n;
  t->sym[t->n] = (struct cl_sym){.text = quoted + 1,
                                 .len = len,
                                 .hash = hash,
                                 .java_hash = cl_java_string_hash(p, len),
                                 .clean = is_clean(p, len)};
  return t->n++;
}

static uint32_t table_find(const struct cl_sym_table *t, const char *p, uint32_t len, uint32_t hash) {
  return t->cap ? *slot_of(t, p, len, hash) : 0;
}

static uint32_t data_sym(struct cl_space *s, const char *p, uint32_t len, uint32_t hash) {
  uint32_t at = s->newest % CL_GENERATIONS;
  struct cl_generation *g = &s->gen[at];
  uint32_t index = table_find(&g->table, p, len, hash);
  if (!index) {
    if (!cl_space_generation(s) || g->table.n >= CL_GENERATION_MAX - 1)
      return 0;
    index = table_add(&g->table, g->arena, p, len, hash);
  }
  return index ? UINT32_C(1) << 31 | at << 24 | index : 0;
}

uint32_t cl_space_sym(struct cl_space *s, const char *p, uint32_t len) {
  uint32_t hash = cl_space_hash(s, p, len);
  uint32_t index = table_find(&s->table, p, len, hash);
  if (index)
    return index;
  if (s->table.n < PERMANENT_MAX && len <= PERMANENT_TEXT)
    return table_add(&s->table, s->arena, p, len, hash);
  return data_sym(s, p, len, hash);
}

uint32_t cl_space_sym_keep(struct cl_space *s, const char *p, uint32_t len) {
  uint32_t hash = cl_space_hash(s, p, len);
  uint32_t index = table_find(&s->table, p, len, hash);
  return index ? index : table_add(&s->table, s->arena, p, len, hash);
}

struct cl_sym *cl_space_sym_info(const struct cl_space *s, uint32_t sym) {
  return cl_space_sym_at(s, sym);
}

struct cl_str cl_space_sym_text(const struct cl_space *s, uint32_t sym) {
  const struct cl_sym *info = cl_space_sym_info(s, sym);
  return (struct cl_str){info->text, info->len};
}

uint64_t cl_space_next_mark(struct cl_space *s) { return ++s->last_mark; }
