/* SPDX-License-Identifier: Apache-2.0
 * Plugin files as people and tools read them. Any thread, no state. */
#pragma once

#include "vm/plugin.h"

/* Every plugin file seen: {"file","state":"accepted","class","type","version","aliases","hash","doc",
 * "generation","since","modules":[{"file","hash"}],"current","removed","last_rejection":{"at","reason"}} or
 * {"file","state":"rejected","reason"}. New reference. */
json_t *cl_plugin_info_files(const struct cl_plugins *plugins);

/* By class, alias or short name, of any kind. Borrowed; NULL = none. */
struct cl_plugin *cl_plugin_info_find(const struct cl_plugins *plugins, const char *name);

/* From one scan to the next: {"reloaded":[{"class","type","file","generation"}],
 * "rejected":[{"file","reason"}],"removed":[{"class","type","file","generation"}]}. New reference. */
json_t *cl_plugin_info_changes(const struct cl_plugins *before, const struct cl_plugins *after);
/* Whether there is anything to be told or shown. */
bool cl_plugin_info_differ(const struct cl_plugins *before, const struct cl_plugins *after);
