/* SPDX-License-Identifier: Apache-2.0
 *
 * The headers that answers carry by the worker file: CORS as Jetty's CrossOriginHandler does it, then
 * response.http.headers.config as its HeaderFilter does. Any thread; locks inside.
 */
#pragma once

#include "worker/config_rest.h"

#include <microhttpd.h>

struct cl_headers;

int cl_headers_new(const struct cl_rest_conf *conf, struct cl_headers **out, struct cl_err *err);
void cl_headers_free(struct cl_headers *h); /* NULL is allowed */

/* Adds them to an answer of con that has none yet. */
enum MHD_Result cl_headers_add(struct cl_headers *h, struct MHD_Connection *con, const char *method,
                               struct MHD_Response *r);
/* The only header of this name. */
enum MHD_Result cl_headers_set(struct MHD_Response *r, const char *name, const char *value);
