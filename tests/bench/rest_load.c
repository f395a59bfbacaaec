/* SPDX-License-Identifier: Apache-2.0
 *
 * Load on the REST API: clients that ask every route, valid and malformed, for some seconds,
 * and check each answer. Prints how many, the slowest reads, and what was wrong.
 *
 *   rest_load PORT SECONDS CLIENTS [PID [PAUSE_MS]]
 *
 * PID is the worker, whose memory is watched; PAUSE_MS is between a client's requests, without
 * it the clients ask as fast as they can and wait for the processor more than for the worker.
 *
 * It makes, changes and deletes connectors of its own, and asks about one called `pipeline`
 * and one called `stuck`, which the caller has made.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum kind { READ, WRITE, MALFORMED, RAW };

/* %c = a connector of this client alone. status 0 = any of the client's mistakes (4xx). */
static const struct request {
  enum kind kind;
  const char *method, *path, *body;
  int status, or_status;
  const char *holds; /* in the body, or NULL */
} requests[] = {
    {READ, "GET", "/", NULL, 200, 0, "\"version\":\"4.2.0\""},
    {READ, "GET", "/health", NULL, 200, 0, "healthy"},
    {READ, "GET", "/connectors", NULL, 200, 0, "\"pipeline\""},
    {READ, "GET", "/connectors?expand=info&expand=status", NULL, 200, 0, "\"pipeline\":{"},
    {READ, "GET", "/connectors/pipeline", NULL, 200, 0, "\"type\":\"source\""},
    {READ, "GET", "/connectors/pipeline/config", NULL, 200, 0, "\"name\":\"pipeline\""},
    {READ, "GET", "/connectors/pipeline/status", NULL, 200, 0, "\"state\":\"RUNNING\""},
    {READ, "GET", "/connectors/pipeline/tasks", NULL, 200, 0, "\"task\":0"},
    {READ, "GET", "/connectors/pipeline/tasks/0/status", NULL, 200, 0, "\"state\":\"RUNNING\""},
    {READ, "GET", "/connectors/pipeline/topics", NULL, 200, 0, "{\"pipeline\":{\"topics\":["},
    {READ, "GET", "/connectors/stuck/status", NULL, 200, 0, "\"name\":\"stuck\""},
    {READ, "GET", "/connectors/stuck/tasks/0/status", NULL, 200, 0, "\"id\":0"},
    {READ, "GET", "/connectors/nobody/status", NULL, 404, 0, "No status found for connector nobody"},
    {READ, "GET", "/connectors/nobody%2F%25%20/tasks/7/status", NULL, 404, 0,
     "No status found for task nobody/% -7"},
    {READ, "GET", "/connector-plugins", NULL, 200, 0, "FileStreamSinkConnector"},
    {READ, "GET", "/connector-plugins?connectorsOnly=false", NULL, 200, 0, "JsonConverter"},
    {READ, "GET", "/connector-plugins/FileStreamSource/config", NULL, 200, 0, "\"batch.size\""},
    {READ, "GET", "/connect-lua/plugins", NULL, 200, 0, "\"state\":\"accepted\""},
    {READ, "PUT", "/connector-plugins/FileStreamSink/config/validate",
     "{\"connector.class\":\"FileStreamSink\",\"topics\":\"a\"}", 200, 0, "\"error_count\":1"},
    {READ, "HEAD", "/connectors", NULL, 200, 0, NULL},
    {READ, "OPTIONS", "/connectors/x/config", NULL, 200, 0, "PATCH"},
    {READ, "GET", "/connectors/pipeline/offsets", NULL, 501, 200, NULL},
    {READ, "GET", "/admin/loggers", NULL, 501, 200, NULL},
    {WRITE, "PUT", "/connectors/%c/config",
     "{\"connector.class\":\"FileStreamSink\",\"topics\":\"load\",\"file\":\"/dev/null\",\"value.converter\":"
     "\"org.apache.kafka.connect.storage.StringConverter\"}",
     201, 200, "\"FileStreamSink\""},
    {WRITE, "PATCH", "/connectors/%c/config", "{\"extra\":\"1\",\"gone\":null}", 200, 0, "\"extra\":\"1\""},
    {WRITE, "PUT", "/connectors/%c/pause", NULL, 202, 0, NULL},
    {WRITE, "PUT", "/connectors/%c/resume", NULL, 202, 0, NULL},
    {WRITE, "POST", "/connectors/%c/restart?includeTasks=true&onlyFailed=true", NULL, 202, 0, "\"tasks\""},
    {WRITE, "POST", "/connectors/%c/tasks/0/restart", NULL, 204, 0, NULL},
    {WRITE, "PUT", "/connectors/%c/topics/reset", NULL, 202, 0, NULL},
    {WRITE, "PUT", "/connectors/%c/stop", NULL, 204, 0, NULL},
    {WRITE, "DELETE", "/connectors/%c", NULL, 204, 0, NULL},
    {WRITE, "DELETE", "/connectors/%c", NULL, 404, 0, "not found"},
    {MALFORMED, "POST", "/connectors", "{\"name\":", 400, 0, "not valid JSON"},
    {MALFORMED, "POST", "/connectors", "[]", 400, 0, NULL},
    {MALFORMED, "POST", "/connectors", "", 400, 0, "empty"},
    {MALFORMED, "POST", "/connectors", "{\"name\":\"x\",\"config\":{\"a\":{\"b\":1}}}", 400, 0, NULL},
    {MALFORMED, "POST", "/connectors", "{\"name\":\"x\",\"config\":{\"connector.class\":\"no.Such\"}}", 400,
     0, "Failed to find any class"},
    {MALFORMED, "POST", "/connectors",
     "{\"name\":\"x\",\"config\":{\"connector.class\":\"FileStreamSink\",\"tasks.max\":\"x\"}}", 400, 0,
     "error(s)"},
    {MALFORMED, "PATCH", "/connectors/pipeline/config", "nonsense", 400, 0, NULL},
    {MALFORMED, "PUT", "/connectors/pipeline/config", "{\"a\":\"caf\xe9\"}", 400, 0, NULL},
    {MALFORMED, "PUT", "/connector-plugins/FileStreamSink/config/validate",
     "{\"connector.class\":\"FileStreamSource\"}", 400, 0, "does not match"},
    {MALFORMED, "GET", "/connectors/%zz", NULL, 400, 0, NULL},
    {MALFORMED, "GET", "//connectors", NULL, 400, 0, NULL},
    {MALFORMED, "GET", "/connectors/a%00b", NULL, 400, 0, NULL},
    {MALFORMED, "GET", "/connectors/pipeline/tasks/99999999999/status", NULL, 404, 0, "HTTP 404"},
    {MALFORMED, "BREW", "/connectors", NULL, 405, 0, NULL},
    {MALFORMED, "PUT", "/connectors", "{}", 405, 0, NULL},
    {MALFORMED, "GET", "/nope", NULL, 404, 0, NULL},
    {RAW, "", "GET /connectors HTTP/1.1\r\n\r\n", NULL, 400, 0, NULL},
    {RAW, "", "\x16\x03\x01\x02\x03\r\n\r\n", NULL, 0, 0, NULL},
    {RAW, "", "POST /connectors HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\nx", NULL, 501, 0, NULL},
    {RAW, "", "POST /connectors HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}   ",
     NULL, 400, 0, NULL},
    {RAW, "", "POST /connectors HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n", NULL, 413, 0, NULL},
    {RAW, "", "GET / HTTP/9.9\r\nHost: h\r\n\r\n", NULL, 0, 0, NULL},
};
enum { N_REQUESTS = sizeof requests / sizeof *requests, SLOW_MAX = 1 << 20, KINDS = 4 };

