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

/* authorization: the header's value, NULL = none or not one alone. A NULL a admits everybody. */
bool cl_auth_admits(struct cl_auth *a, const char *authorization);
