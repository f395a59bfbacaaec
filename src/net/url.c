/* SPDX-License-Identifier: Apache-2.0
 *
 * What connect.http must know of a URL (abi.h, "net/"): where it goes, and what may not be shown of it.
 * Any thread; a thread has the parts of the last URL it looked at. May include base, record, libcurl.
 */
#include "connect_lua/abi_c.h"

#include "base/err.h"
#include "record/codec.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

enum { URL_MAX = 64 << 10, ORIGIN_MAX = 320, USER_MAX = 4096 };

static struct cl_err *slot(void) { return cl_ffi_err(); }

/* No part of the text is shown: a URL may be a secret from its beginning to its end. */
static int bad(CURLUcode rc) { return cl_err_set(slot(), CL_EINVAL, "not a URL: %s", curl_url_strerror(rc)); }

static int copy(char *out, size_t size, const char *text) {
  int n = snprintf(out, size, "%s", text ? text : "");
  return n >= 0 && (size_t)n < size ? 0 : cl_err_set(slot(), CL_EINVAL, "not a URL: it is too long");
}

/* The part, "" when there is none. */
static int get(CURLU *u, CURLUPart part, unsigned flags, char *out, size_t size) {
  char *text = NULL;
  CURLUcode rc = curl_url_get(u, part, &text, flags);
  int code;
  if (rc == CURLUE_OK || rc == CURLUE_NO_USER || rc == CURLUE_NO_PASSWORD)
    code = copy(out, size, text);
  else
    code = bad(rc);
  curl_free(text);
  return code;
}

static struct cl_str str(const char *s) { return (struct cl_str){s, (uint32_t)strlen(s)}; }

static void lower(char *s) {
  for (; *s; s++) {
    if (*s >= 'A' && *s <= 'Z')
      *s += 'a' - 'A';
  }
}

static int read_parts(CURLU *u, struct cl_url *out) {
  static _Thread_local char url[URL_MAX], origin[ORIGIN_MAX], user[USER_MAX], password[USER_MAX];
  char scheme[16], host[256], port[8];
  if (get(u, CURLUPART_SCHEME, 0, scheme, sizeof(scheme)) != 0 ||
      get(u, CURLUPART_HOST, 0, host, sizeof(host)) != 0 ||
      get(u, CURLUPART_PORT, CURLU_DEFAULT_PORT, port, sizeof(port)) != 0 ||
      get(u, CURLUPART_USER, CURLU_URLDECODE, user, sizeof(user)) != 0 ||
      get(u, CURLUPART_PASSWORD, CURLU_URLDECODE, password, sizeof(password)) != 0)
    return CL_EINVAL;
  if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
    return cl_err_set(slot(), CL_EINVAL,
                      "not a URL that connect.http takes: it begins with http:// or https://");
  curl_url_set(u, CURLUPART_USER, NULL, 0);
  curl_url_set(u, CURLUPART_PASSWORD, NULL, 0);
  curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0);
  if (get(u, CURLUPART_URL, 0, url, sizeof(url)) != 0)
    return CL_EINVAL;
  snprintf(origin, sizeof(origin), "%s://%s:%s", scheme, host, port);
  lower(origin);
  *out = (struct cl_url){str(url), str(origin), str(user), str(password)};
  return 0;
}

int cl_ffi_url(const char *base, const char *text, struct cl_url *out) {
  CURLU *u = curl_url();
  if (!u)
    return cl_err_set(slot(), CL_ENOMEM, "no memory for a URL");
  CURLUcode rc = base ? curl_url_set(u, CURLUPART_URL, base, 0) : CURLUE_OK;
  if (rc == CURLUE_OK)
    rc = curl_url_set(u, CURLUPART_URL, text,
                      CURLU_NON_SUPPORT_SCHEME | (base ? CURLU_URLENCODE | CURLU_ALLOW_SPACE : 0));
  int code = rc == CURLUE_OK ? read_parts(u, out) : bad(rc);
  curl_url_cleanup(u);
  return code;
}
