/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys of a connector's config that are connect-lua's own: connect.lua.*. One that nobody
 * knows is refused, as nothing else would tell of a slip. Any thread, no state.
 */
#include "task/connector.h"

#include "base/text.h"

#include <math.h>
#include <string.h>

#define PREFIX "connect.lua."

static const char *const on_off[] = {"on", "off", NULL};

static const struct cl_conf_row rows[] = {
    {.name = CL_CONNECTOR_JIT,
     .type = CL_CONF_STRING,
     .dflt = "on",
     .check = CL_CHECK_ONE_OF,
     .values = on_off,
     .doc = "off: the connector's Lua is interpreted, so that it can be stopped anywhere."},
    {.name = CL_CONNECTOR_RESTARTS,
     .type = CL_CONF_INT,
     .dflt = "0",
     .check = CL_CHECK_RANGE,
     .min = -1,
     .max = HUGE_VAL,
     .doc =
         "How often a failed connector or task is started again; 0 = never, as in Apache Kafka Connect, -1 "
         "= without end."},
    {.name = CL_CONNECTOR_RESTART_BACKOFF,
     .type = CL_CONF_LONG,
     .dflt = "1000",
     .check = CL_CHECK_RANGE,
     .min = 10,
     .max = 86400000,
     .doc = "Pause before the first such start in milliseconds; doubled with each, a fifth more or less."},
    {.name = CL_CONNECTOR_RESTART_BACKOFF_MAX,
     .type = CL_CONF_LONG,
     .dflt = "60000",
     .check = CL_CHECK_RANGE,
     .min = 10,
     .max = 86400000,
     .doc = "Longest such pause."},
    {.name = CL_CONNECTOR_RESTART_RESET,
     .type = CL_CONF_LONG,
     .dflt = "300000",
     .check = CL_CHECK_RANGE,
     .min = 0,
     .max = 86400000,
     .doc = "A task that has run so long is healthy again: its starts are counted anew."},
    {.name = CL_CONNECTOR_LETTERS,
     .type = CL_CONF_STRING,
     .dflt = "",
     .doc = "A source's dead letter queue: topic for records that failed; empty = none."},
    {.name = CL_CONNECTOR_LETTERS_REPLICATION,
     .type = CL_CONF_SHORT,
     .dflt = "3",
     .doc = "Replicas of that topic when it has to be made."},
};

static const struct cl_conf_def def = {.rows = rows, .n = sizeof(rows) / sizeof(*rows)};

const struct cl_conf_def *cl_connector_own_def(void) { return &def; }

static void add(json_t *errors, const char *key, json_t *message) {
  json_array_append_new(errors, json_pack("{s:s,s:o}", "key", key, "message", message));
}

void cl_connector_own_errors(const json_t *config, json_t *errors) {
  const char *key;
  json_t *value;
  json_object_foreach ((json_t *)config, key, value) {
    const struct cl_conf_row *row = cl_starts_with(key, PREFIX) ? cl_conf_find(&def, key) : NULL;
    struct cl_conf_value parsed = {0};
    struct cl_err err;
    if (row && cl_conf_parse_one(row, json_string_value(value), &parsed, &err) != 0)
      add(errors, key, cl_json_lenient(err.msg));
    else if (!row && cl_starts_with(key, PREFIX))
      add(errors, key,
          json_sprintf("Unknown configuration %s: README names the keys that begin with " PREFIX, key));
    cl_conf_value_free(&parsed);
  }
}
