-- SPDX-License-Identifier: Apache-2.0
-- The file quickstart of Apache's documentation and of most tutorials, unchanged: the three
-- files in spec/fixtures/tutorial, a broker on localhost:9092, a jar path that leads nowhere.
local helpers = require "spec.helpers"

describe("the tutorial's quickstart #kafka", function()
  after_each(helpers.clean)

  it("runs unchanged", function()
    assert.matches(":9092$", helpers.broker, nil, nil, "the tutorial's broker is localhost:9092, and that port was taken")
    os.remove "/tmp/connect.offsets"
    local worker = helpers.worker()
    local fixtures = helpers.root .. "/spec/fixtures/tutorial/"
    local mark = helpers.unique "tutorial"
    helpers.write(worker:path "test.txt", mark .. " foo\n" .. mark .. " bar\n")
    worker.cwd = worker.folder
    worker.command = {
      worker.binary, "--worker", fixtures .. "connect-standalone.properties",
      fixtures .. "connect-file-source.properties", fixtures .. "connect-file-sink.properties",
    }
    worker:start()
    local function arrived(text)
      helpers.wait_for(text, function()
        return (helpers.read(worker:path "test.sink.txt") or ""):find(mark .. " " .. text .. "\n", 1, true)
      end)
    end
    arrived "foo"
    arrived "bar"
    helpers.append(worker:path "test.txt", mark .. " another line\n")
    arrived "another line"
    local seen = helpers.shell("kcat -q -b localhost:9092 -C -t connect-test -e -o beginning")
    assert.matches('{"schema":{"type":"string","optional":false},"payload":"' .. mark .. ' foo"}', seen, 1, true)
    assert.matches("connect-file-3.4.0.jar", worker:log(), 1, true)
    worker:stop()
    assert.is_string(helpers.read "/tmp/connect.offsets")
    os.remove "/tmp/connect.offsets"
  end)
end)
