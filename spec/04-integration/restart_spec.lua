-- SPDX-License-Identifier: Apache-2.0
-- connect.lua.restart.*: what has failed comes back by itself, and nothing is lost meanwhile.
local helpers = require "spec.helpers"

describe("a connector with a restart policy", function()
  local worker, folder

  before_each(function()
    folder = helpers.folder()
    worker = helpers.worker { ["offset.flush.interval.ms"] = "100" }:start()
  end)
  after_each(function()
    worker:stop()
    helpers.clean()
  end)

  local function state(name) return worker:get("/connectors/" .. name .. "/status").tasks[1].state end

  local function sink(name, topic, more)
    local config = { name = name, ["connector.class"] = "FileStreamSink", topics = topic, file = folder .. "/target/out",
      ["consumer.override.auto.offset.reset"] = "earliest" }
    for key, value in pairs(more or {}) do config[key] = value end
    return config
  end

  it("delivers everything once its target is back", function()
    local name, topic, lines = helpers.unique "sink", helpers.unique "restart", {}
    for i = 1, 1000 do lines[i] = "line " .. i .. "\n" end
    helpers.write(folder .. "/in", table.concat(lines))
    worker:create("feed-" .. name, { name = "feed-" .. name, ["connector.class"] = "FileStreamSource",
      file = folder .. "/in", topic = topic })
    worker:create(name, sink(name, topic, { ["connect.lua.restart.max.attempts"] = "-1",
      ["connect.lua.restart.backoff.ms"] = "50", ["connect.lua.restart.backoff.max.ms"] = "200" }))
    helpers.wait_for("some starts in vain", function() return worker:log():find("again, attempt 3", 1, true) end)
    helpers.shell("mkdir " .. folder .. "/target")
    helpers.wait_for_text(folder .. "/target/out", table.concat(lines))
    worker:wait_state(name, "RUNNING")
  end)

  it("outlasts a target that is away for long, ever more patiently", function()
    local name, topic, lines, gate = helpers.unique "sink", helpers.unique "outage", {}, folder .. "/gate"
    worker:stop()
    worker = helpers.worker { ["offset.flush.interval.ms"] = "100" }
    worker.config["plugin.path"] = worker.folder
    helpers.write(worker:path "reachable.lua", [[local connect = require "connect"
      return { api = 1, kind = "sink", put = function(ctx, batch)
        if #batch == 0 then return end
        if not connect.file.reader { path = ctx.config.gate }:line() then error "the target is away" end
        local out = connect.file.writer { path = ctx.config.file }
        for _, record in batch:records() do out:line(record.value) end
        out:close()
      end, config = { { name = "gate", type = "string" }, { name = "file", type = "string" } } }]])
    worker:start()
    local function feed(from, to)
      for i = from, to do lines[i] = "line " .. i .. "\n" end
      helpers.write(folder .. "/in", table.concat(lines))
    end
    local function arrived()
      local seen = {}
      for line in (helpers.read(folder .. "/out") or ""):gmatch "[^\n]+\n" do seen[line] = true end
      for _, line in ipairs(lines) do if not seen[line] then return false end end
      return true
    end
    local function attempt(n) return worker:log():match(("again, attempt %d, (%%d+) ms after it failed"):format(n)) end
    helpers.write(gate, "open\n")
    feed(1, 100)
    worker:create("feed-" .. name, { ["connector.class"] = "FileStreamSource", file = folder .. "/in", topic = topic })
    worker:create(name, { ["connector.class"] = "reachable", topics = topic, gate = gate, file = folder .. "/out",
      ["connect.lua.restart.max.attempts"] = "-1", ["connect.lua.restart.backoff.ms"] = "100",
      ["connect.lua.restart.backoff.max.ms"] = "800", ["consumer.override.auto.offset.reset"] = "earliest" })
    helpers.wait_for("what came before the outage", arrived)
    os.remove(gate)
    feed(101, 200)
    helpers.wait_for("seven starts in vain", function() return attempt(7) end)
    for n, pause in ipairs { 100, 200, 400, 800, 800, 800, 800 } do -- a fifth more or less
      assert.is_true(tonumber(attempt(n)) >= pause * 4 / 5, ("attempt %d came after %s ms"):format(n, attempt(n)))
    end
    helpers.write(gate, "open\n")
    helpers.wait_for("what came meanwhile", arrived)
    worker:wait_state(name, "RUNNING")
  end)

  it("is given up after its attempts, and starts anew by hand", function()
    local name = helpers.unique "sink"
    worker:create(name, sink(name, helpers.unique "restart", { ["connect.lua.restart.max.attempts"] = "2",
      ["connect.lua.restart.backoff.ms"] = "10" }))
    helpers.wait_for("both attempts", function() return worker:log():find("again, attempt 2", 1, true) end)
    helpers.wait_for("the last failure", function() return state(name) == "FAILED" end)
    helpers.sleep(0.5)
    assert.equal("FAILED", state(name))
    assert.is_nil(worker:log():find("again, attempt 3", 1, true))
    helpers.shell("mkdir " .. folder .. "/target")
    assert.equal(204, (worker:http("POST", "/connectors/" .. name .. "/tasks/0/restart")))
    helpers.wait_for("the task to run", function() return state(name) == "RUNNING" end)
  end)

  it("waits while it is paused", function()
    local name = helpers.unique "sink"
    worker:create(name, sink(name, helpers.unique "restart", { ["connect.lua.restart.max.attempts"] = "-1",
      ["connect.lua.restart.backoff.ms"] = "200", ["connect.lua.restart.backoff.max.ms"] = "200" }))
    helpers.wait_for("the first failure", function() return state(name) == "FAILED" end)
    assert.equal(202, (worker:http("PUT", "/connectors/" .. name .. "/pause")))
    local _, before = worker:log():gsub("starting failed task", "")
    helpers.sleep(1)
    local _, after = worker:log():gsub("starting failed task", "")
    assert.equal(before, after)
    helpers.shell("mkdir " .. folder .. "/target")
    assert.equal(202, (worker:http("PUT", "/connectors/" .. name .. "/resume")))
    helpers.wait_for("the task to run", function() return state(name) == "RUNNING" end)
  end)

  it("fails for good without one, as in Apache", function()
    local name = helpers.unique "sink"
    worker:create(name, sink(name, helpers.unique "restart"))
    helpers.wait_for("the failure", function() return state(name) == "FAILED" end)
    helpers.sleep(1.5)
    assert.equal("FAILED", state(name))
    assert.is_nil(worker:log():find("starting failed task", 1, true))
  end)
end)
