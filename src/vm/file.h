/* SPDX-License-Identifier: Apache-2.0
 * What reader.c and writer.c share. Their functions are declared in abi.h. */
#pragma once

#include "connect_lua/abi_c.h"

#include "base/err.h"
#include "record/codec.h"

/* Fills the error slot that cl_ffi_error reads, and answers code. */
#define cl_file_fail(code, ...) cl_err_set(cl_ffi_err(), code, __VA_ARGS__)
