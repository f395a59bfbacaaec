/* SPDX-License-Identifier: Apache-2.0
 * Configs as they are shown. Any thread, no state. May include floors 5-0. */
#include "worker/mask.h"

#include "base/buf.h"
#include "base/secrets.h"
#include "base/text.h"
#include "base/url_secrets.h"
#include "task/connector.h"
#include "worker/config_internal.h"
#include "worker/providers.h"
#include "worker/validation.h"

#include <stdlib.h>
#include <string.h>

#define MASK "[hidden]"

static bool masks(const struct cl_worker *w) { return w->conf->rest.mask_passwords; }

/* --------------------------------------------------------------- keys that are open */

/* Overrides of clients that this connector does not have stand in configs, too. */
static bool is_open_override(const char *key) {
  static const struct {
    const char *prefix;
    enum cl_client_kind kind;
  } clients[] = {{"producer.override.", CL_CLIENT_PRODUCER},
                 {"consumer.override.", CL_CLIENT_CONSUMER},
                 {"admin.override.", CL_CLIENT_ADMIN}};
  struct cl_conf_row row;
  for (size_t i = 0; i < sizeof(clients) / sizeof(*clients); i++) {
    if (cl_starts_with(key, clients[i].prefix))
      return cl_client_def(clients[i].kind, key + strlen(clients[i].prefix), &row) &&
             row.type != CL_CONF_PASSWORD;
  }
  return false;
}

json_t *cl_mask_open_keys(const struct cl_validation *v) {
  json_t *open = json_object(), *entry;
  const char *key;
  json_object_foreach (v->by_key, key, entry) {
    const char *type = cl_json_str(json_object_get(entry, "definition"), "type");
    if (type && strcmp(type, "PASSWORD") != 0)
      json_object_set_new(open, key, json_true());
  }
  return open;
}

static bool is_framework(const char *key) {
  return cl_conf_find(cl_connector_def(true), key) || cl_conf_find(cl_connector_def(false), key);
}

/* None of connect-lua's own is a password. */
static bool is_open(const json_t *open, const char *key) {
  return (open ? json_object_get(open, key) != NULL : is_framework(key)) || is_open_override(key) ||
         cl_starts_with(key, "connect.lua.");
}

/* -------------------------------------------------------------------------- values */

/* NULL = no memory. */
static char *without_url_secrets(const struct cl_worker *w, const char *text) {
  struct cl_buf out = {0};
  size_t done = 0;
  cl_buf_str(&out, "");
  for (size_t at = 0, len; cl_url_secret(text, &at, &len); at += len) {
    char *one = strndup(text + at, len);
    cl_buf_add(&out, text + done, at - done);
    cl_buf_str(&out, one && cl_providers_only(w->conf->providers, one) ? one : MASK);
    free(one);
    done = at + len;
  }
  cl_buf_str(&out, text + done);
  return cl_buf_take(&out);
}

static json_t *text_json(char *text) {
  json_t *out = cl_json_lenient(text ? text : MASK);
  free(text);
  return out;
}

/* A value as it is shown when passwords are masked (new reference). */
static json_t *shown(const struct cl_worker *w, const json_t *open, const char *key, json_t *value) {
  const char *text = json_string_value(value);
  if (!text || !*text || cl_providers_only(w->conf->providers, text))
    return json_incref(value);
  return is_open(open, key) ? text_json(without_url_secrets(w, text)) : json_string(MASK);
}

json_t *cl_mask_config(const struct cl_worker *w, const json_t *open, const json_t *config) {
  json_t *out, *value;
  const char *key;
  if (!masks(w))
    return json_incref((json_t *)config);
  out = json_object();
  json_object_foreach ((json_t *)config, key, value)
    json_object_set_new(out, key, shown(w, open, key, value));
  return out;
}

json_t *cl_mask_task_config(const struct cl_worker *w, const json_t *open, const json_t *config,
                            const json_t *task_config) {
  json_t *out = json_object(), *value;
  const char *key;
  json_object_foreach ((json_t *)task_config, key, value) {
    bool ours = strcmp(key, "task.class") == 0, same = json_equal(value, json_object_get(config, key));
    json_t *now = masks(w) && !ours ? shown(w, open, key, value) : json_incref(value);
    if (!ours && !same && json_is_string(now)) {
      json_t *hidden = text_json(cl_secrets_hidden(json_string_value(now)));
      json_decref(now);
      now = hidden;
    }
    json_object_set_new(out, key, now);
  }
  return out;
}

/* ----------------------------------------------------------------- what comes back */

/* What the new rows do not call a password is one nevertheless. */
static void learn(const json_t *open, const char *key, const char *text) {
  if (is_open(open, key))
    cl_url_secrets_add(text);
  else
    cl_secrets_add(text);
}

json_t *cl_mask_unchanged(const struct cl_worker *w, const json_t *open, const json_t *stored,
                          const json_t *given) {
  json_t *out, *value;
  const char *key;
  if (!masks(w))
    return json_incref((json_t *)given);
  out = json_copy((json_t *)given);
  json_object_foreach ((json_t *)stored, key, value) {
    json_t *now = shown(w, open, key, value);
    if (!json_equal(now, value) && json_equal(now, json_object_get(given, key))) {
      json_object_set(out, key, value);
      learn(open, key, json_string_value(value));
    }
    json_decref(now);
  }
  return out;
}

static bool has_masked_url(const char *text) {
  for (size_t at = 0, len; cl_url_secret(text, &at, &len); at += len)
    if (len == strlen(MASK) && memcmp(text + at, MASK, len) == 0)
      return true;
  return false;
}

/* Where a value was kept for what was sent, the new rows have to show it as it was sent, too. */
static bool keeps(const struct cl_validation *v, const json_t *open, const char *key, json_t *sent,
                  json_t *value) {
  if (!sent || json_equal(sent, value))
    return true;
  json_t *now = shown(v->worker, open, key, value);
  bool same = json_equal(now, sent);
  json_decref(now);
  return same;
}

void cl_mask_refuse(struct cl_validation *v, const json_t *sent, const json_t *given) {
  json_t *open, *value;
  const char *key;
  if (!masks(v->worker))
    return;
  open = cl_mask_open_keys(v);
  json_object_foreach ((json_t *)given, key, value) {
    json_t *as_sent = json_object_get(sent, key);
    bool kept = keeps(v, open, key, as_sent, value);
    const char *text = json_string_value(kept ? value : as_sent);
    if (!kept || (text && (is_open(open, key) ? has_masked_url(text) : strcmp(text, MASK) == 0)))
      cl_validation_error(v, key,
                          "Invalid value %s for configuration %s: " MASK
                          " stands for a value that is not shown, and there is none to keep; send the "
                          "value itself, or a config provider's variable as ${file:/path:key}",
                          text, key);
    if (!kept)
      json_object_set(json_object_get(cl_validation_find(v, key), "value"), "value", as_sent);
  }
  json_decref(open);
}

void cl_mask_validation(struct cl_validation *v) {
  json_t *entry;
  const char *key;
  if (!masks(v->worker))
    return;
  json_object_foreach (v->by_key, key, entry) {
    json_t *value = json_object_get(entry, "value"), *now = json_object_get(value, "value");
    const char *text = json_string_value(now);
    if (!text || !*text)
      continue;
    if (json_is_null(json_object_get(entry, "definition")))
      json_object_set_new(value, "value", json_string(MASK));
    else
      json_object_set_new(value, "value", text_json(without_url_secrets(v->worker, text)));
  }
}
