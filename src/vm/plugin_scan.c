/* SPDX-License-Identifier: Apache-2.0
 * The scan: folders to files, files to manifests (on the control thread), manifests to
 * plugins. Whatever looks like a plugin is listed, accepted or with the reason why not.
 * Thread: the caller's. May include base. */
#include "vm/plugin_set.h"

#include "base/clock.h"
#include "vm/control.h"
#include "vm/sources.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_FILES = 10000 };

struct scan {
  struct cl_control *control;
  const struct cl_plugins *old; /* of the last scan, or NULL */
  const char *only;             /* the one file that is asked about, or NULL */
  struct cl_plugins *set;
  struct cl_err *err; /* out of memory, the only failure */
};

static int no_memory(struct scan *s) {
  return cl_err_set(s->err, CL_ENOMEM, "no memory for the list of plugins");
}

static bool ends_with(const char *text, const char *end) {
  size_t n = strlen(text), m = strlen(end);
  return n >= m && strcmp(text + n - m, end) == 0;
}

static const char *base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static char *join(const char *folder, const char *name) {
  char *out = NULL;
  size_t n = strlen(folder);
  const char *slash = n && folder[n - 1] == '/' ? "" : "/";
  return asprintf(&out, "%s%s%s", folder, slash, name) < 0 ? NULL : out;
}

/* ------------------------------------------------------------------ file list */

/* Copies f, with references of its own. */
static int add_entry(struct scan *s, const struct cl_plugin_file *f) {
  struct cl_plugins *set = s->set;
  struct cl_plugin_file copy = *f;
  if (set->n == set->cap) {
    size_t cap = set->cap ? set->cap * 2 : 16;
    struct cl_plugin_file *files = realloc(set->files, cap * sizeof(*files));
    if (!files)
      return no_memory(s);
    set->files = files;
    set->cap = cap;
  }
  copy.path = strdup(f->path);
  copy.reason = f->reason ? strdup(f->reason) : NULL;
  if (!copy.path || (f->reason && !copy.reason)) {
    free(copy.path);
    free(copy.reason);
    return no_memory(s);
  }
  if (copy.plugin)
    cl_plugin_ref(copy.plugin);
  if (copy.tried)
    cl_sources_ref(copy.tried);
  set->files[set->n++] = copy;
  return 0;
}

/* What is no plugin at all, and why. */
static int add_file(struct scan *s, const char *path, const char *reason) {
  return add_entry(s, &(struct cl_plugin_file){.path = (char *)path, .reason = (char *)reason});
}

static int add_jar(struct scan *s, const char *path) {
  bool connect_file = strncmp(base_name(path), "connect-file", 12) == 0;
  return add_file(s, path,
                  connect_file
                      ? "Java archive: connect-lua runs Lua plugins, not jars; FileStreamSource and "
                        "FileStreamSink are built in, so this entry can go"
                      : "Java archive: connect-lua runs Lua plugins, not jars; put the connector's Lua "
                        "file here instead");
}

static int refuse(struct scan *s, const char *path, const char *what, int code) {
  char reason[256];
  snprintf(reason, sizeof(reason), "%s: %s", what, strerror(code));
  return add_file(s, path, reason);
}

static bool is_seen(const struct cl_plugins *set, const char *path) {
  for (size_t i = 0; i < set->n; i++) {
    if (strcmp(set->files[i].path, path) == 0)
      return true;
  }
  return false;
}

static const char *file_of_class(const struct cl_plugins *set, const char *class) {
  for (size_t i = 0; i < set->n; i++) {
    if (set->files[i].plugin && strcmp(set->files[i].plugin->class, class) == 0)
      return set->files[i].path;
  }
  return NULL;
}

