-- SPDX-License-Identifier: Apache-2.0
local smt = require "spec.helpers.smt"

local function insert(config, record, side)
  record.topic, record.partition, record.offset, record.timestamp = record.topic or "top", 3, 9, 789
  return smt.apply("insert_field", config, record, side)
end

describe("InsertField", function()
  local ALL = { ["topic.field"] = "t!", ["partition.field"] = "p", ["offset.field"] = "o!", ["timestamp.field"] = "ts?",
    ["static.field"] = "s", ["static.value"] = "x" }
  local STRUCT = { fields = { { "magic", "int64" } }, name = "n", version = 1, doc = "docs", optional = true }

  it("appends fields to a struct, which becomes required", function()
    local out = insert(ALL, { value = smt.with(STRUCT, [[{"magic":42}]]) })
    assert.equal("S{magic:int64,t:string,p:int32?,o:int64,ts:timestamp?,s:string?}<n>v1#docs", out.schema)
    assert.equal([[{"magic":42,"t":"top","p":3,"o":9,"ts":789,"s":"x"}]], out.value)
  end)

  it("puts them into an object", function()
    local out = insert({ ["timestamp.field"] = "a", ["topic.field"] = "b" }, { value = smt.plain [[{"a":"x","z":1}]] })
    assert.equal([[{"a":789,"z":1,"b":"top"}]], out.value)
  end)

  it("looks at the last character only", function()
    assert.equal("S{magic:int64,t!:string?}<n>v1#docs",
      insert({ ["topic.field"] = "t!?" }, { value = smt.with(STRUCT, [[{"magic":1}]]) }).schema)
  end)

  it("does nothing to null", function()
    assert.same({ "null" }, { insert(ALL, {}).value, insert(ALL, {}).schema })
    local out = insert(ALL, { value = smt.with(STRUCT, "null") })
    assert.same({ "null", "S{magic:int64}?<n>v1#docs" }, { out.value, out.schema })
  end)

  it("leaves out what a record has not", function()
    local function run(value)
      return smt.run({ { plugin = { kind = "transform", apply = function(r)
        r.partition, r.timestamp = nil, nil
        return r
      end } }, { plugin = "lua/connect/transforms/insert_field.lua", side = "value",
        config = { ["partition.field"] = "p", ["timestamp.field"] = "ts" } } }, { value = value })
    end
    assert.equal("{}", run(smt.plain "{}").value)
    local out = run(smt.with({ fields = {} }, "{}"))
    assert.same({ "S{p:int32?,ts:timestamp?}", [[{"p":null,"ts":null}]] }, { out.schema, out.value })
  end)

  it("refuses a name twice in a schema, and one that is empty", function()
    assert.equal("SchemaBuilderException: Cannot create field because of field name duplication magic",
      smt.error(insert, { ["topic.field"] = "magic" }, { value = smt.with(STRUCT, [[{"magic":1}]]) }))
    assert.equal("SchemaBuilderException: fieldName cannot be null.",
      smt.error(insert, { ["topic.field"] = "!" }, { value = smt.with(STRUCT, [[{"magic":1}]]) }))
    assert.equal([[{"":"top"}]], insert({ ["topic.field"] = "!" }, { value = smt.plain "{}" }).value)
  end)

  it("takes structs and objects only", function()
    assert.equal("DataException: Only Struct objects supported for [field insertion], found: java.lang.Integer",
      smt.error(insert, ALL, { value = smt.with("int32", "1") }))
    assert.equal("DataException: Only Map objects supported in absence of schema for [field insertion], found: "
      .. "java.util.ArrayList", smt.error(insert, ALL, { value = smt.plain "[]" }))
  end)

  it("copies keys as Java copies a HashMap", function()
    -- One field: capacity 4, so q (bucket 1) and t (bucket 0) change places.
    assert.equal([[{"t":"top","q":1}]], insert({ ["topic.field"] = "t" }, { key = smt.plain [[{"q":1}]],
      value = smt.plain "1" }, "key").key)
    -- None: capacity 16.
    assert.equal([[{"a":"top","d":"x"}]], insert({ ["topic.field"] = "a", ["static.field"] = "d", ["static.value"] = "x" },
      { key = smt.plain "{}", value = smt.plain "1" }, "key").key)
  end)

  it("has something to insert", function()
    assert.matches("ConfigException: No field insertion configured",
      smt.error(insert, { ["static.value"] = "x" }, {}), 1, true)
    assert.matches("ConfigException: Invalid value null for configuration static.value: No value specified for static "
      .. "field: org.apache.kafka.connect.transforms.InsertField$InsertionSpec@",
      smt.error(insert, { ["static.field"] = "x" }, {}), 1, true)
  end)

  it("reads nulls as defaults, or not", function()
    local function run(replace)
      return smt.run({ { plugin = { kind = "transform", apply = function(r)
        r.value.a = require("connect").null
        return r
      end } }, { plugin = "lua/connect/transforms/insert_field.lua", side = "value",
        config = { ["topic.field"] = "t", ["replace.null.with.default"] = replace } } },
        { value = smt.with({ fields = { { "a", { "int32?", default = 42 } } } }, "{}") }).value
    end
    assert.equal([[{"a":42,"t":"t"}]], run(true))
    assert.equal([[{"a":null,"t":"t"}]], run(false))
  end)
end)
