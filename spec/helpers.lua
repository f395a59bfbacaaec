-- SPDX-License-Identifier: Apache-2.0
--
-- What the integration specs share: a worker started as a child of the real binary, HTTP
-- to it, scratch folders, waiting by asking.
--
--   CL_BINARY  the connect-lua to test   default: the one that runs the specs
--   CL_BROKER  "embedded" or HOST:PORT   default: embedded
--   CL_BROKER_DIR  folder of tests/kafka/broker, where a spec may stop and start it
--   CL_KEEP    set: scratch folders stay
local json = require "dkjson"
local process = require "spec.helpers.process"

local helpers = { root = process.cwd(), sleep = process.sleep }
helpers.binary = os.getenv "CL_BINARY" or process.self()
helpers.broker = os.getenv "CL_BROKER" or "embedded"

-- Far beyond what a healthy run needs, sanitizers on a busy machine included.
local PATIENCE = 120

-- ------------------------------------------------------------------ files

local function quote(s)
  return "'" .. s:gsub("'", "'\\''") .. "'"
end

function helpers.shell(command)
  local pipe = assert(io.popen(command .. " 2>&1; echo \" $?\""))
  local out = pipe:read("*a")
  pipe:close()
  local text, code = out:match("^(.*) (%d+)\n$")
  return text, tonumber(code)
end

local folders = {}

