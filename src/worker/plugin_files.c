/* SPDX-License-Identifier: Apache-2.0
 * Plugin files as people and tools see them, and what one scan found that the one before had not.
 * Any thread, no state. May include floors 5-0. */
#include "worker/plugin_info.h"

#include "base/text.h"
#include "vm/sources.h"
#include "worker/seen.h"

#include <string.h>

/* The files beside its own that a plugin is made of. */
static json_t *modules(const struct cl_plugin *p) {
  size_t n = 0;
  const struct cl_source_file *f = p->sources ? cl_sources_all(p->sources, &n) : NULL;
  json_t *out = json_array();
  for (size_t i = 0; i < n; i++) {
    if (f[i].text && strcmp(f[i].path, p->file) != 0)
      json_array_append_new(out,
                            json_pack("{s:o,s:s}", "file", cl_json_lenient(f[i].path), "hash", f[i].hash));
  }
  return out;
}

static json_t *file_json(const struct cl_plugin_file *f) {
  const struct cl_plugin *p = f->plugin;
  if (!p)
    return json_pack("{s:o,s:s,s:o}", "file", cl_json_lenient(f->path), "state", "rejected", "reason",
                     cl_json_lenient(f->reason));
  json_t *rejection = f->reason ? json_pack("{s:o,s:o}", "at", cl_seen_time(f->reason_ms), "reason",
                                            cl_json_lenient(f->reason))
                                : json_null();
  return json_pack("{s:o,s:s,s:s,s:s,s:s,s:O,s:s,s:s,s:I,s:o,s:o,s:b,s:b,s:o}", "file",
                   cl_json_lenient(f->path), "state", "accepted", "class", p->class, "type",
                   cl_plugin_kind_name(p->kind), "version", p->version, "aliases", p->aliases, "hash",
                   p->hash, "doc", p->doc ? p->doc : "", "generation", (json_int_t)p->generation, "since",
                   cl_seen_time(f->since_ms), "modules", modules(p), "current", !f->removed && !f->tried,
                   "removed", (int)f->removed, "last_rejection", rejection);
}

json_t *cl_plugin_info_files(const struct cl_plugins *plugins) {
  size_t n;
  const struct cl_plugin_file *files = cl_plugins_files(plugins, &n);
  json_t *out = json_array();
  for (size_t i = 0; i < n; i++)
    json_array_append_new(out, file_json(&files[i]));
  return out;
}

struct cl_plugin *cl_plugin_info_find(const struct cl_plugins *plugins, const char *name) {
  static const enum cl_plugin_kind kinds[] = {CL_PLUGIN_SINK, CL_PLUGIN_CONVERTER, CL_PLUGIN_TRANSFORM,
                                              CL_PLUGIN_PREDICATE};
  struct cl_plugin *found = NULL;
  for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds) && !found; i++)
    found = cl_plugins_find(plugins, kinds[i], name);
  return found;
}

/* ----------------------------------------------------------------------- changes */

/* The entry that was in this one's place. */
static const struct cl_plugin_file *before_of(const struct cl_plugins *before,
                                              const struct cl_plugin_file *f) {
  size_t n;
  const struct cl_plugin_file *old = cl_plugins_files(before, &n);
  for (size_t i = 0; i < n; i++) {
    if (!old[i].plugin != !f->plugin)
      continue;
    if (f->plugin ? strcmp(old[i].plugin->class, f->plugin->class) == 0 : strcmp(old[i].path, f->path) == 0)
      return &old[i];
  }
  return NULL;
}

static json_t *plugin_json(const struct cl_plugin *p) {
  return json_pack("{s:s,s:s,s:o,s:I}", "class", p->class, "type", cl_plugin_kind_name(p->kind), "file",
                   cl_json_lenient(p->file), "generation", (json_int_t)p->generation);
}

static bool same_text(const char *a, const char *b) { return a && b ? strcmp(a, b) == 0 : a == b; }

static bool is_rejected(const struct cl_plugin_file *f, const struct cl_plugin_file *old) {
  return f->reason && (!old || old->reason_ms != f->reason_ms || !same_text(old->reason, f->reason));
}

/* The two of a transform with sides share file and reason. */
static bool is_told(const json_t *rejected, const char *path) {
  const json_t *last = json_array_get(rejected, json_array_size(rejected) - 1);
  return last && strcmp(cl_json_str(last, "file"), path) == 0;
}

json_t *cl_plugin_info_changes(const struct cl_plugins *before, const struct cl_plugins *after) {
  json_t *reloaded = json_array(), *rejected = json_array(), *removed = json_array();
  size_t n;
  const struct cl_plugin_file *f = cl_plugins_files(after, &n);
  for (size_t i = 0; i < n; i++) {
    const struct cl_plugin_file *old = before_of(before, &f[i]);
    if (f[i].plugin && (!old || old->plugin != f[i].plugin))
      json_array_append_new(reloaded, plugin_json(f[i].plugin));
    else if (f[i].removed && !old->removed)
      json_array_append_new(removed, plugin_json(f[i].plugin));
    else if (is_rejected(&f[i], old) && !is_told(rejected, f[i].path))
      json_array_append_new(rejected, json_pack("{s:o,s:o}", "file", cl_json_lenient(f[i].path), "reason",
                                                cl_json_lenient(f[i].reason)));
  }
  return json_pack("{s:o,s:o,s:o}", "reloaded", reloaded, "rejected", rejected, "removed", removed);
}

bool cl_plugin_info_differ(const struct cl_plugins *before, const struct cl_plugins *after) {
  size_t n, m;
  const struct cl_plugin_file *a = cl_plugins_files(before, &n), *b = cl_plugins_files(after, &m);
  for (size_t i = 0; n == m && i < n; i++) {
    if (a[i].plugin != b[i].plugin || a[i].tried != b[i].tried || a[i].removed != b[i].removed ||
        a[i].reason_ms != b[i].reason_ms || strcmp(a[i].path, b[i].path) != 0 ||
        !same_text(a[i].reason, b[i].reason))
      return true;
  }
  return n != m;
}
