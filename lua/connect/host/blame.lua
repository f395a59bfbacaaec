-- SPDX-License-Identifier: Apache-2.0
-- Errors about what a plugin's function returned: by then it is gone from the stack, so that
-- the trace is made here, from where it was defined.

local errors = require "connect.errors"

--- Ends the task; name is what the plugin calls fn.
return function(fn, name, fmt, ...)
  local info = debug.getinfo(fn, "S")
  local e = errors.new("fatal", fmt:format(...))
  if info.what ~= "C" then
    e.trace = ("\tat %s:%d in function '%s'"):format((info.source:gsub("^@", "", 1)), info.linedefined, name)
  end
  error(e, 0)
end
