/* SPDX-License-Identifier: Apache-2.0
 *
 * Apache's one REST extension, and our own file of hashes. Thread: main. May include floors 5-0.
 */
#include "worker/config_auth.h"

#include "base/confdef.h"
#include "base/fs.h"
#include "base/jaas.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define FILE_KEY "connect.lua.rest.basic.auth.file"
#define JAAS_KEY "connect.lua.rest.basic.auth.jaas.config"
#define PACKAGE "org.apache.kafka.connect.rest.basic.auth.extension."

enum { JAAS_MAX = 1 << 20 };

static int extension(const json_t *typed, bool *on, struct cl_err *err) {
  static const char *const names[] = {PACKAGE "BasicAuthSecurityRestExtension",
                                      "BasicAuthSecurityRestExtension", "BasicAuthSecurity"};
  size_t i;
  json_t *item;
  *on = false;
  json_array_foreach (json_object_get(typed, "rest.extension.classes"), i, item) {
    const char *class = json_string_value(item);
    bool known = false;
    for (size_t j = 0; j < sizeof(names) / sizeof(*names); j++)
      known = known || strcmp(class, names[j]) == 0;
    if (!known)
      return cl_conf_error(
          err,
          "Invalid value %.200s for configuration rest.extension.classes: Java classes cannot "
          "run here, only " PACKAGE "BasicAuthSecurityRestExtension is built in; remove it",
          class);
    *on = true;
  }
  return 0;
}

/* The last -Djava.security.auth.login.config= of the options, malloc'd, or NULL. */
static char *from_opts(const char *opts) {
  static const char option[] = "-Djava.security.auth.login.config=";
  static const char blanks[] = " \t\r\n";
  char *path = NULL;
  for (const char *p = opts ? opts : ""; *(p += strspn(p, blanks)); p += strcspn(p, blanks)) {
    if (!cl_starts_with(p, option))
      continue;
    const char *value = p + sizeof(option) - 1;
    value += *value == '='; /* Java: this file alone */
    free(path);
    path = strndup(value, strcspn(value, blanks));
  }
  return path;
}

static char *text_of(const json_t *typed, const char *key) {
  const char *text = cl_json_str(typed, key);
  return cl_is_blank(text) ? NULL : cl_trimmed(text);
}

/* The properties file that the entry KafkaConnect names. */
static int read_jaas(const char *path, struct cl_auth_conf *out, struct cl_err *err) {
  char *text = NULL, *class = NULL;
  json_t *options = NULL;
  size_t len;
  struct cl_err why = CL_ERR_INIT;
  int rc = cl_fs_read(path, JAAS_MAX, &text, &len, &why);
  if (rc == 0)
    rc = cl_jaas_file(text, "KafkaConnect", &class, &options, &why);
  const char *file = rc == 0 ? cl_json_str(options, "file") : NULL;
  if (rc)
    rc = cl_conf_error(err, "Invalid value %.200s for configuration " JAAS_KEY ": %s", path, why.msg);
  else if (strcmp(class, PACKAGE "PropertyFileLoginModule") != 0)
    rc = cl_conf_error(err,
                       "Invalid value %.200s for configuration " JAAS_KEY
                       ": the login module %.200s is a Java "
                       "class that cannot run here; only " PACKAGE "PropertyFileLoginModule is known",
                       path, class);
  else if (cl_is_blank(file))
    rc = cl_conf_error(err,
                       "Invalid value %.200s for configuration " JAAS_KEY
                       ": Property Credentials file must be "
                       "specified",
                       path);
  if (rc == 0) {
    out->kind = CL_AUTH_PROPERTIES;
    out->file = strdup(file);
    rc = out->file ? 0 : cl_err_set(err, CL_ENOMEM, "out of memory");
  }
  json_decref(options);
  free(class);
  free(text);
  return rc;
}

int cl_auth_conf_load(const json_t *typed, const char *opts, struct cl_auth_conf *out, struct cl_err *err) {
  bool on;
  int rc = extension(typed, &on, err);
  if (rc)
    return rc;
  char *hashed = text_of(typed, FILE_KEY), *jaas = text_of(typed, JAAS_KEY);
  if (hashed && jaas)
    rc = cl_conf_error(err, "Both " FILE_KEY " and " JAAS_KEY " are set; which of them says who may enter? "
                            "Remove one");
  else if (jaas && !on)
    rc = cl_conf_error(err,
                       "Invalid value %.200s for configuration " JAAS_KEY ": it has an effect only with "
                       "rest.extension.classes=" PACKAGE "BasicAuthSecurityRestExtension; add that",
                       jaas);
  if (rc == 0 && on && !hashed && !jaas)
    jaas = from_opts(opts);
  if (rc == 0 && hashed) {
    out->kind = CL_AUTH_HASHED;
    out->file = hashed;
    hashed = NULL;
  } else if (rc == 0 && jaas) {
    rc = read_jaas(jaas, out, err);
  } else if (rc == 0 && on) {
    rc = cl_conf_error(err,
                       "Missing required configuration \"" JAAS_KEY "\": rest.extension.classes needs the "
                       "JAAS file that Java is told by -Djava.security.auth.login.config in KAFKA_OPTS; or "
                       "name a file of hashes in " FILE_KEY);
  }
  free(jaas);
  free(hashed);
  return rc;
}
