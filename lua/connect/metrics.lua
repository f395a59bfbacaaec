-- SPDX-License-Identifier: Apache-2.0
-- A plugin's own numbers, which GET /metrics shows as connect_lua_plugin_<name> of its task. ctx.metrics is the same
-- for connectors; transforms, predicates and converters, which have no ctx, have this.
--
--   local metrics = require("connect").metrics
--   configure = function() return { seen = metrics:counter "seen" } end     self.seen:add()
--   metrics:gauge "open"                                                     open:set(3)
--
-- The same name is the same metric wherever it is asked for in a task, which has 64 at most. Where there is no task
-- (connect-lua try, specs) nobody counts.

local of_task = require "connect.host.metrics"
local running = require "connect.host.running"

local made, task -- for this task

local function current()
  if not made or task ~= running.task then made, task = of_task(running.task), running.task end
  return made
end

local metrics = {}

function metrics:counter(name) return (current():counter(name)) end -- luacheck: no self

function metrics:gauge(name) return (current():gauge(name)) end -- luacheck: no self

return metrics
