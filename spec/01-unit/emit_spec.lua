-- SPDX-License-Identifier: Apache-2.0
-- What a source hands over: ctx:emit, ctx:record, ctx:partition.
local connect = require "connect"
local task = require "spec.helpers.task"

local JSON = "lua/connect/converters/json.lua"

describe("a source", function()
  local t

  local function source(poll, options)
    options = options or {}
    options.plugin = { kind = "source", poll = poll }
    options.value = options.value or JSON
    options.value_config = options.value_config or { ["schemas.enable"] = false }
    t = task.new(options)
    return t
  end

  after_each(function()
    if t then t:close() end
    t = nil
  end)

  -- The JSON that a value becomes.
  local function json_of(value)
    local out = source(function(ctx) ctx:emit { topic = "t", value = value } end):poll()[1].value
    t:close()
    t = nil
    return out
  end

  local function error_of(value)
    local ok, e = pcall(json_of, value)
    if t then t:close() end
    t = nil
    assert.is_false(ok)
    return tostring(e)
  end

  it("emits plain values", function()
    assert.equal([["text"]], json_of "text")
    assert.equal("1", json_of(1))
    assert.equal("9007199254740992", json_of(2 ^ 53))
    assert.equal("-9223372036854775808", json_of(-2 ^ 63))
    assert.equal("1.5", json_of(1.5))
    assert.equal("true", json_of(true))
    assert.equal("9223372036854775807", json_of(9223372036854775807LL))
    assert.is_nil(json_of(connect.null)) -- a tombstone
    assert.is_nil(json_of(nil))
  end)

  it("emits tables: keys sorted, lists as arrays", function()
    assert.equal([[{"a":[1,2,{"x":null}],"b":{"c":true},"z":9223372036854775807}]],
      json_of { z = 9223372036854775807LL, a = { 1, 2, { x = connect.null } }, b = { c = true } })
    assert.equal("{}", json_of {})
    assert.equal("[]", json_of(connect.array {}))
    assert.equal("[[],{}]", json_of { connect.array {}, {} })
    assert.equal("\"bad \239\191\189 text\"", json_of "bad \255 text")
  end)

  it("names the place of what cannot be converted", function()
    assert.matches("value%.items%[3%]: cannot convert a function", error_of { items = { 1, 2, print } })
    assert.matches("value: cannot convert a function", error_of(print))
    assert.matches("value%.a: cannot convert a table with both names and positions", error_of { a = { 1, x = 2 } })
    assert.matches("value: cannot convert a list with holes", error_of { [1] = 1, [3] = 3 })
    assert.matches("value: cannot convert a table with the key 0", error_of { [0] = 1 })
    assert.matches("value: cannot convert a table with a boolean as key", error_of { [true] = 1 })
    assert.matches("value%.u: an unsigned 64%-bit integer", error_of { u = 1ULL })
    local loop = {}
    loop.me = loop
    assert.matches("emit: value%.me%.me%.me%.me%.me%.me%.%.%.%.me%.me: nested deeper than 100", error_of(loop))
    local deep = { f = print }
    for i = 9, 1, -1 do deep = { ["d" .. i] = deep } end
    assert.matches("value%.d1%.d2%.d3%.d4%.d5%.d6%.%.%.%.d9%.f: cannot convert a function", error_of(deep))
    assert.matches("value%.a%.b%.c%.d%.e%.f%.g%.h: cannot",
      error_of { a = { b = { c = { d = { e = { f = { g = { h = print } } } } } } } })
  end)

  it("calls no metamethod of the plugin's tables", function()
    local called = false
    local spy = function() called = true end
    local value = setmetatable({ a = 1 }, { __index = spy, __pairs = spy, __len = spy, __tostring = spy })
    assert.equal([[{"a":1}]], json_of(value))
    assert.is_false(called)
  end)

  it("emits all fields of a record", function()
    local out = source(function(ctx)
      ctx:emit { topic = "t", partition = 2, key = "k", value = { n = 1 }, timestamp = 77,
        headers = { b = "2", a = "1" }, source_partition = { p = 1 }, source_offset = { at = 5 } }
      ctx:emit { topic = "u", value = 1, headers = { { name = "x", value = "1" }, { name = "x" } } }
    end):poll()
    assert.same({
      { topic = "t", partition = 2, key = "k", value = [[{"n":1}]], timestamp = 77,
        headers = { { "a", "1" }, { "b", "2" } }, source_partition = [[{"p":1}]], source_offset = { at = 5 } },
      { topic = "u", partition = -1, value = "1", timestamp = -1, headers = { { "x", "1" }, { "x" } },
        source_partition = "null", source_offset = connect.null },
    }, out)
  end)

  it("takes an id of ctx:partition again", function()
    local id
    local out = source(function(ctx)
      id = id or ctx:partition { file = "a" }
      ctx:emit { topic = "t", value = 1, source_partition = id }
    end):poll()
    assert.equal([[{"file":"a"}]], out[1].source_partition)
    assert.equal([[{"file":"a"}]], t:poll()[1].source_partition)
  end)

  it("refuses what is no record", function()
    local fields, e
    source(function(ctx)
      local ok
      ok, e = pcall(ctx.emit, ctx, fields)
      assert.is_false(ok)
    end)
    local function refused(given)
      fields = given
      assert.equal(0, #t:poll()) -- nothing half-filled stays behind
      return tostring(e)
    end
    assert.matches("topic must be a string", refused { value = 1 })
    assert.matches("topic must be a string", refused { topic = "" })
    assert.matches("unknown field 'parition'", refused { topic = "t", parition = 1 })
    assert.matches("partition must be a whole number", refused { topic = "t", partition = -1 })
    assert.matches("partition must be a whole number", refused { topic = "t", partition = 1.5 })
    assert.matches("timestamp must be", refused { topic = "t", timestamp = "now" })
    for _, ms in ipairs { -5, 1e300, 2 ^ 63, 0 / 0 } do
      assert.matches("timestamp must be milliseconds since the epoch", refused { topic = "t", timestamp = ms })
    end
    assert.matches("source_offset must be a table", refused { topic = "t", source_offset = 3 })
    assert.matches("source_partition must be", refused { topic = "t", source_partition = "p" })
    for _, id in ipairs { 42, -1, 1.5, 2 ^ 32 + 1, 0 / 0 } do
      assert.matches("source_partition must be .* id of ctx:partition, not",
        refused { topic = "t", source_partition = id })
    end
    assert.matches("headers", refused { topic = "t", headers = "h" })
    assert.matches("header a: cannot convert a function", refused { topic = "t", headers = { a = print } })
    assert.matches("takes a table", refused "record")
  end)

  it("fills the next record field by field", function()
    local draft
    local out = source(function(ctx)
      for i = 1, 3 do
        local rec = ctx:record()
        rec.topic, rec.value, rec.key, rec.timestamp = "t", i, "k" .. i, i
        rec.source_partition, rec.source_offset = ctx:partition { p = 1 }, { n = i }
        draft = rec
      end
    end):poll()
    assert.equal(3, #out)
    assert.equal("3", out[3].value)
    assert.equal("k3", out[3].key)
    assert.same({ n = 3 }, out[3].source_offset)
    assert.equal([[{"p":1}]], out[3].source_partition)
    assert.error_matches(function() draft.value = 2 end, "stale view")
  end)

  it("refuses an id it did not give, field by field too", function()
    source(function(ctx)
      local rec = ctx:record()
      rec.topic = "t"
      assert.error_matches(function() rec.source_partition = 42 end, "id of ctx:partition, not 42")
      assert.error_matches(function() rec.source_partition = "x" end, "id of ctx:partition, not a string")
    end):poll()
  end)

  it("says full by bytes long before large records fill the arena", function()
    local line = ("x"):rep(20000)
    t = task.new { cap = 4096, plugin = { kind = "source", poll = function(ctx)
      while not ctx.full do ctx:emit { topic = "t", value = line, value_schema = "string" } end
    end } }
    local n = #t:poll()
    assert.is_true(n > 300 and n < 500, n)
  end)

  it("must give a record of ctx:record a topic", function()
    source(function(ctx) ctx:record().value = 1 end)
    assert.error_matches(function() t:poll() end, "record 1 of ctx:record%(%) without a topic")
  end)

  it("knows when the batch is full", function()
    local e
    local out = source(function(ctx)
      while not ctx.full do ctx:emit { topic = "t", value = 1 } end
      e = select(2, pcall(ctx.emit, ctx, { topic = "t", value = 2 }))
    end, { cap = 5 }):poll()
    assert.equal(5, #out)
    assert.matches("the batch is full %(5 records%)", tostring(e))
  end)

  it("emits inside poll only", function()
    local kept
    source(function(ctx) kept = ctx end)
    t:poll()
    assert.is_false(kept.full)
    assert.error_matches(function() kept:emit { topic = "t" } end, "inside poll only")
    assert.error_matches(function() kept:record() end, "inside poll only")
  end)

  it("must return nothing from poll", function()
    source(function() return { { topic = "t" } } end)
    assert.error_matches(function() t:poll() end, "poll returned a table")
  end)

  describe("with a value schema", function()
    local function typed(value, schema)
      local out = source(function(ctx)
        ctx:emit { topic = "t", value = value, value_schema = schema, key = "k", key_schema = "string" }
      end, { value_config = {} }):poll()[1].value
      t:close()
      t = nil
      return out
    end

    it("writes it", function()
      assert.equal([[{"schema":{"type":"string","optional":false},"payload":"x"}]], typed("x", "string"))
      assert.equal([[{"schema":{"type":"int8","optional":false},"payload":-128}]], typed(-128, "int8"))
      assert.equal([[{"schema":{"type":"int64","optional":true},"payload":null}]], typed(nil, "int64?"))
      assert.equal([[{"schema":{"type":"double","optional":false},"payload":2.0}]], typed(2, "float64"))
      assert.equal([[{"schema":{"type":"boolean","optional":false},"payload":false}]], typed(false, "boolean"))
      assert.equal([[{"schema":{"type":"bytes","optional":false},"payload":"AP8="}]], typed("\0\255", "bytes"))
    end)

    it("refuses what does not fit", function()
      local function refused(...)
        local ok, e = pcall(typed, ...)
        if t then t:close() end
        t = nil
        return not ok and tostring(e)
      end
      assert.matches("the number 128 does not fit its Schema{INT8}", refused(128, "int8"))
      assert.matches("the number 1.5 does not fit its Schema{INT64}", refused(1.5, "int64"))
      assert.matches("the number 1 does not fit its Schema{STRING}", refused(1, "string"))
      assert.matches("Invalid value: null used for required value, schema type: STRING", refused(nil, "string"))
      assert.matches("unknown schema varchar", refused("x", "varchar"))
    end)
  end)

  it("reads its stored offsets", function()
    local one, list
    source(function() end, { offsets = { [ [[{"p":1}]] ] = { at = 4 } } })
    t:close()
    t = task.new { plugin = { kind = "source", poll = function() end, start = function(ctx)
      one = ctx:offset { p = 1 }
      list = ctx:offsets { { p = 1 }, { p = 2 } }
    end }, offsets = { [ [[{"p":1}]] ] = { at = 4 } } }
    t:start()
    assert.same({ at = 4 }, one)
    assert.same({ { at = 4 }, connect.null }, list)
  end)

  it("says which calls are a sink's, or not built yet", function()
    local ctx
    source(function(c) ctx = c end)
    t:poll()
    assert.error_matches(function() ctx:rewind("t", 0, 1) end, "ctx:rewind is not for a source")
    assert.error_matches(function() ctx:reconfigure() end, "ctx:reconfigure is not built yet")
    assert.is_nil(ctx.anything_else)
    assert.is_false(ctx:stopping())
    assert.is_false(ctx:sleep(0))
  end)
end)
