/* SPDX-License-Identifier: Apache-2.0
 *
 * Basic authentication: who may pass, by the file the worker file names. The file is read again when it
 * has changed; while it cannot be read, nobody passes. Any thread; locks inside.
 */
#pragma once

#include "worker/config_rest.h"

struct cl_auth;

/* *out stays NULL when conf asks for nothing. A file that admits nobody or everybody is an error. */
int cl_auth_new(const struct cl_auth_conf *conf, struct cl_auth **out, struct cl_err *err);
void cl_auth_free(struct cl_auth *a); /* NULL is allowed */

enum cl_verdict {
  CL_AUTH_UNKNOWN, /* the password must be hashed, which takes its time */
  CL_AUTH_IN,
  CL_AUTH_OUT
};
/* What can be said at once. authorization: the header's value, NULL = none or not one alone. A NULL a admits
 * everybody. */
enum cl_verdict cl_auth_glance(struct cl_auth *a, const char *authorization);
/* The same, with a hash where it must be: for a thread that nobody waits for. Never CL_AUTH_UNKNOWN. */
enum cl_verdict cl_auth_ask(struct cl_auth *a, const char *authorization);
