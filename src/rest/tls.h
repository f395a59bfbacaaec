/* SPDX-License-Identifier: Apache-2.0
 *
 * The TLS of https listeners, by GnuTLS inside libmicrohttpd: which protocols and cipher suites, and whether
 * clients have to show a certificate. One for all listeners of a set; any thread reads it.
 */
#pragma once

#include "worker/config_rest.h"

#include <microhttpd.h>

struct cl_tls;

/* Tries key, certificates and names, so that what GnuTLS cannot do is an error that names the key. conf must
 * outlive it. */
int cl_tls_new(const struct cl_tls_conf *conf, struct cl_tls **out, struct cl_err *err);
void cl_tls_free(struct cl_tls *tls); /* NULL is allowed */

/* Options for MHD_start_daemon, ended by MHD_OPTION_END; they point into tls. */
enum { CL_TLS_OPTIONS = 5 };
void cl_tls_options(const struct cl_tls *tls, struct MHD_OptionItem out[CL_TLS_OPTIONS]);
/* A connection has begun, its handshake has not: says what the client must show. @thread libmicrohttpd */
void cl_tls_greet(const struct cl_tls *tls, struct MHD_Connection *con);
