/* SPDX-License-Identifier: Apache-2.0
 * Inside of confdef: one value's parsing, checking and printing. For src/base/confdef*.c only. */
#pragma once

#include "base/confdef.h"

/* Reads text (NULL = null) by the row's type, without its validator. *out is set always. */
int cl_conf_value_parse(const struct cl_conf_row *row, const char *text, struct cl_conf_value *out,
                        struct cl_err *err);
/* Runs the row's validator (confdef_check.c). */
int cl_conf_value_check(const struct cl_conf_row *row, const struct cl_conf_value *v, struct cl_err *err);

/* As REST shows it: lists joined by commas, passwords hidden. Malloc'd; NULL = null. */
char *cl_conf_value_text(const struct cl_conf_row *row, const struct cl_conf_value *v);
/* As plugins get it. New reference. */
json_t *cl_conf_value_json(const struct cl_conf_row *row, const struct cl_conf_value *v);

/* "Invalid value {shown} for configuration {key}: {detail}"; shown NULL = null, and never
 * printed for a password. Returns CL_EINVAL. */
int cl_conf_invalid(struct cl_err *err, const struct cl_conf_row *row, const char *shown, const char *fmt,
                    ...) __attribute__((format(printf, 4, 5)));

enum { CL_CONF_DOUBLE_TEXT = 32 };
/* As Java's Double.toString: 1.0, 1.0E10, NaN. */
void cl_conf_double_text(double d, char out[CL_CONF_DOUBLE_TEXT]);
