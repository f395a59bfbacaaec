/* SPDX-License-Identifier: Apache-2.0
 *
 * Dead letters on their way. Thread: the task's. May include floors 4-0.
 */
#define CL_COMPONENT "errors"
#include "task/letters.h"

#include "base/clock.h"
#include "base/log.h"
#include "kafka/producer.h"
#include "kafka/topic.h"
#include "task/internal.h"

#include <stdlib.h>
#include <string.h>

enum {
  WAITING_MAX = 1000,
  BYTES_MAX = 16 << 20,
  SETUP_MS = 60000, /* Java's default.api.timeout.ms */
  SLICE_MS = 50,
  LONG_MS = 5000 /* a wait that is told of */
};

struct letter {
  struct cl_record rec; /* what the producer knows it by: first */
  struct letter *next, *prev;
  uint32_t slot;
  int64_t offset;
  bool past; /* its partition has been given back since: whoever has it next reads the record again */
  struct cl_record *origin;
  size_t bytes;
  /* its headers and all texts follow */
};

struct cl_letters {
  struct cl_task *t;
  struct cl_producer *producer;
  struct letter *first;
  size_t n, bytes;
  int64_t since;        /* when there was none waiting, or one was acknowledged */
  bool told;            /* that they have waited long since then */
  struct cl_err failed; /* the first that was not delivered; code 0 = none */
  void (*delivered)(void *arg, struct cl_record *origin);
  void *arg;
};

static const char *topic_of(const struct cl_letters *l) { return l->t->conf.errors.letters; }

/* -------------------------------------------------------------- acknowledgements */

static void count_waiting(const struct cl_letters *l) {
  cl_stats_set(l->t->conf.stats, CL_STAT_LETTERS, (int64_t)l->n);
}

/* Once for all of the time in which none is acknowledged. */
static void tell_of_long_wait(struct cl_letters *l) {
  int64_t ms = cl_now_ms() - l->since;
  if (l->n == 0 || l->told || ms < LONG_MS)
    return;
  const char *why = cl_producer_trouble(l->producer);
  l->told = true;
  CL_LOG(
      CL_WARN,
      "no dead letter has arrived in topic %s for %lld ms, %zu wait and keep offsets from being committed: "
      "%s",
      topic_of(l), (long long)ms, l->n, *why ? why : "no error was reported");
}

static void tell_of_arrival(struct cl_letters *l) {
  int64_t now = cl_now_ms();
  if (l->told)
    CL_LOG(CL_INFO, "dead letters arrive in topic %s again, after %lld ms", topic_of(l),
           (long long)(now - l->since));
  l->told = false;
  l->since = now;
}

static void drop(struct cl_letters *l, struct letter *letter) {
  if (letter->prev)
    letter->prev->next = letter->next;
  else
    l->first = letter->next;
  if (letter->next)
    letter->next->prev = letter->prev;
  l->n--;
  l->bytes -= letter->bytes;
  count_waiting(l);
  free(letter);
}

static void on_report(void *arg, struct cl_record *rec, int code, const char *text, int32_t partition,
                      int64_t offset) {
  struct cl_letters *l = arg;
  struct letter *letter = (struct letter *)rec;
  (void)partition, (void)offset;
  if (code == 0) {
    tell_of_arrival(l);
    if (letter->origin)
      l->delivered(l->arg, letter->origin);
    drop(l, letter);
    return;
  }
  if (code != CL_ESTOPPED) {
    cl_stats_add(l->t->conf.stats, CL_STAT_DLQ_FAILURES, 1);
    CL_LOG(CL_ERROR, "Could not produce message to dead letter queue. topic=%s: %s", topic_of(l), text);
  }
  if (letter->past)
    drop(l, letter);
  else if (l->failed.code == 0) /* and it stays in the list: nothing behind it is committed */
    cl_err_set(&l->failed, CL_EKAFKA, "a dead letter could not be delivered to topic %s: %s", topic_of(l),
               text);
}

/* --------------------------------------------------------------- open and close */

static bool stopping(void *arg) { return cl_task_stopping(arg); }

static int make_topic(struct cl_task *t, struct cl_err *err) {
  const struct cl_task_errors *e = &t->conf.errors;
  if (t->conf.embedded)
    return cl_embedded_topic(t->conf.embedded, e->letters, err);
  struct cl_topic_wish wish = {.name = e->letters,
                               .partitions = 1,
                               .replication = e->letters_replication,
                               .timeout_ms = SETUP_MS,
                               .interrupted = stopping,
                               .arg = t};
  struct cl_topic_admin *admin = NULL;
  int rc = cl_topic_open(e->letters_admin, &admin, err);
  if (rc == 0)
    rc = cl_topic_ensure(admin, &wish, err);
  cl_topic_close(admin);
  return rc;
}

int cl_letters_open(struct cl_task *t, struct cl_letters **out, struct cl_err *err) {
  struct cl_letters *l = calloc(1, sizeof(*l));
  if (!l)
    return cl_err_set(err, CL_ENOMEM, "no memory for a dead letter queue");
  l->t = t;
  int rc = make_topic(t, err);
  struct cl_producer_conf conf = {.client = t->conf.errors.letters_producer,
                                  .embedded = t->conf.embedded,
                                  .events = {.delivered = on_report},
                                  .arg = l};
  if (rc == 0)
    rc = cl_producer_open(&conf, &l->producer, err);
  if (rc != 0) {
    free(l);
    return cl_err_prefix(err,
                         "Could not initialize dead letter queue with topic=%s: ", t->conf.errors.letters);
  }
  pthread_mutex_lock(&t->lock);
  t->letters_producer = l->producer;
  pthread_mutex_unlock(&t->lock);
  *out = l;
  return 0;
}

