-- SPDX-License-Identifier: Apache-2.0
-- The built-in converters but JsonConverter, through a task: values, types and errors.
local connect = require "connect"
local task = require "spec.helpers.task"

local function file(name) return "lua/connect/converters/" .. name .. ".lua" end

describe("the built-in converter", function()
  local t

  after_each(function()
    if t then t:close() end
    t = nil
  end)

  local function with_task(options, run)
    t = task.new(options)
    local ok, result = pcall(run)
    t:close()
    t = nil
    if not ok then error(result, 0) end
    return result
  end

  -- Sinks: what a converter makes of a value's bytes.
  local function decoded(name, bytes, config)
    local seen
    return with_task({ plugin = { kind = "sink", put = function(_, batch) seen = connect.copy(batch[1].value) end },
      value = file(name), value_config = config }, function()
        t:put { { value = bytes } }
        return seen
      end)
  end

  -- Sources: the bytes of a value.
  local function encoded(name, value, schema, config)
    return with_task({ plugin = { kind = "source", poll = function(ctx)
      ctx:emit { topic = "t", value = value, value_schema = schema }
    end }, value = file(name), value_config = config }, function() return t:poll()[1].value end)
  end

  local function refused(convert, ...)
    local ok, e = pcall(convert, ...)
    assert.is_false(ok)
    return e
  end

  it("of numbers reads and writes big-endian bytes", function()
    assert.equal(-2, decoded("short", "\255\254"))
    assert.equal(1234, decoded("integer", "\0\0\4\210"))
    assert.equal("-9223372036854775808LL", tostring(decoded("long", "\128\0\0\0\0\0\0\0")))
    assert.equal(1.5, decoded("float", "\63\192\0\0"))
    assert.equal(-0.25, decoded("double", "\191\208\0\0\0\0\0\0"))
    assert.equal(connect.null, decoded("integer", nil))
    assert.equal("\0\0\4\210", encoded("integer", 1234, "int32"))
    assert.equal("\255\254", encoded("short", -2, "int16"))
    assert.equal("\63\192\0\0", encoded("float", 1.5, "float32"))
    assert.is_nil(encoded("long", nil))
  end)

  it("of booleans reads and writes one byte", function()
    assert.is_true(decoded("boolean", "\1"))
    assert.is_false(decoded("boolean", "\0"))
    assert.equal("\1", encoded("boolean", true))
  end)

  it("of numbers refuses other sizes and types in Apache's words", function()
    local e = refused(decoded, "integer", "123")
    assert.equal("Failed to deserialize integer: ", e.message)
    assert.equal("org.apache.kafka.connect.errors.DataException", e.java)
    assert.equal("Failed to deserialize boolean: ", refused(decoded, "boolean", "\2").message)
    assert.equal("Failed to serialize to integer (was class java.lang.String): ",
      refused(encoded, "integer", "x", "string").message)
    assert.equal("Invalid schema type for BooleanConverter: INT32", refused(encoded, "boolean", 1, "int32").message)
  end)

  it("of strings knows Java's character sets", function()
    local utf16 = { ["converter.encoding"] = "UTF-16" }
    assert.equal("a\195\169", decoded("string", "\254\255\0a\0\233", utf16))
    assert.equal("\254\255\0a\0\233", encoded("string", "a\195\169", nil, utf16))
    assert.equal("\233?", encoded("string", "\195\169\226\130\172", nil, { ["converter.encoding"] = "latin1" }))
  end)

  it("of strings lets the serializers' own settings win", function()
    local config = { ["value.deserializer.encoding"] = "ISO-8859-1", ["key.deserializer.encoding"] = "nope",
      ["serializer.encoding"] = "nope" }
    assert.equal("\195\169", decoded("string", "\233", config))
    assert.equal("\195\169", encoded("string", "\195\169", nil, config))
  end)

  it("of strings refuses unknown character sets", function()
    local e = refused(decoded, "string", "x", { ["converter.encoding"] = "" })
    assert.equal("Unsupported encoding ", e.message)
    assert.equal("org.apache.kafka.common.errors.SerializationException", e.java)
  end)

  it("of headers recognises what they look like", function()
    local seen = {}
    t = task.new { plugin = { kind = "sink", put = function(_, batch)
      for _, h in ipairs(batch[1].headers) do seen[h.name] = connect.copy(h.value) end
    end }, header = file "simple_header" }
    t:put { { value = "x", headers = { { "int", "12" }, { "text", "12 apples" }, { "map", '{"a":[1,2],"b":[3]}' },
      { "null", "null" }, { "empty", "" }, { "none" } } } }
    assert.same({ int = 12, text = "12 apples", map = { a = { 1, 2 }, b = { 3 } }, null = connect.null, empty = "",
      none = connect.null }, seen)
  end)

  it("of headers writes numbers, text and nested values", function()
    t = task.new { plugin = { kind = "source", poll = function(ctx)
      ctx:emit { topic = "t", value = "x", headers = {
        int = 12, text = 'a"b', list = connect.array { 1, 'a"b' } } }
    end }, header = file "simple_header" }
    local out = {}
    for _, h in ipairs(t:poll()[1].headers) do out[h[1]] = h[2] end
    assert.equal("12", out.int)
    assert.equal('a"b', out.text)
    assert.equal('[1,"a\\"b"]', out.list)
  end)

  it("of headers converts neither keys nor values", function()
    assert.is_true(task.load(file "simple_header").headers_only)
  end)

  it("of primitives needs no memory of Lua's per record #memory", function()
    local n = 2000
    t = task.new { plugin = { kind = "sink", put = function() end }, value = file "long",
      header = file "simple_header", cap = n }
    local list = {}
    for i = 1, n do list[i] = { value = "\0\0\0\0\0\0\0\1", headers = { { "h", "[1,2]" } } } end
    local function round()
      local batch = t:consume(list)
      collectgarbage()
      collectgarbage "stop"
      local before = collectgarbage "count"
      t:put_batch(batch)
      local grown = collectgarbage "count" - before
      collectgarbage "restart"
      t:release(batch)
      return grown
    end
    -- The least of some: what runs before its loops are compiled takes memory, and when that is, chance decides.
    local least = math.huge
    for _ = 1, 20 do least = math.min(least, round()) end
    assert.is_true(least < 16, "a batch of 2000 records takes Lua memory")
  end)
end)
