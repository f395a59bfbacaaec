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
