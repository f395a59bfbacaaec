-- SPDX-License-Identifier: Apache-2.0
-- MaskField: what hides each type, replacements, nulls, and its errors as Apache's.

local connect = require "connect"
local T = require "spec.helpers.transform"

local DATA = "org.apache.kafka.connect.errors.DataException"
local P = '"name":"org.apache.kafka.connect.data.'

describe("MaskField", function()
  local function options(fields, replacement, more)
    local o = { file = "mask_field", config = { fields = fields, replacement = replacement } }
    for k, v in pairs(more or {}) do o[k] = v end
    return o
  end

  local FIELDS = { { "b", '"type":"boolean"' }, { "i8", '"type":"int8"' }, { "i16", '"type":"int16"' },
    { "i32", '"type":"int32"' }, { "i64", '"type":"int64"' }, { "f", '"type":"float"' }, { "d", '"type":"double"' },
    { "s", '"type":"string"' }, { "date", '"type":"int32",' .. P .. 'Date"' }, { "time", '"type":"int32",' .. P .. 'Time"' },
    { "ts", '"type":"int64",' .. P .. 'Timestamp"' },
    { "dec", '"type":"bytes",' .. P .. 'Decimal","parameters":{"scale":"2"}' },
    { "l", '"type":"array","items":{"type":"int8"}' },
    { "m", '"type":"map","keys":{"type":"string"},"values":{"type":"int8"}' }, { "x", '"type":"bytes"' },
    { "st", '"type":"struct","fields":[{"field":"a","type":"int8"}]' } }
  local RECORD = T.struct(FIELDS, '{"b":true,"i8":1,"i16":2,"i32":3,"i64":4,"f":1.5,"d":2.5,"s":"x","date":1,"time":2,'
    .. '"ts":3,"dec":"AMc=","l":[1],"m":{"a":1},"x":"AQ==","st":{"a":1}}')

  it("gives every type its empty value, and keeps the schema", function()
    local names = { "b", "i8", "i16", "i32", "i64", "f", "d", "s", "date", "time", "ts", "dec", "l", "m" }
    local plain = T.run(options({ "none" }, nil, { schemas = true }), { RECORD })[1].value
    local out = T.run(options(names, nil, { schemas = true }), { RECORD })[1].value
    assert.same({ b = "false", i8 = "int8 0", i16 = "int16 0", i32 = "int32 0", i64 = "int64 0", f = "float32 0.0",
      d = "float64 0.0", s = "string ", date = "date 0", time = "time 0", ts = "timestamp 0", dec = "decimal 0",
      l = "array []", m = "object {}", x = plain.fields.x, st = plain.fields.st }, out.fields)
    assert.equal(plain.schema, out.schema)
    assert.is_true(out.same_schema)
  end)

  it("does the same without a schema", function()
    local out = T.run(options { "b", "i", "d", "s", "l", "o" },
      { '{"b":true,"i":5,"d":1.5,"s":"x","l":[1],"o":{"a":1},"kept":[2]}' })[1].value
    assert.same({ b = "false", i = "int64 0", d = "float64 0.0", s = "string ", l = "array []", o = "object {}",
      kept = "array [2]" }, out.fields)
  end)

  it("puts a replacement in the type of each number, and as a string's text", function()
    local out = T.run(options({ "i8", "i16", "i32", "i64", "f", "d", "s", "dec" }, "300", { schemas = true }),
      { RECORD })[1].value.fields
    assert.same({ "int8 44", "int16 300", "int32 300", "int64 300", "float32 300.0", "float64 300.0", "string 300",
      "decimal 300" }, { out.i8, out.i16, out.i32, out.i64, out.f, out.d, out.s, out.dec })
    out = T.run(options({ "i32", "dec" }, "12.7", { schemas = true }), { RECORD })[1].value.fields
    assert.same({ "int32 12", "decimal 12.7" }, { out.i32, out.dec })
  end)

  it("cannot replace other types", function()
    local classes = { b = "java.lang.Boolean", date = "java.util.Date", time = "java.util.Date", ts = "java.util.Date",
      l = "java.util.ArrayList", m = "java.util.HashMap", x = "[B", st = "org.apache.kafka.connect.data.Struct" }
    for name, class in pairs(classes) do
      assert.same({ DATA, ("Cannot mask value of type class %s with custom replacement."):format(class) },
        T.error(options({ name }, "5", { schemas = true }), { RECORD }))
    end
  end)

  it("cannot hide bytes and structs", function()
    assert.same({ DATA, "Cannot mask value of type: class [B" }, T.error(options({ "x" }, nil, { schemas = true }), { RECORD }))
    assert.same({ DATA, "Cannot mask value of type: class org.apache.kafka.connect.data.Struct" },
      T.error(options({ "st" }, nil, { schemas = true }), { RECORD }))
  end)

  it("tells what is no number", function()
    assert.same({ DATA, "Unable to convert foo (class java.lang.String) to a number" },
      T.error(options({ "i8" }, "foo", { schemas = true }), { RECORD }))
    assert.same({ DATA, "Unable to convert foo (class java.lang.String) to number" },
      T.error(options({ "dec" }, "foo", { schemas = true }), { RECORD }))
  end)

  it("ignores fields a struct has not, adds them to objects as null", function()
    assert.equal("S{a:int8}", T.run(options({ "zz" }, nil, { schemas = true }),
      { T.struct({ { "a", '"type":"int8"' } }, '{"a":1}') })[1].value.schema)
    assert.same({ a = "int64 1", zz = "null" }, T.run(options({ "zz" }, "5"), { '{"a":1}' })[1].value.fields)
  end)

  it("reads a null as its default and hides that, or leaves it null", function()
    local record = T.struct({ { "a", '"type":"int32","optional":true,"default":10' },
      { "b", '"type":"string","optional":true,"default":"x"' } }, '{"a":null,"b":null}')
    local function with(flag)
      local o = options({ "a" }, nil, { schemas = true, prepare = function(r) r.value.a, r.value.b = connect.null, connect.null end })
      o.config["replace.null.with.default"] = flag
      return T.run(o, { record })[1].value.fields
    end
    assert.same({ a = "int32 0", b = "string x" }, with(true))
    assert.same({ a = "null", b = "null" }, with(false))
  end)

  it("fails where Java does when a null and a bad value meet", function()
    local function meet(...)
      local fields = {}
      for i, name in ipairs { ... } do fields[i] = { name, name == "n" and "int8" or "boolean" } end
      return T.error(options({ "x" }, "5", { prepare = function(r)
        r.value = connect.struct(connect.schema.struct { fields = fields }, { x = true })
      end }), { "1" })[2]
    end
    assert.equal("Cannot mask value of type class java.lang.Boolean with custom replacement.", meet("x", "n"))
    assert.equal('Invalid value: null used for required field: "n", schema type: INT8', meet("n", "x"))
  end)

  it("needs a struct or an object, and not null", function()
    assert.same({ DATA, "Only Map objects supported in absence of schema for [mask fields], found: java.lang.Long" },
      T.error(options { "a" }, { "5" }))
    assert.same({ DATA, "Only Map objects supported in absence of schema for [mask fields], found: null" },
      T.error(options { "a" }, { "null" }))
    assert.same({ DATA, "Only Struct objects supported for [mask fields], found: null" },
      T.error(options({ "a" }, nil, { schemas = true }),
        { '{"schema":{"type":"struct","optional":true,"fields":[]},"payload":null}' }))
    assert.same({ DATA, "Only Struct objects supported for [mask fields], found: java.lang.Byte" },
      T.error(options({ "a" }, nil, { schemas = true }), { T.typed('"type":"int8"', "5") }))
  end)

  it("copies a key into a HashMap of Java's size, and adds in a HashSet's order", function()
    local out = T.run(options({ "d", "b", "c" }, nil, { side = "key" }), { { key = '{"a":1}', value = "1" } })[1].key
    assert.same({ 8, "a,b,c,d" }, { out.capacity, out.order })
    assert.equal(4, T.run(options { "a" }, { '{"a":1,"b":2}' })[1].value.capacity)
  end)

  it("makes nothing in Lua per record #memory", function()
    local record = T.struct({ { "id", '"type":"int64"' }, { "s", '"type":"string"' } }, '{"id":$i,"s":"x$i"}')
    for _, replacement in ipairs { false, "5" } do
      T.cheap(options({ "id", "s" }, replacement or nil, { schemas = true }), { value = record })
      T.cheap(options({ "id", "s" }, replacement or nil), { value = '{"id":$i,"s":"x$i"}' })
    end
  end)
end)
