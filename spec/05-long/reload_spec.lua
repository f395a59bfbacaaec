-- SPDX-License-Identifier: Apache-2.0
-- As many records a second as the machine has room for through a source and a sink with three transforms each, on a
-- real broker, while their plugins are edited: scripts/test --long.
local helpers = require "spec.helpers"
local process = require "spec.helpers.process"
local reloading = require "spec.helpers.reloading"

describe("hot reload under load #kafka #long", function()
  local p
  after_each(function()
    if p and not p.worker.process:ended() then p.worker:stop() end
    p = nil
    helpers.clean()
  end)

  local FAST = { ["pause.ms"] = "2", batch = "200" }

  local function median(list)
    table.sort(list)
    return list[math.ceil(#list / 2)]
  end

  it("takes over 100 edited transforms", function()
    p = reloading.start { numbers = FAST }
    local began, from = process.now(), p.count
    local pauses, version = {}, { a = 1, b = 1, c = 1, x = 1, y = 1, z = 1 }
    for i = 1, 100 do
      local field = reloading.fields[i % 6 + 1]
      local name = field < "d" and p.source_name or p.sink_name
      version[field] = version[field] + 1
      p:save("t_" .. field, reloading.transform(field, version[field]))
      pauses[i] = p:wait_running(name, "transforms." .. field, version[field]).reloads.last_pause_ms
      p:flows(1000)
    end
    local rate = (p.count - from) / (process.now() - began)
    local last = p:finish()
    for field, expected in pairs(version) do assert.equal(expected, last[field]) end
    local middle = median(pauses)
    print(("%d records, %.0f a second; pauses: median %.2f ms, 95 %% up to %.2f ms, longest %.2f ms"):format(p.count, rate,
      middle, pauses[95], pauses[100]))
    assert.is_true(middle < 10, "the median of the pauses is " .. middle .. " ms")
  end)

  for _, kind in ipairs { "carried over", "started anew" } do
    it("takes over 30 edits of connectors, which are " .. kind, function()
      local options = { kind = kind == "carried over" and "carried" or nil }
      p = reloading.start { numbers = FAST, source = options, sink = options }
      for version = 2, 16 do
        p:save("numbers", reloading.source(version, options))
        p:wait_running(p.source_name, "connector", version)
        p:save("collect", reloading.sink(version, options))
        p:wait_running(p.sink_name, "connector", version)
        p:flows(1000)
      end
      local last = p:finish()
      assert.same({ 16, 16 }, { last.source, last.sink })
    end)
  end
end)
