-- SPDX-License-Identifier: Apache-2.0
-- Apache's standalone worker and ours hand the same offsets file to each other.
local apache = require "spec.helpers.apache"
local helpers = require "spec.helpers"

describe("an offsets file #kafka", function()
  after_each(helpers.clean)

  local function prepare()
    local worker = helpers.worker()
    local pipe = helpers.pipeline(worker.folder)
    for i, config in ipairs { pipe.source, pipe.sink } do
      config["connector.class"] = i == 1 and "org.apache.kafka.connect.file.FileStreamSourceConnector" or
        "org.apache.kafka.connect.file.FileStreamSinkConnector"
      worker.files[i] = helpers.write(worker:path(i .. ".properties"), helpers.properties(config))
    end
    helpers.write(pipe.from, "")
    return worker, pipe
  end

  it("goes from Apache's worker to ours and back, and no line is read twice", function()
    local worker, pipe = prepare()
    local text = ""
    local function add(what)
      helpers.append(pipe.from, what)
      text = text .. what
      helpers.wait_for_text(pipe.to, text)
    end
    for round = 1, 2 do
      local theirs = apache.start(worker, worker.files)
      add(("apache %d a\napache %d b\n"):format(round, round))
      theirs:stop()
      assert.matches('{"position":' .. #text .. "}", helpers.read(worker:path "offsets"), 1, true)
      worker:start()
      add(("ours %d a\n\nours %d c\n"):format(round, round))
      worker:stop()
      assert.matches('{"position":' .. #text .. "}", helpers.read(worker:path "offsets"), 1, true)
    end
  end)
end)
