/* SPDX-License-Identifier: Apache-2.0
 *
 * What a connector is measured against: the same Kafka work and the same file work with bare
 * librdkafka, without records, converters, offsets or Lua. Settings are given as KEY=VALUE, as
 * librdkafka names them, and apply to every client. One thread. May include librdkafka only.
 *
 *   bench_raw lines  FILE COUNT SIZE              writes a file of lines, SIZE bytes each without the end
 *   bench_raw create TOPIC [KEY=VALUE ...]        makes a topic of one partition
 *   bench_raw delete TOPIC [KEY=VALUE ...]
 *   bench_raw source TOPIC FILE [KEY=VALUE ...]   produces each line; ends when all are acknowledged
 *   bench_raw sink   TOPIC FILE [KEY=VALUE ...]   appends each value and a line end, until SIGTERM
 */
#include <fcntl.h>
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
  BLOCK = 256 << 10,  /* bytes of one read of the source */
  BUFFER = 128 << 10, /* bytes of one write of the sink */
  POLL_EVERY = 2000   /* records between two looks at the delivery reports */
};

static volatile sig_atomic_t stopping;

static void on_signal(int sig) {
  (void)sig;
  stopping = 1;
}

static void die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
static void die(const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  fputs("bench_raw: ", stderr);
  vfprintf(stderr, fmt, ap);
  fputc('\n', stderr);
  va_end(ap);
  exit(1);
}

static void *must_alloc(size_t size) {
  void *p = malloc(size);
  if (!p)
    die("out of memory");
  return p;
}

static void write_all(int fd, const char *p, size_t n) {
  while (n > 0) {
    ssize_t did = write(fd, p, n);
    if (did < 0)
      die("write failed");
    p += did;
    n -= (size_t)did;
  }
}

static int must_open(const char *path, int flags) {
  int fd = open(path, flags, 0666);
  if (fd < 0)
    die("cannot open %s", path);
  return fd;
}

/* ---------------------------------------------------------------- clients */

static rd_kafka_conf_t *settings(char **pairs) {
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  for (; *pairs; pairs++) {
    char why[256], *equals = strchr(*pairs, '=');
    if (!equals)
      die("%s is not KEY=VALUE", *pairs);
    *equals = '\0';
    if (rd_kafka_conf_set(conf, *pairs, equals + 1, why, sizeof(why)) != RD_KAFKA_CONF_OK)
      die("%s", why);
    *equals = '=';
  }
  return conf;
}

static rd_kafka_t *client(rd_kafka_type_t type, rd_kafka_conf_t *conf) {
  char why[256];
  rd_kafka_t *rk = rd_kafka_new(type, conf, why, sizeof(why));
  if (!rk)
    die("%s", why);
  return rk;
}

/* ----------------------------------------------------------------- topics */

static int topic(const char *name, bool create, char **pairs) {
  rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, settings(pairs));
  rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
  char why[256];
  if (create) {
    rd_kafka_NewTopic_t *made = rd_kafka_NewTopic_new(name, 1, 1, why, sizeof(why));
    if (!made)
      die("%s", why);
    rd_kafka_CreateTopics(rk, &made, 1, NULL, queue);
    rd_kafka_NewTopic_destroy(made);
  } else {
    rd_kafka_DeleteTopic_t *gone = rd_kafka_DeleteTopic_new(name);
    rd_kafka_DeleteTopics(rk, &gone, 1, NULL, queue);
    rd_kafka_DeleteTopic_destroy(gone);
  }
  rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 30000);
  if (!event || rd_kafka_event_error(event))
    die("%s: %s", name, event ? rd_kafka_event_error_string(event) : "no answer");
  rd_kafka_event_destroy(event);
  rd_kafka_queue_destroy(queue);
  rd_kafka_destroy(rk);
  return 0;
}

/* ----------------------------------------------------------------- source */

struct block { /* read from the file; freed when its last line is acknowledged */
  size_t refs;
  size_t len;
  char data[];
};

static size_t failed;

static void release(struct block *b) {
  if (--b->refs == 0)
    free(b);
}

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque) {
  (void)rk;
  (void)opaque;
  failed += m->err != 0;
  release(m->_private);
}

/* The line is not copied: librdkafka reads it out of the block. */
static void produce(rd_kafka_t *rk, rd_kafka_topic_t *rkt, struct block *b, char *line, size_t len) {
  b->refs++;
  while (rd_kafka_produce(rkt, RD_KAFKA_PARTITION_UA, 0, line, len, NULL, 0, b) != 0) {
    if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
      die("produce: %s", rd_kafka_err2str(rd_kafka_last_error()));
    rd_kafka_poll(rk, 100);
  }
}

