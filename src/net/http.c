/* SPDX-License-Identifier: Apache-2.0
 *
 * The transfers behind connect.http (abi.h, "net/"): one request and its response each, moved only inside a
 * call of cl_ffi_http_*, which waits no longer than it is told to. No redirects, no retries, no deadline:
 * those are Lua's (lua/connect/host/http). A response's body waits in a window until it is taken. Thread:
 * that of the state which made them. May include base, record, libcurl.
 */
#include "connect_lua/abi_c.h"

#include "base/buf.h"
#include "base/err.h"
#include "record/codec.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
  WINDOW = 256 << 10,   /* a body waits for its reader from here on */
  HEAD_MAX = 256 << 10, /* all header lines of a response, of 1xx answers and trailers too */
  CONNECTIONS = 8,      /* kept open by a state */
  KEEPALIVE_S = 30
};

struct cl_http {
  CURLM *multi;
  unsigned refs; /* the state's, and one of each transfer */
};

struct transfer {
  struct cl_http_call pub; /* first: what Lua sees of it */
  struct cl_http *http;
  CURL *easy;
  struct curl_slist *headers;
  struct cl_buf head, body; /* body.p + taken is pub.body */
  size_t taken, head_bytes;
  int64_t body_bytes, body_max;
  bool added, paused, head_done, head_told, has_body;
  CURLcode refused; /* of a setting that curl did not take */
  char method[32];
  char reason[CURL_ERROR_SIZE];
};

static struct transfer *of(struct cl_http_call *call) { return (struct transfer *)call; }

static struct cl_err *slot(void) { return cl_ffi_err(); }

/* ------------------------------------------------------------------ signals
 * OpenSSL writes to sockets without MSG_NOSIGNAL, and what a process does about SIGPIPE is not ours to say.
 */

struct quiet {
  sigset_t before;
  bool pending;
};

static void quiet_begin(struct quiet *q) {
  sigset_t pipe, pending;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  sigpending(&pending);
  q->pending = sigismember(&pending, SIGPIPE) == 1;
  pthread_sigmask(SIG_BLOCK, &pipe, &q->before);
}

static void quiet_end(struct quiet *q) {
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  while (!q->pending && sigtimedwait(&pipe, NULL, &(struct timespec){0}) == -1 && errno == EINTR)
    ;
  pthread_sigmask(SIG_SETMASK, &q->before, NULL);
}

/* ---------------------------------------------------------------- lifetimes */

static void init_curl(void) { CL_REQUIRE(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK); }

struct cl_http *cl_ffi_http_new(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, init_curl);
  struct cl_http *http = calloc(1, sizeof(*http));
  CURLM *multi = http ? curl_multi_init() : NULL;
  if (!multi) {
    free(http);
    cl_err_set(slot(), CL_ENOMEM, "no memory for HTTP");
    return NULL;
  }
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS);
  *http = (struct cl_http){multi, 1};
  return http;
}

void cl_ffi_http_free(struct cl_http *http) {
  if (!http || --http->refs > 0)
    return;
  struct quiet q;
  quiet_begin(&q); /* TLS says goodbye */
  curl_multi_cleanup(http->multi);
  quiet_end(&q);
  free(http);
}

void cl_ffi_http_drop(struct cl_http_call *call) {
  struct transfer *t = call ? of(call) : NULL;
  if (!t)
    return;
  struct quiet q;
  quiet_begin(&q);
  if (t->added)
    curl_multi_remove_handle(t->http->multi, t->easy);
  curl_easy_cleanup(t->easy);
  quiet_end(&q);
  curl_slist_free_all(t->headers);
  cl_buf_free(&t->head);
  cl_buf_free(&t->body);
  cl_ffi_http_free(t->http);
  free(t);
}

/* ---------------------------------------------------------------- callbacks */

static bool starts_with(const char *p, size_t n, const char *start) {
  size_t m = strlen(start);
  return n >= m && memcmp(p, start, m) == 0;
}

