-- SPDX-License-Identifier: Apache-2.0
-- connect.lua.connectors.file: connectors outlive the worker.
local helpers = require "spec.helpers"

describe("connectors in a file #embedded", function()
  after_each(helpers.clean)

  local function remembering(config, connectors)
    local worker = helpers.worker(config, connectors)
    worker.file = worker:path "state/connectors.json"
    helpers.shell("mkdir " .. worker:path "state")
    worker.config["connect.lua.connectors.file"] = worker.file
    return worker
  end

  local function source(worker, more)
    local config = { ["connector.class"] = "FileStreamSource", file = worker:path "in", topic = "t" }
    for key, value in pairs(more or {}) do config[key] = value end
    return config
  end

  -- What there is of connectors: configs and states by name.
  local function all(worker)
    local found = {}
    for name, it in pairs((worker:get "/connectors?expand=info&expand=status")) do
      found[name] = { it.info.config, it.info.type, it.status.connector.state, #it.status.tasks }
    end
    return found
  end

  it("come back as they were, after kill -9 too", function()
    local worker = remembering {
      ["config.providers"] = "env",
      ["config.providers.env.class"] = "org.apache.kafka.common.config.provider.EnvVarConfigProvider",
    }:start()
    assert.is_nil(helpers.read(worker.file))
    local function does(status, method, path, body) assert.equal(status, (worker:http(method, path, body))) end
    for _, name in ipairs { "running", "changed", "patched", "paused", "stopped", "resumed", "deleted" } do
      worker:create(name, source(worker, { note = "${env:PATH}" }))
    end
    does(201, "POST", "/connectors", { name = "born/stopped", config = source(worker), initial_state = "STOPPED" })
    does(201, "POST", "/connectors", { name = "born_paused", config = source(worker), initial_state = "paused" })
    does(200, "PUT", "/connectors/changed/config", source(worker, { topic = "u" }))
    does(200, "PATCH", "/connectors/patched/config", '{"note":null,"batch.size":"7"}')
    does(202, "PUT", "/connectors/paused/pause")
    does(204, "PUT", "/connectors/stopped/stop")
    does(204, "PUT", "/connectors/resumed/stop")
    does(202, "PUT", "/connectors/resumed/resume")
    does(204, "DELETE", "/connectors/deleted")
    local before = all(worker)
    -- Apache keeps the tasks of one that is paused; one that starts paused has none, there and here.
    before.paused[4] = 0
    worker:crash()
    local torn = helpers.write(worker.file .. ".4194304-0.tmp", '{"password"')
    assert.equal("600\n", (helpers.shell("stat -c %a " .. worker.file)))
    assert.matches("${env:PATH}", helpers.read(worker.file), 1, true)
    worker:start()
    assert.is_nil(helpers.read(torn))
    assert.same(before, all(worker))
    assert.is_nil(before.deleted)
    assert.equal("STOPPED", before["born/stopped"][3])
    assert.equal("PAUSED", before["born_paused"][3])
    worker:wait_state("running", "RUNNING")
    does(202, "PUT", "/connectors/born_paused/resume")
    worker:wait_state("born_paused", "RUNNING")
    worker:stop()
    worker:start()
    worker:wait_state("born_paused", "RUNNING")
    worker:stop()
  end)

  it("give way to those of the command line", function()
    local worker = remembering():start()
    worker:create("one", source(worker, { topic = "remembered" }))
    worker:create("two", source(worker))
    worker:stop()
    local held = helpers.read(worker.file)
    local given = source(worker, { topic = "given", name = "one" })
    worker.files = { helpers.write(worker:path "one.properties", helpers.properties(given)) }
    worker:start()
    assert.equal("given", worker:get("/connectors/one/config").topic)
    assert.equal("t", worker:get("/connectors/two/config").topic)
    assert.matches("connector one is the command line's", worker:log(), 1, true)
    assert.equal(held, helpers.read(worker.file))
    assert.equal(202, (worker:http("PUT", "/connectors/one/pause"))) -- and is remembered from here on
    worker:stop()
    worker.files = {}
    worker:start()
    assert.equal("given", worker:get("/connectors/one/config").topic)
    assert.equal("PAUSED", worker:get("/connectors/one/status").connector.state)
    worker:stop()
  end)

  it("are not changed when they cannot be written", function()
    local worker = remembering():start()
    worker:create("it", source(worker))
    worker:wait_state("it", "RUNNING")
    local before = all(worker)
    helpers.shell(("mv %s %s"):format(worker:path "state", worker:path "away"))
    for _, change in ipairs { { "POST", "/connectors", { name = "more", config = source(worker) } },
      { "PUT", "/connectors/it/config", source(worker, { topic = "u" }) }, { "PUT", "/connectors/it/pause" },
      { "PUT", "/connectors/it/stop" }, { "PATCH", "/connectors/it/config", { topic = "u" } }, { "DELETE", "/connectors/it" } } do
      local status, body = worker:http(unpack(change))
      assert.equal(500, status)
      assert.matches("nothing was changed: cannot write " .. worker.file, body.message, 1, true)
    end
    assert.same(before, all(worker))
    helpers.shell(("mv %s %s"):format(worker:path "away", worker:path "state"))
    assert.equal(204, (worker:http("DELETE", "/connectors/it")))
    worker:stop()
    worker:start()
    assert.same({}, all(worker))
    worker:stop()
  end)

  it("stop the worker when the file is damaged, which stays as it is", function()
    local worker = remembering()
    for _, text in ipairs { "", "{}", '{"version": 1, "connectors": [{"name": "a", "conf' } do
      helpers.write(worker.file, text)
      worker:launch()
      assert.equal(2, (worker:wait()))
      assert.matches(worker.file .. " is damaged", worker:log(), 1, true)
      assert.matches("put back a copy of it", worker:log(), 1, true)
      assert.equal(text, helpers.read(worker.file))
    end
  end)

  it("are one worker's: a second one on the file, or on an offsets file, does not start", function()
    for _, key in ipairs { "connect.lua.connectors.file", "offset.storage.file.filename" } do
      -- Without a broker: the embedded one keeps offsets in memory.
      local config = { ["bootstrap.servers"] = "127.0.0.1:1" }
      local first = remembering(config):start()
      local second = helpers.worker(config)
      second.config[key] = first.config[key]
      second:launch()
      assert.equal(2, (second:wait()))
      assert.matches(("%s: %s is in use by another worker"):format(key, first.config[key]), second:log(), 1, true)
      first:crash()
      second:start()
      second:stop()
      assert.is_nil(helpers.read(first.config[key] .. ".lock"))
    end
  end)

  it("that can run no more are there, FAILED, to be mended or deleted", function()
    local worker = remembering()
    helpers.shell("mkdir " .. worker:path "plugins")
    worker.config["plugin.path"] = worker:path "plugins"
    helpers.write(worker:path "plugins/mine.lua",
      "return { api = 1, kind = 'source', poll = function(ctx) ctx:sleep(1000) end }")
    worker:start()
    worker:create("lost", { ["connector.class"] = "mine" })
    worker:create("lost_too", { ["connector.class"] = "mine" })
    worker:create("fine", source(worker))
    worker:stop()
    os.remove(worker:path "plugins/mine.lua")
    worker:start()
    worker:wait_state("fine", "RUNNING")
    local status = worker:get "/connectors/lost/status"
    assert.equal("FAILED", status.connector.state)
    assert.matches("which name matches mine", status.connector.trace, 1, true)
    assert.equal("unknown", status.type)
    assert.matches('connector="lost"', (worker:get "/metrics"), 1, true)
    assert.equal(500, (worker:http("POST", "/connectors/lost/restart")))
    assert.equal(202, (worker:http("PUT", "/connectors/lost/pause")))
    assert.equal(202, (worker:http("PUT", "/connectors/lost/resume")))
    assert.equal(204, (worker:http("PUT", "/connectors/lost/stop")))
    assert.equal("STOPPED", worker:get("/connectors/lost/status").connector.state)
    assert.equal(500, (worker:http("DELETE", "/connectors/lost/offsets")))
    assert.equal(200, (worker:http("GET", "/connectors/lost/offsets")))
    assert.equal(204, (worker:http("DELETE", "/connectors/lost")))
    assert.equal(200, (worker:http("PUT", "/connectors/lost_too/config", source(worker))))
    worker:wait_state("lost_too", "RUNNING")
    worker:stop()
  end)

  it("are forgotten without it, as with Apache", function()
    local worker = helpers.worker():start()
    worker:create("it", source(worker))
    worker:stop()
    worker:start()
    assert.same({}, all(worker))
    worker:stop()
  end)
end)
