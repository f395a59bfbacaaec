/* SPDX-License-Identifier: Apache-2.0
 * What the suites of floor 5 share: tasks run for real, on the embedded broker, with plugins
 * written into a temporary folder. A plugin's `say(ctx, ...)` and each status report append a
 * line to one journal, so that a test can look at the order of everything. */
#pragma once

#include "kafka_rig.h"

#include "base/log.h"
#include "store/offsets.h"
#include "task/task.h"
#include "vm/control.h"
#include "vm/plugin.h"

#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <unistd.h>

#define STRING_CONVERTER "org.apache.kafka.connect.storage.StringConverter"
#define BYTES_CONVERTER "org.apache.kafka.connect.converters.ByteArrayConverter"
#define JSON_CONVERTER "org.apache.kafka.connect.json.JsonConverter"

/* Lua finds these by name only: keep their object files. */
extern const void *const task_rig_keeps[];
const void *const task_rig_keeps[] = {(const void *)cl_ffi_emit, (const void *)cl_ffi_writer_open,
                                      (const void *)cl_ffi_reader_open};

enum { LONG_MS = 15000 }; /* what must happen soon, on a busy machine */

struct job { /* one task, and the journal it shares with its plugin */
  struct cl_task *task;
  struct cl_task_conf conf;
  const char *plugin, *key, *value; /* classes */
  const char *transform;            /* or NULL */
  const char *predicate;            /* of it, or NULL */
  json_t *config;                   /* the connector's, typed; `journal` is added */
  json_t *client, *topics;
  char journal[128];
  pthread_mutex_t lock;
  char trace[4096]; /* of the last FAILED; under lock */
};

static char folder[64];
static struct cl_control *control;
static struct cl_offsets *offsets;
static struct cl_budget *budget;
static struct job job;

/* ----------------------------------------------------------------- plugins */

/* Line 1 of every plugin; its own text begins in line 2. */
static const char prelude[] = "local connect = require 'connect' local out local function say(ctx, ...) "
                              "out = out or connect.file.writer { path = ctx.config.journal } "
                              "out:line(string.format(...)) out:flush() end\n";

static inline void plugin(const char *class, const char *text) {
  char path[128];
  snprintf(path, sizeof(path), "%s/%s.lua", folder, class);
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  fprintf(f, "%s%s", prelude, text);
  fclose(f);
}

static inline struct cl_plugin *job_find(struct cl_plugins *set, enum cl_plugin_kind kind,
                                         const char *class) {
  struct cl_plugin *p = cl_plugins_find(set, kind, class);
  if (!p) {
    size_t n;
    const struct cl_plugin_file *files = cl_plugins_files(set, &n);
    for (size_t i = 0; i < n; i++)
      if (!files[i].plugin)
        fprintf(stderr, "%s: %s\n", files[i].path, files[i].reason);
    fail_msg("no plugin %s", class);
  }
  return p;
}

/* ----------------------------------------------------------------- journal */

static inline char *journal_text(const struct job *j) {
  char *text = calloc(1, 1 << 20);
  FILE *f = fopen(j->journal, "r");
  if (f) {
    text[fread(text, 1, (1 << 20) - 1, f)] = '\0';
    fclose(f);
  }
  return text;
}

static inline void journal_write(const struct job *j, const char *line) {
  char text[256];
  int n = snprintf(text, sizeof(text), "%s\n", line);
  int fd = open(j->journal, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || write(fd, text, (size_t)n) != n)
    abort();
  close(fd);
}

static inline void print_file(const char *path) {
  FILE *f = fopen(path, "r");
  char part[4096];
  for (size_t n; f && (n = fread(part, 1, sizeof(part), f)) > 0;)
    fwrite(part, 1, n, stderr);
  if (f)
    fclose(f);
}

/* Everything known, then the failure. */
#define job_fail(j, ...)                                                                                     \
  do {                                                                                                       \
    char log_path[128];                                                                                      \
    snprintf(log_path, sizeof(log_path), "%s/log", folder);                                                  \
    print_file(log_path);                                                                                    \
    fprintf(stderr, "--- journal\n");                                                                        \
    print_file((j)->journal);                                                                                \
    fail_msg(__VA_ARGS__);                                                                                   \
  } while (0)

