/* SPDX-License-Identifier: Apache-2.0
 * errors.*: pauses between tries, reports of failed records, dead letters and the offsets they hold
 * back, on the embedded broker. */
#include "task_rig.h"

#include "task/policy.h"

/* Instead of the C library's: there is no memory for a copy of this text. */
static const char *refused_text;

char *strdup(const char *text) {
  if (refused_text && strcmp(text, refused_text) == 0)
    return NULL;
  size_t n = strlen(text) + 1;
  char *copy = malloc(n);
  return copy ? memcpy(copy, text, n) : NULL;
}

/* ------------------------------------------------------------------------ pauses */

static void pauses_double_up_to_the_cap(void **state) {
  (void)state;
  struct cl_task_errors e = {.retry_timeout_ms = -1, .retry_delay_max_ms = 60000};
  for (uint32_t attempt = 1; attempt <= 8; attempt++)
    assert_int_equal(cl_policy_delay(&e, attempt, 0, 0, 12345), 300 << (attempt - 1));
  assert_int_equal(cl_policy_delay(&e, 9, 0, 0, 123456), 3456); /* 76.8 s are beyond it: any below it */
  assert_int_equal(cl_policy_delay(&e, 1000000, 0, 0, 59999), 59999);
  e.retry_delay_max_ms = 0;
  assert_int_equal(cl_policy_delay(&e, 1, 0, 0, 5), 0);
}

static void tries_end_with_the_time(void **state) {
  (void)state;
  struct cl_task_errors e = {.retry_timeout_ms = 1000, .retry_delay_max_ms = 60000};
  assert_int_equal(cl_policy_delay(&e, 1, 5000, 5000, 0), 300);
  assert_int_equal(cl_policy_delay(&e, 2, 5000, 5300, 0), 600);
  assert_int_equal(cl_policy_delay(&e, 3, 5000, 5900, 0), 100); /* never past it */
  assert_int_equal(cl_policy_delay(&e, 4, 5000, 6000, 0), -1);
  e.retry_timeout_ms = 0;
  assert_int_equal(cl_policy_delay(&e, 1, 5000, 5000, 0), -1);
  e.retry_timeout_ms = INT64_MAX;
  assert_int_equal(cl_policy_delay(&e, 1, 5000, INT64_MAX / 2, 0), 300);
}

/* ------------------------------------------------------------------------- sinks */

static void with_letters(const char *topic) {
  job.conf.errors = (struct cl_task_errors){
      .tolerate = true, .retry_delay_max_ms = 60000, .letters = topic, .letters_headers = true};
  job.conf.errors.letters_producer = rig_client(NULL);
}

static void drop_letters(void) { json_decref((json_t *)job.conf.errors.letters_producer); }

static const char taking[] = TAKE "return { api = 1, kind = 'sink', put = take }\n";

/* The letter at `at`: its value, then name=value of each header but the stack trace, as lines. */
static char *letter(const char *topic, uint32_t at) {
  struct rig_task t;
  rig_consumer(&t, "letters", topic);
  struct cl_batch *b = rig_read(&t, at + 1, 10000);
  assert_true(b->n > at);
  const struct cl_record *rec = &b->records[at];
  struct cl_buf text = {0};
  cl_buf_fmt(&text, "%.*s\n", (int)rec->value.bytes.len, rec->value.bytes.p);
  for (uint32_t i = 0; i < rec->n_headers; i++)
    if (!memmem(rec->headers[i].name.p, rec->headers[i].name.len, "stacktrace", 10))
      cl_buf_fmt(&text, "%.*s=%.*s\n", (int)rec->headers[i].name.len, rec->headers[i].name.p,
                 (int)rec->headers[i].d.bytes.len, rec->headers[i].d.bytes.p);
  cl_batch_unref(b);
  cl_consumer_close(t.c);
  return cl_buf_take(&text);
}

static int64_t count(enum cl_stat id) { return cl_stats_get(job.conf.stats, id); }

