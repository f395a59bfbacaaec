-- SPDX-License-Identifier: Apache-2.0
-- connector.client.config.override.policy: what a connector may not override is refused.
local helpers = require "spec.helpers"

describe("a worker whose policy allows a few client settings only", function()
  local worker

  before_each(function()
    worker = helpers.worker {
      ["connector.client.config.override.policy"] = "Allowlist",
      ["connector.client.config.override.allowlist"] = "linger.ms",
    }:start()
  end)
  after_each(function()
    worker:stop()
    helpers.clean()
  end)

  local function source(key)
    return { ["connector.class"] = "FileStreamSource", file = worker.folder .. "/in", topic = helpers.unique "t",
      ["producer.override." .. key] = "5" }
  end

  it("refuses others in Apache's words", function()
    local text = "The 'Allowlist' policy does not allow 'batch.size' to be overridden in the connector configuration."
    local status, body = worker:http("POST", "/connectors", { name = "no", config = source "batch.size" })
    assert.equal(400, status)
    assert.matches(text, body.message, 1, true)
    assert.equal(404, (worker:http("GET", "/connectors/no")))
    local wanted = source "batch.size"
    wanted.name = "no"
    status, body = worker:http("PUT", "/connector-plugins/FileStreamSource/config/validate", wanted)
    assert.equal(200, status)
    assert.equal(1, body.error_count)
    for _, entry in ipairs(body.configs) do
      assert.same(entry.value.name == "producer.override.batch.size" and { text } or {}, entry.value.errors)
    end
  end)

  it("takes those of its list", function()
    worker:create("yes", source "linger.ms")
    worker:wait_state("yes", "RUNNING")
  end)
end)
