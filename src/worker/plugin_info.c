/* SPDX-License-Identifier: Apache-2.0
 *
 * What REST says of plugins: a plugin's keys, a config's validation. The files: plugin_files.c.
 * Any thread, no state. May include floors 5-0.
 */
#include "worker/plugin_info.h"

#include "worker/internal.h"

#include "base/secrets.h"
#include "task/connector.h"
#include "worker/admit.h"
#include "worker/config_internal.h"
#include "worker/mask.h"
#include "worker/providers.h"
#include "worker/validation.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------- definitions */

static void describe(json_t *out, const struct cl_conf_row *row, const struct cl_plugin *p) {
  struct cl_conf_row copy = *row;
  if (strcmp(row->name, "connector.plugin.version") == 0 && strcmp(p->version, "undefined") != 0)
    copy.dflt = p->version;
  json_array_append_new(out, cl_conf_describe(&copy));
}

/* The plugin's own keys, then for connectors the framework's that it does not define itself. */
static json_t *definitions(const struct cl_plugin *p) {
  json_t *out = json_array();
  for (size_t i = 0; i < p->def->n; i++)
    describe(out, &p->def->rows[i], p);
  if (p->kind != CL_PLUGIN_SINK && p->kind != CL_PLUGIN_SOURCE)
    return out;
  const struct cl_conf_def *def = cl_connector_def(p->kind == CL_PLUGIN_SINK);
  for (size_t i = 0; i < def->n; i++) {
    if (!cl_conf_find(p->def, def->rows[i].name))
      describe(out, &def->rows[i], p);
  }
  return out;
}

static bool is_version(const char *asked, const char *version) {
  return !asked || strcmp(asked, "latest") == 0 || strcmp(asked, version) == 0;
}

void cl_plugin_info_config(const struct cl_worker *w, const struct cl_query *q, struct cl_reply *out) {
  const struct cl_plugin *p = cl_plugin_info_find(w->plugins, q->name);
  if (!p)
    cl_reply_error(out, 404, "Unknown plugin %s.", q->name);
  else if (!is_version(q->version, p->version))
    cl_reply_error(out, 400,
                   "Plugin %s not found that matches the version range [%s,%s], available versions: [%s]",
                   p->class, q->version, q->version, p->version);
  else
    out->body = definitions(p);
}

/* -------------------------------------------------------------------- validation */

/* "Connector" at the end of either name does not count; the plugin of the path ends the config's. */
static size_t without_suffix(const char *name) {
  size_t n = strlen(name), cut = strlen("Connector");
  return n > cut && strcmp(name + n - cut, "Connector") == 0 ? n - cut : n;
}

static bool fits_path(const char *class, const char *path) {
  size_t n = without_suffix(class), m = without_suffix(path);
  return n >= m && memcmp(class + n - m, path, m) == 0;
}

/* What an existing connector shows masked is validated as what it has (new reference). */
static json_t *unchanged(struct cl_herder *h, const json_t *config) {
  const char *name = cl_json_str(config, "name");
  pthread_mutex_lock(&h->lock);
  const struct cl_instance *c = name ? cl_herder_find(h, name) : NULL;
  json_t *out = c ? cl_mask_unchanged(h->worker, c->open, c->config, config) : json_incref((json_t *)config);
  pthread_mutex_unlock(&h->lock);
  return out;
}

void cl_plugin_info_validate(struct cl_herder *h, const char *plugin, const json_t *config, bool lua,
                             struct cl_reply *out) {
  struct cl_worker view = cl_herder_view(h);
  const struct cl_worker *w = &view;
  struct cl_err err = CL_ERR_INIT;
  struct cl_validation v = {0};
  const json_t *sent = config;
  struct cl_secrets *own = cl_secrets_new(false), *before = cl_secrets_hold(own);
  json_t *given = unchanged(h, config), *resolved = NULL;
  if (cl_providers_resolve(w->conf->providers, given, &resolved, &err) != 0) {
    cl_reply_error(out, 500, "%s: %s", CL_JAVA_CONFIG, err.msg);
    goto out;
  }
  config = resolved;
  const char *class = cl_json_str(config, "connector.class");
  if (class && !fits_path(class, plugin)) {
    cl_reply_error(out, 400, "Included connector type %s does not match request type %s", class, plugin);
    goto out;
  }
  const struct cl_plugin *p = cl_admit_class(w, config, out);
  if (!p)
    goto out;
  int rc = cl_validate_config(w, p, config, &v, &err);
  if (rc == 0)
    cl_mask_refuse(&v, sent, given);
  if (rc == 0 && cl_validate_wants_plugin(&v)) {
    if (!lua) {
      out->status = 0;
      goto out;
    }
    rc = cl_validate_plugin(&v, &err);
  }
  if (rc != 0) {
    cl_reply_error(out, 500, "%s", err.msg);
  } else {
    cl_validate_conceal(&v, given);
    cl_mask_validation(&v);
    out->status = 200;
    out->body = cl_validate_body(&v);
  }
out:
  cl_validate_clear(&v);
  cl_plugins_unref(view.plugins);
  json_decref(resolved);
  json_decref(given);
  cl_secrets_hold(before);
  cl_secrets_unref(own);
}
