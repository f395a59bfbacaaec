/* SPDX-License-Identifier: Apache-2.0
 * What metrics show of a sink's partitions. Thread: the task's. May include floors 4-0. */
#include "task/sink.h"

#include "base/clock.h"

enum { PAUSE_MS = 1000, LONGEST_PAUSE_MS = 60000 };

/* False while the end of a partition is not known, which comes with its first fetch. */
static bool measure(struct cl_sink *s) {
  struct cl_stats *stats = s->t->conf.stats;
  int64_t partitions = 0, active = 0, total = 0, most = 0;
  bool known = true;
  uint32_t n;
  const struct cl_slot *slots = cl_consumer_slots(s->t->consumer, &n);
  for (uint32_t i = 0; i < n; i++) {
    if (!slots[i].assigned)
      continue;
    partitions++;
    if (slots[i].committed >= 0 && slots[i].current > slots[i].committed)
      active += slots[i].current - slots[i].committed;
    int64_t lag = cl_consumer_lag(s->t->consumer, i);
    known = known && lag >= 0;
    total += lag > 0 ? lag : 0;
    most = lag > most ? lag : most;
  }
  cl_stats_set(stats, CL_STAT_PARTITIONS, partitions);
  cl_stats_set(stats, CL_STAT_LAG, known ? total : -1);
  cl_stats_set(stats, CL_STAT_LAG_MAX, known ? most : -1);
  cl_task_count_active(s->t, active);
  return known;
}

int64_t cl_sink_measure(struct cl_sink *s) {
  if (!s->moved)
    return INT64_MAX;
  int64_t now = cl_now_ms();
  if (now < s->measure_at)
    return s->measure_at - now;
  s->moved = !measure(s);
  int64_t longer = 2 * s->measure_pause_ms;
  s->measure_pause_ms = !s->moved || longer < PAUSE_MS ? PAUSE_MS : longer;
  if (s->measure_pause_ms > LONGEST_PAUSE_MS)
    s->measure_pause_ms = LONGEST_PAUSE_MS;
  s->measure_at = now + s->measure_pause_ms;
  return s->moved ? s->measure_pause_ms : INT64_MAX;
}
