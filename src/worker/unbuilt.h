/* SPDX-License-Identifier: Apache-2.0
 *
 * Apache's converters, transforms and predicates that connect-lua has not built yet, by name
 * and keys: forms and validation know them, a config that uses one is refused. A plugin file
 * with the class takes an entry's place.
 * Any thread, constant data.
 */
#pragma once

#include "vm/plugin.h"

/* By full class, or simple name where that is one; NULL = none. Its references are not counted. */
struct cl_plugin *cl_unbuilt_find(enum cl_plugin_kind kind, const char *name);
bool cl_unbuilt_is(const struct cl_plugin *plugin);
/* The i-th entry, NULL after the last. */
const struct cl_plugin *cl_unbuilt_at(size_t i);
