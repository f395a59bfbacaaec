/* SPDX-License-Identifier: Apache-2.0
 * Secrets by length, the longest first: one may be part of another. May include libc only. */
#include "base/secrets.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MASK "[hidden]"
enum { MASK_LEN = sizeof(MASK) - 1, NUMBER_LEN = 5 };

struct secret {
  char *text;
  size_t len;
  uint64_t age; /* the smaller the older */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards all but count's readers */
static struct secret *secrets;
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

/* Where len stands, or would, before all that are as long. */
static size_t position(size_t len) {
  size_t i = 0;
  while (i < count && secrets[i].len > len)
    i++;
  return i;
}

static void remove_at(size_t i) {
  memset(secrets[i].text, 0, secrets[i].len);
  free(secrets[i].text);
  memmove(&secrets[i], &secrets[i + 1], (count - i - 1) * sizeof(*secrets));
  count--;
}

static void remove_oldest(void) {
  size_t oldest = 0;
  for (size_t i = 1; i < count; i++) {
    if (secrets[i].age < secrets[oldest].age)
      oldest = i;
  }
  remove_at(oldest);
}

static bool refresh(const char *text, size_t len) {
  for (size_t i = position(len); i < count && secrets[i].len == len; i++) {
    if (memcmp(secrets[i].text, text, len) == 0) {
      secrets[i].age = births++;
      return true;
    }
  }
  return false;
}

static void add(const char *text, size_t len) {
  if (!is_worth_it(text, len) || refresh(text, len))
    return;
  if (count == CL_SECRETS_MAX)
    remove_oldest();
  struct secret *grown = realloc(secrets, (count + 1) * sizeof(*grown));
  if (grown)
    secrets = grown;
  char *copy = grown ? strndup(text, len) : NULL;
  if (!copy)
    return; /* without memory nothing is shown either */
  size_t at = position(len);
  memmove(&secrets[at + 1], &secrets[at], (count - at) * sizeof(*secrets));
  secrets[at] = (struct secret){copy, len, births++};
  count++;
}

/* Blanks as Java trims them: configs' values are used so. */
static bool is_blank(char c) { return (unsigned char)c <= ' '; }

static void add_trimmed(const char *text, size_t len, size_t min) {
  while (len > 0 && is_blank(*text))
    text++, len--;
  while (len > 0 && is_blank(text[len - 1]))
    len--;
  if (len >= min)
    add(text, len);
}

/* A frame's lines ("-----BEGIN ...") are no secret. */
static void add_lines(const char *text) {
  for (size_t n; *text; text += n + (text[n] != 0)) {
    n = strcspn(text, "\r\n");
    if (strncmp(text, "-----", 5) != 0)
      add_trimmed(text, n, CL_SECRETS_LINE_LEN);
  }
}

void cl_secrets_add(const char *text) {
  size_t len = strlen(text);
  pthread_mutex_lock(&lock);
  add(text, len);
  add_trimmed(text, len, 0);
  if (strpbrk(text, "\r\n"))
    add_lines(text);
  pthread_mutex_unlock(&lock);
}

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

static void hide_one(char *text, size_t *len, size_t cap, const struct secret *s) {
  for (char *at = text; (at = memmem(at, *len - (size_t)(at - text), s->text, s->len)) != NULL;) {
    size_t offset = (size_t)(at - text);
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

static void hide_all(char *text, size_t cap) {
  size_t len = strlen(text);
  if (len == cap - 1) {
    size_t cut = 0;
    for (size_t i = 0; i < count; i++) {
      size_t n = cut_secret(text, len, &secrets[i]);
      cut = n > cut ? n : cut;
    }
    if (cut > 0)
      mask(text, len - cut, cut, &len, cap);
  }
  for (size_t i = 0; i < count; i++)
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
