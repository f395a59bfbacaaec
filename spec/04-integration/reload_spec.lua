-- SPDX-License-Identifier: Apache-2.0
-- Plugins that are edited while records flow: every record comes through once, wholly transformed by one generation.
local helpers = require "spec.helpers"
local reloading = require "spec.helpers.reloading"

describe("hot reload #embedded", function()
  local p
  after_each(function()
    if p and not p.worker.process:ended() then p.worker:stop() end
    p = nil
    helpers.clean()
  end)

  it("takes over edited transforms under load", function()
    p = reloading.start()
    for version = 2, 6 do
      for _, field in ipairs { "a", "b", "x", "y" } do p:save("t_" .. field, reloading.transform(field, version)) end
      for _, field in ipairs { "a", "b" } do p:wait_running(p.source_name, "transforms." .. field, version) end
      for _, field in ipairs { "x", "y" } do p:wait_running(p.sink_name, "transforms." .. field, version) end
      p:flows()
    end
    local task = p:task(p.sink_name)
    assert.is_true(task.reloads.count >= 5)
    assert.is_true(task.reloads.last_pause_ms > 0)
    local last = p:finish()
    assert.same({ a = 6, b = 6, c = 1, x = 6, y = 6, z = 1, source = 1, sink = 1 }, last)
    assert.matches("connect_lua_task_plugin_reloads_total{", p.worker:get "/metrics", 1, true)
  end)

  it("goes on with what ran when an edit is no good, and says why", function()
    p = reloading.start()
    local good = reloading.transform("x", 1)
    local edits = {
      { "return {", "t_x.lua:1:" },
      { "\nerror 'at the top'", "t_x.lua:2: at the top" },
      { "return 1", "must return one table" },
      { good:gsub("apply =", "apply_it ="), "needs the function 'apply'" },
      { good:gsub("apply =", "tests = { works = function(t)\n t.equal(1, 2) end },\napply =", 1), "expected 2, got 1 (test 'works')" },
    }
    for _, edit in ipairs(edits) do
      p:save("t_x", edit[1])
      local plugin = p:wait_rejection("t_x", edit[2])
      assert.equal(1, plugin.generation)
      assert.is_false(plugin.current)
      p:flows()
    end
    p:save("t_x", reloading.transform("x", 2))
    p:wait_running(p.sink_name, "transforms.x", 2)
    assert.is_true(p:plugin "t_x".current)
    p:flows()
    assert.equal(2, p:finish().x)
  end)

  it("keeps the instance of a task in which the next one cannot be set up", function()
    p = reloading.start()
    local text = reloading.transform("x", 2):gsub("apply =", "configure = function() error 'not here' end, apply =")
    p:save("t_x", text)
    local task = p:wait_refusal(p.sink_name, "not here")
    assert.matches("^generation 2 of .*t_x.lua: ", task.reloads.last_rejection.reason)
    assert.equal(1, task.reloads.rejected)
    assert.equal(1, select(2, p:task(p.sink_name))["transforms.x"])
    p:save("t_y", reloading.transform("y", 2)) -- others are not held up
    p:wait_running(p.sink_name, "transforms.y", 2)
    p:save("t_x", reloading.transform("x", 3))
    p:wait_running(p.sink_name, "transforms.x", 3)
    p:flows()
    assert.equal(1, p:task(p.sink_name).reloads.rejected)
    assert.equal(3, p:finish().x)
  end)

  it("refuses a generation whose rows do not take the stored config", function()
    p = reloading.start { source = { kind = "carried" } }
    local rows = 'config = { { name = "now.needed", type = "string", required = true, doc = "d" } }, apply ='
    p:save("t_a", (reloading.transform("a", 2):gsub("apply =", rows)))
    p:save("numbers", reloading.source(2, { kind = "carried",
      rows = '{ name = "wanted", type = "string", required = true, doc = "d" }' }))
    for _, word in ipairs { "now.needed", "wanted" } do
      helpers.wait_for("the rejection for " .. word, function()
        return p.worker:log():find("does not take over generation 2 of [^\n]*" .. word:gsub("%.", "%%."))
      end)
    end
    p:flows()
    p:save("numbers", reloading.source(3, { kind = "carried" }))
    p:wait_running(p.source_name, "connector", 3)
    p:flows()
    local last = p:finish()
    assert.same({ 1, 3 }, { last.a, last.source })
  end)

  for _, kind in ipairs { "carried", "started anew" } do
    it("takes over connectors, which are " .. kind, function()
      p = reloading.start { source = { kind = kind }, sink = { kind = kind } }
      for version = 2, 4 do
        p:save("numbers", reloading.source(version, { kind = kind }))
        p:wait_running(p.source_name, "connector", version)
        p:save("collect", reloading.sink(version, { kind = kind }))
        p:wait_running(p.sink_name, "connector", version)
        p:flows()
      end
      local last = p:finish()
      assert.same({ 4, 4 }, { last.source, last.sink })
    end)
  end

  it("keeps a connector whose reload throws", function()
    p = reloading.start { source = { kind = "carried" } }
    p:save("numbers", (reloading.source(2, { kind = "carried" }):gsub("ctx.n = old.n", "error 'cannot'")))
    p:wait_refusal(p.source_name, "cannot")
    p:flows()
    p:save("numbers", reloading.source(3, { kind = "carried" }))
    p:wait_running(p.source_name, "connector", 3)
    p:flows()
    assert.equal(3, p:finish().source)
  end)

  it("takes over modules, new files, and files that come back", function()
    p = reloading.start()
    helpers.shell("mkdir " .. p.folder .. "/p/later")
    helpers.write(p.folder .. "/p/later/version.lua", "return 2")
    helpers.write(p.folder .. "/p/later/init.lua", (reloading.transform("z", 2):gsub("VERSION = 2", "VERSION = require 'version'")))
    helpers.wait_for("the new class", function() return p:plugin "later" end)
    local config = p.worker:get("/connectors/" .. p.sink_name .. "/config")
    config["transforms.z.type"] = "later"
    assert.equal(200, (p.worker:http("PUT", "/connectors/" .. p.sink_name .. "/config", config)))
    p:wait_running(p.sink_name, "transforms.z", 1)
    p:flows()
    helpers.write(p.folder .. "/p/later/version.lua", "return 3")
    p:wait_running(p.sink_name, "transforms.z", 2)
    p:flows()
    helpers.shell("rm " .. p.folder .. "/p/t_x.lua")
    helpers.wait_for("its end to be noticed", function() return p:plugin "t_x".removed end)
    assert.matches("t_x.lua is gone", p.worker:log(), 1, true)
    assert.equal(204, (p.worker:http("POST", "/connectors/" .. p.sink_name .. "/tasks/0/restart")))
    p.worker:wait_state(p.sink_name, "RUNNING")
    p:flows()
    p:save("t_x", reloading.transform("x", 2))
    p:wait_running(p.sink_name, "transforms.x", 2)
    p:flows()
    local last = p:finish()
    assert.same({ 3, 2 }, { last.z, last.x })
  end)

  it("looks when it is asked", function()
    p = reloading.start()
    p:save("t_x", reloading.transform("x", 2))
    assert.equal(200, (p.worker:http("POST", "/connect-lua/plugins/reload")))
    assert.equal(2, p:plugin "t_x".generation)
    p:save("t_x", "return {")
    local status, body = p.worker:http("POST", "/connect-lua/plugins/t_x/reload")
    assert.equal(200, status)
    assert.is_table(body.rejected)
    assert.is_false(p:plugin "t_x".current)
    assert.equal(404, (p.worker:http("POST", "/connect-lua/plugins/nobody/reload")))
    p:finish()
  end)

  it("skips and counts records that fail in the next generation as ever", function()
    p = reloading.start { more = { ["errors.tolerance"] = "all" } }
    p:save("t_x", (reloading.transform("x", 2):gsub("local v = ", "if record.value.n %% 10 == 0 then error 'ten' end local v = ")))
    p:wait_running(p.sink_name, "transforms.x", 2)
    helpers.wait_for("skipped records", function()
      return p.worker:get("/metrics"):match "kafka_connect_task_error_total_records_skipped{[^\n]*} [1-9]"
    end)
    assert.equal("RUNNING", p:task(p.sink_name).state)
  end)
end)
