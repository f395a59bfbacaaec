/* SPDX-License-Identifier: Apache-2.0
 *
 * What the headers say before a body is read: copies of those the routes need, and whether
 * the request must be refused. Any thread, no state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct MHD_Connection;

struct cl_framing {
  char *accept, *content_type, *host; /* malloc'd or NULL; Accept headers are joined */
  char *authorization;                /* NULL also when there are several */
  int status;                         /* 0 = go on; otherwise answer this and close the connection */
  const char *message;                /* static; NULL for 413, whose text has the limit */
};
void cl_framing_read(struct MHD_Connection *con, const char *method, const char *version, size_t body_max,
                     struct cl_framing *out);
void cl_framing_clear(struct cl_framing *f);
