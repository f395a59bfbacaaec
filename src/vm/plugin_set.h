/* SPDX-License-Identifier: Apache-2.0
 *
 * What plugin.c and plugin_scan.c share.
 * May be included in src/vm only.
 */
#pragma once

#include "vm/plugin.h"

#include <stddef.h>

struct cl_plugins {
  struct cl_plugin_file *files; /* in the order seen; accepted ones hold a reference */
  size_t n, cap;
};

/* "transform" as files write it, or REST's name. */
bool cl_plugin_kind_parse(const char *text, enum cl_plugin_kind *out);

/* The folder of a plugin file, malloc'd; NULL = no memory. */
char *cl_plugin_root(const char *file);
