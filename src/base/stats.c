/* SPDX-License-Identifier: Apache-2.0
 * Counters and meters without locks. Threads: see the header. */
#include "base/stats.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *cl_verb_name(enum cl_verb verb) {
  static const char *const names[CL_VERBS] = {
      "none",    "load", "start", "poll", "seal",  "commit", "commit_record",
      "convert", "put",  "flush", "open", "close", "stop",   "reload",
  };
  return names[verb];
}

struct cl_stats *cl_stats_new(int64_t window_ms, int64_t now_ms) {
  struct cl_stats *s = calloc(1, sizeof(*s));
  if (!s)
    return NULL;
  atomic_init(&s->refs, 1);
  s->window_ms = window_ms > 0 ? window_ms : 1;
  s->born_ms = now_ms;
  atomic_init(&s->state, now_ms << 8);
  cl_stats_set(s, CL_STAT_LAG, -1);
  cl_stats_set(s, CL_STAT_LAG_MAX, -1);
  return s;
}

struct cl_stats *cl_stats_ref(struct cl_stats *s) {
  atomic_fetch_add(&s->refs, 1);
  return s;
}

void cl_stats_unref(struct cl_stats *s) {
  if (!s || atomic_fetch_sub(&s->refs, 1) != 1)
    return;
  free(s->named);
  free(s);
}

/* ------------------------------------------------------------------- meters */

/* Who reads a value of a change reads its odd seq afterwards. */
static int64_t get(const _Atomic int64_t *p) { return atomic_load_explicit(p, memory_order_acquire); }
static void set(_Atomic int64_t *p, int64_t v) { atomic_store_explicit(p, v, memory_order_release); }

/* The sample that takes a value now: when its window is over, the oldest one anew. */
static struct cl_meter_sample *growing(struct cl_meter *m, int64_t window_ms, int64_t now_ms) {
  uint32_t at = atomic_load_explicit(&m->at, memory_order_relaxed);
  struct cl_meter_sample *p = &m->samples[at];
  if (get(&p->count) > 0 && now_ms - get(&p->start_ms) < window_ms)
    return p;
  if (get(&p->count) > 0) {
    at = (at + 1) % CL_METER_SAMPLES;
    atomic_store_explicit(&m->at, at, memory_order_release);
    p = &m->samples[at];
  }
  set(&p->start_ms, now_ms);
  set(&p->count, 0);
  set(&p->sum, 0);
  set(&p->max, INT64_MIN);
  return p;
}

void cl_stats_meter(struct cl_stats *s, enum cl_meter_id id, int64_t value, int64_t now_ms) {
  struct cl_meter *m = &s->meters[id];
  uint32_t seq = atomic_load_explicit(&m->seq, memory_order_relaxed);
  atomic_store_explicit(&m->seq, seq + 1, memory_order_relaxed);
  struct cl_meter_sample *p = growing(m, s->window_ms, now_ms);
  set(&m->count, get(&m->count) + 1);
  set(&m->sum, get(&m->sum) + value);
  set(&p->count, get(&p->count) + 1);
  set(&p->sum, get(&p->sum) + value);
  if (value > get(&p->max))
    set(&p->max, value);
  atomic_store_explicit(&m->seq, seq + 2, memory_order_release);
}

static void view(const struct cl_meter *m, int64_t window_ms, int64_t now_ms, struct cl_meter_view *out) {
  int64_t count = 0, sum = 0, oldest = now_ms;
  *out = (struct cl_meter_view){.count = get(&m->count), .sum = get(&m->sum)};
  for (size_t i = 0; i < CL_METER_SAMPLES; i++) {
    const struct cl_meter_sample *p = &m->samples[i];
    int64_t start = get(&p->start_ms), max = get(&p->max);
    if (get(&p->count) == 0 || now_ms - start >= CL_METER_SAMPLES * window_ms)
      continue;
    out->max = count == 0 || max > out->max ? max : out->max;
    count += get(&p->count);
    sum += get(&p->sum);
    oldest = start < oldest ? start : oldest;
  }
  if (count == 0)
    return;
  /* A meter that has just begun counts as if nothing had been for a window before. */
  int64_t elapsed = now_ms - oldest, full = elapsed / window_ms;
  if (full < CL_METER_SAMPLES - 1)
    elapsed += (CL_METER_SAMPLES - 1 - full) * window_ms;
  out->recent = count;
  out->avg = (double)sum / (double)count;
  out->rate = (double)sum * 1000 / (double)elapsed;
}

