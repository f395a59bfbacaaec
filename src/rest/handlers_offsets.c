/* SPDX-License-Identifier: Apache-2.0
 *
 * The handlers of /connectors/{c}/offsets: the shape of their bodies. What may stand in a partition
 * or an offset is the connector's to say.
 * Any thread, no state. Includes rest and worker/herder.h.
 */
#include "rest/handlers.h"

#include "rest/routes.h"

#include <string.h>

/* At once, or by the broker when it is a sink. */
void cl_handlers_offsets(struct cl_exchange *x) {
  struct cl_query q = {.kind = CL_GET_OFFSETS, .name = x->name};
  cl_herder_query(x->herder, &q, &x->answer.reply);
  if (x->answer.reply.status == 0)
    cl_handlers_command(x, CL_CMD_READ_OFFSETS, NULL);
}

void cl_handlers_reset_offsets(struct cl_exchange *x) { cl_handlers_command(x, CL_CMD_RESET_OFFSETS, NULL); }

static bool refuse(struct cl_exchange *x, const char *fmt, const char *key) {
  cl_reply_error(&x->answer.reply, 400, fmt, key);
  return false;
}

/* Objects with no other fields than those named. */
static bool has_only(struct cl_exchange *x, const json_t *object, const char *one, const char *other) {
  const char *key;
  json_t *value;
  json_object_foreach ((json_t *)object, key, value)
    if (strcmp(key, one) != 0 && strcmp(key, other) != 0)
      return refuse(x, "Unrecognized field \"%s\" in an offsets request", key);
  return true;
}

static bool is_map_or_null(struct cl_exchange *x, const json_t *item, const char *key) {
  const json_t *value = json_object_get(item, key);
  return !value || json_is_null(value) || json_is_object(value) ||
         refuse(x, "Field \"%s\" of an offset must be an object or null", key);
}

static bool well_formed(struct cl_exchange *x, const json_t *body, json_t *list) {
  size_t i;
  json_t *item;
  if (!has_only(x, body, "offsets", "offsets"))
    return false;
  if (!list || json_is_null(list) || (json_is_array(list) && json_array_size(list) == 0))
    return refuse(x, "Partitions / offsets need to be provided for an alter offsets request%s", "");
  if (!json_is_array(list))
    return refuse(x, "Field \"%s\" must be a list", "offsets");
  json_array_foreach (list, i, item) {
    if (!json_is_object(item))
      return refuse(x, "Field \"%s\" must be a list of objects", "offsets");
    if (!has_only(x, item, "partition", "offset") || !is_map_or_null(x, item, "partition") ||
        !is_map_or_null(x, item, "offset"))
      return false;
  }
  return true;
}

/* What is absent is null from here on. */
static bool complete(json_t *list) {
  size_t i;
  json_t *item;
  bool ok = true;
  json_array_foreach (list, i, item) {
    if (!json_object_get(item, "partition"))
      ok = ok && json_object_set_new(item, "partition", json_null()) == 0;
    if (!json_object_get(item, "offset"))
      ok = ok && json_object_set_new(item, "offset", json_null()) == 0;
  }
  return ok;
}

void cl_handlers_alter_offsets(struct cl_exchange *x) {
  json_t *body = cl_handlers_body_as_is(x), *list = json_object_get(body, "offsets");
  if (body && well_formed(x, body, list)) {
    if (complete(list))
      cl_handlers_command(x, CL_CMD_ALTER_OFFSETS, json_incref(list));
    else
      cl_reply_error(&x->answer.reply, 500, "Out of memory");
  }
  json_decref(body);
}