static size_t on_head(char *p, size_t size, size_t n, void *arg) {
  struct transfer *t = arg;
  n *= size;
  t->head_bytes += n;
  if (t->head_bytes > HEAD_MAX) {
    t->pub.problem = CL_HTTP_HEAD_TOO_LARGE;
    return 0;
  }
  if (t->head_done) /* a trailer */
    return n;
  if (starts_with(p, n, "HTTP/"))
    t->head.len = 0;
  bool blank = n == 0 || *p == '\r' || *p == '\n';
  if (!blank) {
    cl_buf_add(&t->head, p, n);
    return t->head.failed ? 0 : n;
  }
  long status = 0;
  curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
  if (status >= 200 || status == 101) {
    t->head_done = true;
    t->pub.status = (int32_t)status;
    t->pub.head = (struct cl_str){t->head.p, (uint32_t)t->head.len};
  }
  return n;
}

static void show_body(struct transfer *t) {
  t->pub.body = (struct cl_str){t->body.p + t->taken, (uint32_t)(t->body.len - t->taken)};
}

static size_t on_body(char *p, size_t size, size_t n, void *arg) {
  struct transfer *t = arg;
  n *= size;
  if (t->body_bytes + (int64_t)n > t->body_max) {
    t->pub.problem = CL_HTTP_BODY_TOO_LARGE;
    return 0;
  }
  if (t->body.len > 0 && t->body.len + n > WINDOW) {
    t->paused = true;
    return CURL_WRITEFUNC_PAUSE; /* the same bytes come again */
  }
  cl_buf_add(&t->body, p, n);
  if (t->body.failed)
    return 0;
  t->body_bytes += (int64_t)n;
  show_body(t);
  return n;
}

/* ----------------------------------------------------------------- settings */

static void set_always(struct transfer *t) {
  CURL *e = t->easy;
  curl_easy_setopt(e, CURLOPT_PRIVATE, t);
  curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->reason);
  curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L); /* a name lookup that hangs holds nobody up */
  curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(e, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
  curl_easy_setopt(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(e, CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_S);
  curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_head);
  curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
  curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
  curl_easy_setopt(e, CURLOPT_PROXY, ""); /* not the environment's */
  curl_easy_setopt(e, CURLOPT_NOPROXY, "");
}

struct cl_http_call *cl_ffi_http_call(struct cl_http *http) {
  struct transfer *t = calloc(1, sizeof(*t));
  CURL *easy = t ? curl_easy_init() : NULL;
  if (!easy) {
    free(t);
    cl_err_set(slot(), CL_ENOMEM, "no memory for an HTTP request");
    return NULL;
  }
  t->easy = easy;
  t->http = http;
  http->refs++;
  t->head.max = HEAD_MAX + 1;
  t->body_max = INT64_MAX;
  set_always(t);
  return &t->pub;
}

static void note(struct transfer *t, CURLcode rc) {
  if (t->refused == CURLE_OK)
    t->refused = rc;
}

/* A file's path, or PEM text itself. */
static CURLcode set_pem(CURL *e, CURLoption path, CURLoption blob, const char *s, uint32_t len) {
  if (!strstr(s, "-----BEGIN "))
    return curl_easy_setopt(e, path, s);
  struct curl_blob data = {(void *)(uintptr_t)s, len, CURL_BLOB_COPY};
  return curl_easy_setopt(e, blob, &data);
}

static CURLcode set_body(CURL *e, const char *s, uint32_t len) {
  CURLcode rc = curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
  return rc == CURLE_OK ? curl_easy_setopt(e, CURLOPT_COPYPOSTFIELDS, s) : rc;
}

static CURLcode set_text(struct transfer *t, int what, const char *s, uint32_t len) {
  CURL *e = t->easy;
  switch (what) {
  case CL_HTTP_URL: return curl_easy_setopt(e, CURLOPT_URL, s);
  case CL_HTTP_METHOD:
    if (len >= sizeof(t->method))
      return CURLE_BAD_FUNCTION_ARGUMENT;
    memcpy(t->method, s, len + 1);
    return CURLE_OK;
  case CL_HTTP_BODY: t->has_body = true; return set_body(e, s, len);
  case CL_HTTP_PROXY: return curl_easy_setopt(e, CURLOPT_PROXY, s);
  case CL_HTTP_CA: return set_pem(e, CURLOPT_CAINFO, CURLOPT_CAINFO_BLOB, s, len);
  case CL_HTTP_CERT: return set_pem(e, CURLOPT_SSLCERT, CURLOPT_SSLCERT_BLOB, s, len);
  case CL_HTTP_KEY: return set_pem(e, CURLOPT_SSLKEY, CURLOPT_SSLKEY_BLOB, s, len);
  case CL_HTTP_KEY_PASSWORD: return curl_easy_setopt(e, CURLOPT_KEYPASSWD, s);
  default: return CURLE_BAD_FUNCTION_ARGUMENT;
  }
}