static bool is_same_file(const char *a, const char *b) {
  struct stat x, y;
  return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* ------------------------------------------------------------- what was before */

static const struct cl_plugin_file *old_of_class(const struct scan *s, const char *class) {
  for (size_t i = 0; s->old && i < s->old->n; i++) {
    const struct cl_plugin *p = s->old->files[i].plugin;
    if (p && strcmp(p->class, class) == 0)
      return &s->old->files[i];
  }
  return NULL;
}

/* The next entry at or after *at that the last scan has of this path: of a file that is gone only when there
 * is no other. */
static const struct cl_plugin_file *old_of_path(const struct scan *s, const char *path, bool removed,
                                                size_t *at) {
  for (; s->old && *at < s->old->n; (*at)++) {
    const struct cl_plugin_file *f = &s->old->files[*at];
    if (strcmp(f->path, path) == 0 && f->removed == removed)
      return &s->old->files[(*at)++];
  }
  return NULL;
}

/* Takes over the entries of path as they were, with how it is with them now. False: there are none. */
static bool carry_over(struct scan *s, const char *path, const struct cl_plugin_file *now, int *rc) {
  size_t at = 0;
  bool removed = false, any = false;
  const struct cl_plugin_file *f = old_of_path(s, path, false, &at);
  if (!f) {
    removed = true;
    at = 0;
    f = old_of_path(s, path, true, &at);
  }
  for (; f && *rc == 0; f = old_of_path(s, path, removed, &at)) {
    struct cl_plugin_file copy = *f;
    copy.removed = false;
    copy.tried = now->tried;
    bool again = !now->tried && now->reason && f->reason && strcmp(now->reason, f->reason) == 0;
    if (now->reason && !again) {
      copy.reason = now->reason;
      copy.reason_ms = now->reason_ms;
    }
    any = true;
    *rc = add_entry(s, &copy);
  }
  return any;
}

static const struct cl_plugin_file *first_old(const struct scan *s, const char *path) {
  size_t at = 0;
  const struct cl_plugin_file *f = old_of_path(s, path, false, &at);
  at = 0;
  return f ? f : old_of_path(s, path, true, &at);
}

/* Nothing has changed since the last scan, or nobody asks about this file. */
static bool is_as_before(struct scan *s, const char *path, int *rc) {
  const struct cl_plugin_file *f = first_old(s, path);
  if (s->only && strcmp(s->only, path) != 0)
    return f ? carry_over(s, path, &(struct cl_plugin_file){.tried = f->tried}, rc) : true;
  if (f && f->plugin && f->plugin->sources && cl_sources_current(f->plugin->sources))
    return carry_over(s, path, &(struct cl_plugin_file){0}, rc);
  if (f && f->tried && !s->only && cl_sources_current(f->tried))
    return carry_over(s, path, &(struct cl_plugin_file){.tried = f->tried}, rc);
  return false;
}

/* What runs outlives its file, until another file gives the class. */
static int keep_removed(struct scan *s) {
  int rc = 0;
  for (size_t i = 0; rc == 0 && s->old && i < s->old->n; i++) {
    struct cl_plugin_file copy = s->old->files[i];
    if (!copy.plugin || file_of_class(s->set, copy.plugin->class))
      continue;
    copy.removed = true;
    copy.tried = NULL;
    rc = add_entry(s, &copy);
  }
  return rc;
}

/* ------------------------------------------------------------------- one plugin */

/* path is refused: what ran before goes on. tried: what was read, NULL = it is to be tried again. */
static int refuse_plugin(struct scan *s, const char *path, const char *reason, struct cl_sources *tried) {
  struct cl_plugin_file now = {
      .path = (char *)path, .reason = (char *)reason, .reason_ms = cl_wall_ms(), .tried = tried};
  int rc = 0;
  return carry_over(s, path, &now, &rc) ? rc : add_entry(s, &now);
}

/* Another file gives the class, or gave it first and still does. */
static const char *taken_by(const struct scan *s, const struct cl_plugin *p) {
  const char *first = file_of_class(s->set, p->class);
  const struct cl_plugin_file *old = first ? NULL : old_of_class(s, p->class);
  if (old && !old->removed && strcmp(old->path, p->file) != 0 && access(old->path, F_OK) == 0 &&
      !is_same_file(old->path, p->file))
    return old->path;
  return first;
}

/* Takes the reference. */
static int add_plugin(struct scan *s, struct cl_plugin *p) {
  struct cl_err err = CL_ERR_INIT;
  const char *first = taken_by(s, p);
  int rc = 0;
  if (!first) {
    const struct cl_plugin_file *old = old_of_class(s, p->class);
    struct cl_plugin_file f = {.path = p->file, .plugin = p, .since_ms = cl_wall_ms()};
    if (old) {
      p->generation = old->plugin->generation + 1;
      f.reason = old->reason;
      f.reason_ms = old->reason_ms;
    }
    rc = add_entry(s, &f);
  } else if (!is_same_file(first, p->file)) { /* else a folder listed twice under two names */
    cl_err_set(&err, CL_EEXIST, "%s: class %s is already given by %s", p->file, p->class, first);
    rc = refuse_plugin(s, p->file, err.msg, NULL);
  }
  cl_plugin_unref(p);
  return rc;
}

/* A thread that was stuck on the file still has what it read: then the file alone stands for it. */
static struct cl_sources *read_alone(const char *path) {
  struct cl_err ignored;
  struct cl_sources *s = cl_sources_new();
  const char *text;
  char *own;
  size_t len;
  if (s) {
    (void)cl_sources_read(s, path, &own, &text, &len, &ignored);
    free(own);
    cl_sources_close(s);
  }
  return s;
}

static int scan_plugin(struct scan *s, const char *path) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_plugin *made[2] = {NULL, NULL};
  json_t *manifest = NULL;
  struct cl_sources *sources = NULL;
  int rc = 0;
  if (is_seen(s->set, path) || is_as_before(s, path, &rc))
    return rc;
  if (cl_control_manifest(s->control, path, &manifest, &sources, &err) != 0 ||
      cl_plugin_make(path, manifest, sources, made, &err) != 0) {
    if (!sources)
      sources = read_alone(path);
    rc = refuse_plugin(s, path, err.msg, sources);
  } else {
    rc = add_plugin(s, made[0]);
    bool accepted = s->set->n > 0 && s->set->files[s->set->n - 1].plugin == made[0];
    if (made[1] && rc == 0 && accepted) /* one reason is enough */
      rc = add_plugin(s, made[1]);
    else
      cl_plugin_unref(made[1]);
  }
  cl_sources_unref(sources);
  json_decref(manifest);
  return rc;
}

