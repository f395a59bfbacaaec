/* SPDX-License-Identifier: Apache-2.0
 * What answers carry besides: CORS and response.http.headers.config. Thread: main. */
#pragma once

#include "worker/config_rest.h"

int cl_headers_conf_load(const json_t *typed, struct cl_rest_conf *out, struct cl_err *err);
void cl_headers_conf_clear(struct cl_rest_conf *conf);
