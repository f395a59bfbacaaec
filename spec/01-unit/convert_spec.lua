-- SPDX-License-Identifier: Apache-2.0
-- Converters, built in and foreign, and the place of a bad record.
local connect = require "connect"
local task = require "spec.helpers.task"

local JSON = "lua/connect/converters/json.lua"
local BYTES = "lua/connect/converters/byte_array.lua"

-- Turns text round; refuses "bad".
local reverse = {
  api = 1, kind = "converter", class = "test.Reverse", config = {},
  configure = function(config, role) return { role = role, config = config } end,
  decode = function(datum, state)
    local text = datum:text()
    if text == "bad" then connect.data_error("refused by %s", state.role) end
    if text == "broken" then error("a bug") end
    if text == "later" then connect.retriable "not now" end
    datum:set(text and { text = text:reverse() } or nil)
  end,
  encode = function(datum)
    local value = datum:get()
    if value == connect.null then return datum:set_text(nil) end
    datum:set_text(value.text:reverse())
  end,
}

describe("a converter", function()
  local t

  after_each(function()
    if t then t:close() end
    t = nil
  end)

  local function sink(options, put)
    options.plugin = { kind = "sink", put = put or function() end }
    t = task.new(options)
    return t
  end

  it("of strings reads text, repairs it and keeps null", function()
    local seen = {}
    sink({}, function(_, batch)
      for i, rec in batch:records() do seen[i] = rec.value end
    end):put { "a", "", "x\255y", {} }
    assert.same({ "a", "", "x\239\191\189y", connect.null }, seen)
  end)

  it("of strings refuses other encodings", function()
    assert.error_matches(function()
      task.new({ plugin = { kind = "sink", put = print }, value_config = { ["converter.encoding"] = "nope" } })
    end, "Unsupported encoding nope")
  end)

  it("of bytes passes them through", function()
    local seen
    sink({ value = BYTES }, function(_, batch) seen = batch[1].value end):put { "\0\255" }
    assert.equal("\0\255", seen)
  end)

  it("may be foreign", function()
    local seen = {}
    sink({ value = reverse }, function(_, batch)
      for i, rec in batch:records() do seen[i] = connect.copy(rec.value) end
    end):put { "abc", {} }
    assert.same({ { text = "cba" }, connect.null }, seen)
    t:close()
    t = task.new { value = reverse, plugin = { kind = "source", poll = function(ctx)
      ctx:emit { topic = "t", value = { text = "xyz" } }
      ctx:emit { topic = "t" }
    end } }
    local out = t:poll()
    assert.equal("zyx", out[1].value)
    assert.is_nil(out[2].value)
  end)

  it("that sets nothing is an error", function()
    local idle = { kind = "converter", class = "test.Idle", decode = function(datum) datum:text() end,
      encode = function(datum) datum:set(datum:get()) end }
    for _, role in ipairs { "value", "key", "header" } do
      sink { [role] = idle }
      local ok, e = pcall(t.put, t, { { key = "k", value = "v", headers = { { "h", "x" } } } })
      assert.is_false(ok)
      assert.equal("data", e.class)
      assert.matches("decode set nothing: it must call datum:set", e.message)
      assert.matches("test.Idle", e.where)
      t:close()
      t = task.new { [role] = idle, plugin = { kind = "source", poll = function(ctx)
        ctx:emit { topic = "t", key = "k", value = "v", headers = { h = "x" } }
      end } }
      ok, e = pcall(t.poll, t)
      assert.is_false(ok)
      assert.matches("encode set nothing: it must call datum:set_text", e.message)
      assert.matches("test.Idle", e.where)
      t:close()
    end
    t = nil
  end)

  it("is given the schema", function()
    local seen = {}
    t = task.new { value = { kind = "converter", encode = function(datum)
      local s = datum:schema()
      seen[#seen + 1] = s == nil and "none" or s.type .. (s.optional and "?" or "")
      datum:set_text(nil)
    end }, plugin = { kind = "source", poll = function(ctx)
      ctx:emit { topic = "t", value = 5, value_schema = "int32?" }
      ctx:emit { topic = "t", value = 5 }
    end } }
    t:poll()
    assert.same({ "int32?", "none" }, seen)
  end)

  it("names the record it could not read, and put is not called", function()
    local calls = 0
    sink({ value = JSON, value_config = { ["schemas.enable"] = false } }, function() calls = calls + 1 end)
    local ok, e = pcall(t.put, t, { "1", { topic = "orders", partition = 2, offset = 41, value = "{" } })
    assert.is_false(ok)
    assert.equal("data", e.class)
    assert.matches("^Error converting message value in topic 'orders' partition 2 at offset 41 "
      .. "%(org%.apache%.kafka%.connect%.json%.JsonConverter%), which looks like text: ", task.message(e))
    assert.equal(0, calls)
  end)

  it("names the header it could not read", function()
    local picky = { kind = "converter", class = "test.Picky", decode = function(datum)
      if datum:text() == "bad" then error("no") end
      datum:set(datum:text())
    end, encode = function() end }
    sink { header = picky }
    local ok, e = pcall(t.put, t, { { value = "v", headers = { { "first", "good" }, { "second", "bad" }, { "third", "good" } } } })
    assert.is_false(ok)
    assert.matches("^Error converting message header 'second' in topic 't' partition 0 at offset 0 %(test.Picky%)", task.message(e))
  end)

  it("that throws anything names the record too", function()
    sink { key = reverse }
    local ok, e = pcall(t.put, t, { { key = "bad", value = "v" } })
    assert.is_false(ok)
    assert.equal("Error converting message key in topic 't' partition 0 at offset 0 (test.Reverse), which looks like text: refused by key",
      task.message(e))
    ok, e = pcall(t.put, t, { { key = "broken", value = "v" } })
    assert.is_false(ok)
    assert.equal("data", e.class)
    assert.matches("a bug$", e.message)
    ok, e = pcall(t.put, t, { { key = "later", value = "v" } })
    assert.is_false(ok)
    assert.equal("data", e.class) -- a batch is not converted twice
    assert.equal("org.apache.kafka.connect.errors.RetriableException", e.java)
  end)

  it("names the record it could not write", function()
    t = task.new { value = BYTES, plugin = { kind = "source", poll = function(ctx)
      ctx:emit { topic = "t", value = "x", value_schema = "string", source_partition = { file = "a" } }
    end } }
    local ok, e = pcall(t.poll, t)
    assert.is_false(ok)
    assert.equal("Error converting message value for topic 't' from source partition {\"file\":\"a\"} "
      .. "(org.apache.kafka.connect.converters.ByteArrayConverter): "
      .. "Invalid schema type for ByteArrayConverter: STRING", task.message(e))
  end)

  it("converts a batch once, however often it is put", function()
    local decoded, puts = 0, 0
    local counting = { kind = "converter", decode = function(d) decoded = decoded + 1 d:set(d:text()) end,
      encode = function() end }
    sink({ value = counting }, function()
      puts = puts + 1
      if puts == 1 then connect.retriable "later" end
    end)
    local batch = t:consume { "a", "b" }
    local ok, e = pcall(t.put_batch, t, batch)
    assert.is_false(ok)
    assert.equal("retriable", e.class)
    t:put_batch(batch)
    t:release(batch)
    assert.equal(2, decoded)
    assert.equal(2, puts)
  end)

  it("uses its datum during the call only", function()
    local kept
    sink({ value = { kind = "converter", decode = function(d)
      kept = d
      d:set()
    end, encode = function() end } })
    t:put { "a" }
    assert.error_matches(function() kept:text() end, "inside decode or encode only")
    assert.error_matches(function() kept.x = 1 end, "read%-only")
    assert.error_matches(function() require "connect.codec".string_decode(kept) end, "inside decode or encode only")
    assert.error_matches(function() require "connect.codec".json_decode(kept, nil) end, "codec.json expected")
  end)
end)
