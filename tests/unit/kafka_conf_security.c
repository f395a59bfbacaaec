/* SPDX-License-Identifier: Apache-2.0
 * TLS stores and SASL of the client settings. Keys and stores are made here, by OpenSSL. */
#include "kafka/conf.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/cl-kafka-conf-XXXXXX";
static char p12[64], trust[64], jks[64], disguised[64], ca[64], both[64], locked[64];
static char *key_pem, *cert_pem, *locked_pem; /* locked: under the password "s3cret" */

static char *pem_text(BIO *bio) {
  char *data;
  long n = BIO_get_mem_data(bio, &data);
  char *text = strndup(data, (size_t)n);
  BIO_free(bio);
  return text;
}

static void write_p12(const char *path, PKCS12 *store) {
  FILE *f = fopen(path, "wb");
  assert_non_null(store);
  assert_non_null(f);
  i2d_PKCS12_fp(f, store);
  fclose(f);
  PKCS12_free(store);
}

static void write_pem(char path[64], const char *name, const char *one, const char *two) {
  snprintf(path, 64, "%s/%s", folder, name);
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  fprintf(f, "%s%s", one, two);
  fclose(f);
}

static int make_stores(void **state) {
  (void)state;
  if (!mkdtemp(folder))
    return -1;
  snprintf(p12, sizeof(p12), "%s/key.p12", folder);
  snprintf(trust, sizeof(trust), "%s/trust.p12", folder);
  snprintf(jks, sizeof(jks), "%s/old.jks", folder);
  snprintf(disguised, sizeof(disguised), "%s/new.jks", folder);
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *cert = X509_new();
  X509_NAME *name = X509_get_subject_name(cert);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
  X509_set_issuer_name(cert, name);
  X509_gmtime_adj(X509_getm_notBefore(cert), 0);
  X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
  X509_set_pubkey(cert, key);
  X509_sign(cert, key, EVP_sha256());
  BIO *bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
  key_pem = pem_text(bio);
  bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, cert);
  cert_pem = pem_text(bio);
  bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_256_cbc(), "s3cret", 6, NULL, NULL);
  locked_pem = pem_text(bio);
  write_pem(ca, "ca.pem", cert_pem, "");
  write_pem(both, "both.pem", key_pem, cert_pem);
  write_pem(locked, "locked.pem", locked_pem, cert_pem);
  STACK_OF(X509) *trusted = sk_X509_new_null();
  sk_X509_push(trusted, cert);
  write_p12(p12, PKCS12_create("secret", "k", key, cert, NULL, 0, 0, 0, 0, 0));
  write_p12(trust, PKCS12_create("secret", NULL, NULL, NULL, trusted, 0, 0, 0, 0, 0));
  write_p12(disguised, PKCS12_create("secret", NULL, NULL, NULL, trusted, 0, 0, 0, 0, 0));
  FILE *f = fopen(jks, "wb");
  fwrite("\xFE\xED\xFE\xED\0\0\0\2", 1, 8, f);
  fclose(f);
  sk_X509_free(trusted);
  X509_free(cert);
  EVP_PKEY_free(key);
  return 0;
}

static int remove_stores(void **state) {
  (void)state;
  unlink(p12);
  unlink(trust);
  unlink(jks);
  unlink(disguised);
  unlink(ca);
  unlink(both);
  unlink(locked);
  free(locked_pem);
  free(key_pem);
  free(cert_pem);
  return rmdir(folder);
}

/* Key, value, ..., NULL over the security.protocol given. */
static json_t *client(const char *protocol, ...) {
  json_t *java = json_pack("{s:s}", "security.protocol", protocol);
  va_list ap;
  va_start(ap, protocol);
  for (const char *key; (key = va_arg(ap, const char *));)
    json_object_set_new(java, key, json_string(va_arg(ap, const char *)));
  va_end(ap);
  return java;
}

static json_t *translated(json_t *java) {
  struct cl_err err = CL_ERR_INIT;
  json_t *out = NULL;
  if (cl_client_conf(CL_CLIENT_PRODUCER, java, &out, NULL, NULL, &err) != 0)
    fail_msg("%s", err.msg);
  json_decref(java);
  return out;
}

