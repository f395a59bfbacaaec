-- SPDX-License-Identifier: Apache-2.0
-- InsertHeader and DropHeaders.
local smt = require "spec.helpers.smt"

describe("InsertHeader", function()
  local function insert(literal, given)
    return smt.apply("insert_header", { header = "h", ["value.literal"] = literal }, { value = smt.plain "1",
      headers = given }).headers
  end

  it("reads its literal as SimpleHeaderConverter does", function()
    assert.same({ [[h="text":string]] }, insert "text")
    assert.same({ "h=1:int8" }, insert "1")
    assert.same({ "h=[1,2]:array(int8)" }, insert "[1,2]")
    assert.same({ "h=18131:date" }, insert "2019-08-23")
    assert.same({ "h=null" }, insert "null")
    assert.same({ [[h={"a":true}:map(string,boolean)]] }, insert [[{"a":true}]])
  end)

  it("appends, whatever is there", function()
    assert.same({ "h=5", "x=6", "h=1:int8" }, insert("1", { { "h", smt.plain "5" }, { "x", smt.plain "6" } }))
  end)

  it("gives every record a value of its own", function()
    local out = smt.run({ { plugin = "lua/connect/transforms/insert_header.lua",
      config = { header = "h", ["value.literal"] = "[1]" } },
      { plugin = { kind = "transform", apply = function(r) r.headers[1].value[1] = 7 return r end },
        predicate = { kind = "predicate", test = function(r) return r.offset == 0 end } } },
      { { value = smt.plain "1" }, { value = smt.plain "1" } })
    assert.same({ "h=[7]:array(int8)", "h=[1]:array(int8)" }, { out[1].headers[1], out[2].headers[1] })
  end)
end)

describe("DropHeaders", function()
  local function drop(names, given)
    return smt.apply("drop_headers", { headers = names }, { value = smt.plain "1", headers = given }).headers
  end

  it("removes all of exactly these names and keeps the order of the rest", function()
    local given = { { "a", smt.plain "1" }, { "b", smt.plain "2" }, { "A", smt.plain "3" }, { "a", smt.plain "4" },
      { "c", smt.plain "5" } }
    assert.same({ "b=2", "A=3", "c=5" }, drop({ "a" }, given))
    assert.same({ "A=3" }, drop({ "a", "c", "zz", "b" }, given))
    assert.same({}, drop({ "a" }, nil))
  end)
end)
