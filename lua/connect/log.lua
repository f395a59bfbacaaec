-- SPDX-License-Identifier: Apache-2.0
-- log:info("read %d lines", n): lines of the worker's log, in the task's context.

local host = require "connect.host.c"

local log = {}

-- enum cl_level
for level, name in pairs { [0] = "trace", "debug", "info", "warn", "error" } do
  log[name] = function(self, fmt, ...)
    if type(self) == "string" then error("call it as log:" .. name .. "(...)", 2) end
    fmt = tostring(fmt)
    host.log(level, select("#", ...) > 0 and fmt:format(...) or fmt)
  end
end

return log
