/* SPDX-License-Identifier: Apache-2.0
 * `connect-lua run`: one connector on the embedded broker, its records shown as they move; a sink is
 * fed lines. A worker without REST, from start to stop. Thread: main. */
#define CL_COMPONENT "main"
#include "cli/run_plugin.h"

#include "cli/cli.h"

#include "base/loggers.h"
#include "base/text.h"
#include "task/task.h"
#include "worker/herder.h"
#include "worker/seen.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
    "connect-lua run [OPTIONS] PLUGIN.lua | CONNECTOR.json | CONNECTOR.properties\n"
    "    runs one connector on an embedded broker, whose data is in memory and gone at the end, and prints\n"
    "    the records as they move: TOPIC-PARTITION@OFFSET  KEY  VALUE  (HEADERS). A sink is fed lines of\n"
    "    standard input, each a record's value. It ends with Ctrl-C; a sink also when its input has ended "
    "and\n"
    "    all is written. A plugin that is changed meanwhile takes over.\n"
    "\n"
    "  -c, --config KEY=VALUE  a key of the connector's config; any number of times\n"
    "  --count N         end after N records (of a sink: N lines)\n"
    "  --json            an object a line: topic, partition, offset, timestamp, key, value, headers\n"
    "  --input FILE      feed a sink the lines of FILE\n"
    "  --topic NAME      the topic a sink is fed through; default its first\n"
    "  --plugins DIR     a folder with more plugins, for transforms and converters; any number of times\n"
    "  --verbose         the worker's own log, too. What plugins print or log is on standard error\n"
    "\n"
    "Keys are StringConverter's, values JsonConverter's without schemas for a source and StringConverter's\n"
    "for a sink, unless the config has key.converter or value.converter.\n"
    "\n"
    "  connect-lua run plugins/orders.lua -c topic=orders --count 10\n"
    "  printf 'a\\nb\\n' | connect-lua run plugins/out.lua -c file=/tmp/out.txt\n"
    "\n"
    "Exit codes: 0 ended as it should, 1 wrong usage, 2 it cannot start, 3 the configuration is refused,\n"
    "4 the connector or a task failed.\n";

enum {
  WAIT_MS = 50,
  LATE_MS = 3000, /* without a record that should come */
  AHEAD = 500     /* lines fed and not yet read: the embedded broker keeps little */
};

struct options {
  const char *file, *input, *topic;
  json_t *config, *plugins; /* of the command line */
  int64_t count;
  bool json, verbose;
};

struct run {
  const struct options *o;
  struct cl_worker *worker;
  struct cl_herder *herder;
  char *name;
  json_t *config;
  bool sink;
  char topic[256]; /* a sink's, which is fed */
  struct cl_show *show;
  struct cl_feed *feed;
  int64_t *puts; /* of each task, when all that was fed had been read; NULL until then */
  size_t n_puts;
  int fd;
};

/* ----------------------------------------------------------------------- worker */

static bool is_plugin_file(const char *path) {
  size_t n = strlen(path);
  return n > 4 && strcmp(path + n - 4, ".lua") == 0;
}

/* The folder that a scan finds the plugin in: of x/init.lua the one that holds x. */
static char *folder_of(const char *path) {
  char real[PATH_MAX];
  if (!realpath(path, real))
    return NULL;
  for (int up = strcmp(strrchr(real, '/'), "/init.lua") == 0 ? 2 : 1; up > 0; up--)
    *strrchr(real, '/') = '\0';
  return strdup(*real ? real : "/");
}

static json_t *plugin_path(const struct options *o) {
  char *own = is_plugin_file(o->file) ? folder_of(o->file) : NULL, *joined;
  json_t *out = json_string(own ? own : ""), *item;
  size_t i;
  json_array_foreach (o->plugins, i, item) {
    bool first = json_string_length(out) == 0;
    if (asprintf(&joined, "%s%s%s", json_string_value(out), first ? "" : ",", json_string_value(item)) < 0)
      break;
    json_string_set(out, joined);
    free(joined);
  }
  free(own);
  return out;
}

