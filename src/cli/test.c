/* SPDX-License-Identifier: Apache-2.0
 * `connect-lua test`: specs run inside the binary, where the FFI symbols are. */
#include "cli/cli.h"

#include "vm/vm.h"

#include <stdlib.h>

int cl_cli_test(int argc, char **argv) {
  struct cl_err err = CL_ERR_INIT;
  char *home = cl_cli_home(&err);
  if (!home) {
    cl_cli_complain("%s", err.msg);
    return CL_EXIT_START;
  }
  int rc = cl_vm_run_busted(home, argc - 1, argv + 1);
  free(home);
  return rc;
}
