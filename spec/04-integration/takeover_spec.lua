-- SPDX-License-Identifier: Apache-2.0
-- Apache's standalone worker and ours hand the same offsets file to each other.
local helpers = require "spec.helpers"

describe("an offsets file #kafka", function()
  after_each(helpers.clean)

  -- Apache's worker with these connectors, in this worker's folder and on its offsets file.
  local function start_apache(worker, files)
    local port = helpers.free_port()
    local config = {}
    for key, value in pairs(worker.config) do config[key] = value end
    config.listeners = "http://127.0.0.1:" .. port
    local file = helpers.write(worker:path "apache.properties", helpers.properties(config))
    local argv = { helpers.root .. "/tests/kafka/broker", "connect", file }
    for _, connector in ipairs(files) do argv[#argv + 1] = connector end
    local apache = helpers.spawn(argv, worker:path "apache.log")
    helpers.wait_for("Apache's worker to answer", function()
      assert(not apache:ended(), helpers.read(worker:path "apache.log"))
      return (helpers.http("GET", "http://127.0.0.1:" .. port .. "/connectors")) == 200
    end)
    return apache
  end

  local function stop_apache(apache)
    apache:kill("TERM")
    apache:wait(120) -- ends by the signal, after its shutdown hooks
  end

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
      local apache = start_apache(worker, worker.files)
      add(("apache %d a\napache %d b\n"):format(round, round))
      stop_apache(apache)
      assert.matches('{"position":' .. #text .. "}", helpers.read(worker:path "offsets"), 1, true)
      worker:start()
      add(("ours %d a\n\nours %d c\n"):format(round, round))
      worker:stop()
      assert.matches('{"position":' .. #text .. "}", helpers.read(worker:path "offsets"), 1, true)
    end
  end)
end)
