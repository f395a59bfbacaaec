/* SPDX-License-Identifier: Apache-2.0
 * Any thread, no state. Includes base only. */
#include "base/jaas.h"

#include "base/buf.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct lexer {
  const char *p;
  const char *marks; /* characters that are tokens alone */
  struct cl_buf token;
  bool quoted;
};

static void skip_blanks(struct lexer *l) {
  for (;;) {
    while (isspace((unsigned char)*l->p))
      l->p++;
    if (l->p[0] == '/' && l->p[1] == '/') {
      l->p += strcspn(l->p, "\n");
    } else if (l->p[0] == '/' && l->p[1] == '*') {
      const char *end = strstr(l->p + 2, "*/");
      l->p = end ? end + 2 : l->p + strlen(l->p);
    } else {
      return;
    }
  }
}

/* A backslash escape inside quotes, as Java's StreamTokenizer reads it. */
static char unescape(struct lexer *l) {
  static const char names[] = "abfnrtv", values[] = "\a\b\f\n\r\t\v";
  char c = *l->p++;
  if (c >= '0' && c <= '7') {
    int v = c - '0', most = c <= '3' ? 2 : 1;
    for (; most > 0 && *l->p >= '0' && *l->p <= '7'; most--)
      v = v * 8 + (*l->p++ - '0');
    return (char)v;
  }
  const char *known = strchr(names, c);
  return known ? values[known - names] : c;
}

/* Next token into l->token: a word, a quoted text, or a mark. False at the end. */
static bool next_token(struct lexer *l) {
  skip_blanks(l);
  l->token.len = 0;
  l->quoted = false;
  if (!*l->p)
    return false;
  if (*l->p == '"' || *l->p == '\'') {
    char quote = *l->p++;
    l->quoted = true;
    while (*l->p && *l->p != quote && *l->p != '\n') {
      char c = *l->p++;
      cl_buf_char(&l->token, c == '\\' && *l->p ? unescape(l) : c);
    }
    l->p += *l->p == quote;
  } else if (strchr(l->marks, *l->p)) {
    cl_buf_char(&l->token, *l->p++);
  } else {
    while (*l->p && !isspace((unsigned char)*l->p) && !strchr("\"'", *l->p) && !strchr(l->marks, *l->p))
      cl_buf_char(&l->token, *l->p++);
  }
  cl_buf_reserve(&l->token, 1);
  if (!l->token.failed)
    l->token.p[l->token.len] = '\0';
  return !l->token.failed;
}

static bool is_mark(const struct lexer *l, const char *mark) {
  return !l->quoted && strcmp(l->token.p, mark) == 0;
}

static int bad(struct cl_err *err, const char *what) { return cl_err_set(err, CL_EINVAL, "%s", what); }

static int option(struct lexer *l, json_t *options, struct cl_err *err) {
  char *key = strdup(l->token.p);
  bool ok = key && next_token(l) && is_mark(l, "=") && next_token(l) &&
            (l->quoted || l->token.len != 1 || !strchr(l->marks, *l->token.p));
  int rc = 0;
  if (!ok)
    rc = cl_err_set(err, CL_EINVAL, "Value not specified for key '%.100s' in JAAS config", key ? key : "");
  else if (json_object_set_new(options, key, json_string(l->token.p)) != 0)
    rc = bad(err, "not UTF-8");
  free(key);
  return rc;
}

/* `Class flag key="value" ... ;` from the token at hand. *class is malloc'd, *options an object. */
static int module(struct lexer *l, char **class, json_t **options, struct cl_err *err) {
  static const char *const flags[] = {"required", "requisite", "sufficient", "optional"};
  size_t flag = 0;
  *class = strdup(l->token.p);
  *options = json_object();
  if (!next_token(l) || is_mark(l, ";"))
    return bad(err, "Control flag not specified in JAAS config");
  while (flag < 4 && strcasecmp(l->token.p, flags[flag]) != 0)
    flag++;
  if (flag == 4)
    return bad(err, "Invalid login module control flag in JAAS config: it must be required, requisite, "
                    "sufficient or optional");
  for (;;) {
    if (!next_token(l))
      return bad(err, "JAAS config entry not terminated by semi-colon");
    if (is_mark(l, ";"))
      return 0;
    int rc = option(l, *options, err);
    if (rc)
      return rc;
  }
}

int cl_jaas_module(const char *text, char **class, json_t **options, struct cl_err *err) {
  struct lexer l = {.p = text, .marks = ";="};
  int rc;
  *class = NULL;
  *options = NULL;
  if (!next_token(&l) || is_mark(&l, ";") || is_mark(&l, "="))
    rc = bad(err, "Login module not specified in JAAS config");
  else
    rc = module(&l, class, options, err);
  if (rc == 0 && next_token(&l))
    rc = bad(err, "it contains more than one login module, it should be 1 module");
  cl_buf_free(&l.token);
  return rc;
}

/* The modules of one entry, up to its brace: the first into *class and *options when wanted. */
static int entry(struct lexer *l, bool wanted, char **class, json_t **options, struct cl_err *err) {
  for (int n = 0;; n++) {
    if (!next_token(l))
      return bad(err, "JAAS config entry not terminated by a closing brace");
    if (is_mark(l, "}"))
      break;
    char *other = NULL;
    json_t *others = NULL;
    int rc = wanted && n == 0 ? module(l, class, options, err) : module(l, &other, &others, err);
    free(other);
    json_decref(others);
    if (rc)
      return rc;
    if (wanted && n > 0)
      return bad(err, "it contains more than one login module, it should be 1 module");
  }
  return next_token(l) && is_mark(l, ";") ? 0 : bad(err, "JAAS config entry not terminated by semi-colon");
}

int cl_jaas_file(const char *text, const char *name, char **class, json_t **options, struct cl_err *err) {
  struct lexer l = {.p = text, .marks = ";={}"};
  bool found = false;
  int rc = 0;
  *class = NULL;
  *options = NULL;
  while (rc == 0 && next_token(&l)) {
    bool wanted = strcmp(l.token.p, name) == 0;
    if (wanted && found)
      rc = cl_err_set(err, CL_EINVAL, "it has more than one entry %s", name);
    else if (!next_token(&l) || !is_mark(&l, "{"))
      rc = bad(err, "JAAS config entry without an opening brace");
    else
      rc = entry(&l, wanted, class, options, err);
    found |= wanted;
  }
  if (rc == 0 && !*class)
    rc = cl_err_set(err, CL_EINVAL, "it has no entry %s with a login module", name);
  cl_buf_free(&l.token);
  return rc;
}
