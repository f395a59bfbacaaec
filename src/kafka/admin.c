/* SPDX-License-Identifier: Apache-2.0
 * Consumer groups by librdkafka's admin calls. Thread: any one at a time. */
#include "kafka/admin.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "kafka/internal.h"

enum {
  PATIENCE_MS = 60000, /* of one call, retries and all */
  LOOK_MS = 100,       /* between looks at stop */
  AGAIN_MS = 200       /* between attempts */
};

struct cl_admin {
  struct cl_client client;
  rd_kafka_queue_t *queue;
  const atomic_bool *stop;
};

int cl_admin_open(const json_t *client, const atomic_bool *stop, struct cl_admin **out, struct cl_err *err) {
  rd_kafka_conf_t *conf = NULL;
  struct cl_admin *a = calloc(1, sizeof(*a));
  if (!a)
    return cl_err_set(err, CL_ENOMEM, "out of memory");
  a->stop = stop;
  int rc = cl_client_settings(client, NULL, &conf, err);
  if (!rc)
    rc = cl_client_open(&a->client, a, RD_KAFKA_PRODUCER, conf, NULL, err);
  if (rc) {
    free(a);
    return rc;
  }
  a->queue = rd_kafka_queue_new(a->client.rk);
  *out = a;
  return CL_OK;
}

void cl_admin_close(struct cl_admin *a) {
  if (!a)
    return;
  rd_kafka_queue_destroy(a->queue);
  cl_client_close(&a->client);
  free(a);
}

/* ------------------------------------------------------------ offsets as JSON */

static const json_t *part(const json_t *item, const char *object, const char *key) {
  return json_object_get(json_object_get(item, object), key);
}

/* Those of the offsets that are null, or those that are not. */
static rd_kafka_topic_partition_list_t *pick(const json_t *offsets, bool null) {
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);
  size_t i;
  json_t *item;
  json_array_foreach ((json_t *)offsets, i, item) {
    if (json_is_object(json_object_get(item, "offset")) == null)
      continue;
    rd_kafka_topic_partition_t *p = rd_kafka_topic_partition_list_add(
        list, json_string_value(part(item, "partition", "kafka_topic")),
        (int32_t)json_integer_value(part(item, "partition", "kafka_partition")));
    p->offset = json_integer_value(part(item, "offset", "kafka_offset"));
  }
  return list;
}

static int to_json(const rd_kafka_topic_partition_list_t *list, json_t **out, struct cl_err *err) {
  json_t *all = json_array();
  for (int i = 0; i < list->cnt; i++) {
    const rd_kafka_topic_partition_t *p = &list->elems[i];
    if (p->offset < 0)
      continue; /* nothing committed */
    json_t *item = json_pack("{s:{s:s, s:i}, s:{s:I}}", "partition", "kafka_topic", p->topic,
                             "kafka_partition", p->partition, "offset", "kafka_offset",
                             (json_int_t)p->offset);
    if (!item || json_array_append_new(all, item) != 0) {
      json_decref(all);
      return cl_err_set(err, CL_ENOMEM, "out of memory");
    }
  }
  *out = all;
  return all ? CL_OK : cl_err_set(err, CL_ENOMEM, "out of memory");
}

/* ------------------------------------------------------------------ the calls */

enum call { LIST, ALTER, FORGET, DELETE };
static const struct {
  rd_kafka_admin_op_t op;
  const char *doing;
} calls[] = {
    [LIST] = {RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, "reading the offsets of"},
    [ALTER] = {RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS, "changing the offsets of"},
    [FORGET] = {RD_KAFKA_ADMIN_OP_DELETECONSUMERGROUPOFFSETS, "deleting offsets of"},
    [DELETE] = {RD_KAFKA_ADMIN_OP_DELETEGROUPS, "deleting"},
};

