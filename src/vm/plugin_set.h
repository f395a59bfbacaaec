/* SPDX-License-Identifier: Apache-2.0
 *
 * What plugin.c, plugin_make.c and plugin_scan.c share.
 * May be included in src/vm only.
 */
#pragma once

#include "vm/plugin.h"

#include <stddef.h>

struct cl_plugins {
  struct cl_plugin_file *files; /* in the order seen; accepted ones hold a reference */
  size_t n, cap;
  int refs;
};

/* "transform" as files write it, or REST's name. */
bool cl_plugin_kind_parse(const char *text, enum cl_plugin_kind *out);

/* The folder of a plugin file, malloc'd; NULL = no memory. */
char *cl_plugin_root(const char *file);

/* The plugin of a manifest, or the two of a transform with sides (else out[1] is NULL); references. */
int cl_plugin_make(const char *path, const json_t *manifest, struct cl_sources *sources,
                   struct cl_plugin *out[2], struct cl_err *err);
