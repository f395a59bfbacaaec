/* SPDX-License-Identifier: Apache-2.0
 * The scan: folders to files, files to manifests (on the control thread), manifests to
 * plugins. Whatever looks like a plugin is listed, accepted or with the reason why not.
 * Thread: the caller's. May include base, libcrypto. */
#define CL_COMPONENT "plugins"
#include "vm/plugin_set.h"

#include "base/fs.h"
#include "base/log.h"
#include "vm/control.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_FILES = 10000, MAX_FILE_SIZE = 4 << 20 };

struct scan {
  struct cl_control *control;
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

/* plugin: a reference given away, or NULL with a reason. */
static int add_file(struct scan *s, const char *path, struct cl_plugin *plugin, const char *reason) {
  struct cl_plugins *set = s->set;
  if (set->n == set->cap) {
    size_t cap = set->cap ? set->cap * 2 : 16;
    struct cl_plugin_file *files = realloc(set->files, cap * sizeof(*files));
    if (!files)
      goto fail;
    set->files = files;
    set->cap = cap;
  }
  struct cl_plugin_file file = {
      .path = strdup(path), .plugin = plugin, .reason = reason ? strdup(reason) : NULL};
  if (!file.path || (reason && !file.reason)) {
    free(file.path);
    free(file.reason);
    goto fail;
  }
  set->files[set->n++] = file;
  return 0;
fail:
  cl_plugin_unref(plugin);
  return no_memory(s);
}

static int add_jar(struct scan *s, const char *path) {
  bool connect_file = strncmp(base_name(path), "connect-file", 12) == 0;
  return add_file(s, path, NULL,
                  connect_file
                      ? "Java archive: connect-lua runs Lua plugins, not jars; FileStreamSource and "
                        "FileStreamSink are built in, so this entry can go"
                      : "Java archive: connect-lua runs Lua plugins, not jars; put the connector's Lua "
                        "file here instead");
}

static int refuse(struct scan *s, const char *path, const char *what, int code) {
  char reason[256];
  snprintf(reason, sizeof(reason), "%s: %s", what, strerror(code));
  return add_file(s, path, NULL, reason);
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

/* --------------------------------------------------------------- one plugin */

static char *sha256_hex(const char *path, struct cl_err *err) {
  char *text = NULL;
  size_t len;
  unsigned char sum[EVP_MAX_MD_SIZE];
  unsigned n = 0;
  if (cl_fs_read(path, MAX_FILE_SIZE, &text, &len, err) != 0)
    return NULL;
  int ok = EVP_Digest(text, len, sum, &n, EVP_sha256(), NULL);
  free(text);
  char *hex = ok ? malloc(2 * n + 1) : NULL;
  if (!hex) {
    cl_err_set(err, CL_ENOMEM, "%s: cannot compute SHA-256", path);
    return NULL;
  }
  for (unsigned i = 0; i < n; i++)
    snprintf(hex + 2 * i, 3, "%02x", sum[i]);
  return hex;
}

static char *copy_field(const json_t *manifest, const char *key) {
  const char *text = cl_json_str(manifest, key);
  return text ? strdup(text) : NULL;
}

/* What a transform with sides adds to its class and aliases: Apache's names of inner classes. */
static const struct side {
  const char *name, *suffix;
} no_side, sides[] = {{"key", "$Key"}, {"value", "$Value"}};

static char *side_class(const json_t *manifest, const struct side *side) {
  const char *class = cl_json_str(manifest, "class");
  char *out = NULL;
  return class && asprintf(&out, "%s%s", class, side->suffix ? side->suffix : "") >= 0 ? out : NULL;
}

static json_t *side_aliases(const json_t *manifest, const struct side *side) {
  json_t *list = json_object_get(manifest, "aliases"), *out, *alias;
  size_t i;
  if (!side->suffix || !json_is_array(list))
    return json_incref(list);
  out = json_array();
  json_array_foreach (list, i, alias)
    json_array_append_new(out, json_sprintf("%s%s", json_string_value(alias), side->suffix));
  return out;
}

/* A plugin out of its manifest; NULL with err. */
static struct cl_plugin *make_plugin(const char *path, const json_t *manifest, const struct side *side,
                                     struct cl_err *err) {
  struct cl_plugin *p = calloc(1, sizeof(*p));
  if (!p) {
    cl_err_set(err, CL_ENOMEM, "%s: no memory", path);
    return NULL;
  }
  p->refs = 1;
  p->class = side_class(manifest, side);
  p->side = side->name;
  p->headers_only = json_is_true(json_object_get(manifest, "headers_only"));
  p->version = copy_field(manifest, "version");
  p->doc = copy_field(manifest, "doc");
  p->file = strdup(path);
  p->root = cl_plugin_root(path);
  p->aliases = side_aliases(manifest, side);
  p->verbs = json_incref(json_object_get(manifest, "verbs"));
  const char *kind = cl_json_str(manifest, "kind");
  if (!p->class || !p->version || !p->doc || !p->file || !p->root || !json_is_array(p->aliases) ||
      !json_is_object(p->verbs) || !kind || !cl_plugin_kind_parse(kind, &p->kind)) {
    cl_err_set(err, CL_EINVAL, "%s: its manifest cannot be read", path);
    goto fail;
  }
  if (cl_conf_def_from_json(json_object_get(manifest, "config"), path, &p->def, err) != 0)
    goto fail;
  p->hash = sha256_hex(path, err);
  if (p->hash)
    return p;
fail:
  cl_plugin_unref(p);
  return NULL;
}

static int add_plugin(struct scan *s, const char *path, const json_t *manifest, const struct side *side) {
  struct cl_err err = CL_ERR_INIT;
  struct cl_plugin *p = make_plugin(path, manifest, side, &err);
  if (!p)
    return add_file(s, path, NULL, err.msg);
  const char *first = file_of_class(s->set, p->class);
  if (!first)
    return add_file(s, path, p, NULL);
  if (is_same_file(first, path)) { /* a folder listed twice under two names */
    cl_plugin_unref(p);
    return 0;
  }
  cl_err_set(&err, CL_EEXIST, "%s: class %s is already given by %s", path, p->class, first);
  cl_plugin_unref(p);
  return add_file(s, path, NULL, err.msg);
}

/* -------------------------------------------------------------------- folders */

static int scan_plugin(struct scan *s, const char *path) {
  struct cl_err err = CL_ERR_INIT;
  json_t *manifest = NULL;
  if (is_seen(s->set, path))
    return 0;
  if (cl_control_manifest(s->control, path, &manifest, &err) != 0)
    return add_file(s, path, NULL, err.msg);
  int rc = 0;
  if (!json_is_true(json_object_get(manifest, "sides")))
    rc = add_plugin(s, path, manifest, &no_side);
  else
    rc = add_plugin(s, path, manifest, &sides[0]);
  bool accepted = s->set->n > 0 && s->set->files[s->set->n - 1].plugin;
  if (rc == 0 && accepted && json_is_true(json_object_get(manifest, "sides"))) /* one reason is enough */
    rc = add_plugin(s, path, manifest, &sides[1]);
  json_decref(manifest);
  return rc;
}

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
    return odd ? add_file(s, path, NULL, "a folder without an init.lua is no plugin") : rc;
  }
  if (!S_ISREG(st->st_mode))
    return is_plugin_name(base_name(path)) ? add_file(s, path, NULL, "it is not a regular file") : 0;
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
    return add_file(s, path, NULL, "plugin.path: neither a folder nor a plugin's .lua file");
  return scan_entry(s, path, &st);
}

static int scan_installed(struct scan *s, const char *home) {
  static const char *const folders[] = {"connectors", "lua/connect/converters", "lua/connect/transforms",
                                        "lua/connect/predicates"};
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < sizeof(folders) / sizeof(folders[0]); i++) {
    char *path = join(home, folders[i]);
    rc = path ? each_entry(s, path, scan_entry) : no_memory(s);
    free(path);
  }
  return rc;
}

int cl_plugins_scan(struct cl_control *control, const char *home, const json_t *paths,
                    struct cl_plugins **out, struct cl_err *err) {
  *out = NULL;
  struct cl_plugins *set = calloc(1, sizeof(*set));
  if (!set)
    return cl_err_set(err, CL_ENOMEM, "no memory for the list of plugins");
  struct scan s = {control, set, err};
  int rc = scan_installed(&s, home);
  size_t i;
  json_t *path;
  json_array_foreach ((json_t *)paths, i, path) {
    if (rc == 0 && json_is_string(path))
      rc = scan_path(&s, json_string_value(path));
  }
  if (rc != 0) {
    cl_plugins_free(set);
    return rc;
  }
  *out = set;
  return 0;
}
