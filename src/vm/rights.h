/* SPDX-License-Identifier: Apache-2.0
 *
 * What plugins may do beyond the sandbox: what the worker file grants to one by name, and which
 * files connect.file may open. Who asks is lua/connect/host/rights.lua.
 * Constant data; any thread.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"

/* Borrowed while a state is opened. All NULL: nothing is granted and no file is named. */
struct cl_rights {
  const json_t *grants; /* array of "plugin:grant", checked by cl_rights_check */
  const json_t *files;  /* object, a connector's config as it was given: its values name files */
};

/* Whether every entry is the name of a plugin's file (without .lua), a colon and one of files, io,
 * os, ffi, debug, jit; else CL_EINVAL with what is wrong. */
int cl_rights_check(const json_t *grants, struct cl_err *err);