--- A scratch folder of this test.
function helpers.folder()
  local path = helpers.shell("mktemp -d " .. quote((os.getenv "TMPDIR" or "/tmp") .. "/connect-lua.XXXXXX")):match("%S+")
  folders[#folders + 1] = path
  return path
end

function helpers.read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("*a")
  file:close()
  return text
end

local function put(path, mode, text)
  local file = assert(io.open(path, mode))
  file:write(text)
  assert(file:close())
  return path
end
function helpers.write(path, text) return put(path, "wb", text) end
function helpers.append(path, text) return put(path, "ab", text) end

--- Properties text of a table, keys in order.
function helpers.properties(config)
  local keys, out = {}, {}
  for key in pairs(config) do keys[#keys + 1] = key end
  table.sort(keys)
  for _, key in ipairs(keys) do
    out[#out + 1] = key .. "=" .. tostring(config[key]):gsub("\\", "\\\\")
  end
  return table.concat(out, "\n") .. "\n"
end

local serial = 0
--- A name nobody else uses, on brokers that outlive the test as well.
function helpers.unique(what)
  serial = serial + 1
  return ("%s-%d-%d-%d"):format(what, os.time(), math.floor(process.now() * 1000) % 100000, serial)
end

-- ---------------------------------------------------------------- waiting

local workers = {}

--- Asks until ask() answers something true and returns that; after `seconds` an error with
-- what it waited for and the end of the newest worker's log.
function helpers.wait_for(what, ask, seconds)
  local deadline = process.now() + (seconds or PATIENCE)
  while true do
    local answer = ask()
    if answer then return answer end
    if process.now() > deadline then
      local last = workers[#workers]
      error(("waited %d s in vain for %s%s"):format(seconds or PATIENCE, what,
        last and "; the worker's log ends:\n" .. last:log():sub(-3000) or ""), 2)
    end
    process.sleep(0.02)
  end
end

function helpers.wait_for_text(path, text)
  return helpers.wait_for(path .. " to hold what was sent", function() return helpers.read(path) == text end)
end

-- ------------------------------------------------------------------- HTTP

--- One request by curl. Answers status, body (JSON decoded; otherwise its text), headers; without an
-- answer nil and what curl said. options: further arguments of curl, as a shell reads them.
function helpers.http(method, url, body, headers, options)
  local answer = os.tmpname()
  local command = { "curl -sS --globoff --max-time", PATIENCE, method == "HEAD" and "-I" or "-X " .. method, "-D -", "-o", quote(answer) }
  local sent
  if body ~= nil then
    sent = helpers.write(os.tmpname(), type(body) == "string" and body or json.encode(body))
    command[#command + 1] = "--data-binary @" .. sent
    headers = headers or { ["Content-Type"] = "application/json" }
  end
  for name, value in pairs(headers or {}) do command[#command + 1] = "-H " .. quote(name .. ": " .. value) end
  command[#command + 1] = options or ""
  command[#command + 1] = quote(url)
  local head = helpers.shell(table.concat(command, " "))
  local text = helpers.read(answer) or ""
  os.remove(answer)
  if sent then os.remove(sent) end
  local status, fields = nil, {}
  for code in head:gmatch("HTTP/[%d.]+ (%d+)") do status = tonumber(code) end
  if not status then return nil, head end
  for name, value in head:gmatch("\n([%w-]+): ?([^\r\n]*)") do fields[name:lower()] = value end
  local decoded = text ~= "" and json.decode(text)
  return status, decoded or text, fields
end

-- ---------------------------------------------------------------- workers

local Worker = {}
Worker.__index = Worker

--- A worker in a scratch folder of its own, not started. config: keys over the defaults here
-- (false takes one away); connectors: list of configs given on the command line.
function helpers.worker(config, connectors)
  local self = setmetatable({ folder = helpers.folder(), binary = helpers.binary }, Worker)
  self.config = {
    ["bootstrap.servers"] = helpers.broker,
    ["key.converter"] = "org.apache.kafka.connect.storage.StringConverter",
    ["value.converter"] = "org.apache.kafka.connect.storage.StringConverter",
    ["offset.storage.file.filename"] = self.folder .. "/offsets",
    ["offset.flush.interval.ms"] = "500",
    ["listeners"] = "http://127.0.0.1:0",
  }
  for key, value in pairs(config or {}) do self.config[key] = value or nil end
  self.files = {}
  for i, connector in ipairs(connectors or {}) do
    self.files[i] = helpers.write(("%s/connector-%d.properties"):format(self.folder, i), helpers.properties(connector))
  end
  return self
end

function Worker:path(name) return self.folder .. "/" .. name end
function Worker:log() return helpers.read(self:path("log")) or "" end

--- Starts it without waiting for anything. self.command, when set, is run as it is.
function Worker:launch()
  local argv = self.command
  if not argv then
    argv = { self.binary, "--worker", helpers.write(self:path("worker.properties"), helpers.properties(self.config)) }
    for _, file in ipairs(self.files) do argv[#argv + 1] = file end
  end
  self.read_from = #self:log() + 1
  self.process = process.start(argv, { output = self:path("log"), cwd = self.cwd })
  workers[#workers + 1] = self
  return self
end

--- Starts it and waits until it says where its REST interface listens.
function Worker:start()
  self:launch()
  self.url = helpers.wait_for("the worker's first lines", function()
    assert(not self.process:ended(), "the worker ended while starting; its log:\n" .. self:log():sub(-3000))
    return self:log():match("REST on (https?://[^%s,;]-:%d+)", self.read_from)
  end)
  self.urls = {} -- of all listeners, in their order
  for url in self:log():match("REST on ([^\n(;]+)", self.read_from):gmatch("https?://[^%s,;]-:%d+") do
    self.urls[#self.urls + 1] = url
  end
  self.admin_url = self:log():match("; admin on (https?://[^%s,;]-:%d+)", self.read_from)
  return self
end

--- No sanitizer may have complained; what a plugin threw may be in the log.
local function assert_silent(self)
  for _, sign in ipairs { "Sanitizer", "runtime error:" } do
    local at = self:log():find(sign, 1, true)
    assert(not at, at and "the worker's log has a sanitizer report:\n" .. self:log():sub(math.max(1, at - 500), at + 4000))
  end
end

--- Waits for its end and answers exit code, signal.
function Worker:wait()
  local code, signal = self.process:wait(PATIENCE)
  assert_silent(self)
  return code, signal
end

--- Stops it as an operator does; it must end with 0.
function Worker:stop()
  self.process:kill("TERM")
  local code, signal = self:wait()
  assert(code == 0, ("the worker ended with code %s, signal %s; its log ends:\n%s"):format(
    tostring(code), tostring(signal), self:log():sub(-3000)))
end

--- kill -9.
function Worker:crash()
  self.process:kill("KILL")
  self.process:wait(PATIENCE)
  assert_silent(self)
end

function Worker:http(method, path, body, headers, options)
  return helpers.http(method, self.url .. path, body, headers, options)
end
function Worker:get(path)
  local status, body = self:http("GET", path)
  return body, status
end

--- Creates a connector and expects 201.
function Worker:create(name, config)
  local status, body = self:http("POST", "/connectors", { name = name, config = config })
  assert(status == 201, ("creating %s: %s %s"):format(name, tostring(status), json.encode(body)))
  return body
end

--- Waits until connector and all its tasks are in this state; tasks: how many there must be.
function Worker:wait_state(name, state, tasks)
  return helpers.wait_for(name .. " to be " .. state, function()
    local status, found = self:get("/connectors/" .. name .. "/status")
    if found ~= 200 or (status.connector.state ~= state and state ~= "FAILED") then return nil end
    if #status.tasks ~= (tasks or 1) then return nil end
    for _, task in ipairs(status.tasks) do
      if task.state ~= state then return nil end
    end
    return status
  end)
end

-- ------------------------------------------------- the pipeline most specs move

--- File -> topic -> file: names and configs, not started.
function helpers.pipeline(folder, extra)
  local p = { topic = helpers.unique("lines"), from = folder .. "/in.txt", to = folder .. "/out.txt" }
  p.source = {
    name = helpers.unique("source"), ["connector.class"] = "FileStreamSource", ["tasks.max"] = "1",
    file = p.from, topic = p.topic,
  }
  p.sink = {
    name = helpers.unique("sink"), ["connector.class"] = "FileStreamSink", ["tasks.max"] = "1",
    file = p.to, topics = p.topic,
  }
  for key, value in pairs(extra or {}) do p.source[key], p.sink[key] = value, value end
  return p
end

--- Runs a verb of the binary to its end: exit code, stdout, stderr.
function helpers.run(argv, cwd)
  local folder = helpers.folder()
  table.insert(argv, 1, helpers.binary)
  local child = process.start(argv, { output = folder .. "/out", errors = folder .. "/err", cwd = cwd })
  local code, signal = child:wait(PATIENCE)
  local out, err = helpers.read(folder .. "/out") or "", helpers.read(folder .. "/err") or ""
  assert(not (out .. err):find("Sanitizer", 1, true), err)
  assert(code, ("ended by signal %s\n%s"):format(tostring(signal), err:sub(-3000)))
  return code, out, err
end

--- A port of 127.0.0.1 that nobody listens on, for programs that cannot say which they took.
function helpers.free_port()
  return (helpers.shell("bash -c " .. quote(". " .. helpers.root .. "/tests/setup.sh && free_port")):match("%d+"))
end

--- Starts any other program, its output in `log`.
function helpers.spawn(argv, log, cwd)
  return process.start(argv, { output = log, cwd = cwd })
end

local broker_stopped = false

local function broker(prefix, verb, dir, more)
  local command = ("%s %s/tests/kafka/broker %s %s %s"):format(prefix, quote(helpers.root), verb, quote(dir), more or "")
  local out, code = helpers.shell(command)
  assert(code == 0, command .. ": " .. out)
end

local function shared_broker()
  return (assert(os.getenv "CL_BROKER_DIR", "CL_BROKER_DIR does not say where the broker is"))
end

--- Stops the real broker, and starts it again with all it held.
function helpers.stop_broker()
  broker_stopped = true
  broker("", "stop", shared_broker())
end
function helpers.start_broker()
  broker("env -u CL_TEST_RUN", "start", shared_broker(), helpers.broker:match ":(%d+)$") -- it outlives this suite
  broker_stopped = false
end

-- The broker stands still, and goes on as if nothing had been.
local broker_halted = false
local function signal_broker(name)
  local out, code = helpers.shell(("kill -%s $(cat %s/pid)"):format(name, quote(shared_broker())))
  assert(code == 0, out)
end
function helpers.halt_broker()
  broker_halted = true
  signal_broker "STOP"
end
function helpers.continue_broker()
  if broker_halted then signal_broker "CONT" end
  broker_halted = false
end

local own_brokers = {}
local Broker = {}
Broker.__index = Broker

--- A real broker of this spec's own, with these settings; helpers.clean ends it.
function helpers.own_broker(settings)
  local self = setmetatable({ folder = helpers.folder(), port = helpers.free_port() }, Broker)
  self.address = "127.0.0.1:" .. self.port
  for key, value in pairs(settings) do self.settings = (self.settings or "") .. " " .. quote(key .. "=" .. value) end
  own_brokers[#own_brokers + 1] = self
  self:start()
  return self
end
function Broker:start() broker("", "start", self.folder, self.port .. (self.settings or "")) end
function Broker:stop() broker("", "stop", self.folder) end

--- After each test: ends what still runs, removes scratch folders.
function helpers.clean()
  helpers.continue_broker()
  if broker_stopped then helpers.start_broker() end
  process.reap()
  workers = {}
  for _, own in ipairs(own_brokers) do own:stop() end
  own_brokers = {}
  if not os.getenv "CL_KEEP" then
    for _, path in ipairs(folders) do helpers.shell("rm -rf " .. quote(path)) end
  end
  folders = {}
end

return helpers
