-- SPDX-License-Identifier: Apache-2.0
-- The teaching examples: hello_source, SingleFileSource, SingleFileSink.
local connect = require "connect"
local task = require "spec.helpers.task"

local JSON = "lua/connect/converters/json.lua"

local function write(path, text, mode)
  local file = assert(io.open(path, mode or "wb"))
  file:write(text)
  file:close()
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

describe("teaching connectors:", function()
  local path, t

  before_each(function() path = os.tmpname() end)

  after_each(function()
    t:stop()
    t:close()
    os.remove(path)
  end)

  it("hello_source greets, and goes on counting", function()
    t = task.new { plugin = "connectors/hello_source.lua", config = { topic = "hi" }, value = JSON,
      value_config = { ["schemas.enable"] = false }, offsets = { [ [[{"greeter":1}]] ] = { n = 41 } } }
    t:start()
    local rec = t:poll()[1]
    assert.same({ "hi", [[{"n":42,"text":"hello"}]], { n = 42 } }, { rec.topic, rec.value, rec.source_offset })
  end)

  it("SingleFileSource counts lines", function()
    write(path, "a\nb\nc\n")
    t = task.new { plugin = "connectors/single_file_source.lua", config = { file = path }, cap = 2 }
    t:start()
    local out = t:poll()
    assert.same({ "test", "a", { position = 1 }, connect.json.encode { filename = path } },
      { out[1].topic, out[1].value, out[1].source_offset, out[1].source_partition })
    assert.equal("b", out[2].value)
    assert.equal("c", t:poll()[1].value)
    assert.equal(0, #t:poll())
    write(path, "d\n", "ab")
    assert.same({ position = 4 }, t:poll()[1].source_offset)
  end)

  it("SingleFileSource skips the lines already sent", function()
    write(path, "a\nb\nc\n")
    t = task.new { plugin = "connectors/single_file_source.lua", config = { file = path },
      offsets = { [connect.json.encode { filename = path }] = { position = 2 } } }
    t:start()
    local out = t:poll()
    assert.equal(1, #out)
    assert.equal("c", out[1].value)
  end)

  it("SingleFileSink buffers in put, writes in flush", function()
    t = task.new { plugin = "connectors/single_file_sink.lua", config = { file = path } }
    t:start()
    t:put { "a", "b" }
    assert.equal("", read(path))
    t:flush {}
    assert.equal("a\nb\n", read(path))
  end)
end)
