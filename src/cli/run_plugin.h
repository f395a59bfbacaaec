/* SPDX-License-Identifier: Apache-2.0
 *
 * The two ends of `connect-lua run` (run_plugin.c): what shows the records of the embedded
 * broker, and what writes lines of a file into a topic for a sink. Thread: main.
 */
#pragma once

#include "worker/worker.h"

#include <stdbool.h>
#include <stdint.h>

struct cl_show; /* reads all topics from their beginning, and prints */

struct cl_show_conf {
  const struct cl_worker *worker; /* with an embedded broker */
  bool json;                      /* an object a line instead of text */
  const char *counted;            /* only this topic's records count; NULL = all do */
  int64_t max;                    /* prints no more than these; 0 = no limit */
};
int cl_show_open(const struct cl_show_conf *conf, struct cl_show **out, struct cl_err *err);
/* Prints what has come; waits up to timeout_ms for the first. *n: how many came. */
int cl_show_some(struct cl_show *s, int64_t timeout_ms, uint32_t *n, struct cl_err *err);
int64_t cl_show_count(const struct cl_show *s); /* printed, of those that count */
void cl_show_close(struct cl_show *s);          /* NULL is allowed */

struct cl_feed; /* lines into a topic: each is a record's value */

struct cl_feed_conf {
  const struct cl_worker *worker;
  const char *topic;
  int fd;      /* read, not closed */
  int64_t max; /* lines that are taken; 0 = all */
};
int cl_feed_open(const struct cl_feed_conf *conf, struct cl_feed **out, struct cl_err *err);
/* Takes what can be read without waiting, some hundred lines at most. */
int cl_feed_some(struct cl_feed *f, struct cl_err *err);
int64_t cl_feed_count(const struct cl_feed *f); /* sent */
bool cl_feed_ended(const struct cl_feed *f);    /* there is no more to read */
void cl_feed_close(struct cl_feed *f);          /* NULL is allowed */
