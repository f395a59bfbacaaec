/* SPDX-License-Identifier: Apache-2.0
 *
 * Classes as configs name them: found by class or alias, or Apache's words on why not.
 * Any thread, no state.
 */
#pragma once

#include "base/err.h"
#include "vm/plugin.h"

struct cl_found_class {
  const char *class;        /* full name, NULL = none known */
  const char *version;      /* or NULL */
  struct cl_plugin *plugin; /* borrowed */
};

/* name (NULL is allowed) is trimmed. header: for header.converter, as whatever other key
 * converters are wanted; it counts for CL_PLUGIN_CONVERTER only. */
struct cl_found_class cl_class_find(const struct cl_plugins *plugins, enum cl_plugin_kind kind, bool header,
                                    const char *name);
/* Why cl_class_find found nothing for the text under key: CL_ENOTFOUND when there is no such class,
 * CL_EINVAL when it is of another kind. Returns err->code. */
int cl_class_refuse(const struct cl_plugins *plugins, enum cl_plugin_kind kind, bool header, const char *key,
                    const char *text, struct cl_err *err);
