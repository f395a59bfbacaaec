-- SPDX-License-Identifier: Apache-2.0
-- What the control thread calls, in a fresh state each time: the connector side of plugins.

local ctx_of = require "connect.host.ctx"
local errors = require "connect.errors"
local host = require "connect.host.c"
local inline_tests = require "connect.host.inline_tests"
local sandbox = require "connect.host.sandbox"
local manifest = require "connect.host.manifest"
local running = require "connect.host.running"

local M = {}

-- What runs whenever somebody looks at plugins or edits a config must not reach out of the machine.
local TOP, TESTS = "the top of a file", "tests inside a plugin"

--- The manifest of the plugin at file, whose inline tests pass. sources: open, they keep all that is read.
function M.manifest(file, root, sources)
  running.closed = TOP
  local module = sandbox.load(file, root, sources)
  sandbox.read_named(host.read(file, sources), root, sources)
  local made = manifest.check(module, file)
  running.closed = TESTS
  inline_tests(rawget(module, "tests"), file, module)
  return made
end

-- What the plugin says no to, by an error of connect's, is an answer and no fault of its code.
local function alter_offsets(fn, config, offsets)
  local ok, result = pcall(fn, config, offsets)
  if ok then return { done = result and true or false } end
  local class, message = errors.parts(result)
  if class == nil or class == "stopped" then error(result, 0) end
  return { refused = message }
end

-- Calls one verb of the plugin with plain values and answers its first result.
function M.call(file, root, sources, verb, args)
  running.closed = TOP
  local module = sandbox.load(file, root, sources)
  running.closed = verb == "validate" and "validate" or nil
  local fn = rawget(module, verb)
  if type(fn) ~= "function" then error(file .. ": there is no function '" .. verb .. "'", 0) end
  -- As in ctx.config, what is null is not there; what tasks answers keeps it, as Apache's does.
  if verb ~= "tasks" and type(args[1]) == "table" then ctx_of.without_nulls(args[1]) end
  if verb == "alter_offsets" then return alter_offsets(fn, args[1], args[2]) end
  return (fn(unpack(args, 1, #args)))
end

return M
