/* SPDX-License-Identifier: Apache-2.0
 * Connector files of the command line (ConnectStandalone's three forms). */
#include "cli/cli.h"

#include "base/fs.h"
#include "base/props.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_FILE = 16 << 20 };

/* {"name":..., "config":{...}, "initial_state":...}; other fields are ignored. */
static int from_document(const char *path, const json_t *doc, char **name, json_t **config,
                         char **initial_state, struct cl_err *err) {
  const char *outer = cl_json_str(doc, "name"), *state = cl_json_str(doc, "initial_state");
  if (cl_json_to_config(json_object_get(doc, "config"), config, err) != 0)
    return cl_err_prefix(err, "%s: ", path);
  const char *inner = cl_json_str(*config, "name");
  if (inner && (!outer || strcmp(inner, outer) != 0)) {
    json_decref(*config);
    *config = NULL;
    return cl_err_set(
        err, CL_EINVAL,
        "Connector name configuration in 'config' doesn't match the one specified in 'name' at '%s'", path);
  }
  if (outer && !inner)
    json_object_set_new(*config, "name", json_string(outer));
  *name = outer ? strdup(outer) : NULL;
  *initial_state = state ? strdup(state) : NULL;
  return 0;
}

static bool looks_like_json(const char *text) {
  text += strncmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0; /* a byte order mark */
  text += strspn(text, " \t\r\n");
  return *text == '{';
}

static int parse(const char *path, const char *text, size_t len, char **name, json_t **config,
                 char **initial_state, struct cl_err *err) {
  json_t *doc = NULL;
  struct cl_err ignored;
  if (cl_json_parse_texts(text, len, &doc, err) != 0) {
    if (looks_like_json(text)) /* a broken JSON file is told as such, not as odd properties */
      return cl_err_prefix(err, "%s: ", path);
    return cl_props_parse(text, len, path, config, err);
  }
  int rc = 0;
  if (json_is_object(json_object_get(doc, "config")))
    rc = from_document(path, doc, name, config, initial_state, err);
  else if (json_is_object(doc) && cl_json_to_config(doc, config, &ignored) != 0)
    rc = cl_err_set(err, CL_EINVAL, "%s: %s", path, ignored.msg);
  json_decref(doc);
  return rc;
}

int cl_cli_connector_file(const char *path, char **name, json_t **config, char **initial_state,
                          struct cl_err *err) {
  char *text = NULL;
  size_t len = 0;
  *name = *initial_state = NULL;
  *config = NULL;
  if (cl_fs_read(path, MAX_FILE, &text, &len, err) != 0)
    return err->code;
  int rc = parse(path, text, len, name, config, initial_state, err);
  free(text);
  if (rc != 0)
    return rc;
  const char *inner = *config ? cl_json_str(*config, "name") : NULL;
  if (!*name && inner)
    *name = strdup(inner);
  if (*name)
    return 0;
  json_decref(*config);
  free(*initial_state);
  *config = NULL;
  *initial_state = NULL;
  return cl_err_set(err, CL_EINVAL,
                    "Connector configuration at '%s' is missing the mandatory 'name' configuration", path);
}
