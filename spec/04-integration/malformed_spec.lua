-- SPDX-License-Identifier: Apache-2.0
-- Worker files and connector files that cannot be: the error names the place, the exit code
-- is Apache's, nothing hangs.
local helpers = require "spec.helpers"

describe("a malformed #embedded", function()
  after_each(helpers.clean)

  -- Runs a worker that must not come up.
  local function refused(worker, code, ...)
    worker:launch()
    local ended, signal = worker:wait()
    assert.equal(code, ended, ("ended with %s, signal %s:\n%s"):format(
      tostring(ended), tostring(signal), worker:log():sub(-2000)))
    for _, text in ipairs { ... } do assert.matches(text, worker:log(), 1, true) end
  end

  local function with(config) return helpers.worker(config) end

  describe("worker file", function()
    it("that is not there", function()
      local worker = with {}
      worker.command = { worker.binary, "--worker", worker:path "absent.properties" }
      refused(worker, 2, "absent.properties")
    end)

    it("that lacks a required key", function()
      refused(with { ["key.converter"] = false }, 2, "key.converter")
      refused(with { ["offset.storage.file.filename"] = false, ["bootstrap.servers"] = "127.0.0.1:1" }, 2, "offset.storage.file.filename")
    end)

    it("with a value of the wrong type", function()
      refused(with { ["offset.flush.interval.ms"] = "soon" }, 2, "offset.flush.interval.ms", "soon")
      refused(with { ["listeners"] = "8083" }, 2, "Listener doesn't have the right format")
    end)

    it("with an escape that is none", function()
      local worker = with {}
      local file = helpers.write(worker:path "bad.properties", helpers.properties(worker.config) .. "bad=\\u12x4\n")
      worker.command = { worker.binary, "--worker", file }
      refused(worker, 2, "bad.properties:7")
    end)

    it("whose converter nobody has", function()
      refused(with { ["value.converter"] = "com.example.NoConverter" }, 2, "com.example.NoConverter")
    end)

    it("that asks for what is not built", function()
      refused(with { ["config.providers"] = "v", ["config.providers.v.class"] = "com.example.Vault" }, 2, "com.example.Vault")
      refused(with { ["consumer.ssl.truststore.type"] = "JKS", ["consumer.ssl.truststore.location"] = "/x.jks",
        ["consumer.security.protocol"] = "SSL", ["bootstrap.servers"] = "127.0.0.1:1" }, 2, "keytool")
    end)

    it("with offsets that are none, which stay untouched", function()
      local worker = with { ["bootstrap.servers"] = "127.0.0.1:1" }
      helpers.write(worker:path "offsets", "not an offsets file")
      refused(worker, 2, worker:path "offsets")
      assert.equal("not an offsets file", helpers.read(worker:path "offsets"))
    end)

    it("with a mistyped key is warned about with the nearest known one, and runs", function()
      local worker = with { ["offset.flush.interval.sm"] = "5" }
      worker:start()
      helpers.wait_for("the warning", function()
        return worker:log():match("WARN[^\n]*offset%.flush%.interval%.sm[^\n]*offset%.flush%.interval%.ms")
      end)
      worker:stop()
    end)
  end)

  describe("connector file", function()
    local function given(text, code, ...)
      local worker = with {}
      worker.files = { helpers.write(worker:path "it.properties", text) }
      refused(worker, code, ...)
    end

    it("that is not there", function()
      local worker = with {}
      worker.files = { worker:path "absent.json" }
      refused(worker, 3, "absent.json")
    end)

    it("without a name", function()
      given("connector.class=FileStreamSource\n", 3, "it.properties", "is missing the mandatory 'name' configuration")
      given("", 3, "it.properties")
      given("[]", 3, "it.properties")
    end)

    it("whose two names differ", function()
      given('{"name":"a","config":{"name":"b","connector.class":"FileStreamSource","topic":"t"}}', 3,
        "doesn't match the one specified in 'name'")
    end)

    it("that does not pass validation", function()
      given("name=a\nconnector.class=FileStreamSource\n", 3, 'Missing required configuration "topic"')
      given("name=a\nconnector.class=NoSuchThing\n", 3, "NoSuchThing")
      given("name=a\nconnector.class=FileStreamSource\ntopic=t\nbatch.size=abcd\n", 3, "batch.size")
    end)

    it("that asks for what is not built", function()
      given("name=a\nconnector.class=FileStreamSource\ntopic=t\ntransforms=x\ntransforms.x.type=Cast$Value\n", 3, "transforms")
      given("name=a\nconnector.class=FileStreamSource\ntopic=t\nexactly.once.support=required\n", 3, "exactly-once")
    end)
  end)
end)