/* -------------------------------------------------------------------- folders */

static bool is_plugin_name(const char *name) {
  return ends_with(name, ".lua") && !ends_with(name, "_spec.lua");
}

static int compare_names(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The entries of a folder but hidden ones, sorted so that a scan is the same everywhere. */
static int list_folder(struct scan *s, const char *folder, char ***out, size_t *count) {
  DIR *dir = opendir(folder);
  char **names = NULL;
  size_t n = 0, cap = 0;
  const struct dirent *e;
  *out = NULL;
  *count = 0;
  while (dir && n < MAX_FILES && (e = readdir(dir)) != NULL) {
    if (e->d_name[0] == '.')
      continue;
    if (n == cap) {
      cap = cap ? cap * 2 : 32;
      char **grown = realloc(names, cap * sizeof(char *));
      if (!grown)
        goto fail;
      names = grown;
    }
    if (!(names[n] = strdup(e->d_name)))
      goto fail;
    n++;
  }
  if (!dir && errno != ENOENT) /* of our own folders not each has to be there */
    return refuse(s, folder, "the folder cannot be read", errno);
  if (dir)
    closedir(dir);
  if (n)
    qsort(names, n, sizeof(char *), compare_names);
  *out = names;
  *count = n;
  return 0;
fail:
  closedir(dir);
  while (n)
    free(names[--n]);
  free(names);
  return no_memory(s);
}

typedef int entry_fn(struct scan *s, const char *path, const struct stat *st);

static int scan_entry(struct scan *s, const char *path, const struct stat *st);

/* What a link does not lead to may have been a plugin. */
static int refuse_link(struct scan *s, const char *path, entry_fn *fn, int code) {
  struct stat st;
  if (lstat(path, &st) != 0 || (fn != scan_entry && strcmp(base_name(path), "init.lua") != 0))
    return 0;
  return refuse(s, path, "the link leads nowhere", code);
}

static int each_entry(struct scan *s, const char *folder, entry_fn *fn) {
  char **names;
  size_t n;
  int rc = list_folder(s, folder, &names, &n);
  for (size_t i = 0; i < n; i++) {
    char *path = rc == 0 ? join(folder, names[i]) : NULL;
    struct stat st;
    if (rc == 0 && !path)
      rc = no_memory(s);
    if (path && stat(path, &st) == 0)
      rc = fn(s, path, &st);
    else if (path)
      rc = refuse_link(s, path, fn, errno);
    free(path);
    free(names[i]);
  }
  free(names);
  return rc;
}

static int scan_jars(struct scan *s, const char *path, const struct stat *st) {
  return S_ISREG(st->st_mode) && ends_with(path, ".jar") ? add_jar(s, path) : 0;
}

/* Inside a plugin's own folder only init.lua is a plugin; its other files are its own.
 * Java plugins keep their jars here or in lib/. */
static int scan_inner(struct scan *s, const char *path, const struct stat *st) {
  if (S_ISDIR(st->st_mode) && strcmp(base_name(path), "lib") == 0)
    return each_entry(s, path, scan_jars);
  if (S_ISREG(st->st_mode) && ends_with(path, ".jar"))
    return add_jar(s, path);
  return S_ISREG(st->st_mode) && strcmp(base_name(path), "init.lua") == 0 ? scan_plugin(s, path) : 0;
}

static int scan_entry(struct scan *s, const char *path, const struct stat *st) {
  size_t before = s->set->n;
  if (S_ISDIR(st->st_mode)) {
    int rc = each_entry(s, path, scan_inner);
    bool odd = rc == 0 && s->set->n == before && ends_with(path, ".lua");
    return odd ? add_file(s, path, "a folder without an init.lua is no plugin") : rc;
  }
  if (!S_ISREG(st->st_mode))
    return is_plugin_name(base_name(path)) ? add_file(s, path, "it is not a regular file") : 0;
  if (ends_with(path, ".jar"))
    return add_jar(s, path);
  return is_plugin_name(base_name(path)) ? scan_plugin(s, path) : 0;
}

/* An entry of plugin.path: a folder of plugins, a folder that is one, or a file. */
static int scan_path(struct scan *s, const char *path) {
  struct stat st;
  if (stat(path, &st) != 0) {
    return refuse(s, path, "plugin.path", errno);
  }
  if (S_ISDIR(st.st_mode))
    return each_entry(s, path, scan_entry);
  if (!ends_with(path, ".jar") && !is_plugin_name(base_name(path)))
    return add_file(s, path, "plugin.path: neither a folder nor a plugin's .lua file");
  return scan_entry(s, path, &st);
}

static const char *const installed[] = {"connectors", "lua/connect/converters", "lua/connect/transforms",
                                        "lua/connect/predicates"};
enum { N_INSTALLED = sizeof(installed) / sizeof(installed[0]) };

static int scan_installed(struct scan *s, const char *home) {
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < N_INSTALLED; i++) {
    char *path = join(home, installed[i]);
    rc = path ? each_entry(s, path, scan_entry) : no_memory(s);
    free(path);
  }
  return rc;
}