static void bad_records_go_to_the_letters(void **state) {
  (void)state;
  plugin("plugin", taking);
  send_value("mixed", "1");
  send_value("mixed", "{torn");
  send_value("mixed", "3");
  job_topics(&job, "mixed", NULL);
  job.value = JSON_CONVERTER;
  with_letters("mixed-letters");
  job_start(&job);
  wait_said(&job, "3@2", 1);
  while (count(CL_STAT_DLQ_REQUESTS) < 1)
    usleep(1000);
  assert_int_equal(count(CL_STAT_RECORD_FAILURES), 1);
  assert_int_equal(count(CL_STAT_RECORD_ERRORS), 1);
  assert_int_equal(count(CL_STAT_RECORDS_SKIPPED), 1);
  assert_int_equal(count(CL_STAT_RETRIES) + count(CL_STAT_DLQ_FAILURES) + count(CL_STAT_ERRORS_LOGGED), 0);
  assert_true(count(CL_STAT_LAST_ERROR_MS) > 1600000000000);
  job_stop(&job);
  char *text = letter("mixed-letters", 0);
  assert_string_equal(text,
                      "{torn\n__connect.errors.topic=mixed\n__connect.errors.partition=0\n"
                      "__connect.errors.offset=1\n__connect.errors.connector.name=plugin\n"
                      "__connect.errors.task.id=0\n__connect.errors.stage=VALUE_CONVERTER\n"
                      "__connect.errors.class.name=org.apache.kafka.connect.json.JsonConverter\n"
                      "__connect.errors.exception.class.name=org.apache.kafka.connect.errors.DataException\n"
                      "__connect.errors.exception.message=Converting byte[] to Kafka Connect data failed due "
                      "to serialization error: \n");
  free(text);
  wait_group_offset(&job, "mixed", 3);
  drop_letters();
}

/* A producer that lingers: the letter is on its way until the task flushes it at its end. */
static void offsets_wait_for_the_letters(void **state) {
  (void)state;
  plugin("plugin", TAKE "return { api = 1, kind = 'sink', put = take,\n"
                        "flush = function(ctx) say(ctx, 'flush') end }\n");
  send_value("slow", "1");
  send_value("slow", "{torn");
  send_value("slow", "3");
  job_topics(&job, "slow", NULL);
  job.value = JSON_CONVERTER;
  job.conf.offset_flush_interval_ms = 50;
  with_letters("slow-letters");
  json_object_set_new((json_t *)job.conf.errors.letters_producer, "linger.ms", json_string("120000"));
  job_start(&job);
  wait_said(&job, "3@2", 1);
  wait_group_offset(&job, "slow", 1);
  wait_said(&job, "flush", said(&job, "flush") + 3);
  assert_int_equal(group_offset("slow"), 1);
  job_stop(&job);
  assert_int_equal(group_offset("slow"), 3);
  char *text = letter("slow-letters", 0);
  assert_memory_equal(text, "{torn\n", 6);
  free(text);
  drop_letters();
}

/* How many lines of the log hold a text. */
static int logged(const char *text) {
  char path[128], line[4096];
  int n = 0;
  snprintf(path, sizeof(path), "%s/log", folder);
  FILE *f = fopen(path, "r");
  assert_non_null(f);
  while (fgets(line, sizeof(line), f))
    n += strstr(line, text) != NULL;
  fclose(f);
  return n;
}

static void wait_logged(const char *text) {
  for (int64_t deadline = cl_now_ms() + LONG_MS; !logged(text); usleep(20000))
    if (cl_now_ms() >= deadline)
      job_fail(&job, "waited for \"%s\" in the log", text);
}

/* Nothing can reach the broker: one that has a v6 address there is none. */
static void letters_that_never_arrive(const char *topic) {
  with_letters(topic);
  json_object_set_new((json_t *)job.conf.errors.letters_producer, "broker.address.family", json_string("v6"));
  job.conf.final_wait_ms = 100;
}

/* The others of the group wait for partitions to be given back: letters that do not arrive hold that up
 * for a moment only. */
