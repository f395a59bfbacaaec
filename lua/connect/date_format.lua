-- SPDX-License-Identifier: Apache-2.0
-- Java's SimpleDateFormat, English and in UTC, over values in place (see connect.edit).

local ffi = require "ffi"

local C = require "connect.host.abi"
local address = require "connect.host.address"
local errors = require "connect.errors"
local host = require "connect.host.c"

local format_p = ffi.typeof "const struct cl_date_format *"
local current = address.current
local EDATA = -12 -- CL_EDATA of src/base/err.h

local date_format = {}

--- The format of a pattern, which lives as long as the task; raises what Java throws for one that is none.
function date_format.new(pattern)
  local ok, format = pcall(host.date_format, pattern)
  if ok then return ffi.cast(format_p, format) end
  local _, why, java = errors.parts(format)
  if not java then error(format, 0) end
  errors.throw(java, "%s", why)
end

--- The value becomes the text of ms (an int64_t).
function date_format.write(format, ms, val)
  if C.cl_ffi_date_format(format, current.batch, ms, val) ~= 0 then errors.throw_last() end
end

local parsed = ffi.new "int64_t[1]"

--- The ms (an int64_t) that the text in val starts with; nil when it does not match.
function date_format.read(format, val)
  local rc = C.cl_ffi_date_parse(format, val.s, val.len, parsed)
  if rc == 0 then return parsed[0] end
  if rc ~= EDATA then errors.throw_last() end
  return nil
end

return date_format