void cl_ffi_http_text(struct cl_http_call *call, int what, const char *s, uint32_t len) {
  note(of(call), set_text(of(call), what, s, len));
}

static CURLcode set_number(struct transfer *t, int what, int64_t n) {
  CURL *e = t->easy;
  switch (what) {
  case CL_HTTP_CONNECT_TIMEOUT: return curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)n);
  case CL_HTTP_BODY_MAX: t->body_max = n; return CURLE_OK;
  case CL_HTTP_VERIFY: {
    CURLcode rc = curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, n ? 1L : 0L);
    return rc == CURLE_OK ? curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, n ? 2L : 0L) : rc;
  }
  case CL_HTTP_ENV_PROXY:
    if (!n)
      return CURLE_OK;
    curl_easy_setopt(e, CURLOPT_NOPROXY, NULL);
    return curl_easy_setopt(e, CURLOPT_PROXY, NULL);
  default: return CURLE_BAD_FUNCTION_ARGUMENT;
  }
}

void cl_ffi_http_number(struct cl_http_call *call, int what, int64_t n) {
  note(of(call), set_number(of(call), what, n));
}

void cl_ffi_http_header(struct cl_http_call *call, const char *name, const char *value) {
  struct transfer *t = of(call);
  struct cl_buf line = {0};
  if (!value) /* one that curl would add by itself */
    cl_buf_fmt(&line, "%s:", name);
  else if (*value)
    cl_buf_fmt(&line, "%s: %s", name, value);
  else
    cl_buf_fmt(&line, "%s;", name); /* curl's way to say that it is empty */
  struct curl_slist *list = line.failed ? NULL : curl_slist_append(t->headers, line.p);
  cl_buf_free(&line);
  if (list)
    t->headers = list;
  else
    note(t, CURLE_OUT_OF_MEMORY);
}

static CURLcode set_method(struct transfer *t) {
  CURL *e = t->easy;
  const char *m = t->method;
  bool get = strcmp(m, "GET") == 0;
  if (strcmp(m, "HEAD") == 0 && !t->has_body)
    return curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
  /* More than the ceiling is announced: not even begun. HEAD announces what does not come. */
  curl_easy_setopt(e, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)t->body_max);
  if (get && !t->has_body)
    return curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
  bool expects_one = strcmp(m, "POST") == 0 || strcmp(m, "PUT") == 0 || strcmp(m, "PATCH") == 0;
  if (expects_one && !t->has_body) /* Content-Length: 0 */
    set_body(e, "", 0);
  return curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, m);
}

/* ------------------------------------------------------------------- errors */

static int problem_of(CURLcode rc) {
  switch (rc) {
  case CURLE_COULDNT_RESOLVE_HOST: return CL_HTTP_RESOLVE;
  case CURLE_COULDNT_CONNECT: return CL_HTTP_CONNECT;
  case CURLE_OPERATION_TIMEDOUT: return CL_HTTP_TIMEOUT;
  case CURLE_COULDNT_RESOLVE_PROXY:
  case CURLE_PROXY: return CL_HTTP_PROXY_FAILED;
  case CURLE_GOT_NOTHING:
  case CURLE_SEND_ERROR:
  case CURLE_RECV_ERROR:
  case CURLE_PARTIAL_FILE:
  case CURLE_SSL_CONNECT_ERROR: return CL_HTTP_BROKEN;
  case CURLE_PEER_FAILED_VERIFICATION: return CL_HTTP_UNTRUSTED;
  case CURLE_SSL_CACERT_BADFILE:
  case CURLE_SSL_CERTPROBLEM:
  case CURLE_SSL_ENGINE_NOTFOUND: return CL_HTTP_TLS_FILES;
  case CURLE_FILESIZE_EXCEEDED: return CL_HTTP_BODY_TOO_LARGE;
  case CURLE_OUT_OF_MEMORY: return CL_HTTP_NO_MEMORY;
  case CURLE_BAD_CONTENT_ENCODING:
  case CURLE_WEIRD_SERVER_REPLY:
  case CURLE_UNSUPPORTED_PROTOCOL: return CL_HTTP_NOT_HTTP;
  default: return CL_HTTP_FAILED;
  }
}

