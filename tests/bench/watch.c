/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a program and measures it from outside, the same way whoever it is: when its output
 * began and was complete, what it cost in processor time and memory. Then SIGTERM.
 * One thread. May include librdkafka only.
 *
 *   bench_watch file FILE BYTES -- PROGRAM ...          until FILE holds BYTES
 *   bench_watch topic SERVERS TOPIC COUNT -- PROGRAM ...  until TOPIC holds COUNT records
 *     prints: seconds from first to last output, share of it seen (rate = share * all / seconds),
 *     CPU seconds, peak memory in KiB, seconds from start to first output, exit status
 *   bench_watch of PID file|topic ...                   the same of a process that runs already: PROGRAM
 *     sets it to work and ends; CPU seconds are those until the output was complete
 *   bench_watch rest PORT SECONDS -- PROGRAM ...        until GET / answers, then idle for SECONDS
 *     prints: milliseconds from start to the answer, resident memory in KiB, CPU ms a second, exit status
 */
#include <arpa/inet.h>
#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LIMIT_S = 120 }; /* a program that does not get there is ended */

static pid_t child;
static pid_t observed; /* or 0: the child is what is measured */

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void pause_us(long us) { nanosleep(&(struct timespec){us / 1000000, us % 1000000 * 1000}, NULL); }

static void die(const char *why) {
  fprintf(stderr, "bench_watch: %s\n", why);
  if (child > 0)
    kill(child, SIGKILL);
  exit(1);
}

static double start(char **argv) {
  double begun = now();
  child = fork();
  if (child < 0)
    die("cannot fork");
  if (child == 0) {
    execv(argv[0], argv);
    perror(argv[0]);
    _exit(127);
  }
  return begun;
}

/* Ends the child; what it used. */
static struct rusage finish(int *status) {
  struct rusage used;
  double limit = now() + LIMIT_S;
  kill(child, SIGTERM);
  while (wait4(child, status, WNOHANG, &used) == 0) {
    if (now() > limit)
      die("the program does not stop");
    pause_us(500);
  }
  *status = WIFEXITED(*status) ? WEXITSTATUS(*status) : 128 + WTERMSIG(*status);
  child = 0;
  return used;
}

static double cpu(const struct rusage *u) {
  return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) +
         (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) / 1e6;
}

static double clock_of(pid_t pid) {
  clockid_t clock;
  struct timespec t = {0};
  if (clock_getcpuclockid(pid, &clock) == 0)
    clock_gettime(clock, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A line of /proc/PID/status. */
static long status_kib(pid_t pid, const char *name) {
  char path[64], line[256];
  long kib = 0;
  snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
  FILE *f = fopen(path, "r");
  while (f && fgets(line, sizeof(line), f))
    if (!strncmp(line, name, strlen(name)))
      kib = strtol(line + strlen(name), NULL, 10);
  if (f)
    fclose(f);
  return kib;
}

/* ----------------------------------------------------------------- output */

struct output { /* a file, or a topic */
  const char *file;
  rd_kafka_t *rk;
  const char *topic;
};

static int64_t amount(const struct output *o) {
  struct stat st;
  if (o->file)
    return stat(o->file, &st) == 0 ? st.st_size : 0;
  int64_t low, high;
  return rd_kafka_query_watermark_offsets(o->rk, o->topic, 0, &low, &high, 5000) == 0 ? high : 0;
}

static int watch_output(const struct output *o, int64_t all, char **argv) {
  double before = observed ? clock_of(observed) : 0;
  double begun = start(argv), first = 0, last = 0;
  int64_t had = 0;
  for (;;) {
    int64_t has = amount(o);
    last = now();
    if (has > 0 && first == 0) {
      first = last;
      had = has;
    }
    if (has >= all)
      break;
    if (last > begun + LIMIT_S)
      die("output incomplete");
    pause_us(o->file ? 300 : 2000);
  }
  double spent = observed ? clock_of(observed) - before : 0;
  int status;
  struct rusage used = finish(&status);
  if (amount(o) != all)
    die("more output than expected");
  printf("%.6f %.6f %.3f %ld %.3f %d\n", last - first, (double)(all - had) / (double)all,
         observed ? spent : cpu(&used), observed ? status_kib(observed, "VmHWM:") : used.ru_maxrss,
         first - begun, status);
  return status;
}

/* ------------------------------------------------------------------- idle */

static int answers(uint16_t port) {
  static const char ask[] = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  struct sockaddr_in at = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  char answer[64] = "";
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  int yes = connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0 && write(fd, ask, sizeof(ask) - 1) > 0 &&
            read(fd, answer, sizeof(answer) - 1) > 0 && strncmp(answer, "HTTP/1.1 200", 12) == 0;
  close(fd);
  return yes;
}

static int watch_rest(uint16_t port, double seconds, char **argv) {
  double begun = start(argv);
  while (!answers(port)) {
    if (now() > begun + LIMIT_S)
      die("no answer");
    pause_us(200);
  }
  double up = now() - begun;
  pause_us(500000); /* what starting leaves behind */
  double before = clock_of(child), from = now();
  pause_us((long)(seconds * 1e6));
  double used_ms = (clock_of(child) - before) * 1e3 / (now() - from);
  long kib = status_kib(child, "VmRSS:");
  int status;
  finish(&status);
  printf("%.1f %ld %.3f %d\n", up * 1e3, kib, used_ms, status);
  return status;
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  char why[256];
  if (argc > 3 && !strcmp(argv[1], "of")) {
    observed = (pid_t)strtol(argv[2], NULL, 10);
    argc -= 2;
    argv += 2;
  }
  if (argc > 5 && !strcmp(argv[1], "file") && !strcmp(argv[4], "--"))
    return watch_output(&(struct output){.file = argv[2]}, strtoll(argv[3], NULL, 10), argv + 5);
  if (argc > 6 && !strcmp(argv[1], "topic") && !strcmp(argv[5], "--")) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", argv[2], why, sizeof(why));
    struct output o = {.rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why)), .topic = argv[3]};
    amount(&o); /* connected before the program starts */
    return watch_output(&o, strtoll(argv[4], NULL, 10), argv + 6);
  }
  if (argc > 5 && !strcmp(argv[1], "rest") && !strcmp(argv[4], "--"))
    return watch_rest((uint16_t)strtoul(argv[2], NULL, 10), strtod(argv[3], NULL), argv + 5);
  die("usage: see the head of watch.c");
}
