-- SPDX-License-Identifier: Apache-2.0
-- Stopping: cleanly by one signal, at once by a second; what was done is not done again.
local helpers = require "spec.helpers"
local lines = require "spec.helpers.lines"

describe("stopping a worker", function()
  after_each(helpers.clean)

  it("by SIGINT or SIGTERM ends with 0", function()
    for _, signal in ipairs { "INT", "TERM" } do
      local worker = helpers.worker():start()
      worker.process:kill(signal)
      assert.equal(0, (worker:wait()))
      assert.is_nil((helpers.http("GET", worker.url .. "/")))
    end
  end)

  -- Started by env or nohup, since what a child does with SIGHUP it has from its parent.
  local function start_under(...)
    local worker = helpers.worker()
    worker.command = { ... }
    for _, arg in ipairs {
      worker.binary, "--worker", helpers.write(worker:path "worker.properties", helpers.properties(worker.config)),
    } do
      table.insert(worker.command, arg)
    end
    return worker:start()
  end

  it("by SIGHUP ends with 0", function()
    local worker = start_under("env", "--default-signal=HUP")
    worker.process:kill "HUP"
    local code, signal = worker:wait()
    assert.equal(0, code, signal)
    assert.matches("Kafka Connect stopped", worker:log(), 1, true)
  end)

  it("by SIGHUP does nothing under nohup", function()
    local worker = start_under "nohup"
    worker.process:kill "HUP"
    helpers.sleep(0.2)
    assert.equal(200, (helpers.http("GET", worker.url .. "/")))
    assert.not_matches("stopping", worker:log(), 1, true)
    worker:stop()
  end)

  it("while connectors wait for a broker that is not there ends with 0", function()
    local worker = helpers.worker { ["bootstrap.servers"] = "127.0.0.1:1" }
    local pipe = helpers.pipeline(worker.folder)
    helpers.write(pipe.from, "x\n")
    worker.config["task.shutdown.graceful.timeout.ms"] = "2000"
    worker:start()
    worker:create(pipe.source.name, pipe.source)
    worker:create(pipe.sink.name, pipe.sink)
    worker:stop()
  end)

  it("by a second signal does not wait for stuck tasks", function()
    local worker = helpers.worker {
      ["plugin.path"] = helpers.root .. "/spec/fixtures/misbehaving",
      ["task.shutdown.graceful.timeout.ms"] = "3600000",
    }:start()
    worker:create("stuck", { ["connector.class"] = "bad_source", how = "poll_loops_in_pattern", topic = helpers.unique "t" })
    helpers.wait_for("the task to be stuck", function() return worker:log():find("about to loop", 1, true) end)
    worker.process:kill("TERM")
    helpers.wait_for("the first signal to be told of", function() return worker:log():find("stopping", 1, true) end)
    worker.process:kill("TERM")
    local code, signal = worker:wait() -- far sooner than the hour the task was given
    assert.is_nil(code)
    assert.equal(15, signal) -- a shell says 143
  end)

  it("leaves nothing to be done twice #kafka", function()
    local worker = helpers.worker { ["offset.flush.interval.ms"] = "3600000" } -- only the stop commits
    local pipe = helpers.pipeline(worker.folder)
    for i, config in ipairs { pipe.source, pipe.sink } do
      worker.files[i] = helpers.write(worker:path(i .. ".properties"), helpers.properties(config))
    end
    local last = 0
    for _ = 1, 3 do
      lines.append_marked(pipe.from, last + 1, last + 2000)
      last = last + 2000
      worker:start()
      helpers.wait_for_text(pipe.to, helpers.read(pipe.from)) -- equal: none came twice
      worker:stop()
      assert.matches('{"position":' .. #helpers.read(pipe.from) .. "}", helpers.read(worker:path "offsets"), 1, true)
    end
  end)
end)