static int port, pause_ms;
static int64_t until_us;
static atomic_long counts[KINDS], wrong, cut;
static _Atomic int64_t slowest[N_REQUESTS];
static atomic_int read_us[SLOW_MAX]; /* ring of latencies */
static atomic_long n_reads;

static int64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int dial(void) {
  struct sockaddr_in a = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct timeval patience = {.tv_sec = 100};
  int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
    return fd;
  close(fd);
  return -1;
}

/* Reads one answer; its status, 0 = the connection ended without one. *rest = it stays open. */
static int hear(int fd, bool head, char *buf, size_t size, bool *open) {
  size_t n = 0, need = 0;
  char *body = NULL;
  *open = false;
  while (!body || n < need) {
    ssize_t got = n + 1 < size ? recv(fd, buf + n, size - 1 - n, 0) : 0;
    if (got <= 0)
      return body && !need ? atoi(buf + 9) : 0;
    n += (size_t)got;
    buf[n] = 0;
    if (!body && (body = strstr(buf, "\r\n\r\n"))) {
      body += 4;
      char *length = strcasestr(buf, "\r\nContent-Length:");
      need = (size_t)(body - buf) + (length && length < body && !head ? strtoul(length + 17, NULL, 10) : 0);
    }
  }
  char *closing = strcasestr(buf, "\r\nConnection: close");
  *open = !(closing && closing < body) && strncmp(buf, "HTTP/1.1", 8) == 0;
  return atoi(buf + 9);
}

static void compose(const struct request *r, int client, char *out, size_t size) {
  char path[512], name[32];
  const char *c = strstr(r->path, "%c");
  snprintf(name, sizeof name, "load%d", client);
  if (r->kind == RAW) {
    snprintf(out, size, "%s", r->path);
    return;
  }
  snprintf(path, sizeof path, "%.*s%s%s", c ? (int)(c - r->path) : (int)strlen(r->path), r->path,
           c ? name : "", c ? c + 2 : "");
  const char *body = r->body ? r->body : "";
  snprintf(out, size, "%s %s HTTP/1.1\r\nHost: h\r\n%sContent-Length: %zu\r\n\r\n%s", r->method, path,
           r->body ? "Content-Type: application/json\r\n" : "", strlen(body), body);
}

