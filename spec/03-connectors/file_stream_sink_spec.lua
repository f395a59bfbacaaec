-- SPDX-License-Identifier: Apache-2.0
local task = require "spec.helpers.task"

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

describe("FileStreamSink", function()
  local path, t

  local function start(options)
    options = options or {}
    options.plugin = "connectors/file_stream_sink.lua"
    options.config = options.config or { file = path }
    t = task.new(options)
    t:start()
  end

  before_each(function() path = os.tmpname() end)

  after_each(function()
    if t then
      t:stop()
      t:close()
    end
    t = nil
    os.remove(path)
  end)

  it("appends each value as a line, at once", function()
    start()
    t:put { "line1" }
    t:put { "line2", "line3", "" }
    assert.equal("line1\nline2\nline3\n\n", read(path))
    assert.is_nil(t:flush {})
    t:put {}
    assert.equal("line1\nline2\nline3\n\n", read(path))
  end)

  it("prints values as Java does", function()
    start { value = "lua/connect/converters/json.lua", value_config = { ["schemas.enable"] = false } }
    t:put { [[{"k":1,"l":[1,"z"],"n":null}]], "null", "1.0", {} }
    assert.equal("{k=1, l=[1, z], n=null}\nnull\n1.0\nnull\n", read(path))
  end)

  it("ends a line torn by a crash first", function()
    local file = io.open(path, "wb")
    file:write "whole\ntor"
    file:close()
    start()
    t:put { "next" }
    assert.equal("whole\ntor\nnext\n", read(path))
  end)

  it("fails when the file cannot be opened, in Apache's words", function()
    assert.error_matches(function() start { config = { file = "/no/such/folder/x" } } end,
      "Couldn't find or create file '/no/such/folder/x' for FileStreamSinkTask")
  end)

  it("fails when a write fails", function()
    start { config = { file = "/dev/full" } }
    local ok, e = pcall(t.put, t, { "lost" })
    assert.is_false(ok)
    assert.equal("fatal", e.class)
    assert.matches("No space left", e.message)
  end)

  it("makes tasks.max copies of its configuration", function()
    local config = { file = "x" }
    assert.same({ config, config }, task.load "connectors/file_stream_sink.lua".tasks(config, 2))
  end)
end)