/* The folder, and those in it: the scan looks no deeper. */
static int tell_folders(const char *folder, int depth, int (*tell)(void *, const char *, struct cl_err *),
                        void *arg, struct cl_err *err) {
  int rc = tell(arg, folder, err);
  DIR *dir = rc == 0 && depth > 0 ? opendir(folder) : NULL;
  const struct dirent *e;
  while (rc == 0 && dir && (e = readdir(dir)) != NULL) {
    struct stat st;
    char *path = e->d_name[0] == '.' ? NULL : join(folder, e->d_name);
    if (path && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
      rc = tell_folders(path, depth - 1, tell, arg, err);
    free(path);
  }
  if (dir)
    closedir(dir);
  return rc;
}

int cl_plugins_folders(const char *home, const json_t *paths,
                       int (*tell)(void *arg, const char *folder, struct cl_err *err), void *arg,
                       struct cl_err *err) {
  size_t i;
  json_t *path;
  for (i = 0; i < N_INSTALLED; i++) {
    char *folder = join(home, installed[i]);
    int rc = folder ? tell_folders(folder, 1, tell, arg, err) : cl_err_set(err, CL_ENOMEM, "no memory");
    free(folder);
    if (rc != 0)
      return rc;
  }
  json_array_foreach ((json_t *)paths, i, path) {
    if (json_is_string(path) && tell_folders(json_string_value(path), 1, tell, arg, err) != 0)
      return err->code;
  }
  return 0;
}

int cl_plugins_scan(struct cl_control *control, const char *home, const json_t *paths,
                    struct cl_plugins **out, struct cl_err *err) {
  return cl_plugins_rescan(control, home, paths, NULL, NULL, out, err);
}

int cl_plugins_rescan(struct cl_control *control, const char *home, const json_t *paths,
                      const struct cl_plugins *old, const char *only, struct cl_plugins **out,
                      struct cl_err *err) {
  *out = NULL;
  struct cl_plugins *set = calloc(1, sizeof(*set));
  if (!set)
    return cl_err_set(err, CL_ENOMEM, "no memory for the list of plugins");
  set->refs = 1;
  struct scan s = {.control = control, .old = old, .only = only, .set = set, .err = err};
  int rc = scan_installed(&s, home);
  size_t i;
  json_t *path;
  json_array_foreach ((json_t *)paths, i, path) {
    if (rc == 0 && json_is_string(path))
      rc = scan_path(&s, json_string_value(path));
  }
  if (rc == 0)
    rc = keep_removed(&s);
  if (rc != 0) {
    cl_plugins_unref(set);
    return rc;
  }
  *out = set;
  return 0;
}
