/* SPDX-License-Identifier: Apache-2.0
 * Classes by name. Any thread. May include base, vm/plugin.h. */
#include "worker/classes.h"

#include "base/text.h"

#include "worker/config_internal.h"
#include "worker/worker.h"

#include <stdlib.h>
#include <string.h>

/* ----------------------------------------------------------------------- finding */

static struct cl_found_class found_class(struct cl_plugin *p) {
  struct cl_found_class found = {.plugin = p};
  if (p) {
    found.class = p->class;
    found.version = strcmp(p->version, "undefined") == 0 ? NULL : p->version;
  }
  return found;
}

struct cl_found_class cl_class_find(const struct cl_plugins *plugins, enum cl_plugin_kind kind, bool header,
                                    const char *name) {
  char *text = name ? cl_trimmed(name) : NULL;
  struct cl_plugin *p = text ? cl_plugins_find(plugins, kind, text) : NULL;
  free(text);
  return found_class(p && p->headers_only && !header ? NULL : p);
}

/* ---------------------------------------------------------------------- refusals */

static const char *const interfaces[] = {[CL_PLUGIN_SINK] = "Connector",
                                         [CL_PLUGIN_SOURCE] = "Connector",
                                         [CL_PLUGIN_TRANSFORM] = "Transformation",
                                         [CL_PLUGIN_PREDICATE] = "Predicate",
                                         [CL_PLUGIN_CONVERTER] = "Converter"};

/* The full name of a class of any kind, or NULL; every JVM has those of java.lang. */
static const char *any_class(const struct cl_plugins *plugins, const char *name) {
  static const enum cl_plugin_kind kinds[] = {CL_PLUGIN_SINK, CL_PLUGIN_TRANSFORM, CL_PLUGIN_PREDICATE,
                                              CL_PLUGIN_CONVERTER};
  for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
    const struct cl_plugin *p = cl_plugins_find(plugins, kinds[i], name);
    if (p)
      return p->class;
  }
  return strncmp(name, "java.lang.", 10) == 0 ? name : NULL;
}

/* What cannot be made an object of: the interfaces themselves, and the outer classes of transforms with
 * sides. */
static bool is_interface(enum cl_plugin_kind kind, bool header, const char *name) {
  static const char *const names[] = {
      [CL_PLUGIN_SINK] = "org.apache.kafka.connect.sink.SinkConnector",
      [CL_PLUGIN_SOURCE] = "org.apache.kafka.connect.source.SourceConnector",
      [CL_PLUGIN_TRANSFORM] = "org.apache.kafka.connect.transforms.Transformation",
      [CL_PLUGIN_PREDICATE] = "org.apache.kafka.connect.transforms.predicates.Predicate",
      [CL_PLUGIN_CONVERTER] = "org.apache.kafka.connect.storage.Converter"};
  if (header)
    return strcmp(name, "org.apache.kafka.connect.storage.HeaderConverter") == 0;
  return strcmp(name, names[kind]) == 0;
}

static bool has_sides(const struct cl_plugins *plugins, const char *name) {
  char *inner = NULL;
  bool yes = asprintf(&inner, "%s$Value", name) >= 0 && cl_plugins_find(plugins, CL_PLUGIN_TRANSFORM, inner);
  free(inner);
  return yes;
}

static int refuse_trimmed(const struct cl_plugins *plugins, enum cl_plugin_kind kind, bool header,
                          const char *key, const char *text, const char *name, struct cl_err *err) {
  const char *class = any_class(plugins, name);
  if (kind == CL_PLUGIN_TRANSFORM && has_sides(plugins, name))
    return cl_err_set(err, CL_EINVAL,
                      "This class is abstract and cannot be created. Did you mean %s$Key, %s$Value?", name,
                      name);
  if (is_interface(kind, header, name))
    return cl_err_set(err, CL_EINVAL, "This class is abstract and cannot be created.");
  if (!class && has_sides(plugins, name))
    class = name;
  if (class)
    return cl_err_set(err, CL_EINVAL, "Class class %s does not implement the %s%s interface", class,
                      header ? "Header" : "", interfaces[kind]);
  return cl_err_set(err, CL_ENOTFOUND, "Invalid value %s for configuration %s: Class %s could not be found.",
                    text, key, text);
}

int cl_class_refuse(const struct cl_plugins *plugins, enum cl_plugin_kind kind, bool header, const char *key,
                    const char *text, struct cl_err *err) {
  char *name = cl_trimmed(text);
  int rc = name ? refuse_trimmed(plugins, kind, header, key, text, name, err)
                : cl_err_set(err, CL_ENOMEM, "no memory");
  free(name);
  if (rc != CL_ENOMEM)
    err->class = CL_JAVA_CONFIG;
  return rc;
}
