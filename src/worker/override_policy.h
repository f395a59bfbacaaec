/* SPDX-License-Identifier: Apache-2.0
 *
 * connector.client.config.override.policy: which settings of their Kafka clients connectors may
 * change by producer.override., consumer.override. and admin.override. Any thread; immutable.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"

#include <stdbool.h>

struct cl_override_policy {
  const char *name; /* "All", "None", "Principal", "Allowlist"; static text */
  json_t *allowed;  /* array of Java's keys; NULL = every key */
};

/* By class or alias, and connector.client.config.override.allowlist; typed are the worker's keys. */
int cl_override_policy_new(const json_t *typed, struct cl_override_policy *out, struct cl_err *err);
void cl_override_policy_clear(struct cl_override_policy *p);

/* key without its prefix ("acks"). */
bool cl_override_policy_allows(const struct cl_override_policy *p, const char *key);
/* CL_EINVAL names the keys of overrides (without prefix) that the policy does not allow. */
int cl_override_policy_check(const struct cl_override_policy *p, const json_t *overrides, struct cl_err *err);
