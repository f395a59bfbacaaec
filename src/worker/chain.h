/* SPDX-License-Identifier: Apache-2.0
 *
 * The chain of transforms a connector's config asks for: `transforms`, `predicates` and the keys
 * under their aliases, by Apache's rules.
 * Any thread, no state.
 */
#pragma once

#include "vm/chain.h"

/* What Apache finds wrong with the classes behind the aliases as soon as it makes the connector,
 * in its words; where they are right, REST's validation says the same of a config in others. */
int cl_chain_check(const struct cl_plugins *plugins, const json_t *config, struct cl_err *err);

/* The stages in order; plugins not built yet and unknown predicates are errors, Apache's where it
 * has one. *out: one reference, also when the chain is empty. */
int cl_chain_resolve(const struct cl_plugins *plugins, const json_t *config, struct cl_chain **out,
                     struct cl_err *err);

/* The keys of one alias, without its prefix ("transforms.a.") and those that are the worker's:
 * type, plugin.version, predicate, negate. New reference. */
json_t *cl_chain_settings(const json_t *config, const char *prefix);
