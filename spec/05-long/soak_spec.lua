-- SPDX-License-Identifier: Apache-2.0
-- Ten minutes (CL_SOAK_SECONDS) of moving, pausing, restarting, creating and deleting: what
-- a worker costs must not grow with time.
local helpers = require "spec.helpers"
local lines = require "spec.helpers.lines"
local process = require "spec.helpers.process"

local function resident_kib(pid)
  return tonumber(helpers.read("/proc/" .. pid .. "/status"):match("VmRSS:%s*(%d+)"))
end

local function count(path)
  return tonumber((helpers.shell("ls " .. path .. " | wc -l"):match("%d+")))
end

describe("a soak #kafka #long", function()
  after_each(helpers.clean)

  it("costs no more at its end than after its first tenth", function()
    local seconds = tonumber(os.getenv "CL_SOAK_SECONDS" or "600")
    local worker = helpers.worker()
    local pipe = helpers.pipeline(worker.folder)
    local check = lines.checker(pipe.to)
    worker:start()
    worker:create(pipe.source.name, pipe.source)
    worker:create(pipe.sink.name, pipe.sink)
    local pid, begun, last, first = worker.process.pid, process.now(), 0, nil
    local function cost()
      local proc = "/proc/" .. pid
      return { rss = resident_kib(pid), files = count(proc .. "/fd"), threads = count(proc .. "/task") }
    end
    while process.now() - begun < seconds do
      lines.append_marked(pipe.from, last + 1, last + 1000)
      last = last + 1000
      helpers.wait_for("line " .. last, function() return check:read() >= last end)
      for _, path in ipairs { "/connectors/" .. pipe.source.name, "/connectors/" .. pipe.sink.name } do
        assert.equal(202, (worker:http("PUT", path .. "/pause")))
        assert.equal(202, (worker:http("PUT", path .. "/resume")))
        assert.equal(202, (worker:http("POST", path .. "/restart?includeTasks=true")))
      end
      worker:create("passing", { ["connector.class"] = "FileStreamSource", file = pipe.from, topic = pipe.topic .. "-other" })
      assert.equal(204, (worker:http("DELETE", "/connectors/passing")))
      if not first and process.now() - begun > seconds / 10 then first = cost() end
    end
    worker:wait_state(pipe.sink.name, "RUNNING")
    local at_end = cost()
    worker:stop()
    assert.same({}, check.faults)
    assert.equal(0, check.torn)
    assert.is_true(at_end.files <= first.files + 16, ("%d open files, %d at first"):format(at_end.files, first.files))
    assert.is_true(at_end.threads <= first.threads + 8, ("%d threads, %d at first"):format(at_end.threads, first.threads))
    -- Allocators settle late; a leak per record or per restart is far more than this.
    assert.is_true(at_end.rss <= first.rss * 1.25 + 16384, ("%d KiB, %d at first"):format(at_end.rss, first.rss))
  end)
end)