static void note(size_t i, int64_t us) {
  int64_t old = atomic_load(&slowest[i]);
  while (us > old && !atomic_compare_exchange_weak(&slowest[i], &old, us))
    ;
  if (requests[i].kind == READ)
    read_us[atomic_fetch_add(&n_reads, 1) % SLOW_MAX] = (int)us;
}

static void complain(const struct request *r, int status, const char *text) {
  const char *body = strstr(text, "\r\n\r\n");
  if (atomic_fetch_add(&wrong, 1) < 20)
    fprintf(stderr, "wrong: %s %s: %d %.300s\n", r->method, r->path, status, body ? body + 4 : text);
}

struct client {
  int number;
  bool writes;
};

static void *run_client(void *arg) {
  const struct client *me = arg;
  char *buf = malloc(1 << 20), ask[4096];
  int fd = -1;
  for (size_t i = me->writes ? 0 : (size_t)me->number; now_us() < until_us || (me->writes && i % N_REQUESTS);
       i++) {
    size_t k = i % N_REQUESTS;
    const struct request *r = &requests[k];
    if (r->kind == WRITE && !me->writes)
      continue;
    if (fd < 0 && (fd = dial()) < 0) {
      complain(r, 0, strerror(errno));
      break;
    }
    compose(r, me->number, ask, sizeof ask);
    bool open = false;
    int64_t begun = now_us();
    *buf = 0;
    ssize_t sent = send(fd, ask, strlen(ask), MSG_NOSIGNAL);
    if (r->kind == RAW)
      shutdown(fd, SHUT_WR);
    int status = sent < 0 ? 0 : hear(fd, strcmp(r->method, "HEAD") == 0, buf, 1 << 20, &open);
    note(k, now_us() - begun);
    atomic_fetch_add(&counts[r->kind], 1);
    bool ok = r->status == 0 ? status != 200
                             : status == r->status || (r->or_status && status == r->or_status);
    if (!ok || (r->holds && !strstr(buf, r->holds)))
      complain(r, status, buf);
    if (!open || r->kind == RAW) {
      close(fd);
      fd = -1;
      atomic_fetch_add(&cut, 1);
    }
    if (pause_ms)
      usleep((unsigned)pause_ms * 1000);
  }
  if (fd >= 0)
    close(fd);
  free(buf);
  return NULL;
}

static long memory_kb(const char *pid) {
  char path[64], line[256];
  long kb = -1;
  snprintf(path, sizeof path, "/proc/%s/status", pid);
  FILE *f = fopen(path, "r");
  while (f && fgets(line, sizeof line, f))
    if (strncmp(line, "VmRSS:", 6) == 0)
      kb = atol(line + 6);
  if (f)
    fclose(f);
  return kb;
}

static int by_value(const void *a, const void *b) {
  int x = *(const int *)a, y = *(const int *)b;
  return (x > y) - (x < y);
}

static void report(void) {
  long n = n_reads < SLOW_MAX ? n_reads : SLOW_MAX;
  int *sorted = malloc((size_t)(n + 1) * sizeof *sorted);
  for (long i = 0; i < n; i++)
    sorted[i] = read_us[i];
  qsort(sorted, (size_t)n, sizeof *sorted, by_value);
  printf("reads %ld  writes %ld  malformed %ld  raw %ld  connections ended %ld  wrong %ld\n", counts[READ],
         counts[WRITE], counts[MALFORMED], counts[RAW], cut, wrong);
  if (n > 0)
    printf("reads in ms: median %.2f  99%% %.2f  99.9%% %.2f  slowest %.2f\n", sorted[n / 2] / 1e3,
           sorted[n * 99 / 100] / 1e3, sorted[n * 999 / 1000] / 1e3, sorted[n - 1] / 1e3);
  for (size_t i = 0; i < N_REQUESTS; i++)
    if (requests[i].kind == READ && slowest[i] > 100000)
      printf("over 100 ms: %s %s %.1f\n", requests[i].method, requests[i].path, (double)slowest[i] / 1e3);
  free(sorted);
}

int main(int argc, char **argv) {
  if (argc < 4) {
    fprintf(stderr, "usage: rest_load PORT SECONDS CLIENTS [PID [PAUSE_MS]]\n");
    return 2;
  }
  port = atoi(argv[1]);
  int seconds = atoi(argv[2]), n = atoi(argv[3]);
  pause_ms = argc > 5 ? atoi(argv[5]) : 0;
  until_us = now_us() + (int64_t)seconds * 1000000;
  pthread_t *threads = calloc((size_t)n, sizeof *threads);
  struct client *clients = calloc((size_t)n, sizeof *clients);
  for (int i = 0; i < n; i++) {
    clients[i] = (struct client){i, i < 4};
    pthread_create(&threads[i], NULL, run_client, &clients[i]);
  }
  for (int s = 0; argc > 4 && s <= seconds; s++) {
    if (s % 10 == 0)
      printf("after %2d s: %ld KB\n", s, memory_kb(argv[4]));
    fflush(stdout);
    sleep(1);
  }
  for (int i = 0; i < n; i++)
    pthread_join(threads[i], NULL);
  report();
  free(threads);
  free(clients);
  return wrong ? 1 : 0;
}