static void waiting_letters_hold_no_rebalance_up(void **state) {
  (void)state;
  plugin("plugin", taking);
  send_value("hold-a", "1");
  send_value("hold-a", "{torn");
  send_value("hold-a", "3");
  job.conf.topics_regex = "hold-.*";
  job.conf.metadata_max_age_ms = 100;
  job.value = JSON_CONVERTER;
  letters_that_never_arrive("held-letters");
  job_start(&job);
  wait_said(&job, "3@2", 1);
  assert_int_equal(count(CL_STAT_LETTERS), 1);
  send_value("hold-b", "4");
  wait_said(&job, "4@0", 1);
  assert_int_equal(group_offset("hold-a"), 1);
  wait_logged("no dead letter has arrived in topic held-letters for ");
  assert_int_equal(logged("2 wait and keep offsets from being committed: "), 1);
  assert_int_equal(logged("no error was reported"), 0);
  job_stop(&job);
  assert_int_equal(logged("no dead letter has arrived"), 1);
  assert_int_equal(group_offset("hold-a"), 1);
  drop_letters();
}

/* What another member, or an operator, has done to the group meanwhile. */
static void commit_for_the_group(const char *topic, int64_t offset) {
  struct rig_task t;
  struct cl_batch *b = cl_batch_get(pool);
  rig_consumer(&t, "plugin", topic);
  for (int64_t deadline = cl_now_ms() + LONG_MS; !t.assigned && cl_now_ms() < deadline;)
    must(cl_consumer_poll(t.c, b, 1, 10, &err));
  must(cl_consumer_commit_sync(t.c, &(struct cl_commit){t.ids[0], offset}, 1, LONG_MS, &err));
  cl_batch_unref(b);
  cl_consumer_close(t.c);
}

/* While the partition was another's, that one has committed beyond the record of a letter that waits still:
 * it says nothing any more. The plugin stays in close until the other is done. */
static void letters_of_partitions_given_back_are_past(void **state) {
  (void)state;
  plugin("plugin", TAKE "return { api = 1, kind = 'sink', put = take, close = function(ctx)\n"
                        "  say(ctx, 'close')\n"
                        "  local journal = connect.file.reader { path = ctx.config.journal }\n"
                        "  local line = journal:line()\n"
                        "  while line ~= 'go on' do\n"
                        "    if not line and ctx:sleep(10) then return end\n"
                        "    line = journal:line()\n"
                        "  end end }\n");
  send_value("past-a", "1");
  send_value("past-a", "{torn");
  send_value("past-a", "3");
  job.conf.topics_regex = "past-.*";
  job.conf.metadata_max_age_ms = 100;
  job.conf.offset_flush_interval_ms = 50;
  job.value = JSON_CONVERTER;
  letters_that_never_arrive("gone-letters");
  job_start(&job);
  wait_said(&job, "3@2", 1);
  wait_group_offset(&job, "past-a", 1);
  send_value("past-b", "5");
  wait_said(&job, "close", 1);
  commit_for_the_group("past-a", 3);
  journal_write(&job, "go on");
  wait_said(&job, "5@0", 1);
  send_value("past-a", "4");
  wait_said(&job, "4@3", 1);
  wait_group_offset(&job, "past-a", 4);
  assert_int_equal(count(CL_STAT_LETTERS), 1);
  job_stop(&job);
  assert_int_equal(group_offset("past-a"), 4);
  drop_letters();
}

static void long_waits_for_letters_are_told(void **state) {
  (void)state;
  plugin("plugin", taking);
  send_value("late", "{torn");
  job_topics(&job, "late", NULL);
  job.value = JSON_CONVERTER;
  with_letters("late-letters");
  json_object_set_new((json_t *)job.conf.errors.letters_producer, "linger.ms", json_string("7000"));
  job_start(&job);
  wait_logged("dead letters arrive in topic late-letters again, after ");
  assert_int_equal(logged("1 wait and keep offsets from being committed: no error was reported"), 1);
  assert_int_equal(logged("no dead letter has arrived"), 1);
  assert_int_equal(count(CL_STAT_LETTERS), 0);
  job_stop(&job);
  drop_letters();
}