static void is(const json_t *out, const char *key, const char *value) {
  if (value)
    assert_string_equal(cl_json_str(out, key) ? cl_json_str(out, key) : "(absent)", value);
  else
    assert_null(cl_json_str(out, key));
}

static void refused(json_t *java, const char *text) {
  struct cl_err err = CL_ERR_INIT;
  json_t *out = NULL;
  if (cl_client_conf(CL_CLIENT_CONSUMER, java, &out, NULL, NULL, &err) != CL_EINVAL || !strstr(err.msg, text))
    fail_msg("\"%s\" is not in \"%s\"", text, err.msg);
  assert_null(strstr(err.msg, "s3cret"));
  json_decref(java);
}

static void pem_files(void **state) {
  (void)state;
  json_t *out = translated(client("SSL", "ssl.truststore.type", "PEM", "ssl.truststore.location", ca,
                                  "ssl.keystore.type", "pem", "ssl.keystore.location", locked,
                                  "ssl.key.password", "s3cret", "ssl.endpoint.identification.algorithm", "",
                                  NULL));
  is(out, "security.protocol", "ssl");
  is(out, "ssl.ca.location", ca);
  is(out, "ssl.key.location", locked);
  is(out, "ssl.certificate.location", locked);
  is(out, "ssl.key.password", "s3cret");
  is(out, "ssl.endpoint.identification.algorithm", "none");
  is(out, "ssl.keystore.location", NULL);
  json_decref(out);
}

static json_t *with_trust(const char *path) {
  return client("SSL", "ssl.truststore.type", "PEM", "ssl.truststore.location", path, NULL);
}

static json_t *with_key(const char *path, const char *password) {
  return client("SSL", "ssl.keystore.type", "PEM", "ssl.keystore.location", path,
                password ? "ssl.key.password" : NULL, password, NULL);
}

/* What no client could use is refused before there is one. */
static void bad_pem_files(void **state) {
  (void)state;
  char text[320], odd[64], cut[64], *half = strndup(cert_pem, strlen(cert_pem) / 2);
  refused(with_trust("/none.pem"), "Invalid value /none.pem for configuration ssl.truststore.location: ");
  refused(with_trust("/none.pem"), "No such file");
  refused(with_trust(folder), "configuration ssl.truststore.location: ");
  write_pem(odd, "odd.pem", key_pem, "");
  snprintf(text, sizeof(text), "Invalid value %s for configuration ssl.truststore.location: there is no PEM",
           odd);
  refused(with_trust(odd), text);
  write_pem(cut, "cut.pem", cert_pem, half);
  refused(with_trust(cut), "one of its PEM certificates cannot be read");
  refused(with_key("/none.pem", NULL), "Invalid value /none.pem for configuration ssl.keystore.location: ");
  refused(with_key(ca, NULL), "there is no PEM private key");
  refused(with_key(odd, NULL), "the certificates of its private key are missing");
  snprintf(text, sizeof(text),
           "Invalid value %s for configuration ssl.keystore.location: its private key is encrypted, but "
           "ssl.key.password is not set",
           locked);
  refused(with_key(locked, NULL), text);
  snprintf(text, sizeof(text),
           "Invalid value [hidden] for configuration ssl.key.password: the private key of "
           "ssl.keystore.location %s cannot",
           locked);
  refused(with_key(locked, "no"), text);
  json_decref(translated(with_key(both, NULL)));
  EVP_PKEY *other = EVP_EC_gen("P-256");
  BIO *bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PKCS8PrivateKey(bio, other, NULL, NULL, 0, NULL, NULL);
  char *other_pem = pem_text(bio);
  write_pem(odd, "odd.pem", other_pem, cert_pem);
  refused(with_key(odd, NULL), "its first certificate is not that of its private key");
  write_pem(odd, "odd.pem", "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n", cert_pem);
  refused(with_key(odd, NULL), "its private key cannot be read");
  refused(client("SSL", "ssl.keystore.type", "PEM", "ssl.keystore.key", locked_pem,
                 "ssl.keystore.certificate.chain", cert_pem, NULL),
          "Invalid value [hidden] for configuration ssl.keystore.key: its private key is encrypted, but");
  refused(
      client("SSL", "ssl.truststore.type", "PEM", "ssl.truststore.certificates", key_pem, NULL),
      "Invalid value [hidden] for configuration ssl.truststore.certificates: there is no PEM certificate");
  unlink(odd);
  unlink(cut);
  free(other_pem);
  free(half);
  EVP_PKEY_free(other);
}

