/* SPDX-License-Identifier: Apache-2.0
 * The cache of compiled files: a list, most recently used first. An entry never changes; it
 * dies when nobody loads it and it was dropped from the list.
 * Thread: any; the lock is never held while Lua runs. May include base, Lua. */
#include "vm/chunks.h"

#include "base/buf.h"
#include "base/fs.h"

#include <lauxlib.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

enum {
  HELD_MAX = 8 << 20, /* bytes, texts included */
  ENTRIES_MAX = 512,  /* the list is walked */
  FILE_MAX = 4 << 20
};

struct file_id {
  dev_t dev;
  ino_t ino;
  off_t size;
  struct timespec modified, changed;
};

struct entry {
  struct entry *next;
  char *name;
  struct file_id id; /* of our own files */
  char *text;        /* of others; NULL = one of our own */
  size_t text_len;
  char *code;
  size_t code_len;
  int refs; /* the list's and each loader's; under the lock */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct entry *first;
static size_t held, entries;

/* What is looked for: the text, or the file's identity. */
struct key {
  const char *name, *text;
  size_t text_len;
  struct file_id id;
};

static bool same_time(struct timespec a, struct timespec b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same_id(const struct file_id *a, const struct file_id *b) {
  return a->dev == b->dev && a->ino == b->ino && a->size == b->size && same_time(a->modified, b->modified) &&
         same_time(a->changed, b->changed);
}

static bool matches(const struct entry *e, const struct key *k) {
  if (!k->text != !e->text)
    return false;
  if (!k->text)
    return same_id(&e->id, &k->id);
  return e->text_len == k->text_len && memcmp(e->text, k->text, k->text_len) == 0;
}

static size_t size_of(const struct entry *e) {
  return sizeof(*e) + strlen(e->name) + e->text_len + e->code_len;
}

static void entry_free(struct entry *e) {
  free(e->name);
  free(e->text);
  free(e->code);
  free(e);
}

/* Both with the lock held. */
static void entry_unref(struct entry *e) {
  if (--e->refs == 0)
    entry_free(e);
}

static void drop(struct entry **at) {
  struct entry *e = *at;
  *at = e->next;
  held -= size_of(e);
  entries--;
  entry_unref(e);
}

/* A reference, or NULL. */
static struct entry *find(const struct key *k) {
  pthread_mutex_lock(&lock);
  struct entry **at = &first, *e;
  while ((e = *at) != NULL && (strcmp(e->name, k->name) != 0 || !matches(e, k)))
    at = &e->next;
  if (e) {
    *at = e->next;
    e->next = first;
    first = e;
    e->refs++;
  }
  pthread_mutex_unlock(&lock);
  return e;
}

/* Takes the place of the file's older text; the least used make room. */
static void publish(struct entry *e) {
  size_t size = size_of(e);
  pthread_mutex_lock(&lock);
  for (struct entry **at = &first; *at;) {
    if (strcmp((*at)->name, e->name) == 0)
      drop(at);
    else
      at = &(*at)->next;
  }
  while (first && (held + size > HELD_MAX || entries >= ENTRIES_MAX)) {
    struct entry **last = &first;
    while ((*last)->next)
      last = &(*last)->next;
    drop(last);
  }
  e->next = first;
  first = e;
  held += size;
  entries++;
  pthread_mutex_unlock(&lock);
}

size_t cl_chunk_held(void) {
  pthread_mutex_lock(&lock);
  size_t n = held;
  pthread_mutex_unlock(&lock);
  return n;
}

/* -------------------------------------------------------------------- loading */

static int load_entry(lua_State *L, struct entry *e) {
  int status = luaL_loadbufferx(L, e->code, e->code_len, e->name, "b");
  pthread_mutex_lock(&lock);
  entry_unref(e);
  pthread_mutex_unlock(&lock);
  return status;
}

static int add_code(lua_State *L, const void *p, size_t size, void *ud) {
  (void)L;
  struct cl_buf *code = ud;
  cl_buf_add(code, p, size);
  return code->failed;
}

/* Keeps the function on top of the stack. Without memory the next state parses again. */
static void keep(lua_State *L, const struct key *k) {
  struct cl_buf code = {.max = HELD_MAX / 2};
  int rc = lua_dump(L, add_code, &code);
  struct entry *e = rc == 0 && !code.failed ? calloc(1, sizeof(*e)) : NULL;
  if (!e) {
    cl_buf_free(&code);
    return;
  }
  e->refs = 1;
  e->name = strdup(k->name);
  e->id = k->id;
  e->code_len = code.len;
  e->code = cl_buf_take(&code);
  if (k->text && (e->text = malloc(k->text_len + 1)) != NULL) {
    memcpy(e->text, k->text, k->text_len);
    e->text_len = k->text_len;
  }
  if (!e->name || !e->code || (k->text && !e->text) || size_of(e) > HELD_MAX / 2)
    entry_free(e);
  else
    publish(e);
}

int cl_chunk_load(lua_State *L, const char *name, const char *text, size_t len) {
  if (len > 0 && text[0] == LUA_SIGNATURE[0]) {
    lua_pushfstring(L, "%s: compiled Lua (bytecode) is not accepted; ship the source", name + (*name == '@'));
    return LUA_ERRSYNTAX;
  }
  struct key k = {.name = name, .text = text, .text_len = len};
  struct entry *e = find(&k);
  if (e)
    return load_entry(L, e);
  int status = luaL_loadbufferx(L, text, len, name, "t");
  if (status == 0)
    keep(L, &k);
  return status;
}

static int read_and_load(lua_State *L, const char *path, const struct key *k) {
  struct cl_err err = CL_ERR_INIT;
  char *text = NULL;
  size_t len = 0;
  if (cl_fs_read(path, FILE_MAX, &text, &len, &err) != 0)
    return LUA_ERRFILE;
  int status = luaL_loadbufferx(L, text, len, k->name, "t");
  free(text);
  /* A file that changed while it was read is not what its times say. */
  struct stat st;
  if (status == 0 && stat(path, &st) == 0 && st.st_size == (off_t)len && k->id.size == (off_t)len &&
      same_time(st.st_mtim, k->id.modified))
    keep(L, k);
  return status;
}

int cl_chunk_load_file(lua_State *L, const char *name) {
  const char *path = name + 1;
  struct stat st;
  if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
    lua_pushfstring(L, "cannot open %s", path);
    return LUA_ERRFILE;
  }
  struct key k = {.name = name, .id = {st.st_dev, st.st_ino, st.st_size, st.st_mtim, st.st_ctim}};
  struct entry *e = find(&k);
  int status = e ? load_entry(L, e) : read_and_load(L, path, &k);
  if (status == LUA_ERRFILE)
    lua_pushfstring(L, "cannot read %s", path);
  return status;
}

/* ------------------------------------------------------------------- searcher */

/* connect.host.view -> connect/host/view */
static bool is_ours(const char *name) {
  return strncmp(name, "connect", 7) == 0 && (name[7] == '\0' || name[7] == '.');
}

/* searcher(name) -> loader, or nothing: then package.path is asked, whose message says where */
static int search(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  const char *home = lua_touserdata(L, lua_upvalueindex(1));
  if (!is_ours(name))
    return 0;
  const char *part = luaL_gsub(L, name, ".", "/"); /* name part */
  static const char *const forms[] = {"@%s/lua/%s.lua", "@%s/lua/%s/init.lua"};
  for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
    const char *file = lua_pushfstring(L, forms[i], home, part); /* name part file */
    int status = cl_chunk_load_file(L, file);                    /* name part file fn */
    if (status == 0)
      return 1;
    if (status != LUA_ERRFILE)
      return luaL_error(L, "error loading module '%s':\n\t%s", name, lua_tostring(L, -1));
    lua_pop(L, 2); /* name part */
  }
  return 0;
}

void cl_chunk_add_searcher(lua_State *L, const char *home) {
  lua_getglobal(L, "package");    /* package */
  lua_getfield(L, -1, "loaders"); /* package loaders */
  for (int i = (int)lua_objlen(L, -1); i >= 2; i--) {
    lua_rawgeti(L, -1, i);     /* package loaders fn */
    lua_rawseti(L, -2, i + 1); /* package loaders */
  }
  lua_pushlightuserdata(L, (void *)home); /* package loaders home */
  lua_pushcclosure(L, search, 1);         /* package loaders fn */
  lua_rawseti(L, -2, 2);                  /* package loaders */
  lua_pop(L, 2);                          /* */
}
