-- SPDX-License-Identifier: Apache-2.0
local smt = require "spec.helpers.smt"

local function replace(config, value) return smt.value("replace_field", config, value) end

describe("ReplaceField", function()
  local VALUE = smt.with({ fields = { { "a", "int32" }, { "b", "string?" }, { "c", "int8" } }, name = "n", optional = true },
    [[{"a":1,"b":"x","c":3}]])
  local PLAIN = smt.plain [[{"a":1,"b":"x","c":3}]]

  it("keeps, drops and renames", function()
    local out = replace({ exclude = { "c" }, include = { "a", "c", "zz" }, renames = { "a:z", "b:y" } }, VALUE)
    assert.same({ "S{z:int32}<n>", [[{"z":1}]] }, { out.schema, out.value })
    assert.equal([[{"z":1}]], replace({ exclude = { "c" }, include = { "a", "c", "zz" }, renames = { "a:z", "b:y" } },
      PLAIN).value)
    out = replace({ renames = { "a:b", "b:a" } }, VALUE)
    assert.same({ "S{b:int32,a:string?,c:int8}<n>", [[{"b":1,"a":"x","c":3}]] }, { out.schema, out.value })
    assert.equal([[{"b":1,"a":"x","c":3}]], replace({ renames = { "a:b", "b:a" } }, PLAIN).value)
  end)

  it("takes a name that is free", function()
    assert.equal("S{b:int32,c:int8}<n>", replace({ exclude = { "b" }, renames = { "a:b" } }, VALUE).schema)
    assert.equal("SchemaBuilderException: Cannot create field because of field name duplication b",
      smt.error(replace, { renames = { "a:b" } }, VALUE))
  end)

  it("looks fields up by reversing the renames", function()
    assert.equal("DataException: zz is not a valid field name", smt.error(replace, { renames = { "zz:a" } }, VALUE))
    assert.equal("S{}<n>", replace({ include = { "z" }, renames = { "a:z" } }, VALUE).schema)
  end)

  it("counts the last of several that get one name, in the order of a HashMap", function()
    -- a is in bucket 1, c in 3: c is what q stands for, whatever was written first.
    for _, renames in ipairs { { "a:q", "c:q" }, { "c:q", "a:q" } } do
      local out = replace({ include = { "c" }, renames = renames }, VALUE)
      assert.same({ "S{q:int8}<n>", [[{"q":3}]] }, { out.schema, out.value })
      assert.equal('DataException: Invalid Java object for schema with type INT32: class java.lang.Byte for field: "q"',
        smt.error(replace, { include = { "a" }, renames = renames }, VALUE))
    end
    -- The second mapping of a name takes the place of the first.
    assert.equal("S{r:int32}<n>", replace({ include = { "a" }, renames = { "a:q", "a:r" } }, VALUE).schema)
    assert.equal([[{"b":"x","c":3,"q":1}]], replace({ renames = { "a:r", "a:q", "z:r" } },
      smt.plain [[{"b":"x","c":3,"a":1}]]).value)
  end)

  it("does nothing to null and refuses other values", function()
    assert.same({ "null" }, { replace({}, nil).value, replace({}, nil).schema })
    assert.equal("S{a:int32}?", replace({ exclude = { "a" } }, smt.with({ fields = { { "a", "int32" } }, optional = true },
      "null")).schema)
    assert.equal("DataException: Only Struct objects supported for [field replacement], found: java.lang.Integer",
      smt.error(replace, {}, smt.with("int32", "1")))
  end)

  it("reads renames as pairs", function()
    local function why(...)
      return smt.error(replace, { renames = { ... } }, PLAIN)
    end
    assert.matches("Invalid value [b:c, a] for configuration renames: Invalid rename mapping: a", why("b:c", "a"), 1, true)
    for _, bad in ipairs { "a:", "", ":", "a:b:c", "a::b" } do
      assert.matches("Invalid rename mapping: " .. bad, why(bad), 1, true)
    end
    assert.equal([[{"b ":1}]], replace({ renames = { ":z", "a:b ::" }, include = { "a" } }, PLAIN).value)
    local validate = require("spec.helpers.task").load("lua/connect/transforms/replace_field.lua").validate
    assert.same({ renames = { "Invalid value [a] for configuration renames: Invalid rename mapping: a" } },
      validate { renames = { "a" } })
    assert.same({}, validate { renames = { "a:b" } })
    assert.same({}, validate {})
  end)

  it("reads nulls as defaults, or not", function()
    local function run(flag)
      return smt.run({ { plugin = { kind = "transform", apply = function(r)
        r.value.a = require("connect").null
        return r
      end } }, { plugin = "lua/connect/transforms/replace_field.lua", side = "value",
        config = { renames = { "a:b" }, ["replace.null.with.default"] = flag } } },
        { value = smt.with({ fields = { { "a", { "int32?", default = 42 } } } }, "{}") }).value
    end
    assert.equal([[{"b":42}]], run(true))
    assert.equal([[{"b":null}]], run(false))
  end)
end)
