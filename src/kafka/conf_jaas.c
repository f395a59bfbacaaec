/* SPDX-License-Identifier: Apache-2.0
 *
 * sasl.* of Java's clients: turns the one login module of sasl.jaas.config into librdkafka's keys. Any
 * thread, no state. May include base and librdkafka.
 */
#include "kafka/conf_internal.h"

#include "base/buf.h"
#include "base/jaas.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char JAAS[] = "sasl.jaas.config";

bool cl_conf_plain_text(const char *text) {
  for (const char *p = text; *p; p++)
    if (!isalnum((unsigned char)*p) && !strchr("._-/@,", *p))
      return false;
  return true;
}

static int bad_jaas(struct cl_conf_run *run, const char *what) {
  return cl_conf_refuse(run, JAAS, "", "%s", what);
}

static int put_option(struct cl_conf_run *run, const json_t *options, const char *option, const char *name) {
  const char *value = cl_json_str(options, option);
  return value ? cl_conf_put(run, JAAS, name, value) : 0;
}

static int password_module(struct cl_conf_run *run, const json_t *options) {
  if (!cl_json_str(options, "username") || !cl_json_str(options, "password"))
    return bad_jaas(run, "username and password are both needed");
  int rc = put_option(run, options, "username", "sasl.username");
  return rc ? rc : put_option(run, options, "password", "sasl.password");
}

static int kerberos_module(struct cl_conf_run *run, const json_t *options) {
  const char *principal = cl_json_str(options, "principal"), *keytab = cl_json_str(options, "keyTab");
  if (!principal || !keytab)
    return bad_jaas(
        run, "Krb5LoginModule works here with useKeyTab=true, keyTab=\"...\" and principal=\"...\" only "
             "(no ticket cache, no password prompt)");
  if (strncmp(keytab, "file:", 5) == 0)
    keytab += 5;
  if (!cl_conf_plain_text(principal) || !cl_conf_plain_text(keytab))
    return bad_jaas(run, "keyTab and principal may hold only letters, digits and . _ - / @");
  int rc = put_option(run, options, "principal", "sasl.kerberos.principal");
  if (rc == 0)
    rc = cl_conf_put(run, JAAS, "sasl.kerberos.keytab", keytab);
  return rc ? rc : put_option(run, options, "serviceName", "sasl.kerberos.service.name");
}

/* extension_x="y" options, as librdkafka's x=y,... */
static int oauth_extensions(struct cl_conf_run *run, const json_t *options) {
  struct cl_buf list = {0};
  const char *key;
  json_t *value;
  json_object_foreach ((json_t *)options, key, value)
    if (strncmp(key, "extension_", 10) == 0)
      cl_buf_fmt(&list, "%s%s=%s", list.len ? "," : "", key + 10, json_string_value(value));
  int rc = list.len && !list.failed ? cl_conf_put(run, JAAS, "sasl.oauthbearer.extensions", list.p) : 0;
  cl_buf_free(&list);
  return rc;
}

/* Java's development tokens: unsecuredLoginStringClaim_sub="name". */
static int oauth_unsecured(struct cl_conf_run *run, const char *subject) {
  if (!cl_conf_plain_text(subject))
    return bad_jaas(run, "unsecuredLoginStringClaim_sub may hold only letters, digits and . _ - / @");
  struct cl_buf config = {0};
  cl_buf_fmt(&config, "principal=%s", subject);
  int rc = config.failed ? cl_err_set(run->err, CL_ENOMEM, "out of memory")
                         : cl_conf_put(run, JAAS, "sasl.oauthbearer.config", config.p);
  cl_buf_free(&config);
  return rc ? rc : cl_conf_put(run, JAAS, "enable.sasl.oauthbearer.unsecure.jwt", "true");
}

static int put_key(struct cl_conf_run *run, const char *java, const char *name) {
  char *value = cl_conf_get(run, java, true);
  int rc = value ? cl_conf_put(run, java, name, value) : 0;
  free(value);
  return rc;
}

static int oauth_module(struct cl_conf_run *run, const json_t *options) {
  const char *subject = cl_json_str(options, "unsecuredLoginStringClaim_sub");
  if (subject)
    return oauth_unsecured(run, subject);
  int rc = put_option(run, options, "clientId", "sasl.oauthbearer.client.id");
  if (rc == 0)
    rc = put_option(run, options, "clientSecret", "sasl.oauthbearer.client.secret");
  if (rc == 0)
    rc = put_option(run, options, "scope", "sasl.oauthbearer.scope");
  if (rc == 0) /* Kafka 4's own keys go before the options of the module */
    rc = put_key(run, "sasl.oauthbearer.client.credentials.client.id", "sasl.oauthbearer.client.id");
  if (rc == 0)
    rc = put_key(run, "sasl.oauthbearer.client.credentials.client.secret", "sasl.oauthbearer.client.secret");
  if (rc == 0)
    rc = put_key(run, "sasl.oauthbearer.scope", "sasl.oauthbearer.scope");
  if (rc == 0)
    rc = put_key(run, "sasl.oauthbearer.token.endpoint.url", "sasl.oauthbearer.token.endpoint.url");
  if (rc == 0)
    rc = oauth_extensions(run, options);
  return rc ? rc : cl_conf_put(run, JAAS, "sasl.oauthbearer.method", "oidc");
}

