/* SPDX-License-Identifier: Apache-2.0
 *
 * Variables in configs, and Apache's three providers: FileConfigProvider, DirectoryConfigProvider,
 * EnvVarConfigProvider, with its rules (ConfigTransformer, AllowedPaths). May include floors 5-0.
 */
#define CL_COMPONENT "worker.config"
#include "worker/providers.h"

#include "base/buf.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/props.h"
#include "base/regex.h"
#include "base/secrets.h"
#include "base/text.h"
#include "base/utf8.h"
#include "worker/config_internal.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "config.providers."
#define PACKAGE "org.apache.kafka.common.config.provider."

enum { FILE_MAX = 16 << 20, NAMES_MAX = 64 };

/* One variable: ${name:path:key}. */
struct variable {
  char *name, *path, *key;
};

struct provider;
/* Answers the value of key at path as a new reference, NULL = unknown or, with err set, failed.
 * seen keeps what was read at a path for the other variables of the same config. */
typedef json_t *get_fn(const struct provider *p, const struct variable *v, json_t *seen, struct cl_err *err);

struct provider {
  char *name;
  get_fn *get;
  json_t *allowed; /* normalised paths, or NULL = all */
  char *pattern;   /* of names in the environment, or NULL = all */
};

struct cl_providers {
  size_t n;
  struct provider v[NAMES_MAX];
};

/* ---------------------------------------------------------------- allowed paths */

/* Java's Path.normalize of an absolute path: no ".", no "..", links not followed. malloc'd. */
static char *normalised(const char *path) {
  struct cl_buf out = {0};
  for (const char *p = path; *p;) {
    p += strspn(p, "/");
    size_t n = strcspn(p, "/");
    if (n == 2 && memcmp(p, "..", 2) == 0) {
      while (out.len > 0 && out.p[--out.len] != '/')
        ;
    } else if (n > 0 && !(n == 1 && *p == '.')) {
      cl_buf_char(&out, '/');
      cl_buf_add(&out, p, n);
    }
    p += n;
  }
  if (out.p)
    out.p[out.len] = '\0';
  return cl_buf_take(&out);
}

static bool is_inside(const char *path, const char *folder) {
  size_t n = strlen(folder);
  return strncmp(path, folder, n) == 0 && (!path[n] || path[n] == '/');
}

static bool is_allowed(const struct provider *p, const char *path) {
  json_t *folder;
  size_t i;
  if (!p->allowed)
    return true;
  char *plain = *path == '/' ? normalised(path) : NULL;
  bool yes = false;
  json_array_foreach (p->allowed, i, folder)
    yes = yes || (plain && is_inside(plain, json_string_value(folder)));
  free(plain);
  return yes;
}

static int allow_path(struct provider *p, const char *path, struct cl_err *err) {
  if (*path != '/')
    return cl_conf_error(err, "Path %s is not absolute", path);
  if (access(path, F_OK) != 0)
    return cl_conf_error(err, "Path %s does not exist", path);
  char *plain = normalised(path);
  json_array_append_new(p->allowed, json_string(plain ? plain : ""));
  free(plain);
  return 0;
}

static int allow_paths(struct provider *p, const char *list, struct cl_err *err) {
  if (!list || !*list)
    return 0;
  char *copy = strdup(list), *rest = NULL;
  p->allowed = json_array();
  int rc = copy && p->allowed ? 0 : cl_err_set(err, CL_ENOMEM, "no memory for a config provider");
  for (char *one = copy ? strtok_r(copy, ",", &rest) : NULL; one && rc == 0; one = strtok_r(NULL, ",", &rest))
    rc = allow_path(p, one, err);
  free(copy);
  return rc;
}

/* ------------------------------------------------------------------- the three */

