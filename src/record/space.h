/* SPDX-License-Identifier: Apache-2.0
 *
 * What one task's records share: the symbols of object keys, the interned schemas and what
 * transforms work out from them. What is made before the first batch is permanent, and so are the
 * first ones after it and more of those made while no batch is worked on (cl_lives.lasting); the
 * rest belongs to a generation.
 * A batch that begins when the newest generation is full opens the next one, and a generation
 * dies with the batches that may have used it: so what grows with the data has a ceiling. Whoever
 * caches something of a generation forgets it when cl_space_newest has changed.
 * Owner: the task. Thread: the task's.
 */
#pragma once

#include "connect_lua/abi_c.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* A key's text with what the codecs keep beside it. */
struct cl_sym {
  const char *text;
  uint32_t len;
  uint32_t hash;
  int32_t java_hash; /* String.hashCode */
  bool clean;        /* needs no escape: text lies inside `"text":` */
  uint32_t next;     /* key that followed this one last time (permanent symbols only), or 0 */
  uint32_t child;    /* first key of the object that was this key's value last time, or 0 */
  uint32_t mark_at;  /* for whoever looks for repeated keys: valid while mark is its number */
  uint64_t mark;
};

struct cl_space *cl_space_new(struct cl_arena_budget *budget); /* NULL = no memory */
void cl_space_free(struct cl_space *s);

/* Symbol of a key; 0 = no memory. Beyond the permanent ceiling, and of a long text, the symbol is valid only
 * for the batches alive now. */
uint32_t cl_space_sym(struct cl_space *s, const char *p, uint32_t len);
/* The same, but always permanent: words of the configuration. */
uint32_t cl_space_sym_keep(struct cl_space *s, const char *p, uint32_t len);
struct cl_str cl_space_sym_text(const struct cl_space *s, uint32_t sym);
/* The hash of a key's text (cl_sym.hash). */
uint32_t cl_space_hash(const struct cl_space *s, const char *p, uint32_t len);
/* Moves when symbols are added: use at once. sym must be valid. */
struct cl_sym *cl_space_sym_info(const struct cl_space *s, uint32_t sym);
static inline bool cl_space_sym_is_permanent(uint32_t sym) { return !(sym >> 31); }

/* A number no symbol is marked with yet. */
uint64_t cl_space_next_mark(struct cl_space *s);

/* A batch tells when it starts and ends; end gets what begin answered. */
uint32_t cl_space_batch_begin(struct cl_space *s);
void cl_space_batch_end(struct cl_space *s, uint32_t generation);

/* The interned twin of a schema built anywhere (its parts already interned, its default's
 * struct schemas too); NULL = no memory. Copies what it keeps; sets logical, hash, uid, life,
 * the fields' sym and index. Parts of an older generation give way to their twins. */
const struct cl_schema *cl_space_intern(struct cl_space *s, const struct cl_schema *schema);
/* How deep a schema's parts, which are interned, are nested. What walks over schemas recurses: plugins may
 * not make deeper ones than this. Parsers let in less. */
enum { CL_SCHEMA_NESTED = 1100 };
uint16_t cl_space_schema_depth(const struct cl_schema *schema);
/* What whoever drafts a schema may get wrong: a default that is a struct with other fields, schemas nested
 * deeper than that. CL_EDATA. */
int cl_space_check(const struct cl_schema *draft, struct cl_err *err);
/* Schemas used everywhere: required or optional primitives without a name. */
const struct cl_schema *cl_space_primitive(struct cl_space *s, enum cl_type type, bool optional);
/* The logical type a schema's name stands for. */
enum cl_logical cl_space_logical(struct cl_str name);
/* The same for an interned one: itself, unless it belongs to an older generation. */
const struct cl_schema *cl_space_schema_now(struct cl_space *s, const struct cl_schema *schema);
/* Memory for what is made now, and its life; brief: it refers to something that is not permanent.
 * NULL = no memory. */
struct cl_arena *cl_space_arena(struct cl_space *s, bool brief, uint16_t *life);
/* The memory of what has this life. */
struct cl_arena *cl_space_arena_of(struct cl_space *s, uint16_t life);
/* What cl_space_newest answers changes when a generation begins. */
uint16_t cl_space_newest(const struct cl_space *s);
/* cl_lives.lasting is set; answers what it was. */
uint16_t cl_space_set_lasting(struct cl_space *s, uint16_t lasting);
size_t cl_space_used(const struct cl_space *s); /* bytes of all that lives */
/* One growing piece of working memory for whoever is running, of the task's budget: a larger one begins with
 * what the last one held, nothing else survives the next call. A large one is not kept. NULL = no memory; the
 * old piece stays valid. */
void *cl_space_scratch(struct cl_space *s, size_t size);
/* One text buffer for whoever is running, emptied by each call; a large one is not kept. */
struct cl_buf *cl_space_text(struct cl_space *s);
