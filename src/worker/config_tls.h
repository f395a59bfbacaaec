/* SPDX-License-Identifier: Apache-2.0
 * The ssl.* keys of https listeners. Thread: main. */
#pragma once

#include "worker/config_rest.h"

/* The keys under prefix when the file has any of those, else the ones without. prefix is static. */
int cl_tls_conf_load(const json_t *raw, const char *prefix, struct cl_tls_conf **out, struct cl_err *err);
void cl_tls_conf_free(struct cl_tls_conf *tls); /* NULL is allowed */