/* The first line at or after `from` that begins with start, or NULL. */
static inline const char *find_line(const char *from, const char *start) {
  size_t n = strlen(start);
  while (from && *from && strncmp(from, start, n) != 0) {
    from = strchr(from, '\n');
    from = from ? from + 1 : NULL;
  }
  return from && *from ? from : NULL;
}

/* How many lines begin with start. */
static inline int said(const struct job *j, const char *start) {
  char *text = journal_text(j);
  int n = 0;
  for (const char *at = text; (at = find_line(at, start)); n++)
    at = strchr(at, '\n') + 1;
  free(text);
  return n;
}

static inline void wait_said(struct job *j, const char *start, int times) {
  int64_t deadline = cl_now_ms() + LONG_MS;
  while (said(j, start) < times) {
    if (cl_now_ms() >= deadline)
      job_fail(j, "waited for %d x \"%s\"", times, start);
    usleep(5000);
  }
}

/* Lines that begin with these texts came in this order, whatever came between. NULL ends. */
static inline void in_order(struct job *j, ...) {
  char *text = journal_text(j);
  const char *at = text;
  va_list ap;
  va_start(ap, j);
  for (const char *start; (start = va_arg(ap, const char *));) {
    at = at ? find_line(at, start) : NULL;
    if (!at)
      job_fail(j, "\"%s\" is missing or out of order", start);
    at = strchr(at, '\n') + 1;
  }
  va_end(ap);
  free(text);
}

/* The whole journal, lines that begin with `but` left out (NULL = none). */
static inline void journal_is(struct job *j, const char *but, const char *expected) {
  char *text = journal_text(j), *kept = calloc(1, strlen(text) + 1);
  for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1)
    if (!but || strncmp(line, but, strlen(but)) != 0)
      strncat(kept, line, (size_t)(end + 1 - line));
  if (strcmp(kept, expected) != 0)
    job_fail(j, "expected:\n%s--- found:\n%s", expected, kept);
  free(kept);
  free(text);
}

/* ----------------------------------------------------------------- the task */

static inline void job_status(void *arg, int task, uint64_t generation, enum cl_state state,
                              const char *trace) {
  struct job *j = arg;
  char line[64];
  if (task != j->conf.id || generation != j->conf.generation || !trace != (state != CL_FAILED))
    abort();
  pthread_mutex_lock(&j->lock);
  snprintf(j->trace, sizeof(j->trace), "%s", trace ? trace : "");
  pthread_mutex_unlock(&j->lock);
  if (state == CL_UNASSIGNED) /* set up: its vm shows in what follows */
    return;
  snprintf(line, sizeof(line), "= %s", cl_state_name(state));
  journal_write(j, line);
}

static inline void job_init(struct job *j, const char *name) {
  *j = (struct job){.plugin = name, .key = BYTES_CONVERTER, .value = STRING_CONVERTER};
  pthread_mutex_init(&j->lock, NULL);
  snprintf(j->journal, sizeof(j->journal), "%s/%s.journal", folder, name);
  j->config = json_pack("{s:s}", "journal", j->journal);
  j->conf = (struct cl_task_conf){.connector = name,
                                  .count = 1,
                                  .max = 1,
                                  .home = CL_SOURCE_DIR,
                                  .offset_flush_interval_ms = 60000,
                                  .offset_flush_timeout_ms = 5000,
                                  .final_wait_ms = 5000,
                                  .metadata_max_age_ms = 300000,
                                  .max_poll_records = 500,
                                  .memory_max = 64 << 20,
                                  .jit = true,
                                  .offsets = offsets,
                                  .embedded = broker,
                                  .budget = budget,
                                  .status = job_status,
                                  .arg = j,
                                  .generation = 7};
}

static inline void job_clear(struct job *j) {
  json_decref(j->config);
  json_decref(j->client);
  json_decref(j->topics);
  pthread_mutex_destroy(&j->lock);
  *j = (struct job){0};
}

