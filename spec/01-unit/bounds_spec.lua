-- SPDX-License-Identifier: Apache-2.0
-- What plugins build stays inside what C reads: defaults that fit their schemas, values nested deeper than C's
-- stack, more than a batch's memory holds.

local connect = require "connect"
local task = require "spec.helpers.task"

local JSON = "lua/connect/converters/json.lua"
local DIR = "lua/connect/transforms/"
local PLAIN = { ["schemas.enable"] = false }
local DEPTH = 100000

local t
after_each(function()
  if t then t:close() end
  t = nil
end)

local function stage(file, config) return { plugin = DIR .. file .. ".lua", config = config, side = "value" } end

-- The value that comes out of a transform's apply and built-in ones behind it, looked at by see.
local function run(apply, stages, see, options)
  local transforms = { { plugin = { kind = "transform", apply = apply } } }
  for _, s in ipairs(stages or {}) do transforms[#transforms + 1] = s end
  local given = { value = JSON, value_config = PLAIN, key = false, header = false, transforms = transforms,
    plugin = { kind = "sink", put = function(_, batch) see(batch[1]) end } }
  for name, x in pairs(options or {}) do given[name] = x end
  t = task.new(given)
  t:put { "{}" }
end

describe("a default that is a struct", function()
  local schema = connect.schema

  -- The record with a struct whose schema has the default { a = 7 }.
  local function with_default(record)
    local plain = schema.struct { fields = { { "a", "int64" } } }
    local s = schema.derive(plain, { default = connect.struct(plain, { a = 7 }) })
    record.value = connect.struct(s, { a = 1 })
    return record
  end

  it("goes with the fields it was made for", function()
    local stages = { stage("flatten", {}), stage("timestamp_converter", { field = "a", ["target.type"] = "unix" }) }
    for i = 0, #stages do
      run(function(record)
        with_default(record)
        record.value.b, record.value.c = "x", "y"
        return record
      end, { stages[i] }, function(record)
        assert.equal("y", record.value.c)
        assert.is_nil(record.value_schema.default)
      end)
      t:close()
    end
    t = nil
  end)

  it("gives no other field its value", function()
    run(function(record)
      local plain = schema.struct { fields = { { "a", "int32" }, { "b", "string?" } } }
      local s = schema.derive(plain, { default = connect.struct(plain, { a = 7 }) })
      record.value = connect.struct(s, { a = 1, b = "x" })
      record.value.a = nil
      return record
    end, { stage("flatten", {}) }, function(record)
      assert.is_nil(record.value_schema:field("b").default)
    end)
  end)

  it("stays where the fields do", function()
    run(function(record)
      with_default(record)
      local s = record.value_schema
      assert.equal(7, schema.derive(s, { optional = true, doc = "d" }).default.a)
      assert.is_nil(schema.derive(s, { fields = s.fields }).default)
      return record
    end, {}, function(record) assert.equal(7, record.value_schema.default.a) end)
  end)
end)

describe("what is nested too deep", function()
  local function deep(record)
    local o = record.value
    for _ = 1, DEPTH do
      o.x = {}
      o = o.x
    end
    return record
  end

  it("is a data error to Flatten", function()
    local ok, e = pcall(run, deep, { stage("flatten", {}) }, error)
    assert.is_false(ok)
    assert.equal("data", e.class)
    assert.matches("nested deeper than", e.message, 1, true)
  end)

  it("is one to its text, its copy and its JSON", function()
    run(function(record)
      deep(record)
      for _, use in ipairs { connect.text, function(v) record.key = v end } do
        local ok, e = pcall(use, record.value)
        assert.is_false(ok)
        assert.matches("nested deeper than", e.message, 1, true)
      end
      record.value.x = nil
      return record
    end, {}, function() end)
  end)

  it("is one as a schema", function()
    run(function(record)
      local s = connect.schema.struct { fields = { { "x", "int32" } } }
      for depth = 3, 1100 do
        s = depth % 2 == 0 and connect.schema.array(s) or connect.schema.struct { fields = { { "x", s } } }
      end
      local ok, e = pcall(connect.schema.map, "string", s)
      assert.is_false(ok)
      assert.equal("data", e.class)
      assert.matches("nested deeper than 1100", e.message, 1, true)
      return record
    end, {}, function() end)
  end)
end)

describe("a batch without memory", function()
  local TEXT = ("x"):rep(1000)

  -- The error of a transform that goes on until the batch is full.
  local function exhaust(apply)
    local ok, e = pcall(run, apply, {}, error, { memory = 4 * 2 ^ 20, cap = 10 })
    assert.is_false(ok)
    t:close()
    t = nil
    return e
  end

  it("ends the task, whatever was being made", function()
    local kept = {}
    for i = 1, 200 do kept[i] = { ["k" .. i] = TEXT } end
    local makers = {
      ["a string"] = function(value, i) value["k" .. i] = TEXT end,
      ["a table"] = function(value, i) value["k" .. i % 10] = kept end,
      ["a text"] = function(value, i)
        value["k" .. i] = TEXT
        return connect.text(value)
      end,
    }
    for what, make in pairs(makers) do
      local e = exhaust(function(record)
        for i = 1, 1e6 do make(record.value, i) end
      end)
      assert.equal("fatal", e.class, what)
      assert.matches("connect.lua.memory.max.bytes", e.message, 1, true)
    end
  end)

  it("keeps its headers as they are", function()
    local e = exhaust(function(record)
      for i = 1, 1000 do connect.headers.add(record, "h" .. i % 2, i) end
      for i = 1, 1e6 do
        local ok, why = pcall(function() record.value["k" .. i] = TEXT end)
        if not ok then
          local gone, again = pcall(connect.headers.remove, record, "h0")
          assert.is_false(gone)
          assert.equal("fatal", again.class)
          assert.equal(1000, #record.headers)
          error(why)
        end
      end
    end)
    assert.equal("fatal", e.class)
  end)

  it("has room for many headers", function()
    run(function(record)
      for i = 1, 500 do connect.headers.add(record, "h" .. i, "x") end
      return record
    end, {}, function(record)
      assert.equal(500, #record.headers)
      assert.equal("x", record.headers.h500)
    end, { memory = 2 ^ 20, cap = 10 })
  end)
end)
