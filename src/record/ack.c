/* SPDX-License-Identifier: Apache-2.0
 * Source offsets that are safe: one ring of sent records per source partition.
 * Thread: the source task's. */
#include "record/ack.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "record/batch.h"
#include "record/codec.h"
#include "record/space.h"

enum {
  RING_MIN = 64,
  RING_MAX = 1 << 24, /* records in flight of one partition */
  PARTITIONS_MAX = 1 << 20,
  OFFSET_MAX = 1 << 20 /* bytes of one offset's JSON */
};

struct partition {
  char *json;
  uint32_t len;
  uint32_t head, n, cap; /* ring, cap a power of two */
  struct cl_record **ring;
  bool moved;
  bool is_int; /* the offset is {name: number}; else it is text */
  int64_t number;
  struct cl_buf name, text; /* own copies: the batch is long gone when they are taken */
};

struct cl_ack {
  struct partition *part;
  uint32_t n, cap;
  uint32_t *slot; /* partition id + 1 by hash of its text; 2 * cap slots */
  size_t waiting;
};

struct cl_ack *cl_ack_new(void) {
  return calloc(1, sizeof(struct cl_ack));
}

void cl_ack_free(struct cl_ack *a) {
  if (!a)
    return;
  for (uint32_t i = 0; i < a->n; i++) {
    struct partition *p = &a->part[i];
    for (uint32_t k = 0; k < p->n; k++)
      cl_batch_unref(p->ring[(p->head + k) & (p->cap - 1)]->batch);
    free(p->ring);
    free(p->json);
    cl_buf_free(&p->name);
    cl_buf_free(&p->text);
  }
  free(a->part);
  free(a->slot);
  free(a);
}

static uint32_t *slot_of(const struct cl_ack *a, const char *json, size_t len) {
  uint32_t hash = 2166136261u;
  for (size_t i = 0; i < len; i++)
    hash = (hash ^ (unsigned char)json[i]) * 16777619u;
  uint32_t mask = 2 * a->cap - 1, at = hash & mask;
  while (a->slot[at]) {
    const struct partition *p = &a->part[a->slot[at] - 1];
    if (p->len == len && memcmp(p->json, json, len) == 0)
      break;
    at = (at + 1) & mask;
  }
  return &a->slot[at];
}

static int grow(struct cl_ack *a, struct cl_err *err) {
  uint32_t cap = a->cap ? a->cap * 2 : 8;
  if (cap > PARTITIONS_MAX)
    return cl_err_set(err, CL_EAGAIN, "more than %d source partitions in one task", PARTITIONS_MAX);
  uint32_t *slot = calloc(2 * cap, sizeof(*slot));
  struct partition *part = slot ? realloc(a->part, cap * sizeof(*part)) : NULL;
  if (!part) {
    free(slot);
    return cl_err_set(err, CL_ENOMEM, "no memory for source partitions");
  }
  free(a->slot);
  a->part = part;
  a->slot = slot;
  a->cap = cap;
  for (uint32_t i = 0; i < a->n; i++)
    *slot_of(a, part[i].json, part[i].len) = i + 1;
  return 0;
}

int64_t cl_ack_partition(struct cl_ack *a, const char *json, size_t len, struct cl_err *err) {
  if (len > OFFSET_MAX)
    return cl_err_set(err, CL_EINVAL, "a source partition of %zu bytes is too long", len);
  if (a->n == a->cap && grow(a, err) != 0)
    return err->code;
  uint32_t *slot = slot_of(a, json, len);
  if (*slot)
    return *slot - 1;
  char *copy = malloc(len + 1);
  if (!copy)
    return cl_err_set(err, CL_ENOMEM, "no memory for a source partition");
  memcpy(copy, json, len);
  copy[len] = '\0';
  a->part[a->n] = (struct partition){
      .json = copy, .len = (uint32_t)len, .name.max = OFFSET_MAX, .text.max = OFFSET_MAX};
  *slot = ++a->n;
  return a->n - 1;
}

const char *cl_ack_partition_text(const struct cl_ack *a, uint32_t id) {
  return id < a->n ? a->part[id].json : "null";
}

static int ring_grow(struct partition *p, struct cl_err *err) {
  uint32_t cap = p->cap ? p->cap * 2 : RING_MIN;
  if (cap > RING_MAX)
    return cl_err_set(err, CL_EAGAIN, "too many unacknowledged records of source partition %.200s", p->json);
  struct cl_record **ring = malloc(cap * sizeof(*ring));
  if (!ring)
    return cl_err_set(err, CL_ENOMEM, "no memory for unacknowledged records");
  for (uint32_t i = 0; i < p->n; i++)
    ring[i] = p->ring[(p->head + i) & (p->cap - 1)];
  free(p->ring);
  p->ring = ring;
  p->cap = cap;
  p->head = 0;
  return 0;
}

