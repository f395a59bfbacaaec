/* SPDX-License-Identifier: Apache-2.0
 *
 * Plugins as the host knows them: the folder scan, the manifest each file returned, and
 * the lookup by class, alias or short name.
 * A cl_plugin (one generation of a file) and a cl_plugins (what there is at one moment) are immutable once
 * published and reference counted.
 * Thread: any for lookups; scanning runs the files on the control thread.
 */
#pragma once

#include "base/confdef.h"
#include "base/err.h"
#include "base/json.h"

#include <stdint.h>

enum cl_plugin_kind { /* in REST's order */
                      CL_PLUGIN_SINK,
                      CL_PLUGIN_SOURCE,
                      CL_PLUGIN_TRANSFORM,
                      CL_PLUGIN_PREDICATE,
                      CL_PLUGIN_CONVERTER, /* serves as header converter too unless it says otherwise */
};
const char *cl_plugin_kind_name(enum cl_plugin_kind kind); /* "sink", ... as in REST */

struct cl_sources;

struct cl_plugin { /* one generation of it */
  enum cl_plugin_kind kind;
  char *class;   /* name in REST */
  char *version; /* "undefined" when the file gives none */
  char *doc;
  char *file;                 /* name.lua or name/init.lua, with its folder */
  char *root;                 /* folder that its own require may read: the file's */
  char *hash;                 /* SHA-256 of the file, hex */
  uint64_t generation;        /* 1 when the worker began, one more each time that its files have changed */
  struct cl_sources *sources; /* what its states are loaded from; NULL = the files themselves */
  json_t *aliases;            /* array of strings */
  json_t *verbs;              /* object {"tasks":true,...}: functions the file defines */
  const char *side;  /* "key" or "value": one of a file's two transforms; NULL = the file is one plugin */
  bool headers_only; /* a converter that is none of keys and values */
  struct cl_conf_def *def;
  int refs;
};
void cl_plugin_ref(struct cl_plugin *p);
void cl_plugin_unref(struct cl_plugin *p);

struct cl_plugin_file { /* every file seen, accepted or not */
  char *path;
  struct cl_plugin *plugin; /* NULL = rejected or passed over */
  char *reason;      /* why: "connectors/x.lua:3: ..."; with a plugin: of its last change that was refused */
  int64_t reason_ms; /* when that was, since the epoch */
  int64_t since_ms;  /* when this generation was read */
  bool removed;      /* the file is there no more; what runs goes on */
  struct cl_sources *tried; /* what the file holds now, and was refused; NULL = nothing is */
};

struct cl_plugins;
struct cl_control;

/* Scans folders (array of strings; an entry may be a plain file such as a jar, which is named and
 * passed over; a missing folder is named in the files list too) for name.lua and
 * name/init.lua, after the installed ones under home (connectors/ and
 * lua/connect/{converters,transforms,predicates}). Of two files with one class the first
 * found wins, the other is rejected saying so. Fails only without memory. *out: a reference. */
int cl_plugins_scan(struct cl_control *control, const char *home, const json_t *paths,
                    struct cl_plugins **out, struct cl_err *err);
/* The same after old: what has not changed is old's, what has is its next generation; a change that is
 * refused, and a file that is gone, leave the generation before it. Of two files with one class the one that
 * has it keeps it. only: the other files are left as they were, and this one is tried again though it has
 * not changed since it was refused; NULL = all are looked at. */
int cl_plugins_rescan(struct cl_control *control, const char *home, const json_t *paths,
                      const struct cl_plugins *old, const char *only, struct cl_plugins **out,
                      struct cl_err *err);
/* Every folder that a scan looks into, also one that is not there; stops when tell answers an error. */
int cl_plugins_folders(const char *home, const json_t *paths,
                       int (*tell)(void *arg, const char *folder, struct cl_err *err), void *arg,
                       struct cl_err *err);
struct cl_plugins *cl_plugins_ref(struct cl_plugins *p);
void cl_plugins_unref(struct cl_plugins *p); /* NULL is allowed */

const struct cl_plugin_file *cl_plugins_files(const struct cl_plugins *p, size_t *n);

/* By class, alias, simple class name, or that cut at its kind's suffix ("Connector",
 * "Converter", ...); the two of a file with sides (X$Key, X$Value) by class and alias alone.
 * A converter of headers only is found like any other. connector kinds: pass CL_PLUGIN_SINK for "any
 * connector". NULL = none. Borrowed. */
struct cl_plugin *cl_plugins_find(const struct cl_plugins *p, enum cl_plugin_kind kind, const char *name);

/* Array of {"class","type","version"} in REST's order. */
json_t *cl_plugins_list(const struct cl_plugins *p, bool connectors_only);