/* Reported though not tolerated; the task fails, and its offset stays before the record. */
static void with_none_a_letter_is_written_too(void **state) {
  (void)state;
  plugin("plugin", taking);
  send_value("strict", "{torn");
  job_topics(&job, "strict", NULL);
  job.value = JSON_CONVERTER;
  with_letters("strict-letters");
  job.conf.errors.tolerate = false;
  job.conf.errors.letters_headers = false;
  job_start(&job);
  job_failed(&job, NOT_TOLERATED, NULL);
  assert_int_equal(count(CL_STAT_RECORDS_SKIPPED), 0);
  assert_int_equal(count(CL_STAT_RECORD_ERRORS), 1);
  job_stop(&job);
  char *text = letter("strict-letters", 0);
  assert_string_equal(text, "{torn\n");
  free(text);
  wait_group_offset(&job, "strict", 0);
  drop_letters();
}

/* What put gives up is written as it was consumed, whatever a transform made of it. */
static void rejected_records_are_letters(void **state) {
  (void)state;
  plugin("change", "return { api = 1, kind = 'transform', apply = function(r) r.value = 'new ' .. r.value\n"
                   "r.topic = 'other' return r end }\n");
  plugin("plugin", "return { api = 1, kind = 'sink', put = function(ctx, batch)\n"
                   "  for i, r in batch:records() do\n"
                   "    if r.value == 'new 1' then ctx:reject(r, 'no ones') end\n"
                   "    say(ctx, 'put %s', r.value)\n"
                   "  end end }\n");
  rig_fill("refusing", 0, 3);
  job_topics(&job, "refusing", NULL);
  job.transform = "change";
  with_letters("refusing-letters");
  job_start(&job);
  wait_said(&job, "put new 2", 1);
  job_stop(&job);
  char *text = letter("refusing-letters", 0);
  assert_string_equal(text,
                      "1\n__connect.errors.topic=refusing\n__connect.errors.partition=0\n"
                      "__connect.errors.offset=1\n__connect.errors.connector.name=plugin\n"
                      "__connect.errors.task.id=0\n__connect.errors.stage=TASK_PUT\n"
                      "__connect.errors.class.name=org.apache.kafka.connect.sink.SinkTask\n"
                      "__connect.errors.exception.class.name=org.apache.kafka.connect.errors.DataException\n"
                      "__connect.errors.exception.message=no ones\n");
  free(text);
  wait_group_offset(&job, "refusing", 3);
  drop_letters();
}

/* Even when put swallows what reject raises. */
static void rejecting_fails_the_task_unless_tolerated(void **state) {
  (void)state;
  plugin("plugin", "return { api = 1, kind = 'sink', put = function(ctx, batch)\n"
                   "  for _, r in batch:records() do\n"
                   "    local ok, e = pcall(ctx.reject, ctx, r, 'no ones')\n"
                   "    say(ctx, '%s %s', ok, e)\n"
                   "  end end }\n");
  send_value("swallowed", "1");
  job_topics(&job, "swallowed", NULL);
  job_start(&job);
  job_failed(&job, "Tolerance exceeded in error handler: no ones", NULL);
  assert_int_equal(said(&job, "false Tolerance exceeded in error handler: no ones"), 1);
  job_stop(&job);
  wait_group_offset(&job, "swallowed", 0);
}

static void letter_that_cannot_be_sent_fails_the_task(void **state) {
  (void)state;
  plugin("plugin", taking);
  char *large = malloc(3001);
  memset(large, 'x', 3000);
  large[3000] = '\0';
  send_value("unsendable", "1");
  send_value("unsendable", large);
  job_topics(&job, "unsendable", NULL);
  job.value = JSON_CONVERTER;
  job.conf.max_poll_records = 1;
  with_letters("unsendable-letters");
  json_object_set_new((json_t *)job.conf.errors.letters_producer, "message.max.bytes", json_string("1000"));
  job_start(&job);
  job_failed(&job, "a dead letter could not be sent to topic unsendable-letters", NULL);
  assert_int_equal(count(CL_STAT_DLQ_FAILURES), 1);
  job_stop(&job);
  wait_group_offset(&job, "unsendable", 1);
  drop_letters();
  free(large);
}

