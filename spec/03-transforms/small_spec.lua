-- SPDX-License-Identifier: Apache-2.0
-- HoistField, ValueToKey, Filter.
local smt = require "spec.helpers.smt"

describe("HoistField", function()
  local function hoist(value, side, field)
    local record = { key = smt.plain "1", value = smt.plain "1" }
    record[side or "value"] = value
    return smt.apply("hoist_field", { field = field or "f" }, record, side)
  end

  it("wraps what there is", function()
    assert.equal([[{"f":[1]}]], hoist(smt.plain "[1]").value)
    assert.equal([[{"f":{"b":1}}]], hoist(smt.plain [[{"b":1}]], "key").key)
    local out = hoist(smt.with({ "int32?", name = "n", version = 2 }, "5"))
    assert.same({ [[{"f":5}]], "S{f:int32?<n>v2}" }, { out.value, out.schema })
    out = hoist(smt.with({ fields = { { "a", "decimal" } }, optional = true }, [[{"a":"AQ=="}]]))
    assert.same({ [[{"f":{"a":"AQ=="}}]], "S{f:S{a:decimal}?}" }, { out.value, out.schema })
  end)

  it("wraps null", function()
    assert.equal([[{"f":null}]], hoist(nil).value)
    local out = hoist(smt.with("int32?", "null"))
    assert.same({ [[{"f":null}]], "S{f:int32?}" }, { out.value, out.schema })
  end)

  it("refuses a null that the schema refuses, default or not", function()
    local chain = { { plugin = { kind = "transform", apply = function(r)
      r.value.a = require("connect").null
      return r
    end } }, { plugin = "lua/connect/transforms/extract_field.lua", side = "value", config = { field = "a.b",
      ["field.syntax.version"] = "V2" } },
      { plugin = "lua/connect/transforms/hoist_field.lua", side = "value", config = { field = "f" } } }
    assert.equal('DataException: Invalid value: null used for required field: "f", schema type: INT32',
      smt.error(smt.run, chain, { value = smt.with({ fields = { { "a", { fields = { { "b", { "int32", default = 5 } } },
        optional = true } } } }, [[{"a":{"b":1}}]]) }))
  end)

  it("wants a name where there is a schema", function()
    assert.equal("SchemaBuilderException: fieldName cannot be null.", smt.error(hoist, smt.with("int32", "5"), nil, ""))
    assert.equal([[{"":5}]], hoist(smt.plain "5", nil, "").value)
  end)
end)

describe("ValueToKey", function()
  local function key(value, fields, replace)
    return smt.apply("value_to_key", { fields = fields, ["replace.null.with.default"] = replace },
      { key = smt.plain '"old"', value = value })
  end

  it("makes the key of fields, in the order of the config", function()
    local value = smt.with({ fields = { { "a", "int32" }, { "b", "string?" }, { "c", { array = "int8" } } }, name = "n" },
      [[{"a":1,"b":null,"c":[1]}]])
    local out = key(value, { "c", "a", "b" })
    assert.same({ [[{"c":[1],"a":1,"b":null}]], "S{c:array(int8),a:int32,b:string?}" }, { out.key, out.key_schema })
    assert.same({ [[{"a":1,"b":null,"c":[1]}]], "S{a:int32,b:string?,c:array(int8)}<n>" }, { out.value, out.schema })
  end)

  it("takes what is missing as null without schema", function()
    local out = key(smt.plain [[{"a":{"x":1}}]], { "zz", "a" })
    assert.equal([[{"zz":null,"a":{"x":1}}]], out.key)
    assert.equal([[{"a":{"x":1}}]], out.value)
  end)

  it("makes a HashMap with room for as many fields as it has", function()
    -- Two fields: capacity 2, grown to 4 by the second. a is in bucket 1, d in 0; in one of 16 a would come first.
    assert.equal([[{"d":2,"a":1}]], key(smt.plain [[{"a":1,"d":2}]], { "a", "d" }).key)
  end)

  it("fails for what the schema has not, and for what is no struct or object", function()
    assert.equal("DataException: Field does not exist: zz",
      smt.error(key, smt.with({ fields = { { "a", "int32" } } }, [[{"a":1}]]), { "zz" }))
    assert.equal("DataException: Only Map objects supported in absence of schema for [copying fields from value to key], "
      .. "found: null", smt.error(key, nil, { "a" }))
    assert.equal("DataException: Only Struct objects supported for [copying fields from value to key], found: null",
      smt.error(key, smt.with({ fields = { { "a", "int32" } }, optional = true }, "null"), { "a" }))
  end)

  it("reads nulls as defaults, or not", function()
    local function run(replace)
      return smt.run({ { plugin = { kind = "transform", apply = function(r)
        r.value.a = require("connect").null
        return r
      end } }, { plugin = "lua/connect/transforms/value_to_key.lua",
        config = { fields = { "a" }, ["replace.null.with.default"] = replace } } },
        { value = smt.with({ fields = { { "a", { "int32?", default = 42 } } } }, "{}") }).key
    end
    assert.equal([[{"a":42}]], run(true))
    assert.equal([[{"a":null}]], run(false))
  end)

  it("gives the key containers of its own", function()
    for _, value in ipairs { smt.plain [[{"l":[1]}]], smt.with({ fields = { { "l", { array = "int64" } } } }, [[{"l":[1]}]]) } do
      local out = smt.run({ { plugin = "lua/connect/transforms/value_to_key.lua", config = { fields = { "l" } } },
        { plugin = { kind = "transform", apply = function(r) r.value.l[1] = 9 return r end } } }, { value = value })
      assert.same({ [[{"l":[1]}]], [[{"l":[9]}]] }, { out.key, out.value })
    end
  end)
end)

describe("Filter", function()
  it("drops every record it sees", function()
    assert.same({}, smt.run({ { plugin = "lua/connect/transforms/filter.lua" } },
      { { value = smt.plain "1" }, { value = smt.plain "null" } }))
  end)
end)
