/* SPDX-License-Identifier: Apache-2.0
 * abi.h for C: it includes nothing itself because ffi.cdef reads it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "connect_lua/abi.h"