/* The wait between two tries ends at once, nothing is committed and the batch is read again. */
static void retries_end_when_the_task_stops(void **state) {
  (void)state;
  plugin("plugin", taking);
  plugin("change", "return { api = 1, kind = 'transform', apply = function(r)\n"
                   "  connect.retriable 'later' end }\n");
  send_value("waiting", "1");
  job_topics(&job, "waiting", NULL);
  job.transform = "change";
  job.conf.errors = (struct cl_task_errors){.retry_timeout_ms = -1, .retry_delay_max_ms = 3600000};
  job_start(&job);
  for (int64_t deadline = cl_now_ms() + LONG_MS;
       count(CL_STAT_RECORD_FAILURES) < 4 && cl_now_ms() < deadline;)
    usleep(5000);
  assert_true(count(CL_STAT_RETRIES) >= 3);
  job_stop(&job);
  assert_int_equal(said(&job, "= FAILED"), 0);
  wait_group_offset(&job, "waiting", 0);
}

/* ----------------------------------------------------------------------- sources */

static const char five[] = SEND
    "local polled\n"
    "return { api = 1, kind = 'source',\n"
    "poll = function(ctx)\n"
    "  if polled then ctx:sleep(20) return end\n"
    "  polled = true\n"
    "  for n = 0, 4 do send(ctx, 'emitted', 0, n) end end,\n"
    "commit_record = function(ctx, record, at)\n"
    "  say(ctx, 'record %s: %s', record.value, at and 'sent' or 'not sent') end,\n"
    "commit = function(ctx) say(ctx, 'commit') end }\n";

static void sources_have_letters_too(void **state) {
  (void)state;
  plugin("change", "return { api = 1, kind = 'transform', apply = function(r)\n"
                   "  if tonumber(r.value) > 2 then connect.data_error('%s is refused', r.value) end\n"
                   "  r.value = 'changed' return r end }\n");
  plugin("plugin", five);
  job.transform = "change";
  with_letters("source-letters");
  job_start(&job);
  wait_said(&job, "record 4: not sent", 1);
  job_stop(&job);
  char *text = letter("source-letters", 1);
  assert_string_equal(text,
                      "{\"topic\":\"emitted\",\"partition\":null,\"key\":null,\"value\":\"4\",\"headers\":[],"
                      "\"timestamp\":null,\"source_partition\":{\"p\":0},\"source_offset\":{\"n\":4}}\n"
                      "__connect.errors.topic=emitted\n__connect.errors.connector.name=plugin\n"
                      "__connect.errors.task.id=0\n__connect.errors.stage=TRANSFORMATION\n"
                      "__connect.errors.class.name=change\n"
                      "__connect.errors.exception.class.name=org.apache.kafka.connect.errors.DataException\n"
                      "__connect.errors.exception.message=4 is refused\n");
  free(text);
  assert_int_equal(stored(0), 4); /* of the last letter */
  drop_letters();
}

static void source_offsets_wait_for_the_letters(void **state) {
  (void)state;
  plugin("change", "return { api = 1, kind = 'transform', apply = function(r)\n"
                   "  if r.value == '3' then connect.data_error 'three' end\n"
                   "  return r end }\n");
  plugin("plugin", five);
  job.transform = "change";
  job.conf.offset_flush_interval_ms = 50;
  with_letters("slow-source-letters");
  json_object_set_new((json_t *)job.conf.errors.letters_producer, "linger.ms", json_string("120000"));
  job_start(&job);
  wait_said(&job, "record 4: sent", 1);
  wait_said(&job, "commit", said(&job, "commit") + 3);
  assert_int_equal(stored(0), 2);
  job_stop(&job);
  assert_int_equal(stored(0), 4);
  drop_letters();
}

static void without_letters_a_source_passes_over_them(void **state) {
  (void)state;
  plugin("change", "return { api = 1, kind = 'transform', apply = function(r)\n"
                   "  if tonumber(r.value) > 2 then connect.data_error('%s is refused', r.value) end\n"
                   "  return r end }\n");
  plugin("plugin", five);
  job.transform = "change";
  job.conf.errors.tolerate = true;
  job_start(&job);
  wait_said(&job, "record 2: sent", 1);
  wait_said(&job, "record 4: not sent", 1);
  assert_int_equal(count(CL_STAT_RECORDS_SKIPPED), 2);
  job_stop(&job);
  assert_int_equal(stored(0), 2); /* as of records that a transform drops */
}

