/* SPDX-License-Identifier: Apache-2.0
 *
 * Java's key and trust stores for librdkafka: a PEM file goes through by its name once it was read here;
 * everything else as PEM text (librdkafka cannot read a PKCS12 trust store, and leaks a little of each
 * PKCS12 key store).
 * Any thread, no state. May include base and librdkafka.
 */
#define CL_COMPONENT "kafka.conf"
#include "kafka/conf_internal.h"

#include "base/log.h"
#include "base/stores.h"

#include <stdlib.h>
#include <string.h>

static int truststore(struct cl_conf_run *run) {
  static const char key[] = "ssl.truststore.location";
  struct cl_trust_store s;
  int rc = cl_stores_trust(run->java, &s, run->err);
  if (rc == 0 && s.from == CL_STORE_PEM_FILE)
    rc = cl_conf_put(run, key, "ssl.ca.location", s.location);
  else if (rc == 0 && s.from != CL_STORE_NONE)
    rc = cl_conf_put(run, s.from == CL_STORE_INLINED ? "ssl.truststore.certificates" : key, "ssl.ca.pem",
                     s.certificates);
  cl_trust_store_clear(&s);
  return rc;
}

static int key_location(struct cl_conf_run *run, const struct cl_key_store *s) {
  static const char key[] = "ssl.keystore.location";
  char *password = cl_conf_get(run, "ssl.key.password", false);
  int rc = cl_conf_put(run, key, "ssl.key.location", s->location);
  if (rc == 0)
    rc = cl_conf_put(run, key, "ssl.certificate.location", s->location);
  if (rc == 0 && password)
    rc = cl_conf_put(run, "ssl.key.password", "ssl.key.password", password);
  free(password);
  return rc;
}

/* librdkafka sends one certificate of a text. */
static int key_texts(struct cl_conf_run *run, struct cl_key_store *s) {
  static const char end[] = "-----END CERTIFICATE-----\n";
  bool inlined = s->from == CL_STORE_INLINED;
  char *first = strstr(s->chain, end);
  if (first && first[sizeof(end) - 1]) {
    if (inlined)
      return cl_conf_refuse(
          run, "ssl.keystore.certificate.chain", "",
          "librdkafka would send only its first certificate; put key and chain into a file and name it "
          "in ssl.keystore.location");
    CL_LOG(CL_DEBUG,
           "%s: librdkafka sends the key's own certificate only, not its chain; use a PEM file for that",
           s->location);
    first[sizeof(end) - 1] = '\0';
  }
  int rc = cl_conf_put(run, inlined ? "ssl.keystore.key" : "ssl.keystore.location", "ssl.key.pem", s->key);
  return rc ? rc
            : cl_conf_put(run, inlined ? "ssl.keystore.certificate.chain" : "ssl.keystore.location",
                          "ssl.certificate.pem", s->chain);
}

static int keystore(struct cl_conf_run *run) {
  struct cl_key_store s;
  int rc = cl_stores_key(run->java, &s, run->err);
  if (rc == 0 && s.from == CL_STORE_PEM_FILE)
    rc = key_location(run, &s);
  else if (rc == 0 && s.from != CL_STORE_NONE)
    rc = key_texts(run, &s);
  cl_key_store_clear(&s);
  return rc;
}

static int ciphers(struct cl_conf_run *run) {
  char *suites = cl_conf_get(run, "ssl.cipher.suites", true);
  int rc = 0;
  if (suites && strncmp(suites, "TLS_", 4) == 0)
    rc = cl_conf_refuse(run, "ssl.cipher.suites", suites,
                        "Java's names of cipher suites are not understood here; give OpenSSL's, such as "
                        "ECDHE-RSA-AES128-GCM-SHA256, or remove the key");
  else if (suites)
    rc = cl_conf_put(run, "ssl.cipher.suites", "ssl.cipher.suites", suites);
  free(suites);
  return rc;
}

static int endpoint(struct cl_conf_run *run) {
  static const char key[] = "ssl.endpoint.identification.algorithm";
  char *algorithm = cl_conf_get(run, key, false);
  int rc = algorithm ? cl_conf_put(run, key, key, *algorithm ? algorithm : "none") : 0;
  free(algorithm);
  return rc;
}

int cl_conf_tls(struct cl_conf_run *run) {
  int rc = truststore(run);
  if (rc == 0)
    rc = keystore(run);
  if (rc == 0)
    rc = ciphers(run);
  return rc ? rc : endpoint(run);
}
