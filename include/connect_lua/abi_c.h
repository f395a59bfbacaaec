/* SPDX-License-Identifier: Apache-2.0
 * abi.h for C: it includes nothing itself because ffi.cdef reads it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "connect_lua/abi.h"

_Static_assert(sizeof(struct cl_val) == CL_VAL_SIZE, "abi.h: struct cl_val");
_Static_assert(sizeof(struct cl_entry) == CL_ENTRY_SIZE, "abi.h: struct cl_entry");
_Static_assert(sizeof(struct cl_schema) == CL_SCHEMA_SIZE, "abi.h: struct cl_schema");
_Static_assert(sizeof(struct cl_record) == CL_RECORD_SIZE, "abi.h: struct cl_record");
_Static_assert(sizeof(struct cl_batch) == CL_BATCH_SIZE, "abi.h: struct cl_batch");
