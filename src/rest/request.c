/* SPDX-License-Identifier: Apache-2.0
 *
 * Path, query and media types of a request. The path is split before it is decoded,
 * so that a name may hold '/' (%2F), which Apache's web server refuses.
 * Any thread, no state. Includes base only.
 */
#include "rest/request.h"

#include "base/buf.h"
#include "base/utf8.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes s in place. base is the start of the target, for positions in errors. */
static int decode(char *s, bool plus_is_blank, const char *base, struct cl_err *err) {
  const char *in = s;
  char *out = s;
  while (*in) {
    const char *at = in;
    unsigned char c = (unsigned char)*in++;
    if (c == '%') {
      int high = hex_digit(in[0]);
      int low = high < 0 ? -1 : hex_digit(in[1]);
      if (low < 0)
        return cl_err_set(err, CL_EINVAL, "Invalid escape at character %zu of the request target",
                          (size_t)(at - base) + 1);
      c = (unsigned char)(high << 4 | low);
      in += 2;
    } else if (c == '+' && plus_is_blank) {
      c = ' ';
    }
    if (c < 0x20 || c == 0x7f)
      return cl_err_set(err, CL_EINVAL, "Control character at character %zu of the request target",
                        (size_t)(at - base) + 1);
    *out++ = (char)c;
  }
  *out = 0;
  if (!cl_utf8_valid(s, (size_t)(out - s)))
    return cl_err_set(err, CL_EINVAL, "The request target is not UTF-8 from character %zu on",
                      (size_t)(s - base) + 1);
  return 0;
}

/* The path of `http://host/path`, as a proxy would send it. */
static char *skip_authority(char *target) {
  if (strncasecmp(target, "http://", 7) != 0 && strncasecmp(target, "https://", 8) != 0)
    return target;
  char *path = strstr(target, "://") + 3;
  return path + strcspn(path, "/?");
}

static int parse_path(struct cl_request *r, char *path, const char *base, struct cl_err *err) {
  if (*path && *path != '/') {
    r->no_path = true;
    return 0;
  }
  char *rest = *path ? path + 1 : path;
  while (rest) {
    char *s = rest, *slash = strchr(rest, '/');
    if (slash)
      *slash = 0;
    rest = slash ? slash + 1 : NULL;
    s[strcspn(s, ";")] = 0; /* matrix parameters */
    if (!*s && !rest)
      break; /* a trailing slash, or the root */
    if (!*s)
      return cl_err_set(err, CL_EINVAL, "Empty path segment at character %zu of the request target",
                        (size_t)(s - base) + 1);
    bool escaped = strchr(s, '%');
    int rc = decode(s, false, base, err);
    if (rc < 0)
      return rc;
    if (r->n_segments == CL_REQUEST_SEGMENTS)
      r->no_path = true;
    else
      r->segments[r->n_segments++] = (struct cl_segment){.text = s, .escaped = escaped};
  }
  return 0;
}

static int parse_query(struct cl_request *r, char *query, const char *base, struct cl_err *err) {
  char *rest = query;
  while (rest) {
    char *key = rest, *amp = strchr(rest, '&');
    if (amp)
      *amp = 0;
    rest = amp ? amp + 1 : NULL;
    if (!*key)
      continue;
    if (r->n_params == CL_REQUEST_PARAMS)
      return cl_err_set(err, CL_EINVAL, "More than %d query parameters", CL_REQUEST_PARAMS);
    char *value = strchr(key, '=');
    if (value)
      *value++ = 0;
    else
      value = key + strlen(key);
    int rc = decode(key, true, base, err);
    /* a key without '=' shares its terminator with its value, which decoding would move */
    if (rc == 0 && *value)
      rc = decode(value, true, base, err);
    if (rc < 0)
      return rc;
    r->params[r->n_params++] = (struct cl_param){.key = key, .value = value};
  }
  return 0;
}

int cl_request_parse(struct cl_request *r, struct cl_err *err) {
  r->n_segments = r->n_params = 0;
  r->no_path = false;
  r->text = strdup(r->target);
  if (!r->text)
    return cl_err_set(err, CL_ENOMEM, "Out of memory");
  r->text[strcspn(r->text, "#")] = 0;
  char *path = skip_authority(r->text);
  char *query = strchr(path, '?');
  if (query)
    *query++ = 0;
  int rc = parse_path(r, path, r->text, err);
  return rc < 0 ? rc : parse_query(r, query, r->text, err);
}

