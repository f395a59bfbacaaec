/* SPDX-License-Identifier: Apache-2.0
 *
 * `connect-lua --worker FILE [connector ...]`: the worker from start to stop. Start:
 * configuration, plugins, stores, herder, listener, connectors; stop in reverse.
 * Thread: main, which waits for signals.
 */
#define CL_COMPONENT "main"
#include "cli/cli.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "kafka/client.h"
#include "rest/server.h"
#include "task/task.h"
#include "worker/herder.h"
#include "worker/worker.h"

#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct process {
  struct cl_worker *worker;
  struct cl_herder *herder;
  struct cl_server *server;
};

/* Every task costs a client with its sockets and pipes. */
static void raise_file_limit(void) {
  struct rlimit lim;
  if (getrlimit(RLIMIT_NOFILE, &lim) == 0 && lim.rlim_cur < lim.rlim_max) {
    lim.rlim_cur = lim.rlim_max;
    setrlimit(RLIMIT_NOFILE, &lim);
  }
}

void cl_cli_stop_signals(sigset_t *set) {
  sigemptyset(set);
  sigaddset(set, SIGTERM);
  sigaddset(set, SIGINT);
  struct sigaction hup; /* under nohup it is ignored, and stays so */
  if (sigaction(SIGHUP, NULL, &hup) == 0 && hup.sa_handler != SIG_IGN)
    sigaddset(set, SIGHUP);
}

static int open_worker(struct process *p, const char *file, struct cl_err *err) {
  struct cl_worker_conf *conf = NULL;
  char *home = cl_cli_home(err);
  if (!home)
    return err->code;
  int rc = cl_worker_conf_load(file, &conf, err);
  if (rc == 0)
    rc = cl_log_open(conf->log_file, conf->log_level, conf->log_json, err);
  if (rc == 0) {
    CL_LOG(CL_INFO, "connect-lua %s, librdkafka %s, worker file %s", CL_VERSION, cl_client_version(), file);
    rc = cl_worker_open(conf, home, &p->worker, err);
  } else if (conf) {
    cl_worker_conf_free(conf);
  }
  free(home);
  return rc;
}

static int open_rest(struct process *p, struct cl_err *err) {
  struct cl_worker *w = p->worker;
  if (cl_herder_start(w, &p->herder, err) != 0)
    return err->code;
  const struct cl_rest_conf *rest = &w->conf->rest;
  size_t advertised = cl_rest_conf_advertised(rest);
  cl_herder_announce(p->herder, cl_rest_conf_id(rest, rest->listeners[advertised].port));
  if (cl_server_start(rest, p->herder, &p->server, err) != 0)
    return err->code;
  cl_herder_announce(p->herder, cl_rest_conf_id(rest, cl_server_port(p->server, advertised)));
  return 0;
}

/* Where REST listens, as people would type it. */
static char *rest_urls(const struct process *p) {
  const struct cl_rest_conf *rest = &p->worker->conf->rest;
  struct cl_buf out = {0};
  for (size_t i = 0; i < rest->n_listeners; i++) {
    char *url = cl_rest_conf_url(&rest->listeners[i], cl_server_port(p->server, i));
    bool first_admin = rest->listeners[i].admin && !rest->listeners[i - 1].admin;
    cl_buf_fmt(&out, "%s%s", first_admin ? "; admin on " : i ? ", " : "", url ? url : "");
    free(url);
  }
  char *text = cl_buf_take(&out);
  cl_buf_free(&out);
  return text;
}

/* A name that exists already or an invalid config ends the worker, as in Apache. */
static int create_connector(struct process *p, const char *path) {
  struct cl_err err;
  struct cl_reply reply = {0};
  struct cl_command *cmd = calloc(1, sizeof(*cmd));
  if (!cmd || cl_cli_connector_file(path, &cmd->name, &cmd->config, &cmd->initial_state, &err) != 0) {
    CL_LOG(CL_ERROR, "connector file %s cannot be used: %s", path, cmd ? err.msg : "no memory");
    free(cmd);
    return CL_EXIT_CONNECTOR;
  }
  cmd->kind = CL_CMD_CREATE;
  cmd->given = true;
  cl_herder_call(p->herder, cmd, &reply);
  int status = reply.status;
  if (status != 201)
    CL_LOG(CL_ERROR, "connector file %s cannot be used: %s", path, cl_json_str(reply.body, "message"));
  cl_reply_clear(&reply);
  return status == 201 ? CL_EXIT_OK : CL_EXIT_CONNECTOR;
}