static json_t *file_get(const struct provider *p, const struct variable *v, json_t *seen,
                        struct cl_err *err) {
  json_t *properties = json_object_get(seen, v->path);
  if (!*v->path || !is_allowed(p, v->path))
    return NULL;
  if (!properties) {
    char *text = NULL;
    size_t len = 0;
    struct cl_err why = CL_ERR_INIT;
    if (cl_fs_read(v->path, FILE_MAX, &text, &len, &why) != 0 ||
        cl_props_parse_utf8(text, len, v->path, &properties, &why) != 0)
      cl_conf_error(err, "Could not read properties from file %s (%s)", v->path, why.msg);
    else
      json_object_set_new(seen, v->path, properties);
    free(text);
  }
  return json_incref(json_object_get(properties, v->key));
}

static bool is_file_name(const char *key) {
  return *key && !strchr(key, '/') && strcmp(key, ".") != 0 && strcmp(key, "..") != 0;
}

static json_t *read_whole(const char *path, const struct variable *v, struct cl_err *err) {
  struct cl_err why = CL_ERR_INIT;
  char *text = NULL;
  size_t len = 0;
  json_t *value = NULL;
  if (cl_fs_read(path, FILE_MAX, &text, &len, &why) != 0)
    cl_conf_error(err, "Could not read file %s for property %s (%s)", path, v->key, why.msg);
  else if (!cl_utf8_valid(text, len) || strlen(text) != len)
    cl_conf_error(err, "Could not read file %s for property %s (it is not text in UTF-8)", path, v->key);
  else
    value = json_string(text);
  free(text);
  return value;
}

static json_t *directory_get(const struct provider *p, const struct variable *v, json_t *seen,
                             struct cl_err *err) {
  (void)seen;
  struct stat st;
  struct cl_buf path = {0};
  json_t *value = NULL;
  if (!*v->path || !is_allowed(p, v->path) || stat(v->path, &st) != 0 || !S_ISDIR(st.st_mode))
    return NULL;
  if (access(v->path, R_OK | X_OK) != 0) {
    cl_conf_error(err, "Could not list directory %s", v->path);
    return NULL;
  }
  cl_buf_fmt(&path, "%s/%s", v->path, v->key);
  if (!path.failed && is_file_name(v->key) && stat(path.p, &st) == 0 && S_ISREG(st.st_mode))
    value = read_whole(path.p, v, err);
  cl_buf_free(&path);
  return value;
}

static bool name_matches(const char *pattern, const char *name) {
  struct cl_err ignored; /* it was compiled when the provider was made */
  struct cl_regex *regex = NULL;
  bool yes = cl_regex_compile(pattern, &regex, &ignored) == 0 && cl_regex_matches(regex, name, strlen(name));
  cl_regex_free(regex);
  return yes;
}

static json_t *env_get(const struct provider *p, const struct variable *v, json_t *seen, struct cl_err *err) {
  (void)seen;
  if (*v->path) {
    cl_conf_error(err, "Path is not supported for EnvVarConfigProvider, invalid value '%s'", v->path);
    return NULL;
  }
  const char *value = !p->pattern || name_matches(p->pattern, v->key) ? getenv(v->key) : NULL;
  return value ? cl_json_lenient(value) : NULL;
}

/* --------------------------------------------------------------------- variables */

static void clear_variable(struct variable *v) {
  free(v->name);
  free(v->path);
  free(v->key);
}

/* The variable that begins at text ("${"), its length in *len; false: none does. */
static bool find_end(const char *text, size_t *len) {
  size_t n = strcspn(text + 2, "}");
  *len = n + 3;
  return text[2 + n] && memchr(text + 2, ':', n);
}

static bool split_variable(const char *text, size_t len, struct variable *out) {
  const char *name = text + 2, *end = text + len - 1;
  const char *first = memchr(name, ':', (size_t)(end - name)), *rest = first + 1;
  const char *second = memchr(rest, ':', (size_t)(end - rest));
  const char *key = second ? second + 1 : rest;
  *out = (struct variable){strndup(name, (size_t)(first - name)),
                           second ? strndup(rest, (size_t)(second - rest)) : strdup(""),
                           strndup(key, (size_t)(end - key))};
  return out->name && out->path && out->key;
}