static int open_worker(struct run *r, struct cl_err *err) {
  struct cl_worker_conf *conf = NULL;
  char *home = cl_cli_home(err);
  if (!home)
    return err->code;
  json_t *raw = json_pack("{s:s,s:s,s:s,s:s,s:o}", "bootstrap.servers", "embedded", "key.converter",
                          "org.apache.kafka.connect.storage.StringConverter", "value.converter",
                          "org.apache.kafka.connect.storage.StringConverter", "offset.flush.interval.ms",
                          "200", "plugin.path", plugin_path(r->o));
  int rc = cl_worker_conf_make("connect-lua run", raw, &conf, err);
  json_decref(raw);
  if (rc == 0)
    rc = cl_worker_open(conf, home, &r->worker, err);
  free(home);
  return rc;
}

/* -------------------------------------------------------------------- connector */

static bool is_same_file(const char *a, const char *b) {
  struct stat x, y;
  return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* A config whose connector.class is the plugin in the file. */
static int config_of_plugin(struct run *r, struct cl_err *err) {
  size_t n;
  const struct cl_plugin_file *files = cl_plugins_files(r->worker->plugins, &n);
  for (size_t i = 0; i < n; i++) {
    const struct cl_plugin *p = files[i].plugin;
    if (!is_same_file(files[i].path, r->o->file))
      continue;
    if (!p)
      return cl_err_set(err, CL_EINVAL, "%s", files[i].reason);
    if (p->kind != CL_PLUGIN_SOURCE && p->kind != CL_PLUGIN_SINK)
      return cl_err_set(err, CL_EINVAL,
                        "%s: a %s does not run by itself: connect-lua try shows what it does to records, "
                        "connect-lua test runs its tests",
                        r->o->file, cl_plugin_kind_name(p->kind));
    r->config = json_pack("{s:s,s:s}", "name", "run", "connector.class", p->class);
    return r->config ? 0 : cl_err_set(err, CL_ENOMEM, "no memory");
  }
  return cl_err_set(err, CL_ENOTFOUND, "%s: %s", r->o->file,
                    access(r->o->file, R_OK) == 0 ? "it is not found as a plugin" : strerror(errno));
}

static int config_of_file(struct run *r, struct cl_err *err) {
  char *name = NULL, *state = NULL;
  int rc = cl_cli_connector_file(r->o->file, &name, &r->config, &state, err);
  free(name);
  free(state);
  return rc;
}

static void set_default(json_t *config, const char *key, const char *value) {
  if (!json_object_get(config, key))
    json_object_set_new(config, key, json_string(value));
}

/* A sink's topic: what the command line says, else the first that it reads, else one made up. */
static int choose_topic(struct run *r, struct cl_err *err) {
  const char *topics = cl_json_str(r->config, "topics");
  if (!cl_is_blank(cl_json_str(r->config, "topics.regex")) && !r->o->topic)
    return cl_err_set(err, CL_EINVAL, "the connector reads what topics.regex matches: say --topic NAME");
  if (r->o->topic)
    snprintf(r->topic, sizeof(r->topic), "%s", r->o->topic);
  else if (!cl_is_blank(topics))
    snprintf(r->topic, sizeof(r->topic), "%.*s", (int)strcspn(topics + strspn(topics, " "), ", "),
             topics + strspn(topics, " "));
  else
    snprintf(r->topic, sizeof(r->topic), "input");
  if (!json_object_get(r->config, "topics.regex"))
    set_default(r->config, "topics", r->topic);
  return 0;
}

static int make_config(struct run *r, struct cl_err *err) {
  int rc = is_plugin_file(r->o->file) ? config_of_plugin(r, err) : config_of_file(r, err);
  if (rc != 0)
    return rc;
  json_object_update(r->config, r->o->config);
  const char *class = cl_json_str(r->config, "connector.class"), *name = cl_json_str(r->config, "name");
  const struct cl_plugin *p = class ? cl_plugins_find(r->worker->plugins, CL_PLUGIN_SINK, class) : NULL;
  if (!p)
    return cl_err_set(err, CL_ENOTFOUND, "%s: there is no connector %s: --plugins DIR names its folder",
                      r->o->file, class ? class : "(connector.class is missing)");
  r->name = strdup(name ? name : "run");
  r->sink = p->kind == CL_PLUGIN_SINK;
  if (!r->sink && !json_object_get(r->config, "value.converter")) {
    set_default(r->config, "value.converter", "org.apache.kafka.connect.json.JsonConverter");
    set_default(r->config, "value.converter.schemas.enable", "false");
  }
  if (!r->sink && (r->o->input || r->o->topic))
    return cl_err_set(err, CL_EINVAL, "--input and --topic are for sinks; %s is a source", r->o->file);
  return r->sink ? choose_topic(r, err) : 0;
}

static int create(struct run *r, struct cl_err *err) {
  struct cl_reply reply = {0};
  struct cl_command *cmd = calloc(1, sizeof(*cmd));
  if (!cmd)
    return cl_err_set(err, CL_ENOMEM, "no memory");
  cmd->kind = CL_CMD_CREATE;
  cmd->name = strdup(r->name);
  cmd->config = json_incref(r->config);
  cmd->given = true;
  cl_herder_call(r->herder, cmd, &reply);
  int rc = reply.status == 201 ? 0 : cl_err_set(err, CL_EINVAL, "%s", cl_json_str(reply.body, "message"));
  cl_reply_clear(&reply);
  return rc;
}

/* ---------------------------------------------------------------------- running */

/* Records that a sink's tasks have read, or that a source's have written. */
static int64_t moved(const struct run *r, const struct cl_seen *seen) {
  int64_t n = 0;
  struct cl_meter_view view;
  for (size_t i = 0; i < seen->n; i++) {
    for (size_t t = 0; t < seen->connectors[i].n_tasks; t++) {
      cl_stats_meter_view(seen->connectors[i].tasks[t].stats, r->sink ? CL_METER_READ : CL_METER_SENT, 0,
                          &view);
      n += view.sum;
    }
  }
  return n;
}

static bool some_failed(const struct cl_seen *seen) {
  for (size_t i = 0; i < seen->n; i++) {
    if (strcmp(seen->connectors[i].state, "failed") == 0)
      return true;
    for (size_t t = 0; t < seen->connectors[i].n_tasks; t++)
      if (strcmp(seen->connectors[i].tasks[t].state, "failed") == 0)
        return true;
  }
  return false;
}

/* The log has said why. */
static void complain_of(const char *what, const json_t *part) {
  if (cl_json_str(part, "trace"))
    cl_cli_complain("%s failed", what);
}

static void tell_failure(const struct run *r) {
  struct cl_reply reply = {0};
  json_t *task;
  size_t i;
  cl_herder_query(r->herder, &(struct cl_query){.kind = CL_GET_STATUS, .name = r->name}, &reply);
  complain_of("the connector", json_object_get(reply.body, "connector"));
  json_array_foreach (json_object_get(reply.body, "tasks"), i, task) {
    char what[32];
    snprintf(what, sizeof(what), "task %d", (int)json_integer_value(json_object_get(task, "id")));
    complain_of(what, task);
  }
  cl_reply_clear(&reply);
}

/* Calls of put that each task has come back from: the first look notes how many, later ones answer
 * whether all have had another. What was read before the first is then with the plugin. */
static bool has_put(struct run *r, const struct cl_seen *seen) {
  const struct cl_seen_connector *c = &seen->connectors[0];
  bool all = r->puts != NULL && r->n_puts == c->n_tasks;
  if (!all) {
    free(r->puts);
    r->puts = calloc(c->n_tasks + 1, sizeof(*r->puts));
    r->n_puts = c->n_tasks;
  }
  for (size_t i = 0; r->puts && i < c->n_tasks; i++) {
    struct cl_meter_view view;
    cl_stats_meter_view(c->tasks[i].stats, CL_METER_CALL, 0, &view);
    if (!all)
      r->puts[i] = view.count;
    else if (view.count == r->puts[i])
      return false;
  }
  return all;
}

static bool is_done(struct run *r, const struct cl_seen *seen) {
  int64_t shown = cl_show_count(r->show);
  if (!r->sink)
    return r->o->count > 0 && shown >= r->o->count;
  int64_t fed = cl_feed_count(r->feed);
  return cl_feed_ended(r->feed) && shown >= fed && moved(r, seen) >= fed && has_put(r, seen);
}

/* Until it is done, has failed, or a signal comes. *code: how it ended. */
static int watch(struct run *r, const sigset_t *signals, int *code, struct cl_err *err) {
  static const struct timespec at_once = {0};
  for (;;) {
    uint32_t n;
    struct cl_seen *seen = cl_herder_see(r->herder);
    if (!seen)
      return cl_err_set(err, CL_ENOMEM, "no memory");
    bool done = is_done(r, seen), failed = some_failed(seen);
    bool hungry = r->feed && cl_feed_count(r->feed) - moved(r, seen) < AHEAD;
    cl_seen_free(seen);
    if (failed) {
      tell_failure(r);
      *code = CL_EXIT_RECORD;
    }
    if (done || failed || sigtimedwait(signals, NULL, &at_once) > 0)
      return 0;
    if ((hungry && cl_feed_some(r->feed, err) != 0) || cl_show_some(r->show, WAIT_MS, &n, err) != 0)
      return err->code;
  }
}

/* What a source had written when it was stopped is shown, too. */
static int show_rest(struct run *r, const struct cl_seen *seen, struct cl_err *err) {
  int64_t all = moved(r, seen), late = 0;
  if (r->o->count > 0 && all > r->o->count)
    all = r->o->count;
  while (cl_show_count(r->show) < all && late < LATE_MS) {
    uint32_t n;
    if (cl_show_some(r->show, WAIT_MS, &n, err) != 0)
      return err->code;
    late = n ? 0 : late + WAIT_MS;
  }
  return 0;
}

static int open_ends(struct run *r, struct cl_err *err) {
  const struct options *o = r->o;
  struct cl_show_conf show = {.worker = r->worker,
                              .json = o->json,
                              .counted = r->sink ? r->topic : NULL,
                              .max = r->sink ? 0 : o->count};
  struct cl_feed_conf feed = {.worker = r->worker, .topic = r->topic, .fd = r->fd, .max = o->count};
  int rc = cl_show_open(&show, &r->show, err);
  return rc == 0 && r->sink ? cl_feed_open(&feed, &r->feed, err) : rc;
}

static int open_input(struct run *r, struct cl_err *err) {
  if (!r->o->input)
    return 0;
  r->fd = open(r->o->input, O_RDONLY | O_CLOEXEC);
  return r->fd >= 0 ? 0 : cl_err_set(err, CL_EIO, "%s: %s", r->o->input, strerror(errno));
}

static int start(struct run *r, int *code, struct cl_err *err) {
  *code = CL_EXIT_START;
  if (open_input(r, err) != 0 || open_worker(r, err) != 0)
    return err->code;
  *code = CL_EXIT_CONNECTOR;
  if (make_config(r, err) != 0)
    return err->code;
  *code = CL_EXIT_START;
  if (cl_herder_start(r->worker, &r->herder, err) != 0)
    return err->code;
  cl_herder_announce(r->herder, strdup("connect-lua run"));
  if (open_ends(r, err) != 0)
    return err->code;
  *code = CL_EXIT_CONNECTOR;
  if (create(r, err) != 0)
    return err->code;
  cl_herder_ready(r->herder);
  *code = CL_EXIT_OK;
  return 0;
}

static void close_run(struct run *r, int code) {
  int stuck = cl_task_abandoned_total() +
              (r->worker && r->worker->control ? cl_control_abandoned(r->worker->control) : 0);
  if (stuck > 0) { /* a stuck thread still runs in memory that would be freed */
    cl_cli_complain("%d stuck threads are left behind", stuck);
    fflush(stdout);
    _exit(code);
  }
  cl_feed_close(r->feed);
  cl_show_close(r->show);
  cl_worker_close(r->worker);
  json_decref(r->config);
  free(r->name);
  free(r->puts);
  if (r->fd > 0)
    close(r->fd);
}

static int ignore(void *arg, const struct cl_logger *logger) {
  (void)arg, (void)logger;
  return 0;
}

/* From start to the end of the tasks; what a source wrote last is shown. */
static int start_and_stop(struct run *r, const sigset_t *signals, int *code, struct cl_err *err) {
  int rc = start(r, code, err);
  if (rc == 0 && (rc = watch(r, signals, code, err)) != 0)
    *code = CL_EXIT_START;
  pthread_sigmask(SIG_UNBLOCK, signals, NULL); /* now a signal has its default effect */
  struct cl_seen *seen = r->herder ? cl_herder_see(r->herder) : NULL; /* its counters go on */
  if (r->herder)
    cl_herder_stop(r->herder);
  r->herder = NULL;
  if (rc == 0 && seen && !r->sink && (rc = show_rest(r, seen, err)) != 0)
    *code = CL_EXIT_START;
  cl_seen_free(seen);
  return rc;
}

static int run(const struct options *o) {
  struct run r = {.o = o};
  struct cl_err err = CL_ERR_INIT;
  sigset_t signals;
  int code;
  cl_cli_stop_signals(&signals);
  pthread_sigmask(SIG_BLOCK, &signals, NULL); /* before any thread exists: they inherit it */
  signal(SIGPIPE, SIG_IGN);
  cl_loggers_start(o->verbose ? CL_INFO : CL_WARN);
  cl_loggers_set("plugin", CL_INFO, ignore, NULL);
  if (start_and_stop(&r, &signals, &code, &err) != 0)
    cl_cli_complain("%s", err.msg);
  close_run(&r, code);
  return code;
}

/* ---------------------------------------------------------------------- options */

static bool add_config(json_t *config, const char *text) {
  const char *eq = strchr(text, '=');
  if (!eq || eq == text) {
    cl_cli_complain("--config takes KEY=VALUE, not %s", text);
    return false;
  }
  char *key = strndup(text, (size_t)(eq - text));
  bool ok = key && json_object_set_new(config, key, json_string(eq + 1)) == 0;
  if (!ok)
    cl_cli_complain("--config %s: not UTF-8", text);
  free(key);
  return ok;
}

static bool read_count(const char *text, int64_t *out) {
  char *end;
  errno = 0;
  *out = strtoll(text, &end, 10);
  if (errno == 0 && end != text && !*end && *out > 0)
    return true;
  cl_cli_complain("--count takes a number from 1 on, not %s", text);
  return false;
}

/* -1 = go on. */
static int read_options(int argc, char **argv, struct options *o) {
  static const struct option known[] = {{"config", required_argument, NULL, 'c'},
                                        {"count", required_argument, NULL, 'n'},
                                        {"json", no_argument, NULL, 'j'},
                                        {"input", required_argument, NULL, 'i'},
                                        {"topic", required_argument, NULL, 't'},
                                        {"plugins", required_argument, NULL, 'p'},
                                        {"verbose", no_argument, NULL, 'v'},
                                        {"help", no_argument, NULL, 'h'},
                                        {0}};
  int opt;
  while ((opt = getopt_long(argc, argv, "c:h", known, NULL)) != -1) {
    switch (opt) {
    case 'c':
      if (!add_config(o->config, optarg))
        return CL_EXIT_USAGE;
      break;
    case 'n':
      if (!read_count(optarg, &o->count))
        return CL_EXIT_USAGE;
      break;
    case 'j': o->json = true; break;
    case 'i': o->input = optarg; break;
    case 't': o->topic = optarg; break;
    case 'p': json_array_append_new(o->plugins, json_string(optarg)); break;
    case 'v': o->verbose = true; break;
    case 'h': fputs(help, stdout); return CL_EXIT_OK;
    default: return CL_EXIT_USAGE;
    }
  }
  o->file = optind < argc ? argv[optind] : NULL;
  if (o->file && optind + 1 == argc)
    return -1;
  cl_cli_complain(
      "usage: connect-lua run [OPTIONS] PLUGIN.lua | CONNECTOR; connect-lua run --help says more");
  return CL_EXIT_USAGE;
}

int cl_cli_run_plugin(int argc, char **argv) {
  struct options o = {.config = json_object(), .plugins = json_array()};
  int code = read_options(argc, argv, &o);
  if (code < 0)
    code = run(&o);
  json_decref(o.config);
  json_decref(o.plugins);
  return code;
}
