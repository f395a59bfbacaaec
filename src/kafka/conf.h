/* SPDX-License-Identifier: Apache-2.0
 *
 * Java client settings to librdkafka's: one table of names, sasl.jaas.config parsed,
 * PEM and PKCS12 stores mapped, JKS refused with the keytool line that converts it.
 * Any thread, no state. conf_java.c has the table.
 */
#pragma once

#include "base/confdef.h"
#include "base/err.h"
#include "base/json.h"

enum cl_client_kind { CL_CLIENT_CONSUMER, CL_CLIENT_PRODUCER, CL_CLIENT_ADMIN };

/* java: Java client keys without prefix (config object, later keys already merged by
 * precedence); keys that librdkafka alone knows are taken as they are. *out: librdkafka
 * keys, new reference, to be set in this order. *ignored, may be NULL: array of the
 * keys that have no counterpart (new reference), to be named once in a warning. *changed, may be
 * NULL: array of sentences about values that librdkafka takes in part (new reference), for a
 * warning each. A value that Java's client or librdkafka would refuse, or a setting that cannot
 * be honoured and matters (JKS, Kerberos login classes), is CL_EINVAL naming the Java key. */
int cl_client_conf(enum cl_client_kind kind, const json_t *java, json_t **out, json_t **ignored,
                   json_t **changed, struct cl_err *err);

/* True for a key of any Java client or of librdkafka, whatever becomes of it. */
bool cl_client_key_known(const char *key);
/* True for a key of this kind of Java client, or of librdkafka. */
bool cl_client_key_fits(enum cl_client_kind kind, const char *key);

/* How this kind of Java client defines the key: a row without checks, since Java's parse looks
 * at the type alone. False: it has no such key. The texts are constant. */
bool cl_client_def(enum cl_client_kind kind, const char *java, struct cl_conf_row *out);
/* What becomes of the key here, in a sentence. */
void cl_client_def_doc(enum cl_client_kind kind, const char *java, char *out, size_t size);