/* KAFKA_PRODUCE: too large for the client, and for the broker. */
static void too_large_records_are_passed_over(void **state) {
  (void)state;
  plugin("plugin",
         "local polled\n"
         "return { api = 1, kind = 'source',\n"
         "poll = function(ctx)\n"
         "  if polled then ctx:sleep(20) return end\n"
         "  polled = true\n"
         "  for n, size in ipairs { 1, 5000, 2 } do ctx:emit { topic = 'sizes', value = ('x'):rep(size),\n"
         "    source_partition = { p = 0 }, source_offset = { n = n } } end end,\n"
         "commit_record = function(ctx, record, at)\n"
         "  say(ctx, 'record %d: %s', #record.value, at and 'sent' or 'not sent') end }\n");
  with_letters("sizes-letters");
  job_set(&job, "message.max.bytes", "1000");
  job_start(&job);
  wait_said(&job, "record 5000: not sent", 1);
  wait_said(&job, "record 2: sent", 1);
  job_stop(&job);
  assert_int_equal(stored(0), 3);
  char *text = letter("sizes-letters", 0);
  assert_non_null(strstr(text, "__connect.errors.stage=KAFKA_PRODUCE\n__connect.errors.class.name="
                               "org.apache.kafka.connect.runtime.WorkerSourceTask\n"
                               "__connect.errors.exception.class.name=" CL_JAVA_TOO_LARGE "\n"));
  free(text);
  drop_letters();
}

/* Refused while commit_record sleeps, in which more are refused, too: each is reported once, and the plugin
 * told of it once, in no call inside of another. */
static void refusals_come_while_the_plugin_sleeps(void **state) {
  (void)state;
  plugin("plugin",
         "local n, inside = 0\n"
         "return { api = 1, kind = 'source',\n"
         "poll = function(ctx)\n"
         "  if n == 300 then inside = true ctx:sleep(20) inside = false return end\n"
         "  inside = true\n"
         "  for _ = 1, 20 do n = n + 1 ctx:emit { topic = 'refused', value = tostring(n),\n"
         "    source_partition = { p = 0 }, source_offset = { n = n } } end\n"
         "  ctx:sleep(30) inside = false end,\n"
         "commit_record = function(ctx, record, at)\n"
         "  say(ctx, '%s%s: %s', inside and 'inside ' or '', record.value, at and 'sent' or 'not sent')\n"
         "  inside = true ctx:sleep(5) inside = false end }\n");
  with_letters("refused-letters");
  job_set(&job, "broker.address.family", "v6"); /* there is none: the records of the task are not taken */
  job_set(&job, "message.timeout.ms", "100");
  job_start(&job);
  wait_said(&job, "300: not sent", 1);
  assert_int_equal(said(&job, "inside"), 0);
  job_stop(&job);
  for (int n = 1; n <= 300; n++) {
    char line[32];
    snprintf(line, sizeof(line), "%d: not sent", n);
    if (said(&job, line) != 1)
      job_fail(&job, "%d x %s", said(&job, line), line);
  }
  assert_int_equal(said(&job, "inside"), 0);
  assert_int_equal(count(CL_STAT_DLQ_REQUESTS), 300);
  assert_int_equal(stored(0), 300);
  drop_letters();
}

