/* SPDX-License-Identifier: Apache-2.0
 *
 * Java's key and trust stores (ssl.keystore.*, ssl.truststore.* of a config) read into PEM text: PEM in a
 * file or in the setting itself, and PKCS12. JKS is refused with the line that converts it. What cannot
 * be used is an error that names the key: `Invalid value V for configuration KEY: ...`, secrets hidden.
 * Any thread, no state. Owner of what was read: the caller.
 */
#pragma once

#include "base/json.h"

#include <stdbool.h>

enum cl_store_from { CL_STORE_NONE, CL_STORE_INLINED, CL_STORE_PEM_FILE, CL_STORE_PKCS12 };

struct cl_trust_store {
  enum cl_store_from from;
  char *location;     /* of a file */
  char *certificates; /* PEM, at least one */
};
int cl_stores_trust(const json_t *config, struct cl_trust_store *out, struct cl_err *err);
void cl_trust_store_clear(struct cl_trust_store *s);

struct cl_key_store {
  enum cl_store_from from;
  char *location;
  char *key;   /* PEM without a password; wiped when cleared */
  char *chain; /* PEM, the key's own certificate first */
};
int cl_stores_key(const json_t *config, struct cl_key_store *out, struct cl_err *err);
void cl_key_store_clear(struct cl_key_store *s);