static const struct {
  const char *class;
  const char *mechanisms; /* comma separated, a comma at each end */
  int (*map)(struct cl_conf_run *run, const json_t *options);
} modules[] = {
    {"org.apache.kafka.common.security.plain.PlainLoginModule", ",PLAIN,", password_module},
    {"org.apache.kafka.common.security.scram.ScramLoginModule", ",SCRAM-SHA-256,SCRAM-SHA-512,",
     password_module},
    {"org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule", ",OAUTHBEARER,", oauth_module},
    {"com.sun.security.auth.module.Krb5LoginModule", ",GSSAPI,", kerberos_module},
};

static int apply_jaas(struct cl_conf_run *run, const char *text, const char *mechanism) {
  char *module = NULL;
  json_t *options = NULL;
  char listed[64];
  struct cl_err why = CL_ERR_INIT;
  int rc = cl_jaas_module(text, &module, &options, &why);
  if (rc) {
    rc = bad_jaas(run, why.msg);
    goto out;
  }
  size_t i = 0, n = sizeof(modules) / sizeof(*modules);
  while (i < n && strcmp(modules[i].class, module) != 0)
    i++;
  snprintf(listed, sizeof(listed), ",%s,", mechanism);
  if (i == n)
    rc = cl_conf_refuse(run, JAAS, "",
                        "the login module %.200s is a Java class that cannot run here; known are "
                        "PlainLoginModule, ScramLoginModule, OAuthBearerLoginModule and Krb5LoginModule",
                        module);
  else if (!strstr(modules[i].mechanisms, listed))
    rc = cl_conf_refuse(run, JAAS, "", "the login module %s does not fit sasl.mechanism=%s", module,
                        mechanism);
  else
    rc = modules[i].map(run, options);
out:
  json_decref(options);
  free(module);
  return rc;
}

/* Classes of login and callback handlers: only the OAuth one has a counterpart. */
static int refuse_handlers(struct cl_conf_run *run) {
  static const char *const keys[] = {"sasl.login.class", "sasl.client.callback.handler.class",
                                     "sasl.login.callback.handler.class"};
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < sizeof(keys) / sizeof(*keys); i++) {
    char *class = cl_conf_get(run, keys[i], true);
    const char *dot = class ? strrchr(class, '.') : NULL;
    if (class && !(dot && strcmp(dot, ".OAuthBearerLoginCallbackHandler") == 0))
      rc = cl_conf_refuse(run, keys[i], class, "Java classes cannot run here; remove the key");
    free(class);
  }
  return rc;
}

/* Java names the kinit program; librdkafka wants the command line that refreshes the ticket. */
static int kerberos_keys(struct cl_conf_run *run) {
  static const char kinit_key[] = "sasl.kerberos.kinit.cmd",
                    relogin_key[] = "sasl.kerberos.min.time.before.relogin",
                    service_key[] = "sasl.kerberos.service.name";
  char *kinit = cl_conf_get(run, kinit_key, true), *relogin = cl_conf_get(run, relogin_key, true);
  char *service = cl_conf_get(run, service_key, true);
  struct cl_buf line = {0};
  int64_t pause;
  int rc = 0;
  if ((kinit && !cl_conf_plain_text(kinit)) || (service && !cl_conf_plain_text(service))) {
    bool culprit = kinit && !cl_conf_plain_text(kinit);
    rc = cl_conf_refuse(run, culprit ? kinit_key : service_key, culprit ? kinit : service,
                        "only letters, digits and . _ - / @ are allowed");
  }
  if (rc == 0 && service)
    rc = cl_conf_put(run, service_key, service_key, service);
  if (rc == 0 && relogin)
    rc = cl_conf_number(run, relogin_key, relogin, "LONG", &pause);
  if (rc == 0 && relogin)
    rc = cl_conf_put_number(run, relogin_key, relogin_key, pause, 0, 86400000);
  if (rc == 0 && kinit) {
    cl_buf_fmt(&line, "%s -t \"%%{sasl.kerberos.keytab}\" -k %%{sasl.kerberos.principal}", kinit);
    rc = line.failed ? cl_err_set(run->err, CL_ENOMEM, "out of memory")
                     : cl_conf_put(run, kinit_key, kinit_key, line.p);
  }
  cl_buf_free(&line);
  free(service);
  free(relogin);
  free(kinit);
  return rc;
}

/* Credentials given in librdkafka's own keys make a JAAS text unnecessary. */
static bool has_native_credentials(const struct cl_conf_run *run) {
  static const char *const keys[] = {"sasl.username", "sasl.kerberos.principal", "sasl.kerberos.keytab",
                                     "sasl.oauthbearer.config", "sasl.oauthbearer.method"};
  for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
    if (cl_json_str(run->out, keys[i]))
      return true;
  return false;
}

int cl_conf_sasl(struct cl_conf_run *run) {
  char *mechanism = cl_conf_get(run, "sasl.mechanism", true);
  char *jaas = cl_conf_get(run, JAAS, true);
  const char *name = mechanism ? mechanism : "GSSAPI";
  int rc = refuse_handlers(run);
  if (rc == 0)
    rc = cl_conf_put(run, "sasl.mechanism", "sasl.mechanisms", name);
  if (rc == 0)
    rc = kerberos_keys(run);
  if (rc == 0 && jaas)
    rc = apply_jaas(run, jaas, name);
  else if (rc == 0 && !has_native_credentials(run))
    rc = cl_conf_refuse(run, JAAS, "", "it is missing, and sasl.mechanism=%s needs its login module", name);
  free(jaas);
  free(mechanism);
  return rc;
}