void cl_stats_meter_view(const struct cl_stats *s, enum cl_meter_id id, int64_t now_ms,
                         struct cl_meter_view *out) {
  /* A writer that does not get its turn for a tenth of a second leaves a mixed answer. */
  enum { SPINS = 10, TRIES = 1000, PAUSE_US = 100 };
  const struct cl_meter *m = &s->meters[id];
  for (int i = 0; i < TRIES; i++) {
    uint32_t before = atomic_load_explicit(&m->seq, memory_order_acquire);
    view(m, s->window_ms, now_ms, out);
    if (!(before & 1) && atomic_load_explicit(&m->seq, memory_order_relaxed) == before)
      return;
    if (i >= SPINS) /* the writer was put aside in the middle */
      usleep(PAUSE_US);
  }
}

/* --------------------------------------------------------- states and calls */

void cl_stats_state(struct cl_stats *s, int state, int64_t now_ms) {
  int64_t old = get(&s->state);
  _Atomic int64_t *sum = &s->state_ms[old & 0xff];
  set(sum, get(sum) + now_ms - (old >> 8));
  set(&s->state, now_ms << 8 | (int64_t)state);
}

double cl_stats_state_ratio(const struct cl_stats *s, int state, int64_t now_ms) {
  int64_t present = get(&s->state), ms = get(&s->state_ms[state]);
  if ((present & 0xff) == state)
    ms += now_ms - (present >> 8);
  return now_ms > s->born_ms ? (double)ms / (double)(now_ms - s->born_ms) : 0;
}

void cl_stats_enter(struct cl_stats *s, enum cl_verb verb, int64_t now_ms) {
  if (s)
    set(&s->call, now_ms << 8 | (int64_t)verb);
}

void cl_stats_leave(struct cl_stats *s) {
  if (s)
    set(&s->call, 0);
}

enum cl_verb cl_stats_call(const struct cl_stats *s, int64_t *since_ms) {
  int64_t call = get(&s->call);
  *since_ms = call >> 8;
  return (enum cl_verb)(call & 0xff);
}

/* ------------------------------------------------------- a plugin's own ones */

int cl_stats_named(struct cl_stats *s, const char *name, bool gauge) {
  size_t n = atomic_load_explicit(&s->n_named, memory_order_relaxed);
  for (size_t i = 0; i < n; i++)
    if (strcmp(s->named[i].name, name) == 0)
      return (int)i;
  if (!s->named)
    s->named = calloc(CL_STATS_NAMED_MAX, sizeof(*s->named));
  if (!s->named || n == CL_STATS_NAMED_MAX)
    return -1;
  snprintf(s->named[n].name, sizeof(s->named[n].name), "%s", name);
  s->named[n].gauge = gauge;
  atomic_store_explicit(&s->n_named, n + 1, memory_order_release); /* readers see it whole */
  return (int)n;
}

void cl_stats_named_set(struct cl_stats *s, int metric, double value) {
  atomic_store_explicit(&s->named[metric].value, value, memory_order_relaxed);
}

void cl_stats_named_add(struct cl_stats *s, int metric, double n) {
  cl_stats_named_set(s, metric, atomic_load_explicit(&s->named[metric].value, memory_order_relaxed) + n);
}

const struct cl_stats_named *cl_stats_named_all(const struct cl_stats *s, size_t *n) {
  *n = atomic_load_explicit(&s->n_named, memory_order_acquire);
  return *n ? s->named : NULL;
}