void cl_letters_close(struct cl_letters *l) {
  if (!l)
    return;
  pthread_mutex_lock(&l->t->lock);
  l->t->letters_producer = NULL;
  pthread_mutex_unlock(&l->t->lock);
  cl_producer_close(l->producer, 0);
  while (l->first)
    drop(l, l->first);
  free(l);
}

void cl_letters_on_delivered(struct cl_letters *l, void (*fn)(void *arg, struct cl_record *origin),
                             void *arg) {
  l->delivered = fn;
  l->arg = arg;
}

/* ----------------------------------------------------------------------- sending */

static struct cl_str copy(char **at, struct cl_str s) {
  if (!s.p)
    return s;
  struct cl_str out = {*at, s.len};
  memcpy(*at, s.p, s.len);
  *at += s.len;
  return out;
}

static struct letter *make(struct cl_letters *l, const struct cl_letter *in) {
  size_t bytes = sizeof(struct letter) + in->n_headers * sizeof(struct cl_header) + in->key.len +
                 in->value.len;
  for (uint32_t i = 0; i < in->n_headers; i++)
    bytes += in->headers[i].name.len + in->headers[i].d.bytes.len;
  struct letter *letter = calloc(1, bytes);
  if (!letter)
    return NULL;
  struct cl_header *headers = (struct cl_header *)(letter + 1);
  char *at = (char *)(headers + in->n_headers);
  letter->rec = (struct cl_record){.partition = -1,
                                   .timestamp = in->timestamp,
                                   .topic = {topic_of(l), (uint32_t)strlen(topic_of(l))},
                                   .headers = headers,
                                   .n_headers = in->n_headers};
  letter->rec.key.bytes = copy(&at, in->key);
  letter->rec.value.bytes = copy(&at, in->value);
  for (uint32_t i = 0; i < in->n_headers; i++) {
    headers[i].name = copy(&at, in->headers[i].name);
    headers[i].d.bytes = copy(&at, in->headers[i].d.bytes);
  }
  letter->slot = in->slot;
  letter->offset = in->offset;
  letter->origin = in->origin;
  letter->bytes = bytes;
  return letter;
}

/* The client's own queue may be full, with the user's settings. */
static int hand_over(struct cl_letters *l, struct letter *letter, struct cl_err *err) {
  for (;;) {
    int rc = cl_producer_send(l->producer, &letter->rec, err);
    if (rc == 0 || !err->retriable)
      return rc;
    if (cl_task_stopping(l->t))
      return cl_err_set(err, CL_ESTOPPED, "asked to stop before a dead letter could be sent");
    cl_producer_poll(l->producer, SLICE_MS);
  }
}

int cl_letters_put(struct cl_letters *l, const struct cl_letter *in, struct cl_err *err) {
  struct letter *letter = make(l, in);
  if (!letter)
    return cl_err_set(err, CL_ENOMEM, "no memory for a dead letter");
  letter->next = l->first;
  if (l->first)
    l->first->prev = letter;
  l->first = letter;
  if (l->n++ == 0)
    l->since = cl_now_ms();
  l->bytes += letter->bytes;
  count_waiting(l);
  cl_stats_add(l->t->conf.stats, CL_STAT_DLQ_REQUESTS, 1);
  if (hand_over(l, letter, err) == 0)
    return 0;
  drop(l, letter);
  if (err->code == CL_ESTOPPED)
    return err->code;
  cl_stats_add(l->t->conf.stats, CL_STAT_DLQ_FAILURES, 1);
  return cl_err_prefix(err, "a dead letter could not be sent to topic %s: ", topic_of(l));
}

bool cl_letters_full(const struct cl_letters *l) { return l->n >= WAITING_MAX || l->bytes >= BYTES_MAX; }

size_t cl_letters_waiting(const struct cl_letters *l) { return l->n; }

int cl_letters_poll(struct cl_letters *l, int64_t ms, struct cl_err *err) {
  if (l->n > 0 && l->failed.code == 0)
    cl_producer_poll(l->producer, ms);
  if (l->failed.code != 0)
    *err = l->failed;
  else
    tell_of_long_wait(l);
  return l->failed.code;
}

/* A stop may come while a rebalance waits. */
static int64_t time_left(struct cl_letters *l, int64_t deadline) {
  int64_t left = deadline - cl_now_ms(), final = cl_task_stopping(l->t) ? cl_task_final_wait(l->t) : left;
  return final < left ? final : left;
}

int cl_letters_flush(struct cl_letters *l, int64_t ms, struct cl_err *err) {
  int64_t began = cl_now_ms();
  while (cl_letters_poll(l, 0, err) == 0) {
    int64_t left = time_left(l, began + ms);
    if (l->n == 0)
      return 0;
    if (left <= 0 || atomic_load(&l->t->abandoned))
      return cl_err_set(err, CL_ETIMEOUT, "%zu dead letters were not acknowledged within %lld ms", l->n,
                        (long long)(cl_now_ms() - began));
    struct cl_err ignored; /* what is left is seen above */
    cl_producer_flush(l->producer, left < SLICE_MS ? left : SLICE_MS, &ignored);
  }
  return err->code;
}

int64_t cl_letters_bound(const struct cl_letters *l, uint32_t slot, int64_t offset) {
  for (const struct letter *i = l->first; i; i = i->next)
    if (i->slot == slot && !i->past && i->offset < offset)
      offset = i->offset;
  return offset;
}

void cl_letters_past(struct cl_letters *l, uint32_t slot) {
  for (struct letter *i = l->first; i; i = i->next)
    i->past = i->past || i->slot == slot;
}
