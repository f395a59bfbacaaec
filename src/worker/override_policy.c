/* SPDX-License-Identifier: Apache-2.0
 * The four policies of Apache. May include floors 5-0. */
#include "worker/override_policy.h"

#include "base/buf.h"
#include "base/confdef.h"
#include "base/text.h"

#include <string.h>

#define KEY "connector.client.config.override.policy"
#define PACKAGE "org.apache.kafka.connect.connector.policy."
#define SUFFIX "ConnectorClientConfigOverridePolicy"

static const char *const names[] = {"All", "None", "Principal", "Allowlist"};
enum { ALL, NONE, PRINCIPAL, ALLOWLIST, N_POLICIES };

static int find(const char *class) {
  int i = 0;
  while (i < N_POLICIES && !cl_names_class(class, PACKAGE, names[i], SUFFIX))
    i++;
  return i;
}

int cl_override_policy_new(const json_t *typed, struct cl_override_policy *out, struct cl_err *err) {
  const char *class = cl_json_str(typed, KEY);
  int which = find(class ? class : "All");
  if (which == N_POLICIES)
    return cl_conf_error(err,
                         "Invalid value %s for configuration " KEY
                         ": Class %s could not be found; All, None, Principal and Allowlist are there",
                         class, class);
  out->name = names[which];
  if (which == NONE)
    out->allowed = json_array();
  else if (which == PRINCIPAL)
    out->allowed = json_pack("[s,s,s]", "sasl.jaas.config", "sasl.mechanism", "security.protocol");
  else if (which == ALLOWLIST)
    out->allowed = json_incref(json_object_get(typed, "connector.client.config.override.allowlist"));
  return which == ALL || out->allowed ? 0 : cl_err_set(err, CL_ENOMEM, "out of memory");
}

void cl_override_policy_clear(struct cl_override_policy *p) { json_decref(p->allowed); }

bool cl_override_policy_allows(const struct cl_override_policy *p, const char *key) {
  return !p->allowed || cl_json_has_text(p->allowed, key);
}

int cl_override_policy_check(const struct cl_override_policy *p, const json_t *overrides,
                             struct cl_err *err) {
  struct cl_buf refused = {0};
  const char *key;
  json_t *value;
  json_object_foreach ((json_t *)overrides, key, value) {
    if (!cl_override_policy_allows(p, key))
      cl_buf_fmt(&refused, "%s%s", refused.len ? ", " : "", key);
  }
  int rc = refused.len
               ? cl_conf_error(err, "Client Config Overrides not allowed [%s]: the worker's policy is %s",
                               refused.p, p->name)
               : 0;
  cl_buf_free(&refused);
  return rc;
}
