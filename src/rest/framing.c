/* SPDX-License-Identifier: Apache-2.0
 *
 * libmicrohttpd takes requests that can be read in two ways (two lengths, length and chunks),
 * which is how one is smuggled past a proxy, and waits for ever on encodings it does not know.
 * Any thread, no state. Includes libmicrohttpd and base.
 */
#include "rest/framing.h"

#include "base/buf.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct seen {
  const char *length; /* the first Content-Length */
  bool lengths_differ;
  int encodings; /* Transfer-Encoding headers */
  bool chunked;  /* the only one is "chunked" */
  int hosts;
  const char *authorization;
  int authorizations;
  struct cl_buf accept;
};

static enum MHD_Result see_header(void *arg, enum MHD_ValueKind kind, const char *key, const char *value) {
  struct seen *s = arg;
  (void)kind;
  value = value ? value : "";
  if (strcasecmp(key, "Content-Length") == 0) {
    s->lengths_differ |= s->length && strcmp(s->length, value) != 0;
    s->length = s->length ? s->length : value;
  } else if (strcasecmp(key, "Transfer-Encoding") == 0) {
    s->encodings++;
    s->chunked = s->encodings == 1 && strcasecmp(value, "chunked") == 0;
  } else if (strcasecmp(key, "Host") == 0) {
    s->hosts++;
  } else if (strcasecmp(key, "Authorization") == 0) {
    s->authorizations++;
    s->authorization = value;
  } else if (strcasecmp(key, "Accept") == 0) {
    if (s->accept.len > 0)
      cl_buf_char(&s->accept, ',');
    cl_buf_str(&s->accept, value);
  }
  return MHD_YES;
}

static char *copy_header(struct MHD_Connection *con, const char *name) {
  const char *value = MHD_lookup_connection_value(con, MHD_HEADER_KIND, name);
  return value ? strdup(value) : NULL;
}

static void refuse(struct cl_framing *out, int status, const char *message) {
  out->status = status;
  out->message = message;
}

void cl_framing_read(struct MHD_Connection *con, const char *method, const char *version, size_t body_max,
                     struct cl_framing *out) {
  struct seen s = {0};
  *out = (struct cl_framing){0};
  MHD_get_connection_values(con, MHD_HEADER_KIND, see_header, &s);
  out->accept = s.accept.len > 0 ? cl_buf_take(&s.accept) : NULL;
  cl_buf_free(&s.accept);
  out->content_type = copy_header(con, "Content-Type");
  out->host = copy_header(con, "Host");
  out->authorization = s.authorizations == 1 ? strdup(s.authorization) : NULL;

  if (s.lengths_differ)
    refuse(out, 400, "Content-Length is given twice with different values");
  else if (s.encodings > 0 && s.length)
    refuse(out, 400, "Both Transfer-Encoding and Content-Length are given");
  else if (s.encodings > 0 && !s.chunked)
    refuse(out, 501, "Transfer-Encoding is not chunked");
  else if (s.hosts > 1)
    refuse(out, 400, "Header Host is given more than once");
  else if (s.hosts == 0 && strcmp(version, "HTTP/1.1") == 0)
    refuse(out, 400, "Header Host is missing");
  else if (strcmp(method, "CONNECT") == 0 || strcmp(method, "TRACE") == 0)
    refuse(out, 405, "HTTP 405 Method Not Allowed");
  else if (s.length && strtoull(s.length, NULL, 10) > body_max)
    refuse(out, 413, NULL);
}

void cl_framing_clear(struct cl_framing *f) {
  free(f->accept);
  free(f->content_type);
  free(f->host);
  free(f->authorization);
  *f = (struct cl_framing){0};
}
