/* SPDX-License-Identifier: Apache-2.0
 *
 * What connect.http must know of a URL (abi.h, "net/"): where it goes, and what may not be shown of it.
 * Any thread, no state. May include base, record, libcurl.
 */
#include "connect_lua/abi_c.h"

#include "base/err.h"
#include "record/codec.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { URL_MAX = 64 << 10 };

static struct cl_err *slot(void) { return cl_ffi_err(); }

/* No part of the text is shown: a URL may be a secret from its beginning to its end. */
static int bad(CURLUcode rc) { return cl_err_set(slot(), CL_EINVAL, "not a URL: %s", curl_url_strerror(rc)); }

static int no_memory(void) { return cl_err_set(slot(), CL_ENOMEM, "no memory for a URL"); }

static void drop(struct cl_str *s) {
  if (s->p)
    explicit_bzero((char *)s->p, s->len);
  free((char *)s->p);
  *s = (struct cl_str){0};
}

/* Takes the text. */
static int keep(char *text, struct cl_str *out) {
  if (!text)
    return no_memory();
  *out = (struct cl_str){text, (uint32_t)strlen(text)};
  return out->len < URL_MAX ? 0 : cl_err_set(slot(), CL_EINVAL, "not a URL: it is too long");
}

/* The part, "" when there is none. */
static int get(CURLU *u, CURLUPart part, unsigned flags, struct cl_str *out) {
  char *text = NULL;
  CURLUcode rc = curl_url_get(u, part, &text, flags);
  if (rc != CURLUE_OK && rc != CURLUE_NO_USER && rc != CURLUE_NO_PASSWORD)
    return bad(rc);
  int code = keep(strdup(text ? text : ""), out);
  if (text)
    explicit_bzero(text, strlen(text));
  curl_free(text);
  return code;
}

static int get_origin(CURLU *u, struct cl_str *out) {
  struct cl_str scheme = {0}, host = {0}, port = {0};
  char *text = NULL;
  int code = get(u, CURLUPART_SCHEME, 0, &scheme);
  if (code == 0)
    code = get(u, CURLUPART_HOST, 0, &host);
  if (code == 0)
    code = get(u, CURLUPART_PORT, CURLU_DEFAULT_PORT, &port);
  if (code == 0 && strcmp(scheme.p, "http") != 0 && strcmp(scheme.p, "https") != 0)
    code = cl_err_set(slot(), CL_EINVAL,
                      "not a URL that connect.http takes: it begins with http:// or https://");
  if (code == 0)
    code = keep(asprintf(&text, "%s://%s:%s", scheme.p, host.p, port.p) < 0 ? NULL : text, out);
  for (char *c = text; code == 0 && *c; c++)
    *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + ('a' - 'A') : *c);
  drop(&scheme);
  drop(&host);
  drop(&port);
  return code;
}

static int read_parts(CURLU *u, struct cl_url *out) {
  int code = get_origin(u, &out->origin);
  if (code == 0)
    code = get(u, CURLUPART_USER, CURLU_URLDECODE, &out->user);
  if (code == 0)
    code = get(u, CURLUPART_PASSWORD, CURLU_URLDECODE, &out->password);
  curl_url_set(u, CURLUPART_USER, NULL, 0);
  curl_url_set(u, CURLUPART_PASSWORD, NULL, 0);
  curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0);
  return code == 0 ? get(u, CURLUPART_URL, 0, &out->url) : code;
}

void cl_ffi_url_clear(struct cl_url *parts) {
  drop(&parts->url);
  drop(&parts->origin);
  drop(&parts->user);
  drop(&parts->password);
}

int cl_ffi_url(const char *base, const char *text, struct cl_url *out) {
  cl_ffi_url_clear(out);
  CURLU *u = curl_url();
  if (!u)
    return no_memory();
  CURLUcode rc = base ? curl_url_set(u, CURLUPART_URL, base, 0) : CURLUE_OK;
  if (rc == CURLUE_OK)
    rc = curl_url_set(u, CURLUPART_URL, text,
                      CURLU_NON_SUPPORT_SCHEME | (base ? CURLU_URLENCODE | CURLU_ALLOW_SPACE : 0));
  int code = rc == CURLUE_OK ? read_parts(u, out) : bad(rc);
  curl_url_cleanup(u);
  if (code != 0)
    cl_ffi_url_clear(out);
  return code;
}
