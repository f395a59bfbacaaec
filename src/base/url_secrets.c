/* SPDX-License-Identifier: Apache-2.0
 * Secrets inside URLs. May include libc and base only. */
#include "base/url_secrets.h"

#include "base/secrets.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define AFTER "://"
#define PASSWORD "password="

/* The password of an authority, which begins at *p. */
static size_t of_user(const char **p) {
  const char *at = memrchr(*p, '@', strcspn(*p, "/?# \t\r\n\"'"));
  const char *colon = at ? memchr(*p, ':', (size_t)(at - *p)) : NULL;
  if (!colon)
    return 0;
  *p = colon + 1;
  return (size_t)(at - colon - 1);
}

bool cl_url_secret(const char *text, size_t *at, size_t *len) {
  const char *first = strstr(text, AFTER);
  for (const char *p = text + *at; first && *p; p++) {
    const char *from = p;
    size_t n = 0;
    if (strncmp(p, AFTER, strlen(AFTER)) == 0) {
      from += strlen(AFTER);
      n = of_user(&from);
    } else if (p > first && strncasecmp(p, PASSWORD, strlen(PASSWORD)) == 0) {
      from += strlen(PASSWORD);
      n = strcspn(from, "&;# \t\r\n\"'");
    }
    if (n > 0) {
      *at = (size_t)(from - text);
      *len = n;
      return true;
    }
  }
  return false;
}

static void decode(char *text) {
  char *to = text;
  for (const char *p = text; *p; p++) {
    char two[3] = "";
    if (*p == '%' && isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2])) {
      memcpy(two, p + 1, 2);
      p += 2;
    }
    *to++ = *two ? (char)strtol(two, NULL, 16) : *p;
  }
  *to = 0;
}

void cl_url_secrets_add(const char *text) {
  for (size_t at = 0, len; cl_url_secret(text, &at, &len); at += len) {
    char *one = strndup(text + at, len);
    if (!one)
      return; /* without memory nothing is shown either */
    cl_secrets_add(one);
    decode(one);
    cl_secrets_add(one);
    free(one);
  }
}
