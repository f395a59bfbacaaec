/* SPDX-License-Identifier: Apache-2.0
 * connect-lua: which verb was asked for. The worker itself is src/cli/run.c. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

static const char help[] =
    "connect-lua " CL_VERSION ": a Kafka Connect worker with connectors in Lua\n"
    "\n"
    "  connect-lua --worker FILE [CONNECTOR ...]   run a worker; CONNECTOR files are properties or JSON\n"
    "  connect-lua plugins [--worker FILE] [--json]\n"
    "                                              list every plugin file: accepted, or rejected and why\n"
    "  connect-lua validate --worker FILE [--check] [--json] CONNECTOR ...\n"
    "                                              check connector files without running them\n"
    "  connect-lua try CONNECTOR [RECORDS]         run its converters and transforms over records, show "
    "each\n"
    "                                              step's difference; no Kafka needed. try --help says more\n"
    "\n"
    "  for authors of plugins; each says more with --help:\n"
    "  connect-lua new KIND NAME [--dir DIR]       write a plugin to start from, and its test\n"
    "  connect-lua run FILE                        run one connector on an embedded broker, show its "
    "records\n"
    "  connect-lua test [FILE | DIR ...]           run the tests of plugins, and busted specs\n"
    "  connect-lua lint FILE | DIR ...             find what is wrong with plugins without running them\n"
    "  connect-lua doc FILE | CLASS                print a plugin's page in Markdown; doc --all DIR: all\n"
    "  connect-lua types [DIR]                     write definitions for editors (LuaLS)\n"
    "\n"
    "  connect-lua --help | --version\n"
    "\n"
    "The worker file has the keys of Apache Kafka Connect's worker.properties. With\n"
    "bootstrap.servers=embedded no Kafka is needed: config/worker.conf runs as it is.\n"
    "\n"
    "  connect-lua --worker config/worker.conf config/connect-file-source.properties\n"
    "  curl localhost:8083/connectors\n"
    "\n"
    "Exit codes: 0 stopped by SIGTERM, SIGHUP or Ctrl-C, 1 wrong usage, 2 the worker cannot start,\n"
    "3 a connector of the command line cannot be created; try, run: 4 something failed; test, lint:\n"
    "5 something is wrong. A second signal ends the worker at once: 128 + its number, as 143 for SIGTERM.\n";

struct verb {
  const char *name;
  int (*run)(int argc, char **argv);
  bool own_help; /* its --help says more than ours */
};

static const struct verb verbs[] = {
    {"plugins", cl_cli_plugins, false}, {"validate", cl_cli_validate, false},
    {"try", cl_cli_try, true},          {"run", cl_cli_run_plugin, true},
    {"new", cl_cli_kit, true},          {"lint", cl_cli_kit, true},
    {"doc", cl_cli_kit, true},          {"types", cl_cli_kit, true},
    {"test", cl_cli_kit, true},
};

static bool asks_for_help(int argc, char **argv) {
  for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
    if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
      return true;
  }
  return false;
}

int main(int argc, char **argv) {
  if (argc < 2) {
    fputs(help, stderr);
    return CL_EXIT_USAGE;
  }
  if (strcmp(argv[1], "--version") == 0) {
    puts("connect-lua " CL_VERSION);
    return CL_EXIT_OK;
  }
  const struct verb *verb = NULL;
  for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
    if (strcmp(argv[1], verbs[i].name) == 0)
      verb = &verbs[i];
  }
  if ((!verb || !verb->own_help) && asks_for_help(argc - 1, argv + 1)) {
    fputs(help, stdout);
    return CL_EXIT_OK;
  }
  if (verb)
    return verb->run(argc - 1, argv + 1);
  if (argv[1][0] == '-')
    return cl_cli_run(argc, argv);
  cl_cli_complain("unknown command '%s'; connect-lua --help lists them", argv[1]);
  return CL_EXIT_USAGE;
}
