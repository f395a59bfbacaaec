-- SPDX-License-Identifier: Apache-2.0
-- Declares include/connect_lua/abi.h to the FFI, once per state, and answers the
-- namespace its functions are called through. For connect.host.* and connect.* only.

local ffi = require "ffi"
local host = require "connect.host.c"

local VERSION = 13

local text = host.abi_text()
ffi.cdef(text)

-- Found now: a trace that meets a function before its first call would abort.
for name in text:gmatch "[%s*](cl_ffi_[%w_]+)%(" do assert(ffi.C[name]) end

assert(ffi.C.CL_ABI_VERSION == VERSION, "abi.h does not fit lua/connect/host")
for _, name in ipairs { "val", "entry", "schema", "record", "batch" } do
  assert(ffi.sizeof("struct cl_" .. name) == ffi.C["CL_" .. name:upper() .. "_SIZE"], "abi.h: struct cl_" .. name)
end

return ffi.C
