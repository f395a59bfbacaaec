-- SPDX-License-Identifier: Apache-2.0
local connect = require "connect"
local task = require "spec.helpers.task"

local function write(path, text, mode)
  local file = assert(io.open(path, mode or "wb"))
  file:write(text)
  file:close()
end

describe("FileStreamSource", function()
  local path, t

  local function start(config, options)
    options = options or {}
    config = config or {}
    config.topic = "lines"
    if config.file == nil then config.file = path end
    options.plugin, options.config = "connectors/file_stream_source.lua", config
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

  local function values(records)
    local out = {}
    for i, rec in ipairs(records) do out[i] = rec.value end
    return out
  end

  it("emits complete lines with Apache's partitions and offsets", function()
    write(path, "one\ntwo\nthr")
    start()
    local out = t:poll()
    assert.same({ "one", "two" }, values(out))
    assert.equal("lines", out[1].topic)
    assert.is_nil(out[1].key)
    assert.equal(connect.json.encode { filename = path }, out[1].source_partition)
    assert.same({ position = 8 }, out[2].source_offset)
    write(path, "ee\n", "ab")
    assert.same({ "three" }, values(t:poll()))
  end)

  it("writes lines with the schema string", function()
    write(path, "one\n")
    start({}, { value = "lua/connect/converters/json.lua" })
    assert.same({ [[{"schema":{"type":"string","optional":false},"payload":"one"}]] }, values(t:poll()))
  end)

  it("goes on from the stored position", function()
    write(path, "one\ntwo\n")
    start({}, { offsets = { [connect.json.encode { filename = path }] = { position = 4 } } })
    assert.same({ "two" }, values(t:poll()))
  end)

  it("starts at the beginning when the stored position is null", function()
    write(path, "one\n")
    start({}, { offsets = { [connect.json.encode { filename = path }] = { position = connect.null } } })
    assert.same({ "one" }, values(t:poll()))
  end)

  it("refuses a stored position that is no number", function()
    assert.error_matches(function()
      start({}, { offsets = { [connect.json.encode { filename = path }] = { position = "4" } } })
    end, "Offset position is the incorrect type")
  end)

  it("strands no line behind a full batch", function()
    write(path, "a\nb\nc\nd\ne\n")
    start { ["batch.size"] = 2 }
    assert.same({ "a", "b" }, values(t:poll()))
    assert.same({ "c", "d" }, values(t:poll()))
    assert.same({ "e" }, values(t:poll()))
  end)

  it("takes one record a poll for a batch.size below one", function()
    write(path, "a\nb\n")
    start { ["batch.size"] = 0 }
    assert.same({ "a" }, values(t:poll()))
  end)

  it("waits for a missing file, and says so once", function()
    os.remove(path)
    start()
    assert.same({}, t:poll())
    assert.same({}, t:poll())
    assert.equal(1, #t.logged)
    assert.equal("Couldn't find file " .. path .. " for FileStreamSourceTask, sleeping to wait for it to be created",
      t.logged[1].text)
    write(path, "here\n")
    assert.same({ "here" }, values(t:poll()))
  end)

  it("reads every line of a large file once, in order", function()
    local lines = {}
    for i = 1, 10000 do lines[i] = ("%d:"):format(i) .. ("x"):rep(i % 95) end
    write(path, table.concat(lines, "\n") .. "\n")
    start({ ["batch.size"] = 5000 }, { cap = 5000 })
    local first, second = t:poll(), t:poll()
    assert.equal(5000, #first)
    assert.equal(5000, #second)
    assert.equal(lines[1], first[1].value)
    assert.equal(lines[5001], second[1].value)
    assert.equal(lines[10000], second[5000].value)
  end)
end)
