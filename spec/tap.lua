-- SPDX-License-Identifier: Apache-2.0
--
-- busted's output handler for scripts/test: TAP that names each test before it runs (so
-- that a hang shows where) and that survives errors outside of tests, which busted's own does not.
return function()
  local busted = require "busted"
  local handler = require "busted.outputHandlers.base"()
  local count = 0

  local function say(...)
    io.stdout:write(string.format(...), "\n")
    io.stdout:flush()
  end

  local function comment(text)
    say("#   %s", (tostring(text):gsub("\n", "\n#   ")))
  end

  local function failed(report)
    say("not ok %d - %s", count, report.name or "?")
    local trace = report.trace or {}
    local message = report.message
    comment(type(message) == "string" and message or require("pl.pretty").write(message))
    if trace.traceback then comment(trace.traceback) end
  end

  busted.subscribe({ "test", "start" }, function(element)
    say("# %s", handler.getFullName(element))
    return nil, true
  end)

  busted.subscribe({ "test", "end" }, function(element, _, status)
    count = count + 1
    if status == "success" then
      say("ok %d - %s", count, handler.getFullName(element))
    elseif status == "pending" then
      say("ok %d - # SKIP %s", count, handler.getFullName(element))
    else
      local list = status == "failure" and handler.failures or handler.errors
      failed(list[#list])
    end
    return nil, true
  end)

  busted.subscribe({ "error" }, function(element)
    if element.descriptor ~= "it" then
      count = count + 1
      failed(handler.errors[#handler.errors])
    end
    return nil, true
  end)

  busted.subscribe({ "suite", "end" }, function()
    say("1..%d", count)
    return nil, true
  end)

  return handler
end
