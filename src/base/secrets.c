/* SPDX-License-Identifier: Apache-2.0
 * Secrets by length, the longest first: one may be part of another. May include libc and base/err.h. */
#include "base/secrets.h"

#include "base/err.h"

#include <ctype.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MASK "[hidden]"
enum { MASK_LEN = sizeof(MASK) - 1, NUMBER_LEN = 5, CLASS_LEN = 96 };

struct cl_secrets {
  size_t refs;
  bool everywhere;
  size_t passing; /* how many of them are */
};

struct secret {
  char *text;
  size_t len;
  struct cl_secrets *holder;
  bool passing;
  uint64_t age; /* the smaller the older */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards all but count's readers */
static struct cl_secrets process = {.refs = 1, .everywhere = true};
static _Thread_local struct cl_secrets *held; /* NULL = the process */
static struct secret *secrets;                /* the same text of several holders side by side */
static _Atomic size_t count;
static uint64_t births;

static bool is(const char *text, size_t len, const char *word) {
  return len == strlen(word) && memcmp(text, word, len) == 0;
}

static bool is_worth_it(const char *text, size_t len) {
  size_t digits = 0;
  while (digits < len && text[digits] >= '0' && text[digits] <= '9')
    digits++;
  return len >= CL_SECRETS_MIN_LEN && !is(text, len, "true") && !is(text, len, "false") &&
         (len > NUMBER_LEN || digits < len);
}

/* < 0: a stands before it. */
static int compare(const struct secret *a, const char *text, size_t len) {
  return a->len != len ? (a->len > len ? -1 : 1) : memcmp(a->text, text, len);
}

/* The first that is not before it. */
static size_t position(const char *text, size_t len) {
  size_t low = 0, high = count;
  while (low < high) {
    size_t mid = low + (high - low) / 2;
    if (compare(&secrets[mid], text, len) < 0)
      low = mid + 1;
    else
      high = mid;
  }
  return low;
}

static void forget(struct secret *s) {
  s->holder->passing -= s->passing;
  explicit_bzero(s->text, s->len);
  free(s->text);
}

static void remove_oldest_passing(const struct cl_secrets *holder) {
  size_t oldest = count;
  for (size_t i = 0; i < count; i++) {
    if (secrets[i].holder == holder && secrets[i].passing &&
        (oldest == count || secrets[i].age < secrets[oldest].age))
      oldest = i;
  }
  if (oldest == count)
    return;
  forget(&secrets[oldest]);
  memmove(&secrets[oldest], &secrets[oldest + 1], (count - oldest - 1) * sizeof(*secrets));
  count--;
}

static bool refresh(const char *text, size_t len, struct cl_secrets *holder, bool passing) {
  for (size_t i = position(text, len); i < count && compare(&secrets[i], text, len) == 0; i++) {
    struct secret *s = &secrets[i];
    if (s->holder != holder)
      continue;
    holder->passing -= s->passing && !passing;
    s->passing = s->passing && passing;
    s->age = births++;
    return true;
  }
  return false;
}

static void add(const char *text, size_t len, bool passing) {
  struct cl_secrets *holder = held ? held : &process;
  if (!is_worth_it(text, len) || refresh(text, len, holder, passing))
    return;
  if (passing && holder->passing == CL_SECRETS_PASSING_MAX)
    remove_oldest_passing(holder);
  struct secret *grown = realloc(secrets, (count + 1) * sizeof(*grown));
  if (grown)
    secrets = grown;
  char *copy = grown ? strndup(text, len) : NULL;
  if (!copy)
    return; /* without memory nothing is shown either */
  size_t at = position(text, len);
  memmove(&secrets[at + 1], &secrets[at], (count - at) * sizeof(*secrets));
  secrets[at] = (struct secret){copy, len, holder, passing, births++};
  holder->passing += passing;
  count++;
}

/* ------------------------------------------------------------------------ holders */

struct cl_secrets *cl_secrets_new(bool everywhere) {
  struct cl_secrets *s = calloc(1, sizeof(*s));
  if (s)
    *s = (struct cl_secrets){.refs = 1, .everywhere = everywhere};
  return s;
}

struct cl_secrets *cl_secrets_ref(struct cl_secrets *s) {
  pthread_mutex_lock(&lock);
  if (s)
    s->refs++;
  pthread_mutex_unlock(&lock);
  return s;
}

static void forget_all(const struct cl_secrets *holder) {
  size_t kept = 0;
  for (size_t i = 0; i < count; i++) {
    if (secrets[i].holder == holder)
      forget(&secrets[i]);
    else
      secrets[kept++] = secrets[i];
  }
  count = kept;
}

void cl_secrets_unref(struct cl_secrets *s) {
  pthread_mutex_lock(&lock);
  bool last = s && --s->refs == 0;
  if (last)
    forget_all(s);
  pthread_mutex_unlock(&lock);
  if (last)
    free(s);
}

struct cl_secrets *cl_secrets_hold(struct cl_secrets *s) {
  struct cl_secrets *before = held;
  held = s;
  return before;
}

struct cl_secrets *cl_secrets_held(void) {
  return held;
}

/* ------------------------------------------------------------------------- adding */

/* Blanks as Java trims them: configs' values are used so. */
static bool is_blank(char c) { return (unsigned char)c <= ' '; }

static void add_trimmed(const char *text, size_t len, size_t min, bool passing) {
  while (len > 0 && is_blank(*text))
    text++, len--;
  while (len > 0 && is_blank(text[len - 1]))
    len--;
  if (len >= min)
    add(text, len, passing);
}

/* A frame's lines ("-----BEGIN ...") are no secret. */
static void add_lines(const char *text, bool passing) {
  for (size_t n; *text; text += n + (text[n] != 0)) {
    n = strcspn(text, "\r\n");
    if (strncmp(text, "-----", 5) != 0)
      add_trimmed(text, n, CL_SECRETS_LINE_LEN, passing);
  }
}

static void add_all(const char *text, bool passing) {
  size_t len = strlen(text);
  pthread_mutex_lock(&lock);
  add(text, len, passing);
  add_trimmed(text, len, 0, passing);
  if (strpbrk(text, "\r\n"))
    add_lines(text, passing);
  pthread_mutex_unlock(&lock);
}

void cl_secrets_add(const char *text) { add_all(text, false); }
void cl_secrets_add_passing(const char *text) { add_all(text, true); }

/* ------------------------------------------------------------------------- hiding */

/* Puts the mask over n bytes at `at` of a text of *len bytes in a buffer of cap. */
static void mask(char *text, size_t at, size_t n, size_t *len, size_t cap) {
  size_t fits = MASK_LEN < cap - 1 - at ? MASK_LEN : cap - 1 - at;
  size_t rest = *len - at - n, room = cap - 1 - at - fits;
  size_t kept = rest < room ? rest : room;
  memmove(text + at + fits, text + at + n, kept);
  memcpy(text + at, MASK, fits);
  *len = at + fits + kept;
  text[*len] = 0;
}

static bool is_of_class(char c) { return isalnum((unsigned char)c) || c == '.' || c == '_' || c == '$'; }

/* Where the name of an exception class ends that what is at `at`, n long, is a part of; 0 = it is none. */
static size_t class_end(const char *text, size_t len, size_t at, size_t n) {
  char name[CLASS_LEN];
  size_t from = at, to = at + n;
  while (from > 0 && to - from < sizeof(name) && is_of_class(text[from - 1]))
    from--;
  while (to < len && to - from < sizeof(name) && is_of_class(text[to]))
    to++;
  if (to - from >= sizeof(name))
    return 0;
  memcpy(name, text + from, to - from);
  name[to - from] = '\0';
  return cl_err_class(name) ? to : 0;
}

static void hide_one(char *text, size_t *len, size_t cap, const struct secret *s) {
  for (char *at = text; (at = memmem(at, *len - (size_t)(at - text), s->text, s->len)) != NULL;) {
    size_t offset = (size_t)(at - text), past = class_end(text, *len, offset, s->len);
    if (past > 0) {
      at = text + past;
      continue;
    }
    mask(text, offset, s->len, len, cap);
    at = text + (offset + MASK_LEN < *len ? offset + MASK_LEN : *len);
  }
}

/* The longest end of the text that begins a secret. */
static size_t cut_secret(const char *text, size_t len, const struct secret *s) {
  for (size_t n = s->len - 1 < len ? s->len - 1 : len; n >= CL_SECRETS_MIN_LEN; n--) {
    if (memcmp(text + len - n, s->text, n) == 0)
      return n;
  }
  return 0;
}

/* The next that is looked for here, at or after i; count = none. Not the one before it once more. */
static size_t next_sought(size_t i, const struct secret *before) {
  while (i < count && ((!secrets[i].holder->everywhere && secrets[i].holder != held) ||
                       (before && compare(&secrets[i], before->text, before->len) == 0)))
    i++;
  return i;
}

static void hide_all(char *text, size_t cap) {
  size_t len = strlen(text);
  if (len == cap - 1) {
    size_t cut = 0;
    for (size_t i = next_sought(0, NULL); i < count; i = next_sought(i + 1, &secrets[i])) {
      size_t n = cut_secret(text, len, &secrets[i]);
      cut = n > cut ? n : cut;
    }
    if (cut > 0)
      mask(text, len - cut, cut, &len, cap);
  }
  for (size_t i = next_sought(0, NULL); i < count; i = next_sought(i + 1, &secrets[i]))
    hide_one(text, &len, cap, &secrets[i]);
}

void cl_secrets_hide(char *text, size_t cap) {
  if (atomic_load_explicit(&count, memory_order_relaxed) == 0)
    return;
  pthread_mutex_lock(&lock);
  hide_all(text, cap);
  pthread_mutex_unlock(&lock);
}

char *cl_secrets_hidden(const char *text) {
  size_t len = strlen(text), cap = 2 * len + MASK_LEN + 1; /* a mask is at most twice as long as a secret */
  char *out = malloc(cap);
  if (!out)
    return NULL;
  memcpy(out, text, len + 1);
  cl_secrets_hide(out, cap);
  return out;
}
