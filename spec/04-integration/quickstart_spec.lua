-- SPDX-License-Identifier: Apache-2.0
-- File -> topic -> file through the real binary, as a stranger first runs it.
local helpers = require "spec.helpers"
local lines = require "spec.helpers.lines"

describe("a file copied through a topic", function()
  after_each(helpers.clean)

  local function start(extra)
    local worker = helpers.worker()
    local pipe = helpers.pipeline(worker.folder, extra)
    for i, config in ipairs { pipe.source, pipe.sink } do
      worker.files[i] = helpers.write(worker:path(i .. ".properties"), helpers.properties(config))
    end
    return worker, pipe
  end

  it("holds the same lines, those appended later as well", function()
    local worker, pipe = start()
    helpers.write(pipe.from, "first\nsecond\n")
    worker:start()
    helpers.wait_for_text(pipe.to, "first\nsecond\n")
    helpers.append(pipe.from, "third\n\n  fifth, with blanks \n")
    helpers.wait_for_text(pipe.to, "first\nsecond\nthird\n\n  fifth, with blanks \n")
    worker:stop()
  end)

  it("may appear after the worker has started", function()
    local worker, pipe = start()
    worker:start()
    worker:wait_state(pipe.source.name, "RUNNING")
    helpers.write(pipe.from, "late\n")
    helpers.wait_for_text(pipe.to, "late\n")
    worker:stop()
  end)

  it("keeps every byte of lines of all lengths and all of UTF-8", function()
    local worker, pipe = start()
    lines.write_any(pipe.from, 3000, 11) -- within what the embedded broker keeps
    worker:start()
    local sent = helpers.read(pipe.from)
    helpers.wait_for("all bytes to arrive", function() return #(helpers.read(pipe.to) or "") >= #sent end)
    assert.is_true(helpers.read(pipe.to) == sent)
    worker:stop()
  end)

  it("is JSON in the topic when the JSON converter is asked for", function()
    local json = "org.apache.kafka.connect.json.JsonConverter"
    local worker, pipe = start { ["key.converter"] = json, ["value.converter"] = json }
    helpers.write(pipe.from, 'say "hi"\n')
    worker:start()
    helpers.wait_for_text(pipe.to, 'say "hi"\n')
    local address = helpers.broker ~= "embedded" and helpers.broker or worker:log():match("kcat %-b (%S+) %-L")
    assert(address, "the log does not say how kcat reaches the embedded broker")
    local seen = helpers.shell(("kcat -q -b %s -C -t %s -e -o beginning"):format(address, pipe.topic))
    assert.equal('{"schema":{"type":"string","optional":false},"payload":"say \\"hi\\""}\n', seen)
    worker:stop()
  end)

  it("needs no connector file: a JSON one serves, flat or nested", function()
    local worker, pipe = start()
    worker.files = {
      helpers.write(worker:path "flat.json", require("dkjson").encode(pipe.source)),
      helpers.write(worker:path "nested.json", require("dkjson").encode { name = pipe.sink.name, config = pipe.sink }),
    }
    helpers.write(pipe.from, "x\n")
    worker:start()
    helpers.wait_for_text(pipe.to, "x\n")
    worker:stop()
  end)
end)
