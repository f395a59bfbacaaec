/* SPDX-License-Identifier: Apache-2.0
 * Connectors in a JSON file that is replaced whole:
 *   {"version": 1, "connectors": [{"name": .., "config": {..}, "initial_state": ".."}, ..]}
 * Configs are as they were sent: variables stay unresolved, secrets written out are secrets here.
 * Thread: one at a time. May include libc, jansson, base and store only. */
#define CL_COMPONENT "connectors"
#include "store/connectors.h"

#include "base/fs.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { FILE_MAX = 256 << 20, VERSION = 1, MODE = 0600 };

struct cl_connectors {
  char *path;              /* NULL = nothing is kept */
  struct cl_fs_lock *lock; /* NULL = not to be had yet */
  json_t *list;            /* as cl_connectors_list shows it; replaced whole, its items never changed */
};

/* ---------------------------------------------------------------------- reading */

static bool is_state(const char *text) {
  return text && (strcasecmp(text, "RUNNING") == 0 || strcasecmp(text, "PAUSED") == 0 ||
                  strcasecmp(text, "STOPPED") == 0);
}

static bool is_config(const json_t *config) {
  const char *key;
  json_t *value;
  json_object_foreach ((json_t *)config, key, value)
    if (!json_is_string(value) && !json_is_null(value))
      return false;
  return json_is_object(config);
}

static size_t index_of(const json_t *list, const char *name) {
  size_t i;
  json_t *item;
  json_array_foreach ((json_t *)list, i, item)
    if (strcmp(cl_json_str(item, "name"), name) == 0)
      break;
  return i;
}

/* More fields than ours would be lost by the next change: they are refused. */
static int check_fields(const json_t *item, size_t i, struct cl_err *err) {
  static const char *const fields[] = {"name", "config", "initial_state"};
  const char *name = cl_json_str(item, "name"), *key;
  json_t *value;
  if (!json_is_object(item))
    return cl_err_set(err, CL_EINVAL, "connector %zu is not an object", i + 1);
  if (!name)
    return cl_err_set(err, CL_EINVAL, "connector %zu has no \"name\", or one that is no string", i + 1);
  if (!json_object_get(item, "config"))
    return cl_err_set(err, CL_EINVAL, "connector %s has no \"config\"", name);
  json_object_foreach ((json_t *)item, key, value) {
    size_t known = 0;
    while (known < 3 && strcmp(fields[known], key) != 0)
      known++;
    if (known == 3)
      return cl_err_set(
          err, CL_EINVAL,
          "connector %s has \"%.100s\", which is none of \"name\", \"config\" and \"initial_state\"", name,
          key);
  }
  return 0;
}

/* With those before i checked. Without a state it is RUNNING, as it is to POST. */
static int check_item(const json_t *list, size_t i, struct cl_err *err) {
  json_t *item = json_array_get(list, i);
  if (check_fields(item, i, err) != 0)
    return err->code;
  const char *name = cl_json_str(item, "name");
  if (!is_config(json_object_get(item, "config")))
    return cl_err_set(err, CL_EINVAL, "the \"config\" of connector %s is not an object of strings", name);
  const json_t *state = json_object_get(item, "initial_state");
  if ((!state || json_is_null(state)) &&
      json_object_set_new(item, "initial_state", json_string("RUNNING")) != 0)
    return cl_err_set(err, CL_ENOMEM, "connectors: out of memory");
  if (!is_state(cl_json_str(item, "initial_state")))
    return cl_err_set(err, CL_EINVAL,
                      "the \"initial_state\" of connector %s is none of RUNNING, PAUSED, STOPPED", name);
  if (index_of(list, name) != i)
    return cl_err_set(err, CL_EINVAL, "connector %s is there twice", name);
  return 0;
}

static int check_document(const json_t *doc, json_t **list, struct cl_err *err) {
  *list = json_object_get(doc, "connectors");
  if (json_integer_value(json_object_get(doc, "version")) != VERSION)
    return cl_err_set(err, CL_EINVAL, "\"version\" is not %d", VERSION);
  if (!json_is_array(*list) || json_object_size(doc) != 2)
    return cl_err_set(err, CL_EINVAL, "it is not an object of \"version\" and a list of \"connectors\"");
  int rc = 0;
  for (size_t i = 0; i < json_array_size(*list) && rc == 0; i++)
    rc = check_item(*list, i, err);
  return rc;
}

static void warn_of_readers(const char *path) {
  struct stat st;
  if (stat(path, &st) == 0 && (st.st_mode & 077))
    CL_LOG(CL_WARN, "%s holds connectors' configs and is open to others (mode %03o): chmod 600 it", path,
           (unsigned)(st.st_mode & 0777));
}