/* Records and letters that nobody takes: both are waited for, at the end, within one and the same time. */
static void letters_and_records_share_the_last_wait(void **state) {
  (void)state;
  plugin("change", "return { api = 1, kind = 'transform', apply = function(r)\n"
                   "  if r.value == '3' then connect.data_error 'three' end\n"
                   "  return r end }\n");
  plugin("plugin", SEND "local polled\n"
                        "return { api = 1, kind = 'source',\n"
                        "poll = function(ctx)\n"
                        "  if polled then say(ctx, 'again') ctx:sleep(1000) return end\n"
                        "  polled = true\n"
                        "  for n = 0, 4 do send(ctx, 'unheard', 0, n) end end,\n"
                        "stop = function(ctx) say(ctx, 'stop') end }\n");
  job.transform = "change";
  job.conf.final_wait_ms = 4000;
  with_letters("unheard-letters");
  job_set(&job, "broker.address.family", "v6"); /* there is none */
  json_object_set_new((json_t *)job.conf.errors.letters_producer, "broker.address.family", json_string("v6"));
  job_start(&job);
  wait_said(&job, "again", 1);
  int64_t from = cl_now_ms();
  job_stop(&job);
  assert_in_range(cl_now_ms() - from, 4000, 2 * 4000 - 1);
  assert_int_equal(said(&job, "stop"), 1);
  assert_int_equal(count(CL_STAT_DLQ_REQUESTS), 1);
  assert_int_equal(stored(0), -1);
  drop_letters();
}

/* It would run as one that has no dead letter queue, and lose what fails. */
static void no_memory_for_the_name_of_the_queue(void **state) {
  (void)state;
  plugin("plugin", taking);
  struct cl_plugins *set = NULL;
  json_t *paths = json_pack("[s]", folder);
  must(cl_plugins_scan(control, CL_SOURCE_DIR, paths, &set, &err));
  with_letters("forgotten-letters");
  struct cl_task_conf conf = job.conf;
  conf.parts.plugin = (struct cl_task_part){job_find(set, CL_PLUGIN_SINK, "plugin"), job.config};
  refused_text = "forgotten-letters";
  int rc = cl_task_start(&conf, &job.task, &err);
  refused_text = NULL;
  assert_int_equal(rc, CL_ENOMEM);
  assert_null(job.task);
  drop_letters();
  json_decref(paths);
  cl_plugins_unref(set);
}

static int errors_up(void **state) {
  if (test_up(state) != 0)
    return -1;
  job.conf.stats = cl_stats_new(30000, cl_now_ms());
  return job.conf.stats ? 0 : -1;
}

static int errors_down(void **state) {
  struct cl_stats *stats = job.conf.stats;
  int rc = test_down(state);
  cl_stats_unref(stats);
  return rc;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pauses_double_up_to_the_cap),
      cmocka_unit_test(tries_end_with_the_time),
      cmocka_unit_test_setup_teardown(bad_records_go_to_the_letters, errors_up, errors_down),
      cmocka_unit_test_setup_teardown(offsets_wait_for_the_letters, errors_up, errors_down),
      cmocka_unit_test_setup_teardown(waiting_letters_hold_no_rebalance_up, errors_up, errors_down),
      cmocka_unit_test_setup_teardown(letters_of_partitions_given_back_are_past, errors_up, errors_down),
      cmocka_unit_test_setup_teardown(long_waits_for_letters_are_told, errors_up, errors_down),
      cmocka_unit_test_setup_teardown(with_none_a_letter_is_written_too, errors_up, errors_down),
      cmocka_unit_test_setup_teardown(rejected_records_are_letters, errors_up, errors_down),
      cmocka_unit_test_setup_teardown(rejecting_fails_the_task_unless_tolerated, errors_up, errors_down),
      cmocka_unit_test_setup_teardown(letter_that_cannot_be_sent_fails_the_task, errors_up, errors_down),
      cmocka_unit_test_setup_teardown(retries_end_when_the_task_stops, errors_up, errors_down),
      cmocka_unit_test_setup_teardown(sources_have_letters_too, errors_up, errors_down),
      cmocka_unit_test_setup_teardown(source_offsets_wait_for_the_letters, errors_up, errors_down),
      cmocka_unit_test_setup_teardown(without_letters_a_source_passes_over_them, errors_up, errors_down),
      cmocka_unit_test_setup_teardown(too_large_records_are_passed_over, errors_up, errors_down),
      cmocka_unit_test_setup_teardown(refusals_come_while_the_plugin_sleeps, errors_up, errors_down),
      cmocka_unit_test_setup_teardown(letters_and_records_share_the_last_wait, errors_up, errors_down),
      cmocka_unit_test_setup_teardown(no_memory_for_the_name_of_the_queue, errors_up, errors_down),
  };
  return cmocka_run_group_tests(tests, suite_up, suite_down);
}
