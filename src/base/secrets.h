/* SPDX-License-Identifier: Apache-2.0
 *
 * What must not be shown: passwords and what config providers gave. Everything that goes out
 * (errors, log lines, traces, answers) is passed through cl_secrets_hide where it is made.
 * Any thread.
 */
#pragma once

#include <stddef.h>

/* The newest of so many are known. */
enum { CL_SECRETS_MAX = 10000, CL_SECRETS_MIN_LEN = 4, CL_SECRETS_LINE_LEN = 16 };

/* Remembers a copy: as it stands, without blanks at its ends, and, as a key is often shown line by line,
 * those of its lines with at least CL_SECRETS_LINE_LEN bytes. Not what hides nothing and would only spoil
 * texts: less than CL_SECRETS_MIN_LEN bytes, true, false, numbers of up to five digits (ports). */
void cl_secrets_add(const char *text);

/* Replaces every secret in text, a buffer of cap bytes, by [hidden]; what has no room is cut off
 * at the end. A text that fills its buffer may have been cut within a secret: then so much of
 * one at the end is hidden, too. */
void cl_secrets_hide(char *text, size_t cap);
/* The same to a copy, malloc'd; NULL = no memory. */
char *cl_secrets_hidden(const char *text);