static int load(struct cl_connectors *s, struct cl_err *err) {
  char *text = NULL;
  size_t len = 0;
  json_t *doc = NULL, *list;
  int rc = cl_fs_read(s->path, FILE_MAX, &text, &len, err);
  if (rc == CL_ENOTFOUND)
    return 0;
  if (rc != 0)
    return cl_err_prefix(err, "connect.lua.connectors.file: ");
  rc = cl_json_parse(text, len, &doc, err);
  if (rc == 0)
    rc = check_document(doc, &list, err);
  if (rc == 0) {
    json_decref(s->list);
    s->list = json_incref(list);
    warn_of_readers(s->path);
  } else {
    struct cl_err why = *err;
    cl_err_set(err, rc,
               "connect.lua.connectors.file: %s is damaged, %.500s. Mend it there, put back a copy of it, or "
               "move it away: then the worker starts without the connectors in it",
               s->path, why.msg);
  }
  json_decref(doc);
  free(text);
  return rc;
}

/* Before the file is read. A place that cannot be written is no error: the connectors that are known run all
 * the same. */
static int lock(struct cl_connectors *s, struct cl_err *err) {
  struct cl_err why = CL_ERR_INIT;
  int rc = cl_fs_lock(s->path, &s->lock, &why);
  if (rc == CL_ECONFLICT)
    return cl_err_set(err, rc, "connect.lua.connectors.file: %s", why.msg);
  if (rc != 0)
    CL_LOG(CL_WARN,
           "no change of connectors will be accepted: %s; make its folder and let this worker write there, "
           "or change connect.lua.connectors.file",
           why.msg);
  return 0;
}

int cl_connectors_open(const char *path, struct cl_connectors **out, struct cl_err *err) {
  struct cl_connectors *s = calloc(1, sizeof(*s));
  *out = NULL;
  if (!s)
    return cl_err_set(err, CL_ENOMEM, "connectors: out of memory");
  s->path = path ? strdup(path) : NULL;
  s->list = json_array();
  int rc = s->list && (s->path || !path) ? 0 : cl_err_set(err, CL_ENOMEM, "connectors: out of memory");
  if (rc == 0 && path)
    rc = lock(s, err);
  if (rc == 0 && path)
    rc = load(s, err);
  if (rc != 0)
    cl_connectors_close(s);
  else
    *out = s;
  return rc;
}

void cl_connectors_close(struct cl_connectors *s) {
  if (!s)
    return;
  cl_fs_unlock(s->lock);
  json_decref(s->list);
  free(s->path);
  free(s);
}

const json_t *cl_connectors_list(const struct cl_connectors *s) { return s->list; }

/* ---------------------------------------------------------------------- writing */

/* Takes list, which counts once it is in the file. */
static int store(struct cl_connectors *s, json_t *list, struct cl_err *err) {
  json_t *doc = json_pack("{s:i, s:O?}", "version", VERSION, "connectors", list);
  char *text = doc ? json_dumps(doc, JSON_INDENT(2)) : NULL;
  int rc = list && text ? 0 : cl_err_set(err, CL_ENOMEM, "connectors: out of memory");
  if (rc == 0)
    rc = cl_fs_lock_late(s->path, &s->lock, err);
  if (rc == 0)
    rc = cl_fs_replace(s->path, text, strlen(text), MODE, err);
  if (rc == 0) {
    json_decref(s->list);
    s->list = json_incref(list);
  }
  free(text);
  json_decref(doc);
  json_decref(list);
  return rc;
}

int cl_connectors_put(struct cl_connectors *s, const char *name, const json_t *config, const char *state,
                      struct cl_err *err) {
  if (!s->path)
    return 0;
  size_t at = index_of(s->list, name);
  json_t *item = json_pack("{s:s, s:O, s:s}", "name", name, "config", config, "initial_state", state);
  if (item && json_equal(item, json_array_get(s->list, at))) {
    json_decref(item);
    return 0;
  }
  json_t *list = json_copy(s->list);
  int failed = at < json_array_size(s->list) ? json_array_set_new(list, at, item)
                                             : json_array_append_new(list, item);
  if (!failed)
    return store(s, list, err);
  json_decref(list);
  return cl_err_set(err, CL_ENOMEM, "connectors: out of memory");
}

int cl_connectors_remove(struct cl_connectors *s, const char *name, struct cl_err *err) {
  size_t at = index_of(s->list, name);
  if (at == json_array_size(s->list))
    return 0;
  json_t *list = json_copy(s->list);
  json_array_remove(list, at);
  return store(s, list, err);
}
