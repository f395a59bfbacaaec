-- SPDX-License-Identifier: Apache-2.0
--
-- Apache's standalone worker as a child process, and what compares its output with ours.
local helpers = require "spec.helpers"

local apache = {}
local Apache = {}
Apache.__index = Apache

--- Apache's worker with these connector files, in the folder of one of ours (helpers.worker) and
-- with its config, offsets file included; returns when its REST interface answers.
function apache.start(worker, files)
  local port = helpers.free_port()
  local config = {}
  for key, value in pairs(worker.config) do config[key] = value end
  config.listeners = "http://127.0.0.1:" .. port
  local argv = { helpers.root .. "/tests/kafka/broker", "connect",
    helpers.write(worker:path "apache.properties", helpers.properties(config)) }
  for _, file in ipairs(files) do argv[#argv + 1] = file end
  local self = setmetatable({ url = "http://127.0.0.1:" .. port, path = worker:path "apache.log" }, Apache)
  self.process = helpers.spawn(argv, self.path)
  helpers.wait_for("Apache's worker to answer", function()
    assert(not self.process:ended(), helpers.read(self.path))
    return (helpers.http("GET", self.url .. "/connectors")) == 200
  end)
  return self
end

function Apache:stop()
  self.process:kill("TERM")
  self.process:wait(120) -- ends by the signal, after its shutdown hooks
end

-- A JSON text or what Java prints, from `at`: answers it with the members of objects sorted, and
-- where it ends. Text that Java prints must hold no bracket, comma or quote.
local function sorted(text, at, nested)
  local out = {}
  while at <= #text do
    local c = text:sub(at, at)
    if c == '"' then
      local stop = at
      repeat
        stop = assert(text:find('[\\"]', stop + 1), "an open string")
        local escape = text:sub(stop, stop) == "\\"
        if escape then stop = stop + 1 end
      until not escape
      out[#out + 1] = text:sub(at, stop)
      at = stop + 1
    elseif c == "{" or c == "[" then
      local members, separator = {}
      local keep = c == "[" or table.concat(out):sub(-6) == "Struct"
      repeat
        local member
        member, at = sorted(text, at + 1, true)
        members[#members + 1] = member:match("^ ?(.*)$")
        separator = text:sub(at, at)
      until separator ~= ","
      if not keep then table.sort(members) end
      out[#out + 1] = c .. table.concat(members, ",") .. separator
      at = at + 1
    elseif nested and c:find "[,%]}]" then
      break
    else
      out[#out + 1] = c
      at = at + 1
    end
  end
  return table.concat(out), at
end

--- The text with the members of all objects in order.
function apache.canonical(text)
  return (sorted(text, 1, false))
end

return apache
