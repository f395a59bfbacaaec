/* SPDX-License-Identifier: Apache-2.0
 *
 * Files and folders being watched by name (inotify): what is there, what is not there yet, and every link and
 * folder on the way to it, since a path means something else when one of these changes. An event is a hint
 * that it is worth looking, no more.
 * Not thread-safe: one thread opens, reads and closes.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>

struct cl_notify;

/* CL_EIO: the system gives no more. */
int cl_notify_open(struct cl_notify **out, struct cl_err *err);
void cl_notify_close(struct cl_notify *n); /* NULL is allowed */

/* Watches path as it leads now; inside: also each entry of the folder that it is. What may not be looked at
 * is passed over. CL_EIO: the system watches no more folders. */
int cl_notify_add(struct cl_notify *n, const char *path, bool inside, struct cl_err *err);

int cl_notify_fd(const struct cl_notify *n); /* readable = something has happened */
/* Takes what has happened; whether any of it is about what is watched. Does not wait. */
bool cl_notify_take(struct cl_notify *n);
