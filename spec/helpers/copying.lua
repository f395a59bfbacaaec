-- SPDX-License-Identifier: Apache-2.0
--
-- A file copied through a real broker while something goes wrong: the runs that the short
-- specs and the long ones share.
local assert = require "luassert"
local helpers = require "spec.helpers"
local lines = require "spec.helpers.lines"

local copying = {}

local function setup(config)
  local worker = helpers.worker(config)
  local pipe = helpers.pipeline(worker.folder)
  for i, connector in ipairs { pipe.source, pipe.sink } do
    worker.files[i] = helpers.write(worker:path(i .. ".properties"), helpers.properties(connector))
  end
  return worker, pipe, lines.checker(pipe.to)
end

local function assert_whole(check, last, torn_at_most)
  assert.same({}, check.faults)
  assert.equal(last, check.newest)
  assert.equal("", check.rest)
  assert.is_true(check.torn <= torn_at_most, check.torn .. " torn lines")
end

--- kill -9 at `kills` moments, the next only after 1,000 new lines have arrived; then every
-- line must be there whole, first occurrences in order.
function copying.with_kills(kills)
  local worker, pipe, check = setup { ["consumer.session.timeout.ms"] = "6000", ["offset.flush.interval.ms"] = "200" }
  local random = lines.random(os.time())
  local last = 0
  local function feed()
    lines.append_marked(pipe.from, last + 1, last + 700)
    last = last + 700
  end
  for _ = 1, kills do
    worker:start()
    local from = check:read()
    -- Fed until the blow falls, so that it falls on a worker in motion.
    helpers.wait_for("1,000 new lines", function()
      if last - check:read() < 3000 then feed() end
      return check.newest >= from + 1000
    end)
    for _ = 1, random(8) do
      feed()
      helpers.sleep(random(60) / 1000)
    end
    feed()
    worker:crash()
  end
  worker:start()
  helpers.wait_for("the last line", function() return check:read() >= last end)
  worker:stop()
  check:read()
  assert_whole(check, last, kills)
  return check
end

--- The broker away for `seconds` in the middle; the worker must go on by itself.
function copying.with_outage(seconds)
  local worker, pipe, check = setup()
  lines.append_marked(pipe.from, 1, 2000)
  worker:start()
  helpers.wait_for("the first lines", function() return check:read() == 2000 end)
  helpers.stop_broker()
  local last = 2000
  for _ = 1, seconds do -- lines go on being written meanwhile
    lines.append_marked(pipe.from, last + 1, last + 500)
    last = last + 500
    helpers.sleep(1)
    assert.equal(200, (worker:http("GET", "/connectors")))
  end
  helpers.start_broker()
  lines.append_marked(pipe.from, last + 1, last + 2000)
  last = last + 2000
  helpers.wait_for("what was written meanwhile", function() return check:read() >= last end, 300)
  worker:wait_state(pipe.source.name, "RUNNING")
  worker:wait_state(pipe.sink.name, "RUNNING")
  worker:stop()
  assert_whole(check, last, 0)
end

--- Lines of any length, byte for byte.
function copying.whole(count)
  local worker, pipe = setup()
  local bytes = lines.write_any(pipe.from, count, 5)
  worker:start()
  local size = -1
  while size < bytes do -- no limit on the whole, only on standing still
    size = helpers.wait_for("more than " .. size .. " of " .. bytes .. " bytes", function()
      local file = io.open(pipe.to, "rb")
      local now = file and file:seek("end") or -1
      if file then file:close() end
      return now > size and now
    end)
    helpers.sleep(0.1)
  end
  worker:stop()
  local difference = helpers.shell(("cmp %s %s"):format(pipe.from, pipe.to))
  assert.equal("", difference)
end

return copying
