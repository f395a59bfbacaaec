/* SPDX-License-Identifier: Apache-2.0
 *
 * What must not be shown: passwords and what config providers gave. Everything that goes out
 * (errors, log lines, traces, answers) is passed through cl_secrets_hide where it is made.
 *
 * Who learns a secret holds it: a thread works for one holder at a time, and what it adds is that
 * holder's and is forgotten with it. A connector's are looked for in every text, as its clients' and
 * the worker's threads may show them; those of a request that is only being answered in the texts of
 * the threads that work for it, so that nobody's request can change what others are told. What is
 * learnt for no holder is the process's: the worker's own, and the command line's.
 * Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { CL_SECRETS_MIN_LEN = 4, CL_SECRETS_LINE_LEN = 16, CL_SECRETS_PASSING_MAX = 1000 };

struct cl_secrets; /* a holder; NULL stands for the process in all of these */

/* everywhere: its secrets are looked for in all texts. NULL = no memory. */
struct cl_secrets *cl_secrets_new(bool everywhere);
struct cl_secrets *cl_secrets_ref(struct cl_secrets *s);
void cl_secrets_unref(struct cl_secrets *s);
/* Whom this thread works for from now on, no reference; answers the one before. */
struct cl_secrets *cl_secrets_hold(struct cl_secrets *s);
struct cl_secrets *cl_secrets_held(void);

/* Remembers a copy for the holder: as it stands, without blanks at its ends, and, as a key is often shown
 * line by line, those of its lines with at least CL_SECRETS_LINE_LEN bytes. Not what hides nothing and
 * would only spoil texts: less than CL_SECRETS_MIN_LEN bytes, true, false, numbers of up to five digits
 * (ports). */
void cl_secrets_add(const char *text);
/* What does not last, as a server's token: a holder has the newest CL_SECRETS_PASSING_MAX of them. */
void cl_secrets_add_passing(const char *text);

/* Replaces every secret in text, a buffer of cap bytes, by [hidden], but not what is a part of an exception
 * class's name (cl_err_class), which programs read and where "kafka" tells nothing; what has no room is cut
 * off at the end. A text that fills its buffer may have been cut within a secret: then so much of one at the
 * end is hidden, too. */
void cl_secrets_hide(char *text, size_t cap);
/* The same to a copy, malloc'd; NULL = no memory. */
char *cl_secrets_hidden(const char *text);