bool cl_providers_variable(const char *text) {
  size_t len;
  for (const char *at = strstr(text, "${"); at; at = strstr(at + 2, "${")) {
    if (find_end(at, &len))
      return true;
  }
  return false;
}

struct resolving { /* one config */
  const struct cl_providers *providers;
  json_t *seen; /* provider -> path -> what file_get read */
  struct cl_err *err;
};

static const struct provider *find_provider(const struct cl_providers *p, const char *name) {
  for (size_t i = 0; i < p->n; i++) {
    if (strcmp(p->v[i].name, name) == 0)
      return &p->v[i];
  }
  return NULL;
}

static bool is_known(const struct cl_providers *p, const char *text, size_t len) {
  struct variable v;
  bool known = split_variable(text, len, &v) && find_provider(p, v.name);
  clear_variable(&v);
  return known;
}

bool cl_providers_only(const struct cl_providers *p, const char *text) {
  size_t len;
  const char *at = text;
  while (p && strncmp(at, "${", 2) == 0 && find_end(at, &len) && is_known(p, at, len))
    at += len;
  return at > text && !*at;
}

static int append_value(struct resolving *r, const char *text, size_t len, struct cl_buf *out) {
  struct variable v;
  json_t *value = NULL;
  r->err->code = 0;
  if (!split_variable(text, len, &v)) {
    clear_variable(&v);
    return cl_err_set(r->err, CL_ENOMEM, "no memory to resolve a config");
  }
  const struct provider *p = find_provider(r->providers, v.name);
  if (p) {
    if (!json_object_get(r->seen, v.name))
      json_object_set_new(r->seen, v.name, json_object());
    value = p->get(p, &v, json_object_get(r->seen, v.name), r->err);
  }
  clear_variable(&v);
  if (r->err->code != 0)
    return r->err->code;
  if (value) {
    cl_secrets_add(json_string_value(value));
    cl_buf_str(out, json_string_value(value));
    json_decref(value);
  } else {
    if (p)
      CL_LOG(CL_WARN, "%.*s stays as it stands: the provider has no such value, or may not look there",
             (int)len, text);
    cl_buf_add(out, text, len);
  }
  return 0;
}

/* *out: the text with its variables replaced (new reference). */
static int resolve_text(struct resolving *r, const char *text, json_t **out) {
  struct cl_buf b = {0};
  int rc = 0;
  size_t len;
  for (const char *at = text; rc == 0 && *at;) {
    const char *next = strstr(at, "${");
    if (!next || !find_end(next, &len)) {
      size_t plain = next ? (size_t)(next - at) + 2 : strlen(at);
      cl_buf_add(&b, at, plain);
      at += plain;
      continue;
    }
    cl_buf_add(&b, at, (size_t)(next - at));
    rc = append_value(r, next, len, &b);
    at = next + len;
  }
  char *whole = rc == 0 ? cl_buf_take(&b) : NULL;
  cl_buf_free(&b);
  *out = whole ? json_string(whole) : NULL;
  free(whole);
  return rc != 0 || *out ? rc : cl_err_set(r->err, CL_ENOMEM, "no memory to resolve a config");
}

int cl_providers_resolve(const struct cl_providers *p, const json_t *config, json_t **out,
                         struct cl_err *err) {
  struct resolving r = {p, json_object(), err};
  json_t *result = json_copy((json_t *)config), *value;
  const char *key;
  int rc = r.seen && result ? 0 : cl_err_set(err, CL_ENOMEM, "no memory to resolve a config");
  json_object_foreach ((json_t *)config, key, value) {
    json_t *resolved = NULL;
    const char *text = json_string_value(value);
    if (rc != 0 || !p || p->n == 0 || !text || !cl_providers_variable(text))
      continue;
    rc = resolve_text(&r, text, &resolved);
    if (rc == 0)
      json_object_set_new(result, key, resolved);
  }
  json_decref(r.seen);
  if (rc == 0)
    *out = result;
  else
    json_decref(result);
  return rc;
}

