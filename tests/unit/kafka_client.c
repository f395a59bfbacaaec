/* SPDX-License-Identifier: Apache-2.0
 * What every Kafka client gets: its main thread does not spin for its timers. */
#include "kafka_rig.h"

#include <dirent.h>
#include <unistd.h>

static void read_word(const char *path, char *out, size_t size) {
  FILE *f = fopen(path, "r");
  *out = '\0';
  if (f && fgets(out, (int)size, f))
    out[strcspn(out, "\n")] = '\0';
  if (f)
    fclose(f);
}

/* How many threads whose names begin so may be as late as that. */
static int threads(const char *name, long slack_ns) {
  DIR *dir = opendir("/proc/self/task");
  const struct dirent *e;
  int n = 0;
  assert_non_null(dir);
  while ((e = readdir(dir)) != NULL) {
    char path[300], text[64];
    snprintf(path, sizeof(path), "/proc/self/task/%s/comm", e->d_name);
    read_word(path, text, sizeof(text));
    if (strncmp(text, name, strlen(name)) != 0)
      continue;
    snprintf(path, sizeof(path), "/proc/%s/timerslack_ns", e->d_name);
    read_word(path, text, sizeof(text));
    n += strtol(text, NULL, 10) == slack_ns;
  }
  closedir(dir);
  return n;
}

static void main_threads_sleep_on(void **state) {
  (void)state;
  struct rig_reports reports = {0};
  int main_before = threads("rdk:main", 20000000), others_before = threads("rdk:broker", 20000000);
  struct cl_producer *p = rig_producer(&reports, false, NULL);
  struct cl_batch *b = cl_batch_get(pool);
  must(cl_producer_send(p, rig_record(b, "slack", "k", "v"), &err));
  must(cl_producer_flush(p, 10000, &err)); /* by now it has threads for its brokers, made by the main one */
  assert_int_equal(threads("rdk:main", 20000000), main_before + 1);
  assert_int_equal(threads("rdk:broker", 20000000), others_before);
  cl_producer_close(p, 1000);
  cl_batch_unref(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(main_threads_sleep_on)};
  return cmocka_run_group_tests(tests, rig_up, rig_down);
}