/* As people write PEM into properties: one line, blanks for line ends. */
static char *on_one_line(const char *pem) {
  char *text = strdup(pem);
  for (char *p = text; *p; p++)
    if (*p == '\n')
      *p = ' ';
  return text;
}

static void inline_pem(void **state) {
  (void)state;
  char *flat_key = on_one_line(key_pem), *flat_cert = on_one_line(cert_pem);
  json_t *out = translated(client("SSL", "ssl.truststore.type", "PEM", "ssl.truststore.certificates",
                                  flat_cert, "ssl.keystore.type", "PEM", "ssl.keystore.key", flat_key,
                                  "ssl.keystore.certificate.chain", flat_cert, NULL));
  is(out, "ssl.ca.pem", cert_pem);
  is(out, "ssl.key.pem", key_pem);
  is(out, "ssl.certificate.pem", cert_pem);
  json_decref(out);
  char two[4096];
  snprintf(two, sizeof(two), "%s%s", cert_pem, cert_pem);
  out = translated(client("SSL", "ssl.truststore.type", "PEM", "ssl.truststore.certificates", two, NULL));
  is(out, "ssl.ca.pem", two);
  json_decref(out);
  refused(client("SSL", "ssl.keystore.type", "PEM", "ssl.keystore.key", flat_key,
                 "ssl.keystore.certificate.chain", two, NULL),
          "only its first certificate");
  refused(client("SSL", "ssl.keystore.type", "PEM", "ssl.keystore.key", flat_key, NULL),
          "SSL private key is specified, but certificate chain is not specified.");
  refused(client("SSL", "ssl.keystore.key", "s3cret", "ssl.keystore.certificate.chain", "x", NULL),
          "need ssl.keystore.type=PEM");
  refused(client("SSL", "ssl.truststore.type", "PEM", "ssl.truststore.certificates", "s3cret", NULL),
          "no PEM block");
  refused(client("SSL", "ssl.truststore.type", "PEM", "ssl.truststore.password", "s3cret",
                 "ssl.truststore.location", "/x", NULL),
          "SSL trust store password cannot be specified with PEM format");
  free(flat_key);
  free(flat_cert);
}

static void pkcs12_stores(void **state) {
  (void)state;
  json_t *out = translated(client("SSL", "ssl.truststore.type", "PKCS12", "ssl.truststore.location", trust,
                                  "ssl.truststore.password", "secret", "ssl.keystore.type", "PKCS12",
                                  "ssl.keystore.location", p12, "ssl.keystore.password", "secret", NULL));
  is(out, "ssl.ca.pem", cert_pem);
  is(out, "ssl.key.pem", key_pem);
  is(out, "ssl.certificate.pem", cert_pem);
  is(out, "ssl.keystore.location", NULL);
  json_decref(out);
  refused(client("SSL", "ssl.truststore.type", "PKCS12", "ssl.truststore.location", trust,
                 "ssl.truststore.password", "s3cret", NULL),
          "cannot be opened with ssl.truststore.password");
  refused(client("SSL", "ssl.truststore.type", "PKCS12", "ssl.truststore.location", jks, NULL),
          "not a PKCS12 file");
  refused(client("SSL", "ssl.truststore.type", "PKCS12", "ssl.truststore.location", "/nowhere.p12", NULL),
          "/nowhere.p12");
  refused(client("SSL", "ssl.keystore.type", "PKCS12", "ssl.keystore.location", trust,
                 "ssl.keystore.password", "secret", NULL),
          "no key with its certificate");
  refused(client("SSL", "ssl.keystore.type", "PKCS12", "ssl.keystore.location", p12, NULL),
          "cannot be opened with ssl.keystore.password");
}

