-- SPDX-License-Identifier: Apache-2.0
-- Schemas and keys that are data do not stay: tasks whose every record is another one need no more
-- memory, and what is kept too long raises.
local ffi = require "ffi"

local C = require "connect.host.abi"
local connect = require "connect"
local memo = require "connect.memo"
local task = require "spec.helpers.task"

ffi.cdef "size_t cl_space_used(const struct cl_space *s);"

local JSON = "lua/connect/converters/json.lua"
local DIR = "lua/connect/transforms/"
local ASAN = pcall(function() return C.__asan_init end)

local function typed(i)
  return ('{"schema":{"type":"struct","fields":[{"type":"int32","field":"f%d"},{"type":"string","field":"s"}]},'
    .. '"payload":{"f%d":%d,"s":"x"}}'):format(i, i, i)
end

local function plain(i) return ('{"f%d":%d,"s":"x"}'):format(i, i) end

-- Numbers batches of n records from 1 on; each record is what make says of its own number.
local function batches(t, make, n, size, keep)
  local i = 0
  for _ = 1, n do
    local list = {}
    for k = 1, size do
      i = i + 1
      list[k] = make(i)
    end
    t:put(list)
    if not keep then t.borrowed = nil end -- the texts of batches that nobody retains
  end
end

local function sink(options, put)
  options.plugin = { kind = "sink", put = put or function() end }
  options.value, options.key, options.header = JSON, false, false
  return task.new(options)
end

local function stage(file, config, side) return { plugin = DIR .. file .. ".lua", config = config, side = side } end

local function heap()
  collectgarbage()
  collectgarbage()
  return collectgarbage "count" / 1024
end

