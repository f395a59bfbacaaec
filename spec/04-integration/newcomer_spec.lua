-- SPDX-License-Identifier: Apache-2.0
-- README's "From nothing to records": its commands, with a worker that is never restarted.
local helpers = require "spec.helpers"

describe("a newcomer", function()
  after_each(helpers.clean)

  it("writes a source and changes it while its records flow", function()
    local worker = helpers.worker()
    local plugins, out = worker:path "plugins", worker:path "out.txt"
    worker.config["plugin.path"] = plugins -- not there yet
    worker:start()
    helpers.shell("mkdir " .. plugins)

    local function kit(...)
      local code, said, err = helpers.run { ... }
      assert.equal(0, code, said .. err)
    end
    kit("new", "source", "orders", "--dir", plugins)
    kit("test", plugins .. "/orders.lua")
    kit("lint", plugins)

    local topic = helpers.unique "orders"
    local orders = { ["connector.class"] = "orders", topic = topic, ["interval.ms"] = "20" }
    helpers.wait_for("the worker to find it", function()
      return (worker:http("POST", "/connectors", { name = "orders", config = orders })) == 201
    end)
    worker:create("file", { ["connector.class"] = "FileStreamSink", topics = topic, file = out,
      ["consumer.override.auto.offset.reset"] = "earliest", ["consumer.override.group.id"] = helpers.unique "group" })
    helpers.wait_for("records in the topic", function() return (helpers.read(out) or ""):find "\n" end)

    local path = plugins .. "/orders.lua"
    local text, changed = helpers.read(path):gsub("hello", "good morning")
    assert.is_true(changed > 0)
    helpers.write(path, text)
    helpers.wait_for("records of the changed file", function() return helpers.read(out):find("good morning", 1, true) end)

    helpers.write(path, "return {")
    local function rejected()
      for _, plugin in ipairs(worker:get "/connect-lua/plugins") do
        if plugin.class == "orders" and plugin.last_rejection then return plugin.last_rejection.reason end
      end
    end
    assert.matches("orders.lua:1:", helpers.wait_for("the broken file to be told of", rejected), 1, true)
    local before = #helpers.read(out)
    helpers.wait_for("records all the same", function() return #helpers.read(out) > before end)
    worker:wait_state("orders", "RUNNING")
    worker:stop()
  end)
end)