static void send_call(struct cl_admin *a, enum call call, const char *group,
                      const rd_kafka_topic_partition_list_t *list, int64_t timeout_ms) {
  rd_kafka_t *rk = a->client.rk;
  char why[256];
  rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(rk, calls[call].op);
  rd_kafka_AdminOptions_set_request_timeout(options, cl_client_ms(timeout_ms), why, sizeof(why));
  switch (call) {
  case LIST: {
    rd_kafka_ListConsumerGroupOffsets_t *q = rd_kafka_ListConsumerGroupOffsets_new(group, NULL);
    rd_kafka_ListConsumerGroupOffsets(rk, &q, 1, options, a->queue);
    rd_kafka_ListConsumerGroupOffsets_destroy(q);
    break;
  }
  case ALTER: {
    rd_kafka_AlterConsumerGroupOffsets_t *q = rd_kafka_AlterConsumerGroupOffsets_new(group, list);
    rd_kafka_AlterConsumerGroupOffsets(rk, &q, 1, options, a->queue);
    rd_kafka_AlterConsumerGroupOffsets_destroy(q);
    break;
  }
  case FORGET: {
    rd_kafka_DeleteConsumerGroupOffsets_t *q = rd_kafka_DeleteConsumerGroupOffsets_new(group, list);
    rd_kafka_DeleteConsumerGroupOffsets(rk, &q, 1, options, a->queue);
    rd_kafka_DeleteConsumerGroupOffsets_destroy(q);
    break;
  }
  case DELETE: {
    rd_kafka_DeleteGroup_t *q = rd_kafka_DeleteGroup_new(group);
    rd_kafka_DeleteGroups(rk, &q, 1, options, a->queue);
    rd_kafka_DeleteGroup_destroy(q);
    break;
  }
  }
  rd_kafka_AdminOptions_destroy(options);
}

static const rd_kafka_group_result_t *result_of(enum call call, rd_kafka_event_t *event) {
  const rd_kafka_group_result_t **list = NULL;
  size_t n = 0;
  switch (call) {
  case LIST:
    list = rd_kafka_ListConsumerGroupOffsets_result_groups(
        rd_kafka_event_ListConsumerGroupOffsets_result(event), &n);
    break;
  case ALTER:
    list = rd_kafka_AlterConsumerGroupOffsets_result_groups(
        rd_kafka_event_AlterConsumerGroupOffsets_result(event), &n);
    break;
  case FORGET:
    list = rd_kafka_DeleteConsumerGroupOffsets_result_groups(
        rd_kafka_event_DeleteConsumerGroupOffsets_result(event), &n);
    break;
  case DELETE:
    list = rd_kafka_DeleteGroups_result_groups(rd_kafka_event_DeleteGroups_result(event), &n);
    break;
  }
  return n == 1 ? list[0] : NULL;
}

/* Only members may change the offsets of a group that has some. */
static bool has_members(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID || code == RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP ||
         code == RD_KAFKA_RESP_ERR_GROUP_SUBSCRIBED_TO_TOPIC;
}

static int refused(rd_kafka_resp_err_t code, enum call call, const char *group, const char *where,
                   struct cl_err *err) {
  cl_client_fail(err, code, "%s consumer group %s%s", calls[call].doing, group, where);
  if (code == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND)
    err->code = CL_ENOTFOUND;
  if (has_members(code)) {
    err->code = CL_ECONFLICT;
    err->retriable = false;
  }
  return err->code;
}

/* The first thing that went wrong: of the call, of the group, of a partition. */
static int check(enum call call, const char *group, rd_kafka_event_t *event, struct cl_err *err) {
  rd_kafka_resp_err_t code = rd_kafka_event_error(event);
  if (code)
    return refused(code, call, group, "", err);
  const rd_kafka_group_result_t *result = result_of(call, event);
  if (!result)
    return cl_err_set(err, CL_EKAFKA, "%s consumer group %s: no answer for it", calls[call].doing, group);
  const rd_kafka_error_t *error = rd_kafka_group_result_error(result);
  if (error)
    return refused(rd_kafka_error_code(error), call, group, "", err);
  const rd_kafka_topic_partition_list_t *list = rd_kafka_group_result_partitions(result);
  for (int i = 0; list && i < list->cnt; i++) {
    char where[300];
    snprintf(where, sizeof(where), ", %s-%d", list->elems[i].topic, (int)list->elems[i].partition);
    if (list->elems[i].err)
      return refused(list->elems[i].err, call, group, where, err);
  }
  return CL_OK;
}

