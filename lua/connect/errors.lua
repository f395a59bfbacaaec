-- SPDX-License-Identifier: Apache-2.0
-- The errors a plugin raises on purpose. Each function raises, so both
-- `connect.retriable("...")` and `error(connect.retriable("..."))` do what they say.
-- Anything else that is thrown ends the task.

local ffi = require "ffi"

local C = require "connect.host.abi"

local mt = { __name = "connect.error" } -- src/vm/call.c knows errors by this name
mt.__tostring = function(e) return e.message end

local function text(fmt, ...)
  fmt = tostring(fmt)
  if select("#", ...) == 0 then return fmt end
  return string.format(fmt, ...)
end

local errors = {}

--- An error object; class is "retriable", "data", "fatal" or "stopped".
function errors.new(class, message) return setmetatable({ class = class, message = message }, mt) end

--- The same call may succeed later: a sink's batch is put again, a source is polled again.
function errors.retriable(fmt, ...) error(errors.new("retriable", text(fmt, ...)), 2) end

--- This record cannot be processed; others can.
function errors.data_error(fmt, ...) error(errors.new("data", text(fmt, ...)), 2) end

--- The task cannot go on.
function errors.fatal(fmt, ...) error(errors.new("fatal", text(fmt, ...)), 2) end

--- An error of Apache's: java is its exception class, which traces and dead letters show. It
-- is this record's fault, or in `configure` the configuration's.
function errors.throw(java, fmt, ...)
  local e = errors.new("data", text(fmt, ...))
  e.java = java
  error(e, 2)
end

local ENOMEM = -5 -- CL_ENOMEM of src/base/err.h

--- The same for what is wrong with a configuration.
function errors.config(fmt, ...)
  local e = errors.new("data", text(fmt, ...))
  e.java = "org.apache.kafka.common.config.ConfigException"
  error(e, 2)
end

--- What a failed cl_ffi_* call left behind, raised: this record's fault, or the task has no memory left.
function errors.throw_last()
  local message = ffi.string(C.cl_ffi_error())
  if C.cl_ffi_error_code() == ENOMEM then
    error(errors.new("fatal", message .. ": the records at work are more than connect.lua.memory.max.bytes"), 2)
  end
  local e = errors.new("data", message)
  local java = C.cl_ffi_error_class()
  if java ~= nil then e.java = ffi.string(java) end
  local cause = ffi.string(C.cl_ffi_error_trace())
  if cause ~= "" then e.trace = cause end
  error(e, 2)
end

-- Also those that C raises (src/vm/call.c), which have a metatable of their own.
local function is_ours(e)
  local m = type(e) == "table" and getmetatable(e)
  return type(m) == "table" and rawget(m, "__name") == mt.__name
end

-- A text for C, which ends it at a NUL.
local function shown(s) return s and (tostring(s):gsub("%z", "\\0")) end

--- Whatever was thrown, as class, message, Java class (nil = the usual one of its class) and the
-- lines of its trace (nil = where it was thrown). The texts have \0 for a NUL.
function errors.parts(e)
  if is_ours(e) then
    return rawget(e, "class"), shown(rawget(e, "message") or "nil"), rawget(e, "java"), shown(rawget(e, "trace"))
  end
  if type(e) == "string" or type(e) == "number" then return nil, shown(e) end
  return nil, "(error object is a " .. type(e) .. " value)"
end

return errors
