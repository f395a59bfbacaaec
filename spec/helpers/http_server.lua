-- SPDX-License-Identifier: Apache-2.0
--
-- An HTTP server for specs, in a process of its own (spec/fixtures/http/child.lua): it answers as a script says, and
-- keeps what it was asked.
local helpers = require "spec.helpers"
local json = require "dkjson"
local process = require "spec.helpers.process"

local Server = {}
Server.__index = Server

--- script: Lua text, called with the request { n, connection, method, target, path, headers, body } (n: how many there
-- have been), that returns the response: { status =, headers =, body =, raw = bytes instead of all, delay = ms before,
-- parts = pieces of the body, pause = ms before each, close = true, hang = true (no answer) }.
function Server.start(script)
  local folder = helpers.folder()
  helpers.write(folder .. "/script.lua", script)
  local self = setmetatable({ folder = folder, asked = folder .. "/asked" }, Server)
  self.process = process.start({ "env", "ASAN_OPTIONS=detect_leaks=0", "CL_SERVER=" .. folder, process.self(), "test",
    "spec/fixtures/http/child.lua" }, { output = folder .. "/out" })
  local deadline = process.now() + 60
  while not helpers.read(folder .. "/port") do
    assert(not self.process:ended() and process.now() < deadline, helpers.read(folder .. "/out"))
    process.sleep(0.01)
  end
  self.port = tonumber(helpers.read(folder .. "/port"))
  self.url = "http://127.0.0.1:" .. self.port
  return self
end

--- What it was asked so far, as a list; it is forgotten.
function Server:take()
  local out = {}
  for line in (helpers.read(self.asked) or ""):gmatch "[^\n]+" do out[#out + 1] = json.decode(line) end
  local all = out
  out = {}
  for i = (self.taken or 0) + 1, #all do out[#out + 1] = all[i] end
  self.taken = #all
  return out
end

function Server:stop()
  self.process:kill "KILL"
  self.process:wait(60)
end

return Server
