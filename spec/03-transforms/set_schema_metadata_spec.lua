-- SPDX-License-Identifier: Apache-2.0
local smt = require "spec.helpers.smt"

local FILE = "set_schema_metadata"

local function set(value, name, version, replace)
  return smt.value(FILE, { ["schema.name"] = name, ["schema.version"] = version, ["replace.null.with.default"] = replace },
    value)
end

describe("SetSchemaMetadata", function()
  local STRUCT = { fields = { { "a", "int32" }, { "o", "string?" } }, name = "old", version = 1, doc = "docs",
    optional = true }

  it("changes what is given and nothing else", function()
    local value = smt.with(STRUCT, [[{"a":1,"o":null}]])
    assert.equal("S{a:int32,o:string?}?<new>v1#docs", set(value, "new").schema)
    assert.equal("S{a:int32,o:string?}?<old>v42#docs", set(value, nil, 42).schema)
    assert.equal("S{a:int32,o:string?}?<new>v42#docs", set(value, "new", 42).schema)
    assert.equal([[{"a":1,"o":null}]], set(value, "new").value)
  end)

  it("changes the schema of null", function()
    local out = set(smt.with(STRUCT, "null"), "new")
    assert.same({ "S{a:int32,o:string?}?<new>v1#docs", "null" }, { out.schema, out.value })
  end)

  it("works for structs only", function()
    for _, value in ipairs { smt.with("int32", "1"), smt.with({ array = "int32" }, "[]"), smt.with("string?", "null") } do
      assert.equal("DataException: Cannot list fields on non-struct type", smt.error(set, value, "new"))
    end
    assert.equal("DataException: Schema required for [updating schema metadata]", smt.error(set, smt.plain "1", "new"))
    assert.same({ "null" }, { set(nil, "new").value, set(nil, "new").schema })
  end)

  it("reads null fields as their defaults, or not", function()
    local function run(replace, null)
      return smt.run({ { plugin = { kind = "transform", apply = function(r)
        r.value.a = null
        return r
      end } }, { plugin = "lua/connect/transforms/set_schema_metadata.lua", side = "value",
        config = { ["schema.name"] = "n", ["replace.null.with.default"] = replace } } },
        { value = smt.with({ fields = { { "a", { "int32?", default = 5 } } } }, "{}") }).value
    end
    assert.equal([[{"a":5}]], run(true, require("connect").null))
    assert.equal([[{"a":null}]], run(false, require("connect").null))
  end)

  it("has something to set", function()
    assert.matches("ConfigException: Neither schema name nor version configured",
      smt.error(set, smt.plain "1"), 1, true)
  end)
end)
