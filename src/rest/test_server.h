/* SPDX-License-Identifier: Apache-2.0
 *
 * An HTTP server with prepared answers, for specs of plugins (lua/connect/testkit/server.lua, which
 * declares the same by ffi.cdef). Real sockets on 127.0.0.1; each connection has a thread of
 * libmicrohttpd's. What is asked is kept until the server is stopped.
 * Thread: any; owner: whoever started it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum cl_test_end {
  CL_TEST_WHOLE, /* the answer is sent */
  CL_TEST_CLOSE, /* the connection is closed instead */
  CL_TEST_CUT    /* and after half of the body */
};

struct cl_test_answer {
  const char *method, *path; /* answers these alone; NULL = any */
  int status;
  const char *headers; /* "Name: value\n" for each */
  const char *body;
  size_t body_len;
  int64_t delay_ms;
  int end;   /* enum cl_test_end */
  int times; /* how often it is given; -1 = always */
};

struct cl_test_request {
  const char *method, *target; /* as sent, with the query */
  const char *headers;         /* as above */
  const char *body;
  size_t body_len;
};

struct cl_test_server;
struct cl_test_server *cl_test_server_start(void); /* NULL = it cannot listen */
int cl_test_server_port(const struct cl_test_server *s);
/* Copied. Of those that fit a request and are not used up the first is given; none = status 500. -1 = no
 * memory. */
int cl_test_server_answer(struct cl_test_server *s, const struct cl_test_answer *a);
size_t cl_test_server_count(struct cl_test_server *s); /* requests received whole */
/* Lives until the server is stopped; NULL = there is none. */
const struct cl_test_request *cl_test_server_request(struct cl_test_server *s, size_t i);
void cl_test_server_stop(struct cl_test_server *s);
