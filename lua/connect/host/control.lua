-- SPDX-License-Identifier: Apache-2.0
-- What the control thread calls, in a fresh state each time: the connector side of plugins.

local sandbox = require "connect.host.sandbox"
local manifest = require "connect.host.manifest"

local M = {}

function M.manifest(file, root)
  return manifest.check(sandbox.load(file, root), file)
end

-- Calls one verb of the plugin with plain values and answers its first result.
function M.call(file, root, verb, args)
  local module = sandbox.load(file, root)
  local fn = rawget(module, verb)
  if type(fn) ~= "function" then error(file .. ": there is no function '" .. verb .. "'", 0) end
  return (fn(unpack(args, 1, #args)))
end

return M
