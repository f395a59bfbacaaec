-- SPDX-License-Identifier: Apache-2.0
local smt = require "spec.helpers.smt"

local function flat(value, delimiter) return smt.value("flatten", { delimiter = delimiter }, value) end

describe("Flatten", function()
  local NESTED = { fields = { { "a", { fields = { { "b", { fields = { { "c", "int32" }, { "d", "string?" } } } } } } },
    { "e", "decimal" } }, name = "n", version = 3, doc = "docs" }

  it("names fields by the way to them and keeps name, version and doc", function()
    local out = flat(smt.with(NESTED, [[{"a":{"b":{"c":1,"d":"x"}},"e":"AQ=="}]]))
    assert.equal("S{a.b.c:int32,a.b.d:string?,e:decimal}<n>v3#docs", out.schema)
    assert.equal([[{"a.b.c":1,"a.b.d":"x","e":"AQ=="}]], out.value)
  end)

  it("takes any delimiter, an empty one too", function()
    assert.equal([[{"a#b":1}]], flat(smt.plain [[{"a":{"b":1}}]], "#").value)
    assert.equal([[{"ab":1}]], flat(smt.plain [[{"a":{},"a":{"b":1}}]], "").value)
    assert.equal("S{ab:int32}", flat(smt.with({ fields = { { "a", { fields = { { "b", "int32" } } } } } },
      [[{"a":{"b":1}}]]), "").schema)
  end)

  it("makes optional what is in an optional struct, the top one included", function()
    local inner = { { "b", "int32" }, { "c", { "string?", default = "x" } } }
    local out = flat(smt.with({ fields = { { "a", { fields = inner, optional = true } } } }, [[{"a":null}]]))
    assert.equal([[S{a.b:int32?,a.c:string?="x"}]], out.schema)
    assert.equal([[{"a.b":null,"a.c":null}]], out.value) -- unset: the default is the converter's business
    out = flat(smt.with({ fields = inner, optional = true }, [[{"b":1}]]))
    assert.equal([[S{b:int32?,c:string?="x"}]], out.schema)
  end)

  it("reads leaves with their defaults", function()
    local out = flat(smt.with({ fields = { { "a", { fields = { { "b", { "int32?", default = 7 } } } } } } },
      [[{"a":{"b":null}}]]))
    assert.equal([[{"a.b":7}]], out.value)
    out = flat(smt.with({ fields = { { "l", { array = "int32", default = { 1, 2 }, optional = true } } } }, "{}"))
    assert.equal([[{"l":[1,2]}]], out.value)
    assert.equal([[S{l:array(int32)?=[1,2]}]], out.schema)
  end)

  it("moves the defaults of structs to their fields, but does not read them", function()
    local connect = require "connect"
    local chain = { { plugin = { kind = "transform", apply = function(r)
      local S = connect.schema
      local inner = S.struct { optional = true, default = { req = "from the struct" }, fields = { { "req", "string" },
        { "opt", S.make("string", { optional = true, default = "its own" }) }, { "none", "int8?" } } }
      r.value = connect.struct(S.struct { fields = { { "b", inner } } }, {})
      return r
    end } }, { plugin = "lua/connect/transforms/flatten.lua", side = "value", config = { delimiter = "." } } }
    local out = smt.run(chain, { value = smt.plain "1" })
    assert.equal([[S{b.req:string?="from the struct",b.opt:string?="its own",b.none:int8?}]], out.schema)
    assert.equal([[{"b.req":null,"b.opt":null,"b.none":null}]], out.value)
  end)

  it("leaves arrays as they are", function()
    assert.equal([[{"a.l":[{"x":1}]}]], flat(smt.plain [[{"a":{"l":[{"x":1}]}}]]).value)
    local out = flat(smt.with({ fields = { { "a", { fields = { { "l", { array = { fields = { { "x", "int8" } } } } } } } } } },
      [[{"a":{"l":[{"x":1}]}}]]))
    assert.equal("S{a.l:array(S{x:int8})}", out.schema)
    assert.equal([[{"a.l":[{"x":1}]}]], out.value)
  end)

  it("lets empty objects go and keeps nulls", function()
    assert.equal([[{"b":1,"c.d":null}]], flat(smt.plain [[{"a":{},"b":1,"c":{"d":null}}]]).value)
  end)

  it("puts no delimiter behind an empty prefix", function()
    assert.equal([[{"b":1,"a.":2}]], flat(smt.plain [[{"":{"b":1},"a":{"":2}}]]).value)
  end)

  it("keeps the last of two of one name without schema, and refuses them with one", function()
    assert.equal([[{"a.b":1,"z":2}]], flat(smt.plain [[{"a.b":0,"z":2,"a":{"b":1}}]]).value)
    assert.equal("SchemaBuilderException: Cannot create field because of field name duplication a.b",
      smt.error(flat, smt.with({ fields = { { "a.b", "int32" }, { "a", { fields = { { "b", "int32" } } } } } },
        [[{"a.b":1,"a":{"b":1}}]])))
  end)

  it("refuses maps with a schema", function()
    assert.equal("DataException: Flatten transformation does not support MAP for record with schemas (for field a.m).",
      smt.error(flat, smt.with({ fields = { { "a", { fields = { { "m", { map = "int32" } } } } } } }, [[{"a":{"m":{}}}]])))
  end)

  it("refuses what has no schema and no fields", function()
    assert.equal("DataException: Only Map objects supported in absence of schema for [flattening], found: "
      .. "java.util.ArrayList", smt.error(flat, smt.plain "[]"))
    assert.equal("DataException: Only Struct objects supported for [flattening], found: java.lang.Integer",
      smt.error(flat, smt.with("int32", "1")))
  end)

  it("does nothing to null, whatever its schema", function()
    assert.same({ "null" }, { flat(nil).value, flat(nil).schema })
    local out = flat(smt.with({ fields = { { "a", { fields = { { "b", "int32" } } } } }, optional = true }, "null"))
    assert.same({ "null", "S{a:S{b:int32}}?" }, { out.value, out.schema })
  end)

  it("refuses values that have no schema of their own", function()
    local chain = { { plugin = { kind = "transform", apply = function(r)
      r.value.x = require("connect").timestamp(5)
      return r
    end } }, { plugin = "lua/connect/transforms/flatten.lua", side = "value", config = {} } }
    assert.equal("DataException: Flatten transformation was passed a value of type class java.util.Date which is not "
      .. "supported by Connect's data API", smt.error(smt.run, chain, { value = smt.plain "{}" }))
    chain[1].plugin.apply = function(r)
      local connect = require "connect"
      r.value.x = connect.struct(connect.schema.struct { fields = { { "a", "int32" } } }, { a = 1 })
      return r
    end
    assert.equal("DataException: Flatten transformation does not support class org.apache.kafka.connect.data.Struct "
      .. "for record without schemas (for field x).", smt.error(smt.run, chain, { value = smt.plain "{}" }))
  end)

  it("writes keys in the order of insertion, HashMaps being read in theirs", function()
    -- zz is in bucket 0, b in 2, x in 8, y in 9.
    local out = smt.apply("flatten", { delimiter = "." }, { key = smt.plain [[{"b":{"y":2,"x":3},"zz":{"a":1}}]],
      value = smt.plain "1" }, "key")
    assert.equal([[{"zz.a":1,"b.x":3,"b.y":2}]], out.key)
  end)

  it("makes a LinkedHashMap without a schema, which the next copy makes a HashMap", function()
    local function on_value(file, config)
      return { plugin = ("lua/connect/transforms/%s.lua"):format(file), side = "value", config = config }
    end
    local flatten, time = on_value("flatten", {}), on_value("timestamp_converter", { ["target.type"] = "unix" })
    local copy = on_value("mask_field", { fields = { "none" } })
    local says = "DataException: TimestampConverter does not support class java.util.%s objects as timestamps"
    local function why(...) return smt.error(smt.run, { ... }, { value = smt.plain [[{"a":{"b":1}}]] }) end
    assert.equal(says:format "LinkedHashMap", why(flatten, time))
    assert.equal(says:format "HashMap", why(flatten, copy, time))
  end)
end)
