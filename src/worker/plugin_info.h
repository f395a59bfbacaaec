/* SPDX-License-Identifier: Apache-2.0
 * Plugin files as people and tools read them. Any thread, no state. */
#pragma once

#include "vm/plugin.h"

/* Every plugin file seen: {"file","state":"accepted","class","type","version","aliases","hash",
 * "doc"} or {"file","state":"rejected","reason"}. New reference. */
json_t *cl_plugin_info_files(const struct cl_plugins *plugins);