static inline struct cl_task_part job_part(struct cl_plugins *set, const struct job *j, const char *class,
                                           const char *role) {
  bool json = strcmp(class, JSON_CONVERTER) == 0;
  json_t *config = json_pack("{s:s, s:s}", "journal", j->journal, "converter.type", role);
  if (json)
    json_object_set_new(config, "schemas.enable", json_false());
  return (struct cl_task_part){job_find(set, CL_PLUGIN_CONVERTER, class), config};
}

static inline struct cl_chain *job_chain(struct cl_plugins *set, const struct job *j) {
  struct cl_chain *chain = cl_chain_new(1);
  if (j->predicate) {
    chain->v[0].predicate_alias = strdup("when");
    chain->v[0].predicate = job_find(set, CL_PLUGIN_PREDICATE, j->predicate);
    cl_plugin_ref(chain->v[0].predicate);
    chain->v[0].predicate_config = json_object();
  }
  chain->v[0].alias = strdup("change");
  chain->v[0].transform = job_find(set, CL_PLUGIN_TRANSFORM, j->transform);
  cl_plugin_ref(chain->v[0].transform);
  chain->v[0].config = json_object();
  return chain;
}

static inline void job_start_with(struct job *j, struct cl_plugins *set) {
  struct cl_task_conf conf = j->conf;
  conf.parts.plugin = (struct cl_task_part){job_find(set, CL_PLUGIN_SINK, j->plugin), j->config};
  conf.config = j->config;
  conf.parts.key = job_part(set, j, j->key, "key");
  conf.parts.value = job_part(set, j, j->value, "value");
  conf.topics = j->topics;
  conf.parts.transforms = j->transform ? job_chain(set, j) : NULL;
  if (!j->client)
    j->client = rig_client(conf.parts.plugin.plugin->kind == CL_PLUGIN_SINK ? j->plugin : NULL);
  conf.client = j->client;
  must(cl_task_start(&conf, &j->task, &err));
  cl_chain_unref(conf.parts.transforms);
  json_decref(conf.parts.key.config);
  json_decref(conf.parts.value.config);
}

static inline void job_start(struct job *j) {
  struct cl_plugins *set = NULL;
  json_t *paths = json_pack("[s]", folder);
  must(cl_plugins_scan(control, CL_SOURCE_DIR, paths, &set, &err));
  job_start_with(j, set);
  json_decref(paths);
  cl_plugins_unref(set);
}

/* Asks, and answers whether the thread ended within ms (and the grace of the ladder). */
static inline bool job_join(struct job *j, int64_t ms) {
  cl_task_ask_stop(j->task);
  bool ended = cl_task_join(&j->task, 1, cl_now_ms() + ms) == 0;
  j->task = NULL;
  return ended;
}

static inline void job_stop(struct job *j) {
  if (!job_join(j, LONG_MS))
    job_fail(j, "the task did not stop");
}

/* The task has failed by itself, saying all of these. NULL ends. */
static inline void job_failed(struct job *j, ...) {
  wait_said(j, "= FAILED", 1);
  va_list ap;
  va_start(ap, j);
  for (const char *part; (part = va_arg(ap, const char *));) {
    pthread_mutex_lock(&j->lock);
    bool found = strstr(j->trace, part) != NULL;
    pthread_mutex_unlock(&j->lock);
    if (!found)
      job_fail(j, "\"%s\" is not in the trace: %s", part, j->trace);
  }
  va_end(ap);
}

static inline void job_set(struct job *j, const char *key, const char *value) {
  if (!j->client)
    j->client = rig_client(NULL);
  json_object_set_new(j->client, key, json_string(value));
}

/* How the trace of a record that could not be converted or transformed begins. */
#define NOT_TOLERATED                                                                                        \
  "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler\nCaused by: "

/* ----------------------------------------------------------------- sources */

/* The stored n of source partition {p = p}; -1 = none. */
static inline int stored(int p) {
  json_t *partition = json_pack("{s:i}", "p", p), *offset = NULL;
  must(cl_offsets_get(offsets, "plugin", partition, &offset, &err));
  int n = offset ? (int)json_integer_value(json_object_get(offset, "n")) : -1;
  json_decref(partition);
  json_decref(offset);
  return n;
}