static void jks_is_refused_with_the_way_out(void **state) {
  (void)state;
  char line[300];
  snprintf(line, sizeof(line),
           "`keytool -importkeystore -srckeystore %s -destkeystore %s/old.p12 -deststoretype PKCS12`", jks,
           folder);
  refused(client("SSL", "ssl.truststore.location", jks, "ssl.truststore.password", "s3cret", NULL), line);
  refused(client("SASL_SSL", "ssl.keystore.type", "JKS", "ssl.keystore.location", jks, NULL), line);
  /* keytool writes PKCS12 into .jks files since Java 9, and Java's type JKS opens them */
  json_t *out = translated(
      client("SSL", "ssl.truststore.location", disguised, "ssl.truststore.password", "secret", NULL));
  is(out, "ssl.ca.pem", cert_pem);
  json_decref(out);
  /* not looked at without TLS */
  out = translated(client("PLAINTEXT", "ssl.truststore.location", jks, NULL));
  is(out, "ssl.ca.pem", NULL);
  json_decref(out);
  refused(client("SSL", "ssl.cipher.suites", "TLS_AES_128_GCM_SHA256", NULL), "give OpenSSL's");
  refused(client("SSL", "ssl.engine.factory.class", "a.B", NULL),
          "Invalid value a.B for configuration ssl.engine.factory.class");
}

#define PLAIN "org.apache.kafka.common.security.plain.PlainLoginModule"
#define SCRAM "org.apache.kafka.common.security.scram.ScramLoginModule"
#define OAUTH "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule"
#define KRB5 "com.sun.security.auth.module.Krb5LoginModule"

static void passwords(void **state) {
  (void)state;
  json_t *out = translated(client("SASL_SSL", "sasl.mechanism", "PLAIN", "sasl.jaas.config",
                                  PLAIN " required username=\"al\\\"ice\" password='a=b; \\\\c\\101 //x';",
                                  NULL));
  is(out, "security.protocol", "sasl_ssl");
  is(out, "sasl.mechanisms", "PLAIN");
  is(out, "sasl.username", "al\"ice");
  is(out, "sasl.password", "a=b; \\cA //x");
  json_decref(out);
  out = translated(client(
      "sasl_plaintext", "sasl.mechanism", "SCRAM-SHA-512", "sasl.jaas.config",
      "/* who */ " SCRAM " REQUIRED\n  username=bob // me\n  password = \"p\" tokenauth=\"true\" ;", NULL));
  is(out, "sasl.username", "bob");
  is(out, "sasl.password", "p");
  json_decref(out);
  out = translated(
      client("SASL_SSL", "sasl.mechanism", "PLAIN", "sasl.username", "u", "sasl.password", "p", NULL));
  is(out, "sasl.username", "u");
  json_decref(out);
}

static json_t *jaas(const char *mechanism, const char *text) {
  return client("SASL_PLAINTEXT", "sasl.mechanism", mechanism, "sasl.jaas.config", text, NULL);
}

static void bad_jaas(void **state) {
  (void)state;
  refused(jaas("PLAIN", PLAIN " required username=\"a\" password=\"s3cret\""),
          "JAAS config entry not terminated by semi-colon");
  refused(jaas("PLAIN", PLAIN ";"), "Control flag not specified in JAAS config");
  refused(jaas("PLAIN", PLAIN " maybe username=\"a\";"), "Invalid login module control flag in JAAS config");
  refused(jaas("PLAIN", ";"), "Login module not specified in JAAS config");
  refused(jaas("PLAIN", PLAIN " required username=;"),
          "Value not specified for key 'username' in JAAS config");
  refused(jaas("PLAIN", PLAIN " required username=\"a\" password=\"s3cret\"; " PLAIN " required;"),
          "should be 1 module");
  refused(jaas("PLAIN", PLAIN " required username=\"a\";"), "username and password are both needed");
  refused(jaas("PLAIN", SCRAM " required username=\"a\" password=\"s3cret\";"),
          "does not fit sasl.mechanism=PLAIN");
  refused(jaas("PLAIN", "a.b.Mine required;"), "a.b.Mine is a Java class");
  refused(client("SASL_SSL", "sasl.mechanism", "PLAIN", NULL),
          "Invalid value [hidden] for configuration sasl.jaas.config");
  refused(client("SASL_SSL", "sasl.login.class", "a.B", NULL),
          "Invalid value a.B for configuration sasl.login.class");
}

