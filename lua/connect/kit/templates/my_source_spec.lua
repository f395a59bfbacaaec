local connect = require "connect"
local kit = require "connect.testkit"

describe("my_source", function()
  local plugin, t = kit.plugin "my_source", nil

  local function start(offsets)
    t = kit.task { plugin = plugin, config = { topic = "numbers" }, offsets = offsets,
      value = "json", value_config = kit.PLAIN }
    t:start()
  end

  after_each(function()
    t:stop()
    t:close()
  end)

  it("emits numbered records", function()
    start()
    local first, second = t:poll()[1], t:poll()[1]
    assert.equal("numbers", first.topic)
    assert.equal("1", first.key)
    assert.same({ n = 2, text = "hello" }, connect.json.decode(second.value))
  end)

  it("waits before each", function()
    start()
    t:poll()
    assert.same({ 1000 }, t.slept) -- nobody waited: in tests sleeping moves the clock
  end)

  it("goes on where it ended", function()
    start { [connect.json.encode { source = "my_source" }] = { n = 41 } }
    local record = t:poll()[1]
    assert.equal("42", record.key)
    assert.same({ n = 42 }, record.source_offset)
  end)

  it("emits nothing when it is asked to stop", function()
    start()
    t:ask_to_stop()
    assert.same({}, t:poll())
  end)
end)