/* ------------------------------------------------------------- the worker's keys */

static const struct {
  const char *alias;
  get_fn *get;
} kinds[] = {{"File", file_get}, {"Directory", directory_get}, {"EnvVar", env_get}};

static get_fn *find_kind(const char *class) {
  for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
    if (cl_names_class(class, PACKAGE, kinds[i].alias, "ConfigProvider"))
      return kinds[i].get;
  }
  return NULL;
}

/* Borrowed from worker; NULL = not set. */
static const char *setting(const json_t *worker, const char *name, const char *what) {
  char key[512];
  snprintf(key, sizeof(key), PREFIX "%s.%s", name, what);
  return cl_json_str(worker, key);
}

static int configure(struct provider *p, const json_t *worker, struct cl_err *err) {
  if (p->get != env_get)
    return allow_paths(p, setting(worker, p->name, "param.allowed.paths"), err);
  const char *pattern = setting(worker, p->name, "param.allowlist.pattern");
  struct cl_regex *regex = NULL;
  if (!pattern)
    return 0;
  if (cl_regex_compile(pattern, &regex, err) != 0)
    return cl_err_prefix(err, PREFIX "%s.param.allowlist.pattern: ", p->name);
  cl_regex_free(regex);
  p->pattern = strdup(pattern);
  return p->pattern ? 0 : cl_err_set(err, CL_ENOMEM, "no memory for a config provider");
}

static int add_provider(struct cl_providers *p, const char *name, const json_t *worker, struct cl_err *err) {
  const char *given = setting(worker, name, "class");
  if (*name && !given)
    CL_LOG(CL_WARN,
           "config.providers names %s, which has no " PREFIX "%s.class: its variables stay as they are", name,
           name);
  if (!*name || !given || find_provider(p, name))
    return 0;
  if (p->n == NAMES_MAX)
    return cl_conf_error(err, "config.providers names more than %d providers", NAMES_MAX);
  struct provider *one = &p->v[p->n++];
  char *class = cl_trimmed(given);
  one->name = strdup(name);
  one->get = class ? find_kind(class) : NULL;
  free(class);
  if (!one->get)
    return cl_conf_error(err,
                         "Invalid value %s for configuration " PREFIX
                         "%s.class: Class %s could not be found. FileConfigProvider, "
                         "DirectoryConfigProvider and EnvVarConfigProvider are there",
                         given, name, given);
  return configure(one, worker, err);
}

int cl_providers_new(const json_t *worker, struct cl_providers **out, struct cl_err *err) {
  const char *names = cl_json_str(worker, "config.providers");
  struct cl_providers *p = calloc(1, sizeof(*p));
  char *copy = strdup(names ? names : ""), *rest = NULL;
  int rc = p && copy ? 0 : cl_err_set(err, CL_ENOMEM, "no memory for config providers");
  for (char *one = rc == 0 ? strtok_r(copy, ",", &rest) : NULL; one && rc == 0;
       one = strtok_r(NULL, ",", &rest)) {
    char *name = cl_trimmed(one);
    rc = name ? add_provider(p, name, worker, err) : cl_err_set(err, CL_ENOMEM, "no memory");
    free(name);
  }
  free(copy);
  if (rc == 0)
    *out = p;
  else
    cl_providers_free(p);
  return rc;
}

void cl_providers_free(struct cl_providers *p) {
  for (size_t i = 0; p && i < p->n; i++) {
    free(p->v[i].name);
    free(p->v[i].pattern);
    json_decref(p->v[i].allowed);
  }
  free(p);
}