/* Curl's own words where they name what failed and cannot hold a secret; else its general ones. */
static const char *words(const struct transfer *t, CURLcode rc) {
  switch (problem_of(rc)) {
  case CL_HTTP_RESOLVE:
  case CL_HTTP_CONNECT:
  case CL_HTTP_BROKEN:
  case CL_HTTP_UNTRUSTED:
  case CL_HTTP_TLS_FILES:
  case CL_HTTP_NOT_HTTP:
    if (t->reason[0])
      return t->reason;
    break;
  default: break;
  }
  return curl_easy_strerror(rc);
}

static int fail(struct transfer *t, CURLcode rc) {
  if (t->pub.problem == CL_HTTP_NONE)
    t->pub.problem = problem_of(rc);
  if (t->body.failed || t->head.failed)
    t->pub.problem = CL_HTTP_NO_MEMORY;
  return cl_err_set(slot(), t->pub.problem == CL_HTTP_NO_MEMORY ? CL_ENOMEM : CL_EIO, "%s", words(t, rc));
}

/* curl cannot go on with any transfer. */
static int fail_all(struct transfer *t, CURLMcode rc) {
  if (rc == CURLM_OUT_OF_MEMORY)
    return fail(t, CURLE_OUT_OF_MEMORY);
  t->pub.problem = CL_HTTP_FAILED;
  return cl_err_set(slot(), CL_EIO, "%s", curl_multi_strerror(rc));
}

/* ---------------------------------------------------------------- transfers */

int cl_ffi_http_start(struct cl_http_call *call) {
  struct transfer *t = of(call);
  note(t, set_method(t));
  note(t, curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers));
  if (t->refused != CURLE_OK)
    return fail(t, t->refused);
  if (curl_multi_add_handle(t->http->multi, t->easy) != CURLM_OK)
    return fail(t, CURLE_OUT_OF_MEMORY);
  t->added = true;
  return 0;
}

static void read_messages(struct cl_http *http) {
  int left;
  for (CURLMsg *m; (m = curl_multi_info_read(http->multi, &left));) {
    struct transfer *t = NULL;
    if (m->msg != CURLMSG_DONE)
      continue;
    CURLcode rc = m->data.result;
    curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
    t->pub.done = 1;
    if (rc != CURLE_OK) {
      if (t->pub.problem == CL_HTTP_NONE)
        t->pub.problem = problem_of(rc);
      t->refused = rc;
    }
  }
}

static bool has_news(struct transfer *t) {
  if (t->head_done && !t->head_told)
    return t->head_told = true;
  return t->pub.body.len > 0 || t->pub.done;
}

int cl_ffi_http_wait(struct cl_http_call *call, int32_t ms) {
  struct transfer *t = of(call);
  struct quiet q;
  int running;
  CURLMcode rc = CURLM_OK;
  quiet_begin(&q);
  for (int turn = 0; turn < 2 && rc == CURLM_OK && !has_news(t); turn++) {
    if (turn > 0)
      rc = curl_multi_poll(t->http->multi, NULL, 0, ms, NULL); /* a signal ends it */
    if (rc == CURLM_OK)
      rc = curl_multi_perform(t->http->multi, &running);
    read_messages(t->http);
  }
  quiet_end(&q);
  if (rc != CURLM_OK)
    return fail_all(t, rc);
  if (t->pub.done && t->refused != CURLE_OK && t->pub.body.len == 0)
    return fail(t, t->refused);
  return t->head_told || t->pub.done;
}

void cl_ffi_http_take(struct cl_http_call *call, uint32_t n) {
  struct transfer *t = of(call);
  t->taken += n < t->pub.body.len ? n : t->pub.body.len;
  if (t->taken == t->body.len)
    t->taken = t->body.len = 0;
  show_body(t);
  if (t->body.len > 0 || !t->paused)
    return;
  struct quiet q;
  t->paused = false;
  quiet_begin(&q);
  curl_easy_pause(t->easy, CURLPAUSE_CONT); /* what it held back comes at once */
  quiet_end(&q);
}

void cl_ffi_http_rest(int32_t ms) { poll(NULL, 0, ms); }