static void kerberos(void **state) {
  (void)state;
  json_t *out = translated(client(
      "SASL_PLAINTEXT", "sasl.kerberos.service.name", "kafka", "sasl.kerberos.kinit.cmd", "/usr/bin/kinit",
      "sasl.jaas.config",
      KRB5 " required useKeyTab=true storeKey=true keyTab=\"/k/c.keytab\" principal=\"c/h@R\";", NULL));
  is(out, "sasl.mechanisms", "GSSAPI");
  is(out, "sasl.kerberos.principal", "c/h@R");
  is(out, "sasl.kerberos.keytab", "/k/c.keytab");
  is(out, "sasl.kerberos.service.name", "kafka");
  is(out, "sasl.kerberos.kinit.cmd",
     "/usr/bin/kinit -t \"%{sasl.kerberos.keytab}\" -k %{sasl.kerberos.principal}");
  json_decref(out);
  refused(jaas("GSSAPI", KRB5 " required useTicketCache=true;"), "no ticket cache");
  /* these reach a shell */
  refused(jaas("GSSAPI", KRB5 " required keyTab=\"/k\" principal=\"x;reboot\";"), "only letters");
  refused(jaas("GSSAPI", KRB5 " required keyTab=\"/k$(reboot)\" principal=\"x\";"), "only letters");
  refused(client("SASL_PLAINTEXT", "sasl.kerberos.kinit.cmd", "reboot; kinit", "sasl.jaas.config",
                 KRB5 " required;", NULL),
          "only letters");
}

static void oauth(void **state) {
  (void)state;
  json_t *out = translated(jaas("OAUTHBEARER", OAUTH " required unsecuredLoginStringClaim_sub=\"admin\";"));
  is(out, "sasl.mechanisms", "OAUTHBEARER");
  is(out, "sasl.oauthbearer.config", "principal=admin");
  is(out, "enable.sasl.oauthbearer.unsecure.jwt", "true");
  json_decref(out);
  /* librdkafka may be built without OIDC: then the reason is told, never the secret. */
  struct cl_err err = CL_ERR_INIT;
  json_t *java = client(
      "SASL_SSL", "sasl.mechanism", "OAUTHBEARER", "sasl.oauthbearer.token.endpoint.url", "https://x/t",
      "sasl.login.callback.handler.class",
      "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler", "sasl.jaas.config",
      OAUTH " required clientId=\"i\" clientSecret=\"s3cret\" scope=\"a b\" extension_x=\"y\";", NULL);
  if (cl_client_conf(CL_CLIENT_ADMIN, java, &out, NULL, NULL, &err) == 0) {
    is(out, "sasl.oauthbearer.method", "oidc");
    is(out, "sasl.oauthbearer.client.secret", "s3cret");
    is(out, "sasl.oauthbearer.extensions", "x=y");
    json_decref(out);
  } else {
    assert_non_null(strstr(err.msg, "not supported in this build"));
    assert_null(strstr(err.msg, "s3cret"));
  }
  json_decref(java);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bad_pem_files),
      cmocka_unit_test(pem_files),
      cmocka_unit_test(inline_pem),
      cmocka_unit_test(pkcs12_stores),
      cmocka_unit_test(jks_is_refused_with_the_way_out),
      cmocka_unit_test(passwords),
      cmocka_unit_test(bad_jaas),
      cmocka_unit_test(kerberos),
      cmocka_unit_test(oauth),
  };
  return cmocka_run_group_tests(tests, make_stores, remove_stores);
}
