/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows of Apache's SinkConnectorConfig and SourceConnectorConfig.
 * Any thread, constant data. May include base and vm/plugin.h.
 */
#include "task/connector.h"

#include <math.h>

#define ROW(name_, type_, importance_, group_, order_, width_, display_, doc_)                               \
  .name = name_, .type = CL_CONF_##type_, .importance = CL_CONF_##importance_, .group = group_,              \
  .order = order_, .width = CL_CONF_W_##width_, .display = display_, .doc = doc_

#define COMMON "Common"
#define FAULTS "Error Handling"
#define EXACTLY "Exactly Once Support"
#define VERSION_DOC "Range of versions of the plugin to use."

static const char *const reload_actions[] = {"none", "restart", NULL};
static const char *const tolerances[] = {"none", "all", NULL};
static const char *const exactly_once[] = {"required", "requested", NULL};
static const char *const boundaries[] = {"interval", "poll", "connector", NULL};

#define COMMON_ROWS                                                                                          \
  {ROW("name", STRING, HIGH, COMMON, 1, MEDIUM, "Connector name", "Unique name of the connector."),          \
   .required = true, .check = CL_CHECK_NAME},                                                                \
      {ROW("connector.class", STRING, HIGH, COMMON, 2, LONG, "Connector class",                              \
           "Class or alias of the connector's plugin."),                                                     \
       .required = true},                                                                                    \
      {ROW("connector.plugin.version", STRING, MEDIUM, COMMON, 3, MEDIUM, "Connector version",               \
           VERSION_DOC)},                                                                                    \
      {ROW("tasks.max", INT, HIGH, COMMON, 4, SHORT, "Tasks max", "Most tasks the connector may have."),     \
       .dflt = "1", .check = CL_CHECK_RANGE, .min = 1, .max = HUGE_VAL},                                     \
      {ROW("tasks.max.enforce", BOOLEAN, LOW, COMMON, 5, SHORT, "Enforce tasks max",                         \
           "Deprecated. Whether a connector that makes more tasks than tasks.max fails."),                   \
       .dflt = "true"},                                                                                      \
      {ROW("key.converter", CLASS, LOW, COMMON, 6, SHORT, "Key converter class",                             \
           "Converter of record keys; the worker's when not set.")},                                         \
      {ROW("key.converter.plugin.version", STRING, LOW, COMMON, 7, SHORT, "Key converter version",           \
           VERSION_DOC)},                                                                                    \
      {ROW("value.converter", CLASS, LOW, COMMON, 8, SHORT, "Value converter class",                         \
           "Converter of record values; the worker's when not set.")},                                       \
      {ROW("value.converter.plugin.version", STRING, LOW, COMMON, 9, SHORT, "Value converter version",       \
           VERSION_DOC)},                                                                                    \
      {ROW("header.converter", CLASS, LOW, COMMON, 10, SHORT, "Header converter class",                      \
           "Converter of record headers; the worker's when not set.")},                                      \
      {ROW("header.converter.plugin.version", STRING, LOW, COMMON, 11, SHORT, "Header converter version",    \
           VERSION_DOC)},                                                                                    \
      {ROW("transforms", LIST, LOW, "Transforms", 12, LONG, "Transforms",                                    \
           "Aliases of the transformations, in order."),                                                     \
       .dflt = "", .check = CL_CHECK_UNIQUE_LIST},                                                           \
      {ROW("predicates", LIST, LOW, "Predicates", 13, LONG, "Predicates",                                    \
           "Aliases of the predicates transformations use."),                                                \
       .dflt = "", .check = CL_CHECK_UNIQUE_LIST},                                                           \
      {ROW("config.action.reload", STRING, LOW, COMMON, 14, MEDIUM, "Reload Action",                         \
           "What to do when a config provider's value expires: none or restart."),                           \
       .dflt = "restart", .check = CL_CHECK_ONE_OF, .values = reload_actions},                               \
      {ROW("errors.retry.timeout", LONG, MEDIUM, FAULTS, 1, MEDIUM, "Retry Timeout for Errors",              \
           "How long a failed operation is tried again, in milliseconds; -1 = for ever."),                   \
       .dflt = "0"},                                                                                         \
      {ROW("errors.retry.delay.max.ms", LONG, MEDIUM, FAULTS, 2, MEDIUM,                                     \
           "Maximum Delay Between Retries for Errors", "Longest pause between two tries, in milliseconds."), \
       .dflt = "60000"},                                                                                     \
      {ROW("errors.tolerance", STRING, MEDIUM, FAULTS, 3, SHORT, "Error Tolerance",                          \
           "none: a bad record fails the task; all: it is skipped."),                                        \
       .dflt = "none", .check = CL_CHECK_ONE_OF, .values = tolerances},                                      \
      {ROW("errors.log.enable", BOOLEAN, MEDIUM, FAULTS, 4, SHORT, "Log Errors",                             \
           "Whether failures are logged."),                                                                  \
       .dflt = "false"},                                                                                     \
  {                                                                                                          \
    ROW("errors.log.include.messages", BOOLEAN, MEDIUM, FAULTS, 5, SHORT, "Log Error Details",               \
        "Whether the log tells the failed record, too."),                                                    \
        .dflt = "false"                                                                                      \
  }