/* Waits for the answer; NULL: *stop, or none came, which librdkafka rules out. */
static rd_kafka_event_t *await(struct cl_admin *a, int64_t deadline) {
  rd_kafka_event_t *event = NULL;
  while (!event && !atomic_load(a->stop) && cl_now_ms() < deadline + LOOK_MS)
    event = rd_kafka_queue_poll(a->queue, LOOK_MS);
  return event;
}

/* One call, again while what hinders it passes: a coordinator that moves, a broker that is away. list is
 * taken. *event, when there was no error, is the caller's. */
static int run(struct cl_admin *a, enum call call, const char *group, rd_kafka_topic_partition_list_t *list,
               rd_kafka_event_t **event, struct cl_err *err) {
  int64_t deadline = cl_now_ms() + PATIENCE_MS;
  int rc;
  for (;;) {
    send_call(a, call, group, list, deadline - cl_now_ms());
    *event = await(a, deadline);
    rc = *event                 ? check(call, group, *event, err)
         : atomic_load(a->stop) ? cl_err_set(err, CL_ESTOPPED, "the worker is shutting down")
                                : refused(RD_KAFKA_RESP_ERR__TIMED_OUT, call, group, "", err);
    bool again = rc && *event && err->retriable && cl_now_ms() + AGAIN_MS < deadline;
    if (rc && *event)
      rd_kafka_event_destroy(*event);
    if (!again)
      break;
    struct timespec pause = {0, AGAIN_MS * 1000000L};
    nanosleep(&pause, NULL);
  }
  if (list)
    rd_kafka_topic_partition_list_destroy(list);
  return rc;
}

int cl_admin_group_offsets(struct cl_admin *a, const char *group, json_t **out, struct cl_err *err) {
  rd_kafka_event_t *event;
  *out = NULL;
  int rc = run(a, LIST, group, NULL, &event, err);
  if (rc)
    return rc;
  rc = to_json(rd_kafka_group_result_partitions(result_of(LIST, event)), out, err);
  rd_kafka_event_destroy(event);
  return rc;
}

static int change(struct cl_admin *a, enum call call, const char *group, const json_t *offsets,
                  struct cl_err *err) {
  rd_kafka_event_t *event;
  rd_kafka_topic_partition_list_t *list = pick(offsets, call == FORGET);
  if (list->cnt == 0) {
    rd_kafka_topic_partition_list_destroy(list);
    return CL_OK;
  }
  int rc = run(a, call, group, list, &event, err);
  if (rc == CL_OK)
    rd_kafka_event_destroy(event);
  return rc;
}

/* librdkafka before 2.10 aborts when a broker is too old to delete offsets (2.4). Such a broker cannot list
 * all of them either, and that is answered: each deletion has a list before it, this one or the caller's. */
int cl_admin_group_alter(struct cl_admin *a, const char *group, const json_t *offsets, struct cl_err *err) {
  json_t *known = NULL;
  int rc = cl_admin_group_offsets(a, group, &known, err);
  json_decref(known);
  if (!rc)
    rc = change(a, ALTER, group, offsets, err);
  return rc ? rc : change(a, FORGET, group, offsets, err);
}

int cl_admin_group_delete(struct cl_admin *a, const char *group, struct cl_err *err) {
  rd_kafka_event_t *event;
  int rc = run(a, DELETE, group, NULL, &event, err);
  if (rc == CL_OK)
    rd_kafka_event_destroy(event);
  return rc == CL_ENOTFOUND ? CL_OK : rc;
}
