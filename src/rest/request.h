/* SPDX-License-Identifier: Apache-2.0
 *
 * One HTTP request, read strictly: path segments, query, media types. No sockets here,
 * so that a fuzzer can reach all of it.
 * Owner: whoever declared it. One thread at a time.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { CL_REQUEST_SEGMENTS = 8, CL_REQUEST_PARAMS = 32 };

struct cl_segment {
  const char *text; /* percent-decoded, matrix parameters dropped, never empty */
  bool escaped;     /* it held escapes: matches no fixed segment */
};
struct cl_param {
  const char *key, *value; /* decoded; value is "" when there was none */
};

struct cl_request {
  /* Borrowed, set by the caller. */
  const char *method;
  const char *target;                /* as it stands in the request line */
  const char *accept, *content_type; /* NULL = absent */
  const char *body;
  size_t body_len;
  /* Set by cl_request_parse. */
  size_t n_segments, n_params;
  bool no_path; /* "*" and other targets that name no resource */
  struct cl_segment segments[CL_REQUEST_SEGMENTS];
  struct cl_param params[CL_REQUEST_PARAMS];
  char *text; /* what segments and params point into */
};

/* Splits and decodes the target. A path of more segments than any route has is no_path. */
int cl_request_parse(struct cl_request *r, struct cl_err *err);
void cl_request_clear(struct cl_request *r);

/* The first value of a query parameter, or NULL. */
const char *cl_request_param(const struct cl_request *r, const char *key);
/* Apache's booleans: "true" in any case is true, any other text is false. */
bool cl_request_flag(const struct cl_request *r, const char *key, bool absent);

/* Content-Type is there and is application/json, parameters allowed. */
bool cl_request_sends_json(const struct cl_request *r);
bool cl_request_sends_type(const struct cl_request *r); /* any Content-Type at all */
/* Accept admits application/json; absent admits everything. */
bool cl_request_takes_json(const struct cl_request *r);
/* The type the client likes best, the first of equals: "text/plain" when anything goes. */
void cl_request_best_type(const struct cl_request *r, char *out, size_t size);

/* Percent-encodes everything that could end or change a path segment; malloc'd, NULL = no memory. */
char *cl_request_encode(const char *segment);