void cl_request_clear(struct cl_request *r) {
  free(r->text);
  r->text = NULL;
  r->n_segments = r->n_params = 0;
}

const char *cl_request_param(const struct cl_request *r, const char *key) {
  for (size_t i = 0; i < r->n_params; i++)
    if (strcmp(r->params[i].key, key) == 0)
      return r->params[i].value;
  return NULL;
}

bool cl_request_flag(const struct cl_request *r, const char *key, bool absent) {
  const char *value = cl_request_param(r, key);
  return value ? strcasecmp(value, "true") == 0 : absent;
}

/* One `type/subtype;q=0.5` of an Accept header, without blanks around it. */
struct media_range {
  const char *type;
  size_t len;
  double q;
};

static const char *skip_blanks(const char *p) { return p + strspn(p, " \t"); }

static size_t token_length(const char *p, const char *end_chars) {
  size_t n = strcspn(p, end_chars);
  while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
    n--;
  return n;
}

/* Steps over one range of *p; false at the end of the header. */
static bool next_range(const char **p, struct media_range *out) {
  const char *s = *p + strspn(*p, " \t,");
  if (!*s)
    return false;
  *out = (struct media_range){.type = s, .len = token_length(s, ",;"), .q = 1};
  s += strcspn(s, ",;");
  while (*s == ';') {
    s = skip_blanks(s + 1);
    if (strncasecmp(s, "q=", 2) == 0)
      out->q = strtod(s + 2, NULL);
    s += strcspn(s, ",;");
  }
  *p = s;
  return true;
}

static bool range_is(const struct media_range *m, const char *type) {
  return m->len == strlen(type) && strncasecmp(m->type, type, m->len) == 0;
}

/* 3 = names the type, 2 = its family, 1 = anything, 0 = something else. "*" alone is what
 * java.net.URLConnection sends for anything. */
static int range_fits(const struct media_range *m, const char *type, const char *family) {
  if (range_is(m, type))
    return 3;
  if (range_is(m, family))
    return 2;
  return range_is(m, "*/*") || range_is(m, "*");
}

bool cl_request_takes_json(const struct cl_request *r) {
  if (!r->accept || !*skip_blanks(r->accept))
    return true;
  const char *p = r->accept;
  struct media_range m;
  int best = 0;
  double q = 0;
  while (next_range(&p, &m)) {
    int fit = range_fits(&m, "application/json", "application/*");
    if (fit > best || (fit == best && fit > 0 && m.q > q)) {
      best = fit;
      q = m.q;
    }
  }
  return q > 0;
}

void cl_request_best_type(const struct cl_request *r, char *out, size_t size) {
  struct media_range m, best = {.type = "text/plain", .len = 10, .q = 0};
  const char *p = r->accept ? r->accept : "";
  while (next_range(&p, &m))
    if (m.q > best.q)
      best = m;
  if (best.len == 0 || best.len >= size || memchr(best.type, '*', best.len) ||
      range_fits(&best, "text/plain", "text/*"))
    best = (struct media_range){.type = "text/plain", .len = 10};
  memcpy(out, best.type, best.len);
  out[best.len] = 0;
}

bool cl_request_sends_type(const struct cl_request *r) {
  return r->content_type && *skip_blanks(r->content_type);
}

bool cl_request_sends_json(const struct cl_request *r) {
  if (!cl_request_sends_type(r))
    return false;
  const char *s = skip_blanks(r->content_type);
  struct media_range m = {.type = s, .len = token_length(s, ";")};
  return range_is(&m, "application/json");
}

char *cl_request_encode(const char *segment) {
  struct cl_buf b = {0};
  for (const unsigned char *p = (const unsigned char *)segment; *p; p++) {
    if (*p < 0x80 && (isalnum(*p) || strchr("-._~!$&'()*+,=:@", *p)))
      cl_buf_char(&b, (char)*p);
    else
      cl_buf_fmt(&b, "%%%02X", *p);
  }
  char *text = cl_buf_take(&b);
  cl_buf_free(&b);
  return text;
}
