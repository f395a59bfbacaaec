/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a text that holds URLs holds their secrets: after the colon of user:password@host, and what
 * stands behind a `password=`, as JDBC's URLs have it. Any thread, no state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The first of them at or after *at: its place in *at and *len. False: there is none. */
bool cl_url_secret(const char *text, size_t *at, size_t *len);

/* Remembers all of them as secrets (base/secrets.h), as they stand and percent-decoded. */
void cl_url_secrets_add(const char *text);
