/* SPDX-License-Identifier: Apache-2.0
 * The verbs for authors that are written in Lua, lua/connect/kit/<verb>.lua: new, test, lint, doc,
 * types. */
#include "cli/cli.h"

#include "vm/vm.h"

#include <stdlib.h>

int cl_cli_kit(int argc, char **argv) {
  struct cl_err err = CL_ERR_INIT;
  char *home = cl_cli_home(&err);
  if (!home) {
    cl_cli_complain("%s", err.msg);
    return CL_EXIT_START;
  }
  int rc = cl_vm_run_tool(home, argv[0], argc - 1, argv + 1);
  free(home);
  return rc;
}