/* Sends the complete lines of b; answers where the rest begins. */
static size_t send_lines(rd_kafka_t *rk, rd_kafka_topic_t *rkt, struct block *b) {
  static size_t sent;
  char *at = b->data, *end = b->data + b->len, *stop;
  while ((stop = memchr(at, '\n', (size_t)(end - at)))) {
    produce(rk, rkt, b, at, (size_t)(stop - at));
    at = stop + 1;
    if (++sent % POLL_EVERY == 0)
      rd_kafka_poll(rk, 0);
  }
  return (size_t)(at - b->data);
}

static int source(const char *name, const char *path, char **pairs) {
  rd_kafka_conf_t *conf = settings(pairs);
  rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
  rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, conf);
  rd_kafka_topic_t *rkt = rd_kafka_topic_new(rk, name, NULL);
  int fd = must_open(path, O_RDONLY);
  struct block *rest = NULL; /* the line torn by the end of the former block is at rest_at */
  size_t rest_at = 0;
  for (;;) {
    struct block *b = must_alloc(sizeof(*b) + 2 * BLOCK);
    *b = (struct block){.refs = 1};
    if (rest && rest->len - rest_at <= BLOCK) {
      b->len = rest->len - rest_at;
      memcpy(b->data, rest->data + rest_at, b->len);
    }
    ssize_t n = read(fd, b->data + b->len, BLOCK);
    if (n > 0)
      b->len += (size_t)n;
    if (rest)
      release(rest);
    rest = b;
    if (n <= 0)
      break;
    rest_at = send_lines(rk, rkt, b);
  }
  release(rest);
  close(fd);
  while (rd_kafka_outq_len(rk) > 0)
    rd_kafka_poll(rk, 100);
  rd_kafka_topic_destroy(rkt);
  rd_kafka_destroy(rk);
  return failed ? 1 : 0;
}

/* ------------------------------------------------------------------- sink */

static int sink(const char *name, const char *path, char **pairs) {
  rd_kafka_t *rk = client(RD_KAFKA_CONSUMER, settings(pairs));
  rd_kafka_poll_set_consumer(rk);
  rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(topics, name, RD_KAFKA_PARTITION_UA);
  if (rd_kafka_subscribe(rk, topics))
    die("cannot subscribe to %s", name);
  rd_kafka_topic_partition_list_destroy(topics);
  int fd = must_open(path, O_WRONLY | O_CREAT | O_APPEND);
  char *buf = must_alloc(BUFFER);
  size_t len = 0;
  while (!stopping) {
    rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, len ? 0 : 100);
    if (!m || m->len + 1 > BUFFER - len) {
      write_all(fd, buf, len);
      len = 0;
    }
    if (!m)
      continue;
    if (m->err)
      fprintf(stderr, "bench_raw: %s\n", rd_kafka_message_errstr(m));
    else if (m->len + 1 > BUFFER)
      die("a record of %zu bytes", m->len);
    else {
      memcpy(buf + len, m->payload, m->len);
      len += m->len;
      buf[len++] = '\n';
    }
    rd_kafka_message_destroy(m);
  }
  fdatasync(fd); /* as flush does before offsets are committed */
  rd_kafka_commit(rk, NULL, 0);
  rd_kafka_consumer_close(rk);
  rd_kafka_destroy(rk);
  close(fd);
  free(buf);
  return 0;
}

/* ------------------------------------------------------------------- main */

static int lines(const char *path, long count, size_t size) {
  int fd = must_open(path, O_WRONLY | O_CREAT | O_TRUNC);
  char *buf = must_alloc(size + 64);
  for (long i = 0; i < count; i += 1000) { /* a thousand lines a write */
    char *block = must_alloc(1000 * (size + 1)), *at = block;
    for (long k = i; k < i + 1000 && k < count; k++) {
      int n = snprintf(buf, size + 64, "%012ld ", k);
      for (size_t c = (size_t)n; c < size; c++)
        buf[c] = (char)('a' + ((size_t)k + c) % 26);
      buf[size] = '\n';
      memcpy(at, buf, size + 1);
      at += size + 1;
    }
    write_all(fd, block, (size_t)(at - block));
    free(block);
  }
  free(buf);
  return close(fd) ? 1 : 0;
}

int main(int argc, char **argv) {
  signal(SIGTERM, on_signal);
  const char *verb = argc > 2 ? argv[1] : "";
  if (argc == 5 && !strcmp(verb, "lines"))
    return lines(argv[2], strtol(argv[3], NULL, 10), strtoul(argv[4], NULL, 10));
  if (!strcmp(verb, "create") || !strcmp(verb, "delete"))
    return topic(argv[2], !strcmp(verb, "create"), argv + 3);
  if (argc > 3 && !strcmp(verb, "source"))
    return source(argv[2], argv[3], argv + 4);
  if (argc > 3 && !strcmp(verb, "sink"))
    return sink(argv[2], argv[3], argv + 4);
  die("usage: see the head of raw.c");
}
