/* SPDX-License-Identifier: Apache-2.0
 *
 * The verbs of the binary. Each takes what follows its name on the command line and
 * answers the process's exit code. Thread: main.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"

#include <signal.h>

enum cl_exit { /* as Apache's ConnectStandalone, where it has one */
               CL_EXIT_OK = 0,
               CL_EXIT_USAGE = 1,
               CL_EXIT_START = 2,     /* the worker cannot start */
               CL_EXIT_CONNECTOR = 3, /* a connector of the command line cannot be created */
               CL_EXIT_RECORD = 4,    /* try: a record failed; run: a task */
               CL_EXIT_FOUND = 5,     /* test, lint: something is wrong (lua/connect/kit/options.lua) */
};

int cl_cli_run(int argc, char **argv);        /* --worker FILE [connector ...] */
int cl_cli_plugins(int argc, char **argv);    /* what was found and what was rejected */
int cl_cli_validate(int argc, char **argv);   /* checks connector files */
int cl_cli_try(int argc, char **argv);        /* converters and transforms over records, no broker */
int cl_cli_run_plugin(int argc, char **argv); /* one connector on the embedded broker, its records shown */
int cl_cli_kit(int argc, char **argv);        /* the verbs written in Lua: lua/connect/kit */

/* The folder holding lua/ and connectors/: $CONNECT_LUA_HOME, ../share/connect-lua beside
 * the executable, or the source tree of the build. malloc'd; NULL with err filled. */
char *cl_cli_home(struct cl_err *err);

/* A connector file, JSON (flat, or {"name","config","initial_state"}) or properties, tried in
 * Apache's order whatever its name. *name is malloc'd; *initial_state too, or NULL. */
int cl_cli_connector_file(const char *path, char **name, json_t **config, char **initial_state,
                          struct cl_err *err);

/* The signals that ask the process to stop: SIGTERM, SIGINT, and SIGHUP unless it is ignored. */
void cl_cli_stop_signals(sigset_t *set);

/* Takes the argument of --worker; complains and answers false when there was one already. */
bool cl_cli_worker_file(const char **file, const char *given);

/* Says what is wrong on stderr, "connect-lua: ..." */
void cl_cli_complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