/* Whether the JSON of v is short for certain: so are all offsets but odd ones. */
static bool is_short(const struct cl_batch *b, const struct cl_val *v) {
  enum { ESCAPED = 6, NUMBER = 32, PLAIN_MAX = CL_INT };
  if (v->kind <= PLAIN_MAX)
    return true;
  if (v->kind != CL_OBJECT)
    return false;
  size_t most = 2;
  for (uint32_t i = 0; i < v->obj->n; i++) {
    const struct cl_entry *e = &v->obj->e[i];
    if (e->val.kind > PLAIN_MAX && e->val.kind != CL_STRING)
      return false;
    most += NUMBER + ESCAPED * ((size_t)cl_space_sym_text(b->space, e->sym).len +
                                (e->val.kind == CL_STRING ? e->val.len : 0));
  }
  return most <= OFFSET_MAX;
}

/* Whether the offset can be written when its time comes: told now, while the plugin can still
 * be named for it, since one that cannot would keep its partition from ever committing. */
static int check_offset(const struct partition *p, const struct cl_record *rec, struct cl_err *err) {
  if (is_short(rec->batch, &rec->source_offset))
    return 0;
  struct cl_buf text = {.max = 16 * OFFSET_MAX};
  int rc = cl_json_write(rec->batch, &rec->source_offset, true, &text, err);
  if (rc == 0 && text.len > OFFSET_MAX)
    rc = cl_err_set(err, CL_EINVAL, "%zu bytes as JSON, at most %d are possible", text.len, OFFSET_MAX);
  cl_buf_free(&text);
  return rc == 0 ? 0
                 : cl_err_prefix(err, "the source offset of a record of source partition %.200s: ", p->json);
}

int cl_ack_sent(struct cl_ack *a, struct cl_record *rec, struct cl_err *err) {
  if (rec->slot >= a->n)
    return cl_err_set(err, CL_EINVAL, "a record names source partition #%u, which does not exist", rec->slot);
  struct partition *p = &a->part[rec->slot];
  if (check_offset(p, rec, err) != 0)
    return err->code;
  if (p->n == p->cap && ring_grow(p, err) != 0)
    return err->code;
  rec->acked = 0;
  p->ring[(p->head + p->n++) & (p->cap - 1)] = rec;
  a->waiting++;
  cl_batch_ref(rec->batch);
  return 0;
}

void cl_ack_unsend(struct cl_ack *a, struct cl_record *rec) {
  CL_REQUIRE(rec->slot < a->n);
  struct partition *p = &a->part[rec->slot];
  CL_REQUIRE(p->n > 0 && p->ring[(p->head + p->n - 1) & (p->cap - 1)] == rec);
  p->n--;
  a->waiting--;
  cl_batch_unref(rec->batch);
}

/* The offset's field name hardly ever changes. Without memory for a new one the old stays. */
static bool keep_name(struct partition *p, struct cl_str name) {
  if (p->name.len == name.len && (name.len == 0 || memcmp(p->name.p, name.p, name.len) == 0))
    return true;
  struct cl_buf copy = {.max = OFFSET_MAX};
  cl_buf_add(&copy, name.p, name.len);
  if (copy.failed) {
    cl_buf_free(&copy);
    return false;
  }
  cl_buf_free(&p->name);
  p->name = copy;
  return true;
}

/* Copies the offset of the last acknowledged record. When that fails for lack of memory
 * the former offset stays: records may be repeated, none is lost. */
static void remember(struct partition *p, const struct cl_record *rec) {
  const struct cl_val *v = &rec->source_offset;
  if (v->kind == CL_INT) {
    if (!keep_name(p, rec->batch->offset_name))
      return;
    p->number = v->i;
    p->is_int = true;
    p->moved = true;
    return;
  }
  struct cl_buf text = {.max = OFFSET_MAX};
  struct cl_err ignored;
  if (cl_json_write(rec->batch, v, true, &text, &ignored) != 0) {
    cl_buf_free(&text);
    return;
  }
  cl_buf_free(&p->text);
  p->text = text;
  p->is_int = false;
  p->moved = true;
}

void cl_ack_done(struct cl_ack *a, struct cl_record *rec) {
  CL_REQUIRE(rec->slot < a->n);
  struct partition *p = &a->part[rec->slot];
  rec->acked = 1;
  struct cl_record *last = NULL; /* still referenced */
  while (p->n && p->ring[p->head]->acked) {
    if (last)
      cl_batch_unref(last->batch);
    last = p->ring[p->head];
    p->head = (p->head + 1) & (p->cap - 1);
    p->n--;
    a->waiting--;
  }
  if (last) {
    remember(p, last);
    cl_batch_unref(last->batch);
  }
}

size_t cl_ack_waiting(const struct cl_ack *a) { return a->waiting; }

void cl_ack_take(struct cl_ack *a, cl_ack_fn *fn, void *arg) {
  struct cl_buf out = {.max = 4 * OFFSET_MAX};
  for (uint32_t i = 0; i < a->n; i++) {
    struct partition *p = &a->part[i];
    if (!p->moved)
      continue;
    struct cl_str offset = {p->text.p, (uint32_t)p->text.len};
    if (p->is_int) {
      out.len = 0;
      cl_buf_char(&out, '{');
      cl_json_write_text(&out, p->name.p, p->name.len);
      cl_buf_fmt(&out, ":%" PRId64 "}", p->number);
      if (out.failed)
        break; /* no memory now: the next take tells */
      offset = (struct cl_str){out.p, (uint32_t)out.len};
    }
    p->moved = fn(arg, (struct cl_str){p->json, p->len}, offset) != 0;
  }
  cl_buf_free(&out);
}