/* The topic holds first, first + 1, ... and nothing after them. */
static inline void topic_is(const char *topic, int first, uint32_t n) {
  struct rig_task t;
  rig_consumer(&t, "look", topic);
  rig_expect(&t, first, n);
  struct cl_batch *b = rig_read(&t, 1, 200);
  assert_int_equal(b->n, 0);
  cl_batch_unref(b);
  cl_consumer_close(t.c);
}

/* send(ctx, topic, p, n): the record n of the source partition p. */
#define SEND                                                                                                 \
  "local function send(ctx, topic, p, n, kafka_partition) ctx:emit { topic = topic, value = tostring(n), "   \
  "partition = kafka_partition, source_partition = { p = p }, source_offset = { n = n } } end "

/* ------------------------------------------------------------------- sinks */

/* take(ctx, batch): a line `value@offset` for each record. */
#define TAKE                                                                                                 \
  "local function take(ctx, batch) for _, r in batch:records() do "                                          \
  "say(ctx, '%s@%d', connect.text(r.value), r.offset) end end "

/* Where the next consumer of the sink's group would begin. */
static inline int64_t group_offset(const char *topic) {
  struct rig_task t;
  struct cl_batch *b = cl_batch_get(pool);
  rig_consumer(&t, "plugin", topic);
  for (int64_t deadline = cl_now_ms() + LONG_MS; !t.assigned && cl_now_ms() < deadline;)
    must(cl_consumer_poll(t.c, b, 1, 10, &err));
  cl_batch_unref(b);
  cl_consumer_close(t.c);
  return t.n == 1 ? t.starts[0] : -1;
}

static inline void wait_group_offset(struct job *j, const char *topic, int64_t offset) {
  int64_t deadline = cl_now_ms() + LONG_MS, now;
  while ((now = group_offset(topic)) != offset) {
    if (cl_now_ms() >= deadline)
      job_fail(j, "committed of %s is %lld, not %lld", topic, (long long)now, (long long)offset);
    usleep(5000);
  }
}

static inline void job_topics(struct job *j, const char *a, const char *b) {
  j->topics = json_pack("[s, s*]", a, b);
}

static inline void send_value(const char *topic, const char *value) {
  struct rig_reports reports = {0};
  struct cl_producer *p = rig_producer(&reports, false, NULL);
  struct cl_batch *b = cl_batch_get(pool);
  must(cl_producer_send(p, rig_record(b, topic, NULL, value), &err));
  must(cl_producer_flush(p, 10000, &err));
  assert_int_equal(reports.failed, 0);
  cl_producer_close(p, 1000);
  cl_batch_unref(b);
}

/* ------------------------------------------------------------------- suites */

static inline int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw) {
  (void)st, (void)flag, (void)ftw;
  return remove(path);
}

/* Of a group: broker, control thread, a folder. */
static inline int suite_up(void **state) {
  struct cl_control_conf conf = {.home = CL_SOURCE_DIR, .deadline_ms = 20000};
  char path[128];
  snprintf(folder, sizeof(folder), "/tmp/cl-task-XXXXXX");
  if (!mkdtemp(folder))
    return -1;
  snprintf(path, sizeof(path), "%s/log", folder);
  if (cl_log_open(path, CL_DEBUG, false, &err) != 0 || rig_up(state) != 0 ||
      cl_control_start(&conf, &control, &err) != 0)
    return -1;
  budget = cl_budget_new(64 << 20);
  return budget ? 0 : -1;
}

static inline int suite_down(void **state) {
  cl_control_stop(control);
  cl_budget_free(budget);
  rig_down(state);
  cl_log_close();
  return nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* Of a test: a task conf with the test's name and fresh offsets. */
static inline int test_up(void **state) {
  char path[128];
  (void)state;
  snprintf(path, sizeof(path), "%s/log", folder); /* a failure prints its own test's */
  if (truncate(path, 0) != 0 || cl_offsets_open(NULL, &offsets, &err) != 0)
    return -1;
  job_init(&job, "plugin");
  return 0;
}

static inline int test_down(void **state) {
  (void)state;
  if (job.task) /* the test failed half way */
    job_join(&job, LONG_MS);
  unlink(job.journal);
  job_clear(&job);
  cl_offsets_close(offsets);
  return 0;
}
