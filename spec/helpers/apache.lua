-- SPDX-License-Identifier: Apache-2.0
--
-- Apache's standalone worker as a child process.
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
  local argv = { "env", "TZ=UTC", -- Java prints dates in the local zone, we in UTC
    helpers.root .. "/tests/kafka/broker", "connect",
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

return apache
