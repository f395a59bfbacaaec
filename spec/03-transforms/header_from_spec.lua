-- SPDX-License-Identifier: Apache-2.0
local smt = require "spec.helpers.smt"

local FILE = "header_from"

local function config(fields, names, operation, replace)
  return { fields = fields, headers = names, operation = operation, ["replace.null.with.default"] = replace }
end

describe("HeaderFrom", function()
  local STRUCT = { fields = { { "a", "int32" }, { "s", { fields = { { "x", "int8" } } } }, { "o", "string?" } },
    name = "n", version = 1, optional = true }
  local RECORD = smt.with(STRUCT, [[{"a":1,"s":{"x":2},"o":null}]])

  it("copies fields with their schemas", function()
    local out = smt.value(FILE, config({ "a", "s", "o" }, { "ha", "hs", "ho" }, "copy"), RECORD)
    assert.same({ "ha=1:int32", [[hs={"x":2}:S{x:int8}]], "ho=null:string?" }, out.headers)
    assert.equal("S{a:int32,s:S{x:int8},o:string?}?<n>v1", out.schema)
  end)

  it("moves them: the struct becomes required and keeps name and version", function()
    local out = smt.value(FILE, config({ "a", "o" }, { "ha", "ho" }, "move"), RECORD)
    assert.same({ "ha=1:int32", "ho=null:string?" }, out.headers)
    assert.same({ "S{s:S{x:int8}}<n>v1", [[{"s":{"x":2}}]] }, { out.schema, out.value })
  end)

  it("does so without schemas", function()
    local value = smt.plain [[{"a":1,"l":[1],"n":null}]]
    local out = smt.value(FILE, config({ "a", "l", "zz" }, { "ha", "hl", "hz" }, "copy"), value)
    assert.same({ "ha=1", "hl=[1]", "hz=null" }, out.headers)
    assert.equal([[{"a":1,"l":[1],"n":null}]], out.value)
    out = smt.value(FILE, config({ "a", "n" }, { "ha", "hn" }, "move"), value)
    assert.same({ "ha=1", "hn=null" }, out.headers)
    assert.equal([[{"l":[1]}]], out.value)
  end)

  it("appends: names may be there already, fields and headers may repeat", function()
    local out = smt.apply(FILE, config({ "a", "a", "b" }, { "x", "y", "x" }, "move"),
      { value = smt.plain [[{"a":1,"b":2}]], headers = { { "x", smt.plain "0" } } })
    assert.same({ "x=0", "x=1", "y=1", "x=2" }, out.headers)
    assert.equal("{}", out.value)
  end)

  it("works on keys", function()
    local out = smt.apply(FILE, config({ "a" }, { "h" }, "move"), { key = smt.plain [[{"a":1,"b":2}]], value = RECORD },
      "key")
    assert.same({ [[{"b":2}]], { "h=1" } }, { out.key, out.headers })
  end)

  it("gives headers of their own to what stays in the value", function()
    local out = smt.run({ { plugin = "lua/connect/transforms/header_from.lua", side = "value",
      config = config({ "l" }, { "h" }, "copy") },
      { plugin = { kind = "transform", apply = function(r) r.value.l[1] = 9 return r end } } },
      { value = smt.plain [[{"l":[1]}]] })
    assert.same({ "h=[1]" }, out.headers)
    assert.equal([[{"l":[9]}]], out.value)
  end)

  describe("with defaults", function()
    local value = smt.with({ fields = { { "a", { "string?", default = "d" } }, { "r", { "int32", default = 5 } } } },
      [[{"a":null}]])
    -- The converter would read the default in.
    local function run(c)
      local chain = { { plugin = { kind = "transform", apply = function(r)
        r.value.a = require("connect").null
        return r
      end } }, { plugin = "lua/connect/transforms/header_from.lua", side = "value", config = c } }
      return smt.run(chain, { value = value })
    end

    it("reads a null field as its default", function()
      assert.same({ [[h="d":string?="d"]] }, run(config({ "a" }, { "h" }, "copy")).headers)
      assert.same({ [[h="d":string?="d"]] }, run(config({ "a" }, { "h" }, "move")).headers)
    end)

    it("leaves it null when told so", function()
      assert.same({ [[h=null:string?="d"]] }, run(config({ "a" }, { "h" }, "copy", false)).headers)
      assert.equal([[{"r":5}]], run(config({ "a" }, { "h" }, "move", false)).value)
    end)
  end)

  it("fails for fields that a schema has not, and for null", function()
    assert.equal('NullPointerException: Cannot invoke "org.apache.kafka.connect.data.Field.schema()" because the return '
      .. 'value of "org.apache.kafka.connect.data.Schema.field(String)" is null',
      smt.error(smt.value, FILE, config({ "zz" }, { "h" }, "copy"), RECORD))
    assert.equal("DataException: Only Map objects supported in absence of schema for [header copy], found: null",
      smt.error(smt.value, FILE, config({ "a" }, { "h" }, "copy"), nil))
    assert.equal("DataException: Only Struct objects supported for [header move], found: null",
      smt.error(smt.value, FILE, config({ "a" }, { "h" }, "move"), smt.with(STRUCT, "null")))
  end)

  it("wants as many headers as fields", function()
    assert.matches("ConfigException: 'fields' config must have the same number of elements as 'headers' config.",
      smt.error(smt.value, FILE, config({ "a" }, { "x", "y" }, "copy"), RECORD), 1, true)
  end)
end)
