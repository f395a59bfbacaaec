-- SPDX-License-Identifier: Apache-2.0
local connect = require "connect"
local smt = require "spec.helpers.smt"

local function extract(value, field, version, replace)
  return smt.value("extract_field", { field = field, ["field.syntax.version"] = version,
    ["replace.null.with.default"] = replace }, value)
end

describe("ExtractField", function()
  local STRUCT = { fields = { { "a", { fields = { { "b", "int32" } }, optional = true } }, { "a.b", "string" },
    { "o", "decimal?" } } }
  local VALUE = smt.with(STRUCT, [[{"a":{"b":7},"a.b":"dot","o":null}]])

  it("makes the value one of its fields, with the field's schema", function()
    assert.same({ "7", "int32" }, { extract(VALUE, "a.b", "v2").value, extract(VALUE, "a.b", "V2").schema })
    assert.same({ '"dot"', "string" }, { extract(VALUE, "a.b").value, extract(VALUE, "a.b").schema })
    assert.same({ '"dot"', "string" }, { extract(VALUE, "`a.b`", "V2").value, extract(VALUE, "`a.b`", "V2").schema })
    assert.same({ '{"b":7}', "S{b:int32}?" }, { extract(VALUE, "a").value, extract(VALUE, "a").schema })
    assert.same({ "null", "decimal?" }, { extract(VALUE, "o").value, extract(VALUE, "o").schema })
  end)

  it("does so without schemas, where a field that is not there is null", function()
    local value = smt.plain [[{"a":{"b":[1]},"n":null,"i":5}]]
    assert.equal('{"b":[1]}', extract(value, "a").value)
    assert.equal("[1]", extract(value, "a.b", "V2").value)
    assert.equal("null", extract(value, "a.b").value)
    assert.equal("null", extract(value, "zz.b", "V2").value)
    assert.equal("null", extract(value, "n.b", "V2").value)
    assert.equal("DataException: Only Map objects supported in absence of schema for [nested field access], found: "
      .. "java.lang.Long", smt.error(extract, value, "i.b", "V2"))
    assert.equal("DataException: Only Map objects supported in absence of schema for [nested field access], found: "
      .. "java.util.ArrayList", smt.error(extract, value, "a.b.c", "V2"))
  end)

  it("fails for a field that the schema has not, the value null or not", function()
    for _, value in ipairs { VALUE, smt.with({ fields = STRUCT.fields, optional = true }, "null") } do
      assert.equal("IllegalArgumentException: Unknown field: zz", smt.error(extract, value, "zz"))
      assert.equal("IllegalArgumentException: Unknown field: a.zz", smt.error(extract, value, "a.zz", "V2"))
      assert.equal("DataException: Cannot look up fields on non-struct type", smt.error(extract, value, "a.b.c", "V2"))
      assert.equal("IllegalArgumentException: fromIndex(0) > toIndex(-1)", smt.error(extract, value, "", "V2"))
    end
  end)

  it("passes null on, with the field's schema", function()
    assert.same({ "null" }, { extract(nil, "a").value, extract(nil, "a").schema })
    local out = extract(smt.with({ fields = STRUCT.fields, optional = true }, "null"), "a.b", "V2")
    assert.same({ "null", "int32" }, { out.schema and "null", out.schema })
    assert.matches("^error: Conversion error: null value for field that is required", out.value)
    out = extract(smt.with(STRUCT, [[{"a":null,"a.b":""}]]), "a.b", "V2")
    assert.equal("int32", out.schema)
  end)

  it("looks at the kind of value first", function()
    assert.equal("DataException: Only Struct objects supported for [field extraction], found: java.lang.Integer",
      smt.error(extract, smt.with("int32", "1"), "zz"))
    assert.equal("DataException: Only Map objects supported in absence of schema for [field extraction], found: "
      .. "java.lang.Long", smt.error(extract, smt.plain "1", "a"))
    assert.equal("DataException: Cannot look up fields on non-struct type",
      smt.error(extract, smt.with("int32?", "null"), "a.b", "V2"))
  end)

  it("reads a null as its default, or not", function()
    local function run(replace)
      return smt.run({ { plugin = { kind = "transform", apply = function(r)
        r.value.l = connect.null
        return r
      end } }, { plugin = "lua/connect/transforms/extract_field.lua", side = "value",
        config = { field = "l", ["replace.null.with.default"] = replace } } },
        { value = smt.with({ fields = { { "l", { array = "int32", default = { 4, 2 }, optional = true } } } }, "{}") })
    end
    assert.same({ "[4,2]", "array(int32)?=[4,2]" }, { run(true).value, run(true).schema })
    assert.same({ "null", "array(int32)?=[4,2]" }, { run(false).value, run(false).schema })
  end)
end)

describe("field paths", function()
  local field_path = require "connect.field_path"
  local function steps(text) return field_path.parse(text, "V2") end

  it("are one name in V1", function() assert.same({ "a.`b`" }, field_path.parse("a.`b`", "v1")) end)

  it("are parted by dots; names may be empty", function()
    assert.same({ "a", "b" }, steps "a.b")
    assert.same({ "", "", "" }, steps "..")
    assert.same({ "foo", "", "" }, steps "foo..")
    assert.same({ "", "bar", "" }, steps ".bar.")
    assert.same({ "", "", "baz" }, steps "..baz")
    assert.same({}, steps "")
  end)

  it("keep dots between backticks", function()
    assert.same({ "foo.bar.baz" }, steps "`foo.bar.baz`")
    assert.same({ "foo", "bar.baz" }, steps "foo.`bar.baz`")
    assert.same({ "foo.bar", "baz" }, steps "`foo.bar`.baz")
    assert.same({ "a", "" }, steps "`a`.")
    assert.same({ "" }, steps "``")
  end)

  it("take backticks elsewhere as they are", function()
    assert.same({ "foo", "`bar.baz`" }, steps "foo.``bar.baz``")
    assert.same({ "foo", "ba`r.baz" }, steps "foo.`ba`r.baz`")
    assert.same({ "foo", "ba`r", "baz" }, steps "foo.ba`r.baz")
  end)

  it("drop the backslash where a backtick would close before a dot, and only there", function()
    assert.same({ "foo", "bar`.baz" }, steps "foo.`bar\\`.baz`")
    assert.same({ "foo", "bar\\`.\\`baz" }, steps "foo.`bar\\\\`.\\`baz`")
    assert.same({ "a`.b`.c" }, steps "`a\\`.b\\`.c`")
    assert.same({ "a`.b", "c" }, steps "`a\\`.b`.c")
  end)

  it("must be closed", function()
    local function why(path) return smt.error(steps, path) end
    assert.equal("ConfigException: Incomplete backtick pair in path: [`foo.bar.baz], consider adding a backslash before "
      .. "backtick at position 0 to escape it", why "`foo.bar.baz")
    assert.matches("at position 8 to escape it$", why "foo.bar.`baz\\`")
    assert.matches("at position 3 to escape it$", why "é€.`x")
    assert.matches("at position 3 to escape it$", why "😀.`x")
  end)
end)