static const struct cl_conf_row sink_rows[] = {
    COMMON_ROWS,
    {ROW("topics", LIST, HIGH, COMMON, 4, LONG, "Topics", "Topics to read, separated by commas."), .dflt = "",
     .check = CL_CHECK_VALID_LIST},
    {ROW("topics.regex", STRING, HIGH, COMMON, 4, LONG, "Topics regex",
         "Java regular expression that whole topic names must match."),
     .dflt = "", .check = CL_CHECK_REGEX},
    {ROW("errors.deadletterqueue.topic.name", STRING, MEDIUM, FAULTS, 6, MEDIUM,
         "Dead Letter Queue Topic Name", "Topic for records that failed; empty = none."),
     .dflt = ""},
    {ROW("errors.deadletterqueue.topic.replication.factor", SHORT, MEDIUM, FAULTS, 7, MEDIUM,
         "Dead Letter Queue Topic Replication Factor", "Replicas of that topic when it has to be made."),
     .dflt = "3"},
    {ROW("errors.deadletterqueue.context.headers.enable", BOOLEAN, MEDIUM, FAULTS, 8, MEDIUM,
         "Enable Error Context Headers", "Whether headers there tell what failed."),
     .dflt = "false"},
};

static const struct cl_conf_row source_rows[] = {
    COMMON_ROWS,
    {ROW("topic.creation.groups", LIST, LOW, "Topic Creation", 1, LONG, "Topic Creation Groups",
         "Aliases of groups of topics to make with settings of their own."),
     .dflt = "", .check = CL_CHECK_UNIQUE_LIST},
    {ROW("exactly.once.support", STRING, MEDIUM, EXACTLY, 2, SHORT, "Exactly once support",
         "Whether exactly-once delivery is required or only requested."),
     .dflt = "requested", .check = CL_CHECK_ONE_OF_ICASE, .values = exactly_once},
    {ROW("transaction.boundary", STRING, MEDIUM, EXACTLY, 3, SHORT, "Transaction Boundary",
         "Where transactions end: poll, interval or connector."),
     .dflt = "poll", .check = CL_CHECK_ONE_OF_ICASE, .values = boundaries},
    {ROW("transaction.boundary.interval.ms", LONG, LOW, EXACTLY, 4, SHORT, "Transaction boundary interval",
         "Length of a transaction with transaction.boundary=interval."),
     .check = CL_CHECK_RANGE, .min = 0, .max = HUGE_VAL},
    {ROW("offsets.storage.topic", STRING, LOW, "offsets.topic", 1, LONG, "Offsets topic",
         "Topic of this connector's own offsets; no effect in standalone mode."),
     .check = CL_CHECK_NON_EMPTY},
};

static const struct cl_conf_def sink_def = {.rows = sink_rows, .n = sizeof(sink_rows) / sizeof(*sink_rows)};
static const struct cl_conf_def source_def = {.rows = source_rows,
                                              .n = sizeof(source_rows) / sizeof(*source_rows)};

const struct cl_conf_def *cl_connector_def(bool sink) { return sink ? &sink_def : &source_def; }
