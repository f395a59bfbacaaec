-- SPDX-License-Identifier: Apache-2.0
-- What C calls in a task's state (src/vm/vm.c): load once, then the verbs, each inside one
-- protected call.

local C = require "connect.host.abi"
local address = require "connect.host.address"
local place = require "connect.host.place"
local running = require "connect.host.running"

local kinds = {
  source = require "connect.host.source",
  sink = require "connect.host.sink",
}

local verbs -- of the loaded connector

local M = {}

--- spec: connector, task, tasks_max, kind, opaque, space, plugin, key, value, header, transforms,
-- tolerate (errors.tolerance=all), keep_emitted (a source's records are kept as they were before transforms).
function M.load(spec)
  address.use_space(spec.space)
  running.task, running.clock = spec.opaque, spec.clock
  local at = C.cl_ffi_at(spec.opaque)
  if at ~= nil then running.at = at end
  place.tolerate(spec.tolerate)
  local make = kinds[spec.kind] or error("a " .. tostring(spec.kind) .. " is no connector")
  verbs = make(spec)
  spec.plugin, spec.key, spec.value, spec.header, spec.transforms = nil, nil, nil, nil, nil -- to be replaced one day
end

--- next: plugin, key, value, header and, by place, transforms, as in spec, of what has another generation. They are
-- set up as at the start and take the place of what ran; an error leaves all as it was.
function M.reload(next)
  address.enter(nil)
  address.lasting(verbs.reload, next)
end

for _, name in ipairs { "start", "poll", "seal", "commit", "commit_record", "convert", "put", "flush", "open", "close",
  "stop" } do
  M[name] = function(...)
    local verb = verbs[name]
    if verb then return verb(...) end
  end
end

return M
