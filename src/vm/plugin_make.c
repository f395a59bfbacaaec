/* SPDX-License-Identifier: Apache-2.0
 * A manifest to plugins: one, or the two of a transform with sides. Any thread. May include base. */
#include "vm/plugin_set.h"

#include "vm/sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static struct cl_plugin *make_side(const char *path, const json_t *manifest, const struct side *side,
                                   struct cl_sources *sources, struct cl_err *err) {
  struct cl_plugin *p = calloc(1, sizeof(*p));
  if (!p) {
    cl_err_set(err, CL_ENOMEM, "%s: no memory", path);
    return NULL;
  }
  p->refs = 1;
  p->generation = 1;
  p->sources = cl_sources_ref(sources);
  p->hash = strdup(cl_sources_hash(sources, path));
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
  if (!p->class || !p->version || !p->doc || !p->file || !p->root || !p->hash || !json_is_array(p->aliases) ||
      !json_is_object(p->verbs) || !kind || !cl_plugin_kind_parse(kind, &p->kind)) {
    cl_err_set(err, CL_EINVAL, "%s: its manifest cannot be read", path);
    goto fail;
  }
  if (cl_conf_def_from_json(json_object_get(manifest, "config"), path, &p->def, err) == 0)
    return p;
fail:
  cl_plugin_unref(p);
  return NULL;
}

int cl_plugin_make(const char *path, const json_t *manifest, struct cl_sources *sources,
                   struct cl_plugin *out[2], struct cl_err *err) {
  bool two = json_is_true(json_object_get(manifest, "sides"));
  out[1] = NULL;
  out[0] = make_side(path, manifest, two ? &sides[0] : &no_side, sources, err);
  if (out[0] && two && !(out[1] = make_side(path, manifest, &sides[1], sources, err))) {
    cl_plugin_unref(out[0]);
    out[0] = NULL;
  }
  return out[0] ? 0 : err->code;
}
