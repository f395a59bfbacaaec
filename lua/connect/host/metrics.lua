-- SPDX-License-Identifier: Apache-2.0
-- ctx.metrics: a plugin's own numbers, which GET /metrics shows as connect_lua_plugin_<name>.
--
--   local rows = ctx.metrics:counter "rows"   rows:add()   rows:add(12)
--   local open = ctx.metrics:gauge "open"     open:set(3)  open:add(-1)

local C = require "connect.host.abi"

local function check_number(what, n)
  if type(n) ~= "number" or n ~= n or n == math.huge or n == -math.huge then
    error(("%s takes a finite number, not %s"):format(what, type(n) == "number" and tostring(n) or "a " .. type(n)), 3)
  end
end

return function(task)
  local known = {} -- name -> the object

  local function make(name, kind)
    if type(name) ~= "string" or #name > 63 or not name:find "^[a-z][a-z0-9_]*$" then
      error(("ctx.metrics:%s: a name of at most 63 of a-z, 0-9 and _ is needed, a letter first"):format(kind), 3)
    end
    if kind == "gauge" and name:find "_total$" then error("ctx.metrics: only a counter's name ends with _total", 3) end
    if kind == "counter" then name = name:gsub("_total$", "") end -- it is added where it is shown
    local metric = known[name]
    if metric then
      if metric.kind ~= kind then error(("ctx.metrics: %s is a %s already"):format(name, metric.kind), 3) end
      return metric
    end
    local id = C.cl_ffi_metric(task, name, kind == "gauge" and 1 or 0)
    if id == -2 then error(("ctx.metrics:%s: a metric's name may hold no secret"):format(kind), 3) end
    if id < 0 then error("ctx.metrics: a task may have no more than 64 metrics of its own", 3) end
    metric = { kind = kind }
    function metric:add(n) -- luacheck: no self
      if n == nil then n = 1 end
      check_number("add", n)
      if kind == "counter" and n < 0 then error("a counter only grows", 2) end
      C.cl_ffi_metric_add(task, id, n)
    end
    if kind == "gauge" then
      function metric:set(value) -- luacheck: no self
        check_number("set", value)
        C.cl_ffi_metric_set(task, id, value)
      end
    end
    known[name] = metric
    return metric
  end

  local metrics = {}
  --- What has happened so often since the task began.
  function metrics:counter(name) return (make(name, "counter")) end -- luacheck: no self
  --- What is now.
  function metrics:gauge(name) return (make(name, "gauge")) end -- luacheck: no self
  return metrics
end
