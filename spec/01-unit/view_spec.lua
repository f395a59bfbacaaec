-- SPDX-License-Identifier: Apache-2.0
-- What a sink sees: batches, records and values.
local ffi = require "ffi"

local connect = require "connect"
local C = require "connect.host.abi"
local task = require "spec.helpers.task"

local JSON = "lua/connect/converters/json.lua"

describe("views", function()
  local t

  -- Puts one batch into a sink made of fn.
  local function put(list, fn, options)
    options = options or {}
    options.plugin = { kind = "sink", put = fn }
    options.value = options.value or JSON
    options.value_config = options.value_config or { ["schemas.enable"] = false }
    t = task.new(options)
    t:put(list)
  end

  -- Reads one JSON document.
  local function read(text, fn) put({ text }, function(_, batch) fn(batch[1].value, batch[1]) end) end

  after_each(function()
    if t then t:close() end
    t = nil
  end)

  describe("of values", function()
    it("read scalars as Lua values", function()
      read([[{"s":"text","i":42,"f":1.5,"t":true,"no":false,"n":null,"e":"","neg":-7}]], function(v)
        assert.equal("text", v.s)
        assert.equal(42, v.i)
        assert.equal(1.5, v.f)
        assert.is_true(v.t)
        assert.is_false(v.no)
        assert.equal(connect.null, v.n)
        assert.is_nil(v.absent)
        assert.equal("", v.e)
        assert.equal(-7, v.neg)
      end)
    end)

    it("keep integers exact beyond 2^53", function()
      read([[{"edge":9007199254740992,"big":9007199254740993,"min":-9223372036854775808}]], function(v)
        assert.equal("number", type(v.edge))
        assert.equal(9007199254740993LL, v.big)
        assert.equal(-9223372036854775807LL - 1, v.min)
      end)
    end)

    it("read nested containers", function()
      read([=[{"a":{"b":[1,{"c":"deep"},[]]},"len":3,"0":"zero"}]=], function(v)
        assert.equal("deep", v.a.b[2].c)
        assert.equal(3, #v.a.b)
        assert.equal(0, #v.a.b[3])
        assert.is_nil(v.a.b[4])
        assert.is_nil(v.a.b[0])
        assert.equal(3, v.len) -- a key may have any name
        assert.equal("zero", v["0"])
      end)
    end)

    it("walk fields in the order of the input", function()
      read([[{"z":1,"a":[true,"x"],"m":null}]], function(v)
        local seen = {}
        for i, key, value in connect.fields(v) do seen[i] = key .. "=" .. connect.text(value) end
        assert.same({ "z=1", "a=[true, x]", "m=null" }, seen)
        local items = {}
        for i, item in ipairs(v.a) do items[i] = item end
        assert.same({ true, "x" }, items)
        local keys = {}
        for key in pairs(v) do keys[#keys + 1] = key end
        assert.same({ "z", "a", "m" }, keys)
      end)
    end)

    it("copy to plain tables", function()
      local kept
      read([=[{"a":[1,[]],"o":{"x":null}}]=], function(v) kept = connect.copy(v) end)
      assert.same({ a = { 1, {} }, o = { x = connect.null } }, kept)
      assert.equal([=[{"a":[1,[]],"o":{"x":null}}]=], connect.json.encode(kept))
    end)

    it("compare with anything", function()
      read([[{"a":{},"b":{}}]], function(v)
        assert.is_false(v == nil)
        assert.is_false(v.a == "x")
        assert.is_false(v.a == connect.null)
        assert.is_false(v.a == v.b)
        assert.is_true(v.a == v.a)
      end)
    end)

    it("have Java's text", function()
      read([[{"a":[1,null],"b":"x"}]], function(v)
        assert.equal("{a=[1, null], b=x}", tostring(v))
      end)
    end)

    it("refuse to be written to", function()
      read([[{"a":[1]}]], function(v)
        assert.error_matches(function() v.a = 1 end, "can be changed inside a transform's apply only")
        assert.error_matches(function() v.a[1] = 1 end, "can be changed inside a transform's apply only")
      end)
    end)

    it("show structs by their schema", function()
      local text = [[{"schema":{"type":"struct","optional":false,"fields":[
        {"field":"id","type":"int32","optional":false},
        {"field":"note","type":"string","optional":true},
        {"field":"tags","type":"array","items":{"type":"string","optional":false},"optional":true}]},
        "payload":{"id":7,"note":null,"tags":["a"]}}]]
      put({ text }, function(_, batch)
        local v = batch[1].value
        assert.equal(7, v.id)
        assert.equal(connect.null, v.note)
        assert.equal("a", v.tags[1])
        assert.is_nil(v.other)
        local names = {}
        for i, name in connect.fields(v) do names[i] = name end
        assert.same({ "id", "note", "tags" }, names)
      end, { value_config = {} })
    end)
  end)

  describe("of records", function()
    it("show where a record came from", function()
      put({ { topic = "orders", partition = 3, offset = 99, timestamp = 5, key = "k", value = "1",
        headers = { { "h", "v" }, { "none" } } } }, function(_, batch)
        local rec = batch[1]
        assert.equal("orders", rec.topic)
        assert.equal(3, rec.partition)
        assert.equal(99, rec.offset)
        assert.equal(5, rec.timestamp)
        assert.equal("k", rec.key)
        assert.equal(1, rec.value)
        assert.same({ "h", "v", "none", connect.null },
          { rec.headers[1].name, rec.headers[1].value, rec.headers[2].name, rec.headers[2].value })
        assert.equal("string", rec.headers[1].schema.type)
        assert.is_nil(rec.no_such_field)
        assert.equal("record orders-3@99", tostring(rec))
      end)
    end)

    it("show tombstones as null", function()
      put({ {} }, function(_, batch)
        assert.equal(connect.null, batch[1].value)
        assert.equal(connect.null, batch[1].key)
      end)
    end)
  end)

  it("are never made of what a plugin passes instead", function()
    put({ "1" }, function(_, batch)
      local next_record = batch:records()
      for _, x in ipairs { 0, "x", ("A"):rep(400), batch[1], {}, connect.null } do
        assert.error_matches(function() next_record(x, 0) end, "a view expected")
        assert.error_matches(function() batch.retain(x) end, "a view expected")
        assert.error_matches(function() batch.records(x) end, "a view expected")
      end
      assert.error_matches(function() next_record() end, "a view expected")
      assert.is_nil(next_record(batch, -1))
      assert.is_nil(next_record(batch, -1e9))
      assert.is_nil(next_record(batch, 0 / 0))
    end)
  end)

  it("are never walked from where a plugin likes", function()
    read([[{"a":[1]}]], function(v)
      local next_field, next_item = connect.fields(v), connect.fields(v.a)
      assert.is_nil(next_field(v, -1e6))
      assert.is_nil(next_item(v.a, -1))
      assert.error_matches(function() next_field(v.a, 0) end, "a view expected")
    end)
  end)

  describe("of batches", function()
    it("are lists of records", function()
      put({ "1", "2", "3" }, function(_, batch)
        assert.equal(3, #batch)
        assert.equal(2, batch[2].value)
        assert.is_nil(batch[0])
        assert.is_nil(batch[4])
        local seen = {}
        for i, rec in batch:records() do seen[i] = rec.value end
        assert.same({ 1, 2, 3 }, seen)
      end)
    end)

    it("may be empty", function()
      local calls = 0
      put({}, function(_, batch)
        calls = calls + 1
        assert.equal(0, #batch)
        for _ in batch:records() do error "none expected" end
      end)
      assert.equal(1, calls)
    end)

    it("hide records that were dropped, also between two puts", function()
      local seen
      t = task.new { plugin = { kind = "sink", put = function(_, batch)
        seen = {}
        for i, rec in batch:records() do seen[i] = rec.value end
        assert.equal(#seen, #batch)
        assert.equal(seen[#seen], batch[#seen].value)
      end } }
      local batch = t:consume { "a", "b", "c", "d" }
      batch.records[1].state = C.CL_RECORD_DROPPED
      t:put_batch(batch)
      assert.same({ "a", "c", "d" }, seen)
      batch.records[3].state = C.CL_RECORD_DROPPED
      t:put_batch(batch)
      assert.same({ "a", "c" }, seen)
      t:release(batch)
    end)
  end)

  describe("outlive their batch only when it is retained", function()
    local rec, value, batch

    local function keep(_, b) rec, value, batch = b[1], b[1].value, b end

    it("and raise otherwise", function()
      put({ [[{"a":1}]] }, keep)
      assert.error_matches(function() return value.a end, "stale view")
      assert.error_matches(function() return rec.topic end, "stale view")
      assert.error_matches(function() return #batch end, "stale view")
      assert.error_matches(function() return batch[1] end, "stale view")
      local step = connect.fields(value)
      assert.error_matches(function() step(value, 0) end, "stale view")
      local old = value
      t:put { [[{"a":2}]] } -- the same memory, another epoch
      assert.error_matches(function() return old.a end, "stale view")
    end)

    it("after retain, until release", function()
      put({ [[{"a":1}]] }, function(_, b)
        keep(_, b)
        b:retain()
      end)
      assert.equal(1, value.a)
      assert.equal("t", rec.topic)
      batch:release()
      assert.error_matches(function() return value.a end, "stale view")
      assert.error_matches(function() batch:release() end, "stale view")
    end)

    it("and cannot be released more often than retained", function()
      put({ "1" }, function(_, b)
        assert.error_matches(function() b:release() end, "without batch:retain")
        b:retain()
        b:release()
        assert.error_matches(function() b:release() end, "without batch:retain")
      end)
    end)
  end)

  it("give away no pointer", function()
    put({ [[{"a":[1]}]] }, function(_, batch)
      for _, v in ipairs { batch, batch[1], batch[1].value, batch[1].value.a } do
        assert.equal(8, ffi.sizeof(v))
        assert.error(function() return v + 1 end)
      end
    end)
  end)
end)