describe("ever new", function()
  local function bounded(records, make, value_config, transforms, put)
    local t = sink({ value_config = value_config, transforms = transforms, cap = 500 }, put)
    batches(t, make, 20, 500)
    local before, most = heap(), 0
    for _ = 1, (ASAN and 20000 or records) / 10000 do
      batches(t, make, 20, 500)
      most = math.max(most, tonumber(C.cl_space_used(t.space)))
    end
    local grown = heap() - before
    t:close()
    assert.is_true(most < 12 * 2 ^ 20, most .. " bytes of schemas and keys")
    assert.is_true(grown < 2, grown .. " MiB of Lua")
  end

  local n = 0
  local function numbered(make)
    return function()
      n = n + 1
      return make(n)
    end
  end

  it("schemas through a converter and transforms", function()
    local last
    bounded(300000, numbered(typed), nil, { stage("set_schema_metadata", { ["schema.name"] = "n" }, "value"),
      stage("insert_field", { ["topic.field"] = "t" }, "value") },
      function(_, batch) last = batch[#batch].value["f" .. n] end)
    assert.equal(n, last)
  end)

  it("schemas through every other transform", function()
    bounded(30000, numbered(typed), nil, {
      stage("cast", { spec = { "s:string" } }, "value"),
      stage("header_from", { fields = { "s" }, headers = { "h" }, operation = "copy" }, "value"),
      stage("header_from", { fields = { "s" }, headers = { "h" }, operation = "move" }, "value"),
      stage("insert_field", { ["static.field"] = "s", ["static.value"] = "v" }, "value"),
      stage("mask_field", { fields = { "s" } }, "value"),
      stage("replace_field", { renames = { "s:q" } }, "value"),
      stage("timestamp_converter", { field = "none", ["target.type"] = "unix" }, "value"),
      stage("flatten", {}, "value"),
      stage("value_to_key", { fields = { "q" } }),
      stage("hoist_field", { field = "h" }, "value"),
      stage("extract_field", { field = "h" }, "value"),
    })
  end)

  it("schemas and fields that plugins make", function()
    bounded(30000, numbered(typed), nil, { { plugin = { kind = "transform", apply = function(record)
      record.value["more" .. n] = "x"
      record.value["more" .. n] = nil
      record.key = connect.struct(connect.schema.struct { fields = { { "k" .. n, "int32" } } }, {})
      return record
    end } } })
  end)

  it("fields without a schema", function()
    local last
    bounded(300000, numbered(plain), { ["schemas.enable"] = false },
      { stage("replace_field", { renames = { "s:q" } }, "value"), stage("cast", { spec = { "q:string" } }, "value"),
        stage("mask_field", { fields = { "q" } }, "value") },
      function(_, batch) last = batch[#batch].value["f" .. n] end)
    assert.equal(n, last)
  end)
end)

describe("another generation", function()
  it("leaves retained batches as they were", function()
    local retained, n = {}, 0
    local t = sink({ cap = 500 }, function(_, batch)
      n = n + 1
      if n > 20 and #retained < 5 then
        batch:retain()
        retained[#retained + 1] = batch
      end
    end)
    batches(t, typed, 40, 500, true)
    for at, batch in ipairs(retained) do
      local i = (at + 19) * 500
      for k, record in batch:records() do
        i = i + 1
        assert.equal(i, record.value["f" .. i])
        assert.equal("f" .. i, record.value_schema.fields[1][1])
        if k % 100 == 0 then assert.same({ ["f" .. i] = i, s = "x" }, connect.copy(record.value)) end
      end
    end
    for _, batch in ipairs(retained) do batch:release() end
    t:close()
  end)

  it("lets what was retained go into later records", function()
    local first, seen, n = nil, nil, 0
    local t = sink({ cap = 500 }, function(_, batch)
      n = n + 1
      if n <= 20 then return end
      if not first then
        batch:retain()
        first = batch
      elseif not seen then
        local value = first[1].value
        local s = connect.schema.struct { fields = { { "was", first[1].value_schema } } }
        seen = { batch, connect.struct(s, { was = value }) }
        batch:retain()
        first:release()
      end
    end)
    batches(t, typed, 40, 500, true)
    assert.equal(10001, seen[2].was.f10001)
    assert.equal("x", seen[2].was.s)
    seen[1]:release()
    t:close()
  end)

  it("makes kept schemas stale, but not those of the start", function()
    local of_data, made, from_start, simple, late
    local t = sink { cap = 500, transforms = { { plugin = { kind = "transform",
      configure = function()
        from_start = connect.schema.struct { fields = { { "a", "int8" } } }
        return {}
      end,
      apply = function(record)
        if not late then return record end
        of_data = of_data or record.value_schema
        made = made or connect.schema.derive(from_start, { name = "made" })
        simple = simple or connect.schema.of "date?"
        return record
      end } } } }
    batches(t, typed, 20, 500) -- the first ones last
    late = true
    batches(t, function(i) return typed(100000 + i) end, 1, 500)
    assert.equal("f100001", of_data.fields[1][1])
    assert.equal("made", made.name)
    batches(t, function(i) return typed(200000 + i) end, 20, 500)
    for _, s in ipairs { of_data, made } do
      for _, read in ipairs { function() return s.type end, function() return #s end, function() return tostring(s) end,
        function() return s:field "s" end, function() return connect.schema.derive(s, { optional = true }) end,
        function() return connect.schema.array(s) end } do
        local ok, e = pcall(read)
        assert.is_false(ok)
        assert.matches("stale schema", e, 1, true)
      end
    end
    assert.equal("a", from_start.fields[1][1])
    assert.equal("date", simple.logical)
    t:close()
  end)

  it("makes stale what transforms keep of schemas elsewhere than in a memo", function()
    local edit, headers = require "connect.edit", require "connect.headers"
    local kept, lasting, raised = nil, nil, 0
    local function use(record, handles)
      edit.reshape(record, "value", handles.shape)
      edit.change_struct(record, "value", handles.changes)
      headers.add_literal(record, "h", handles.literal)
      edit.extract(record, "value", handles.path)
    end
    local late
    local t = sink { cap = 500, transforms = { { plugin = { kind = "transform",
      configure = function()
        lasting = { literal = headers.literal "[1]", path = edit.path { "a" }, names = edit.names({ a = "b" }, true),
          changes = edit.masks { { name = "b" } } }
        return {}
      end,
      apply = function(record)
        if not late then return record end
        if not kept then
          local from = record.value_schema
          local shape = edit.shape(from, from, { 1, 2 })
          kept = { shape = shape, changes = edit.masks({ { at = 1 } }, nil, shape), path = edit.path({ "s" }, from),
            literal = headers.literal "[2]", from = from }
          use(record, kept)
          return record
        end
        local ok = pcall(use, record, kept)
        if not ok then
          raised = raised + 1
          for _, f in ipairs { function() edit.reshape(record, "value", kept.shape) end,
            function() edit.change_struct(record, "value", kept.changes) end,
            function() edit.extract(record, "value", kept.path) end } do
            assert.is_false((pcall(f)))
          end
        end
        record.key = { a = 1 }
        edit.project(record.key, "key", lasting.names)
        edit.change_object(record.key, lasting.changes)
        assert(record.key.b == 0 and record.key.a == nil)
        headers.add_literal(record, "h", lasting.literal)
        edit.nothing(record, "value")
        edit.extract(record, "value", lasting.path)
        return record
      end } } } }
    batches(t, typed, 20, 500)
    late = true
    batches(t, function(i) return typed(300000 + i) end, 20, 500)
    t:close()
    assert.equal(9999, raised)
  end)

  it("empties memos between batches", function()
    local seen, most, emptied = memo.new(), 0, 0
    local t = sink { cap = 500, transforms = { { plugin = { kind = "transform", apply = function(record)
      local s = record.value_schema
      if next(seen) == nil then emptied = emptied + 1 end
      assert(seen[s.uid] == nil, "a uid came twice")
      seen[s.uid] = s.fields
      return record
    end } } } }
    batches(t, function(i)
      local n = 0
      for _ in pairs(seen) do n = n + 1 end
      most = i % 500 == 1 and math.max(most, n) or most
      return typed(i)
    end, 40, 500)
    assert.is_true(emptied > 5, emptied)
    assert.is_true(most < 5000, most)
    t:close()
  end)

  it("is told apart where a transform remembers by uid", function()
    local out = {}
    local t = sink({ cap = 500, transforms = { stage("extract_field", { field = "s" }, "value") } },
      function(_, batch)
        for i, record in batch:records() do out[i] = { record.value_schema.type, record.value } end
      end)
    local types, payloads = { "string", "int32", "boolean" }, { '"x"', "7", "true" }
    batches(t, function(i)
      local k = i % 3 + 1
      return ('{"schema":{"type":"struct","fields":[{"type":"int32","field":"f%d"},{"type":"%s","field":"s"}]},'
        .. '"payload":{"f%d":%d,"s":%s}}'):format(i, types[k], i, i, payloads[k])
    end, 20, 500)
    for i = 1, 500 do
      local k = (19 * 500 + i) % 3 + 1
      assert.same({ types[k], ({ "x", 7, true })[k] }, out[i])
    end
    t:close()
  end)
end)
