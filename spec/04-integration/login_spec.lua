-- SPDX-License-Identifier: Apache-2.0
-- A broker that refuses the login, here because it knows of none, fails the task as in Apache.
local helpers = require "spec.helpers"

describe("a login that the broker refuses #kafka", function()
  after_each(helpers.clean)

  local function login(side, config)
    config[side .. ".override.security.protocol"] = "SASL_PLAINTEXT"
    config[side .. ".override.sasl.mechanism"] = "PLAIN"
    config[side .. ".override.sasl.jaas.config"] =
      [[org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="p";]]
    return config
  end

  it("fails sinks and sources", function()
    local worker, topic = helpers.worker():start(), helpers.unique "lines"
    local input = helpers.write(worker:path "in.txt", "one\n")
    worker:create("in", login("producer", { ["connector.class"] = "FileStreamSource", file = input, topic = topic }))
    worker:create("out", login("consumer", { ["connector.class"] = "FileStreamSink", file = worker:path "out.txt",
      topics = topic }))
    for _, name in ipairs { "out", "in" } do
      local trace = worker:wait_state(name, "FAILED").tasks[1].trace
      assert.matches("org.apache.kafka.common.errors.SaslAuthenticationException", trace, 1, true)
      assert.matches("the broker refuses the login", trace, 1, true)
    end
    worker:stop()
  end)
end)