/* One that does not start says so in its status. */
static int restore_connectors(struct process *p) {
  const char *file = p->worker->conf->connectors_file;
  struct cl_reply reply = {0};
  struct cl_command *cmd = calloc(1, sizeof(*cmd));
  if (!cmd || !(cmd->name = strdup(file ? file : ""))) {
    CL_LOG(CL_ERROR, "no memory for the connectors");
    free(cmd);
    return CL_EXIT_START;
  }
  cmd->kind = CL_CMD_RESTORE;
  cl_herder_call(p->herder, cmd, &reply);
  cl_reply_clear(&reply);
  return CL_EXIT_OK;
}

static void close_all(struct process *p) {
  if (p->server)
    cl_server_stop(p->server, 5000);
  if (p->herder)
    cl_herder_stop(p->herder);
  int stuck = cl_task_abandoned_total() +
              (p->worker && p->worker->control ? cl_control_abandoned(p->worker->control) : 0);
  if (stuck > 0) {
    /* A stuck thread still runs in memory that the steps below would free. */
    CL_LOG(CL_WARN, "%d stuck threads are left behind; ending the process under them", stuck);
    cl_log_close();
    _exit(CL_EXIT_OK);
  }
  cl_worker_close(p->worker);
}

static int start_and_wait(struct process *p, const char *file, char **connectors, int n,
                          const sigset_t *signals) {
  struct cl_err err = CL_ERR_INIT;
  int64_t begun = cl_now_ms();
  if (open_worker(p, file, &err) != 0 || open_rest(p, &err) != 0) {
    CL_LOG(CL_ERROR, "the worker cannot start: %s", err.msg);
    return CL_EXIT_START;
  }
  for (int i = 0; i < n; i++) {
    int rc = create_connector(p, connectors[i]);
    if (rc != CL_EXIT_OK)
      return rc;
  }
  int rc = restore_connectors(p);
  if (rc != CL_EXIT_OK)
    return rc;
  cl_herder_ready(p->herder);
  char *urls = rest_urls(p);
  CL_LOG(CL_INFO, "Kafka Connect started in %lld ms; REST on %s", (long long)(cl_now_ms() - begun),
         urls ? urls : "");
  free(urls);
  int sig = 0;
  sigwait(signals, &sig);
  CL_LOG(CL_INFO, "%s: stopping; a second one stops at once", strsignal(sig));
  return CL_EXIT_OK;
}

static int run_worker(const char *file, char **connectors, int n) {
  struct process p = {0};
  sigset_t signals;
  cl_cli_stop_signals(&signals);
  pthread_sigmask(SIG_BLOCK, &signals, NULL); /* before any thread exists: they inherit it */
  signal(SIGPIPE, SIG_IGN);
  raise_file_limit();
  int rc = start_and_wait(&p, file, connectors, n, &signals);
  pthread_sigmask(SIG_UNBLOCK, &signals, NULL); /* from here a signal has its default effect */
  close_all(&p);
  CL_LOG(CL_INFO, "Kafka Connect stopped");
  cl_log_close();
  return rc;
}

int cl_cli_run(int argc, char **argv) {
  static const struct option options[] = {{"worker", required_argument, NULL, 'w'}, {0}};
  const char *file = NULL;
  int opt;
  while ((opt = getopt_long(argc, argv, "w:", options, NULL)) != -1) {
    if (opt != 'w' || !cl_cli_worker_file(&file, optarg))
      return CL_EXIT_USAGE;
  }
  if (!file) {
    cl_cli_complain(
        "which worker file? connect-lua --worker FILE [connector.properties|connector.json ...]; see --help");
    return CL_EXIT_USAGE;
  }
  return run_worker(file, argv + optind, argc - optind);
}
